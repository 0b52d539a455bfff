/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a handler sees of the network: requests, their replies, and facts about the connection
 * that they came on.
 *
 * The server hands each request to on_request (server.h) on its connection's loop thread.
 * Exactly once, from any thread, somebody answers it: fc_request_reply, fc_request_no_reply or
 * fc_request_drop; afterwards the request is not touched any more. Requests of one connection
 * may be answered in any order; replies leave in the order of the requests.
 *
 * A connection that closes does not answer its requests: whoever holds one still answers it
 * (the answer goes nowhere). The connection's memory lives until that has happened.
 */
#ifndef FC_SERVER_REQUEST_H
#define FC_SERVER_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/loop.h"
#include "core/base/slice.h"

struct fc_connection;

/* --- replies --- */

/* What is sent from where it lies: before byte `at` of the reply's own bytes. */
struct fc_reply_splice {
    size_t at;
    int fd;              /* -1: memory at data */
    uint64_t offset;     /* in the file */
    const uint8_t *data; /* NULL for a file */
    size_t length;
    void (*release)(void *ctx); /* once it is sent or given up; loop thread; may be NULL */
    void *ctx;
};

/* A response frame in the making. Owner: who began it, until it is given to a request. */
struct fc_reply {
    struct fc_buf bytes; /* length and response header first, then what the handler appends */
    struct fc_reply_splice *splices; /* by `at` */
    size_t splices_count;
    size_t splices_capacity;
    size_t spliced_bytes; /* in all splices */
    bool close_after;     /* set by the handler: close the connection once this is sent */
};

struct fc_request {
    struct fc_connection *connection;
    bool bare; /* a frame without header (fc_connection_set_bare): all of it is the body */
    int16_t api_key; /* this and the next three: 0 and null when it is bare */
    int16_t api_version;
    int32_t correlation_id;
    struct fc_slice client_id; /* null when the client sent none */
    uint8_t *body;             /* what follows the header; the handler may change it */
    size_t body_len;
    struct fc_arena arena; /* for what the handler decodes; limit from the configuration */
    int64_t received_ns;   /* steady, when the last byte was read */
    int32_t throttle_ms;   /* the handler's: what its answer tells the client to wait */
    void *user;            /* the handler's */

    /* From here on the server's own; see request.c. */
    uint8_t *frame;
    size_t frame_size;
    struct fc_request *next; /* of the connection, in order; loop thread */
    struct fc_reply reply;
    struct fc_loop_task task;
    void (*on_close)(void *ctx, struct fc_request *request);
    void *on_close_ctx;
    char *drop_why; /* not NULL: dropped; owned */
    bool answered;  /* loop thread: the answer has come in */
};

/*
 * Begin the reply to a request; the body is appended to what is returned, in the request's
 * version of the message. The limit of the buffer is the configured size of a reply. The reply to a
 * bare request has no header either.
 */
struct fc_buf *fc_reply_begin(struct fc_reply *reply, const struct fc_request *request);

/* Continue with `length` bytes of a file at `offset`. release(ctx) is called exactly once, on
 * the loop's thread or by fc_reply_release. The file must keep these bytes until then. */
void fc_reply_add_file(struct fc_reply *reply, int fd, uint64_t offset, size_t length,
                       void (*release)(void *ctx), void *ctx);

/* Continue with bytes that stay where they are, unchanged, until release(ctx). */
void fc_reply_add_memory(struct fc_reply *reply, struct fc_slice bytes,
                         void (*release)(void *ctx), void *ctx);

/* The same before byte `at` of what was appended (of reply->bytes), as fc_wire_encode_spliced
 * tells it; `at` never goes back. */
void fc_reply_insert_file(struct fc_reply *reply, size_t at, int fd, uint64_t offset,
                          size_t length, void (*release)(void *ctx), void *ctx);
void fc_reply_insert_memory(struct fc_reply *reply, size_t at, struct fc_slice bytes,
                            void (*release)(void *ctx), void *ctx);

/* Give up a reply that was begun and not sent. */
void fc_reply_release(struct fc_reply *reply);

/*
 * Answer. The reply's contents move out of *reply. A reply that met its buffer's limit closes
 * the connection with a diagnostic. Thread: any.
 */
void fc_request_reply(struct fc_request *request, struct fc_reply *reply);

/*
 * The handler needs the request's bytes no longer, but has not answered yet: the memory serves the
 * connection's next frames while it is still in the processor's caches. What points into the body
 * ends here; the client id stays (copied). On the loop's thread, within on_request; a small
 * request, or one whose client id does not fit its arena any more, keeps its bytes.
 */
void fc_request_release_body(struct fc_request *request);

/* Answered by nothing (Produce with acks=0). Thread: any. */
void fc_request_no_reply(struct fc_request *request);

/* Close the connection with one diagnostic line, which gives `why` (copied). Thread: any. */
void fc_request_drop(struct fc_request *request, const char *why);

/*
 * Call fn on the loop's thread when the connection closes before the answer to this request
 * has reached the loop. One for each request; NULL removes it. To be set on the loop's thread,
 * best within on_request. The request and its arena are valid within fn even if another
 * thread answers at that moment; which of the two answers is the handler's to decide.
 */
void fc_request_on_close(struct fc_request *request,
                         void (*fn)(void *ctx, struct fc_request *request), void *ctx);

/* --- the connection of a request; valid until the request is answered --- */

/* A listener as it is bound. Lives as long as the server; any thread. */
struct fc_listener {
    const char *name;
    size_t index;     /* in the configuration */
    const char *host; /* as configured */
    uint16_t port;    /* the real one */
    bool tls;
    bool auth_required; /* SASL before anything else */
    const char *advertised_host;
    uint16_t advertised_port;
};

/* Unique in this server, from 1. Any thread. */
uint64_t fc_connection_id(const struct fc_connection *connection);

/* "127.0.0.1:40312", "[::1]:40312". Any thread. */
const char *fc_connection_peer_text(const struct fc_connection *connection);
/* The address alone, as Kafka's ACLs and DescribeGroups want it: "127.0.0.1", "::1". */
const char *fc_connection_peer_host(const struct fc_connection *connection);
const struct fc_listener *fc_connection_listener(const struct fc_connection *connection);

/* The loop that the connection lives on, for timers and posts of a handler. */
struct fc_loop *fc_connection_loop(const struct fc_connection *connection);

/* The subject of the client's verified certificate, RFC 2253 ("CN=x,O=y"); NULL: none. */
const char *fc_connection_tls_subject(const struct fc_connection *connection);

/*
 * "User:alice". NULL until a principal is set on a listener with auth_required; elsewhere it
 * is "User:" and the certificate's subject, or "User:ANONYMOUS". Any thread.
 */
const char *fc_connection_principal(const struct fc_connection *connection);

/*
 * The connection is authenticated as `principal` (copied): from the answer to the present
 * request on, the limits of authenticated connections hold. False, and nothing is changed,
 * when it is authenticated as another already. Until it is authenticated, a connection has one
 * request in flight, so that none can overtake. Thread: any, while holding a request.
 */
bool fc_connection_set_principal(struct fc_connection *connection, const char *principal);

/* A slot for the state of an authentication; free_auth(auth) when it is replaced and when the
 * connection's memory goes. While holding the only request in flight (see above). */
void *fc_connection_auth(const struct fc_connection *connection);
void fc_connection_set_auth(struct fc_connection *connection, void *auth,
                            void (*free_auth)(void *auth));

/* Whether the frames that follow are bare: the tokens of SASL as clients before Kafka 1.0 send them.
 * While holding the only request in flight. */
void fc_connection_set_bare(struct fc_connection *connection, bool bare);

/* A count of the handler's own, 0 at first. Thread: any, while holding a request. */
_Atomic(unsigned) *fc_connection_detours(struct fc_connection *connection);

/* Throttle: once the next answer is queued, nothing is read from this connection for `ms`.
 * Call it before fc_request_reply. Thread: any. */
void fc_connection_mute(struct fc_connection *connection, int64_t ms);

/* Called once, on the loop's thread, when the connection closes. The hook is the caller's and
 * stays where it is until it was called or removed. Loop thread. */
struct fc_close_hook {
    void (*fn)(void *ctx, struct fc_connection *connection);
    void *ctx;
    struct fc_close_hook *next;
    struct fc_close_hook **link; /* what points at this; NULL: not registered */
};
void fc_connection_on_close(struct fc_connection *connection, struct fc_close_hook *hook);
void fc_close_hook_remove(struct fc_close_hook *hook); /* fine when not registered */

#endif
