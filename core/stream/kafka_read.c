/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader is one partition of one consumer, started at an offset, with a queue of its own.
 * Records borrow from librdkafka's messages until the next call. What is there (below the end
 * that the cluster names) is waited for, whatever wait_ms says: it only takes a fetch.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/cluster/cluster.h"
#include "core/stream/kafka_state.h"

enum {
    READ_COUNT_MAX = 1024,
    READ_WAIT_MS = 30000,               /* for records that the cluster says it has */
    NUDGE_RECORDS = 8 * READ_COUNT_MAX, /* once in as many */
    SLICE_MS = 100
};

struct kafka_reader {
    struct fc_stream_reader base;
    uint32_t partition;
    struct fc_kafka_consumer *consumer;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue;
    bool started;
    int64_t offset;              /* of the next call */
    int64_t end;                 /* the newest known */
    int64_t passed;              /* there is nothing to read before it; 0: not known */
    rd_kafka_resp_err_t pending; /* came behind the records given out */
    rd_kafka_message_t *messages[READ_COUNT_MAX];
    uint32_t message_count;
    uint32_t since_nudge; /* records taken */
    struct fc_record records[READ_COUNT_MAX];
    struct fc_header *headers; /* FC_RECORD_HEADERS_MAX or more a record, as they come */
    size_t header_capacity;
};

/* A fetch that finds nothing must not hold up the next one on its connection for long. */
static const struct fc_kafka_property CONSUMER[] = {
    { "fetch.wait.max.ms", "20" },
    { "fetch.error.backoff.ms", "50" },
    { "queued.min.messages", "100000" },
    { "queued.max.messages.kbytes", "16384" }, /* of each partition that is read */
    { NULL, NULL },
};

static struct kafka_reader *reader_of(struct fc_stream_reader *reader)
{
    return (struct kafka_reader *)(void *)reader; /* its first member */
}

static int64_t now_ms(void)
{
    return fc_clock_steady_ms(fc_clock_system());
}

/* --- consumers ---------------------------------------------------------------------------- */

static bool has_claim(const struct fc_kafka_consumer *consumer, const struct fc_topic *topic,
                      uint32_t partition)
{
    for (size_t index = 0; index < consumer->claim_count; index++) {
        if (consumer->claims[index].topic == topic &&
            consumer->claims[index].partition == partition) {
            return true;
        }
    }
    return false;
}

/* The lock is held. */
static fc_code add_consumer(struct fc_kafka *kafka, struct fc_kafka_consumer **out_consumer,
                            struct fc_error *err)
{
    rd_kafka_t *handle = NULL;
    fc_code code = fc_kafka_handle(kafka, RD_KAFKA_CONSUMER, CONSUMER, &handle, err);
    if (code != FC_OK) {
        return code;
    }
    *out_consumer = fc_new(struct fc_kafka_consumer);
    (*out_consumer)->handle = handle;
    kafka->consumers = fc_realloc_array(kafka->consumers, kafka->consumer_count + 1,
                                        sizeof(struct fc_kafka_consumer *));
    kafka->consumers[kafka->consumer_count++] = *out_consumer;
    return FC_OK;
}

static fc_code claim(struct fc_kafka *kafka, struct kafka_reader *reader, struct fc_error *err)
{
    struct fc_kafka_consumer *found = NULL;
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&kafka->lock);
    for (size_t index = 0; found == NULL && index < kafka->consumer_count; index++) {
        if (!has_claim(kafka->consumers[index], reader->base.topic, reader->partition)) {
            found = kafka->consumers[index];
        }
    }
    if (found == NULL) {
        code = add_consumer(kafka, &found, err);
    }
    if (code == FC_OK) {
        found->claims =
            fc_realloc_array(found->claims, found->claim_count + 1, sizeof(*found->claims));
        found->claims[found->claim_count++] =
            (struct fc_kafka_claim){ reader->base.topic, reader->partition };
        reader->consumer = found;
    }
    (void)pthread_mutex_unlock(&kafka->lock);
    return code;
}

static void unclaim(struct fc_kafka *kafka, const struct kafka_reader *reader)
{
    struct fc_kafka_consumer *consumer = reader->consumer;
    (void)pthread_mutex_lock(&kafka->lock);
    for (size_t index = 0; index < consumer->claim_count; index++) {
        if (consumer->claims[index].topic == reader->base.topic &&
            consumer->claims[index].partition == reader->partition) {
            consumer->claims[index] = consumer->claims[--consumer->claim_count];
            break;
        }
    }
    (void)pthread_mutex_unlock(&kafka->lock);
}

void fc_kafka_free_consumers(struct fc_kafka *kafka)
{
    for (size_t index = 0; index < kafka->consumer_count; index++) {
        fc_cluster_destroy(kafka->consumers[index]->handle);
        free(kafka->consumers[index]->claims);
        free(kafka->consumers[index]);
    }
    free(kafka->consumers);
    kafka->consumers = NULL;
    kafka->consumer_count = 0;
}

/* --- open, seek, close -------------------------------------------------------------------- */

static void release_messages(struct kafka_reader *reader)
{
    for (uint32_t index = 0; index < reader->message_count; index++) {
        rd_kafka_message_destroy(reader->messages[index]);
    }
    reader->message_count = 0;
}

static void stop(struct kafka_reader *reader)
{
    release_messages(reader);
    reader->pending = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (reader->started) {
        (void)rd_kafka_consume_stop(reader->topic,
                                    (int32_t)reader->partition); /* was started */
        reader->started = false;
    }
    if (reader->queue != NULL) {
        rd_kafka_queue_destroy(reader->queue); /* with what was fetched for the old place */
        reader->queue = NULL;
    }
}

static fc_code check_offset(struct kafka_reader *reader, int64_t offset, struct fc_error *err)
{
    const struct fc_topic *topic = reader->base.topic;
    struct fc_offsets offsets = { 0 };
    fc_code code = fc_kafka_offsets(reader->base.topic, reader->partition, &offsets, err);
    if (code == FC_OK && (offset < offsets.start || offset > offsets.end)) {
        code = fc_fail(err, FC_ERR_NOT_FOUND,
                       "%s/%" PRIu32 " has offsets %" PRId64 " to %" PRId64 ", not %" PRId64,
                       topic->name, reader->partition, offsets.start, offsets.end, offset);
    }
    if (code == FC_OK) {
        reader->end = offsets.end;
    }
    return code;
}

static fc_code start_at(struct kafka_reader *reader, int64_t offset, struct fc_error *err)
{
    struct fc_kafka *kafka = fc_kafka_of(reader->base.topic->stream);
    reader->queue = rd_kafka_queue_new(reader->consumer->handle);
    reader->offset = offset;
    reader->passed = 0;
    if (rd_kafka_consume_start_queue(reader->topic, (int32_t)reader->partition, offset,
                                     reader->queue) != 0) {
        return fc_kafka_fail(kafka, rd_kafka_last_error(), "read a partition", err);
    }
    reader->started = true;
    return FC_OK;
}

fc_code fc_kafka_reader_open(struct fc_topic *topic, uint32_t partition, int64_t offset,
                             struct fc_stream_reader **out_reader, struct fc_error *err)
{
    struct fc_kafka *kafka = fc_kafka_of(topic->stream);
    struct kafka_reader *reader = fc_new(struct kafka_reader);
    fc_code code;
    reader->base.topic = topic;
    reader->partition = partition;
    code = check_offset(reader, offset, err);
    code = code == FC_OK ? claim(kafka, reader, err) : code;
    if (code == FC_OK) {
        reader->topic = rd_kafka_topic_new(reader->consumer->handle, topic->name, NULL);
        code = reader->topic == NULL
                   ? fc_kafka_fail(kafka, rd_kafka_last_error(), "read a topic", err)
                   : start_at(reader, offset, err);
    }
    if (code != FC_OK) {
        fc_kafka_reader_close(&reader->base);
        return code;
    }
    *out_reader = &reader->base;
    return FC_OK;
}

void fc_kafka_reader_close(struct fc_stream_reader *base)
{
    struct kafka_reader *reader = reader_of(base);
    stop(reader);
    if (reader->topic != NULL) {
        rd_kafka_topic_destroy(reader->topic);
    }
    if (reader->consumer != NULL) {
        unclaim(fc_kafka_of(base->topic->stream), reader);
    }
    free(reader->headers);
    free(reader);
}

int64_t fc_kafka_reader_offset(const struct fc_stream_reader *base)
{
    return ((const struct kafka_reader *)(const void *)base)->offset;
}

fc_code fc_kafka_reader_seek(struct fc_stream_reader *base, int64_t offset,
                             struct fc_error *err)
{
    struct kafka_reader *reader = reader_of(base);
    fc_code code = FC_OK;
    if (offset == reader->offset && reader->pending == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return FC_OK;
    }
    code = check_offset(reader, offset, err);
    if (code == FC_OK) {
        stop(reader);
        code = start_at(reader, offset, err);
    }
    return code;
}

/* --- next --------------------------------------------------------------------------------- */

static fc_code fail_read(struct kafka_reader *reader, rd_kafka_resp_err_t answer,
                         struct fc_error *err)
{
    fc_code code = fc_kafka_fail(fc_kafka_of(reader->base.topic->stream), answer, "read", err);
    if (answer == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
        answer == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
        code = fc_fail(err, FC_ERR_NOT_FOUND, "offset %" PRId64 " is not there any more",
                       reader->offset);
    }
    (void)fc_wrap(err, "%s/%" PRIu32, reader->base.topic->name, reader->partition);
    return code;
}

/* Keep the message as a record, or note what it says instead. True: nothing after it counts. */
static bool take(struct kafka_reader *reader, rd_kafka_message_t *message)
{
    rd_kafka_resp_err_t answer = message->err;
    if (answer == RD_KAFKA_RESP_ERR_NO_ERROR) {
        reader->messages[reader->message_count++] = message;
        return reader->message_count == READ_COUNT_MAX;
    }
    if (answer == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        reader->passed = message->offset;
        answer = RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    rd_kafka_message_destroy(message);
    reader->pending = answer;
    return answer != RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Wait for the first message, and take those that have come with it. */
static void collect(struct kafka_reader *reader, int wait_ms)
{
    bool done = false;
    rd_kafka_message_t *message = rd_kafka_consume_queue(reader->queue, wait_ms);
    while (message != NULL && !done) {
        done = take(reader, message);
        message = done ? NULL : rd_kafka_consume_queue(reader->queue, 0);
    }
}

/* What stands at the end may be no record, but a mark, or what was aborted or removed. */
static void skip_passed(struct kafka_reader *reader)
{
    reader->offset = reader->passed > reader->offset ? reader->passed : reader->offset;
}

/*
 * librdkafka stops fetching when its queue is full, and sees that it is not any more only when
 * something wakes the broker's thread, or after a second (its fetch.queue.backoff.ms came with
 * 2.3). A question to that broker wakes it.
 */
static void nudge(struct kafka_reader *reader)
{
    int64_t low = 0;
    int64_t high = 0;
    reader->since_nudge += reader->message_count;
    if (reader->since_nudge < NUDGE_RECORDS || reader->offset >= reader->end) {
        return;
    }
    reader->since_nudge = 0;
    /* only asked for the asking; an error will come with the records, too */
    (void)fc_cluster_watermarks(reader->consumer->handle, reader->base.topic->name,
                                reader->partition, SLICE_MS, &low, &high);
}

static bool is_transient(rd_kafka_resp_err_t answer)
{
    return answer == RD_KAFKA_RESP_ERR__TRANSPORT ||
           answer == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
           answer == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
           answer == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
           answer == RD_KAFKA_RESP_ERR__TIMED_OUT;
}

/* Until there are records, the end, an error, or no time left. */
static fc_code wait_for_records(struct kafka_reader *reader, int wait_ms, struct fc_error *err)
{
    struct fc_kafka *kafka = fc_kafka_of(reader->base.topic->stream);
    unsigned wakes = kafka->wakes;
    int64_t begin_ms = now_ms();
    for (;;) {
        bool at_end = reader->offset >= reader->end;
        int64_t left = begin_ms + (at_end ? wait_ms : READ_WAIT_MS) - now_ms();
        if (at_end && (left <= 0 || kafka->wakes != wakes)) {
            return FC_OK;
        }
        if (left <= 0) {
            return fail_read(reader, RD_KAFKA_RESP_ERR__TIMED_OUT, err);
        }
        collect(reader, left < SLICE_MS ? (int)left : SLICE_MS);
        if (reader->message_count > 0) {
            return FC_OK;
        }
        skip_passed(reader);
        if (reader->pending != RD_KAFKA_RESP_ERR_NO_ERROR && !is_transient(reader->pending)) {
            return fail_read(reader, reader->pending, err);
        }
        (void)rd_kafka_poll(reader->consumer->handle, 0); /* the reasons for what goes wrong */
    }
}

static struct fc_slice slice_of(const void *data, size_t len)
{
    return data == NULL ? fc_slice_null() : fc_slice_of(data, len);
}

/* Room for all headers first: records point at theirs. */
static void convert(struct kafka_reader *reader)
{
    size_t used = 0;
    size_t total = 0;
    for (uint32_t index = 0; index < reader->message_count; index++) {
        rd_kafka_headers_t *headers = NULL;
        if (rd_kafka_message_headers(reader->messages[index], &headers) ==
            RD_KAFKA_RESP_ERR_NO_ERROR) {
            total += rd_kafka_header_cnt(headers);
        }
    }
    if (total > reader->header_capacity) {
        reader->headers = fc_realloc_array(reader->headers, total, sizeof(*reader->headers));
        reader->header_capacity = total;
    }
    for (uint32_t index = 0; index < reader->message_count; index++) {
        const rd_kafka_message_t *message = reader->messages[index];
        struct fc_record *record = &reader->records[index];
        rd_kafka_timestamp_type_t kind;
        rd_kafka_headers_t *headers = NULL;
        record->offset = message->offset;
        record->timestamp_ms = rd_kafka_message_timestamp(message, &kind);
        record->key = slice_of(message->key, message->key_len);
        record->value = slice_of(message->payload, message->len);
        record->headers = &reader->headers[used];
        record->header_count = 0;
        if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
            const char *name = NULL;
            const void *content = NULL;
            size_t size = 0;
            while (rd_kafka_header_get_all(headers, record->header_count, &name, &content,
                                           &size) == RD_KAFKA_RESP_ERR_NO_ERROR) {
                reader->headers[used].key = fc_slice_text(name);
                reader->headers[used].value = slice_of(content, size);
                record->header_count++;
                used++;
            }
        }
    }
    if (reader->message_count > 0) {
        reader->offset = reader->records[reader->message_count - 1].offset + 1;
    }
    skip_passed(reader);
}

fc_code fc_kafka_reader_next(struct fc_stream_reader *base, int wait_ms,
                             const struct fc_record **out_records, uint32_t *out_count,
                             struct fc_error *err)
{
    struct kafka_reader *reader = reader_of(base);
    struct fc_offsets offsets = { 0 };
    fc_code code = FC_OK;
    release_messages(reader);
    *out_count = 0;
    if (reader->pending != RD_KAFKA_RESP_ERR_NO_ERROR && !is_transient(reader->pending)) {
        return fail_read(reader, reader->pending, err);
    }
    if (reader->offset >= reader->end && wait_ms == 0) {
        code = fc_kafka_offsets(base->topic, reader->partition, &offsets, err);
        reader->end = code == FC_OK ? offsets.end : reader->end;
    }
    code = code == FC_OK ? wait_for_records(reader, wait_ms, err) : code;
    if (code == FC_OK) {
        convert(reader);
        nudge(reader);
        *out_records = reader->records;
        *out_count = reader->message_count;
    }
    return code;
}
