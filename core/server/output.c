/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies to bytes on the socket, in the order of the requests.
 *
 * A plain connection sends what lies in memory with one sendmsg, over as many replies as are
 * ready, and files with sendfile. TLS gathers both into the loop's scratch, so that a small
 * header and the first records share a TLS record; what a write could not send is gathered
 * again, the same bytes, for the next.
 */
#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "core/base/alloc.h"
#include "core/server/server_state.h"

enum { OUTPUT_PIECES = 64, OUTPUT_TURN_MAX = 4 * 1024 * 1024, OUTPUT_FILE_MAX = 1024 * 1024 };

/* A place in the queue. */
struct place {
    const struct fc_request *request;
    struct output_cursor cursor;
};

/* A run of bytes that lies in one piece. */
struct piece {
    const uint8_t *data; /* NULL: a file */
    int fd;
    uint64_t offset;
    size_t len;
};

static bool is_sent(const struct place *place)
{
    const struct fc_reply *reply = &place->request->reply;
    return place->cursor.byte == reply->bytes.len &&
           place->cursor.splice == reply->splices_count;
}

/* The next piece of an answered request; moves over empty splices and to later requests. */
static bool next_piece(struct place *place, struct piece *out_piece)
{
    while (place->request != NULL && place->request->answered) {
        const struct fc_reply *reply = &place->request->reply;
        struct output_cursor *cursor = &place->cursor;
        const struct fc_reply_splice *splice =
            cursor->splice < reply->splices_count ? &reply->splices[cursor->splice] : NULL;
        size_t until = splice == NULL ? reply->bytes.len : splice->at;
        if (cursor->byte < until) {
            *out_piece =
                (struct piece){ reply->bytes.data + cursor->byte, -1, 0, until - cursor->byte };
            return true;
        }
        if (splice != NULL && cursor->splice_at < splice->length) {
            const bool is_file = splice->fd >= 0;
            *out_piece = (struct piece){ is_file ? NULL : splice->data + cursor->splice_at,
                                         splice->fd, splice->offset + cursor->splice_at,
                                         splice->length - cursor->splice_at };
            return true;
        }
        if (splice != NULL) {
            cursor->splice++;
            cursor->splice_at = 0;
        } else {
            place->request = place->request->next;
            *cursor = (struct output_cursor){ 0, 0, 0 };
        }
    }
    return false;
}

/* Move over `len` bytes, at most the piece that next_piece has just given. */
static void skip(struct place *place, size_t len)
{
    const struct fc_request *request = place->request;
    const struct fc_reply_splice *splice = NULL;
    fc_assert(request != NULL);
    if (place->cursor.splice < request->reply.splices_count) {
        splice = &request->reply.splices[place->cursor.splice];
    }
    if (splice != NULL && place->cursor.byte == splice->at) {
        place->cursor.splice_at += len;
    } else {
        place->cursor.byte += len;
    }
}

/* Take a sent request off the queue. */
static void pop(struct fc_connection *connection)
{
    struct fc_request *request = connection->first;
    const bool close_after = request->reply.close_after;
    connection->first = request->next;
    if (connection->first == NULL) {
        connection->last = NULL;
    }
    connection->cursor = (struct output_cursor){ 0, 0, 0 };
    connection->queued--;
    connection->queued_bytes -= request->frame_size;
    connection->replies_bytes -= reply_memory(&request->reply);
    request_free(request);
    if (close_after) {
        connection_doom(connection, FC_DIAG_DEBUG, "closed by its last reply");
    }
}

static void pop_sent(struct fc_connection *connection)
{
    while (connection->first != NULL && connection->first->answered) {
        struct place place = { connection->first, connection->cursor };
        struct piece piece;
        if (next_piece(&place, &piece) && place.request == connection->first) {
            connection->cursor = place.cursor;
            return;
        }
        pop(connection);
    }
}

/* `len` bytes from the queue's head are on their way. */
static void advance(struct fc_connection *connection, size_t len)
{
    struct server_loop *home = connection->home;
    (void)atomic_fetch_add_explicit(&home->bytes_out, len, memory_order_relaxed);
    connection->active_ms = fc_loop_now_ms(home->loop);
    while (len > 0) {
        struct place place = { connection->first, connection->cursor };
        struct piece piece = { NULL, -1, 0, 0 };
        size_t part;
        fc_assert(next_piece(&place, &piece));
        while (connection->first != place.request) {
            pop(connection);
        }
        part = piece.len < len ? piece.len : len;
        skip(&place, part);
        connection->cursor = place.cursor;
        len -= part;
        if (is_sent(&place)) {
            pop(connection);
        }
    }
    pop_sent(connection);
}

static ssize_t send_memory(struct fc_connection *connection)
{
    struct iovec pieces[OUTPUT_PIECES];
    struct msghdr message = { .msg_iov = pieces };
    struct place place = { connection->first, connection->cursor };
    struct piece piece;
    bool more = false;
    while (next_piece(&place, &piece)) {
        if (piece.data == NULL || message.msg_iovlen == OUTPUT_PIECES) {
            more = true; /* the file, or the rest, follows at once */
            break;
        }
        /* iovec has no const; sendmsg only reads */
        memcpy(&pieces[message.msg_iovlen].iov_base, &piece.data, sizeof(void *));
        pieces[message.msg_iovlen].iov_len = piece.len;
        message.msg_iovlen++;
        skip(&place, piece.len);
    }
    return sendmsg(connection->io.fd, &message, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
}

static ssize_t send_plain(struct fc_connection *connection, const struct piece *piece)
{
    off_t offset = (off_t)piece->offset;
    ssize_t sent;
    if (piece->data != NULL) {
        return send_memory(connection);
    }
    sent = sendfile(connection->io.fd, piece->fd, &offset,
                    piece->len < OUTPUT_FILE_MAX ? piece->len : OUTPUT_FILE_MAX);
    if (sent == 0) {
        connection_doom(connection, FC_DIAG_ERROR, "a file is shorter than the reply says");
    }
    return sent;
}

/* The next bytes in one piece; the same again until advance. -1: the file cannot be read. */
static ssize_t gather(struct fc_connection *connection, uint8_t *to, size_t size)
{
    struct place place = { connection->first, connection->cursor };
    struct piece piece;
    size_t len = 0;
    while (len < size && next_piece(&place, &piece)) {
        size_t part = piece.len < size - len ? piece.len : size - len;
        if (piece.data != NULL) {
            memcpy(to + len, piece.data, part);
        } else {
            ssize_t got = pread(piece.fd, to + len, part, (off_t)piece.offset);
            if (got <= 0) {
                return -1;
            }
            part = (size_t)got;
        }
        skip(&place, part);
        len += part;
    }
    return (ssize_t)len;
}

static ssize_t send_tls(struct fc_connection *connection)
{
    uint8_t *scratch = connection->home->scratch;
    ssize_t len = gather(connection, scratch, SERVER_SCRATCH_SIZE);
    int sent;
    if (len < 0) {
        connection_doom(connection, FC_DIAG_ERROR, "a file cannot be read as the reply says");
        return 0;
    }
    sent = SSL_write(connection->ssl, scratch, (int)len);
    if (sent > 0) {
        return sent;
    }
    switch (SSL_get_error(connection->ssl, sent)) {
    case SSL_ERROR_WANT_READ:
        connection->wants_in = true;
        errno = EAGAIN;
        break;
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        break;
    default:
        (void)fc_tls_error_text(NULL, 0);
        errno = EPIPE;
        break;
    }
    return -1;
}

bool output_waits(const struct fc_connection *connection)
{
    return connection->first != NULL && connection->first->answered;
}

void output_flush(struct fc_connection *connection)
{
    size_t sent_in_all = 0;
    connection->blocked = false;
    connection->wants_in = false;
    pop_sent(connection);
    while (!connection->doomed && output_waits(connection)) {
        struct place place = { connection->first, connection->cursor };
        struct piece piece = { NULL, -1, 0, 0 };
        ssize_t sent;
        fc_assert(next_piece(&place, &piece));
        if (sent_in_all >= OUTPUT_TURN_MAX) {
            connection->blocked = true; /* others' turn; the socket will say it is ready */
            return;
        }
        sent = connection->ssl == NULL ? send_plain(connection, &piece) : send_tls(connection);
        if (sent > 0) {
            advance(connection, (size_t)sent);
            sent_in_all += (size_t)sent;
        } else if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            connection->blocked = true;
            return;
        } else if (sent < 0 && errno != EINTR) {
            connection_doom(connection, FC_DIAG_DEBUG, "the peer is gone");
        }
    }
}
