/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network half of an SPU: listeners, loops, and the limits that keep one client from
 * hurting the others. What requests mean is behind on_request; see request.h.
 */
#ifndef FC_SERVER_SERVER_H
#define FC_SERVER_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/diag.h"
#include "core/base/error.h"
#include "core/server/request.h"
#include "core/server/tls.h"

struct fc_listener_config {
    const char *name;
    const char *host;                /* an address or a name: "127.0.0.1", "::", "localhost" */
    uint16_t port;                   /* 0: any; fc_server_listener says which */
    const struct fc_tls_config *tls; /* NULL: plain */
    bool auth_required;              /* nothing but SASL until a principal is set */
    const char *advertised_host;     /* NULL: host */
    uint16_t advertised_port;        /* 0: the port */
};

/* Whether a listener can be opened there now; none stays. */
FC_MUST_CHECK fc_code fc_listener_try(const struct fc_listener_config *config,
                                      struct fc_error *err);

/* fc_server_config_init gives the defaults that are named here. Sizes are bytes. */
struct fc_server_config {
    const struct fc_listener_config *listeners;
    size_t listeners_count;
    unsigned loops;             /* threads; 0: one for each core */
    size_t connections_max;     /* 20,000 */
    size_t connections_ip_max;  /* of one address; 0: no limit of its own, the default */
    size_t frame_max;           /* 100 MiB: a request, as socket.request.max.bytes */
    size_t frame_auth_max;      /* 512 KiB: the same before authentication */
    size_t arena_max;           /* 64 MiB: what one request may decode to */
    size_t reply_max;           /* 128 MiB: a reply's own bytes */
    size_t requests_memory_max; /* 512 MiB: requests of the whole server in memory at a time,
                                   beside 64 KiB of small ones for each connection */
    unsigned pipeline_max;      /* 16: requests of one connection without a sent reply */
    size_t pipeline_bytes_max;  /* 8 MiB of such requests; a larger one goes alone */
    size_t replies_bytes_max;   /* 8 MiB of replies not taken yet; then nothing is read */
    size_t send_buffer;         /* 256 KiB: of a connection in the kernel, as
                                   socket.send.buffer.bytes; 0: as it likes */
    int64_t idle_ms;            /* 600,000: connections.max.idle.ms; also a reply not taken */
    int64_t frame_ms;           /* 30,000 from a frame's first byte to its last, while it
                                   makes no progress: 4 KiB, and an 8th of its memory. Time in
                                   which there is no memory for it does not count */
    int64_t handshake_ms;       /* 10,000: TLS, and until authenticated */
    struct fc_diag *diag;       /* may be NULL */
    const struct fc_clock *clock;
    /* Required. Loop thread; must not block. */
    void (*on_request)(void *ctx, struct fc_request *request);
    /* May be NULL. For how many ms nothing is read of a new connection, not even for its TLS
     * handshake; below 0: it is refused. A loop's thread; must not block. */
    int64_t (*on_arrival)(void *ctx, const char *peer_host);
    /* May be NULL. Once a connection is open (after its TLS handshake), before its first
     * request; may set the principal. Loop thread. */
    void (*on_connection)(void *ctx, struct fc_connection *connection);
    void *ctx;
};

struct fc_server;

void fc_server_config_init(struct fc_server_config *config);

/* Lower connections_max, and say so in one line, where connections could take the descriptors that the
 * rest of the process needs: an eighth of RLIMIT_NOFILE, at least 128, beside those that are open
 * now. */
void fc_server_spare_files(struct fc_server_config *config);

/*
 * Bind the listeners and start the loops. The config and its texts are copied; diag and clock
 * stay the caller's.
 *
 * Errors: FC_ERR_CONFIG (host, certificates), FC_ERR_IO (port in use, no descriptors).
 */
FC_MUST_CHECK fc_code fc_server_start(const struct fc_server_config *config,
                                      struct fc_server **out_server, struct fc_error *err);

/*
 * Stop: accept no more, read no more, give requests in flight up to wait_ms for their answers,
 * close everything (parked requests get their on_close), and return when each request was
 * answered. Blocks; not from a loop. Once.
 */
void fc_server_stop(struct fc_server *server, int64_t wait_ms);

/* After fc_server_stop. NULL is fine. */
void fc_server_free(struct fc_server *server);

size_t fc_server_listeners_count(const struct fc_server *server);
const struct fc_listener *fc_server_listener(const struct fc_server *server, size_t index);

/* Read the certificates of all TLS listeners again. On an error the old ones stay in use and
 * a diagnostic says why. Thread: any. */
FC_MUST_CHECK fc_code fc_server_reload_tls(struct fc_server *server, struct fc_error *err);

size_t fc_server_loops_count(const struct fc_server *server);
struct fc_loop *fc_server_loop(const struct fc_server *server, size_t index);

/* As of now; any thread. */
struct fc_server_stats {
    size_t connections;
    uint64_t connections_accepted;
    uint64_t connections_refused; /* over a limit */
    uint64_t requests;
    size_t requests_bytes; /* in memory */
    uint64_t bytes_in;
    uint64_t bytes_out;
};
void fc_server_get_stats(struct fc_server *server, struct fc_server_stats *out_stats);

#endif
