/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection's input and its deadlines.
 *
 * Plain sockets are read once per event, into the rest of a large frame and, behind it, into
 * the loop's scratch. TLS is read until it has nothing more, since what OpenSSL has buffered
 * wakes nobody. One lazy timer per connection: it is only moved to an earlier time, and when it
 * rings it looks what is really due.
 */
#include <errno.h>
#include <sys/uio.h>

#include <openssl/ssl.h>

#include "core/base/alloc.h"
#include "core/server/server_state.h"

enum { TLS_READ_TURN_MAX = 1024 * 1024 };

static int64_t now_ms(const struct fc_connection *connection)
{
    return fc_loop_now_ms(connection->home->loop);
}

static bool is_open_for_input(const struct fc_connection *connection)
{
    return connection->pending == NULL && frames_may_take(connection) &&
           connection->retry_ms == 0;
}

/* --- reading --- */

static size_t scratch_size(const struct fc_connection *connection)
{
    return atomic_load(&connection->authenticated) ? SERVER_SCRATCH_SIZE
                                                   : SERVER_AUTH_READ_SIZE;
}

static void count_input(struct fc_connection *connection, size_t len)
{
    (void)atomic_fetch_add_explicit(&connection->home->bytes_in, len, memory_order_relaxed);
    connection->active_ms = now_ms(connection);
}

/* Bytes went first to where frames_room said (room), the others to scratch. */
static void take_input(struct fc_connection *connection, size_t len, size_t room)
{
    size_t direct = len < room ? len : room;
    count_input(connection, len);
    if (direct > 0) {
        frames_filled(connection, direct);
    }
    if (len > direct) {
        frames_take(connection, connection->home->scratch, len - direct);
    }
}

static void doom_ended(struct fc_connection *connection)
{
    connection_doom(connection, FC_DIAG_DEBUG, "the peer has closed it");
}

static void read_plain(struct fc_connection *connection)
{
    struct iovec pieces[2];
    uint8_t *to = NULL;
    size_t room = frames_room(connection, &to);
    ssize_t got;
    if (connection->retry_ms != 0) {
        return; /* no memory for the frame now */
    }
    pieces[0] = (struct iovec){ to, room };
    pieces[1] = (struct iovec){ connection->home->scratch, scratch_size(connection) };
    got = room > 0 ? readv(connection->io.fd, pieces, 2)
                   : readv(connection->io.fd, pieces + 1, 1);
    if (got > 0) {
        take_input(connection, (size_t)got, room);
    } else if (got == 0) {
        doom_ended(connection);
    } else if (errno != EAGAIN && errno != EINTR) {
        connection_doom(connection, FC_DIAG_DEBUG, "the peer is gone");
    }
}

/* 0 when nothing more comes now. */
static size_t read_tls_once(struct fc_connection *connection)
{
    uint8_t *to = NULL;
    size_t room = frames_room(connection, &to);
    size_t size = room;
    int got;
    if (connection->retry_ms != 0) {
        return 0;
    }
    if (room < SERVER_AUTH_READ_SIZE) { /* the end of a frame, with what follows it */
        room = 0;
        to = connection->home->scratch;
        size = scratch_size(connection);
    }
    got = SSL_read(connection->ssl, to, size > INT32_MAX ? INT32_MAX : (int)size);
    if (got > 0) {
        take_input(connection, (size_t)got, room);
        return (size_t)got;
    }
    switch (SSL_get_error(connection->ssl, got)) {
    case SSL_ERROR_WANT_READ:
        break;
    case SSL_ERROR_WANT_WRITE:
        connection->wants_out = true;
        break;
    default:
        (void)fc_tls_error_text(NULL, 0);
        doom_ended(connection);
        break;
    }
    return 0;
}

static void read_tls(struct fc_connection *connection)
{
    size_t in_all = 0;
    connection->wants_out = false;
    while (!connection->doomed && is_open_for_input(connection)) {
        size_t got = read_tls_once(connection);
        in_all += got;
        if (got == 0) {
            return;
        }
        if (in_all >= TLS_READ_TURN_MAX) {
            connection->retry_ms = now_ms(connection); /* others' turn, then on */
            return;
        }
    }
}

static void read_input(struct fc_connection *connection)
{
    if (!connection->doomed && is_open_for_input(connection)) {
        if (connection->ssl == NULL) {
            read_plain(connection);
        } else {
            read_tls(connection);
        }
    }
}

static void shake_hands(struct fc_connection *connection)
{
    char text[200];
    int done = SSL_do_handshake(connection->ssl);
    connection->wants_out = false;
    connection->active_ms = now_ms(connection);
    if (done == 1) {
        connection_opened(connection);
        read_input(connection);
        return;
    }
    switch (SSL_get_error(connection->ssl, done)) {
    case SSL_ERROR_WANT_READ:
        break;
    case SSL_ERROR_WANT_WRITE:
        connection->wants_out = true;
        break;
    default:
        if (fc_tls_error_text(text, sizeof(text))) {
            connection_doom(connection, FC_DIAG_WARN, "TLS handshake: %s", text);
        } else {
            doom_ended(connection);
        }
        break;
    }
}

void connection_on_ready(void *ctx, uint32_t events)
{
    struct fc_connection *connection = ctx;
    connection_mark_dirty(connection); /* output is sent when it settles */
    if (connection->doomed) {
        return;
    }
    if (connection->state == CONNECTION_HANDSHAKE) {
        shake_hands(connection);
        return;
    }
    if ((events & EPOLLIN) != 0 || connection->wants_out) {
        read_input(connection);
    } else if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        connection_doom(connection, FC_DIAG_DEBUG, "the peer is gone");
    }
}

/* --- deadlines --- */

/* When the connection is given up, and why; INT64_MAX: not by time. */
static int64_t give_up_ms(const struct fc_connection *connection, const char **out_why,
                          fc_diag_level *out_level)
{
    const struct fc_server_config *config = &connection->home->server->config;
    *out_level = FC_DIAG_WARN;
    if (connection->state == CONNECTION_HANDSHAKE) {
        *out_why = "the TLS handshake took too long";
        return connection->opened_ms + config->handshake_ms;
    }
    if (!atomic_load(&connection->authenticated)) {
        *out_why = "authentication took too long";
        return connection->opened_ms + config->handshake_ms;
    }
    if (output_waits(connection)) {
        *out_why = "the peer does not take its replies";
        return connection->active_ms + config->idle_ms;
    }
    if (connection->size_have > 0 && frames_may_take(connection)) {
        if (connection->starved_ms == 0) {
            *out_why = "a request was begun and not ended in time";
            return connection->frame_ms + config->frame_ms;
        }
        /* Who holds nothing may wait on; those who hold something could wait for each other. */
        *out_why = "there was no memory for the rest of a request in time";
        return connection->frame_capacity == 0 ? INT64_MAX
                                               : connection->starved_ms + config->frame_ms;
    }
    if (connection->first != NULL) {
        return INT64_MAX; /* parked: the handler's to end */
    }
    *out_level = FC_DIAG_DEBUG;
    *out_why = "idle";
    return connection->active_ms + config->idle_ms;
}

static void arm(struct fc_connection *connection)
{
    const char *why;
    fc_diag_level level;
    int64_t due_ms = give_up_ms(connection, &why, &level);
    if (connection->retry_ms != 0 && connection->retry_ms < due_ms) {
        due_ms = connection->retry_ms;
    }
    if (connection->muted_until_ms > now_ms(connection) &&
        connection->muted_until_ms < due_ms) {
        due_ms = connection->muted_until_ms;
    }
    if (due_ms != INT64_MAX &&
        (!fc_loop_timer_is_set(&connection->timer) || due_ms < connection->timer.deadline_ms)) {
        fc_loop_timer_set(connection->home->loop, &connection->timer, due_ms);
    }
}

void connection_on_time(void *ctx)
{
    struct fc_connection *connection = ctx;
    const char *why = "";
    fc_diag_level level = FC_DIAG_DEBUG;
    int64_t now = now_ms(connection);
    connection_mark_dirty(connection);
    if (now >= give_up_ms(connection, &why, &level)) {
        connection_doom(connection, level, "%s", why);
        return;
    }
    if (connection->retry_ms != 0 && now >= connection->retry_ms) {
        connection->retry_ms = 0;
        frames_take_pending(connection);
        if (connection->ssl != NULL) {
            read_input(connection);
        }
    }
}

/* --- the end of a turn --- */

/* A frame that we did not read on is not late: its time begins anew. */
static void note_held(struct fc_connection *connection)
{
    if (!frames_may_take(connection)) {
        connection->held = true;
    } else if (connection->held) {
        connection->held = false;
        connection->frame_ms = now_ms(connection);
        connection->starved_ms = connection->starved_ms == 0 ? 0 : connection->frame_ms;
    }
}

static void watch(struct fc_connection *connection)
{
    uint32_t events = 0;
    if (connection->state == CONNECTION_HANDSHAKE) {
        events = connection->wants_out ? EPOLLOUT : EPOLLIN;
        events = connection->muted_until_ms > now_ms(connection) ? 0 : events;
    } else {
        note_held(connection);
        events |= is_open_for_input(connection) || connection->wants_in ? EPOLLIN : 0u;
        events |= connection->blocked || connection->wants_out ? EPOLLOUT : 0u;
    }
    fc_loop_change(connection->home->loop, &connection->io, events);
}

void connection_settle(struct fc_connection *connection)
{
    const struct server_loop *home = connection->home;
    if (!connection->doomed && connection->state == CONNECTION_OPEN) {
        output_flush(connection);
        if (connection->retry_ms == 0) {
            frames_take_pending(connection);
        }
        if (home->stopping && connection->first == NULL) {
            connection_doom(connection, FC_DIAG_DEBUG, "the server stops");
        }
        if (connection->ssl != NULL && is_open_for_input(connection) &&
            SSL_pending(connection->ssl) > 0) {
            connection->retry_ms = now_ms(connection); /* what OpenSSL holds wakes nobody */
        }
    } else if (home->stopping) {
        connection_doom(connection, FC_DIAG_DEBUG, "the server stops");
    }
    if (connection->doomed) {
        if (!connection->dirty) { /* else it stands in the list again, and comes back */
            connection_close(connection);
        }
        return;
    }
    watch(connection);
    arm(connection);
}
