/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows put in order: in memory as far as it goes, then in sorted runs in a file that are merged
 * when rows are taken.
 *
 * First all rows are added, then finish, then rows are taken; clear starts again.
 *
 * Thread: one at a time.
 */
#ifndef FC_RESTORE_ROW_SORT_H
#define FC_RESTORE_ROW_SORT_H

#include "core/base/error.h"
#include "core/base/slice.h"

struct fc_sorted_row {
    struct fc_slice order; /* rows come out by these bytes; equal ones in any order */
    struct fc_slice key;
    struct fc_slice image;
    uint32_t version;
};

struct fc_row_sort;
/* memory_bytes: of the rows that are held. dir: where the file goes; it has no name there. */
struct fc_row_sort *fc_row_sort_new(size_t memory_bytes, const char *dir);
void fc_row_sort_free(struct fc_row_sort *sort); /* NULL is fine */

/*
 * Copy a row in. FC_ERR_FULL, with the row not taken: neither memory nor the disk has room; take
 * what is held, clear, and add it again. A row larger than memory_bytes is taken if it is the
 * only one.
 */
FC_MUST_CHECK fc_code fc_row_sort_add(struct fc_row_sort *sort, const struct fc_sorted_row *row,
                                      struct fc_error *err);
FC_MUST_CHECK fc_code fc_row_sort_finish(struct fc_row_sort *sort, struct fc_error *err);

/* The lowest row that is left, borrowed until step; NULL when there is none. After finish. */
const struct fc_sorted_row *fc_row_sort_head(const struct fc_row_sort *sort);
FC_MUST_CHECK fc_code fc_row_sort_step(struct fc_row_sort *sort, struct fc_error *err);

/* Forget all rows. */
void fc_row_sort_clear(struct fc_row_sort *sort);

uint64_t fc_row_sort_spilled_bytes(const struct fc_row_sort *sort);

#endif
