/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A control batch holds one record: its key is a version (2 bytes) and a type (2 bytes; 0 abort,
 * 1 commit), its value a version (2 bytes) and the coordinator's epoch (4 bytes).
 */
#include <inttypes.h>

#include "core/base/reader.h"
#include "core/log/bytes.h"
#include "core/log/producers.h"

enum {
    TYPE_ABORT = 0,
    TYPE_COMMIT = 1,
    RECORD_LENGTH = 16, /* of what follows the record's own length */
    KEY_LENGTH = 4,
    VALUE_LENGTH = 6
};

fc_code fc_marker_decode(struct fc_slice body, struct fc_marker *out_marker,
                         struct fc_error *err)
{
    struct fc_reader reader;
    struct fc_slice key;
    int64_t key_length;
    int64_t value_length;
    uint64_t type;
    fc_reader_init(&reader, body);
    (void)fc_reader_varint(&reader); /* length, attributes, timestamp, offset */
    (void)fc_reader_u8(&reader);
    (void)fc_reader_varint(&reader);
    (void)fc_reader_varint(&reader);
    key_length = fc_reader_varint(&reader);
    if (reader.failed || key_length < KEY_LENGTH) {
        return fc_fail(err, FC_ERR_CORRUPT, "control batch without a key");
    }
    key = fc_reader_slice(&reader, (size_t)key_length);
    value_length = fc_reader_varint(&reader);
    (void)fc_reader_be(&reader, 2); /* version */
    out_marker->coordinator_epoch = (int32_t)fc_reader_be(&reader, 4);
    if (reader.failed || value_length < VALUE_LENGTH) {
        return fc_fail(err, FC_ERR_CORRUPT, "control batch without a value");
    }
    type = fc_bytes_get16(key.data + 2);
    if (type != TYPE_ABORT && type != TYPE_COMMIT) {
        return fc_fail(err, FC_ERR_CORRUPT, "control batch of type %" PRIu64, type);
    }
    out_marker->commit = type == TYPE_COMMIT;
    return FC_OK;
}

void fc_marker_encode(const struct fc_marker *marker, int64_t producer_id, int16_t epoch,
                      int64_t timestamp_ms, uint8_t to[FC_MARKER_BATCH_SIZE])
{
    struct fc_batch_header header = {
        .length = FC_MARKER_BATCH_SIZE - FC_BATCH_LENGTH_END,
        .magic = 2,
        .attributes = FC_BATCH_TRANSACTIONAL | FC_BATCH_CONTROL,
        .base_timestamp_ms = timestamp_ms,
        .max_timestamp_ms = timestamp_ms,
        .producer_id = producer_id,
        .producer_epoch = epoch,
        .base_sequence = -1,
        .count = 1,
    };
    uint8_t *body = to + FC_BATCH_HEADER_SIZE;
    memset(body, 0, FC_MARKER_BATCH_SIZE - FC_BATCH_HEADER_SIZE);
    body[0] = RECORD_LENGTH * 2; /* lengths are zig-zag varints */
    body[4] = KEY_LENGTH * 2;
    fc_bytes_put16(body + 7, marker->commit ? TYPE_COMMIT : TYPE_ABORT);
    body[9] = VALUE_LENGTH * 2;
    fc_bytes_put32(body + 12, (uint32_t)marker->coordinator_epoch);
    fc_batch_header_encode(&header, to);
    fc_bytes_put32(to + 17, fc_batch_crc(to, fc_slice_of(body, FC_MARKER_BATCH_SIZE -
                                                                   FC_BATCH_HEADER_SIZE)));
}
