/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/wire_batch.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/batch_builder.h"
#include "core/log/bytes.h"

static void add_records(const struct wire_batch *batch, struct fc_batch_builder *builder)
{
    for (uint32_t index = 0; index < batch->count; index++) {
        char key[32];
        size_t size = batch->value_size == 0 ? sizeof(key) : batch->value_size;
        char *value = fc_new_array(char, size);
        struct fc_record record = { .timestamp_ms = batch->timestamp_ms + index };
        (void)snprintf(key, sizeof(key), "key %u", (unsigned)index);
        memset(value, 'a' + (int)(index % 20), size);
        record.key = batch->without_keys ? fc_slice_null() : fc_slice_text(key);
        record.value = fc_slice_of(value, size);
        fc_assert(fc_batch_builder_add(builder, &record, NULL) == FC_OK);
        free(value);
    }
}

void wire_batch_seal(const struct fc_batch_header *header, struct fc_buf *bytes)
{
    fc_batch_header_encode(header, bytes->data);
    fc_bytes_put32(bytes->data + 17,
                   fc_batch_crc(bytes->data, fc_slice_of(bytes->data + FC_BATCH_HEADER_SIZE,
                                                         bytes->len - FC_BATCH_HEADER_SIZE)));
}

void wire_batch_make(const struct wire_batch *batch, struct fc_buf *out_bytes)
{
    struct fc_batch_builder builder;
    struct fc_batch_header header;
    fc_batch_builder_init(&builder, batch->compression, 1 << 26);
    add_records(batch, &builder);
    fc_assert(fc_batch_builder_seal(&builder, NULL) == FC_OK);
    fc_buf_init(out_bytes, FC_BATCH_BYTES_MAX);
    fc_buf_append(out_bytes, builder.header, FC_BATCH_HEADER_SIZE);
    fc_buf_append_slice(out_bytes, builder.body);
    fc_batch_builder_release(&builder);
    fc_batch_header_decode(out_bytes->data, &header);
    header.producer_id = batch->producer_id;
    header.producer_epoch = batch->producer_id < 0 ? -1 : batch->producer_epoch;
    header.base_sequence = batch->producer_id < 0 ? -1 : batch->base_sequence;
    if (batch->transactional) {
        header.attributes |= FC_BATCH_TRANSACTIONAL;
    }
    wire_batch_seal(&header, out_bytes);
}
