/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/batch.h"

#include "core/base/crc32c.h"
#include "core/log/bytes.h"

void fc_batch_header_encode(const struct fc_batch_header *header, uint8_t *to)
{
    fc_bytes_put64(to, (uint64_t)header->base_offset);
    fc_bytes_put32(to + 8, header->length);
    fc_bytes_put32(to + 12, (uint32_t)header->leader_epoch);
    to[16] = header->magic;
    fc_bytes_put32(to + 17, header->crc);
    fc_bytes_put16(to + 21, header->attributes);
    fc_bytes_put32(to + 23, (uint32_t)header->last_offset_delta);
    fc_bytes_put64(to + 27, (uint64_t)header->base_timestamp_ms);
    fc_bytes_put64(to + 35, (uint64_t)header->max_timestamp_ms);
    fc_bytes_put64(to + 43, (uint64_t)header->producer_id);
    fc_bytes_put16(to + 51, (uint16_t)header->producer_epoch);
    fc_bytes_put32(to + 53, (uint32_t)header->base_sequence);
    fc_bytes_put32(to + 57, (uint32_t)header->count);
}

void fc_batch_header_decode(const uint8_t *from, struct fc_batch_header *out_header)
{
    out_header->base_offset = (int64_t)fc_bytes_get64(from);
    out_header->length = fc_bytes_get32(from + 8);
    out_header->leader_epoch = (int32_t)fc_bytes_get32(from + 12);
    out_header->magic = from[16];
    out_header->crc = fc_bytes_get32(from + 17);
    out_header->attributes = fc_bytes_get16(from + 21);
    out_header->last_offset_delta = (int32_t)fc_bytes_get32(from + 23);
    out_header->base_timestamp_ms = (int64_t)fc_bytes_get64(from + 27);
    out_header->max_timestamp_ms = (int64_t)fc_bytes_get64(from + 35);
    out_header->producer_id = (int64_t)fc_bytes_get64(from + 43);
    out_header->producer_epoch = (int16_t)fc_bytes_get16(from + 51);
    out_header->base_sequence = (int32_t)fc_bytes_get32(from + 53);
    out_header->count = (int32_t)fc_bytes_get32(from + 57);
}

const char *fc_batch_header_check(const struct fc_batch_header *header)
{
    if (header->length < FC_BATCH_HEADER_SIZE - FC_BATCH_LENGTH_END) {
        return "batch length is too small";
    }
    if (header->length > FC_BATCH_BYTES_MAX) {
        return "batch length is too large";
    }
    if (header->magic != 2) {
        return "batch magic is not 2";
    }
    if (header->base_offset < 0 || header->last_offset_delta < 0 ||
        header->base_offset > INT64_MAX - INT32_MAX) {
        return "batch offsets are out of range";
    }
    if (header->count < 0 || header->count > header->last_offset_delta + (int64_t)1) {
        return "batch record count is out of range";
    }
    return NULL;
}

uint32_t fc_batch_crc(const uint8_t *header, struct fc_slice body)
{
    uint32_t crc = fc_crc32c(0, header + FC_BATCH_CRC_BEGIN,
                             (size_t)FC_BATCH_HEADER_SIZE - FC_BATCH_CRC_BEGIN);
    return fc_crc32c(crc, body.data, body.len);
}
