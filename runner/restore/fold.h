/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fold: a connector's history up to a cut, reduced to the records that hold the rows as they
 * were then.
 *
 * One pass looks at headers and keys only. It is done again when it finds on the way that a
 * table had another name before, or was put back by a restore; and for the rest of the keys when
 * they do not fit in memory at once.
 */
#ifndef FC_RESTORE_FOLD_H
#define FC_RESTORE_FOLD_H

#include <stdatomic.h>

#include "runner/restore/fold_table.h"

enum { FC_FOLD_MEMORY_MIN = 16 * 1024 };

struct fc_fold_config {
    const struct fc_log_view *view; /* outlives the fold */
    uint64_t cut_seq;               /* at most the view's complete_seq */
    size_t memory_bytes;            /* of the key maps */
    const char *const *tables;      /* "shop.orders", "shop.*" */
    uint32_t table_count;           /* 0: all tables that exist at the cut */
    void (*on_progress)(void *ctx, uint64_t done, uint64_t total); /* records; may be NULL */
    void *ctx;
    const atomic_bool *stop; /* ends the fold with FC_ERR_CLOSED; may be NULL */
};

struct fc_fold {
    struct fc_fold_table **tables; /* by name */
    uint32_t table_count;
    uint32_t passes;
    char *notes; /* what is left out though it exists, one line each; "" nothing */
};

/*
 * Errors: FC_ERR_NOT_FOUND (no such table, or gone at the cut: says when), FC_ERR_REFUSED (a
 * table's snapshot is not complete at the cut, retention removed its beginning, a shape that
 * cannot be explained), FC_ERR_CORRUPT (a gap, an unknown schema), FC_ERR_LIMIT (memory).
 */
FC_MUST_CHECK fc_code fc_fold_run(const struct fc_fold_config *config,
                                  struct fc_fold **out_fold, struct fc_error *err);
void fc_fold_free(struct fc_fold *fold); /* NULL is fine */

#endif
