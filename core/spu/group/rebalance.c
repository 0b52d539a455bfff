/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a group gets from one generation to the next: all members join (or the deadline passes and
 * those who did not are out), the leader sends the assignment, everyone fetches it.
 */
#include "core/base/alloc.h"
#include "core/spu/group/group_state.h"

void fc_group_answer_join(struct fc_group *group, struct fc_group_member *member,
                          fc_kafka_error error, bool skip_assignment)
{
    void *waiter = member->join_waiter;
    member->join_waiter = NULL;
    if (waiter != NULL) {
        group->host->on_joined(group->host->ctx, waiter, group,
                               error == FC_KAFKA_NONE ? member : NULL, error, member->id,
                               skip_assignment);
    }
}

void fc_group_answer_sync(struct fc_group *group, struct fc_group_member *member,
                          fc_kafka_error error)
{
    void *waiter = member->sync_waiter;
    member->sync_waiter = NULL;
    if (waiter != NULL) {
        group->host->on_synced(group->host->ctx, waiter, group,
                               error == FC_KAFKA_NONE ? member : NULL, error);
    }
}

void fc_group_enter(struct fc_group *group, fc_group_state state)
{
    group->state = state;
    if (state != FC_GROUP_PREPARING && state != FC_GROUP_COMPLETING) {
        group->deadline_ms = INT64_MAX;
    }
}

static int32_t longest_rebalance_ms(const struct fc_group *group)
{
    int32_t longest = 0;
    for (int32_t index = 0; index < group->members_count; index++) {
        if (group->members[index]->rebalance_timeout_ms > longest) {
            longest = group->members[index]->rebalance_timeout_ms;
        }
    }
    return longest;
}

void fc_group_rebalance(struct fc_group *group, int64_t now_ms)
{
    bool first = group->state == FC_GROUP_EMPTY;
    for (int32_t index = 0; index < group->members_count; index++) {
        struct fc_group_member *member = group->members[index];
        fc_group_answer_sync(group, member, FC_KAFKA_REBALANCE_IN_PROGRESS);
        if (group->state == FC_GROUP_COMPLETING) {
            fc_group_disown(&member->assignment);
        }
        member->synced = false;
    }
    fc_group_enter(group, FC_GROUP_PREPARING);
    group->delay_end_ms = INT64_MIN;
    group->deadline_ms = now_ms + longest_rebalance_ms(group);
    if (first && group->initial_delay_ms > 0) {
        /* Many members start together: wait a little, and longer while more of them come. */
        group->delay_end_ms = group->deadline_ms;
        if (now_ms + group->initial_delay_ms < group->deadline_ms) {
            group->deadline_ms = now_ms + group->initial_delay_ms;
        }
    }
}

static bool all_joined(const struct fc_group *group)
{
    for (int32_t index = 0; index < group->members_count; index++) {
        if (group->members[index]->join_waiter == NULL) {
            return false;
        }
    }
    return group->pending_count == 0;
}

static void become_empty(struct fc_group *group)
{
    group->leader = NULL;
    fc_group_disown(&group->protocol);
    fc_group_enter(group, FC_GROUP_EMPTY);
    group->host->on_changed(group->host->ctx, group);
}

static void choose_leader(struct fc_group *group)
{
    if (group->leader != NULL && group->leader->join_waiter != NULL) {
        return;
    }
    for (int32_t index = 0; index < group->members_count; index++) {
        if (group->members[index]->join_waiter != NULL) {
            group->leader = group->members[index];
            return;
        }
    }
}

/* Everyone who is to be in the next generation has joined. */
static void complete(struct fc_group *group, int64_t now_ms)
{
    group->generation++;
    if (group->members_count == 0) {
        become_empty(group);
        return;
    }
    choose_leader(group);
    fc_group_disown(&group->protocol);
    group->protocol = fc_group_own(fc_group_choose_protocol(group));
    fc_group_enter(group, FC_GROUP_COMPLETING);
    group->deadline_ms = now_ms + longest_rebalance_ms(group);
    for (int32_t index = 0; index < group->members_count; index++) {
        struct fc_group_member *member = group->members[index];
        member->synced = false;
        if (member->join_waiter != NULL) {
            fc_group_heard_of(member, now_ms);
            fc_group_answer_join(group, member, FC_KAFKA_NONE, false);
        }
    }
}

void fc_group_try_complete(struct fc_group *group, int64_t now_ms)
{
    if (group->state != FC_GROUP_PREPARING) {
        return;
    }
    if ((group->members_count == 0 && group->pending_count == 0) ||
        (all_joined(group) && group->delay_end_ms == INT64_MIN)) {
        complete(group, now_ms);
    }
}

/* Static members stay without joining until their session ends; if nobody at all has joined there
 * is nobody to lead, and the group waits on. */
void fc_group_complete_without(struct fc_group *group, int64_t now_ms)
{
    bool someone = false;
    for (int32_t index = group->members_count; index > 0; index--) {
        struct fc_group_member *member = group->members[index - 1];
        if (member->join_waiter != NULL) {
            someone = true;
        } else if (fc_slice_is_null(member->instance_id)) {
            fc_group_remove_member(group, member);
        }
    }
    if (!someone && group->members_count > 0) {
        group->deadline_ms = now_ms + longest_rebalance_ms(group);
        return;
    }
    group->delay_end_ms = INT64_MIN;
    complete(group, now_ms);
}

void fc_group_lose_member(struct fc_group *group, struct fc_group_member *member,
                          int64_t now_ms)
{
    fc_group_answer_join(group, member, FC_KAFKA_UNKNOWN_MEMBER_ID, false);
    fc_group_answer_sync(group, member, FC_KAFKA_UNKNOWN_MEMBER_ID);
    fc_group_remove_member(group, member);
    if (group->state == FC_GROUP_STABLE || group->state == FC_GROUP_COMPLETING) {
        fc_group_rebalance(group, now_ms);
    }
    fc_group_try_complete(group, now_ms);
}
