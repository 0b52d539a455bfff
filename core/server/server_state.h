/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's insides, for the files of this folder that make up the network half.
 *
 * A connection belongs to one loop (its home) from the moment that it is adopted: only that
 * loop's thread touches it, but for the fields marked atomic. It closes at a turn's end only,
 * and its memory goes at a turn's end after its last request was answered.
 */
#ifndef FC_SERVER_STATE_H
#define FC_SERVER_STATE_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include <openssl/types.h>

#include "core/base/hashmap.h"
#include "core/base/loop.h"
#include "core/server/report.h"
#include "core/server/request.h"
#include "core/server/server.h"
#include "core/server/tls.h"

enum {
    SERVER_SCRATCH_SIZE = 64 * 1024,   /* a loop's read and TLS write buffer */
    SERVER_AUTH_READ_SIZE = 4096,      /* what is read at once before authentication */
    SERVER_RETRY_MS = 20,              /* until memory for requests is asked for again */
    SERVER_SPARE_SIZE_MIN = 64 * 1024, /* smaller frames are malloc's business */
    SERVER_SPARE_COUNT = 32,           /* frames' memory that a loop keeps for the next ones */
    SERVER_SPARE_BYTES_MAX = 8 * 1024 * 1024
};

struct server_spare_item {
    uint8_t *data;
    size_t size;
};

/* Owned by the loop's thread. */
struct server_spare {
    struct fc_loop *loop;
    struct fc_loop_timer timer;
    struct server_spare_item items[SERVER_SPARE_COUNT];
    size_t count;
    size_t bytes;
    size_t untouched; /* so many from the first on were there when the timer was set */
};

struct server_listener {
    struct fc_listener facts;
    struct fc_server *server;
    struct fc_tls *tls; /* NULL: plain */
    struct fc_loop_io io;
    struct fc_loop_timer pause; /* accepting again, after descriptors ran out */
    char *name;
    char *host;
    char *advertised_host;
};

/* One thread's share. */
struct server_loop {
    struct fc_server *server;
    struct fc_loop *loop;
    pthread_t thread;
    bool started;
    bool stopping; /* loop thread */
    struct fc_connection *connections;
    struct fc_connection *dirty_first; /* to be looked at, at the turn's end */
    struct fc_connection *dirty_last;
    struct fc_connection *dead; /* memory to give back at the turn's end */
    uint8_t *scratch;
    struct server_spare spare;
    struct fc_loop_task stop_task;
    struct fc_loop_task close_task;
    _Atomic(uint64_t) requests;
    _Atomic(uint64_t) bytes_in;
    _Atomic(uint64_t) bytes_out;
};

struct fc_server {
    struct fc_server_config config;
    struct server_listener *listeners;
    size_t listeners_count;
    struct server_loop *loops;
    size_t loops_count;
    size_t loop_next; /* loop 0's thread: who gets the next connection */
    uint64_t connection_last_id;
    struct fc_server_report report;
    _Atomic(size_t) requests_bytes;
    _Atomic(uint64_t) accepted;
    _Atomic(uint64_t) refused;
    pthread_mutex_t lock;
    pthread_cond_t gone; /* a connection's memory went */
    /* Guarded by lock. */
    size_t connections;               /* whose memory lives; loops that must still stop */
    size_t connections_open;          /* whose socket is open */
    struct fc_hashmap connections_of; /* address -> size_t, of open ones */
};

typedef enum connection_state {
    CONNECTION_HANDSHAKE, /* TLS */
    CONNECTION_OPEN,
    CONNECTION_CLOSED /* no socket; waits for answers */
} connection_state;

/* How far the reply at the queue's head is sent. */
struct output_cursor {
    size_t byte;      /* of the reply's own bytes */
    size_t splice;    /* the next splice */
    size_t splice_at; /* bytes of it that are sent */
};

struct fc_connection {
    struct server_loop *home;
    const struct server_listener *listener;
    uint64_t id;
    connection_state state;
    bool doomed;    /* closes at the turn's end */
    bool dirty;     /* in the home's dirty list */
    bool blocked;   /* the socket takes no more output for now */
    bool wants_in;  /* TLS must read before it writes on */
    bool wants_out; /* TLS must write before it reads on */
    bool held;      /* we did not read on: the queue was full, or it was muted */
    bool seen;      /* a request has been handed out */
    bool bare;      /* frames have no header */
    _Atomic(bool) authenticated;
    _Atomic(unsigned) detours; /* the handler's */
    _Atomic(int64_t) mute_ms;  /* asked for; begins with the next answer */
    int64_t muted_until_ms;
    int64_t retry_ms;  /* read again then; 0: not needed */
    int64_t hold_ms;   /* nothing is read for so long at first */
    int64_t opened_ms; /* the end of that */
    int64_t active_ms; /* last byte read or written, last answer */
    SSL *ssl;
    struct fc_loop_io io;
    struct fc_loop_timer timer;
    struct fc_loop_task task;
    struct fc_connection *next;
    struct fc_connection *previous;
    struct fc_connection *dirty_next;

    /* The frame that is being read. */
    uint8_t size_bytes[4];
    unsigned size_have;
    uint8_t *frame;
    size_t frame_size;
    size_t frame_have;
    size_t frame_capacity;
    size_t frame_mark;  /* of frame_have, when progress was last noted */
    int64_t frame_ms;   /* when that was */
    int64_t starved_ms; /* since when there is no memory for its next bytes; 0: there is */

    /* Read, but not taken: the queue was full. */
    uint8_t *pending;
    size_t pending_at;
    size_t pending_len;

    /* Requests in order, until their replies are sent. */
    struct fc_request *first;
    struct fc_request *last;
    unsigned queued;
    size_t queued_bytes;
    size_t unanswered;
    size_t replies_bytes;
    struct output_cursor cursor;

    struct fc_close_hook *hooks;
    _Atomic(char *) principal;
    char *subject;
    void *auth;
    void (*free_auth)(void *auth);
    uint8_t address[16]; /* IPv6, or IPv4 mapped into it */
    char peer_host[INET6_ADDRSTRLEN];
    char peer_text[INET6_ADDRSTRLEN + 9];
};

/* connection.c */
struct fc_connection *connection_new(struct server_loop *home, int fd,
                                     const struct server_listener *listener,
                                     const struct sockaddr_storage *peer);
/* Begin on the home's thread. */
void connection_adopt(void *connection);
/* TLS is done, or there is none. */
void connection_opened(struct fc_connection *connection);
void connection_mark_dirty(struct fc_connection *connection);
/* Close at the turn's end. A level of FC_DIAG_WARN writes one line (rate limited). */
void connection_doom(struct fc_connection *connection, fc_diag_level level, const char *fmt,
                     ...) FC_PRINTF(3, 4);
/* Close now; only at a turn's end. */
void connection_close(struct fc_connection *connection);
/* Once nothing is unanswered: its memory goes at this turn's end. */
void connection_bury(struct fc_connection *connection);
void connection_free(struct fc_connection *connection);

/* connection_io.c */
void connection_on_ready(void *connection, uint32_t events);
void connection_on_time(void *connection);
/* Send, take what is pending, and say what is waited for; at a turn's end. */
void connection_settle(struct fc_connection *connection);

/* frames.c */
bool frames_may_take(const struct fc_connection *connection);
/* Take frames out of bytes that were read; what cannot be taken now is kept as pending. */
void frames_take(struct fc_connection *connection, const uint8_t *data, size_t len);
void frames_take_pending(struct fc_connection *connection);
/* Where the rest of the present frame goes, when more may be read right there; else 0. */
size_t frames_room(struct fc_connection *connection, uint8_t **out_to);
/* `len` bytes have been read to where frames_room said. */
void frames_filled(struct fc_connection *connection, size_t len);
void frames_release(struct fc_connection *connection);

/* spare.c: memory of frames; `size` is what was asked for, in the same words both times. */
void spare_init(struct server_spare *spare, struct fc_loop *loop);
void spare_release(struct server_spare *spare);
uint8_t *spare_take(struct server_spare *spare, size_t size);
void spare_give(struct server_spare *spare, uint8_t *data, size_t size); /* NULL is fine */

/* reply.c: what a queued reply holds in memory. */
size_t reply_memory(const struct fc_reply *reply);

/* output.c: send answered replies from the queue's head. Dooms the connection on errors. */
void output_flush(struct fc_connection *connection);
bool output_waits(const struct fc_connection *connection);

/* request.c */
/* Takes the frame on success. NULL with a reason when the header cannot be read. */
struct fc_request *request_new(struct fc_connection *connection, uint8_t *frame, size_t size,
                               const char **out_why);
void request_free(struct fc_request *request);

/* listener.c */
FC_MUST_CHECK fc_code listener_bind(struct server_listener *listener,
                                    const struct fc_listener_config *config,
                                    struct fc_error *err);
FC_MUST_CHECK fc_code listener_watch(struct server_listener *listener, struct fc_error *err);
void listener_close(struct server_listener *listener);
void listener_release(struct server_listener *listener);

/* limits.c */
/* False when a limit is met; else the connection counts until limits_leave. */
bool limits_enter(struct fc_server *server, const uint8_t address[16], const char **out_why);
void limits_leave(struct fc_server *server, const uint8_t address[16]);
/* A connection's memory went. */
void limits_gone(struct fc_server *server);
bool limits_charge(struct fc_server *server, size_t bytes);
void limits_charge_anyway(struct fc_server *server, size_t bytes);
void limits_give_back(struct fc_server *server, size_t bytes);

#endif
