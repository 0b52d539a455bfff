/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/emit.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"

/* Closer than this, reading on is cheaper than looking for the place. */
enum { SEEK_RECORDS_MIN = 2048, CHECK_EVERY_ROWS = 4096 };

/* A table's survivors in the partition being read. */
struct source {
    const struct fc_offset_set *offsets;
    uint32_t table_index;
    int64_t next; /* INT64_MAX: no more */
};

struct emitter {
    const struct fc_emit_config *config;
    uint32_t partition;
    struct fc_stream_reader *reader;
    const struct fc_record *records; /* the batch at hand */
    uint32_t count;
    struct source *sources;
    uint32_t source_count;
    uint64_t rows;
};

static fc_code fail_record(const struct emitter *emitter, int64_t offset, const char *what,
                           struct fc_error *err)
{
    char place[FC_LOG_PLACE_SIZE];
    return fc_fail(err, FC_ERR_CORRUPT, "%s offset %" PRId64 ": %s",
                   fc_log_view_place(emitter->config->view, emitter->partition, place), offset,
                   what);
}

/* The record at an offset, which does not lie before the batch at hand. */
static fc_code find_record(struct emitter *emitter, int64_t offset,
                           const struct fc_record **out_record, struct fc_error *err)
{
    fc_code code = FC_OK;
    if (offset > fc_stream_reader_offset(emitter->reader) + SEEK_RECORDS_MIN) {
        code = fc_stream_reader_seek(emitter->reader, offset, err);
        emitter->count = 0;
    }
    while (code == FC_OK &&
           (emitter->count == 0 || emitter->records[emitter->count - 1].offset < offset)) {
        code =
            fc_stream_reader_next(emitter->reader, 0, &emitter->records, &emitter->count, err);
        if (code == FC_OK && emitter->count == 0) {
            return fail_record(emitter, offset, "the record is gone", err);
        }
    }
    if (code != FC_OK) {
        return code;
    }
    int64_t index = offset - emitter->records[0].offset;
    if (index < 0 || index >= emitter->count || emitter->records[index].offset != offset) {
        return fail_record(emitter, offset, "the record is gone", err);
    }
    *out_record = &emitter->records[index];
    return FC_OK;
}

static fc_code emit_record(struct emitter *emitter, uint32_t table_index,
                           const struct fc_record *record, struct fc_error *err)
{
    struct fc_fold_table *table = emitter->config->tables[table_index];
    struct fc_envelope_parts parts;
    struct fc_identity identity;
    struct fc_emit_row row;
    fc_code code;
    fc_assert(record != NULL);
    code = fc_identity_of(record, &identity, err);
    if (code == FC_OK) {
        code = fc_envelope_split(record->value, &parts, err);
    }
    if (code != FC_OK || fc_slice_is_null(parts.after)) {
        return fail_record(emitter, record->offset,
                           code == FC_OK
                               ? "its envelope has no row under \"after\""
                               : "its value is no envelope (a transform that sets the "
                                 "value?), so no row can be restored from it",
                           err);
    }
    row.table = table;
    row.table_index = table_index;
    row.version = fc_versions_index(&table->versions, identity.seq, identity.schema_id);
    if (!identity.has_schema ||
        table->versions.items[row.version].schema->id != identity.schema_id) {
        return fail_record(emitter, record->offset, "its table schema is not what the fold saw",
                           err);
    }
    row.key = record->key;
    row.image = parts.after;
    row.copies = 1;
    if (!table->keyed) {
        uint64_t more;
        row.copies +=
            fc_keymap_get(&table->all_copies, fc_key_hash(parts.after), &more) ? more : 0;
    }
    return emitter->config->on_row(emitter->config->ctx, &row, err);
}

/* The source with the lowest next offset. */
static struct source *lowest(struct emitter *emitter)
{
    struct source *found = &emitter->sources[0];
    for (uint32_t index = 1; index < emitter->source_count; index++) {
        if (emitter->sources[index].next < found->next) {
            found = &emitter->sources[index];
        }
    }
    return found;
}

static void step(struct source *source, int64_t from)
{
    if (!fc_offset_set_next(source->offsets, from, &source->next)) {
        source->next = INT64_MAX;
    }
}

static fc_code emit_partition(struct emitter *emitter, struct fc_error *err)
{
    const struct fc_log_partition *partition =
        &emitter->config->view->partitions[emitter->partition];
    struct source *source = lowest(emitter);
    fc_code code = FC_OK;
    if (source->next == INT64_MAX) {
        return FC_OK;
    }
    code = fc_stream_reader_open(partition->topic, partition->partition, source->next,
                                 &emitter->reader, err);
    emitter->count = 0;
    while (code == FC_OK && source->next != INT64_MAX) {
        const struct fc_record *record = NULL;
        if (++emitter->rows % CHECK_EVERY_ROWS == 0 && emitter->config->stop != NULL &&
            atomic_load(emitter->config->stop)) {
            code = fc_fail(err, FC_ERR_CLOSED, "stopped");
            break;
        }
        code = find_record(emitter, source->next, &record, err);
        if (code == FC_OK) {
            code = emit_record(emitter, source->table_index, record, err);
        }
        step(source, source->next + 1);
        source = lowest(emitter);
    }
    fc_stream_reader_close(emitter->reader);
    emitter->reader = NULL;
    return code;
}

fc_code fc_emit(const struct fc_emit_config *config, struct fc_error *err)
{
    struct emitter emitter;
    fc_code code = FC_OK;
    memset(&emitter, 0, sizeof(emitter));
    emitter.config = config;
    emitter.sources = fc_new_array(struct source, config->table_count + 1);
    for (uint32_t partition = 0; code == FC_OK && partition < config->view->partition_count;
         partition++) {
        emitter.partition = partition;
        emitter.source_count = 0;
        for (uint32_t index = 0; index < config->table_count; index++) {
            const struct fc_offset_set *offsets =
                fc_fold_table_survivors(config->tables[index], partition);
            if (offsets != NULL) {
                struct source *source = &emitter.sources[emitter.source_count++];
                source->offsets = offsets;
                source->table_index = index;
                step(source, 0);
            }
        }
        if (emitter.source_count > 0) {
            code = emit_partition(&emitter, err);
        }
    }
    free(emitter.sources);
    return code;
}
