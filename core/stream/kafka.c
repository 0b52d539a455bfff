/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties are tried on a configuration of their own before anything connects, and the user's
 * come before our defaults. A few are ours alone: acks=all and idempotence make an acknowledged
 * record durable and written once; without a limit in time a message is tried until the cluster
 * takes it; what a writer has not committed is not read.
 */
#include "core/stream/kafka.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/suggest.h"
#include "core/cluster/cluster.h"
#include "core/stream/kafka_state.h"

enum { CLOSE_WAIT_MS = 5000 };

static const struct fc_kafka_property OURS[] = {
    { "acks", "all" },
    { "enable.idempotence", "true" },
    { "message.timeout.ms", "0" },
    { "enable.partition.eof", "true" },
    { "enable.auto.commit", "false" },
    { "enable.auto.offset.store", "false" },
    { "auto.offset.reset", "error" },
    { "isolation.level", "read_committed" },
    { "allow.auto.create.topics", "false" },
};

static const char *const REFUSED[] = {
    "acks",
    "request.required.acks",
    "enable.idempotence",
    "enable.gapless.guarantee",
    "message.timeout.ms",
    "delivery.timeout.ms",
    "retries",
    "message.send.max.retries",
    "transactional.id",
    "transaction.timeout.ms",
    "enable.partition.eof",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "auto.commit.enable",
    "auto.offset.reset",
    "isolation.level",
    "allow.auto.create.topics",
    "group.id",
    "group.instance.id",
    "partitioner",
    "check.crcs",
};

/* For all handles, unless the user says otherwise. */
static const struct fc_kafka_property DEFAULTS[] = {
    { "client.id", "fluvio-connect" },
    { "socket.nagle.disable", "true" },
    { "socket.keepalive.enable", "true" },
    { "reconnect.backoff.ms", "50" },
    { "reconnect.backoff.max.ms", "1000" },
    { "topic.metadata.refresh.fast.interval.ms", "100" },
    { "receive.message.max.bytes", "268435456" },
    { "log.connection.close", "false" },
};

/* What a person may have meant: librdkafka lists neither aliases nor what has no default. */
static const char *const WELL_KNOWN[] = {
    "bootstrap.servers",
    "security.protocol",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.username",
    "sasl.password",
    "ssl.ca.location",
    "ssl.key.location",
    "ssl.key.password",
    "ssl.certificate.location",
    "compression.type",
    "compression.codec",
    "linger.ms",
    "client.rack",
    "debug",
};

/* --- properties --------------------------------------------------------------------------- */

static fc_code fail_unknown(const char *name, struct fc_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    size_t count = 0;
    const char **pairs = rd_kafka_conf_dump(conf, &count); /* names and values in turn */
    struct fc_suggest suggest;
    fc_code code;
    fc_suggest_init(&suggest, name);
    for (size_t index = 0; index < sizeof(WELL_KNOWN) / sizeof(WELL_KNOWN[0]); index++) {
        fc_suggest_offer(&suggest, WELL_KNOWN[index]);
    }
    for (size_t index = 0; index + 1 < count; index += 2) {
        fc_suggest_offer(&suggest, pairs[index]);
    }
    code = suggest.nearest == NULL
               ? fc_fail(err, FC_ERR_NOT_FOUND, "`%.80s` is no property of librdkafka %s", name,
                         rd_kafka_version_str())
               : fc_fail(err, FC_ERR_NOT_FOUND,
                         "`%.80s` is no property of librdkafka %s, did you mean `%s`?", name,
                         rd_kafka_version_str(), suggest.nearest);
    rd_kafka_conf_dump_free(pairs, count);
    rd_kafka_conf_destroy(conf);
    return code;
}

fc_code fc_kafka_check_property(const char *name, const char *value, struct fc_error *err)
{
    rd_kafka_conf_t *conf;
    rd_kafka_conf_res_t result;
    char why[FC_KAFKA_REASON_SIZE] = "";
    for (size_t index = 0; index < sizeof(REFUSED) / sizeof(REFUSED[0]); index++) {
        if (strcmp(name, REFUSED[index]) == 0) {
            return fc_fail(err, FC_ERR_CONFIG,
                           "`%s` cannot be set: that nothing is lost or written twice rests "
                           "on it",
                           name);
        }
    }
    conf = rd_kafka_conf_new();
    result = rd_kafka_conf_set(conf, name, value, why, sizeof(why));
    rd_kafka_conf_destroy(conf);
    if (result == RD_KAFKA_CONF_UNKNOWN) {
        return fail_unknown(name, err);
    }
    if (result != RD_KAFKA_CONF_OK) {
        const char *at = *value == '\0' ? NULL : strstr(why, value);
        /* librdkafka's text may repeat the value */
        return at == NULL ? fc_fail(err, FC_ERR_CONFIG, "%s", why)
                          : fc_fail(err, FC_ERR_CONFIG, "`%s` does not take this value", name);
    }
    return FC_OK;
}

static fc_code set(rd_kafka_conf_t *conf, const char *name, const char *value,
                   struct fc_error *err)
{
    char why[FC_KAFKA_REASON_SIZE] = "";
    if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) != RD_KAFKA_CONF_OK) {
        return fc_fail(err, FC_ERR_CONFIG, "librdkafka %s: %s", rd_kafka_version_str(), why);
    }
    return FC_OK;
}

bool fc_kafka_has(const struct fc_kafka *kafka, const char *name)
{
    for (uint32_t index = 0; index < kafka->given_count; index++) {
        if (strcmp(kafka->given[index], name) == 0) {
            return true;
        }
    }
    return false;
}

/* --- what librdkafka tells ---------------------------------------------------------------- */

static void note_reason(struct fc_kafka *kafka, const char *text, bool refused)
{
    char *detail;
    (void)pthread_mutex_lock(&kafka->reason_lock);
    (void)snprintf(kafka->reason, sizeof(kafka->reason), "%s", text);
    detail = strstr(kafka->reason, " (after ");
    if (detail != NULL) {
        *detail = '\0'; /* times and counts would make each a message of its own */
    }
    kafka->refused = refused;
    (void)pthread_mutex_unlock(&kafka->reason_lock);
}

static void on_error(rd_kafka_t *handle, int code, const char *text, void *ctx)
{
    (void)handle;
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) { /* says less than the one before it */
        note_reason(ctx, text,
                    code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
                        code == RD_KAFKA_RESP_ERR__SSL ||
                        code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED);
    }
}

/* What matters comes as an error, too; the rest is chatter. */
static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    (void)handle;
    (void)level;
    (void)facility;
    (void)text;
}

fc_code fc_kafka_fail(struct fc_kafka *kafka, rd_kafka_resp_err_t answer, const char *doing,
                      struct fc_error *err)
{
    char reason[FC_KAFKA_REASON_SIZE];
    bool transient = fc_cluster_is_transient(answer);
    bool refused;
    (void)rd_kafka_poll(kafka->client, 0); /* brings the reason; how many is of no use */
    (void)pthread_mutex_lock(&kafka->reason_lock);
    (void)snprintf(reason, sizeof(reason), "%s", kafka->reason);
    refused = kafka->refused;
    (void)pthread_mutex_unlock(&kafka->reason_lock);
    if (transient && refused) {
        return fc_fail(err, FC_ERR_CONFIG, "Kafka: %s: %s", doing, reason);
    }
    if (answer == RD_KAFKA_RESP_ERR__DESTROY) {
        return fc_fail(err, FC_ERR_CLOSED, "Kafka: %s: %s", doing, rd_kafka_err2str(answer));
    }
    return fc_cluster_fail(answer, transient ? reason : NULL, doing, err);
}

/* --- handles ------------------------------------------------------------------------------ */

fc_code fc_kafka_handle(struct fc_kafka *kafka, rd_kafka_type_t type,
                        const struct fc_kafka_property *ours, rd_kafka_t **out_handle,
                        struct fc_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(kafka->properties);
    char why[FC_KAFKA_REASON_SIZE] = "";
    fc_code code = FC_OK;
    for (; ours != NULL && ours->name != NULL && code == FC_OK; ours++) {
        if (!fc_kafka_has(kafka, ours->name)) {
            code = set(conf, ours->name, ours->value, err);
        }
    }
    if (code == FC_OK) {
        *out_handle = rd_kafka_new(type, conf, why, sizeof(why)); /* takes conf over */
        if (*out_handle != NULL) {
            return FC_OK;
        }
        code = fc_fail(err, FC_ERR_CONFIG, "Kafka: %s", why);
    }
    rd_kafka_conf_destroy(conf);
    return code;
}

static void kafka_close(struct fc_stream *stream)
{
    struct fc_kafka *kafka = fc_kafka_of(stream);
    fc_kafka_close_producer(kafka, CLOSE_WAIT_MS);
    fc_kafka_free_consumers(kafka);
    fc_kafka_free_topics(kafka);
    if (kafka->grouped != NULL) {
        rd_kafka_destroy(kafka->grouped);
    }
    if (kafka->client != NULL) {
        rd_kafka_destroy(kafka->client);
    }
    if (kafka->properties != NULL) {
        rd_kafka_conf_destroy(kafka->properties);
    }
    for (uint32_t index = 0; index < kafka->given_count; index++) {
        free(kafka->given[index]);
    }
    free(kafka->given);
    free(kafka->writer);
    (void)pthread_mutex_destroy(&kafka->writing);
    (void)pthread_mutex_destroy(&kafka->lock); /* nobody uses the stream any more */
    (void)pthread_mutex_destroy(&kafka->reason_lock);
    free(kafka);
}

static void kafka_wake(struct fc_stream *stream)
{
    fc_kafka_of(stream)->wakes++;
}

static const struct fc_stream_ops KAFKA_OPS = {
    .sparse = true,
    .close = kafka_close,
    .topic = fc_kafka_topic,
    .topic_ensure = fc_kafka_topic_ensure,
    .topics = fc_kafka_topics,
    .names = fc_kafka_names,
    .create = fc_kafka_create_like,
    .grow = fc_kafka_grow,
    .settings = fc_kafka_settings,
    .groups = fc_kafka_groups,
    .committed = fc_kafka_committed,
    .commit = fc_kafka_commit,
    .flush = fc_kafka_flush,
    .renew = fc_kafka_renew,
    .wake = kafka_wake,
    .offsets = fc_kafka_offsets,
    .offset_for_time = fc_kafka_offset_for_time,
    .batch_new = fc_kafka_batch_new,
    .batch_free = fc_kafka_batch_free,
    .batch_reset = fc_kafka_batch_reset,
    .batch_add = fc_kafka_batch_add,
    .batch_count = fc_kafka_batch_count,
    .batch_bytes = fc_kafka_batch_bytes,
    .batch_seal = fc_kafka_batch_seal,
    .append = fc_kafka_append,
    .reader_open = fc_kafka_reader_open,
    .reader_close = fc_kafka_reader_close,
    .reader_next = fc_kafka_reader_next,
    .reader_offset = fc_kafka_reader_offset,
    .reader_seek = fc_kafka_reader_seek,
};

static fc_code set_properties(struct fc_kafka *kafka, const struct fc_kafka_config *config,
                              struct fc_error *err)
{
    fc_code code = FC_OK;
    for (size_t index = 0; code == FC_OK && index < sizeof(DEFAULTS) / sizeof(DEFAULTS[0]);
         index++) {
        code = set(kafka->properties, DEFAULTS[index].name, DEFAULTS[index].value, err);
    }
    for (uint32_t index = 0; code == FC_OK && index < config->property_count; index++) {
        const struct fc_kafka_property *property = &config->properties[index];
        code = fc_kafka_check_property(property->name, property->value, err);
        code =
            code == FC_OK ? set(kafka->properties, property->name, property->value, err) : code;
        if (code == FC_OK) {
            kafka->given =
                fc_realloc_array(kafka->given, kafka->given_count + 1, sizeof(*kafka->given));
            kafka->given[kafka->given_count++] = fc_strdup(property->name);
        }
    }
    for (size_t index = 0; code == FC_OK && index < sizeof(OURS) / sizeof(OURS[0]); index++) {
        code = set(kafka->properties, OURS[index].name, OURS[index].value, err);
    }
    return code;
}

fc_code fc_kafka_open(const struct fc_kafka_config *config, struct fc_stream **out_stream,
                      struct fc_error *err)
{
    struct fc_kafka *kafka = fc_new(struct fc_kafka);
    fc_code code;
    kafka->base.ops = &KAFKA_OPS;
    kafka->properties = rd_kafka_conf_new();
    kafka->read_only = config->writer == NULL;
    kafka->writer = config->writer == NULL ? NULL : fc_strdup(config->writer);
    kafka->replication_factor = config->replication_factor;
    kafka->on_notice = config->on_notice;
    kafka->notice_ctx = config->notice_ctx;
    (void)pthread_mutex_init(&kafka->writing, NULL); /* cannot fail on Linux */
    (void)pthread_mutex_init(&kafka->lock, NULL);
    (void)pthread_mutex_init(&kafka->reason_lock, NULL);
    rd_kafka_conf_set_opaque(kafka->properties, kafka);
    rd_kafka_conf_set_error_cb(kafka->properties, on_error);
    rd_kafka_conf_set_log_cb(kafka->properties, on_log);
    code = set_properties(kafka, config, err);
    if (code == FC_OK) {
        /* a consumer, which never creates a topic by asking for it */
        code = fc_kafka_handle(kafka, RD_KAFKA_CONSUMER, NULL, &kafka->client, err);
    }
    if (code != FC_OK) {
        kafka_close(&kafka->base);
        return code;
    }
    *out_stream = &kafka->base;
    return FC_OK;
}
