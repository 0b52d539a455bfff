/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is appended between two flushes is one transaction of the cluster, and a flush commits it.
 *
 * The transactional id is the writer's name. Whoever starts a producer of that name makes the
 * cluster end what an earlier one had open and refuse whatever of it is still under way: so what
 * a writer that was killed has sent can never turn up in the log after its successor has looked
 * at it, and of two that run at a time the older one is told. (Without that there is no such
 * moment: a broker that stood still appends what its dead connections hold when it goes on.)
 *
 * What cannot be delivered, or committed, ends the producer: the first reason is kept, and every
 * later append and flush answers with it until the stream is renewed. Whether a commit that was
 * not answered has happened is not known, so the log must be looked at.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/cluster/cluster.h"
#include "core/stream/kafka_state.h"

enum {
    STALL_MS = 3000, /* without an acknowledgement, until a call gives up for now */
    POLL_MS = 100,
    TRANSACTION_MS = 60000, /* then the cluster aborts it; TRANSACTION_MS_TEXT */
    ABORT_MS = 2000,
    VISIBLE_MS = 5000, /* for a commit to reach all partitions, which takes it a moment */
    VISIBLE_LOOK_MS = 5,
    LOOK_MS = 500
};

#define TRANSACTION_MS_TEXT "60000"

/* --- failures ----------------------------------------------------------------------------- */

/* A transaction that the cluster found too old is told of in the same words. */
static void fail_fenced(const struct fc_kafka *kafka, struct fc_error *failure)
{
    if (kafka->begun_ms != 0 && fc_clock_boot_ms() - kafka->begun_ms >= TRANSACTION_MS) {
        (void)fc_fail_retriable(failure, FC_ERR_IO,
                                "Kafka: a transaction was open for longer than %d seconds and "
                                "was aborted",
                                TRANSACTION_MS / 1000);
    } else {
        (void)fc_fail(failure, FC_ERR_REFUSED,
                      "Kafka: another process has taken over as writer %s, so this one ends; "
                      "run a connector in one place at a time",
                      kafka->writer);
    }
}

/* Keep the first reason. A producer that broke for the connection's sake, or because the
 * cluster has lost track of it, can be had anew; what was refused will be refused again.
 * place: the topic, or the writer's name. */
static void note_failure(struct fc_kafka *kafka, rd_kafka_resp_err_t answer, const char *place)
{
    char doing[FC_KAFKA_REASON_SIZE];
    struct fc_error failure = { 0 };
    char fatal[FC_KAFKA_REASON_SIZE] = "";
    rd_kafka_resp_err_t deeper = rd_kafka_fatal_error(kafka->producer, fatal, sizeof(fatal));
    (void)snprintf(doing, sizeof(doing), "%s %s",
                   place == kafka->writer ? "write as" : "write to", place);
    answer = deeper == RD_KAFKA_RESP_ERR_NO_ERROR ? answer : deeper;
    switch ((int)answer) {
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
        fail_fenced(kafka, &failure);
        break;
    case RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE:
    case RD_KAFKA_RESP_ERR__INCONSISTENT:
    case RD_KAFKA_RESP_ERR__STATE:
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING:
    case RD_KAFKA_RESP_ERR_INVALID_TXN_STATE:
    case RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS:
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

fc_code fc_kafka_failure(struct fc_kafka *kafka, struct fc_error *err)
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

static fc_code fail_stall(struct fc_kafka *kafka, struct fc_error *err)
{
    return fc_kafka_fail(kafka, RD_KAFKA_RESP_ERR__TIMED_OUT, "no answer to what was written",
                         err);
}

/* What a call about transactions ended with; takes `error`, which may be NULL: it went well.
 * FC_ERR_TIMEOUT when the same call goes on where it was. */
static fc_code take_answer(struct fc_kafka *kafka, rd_kafka_error_t *error, const char *place,
                           struct fc_error *err)
{
    rd_kafka_resp_err_t answer =
        error == NULL ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);
    bool again = error != NULL && rd_kafka_error_is_retriable(error) != 0;
    rd_kafka_error_destroy(error);
    if (answer == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return FC_OK;
    }
    if (again) {
        return fail_stall(kafka, err);
    }
    note_failure(kafka, answer, place);
    return fc_kafka_failure(kafka, err);
}

/* --- the producer ------------------------------------------------------------------------- */

/* The message's opaque is where its partition's end is kept. */
static void on_delivered(rd_kafka_t *handle, const rd_kafka_message_t *message, void *ctx)
{
    _Atomic int64_t *end = message->_private;
    (void)handle;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        /* reports of a partition come in order; one that was acknowledged before has no offset */
        *end = message->offset < 0 ? *end : message->offset + 1;
    } else {
        note_failure(ctx, message->err, rd_kafka_topic_name(message->rkt));
    }
}

/* The lock is held. */
static fc_code make_producer(struct fc_kafka *kafka, struct fc_error *err)
{
    const struct fc_kafka_property ours[] = {
        { "transactional.id", kafka->writer },
        { "transaction.timeout.ms", TRANSACTION_MS_TEXT },
        { "queue.buffering.max.messages", "500000" },
        { "queue.buffering.max.kbytes", "131072" },
        /* the cluster's limit is looked at for each record */
        { "message.max.bytes", "1000000000" },
        { "linger.ms", "5" },
        { NULL, NULL },
    };
    if (kafka->producer != NULL) {
        return FC_OK;
    }
    rd_kafka_conf_set_dr_msg_cb(kafka->properties, on_delivered);
    return fc_kafka_handle(kafka, RD_KAFKA_PRODUCER, ours, &kafka->producer, err);
}

/* A cluster that cannot begin a transaction only ever says that there is no coordinator yet. */
static fc_code fail_begin(struct fc_kafka *kafka, struct fc_error *err)
{
    struct fc_cluster_finding finding;
    fc_cluster_transactions(kafka->client, LOOK_MS, &finding);
    if (finding.verdict == FC_CLUSTER_CANNOT) {
        return fc_fail_retriable(err, FC_ERR_TIMEOUT, "Kafka: no transaction can begin: %s",
                                 finding.detail);
    }
    return FC_ERR_TIMEOUT; /* with the reason that there was */
}

/* A producer whose predecessors are out; `writing` is held. */
static fc_code start_producer(struct fc_kafka *kafka, struct fc_error *err)
{
    fc_code code;
    if (kafka->read_only) {
        return fc_fail(err, FC_ERR_REFUSED, "the cluster is open for reading only");
    }
    (void)pthread_mutex_lock(&kafka->lock);
    code = make_producer(kafka, err);
    (void)pthread_mutex_unlock(&kafka->lock);
    code = code == FC_OK ? fc_kafka_failure(kafka, err) : code;
    if (code == FC_OK && !kafka->ready) {
        code = take_answer(kafka, rd_kafka_init_transactions(kafka->producer, STALL_MS),
                           kafka->writer, err);
        kafka->ready = code == FC_OK;
        code = code == FC_ERR_TIMEOUT ? fail_begin(kafka, err) : code;
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

/* Ready to take records of the topic, in an open transaction; `writing` is held. */
static fc_code start(struct fc_kafka *kafka, struct fc_kafka_topic *topic, struct fc_error *err)
{
    fc_code code = start_producer(kafka, err);
    if (code == FC_OK) {
        (void)pthread_mutex_lock(&kafka->lock);
        code = start_topic(kafka, topic, err);
        (void)pthread_mutex_unlock(&kafka->lock);
    }
    if (code == FC_OK && kafka->begun_ms == 0) {
        code = take_answer(kafka, rd_kafka_begin_transaction(kafka->producer), topic->base.name,
                           err);
        kafka->begun_ms = code == FC_OK ? fc_clock_boot_ms() : 0;
        kafka->commit_ms = 0;
    }
    return code;
}

/* --- append and flush --------------------------------------------------------------------- */

/* Serve what came for the producer; false once nothing was acknowledged for too long. */
static bool wait_for_progress(struct fc_kafka *kafka, int *left, int64_t *since_ms)
{
    int before = *left;
    (void)rd_kafka_poll(kafka->producer, POLL_MS); /* how many came does not matter */
    *left = rd_kafka_outq_len(kafka->producer);
    if (*left < before) {
        *since_ms = fc_clock_boot_ms();
    }
    return fc_clock_boot_ms() - *since_ms < STALL_MS;
}

/* What was not taken is not what is wrong: the transaction is, and says so when it should end. */
static void note_refused(struct fc_kafka *kafka, rd_kafka_resp_err_t answer, const char *place)
{
    struct fc_error ignored;
    if (answer == RD_KAFKA_RESP_ERR__STATE) {
        (void)take_answer(kafka, rd_kafka_commit_transaction(kafka->producer, 0), place,
                          &ignored);
    }
    note_failure(kafka, answer, place);
}

static fc_code append(struct fc_kafka *kafka, struct fc_stream_batch *batch,
                      struct fc_error *err)
{
    const char *name = batch->topic->name;
    int64_t since_ms = fc_clock_boot_ms();
    fc_code code = fc_kafka_batch_is_sent(batch)
                       ? start_producer(kafka, err)
                       : start(kafka, fc_kafka_topic_of(batch->topic), err);
    int left = code == FC_OK ? rd_kafka_outq_len(kafka->producer) : 0;
    bool small = code == FC_OK && fc_kafka_is_small(kafka, batch->topic);
    while (code == FC_OK && !fc_kafka_batch_is_sent(batch)) {
        size_t bytes = small ? fc_kafka_batch_next_bytes(batch) : 0;
        rd_kafka_resp_err_t answer;
        code = small ? fc_kafka_wait_for_room(kafka, batch->topic, bytes, err) : FC_OK;
        if (code != FC_OK) {
            return code;
        }
        answer = fc_kafka_batch_send(kafka->producer, batch);
        if (answer == RD_KAFKA_RESP_ERR_NO_ERROR) {
            kafka->small_bytes += bytes;
            continue;
        }
        if (answer != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            note_refused(kafka, answer, name);
        } else if (!wait_for_progress(kafka, &left, &since_ms)) {
            code = fail_stall(kafka, err);
        }
        code = code == FC_OK ? fc_kafka_failure(kafka, err) : code;
    }
    if (code == FC_OK) {
        (void)rd_kafka_poll(kafka->producer, 0);
    }
    return code;
}

fc_code fc_kafka_append(struct fc_stream_batch *base, int64_t *out_base, struct fc_error *err)
{
    struct fc_kafka *kafka = fc_kafka_of(base->topic->stream);
    fc_code code;
    (void)pthread_mutex_lock(&kafka->writing);
    code = append(kafka, base, err);
    (void)pthread_mutex_unlock(&kafka->writing);
    if (code == FC_OK) {
        *out_base = fc_kafka_batch_least(base);
    }
    return code;
}

/* Of a producer that is out no record need be reported. */
static fc_code check_producer(struct fc_kafka *kafka, struct fc_error *err)
{
    char ignored[FC_KAFKA_REASON_SIZE];
    if (rd_kafka_fatal_error(kafka->producer, ignored, sizeof(ignored)) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        note_failure(kafka, RD_KAFKA_RESP_ERR__FATAL, kafka->writer);
    }
    return fc_kafka_failure(kafka, err);
}

/* Until everything is acknowledged, or nothing has been for too long: *out_done is false then. */
static fc_code drain(struct fc_kafka *kafka, bool *out_done, struct fc_error *err)
{
    int64_t since_ms = fc_clock_boot_ms();
    int left = rd_kafka_outq_len(kafka->producer);
    fc_code code = check_producer(kafka, err);
    while (code == FC_OK && left > 0 && fc_clock_boot_ms() - since_ms < STALL_MS) {
        int before = left;
        (void)rd_kafka_flush(kafka->producer, POLL_MS); /* the queue's length tells */
        left = rd_kafka_outq_len(kafka->producer);
        since_ms = left < before ? fc_clock_boot_ms() : since_ms;
        code = check_producer(kafka, err);
    }
    *out_done = left == 0;
    return code;
}

/* `writing` is held, and a transaction is open. */
static fc_code commit(struct fc_kafka *kafka, int wait_ms, struct fc_error *err)
{
    bool drained = false;
    fc_code code = drain(kafka, &drained, err);
    if (code != FC_OK) {
        return code;
    }
    if (drained && kafka->commit_ms == 0) {
        kafka->commit_ms = fc_clock_boot_ms();
    }
    /* also asked for when nothing moves: a transaction that has failed says so only here */
    code =
        take_answer(kafka, rd_kafka_commit_transaction(kafka->producer, drained ? wait_ms : 0),
                    kafka->writer, err);
    if (code == FC_OK) {
        kafka->begun_ms = 0;
    } else if (code == FC_ERR_TIMEOUT && kafka->commit_ms != 0 &&
               fc_clock_boot_ms() - kafka->commit_ms >= TRANSACTION_MS) {
        note_failure(kafka, RD_KAFKA_RESP_ERR__STATE, kafka->writer); /* nothing comes of it */
        code = fc_kafka_failure(kafka, err);
    }
    return code;
}

fc_code fc_kafka_flush(struct fc_stream *stream, struct fc_error *err)
{
    struct fc_kafka *kafka = fc_kafka_of(stream);
    fc_code code;
    (void)pthread_mutex_lock(&kafka->writing);
    code = fc_kafka_failure(kafka, err);
    if (code == FC_OK && kafka->producer != NULL && kafka->begun_ms != 0) {
        code = commit(kafka, STALL_MS, err);
    }
    (void)pthread_mutex_unlock(&kafka->writing);
    return code;
}

/* --- the end ------------------------------------------------------------------------------ */

static fc_code wait_until_seen(struct fc_kafka *kafka, struct fc_kafka_topic *topic,
                               uint32_t partition, int64_t until_ms)
{
    struct fc_offsets offsets = { 0 };
    struct fc_error ignored;
    fc_code code = FC_OK;
    while (code == FC_OK && offsets.end < topic->acked_ends[partition] &&
           fc_clock_boot_ms() < until_ms) {
        code = fc_kafka_offsets(&topic->base, partition, &offsets, &ignored);
        if (code == FC_OK && offsets.end < topic->acked_ends[partition]) {
            (void)rd_kafka_poll(kafka->client, VISIBLE_LOOK_MS); /* only waits */
        }
    }
    return code;
}

/* A commit is answered before readers see all of it; who opens the log next should. */
static void wait_until_visible(struct fc_kafka *kafka)
{
    int64_t until_ms = fc_clock_boot_ms() + VISIBLE_MS;
    fc_code code = FC_OK;
    for (size_t at = 0; code == FC_OK && at < kafka->topic_count; at++) {
        struct fc_kafka_topic *topic = kafka->topics[at];
        for (uint32_t index = 0; code == FC_OK && index < topic->base.partitions_count;
             index++) {
            code = wait_until_seen(kafka, topic, index, until_ms);
        }
    }
}

/* What it was told of the ends goes with it: a broker that lost power may end before them. */
static void drop_producer(struct fc_kafka *kafka)
{
    (void)rd_kafka_purge(kafka->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    (void)rd_kafka_flush(kafka->producer, POLL_MS); /* takes the reports of what was purged */
    for (size_t index = 0; index < kafka->topic_count; index++) {
        struct fc_kafka_topic *topic = kafka->topics[index];
        for (uint32_t at = 0; at < topic->base.partitions_count; at++) {
            topic->acked_ends[at] = 0;
        }
        if (topic->producer_topic != NULL) {
            rd_kafka_topic_destroy(topic->producer_topic);
            topic->producer_topic = NULL;
        }
    }
    rd_kafka_destroy(kafka->producer);
    kafka->producer = NULL;
    kafka->ready = false;
    kafka->begun_ms = 0;
}

/* What is left was never promised; if this fails, too, the cluster does it in time. A producer that
 * is destroyed while it makes partitions known to its transaction may end the process: librdkafka
 * counts an answer before the question. */
static void leave_transaction(struct fc_kafka *kafka, int wait_ms)
{
    if (kafka->begun_ms != 0) {
        rd_kafka_error_destroy(rd_kafka_abort_transaction(kafka->producer, wait_ms));
    }
}

void fc_kafka_close_producer(struct fc_kafka *kafka, int wait_ms)
{
    struct fc_error ignored;
    if (kafka->producer == NULL) {
        return;
    }
    if (kafka->begun_ms != 0 && (kafka->failed || commit(kafka, wait_ms, &ignored) != FC_OK)) {
        leave_transaction(kafka, ABORT_MS);
    }
    if (!kafka->failed) {
        wait_until_visible(kafka);
    }
    drop_producer(kafka);
}

fc_code fc_kafka_renew(struct fc_stream *stream, struct fc_error *err)
{
    struct fc_kafka *kafka = fc_kafka_of(stream);
    fc_code code;
    (void)pthread_mutex_lock(&kafka->writing);
    if (kafka->producer != NULL && (kafka->ready || kafka->failed)) {
        leave_transaction(kafka, POLL_MS);
        drop_producer(kafka);
    }
    (void)pthread_mutex_lock(&kafka->lock);
    kafka->failed = false;
    (void)pthread_mutex_unlock(&kafka->lock);
    code = start_producer(kafka, err);
    (void)pthread_mutex_unlock(&kafka->writing);
    return code;
}
