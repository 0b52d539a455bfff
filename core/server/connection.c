/* SPDX-License-Identifier: Apache-2.0 */
/* A connection's life, and what handlers may ask and tell it. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "core/base/alloc.h"
#include "core/server/server_state.h"

static void name_peer(struct fc_connection *connection, const struct sockaddr_storage *peer)
{
    const bool is_v6 = peer->ss_family == AF_INET6;
    uint16_t port;
    if (is_v6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, peer, sizeof(in6));
        memcpy(connection->address, &in6.sin6_addr, 16);
        port = ntohs(in6.sin6_port);
    } else {
        struct sockaddr_in in;
        memcpy(&in, peer, sizeof(in));
        memset(connection->address + 10, 0xff, 2); /* ::ffff:a.b.c.d */
        memcpy(connection->address + 12, &in.sin_addr, 4);
        port = ntohs(in.sin_port);
    }
    if (memcmp(connection->address, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0) {
        (void)inet_ntop(AF_INET, connection->address + 12, connection->peer_host,
                        sizeof(connection->peer_host)); /* fits */
        (void)snprintf(connection->peer_text, sizeof(connection->peer_text), "%s:%u",
                       connection->peer_host, port);
    } else {
        (void)inet_ntop(AF_INET6, connection->address, connection->peer_host,
                        sizeof(connection->peer_host)); /* fits */
        (void)snprintf(connection->peer_text, sizeof(connection->peer_text), "[%s]:%u",
                       connection->peer_host, port);
    }
}

struct fc_connection *connection_new(struct server_loop *home, int fd,
                                     const struct server_listener *listener,
                                     const struct sockaddr_storage *peer)
{
    struct fc_connection *connection = fc_new(struct fc_connection);
    connection->home = home;
    connection->listener = listener;
    connection->io.fd = fd;
    connection->io.on_ready = connection_on_ready;
    connection->io.ctx = connection;
    connection->task.on_run = connection_adopt;
    connection->task.ctx = connection;
    fc_loop_timer_init(&connection->timer, connection_on_time, connection);
    name_peer(connection, peer);
    return connection;
}

/* What is closed before it was watched. */
static void abandon(struct fc_connection *connection)
{
    (void)close(connection->io.fd);
    limits_leave(connection->home->server, connection->address);
    connection->state = CONNECTION_CLOSED;
    connection_bury(connection);
}

void connection_adopt(void *ctx)
{
    struct fc_connection *connection = ctx;
    struct server_loop *home = connection->home;
    struct fc_error err;
    connection->io.events = EPOLLIN;
    if (home->stopping) {
        abandon(connection);
        return;
    }
    if (fc_loop_add(home->loop, &connection->io, &err) != FC_OK) {
        fc_server_report_line(&home->server->report, FC_DIAG_ERROR,
                              "connection closed: %s peer=%s", err.message,
                              connection->peer_text);
        abandon(connection);
        return;
    }
    connection->next = home->connections;
    if (connection->next != NULL) {
        connection->next->previous = connection;
    }
    home->connections = connection;
    connection->opened_ms = fc_loop_now_ms(home->loop) + connection->hold_ms;
    connection->muted_until_ms = connection->opened_ms;
    connection->active_ms = connection->opened_ms;
    if (connection->listener->tls == NULL) {
        connection_opened(connection);
    } else {
        connection->ssl = fc_tls_accept(connection->listener->tls, connection->io.fd);
        if (connection->ssl == NULL) {
            connection_doom(connection, FC_DIAG_ERROR, "no memory for TLS");
        }
    }
    connection_mark_dirty(connection);
}

void connection_opened(struct fc_connection *connection)
{
    const struct fc_server_config *config = &connection->home->server->config;
    connection->state = CONNECTION_OPEN;
    if (connection->ssl != NULL) {
        connection->subject = fc_tls_peer_subject(connection->ssl);
    }
    if (!connection->listener->facts.auth_required) {
        const char *name = connection->subject == NULL ? "ANONYMOUS" : connection->subject;
        atomic_store(&connection->principal, fc_asprintf("User:%s", name));
        atomic_store(&connection->authenticated, true);
    }
    if (config->on_connection != NULL) {
        config->on_connection(config->ctx, connection);
    }
}

void connection_mark_dirty(struct fc_connection *connection)
{
    struct server_loop *home = connection->home;
    if (connection->dirty || connection->state == CONNECTION_CLOSED) {
        return;
    }
    connection->dirty = true;
    connection->dirty_next = NULL;
    if (home->dirty_first == NULL) {
        home->dirty_first = connection;
    } else {
        home->dirty_last->dirty_next = connection;
    }
    home->dirty_last = connection;
}

void connection_doom(struct fc_connection *connection, fc_diag_level level, const char *fmt,
                     ...)
{
    char why[400];
    va_list args;
    if (connection->doomed || connection->state == CONNECTION_CLOSED) {
        return;
    }
    connection->doomed = true;
    connection_mark_dirty(connection);
    if (level < FC_DIAG_INFO) {
        return;
    }
    va_start(args, fmt);
    (void)vsnprintf(why, sizeof(why), fmt, args); /* cut when too long */
    va_end(args);
    fc_server_report_line(&connection->home->server->report, level,
                          "connection closed: %s peer=%s listener=%s connection=%" PRIu64, why,
                          connection->peer_text, connection->listener->facts.name,
                          connection->id);
}

static void close_socket(struct fc_connection *connection)
{
    struct server_loop *home = connection->home;
    fc_loop_timer_clear(home->loop, &connection->timer);
    fc_loop_remove(home->loop, &connection->io);
    if (connection->ssl != NULL) {
        if (connection->state == CONNECTION_OPEN) {
            (void)SSL_shutdown(connection->ssl); /* a courtesy */
        }
        SSL_free(connection->ssl);
        connection->ssl = NULL;
        (void)fc_tls_error_text(NULL, 0);
    }
    (void)close(connection->io.fd);
    if (connection->previous != NULL) {
        connection->previous->next = connection->next;
    } else {
        home->connections = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
    limits_leave(home->server, connection->address);
}

/* One at a time from the start: each may answer its request and others of the queue. */
static bool call_one_on_close(struct fc_connection *connection)
{
    for (struct fc_request *request = connection->first; request != NULL;
         request = request->next) {
        void (*fn)(void *, struct fc_request *) = request->on_close;
        if (fn != NULL) {
            request->on_close = NULL;
            fn(request->on_close_ctx, request);
            return true;
        }
    }
    return false;
}

void connection_close(struct fc_connection *connection)
{
    struct fc_request **link = &connection->first;
    close_socket(connection);
    connection->state = CONNECTION_CLOSED;
    frames_release(connection);
    while (*link != NULL) { /* those that are answered go, the others stay in the queue */
        struct fc_request *request = *link;
        if (request->answered) {
            *link = request->next;
            request_free(request);
        } else {
            link = &request->next;
        }
    }
    connection->last = NULL;
    for (struct fc_request *request = connection->first; request != NULL;
         request = request->next) {
        connection->last = request;
    }
    while (call_one_on_close(connection)) {
    }
    while (connection->hooks != NULL) {
        struct fc_close_hook *hook = connection->hooks;
        fc_close_hook_remove(hook);
        hook->fn(hook->ctx, connection);
    }
    connection_bury(connection);
}

void connection_bury(struct fc_connection *connection)
{
    if (connection->unanswered == 0 && connection->state == CONNECTION_CLOSED &&
        !connection->dirty) {
        connection->dirty = true; /* once only */
        connection->dirty_next = connection->home->dead;
        connection->home->dead = connection;
    }
}

void connection_free(struct fc_connection *connection)
{
    struct fc_server *server = connection->home->server;
    fc_connection_set_auth(connection, NULL, NULL);
    free(atomic_load(&connection->principal));
    free(connection->subject);
    free(connection);
    limits_gone(server);
}

/* --- for handlers --- */

uint64_t fc_connection_id(const struct fc_connection *connection)
{
    return connection->id;
}

const char *fc_connection_peer_text(const struct fc_connection *connection)
{
    return connection->peer_text;
}

const char *fc_connection_peer_host(const struct fc_connection *connection)
{
    return connection->peer_host;
}

const struct fc_listener *fc_connection_listener(const struct fc_connection *connection)
{
    return &connection->listener->facts;
}

struct fc_loop *fc_connection_loop(const struct fc_connection *connection)
{
    return connection->home->loop;
}

const char *fc_connection_tls_subject(const struct fc_connection *connection)
{
    return connection->subject;
}

const char *fc_connection_principal(const struct fc_connection *connection)
{
    return atomic_load(&connection->principal);
}

bool fc_connection_set_principal(struct fc_connection *connection, const char *principal)
{
    char *present = atomic_load(&connection->principal);
    if (present != NULL && strcmp(present, principal) == 0) {
        return true;
    }
    if (present != NULL && connection->seen) {
        return false;
    }
    atomic_store(&connection->principal, fc_strdup(principal));
    free(present); /* nobody has asked for it: there was no request */
    atomic_store(&connection->authenticated, true);
    return true;
}

void fc_connection_set_bare(struct fc_connection *connection, bool bare)
{
    connection->bare = bare;
}

void *fc_connection_auth(const struct fc_connection *connection)
{
    return connection->auth;
}

void fc_connection_set_auth(struct fc_connection *connection, void *auth,
                            void (*free_auth)(void *auth))
{
    if (connection->auth != NULL && connection->free_auth != NULL && connection->auth != auth) {
        connection->free_auth(connection->auth);
    }
    connection->auth = auth;
    connection->free_auth = free_auth;
}

_Atomic(unsigned) *fc_connection_detours(struct fc_connection *connection)
{
    return &connection->detours;
}

void fc_connection_mute(struct fc_connection *connection, int64_t ms)
{
    atomic_store(&connection->mute_ms, ms);
}

void fc_connection_on_close(struct fc_connection *connection, struct fc_close_hook *hook)
{
    hook->next = connection->hooks;
    hook->link = &connection->hooks;
    if (hook->next != NULL) {
        hook->next->link = &hook->next;
    }
    connection->hooks = hook;
}

void fc_close_hook_remove(struct fc_close_hook *hook)
{
    if (hook->link != NULL) {
        *hook->link = hook->next;
        if (hook->next != NULL) {
            hook->next->link = hook->link;
        }
        hook->next = NULL;
        hook->link = NULL;
    }
}
