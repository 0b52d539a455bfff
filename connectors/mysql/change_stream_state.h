/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a change stream: change_stream.c, which fetches events, and change_events.c, which
 * makes changes of them, share it. */
#ifndef FC_MYSQL_CHANGE_STREAM_STATE_H
#define FC_MYSQL_CHANGE_STREAM_STATE_H

#include "connectors/mysql/binlog_payload.h"
#include "connectors/mysql/change_stream.h"
#include "connectors/mysql/row_image.h"
#include "connectors/mysql/transaction.h"
#include "connectors/mysql/xa_hold.h"
#include "core/base/hashmap.h"

enum { FC_CHANGE_EVENT_BYTES_LOG2 = 31 };

/* An event that goes on in the next batch. */
struct fc_carried_event {
    bool present;
    struct fc_binlog_event event;
    struct fc_buf body;
    uint64_t start;
    uint32_t skip; /* rows given out already */
};

struct fc_change_stream {
    struct fc_change_stream_config config;
    struct fc_source_position position;
    int64_t newest_us;

    struct fc_binlog_format format;
    struct fc_table_map_cache *maps;
    struct fc_hashmap left_out;      /* ids of tables that are not captured */
    struct fc_error *describe_error; /* of the call under way */
    struct fc_row_image *rows;
    struct fc_transaction tx;
    struct fc_emitter emitter;

    struct fc_binlog_place current; /* end of the event under way */
    struct fc_binlog_place reached;
    uint64_t event_start;

    struct fc_binlog_payload *payload;
    struct fc_buf payload_bytes;

    struct fc_slice query;             /* of the rows events to come, in the batch */
    struct fc_buf query_kept;          /* from one batch to the next */
    struct fc_binlog_event held_event; /* the event that the held change came from */
    uint64_t held_start;
    uint32_t held_row;
    struct fc_carried_event carried;

    struct fc_xa_hold xa;
    struct fc_xa_events xa_events; /* of the XA transaction under way */
    struct fc_xa_events replay;    /* of one that is committed, under way */

    struct fc_error failure; /* of the next read: what came before it goes out first */

    bool moved; /* the position, since it was last asked for */
    bool describe_failed;
    bool payload_open;
    bool replaying;
};

/* The batch holds all that it should. */
bool fc_change_stream_is_full(const struct fc_change_stream *stream);

/*
 * Make changes of an event.
 *
 * event       may be changed.
 * skip        rows of it that were given out already.
 * in_batch    its body is in the batch's memory.
 * out_unread  it does not fit any more: nothing was done, it must come again.
 */
FC_MUST_CHECK fc_code fc_change_stream_handle(struct fc_change_stream *stream,
                                              struct fc_binlog_event *event, uint32_t skip,
                                              bool in_batch, bool *out_unread,
                                              struct fc_error *err);

#endif
