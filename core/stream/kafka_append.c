/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch keeps its records as they will be handed to librdkafka, which compresses them on
 * threads of its own. An append hands them over in order; it may be called again when the
 * producer's queue was full in the middle. A flush waits until all are acknowledged.
 *
 * What cannot be delivered ends the producer: librdkafka gives up everything behind it
 * (gapless), the first reason is kept, and every later append and flush answers with it until
 * the stream is renewed. Whether what was under way then is in the log is not known, so the
 * log must be looked at.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"
#include "core/base/reader.h"
#include "core/stream/kafka_state.h"

enum {
    STALL_MS = 3000, /* without an acknowledgement, until a call gives up for now */
    POLL_MS = 100,
    QUIET_MS = 300,
    QUIET_ANSWER_MS = 50,
    QUIET_WAIT_MS = 5000, /* a slow cluster is taken as it is */
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
    size_t at; /* of the next record to send */
};

static const struct fc_kafka_property PRODUCER[] = {
    { "queue.buffering.max.messages", "500000" },
    { "queue.buffering.max.kbytes", "131072" },
    { "message.max.bytes",
      "1000000000" }, /* the cluster's limit is looked at for each record */
    { "linger.ms", "5" },
    { NULL, NULL },
};

static struct fc_kafka_batch *batch_of(struct fc_stream_batch *batch)
{
    return (struct fc_kafka_batch *)(void *)batch; /* its first member */
}

static const struct fc_kafka_batch *const_batch_of(const struct fc_stream_batch *batch)
{
    return (const struct fc_kafka_batch *)(const void *)batch;
}

/* --- batches ------------------------------------------------------------------------------ */

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

/* --- the producer ------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Keep the first reason. A producer that broke for the connection's sake, or because the
 * cluster has lost track of it, can be had anew; what was refused will be refused again. */
static void note_failure(struct fc_kafka *kafka, rd_kafka_resp_err_t answer, const char *place)
{
    char doing[FC_KAFKA_REASON_SIZE];
    struct fc_error failure = { 0 };
    char fatal[FC_KAFKA_REASON_SIZE] = "";
    (void)snprintf(doing, sizeof(doing), "write to %s", place);
    if (answer == RD_KAFKA_RESP_ERR__FATAL) {
        answer = rd_kafka_fatal_error(kafka->producer, fatal, sizeof(fatal));
    }
    switch ((int)answer) {
    case RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE:
    case RD_KAFKA_RESP_ERR__INCONSISTENT:
    case RD_KAFKA_RESP_ERR__STATE:
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING:
        (void)fc_fail_retriable(&failure, FC_ERR_IO, "Kafka: %s: %s", doing,
                                fatal[0] == '\0' ? rd_kafka_err2str(answer) : fatal);
        break;
    default:
        (void)fc_kafka_fail(kafka, answer, doing, &failure); /* into failure */
        break;
    }
    (void)pthread_mutex_lock(&kafka->lock);
    if (!kafka->failed) {
        kafka->failed = true;
        kafka->failure = failure;
    }
    (void)pthread_mutex_unlock(&kafka->lock);
}

/* The message's opaque is where its partition's end is kept. */
static void on_delivered(rd_kafka_t *handle, const rd_kafka_message_t *message, void *ctx)
{
    _Atomic int64_t *end = message->_private;
    (void)handle;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        *end = message->offset + 1; /* reports of a partition come in order */
    } else {
        note_failure(ctx, message->err, rd_kafka_topic_name(message->rkt));
    }
}

/* The lock is held. */
static fc_code start_producer(struct fc_kafka *kafka, struct fc_error *err)
{
    fc_code code = FC_OK;
    if (kafka->producer == NULL) {
        rd_kafka_conf_set_dr_msg_cb(kafka->properties, on_delivered);
        code = fc_kafka_handle(kafka, RD_KAFKA_PRODUCER, PRODUCER, &kafka->producer, err);
    }
    return code;
}

static const char *codec_name(fc_compression compression)
{
    switch (compression) {
    case FC_COMPRESSION_NONE:
        return "none";
    case FC_COMPRESSION_GZIP:
        return "gzip";
    case FC_COMPRESSION_SNAPPY:
        return "snappy";
    case FC_COMPRESSION_LZ4:
        return "lz4";
    case FC_COMPRESSION_ZSTD:
        return "zstd";
    }
    return "none";
}

/* The lock is held. */
static fc_code start_topic(struct fc_kafka *kafka, struct fc_kafka_topic *topic,
                           struct fc_error *err)
{
    char why[FC_KAFKA_REASON_SIZE] = "";
    rd_kafka_topic_conf_t *conf;
    if (topic->producer_topic != NULL) {
        return FC_OK;
    }
    conf = rd_kafka_default_topic_conf_dup(kafka->producer);
    if (!fc_kafka_has(kafka, "compression.codec") && !fc_kafka_has(kafka, "compression.type") &&
        rd_kafka_topic_conf_set(conf, "compression.codec", codec_name(topic->compression), why,
                                sizeof(why)) != RD_KAFKA_CONF_OK) {
        rd_kafka_topic_conf_destroy(conf);
        return fc_fail(err, FC_ERR_CONFIG, "Kafka: %s", why);
    }
    topic->producer_topic = rd_kafka_topic_new(kafka->producer, topic->base.name, conf);
    if (topic->producer_topic == NULL) {
        return fc_kafka_fail(kafka, rd_kafka_last_error(), "write to a topic", err);
    }
    return FC_OK;
}

static fc_code failure_of(struct fc_kafka *kafka, struct fc_error *err)
{
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&kafka->lock);
    if (kafka->failed) {
        code = kafka->failure.code;
        *err = kafka->failure;
    }
    (void)pthread_mutex_unlock(&kafka->lock);
    return code;
}

static fc_code start(struct fc_kafka *kafka, struct fc_kafka_topic *topic, struct fc_error *err)
{
    fc_code code;
    if (kafka->read_only) {
        return fc_fail(err, FC_ERR_REFUSED, "the cluster is open for reading only");
    }
    (void)pthread_mutex_lock(&kafka->lock);
    code = start_producer(kafka, err);
    code = code == FC_OK ? start_topic(kafka, topic, err) : code;
    (void)pthread_mutex_unlock(&kafka->lock);
    return code == FC_OK ? failure_of(kafka, err) : code;
}

/* --- append and flush --------------------------------------------------------------------- */

static struct fc_slice part_of(struct fc_reader *reader, uint32_t length)
{
    return length == (uint32_t)ABSENT ? fc_slice_null() : fc_reader_slice(reader, length);
}

/* Hand the next record over; it is copied. *out_size is its size in the batch. */
static rd_kafka_resp_err_t send_one(struct fc_kafka *kafka, const struct fc_kafka_batch *batch,
                                    size_t *out_size)
{
    struct fc_kafka_topic *topic = fc_kafka_topic_of(batch->base.topic);
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
    *out_size = left.len - fc_reader_left(&reader);
    answer = rd_kafka_producev(
        kafka->producer, RD_KAFKA_V_RKT(topic->producer_topic),
        RD_KAFKA_V_PARTITION((int32_t)batch->base.partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.data, key.len),
        RD_KAFKA_V_VALUE(bytes, value.len), RD_KAFKA_V_TIMESTAMP(timestamp_ms),
        RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_OPAQUE(&topic->acked_ends[batch->base.partition]), RD_KAFKA_V_END);
    if (answer != RD_KAFKA_RESP_ERR_NO_ERROR && headers != NULL) {
        rd_kafka_headers_destroy(headers); /* it took them only when all went well */
    }
    return answer;
}

/* Serve what came for the producer; false once nothing was acknowledged for too long. */
static bool wait_for_progress(struct fc_kafka *kafka, int *left, int64_t *since_ms)
{
    int before = *left;
    (void)rd_kafka_poll(kafka->producer, POLL_MS); /* how many came does not matter */
    *left = rd_kafka_outq_len(kafka->producer);
    if (*left < before) {
        *since_ms = now_ms();
    }
    return now_ms() - *since_ms < STALL_MS;
}

static fc_code fail_stall(struct fc_kafka *kafka, struct fc_error *err)
{
    return fc_kafka_fail(kafka, RD_KAFKA_RESP_ERR__TIMED_OUT, "no answer to what was written",
                         err);
}

fc_code fc_kafka_append(struct fc_stream_batch *base, int64_t *out_base, struct fc_error *err)
{
    struct fc_kafka_batch *batch = batch_of(base);
    struct fc_kafka *kafka = fc_kafka_of(base->topic->stream);
    struct fc_kafka_topic *topic = fc_kafka_topic_of(base->topic);
    int64_t since_ms = now_ms();
    fc_code code = start(kafka, topic, err);
    int left = code == FC_OK ? rd_kafka_outq_len(kafka->producer) : 0;
    while (code == FC_OK && batch->sent < batch->count) {
        size_t size = 0;
        rd_kafka_resp_err_t answer = send_one(kafka, batch, &size);
        if (answer == RD_KAFKA_RESP_ERR_NO_ERROR) {
            batch->sent++;
            batch->at += size;
            continue;
        }
        if (answer != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            note_failure(kafka, answer, base->topic->name);
        } else if (!wait_for_progress(kafka, &left, &since_ms)) {
            code = fail_stall(kafka, err);
        }
        code = code == FC_OK ? failure_of(kafka, err) : code;
    }
    if (code == FC_OK) {
        (void)rd_kafka_poll(kafka->producer, 0);
        *out_base = topic->acked_ends[base->partition];
    }
    return code;
}

fc_code fc_kafka_flush(struct fc_stream *stream, struct fc_error *err)
{
    struct fc_kafka *kafka = fc_kafka_of(stream);
    int64_t since_ms = now_ms();
    fc_code code = FC_OK;
    int left;
    if (kafka->producer == NULL) {
        return FC_OK;
    }
    left = rd_kafka_outq_len(kafka->producer);
    code = failure_of(kafka, err);
    while (code == FC_OK && rd_kafka_outq_len(kafka->producer) > 0) {
        int before = left;
        (void)rd_kafka_flush(kafka->producer, POLL_MS); /* the queue's length tells */
        left = rd_kafka_outq_len(kafka->producer);
        since_ms = left < before ? now_ms() : since_ms;
        code = failure_of(kafka, err);
        if (code == FC_OK && left > 0 && now_ms() - since_ms >= STALL_MS) {
            code = fail_stall(kafka, err);
        }
    }
    return code == FC_OK ? failure_of(kafka, err) : code;
}

void fc_kafka_end_producer(struct fc_kafka *kafka, int wait_ms)
{
    if (kafka->producer == NULL) {
        return;
    }
    if (wait_ms > 0 && !kafka->failed) {
        (void)rd_kafka_flush(kafka->producer, wait_ms); /* what is left was never promised */
    }
    (void)rd_kafka_purge(kafka->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    (void)rd_kafka_flush(kafka->producer, POLL_MS); /* takes the reports of what was purged */
    for (size_t index = 0; index < kafka->topic_count; index++) {
        if (kafka->topics[index]->producer_topic != NULL) {
            rd_kafka_topic_destroy(kafka->topics[index]->producer_topic);
            kafka->topics[index]->producer_topic = NULL;
        }
    }
    rd_kafka_destroy(kafka->producer);
    kafka->producer = NULL;
}

/*
 * A writer that was killed, or given up, may have requests on their way, which a broker appends
 * when it gets to them. So before the log is looked at, the cluster must have answered promptly
 * for a while: by then a broker has read what its dead connections still held.
 */
static fc_code wait_for_quiet(struct fc_kafka *kafka, struct fc_error *err)
{
    int64_t begin_ms = now_ms();
    int64_t quiet_since_ms = 0;
    int64_t now = begin_ms;
    fc_code code = FC_OK;
    while (code == FC_OK && now - begin_ms < QUIET_WAIT_MS &&
           (quiet_since_ms == 0 || now - quiet_since_ms < QUIET_MS)) {
        int64_t asked_ms = now_ms();
        uint32_t brokers = 0;
        code = fc_kafka_brokers(&kafka->base, &brokers, err);
        now = now_ms();
        if (quiet_since_ms == 0 || now - asked_ms > QUIET_ANSWER_MS) {
            quiet_since_ms = now;
        }
        (void)rd_kafka_poll(kafka->client, QUIET_ANSWER_MS); /* only waits */
        now = now_ms();
    }
    return code;
}

fc_code fc_kafka_renew(struct fc_stream *stream, struct fc_error *err)
{
    struct fc_kafka *kafka = fc_kafka_of(stream);
    fc_kafka_end_producer(kafka, 0);
    (void)pthread_mutex_lock(&kafka->lock);
    kafka->failed = false;
    (void)pthread_mutex_unlock(&kafka->lock);
    return wait_for_quiet(kafka, err);
}
