/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exactly once: records and positions go in one transaction, and a new sink of the same name
 * first shuts out the one before it (init_transactions), then reads the positions. A transaction
 * that fails is given up as a whole, and the runner goes on from the positions.
 *
 * At least once: an idempotent producer; positions are written once the records are there.
 */
#include "connectors/kafka/sink.h"

#include <inttypes.h>
#include <stdlib.h>

#include "connectors/kafka/check.h"
#include "connectors/kafka/settings.h"
#include "connectors/kafka/sink_state.h"
#include "core/base/alloc.h"
#include "core/cluster/cluster.h"

enum {
    POLL_MS = 100,
    TRANSACTION_MS = 30000,
    TRY_MS = 5000,
    STILL_MS = 60000, /* without a report; begun anew then, a producer may have lost itself */
    ID_SIZE = 160
};

/* --- places ------------------------------------------------------------------------------- */

struct fc_sink_place *fc_sink_place(struct fc_sink *sink, const char *topic, uint32_t partition)
{
    char text[FC_KAFKA_KEY_SIZE];
    struct fc_sink_place *place = sink->last;
    struct fc_slice key;
    if (place != NULL && place->partition == partition && strcmp(place->topic, topic) == 0) {
        return place;
    }
    key = fc_slice_of(text,
                      (size_t)snprintf(text, sizeof(text), "%s/%" PRIu32, topic, partition));
    place = fc_hashmap_get(&sink->places, key);
    if (place == NULL) {
        place = fc_new(struct fc_sink_place);
        place->topic = fc_strdup(topic);
        place->partition = partition;
        place->reached = -1;
        place->flushed = -1;
        place->pointed = -1;
        (void)fc_hashmap_put(&sink->places, key, place);
    }
    sink->last = place;
    return place;
}

static void free_place(void *value)
{
    struct fc_sink_place *place = value;
    if (place->handle != NULL) {
        rd_kafka_topic_destroy(place->handle);
    }
    fc_offset_map_release(&place->map);
    free(place->topic);
    free(place);
}

/* --- errors ------------------------------------------------------------------------------- */

/* Another sink of this name is the only thing that a new start does not mend. */
static fc_code fail_producer(struct fc_sink *sink, rd_kafka_resp_err_t answer,
                             const char *words, const char *doing, struct fc_error *err)
{
    char fatal[FC_KAFKA_TEXT_SIZE] = "";
    if (answer == RD_KAFKA_RESP_ERR__FATAL) {
        answer = rd_kafka_fatal_error(sink->producer, fatal, sizeof(fatal));
    }
    switch ((int)answer) {
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
        return fc_fail(err, FC_ERR_REFUSED,
                       "another sink named %s has taken over at the target: only one may run",
                       sink->client.host->connector_name(sink->client.host));
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return fc_fail(err, FC_ERR_CONFIG,
                       "Kafka: %s: %s: a target without transactions needs delivery: "
                       "at-least-once",
                       doing, rd_kafka_err2str(answer));
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
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

static fc_code check_failed(struct fc_sink *sink, struct fc_error *err)
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

/* Of what is given up on purpose nothing is said. The client is the first member of the sink. */
static void on_delivered(rd_kafka_t *handle, const rd_kafka_message_t *message, void *ctx)
{
    struct fc_sink *sink = (struct fc_sink *)ctx;
    struct fc_sink_place *place = message->_private;
    (void)handle;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (!sink->failed) {
            sink->failed = true;
            (void)fail_producer(sink, message->err, NULL, rd_kafka_topic_name(message->rkt),
                                &sink->failure);
        }
    } else {
        place->copy_end = message->offset + 1;
        place->delivered++;
        if (place->marked == place->delivered) { /* all before it is before message->offset */
            fc_offset_map_add(&place->map, place->marked_offset, message->offset);
            place->marked = 0;
        }
    }
}

/* --- open and close ----------------------------------------------------------------------- */

static void sink_close(struct fc_sink *sink)
{
    if (sink == NULL) {
        return;
    }
    if (sink->producer != NULL) {
        (void)rd_kafka_purge(sink->producer, /* what is not flushed is given up */
                             RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        sink->failed = true;
        (void)rd_kafka_flush(sink->producer, POLL_MS); /* serves the reports */
    }
    fc_hashmap_release(&sink->places, free_place);
    fc_hashmap_release(&sink->groups, free);
    if (sink->producer != NULL) {
        rd_kafka_destroy_flags(sink->producer, 0);
    }
    fc_kafka_client_release(&sink->client);
    free(sink);
}

/* Until the coordinator answers: a cluster that has just started takes a while. */
static fc_code shut_out_others(struct fc_sink *sink, struct fc_error *err)
{
    fc_code code = FC_OK;
    rd_kafka_error_t *error = rd_kafka_init_transactions(sink->producer, TRANSACTION_MS);
    if (error != NULL) {
        code = fail_with(sink, error, "begin with transactions", err);
    }
    return code;
}

static fc_code open_producer(struct fc_sink *sink, struct fc_error *err)
{
    char id[ID_SIZE];
    const char *const exactly[] = {
        "transactional.id",       id,  "transaction.timeout.ms", "60000",      "acks", "all",
        "queue.buffering.max.ms", "5", "message.max.bytes",      "1000000000", NULL
    };
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
    const struct fc_host *host = sink->client.host;
    uint32_t brokers = 0;
    fc_code code;
    (void)snprintf(id, sizeof(id), "fluvio.sink.%s", host->connector_name(host));
    code = fc_kafka_client_handle(&sink->client, RD_KAFKA_PRODUCER,
                                  sink->exactly_once ? exactly : at_least, on_delivered,
                                  &sink->producer, err);
    code = code == FC_OK ? fc_kafka_client_reach(&sink->client, sink->producer, &brokers, err)
                         : code;
    return code == FC_OK && sink->exactly_once ? shut_out_others(sink, err) : code;
}

static fc_code sink_open(const struct fc_host *host, struct fc_sink **out_sink,
                         struct fc_error *err)
{
    struct fc_sink *sink = fc_new(struct fc_sink);
    const char *name = host->connector_name(host);
    fc_code code = fc_kafka_client_init(&sink->client, host, err);
    fc_hashmap_init(&sink->places);
    fc_hashmap_init(&sink->groups);
    sink->exactly_once = host->exactly_once;
    sink->keeps_history = sink->client.groups.count > 0;
    (void)snprintf(sink->positions_topic, sizeof(sink->positions_topic), "_fluvio.sink.%s",
                   name);
    (void)snprintf(sink->offsets_topic, sizeof(sink->offsets_topic), "_fluvio.offsets.%s",
                   name);
    code = code == FC_OK ? open_producer(sink, err) : code;
    code = code == FC_OK ? fc_sink_positions_read(sink, err) : code;
    if (code != FC_OK) {
        sink_close(sink);
        return code;
    }
    *out_sink = sink;
    return FC_OK;
}

static void sink_interrupt(struct fc_sink *sink)
{
    sink->client.interrupted = true;
}

/* --- topics ------------------------------------------------------------------------------- */

static bool sink_wants(struct fc_sink *sink, const char *topic)
{
    return fc_kafka_client_wants(&sink->client, topic);
}

static bool sink_wants_group(struct fc_sink *sink, const char *group)
{
    return fc_patterns_match(&sink->client.groups, group);
}

static fc_code create(struct fc_sink *sink, const struct fc_message_topic *topic,
                      struct fc_error *err)
{
    const struct fc_host *host = sink->client.host;
    int64_t replicas = host->option_int(host, "replication-factor");
    const char **settings = fc_new_array(const char *, 2 * (size_t)topic->setting_count + 1);
    struct fc_cluster_topic wanted = { .name = topic->name,
                                       .partitions = topic->partitions,
                                       .replication_factor = replicas == 0 ? -1 : (int)replicas,
                                       .settings = settings };
    fc_code code;
    for (uint32_t index = 0; index < topic->setting_count; index++) {
        const char *name = topic->settings[(size_t)2 * index];
        const char *value = topic->settings[(size_t)2 * index + 1];
        if (fc_kafka_settings_copied(name, value)) {
            settings[(size_t)2 * wanted.setting_count] = name;
            settings[(size_t)2 * wanted.setting_count + 1] = value;
            wanted.setting_count++;
        }
    }
    code = fc_cluster_create(sink->producer, &wanted, err);
    free(settings);
    return code;
}

static fc_code sink_prepare(struct fc_sink *sink, const struct fc_message_topic *topic,
                            struct fc_error *err)
{
    uint32_t has = 0;
    fc_code code = fc_cluster_partitions(sink->producer, topic->name, &has, err);
    if (code == FC_ERR_NOT_FOUND) {
        return create(sink, topic, err);
    }
    if (code == FC_OK && has < topic->partitions) {
        code = fc_cluster_grow(sink->producer, topic->name, topic->partitions, err);
    }
    return code;
}

static int64_t sink_position(struct fc_sink *sink, const char *topic, uint32_t partition)
{
    return fc_sink_place(sink, topic, partition)->flushed;
}

static void sink_reached(struct fc_sink *sink, const char *topic, uint32_t partition,
                         int64_t offset)
{
    fc_sink_place(sink, topic, partition)->reached = offset;
}

/* --- writing ------------------------------------------------------------------------------ */

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

fc_code fc_sink_produce(struct fc_sink *sink, struct fc_sink_place *place,
                        const struct fc_message *message, struct fc_error *err)
{
    rd_kafka_resp_err_t answer = RD_KAFKA_RESP_ERR__QUEUE_FULL;
    fc_code code = FC_OK;
    if (place->handle == NULL) {
        place->handle = rd_kafka_topic_new(sink->producer, place->topic, NULL);
    }
    while (code == FC_OK && answer == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_headers_t *headers = message->header_count == 0 ? NULL : headers_of(message);
        /* NOLINTBEGIN(performance-no-int-to-ptr): the value is only read */
        answer = rd_kafka_producev(
            sink->producer, RD_KAFKA_V_RKT(place->handle),
            RD_KAFKA_V_PARTITION((int32_t)place->partition),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY(message->key.data, message->key.len),
            RD_KAFKA_V_VALUE((void *)(uintptr_t)message->value.data, message->value.len),
            RD_KAFKA_V_TIMESTAMP(message->timestamp_ms), RD_KAFKA_V_HEADERS(headers),
            RD_KAFKA_V_OPAQUE(place), RD_KAFKA_V_END);
        /* NOLINTEND(performance-no-int-to-ptr) */
        if (answer != RD_KAFKA_RESP_ERR_NO_ERROR && headers != NULL) {
            rd_kafka_headers_destroy(headers); /* they were not taken */
        }
        if (answer == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            (void)rd_kafka_poll(sink->producer, POLL_MS); /* how many came does not matter */
            code = check_failed(sink, err);
        }
    }
    if (code == FC_OK && answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = fail_producer(sink, answer, NULL, place->topic, err);
    }
    place->written++;
    if (place->marked == 0 && place->written % FC_KAFKA_POINT_RECORDS == 0) {
        place->marked = place->written;
        place->marked_offset = message->offset;
    }
    return code;
}

static fc_code begin(struct fc_sink *sink, struct fc_error *err)
{
    rd_kafka_error_t *error = NULL;
    if (!sink->exactly_once || sink->in_transaction) {
        return FC_OK;
    }
    error = rd_kafka_begin_transaction(sink->producer);
    if (error != NULL) {
        return fail_with(sink, error, "begin a transaction", err);
    }
    sink->in_transaction = true;
    return FC_OK;
}

static fc_code sink_write(struct fc_sink *sink, const struct fc_message *messages,
                          uint32_t count, struct fc_error *err)
{
    fc_code code = begin(sink, err);
    for (uint32_t index = 0; code == FC_OK && index < count; index++) {
        struct fc_sink_place *place =
            fc_sink_place(sink, messages[index].topic, messages[index].partition);
        code = fc_sink_produce(sink, place, &messages[index], err);
        sink->written++;
    }
    (void)rd_kafka_poll(sink->producer, 0);
    return code == FC_OK ? check_failed(sink, err) : code;
}

static fc_code wait_delivered(struct fc_sink *sink, struct fc_error *err)
{
    fc_code code = check_failed(sink, err);
    int left = rd_kafka_outq_len(sink->producer);
    int still_ms = 0;
    while (code == FC_OK && left > 0) {
        int before = left;
        (void)rd_kafka_flush(sink->producer, POLL_MS); /* the queue's length tells */
        left = rd_kafka_outq_len(sink->producer);
        still_ms = left < before ? 0 : still_ms + POLL_MS;
        code = check_failed(sink, err);
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

/* A commit that gave no answer in time is asked for again: only then is known what became of
 * it. */
static fc_code commit(struct fc_sink *sink, struct fc_error *err)
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
    sink->in_transaction = false;
    return FC_OK;
}

static bool has_moved(const struct fc_sink *sink)
{
    size_t cursor = 0;
    struct fc_slice key;
    void *value = NULL;
    while (fc_hashmap_next(&sink->places, &cursor, &key, &value)) {
        const struct fc_sink_place *place = value;
        if (place->reached != place->flushed) {
            return true;
        }
    }
    return false;
}

static fc_code sink_flush(struct fc_sink *sink, struct fc_error *err)
{
    fc_code code;
    if (sink->written == 0 && !has_moved(sink)) {
        return FC_OK;
    }
    sink->client.down = false; /* it is said again when it still is so */
    code = begin(sink, err);
    code = code == FC_OK ? wait_delivered(sink, err) : code;
    code = code == FC_OK ? fc_sink_positions_write(sink, err) : code;
    code = code == FC_OK ? wait_delivered(sink, err) : code;
    code = code == FC_OK && sink->exactly_once ? commit(sink, err) : code;
    if (code == FC_OK) {
        sink->written = 0;
        fc_sink_positions_settle(sink);
    }
    return code;
}

const struct fc_sink_ops fc_kafka_sink_ops = {
    .size = sizeof(struct fc_sink_ops),
    .open = sink_open,
    .wants = sink_wants,
    .prepare = sink_prepare,
    .position = sink_position,
    .write = sink_write,
    .reached = sink_reached,
    .flush = sink_flush,
    .group = fc_sink_group,
    .wants_group = sink_wants_group,
    .interrupt = sink_interrupt,
    .close = sink_close,
    .check = fc_kafka_check_sink,
    .identity = fc_sink_identity,
    .identify = fc_sink_identify,
};
