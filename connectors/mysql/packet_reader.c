/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/packet_reader.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

enum {
    HEADER_SIZE = 4,
    PART_SIZE = 0xffffff, /* more follows */
    RECEIVE_SIZE = 256 * 1024,
    SERVER_BUFFER_SIZE = 16 * 1024, /* net_buffer_length, where it was not set */
    GATHERED_SIZE = 64 * 1024,
    KEEP_BYTES = 4 * 1024 * 1024
};

/* Twice the largest packet that the protocol's clients take. */
static const size_t bytes_max = (size_t)1 << 31;

void fc_packet_reader_init(struct fc_packet_reader *reader, int socket, int timeout_ms,
                           uint8_t sequence)
{
    memset(reader, 0, sizeof(*reader));
    reader->socket = socket;
    reader->timeout_ms = timeout_ms;
    reader->sequence = sequence;
    fc_buf_init(&reader->received, bytes_max);
    fc_buf_init(&reader->joined, bytes_max);
}

void fc_packet_reader_release(struct fc_packet_reader *reader)
{
    fc_buf_release(&reader->received);
    fc_buf_release(&reader->joined);
}

static size_t left(const struct fc_packet_reader *reader)
{
    return reader->received.len - reader->taken;
}

/* Of the part that begins at `taken`, whose header must be there. */
static size_t part_size(const struct fc_packet_reader *reader)
{
    const uint8_t *at = reader->received.data + reader->taken;
    return (size_t)(at[0] | at[1] << 8 | at[2] << 16);
}

static bool has_part(const struct fc_packet_reader *reader)
{
    return left(reader) >= HEADER_SIZE && left(reader) - HEADER_SIZE >= part_size(reader);
}

bool fc_packet_reader_has_next(const struct fc_packet_reader *reader)
{
    return has_part(reader) && part_size(reader) < PART_SIZE;
}

bool fc_packet_reader_is_ahead(const struct fc_packet_reader *reader)
{
    return reader->got >= SERVER_BUFFER_SIZE && reader->got < GATHERED_SIZE;
}

/* What is not given yet to the front, and room behind it. */
static uint8_t *make_room(struct fc_packet_reader *reader)
{
    struct fc_buf *received = &reader->received;
    size_t rest = left(reader);
    size_t more = RECEIVE_SIZE;
    if (rest == 0 && received->capacity > KEEP_BYTES) {
        fc_buf_release(received); /* grew for one huge packet */
    } else if (rest > 0) {
        memmove(received->data, received->data + reader->taken, rest);
    }
    reader->taken = 0;
    received->len = rest;
    if (rest >= HEADER_SIZE && part_size(reader) + HEADER_SIZE > rest + more) {
        more = part_size(reader) + HEADER_SIZE - rest;
    }
    return fc_buf_reserve(received, more);
}

/* False when the connection is lost. */
static bool receive(struct fc_packet_reader *reader)
{
    struct pollfd wait = { .fd = reader->socket, .events = POLLIN };
    uint8_t *to = make_room(reader);
    ssize_t got = -1;
    bool again = to != NULL;
    while (again) {
        got = recv(reader->socket, to, reader->received.capacity - reader->received.len,
                   MSG_DONTWAIT);
        again = got < 0 && errno == EINTR;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            int ready = poll(&wait, 1, reader->timeout_ms);
            again = ready > 0 || (ready < 0 && errno == EINTR);
        }
    }
    if (got > 0) {
        reader->got = (size_t)got;
        reader->received.len += (size_t)got;
    }
    return got > 0;
}

static fc_packet_status next_part(struct fc_packet_reader *reader, struct fc_slice *out_part)
{
    const uint8_t *at;
    while (!has_part(reader)) {
        if (!receive(reader)) {
            return FC_PACKET_LOST;
        }
    }
    at = reader->received.data + reader->taken;
    *out_part = fc_slice_of(at + HEADER_SIZE, part_size(reader));
    reader->taken += HEADER_SIZE + out_part->len;
    return at[HEADER_SIZE - 1] == reader->sequence++ ? FC_PACKET_READ : FC_PACKET_OUT_OF_ORDER;
}

fc_packet_status fc_packet_reader_next(struct fc_packet_reader *reader,
                                       struct fc_slice *out_packet)
{
    struct fc_slice part;
    fc_packet_status status = next_part(reader, &part);
    if (status != FC_PACKET_READ || part.len < PART_SIZE) {
        *out_packet = status == FC_PACKET_READ ? part : fc_slice_null();
        return status;
    }
    fc_buf_clear(&reader->joined);
    fc_buf_append_slice(&reader->joined, part);
    while (status == FC_PACKET_READ && part.len == PART_SIZE) {
        status = next_part(reader, &part);
        if (status == FC_PACKET_READ) {
            fc_buf_append_slice(&reader->joined, part);
        }
    }
    if (reader->joined.failed) {
        status = FC_PACKET_LOST; /* no server's packet is so large */
    }
    *out_packet = status == FC_PACKET_READ ? fc_buf_slice(&reader->joined) : fc_slice_null();
    return status;
}
