/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream of changes: binlog events of a dump in, changes in batches out, and the position
 * after each transaction.
 *
 * Transactions are not gathered: a batch may end within one, and within a rows event. The last
 * row before such an end is not given out but decoded again for the next batch, so that the last
 * change of a transaction is always known as such.
 *
 * Thread: the source's.
 */
#ifndef FC_MYSQL_CHANGE_STREAM_H
#define FC_MYSQL_CHANGE_STREAM_H

#include "connectors/mysql/ddl_scan.h"
#include "connectors/mysql/dump.h"
#include "connectors/mysql/source_position.h"
#include "connectors/mysql/table_filter.h"
#include "connectors/mysql/table_map.h"

/* Is told of what is streamed; a snapshot needs it. */
struct fc_change_observer {
    /* Whether rows of this shape are to be told. */
    bool (*wants)(void *ctx, const struct fc_shape *shape);
    /* before or after may be NULL. The same row may come twice. */
    void (*on_row)(void *ctx, const struct fc_shape *shape, const struct fc_value *before,
                   const struct fc_value *after);
    /* A statement on tables (DDL, TRUNCATE), also of tables that are not captured. */
    void (*on_statement)(void *ctx, const struct fc_ddl_scan *scan);
    void *ctx;
};

struct fc_change_stream_config {
    const struct fc_host *host;
    const struct fc_table_filter *filter;
    const struct fc_change_observer *observer;
    /* A table's shape from the server's catalog, NULL when there is none; out_failed when it
     * could not be asked. */
    const struct fc_shape *(*describe)(void *ctx, struct fc_slice db, struct fc_slice table,
                                       bool *out_failed, struct fc_error *err);
    void *ctx;
    bool include_query;
};

struct fc_change_stream;

/* config is copied, what it points to is borrowed; position is taken over. */
struct fc_change_stream *fc_change_stream_new(const struct fc_change_stream_config *config,
                                              struct fc_source_position *position,
                                              bool place_is_known);
void fc_change_stream_free(struct fc_change_stream *stream); /* NULL is fine */

/*
 * Add changes to the batch until it is full, nothing more is at hand, or `stop` is reached.
 * Waits at most wait_ms for the first. Does not give the batch a position.
 *
 * stop  end at the first transaction boundary at or after this place; NULL: none.
 *
 * Errors: those of fc_dump_next; FC_ERR_PROTOCOL for what cannot be read; FC_ERR_CONFIG for what
 * cannot be captured. The stream is of no use after one.
 */
FC_MUST_CHECK fc_code fc_change_stream_read(struct fc_change_stream *stream,
                                            struct fc_dump *dump,
                                            const struct fc_binlog_place *stop, int wait_ms,
                                            struct fc_batch *batch, struct fc_error *err);

/* The position after the last complete transaction given out; owned by the stream. */
struct fc_source_position *fc_change_stream_position(struct fc_change_stream *stream);
/* It has moved since this was last asked. */
bool fc_change_stream_take_moved(struct fc_change_stream *stream);

/* An XA transaction is prepared but neither committed nor rolled back, and the position cannot
 * leave it out: the position must not be given to anyone. */
bool fc_change_stream_is_held_back(const struct fc_change_stream *stream);

/* No transaction is under way: everything begun has been given out. */
bool fc_change_stream_at_boundary(const struct fc_change_stream *stream);

/* Everything before this place has been read; file is "" while that is not known. */
const struct fc_binlog_place *fc_change_stream_reached(const struct fc_change_stream *stream);

/* Commit time of the newest change, 0 before the first. */
int64_t fc_change_stream_newest_us(const struct fc_change_stream *stream);

#endif
