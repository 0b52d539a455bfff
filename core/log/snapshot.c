/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/crc32c.h"
#include "core/base/reader.h"
#include "core/log/aborted.h"
#include "core/log/bytes.h"
#include "core/log/segment.h"

enum {
    VERSION = 1,
    HEADER_SIZE = 24,
    PRODUCER_SIZE = 39,
    BATCH_SIZE = 32,
    FILE_SIZE_MAX = 1024 * 1024 * 1024
};

static int compare_ids(const void *a, const void *b)
{
    const struct fc_producer *left = *(const struct fc_producer *const *)a;
    const struct fc_producer *right = *(const struct fc_producer *const *)b;
    return left->id < right->id ? -1 : left->id > right->id;
}

static void encode_producer(const struct fc_producer *producer, struct fc_buf *to)
{
    fc_buf_append_be64(to, (uint64_t)producer->id);
    fc_buf_append_be16(to, (uint16_t)producer->epoch);
    fc_buf_append_be32(to, (uint32_t)producer->coordinator_epoch);
    fc_buf_append_be64(to, (uint64_t)producer->last_seen_ms);
    fc_buf_append_be64(to, (uint64_t)producer->transaction_offset);
    fc_buf_append_be32(to, (uint32_t)producer->last_sequence);
    fc_buf_append_u8(to, (uint8_t)producer->batches_count);
    for (uint32_t index = 0; index < producer->batches_count; index++) {
        const struct fc_producer_batch *batch = &producer->batches[index];
        fc_buf_append_be32(to, (uint32_t)batch->first_sequence);
        fc_buf_append_be32(to, (uint32_t)batch->last_sequence);
        fc_buf_append_be64(to, (uint64_t)batch->base_offset);
        fc_buf_append_be64(to, (uint64_t)batch->last_offset);
        fc_buf_append_be64(to, (uint64_t)batch->timestamp_ms);
    }
}

void fc_snapshot_encode(const struct fc_producers *producers, int64_t offset,
                        struct fc_buf *out_bytes)
{
    const struct fc_producer **sorted =
        fc_new_array(const struct fc_producer *, producers->map.count + 1);
    size_t count = 0;
    size_t cursor = 0;
    struct fc_slice key;
    void *value = NULL;
    while (fc_hashmap_next(&producers->map, &cursor, &key, &value)) {
        sorted[count++] = value;
    }
    qsort(sorted, count, sizeof(struct fc_producer *), compare_ids);
    fc_buf_init(out_bytes, FILE_SIZE_MAX);
    fc_buf_append_be32(out_bytes, 0);
    fc_buf_append_be32(out_bytes, VERSION);
    fc_buf_append_be64(out_bytes, (uint64_t)offset);
    fc_buf_append_be32(out_bytes, (uint32_t)count);
    fc_buf_append_be32(out_bytes, (uint32_t)producers->aborted_count);
    for (size_t index = 0; index < count; index++) {
        encode_producer(sorted[index], out_bytes);
    }
    fc_aborted_encode(producers->aborted, producers->aborted_count, out_bytes);
    if (!out_bytes->failed) {
        fc_bytes_put32(out_bytes->data, fc_crc32c(0, out_bytes->data + 4, out_bytes->len - 4));
    }
    free(sorted);
}

static bool decode_producer(struct fc_reader *reader, struct fc_producer *producer)
{
    producer->id = (int64_t)fc_reader_be(reader, 8);
    producer->epoch = (int16_t)fc_reader_be(reader, 2);
    producer->coordinator_epoch = (int32_t)fc_reader_be(reader, 4);
    producer->last_seen_ms = (int64_t)fc_reader_be(reader, 8);
    producer->transaction_offset = (int64_t)fc_reader_be(reader, 8);
    producer->last_sequence = (int32_t)fc_reader_be(reader, 4);
    producer->batches_count = fc_reader_u8(reader);
    if (reader->failed || producer->batches_count > FC_PRODUCER_BATCHES) {
        return false;
    }
    for (uint32_t index = 0; index < producer->batches_count; index++) {
        struct fc_producer_batch *batch = &producer->batches[index];
        batch->first_sequence = (int32_t)fc_reader_be(reader, 4);
        batch->last_sequence = (int32_t)fc_reader_be(reader, 4);
        batch->base_offset = (int64_t)fc_reader_be(reader, 8);
        batch->last_offset = (int64_t)fc_reader_be(reader, 8);
        batch->timestamp_ms = (int64_t)fc_reader_be(reader, 8);
    }
    return !reader->failed;
}

static bool decode_all(struct fc_reader *reader, uint32_t count, uint32_t aborted,
                       struct fc_producers *producers)
{
    for (uint32_t index = 0; index < count; index++) {
        struct fc_producer producer = { 0 };
        if (!decode_producer(reader, &producer) ||
            !fc_producers_restore(producers, &producer)) {
            return false;
        }
    }
    for (uint32_t index = 0; index < aborted; index++) {
        const uint8_t *bytes = fc_reader_take(reader, FC_ABORTED_SIZE);
        struct fc_aborted entry;
        if (bytes == NULL || !fc_aborted_decode(bytes, &entry)) {
            return false;
        }
        fc_producers_restore_aborted(producers, &entry);
    }
    fc_producers_restored(producers);
    return fc_reader_left(reader) == 0;
}

fc_code fc_snapshot_decode(struct fc_slice bytes, int64_t offset,
                           struct fc_producers *producers, struct fc_error *err)
{
    struct fc_reader reader;
    uint32_t count;
    uint32_t aborted;
    uint64_t named;
    if (bytes.len < HEADER_SIZE ||
        fc_bytes_get32(bytes.data) != fc_crc32c(0, bytes.data + 4, bytes.len - 4)) {
        return fc_fail(err, FC_ERR_CORRUPT, "bad checksum, damaged at byte 0");
    }
    fc_reader_init(&reader, bytes);
    fc_reader_skip(&reader, 4);
    if (fc_reader_be(&reader, 4) != VERSION) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "written in format version %" PRIu32 "; this program reads version %d",
                       fc_bytes_get32(bytes.data + 4), VERSION);
    }
    named = fc_reader_be(&reader, 8);
    count = (uint32_t)fc_reader_be(&reader, 4);
    aborted = (uint32_t)fc_reader_be(&reader, 4);
    if (named != (uint64_t)offset || !decode_all(&reader, count, aborted, producers)) {
        fc_producers_release(producers);
        fc_producers_init(producers);
        return fc_fail(err, FC_ERR_CORRUPT, "damaged at byte 8");
    }
    return FC_OK;
}

fc_code fc_snapshot_write(struct fc_fs *fs, const char *dir, int64_t offset,
                          struct fc_slice bytes, struct fc_error *err)
{
    char *path = fc_segment_path(dir, offset, FC_SEGMENT_PRODUCERS);
    fc_code code = fc_fs_replace(fs, path, bytes.data, bytes.len, err);
    free(path);
    return code;
}

fc_code fc_snapshot_read(struct fc_fs *fs, const char *dir, int64_t offset,
                         struct fc_producers *producers, struct fc_error *err)
{
    char *path = fc_segment_path(dir, offset, FC_SEGMENT_PRODUCERS);
    struct fc_buf bytes;
    fc_code code;
    fc_buf_init(&bytes, FILE_SIZE_MAX);
    code = fc_fs_read_whole(fs, path, &bytes, err);
    if (code == FC_OK) {
        code = fc_snapshot_decode(fc_buf_slice(&bytes), offset, producers, err);
        if (code == FC_ERR_CORRUPT || code == FC_ERR_CONFIG) {
            (void)fc_wrap(err, "%s", path);
        }
    }
    fc_buf_release(&bytes);
    free(path);
    return code;
}
