/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table in the log against a table in a target: each row on both sides becomes a hash of its
 * key and one of its content, computed in the same form; added up in buckets by the key, equal
 * tables leave nothing.
 *
 * All rows of the log come first, then those of the target.
 *
 * Thread: one at a time.
 */
#ifndef FC_RESTORE_COMPARE_H
#define FC_RESTORE_COMPARE_H

#include "fc/connector.h"
#include "runner/restore/row_form.h"

/* What a row is compared by. */
struct fc_row_hashes {
    struct fc_key_hash key; /* without key: of the content */
    uint64_t content;
};

struct fc_compare;
/* forms outlives it. */
struct fc_compare *fc_compare_new(const struct fc_row_forms *forms);
void fc_compare_free(struct fc_compare *compare); /* NULL is fine */

/* A row of the log. values: decoded by the version's form; not looked at when the form is plain
 * and has a key (may be NULL then). Call begin_batch whenever values of before are gone. */
void fc_compare_begin_batch(struct fc_compare *compare);
void fc_compare_log_row(struct fc_compare *compare, uint32_t version, struct fc_slice key,
                        struct fc_slice image, const struct fc_value *values,
                        struct fc_row_hashes *out_hashes);

/* Add a row of the log, `copies` times; take one of the target away. */
void fc_compare_add(struct fc_compare *compare, const struct fc_row_hashes *hashes,
                    uint64_t copies);
void fc_compare_take(struct fc_compare *compare, const struct fc_row_hashes *hashes);

/*
 * Read a target's table. on_row: its hashes, and its key's text (without key: the row's), borrowed
 * for the call.
 *
 * Errors: FC_ERR_NOT_FOUND (no such table, or a column of the log is not there), what on_row gives.
 */
struct fc_compare_scan {
    const struct fc_target_ops *ops;
    struct fc_target *target;
    const char *db;
    const char *table;
    fc_code (*on_row)(void *ctx, const struct fc_row_hashes *hashes, struct fc_slice key_text,
                      struct fc_error *err);
    void (*on_progress)(void *ctx, uint64_t rows); /* may be NULL */
    void *ctx;
};
FC_MUST_CHECK fc_code fc_compare_scan(struct fc_compare *compare,
                                      const struct fc_compare_scan *scan, struct fc_error *err);

/* Whether nothing is left. */
bool fc_compare_is_equal(const struct fc_compare *compare);
/* Whether rows of this key may differ. */
bool fc_compare_differs_at(const struct fc_compare *compare, struct fc_key_hash key);
/* Names, by ", ", of the target's columns that the log does not have; "" none. After a scan. */
const char *fc_compare_unknown_columns(const struct fc_compare *compare);

#endif
