/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change that cannot be written (rejected by a transform, over the record limit) follows the
 * connector's error policy. On `fail` the unit ends before it: all its records stand before the
 * failing change, none after.
 */
#include "runner/worker.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"

enum { WORKER_ARENA_MAX = 64 * 1024 * 1024 };

struct fc_worker {
    struct fc_worker_config config;
    struct fc_records *records;
    struct fc_transform_engine *engine;
    struct fc_arena arena; /* of one change's transforms */
};

struct fc_worker *fc_worker_new(const struct fc_worker_config *config)
{
    struct fc_worker *worker = fc_new(struct fc_worker);
    worker->config = *config;
    worker->records = fc_records_new(&config->records);
    fc_arena_init(&worker->arena, WORKER_ARENA_MAX);
    return worker;
}

void fc_worker_free(struct fc_worker *worker)
{
    if (worker != NULL) {
        fc_transform_engine_free(worker->engine);
        fc_records_free(worker->records);
        fc_arena_release(&worker->arena);
        free(worker);
    }
}

static void encode_row(void *ctx, const struct fc_shape *shape, const struct fc_value *row,
                       struct fc_buf *out)
{
    const struct fc_worker *worker = ctx;
    fc_records_encode_row(worker->records, shape, row, out);
}

void fc_worker_set_engine(struct fc_worker *worker, struct fc_transform_engine *engine)
{
    if (worker->engine != NULL) {
        fc_transform_engine_free(worker->engine);
        fc_schema_store_forget_pointers(worker->config.records.schemas);
    }
    worker->engine = engine;
    if (engine != NULL) {
        fc_transform_engine_set_row_encoder(engine, encode_row, worker);
    }
    fc_records_forget_shapes(worker->records);
}

/*
 * The last row of a table's snapshot is not written: say all the same that the snapshot is
 * complete, or the table could never be restored.
 */
static fc_code put_table_end(struct fc_worker *worker, const struct fc_change *change,
                             struct fc_error *err)
{
    struct fc_change end = *change;
    struct fc_transformed plain;
    struct fc_transformed *results = &plain;
    uint32_t count = 1;
    fc_code code = FC_OK;
    if (change->snapshot != FC_SNAPSHOT_LAST_OF_TABLE) {
        return FC_OK;
    }
    end.snapshot = FC_SNAPSHOT_EMPTY_TABLE;
    end.before = NULL;
    end.after = NULL;
    memset(&plain, 0, sizeof(plain));
    plain.change = &end;
    if (worker->engine != NULL) {
        fc_arena_clear(&worker->arena);
        code = fc_transform_run(worker->engine, &end, &worker->arena, &results, &count, err);
    }
    return code == FC_OK ? fc_records_put(worker->records, &results[0], true, err) : code;
}

static fc_code work_change(struct fc_worker *worker, const struct fc_change *change,
                           struct fc_error *err)
{
    struct fc_transformed plain;
    struct fc_transformed *results = &plain;
    uint32_t count = 1;
    fc_code code = FC_OK;
    memset(&plain, 0, sizeof(plain));
    plain.change = change;
    if (worker->engine != NULL) {
        fc_arena_clear(&worker->arena);
        code = fc_transform_run(worker->engine, change, &worker->arena, &results, &count, err);
    }
    for (uint32_t index = 0; code == FC_OK && index < count; index++) {
        code = fc_records_put(worker->records, &results[index], index + 1 == count, err);
    }
    return code == FC_OK && count == 0 ? put_table_end(worker, change, err) : code;
}

static void describe_change(const struct fc_change *change, char *to, size_t size)
{
    struct fc_slice tx = change->tx == NULL ? fc_slice_text("snapshot") : change->tx->id;
    if (change->shape != NULL) {
        (void)snprintf(to, size, "%s.%s transaction %.*s row %" PRIu64, change->shape->db,
                       change->shape->table, (int)tx.len, (const char *)tx.data, change->row);
    } else {
        (void)snprintf(to, size, "transaction %.*s change %" PRIu64, (int)tx.len,
                       (const char *)tx.data, change->row);
    }
}

static fc_code apply_policy(struct fc_worker *worker, struct fc_unit *unit,
                            const struct fc_change *change, struct fc_error *err)
{
    struct fc_diag *diag = worker->config.diag;
    char what[256];
    describe_change(change, what, sizeof(what));
    if (err->code != FC_ERR_REJECTED && err->code != FC_ERR_LIMIT) {
        return fc_wrap(err, "%s", what);
    }
    switch (worker->config.records.config->on_error) {
    case FC_ON_ERROR_SKIP:
        unit->rejected++;
        fc_diag_report(diag, FC_DIAG_WARN, "skipped %s: %s", what, err->message);
        return put_table_end(worker, change, err);
    case FC_ON_ERROR_DEAD_LETTER: {
        struct fc_error reason = *err;
        unit->rejected++;
        fc_diag_report(diag, FC_DIAG_WARN, "dead-lettered %s: %s", what, err->message);
        if (fc_records_put_dead_letter(worker->records, change, &reason, err) != FC_OK) {
            return err->code;
        }
        return put_table_end(worker, change, err);
    }
    case FC_ON_ERROR_FAIL:
        break;
    }
    if (err->code == FC_ERR_LIMIT) {
        struct fc_error why = *err;
        return fc_fail(err, why.code,
                       "%s (on-error: fail): %s; raise meta.producer.record-bytes-max", what,
                       why.message);
    }
    return fc_wrap(err, "%s (on-error: fail)", what);
}

static fc_code work_changes(struct fc_worker *worker, struct fc_unit *unit,
                            struct fc_error *err)
{
    if (worker->engine != NULL) {
        fc_transform_engine_begin_batch(worker->engine);
    }
    for (uint32_t index = 0; index < unit->batch->count; index++) {
        const struct fc_change *change = &unit->batch->changes[index];
        fc_code code;
        fc_records_begin_change(worker->records, change, unit->seqs[index]);
        code = work_change(worker, change, err);
        if (code != FC_OK) {
            code = apply_policy(worker, unit, change, err);
        }
        if (code != FC_OK) {
            return code;
        }
    }
    return FC_OK;
}

void fc_worker_run(struct fc_worker *worker, struct fc_unit *unit, const char *engine_name)
{
    fc_records_begin_unit(worker->records, unit, engine_name);
    unit->code = unit->mark != NULL ? fc_records_put_mark(worker->records, unit->mark,
                                                          unit->mark_seq, &unit->error)
                                    : work_changes(worker, unit, &unit->error);
    for (size_t index = 0; index < unit->output_count; index++) {
        struct fc_error err;
        fc_code code = fc_stream_batch_seal(unit->outputs[index].batch, &err);
        if (code != FC_OK && unit->code == FC_OK) {
            unit->code = code;
            unit->error = err;
        }
    }
}
