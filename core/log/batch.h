/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header of a record batch, Kafka's format v2, as it stands on disk:
 *
 *   byte  size  field
 *      0     8  base offset            patched by the log; not under the checksum
 *      8     4  length                 of what follows this field
 *     12     4  partition leader epoch patched by the log; not under the checksum
 *     16     1  magic                  2
 *     17     4  checksum               CRC-32C of everything from byte 21 on
 *     21     2  attributes             bits 0-2 codec, 3 timestamp type, 4 transactional, 5 control,
 *                                      6 the base timestamp is the delete horizon: when
 *                                      compaction may drop what the batch deletes
 *     23     4  last offset delta
 *     27     8  base timestamp         of the first record, in ms
 *     35     8  max timestamp
 *     43     8  producer id            -1
 *     51     2  producer epoch         -1
 *     53     4  base sequence          -1
 *     57     4  record count
 *     61        records, compressed as one piece when the codec is not 0
 */
#ifndef FC_LOG_BATCH_H
#define FC_LOG_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/slice.h"

enum {
    FC_BATCH_HEADER_SIZE = 61,
    FC_BATCH_LENGTH_END = 12,                /* where the length field starts to count */
    FC_BATCH_CRC_BEGIN = 21,                 /* first byte under the checksum */
    FC_BATCH_BYTES_MAX = 1024 * 1024 * 1024, /* of one batch, plain or compressed */
    FC_BATCH_CODEC_MASK = 7,
    FC_BATCH_APPEND_TIME = 8, /* records have the max timestamp, which the log set */
    FC_BATCH_TRANSACTIONAL = 16,
    FC_BATCH_CONTROL = 32,
    FC_BATCH_HORIZON = 64
};

struct fc_batch_header {
    int64_t base_offset;
    uint32_t length;
    int32_t leader_epoch;
    uint8_t magic;
    uint32_t crc;
    uint16_t attributes;
    int32_t last_offset_delta;
    int64_t base_timestamp_ms;
    int64_t max_timestamp_ms;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t base_sequence;
    int32_t count;
};

/* `to` has room for FC_BATCH_HEADER_SIZE bytes. */
void fc_batch_header_encode(const struct fc_batch_header *header, uint8_t *to);
void fc_batch_header_decode(const uint8_t *from, struct fc_batch_header *out_header);

/* NULL when the fields can be true; otherwise what is wrong, for a message. The checksum is not
 * looked at. */
const char *fc_batch_header_check(const struct fc_batch_header *header);

/* Bytes of the whole batch; of a header that passed the check. */
static inline uint64_t fc_batch_size(const struct fc_batch_header *header)
{
    return (uint64_t)header->length + FC_BATCH_LENGTH_END;
}

static inline int64_t fc_batch_last_offset(const struct fc_batch_header *header)
{
    return header->base_offset + header->last_offset_delta;
}

/* The checksum of a batch whose header bytes and body are given apart. */
uint32_t fc_batch_crc(const uint8_t *header, struct fc_slice body);

#endif
