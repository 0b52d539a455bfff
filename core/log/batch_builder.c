/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/batch_builder.h"

#include <inttypes.h>
#include <limits.h>

#include "core/base/alloc.h"
#include "core/log/bytes.h"

enum {
    KEPT_BYTES_MAX = 4 * 1024 * 1024, /* of a buffer that the next batch may not need */
    PACK_BYTES_MIN = 16 * 1024,       /* a few records are seldom alike */
    PACK_TRY_TURNS = 64,              /* so often both ways are tried */
    PACK_LOSS_SHIFT = 3               /* by an eighth it may be larger */
};

static const size_t plain_bytes_max =
    FC_BATCH_BYTES_MAX - FC_BATCH_HEADER_SIZE + FC_LZ4_READ_SLACK;
static const size_t packed_bytes_max =
    /* Incompressible records grow by less than 1 in 128. */
    (size_t)FC_BATCH_BYTES_MAX + FC_BATCH_BYTES_MAX / 128;

void fc_batch_builder_init(struct fc_batch_builder *builder, fc_compression compression,
                           uint64_t record_bytes_max)
{
    memset(builder, 0, sizeof(*builder));
    builder->codec = fc_codec_new();
    fc_buf_init(&builder->plain, plain_bytes_max);
    fc_buf_init(&builder->packed, packed_bytes_max);
    fc_lz4_pack_init(&builder->pack);
    fc_batch_builder_reset(builder, compression, record_bytes_max);
}

void fc_batch_builder_release(struct fc_batch_builder *builder)
{
    fc_codec_free(builder->codec);
    builder->codec = NULL;
    fc_buf_release(&builder->plain);
    fc_buf_release(&builder->packed);
    fc_lz4_pack_release(&builder->pack);
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
    builder->packing = compression == FC_COMPRESSION_LZ4 &&
                       (builder->packing_small || builder->turn % PACK_TRY_TURNS == 0);
    if (builder->packing) {
        fc_lz4_pack_begin(&builder->pack, &builder->packed);
    }
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

static void put_headers(uint8_t *to, const struct fc_record *record)
{
    to = put_varint(to, record->header_count);
    for (uint32_t index = 0; index < record->header_count; index++) {
        to = put_bytes(to, record->headers[index].key);
        to = put_bytes(to, record->headers[index].value);
    }
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

/* Compress the record, which was just put behind the others. */
static void pack_record(struct fc_batch_builder *builder, const struct fc_record *record,
                        const struct fc_lz4_layout *layout)
{
    if (record->marks == NULL) {
        builder->packing = false;
        fc_buf_clear(&builder->packed);
        return;
    }
    fc_lz4_pack_record(&builder->pack, builder->plain.data, layout, record->marks,
                       &builder->packed);
}

fc_code fc_batch_builder_add(struct fc_batch_builder *builder, const struct fc_record *record,
                             struct fc_error *err)
{
    int64_t base = builder->count == 0 ? record->timestamp_ms : builder->base_timestamp_ms;
    int64_t delta = (int64_t)((uint64_t)record->timestamp_ms - (uint64_t)base);
    size_t size;
    size_t whole;
    struct fc_lz4_layout layout = { 0 };
    uint8_t *start;
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
    start = builder->count < INT32_MAX
                ? fc_buf_reserve(&builder->plain, whole + FC_LZ4_READ_SLACK)
                : NULL;
    if (start == NULL) {
        builder->plain.failed = false;
        return fc_fail(err, FC_ERR_NOMEM, "batch is full at %zu bytes", builder->plain.len);
    }
    layout.begin = (uint32_t)builder->plain.len;
    to = put_varint(start, (int64_t)size);
    *to++ = 0; /* attributes: none are defined */
    to = put_varint(to, delta);
    to = put_varint(to, builder->count);
    layout.key = layout.begin + (uint32_t)(to - start);
    to = put_bytes(to, record->key);
    layout.value = layout.begin + (uint32_t)(to - start);
    to = put_bytes(to, record->value);
    layout.headers = layout.begin + (uint32_t)(to - start);
    layout.value_text = layout.headers - (uint32_t)record->value.len;
    put_headers(to, record);
    layout.end = layout.begin + (uint32_t)whole;
    builder->plain.len += whole;
    if (builder->packing) {
        pack_record(builder, record, &layout);
    }
    builder->base_timestamp_ms = base;
    if (builder->count == 0 || record->timestamp_ms > builder->max_timestamp_ms) {
        builder->max_timestamp_ms = record->timestamp_ms;
    }
    builder->count++;
    return FC_OK;
}

/* Compress with the library, unless that was done as the records came. */
static fc_code compress(struct fc_batch_builder *builder, struct fc_error *err)
{
    struct fc_slice plain = fc_buf_slice(&builder->plain);
    bool large = plain.len >= PACK_BYTES_MIN;
    bool trying = builder->turn % PACK_TRY_TURNS == 0;
    bool packed =
        builder->packing && large &&
        fc_lz4_pack_end(&builder->pack, plain.data, (uint32_t)plain.len, &builder->packed);
    struct fc_buf other;
    fc_code code;
    builder->turn += large ? 1 : 0;
    if (!packed) {
        fc_buf_clear(&builder->packed);
        return fc_codec_compress(builder->codec, builder->compression, plain, &builder->packed,
                                 err);
    }
    if (!trying) {
        return FC_OK;
    }
    fc_buf_init(&other, packed_bytes_max);
    code = fc_codec_compress(builder->codec, builder->compression, plain, &other, err);
    builder->packing_small =
        code != FC_OK || builder->packed.len <= other.len + (other.len >> PACK_LOSS_SHIFT);
    if (!builder->packing_small) {
        struct fc_buf larger = builder->packed;
        builder->packed = other;
        other = larger;
    }
    fc_buf_release(&other);
    return FC_OK;
}

fc_code fc_batch_builder_seal(struct fc_batch_builder *builder, struct fc_error *err)
{
    struct fc_batch_header header = { 0 };
    fc_compression codec = builder->compression;
    builder->body = fc_buf_slice(&builder->plain);
    if (codec != FC_COMPRESSION_NONE && builder->count > 0) {
        fc_code code = compress(builder, err);
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
