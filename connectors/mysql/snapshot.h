/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The snapshot: the rows that tables had before the stream began, read in chunks between the
 * transactions of the stream.
 *
 * Thread: the source's, but fc_snapshot_interrupt on any.
 */
#ifndef FC_MYSQL_SNAPSHOT_H
#define FC_MYSQL_SNAPSHOT_H

#include "connectors/mysql/change_stream.h"

struct fc_snapshot;

/*
 * What is to be read stands in the stream's position, and progress goes there.
 *
 * observer  is filled so that the stream tells the snapshot what it needs.
 */
struct fc_snapshot *fc_snapshot_new(const struct fc_host *host,
                                    const struct fc_table_filter *filter,
                                    struct fc_change_stream *stream,
                                    struct fc_change_observer *observer);
void fc_snapshot_free(struct fc_snapshot *snapshot); /* NULL is fine */

/* Nothing is left to read. */
bool fc_snapshot_is_done(const struct fc_snapshot *snapshot);

/*
 * Go on: read a chunk, or add rows of one that was read to the batch. To be called between two
 * reads of the stream; does nothing while the stream is within a transaction.
 *
 * out_progressed  rows were added, or the position's snapshot has changed: give the batch the
 *                 position, and do not stream into this batch.
 * out_has_stop    the stream must end its next read at out_stop.
 */
FC_MUST_CHECK fc_code fc_snapshot_step(struct fc_snapshot *snapshot, struct fc_batch *batch,
                                       bool *out_progressed, bool *out_has_stop,
                                       struct fc_binlog_place *out_stop, struct fc_error *err);

/* End a query that is under way. Any thread. */
void fc_snapshot_interrupt(struct fc_snapshot *snapshot);

/* "snapshot shop.orders 34%, 2 tables to go", or "streaming". */
void fc_snapshot_describe(const struct fc_snapshot *snapshot, char *to, size_t size);

#endif
