/* SPDX-License-Identifier: Apache-2.0 */
/* CreateTopics, DeleteTopics, CreatePartitions. */
#include "core/spu/topic_admin.h"

#include <inttypes.h>

#include "core/spu/access.h"
#include "core/spu/handlers.h"
#include "core/spu/quotas.h"
#include "core/spu/topic_settings.h"

/* What the default is asked for by. */
enum { DEFAULT_PARTITIONS = -1, DEFAULT_REPLICATION = -1 };

/* Of CreateTopics, from which on clients know that a quota refuses. */
enum { STRICT_VERSION = 6 };

enum { MESSAGE_SIZE = 80 };

fc_kafka_error fc_topic_admin_error(fc_code code)
{
    switch (code) {
    case FC_ERR_REJECTED:
        return FC_KAFKA_TOPIC_ALREADY_EXISTS;
    case FC_ERR_REFUSED:
        return FC_KAFKA_POLICY_VIOLATION;
    default:
        return fc_kafka_error_of(code);
    }
}

fc_kafka_error fc_topic_admin_auto_create(struct fc_spu *spu, struct fc_request *request,
                                          struct fc_slice name, struct fc_log_topic **out_topic)
{
    const char *text = fc_request_name(request, name);
    struct fc_error err;
    fc_code code;
    if (text == NULL) {
        return FC_KAFKA_INVALID_TOPIC_EXCEPTION;
    }
    if (!fc_quota_mutate(spu, request, spu->config.partitions_default, true)) {
        return FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION; /* for which clients ask again */
    }
    code = fc_data_dir_create(spu->data, text, spu->config.partitions_default, NULL, out_topic,
                              &err);
    if (code == FC_ERR_REJECTED) {
        code = fc_data_dir_topic(spu->data, text, out_topic, &err);
    }
    return code == FC_ERR_CONFIG ? FC_KAFKA_INVALID_TOPIC_EXCEPTION : fc_kafka_error_of(code);
}

fc_code fc_topic_admin_internal(struct fc_spu *spu, const char *name, uint32_t partitions,
                                struct fc_log_topic **out_topic, struct fc_error *err)
{
    struct fc_settings settings = { 0 };
    fc_code code = fc_data_dir_topic(spu->data, name, out_topic, err);
    if (code != FC_ERR_NOT_FOUND) {
        return code;
    }
    fc_settings_put(&settings, "cleanup.policy", "compact");
    fc_settings_put(&settings, "compression.type", "producer");
    fc_settings_put(&settings, "segment.bytes", "104857600");
    code = fc_data_dir_create(spu->data, name, partitions, &settings, out_topic, err);
    fc_settings_release(&settings);
    return code;
}

/* --- CreateTopics --- */

static fc_kafka_error fail(struct fc_request *request,
                           struct fc_msg_create_topics_response_topic *out,
                           fc_kafka_error error, const char *message)
{
    out->error_code = (int16_t)error;
    out->error_message =
        fc_arena_copy(&request->arena,
                      fc_slice_text(message == NULL ? fc_kafka_error_message(error) : message));
    return error;
}

/* How many partitions, from the number or from the assignment to nodes. */
static fc_kafka_error count_partitions(struct fc_spu *spu, struct fc_request *request,
                                       const struct fc_msg_create_topics_request_topic *asked,
                                       struct fc_msg_create_topics_response_topic *out,
                                       uint32_t *out_count)
{
    int64_t count = asked->num_partitions;
    if (asked->assignments_count > 0) {
        count = asked->assignments_count;
        for (int32_t index = 0; index < asked->assignments_count; index++) {
            const struct fc_msg_create_topics_request_assignment *assignment =
                &asked->assignments[index];
            if (assignment->partition_index < 0 || assignment->partition_index >= count ||
                assignment->broker_ids_count != 1 ||
                assignment->broker_ids[0] != spu->config.node_id) {
                return fail(request, out, FC_KAFKA_INVALID_REPLICA_ASSIGNMENT,
                            "there is one node, which has one replica of each partition");
            }
        }
    } else if (count == DEFAULT_PARTITIONS) {
        count = spu->config.partitions_default;
    }
    if (count < 1 || count > spu->config.partitions_max) {
        char text[MESSAGE_SIZE];
        (void)snprintf(text, sizeof(text), "a topic has 1 to %" PRIu32 " partitions",
                       spu->config.partitions_max);
        return fail(request, out, FC_KAFKA_INVALID_PARTITIONS, text);
    }
    if (asked->assignments_count <= 0 && asked->replication_factor != 1 &&
        asked->replication_factor != DEFAULT_REPLICATION) {
        return fail(request, out, FC_KAFKA_INVALID_REPLICATION_FACTOR,
                    "there is one node, so the replication factor is 1");
    }
    *out_count = (uint32_t)count;
    return FC_KAFKA_NONE;
}

static fc_kafka_error read_settings(struct fc_spu *spu, struct fc_request *request,
                                    const struct fc_msg_create_topics_request_topic *asked,
                                    struct fc_msg_create_topics_response_topic *out,
                                    struct fc_settings *settings)
{
    struct fc_error err;
    for (int32_t index = 0; index < asked->configs_count; index++) {
        const char *key = fc_request_name(request, asked->configs[index].name);
        const char *value = fc_request_name(request, asked->configs[index].value);
        if (key == NULL || value == NULL) {
            return fail(request, out, FC_KAFKA_INVALID_CONFIG,
                        "a setting without name or value");
        }
        if (fc_topic_setting_check(spu, key, value, &err) != FC_OK) {
            return fail(request, out, FC_KAFKA_INVALID_CONFIG, err.message);
        }
        fc_settings_put(settings, key, value);
    }
    return FC_KAFKA_NONE;
}

/* The settings that the topic has, or would have. */
static bool tell_settings(struct fc_spu *spu, struct fc_request *request,
                          const struct fc_settings *settings,
                          struct fc_msg_create_topics_response_topic *out)
{
    int32_t count = (int32_t)fc_topic_settings_count();
    out->configs =
        fc_wire_array(&request->arena, &fc_msg_create_topics_response_config_type, count);
    if (out->configs == NULL) {
        return false;
    }
    out->configs_count = count;
    for (int32_t index = 0; index < count; index++) {
        struct fc_topic_setting setting;
        fc_topic_setting(spu, settings, (size_t)index, &setting);
        out->configs[index].name = fc_slice_text(setting.doc->key);
        out->configs[index].value =
            fc_arena_copy(&request->arena, fc_slice_text(setting.values[0].text));
        out->configs[index].config_source = (int8_t)setting.values[0].source;
    }
    return true;
}

static bool name_is_twice(const struct fc_msg_create_topics_request *ask, int32_t which)
{
    for (int32_t index = 0; index < ask->topics_count; index++) {
        if (index != which &&
            fc_slice_equal(ask->topics[index].name, ask->topics[which].name)) {
            return true;
        }
    }
    return false;
}

/* Clients expect one answer for a name, however often it was asked for. */
static bool is_repeated(const struct fc_msg_create_topics_request *ask, int32_t which)
{
    bool repeated = false;
    for (int32_t index = 0; index < which && !repeated; index++) {
        repeated = fc_slice_equal(ask->topics[index].name, ask->topics[which].name);
    }
    return repeated;
}

static bool is_there(struct fc_spu *spu, const char *name)
{
    struct fc_log_topic *there = NULL;
    bool found = fc_data_dir_topic(spu->data, name, &there, NULL) == FC_OK;
    fc_log_topic_unref(there);
    return found;
}

static fc_kafka_error create(struct fc_spu *spu, struct fc_request *request, const char *name,
                             uint32_t count, const struct fc_settings *settings,
                             struct fc_msg_create_topics_response_topic *out)
{
    struct fc_log_topic *topic = NULL;
    struct fc_error err;
    fc_code code;
    if (!fc_quota_mutate(spu, request, count, request->api_version >= STRICT_VERSION)) {
        return fail(request, out, FC_KAFKA_THROTTLING_QUOTA_EXCEEDED, NULL);
    }
    code = fc_data_dir_create(spu->data, name, count, settings, &topic, &err);
    if (code == FC_ERR_CONFIG) {
        return fail(request, out, FC_KAFKA_INVALID_TOPIC_EXCEPTION, err.message);
    }
    if (code != FC_OK) {
        return fail(request, out, fc_topic_admin_error(code), err.message);
    }
    out->topic_id = fc_log_topic_id(topic);
    fc_log_topic_unref(topic);
    return FC_KAFKA_NONE;
}

static bool create_topic(struct fc_spu *spu, struct fc_request *request,
                         const struct fc_msg_create_topics_request *ask, int32_t which,
                         struct fc_msg_create_topics_response_topic *out)
{
    const struct fc_msg_create_topics_request_topic *asked = &ask->topics[which];
    struct fc_settings settings = { 0 };
    const char *name = fc_request_name(request, asked->name);
    uint32_t count = 0;
    bool fits = true;
    out->name = asked->name;
    out->topic_config_error_code = FC_KAFKA_NONE;
    if (!fc_access_sees_cluster(spu, request, FC_OPERATION_CREATE) &&
        !fc_access_may(spu, request, FC_OPERATION_CREATE, FC_RESOURCE_TOPIC, asked->name)) {
        (void)fail(request, out, FC_KAFKA_TOPIC_AUTHORIZATION_FAILED, NULL);
    } else if (spu->config.clients_read_only) {
        (void)fail(request, out, FC_KAFKA_POLICY_VIOLATION, FC_SPU_READ_ONLY_TEXT);
    } else if (name == NULL) {
        (void)fail(request, out, FC_KAFKA_INVALID_TOPIC_EXCEPTION, NULL);
    } else if (name_is_twice(ask, which)) {
        (void)fail(request, out, FC_KAFKA_INVALID_REQUEST, "the name is there twice");
    } else if (count_partitions(spu, request, asked, out, &count) == FC_KAFKA_NONE &&
               read_settings(spu, request, asked, out, &settings) == FC_KAFKA_NONE) {
        if (is_there(spu, name)) {
            (void)fail(request, out, FC_KAFKA_TOPIC_ALREADY_EXISTS, NULL);
        } else if (!ask->validate_only) {
            (void)create(spu, request, name, count, &settings, out);
        }
        if (out->error_code == FC_KAFKA_NONE) {
            out->num_partitions = (int32_t)count;
            out->replication_factor = 1;
            fits = tell_settings(spu, request, &settings, out);
        }
    }
    fc_settings_release(&settings);
    return fits;
}

void fc_handle_create_topics(struct fc_spu *spu, struct fc_request *request,
                             const void *message)
{
    const struct fc_msg_create_topics_request *ask = message;
    struct fc_msg_create_topics_response response;
    bool fits = true;
    fc_wire_init(&fc_msg_create_topics_response_type, &response);
    response.topics_count = 0;
    response.topics = fc_wire_array(&request->arena, &fc_msg_create_topics_response_topic_type,
                                    ask->topics_count);
    fits = response.topics != NULL;
    for (int32_t index = 0; fits && index < ask->topics_count; index++) {
        if (!is_repeated(ask, index)) {
            fits = create_topic(spu, request, ask, index,
                                &response.topics[response.topics_count++]);
        }
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}
