/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows on their way from the log's reader to a table's loader: batches of row text in a bounded
 * queue.
 *
 * Threads: one puts, one takes; stop from any.
 */
#ifndef FC_RESTORE_ROW_FEED_H
#define FC_RESTORE_ROW_FEED_H

#include "core/base/arena.h"
#include "core/base/error.h"

struct fc_fed_row {
    struct fc_slice key; /* null without key */
    struct fc_slice image;
    uint64_t copies;
    uint32_t version; /* of the table */
};

struct fc_fed_batch {
    struct fc_fed_row *rows;
    uint32_t count;
    uint32_t capacity;
    struct fc_arena arena; /* of the rows' bytes */
};

struct fc_row_feed;
struct fc_row_feed *fc_row_feed_new(void);
void fc_row_feed_free(struct fc_row_feed *feed); /* after both threads are done; NULL is fine */

/* Copy a row in; waits while the queue is full. FC_ERR_CLOSED after stop. */
FC_MUST_CHECK fc_code fc_row_feed_put(struct fc_row_feed *feed, const struct fc_fed_row *row,
                                      struct fc_error *err);
/* No more rows: what has been put is handed over, then take gives NULL. */
FC_MUST_CHECK fc_code fc_row_feed_end(struct fc_row_feed *feed, struct fc_error *err);

/* The next batch, NULL at the end; gives the batch before back. FC_ERR_CLOSED after stop. */
FC_MUST_CHECK fc_code fc_row_feed_take(struct fc_row_feed *feed,
                                       const struct fc_fed_batch **out_batch,
                                       struct fc_error *err);

/* Make every wait end with FC_ERR_CLOSED, now and later. */
void fc_row_feed_stop(struct fc_row_feed *feed);

#endif
