/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/batch_builder.h"

#include <inttypes.h>
#include <limits.h>

#include "core/base/alloc.h"
#include "core/log/bytes.h"

enum { KEPT_BYTES_MAX = 4 * 1024 * 1024 }; /* of a buffer that the next batch may not need */

void fc_batch_builder_init(struct fc_batch_builder *builder, fc_compression compression,
                           uint64_t record_bytes_max)
{
    memset(builder, 0, sizeof(*builder));
    builder->codec = fc_codec_new();
    fc_buf_init(&builder->plain, FC_BATCH_BYTES_MAX - FC_BATCH_HEADER_SIZE);
    /* Incompressible records grow by less than 1 in 128. */
    fc_buf_init(&builder->packed, (size_t)FC_BATCH_BYTES_MAX + FC_BATCH_BYTES_MAX / 128);
    fc_batch_builder_reset(builder, compression, record_bytes_max);
}

void fc_batch_builder_release(struct fc_batch_builder *builder)
{
    fc_codec_free(builder->codec);
    builder->codec = NULL;
    fc_buf_release(&builder->plain);
    fc_buf_release(&builder->packed);
}

static void empty_buffer(struct fc_buf *buf)
{
    if (buf->capacity > KEPT_BYTES_MAX && buf->len < buf->capacity / 4) {
        fc_buf_release(buf);
    }
    fc_buf_clear(buf);
}

void fc_batch_builder_reset(struct fc_batch_builder *builder, fc_compression compression,
                            uint64_t record_bytes_max)
{
    empty_buffer(&builder->plain);
    empty_buffer(&builder->packed);
    builder->body = fc_slice_null();
    builder->base_timestamp_ms = 0;
    builder->max_timestamp_ms = 0;
    builder->record_bytes_max = record_bytes_max;
    builder->compression = compression;
    builder->count = 0;
    builder->sealed = false;
}

static uint64_t zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static size_t varint_size(int64_t value)
{
    unsigned bits = 64U - (unsigned)__builtin_clzll(zigzag(value) | 1);
    return (bits + 6) / 7;
}

static uint8_t *put_varint(uint8_t *to, int64_t value)
{
    uint64_t left = zigzag(value);
    while (left >= 0x80) {
        *to++ = (uint8_t)(left | 0x80);
        left >>= 7;
    }
    *to++ = (uint8_t)left;
    return to;
}

static size_t bytes_size(struct fc_slice bytes)
{
    return fc_slice_is_null(bytes) ? 1 : varint_size((int64_t)bytes.len) + bytes.len;
}

static uint8_t *put_bytes(uint8_t *to, struct fc_slice bytes)
{
    if (fc_slice_is_null(bytes)) {
        return put_varint(to, -1);
    }
    to = put_varint(to, (int64_t)bytes.len);
    if (bytes.len > 0) {
        memcpy(to, bytes.data, bytes.len);
    }
    return to + bytes.len;
}

static size_t body_size(const struct fc_record *record, int64_t timestamp_delta,
                        uint32_t offset_delta)
{
    size_t size = 1 + varint_size(timestamp_delta) + varint_size(offset_delta) +
                  bytes_size(record->key) + bytes_size(record->value) +
                  varint_size(record->header_count);
    for (uint32_t index = 0; index < record->header_count; index++) {
        size +=
            bytes_size(record->headers[index].key) + bytes_size(record->headers[index].value);
    }
    return size;
}

fc_code fc_batch_builder_add(struct fc_batch_builder *builder, const struct fc_record *record,
                             struct fc_error *err)
{
    int64_t base = builder->count == 0 ? record->timestamp_ms : builder->base_timestamp_ms;
    int64_t delta = (int64_t)((uint64_t)record->timestamp_ms - (uint64_t)base);
    size_t size;
    size_t whole;
    uint8_t *to;
    fc_assert(!builder->sealed);
    if (record->header_count > FC_RECORD_HEADERS_MAX) {
        return fc_fail(err, FC_ERR_LIMIT, "a record with %" PRIu32 " headers; at most %d",
                       record->header_count, FC_RECORD_HEADERS_MAX);
    }
    size = body_size(record, delta, builder->count);
    whole = size + varint_size((int64_t)size);
    if (whole > builder->record_bytes_max) {
        return fc_fail(err, FC_ERR_LIMIT,
                       "a record of %zu bytes; the topic's record_bytes_max is %" PRIu64, whole,
                       builder->record_bytes_max);
    }
    to = builder->count < INT32_MAX ? fc_buf_reserve(&builder->plain, whole) : NULL;
    if (to == NULL) {
        builder->plain.failed = false;
        return fc_fail(err, FC_ERR_NOMEM, "batch is full at %zu bytes", builder->plain.len);
    }
    to = put_varint(to, (int64_t)size);
    *to++ = 0; /* attributes: none are defined */
    to = put_varint(to, delta);
    to = put_varint(to, builder->count);
    to = put_bytes(to, record->key);
    to = put_bytes(to, record->value);
    to = put_varint(to, record->header_count);
    for (uint32_t index = 0; index < record->header_count; index++) {
        to = put_bytes(to, record->headers[index].key);
        to = put_bytes(to, record->headers[index].value);
    }
    builder->plain.len += whole;
    builder->base_timestamp_ms = base;
    if (builder->count == 0 || record->timestamp_ms > builder->max_timestamp_ms) {
        builder->max_timestamp_ms = record->timestamp_ms;
    }
    builder->count++;
    return FC_OK;
}

fc_code fc_batch_builder_seal(struct fc_batch_builder *builder, struct fc_error *err)
{
    struct fc_batch_header header = { 0 };
    fc_compression codec = builder->compression;
    builder->body = fc_buf_slice(&builder->plain);
    if (codec != FC_COMPRESSION_NONE && builder->count > 0) {
        fc_code code =
            fc_codec_compress(builder->codec, codec, builder->body, &builder->packed, err);
        if (code != FC_OK) {
            return code;
        }
        if (builder->packed.len < builder->plain.len) {
            builder->body = fc_buf_slice(&builder->packed);
        } else {
            codec = FC_COMPRESSION_NONE;
        }
    } else {
        codec = FC_COMPRESSION_NONE;
    }
    header.length = (uint32_t)(FC_BATCH_HEADER_SIZE - FC_BATCH_LENGTH_END + builder->body.len);
    header.magic = 2;
    header.attributes = (uint16_t)codec;
    header.last_offset_delta = builder->count == 0 ? 0 : (int32_t)(builder->count - 1);
    header.base_timestamp_ms = builder->base_timestamp_ms;
    header.max_timestamp_ms = builder->max_timestamp_ms;
    header.producer_id = -1;
    header.producer_epoch = -1;
    header.base_sequence = -1;
    header.count = (int32_t)builder->count;
    fc_batch_header_encode(&header, builder->header);
    fc_bytes_put32(builder->header + 17, fc_batch_crc(builder->header, builder->body));
    builder->sealed = true;
    return FC_OK;
}

uint64_t fc_batch_builder_size(const struct fc_batch_builder *builder)
{
    return FC_BATCH_HEADER_SIZE + builder->body.len;
}
