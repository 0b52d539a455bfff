/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table on its way into the target: rows from a feed are decoded, checked and loaded into
 * the staging table, which is then read back and compared. It becomes live only by commit.
 *
 * Threads: run on one, which the target belongs to meanwhile; the feed is filled by another;
 * rows_done from any; commit and abort after run has returned.
 */
#ifndef FC_RESTORE_TABLE_LOAD_H
#define FC_RESTORE_TABLE_LOAD_H

#include <stdatomic.h>

#include "fc/connector.h"
#include "runner/restore/fold_table.h"
#include "runner/restore/row_feed.h"
#include "runner/restore/row_form.h"

struct fc_table_load_plan {
    const struct fc_fold_table *table; /* what */
    const char *db;                    /* where to */
    const char *into;
    bool replace;
    bool write_binlog;
    bool verify;
};

struct fc_table_load_result {
    uint64_t rows;
    int64_t load_ms; /* up to the finished staging table */
    int64_t verify_ms;
    bool verified;
    bool committed;
    char *missing; /* columns of the table that older rows lack, or the log lacks; "" none */
};

struct fc_table_load {
    struct fc_table_load_plan plan; /* its pointers outlive the load */
    const struct fc_target_ops *ops;
    struct fc_row_forms *forms;
    struct fc_row_feed *feed;
    struct fc_load *load; /* finished, not live */
    atomic_uint_fast64_t rows_loaded;
    atomic_uint_fast64_t rows_verified;
    struct fc_table_load_result result;
};

/* Texts of the plan are borrowed until free. */
struct fc_table_load *fc_table_load_new(const struct fc_target_ops *ops,
                                        const struct fc_table_load_plan *plan);
/* Aborts what is not live. NULL is fine. */
void fc_table_load_free(struct fc_table_load *load);

/*
 * Take all rows of the feed into the target's staging table, finish it, compare it.
 *
 * Errors: FC_ERR_REFUSED (the destination may not be replaced), FC_ERR_CORRUPT (a row that is
 * not what the fold took it for; the staging table differs from the log), what the target gives.
 */
FC_MUST_CHECK fc_code fc_table_load_run(struct fc_table_load *load, struct fc_target *target,
                                        struct fc_error *err);

/* Make it live. */
FC_MUST_CHECK fc_code fc_table_load_commit(struct fc_table_load *load, struct fc_error *err);

#endif
