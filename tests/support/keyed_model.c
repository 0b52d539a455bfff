/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/keyed_model.h"

#include <stdio.h>

#include "core/base/alloc.h"
#include "core/log/batch_builder.h"
#include "tests/support/wire_batch.h"

int keyed_model_fate(const struct keyed_model *model, int64_t offset)
{
    const struct keyed_entry *entry = &model->log[offset];
    if (!entry->transactional) {
        return 1;
    }
    for (int64_t at = offset + 1; at < model->end; at++) {
        if (model->log[at].key < 0 && model->log[at].producer_id == entry->producer_id) {
            return model->log[at].commit ? 1 : -1;
        }
    }
    return 0;
}

int64_t keyed_model_last(const struct keyed_model *model, int32_t key, int64_t to)
{
    for (int64_t at = to - 1; at >= 0; at--) {
        if (model->log[at].key == key && keyed_model_fate(model, at) == 1) {
            return at;
        }
    }
    return -1;
}

int64_t keyed_model_stable(const struct keyed_model *model)
{
    int64_t offset = 0;
    while (offset < model->end && keyed_model_fate(model, offset) != 0) {
        offset++;
    }
    return offset;
}

int32_t keyed_model_records_of(const struct keyed_model *model, int64_t producer_id)
{
    int32_t count = 0;
    for (int64_t at = 0; at < model->end; at++) {
        count += model->log[at].key >= 0 && model->log[at].producer_id == producer_id;
    }
    return count;
}

const char *keyed_model_differs(const struct keyed_model *model, const struct fc_record *record)
{
    const struct keyed_entry *entry = &model->log[record->offset];
    char key[64];
    char value[64];
    bool same;
    if (record->offset < 0 || record->offset >= model->end) {
        return "an offset that never was:";
    }
    (void)snprintf(key, sizeof(key), "key %d", (int)entry->key);
    (void)snprintf(value, sizeof(value), "value of %lld", (long long)record->offset);
    if (!fc_slice_equal(record->key, fc_slice_text(key))) {
        return "another key at";
    }
    same = entry->tombstone ? fc_slice_is_null(record->value)
                            : fc_slice_equal(record->value, fc_slice_text(value));
    if (!same) {
        return "another value at";
    }
    return record->header_count == (uint32_t)(record->offset % 3 == 0) ? NULL
                                                                       : "other headers at";
}

static void add_record(const struct keyed_model *model, int64_t offset, int64_t timestamp_ms,
                       struct fc_batch_builder *builder)
{
    const struct keyed_entry *entry = &model->log[offset];
    const struct fc_header header = { fc_slice_text("h"), fc_slice_null() };
    struct fc_record record = { .timestamp_ms = timestamp_ms - offset % 7 };
    char key[64];
    char value[64];
    (void)snprintf(key, sizeof(key), "key %d", (int)entry->key);
    (void)snprintf(value, sizeof(value), "value of %lld", (long long)offset);
    record.key = fc_slice_text(key);
    record.value = entry->tombstone ? fc_slice_null() : fc_slice_text(value);
    record.headers = &header;
    record.header_count = offset % 3 == 0;
    fc_assert(fc_batch_builder_add(builder, &record, NULL) == FC_OK);
}

void keyed_model_make(const struct keyed_model *model, const struct keyed_batch *batch,
                      struct fc_buf *out_bytes)
{
    const struct keyed_entry *first = &model->log[model->end];
    struct fc_batch_builder builder;
    struct fc_batch_header header;
    fc_batch_builder_init(&builder, batch->compression, 1 << 20);
    for (uint32_t delta = 0; delta < batch->count; delta++) {
        add_record(model, model->end + delta, batch->timestamp_ms, &builder);
    }
    fc_assert(fc_batch_builder_seal(&builder, NULL) == FC_OK);
    fc_buf_init(out_bytes, 1 << 20);
    fc_buf_append(out_bytes, builder.header, FC_BATCH_HEADER_SIZE);
    fc_buf_append_slice(out_bytes, builder.body);
    fc_batch_builder_release(&builder);
    fc_batch_header_decode(out_bytes->data, &header);
    if (first->producer_id >= 0) {
        header.producer_id = first->producer_id;
        header.producer_epoch = 0;
        header.base_sequence = batch->base_sequence;
        header.attributes |= first->transactional ? FC_BATCH_TRANSACTIONAL : 0;
    }
    wire_batch_seal(&header, out_bytes);
}
