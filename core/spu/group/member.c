/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/spu/group/group_state.h"

struct fc_slice fc_group_own(struct fc_slice bytes)
{
    if (bytes.data == NULL) {
        return fc_slice_null();
    }
    return fc_slice_of(fc_strndup((const char *)bytes.data, bytes.len), bytes.len);
}

void fc_group_disown(struct fc_slice *bytes)
{
    free(fc_unconst(bytes->data));
    *bytes = fc_slice_null();
}

static void free_protocols(struct fc_group_member *member)
{
    for (int32_t index = 0; index < member->protocols_count; index++) {
        fc_group_disown(&member->protocols[index].name);
        fc_group_disown(&member->protocols[index].metadata);
    }
    free(member->protocols);
    member->protocols = NULL;
    member->protocols_count = 0;
}

void fc_group_set_protocols(struct fc_group_member *member, const struct fc_group_join *join)
{
    struct fc_group_protocol *copies =
        fc_new_array(struct fc_group_protocol, (size_t)join->protocols_count);
    for (int32_t index = 0; index < join->protocols_count; index++) {
        copies[index].name = fc_group_own(join->protocols[index].name);
        copies[index].metadata = fc_group_own(join->protocols[index].metadata);
    }
    free_protocols(member);
    member->protocols = copies;
    member->protocols_count = join->protocols_count;
    member->session_timeout_ms = join->session_timeout_ms;
    member->rebalance_timeout_ms = join->rebalance_timeout_ms;
}

bool fc_group_same_protocols(const struct fc_group_member *member,
                             const struct fc_group_join *join)
{
    bool same = member->protocols_count == join->protocols_count;
    for (int32_t index = 0; same && index < join->protocols_count; index++) {
        same =
            fc_slice_equal(member->protocols[index].name, join->protocols[index].name) &&
            fc_slice_equal(member->protocols[index].metadata, join->protocols[index].metadata);
    }
    return same;
}

struct fc_group_member *fc_group_add_member(struct fc_group *group, struct fc_slice id,
                                            const struct fc_group_join *join)
{
    struct fc_group_member *member = fc_new(struct fc_group_member);
    member->id = fc_group_own(id);
    member->instance_id = fc_group_own(join->instance_id);
    member->client_id = fc_group_own(join->client_id);
    member->client_host = fc_group_own(join->client_host);
    member->expires_ms = INT64_MAX;
    fc_group_set_protocols(member, join);
    group->members = fc_realloc_array(group->members, (size_t)group->members_count + 1,
                                      sizeof(struct fc_group_member *));
    group->members[group->members_count++] = member;
    if (group->members_count == 1) {
        fc_group_disown(&group->protocol_type);
        group->protocol_type = fc_group_own(join->protocol_type);
    }
    return member;
}

static void free_member(struct fc_group_member *member)
{
    fc_assert(member->join_waiter == NULL && member->sync_waiter == NULL);
    free_protocols(member);
    fc_group_disown(&member->id);
    fc_group_disown(&member->instance_id);
    fc_group_disown(&member->client_id);
    fc_group_disown(&member->client_host);
    fc_group_disown(&member->assignment);
    free(member);
}

void fc_group_remove_member(struct fc_group *group, struct fc_group_member *member)
{
    int32_t place = 0;
    while (group->members[place] != member) {
        place++;
        fc_assert(place < group->members_count);
    }
    for (int32_t index = place + 1; index < group->members_count; index++) {
        group->members[index - 1] = group->members[index];
    }
    group->members_count--;
    if (group->leader == member) {
        group->leader = group->members_count == 0 ? NULL : group->members[0];
    }
    free_member(member);
}

struct fc_group_member *fc_group_member(const struct fc_group *group, struct fc_slice id)
{
    for (int32_t index = 0; index < group->members_count; index++) {
        if (fc_slice_equal(group->members[index]->id, id)) {
            return group->members[index];
        }
    }
    return NULL;
}

struct fc_group_member *fc_group_static_member(const struct fc_group *group,
                                               struct fc_slice instance_id)
{
    for (int32_t index = 0; !fc_slice_is_null(instance_id) && index < group->members_count;
         index++) {
        if (fc_slice_equal(group->members[index]->instance_id, instance_id)) {
            return group->members[index];
        }
    }
    return NULL;
}

void fc_group_heard_of(struct fc_group_member *member, int64_t now_ms)
{
    member->expires_ms = now_ms + member->session_timeout_ms;
}

struct fc_slice fc_group_metadata_of(const struct fc_group_member *member,
                                     struct fc_slice protocol)
{
    for (int32_t index = 0; index < member->protocols_count; index++) {
        if (fc_slice_equal(member->protocols[index].name, protocol)) {
            return member->protocols[index].metadata;
        }
    }
    return fc_slice_null();
}

static bool has_protocol(const struct fc_group_member *member, struct fc_slice name)
{
    for (int32_t index = 0; index < member->protocols_count; index++) {
        if (fc_slice_equal(member->protocols[index].name, name)) {
            return true;
        }
    }
    return false;
}

static bool all_have(const struct fc_group *group, struct fc_slice name,
                     const struct fc_group_member *but)
{
    for (int32_t index = 0; index < group->members_count; index++) {
        if (group->members[index] != but && !has_protocol(group->members[index], name)) {
            return false;
        }
    }
    return true;
}

bool fc_group_can_agree(const struct fc_group *group, const struct fc_group_join *join,
                        const struct fc_group_member *but)
{
    bool others = group->members_count > (but == NULL ? 0 : 1);
    if (others && !fc_slice_equal(group->protocol_type, join->protocol_type)) {
        return false;
    }
    for (int32_t index = 0; index < join->protocols_count; index++) {
        if (all_have(group, join->protocols[index].name, but)) {
            return true;
        }
    }
    return false;
}

/* Each member votes for the first of its protocols that all have. */
struct fc_slice fc_group_choose_protocol(const struct fc_group *group)
{
    const struct fc_group_member *first = group->members[0];
    struct fc_slice best = fc_slice_null();
    int32_t best_votes = 0;
    for (int32_t candidate = 0; candidate < first->protocols_count; candidate++) {
        struct fc_slice name = first->protocols[candidate].name;
        int32_t votes = 0;
        if (!all_have(group, name, NULL)) {
            continue;
        }
        for (int32_t voter = 0; voter < group->members_count; voter++) {
            const struct fc_group_member *member = group->members[voter];
            int32_t choice = 0;
            while (!all_have(group, member->protocols[choice].name, NULL)) {
                choice++;
            }
            votes += fc_slice_equal(member->protocols[choice].name, name) ? 1 : 0;
        }
        if (votes > best_votes) {
            best = name;
            best_votes = votes;
        }
    }
    fc_assert(best.data != NULL);
    return best;
}

void fc_group_add_pending(struct fc_group *group, struct fc_slice id, int64_t expires_ms)
{
    group->pending = fc_realloc_array(group->pending, (size_t)group->pending_count + 1,
                                      sizeof(struct fc_group_pending));
    group->pending[group->pending_count].id = fc_group_own(id);
    group->pending[group->pending_count].expires_ms = expires_ms;
    group->pending_count++;
}

bool fc_group_take_pending(struct fc_group *group, struct fc_slice id)
{
    for (int32_t index = 0; index < group->pending_count; index++) {
        if (fc_slice_equal(group->pending[index].id, id)) {
            fc_group_disown(&group->pending[index].id);
            group->pending[index] = group->pending[--group->pending_count];
            return true;
        }
    }
    return false;
}
