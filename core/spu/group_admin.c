/* SPDX-License-Identifier: Apache-2.0 */
/* What administrators ask about groups: DescribeGroups, ListGroups, DeleteGroups, OffsetDelete. */
#include "core/spu/access.h"
#include "core/spu/coordinator.h"
#include "core/spu/handlers.h"

static struct fc_slice copy_text(struct fc_request *request, struct fc_slice text)
{
    return text.data == NULL ? fc_slice_text("") : fc_arena_copy(&request->arena, text);
}

/* Under the lock. */
static bool describe_member(struct fc_request *request, const struct fc_group *group,
                            const struct fc_group_member *member,
                            struct fc_msg_describe_groups_response_member *out)
{
    struct fc_slice metadata = fc_group_metadata_of(member, group->protocol);
    out->member_id = copy_text(request, member->id);
    out->group_instance_id = fc_arena_copy(&request->arena, member->instance_id);
    out->client_id = copy_text(request, member->client_id);
    out->client_host = copy_text(request, member->client_host);
    out->member_metadata = copy_text(request, metadata);
    out->member_assignment = copy_text(request, member->assignment);
    return out->member_id.data != NULL && out->client_id.data != NULL &&
           out->client_host.data != NULL && out->member_metadata.data != NULL &&
           out->member_assignment.data != NULL;
}

static bool describe_group(struct fc_request *request, const struct fc_group *group,
                           struct fc_msg_describe_groups_response_group *out)
{
    bool fits;
    out->group_state = fc_slice_text(fc_group_state_name(group->state));
    out->protocol_type = copy_text(request, group->protocol_type);
    out->protocol_data = copy_text(request, group->protocol);
    out->members = fc_wire_array(&request->arena, &fc_msg_describe_groups_response_member_type,
                                 group->members_count);
    fits = out->members != NULL && out->protocol_type.data != NULL &&
           out->protocol_data.data != NULL;
    for (int32_t index = 0; fits && index < group->members_count; index++) {
        fits = describe_member(request, group, group->members[index],
                               &out->members[out->members_count++]);
    }
    return fits;
}

enum { NOT_FOUND_VERSION = 6 };

static bool describe(struct fc_spu *spu, struct fc_request *request,
                     const struct fc_msg_describe_groups_request *ask, struct fc_slice group_id,
                     struct fc_msg_describe_groups_response_group *out)
{
    struct fc_coordinated *group;
    bool fits = true;
    out->group_id = group_id;
    out->group_state = fc_slice_text("");
    out->protocol_type = fc_slice_text("");
    out->protocol_data = fc_slice_text("");
    if (!fc_access_may(spu, request, FC_OPERATION_DESCRIBE, FC_RESOURCE_GROUP, group_id)) {
        out->error_code = FC_KAFKA_GROUP_AUTHORIZATION_FAILED;
        return true;
    }
    fc_coordinator_lock(spu->coordinator);
    group = fc_coordinator_find(spu->coordinator, group_id);
    if (group != NULL) {
        fits = describe_group(request, group->group, out);
    } else {
        out->group_state = fc_slice_text("Dead");
        if (request->api_version >= NOT_FOUND_VERSION) {
            out->error_code = FC_KAFKA_GROUP_ID_NOT_FOUND;
            out->error_message = fc_slice_text("there is no such group");
        }
    }
    fc_coordinator_unlock(spu->coordinator);
    if (ask->include_authorized_operations) {
        out->authorized_operations =
            fc_access_operations(spu, request, FC_RESOURCE_GROUP, group_id);
    }
    return fits;
}

void fc_handle_describe_groups(struct fc_spu *spu, struct fc_request *request,
                               const void *message)
{
    const struct fc_msg_describe_groups_request *ask = message;
    struct fc_msg_describe_groups_response response;
    bool fits;
    fc_wire_init(&fc_msg_describe_groups_response_type, &response);
    response.groups = fc_wire_array(
        &request->arena, &fc_msg_describe_groups_response_group_type, ask->groups_count);
    fits = response.groups != NULL;
    for (int32_t index = 0; fits && index < ask->groups_count; index++) {
        fits = describe(spu, request, ask, ask->groups[index],
                        &response.groups[response.groups_count++]);
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}

/* An empty filter lets everything through. */
static bool passes(const struct fc_slice *filter, int32_t count, const char *text)
{
    bool found = count <= 0;
    for (int32_t index = 0; !found && index < count; index++) {
        found = filter[index].len == strlen(text) &&
                strncasecmp((const char *)filter[index].data, text, filter[index].len) == 0;
    }
    return found;
}

/* Under the lock. */
static bool list(struct fc_spu *spu, struct fc_request *request,
                 const struct fc_msg_list_groups_request *ask,
                 struct fc_msg_list_groups_response *response)
{
    struct fc_coordinated *group = NULL;
    size_t cursor = 0;
    int32_t count = 0;
    bool fits;
    while (fc_coordinator_next(spu->coordinator, &cursor, &group)) {
        count++;
    }
    response->groups =
        fc_wire_array(&request->arena, &fc_msg_list_groups_response_group_type, count);
    fits = response->groups != NULL;
    cursor = 0;
    while (fits && fc_coordinator_next(spu->coordinator, &cursor, &group)) {
        const char *state = fc_group_state_name(group->group->state);
        struct fc_msg_list_groups_response_group *out;
        if (!passes(ask->states_filter, ask->states_filter_count, state) ||
            !passes(ask->types_filter, ask->types_filter_count, "classic") ||
            !fc_access_sees(spu, request, FC_OPERATION_DESCRIBE, FC_RESOURCE_GROUP,
                            group->group->id)) {
            continue;
        }
        out = &response->groups[response->groups_count++];
        out->group_id = fc_arena_copy(&request->arena, group->group->id);
        out->protocol_type = copy_text(request, group->group->protocol_type);
        out->group_state = fc_slice_text(state);
        out->group_type = fc_slice_text("classic");
        fits = out->group_id.data != NULL && out->protocol_type.data != NULL;
    }
    return fits;
}

void fc_handle_list_groups(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    struct fc_msg_list_groups_response response;
    bool fits;
    fc_wire_init(&fc_msg_list_groups_response_type, &response);
    fc_coordinator_lock(spu->coordinator);
    fits = list(spu, request, message, &response);
    fc_coordinator_unlock(spu->coordinator);
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}

static fc_kafka_error delete_group(struct fc_spu *spu, struct fc_request *request,
                                   struct fc_slice group_id)
{
    struct fc_coordinated *group;
    fc_kafka_error error = FC_KAFKA_NONE;
    if (!fc_access_may(spu, request, FC_OPERATION_DELETE, FC_RESOURCE_GROUP, group_id)) {
        return FC_KAFKA_GROUP_AUTHORIZATION_FAILED;
    }
    fc_coordinator_lock(spu->coordinator);
    group = fc_coordinator_find(spu->coordinator, group_id);
    if (group == NULL) {
        error = FC_KAFKA_GROUP_ID_NOT_FOUND;
    } else if (group->group->state != FC_GROUP_EMPTY) {
        error = FC_KAFKA_NON_EMPTY_GROUP;
    } else if (fc_coordinator_delete(spu->coordinator, group, NULL) != FC_OK) {
        error = FC_KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    fc_coordinator_unlock(spu->coordinator);
    return error;
}

void fc_handle_delete_groups(struct fc_spu *spu, struct fc_request *request,
                             const void *message)
{
    const struct fc_msg_delete_groups_request *ask = message;
    struct fc_msg_delete_groups_response response;
    fc_wire_init(&fc_msg_delete_groups_response_type, &response);
    response.results = fc_wire_array(
        &request->arena, &fc_msg_delete_groups_response_result_type, ask->groups_names_count);
    if (response.results == NULL) {
        fc_answer_too_large(request);
        return;
    }
    response.results_count = ask->groups_names_count;
    for (int32_t index = 0; index < ask->groups_names_count; index++) {
        response.results[index].group_id = ask->groups_names[index];
        response.results[index].error_code =
            (int16_t)delete_group(spu, request, ask->groups_names[index]);
    }
    fc_answer(request, &response);
}

static bool is_there(struct fc_spu *spu, struct fc_request *request, struct fc_slice name,
                     int32_t partition)
{
    struct fc_log_topic *topic = NULL;
    bool there =
        fc_spu_topic(spu, request, name, (struct fc_uuid){ { 0 } }, &topic) == FC_KAFKA_NONE &&
        partition >= 0 && (uint32_t)partition < fc_log_topic_partitions(topic);
    fc_log_topic_unref(topic);
    return there;
}

/* Members that are consumers may still want the topic; whether they do is theirs to say, so all
 * topics of a group with members are refused. Under the lock. */
static fc_kafka_error delete_offset(struct fc_spu *spu, struct fc_request *request,
                                    struct fc_coordinated *group, struct fc_slice topic,
                                    int32_t partition)
{
    if (!fc_access_may(spu, request, FC_OPERATION_READ, FC_RESOURCE_TOPIC, topic)) {
        return FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    }
    if (group->group->state != FC_GROUP_EMPTY) {
        return FC_KAFKA_GROUP_SUBSCRIBED_TO_TOPIC;
    }
    if (fc_group_offsets_get(&group->offsets, topic, partition) == NULL) {
        return is_there(spu, request, topic, partition) ? FC_KAFKA_NONE
                                                        : FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    return fc_coordinator_forget(spu->coordinator, group, topic, partition, NULL) == FC_OK
               ? FC_KAFKA_NONE
               : FC_KAFKA_COORDINATOR_NOT_AVAILABLE;
}

static bool delete_offsets(struct fc_spu *spu, struct fc_request *request,
                           const struct fc_msg_offset_delete_request *ask,
                           struct fc_coordinated *group,
                           struct fc_msg_offset_delete_response *response)
{
    bool fits;
    response->topics = fc_wire_array(&request->arena, &fc_msg_offset_delete_response_topic_type,
                                     ask->topics_count);
    fits = response->topics != NULL;
    response->topics_count = fits ? ask->topics_count : 0;
    for (int32_t index = 0; fits && index < ask->topics_count; index++) {
        const struct fc_msg_offset_delete_request_topic *topic = &ask->topics[index];
        struct fc_msg_offset_delete_response_topic *out = &response->topics[index];
        out->name = topic->name;
        out->partitions =
            fc_wire_array(&request->arena, &fc_msg_offset_delete_response_partition_type,
                          topic->partitions_count);
        fits = out->partitions != NULL;
        out->partitions_count = fits ? topic->partitions_count : 0;
        for (int32_t which = 0; which < out->partitions_count; which++) {
            int32_t partition = topic->partitions[which].partition_index;
            out->partitions[which].partition_index = partition;
            out->partitions[which].error_code =
                (int16_t)delete_offset(spu, request, group, topic->name, partition);
        }
    }
    return fits;
}

void fc_handle_offset_delete(struct fc_spu *spu, struct fc_request *request,
                             const void *message)
{
    const struct fc_msg_offset_delete_request *ask = message;
    struct fc_msg_offset_delete_response response;
    struct fc_coordinated *group;
    bool fits = true;
    fc_wire_init(&fc_msg_offset_delete_response_type, &response);
    if (!fc_access_may(spu, request, FC_OPERATION_DELETE, FC_RESOURCE_GROUP, ask->group_id)) {
        response.error_code = FC_KAFKA_GROUP_AUTHORIZATION_FAILED;
        fc_answer(request, &response);
        return;
    }
    fc_coordinator_lock(spu->coordinator);
    group = fc_coordinator_find(spu->coordinator, ask->group_id);
    if (group == NULL) {
        response.error_code = FC_KAFKA_GROUP_ID_NOT_FOUND;
    } else {
        fits = delete_offsets(spu, request, ask, group, &response);
    }
    fc_coordinator_unlock(spu->coordinator);
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}
