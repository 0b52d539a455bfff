/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that sends rows to the server while the next ones are being encoded.
 *
 * The caller fills one buffer after another; the thread runs LOAD DATA LOCAL INFILE statements
 * whose "file" is those buffers, or, where the server does not allow that, runs each buffer as
 * an INSERT statement. A full queue makes the caller wait.
 *
 * Thread: new, take, give, drain and free from one thread, stop from any. Between drain and the
 * next take the session is the caller's, else the feed's.
 */
#ifndef FC_MYSQL_LOAD_FEED_H
#define FC_MYSQL_LOAD_FEED_H

#include "connectors/mysql/session.h"
#include "core/base/buf.h"

typedef enum fc_load_way {
    FC_LOAD_BY_FILE,  /* buffers are lines of text */
    FC_LOAD_BY_INSERT /* buffers are INSERT statements */
} fc_load_way;

struct fc_load_feed;

/* session is borrowed until free. Buffers hold at most buffer_size_max bytes. */
FC_MUST_CHECK fc_code fc_load_feed_new(struct fc_session *session, fc_load_way way,
                                       size_t buffer_size_max, struct fc_load_feed **out_feed,
                                       struct fc_error *err);
/* Ends what is under way, joins the thread. NULL is fine. */
void fc_load_feed_free(struct fc_load_feed *feed);

/*
 * An empty buffer to fill, once one is free.
 *
 * Errors: what an earlier statement failed with; FC_ERR_CLOSED after stop.
 */
FC_MUST_CHECK fc_code fc_load_feed_take(struct fc_load_feed *feed, struct fc_buf **out_buf,
                                        struct fc_error *err);

/* What is known of a buffer that is given. */
struct fc_load_part {
    uint32_t rows;
    uint64_t enum_errors;  /* see struct fc_load_text */
    const char *statement; /* BY_FILE: the LOAD DATA that starts with this buffer, else NULL;
                              copied */
    bool last;          /* the statement (BY_INSERT: the transaction) ends with this buffer */
    bool lacks_columns; /* the shape lacks columns: defaults that the server warns of are
                              wanted */
};

/* Hand the taken buffer over. */
void fc_load_feed_give(struct fc_load_feed *feed, const struct fc_load_part *part);

/* Wait until all that was given has been taken in by the server, or failed. */
FC_MUST_CHECK fc_code fc_load_feed_drain(struct fc_load_feed *feed, struct fc_error *err);

/* Make every wait of the feed end with FC_ERR_CLOSED. */
void fc_load_feed_stop(struct fc_load_feed *feed);

#endif
