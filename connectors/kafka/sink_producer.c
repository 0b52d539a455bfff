/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/kafka/sink_producer.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/cluster/cluster.h"

enum {
    POLL_MS = 100,
    INIT_MS = 30000,
    TRANSACTION_MS = 60000, /* then the cluster aborts it; TRANSACTION_MS_TEXT */
    TRY_MS = 5000,
    LOOK_MS = 2000,
    SENT_FIRST = 64,
    RECORD_OVERHEAD = 128, /* of a record and its batch, with room */
    HEADER_OVERHEAD = 10,
    NUMBER_SIZE = 24,
    STILL_MS = 60000 /* without a report; begun anew then, a producer may have lost itself */
};

#define TRANSACTION_MS_TEXT "60000"

/* --- failures ------------------------------------------------------------------------------- */

/* A transaction that the cluster found too old is told of in the same words. */
static fc_code fail_fenced(const struct fc_sink *sink, struct fc_error *err)
{
    if (sink->begun_ms != 0 && fc_clock_boot_ms() - sink->begun_ms >= TRANSACTION_MS) {
        return fc_fail_retriable(err, FC_ERR_IO,
                                 "Kafka: a transaction was open for longer than %d seconds and "
                                 "was aborted",
                                 TRANSACTION_MS / 1000);
    }
    return fc_fail(err, FC_ERR_REFUSED,
                   "another sink named %s has taken over at the target: only one may run",
                   sink->client.host->connector_name(sink->client.host));
}

/* Another sink of this name is the only thing that a new start does not mend: beginning anew
 * would shut out that one. A producer that is out reports its records as purged, so it is asked
 * why it is out, whatever the answer was. */
static fc_code fail_producer(struct fc_sink *sink, rd_kafka_resp_err_t answer,
                             const char *words, const char *doing, struct fc_error *err)
{
    char fatal[FC_KAFKA_TEXT_SIZE] = "";
    rd_kafka_resp_err_t deeper = rd_kafka_fatal_error(sink->producer, fatal, sizeof(fatal));
    answer = deeper == RD_KAFKA_RESP_ERR_NO_ERROR ? answer : deeper;
    switch ((int)answer) {
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
        return fail_fenced(sink, err);
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return fc_fail(err, FC_ERR_CONFIG,
                       "Kafka: %s: %s: a target without transactions needs delivery: "
                       "at-least-once",
                       doing, rd_kafka_err2str(answer));
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        return fc_fail(err, FC_ERR_LIMIT,
                       "Kafka: %s: %s: over max.message.bytes of the topic at the target",
                       doing, rd_kafka_err2str(answer));
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
        return fc_fail(err, FC_ERR_CONFIG, "Kafka: %s: %s", doing, rd_kafka_err2str(answer));
    default:
        break;
    }
    if (fc_cluster_is_transient(answer)) {
        return fc_kafka_client_fail(&sink->client, answer, doing, err);
    }
    return fc_fail_retriable(err, FC_ERR_IO, "Kafka: %s: %s", doing,
                             fatal[0] != '\0' ? fatal
                             : words != NULL  ? words
                                              : rd_kafka_err2str(answer));
}

static fc_code fail_with(struct fc_sink *sink, rd_kafka_error_t *error, const char *doing,
                         struct fc_error *err)
{
    fc_code code = fail_producer(sink, rd_kafka_error_code(error), rd_kafka_error_string(error),
                                 doing, err);
    rd_kafka_error_destroy(error);
    return code;
}

fc_code fc_sink_producer_check(struct fc_sink *sink, struct fc_error *err)
{
    char ignored[FC_KAFKA_TEXT_SIZE];
    if (sink->client.interrupted) {
        return fc_fail(err, FC_ERR_CLOSED, "interrupted");
    }
    if (!sink->failed && rd_kafka_fatal_error(sink->producer, ignored, sizeof(ignored)) !=
                             RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fail_producer(sink, RD_KAFKA_RESP_ERR__FATAL, NULL, "write",
                             err); /* no report */
    }
    if (sink->failed) {
        *err = sink->failure;
        return err->code;
    }
    return FC_OK;
}

static void push(struct fc_sink_sent *sent, int64_t offset, size_t bytes)
{
    size_t mask;
    if (sent->count == sent->capacity) {
        struct fc_sink_sent grown = { .count = sent->count, .bytes = sent->bytes };
        grown.capacity = sent->capacity == 0 ? SENT_FIRST : 2 * sent->capacity;
        grown.items = fc_realloc_array(NULL, grown.capacity, sizeof(*grown.items));
        for (size_t index = 0; index < sent->count; index++) {
            grown.items[index] = sent->items[(sent->first + index) & (sent->capacity - 1)];
        }
        free(sent->items);
        *sent = grown;
    }
    mask = sent->capacity - 1;
    sent->items[(sent->first + sent->count) & mask].offset = offset;
    sent->items[(sent->first + sent->count) & mask].bytes = bytes;
    sent->count++;
    sent->bytes += bytes;
}

/* The offset of the one that was handed over first. */
static int64_t pop(struct fc_sink_sent *sent)
{
    int64_t offset;
    fc_assert(sent->count > 0);
    offset = sent->items[sent->first].offset;
    sent->bytes -= sent->items[sent->first].bytes;
    sent->first = (sent->first + 1) & (sent->capacity - 1);
    sent->count--;
    return offset;
}

/* Of records that are larger than a topic takes, each goes in a batch of its own: so the first that
 * is reported is the one. */
static void fail_record(struct fc_sink *sink, const struct fc_sink_place *place, int64_t offset,
                        rd_kafka_resp_err_t answer)
{
    char doing[FC_KAFKA_KEY_SIZE];
    (void)snprintf(doing, sizeof(doing), "%s/%" PRIu32 " offset %" PRId64, place->topic,
                   place->partition, offset);
    (void)fail_producer(sink, answer, NULL, doing, &sink->failure);
}

/* Of what is given up on purpose nothing is said. The client is the first member of the sink. */
static void on_delivered(rd_kafka_t *handle, const rd_kafka_message_t *message, void *ctx)
{
    struct fc_sink *sink = (struct fc_sink *)ctx;
    struct fc_sink_place *place = message->_private;
    int64_t offset = pop(&place->sent);
    (void)handle;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (!sink->failed) {
            sink->failed = true;
            fail_record(sink, place, offset, message->err);
        }
    } else if (message->offset >=
               0) { /* else it was acknowledged before, and is told without */
        place->copy_end = message->offset + 1;
        /* all before it is before message->offset */
        fc_offset_map_add(&place->map, offset, message->offset);
    }
}

/* --- open ------------------------------------------------------------------------------- */

/* A cluster that cannot begin a transaction only ever says that there is no coordinator yet. */
static fc_code check_possible(struct fc_sink *sink, struct fc_error *err)
{
    struct fc_cluster_finding finding = { 0 };
    fc_code code = fc_kafka_client_transactions(&sink->client, LOOK_MS, &finding, err);
    if (code == FC_OK && finding.verdict == FC_CLUSTER_CANNOT) {
        code = fc_fail_retriable(err, FC_ERR_TIMEOUT, "Kafka: no transaction can begin: %s",
                                 finding.detail);
    }
    return code;
}

/* Until the coordinator answers: a cluster that has just started takes a while. */
static fc_code shut_out_others(struct fc_sink *sink, struct fc_error *err)
{
    rd_kafka_error_t *error = rd_kafka_init_transactions(sink->producer, TRY_MS);
    fc_code code = FC_OK;
    for (int waited_ms = TRY_MS; error != NULL && rd_kafka_error_is_retriable(error) &&
                                 waited_ms < INIT_MS && code == FC_OK;
         waited_ms += TRY_MS) {
        code = sink->client.interrupted ? fc_fail(err, FC_ERR_CLOSED, "interrupted")
                                        : check_possible(sink, err);
        if (code == FC_OK) {
            rd_kafka_error_destroy(error);
            error = rd_kafka_init_transactions(sink->producer, TRY_MS);
        }
    }
    if (error != NULL && code == FC_OK) {
        return fail_with(sink, error, "begin with transactions", err);
    }
    rd_kafka_error_destroy(error);
    return code;
}

fc_code fc_sink_producer_open(struct fc_sink *sink, struct fc_error *err)
{
    const char *const exactly[] = { "transactional.id",
                                    sink->names.writer,
                                    "transaction.timeout.ms",
                                    TRANSACTION_MS_TEXT,
                                    "acks",
                                    "all",
                                    "queue.buffering.max.ms",
                                    "5",
                                    "message.max.bytes",
                                    "1000000000",
                                    NULL };
    const char *const at_least[] = { "enable.idempotence",
                                     "true",
                                     "acks",
                                     "all",
                                     "message.timeout.ms",
                                     "0",
                                     "queue.buffering.max.ms",
                                     "5",
                                     "message.max.bytes",
                                     "1000000000",
                                     "enable.gapless.guarantee",
                                     "true",
                                     NULL };
    uint32_t brokers = 0;
    fc_code code;
    code = fc_kafka_client_handle(&sink->client, RD_KAFKA_PRODUCER,
                                  sink->exactly_once ? exactly : at_least, on_delivered,
                                  &sink->producer, err);
    code = code == FC_OK ? fc_kafka_client_reach(&sink->client, sink->producer, &brokers, err)
                         : code;
    return code == FC_OK && sink->exactly_once ? shut_out_others(sink, err) : code;
}

/* --- records ------------------------------------------------------------------------------ */

static rd_kafka_headers_t *headers_of(const struct fc_message *message)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(message->header_count);
    for (uint32_t index = 0; index < message->header_count; index++) {
        const struct fc_message_header *header = &message->headers[index];
        /* only fails for names that are longer than a record can be */
        (void)rd_kafka_header_add(headers, (const char *)header->key.data,
                                  (ssize_t)header->key.len, header->value.data,
                                  (ssize_t)header->value.len);
    }
    return headers;
}

static size_t size_of(const struct fc_message *message)
{
    size_t bytes = RECORD_OVERHEAD + message->key.len + message->value.len;
    for (uint32_t index = 0; index < message->header_count; index++) {
        bytes += HEADER_OVERHEAD + message->headers[index].key.len +
                 message->headers[index].value.len;
    }
    return bytes;
}

size_t fc_sink_producer_batch_bytes(const struct fc_sink *sink)
{
    char value[NUMBER_SIZE] = "";
    size_t size = sizeof(value);
    return rd_kafka_conf_get(rd_kafka_conf(sink->producer), "batch.size", value, &size) ==
                   RD_KAFKA_CONF_OK
               ? strtoul(value, NULL, 10)
               : 0;
}

/* What is on its way is never more than the topic takes at once, or one record: so no batch is. */
static fc_code wait_for_room(struct fc_sink *sink, const struct fc_sink_place *place,
                             size_t bytes, struct fc_error *err)
{
    fc_code code = FC_OK;
    while (code == FC_OK && place->batch_max > 0 && place->sent.count > 0 &&
           place->sent.bytes + bytes > place->batch_max) {
        (void)rd_kafka_flush(sink->producer, POLL_MS); /* the ring tells */
        code = fc_sink_producer_check(sink, err);
        if (code == FC_OK && sink->client.down) {
            code = fc_kafka_client_fail(&sink->client, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
                                        "write", err);
        }
    }
    return code;
}

fc_code fc_sink_produce(struct fc_sink *sink, struct fc_sink_place *place,
                        const struct fc_message *message, struct fc_error *err)
{
    rd_kafka_resp_err_t answer = RD_KAFKA_RESP_ERR__QUEUE_FULL;
    size_t bytes = size_of(message);
    fc_code code = wait_for_room(sink, place, bytes, err);
    if (place->handle == NULL) {
        place->handle = rd_kafka_topic_new(sink->producer, place->topic, NULL);
    }
    while (code == FC_OK && answer == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_headers_t *headers = message->header_count == 0 ? NULL : headers_of(message);
        answer = rd_kafka_producev(
            sink->producer, RD_KAFKA_V_RKT(place->handle),
            RD_KAFKA_V_PARTITION((int32_t)place->partition),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY(message->key.data, message->key.len),
            RD_KAFKA_V_VALUE(fc_unconst(message->value.data), message->value.len),
            RD_KAFKA_V_TIMESTAMP(message->timestamp_ms), RD_KAFKA_V_HEADERS(headers),
            RD_KAFKA_V_OPAQUE(place), RD_KAFKA_V_END);
        if (answer != RD_KAFKA_RESP_ERR_NO_ERROR && headers != NULL) {
            rd_kafka_headers_destroy(headers); /* they were not taken */
        }
        if (answer == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            (void)rd_kafka_poll(sink->producer, POLL_MS); /* how many came does not matter */
            code = fc_sink_producer_check(sink, err);
        }
    }
    if (code == FC_OK && answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fail_record(sink, place, message->offset, answer);
        *err = sink->failure;
        code = err->code;
    }
    if (code == FC_OK) {
        push(&place->sent, message->offset, bytes);
    }
    return code;
}

fc_code fc_sink_producer_drain(struct fc_sink *sink, struct fc_error *err)
{
    fc_code code = fc_sink_producer_check(sink, err);
    int left = rd_kafka_outq_len(sink->producer);
    int still_ms = 0;
    while (code == FC_OK && left > 0) {
        int before = left;
        (void)rd_kafka_flush(sink->producer, POLL_MS); /* the queue's length tells */
        left = rd_kafka_outq_len(sink->producer);
        still_ms = left < before ? 0 : still_ms + POLL_MS;
        code = fc_sink_producer_check(sink, err);
        if (code == FC_OK && left > 0 && still_ms >= STILL_MS) {
            code = fail_producer(sink, RD_KAFKA_RESP_ERR__TIMED_OUT, NULL, "write", err);
        }
        if (code == FC_OK && sink->client.down) {
            code = fc_kafka_client_fail(&sink->client, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
                                        "write", err);
        }
    }
    return code;
}

/* --- transactions ------------------------------------------------------------------------- */

fc_code fc_sink_producer_begin(struct fc_sink *sink, struct fc_error *err)
{
    rd_kafka_error_t *error = NULL;
    if (!sink->exactly_once || sink->begun_ms != 0) {
        return FC_OK;
    }
    error = rd_kafka_begin_transaction(sink->producer);
    if (error != NULL) {
        return fail_with(sink, error, "begin a transaction", err);
    }
    sink->begun_ms = fc_clock_boot_ms();
    return FC_OK;
}

fc_code fc_sink_producer_commit(struct fc_sink *sink, struct fc_error *err)
{
    rd_kafka_error_t *error = rd_kafka_commit_transaction(sink->producer, TRY_MS);
    while (error != NULL && rd_kafka_error_is_retriable(error) && !sink->client.interrupted &&
           !sink->client.down) {
        rd_kafka_error_destroy(error);
        error = rd_kafka_commit_transaction(sink->producer, TRY_MS);
    }
    if (error != NULL) {
        return fail_with(sink, error, "commit a transaction", err);
    }
    sink->begun_ms = 0;
    return FC_OK;
}

fc_code fc_sink_producer_give_up(struct fc_sink *sink, fc_code code, struct fc_error *err)
{
    rd_kafka_error_t *error;
    struct fc_error deeper;
    if (sink->begun_ms == 0 || sink->client.interrupted || sink->client.down) {
        return code;
    }
    error = rd_kafka_abort_transaction(sink->producer, TRY_MS);
    if (error != NULL &&
        fail_with(sink, error, "give up a transaction", &deeper) == FC_ERR_REFUSED) {
        *err = deeper;
        code = FC_ERR_REFUSED;
    }
    return code;
}

void fc_sink_producer_leave(struct fc_sink *sink)
{
    bool waits = !sink->client.interrupted && !sink->client.down;
    if (sink->begun_ms != 0) {
        sink->failed = true; /* what is given up on purpose is no news */
        rd_kafka_error_destroy(
            rd_kafka_abort_transaction(sink->producer, waits ? LOOK_MS : POLL_MS));
    }
}
