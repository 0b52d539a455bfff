/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/group_answer.h"

#include "core/base/alloc.h"

enum { TYPE_MAY_BE_NULL = 7 };

void fc_group_answer_join_error(struct fc_request *request, fc_kafka_error error,
                                struct fc_slice member_id)
{
    struct fc_msg_join_group_response response;
    fc_wire_init(&fc_msg_join_group_response_type, &response);
    response.error_code = (int16_t)error;
    response.generation_id = -1;
    response.member_id = member_id.data == NULL ? fc_slice_text("") : member_id;
    response.leader = fc_slice_text("");
    response.protocol_name =
        request->api_version >= TYPE_MAY_BE_NULL ? fc_slice_null() : fc_slice_text("");
    fc_answer(request, &response);
}

void fc_group_answer_sync_error(struct fc_request *request, fc_kafka_error error)
{
    struct fc_msg_sync_group_response response;
    fc_wire_init(&fc_msg_sync_group_response_type, &response);
    response.error_code = (int16_t)error;
    response.assignment = fc_slice_text("");
    fc_answer(request, &response);
}

/* The leader is told of everybody, so that it can share the work out. */
static bool fill_members(struct fc_request *request, const struct fc_group *group,
                         struct fc_msg_join_group_response *response)
{
    response->members = fc_wire_array(&request->arena, &fc_msg_join_group_response_member_type,
                                      group->members_count);
    if (response->members == NULL) {
        return false;
    }
    response->members_count = group->members_count;
    for (int32_t index = 0; index < group->members_count; index++) {
        const struct fc_group_member *member = group->members[index];
        response->members[index].member_id = member->id;
        response->members[index].group_instance_id = member->instance_id;
        response->members[index].metadata = fc_group_metadata_of(member, group->protocol);
    }
    return true;
}

static void on_joined(void *ctx, void *waiter, const struct fc_group *group,
                      const struct fc_group_member *member, fc_kafka_error error,
                      struct fc_slice member_id, bool skip_assignment)
{
    struct fc_request *request = waiter;
    struct fc_msg_join_group_response response;
    (void)ctx;
    if (member == NULL) {
        fc_group_answer_join_error(request, error, member_id);
        return;
    }
    fc_wire_init(&fc_msg_join_group_response_type, &response);
    response.generation_id = group->generation;
    response.protocol_type = group->protocol_type;
    response.protocol_name = group->protocol;
    response.leader = group->leader->id;
    response.member_id = member->id;
    response.skip_assignment = skip_assignment;
    if (member == group->leader && !fill_members(request, group, &response)) {
        fc_answer_too_large(request);
    } else {
        fc_answer(request, &response);
    }
}

static void on_synced(void *ctx, void *waiter, const struct fc_group *group,
                      const struct fc_group_member *member, fc_kafka_error error)
{
    struct fc_msg_sync_group_response response;
    (void)ctx;
    if (member == NULL) {
        fc_group_answer_sync_error(waiter, error);
        return;
    }
    fc_wire_init(&fc_msg_sync_group_response_type, &response);
    response.protocol_type = group->protocol_type;
    response.protocol_name = group->protocol;
    response.assignment =
        member->assignment.data == NULL ? fc_slice_text("") : member->assignment;
    fc_answer(waiter, &response);
}

static struct fc_slice new_member_id(void *ctx, struct fc_slice prefix)
{
    char text[FC_UUID_TEXT_SIZE];
    char *id;
    (void)ctx;
    fc_uuid_to_text(fc_uuid_random(), text);
    id = fc_asprintf("%.*s-%s", (int)prefix.len, (const char *)prefix.data, text);
    return fc_slice_text(id);
}

void fc_group_answer_host(struct fc_group_host *out_host, void *ctx)
{
    out_host->ctx = ctx;
    out_host->on_joined = on_joined;
    out_host->on_synced = on_synced;
    out_host->new_member_id = new_member_id;
}
