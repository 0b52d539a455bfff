/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/kafka/client.h"

#include <stdlib.h>

#include "core/base/suggest.h"
#include "core/cluster/cluster.h"
#include "core/link/topic_ids.h"

enum { REACH_MS = 10000 };

/* What the promises rest on. */
static const char *const REFUSED[] = {
    "acks",
    "request.required.acks",
    "enable.idempotence",
    "enable.gapless.guarantee",
    "message.timeout.ms",
    "delivery.timeout.ms",
    "transactional.id",
    "enable.partition.eof",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "auto.offset.reset",
    "allow.auto.create.topics",
    "group.id",
    "group.instance.id",
    "partitioner",
};

/* Unless the user says otherwise. */
static const char *const DEFAULTS[] = { "client.id",
                                        "fluvio-connect",
                                        "socket.nagle.disable",
                                        "true",
                                        "socket.keepalive.enable",
                                        "true",
                                        "reconnect.backoff.ms",
                                        "50",
                                        "reconnect.backoff.max.ms",
                                        "1000",
                                        "topic.metadata.refresh.fast.interval.ms",
                                        "100",
                                        "log.connection.close",
                                        "false",
                                        NULL };

/* --- options ------------------------------------------------------------------------------ */

static fc_code fail_unknown(const char *name, struct fc_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    size_t count = 0;
    const char **pairs = rd_kafka_conf_dump(conf, &count); /* names and values in turn */
    struct fc_suggest suggest;
    char hint[FC_SUGGEST_TEXT_SIZE];
    fc_code code;
    fc_suggest_init(&suggest, name);
    for (size_t index = 0; index + 1 < count; index += 2) {
        fc_suggest_offer(&suggest, pairs[index]);
    }
    code =
        fc_fail(err, FC_ERR_CONFIG, "`properties`: `%.80s` is no property of librdkafka %s%s",
                name, rd_kafka_version_str(), fc_suggest_text(&suggest, hint));
    rd_kafka_conf_dump_free(pairs, count);
    rd_kafka_conf_destroy(conf);
    return code;
}

/* A value may be a secret, so it is not repeated. */
static fc_code set(rd_kafka_conf_t *conf, const char *name, const char *value,
                   struct fc_error *err)
{
    char why[FC_KAFKA_TEXT_SIZE] = "";
    switch (rd_kafka_conf_set(conf, name, value, why, sizeof(why))) {
    case RD_KAFKA_CONF_OK:
        return FC_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        return fail_unknown(name, err);
    case RD_KAFKA_CONF_INVALID:
        break;
    }
    return fc_fail(err, FC_ERR_CONFIG, "`properties`: `%s` does not take this value", name);
}

static fc_code check_allowed(const char *name, struct fc_error *err)
{
    if (strcmp(name, "bootstrap.servers") == 0 || strcmp(name, "metadata.broker.list") == 0) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "`properties`: `%s` is the option `bootstrap.servers` of the block",
                       name);
    }
    for (size_t index = 0; index < sizeof(REFUSED) / sizeof(REFUSED[0]); index++) {
        if (strcmp(name, REFUSED[index]) == 0) {
            return fc_fail(err, FC_ERR_CONFIG,
                           "`properties`: `%s` cannot be set: that nothing is lost or copied "
                           "twice rests on it",
                           name);
        }
    }
    return FC_OK;
}

static fc_code set_given(const struct fc_host *host, rd_kafka_conf_t *conf,
                         struct fc_error *err)
{
    const char *const *pairs = NULL;
    uint32_t count = host->option_map(host, "properties", &pairs);
    fc_code code =
        set(conf, "bootstrap.servers", host->option_text(host, "bootstrap.servers"), err);
    if (code != FC_OK) {
        return fc_option_wrap(host, "bootstrap.servers", FC_OPTION_WHOLE, err);
    }
    for (uint32_t index = 0; code == FC_OK && index < count; index++) {
        code = check_allowed(pairs[(size_t)2 * index], err);
        code = code == FC_OK
                   ? set(conf, pairs[(size_t)2 * index], pairs[(size_t)2 * index + 1], err)
                   : code;
        code = code == FC_OK ? FC_OK : fc_option_wrap(host, "properties", index, err);
    }
    return code;
}

static fc_code read_patterns(const struct fc_host *host, const char *key,
                             struct fc_patterns *to, struct fc_error *err)
{
    const char *const *texts = NULL;
    uint32_t count = host->option_list(host, key, &texts);
    uint32_t bad = 0;
    return fc_patterns_init(to, key, texts, count, &bad, err) == FC_OK
               ? FC_OK
               : fc_option_wrap(host, key, bad, err);
}

fc_code fc_kafka_client_init(struct fc_kafka_client *client, const struct fc_host *host,
                             struct fc_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    fc_code code;
    memset(client, 0, sizeof(*client));
    client->host = host;
    (void)pthread_mutex_init(&client->lock, NULL); /* cannot fail on Linux */
    code = set_given(host, conf, err);
    rd_kafka_conf_destroy(conf);
    code = code == FC_OK ? read_patterns(host, "topics", &client->topics, err) : code;
    code = code == FC_OK ? read_patterns(host, "exclude", &client->exclude, err) : code;
    code = code == FC_OK ? read_patterns(host, "groups", &client->groups, err) : code;
    if (code == FC_OK && client->topics.count == 0) {
        (void)fc_fail(err, FC_ERR_CONFIG, "`topics` is empty: name at least one, or [\"*\"]");
        code = fc_option_wrap(host, "topics", FC_OPTION_WHOLE, err);
    }
    return code;
}

void fc_kafka_client_release(struct fc_kafka_client *client)
{
    fc_patterns_release(&client->topics);
    fc_patterns_release(&client->exclude);
    fc_patterns_release(&client->groups);
    (void)pthread_mutex_destroy(&client->lock); /* nobody uses it any more */
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

bool fc_kafka_client_wants(const struct fc_kafka_client *client, const char *topic)
{
    return !starts_with(topic, "__") && !starts_with(topic, "_fluvio.") &&
           fc_patterns_match(&client->topics, topic) &&
           !fc_patterns_match(&client->exclude, topic);
}

/* --- what librdkafka tells ---------------------------------------------------------------- */

static void on_error(rd_kafka_t *handle, int code, const char *text, void *ctx)
{
    struct fc_kafka_client *client = ctx;
    char *detail;
    (void)handle;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) { /* says less than the one before it */
        client->down = true;
        return;
    }
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
        client->refused = true;
    }
    (void)pthread_mutex_lock(&client->lock);
    (void)snprintf(client->reason, sizeof(client->reason), "%s", text);
    detail = strstr(client->reason, " (after ");
    if (detail != NULL) {
        *detail = '\0'; /* times and counts would make each a message of its own */
    }
    (void)pthread_mutex_unlock(&client->lock);
}

/* What matters comes as an error, too; the rest is chatter. */
static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    (void)handle;
    (void)level;
    (void)facility;
    (void)text;
}

fc_code fc_kafka_client_fail(struct fc_kafka_client *client, rd_kafka_resp_err_t answer,
                             const char *doing, struct fc_error *err)
{
    char reason[FC_KAFKA_TEXT_SIZE];
    (void)pthread_mutex_lock(&client->lock);
    (void)snprintf(reason, sizeof(reason), "%s", client->reason);
    (void)pthread_mutex_unlock(&client->lock);
    return fc_cluster_fail(answer, fc_cluster_is_transient(answer) ? reason : NULL, doing, err);
}

void fc_kafka_client_tell(const struct fc_kafka_client *client, int level, const char *fmt, ...)
{
    char text[2 * FC_KAFKA_TEXT_SIZE];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    client->host->report(client->host, level, text);
}

/* --- handles ------------------------------------------------------------------------------ */

fc_code fc_kafka_client_handle(
    struct fc_kafka_client *client, rd_kafka_type_t type, const char *const *ours,
    void (*on_delivered)(rd_kafka_t *handle, const rd_kafka_message_t *message, void *ctx),
    rd_kafka_t **out_handle, struct fc_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[FC_KAFKA_TEXT_SIZE] = "";
    fc_code code = FC_OK;
    for (size_t index = 0; code == FC_OK && DEFAULTS[index] != NULL; index += 2) {
        code = set(conf, DEFAULTS[index], DEFAULTS[index + 1], err);
    }
    code = code == FC_OK ? set_given(client->host, conf, err) : code;
    for (size_t index = 0; code == FC_OK && ours[index] != NULL; index += 2) {
        code = set(conf, ours[index], ours[index + 1], err);
    }
    if (code == FC_OK) {
        rd_kafka_conf_set_opaque(conf, client);
        rd_kafka_conf_set_error_cb(conf, on_error);
        rd_kafka_conf_set_log_cb(conf, on_log);
        if (on_delivered != NULL) {
            rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
        }
        *out_handle = rd_kafka_new(type, conf, why, sizeof(why)); /* takes conf over */
        if (*out_handle != NULL) {
            return FC_OK;
        }
        code = fc_fail(err, FC_ERR_CONFIG, "Kafka: %s", why);
    }
    rd_kafka_conf_destroy(conf);
    return code;
}

/* A property as the user gives it; of two names for one, either. */
static const char *get_property(const void *ctx, const char *name)
{
    const struct fc_kafka_client *client = ctx;
    const struct fc_host *host = client->host;
    const char *const *pairs = NULL;
    uint32_t count = host->option_map(host, "properties", &pairs);
    if (strcmp(name, "bootstrap.servers") == 0) {
        return host->option_text(host, name);
    }
    for (size_t index = 0; index < count; index++) {
        const char *key = pairs[2 * index];
        if (strcmp(key, name) == 0 ||
            (strcmp(key, "sasl.mechanisms") == 0 && strcmp(name, "sasl.mechanism") == 0)) {
            return pairs[2 * index + 1];
        }
    }
    return NULL;
}

struct fc_link_settings fc_kafka_client_link(const struct fc_kafka_client *client)
{
    const struct fc_link_settings settings = { get_property, client, "kafka" };
    return settings;
}

struct fc_topic_ids *fc_kafka_client_topic_ids(const struct fc_kafka_client *client)
{
    const struct fc_link_settings settings = fc_kafka_client_link(client);
    return fc_topic_ids_new(&settings, REACH_MS);
}

fc_code fc_kafka_client_reach(struct fc_kafka_client *client, rd_kafka_t *handle,
                              uint32_t *out_brokers, struct fc_error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t answer = RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (int waited = 0; answer == RD_KAFKA_RESP_ERR__TIMED_OUT && waited < REACH_MS &&
                         !client->interrupted && !client->down && !client->refused;
         waited += REACH_MS / 10) {
        answer = rd_kafka_metadata(handle, 0, NULL, &metadata, REACH_MS / 10);
        (void)rd_kafka_poll(handle, 0); /* brings the reason */
    }
    if (answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fc_kafka_client_fail(client, answer, "reach the cluster", err);
    }
    *out_brokers = (uint32_t)metadata->broker_cnt;
    rd_kafka_metadata_destroy(metadata);
    client->down = false;
    client->refused = false;
    return FC_OK;
}

fc_code fc_kafka_client_transactions(struct fc_kafka_client *client, int wait_ms,
                                     struct fc_cluster_finding *out_finding,
                                     struct fc_error *err)
{
    static const char *const ours[] = { NULL };
    rd_kafka_t *handle = NULL;
    fc_code code = fc_kafka_client_handle(client, RD_KAFKA_CONSUMER, ours, NULL, &handle, err);
    if (code == FC_OK) {
        fc_cluster_transactions(handle, wait_ms, out_finding);
        rd_kafka_destroy(handle);
    }
    return code;
}
