/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One change becomes one record, but for:
 *   a delete         'd', then a tombstone if the connector writes them
 *   a key change     'd' of the old key, its tombstone, 'c' of the new key (as Debezium does)
 *   a transform      none, or several
 * The records of one change are numbered by `part` in the order in which they are written.
 *
 * A change that cannot be written (rejected by a transform, over the record limit) follows the
 * connector's error policy. On `fail` the unit ends before it: all its records stand before the
 * failing change, none after.
 */
#include "runner/worker.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/envelope/envelope.h"
#include "runner/identity.h"
#include "runner/partitioner.h"
#include "runner/topic_name.h"

enum {
    WORKER_ARENA_MAX = 64 * 1024 * 1024,
    HEADER_BYTES_MAX = 4096,
    EXTRA_HEADERS_MAX = FC_RECORD_HEADERS_MAX - 4
};

struct fc_worker {
    struct fc_worker_config config;
    struct fc_envelope *envelope;
    struct fc_transform_engine *engine;
    struct fc_arena arena; /* of one change's transforms */
    struct fc_buf key;
    struct fc_buf value;
    struct fc_buf header;
    uint64_t generation;

    /* Caches that are right while generation and engine stay. */
    const struct fc_shape *last_shape;
    const struct fc_schema *last_schema;
    struct fc_topic *last_topic;

    /* The change being worked on. */
    struct fc_unit *unit;
    const struct fc_change *change; /* as the source gave it */
    uint64_t seq;
    struct fc_slice tx_id;
    uint32_t part;
    bool more_follow; /* this is not the change's last record */
};

struct fc_worker *fc_worker_new(const struct fc_worker_config *config)
{
    struct fc_worker *worker = fc_new(struct fc_worker);
    size_t record_max = config->config->topic_config.record_bytes_max;
    worker->config = *config;
    fc_arena_init(&worker->arena, WORKER_ARENA_MAX);
    fc_buf_init(&worker->key, record_max);
    fc_buf_init(&worker->value, record_max);
    fc_buf_init(&worker->header, HEADER_BYTES_MAX);
    return worker;
}

void fc_worker_free(struct fc_worker *worker)
{
    if (worker != NULL) {
        fc_envelope_free(worker->envelope);
        fc_transform_engine_free(worker->engine);
        fc_arena_release(&worker->arena);
        fc_buf_release(&worker->key);
        fc_buf_release(&worker->value);
        fc_buf_release(&worker->header);
        free(worker);
    }
}

static void forget_shapes(struct fc_worker *worker)
{
    worker->last_shape = NULL;
    worker->last_schema = NULL;
    worker->last_topic = NULL;
}

void fc_worker_set_engine(struct fc_worker *worker, struct fc_transform_engine *engine)
{
    if (worker->engine != NULL) {
        fc_transform_engine_free(worker->engine);
        fc_schema_store_forget_pointers(worker->config.schemas);
    }
    worker->engine = engine;
    forget_shapes(worker);
}

static void begin_generation(struct fc_worker *worker, uint64_t generation,
                             const char *engine_name)
{
    struct fc_envelope_config config;
    memset(&config, 0, sizeof(config));
    config.mode = worker->config.config->envelope;
    config.connector_name = worker->config.config->name;
    config.engine = engine_name;
    config.version = FC_VERSION;
    config.fields = worker->config.fields;
    config.clock = worker->config.clock;
    fc_envelope_free(worker->envelope);
    worker->envelope = fc_envelope_new(&config);
    worker->generation = generation;
    forget_shapes(worker);
}

/* --- where a record goes ----------------------------------------------------------------------- */

static fc_code topic_named(struct fc_worker *worker, const char *name,
                           struct fc_topic **out_topic, struct fc_error *err)
{
    fc_code code = fc_stream_topic(worker->config.stream, name, out_topic, err);
    if (code == FC_ERR_NOT_FOUND) {
        code = fc_stream_topic_ensure(worker->config.stream, name,
                                      &worker->config.config->topic_config, out_topic, err);
    }
    return code;
}

static fc_code table_topic(struct fc_worker *worker, struct fc_slice db, struct fc_slice table,
                           struct fc_topic **out_topic, struct fc_error *err)
{
    char name[FC_TOPIC_NAME_MAX + 1];
    (void)fc_topic_name_fill(worker->config.config->topic, db, table, name);
    return topic_named(worker, name, out_topic, err);
}

/* Schema and topic of a shape, from the cache while the shape stays the same. */
static fc_code use_shape(struct fc_worker *worker, const struct fc_shape *shape,
                         struct fc_error *err)
{
    fc_code code = FC_OK;
    if (shape != worker->last_shape) {
        worker->last_shape = NULL;
        code = fc_schema_store_add(worker->config.schemas, shape,
                                   worker->config.config->envelope, &worker->last_schema, err);
        if (code == FC_OK) {
            code = table_topic(worker, fc_slice_text(shape->db), fc_slice_text(shape->table),
                               &worker->last_topic, err);
        }
        if (code != FC_OK) {
            return code;
        }
        worker->last_shape = shape;
    }
    fc_unit_use_schema(worker->unit, worker->last_schema);
    return FC_OK;
}

static uint32_t partition_for(struct fc_topic *topic, struct fc_slice key,
                              const struct fc_shape *shape)
{
    uint32_t partitions = fc_topic_partitions(topic);
    if (partitions == 1 || (fc_slice_is_null(key) && shape == NULL)) {
        return 0;
    }
    return fc_partition_of(fc_slice_is_null(key) ? fc_slice_text(shape->table) : key,
                           partitions);
}

/* --- one record -------------------------------------------------------------------------------- */

/* A record on its way to its batch. */
struct outgoing {
    struct fc_topic *topic;
    const struct fc_shape *shape; /* NULL: none */
    struct fc_slice key;
    struct fc_slice value;
    char op;
    bool has_schema;
    uint64_t schema_id;
    struct fc_header headers[FC_RECORD_HEADERS_MAX]; /* [0] is the identity */
    uint32_t header_count;                           /* of the others */
};

static fc_code put_record(struct fc_worker *worker, struct outgoing *out, struct fc_error *err)
{
    struct fc_identity identity;
    struct fc_record record;
    struct fc_stream_batch *batch;
    uint32_t partition = partition_for(out->topic, out->key, out->shape);
    uint32_t part = worker->part++;
    int64_t when_us = worker->change == NULL ? 0 : worker->change->ts_us;
    fc_code code;
    if (worker->change != NULL && worker->change->tx != NULL) {
        when_us = worker->change->tx->commit_us;
        if (fc_resume_holds(worker->config.resume, fc_topic_name(out->topic), partition,
                            worker->tx_id, worker->change->row, part)) {
            return FC_OK;
        }
    }
    memset(&identity, 0, sizeof(identity));
    identity.connector = fc_slice_text(worker->config.config->name);
    identity.seq = worker->seq;
    identity.tx_id = worker->tx_id;
    identity.row = worker->change == NULL ? 0 : worker->change->row;
    identity.part = part;
    identity.tx_last =
        !worker->more_follow && (worker->change == NULL || worker->change->tx_last);
    identity.op = out->op;
    identity.has_schema = out->has_schema;
    identity.schema_id = out->schema_id;
    fc_buf_clear(&worker->header);
    fc_identity_encode(&identity, &worker->header);
    code = fc_buf_check(&worker->header, "record identity", err);
    if (code != FC_OK) {
        return code;
    }
    out->headers[0].key = fc_slice_text(FC_IDENTITY_HEADER);
    out->headers[0].value = fc_buf_slice(&worker->header);
    memset(&record, 0, sizeof(record));
    record.timestamp_ms = when_us / 1000;
    record.key = out->key;
    record.value = out->value;
    record.headers = out->headers;
    record.header_count = out->header_count + 1;
    batch = fc_unit_output(worker->unit, out->topic, partition);
    code = fc_stream_batch_add(batch, &record, err);
    if (code == FC_OK) {
        worker->unit->records++;
        worker->unit->bytes += out->key.len + out->value.len;
    }
    return code;
}

/* Take over what a script set on a result. */
static fc_code apply_script(struct fc_worker *worker, const struct fc_transformed *result,
                            struct outgoing *out, struct fc_error *err)
{
    fc_code code = FC_OK;
    if (!fc_slice_is_null(result->topic)) {
        char name[FC_TOPIC_NAME_MAX + 1];
        (void)snprintf(name, sizeof(name), "%.*s", (int)result->topic.len,
                       (const char *)result->topic.data);
        code = topic_named(worker, name, &out->topic, err);
        if (code == FC_ERR_CONFIG) {
            code = fc_fail(err, FC_ERR_REJECTED,
                           "a transform sent the change to topic \"%s\", which is "
                           "not a topic's name",
                           name);
        }
    }
    if (!fc_slice_is_null(result->key)) {
        out->key = result->key;
    }
    if (!fc_slice_is_null(result->value)) {
        out->value = result->value;
    }
    for (uint32_t index = 0; index < result->header_count && index < EXTRA_HEADERS_MAX;
         index++) {
        out->headers[++out->header_count].key = result->headers[index].key;
        out->headers[out->header_count].value = result->headers[index].value;
    }
    return code;
}

/* Key and value of one image of a row change, as one record. op 'x': a tombstone. */
static fc_code put_row(struct fc_worker *worker, const struct fc_transformed *result, char op,
                       const struct fc_value *key_row, struct fc_error *err)
{
    const struct fc_change *change = result->change;
    struct outgoing out;
    char override = op == 'd' || op == 'c' || op == 'r' || op == 'u' ? op : 0;
    fc_code code = use_shape(worker, change->shape, err);
    if (code != FC_OK) {
        return code;
    }
    memset(&out, 0, sizeof(out));
    out.topic = worker->last_topic;
    out.shape = change->shape;
    out.op = op;
    out.has_schema = true;
    out.schema_id = worker->last_schema->id;
    fc_buf_clear(&worker->key);
    if (fc_envelope_key(worker->envelope, change->shape, key_row, &worker->key)) {
        out.key = fc_buf_slice(&worker->key);
    }
    if (op != 'x') {
        fc_buf_clear(&worker->value);
        fc_envelope_value(worker->envelope, change, override == (char)change->op ? 0 : override,
                          &worker->value);
        out.value = fc_buf_slice(&worker->value);
    }
    if (op == 'r' && change->snapshot == FC_SNAPSHOT_LAST_OF_TABLE) {
        out.op = 'e';
    }
    code = fc_buf_check(&worker->key, "record key", err);
    if (code == FC_OK) {
        code = fc_buf_check(&worker->value, "record", err);
    }
    if (code == FC_OK) {
        struct fc_transformed bare = *result;
        if (op == 'x') {
            bare.value = fc_slice_null(); /* a tombstone stays one */
        }
        code = apply_script(worker, &bare, &out, err);
    }
    return code == FC_OK ? put_record(worker, &out, err) : code;
}

static bool same_value(const struct fc_value *a, const struct fc_value *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case FC_VALUE_NULL:
    case FC_VALUE_UNCHANGED:
        return true;
    case FC_VALUE_INT:
    case FC_VALUE_UINT:
        return a->as.u64 == b->as.u64;
    case FC_VALUE_FLOAT:
        return memcmp(&a->as.f32, &b->as.f32, sizeof(a->as.f32)) == 0;
    case FC_VALUE_DOUBLE:
        return memcmp(&a->as.f64, &b->as.f64, sizeof(a->as.f64)) == 0;
    case FC_VALUE_TEXT:
    case FC_VALUE_BYTES:
        return fc_slice_equal(a->as.bytes, b->as.bytes);
    }
    return false;
}

static bool key_changed(const struct fc_change *change)
{
    const struct fc_shape *shape = change->shape;
    for (uint32_t index = 0; index < shape->column_count && shape->key_count > 0; index++) {
        if (shape->columns[index].key_index > 0 &&
            !same_value(&change->before[index], &change->after[index])) {
            return true;
        }
    }
    return false;
}

static bool has_key(const struct fc_transformed *result)
{
    return result->change->shape->key_count > 0 || !fc_slice_is_null(result->key);
}

/* All records of one result but the last are followed by more of the same change. */
static fc_code put_delete(struct fc_worker *worker, const struct fc_transformed *result,
                          bool last_result, struct fc_error *err)
{
    const struct fc_value *row = result->change->before;
    bool tombstone = worker->config.config->tombstones && has_key(result);
    fc_code code;
    worker->more_follow = tombstone || !last_result;
    code = put_row(worker, result, 'd', row, err);
    if (code == FC_OK && tombstone) {
        worker->more_follow = !last_result;
        code = put_row(worker, result, 'x', row, err);
    }
    return code;
}

static fc_code put_key_change(struct fc_worker *worker, const struct fc_transformed *result,
                              bool last_result, struct fc_error *err)
{
    fc_code code = put_delete(worker, result, false, err);
    worker->more_follow = !last_result;
    return code == FC_OK ? put_row(worker, result, 'c', result->change->after, err) : code;
}

/* Changes without rows: DDL, TRUNCATE, the end of an empty table's snapshot. */
static fc_code put_rowless(struct fc_worker *worker, const struct fc_transformed *result,
                           bool last_result, struct fc_error *err)
{
    const struct fc_change *change = result->change;
    struct outgoing out;
    fc_code code = FC_OK;
    memset(&out, 0, sizeof(out));
    out.op = change->snapshot == FC_SNAPSHOT_EMPTY_TABLE ? 'E' : (char)change->op;
    worker->more_follow = !last_result;
    fc_buf_clear(&worker->key);
    fc_buf_clear(&worker->value);
    if (change->shape != NULL) {
        code = use_shape(worker, change->shape, err);
        out.has_schema = code == FC_OK;
        out.schema_id = code == FC_OK ? worker->last_schema->id : 0;
        out.topic = worker->last_topic;
    } else if (change->op == FC_OP_DDL) {
        code = topic_named(worker, worker->config.config->name, &out.topic, err);
        fc_envelope_ddl_key(worker->envelope, change, &worker->key);
        out.key = fc_buf_slice(&worker->key);
    } else {
        code = table_topic(worker, change->db, change->table, &out.topic, err);
    }
    if (code == FC_OK && out.op != 'E') {
        fc_envelope_value(worker->envelope, change, 0, &worker->value);
        out.value = fc_buf_slice(&worker->value);
        code = fc_buf_check(&worker->value, "record", err);
    }
    if (code == FC_OK) {
        code = apply_script(worker, result, &out, err);
    }
    return code == FC_OK ? put_record(worker, &out, err) : code;
}

static fc_code put_result(struct fc_worker *worker, const struct fc_transformed *result,
                          bool last_result, struct fc_error *err)
{
    const struct fc_change *change = result->change;
    switch (change->op) {
    case FC_OP_DELETE:
        return put_delete(worker, result, last_result, err);
    case FC_OP_UPDATE:
        if (key_changed(change)) {
            return put_key_change(worker, result, last_result, err);
        }
        worker->more_follow = !last_result;
        return put_row(worker, result, 'u', change->after, err);
    case FC_OP_READ:
    case FC_OP_CREATE:
        if (change->after != NULL) {
            worker->more_follow = !last_result;
            return put_row(worker, result, (char)change->op, change->after, err);
        }
        return put_rowless(worker, result, last_result, err);
    case FC_OP_TRUNCATE:
    case FC_OP_DDL:
        return put_rowless(worker, result, last_result, err);
    }
    return fc_fail(err, FC_ERR_PROTOCOL, "the source gave a change of unknown kind %d",
                   change->op);
}

/* --- one change -------------------------------------------------------------------------------- */

static fc_code work_change(struct fc_worker *worker, const struct fc_change *change,
                           struct fc_error *err)
{
    struct fc_transformed plain;
    struct fc_transformed *results = &plain;
    uint32_t count = 1;
    fc_code code = FC_OK;
    memset(&plain, 0, sizeof(plain));
    plain.change = change;
    if (worker->engine != NULL && change->snapshot != FC_SNAPSHOT_EMPTY_TABLE) {
        fc_arena_clear(&worker->arena);
        code = fc_transform_run(worker->engine, change, &worker->arena, &results, &count, err);
    }
    for (uint32_t index = 0; code == FC_OK && index < count; index++) {
        code = put_result(worker, &results[index], index + 1 == count, err);
    }
    return code;
}

/* The change as it came, and why it is here. A value that no record can hold is left out. */
static fc_code put_dead_letter(struct fc_worker *worker, const struct fc_change *change,
                               const struct fc_error *reason, struct fc_error *err)
{
    struct outgoing out;
    struct fc_slice table =
        change->shape != NULL ? fc_slice_text(change->shape->table) : change->table;
    fc_code code;
    memset(&out, 0, sizeof(out));
    out.op = (char)change->op;
    fc_buf_clear(&worker->key);
    fc_buf_clear(&worker->value);
    code = topic_named(worker, worker->config.config->dead_letter_topic, &out.topic, err);
    if (code == FC_OK && change->shape != NULL) {
        code = use_shape(worker, change->shape, err);
        out.has_schema = true;
        out.schema_id = worker->last_schema->id;
        if (code == FC_OK &&
            fc_envelope_key(worker->envelope, change->shape,
                            change->after != NULL ? change->after : change->before,
                            &worker->key)) {
            out.key = fc_buf_slice(&worker->key);
        }
    }
    if (code != FC_OK) {
        return code;
    }
    fc_envelope_value(worker->envelope, change, 0, &worker->value);
    out.value = worker->value.failed ? fc_slice_null() : fc_buf_slice(&worker->value);
    out.headers[1].key = fc_slice_text("fc.error");
    out.headers[1].value = fc_slice_text(reason->message);
    out.headers[2].key = fc_slice_text("fc.table");
    out.headers[2].value = table;
    out.header_count = 2;
    worker->more_follow = false;
    code = put_record(worker, &out, err);
    if (code == FC_ERR_LIMIT) {
        worker->part--;
        out.value = fc_slice_null();
        code = put_record(worker, &out, err);
    }
    return code;
}

static void describe_change(const struct fc_worker *worker, const struct fc_change *change,
                            char *to, size_t size)
{
    (void)snprintf(to, size, "transaction %.*s row %" PRIu64 " of %s%s%s",
                   (int)worker->tx_id.len, (const char *)worker->tx_id.data, change->row,
                   change->shape != NULL ? change->shape->db : "",
                   change->shape != NULL ? "." : "a table",
                   change->shape != NULL ? change->shape->table : "");
}

static fc_code apply_policy(struct fc_worker *worker, const struct fc_change *change,
                            struct fc_error *err)
{
    char what[256];
    describe_change(worker, change, what, sizeof(what));
    if (err->code != FC_ERR_REJECTED && err->code != FC_ERR_LIMIT) {
        return fc_wrap(err, "%s", what);
    }
    switch (worker->config.config->on_error) {
    case FC_ON_ERROR_SKIP:
        worker->unit->rejected++;
        fc_diag_report(worker->config.diag, FC_DIAG_WARN, "skipped %s: %s", what, err->message);
        return FC_OK;
    case FC_ON_ERROR_DEAD_LETTER: {
        struct fc_error reason = *err;
        worker->unit->rejected++;
        fc_diag_report(worker->config.diag, FC_DIAG_WARN, "dead-lettered %s: %s", what,
                       err->message);
        return put_dead_letter(worker, change, &reason, err);
    }
    case FC_ON_ERROR_FAIL:
        break;
    }
    return fc_wrap(err, "%s (on-error: fail)", what);
}

static fc_code work_changes(struct fc_worker *worker, struct fc_unit *unit,
                            struct fc_error *err)
{
    static const char no_tx[] = "-";
    for (uint32_t index = 0; index < unit->batch->count; index++) {
        const struct fc_change *change = &unit->batch->changes[index];
        fc_code code;
        worker->change = change;
        worker->seq = unit->seqs[index];
        worker->tx_id = change->tx == NULL ? fc_slice_of(no_tx, 1) : change->tx->id;
        worker->part = 0;
        code = work_change(worker, change, err);
        if (code != FC_OK) {
            code = apply_policy(worker, change, err);
        }
        if (code != FC_OK) {
            return code;
        }
    }
    return FC_OK;
}

static fc_code work_mark(struct fc_worker *worker, struct fc_unit *unit, struct fc_error *err)
{
    struct outgoing out;
    fc_code code;
    memset(&out, 0, sizeof(out));
    worker->change = NULL;
    worker->seq = unit->mark_seq;
    worker->tx_id = fc_slice_text("-");
    worker->part = 0;
    worker->more_follow = false;
    out.op = 'm';
    out.value = fc_slice_text(unit->mark);
    code = topic_named(worker, worker->config.config->name, &out.topic, err);
    return code == FC_OK ? put_record(worker, &out, err) : code;
}

void fc_worker_run(struct fc_worker *worker, struct fc_unit *unit, const char *engine_name)
{
    if (worker->generation != unit->generation || worker->envelope == NULL) {
        begin_generation(worker, unit->generation, engine_name);
    }
    worker->unit = unit;
    fc_envelope_begin_batch(worker->envelope);
    unit->code = unit->mark != NULL ? work_mark(worker, unit, &unit->error)
                                    : work_changes(worker, unit, &unit->error);
    for (size_t index = 0; index < unit->output_count; index++) {
        struct fc_error err;
        fc_code code = fc_stream_batch_seal(unit->outputs[index].batch, &err);
        if (code != FC_OK && unit->code == FC_OK) {
            unit->code = code;
            unit->error = err;
        }
    }
    worker->unit = NULL;
    worker->change = NULL;
}
