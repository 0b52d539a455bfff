/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A binlog dump: the server's events as they come.
 *
 * A thread of the dump's own takes packets off the connection into a queue bounded by bytes, so
 * the socket is read while the source decodes or runs a query, and a wait can be timed and ended
 * whatever the client library or TLS have buffered. When the queue is full the thread waits and
 * the server feels it.
 *
 * Thread: all functions on the source's thread, but fc_dump_interrupt on any.
 */
#ifndef FC_MYSQL_DUMP_H
#define FC_MYSQL_DUMP_H

#include "connectors/mysql/session.h"

struct fc_dump;

struct fc_dump_from {
    uint32_t server_id;        /* ours */
    uint32_t heartbeat_ms;     /* the server speaks at least this often */
    struct fc_slice gtid_set;  /* MySQL: binary form, or the null slice for file and position */
    const char *gtid_position; /* MariaDB: "0-1-42", or NULL for file and position */
    const char *file;
    uint64_t position;
    bool statements; /* MariaDB: send ANNOTATE_ROWS events, too */
};

/*
 * Ask for the binlog on a session of kind FC_SESSION_DUMP and start reading it.
 *
 * session  borrowed; nothing else may use it until fc_dump_free.
 * from     borrowed for the call.
 */
FC_MUST_CHECK fc_code fc_dump_start(struct fc_session *session, const struct fc_dump_from *from,
                                    struct fc_dump **out_dump, struct fc_error *err);

/*
 * The next event, with header and checksum; valid until the next call. The null slice when
 * nothing came within wait_ms.
 *
 * Errors, once all events before them were given: retriable when the connection was lost;
 * FC_ERR_REFUSED when the server no longer has what was asked for; FC_ERR_CONFIG when it refuses
 * for another reason; FC_ERR_CLOSED after an interrupt.
 */
FC_MUST_CHECK fc_code fc_dump_next(struct fc_dump *dump, int wait_ms,
                                   struct fc_slice *out_event, struct fc_error *err);

/* Let the next fc_dump_next give the last event again. */
void fc_dump_unread(struct fc_dump *dump);

/* End a blocked or coming fc_dump_next. Any thread. */
void fc_dump_interrupt(struct fc_dump *dump);

/* Interrupts, too. NULL is fine. */
void fc_dump_free(struct fc_dump *dump);

/* Read timeout that notices a dead server: some heartbeats, at most 25 s. */
unsigned fc_dump_read_timeout_s(uint32_t heartbeat_ms);

#endif
