/* SPDX-License-Identifier: Apache-2.0 */
/* Topics of the cluster: what there are, and new ones. */
#include "core/cluster/call.h"

enum { READY_WAIT_MS = 30000, READY_LOOK_MS = 100 };

/* --- looking ------------------------------------------------------------------------------ */

fc_code fc_cluster_topics(rd_kafka_t *handle,
                          fc_code (*on_topic)(void *ctx, const char *name, uint32_t partitions,
                                              struct fc_error *err),
                          void *ctx, struct fc_error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t answer =
        rd_kafka_metadata(handle, 1, NULL, &metadata, FC_CLUSTER_CALL_MS);
    fc_code code = FC_OK;
    if (answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fc_cluster_fail(answer, NULL, "list topics", err);
    }
    for (int index = 0; code == FC_OK && index < metadata->topic_cnt; index++) {
        const rd_kafka_metadata_topic_t *topic = &metadata->topics[index];
        if (topic->err == RD_KAFKA_RESP_ERR_NO_ERROR && topic->partition_cnt > 0) {
            code = on_topic(ctx, topic->topic, (uint32_t)topic->partition_cnt, err);
        }
    }
    rd_kafka_metadata_destroy(metadata);
    return code;
}

/* LEADER_NOT_AVAILABLE while a partition has none. */
static rd_kafka_resp_err_t ask(rd_kafka_t *handle, const char *name, uint32_t *out_count)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, name, NULL);
    rd_kafka_resp_err_t answer;
    if (topic == NULL) {
        return rd_kafka_last_error();
    }
    answer = rd_kafka_metadata(handle, 0, topic, &metadata, FC_CLUSTER_CALL_MS);
    rd_kafka_topic_destroy(topic);
    if (answer == RD_KAFKA_RESP_ERR_NO_ERROR) {
        answer = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                          : RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
    }
    if (answer == RD_KAFKA_RESP_ERR_NO_ERROR) {
        *out_count = (uint32_t)metadata->topics[0].partition_cnt;
        for (int index = 0; index < metadata->topics[0].partition_cnt; index++) {
            if (metadata->topics[0].partitions[index].leader < 0) {
                answer = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
            }
        }
    }
    if (metadata != NULL) {
        rd_kafka_metadata_destroy(metadata);
    }
    return answer;
}

fc_code fc_cluster_partitions(rd_kafka_t *handle, const char *topic, uint32_t *out_count,
                              struct fc_error *err)
{
    rd_kafka_resp_err_t answer = ask(handle, topic, out_count);
    return answer == RD_KAFKA_RESP_ERR_NO_ERROR
               ? FC_OK
               : fc_cluster_fail(answer, NULL, "look up a topic", err);
}

/* What was just created is known everywhere only after a moment. */
static fc_code wait_ready(rd_kafka_t *handle, const char *topic, uint32_t partitions,
                          struct fc_error *err)
{
    uint32_t count = 0;
    rd_kafka_resp_err_t answer = ask(handle, topic, &count);
    rd_kafka_queue_t *none = rd_kafka_queue_new(handle); /* only to wait on */
    for (int waited = 0;
         (answer != RD_KAFKA_RESP_ERR_NO_ERROR || count < partitions) && waited < READY_WAIT_MS;
         waited += READY_LOOK_MS) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(none, READY_LOOK_MS);
        if (event != NULL) {
            rd_kafka_event_destroy(event);
        }
        answer = ask(handle, topic, &count);
    }
    rd_kafka_queue_destroy(none);
    if (answer != RD_KAFKA_RESP_ERR_NO_ERROR || count < partitions) {
        return fc_fail_retriable(err, FC_ERR_TIMEOUT, "Kafka: topic %s is not ready yet",
                                 topic);
    }
    return FC_OK;
}

/* --- changing ----------------------------------------------------------------------------- */

static fc_code topic_answer(const rd_kafka_topic_result_t **topics, size_t count,
                            rd_kafka_resp_err_t fine, const char *doing, struct fc_error *err)
{
    rd_kafka_resp_err_t answer =
        count == 1 ? rd_kafka_topic_result_error(topics[0]) : RD_KAFKA_RESP_ERR__FAIL;
    const char *words = count == 1 ? rd_kafka_topic_result_error_string(topics[0]) : NULL;
    if (answer == RD_KAFKA_RESP_ERR_NO_ERROR || answer == fine) {
        return FC_OK;
    }
    return fc_cluster_fail(answer, words, doing, err);
}

static fc_code create(rd_kafka_t *handle, const struct fc_cluster_topic *topic,
                      bool only_validate, struct fc_error *err)
{
    char why[FC_CLUSTER_TEXT_SIZE] = "";
    struct fc_cluster_call call;
    size_t count = 0;
    fc_code code;
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(
        topic->name, (int)topic->partitions, topic->replication_factor, why, sizeof(why));
    if (wanted == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "Kafka: create topic %s: %s", topic->name, why);
    }
    for (size_t index = 0; index < topic->setting_count; index++) {
        /* fails for an empty name only */
        (void)rd_kafka_NewTopic_set_config(wanted, topic->settings[2 * index],
                                           topic->settings[2 * index + 1]);
    }
    fc_cluster_begin(&call, handle, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    if (only_validate) {
        /* an option of this call, so it is taken */
        (void)rd_kafka_AdminOptions_set_validate_only(call.options, 1, why, sizeof(why));
    }
    rd_kafka_CreateTopics(handle, &wanted, 1, call.options, call.queue);
    code = fc_cluster_wait(&call, "create a topic", err);
    if (code == FC_OK) {
        const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(
            rd_kafka_event_CreateTopics_result(call.event), &count);
        code = topic_answer(topics, count, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS,
                            "create a topic", err);
    }
    fc_cluster_end(&call);
    rd_kafka_NewTopic_destroy(wanted);
    return code;
}

fc_code fc_cluster_create(rd_kafka_t *handle, const struct fc_cluster_topic *topic,
                          struct fc_error *err)
{
    fc_code code = create(handle, topic, false, err);
    code = code == FC_OK ? wait_ready(handle, topic->name, 1, err) : code;
    return code == FC_OK ? FC_OK : fc_wrap(err, "topic %s", topic->name);
}

fc_code fc_cluster_may_create(rd_kafka_t *handle, const struct fc_cluster_topic *topic,
                              struct fc_error *err)
{
    return create(handle, topic, true, err);
}

fc_code fc_cluster_grow(rd_kafka_t *handle, const char *topic, uint32_t partitions,
                        struct fc_error *err)
{
    char why[FC_CLUSTER_TEXT_SIZE] = "";
    struct fc_cluster_call call;
    rd_kafka_NewPartitions_t *wanted;
    uint32_t has = 0;
    size_t count = 0;
    fc_code code = fc_cluster_partitions(handle, topic, &has, err);
    if (code != FC_OK || has >= partitions) {
        return code;
    }
    wanted = rd_kafka_NewPartitions_new(topic, partitions, why, sizeof(why));
    if (wanted == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "Kafka: topic %s: %s", topic, why);
    }
    fc_cluster_begin(&call, handle, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS);
    rd_kafka_CreatePartitions(handle, &wanted, 1, call.options, call.queue);
    code = fc_cluster_wait(&call, "add partitions", err);
    if (code == FC_OK) {
        const rd_kafka_topic_result_t **topics = rd_kafka_CreatePartitions_result_topics(
            rd_kafka_event_CreatePartitions_result(call.event), &count);
        code = topic_answer(topics, count, RD_KAFKA_RESP_ERR_NO_ERROR, "add partitions", err);
    }
    fc_cluster_end(&call);
    rd_kafka_NewPartitions_destroy(wanted);
    code = code == FC_OK ? wait_ready(handle, topic, partitions, err) : code;
    return code == FC_OK ? FC_OK : fc_wrap(err, "topic %s", topic);
}

/* --- settings ----------------------------------------------------------------------------- */

fc_code fc_cluster_settings(rd_kafka_t *handle, const char *topic,
                            void (*on_setting)(void *ctx, const char *name, const char *value),
                            void *ctx, struct fc_error *err)
{
    rd_kafka_ConfigResource_t *asked =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    const rd_kafka_ConfigResource_t **resources = NULL;
    const rd_kafka_ConfigEntry_t **entries = NULL;
    struct fc_cluster_call call;
    rd_kafka_resp_err_t answer;
    size_t count = 0;
    fc_code code;
    fc_cluster_begin(&call, handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_DescribeConfigs(handle, &asked, 1, call.options, call.queue);
    rd_kafka_ConfigResource_destroy(asked);
    code = fc_cluster_wait(&call, "read a topic's settings", err);
    if (code == FC_OK) {
        resources = rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(call.event), &count);
        answer =
            count == 1 ? rd_kafka_ConfigResource_error(resources[0]) : RD_KAFKA_RESP_ERR__FAIL;
        if (answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
            code = fc_cluster_fail(
                answer, count == 1 ? rd_kafka_ConfigResource_error_string(resources[0]) : NULL,
                "read a topic's settings", err);
        }
    }
    if (code == FC_OK) {
        entries = rd_kafka_ConfigResource_configs(resources[0], &count);
        for (size_t index = 0; index < count; index++) {
            const char *value = rd_kafka_ConfigEntry_value(entries[index]);
            if (value != NULL) {
                on_setting(ctx, rd_kafka_ConfigEntry_name(entries[index]), value);
            }
        }
    }
    fc_cluster_end(&call);
    return code == FC_OK ? FC_OK : fc_wrap(err, "topic %s", topic);
}
