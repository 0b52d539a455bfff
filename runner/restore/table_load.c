/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/table_load.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "runner/restore/compare.h"
#include "runner/restore/recode.h"

enum { SHOWN_BYTES_MAX = 120 };

static const size_t arena_bytes_max = (size_t)1 << 31;

/* What run needs while rows come. */
struct run {
    struct fc_table_load *load;
    struct fc_compare *compare;   /* NULL: not verified */
    struct fc_envelope *envelope; /* for keys */
    struct fc_arena arena;        /* of a batch's values */
    struct fc_value *values;      /* a batch's rows, decoded */
    size_t value_capacity;
    struct fc_value *picked; /* a batch's rows as they are loaded */
    size_t picked_capacity;
    struct fc_buf key;
};

struct fc_table_load *fc_table_load_new(const struct fc_target_ops *ops,
                                        const struct fc_table_load_plan *plan)
{
    struct fc_table_load *load = fc_new(struct fc_table_load);
    load->plan = *plan;
    load->ops = ops;
    load->forms = fc_row_forms_new(&plan->table->versions);
    load->feed = fc_row_feed_new();
    load->result.missing = fc_strdup("");
    return load;
}

void fc_table_load_free(struct fc_table_load *load)
{
    if (load != NULL) {
        load->ops->load_abort(load->load);
        fc_row_forms_free(load->forms);
        fc_row_feed_free(load->feed);
        free(load->result.missing);
        free(load);
    }
}

/* --- rows -------------------------------------------------------------------------------- */

static struct fc_value *room_for(struct fc_value **values, size_t *capacity, size_t wanted)
{
    if (*capacity < wanted) {
        *capacity = wanted;
        *values = fc_realloc_array(*values, wanted, sizeof(**values));
    }
    return *values;
}

/* What was folded by its record's key must have that key in its columns, too. */
static fc_code check_key(struct run *run, const struct fc_row_form *form,
                         const struct fc_fed_row *row, const struct fc_value *values,
                         struct fc_error *err)
{
    fc_buf_clear(&run->key);
    if (fc_slice_is_null(row->key) ||
        !fc_envelope_key(run->envelope, form->projection.schema->shape, values, &run->key) ||
        !fc_slice_equal(fc_buf_slice(&run->key), row->key)) {
        int shown = row->key.len < SHOWN_BYTES_MAX ? (int)row->key.len : SHOWN_BYTES_MAX;
        return fc_fail(
            err, FC_ERR_REFUSED,
            "%s: record key %.*s is not the key of its row (a transform that sets the "
            "key?), so rows cannot be told apart",
            run->load->plan.table->name, shown, (const char *)row->key.data);
    }
    return FC_OK;
}

static fc_code check_values(struct run *run, const struct fc_shape *shape,
                            const struct fc_value *values, struct fc_error *err)
{
    for (uint32_t index = 0; index < shape->column_count; index++) {
        if (values[index].kind == FC_VALUE_UNCHANGED) {
            return fc_fail(
                err, FC_ERR_REFUSED,
                "%s: a row has no value of column %s (binlog_row_image was not FULL), "
                "so it cannot be restored",
                run->load->plan.table->name, shape->columns[index].name);
        }
    }
    return FC_OK;
}

static fc_code take_row(struct run *run, const struct fc_fed_row *row, struct fc_value *values,
                        struct fc_error *err)
{
    const struct fc_row_form *form = &run->load->forms->items[row->version];
    fc_code code = fc_row_decoder_decode(form->decoder, row->image, &run->arena, values, err);
    if (code == FC_OK) {
        code = check_values(run, form->projection.schema->shape, values, err);
    }
    if (code == FC_OK && run->load->forms->keyed) {
        code = check_key(run, form, row, values, err);
    }
    if (code == FC_OK && run->compare != NULL) {
        struct fc_row_hashes hashes;
        fc_compare_log_row(run->compare, row->version, row->key, row->image, values, &hashes);
        fc_compare_add(run->compare, &hashes, row->copies);
    }
    return code;
}

/* Load `count` rows that lie one after another. */
static fc_code load_rows(struct run *run, uint32_t version, const struct fc_value *values,
                         uint32_t count, struct fc_error *err)
{
    struct fc_table_load *load = run->load;
    const struct fc_row_form *form = &load->forms->items[version];
    const struct fc_shape *own = form->projection.schema->shape;
    const struct fc_shape *shape = &form->projection.shape;
    struct fc_value *picked;
    if (form->plain) {
        return load->ops->load_rows(load->load, load->forms->newest->shape, values, count, err);
    }
    picked =
        room_for(&run->picked, &run->picked_capacity, (size_t)count * shape->column_count + 1);
    for (uint32_t index = 0; index < count; index++) {
        fc_projection_apply(&form->projection, values + (size_t)index * own->column_count,
                            picked + (size_t)index * shape->column_count);
    }
    return load->ops->load_rows(load->load, shape, picked, count, err);
}

/* Rows of one version. */
static fc_code take_stretch(struct run *run, const struct fc_fed_row *rows, uint32_t count,
                            struct fc_error *err)
{
    uint32_t version = rows[0].version;
    uint32_t width = run->load->forms->items[version].projection.schema->shape->column_count;
    struct fc_value *values =
        room_for(&run->values, &run->value_capacity, (size_t)count * width + 1);
    uint64_t taken = 0;
    fc_code code = FC_OK;
    for (uint32_t index = 0; code == FC_OK && index < count; index++) {
        code = take_row(run, &rows[index], values + (size_t)index * width, err);
        taken += rows[index].copies;
    }
    if (code == FC_OK) {
        code = load_rows(run, version, values, count, err);
    }
    for (uint32_t index = 0; code == FC_OK && index < count; index++) {
        for (uint64_t more = 1; code == FC_OK && more < rows[index].copies; more++) {
            code = load_rows(run, version, values + (size_t)index * width, 1, err);
        }
    }
    atomic_fetch_add(&run->load->rows_loaded, taken);
    return code;
}

static fc_code take_batch(struct run *run, const struct fc_fed_batch *batch,
                          struct fc_error *err)
{
    fc_code code = FC_OK;
    uint32_t end;
    fc_arena_clear(&run->arena);
    fc_envelope_begin_batch(run->envelope);
    if (run->compare != NULL) {
        fc_compare_begin_batch(run->compare);
    }
    for (uint32_t from = 0; code == FC_OK && from < batch->count; from = end) {
        end = from + 1;
        while (end < batch->count && batch->rows[end].version == batch->rows[from].version) {
            end++;
        }
        code = take_stretch(run, &batch->rows[from], end - from, err);
    }
    return code;
}

static fc_code take_all(struct run *run, struct fc_error *err)
{
    const struct fc_fed_batch *batch = NULL;
    fc_code code = fc_row_feed_take(run->load->feed, &batch, err);
    while (code == FC_OK && batch != NULL) {
        code = take_batch(run, batch, err);
        if (code == FC_OK) {
            code = fc_row_feed_take(run->load->feed, &batch, err);
        }
    }
    return code;
}

/* --- comparing --------------------------------------------------------------------------- */

static fc_code compare_row(void *ctx, const struct fc_row_hashes *hashes,
                           struct fc_slice key_text, struct fc_error *err)
{
    struct run *run = ctx;
    (void)key_text;
    (void)err;
    fc_compare_take(run->compare, hashes);
    return FC_OK;
}

static void compare_progress(void *ctx, uint64_t rows)
{
    struct run *run = ctx;
    atomic_store(&run->load->rows_verified, rows);
}

static fc_code verify(struct run *run, struct fc_target *target, struct fc_error *err)
{
    struct fc_table_load *load = run->load;
    struct fc_compare_scan scan;
    fc_code code;
    memset(&scan, 0, sizeof(scan));
    scan.ops = load->ops;
    scan.target = target;
    scan.db = load->plan.db;
    scan.table = load->ops->staging_name(load->load);
    scan.on_row = compare_row;
    scan.on_progress = compare_progress;
    scan.ctx = run;
    code = fc_compare_scan(run->compare, &scan, err);
    if (code == FC_OK && !fc_compare_is_equal(run->compare)) {
        code =
            fc_fail(err, FC_ERR_CORRUPT,
                    "%s: what the target stored differs from the log; nothing was put in place "
                    "(--no-verify restores it nevertheless, verify names the rows)",
                    load->plan.table->name);
    }
    load->result.verified = code == FC_OK;
    return code;
}

/* --- all of it --------------------------------------------------------------------------- */

/* Columns that some rows lack: they get the table's default. */
static void note_missing(struct fc_table_load *load)
{
    for (uint32_t index = 0; index < load->forms->count; index++) {
        const char *missing = load->forms->items[index].projection.missing;
        if (strlen(missing) > strlen(load->result.missing)) {
            free(load->result.missing);
            load->result.missing = fc_strdup(missing);
        }
    }
}

static fc_code load_all(struct run *run, struct fc_target *target, struct fc_error *err)
{
    struct fc_table_load *load = run->load;
    int64_t begun_ms = fc_clock_steady_ms(fc_clock_system());
    struct fc_load_plan plan;
    uint64_t rows = 0;
    fc_code code;
    memset(&plan, 0, sizeof(plan));
    plan.shape = load->forms->newest->shape;
    plan.db = load->plan.db;
    plan.table = load->plan.into;
    plan.replace = load->plan.replace;
    plan.write_binlog = load->plan.write_binlog;
    code = load->ops->load_begin(target, &plan, &load->load, err);
    if (code != FC_OK) {
        load->load = NULL;
        return code;
    }
    code = take_all(run, err);
    if (code == FC_OK) {
        code = load->ops->load_finish(load->load, &rows, err);
    }
    if (code == FC_OK && rows != load->plan.table->rows) {
        code = fc_fail(err, FC_ERR_CORRUPT,
                       "%s: %" PRIu64 " rows arrived in the target instead of %" PRIu64,
                       load->plan.table->name, rows, load->plan.table->rows);
    }
    load->result.rows = rows;
    load->result.load_ms = fc_clock_steady_ms(fc_clock_system()) - begun_ms;
    return code;
}

fc_code fc_table_load_run(struct fc_table_load *load, struct fc_target *target,
                          struct fc_error *err)
{
    struct run run;
    fc_code code;
    memset(&run, 0, sizeof(run));
    run.load = load;
    run.compare = load->plan.verify ? fc_compare_new(load->forms) : NULL;
    run.envelope = fc_recode_envelope(load->forms->newest->mode);
    fc_arena_init(&run.arena, arena_bytes_max);
    fc_buf_init(&run.key, arena_bytes_max);
    note_missing(load);
    code = load_all(&run, target, err);
    if (code == FC_OK && load->plan.verify) {
        int64_t begun_ms = fc_clock_steady_ms(fc_clock_system());
        code = verify(&run, target, err);
        load->result.verify_ms = fc_clock_steady_ms(fc_clock_system()) - begun_ms;
    }
    fc_compare_free(run.compare);
    fc_envelope_free(run.envelope);
    fc_arena_release(&run.arena);
    fc_buf_release(&run.key);
    free(run.values);
    free(run.picked);
    return code;
}

fc_code fc_table_load_commit(struct fc_table_load *load, struct fc_error *err)
{
    struct fc_load *finished = load->load;
    fc_code code;
    load->load = NULL; /* freed whatever comes */
    code = load->ops->load_commit(finished, err);
    load->result.committed = code == FC_OK;
    return code;
}
