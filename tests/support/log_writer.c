/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/log_writer.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/checkpoint.h"
#include "runner/records.h"

struct fc_log_writer {
    struct fc_config config;
    struct fc_schema_store *schemas;
    struct fc_resume resume; /* empty: nothing is written again */
    struct fc_records *records;
    struct fc_room room;
    struct fc_unit_ring ring; /* of one unit */
    struct fc_unit *unit;
    struct fc_stream *stream;
    uint64_t seq;
    uint64_t row;
    struct fc_tx *tx; /* of the transaction under way, in the unit's batch; NULL: a snapshot */
    char *last_tx;
    int64_t commit_us;
    struct fc_checkpoint checkpoint;
};

static void must(fc_code code, const struct fc_error *err)
{
    if (code != FC_OK) {
        (void)fprintf(stderr, "log writer: %s\n", err->message);
        abort();
    }
}

static const struct fc_source_field writer_fields[] = {
    { "table", FC_SOURCE_TABLE },
    { "row", FC_SOURCE_EVENT_ROW },
    { NULL, FC_SOURCE_VALUE },
};

struct fc_log_writer *fc_log_writer_new(const struct fc_log_writer_config *config)
{
    static const struct fc_batch_limits limits = { 1U << 20, 1U << 30, 1U << 30 };
    struct fc_log_writer *writer = fc_new(struct fc_log_writer);
    struct fc_records_config records;
    struct fc_error err;
    writer->stream = config->stream;
    writer->config.name = config->connector;
    writer->config.topic = config->topic;
    writer->config.tombstones = config->tombstones;
    writer->config.dead_letter_topic = "dead";
    fc_topic_config_init(&writer->config.topic_config);
    writer->config.topic_config.partitions = config->partitions;
    must(fc_schema_store_open(config->stream, fc_clock_system(), &writer->schemas, &err), &err);
    fc_resume_init(&writer->resume);
    fc_checkpoint_init(&writer->checkpoint);
    memset(&records, 0, sizeof(records));
    records.config = &writer->config;
    records.fields = writer_fields;
    records.stream = config->stream;
    records.schemas = writer->schemas;
    records.resume = &writer->resume;
    records.clock = fc_clock_system();
    fc_room_init(&writer->room, NULL); /* the disk of tests is not full */
    records.room = &writer->room;
    writer->records = fc_records_new(&records);
    fc_unit_ring_init(&writer->ring, 1, &limits);
    writer->unit = fc_unit_ring_begin(&writer->ring);
    writer->last_tx = fc_strdup("");
    return writer;
}

void fc_log_writer_free(struct fc_log_writer *writer)
{
    if (writer != NULL) {
        fc_records_free(writer->records);
        fc_room_release(&writer->room);
        fc_unit_ring_release(&writer->ring);
        fc_resume_release(&writer->resume);
        fc_schema_store_close(writer->schemas);
        fc_checkpoint_release(&writer->checkpoint);
        free(writer->last_tx);
        free(writer);
    }
}

static void *hold(struct fc_log_writer *writer, const void *data, size_t size)
{
    void *to = fc_batch_alloc(writer->unit->batch, size + 1);
    fc_assert(to != NULL);
    if (size > 0) {
        memcpy(to, data, size);
    }
    return to;
}

static struct fc_slice hold_text(struct fc_log_writer *writer, const char *text)
{
    return fc_slice_of(hold(writer, text, strlen(text)), strlen(text));
}

static struct fc_slice hold_slice(struct fc_log_writer *writer, struct fc_slice slice)
{
    return fc_slice_is_null(slice)
               ? slice
               : fc_slice_of(hold(writer, slice.data, slice.len), slice.len);
}

uint64_t fc_log_writer_begin(struct fc_log_writer *writer, const char *tx_id, int64_t commit_us)
{
    fc_batch_clear(writer->unit->batch);
    writer->tx = NULL;
    writer->commit_us = commit_us;
    writer->row = 0;
    if (tx_id != NULL) {
        struct fc_tx tx;
        tx.id = hold_text(writer, tx_id);
        tx.commit_us = commit_us;
        writer->tx = hold(writer, &tx, sizeof(tx));
        free(writer->last_tx);
        writer->last_tx = fc_strdup(tx_id);
    }
    return ++writer->seq;
}

static struct fc_change *add_change(struct fc_log_writer *writer, fc_op op,
                                    const struct fc_shape *shape)
{
    struct fc_change *change = fc_batch_add(writer->unit->batch);
    fc_assert(change != NULL);
    change->op = op;
    change->shape = shape;
    change->tx = writer->tx;
    change->ts_us = writer->commit_us;
    change->row = writer->row++;
    return change;
}

static struct fc_value *hold_row(struct fc_log_writer *writer, const struct fc_shape *shape,
                                 const struct fc_value *row)
{
    struct fc_value *copy;
    if (row == NULL) {
        return NULL;
    }
    copy = hold(writer, row, shape->column_count * sizeof(*row));
    for (uint32_t index = 0; index < shape->column_count; index++) {
        if (copy[index].kind == FC_VALUE_TEXT || copy[index].kind == FC_VALUE_BYTES) {
            copy[index].as.bytes = hold_slice(writer, copy[index].as.bytes);
        }
    }
    return copy;
}

void fc_log_writer_row(struct fc_log_writer *writer, fc_op op, const struct fc_shape *shape,
                       const struct fc_value *before, const struct fc_value *after)
{
    struct fc_change *change = add_change(writer, op, shape);
    change->snapshot = op == FC_OP_READ ? FC_SNAPSHOT_ROW : FC_SNAPSHOT_NO;
    change->before = hold_row(writer, shape, before);
    change->after = hold_row(writer, shape, after);
}

void fc_log_writer_snapshot_end(struct fc_log_writer *writer, const struct fc_shape *shape,
                                const struct fc_value *after)
{
    struct fc_change *change = add_change(writer, FC_OP_READ, shape);
    change->snapshot = after == NULL ? FC_SNAPSHOT_EMPTY_TABLE : FC_SNAPSHOT_LAST_OF_TABLE;
    change->after = hold_row(writer, shape, after);
    writer->row = 0; /* the next table's are counted from there */
}

void fc_log_writer_truncate(struct fc_log_writer *writer, const char *db, const char *table)
{
    struct fc_change *change = add_change(writer, FC_OP_TRUNCATE, NULL);
    change->db = hold_text(writer, db);
    change->table = hold_text(writer, table);
}

void fc_log_writer_ddl(struct fc_log_writer *writer, fc_ddl_kind kind, const char *db,
                       const char *statement, const struct fc_ddl_table *tables, uint32_t count)
{
    struct fc_change *change = add_change(writer, FC_OP_DDL, NULL);
    struct fc_ddl_table *copies = hold(writer, tables, count * sizeof(*tables));
    struct fc_ddl ddl;
    for (uint32_t index = 0; index < count; index++) {
        copies[index].db = hold_slice(writer, tables[index].db);
        copies[index].table = hold_slice(writer, tables[index].table);
        copies[index].new_db = hold_slice(writer, tables[index].new_db);
        copies[index].new_table = hold_slice(writer, tables[index].new_table);
    }
    memset(&ddl, 0, sizeof(ddl));
    ddl.kind = kind;
    ddl.statement = hold_text(writer, statement);
    ddl.tables = copies;
    ddl.table_count = count;
    change->db = hold_text(writer, db);
    change->ddl = hold(writer, &ddl, sizeof(ddl));
}

/* What the writer of the pipeline does with a unit. */
static void append_unit(struct fc_log_writer *writer)
{
    struct fc_unit *unit = writer->unit;
    struct fc_error err;
    for (size_t index = 0; index < unit->schema_count; index++) {
        bool appended;
        must(fc_schema_store_write(writer->schemas, unit->schemas[index], &appended, &err),
             &err);
    }
    for (size_t index = 0; index < unit->output_count; index++) {
        struct fc_stream_batch *batch = unit->outputs[index].batch;
        const char *topic = fc_topic_name(unit->outputs[index].topic);
        int64_t base;
        must(fc_stream_batch_seal(batch, &err), &err);
        must(fc_stream_append(batch, &base, &err), &err);
        if (fc_checkpoint_topic(&writer->checkpoint, topic) == NULL) {
            (void)fc_checkpoint_add_topic(&writer->checkpoint, topic,
                                          fc_topic_partitions(unit->outputs[index].topic));
        }
    }
    fc_unit_ring_fill(&writer->ring, unit);
    unit = fc_unit_ring_take(&writer->ring);
    fc_unit_ring_worked(&writer->ring, unit);
    unit = fc_unit_ring_next(&writer->ring, 0);
    fc_unit_ring_written(&writer->ring, unit);
    writer->unit = fc_unit_ring_begin(&writer->ring);
}

static void encode(struct fc_log_writer *writer)
{
    struct fc_unit *unit = writer->unit;
    struct fc_error err;
    fc_records_begin_unit(writer->records, unit, "mysql");
    for (uint32_t index = 0; index < unit->batch->count; index++) {
        struct fc_transformed plain;
        memset(&plain, 0, sizeof(plain));
        plain.change = &unit->batch->changes[index];
        fc_records_begin_change(writer->records, plain.change, writer->seq);
        must(fc_records_put(writer->records, &plain, true, &err), &err);
    }
}

void fc_log_writer_commit(struct fc_log_writer *writer)
{
    struct fc_batch *batch = writer->unit->batch;
    if (batch->count > 0 && writer->tx != NULL) {
        batch->changes[batch->count - 1].tx_last = true;
    }
    encode(writer);
    append_unit(writer);
}

void fc_log_writer_break_off(struct fc_log_writer *writer)
{
    encode(writer);
    append_unit(writer);
}

uint64_t fc_log_writer_mark(struct fc_log_writer *writer, const char *db, const char *table,
                            uint64_t cut_seq)
{
    char json[512];
    struct fc_error err;
    (void)snprintf(json, sizeof(json),
                   "{\"db\":\"%s\",\"table\":\"%s\",\"cut_seq\":%" PRIu64 "}", db, table,
                   cut_seq);
    fc_batch_clear(writer->unit->batch);
    fc_records_begin_unit(writer->records, writer->unit, "mysql");
    must(fc_records_put_mark(writer->records, json, ++writer->seq, &err), &err);
    append_unit(writer);
    return writer->seq;
}

void fc_log_writer_checkpoint(struct fc_log_writer *writer)
{
    struct fc_error err;
    writer->checkpoint.present = true;
    writer->checkpoint.seq = writer->seq;
    fc_buf_clear(&writer->checkpoint.tx);
    fc_buf_append_text(&writer->checkpoint.tx, writer->last_tx);
    for (size_t index = 0; index < writer->checkpoint.topic_count; index++) {
        struct fc_checkpoint_topic *entry = &writer->checkpoint.topics[index];
        struct fc_topic *topic = NULL;
        must(fc_stream_topic(writer->stream, entry->name, &topic, &err), &err);
        for (uint32_t partition = 0; partition < entry->partitions; partition++) {
            struct fc_offsets offsets;
            must(fc_stream_offsets(topic, partition, &offsets, &err), &err);
            entry->ends[partition] = offsets.end;
        }
    }
    must(fc_checkpoint_append(writer->stream, writer->config.name, &writer->checkpoint,
                              fc_clock_system(), &err),
         &err);
    must(fc_stream_flush(writer->stream, &err), &err);
}
