/* SPDX-License-Identifier: Apache-2.0 */
/* A whole table read in one consistent view, as batches of FC_OP_READ changes. */
#ifndef FC_MYSQL_TABLE_SCAN_H
#define FC_MYSQL_TABLE_SCAN_H

#include "connectors/mysql/session.h"
#include "fc/connector.h"

/* The runner's side of fc_target_ops.scan. */
struct fc_table_scan {
    struct fc_batch *batch;
    void (*batch_clear)(struct fc_batch *batch);
    fc_code (*on_batch)(void *ctx, const struct fc_shape *shape, struct fc_batch *batch,
                        struct fc_error *err);
    void *ctx;
};

/*
 * Read all rows of shape's table. The rows stream: only a batch of them is held. After a failure
 * in the middle the session cannot be used any more.
 *
 * Errors: what on_batch returned; FC_ERR_LIMIT for a row that does not fit the batch.
 */
FC_MUST_CHECK fc_code fc_table_scan_run(struct fc_session *session,
                                        const struct fc_shape *shape,
                                        const struct fc_table_scan *scan, struct fc_error *err);

#endif
