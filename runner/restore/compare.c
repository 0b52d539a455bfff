/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/compare.h"

#include <stdlib.h>
#include <strings.h>

#include "core/base/alloc.h"
#include "runner/batch.h"
#include "runner/restore/recode.h"

enum {
    BUCKETS = 1 << 16, /* a power of two */
    SCAN_ROWS = 4096,
    SCAN_BYTES = 4 * 1024 * 1024
};

static const size_t row_bytes_max = (size_t)1 << 30;

struct fc_compare {
    const struct fc_row_forms *forms;
    struct fc_envelope *envelope;
    struct fc_buf text;
    struct fc_buf key_text;
    struct fc_value *picked;
    struct fc_keymap older; /* key -> version, of rows that are not in the newest's form */
    uint64_t *sums;
    uint64_t log_rows;
    uint64_t target_rows;

    /* The table being scanned. */
    const struct fc_shape *scanned;
    struct fc_shape arranged; /* its columns that the newest version has, in that one's order */
    struct fc_column *arranged_columns; /* the same, owned */
    uint32_t *column_of;  /* for each column of the newest its index in the scanned row */
    struct fc_value *row; /* arranged */
    char *unknown;
};

struct fc_compare *fc_compare_new(const struct fc_row_forms *forms)
{
    struct fc_compare *compare = fc_new(struct fc_compare);
    uint32_t count = forms->newest->shape->column_count + 1;
    compare->forms = forms;
    compare->envelope = fc_recode_envelope(forms->newest->mode);
    fc_envelope_begin_batch(compare->envelope);
    fc_buf_init(&compare->text, row_bytes_max);
    fc_buf_init(&compare->key_text, row_bytes_max);
    compare->picked = fc_new_array(struct fc_value, count);
    compare->row = fc_new_array(struct fc_value, count);
    compare->column_of = fc_new_array(uint32_t, count);
    compare->arranged_columns = fc_new_array(struct fc_column, count);
    compare->sums = fc_new_array(uint64_t, BUCKETS);
    compare->unknown = fc_strdup("");
    fc_keymap_init(&compare->older);
    return compare;
}

void fc_compare_free(struct fc_compare *compare)
{
    if (compare != NULL) {
        fc_envelope_free(compare->envelope);
        fc_buf_release(&compare->text);
        fc_buf_release(&compare->key_text);
        fc_keymap_release(&compare->older);
        free(compare->picked);
        free(compare->row);
        free(compare->column_of);
        free(compare->arranged_columns);
        free(compare->sums);
        free(compare->unknown);
        free(compare);
    }
}

void fc_compare_begin_batch(struct fc_compare *compare)
{
    fc_envelope_begin_batch(compare->envelope);
}

/* --- the log's side ---------------------------------------------------------------------- */

static void remember_older(struct fc_compare *compare, struct fc_key_hash key, uint32_t version)
{
    uint64_t old;
    if (fc_keymap_is_full(&compare->older)) {
        fc_keymap_grow(&compare->older);
    }
    (void)fc_keymap_put(&compare->older, key, version, &old);
}

/* By the columns in which the newest version and this one write the same. */
static uint64_t older_content(struct fc_compare *compare, const struct fc_row_form *form,
                              const struct fc_compared *compared, const struct fc_value *values)
{
    for (uint32_t index = 0; index < compared->shape.column_count; index++) {
        compare->picked[index] =
            values[form->plain ? compared->columns[index] : form->compared_from[index]];
    }
    fc_buf_clear(&compare->text);
    fc_envelope_row(compare->envelope, &compared->shape, compare->picked, &compare->text);
    return fc_row_text_hash(fc_buf_slice(&compare->text));
}

void fc_compare_log_row(struct fc_compare *compare, uint32_t version, struct fc_slice key,
                        struct fc_slice image, const struct fc_value *values,
                        struct fc_row_hashes *out_hashes)
{
    const struct fc_row_form *form = &compare->forms->items[version];
    if (!compare->forms->keyed) {
        if (compare->forms->by_common) {
            out_hashes->content = older_content(compare, form, &compare->forms->common, values);
            image = fc_buf_slice(&compare->text);
        } else {
            out_hashes->content = fc_row_text_hash(image);
        }
        out_hashes->key = fc_key_hash(image);
        return;
    }
    out_hashes->key = fc_key_hash(key);
    if (form->plain) {
        out_hashes->content = fc_row_text_hash(image);
    } else {
        out_hashes->content = older_content(compare, form, &form->compared, values);
        remember_older(compare, out_hashes->key, version);
    }
}

void fc_compare_add(struct fc_compare *compare, const struct fc_row_hashes *hashes,
                    uint64_t copies)
{
    compare->sums[hashes->key.low & (BUCKETS - 1)] += hashes->content * copies;
    compare->log_rows += copies;
}

void fc_compare_take(struct fc_compare *compare, const struct fc_row_hashes *hashes)
{
    compare->sums[hashes->key.low & (BUCKETS - 1)] -= hashes->content;
    compare->target_rows++;
}

bool fc_compare_is_equal(const struct fc_compare *compare)
{
    uint64_t left = compare->log_rows ^ compare->target_rows;
    for (uint32_t bucket = 0; bucket < BUCKETS; bucket++) {
        left |= compare->sums[bucket];
    }
    return left == 0;
}

bool fc_compare_differs_at(const struct fc_compare *compare, struct fc_key_hash key)
{
    return compare->sums[key.low & (BUCKETS - 1)] != 0;
}

const char *fc_compare_unknown_columns(const struct fc_compare *compare)
{
    return compare->unknown;
}

/* --- the target's side ------------------------------------------------------------------- */

struct scan_state {
    struct fc_compare *compare;
    const struct fc_compare_scan *scan;
    uint64_t rows;
};

static uint32_t find_column(const struct fc_shape *shape, const char *name)
{
    for (uint32_t index = 0; index < shape->column_count; index++) {
        if (strcasecmp(shape->columns[index].name, name) == 0) {
            return index;
        }
    }
    return FC_NO_COLUMN;
}

static void note_unknown(struct fc_compare *compare, const struct fc_shape *shape)
{
    const struct fc_shape *newest = compare->forms->newest->shape;
    free(compare->unknown);
    compare->unknown = fc_strdup("");
    for (uint32_t index = 0; index < shape->column_count; index++) {
        if (find_column(newest, shape->columns[index].name) == FC_NO_COLUMN) {
            char *longer =
                fc_asprintf("%s%s%s", compare->unknown, *compare->unknown == '\0' ? "" : ", ",
                            shape->columns[index].name);
            free(compare->unknown);
            compare->unknown = longer;
        }
    }
}

static fc_code arrange(struct fc_compare *compare, const struct fc_compare_scan *scan,
                       const struct fc_shape *shape, struct fc_error *err)
{
    const struct fc_shape *newest = compare->forms->newest->shape;
    struct fc_column *columns = compare->arranged_columns;
    for (uint32_t index = 0; index < newest->column_count; index++) {
        uint32_t at = find_column(shape, newest->columns[index].name);
        if (at == FC_NO_COLUMN) {
            return fc_fail(err, FC_ERR_NOT_FOUND, "%s.%s has no column %s, which the log has",
                           scan->db, scan->table, newest->columns[index].name);
        }
        compare->column_of[index] = at;
        columns[index] = shape->columns[at];
        columns[index].name = newest->columns[index].name;
        columns[index].key_index = newest->columns[index].key_index;
    }
    compare->arranged = *newest;
    compare->arranged.columns = columns;
    compare->scanned = shape;
    note_unknown(compare, shape);
    return FC_OK;
}

/* Which columns a row of the target is compared by; NULL: all. */
static const struct fc_compared *compared_of(const struct fc_compare *compare,
                                             struct fc_key_hash key)
{
    uint64_t version;
    return fc_keymap_get(&compare->older, key, &version)
               ? &compare->forms->items[version].compared
               : NULL;
}

static fc_code take_row(struct scan_state *state, const struct fc_value *values,
                        struct fc_error *err)
{
    struct fc_compare *compare = state->compare;
    const struct fc_row_forms *forms = compare->forms;
    struct fc_row_hashes hashes;
    struct fc_slice shown;
    for (uint32_t index = 0; index < compare->arranged.column_count; index++) {
        compare->row[index] = values[compare->column_of[index]];
    }
    if (forms->keyed) {
        fc_buf_clear(&compare->key_text);
        (void)fc_envelope_key(compare->envelope, &compare->arranged, compare->row,
                              &compare->key_text);
        shown = fc_buf_slice(&compare->key_text);
        hashes.key = fc_key_hash(shown);
        hashes.content =
            fc_row_hash(compare->envelope, &compare->arranged, compared_of(compare, hashes.key),
                        compare->row, compare->picked, &compare->text);
    } else {
        hashes.content = fc_row_hash(compare->envelope, &compare->arranged,
                                     forms->by_common ? &forms->common : NULL, compare->row,
                                     compare->picked, &compare->text);
        shown = fc_buf_slice(&compare->text);
        hashes.key = fc_key_hash(shown);
    }
    if (compare->text.failed || compare->key_text.failed) {
        return fc_fail(err, FC_ERR_LIMIT, "a row is larger than %zu bytes", row_bytes_max);
    }
    return state->scan->on_row(state->scan->ctx, &hashes, shown, err);
}

static fc_code on_batch(void *ctx, const struct fc_shape *shape, struct fc_batch *batch,
                        struct fc_error *err)
{
    struct scan_state *state = ctx;
    fc_code code = FC_OK;
    fc_envelope_begin_batch(state->compare->envelope);
    if (shape != state->compare->scanned) {
        code = arrange(state->compare, state->scan, shape, err);
    }
    for (uint32_t index = 0; code == FC_OK && index < batch->count; index++) {
        code = take_row(state, batch->changes[index].after, err);
    }
    state->rows += batch->count;
    if (code == FC_OK && state->scan->on_progress != NULL) {
        state->scan->on_progress(state->scan->ctx, state->rows);
    }
    return code;
}

fc_code fc_compare_scan(struct fc_compare *compare, const struct fc_compare_scan *scan,
                        struct fc_error *err)
{
    static const struct fc_batch_limits limits = { SCAN_ROWS, SCAN_BYTES, (size_t)1 << 31 };
    struct fc_batch *batch = fc_batch_new(&limits);
    struct scan_state state = { compare, scan, 0 };
    fc_code code;
    compare->scanned = NULL;
    code = scan->ops->scan(scan->target, scan->db, scan->table, batch, fc_batch_clear, on_batch,
                           &state, err);
    fc_batch_free(batch);
    return code;
}
