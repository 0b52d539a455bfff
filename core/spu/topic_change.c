/* SPDX-License-Identifier: Apache-2.0 */
/* DeleteTopics and CreatePartitions. */
#include <inttypes.h>

#include "core/spu/access.h"
#include "core/spu/coordinator.h"
#include "core/spu/handlers.h"
#include "core/spu/quotas.h"
#include "core/spu/topic_admin.h"

/* From which on clients know that a quota refuses. */
enum { DELETE_STRICT = 5, GROW_STRICT = 3 };

enum { MESSAGE_SIZE = 80 };

static fc_kafka_error delete_topic(struct fc_spu *spu, struct fc_request *request,
                                   struct fc_slice name, struct fc_uuid id,
                                   struct fc_msg_delete_topics_response_topic *out)
{
    struct fc_log_topic *topic = NULL;
    struct fc_error err;
    bool by_id = name.data == NULL;
    fc_kafka_error error;
    out->name = name;
    out->topic_id = id;
    if (!by_id && !fc_access_may(spu, request, FC_OPERATION_DELETE, FC_RESOURCE_TOPIC, name)) {
        return FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    }
    error = fc_spu_topic(spu, request, name, id, &topic);
    if (error != FC_KAFKA_NONE) {
        return error;
    }
    name = fc_slice_text(fc_log_topic_name(topic));
    if (!fc_access_may(spu, request, FC_OPERATION_DELETE, FC_RESOURCE_TOPIC, name)) {
        error = FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    } else if (spu->config.clients_read_only) {
        error = FC_KAFKA_POLICY_VIOLATION;
        out->error_message = fc_slice_text(FC_SPU_READ_ONLY_TEXT);
    } else if (fc_log_topic_is_internal(topic)) {
        error = FC_KAFKA_INVALID_REQUEST;
        out->error_message = fc_slice_text("the topic is the cluster's own");
    } else if (!fc_quota_mutate(spu, request, fc_log_topic_partitions(topic),
                                request->api_version >= DELETE_STRICT)) {
        error = FC_KAFKA_THROTTLING_QUOTA_EXCEEDED;
    } else if (fc_log_topic_delete(topic, &err) != FC_OK) {
        error = fc_topic_admin_error(err.code);
        out->error_message = fc_answer_message(request, &err);
    } else {
        out->name = fc_arena_copy(&request->arena, name);
        fc_coordinator_forget_topic(spu->coordinator, name);
        out->topic_id = fc_log_topic_id(topic);
    }
    fc_log_topic_unref(topic);
    return error;
}

void fc_handle_delete_topics(struct fc_spu *spu, struct fc_request *request,
                             const void *message)
{
    const struct fc_msg_delete_topics_request *ask = message;
    struct fc_msg_delete_topics_response response;
    struct fc_uuid no_id = { { 0 } };
    bool by_name = request->api_version < 6;
    int32_t count = by_name ? ask->topic_names_count : ask->topics_count;
    fc_wire_init(&fc_msg_delete_topics_response_type, &response);
    response.responses_count = count;
    response.responses =
        fc_wire_array(&request->arena, &fc_msg_delete_topics_response_topic_type, count);
    if (response.responses == NULL) {
        fc_answer_too_large(request);
        return;
    }
    for (int32_t index = 0; index < count; index++) {
        struct fc_msg_delete_topics_response_topic *out = &response.responses[index];
        out->error_code = (int16_t)delete_topic(
            spu, request, by_name ? ask->topic_names[index] : ask->topics[index].name,
            by_name ? no_id : ask->topics[index].topic_id, out);
    }
    fc_answer(request, &response);
}

/* Where each of the new partitions is to be: on this node, once. */
static bool is_here(const struct fc_spu *spu,
                    const struct fc_msg_create_partitions_request_topic *asked, uint32_t now)
{
    if (asked->assignments_count < 0) {
        return true;
    }
    for (int32_t index = 0; index < asked->assignments_count; index++) {
        const struct fc_msg_create_partitions_request_assignment *assignment =
            &asked->assignments[index];
        if (assignment->broker_ids_count != 1 ||
            assignment->broker_ids[0] != spu->config.node_id) {
            return false;
        }
    }
    return asked->assignments_count == asked->count - (int64_t)now;
}

static fc_kafka_error grow(struct fc_spu *spu, struct fc_request *request,
                           const struct fc_msg_create_partitions_request *ask,
                           const struct fc_msg_create_partitions_request_topic *asked,
                           struct fc_msg_create_partitions_response_result *out)
{
    char text[MESSAGE_SIZE];
    struct fc_log_topic *topic = NULL;
    struct fc_error err;
    fc_kafka_error error;
    if (!fc_access_may(spu, request, FC_OPERATION_ALTER, FC_RESOURCE_TOPIC, asked->name)) {
        return FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    }
    error = fc_spu_topic(spu, request, asked->name, (struct fc_uuid){ { 0 } }, &topic);
    if (error != FC_KAFKA_NONE) {
        return error;
    }
    if (spu->config.clients_read_only) {
        error = FC_KAFKA_POLICY_VIOLATION;
        out->error_message = fc_slice_text(FC_SPU_READ_ONLY_TEXT);
    } else if (asked->count <= (int64_t)fc_log_topic_partitions(topic) ||
               asked->count > (int64_t)spu->config.partitions_max) {
        error = FC_KAFKA_INVALID_PARTITIONS;
        (void)snprintf(text, sizeof(text),
                       "the topic has %" PRIu32
                       " partitions; it only gets more, up to %" PRIu32,
                       fc_log_topic_partitions(topic), spu->config.partitions_max);
        out->error_message = fc_arena_copy(&request->arena, fc_slice_text(text));
    } else if (!is_here(spu, asked, fc_log_topic_partitions(topic))) {
        error = FC_KAFKA_INVALID_REPLICA_ASSIGNMENT;
        out->error_message =
            fc_slice_text("each new partition has one replica, and that is on this node");
    } else if (!ask->validate_only &&
               !fc_quota_mutate(spu, request,
                                (uint32_t)asked->count - fc_log_topic_partitions(topic),
                                request->api_version >= GROW_STRICT)) {
        error = FC_KAFKA_THROTTLING_QUOTA_EXCEEDED;
    } else if (!ask->validate_only &&
               fc_log_topic_grow(topic, (uint32_t)asked->count, &err) != FC_OK) {
        error = err.code == FC_ERR_CONFIG ? FC_KAFKA_INVALID_PARTITIONS
                                          : fc_topic_admin_error(err.code);
        out->error_message = fc_answer_message(request, &err);
    }
    fc_log_topic_unref(topic);
    return error;
}

void fc_handle_create_partitions(struct fc_spu *spu, struct fc_request *request,
                                 const void *message)
{
    const struct fc_msg_create_partitions_request *ask = message;
    struct fc_msg_create_partitions_response response;
    fc_wire_init(&fc_msg_create_partitions_response_type, &response);
    response.results_count = ask->topics_count;
    response.results = fc_wire_array(
        &request->arena, &fc_msg_create_partitions_response_result_type, ask->topics_count);
    if (response.results == NULL) {
        fc_answer_too_large(request);
        return;
    }
    for (int32_t index = 0; index < ask->topics_count; index++) {
        struct fc_msg_create_partitions_response_result *out = &response.results[index];
        out->name = ask->topics[index].name;
        out->error_code = (int16_t)grow(spu, request, ask, &ask->topics[index], out);
    }
    fc_answer(request, &response);
}
