/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/records.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/envelope/envelope.h"
#include "runner/identity.h"
#include "runner/key_change.h"
#include "runner/partitioner.h"
#include "runner/topic_name.h"
#include "runner/topic_use.h"

enum { HEADER_BYTES_MAX = 4096, EXTRA_HEADERS_MAX = FC_RECORD_HEADERS_MAX - 4 };

struct fc_records {
    struct fc_records_config config;
    struct fc_envelope *envelope;
    struct fc_buf key;
    struct fc_buf value;
    struct fc_buf header;
    uint64_t generation;

    /* Caches that are right while the shapes live. */
    const struct fc_shape *last_shape;
    const struct fc_schema *last_schema;
    struct fc_topic *last_topic;

    /* The change being worked on. */
    struct fc_unit *unit;
    const struct fc_change *change; /* as the source gave it; NULL: a marker */
    uint64_t seq;
    struct fc_slice tx_id;
    const struct fc_tx *held_tx; /* last looked up in `resume`; good within a unit */
    bool held;                   /* the log has records of it */
    uint32_t part;
    bool more_follow; /* this is not the change's last record */
};

struct fc_records *fc_records_new(const struct fc_records_config *config)
{
    struct fc_records *records = fc_new(struct fc_records);
    size_t record_max = config->config->topic_config.record_bytes_max;
    records->config = *config;
    fc_buf_init(&records->key, record_max);
    fc_buf_init(&records->value, record_max);
    fc_buf_init(&records->header, HEADER_BYTES_MAX);
    return records;
}

void fc_records_free(struct fc_records *records)
{
    if (records != NULL) {
        fc_envelope_free(records->envelope);
        fc_buf_release(&records->key);
        fc_buf_release(&records->value);
        fc_buf_release(&records->header);
        free(records);
    }
}

void fc_records_forget_shapes(struct fc_records *records)
{
    records->last_shape = NULL;
    records->last_schema = NULL;
    records->last_topic = NULL;
}

static void begin_generation(struct fc_records *records, uint64_t generation,
                             const char *engine_name)
{
    struct fc_envelope_config config;
    memset(&config, 0, sizeof(config));
    config.mode = records->config.config->envelope;
    config.connector_name = records->config.config->name;
    config.engine = engine_name;
    config.version = FC_VERSION;
    config.fields = records->config.fields;
    config.clock = records->config.clock;
    fc_envelope_free(records->envelope);
    records->envelope = fc_envelope_new(&config);
    records->generation = generation;
    fc_records_forget_shapes(records);
}

void fc_records_begin_unit(struct fc_records *records, struct fc_unit *unit,
                           const char *engine_name)
{
    if (records->envelope == NULL || records->generation != unit->generation) {
        begin_generation(records, unit->generation, engine_name);
    }
    records->unit = unit;
    records->held_tx = NULL;
    fc_envelope_begin_batch(records->envelope);
}

void fc_records_begin_change(struct fc_records *records, const struct fc_change *change,
                             uint64_t seq)
{
    records->change = change;
    records->seq = seq;
    records->tx_id = change == NULL || change->tx == NULL ? fc_slice_text("-") : change->tx->id;
    records->part = 0;
    if (change != NULL && change->tx != NULL && change->tx != records->held_tx) {
        records->held_tx = change->tx;
        records->held = fc_resume_knows(records->config.resume, records->tx_id);
    }
}

void fc_records_encode_row(struct fc_records *records, const struct fc_shape *shape,
                           const struct fc_value *row, struct fc_buf *out)
{
    fc_envelope_row(records->envelope, shape, row, out);
}

/* --- where a record goes ----------------------------------------------------------------------- */

static fc_code topic_named(struct fc_records *records, const char *name,
                           struct fc_topic **out_topic, struct fc_error *err)
{
    return fc_topic_use(records->config.stream, name, &records->config.config->topic_config,
                        records->config.room, out_topic, err);
}

static fc_code table_topic(struct fc_records *records, struct fc_slice db,
                           struct fc_slice table, struct fc_topic **out_topic,
                           struct fc_error *err)
{
    char name[FC_TOPIC_NAME_MAX + 1];
    (void)fc_topic_name_fill(records->config.config->topic, db, table, name);
    return topic_named(records, name, out_topic, err);
}

/* Schema and topic of a shape, from the cache while the shape stays the same. */
static fc_code use_shape(struct fc_records *records, const struct fc_shape *shape,
                         struct fc_error *err)
{
    fc_code code = FC_OK;
    if (shape != records->last_shape) {
        records->last_shape = NULL;
        code =
            fc_schema_store_add(records->config.schemas, shape,
                                records->config.config->envelope, &records->last_schema, err);
        if (code == FC_OK) {
            code = table_topic(records, fc_slice_text(shape->db), fc_slice_text(shape->table),
                               &records->last_topic, err);
        }
        if (code != FC_OK) {
            return code;
        }
        records->last_shape = shape;
    }
    fc_unit_use_schema(records->unit, records->last_schema);
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
    const struct fc_marks *marks; /* of the value; may be NULL */
    char op;
    bool has_schema;
    uint64_t schema_id;
    uint32_t header_count; /* of headers but the first, which is the identity */
    struct fc_header headers[FC_RECORD_HEADERS_MAX];
};

/* Headers are set as they are counted. */
static void init_outgoing(struct outgoing *out)
{
    memset(out, 0, offsetof(struct outgoing, headers));
}

static fc_code put_record(struct fc_records *records, struct outgoing *out,
                          struct fc_error *err)
{
    struct fc_identity identity;
    struct fc_record record;
    struct fc_stream_batch *batch;
    uint32_t partition = partition_for(out->topic, out->key, out->shape);
    uint32_t part = records->part++;
    int64_t when_us = records->change == NULL
                          ? records->config.clock->wall_ns(records->config.clock) / 1000
                          : records->change->ts_us;
    fc_code code;
    if (records->change != NULL && records->change->tx != NULL) {
        when_us = records->change->tx->commit_us;
        if (records->held &&
            fc_resume_holds(records->config.resume, fc_topic_name(out->topic), partition,
                            records->tx_id, records->change->row, part)) {
            return FC_OK;
        }
    }
    memset(&identity, 0, sizeof(identity));
    identity.connector = fc_slice_text(records->config.config->name);
    identity.seq = records->seq;
    identity.tx_id = records->tx_id;
    identity.row = records->change == NULL ? 0 : records->change->row;
    identity.part = part;
    identity.tx_last =
        !records->more_follow && (records->change == NULL || records->change->tx_last);
    identity.op = out->op;
    identity.has_schema = out->has_schema;
    identity.schema_id = out->schema_id;
    fc_buf_clear(&records->header);
    fc_identity_encode(&identity, &records->header);
    code = fc_buf_check(&records->header, "record identity", err);
    if (code != FC_OK) {
        return code;
    }
    out->headers[0].key = fc_slice_text(FC_IDENTITY_HEADER);
    out->headers[0].value = fc_buf_slice(&records->header);
    memset(&record, 0, sizeof(record));
    record.timestamp_ms = when_us / 1000;
    record.key = out->key;
    record.value = out->value;
    record.headers = out->headers;
    record.header_count = out->header_count + 1;
    record.marks = out->marks;
    batch = fc_unit_output(records->unit, out->topic, partition);
    code = fc_stream_batch_add(batch, &record, err);
    if (code == FC_OK) {
        records->unit->records++;
        records->unit->bytes += out->key.len + out->value.len;
    }
    return code;
}

/* Take over what a script set on a result. */
static fc_code apply_script(struct fc_records *records, const struct fc_transformed *result,
                            struct outgoing *out, struct fc_error *err)
{
    fc_code code = FC_OK;
    if (!fc_slice_is_null(result->topic)) {
        char name[FC_TOPIC_NAME_MAX + 1];
        (void)snprintf(name, sizeof(name), "%.*s", (int)result->topic.len,
                       (const char *)result->topic.data);
        code = topic_named(records, name, &out->topic, err);
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
    if (result->tombstone || !fc_slice_is_null(result->value)) {
        out->value = result->value;
        out->marks = NULL;
    }
    for (uint32_t index = 0; index < result->header_count && index < EXTRA_HEADERS_MAX;
         index++) {
        out->headers[++out->header_count].key = result->headers[index].key;
        out->headers[out->header_count].value = result->headers[index].value;
    }
    return code;
}

/* Key and value of one image of a row change, as one record. op 'x': a tombstone. */
static fc_code put_row(struct fc_records *records, const struct fc_transformed *result, char op,
                       const struct fc_value *key_row, struct fc_error *err)
{
    const struct fc_change *change = result->change;
    struct outgoing out;
    char override = op == 'd' || op == 'c' || op == 'r' || op == 'u' ? op : 0;
    fc_code code = use_shape(records, change->shape, err);
    if (code != FC_OK) {
        return code;
    }
    init_outgoing(&out);
    out.topic = records->last_topic;
    out.shape = change->shape;
    out.op = op;
    out.has_schema = true;
    out.schema_id = records->last_schema->id;
    fc_buf_clear(&records->key);
    if (fc_envelope_key(records->envelope, change->shape, key_row, &records->key)) {
        out.key = fc_buf_slice(&records->key);
    }
    if (op != 'x') {
        fc_buf_clear(&records->value);
        fc_envelope_value(records->envelope, change,
                          override == (char)change->op ? 0 : override, &records->value);
        out.value = fc_buf_slice(&records->value);
        out.marks = fc_envelope_marks(records->envelope);
    }
    if (op == 'r' && change->snapshot == FC_SNAPSHOT_LAST_OF_TABLE) {
        out.op = 'e';
    }
    code = fc_buf_check(&records->key, "record key", err);
    if (code == FC_OK) {
        code = fc_buf_check(&records->value, "record", err);
    }
    if (code == FC_OK) {
        struct fc_transformed bare = *result;
        if (op == 'x') {
            bare.value = fc_slice_null(); /* a tombstone stays one */
        }
        code = apply_script(records, &bare, &out, err);
    }
    return code == FC_OK ? put_record(records, &out, err) : code;
}

static bool has_key(const struct fc_transformed *result)
{
    return result->change->shape->key_count > 0 || !fc_slice_is_null(result->key);
}

/* All records of one result but the last are followed by more of the same change. */
static fc_code put_delete(struct fc_records *records, const struct fc_transformed *result,
                          bool last_result, struct fc_error *err)
{
    const struct fc_value *row = result->change->before;
    bool tombstone = records->config.config->tombstones && has_key(result);
    fc_code code;
    records->more_follow = tombstone || !last_result;
    code = put_row(records, result, 'd', row, err);
    if (code == FC_OK && tombstone) {
        records->more_follow = !last_result;
        code = put_row(records, result, 'x', row, err);
    }
    return code;
}

static fc_code put_key_change(struct fc_records *records, const struct fc_transformed *result,
                              bool last_result, struct fc_error *err)
{
    fc_code code = put_delete(records, result, false, err);
    records->more_follow = !last_result;
    return code == FC_OK ? put_row(records, result, 'c', result->change->after, err) : code;
}

/* Changes without rows: DDL, TRUNCATE, the end of an empty table's snapshot. */
static fc_code put_rowless(struct fc_records *records, const struct fc_transformed *result,
                           bool last_result, struct fc_error *err)
{
    const struct fc_change *change = result->change;
    struct outgoing out;
    fc_code code = FC_OK;
    init_outgoing(&out);
    out.op = change->snapshot == FC_SNAPSHOT_EMPTY_TABLE ? 'E' : (char)change->op;
    records->more_follow = !last_result;
    fc_buf_clear(&records->key);
    fc_buf_clear(&records->value);
    if (change->shape != NULL) {
        code = use_shape(records, change->shape, err);
        out.has_schema = code == FC_OK;
        out.schema_id = code == FC_OK ? records->last_schema->id : 0;
        out.topic = records->last_topic;
    } else if (change->op == FC_OP_DDL) {
        code = topic_named(records, records->config.config->name, &out.topic, err);
        fc_envelope_ddl_key(records->envelope, change, &records->key);
        out.key = fc_buf_slice(&records->key);
    } else {
        code = table_topic(records, change->db, change->table, &out.topic, err);
    }
    if (code == FC_OK && out.op != 'E') {
        fc_envelope_value(records->envelope, change, 0, &records->value);
        out.value = fc_buf_slice(&records->value);
        code = fc_buf_check(&records->value, "record", err);
    }
    if (code == FC_OK) {
        code = apply_script(records, result, &out, err);
    }
    return code == FC_OK ? put_record(records, &out, err) : code;
}

fc_code fc_records_put(struct fc_records *records, const struct fc_transformed *result,
                       bool last_result, struct fc_error *err)
{
    const struct fc_change *change = result->change;
    switch (change->op) {
    case FC_OP_DELETE:
        return put_delete(records, result, last_result, err);
    case FC_OP_UPDATE:
        if (fc_key_change_is(change)) {
            return put_key_change(records, result, last_result, err);
        }
        records->more_follow = !last_result;
        return put_row(records, result, 'u', change->after, err);
    case FC_OP_READ:
    case FC_OP_CREATE:
        if (change->after != NULL) {
            records->more_follow = !last_result;
            return put_row(records, result, (char)change->op, change->after, err);
        }
        return put_rowless(records, result, last_result, err);
    case FC_OP_TRUNCATE:
    case FC_OP_DDL:
        return put_rowless(records, result, last_result, err);
    }
    return fc_fail(err, FC_ERR_PROTOCOL, "the source gave a change of unknown kind %d",
                   change->op);
}

/* The change as it came, and why it is here. A value that no record can hold is left out. */
fc_code fc_records_put_dead_letter(struct fc_records *records, const struct fc_change *change,
                                   const struct fc_error *reason, struct fc_error *err)
{
    struct outgoing out;
    struct fc_slice table =
        change->shape != NULL ? fc_slice_text(change->shape->table) : change->table;
    fc_code code;
    init_outgoing(&out);
    out.op = (char)change->op;
    fc_buf_clear(&records->key);
    fc_buf_clear(&records->value);
    code = topic_named(records, records->config.config->dead_letter_topic, &out.topic, err);
    if (code == FC_OK && change->shape != NULL) {
        code = use_shape(records, change->shape, err);
        out.has_schema = true;
        out.schema_id = records->last_schema->id;
        if (code == FC_OK &&
            fc_envelope_key(records->envelope, change->shape,
                            change->after != NULL ? change->after : change->before,
                            &records->key)) {
            out.key = fc_buf_slice(&records->key);
        }
    }
    if (code != FC_OK) {
        return code;
    }
    fc_envelope_value(records->envelope, change, 0, &records->value);
    out.value = records->value.failed ? fc_slice_null() : fc_buf_slice(&records->value);
    out.headers[1].key = fc_slice_text("fc.error");
    out.headers[1].value = fc_slice_text(reason->message);
    out.headers[2].key = fc_slice_text("fc.table");
    out.headers[2].value = table;
    out.header_count = 2;
    records->more_follow = false;
    code = put_record(records, &out, err);
    if (code == FC_ERR_LIMIT) {
        records->part--;
        out.value = fc_slice_null();
        code = put_record(records, &out, err);
    }
    return code;
}

fc_code fc_records_put_mark(struct fc_records *records, const char *json, uint64_t seq,
                            struct fc_error *err)
{
    struct outgoing out;
    fc_code code;
    init_outgoing(&out);
    fc_records_begin_change(records, NULL, seq);
    records->more_follow = false;
    out.op = 'm';
    out.value = fc_slice_text(json);
    code = topic_named(records, records->config.config->name, &out.topic, err);
    return code == FC_OK ? put_record(records, &out, err) : code;
}
