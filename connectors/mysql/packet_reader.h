/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a server's packets straight from a socket, as many at a time as have arrived.
 *
 * A packet is its length(3), a sequence number(1) and that many bytes; one of 0xffffff bytes goes on
 * in the next. Source: MySQL's documentation of the client/server protocol.
 *
 * Thread: one.
 */
#ifndef FC_MYSQL_PACKET_READER_H
#define FC_MYSQL_PACKET_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"

typedef enum fc_packet_status {
    FC_PACKET_READ,
    FC_PACKET_LOST, /* the other side, or we, closed the connection; or nothing came in time */
    FC_PACKET_OUT_OF_ORDER
} fc_packet_status;

struct fc_packet_reader {
    int socket; /* borrowed */
    int timeout_ms;
    uint8_t sequence;       /* of the next packet */
    struct fc_buf received; /* from `taken` on not given yet */
    size_t taken;
    size_t got;           /* bytes that came last */
    struct fc_buf joined; /* a packet that came in parts */
};

/* timeout_ms: how long nothing may come; -1: for ever. sequence: that the first packet has. */
void fc_packet_reader_init(struct fc_packet_reader *reader, int socket, int timeout_ms,
                           uint8_t sequence);
void fc_packet_reader_release(struct fc_packet_reader *reader);

/* Whether next will give a packet without waiting. */
bool fc_packet_reader_has_next(const struct fc_packet_reader *reader);

/*
 * Whether the server sends as fast as it can, a buffer of its own at a time, and we take each as it
 * comes. It is cheaper then to let some gather.
 */
bool fc_packet_reader_is_ahead(const struct fc_packet_reader *reader);

/* Wait for the next packet; it is valid until the next call. */
fc_packet_status fc_packet_reader_next(struct fc_packet_reader *reader,
                                       struct fc_slice *out_packet);

#endif
