/* SPDX-License-Identifier: Apache-2.0 */
/* Topics of the cluster: create them, look at their settings, change them. */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/cluster/call.h"
#include "core/stream/kafka_state.h"

enum {
    RECORD_OVERHEAD = 1024, /* of the batch around a record, amply */
    SETTINGS_MAX = 8,
    NUMBER_SIZE = 32
};

struct setting {
    const char *name;
    char value[NUMBER_SIZE];
    unsigned given; /* the bit of struct fc_topic_config's `given` */
};

static void add_setting(struct setting *settings, size_t *count, const char *name,
                        int64_t value, unsigned given)
{
    struct setting *setting = &settings[(*count)++];
    fc_assert(*count <= SETTINGS_MAX);
    setting->name = name;
    setting->given = given;
    (void)snprintf(setting->value, sizeof(setting->value), "%" PRId64, value);
}

/* Kafka's names and units. A record must fit in a segment there. */
static size_t settings_of(const struct fc_topic_config *config,
                          struct setting settings[SETTINGS_MAX])
{
    int64_t message = (int64_t)config->record_bytes_max + RECORD_OVERHEAD;
    int64_t segment = (int64_t)config->segment_bytes;
    size_t count = 0;
    segment = segment > INT32_MAX ? INT32_MAX : segment;
    segment = segment < 1 << 20 ? 1 << 20 : segment; /* Kafka's least */
    message = message > segment ? segment : message;
    add_setting(settings, &count, "retention.ms", config->retention_ms, FC_TOPIC_RETENTION_MS);
    add_setting(settings, &count, "retention.bytes", config->retention_bytes,
                FC_TOPIC_RETENTION_BYTES);
    add_setting(settings, &count, "segment.bytes", segment, FC_TOPIC_SEGMENT_BYTES);
    add_setting(settings, &count, "segment.ms",
                config->segment_ms < 0 ? INT64_MAX : config->segment_ms, FC_TOPIC_SEGMENT_MS);
    add_setting(settings, &count, "max.message.bytes", message, FC_TOPIC_RECORD_BYTES_MAX);
    return count;
}

/* --- failures ----------------------------------------------------------------------------- */

/* The broker's own words say more than the name of its error, but not than what librdkafka tells
 * of its connections. */
static fc_code fail_answer(struct fc_kafka *kafka, rd_kafka_resp_err_t answer,
                           const char *words, const char *doing, struct fc_error *err)
{
    fc_code code = fc_kafka_fail(kafka, answer, doing, err);
    if (words != NULL && *words != '\0' && !fc_cluster_is_transient(answer)) {
        code = fc_fail(err, code, "Kafka: %s: %s", doing, words);
    }
    return code;
}

static fc_code wait_answer(struct fc_cluster_call *call, struct fc_kafka *kafka,
                           const char *doing, struct fc_error *err)
{
    const char *words = NULL;
    rd_kafka_resp_err_t answer = fc_cluster_answer(call, &words);
    return answer == RD_KAFKA_RESP_ERR_NO_ERROR ? FC_OK
                                                : fail_answer(kafka, answer, words, doing, err);
}

/* --- create ------------------------------------------------------------------------------- */

static fc_code created(struct fc_kafka *kafka, const struct fc_cluster_call *call,
                       struct fc_error *err)
{
    const rd_kafka_CreateTopics_result_t *result =
        rd_kafka_event_CreateTopics_result(call->event);
    size_t count = 0;
    const rd_kafka_topic_result_t **topics =
        rd_kafka_CreateTopics_result_topics(result, &count);
    rd_kafka_resp_err_t answer =
        count == 1 ? rd_kafka_topic_result_error(topics[0]) : RD_KAFKA_RESP_ERR__FAIL;
    if (answer == RD_KAFKA_RESP_ERR_NO_ERROR ||
        answer == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        return FC_OK;
    }
    return fail_answer(kafka, answer,
                       count == 1 ? rd_kafka_topic_result_error_string(topics[0]) : NULL,
                       "create it", err);
}

fc_code fc_kafka_create(struct fc_kafka *kafka, const char *name,
                        const struct fc_topic_config *config, unsigned flags,
                        struct fc_error *err)
{
    struct setting settings[SETTINGS_MAX];
    size_t count = settings_of(config, settings);
    char why[FC_KAFKA_REASON_SIZE] = "";
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(
        name, (int)config->partitions, kafka->replication_factor, why, sizeof(why));
    struct fc_cluster_call call;
    fc_code code;
    if (topic == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "Kafka: %s", why);
    }
    for (size_t index = 0; index < count; index++) {
        /* fails for an empty name only */
        (void)rd_kafka_NewTopic_set_config(topic, settings[index].name, settings[index].value);
    }
    (void)rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "delete");
    fc_cluster_begin(&call, kafka->client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    if ((flags & FC_KAFKA_VALIDATE) != 0) {
        (void)rd_kafka_AdminOptions_set_validate_only(call.options, 1, why, sizeof(why));
    }
    (void)rd_kafka_AdminOptions_set_operation_timeout(call.options, FC_KAFKA_CALL_MS, why,
                                                      sizeof(why));
    rd_kafka_CreateTopics(kafka->client, &topic, 1, call.options, call.queue);
    code = wait_answer(&call, kafka, "create it", err);
    code = code == FC_OK ? created(kafka, &call, err) : code;
    fc_cluster_end(&call);
    rd_kafka_NewTopic_destroy(topic);
    return code;
}

/* --- look --------------------------------------------------------------------------------- */

/* The entries borrow from the call until it ends. */
static fc_code describe(struct fc_kafka *kafka, const char *topic, struct fc_cluster_call *call,
                        const rd_kafka_ConfigEntry_t ***out_entries, size_t *out_count,
                        struct fc_error *err)
{
    rd_kafka_ConfigResource_t *asked =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    const rd_kafka_ConfigResource_t **resources;
    rd_kafka_resp_err_t answer;
    size_t count = 0;
    fc_code code;
    rd_kafka_DescribeConfigs(kafka->client, &asked, 1, call->options, call->queue);
    rd_kafka_ConfigResource_destroy(asked);
    code = wait_answer(call, kafka, "read its settings", err);
    if (code != FC_OK) {
        return code;
    }
    resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(call->event), &count);
    answer = count == 1 ? rd_kafka_ConfigResource_error(resources[0]) : RD_KAFKA_RESP_ERR__FAIL;
    if (answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fail_answer(kafka, answer,
                           count == 1 ? rd_kafka_ConfigResource_error_string(resources[0])
                                      : NULL,
                           "read its settings", err);
    }
    *out_entries = rd_kafka_ConfigResource_configs(resources[0], out_count);
    return FC_OK;
}

fc_code fc_kafka_setting(struct fc_kafka *kafka, const char *topic, const char *name,
                         char to[FC_KAFKA_SETTING_SIZE], struct fc_error *err)
{
    const rd_kafka_ConfigEntry_t **entries = NULL;
    size_t count = 0;
    struct fc_cluster_call call;
    fc_code code;
    to[0] = '\0';
    fc_cluster_begin(&call, kafka->client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    code = describe(kafka, topic, &call, &entries, &count, err);
    for (size_t index = 0; code == FC_OK && index < count; index++) {
        if (strcmp(rd_kafka_ConfigEntry_name(entries[index]), name) == 0 &&
            rd_kafka_ConfigEntry_value(entries[index]) != NULL) {
            (void)snprintf(to, FC_KAFKA_SETTING_SIZE, "%s",
                           rd_kafka_ConfigEntry_value(entries[index]));
        }
    }
    fc_cluster_end(&call);
    return code;
}

fc_code fc_kafka_topic_setting(struct fc_topic *topic, const char *name,
                               char to[FC_KAFKA_SETTING_SIZE], struct fc_error *err)
{
    return fc_kafka_setting(fc_kafka_of(topic->stream), topic->name, name, to, err);
}

void fc_kafka_transactions(struct fc_stream *stream, struct fc_cluster_finding *out_finding)
{
    fc_cluster_transactions(fc_kafka_of(stream)->client, FC_KAFKA_CALL_MS, out_finding);
}

fc_code fc_kafka_may_create(struct fc_stream *stream, const char *name,
                            const struct fc_topic_config *config, struct fc_error *err)
{
    return fc_kafka_create(fc_kafka_of(stream), name, config, FC_KAFKA_VALIDATE, err);
}

/* --- change ------------------------------------------------------------------------------- */

static const struct setting *wanted(const struct setting *settings, size_t count,
                                    const char *name, unsigned given)
{
    for (size_t index = 0; index < count; index++) {
        if (strcmp(settings[index].name, name) == 0 && (settings[index].given & given) != 0) {
            return &settings[index];
        }
    }
    return NULL;
}

/*
 * The call replaces all that was set for the topic, so what was set and is not ours to change
 * goes along. Whether anything changes is the result.
 */
static bool fill_change(rd_kafka_ConfigResource_t *change,
                        const rd_kafka_ConfigEntry_t **entries, size_t entry_count,
                        const struct setting *settings, size_t count, unsigned given)
{
    bool differs = false;
    for (size_t index = 0; index < entry_count; index++) {
        const char *name = rd_kafka_ConfigEntry_name(entries[index]);
        const char *value = rd_kafka_ConfigEntry_value(entries[index]);
        const struct setting *setting = wanted(settings, count, name, given);
        bool is_set = rd_kafka_ConfigEntry_source(entries[index]) ==
                      RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG;
        if (setting != NULL) {
            differs = differs || value == NULL || strcmp(value, setting->value) != 0;
            /* fails for an empty name only */
            (void)rd_kafka_ConfigResource_set_config(change, name, setting->value);
        } else if (is_set && value != NULL) {
            (void)rd_kafka_ConfigResource_set_config(change, name, value);
        }
    }
    return differs;
}

static fc_code alter(struct fc_kafka *kafka, rd_kafka_ConfigResource_t *change,
                     struct fc_error *err)
{
    const rd_kafka_ConfigResource_t **resources;
    rd_kafka_resp_err_t answer;
    size_t count = 0;
    struct fc_cluster_call call;
    fc_code code;
    fc_cluster_begin(&call, kafka->client, RD_KAFKA_ADMIN_OP_ALTERCONFIGS);
    rd_kafka_AlterConfigs(kafka->client, &change, 1, call.options, call.queue);
    code = wait_answer(&call, kafka, "change its settings", err);
    if (code == FC_OK) {
        resources = rd_kafka_AlterConfigs_result_resources(
            rd_kafka_event_AlterConfigs_result(call.event), &count);
        answer =
            count == 1 ? rd_kafka_ConfigResource_error(resources[0]) : RD_KAFKA_RESP_ERR__FAIL;
        if (answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
            code = fail_answer(kafka, answer,
                               count == 1 ? rd_kafka_ConfigResource_error_string(resources[0])
                                          : NULL,
                               "change its settings", err);
        }
    }
    fc_cluster_end(&call);
    return code;
}

fc_code fc_kafka_configure(struct fc_kafka *kafka, const char *name,
                           const struct fc_topic_config *config, struct fc_error *err)
{
    struct setting settings[SETTINGS_MAX];
    size_t count = settings_of(config, settings);
    const rd_kafka_ConfigEntry_t **entries = NULL;
    size_t entry_count = 0;
    rd_kafka_ConfigResource_t *change;
    struct fc_cluster_call call;
    fc_code code;
    if (config->given == 0) {
        return FC_OK;
    }
    change = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    fc_cluster_begin(&call, kafka->client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    code = describe(kafka, name, &call, &entries, &entry_count, err);
    if (code == FC_OK &&
        fill_change(change, entries, entry_count, settings, count, config->given)) {
        code = alter(kafka, change, err);
    }
    fc_cluster_end(&call);
    rd_kafka_ConfigResource_destroy(change);
    return code;
}
