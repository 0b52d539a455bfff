/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verify: folded tables against tables of a target, by checksums; of tables that differ, the rows
 * are found and named.
 *
 * Threads: run on one; the target may be interrupted from any.
 */
#ifndef FC_RESTORE_VERIFY_H
#define FC_RESTORE_VERIFY_H

#include "runner/restore/emit.h"
#include "runner/restore/restore.h"

typedef enum fc_difference {
    FC_ROW_MISSING,  /* in the log, not in the target */
    FC_ROW_EXTRA,    /* in the target, not in the log */
    FC_ROW_DIFFERENT /* in both with other values */
} fc_difference;

struct fc_verify_result {
    bool equal;
    bool absent;           /* the target has no such table */
    char *columns;         /* why rows cannot be compared (a column is not there), or NULL */
    char *unknown_columns; /* columns of the target that the log does not have; "" none */
    uint64_t log_rows;
    uint64_t target_rows;
    uint64_t missing;
    uint64_t extra;
    uint64_t different;
    bool partly; /* too many rows for the memory: the three counts are of some of them */
};

struct fc_verify_config {
    const struct fc_log_view *view;
    const struct fc_fold *fold;
    const struct fc_restore_place
        *places; /* for each table of the fold its table in the target */
    const struct fc_target_ops *ops;
    struct fc_target *target;
    size_t memory_bytes;     /* for looking rows up */
    uint64_t rows_named_max; /* a table */
    /* A row that differs: its key's text, without key the row's. Borrowed for the call. */
    void (*on_difference)(void *ctx, uint32_t table, fc_difference what, struct fc_slice key);
    void (*on_progress)(void *ctx, uint64_t done,
                        uint64_t total); /* rows of both sides; may be NULL */
    void *ctx;
    const atomic_bool *stop; /* may be NULL */
};

/*
 * out_results has a place for each table of the fold, zeroed; release them whatever comes. Errors
 * are those of looking; a difference is none.
 */
FC_MUST_CHECK fc_code fc_verify_run(const struct fc_verify_config *config,
                                    struct fc_verify_result *out_results, struct fc_error *err);
void fc_verify_result_release(struct fc_verify_result *result);

#endif
