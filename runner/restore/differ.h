/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows in which a table of the log and one of the target differ, after their checksums have
 * shown that they do: rows of buckets that differ are looked up one by one.
 *
 * Thread: one at a time.
 */
#ifndef FC_RESTORE_DIFFER_H
#define FC_RESTORE_DIFFER_H

#include "runner/restore/compare.h"
#include "runner/restore/verify.h"

/* compare: with all rows of both sides added and taken. Fills missing, extra, different, partly. */
FC_MUST_CHECK fc_code fc_differ_run(const struct fc_verify_config *config, uint32_t table,
                                    const struct fc_row_forms *forms,
                                    struct fc_compare *compare, struct fc_verify_result *result,
                                    struct fc_error *err);

#endif
