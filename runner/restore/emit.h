/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second reading of the log: the rows that survived a fold, in the order of their
 * transactions; or, of tables with a key, about in the order of their keys.
 *
 * Thread: one at a time.
 */
#ifndef FC_RESTORE_EMIT_H
#define FC_RESTORE_EMIT_H

#include "runner/restore/fold.h"

/* A row; slices are borrowed for the call. */
struct fc_emit_row {
    struct fc_fold_table *table;
    uint32_t table_index;  /* in fc_emit_config.tables */
    uint32_t version;      /* of table->versions */
    uint64_t copies;       /* how often the table has this row; 1 when it has a key */
    struct fc_slice key;   /* the record's; null without key */
    struct fc_slice image; /* the JSON object under "after" */
};

struct fc_emit_config {
    const struct fc_log_view *view;
    struct fc_fold_table *const *tables;
    uint32_t table_count;
    /* For rows that are put in order; 0: they come as they are in the log. */
    size_t sort_bytes;
    const char *sort_dir; /* takes what is over sort_bytes */
    /* Rows are in order within a group only, and groups ascend: of the table's version. May be
     * NULL: one group. */
    uint32_t (*group_of)(void *ctx, uint32_t table_index, uint32_t version);
    /* Anything but FC_OK ends the reading and is returned. */
    fc_code (*on_row)(void *ctx, const struct fc_emit_row *row, struct fc_error *err);
    void *ctx;
    const atomic_bool *stop; /* ends it with FC_ERR_CLOSED; may be NULL */
};

/* Errors: FC_ERR_CORRUPT (a record that is gone, or is not what it was), what on_row gives. */
FC_MUST_CHECK fc_code fc_emit(const struct fc_emit_config *config, struct fc_error *err);

#endif
