/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of one folded table as what they are compared by, read from the log.
 */
#ifndef FC_RESTORE_LOG_ROWS_H
#define FC_RESTORE_LOG_ROWS_H

#include "runner/restore/compare.h"
#include "runner/restore/emit.h"

struct fc_log_rows_config {
    const struct fc_log_view *view;
    struct fc_fold_table *table;
    const struct fc_row_forms *forms;
    struct fc_compare *compare;
    /* shown: the key's text, without key the row's; borrowed for the call. */
    fc_code (*on_row)(void *ctx, const struct fc_row_hashes *hashes, uint64_t copies,
                      struct fc_slice shown, struct fc_error *err);
    void *ctx;
    const atomic_bool *stop;
};

FC_MUST_CHECK fc_code fc_log_rows_run(const struct fc_log_rows_config *config,
                                      struct fc_error *err);

#endif
