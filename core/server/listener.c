/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets. The first loop accepts and hands connections round. */
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/server/server_state.h"

enum { LISTENER_BACKLOG = 4096, LISTENER_TURN_MAX = 64, LISTENER_PAUSE_MS = 100 };

static struct server_loop *acceptor(struct server_listener *listener)
{
    return &listener->server->loops[0];
}

/* No descriptors are left: the waiting connections stay in the kernel's queue for a while. */
static void pause_accepting(struct server_listener *listener)
{
    struct fc_loop *loop = acceptor(listener)->loop;
    fc_server_report_line(&listener->server->report, FC_DIAG_ERROR,
                          "cannot accept connections: %s listener=%s", strerrordesc_np(errno),
                          listener->facts.name);
    fc_loop_change(loop, &listener->io, 0);
    fc_loop_timer_set(loop, &listener->pause, fc_loop_now_ms(loop) + LISTENER_PAUSE_MS);
}

static void on_pause_over(void *ctx)
{
    struct server_listener *listener = ctx;
    fc_loop_change(acceptor(listener)->loop, &listener->io, EPOLLIN);
}

/* Within the limits, and its turn comes. */
static bool may_enter(struct fc_server *server, struct fc_connection *connection,
                      const char **out_why)
{
    const struct fc_server_config *config = &server->config;
    if (!limits_enter(server, connection->address, out_why)) {
        return false;
    }
    if (config->on_arrival != NULL) {
        connection->hold_ms = config->on_arrival(config->ctx, connection->peer_host);
    }
    if (connection->hold_ms < 0) {
        *out_why = "too many new connections of this address";
        limits_leave(server, connection->address);
        limits_gone(server);
        return false;
    }
    return true;
}

/*
 * Left to itself the kernel takes megabytes for a client that is slow, times all clients. And where
 * it paces what it sends (BBR does), a long queue costs it twice the work of a short one.
 */
static void limit_send_buffer(int fd, size_t bytes)
{
    const int size = bytes > INT_MAX / 2 ? INT_MAX / 2 : (int)bytes; /* it takes it twice */
    if (size > 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    }
}

static void admit(struct server_listener *listener, int fd, const struct sockaddr_storage *peer)
{
    struct fc_server *server = listener->server;
    struct server_loop *home = &server->loops[server->loop_next];
    struct fc_connection *connection = connection_new(home, fd, listener, peer);
    const char *why = NULL;
    const int on = 1;
    if (!may_enter(server, connection, &why)) {
        (void)atomic_fetch_add(&server->refused, 1);
        fc_server_report_line(&server->report, FC_DIAG_WARN,
                              "connection refused: %s peer=%s listener=%s", why,
                              connection->peer_text, listener->facts.name);
        (void)close(fd);
        free(connection);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* latency only */
    limit_send_buffer(fd, server->config.send_buffer);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)); /* idle_ms ends it, too */
    (void)atomic_fetch_add(&server->accepted, 1);
    connection->id = ++server->connection_last_id;
    server->loop_next = (server->loop_next + 1) % server->loops_count;
    fc_loop_post(home->loop, &connection->task);
}

static void on_connection_waits(void *ctx, uint32_t events)
{
    struct server_listener *listener = ctx;
    (void)events;
    for (int count = 0; count < LISTENER_TURN_MAX; count++) {
        struct sockaddr_storage peer;
        socklen_t peer_size = sizeof(peer);
        int fd = accept4(listener->io.fd, (struct sockaddr *)&peer, &peer_size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            admit(listener, fd, &peer);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(listener);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return; /* none waits */
        }
    }
}

static int open_socket(const struct addrinfo *address)
{
    const int on = 1;
    int error;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
        listen(fd, LISTENER_BACKLOG) == 0) {
        return fd;
    }
    error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof(name);
    struct sockaddr_in in;
    if (getsockname(fd, (struct sockaddr *)&name, &size) != 0) {
        return 0;
    }
    memcpy(&in, &name, sizeof(in)); /* the port lies at the same place in both families */
    return ntohs(in.sin_port);
}

static fc_code bind_socket(const struct fc_listener_config *config, int *out_fd,
                           struct fc_error *err)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *addresses = NULL;
    char port[8];
    int failed;
    int fd = -1;
    (void)snprintf(port, sizeof(port), "%u", config->port);
    failed = getaddrinfo(config->host, port, &hints, &addresses);
    if (failed != 0) {
        return fc_fail(err, FC_ERR_CONFIG, "listener %s: host %s: %s", config->name,
                       config->host, gai_strerror(failed));
    }
    for (struct addrinfo *at = addresses; at != NULL && fd < 0; at = at->ai_next) {
        fd = open_socket(at);
    }
    freeaddrinfo(addresses);
    if (fd < 0) {
        return fc_fail(err, FC_ERR_IO, "listener %s: %s:%u: %s", config->name, config->host,
                       config->port, strerrordesc_np(errno));
    }
    *out_fd = fd;
    return FC_OK;
}

fc_code fc_listener_try(const struct fc_listener_config *config, struct fc_error *err)
{
    int fd = -1;
    fc_code code = bind_socket(config, &fd, err);
    if (code == FC_OK) {
        (void)close(fd); /* nobody was let in */
    }
    return code;
}

fc_code listener_bind(struct server_listener *listener, const struct fc_listener_config *config,
                      struct fc_error *err)
{
    fc_code code = bind_socket(config, &listener->io.fd, err);
    if (code != FC_OK) {
        return code;
    }
    listener->name = fc_strdup(config->name);
    listener->host = fc_strdup(config->host);
    listener->advertised_host =
        fc_strdup(config->advertised_host == NULL ? config->host : config->advertised_host);
    listener->facts.name = listener->name;
    listener->facts.index = (size_t)(listener - listener->server->listeners);
    listener->facts.host = listener->host;
    listener->facts.port = bound_port(listener->io.fd);
    listener->facts.tls = config->tls != NULL;
    listener->facts.auth_required = config->auth_required;
    listener->facts.advertised_host = listener->advertised_host;
    listener->facts.advertised_port =
        config->advertised_port == 0 ? listener->facts.port : config->advertised_port;
    if (config->tls != NULL && fc_tls_new(config->tls, &listener->tls, err) != FC_OK) {
        return fc_wrap(err, "listener %s", config->name);
    }
    return FC_OK;
}

fc_code listener_watch(struct server_listener *listener, struct fc_error *err)
{
    listener->io.events = EPOLLIN;
    listener->io.on_ready = on_connection_waits;
    listener->io.ctx = listener;
    fc_loop_timer_init(&listener->pause, on_pause_over, listener);
    return fc_loop_add(acceptor(listener)->loop, &listener->io, err);
}

void listener_close(struct server_listener *listener)
{
    if (listener->io.fd >= 0) {
        fc_loop_timer_clear(acceptor(listener)->loop, &listener->pause);
        fc_loop_remove(acceptor(listener)->loop, &listener->io);
        (void)close(listener->io.fd);
        listener->io.fd = -1;
    }
}

void listener_release(struct server_listener *listener)
{
    if (listener->io.fd >= 0) {
        (void)close(listener->io.fd);
    }
    fc_tls_free(listener->tls);
    free(listener->name);
    free(listener->host);
    free(listener->advertised_host);
}
