/* SPDX-License-Identifier: Apache-2.0 */
/* What members of a group send: FindCoordinator, JoinGroup, SyncGroup, Heartbeat, LeaveGroup. */
#include "core/spu/access.h"
#include "core/spu/coordinator.h"
#include "core/spu/dispatch.h"
#include "core/spu/group_answer.h"
#include "core/spu/handlers.h"

enum {
    KEY_GROUP = 0,
    KEY_TRANSACTION = 1,
    ID_FIRST_VERSION = 4,
    SKIPS_VERSION = 9,
    LEAVE_MANY_VERSION = 3,
    FIND_MANY_VERSION = 4
};

/* --- FindCoordinator: it is always here --- */

static fc_kafka_error may_find(struct fc_spu *spu, struct fc_request *request, int8_t type,
                               struct fc_slice key)
{
    if (type == KEY_GROUP) {
        if (key.len == 0) {
            return FC_KAFKA_INVALID_GROUP_ID;
        }
        return fc_access_may(spu, request, FC_OPERATION_DESCRIBE, FC_RESOURCE_GROUP, key)
                   ? FC_KAFKA_NONE
                   : FC_KAFKA_GROUP_AUTHORIZATION_FAILED;
    }
    if (type == KEY_TRANSACTION) {
        return fc_access_may(spu, request, FC_OPERATION_DESCRIBE, FC_RESOURCE_TRANSACTIONAL_ID,
                             key)
                   ? FC_KAFKA_NONE
                   : FC_KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    }
    return FC_KAFKA_INVALID_REQUEST;
}

static void find(struct fc_spu *spu, struct fc_request *request, int8_t type,
                 struct fc_slice key, struct fc_msg_find_coordinator_response_coordinator *out)
{
    const struct fc_listener *listener = fc_connection_listener(request->connection);
    fc_kafka_error error = may_find(spu, request, type, key);
    out->key = key;
    out->error_code = (int16_t)error;
    out->node_id = -1;
    out->port = -1;
    out->host = fc_slice_text("");
    if (error == FC_KAFKA_NONE) {
        out->node_id = spu->config.node_id;
        out->host = fc_slice_text(listener->advertised_host);
        out->port = listener->advertised_port;
    } else {
        out->error_message = fc_slice_text(fc_kafka_error_message(error));
    }
}

void fc_handle_find_coordinator(struct fc_spu *spu, struct fc_request *request,
                                const void *message)
{
    const struct fc_msg_find_coordinator_request *ask = message;
    struct fc_msg_find_coordinator_response response;
    struct fc_msg_find_coordinator_response_coordinator one;
    fc_wire_init(&fc_msg_find_coordinator_response_type, &response);
    fc_wire_init(&fc_msg_find_coordinator_response_coordinator_type, &one);
    if (request->api_version < FIND_MANY_VERSION) {
        find(spu, request, ask->key_type, ask->key, &one);
        response.error_code = one.error_code;
        response.error_message = one.error_message;
        response.node_id = one.node_id;
        response.host = one.host;
        response.port = one.port;
        fc_answer(request, &response);
        return;
    }
    response.coordinators =
        fc_wire_array(&request->arena, &fc_msg_find_coordinator_response_coordinator_type,
                      ask->coordinator_keys_count);
    if (response.coordinators == NULL) {
        fc_answer_too_large(request);
        return;
    }
    response.coordinators_count = ask->coordinator_keys_count;
    for (int32_t index = 0; index < ask->coordinator_keys_count; index++) {
        find(spu, request, ask->key_type, ask->coordinator_keys[index],
             &response.coordinators[index]);
    }
    fc_answer(request, &response);
}

/* --- JoinGroup --- */

static fc_kafka_error check_join(struct fc_spu *spu, struct fc_request *request,
                                 const struct fc_msg_join_group_request *ask)
{
    if (ask->group_id.len == 0) {
        return FC_KAFKA_INVALID_GROUP_ID;
    }
    if (!fc_access_may(spu, request, FC_OPERATION_READ, FC_RESOURCE_GROUP, ask->group_id)) {
        return FC_KAFKA_GROUP_AUTHORIZATION_FAILED;
    }
    if (ask->session_timeout_ms < spu->config.group_session_min_ms ||
        ask->session_timeout_ms > spu->config.group_session_max_ms) {
        return FC_KAFKA_INVALID_SESSION_TIMEOUT;
    }
    if (ask->protocols_count <= 0 || ask->protocol_type.len == 0) {
        return FC_KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    }
    return FC_KAFKA_NONE;
}

static void join(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    const struct fc_msg_join_group_request *ask = message;
    struct fc_group_protocol *protocols = fc_arena_alloc(
        &request->arena, sizeof(struct fc_group_protocol) * (size_t)ask->protocols_count);
    struct fc_group_join join = {
        .member_id = ask->member_id,
        .instance_id = ask->group_instance_id,
        .client_id = request->client_id.data == NULL ? fc_slice_text("") : request->client_id,
        .client_host = fc_slice_text(fc_connection_peer_host(request->connection)),
        .protocol_type = ask->protocol_type,
        .protocols = protocols,
        .protocols_count = ask->protocols_count,
        .session_timeout_ms = ask->session_timeout_ms,
        .rebalance_timeout_ms =
            request->api_version == 0 ? ask->session_timeout_ms : ask->rebalance_timeout_ms,
        .id_first = request->api_version >= ID_FIRST_VERSION,
        .skips = request->api_version >= SKIPS_VERSION,
        .members_max = spu->config.group_size_max,
    };
    struct fc_error err;
    if (protocols == NULL) {
        fc_answer_too_large(request);
        return;
    }
    if (fc_coordinator_make_ready(spu->coordinator, &err) != FC_OK) {
        fc_group_answer_join_error(request, FC_KAFKA_COORDINATOR_NOT_AVAILABLE, ask->member_id);
        return;
    }
    for (int32_t index = 0; index < ask->protocols_count; index++) {
        protocols[index].name = ask->protocols[index].name;
        protocols[index].metadata = ask->protocols[index].metadata;
    }
    fc_coordinator_lock(spu->coordinator);
    if (join.member_id.len > 0 &&
        fc_coordinator_find(spu->coordinator, ask->group_id) == NULL) {
        fc_group_answer_join_error(request, FC_KAFKA_UNKNOWN_MEMBER_ID, ask->member_id);
    } else {
        fc_group_on_join(fc_coordinator_ensure(spu->coordinator, ask->group_id)->group, &join,
                         request, fc_coordinator_now_ms(spu->coordinator));
    }
    fc_coordinator_unlock(spu->coordinator);
}

void fc_handle_join_group(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    const struct fc_msg_join_group_request *ask = message;
    fc_kafka_error error = check_join(spu, request, ask);
    if (error != FC_KAFKA_NONE) {
        fc_group_answer_join_error(request, error, ask->member_id);
    } else if (fc_coordinator_is_ready(spu->coordinator)) {
        join(spu, request, message);
    } else {
        fc_dispatch_slowly(spu, request, join, message);
    }
}

/* --- SyncGroup --- */

/* What a request about a group meets before the group: FC_KAFKA_NONE and the group, under the
 * lock; or the error, without it. */
static fc_kafka_error enter(struct fc_spu *spu, struct fc_request *request,
                            struct fc_slice group_id, struct fc_coordinated **out_group)
{
    if (group_id.len == 0) {
        return FC_KAFKA_INVALID_GROUP_ID;
    }
    if (!fc_access_may(spu, request, FC_OPERATION_READ, FC_RESOURCE_GROUP, group_id)) {
        return FC_KAFKA_GROUP_AUTHORIZATION_FAILED;
    }
    fc_coordinator_lock(spu->coordinator);
    *out_group = fc_coordinator_find(spu->coordinator, group_id);
    if (*out_group == NULL) {
        fc_coordinator_unlock(spu->coordinator);
        return FC_KAFKA_UNKNOWN_MEMBER_ID;
    }
    return FC_KAFKA_NONE;
}

void fc_handle_sync_group(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    const struct fc_msg_sync_group_request *ask = message;
    struct fc_group_speaker speaker = { ask->member_id, ask->group_instance_id,
                                        ask->generation_id };
    struct fc_group_assignment *assignments =
        fc_arena_alloc(&request->arena, sizeof(struct fc_group_assignment) *
                                            ((size_t)ask->assignments_count + 1));
    struct fc_coordinated *group = NULL;
    fc_kafka_error error;
    if (assignments == NULL) {
        fc_answer_too_large(request);
        return;
    }
    for (int32_t index = 0; index < ask->assignments_count; index++) {
        assignments[index].member_id = ask->assignments[index].member_id;
        assignments[index].assignment = ask->assignments[index].assignment;
    }
    error = enter(spu, request, ask->group_id, &group);
    if (error != FC_KAFKA_NONE) {
        fc_group_answer_sync_error(request, error);
        return;
    }
    fc_group_on_sync(group->group, &speaker, ask->protocol_type, ask->protocol_name,
                     assignments, ask->assignments_count, request,
                     fc_coordinator_now_ms(spu->coordinator));
    fc_coordinator_unlock(spu->coordinator);
}

/* --- Heartbeat, LeaveGroup --- */

void fc_handle_heartbeat(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    const struct fc_msg_heartbeat_request *ask = message;
    struct fc_group_speaker speaker = { ask->member_id, ask->group_instance_id,
                                        ask->generation_id };
    struct fc_msg_heartbeat_response response;
    struct fc_coordinated *group = NULL;
    fc_kafka_error error = enter(spu, request, ask->group_id, &group);
    if (error == FC_KAFKA_NONE) {
        error = fc_group_on_heartbeat(group->group, &speaker,
                                      fc_coordinator_now_ms(spu->coordinator));
        fc_coordinator_unlock(spu->coordinator);
    }
    fc_wire_init(&fc_msg_heartbeat_response_type, &response);
    response.error_code = (int16_t)error;
    fc_answer(request, &response);
}

static bool leave_many(struct fc_spu *spu, struct fc_request *request,
                       const struct fc_msg_leave_group_request *ask, struct fc_group *group,
                       struct fc_msg_leave_group_response *response)
{
    response->members = fc_wire_array(&request->arena, &fc_msg_leave_group_response_member_type,
                                      ask->members_count);
    if (response->members == NULL) {
        return false;
    }
    response->members_count = ask->members_count;
    for (int32_t index = 0; index < ask->members_count; index++) {
        struct fc_group_speaker speaker = { ask->members[index].member_id,
                                            ask->members[index].group_instance_id, 0 };
        response->members[index].member_id = speaker.member_id;
        response->members[index].group_instance_id = speaker.instance_id;
        response->members[index].error_code = (int16_t)fc_group_on_leave(
            group, &speaker, fc_coordinator_now_ms(spu->coordinator));
    }
    return true;
}

void fc_handle_leave_group(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    const struct fc_msg_leave_group_request *ask = message;
    struct fc_group_speaker speaker = { ask->member_id, fc_slice_null(), 0 };
    struct fc_msg_leave_group_response response;
    struct fc_coordinated *group = NULL;
    bool fits = true;
    fc_kafka_error error = enter(spu, request, ask->group_id, &group);
    fc_wire_init(&fc_msg_leave_group_response_type, &response);
    if (error == FC_KAFKA_NONE) {
        if (request->api_version >= LEAVE_MANY_VERSION) {
            fits = leave_many(spu, request, ask, group->group, &response);
        } else {
            error = fc_group_on_leave(group->group, &speaker,
                                      fc_coordinator_now_ms(spu->coordinator));
        }
        fc_coordinator_unlock(spu->coordinator);
    }
    response.error_code = (int16_t)error;
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}
