/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch keeps its records as they will be handed to librdkafka, which compresses them on
 * threads of its own.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"
#include "core/base/reader.h"
#include "core/stream/kafka_state.h"

enum {
    BATCH_BYTES_MAX = 512 * 1024 * 1024,
    RECORD_OVERHEAD = 128, /* of a record and its batch, with room */
    HEADER_OVERHEAD = 10,
    ABSENT = -1 /* length of what is null */
};

/* One record in `bytes`: timestamp (8), key length (4), value length (4), number of headers (1),
 * for each header the lengths of its key and value (4 each); then all their bytes in that order.
 */
struct fc_kafka_batch {
    struct fc_stream_batch base;
    struct fc_buf bytes;
    uint32_t count;
    uint32_t sent;
    int64_t least; /* the partition's acknowledged end before the first was sent */
    size_t at;     /* of the next record to send */
};

static struct fc_kafka_batch *batch_of(struct fc_stream_batch *batch)
{
    return (struct fc_kafka_batch *)(void *)batch; /* its first member */
}

static const struct fc_kafka_batch *const_batch_of(const struct fc_stream_batch *batch)
{
    return (const struct fc_kafka_batch *)(const void *)batch;
}

/* --- filling ------------------------------------------------------------------------------ */

struct fc_stream_batch *fc_kafka_batch_new(struct fc_topic *topic, uint32_t partition)
{
    struct fc_kafka_batch *batch = fc_new(struct fc_kafka_batch);
    fc_buf_init(&batch->bytes, BATCH_BYTES_MAX);
    batch->base.topic = topic;
    batch->base.partition = partition;
    return &batch->base;
}

void fc_kafka_batch_free(struct fc_stream_batch *batch)
{
    fc_buf_release(&batch_of(batch)->bytes);
    free(batch_of(batch));
}

void fc_kafka_batch_reset(struct fc_stream_batch *base, struct fc_topic *topic,
                          uint32_t partition)
{
    struct fc_kafka_batch *batch = batch_of(base);
    fc_buf_clear(&batch->bytes);
    batch->count = 0;
    batch->sent = 0;
    batch->least = 0;
    batch->at = 0;
    base->topic = topic;
    base->partition = partition;
}

static size_t size_of(const struct fc_record *record)
{
    size_t size = record->key.len + record->value.len;
    for (uint32_t index = 0; index < record->header_count; index++) {
        size +=
            record->headers[index].key.len + record->headers[index].value.len + HEADER_OVERHEAD;
    }
    return size;
}

static uint32_t length_of(struct fc_slice slice)
{
    return fc_slice_is_null(slice) ? (uint32_t)ABSENT : (uint32_t)slice.len;
}

fc_code fc_kafka_batch_add(struct fc_stream_batch *base, const struct fc_record *record,
                           struct fc_error *err)
{
    struct fc_kafka_batch *batch = batch_of(base);
    struct fc_buf *bytes = &batch->bytes;
    uint64_t limit = fc_kafka_topic_of(base->topic)->message_bytes_max;
    size_t size = size_of(record);
    size_t before = bytes->len;
    if (record->header_count > FC_RECORD_HEADERS_MAX) {
        return fc_fail(err, FC_ERR_LIMIT, "a record with %" PRIu32 " headers, at most %d",
                       record->header_count, FC_RECORD_HEADERS_MAX);
    }
    if (size + RECORD_OVERHEAD > limit) {
        return fc_fail(err, FC_ERR_LIMIT,
                       "a record of %zu bytes is over max.message.bytes %" PRIu64
                       " of topic %s",
                       size, limit, base->topic->name);
    }
    fc_buf_append_be64(bytes, (uint64_t)record->timestamp_ms);
    fc_buf_append_be32(bytes, length_of(record->key));
    fc_buf_append_be32(bytes, length_of(record->value));
    fc_buf_append_u8(bytes, (uint8_t)record->header_count);
    for (uint32_t index = 0; index < record->header_count; index++) {
        fc_buf_append_be32(bytes, length_of(record->headers[index].key));
        fc_buf_append_be32(bytes, length_of(record->headers[index].value));
    }
    fc_buf_append_slice(bytes, record->key);
    fc_buf_append_slice(bytes, record->value);
    for (uint32_t index = 0; index < record->header_count; index++) {
        fc_buf_append_slice(bytes, record->headers[index].key);
        fc_buf_append_slice(bytes, record->headers[index].value);
    }
    if (bytes->failed) {
        bytes->failed = false;
        bytes->len = before;
        return fc_fail(err, FC_ERR_NOMEM, "a batch holds at most %d bytes", BATCH_BYTES_MAX);
    }
    batch->count++;
    return FC_OK;
}

uint32_t fc_kafka_batch_count(const struct fc_stream_batch *batch)
{
    return const_batch_of(batch)->count;
}

size_t fc_kafka_batch_bytes(const struct fc_stream_batch *batch)
{
    return const_batch_of(batch)->bytes.len;
}

fc_code fc_kafka_batch_seal(struct fc_stream_batch *batch, struct fc_error *err)
{
    (void)batch; /* librdkafka compresses */
    (void)err;
    return FC_OK;
}

/* --- sending ------------------------------------------------------------------------------ */

int64_t fc_kafka_batch_least(const struct fc_stream_batch *batch)
{
    const struct fc_kafka_topic *topic = fc_kafka_topic_of(batch->topic);
    return const_batch_of(batch)->sent == 0 ? topic->acked_ends[batch->partition]
                                            : const_batch_of(batch)->least;
}

bool fc_kafka_batch_is_sent(const struct fc_stream_batch *batch)
{
    return const_batch_of(batch)->sent == const_batch_of(batch)->count;
}

static struct fc_slice part_of(struct fc_reader *reader, uint32_t length)
{
    return length == (uint32_t)ABSENT ? fc_slice_null() : fc_reader_slice(reader, length);
}

static size_t bytes_of(uint32_t length)
{
    return length == (uint32_t)ABSENT ? 0 : length;
}

size_t fc_kafka_batch_next_bytes(const struct fc_stream_batch *base)
{
    const struct fc_kafka_batch *batch = const_batch_of(base);
    size_t bytes = RECORD_OVERHEAD;
    struct fc_reader reader;
    uint8_t count;
    fc_reader_init(&reader,
                   fc_slice_of(batch->bytes.data + batch->at, batch->bytes.len - batch->at));
    (void)fc_reader_be(&reader, 8); /* its time */
    bytes += bytes_of((uint32_t)fc_reader_be(&reader, 4));
    bytes += bytes_of((uint32_t)fc_reader_be(&reader, 4));
    count = fc_reader_u8(&reader);
    for (uint8_t index = 0; index < count; index++) {
        bytes += HEADER_OVERHEAD + bytes_of((uint32_t)fc_reader_be(&reader, 4));
        bytes += bytes_of((uint32_t)fc_reader_be(&reader, 4));
    }
    fc_assert(!reader.failed); /* we wrote it ourselves */
    return bytes;
}

rd_kafka_resp_err_t fc_kafka_batch_send(rd_kafka_t *producer, struct fc_stream_batch *base)
{
    struct fc_kafka_batch *batch = batch_of(base);
    struct fc_kafka_topic *topic = fc_kafka_topic_of(base->topic);
    struct fc_slice left =
        fc_slice_of(batch->bytes.data + batch->at, batch->bytes.len - batch->at);
    uint32_t lengths[FC_RECORD_HEADERS_MAX][2];
    rd_kafka_headers_t *headers = NULL;
    struct fc_reader reader;
    rd_kafka_resp_err_t answer;
    fc_reader_init(&reader, left);
    int64_t timestamp_ms = (int64_t)fc_reader_be(&reader, 8);
    uint32_t key_length = (uint32_t)fc_reader_be(&reader, 4);
    uint32_t value_length = (uint32_t)fc_reader_be(&reader, 4);
    uint8_t count = fc_reader_u8(&reader);
    for (uint8_t index = 0; index < count; index++) {
        lengths[index][0] = (uint32_t)fc_reader_be(&reader, 4);
        lengths[index][1] = (uint32_t)fc_reader_be(&reader, 4);
    }
    struct fc_slice key = part_of(&reader, key_length);
    struct fc_slice value = part_of(&reader, value_length);
    void *bytes = NULL; /* librdkafka wants them writable, and only copies them */
    if (!fc_slice_is_null(value)) {
        bytes = batch->bytes.data + (value.data - batch->bytes.data);
    }
    if (count > 0) {
        headers = rd_kafka_headers_new(count);
    }
    for (uint8_t index = 0; index < count; index++) {
        struct fc_slice name = part_of(&reader, lengths[index][0]);
        struct fc_slice content = part_of(&reader, lengths[index][1]);
        /* fails when a name is negative long */
        (void)rd_kafka_header_add(headers, (const char *)name.data, (ssize_t)name.len,
                                  content.data, (ssize_t)content.len);
    }
    fc_assert(!reader.failed); /* we wrote it ourselves */
    batch->least = fc_kafka_batch_least(base);
    answer = rd_kafka_producev(
        producer, RD_KAFKA_V_RKT(topic->producer_topic),
        RD_KAFKA_V_PARTITION((int32_t)batch->base.partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.data, key.len),
        RD_KAFKA_V_VALUE(bytes, value.len), RD_KAFKA_V_TIMESTAMP(timestamp_ms),
        RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_OPAQUE(&topic->acked_ends[batch->base.partition]), RD_KAFKA_V_END);
    if (answer == RD_KAFKA_RESP_ERR_NO_ERROR) {
        batch->sent++;
        batch->at += left.len - fc_reader_left(&reader);
    } else if (headers != NULL) {
        rd_kafka_headers_destroy(headers); /* it took them only when all went well */
    }
    return answer;
}
