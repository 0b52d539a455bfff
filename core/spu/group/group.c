/* SPDX-License-Identifier: Apache-2.0 */
/* What members say between two rebalances, and what happens by time. */
#include "core/spu/group/group.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/spu/group/group_state.h"

const char *fc_group_state_name(fc_group_state state)
{
    switch (state) {
    case FC_GROUP_EMPTY:
        return "Empty";
    case FC_GROUP_PREPARING:
        return "PreparingRebalance";
    case FC_GROUP_COMPLETING:
        return "CompletingRebalance";
    case FC_GROUP_STABLE:
        return "Stable";
    case FC_GROUP_DEAD:
        return "Dead";
    }
    return "Unknown";
}

struct fc_group *fc_group_new(const struct fc_group_host *host, struct fc_slice id,
                              int32_t initial_delay_ms)
{
    struct fc_group *group = fc_new(struct fc_group);
    group->host = host;
    group->id = fc_group_own(id);
    group->state = FC_GROUP_EMPTY;
    group->deadline_ms = INT64_MAX;
    group->delay_end_ms = INT64_MIN;
    group->initial_delay_ms = initial_delay_ms;
    return group;
}

void fc_group_free(struct fc_group *group)
{
    if (group == NULL) {
        return;
    }
    while (group->members_count > 0) {
        fc_group_remove_member(group, group->members[0]);
    }
    while (group->pending_count > 0) {
        (void)fc_group_take_pending(group, group->pending[0].id);
    }
    free(group->members);
    free(group->pending);
    fc_group_disown(&group->id);
    fc_group_disown(&group->protocol_type);
    fc_group_disown(&group->protocol);
    free(group);
}

/* Who speaks, or why not. */
static fc_kafka_error identify(const struct fc_group *group,
                               const struct fc_group_speaker *speaker,
                               struct fc_group_member **out_member)
{
    struct fc_group_member *holder = fc_group_static_member(group, speaker->instance_id);
    if (group->state == FC_GROUP_DEAD) {
        return FC_KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    if (holder != NULL && !fc_slice_equal(holder->id, speaker->member_id)) {
        return FC_KAFKA_FENCED_INSTANCE_ID;
    }
    *out_member = fc_group_member(group, speaker->member_id);
    if (*out_member == NULL || (!fc_slice_is_null(speaker->instance_id) && holder == NULL)) {
        return FC_KAFKA_UNKNOWN_MEMBER_ID;
    }
    return FC_KAFKA_NONE;
}

static void take_assignments(struct fc_group *group,
                             const struct fc_group_assignment *assignments, int32_t count)
{
    for (int32_t index = 0; index < group->members_count; index++) {
        fc_group_disown(&group->members[index]->assignment);
    }
    for (int32_t index = 0; index < count; index++) {
        struct fc_group_member *member = fc_group_member(group, assignments[index].member_id);
        if (member != NULL) {
            fc_group_disown(&member->assignment);
            member->assignment = fc_group_own(assignments[index].assignment);
        }
    }
}

static void become_stable(struct fc_group *group, int64_t now_ms)
{
    fc_group_enter(group, FC_GROUP_STABLE);
    group->host->on_changed(group->host->ctx, group);
    for (int32_t index = 0; index < group->members_count; index++) {
        struct fc_group_member *member = group->members[index];
        if (member->sync_waiter != NULL) {
            fc_group_heard_of(member, now_ms);
            fc_group_answer_sync(group, member, FC_KAFKA_NONE);
        }
    }
}

static void sync_member(struct fc_group *group, struct fc_group_member *member,
                        const struct fc_group_assignment *assignments, int32_t count,
                        void *waiter, int64_t now_ms)
{
    fc_group_heard_of(member, now_ms);
    member->synced = true;
    if (group->state == FC_GROUP_STABLE) {
        group->host->on_synced(group->host->ctx, waiter, group, member, FC_KAFKA_NONE);
        return;
    }
    fc_group_answer_sync(group, member, FC_KAFKA_REBALANCE_IN_PROGRESS); /* asked twice */
    member->sync_waiter = waiter;
    if (member == group->leader) {
        take_assignments(group, assignments, count);
        become_stable(group, now_ms);
    }
}

void fc_group_on_sync(struct fc_group *group, const struct fc_group_speaker *speaker,
                      struct fc_slice protocol_type, struct fc_slice protocol,
                      const struct fc_group_assignment *assignments, int32_t count,
                      void *waiter, int64_t now_ms)
{
    struct fc_group_member *member = NULL;
    fc_kafka_error error = identify(group, speaker, &member);
    if (error == FC_KAFKA_NONE && speaker->generation != group->generation) {
        error = FC_KAFKA_ILLEGAL_GENERATION;
    } else if (error == FC_KAFKA_NONE &&
               ((!fc_slice_is_null(protocol_type) &&
                 !fc_slice_equal(protocol_type, group->protocol_type)) ||
                (!fc_slice_is_null(protocol) && !fc_slice_is_null(group->protocol) &&
                 !fc_slice_equal(protocol, group->protocol)))) {
        error = FC_KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    } else if (error == FC_KAFKA_NONE && group->state == FC_GROUP_PREPARING) {
        error = FC_KAFKA_REBALANCE_IN_PROGRESS;
    }
    if (error == FC_KAFKA_NONE) {
        sync_member(group, member, assignments, count, waiter, now_ms);
    } else {
        group->host->on_synced(group->host->ctx, waiter, group, NULL, error);
    }
}

fc_kafka_error fc_group_on_heartbeat(struct fc_group *group,
                                     const struct fc_group_speaker *speaker, int64_t now_ms)
{
    struct fc_group_member *member = NULL;
    fc_kafka_error error = identify(group, speaker, &member);
    if (error != FC_KAFKA_NONE) {
        return error;
    }
    if (speaker->generation != group->generation) {
        return FC_KAFKA_ILLEGAL_GENERATION;
    }
    if (member->join_waiter == NULL) {
        fc_group_heard_of(member, now_ms);
    }
    return group->state == FC_GROUP_PREPARING ? FC_KAFKA_REBALANCE_IN_PROGRESS : FC_KAFKA_NONE;
}

fc_kafka_error fc_group_on_leave(struct fc_group *group, const struct fc_group_speaker *speaker,
                                 int64_t now_ms)
{
    struct fc_group_member *holder = fc_group_static_member(group, speaker->instance_id);
    struct fc_group_member *member = NULL;
    if (group->state == FC_GROUP_DEAD) {
        return FC_KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    if (!fc_slice_is_null(speaker->instance_id)) {
        /* An administrator may name the instance alone. */
        if (holder != NULL && speaker->member_id.len > 0 &&
            !fc_slice_equal(holder->id, speaker->member_id)) {
            return FC_KAFKA_FENCED_INSTANCE_ID;
        }
        member = holder;
    } else if (fc_group_take_pending(group, speaker->member_id)) {
        fc_group_try_complete(group, now_ms);
        return FC_KAFKA_NONE;
    } else {
        member = fc_group_member(group, speaker->member_id);
    }
    if (member == NULL) {
        return FC_KAFKA_UNKNOWN_MEMBER_ID;
    }
    fc_group_lose_member(group, member, now_ms);
    return FC_KAFKA_NONE;
}

fc_kafka_error fc_group_on_commit(struct fc_group *group,
                                  const struct fc_group_speaker *speaker, bool transactional,
                                  int64_t now_ms)
{
    struct fc_group_member *member = NULL;
    fc_kafka_error error;
    bool anonymous = speaker->member_id.len == 0 && fc_slice_is_null(speaker->instance_id);
    if (group->state == FC_GROUP_DEAD) {
        return FC_KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    /* A consumer that assigns partitions to itself; it may have an instance's id all the same. */
    if (speaker->generation < 0 &&
        (group->state == FC_GROUP_EMPTY || (transactional && anonymous))) {
        return FC_KAFKA_NONE;
    }
    error = identify(group, speaker, &member);
    if (error != FC_KAFKA_NONE) {
        return transactional && error == FC_KAFKA_UNKNOWN_MEMBER_ID && speaker->generation >= 0
                   ? FC_KAFKA_ILLEGAL_GENERATION
                   : error;
    }
    if (speaker->generation != group->generation) {
        return FC_KAFKA_ILLEGAL_GENERATION;
    }
    /* It may be about to lose what it commits for. A transaction's producer could only abort. */
    if (!transactional && group->state == FC_GROUP_COMPLETING) {
        return FC_KAFKA_REBALANCE_IN_PROGRESS;
    }
    if (member->join_waiter == NULL) {
        fc_group_heard_of(member, now_ms);
    }
    return FC_KAFKA_NONE;
}

static void end_sessions(struct fc_group *group, int64_t now_ms)
{
    for (int32_t index = group->pending_count; index > 0; index--) {
        if (group->pending[index - 1].expires_ms <= now_ms) {
            (void)fc_group_take_pending(group, group->pending[index - 1].id);
            fc_group_try_complete(group, now_ms);
            index = group->pending_count + 1;
        }
    }
    for (int32_t index = 0; index < group->members_count; index++) {
        if (group->members[index]->expires_ms <= now_ms) {
            fc_group_lose_member(group, group->members[index], now_ms);
            index = -1; /* others may have gone with it */
        }
    }
}

void fc_group_on_time(struct fc_group *group, int64_t now_ms)
{
    end_sessions(group, now_ms);
    if (group->deadline_ms > now_ms) {
        return;
    }
    if (group->state == FC_GROUP_PREPARING) {
        fc_group_complete_without(group, now_ms);
    } else if (group->state == FC_GROUP_COMPLETING) {
        fc_group_rebalance(group, now_ms); /* who does not join again is out */
    }
}

int64_t fc_group_next_ms(const struct fc_group *group)
{
    int64_t next = group->deadline_ms;
    for (int32_t index = 0; index < group->members_count; index++) {
        if (group->members[index]->expires_ms < next) {
            next = group->members[index]->expires_ms;
        }
    }
    for (int32_t index = 0; index < group->pending_count; index++) {
        if (group->pending[index].expires_ms < next) {
            next = group->pending[index].expires_ms;
        }
    }
    return next;
}

void fc_group_kill(struct fc_group *group, fc_kafka_error error)
{
    for (int32_t index = 0; index < group->members_count; index++) {
        fc_group_answer_join(group, group->members[index], error, false);
        fc_group_answer_sync(group, group->members[index], error);
    }
    fc_group_enter(group, FC_GROUP_DEAD);
}

void fc_group_check(const struct fc_group *group)
{
    bool active = group->state == FC_GROUP_COMPLETING || group->state == FC_GROUP_STABLE;
    bool leads = false;
    for (int32_t index = 0; index < group->members_count; index++) {
        const struct fc_group_member *member = group->members[index];
        fc_assert(member->join_waiter == NULL || group->state == FC_GROUP_PREPARING);
        fc_assert(member->sync_waiter == NULL || group->state == FC_GROUP_COMPLETING);
        fc_assert(member->expires_ms != INT64_MAX || member->join_waiter != NULL);
        leads = leads || member == group->leader;
    }
    fc_assert(!active || (group->members_count > 0 && leads));
    fc_assert(group->state != FC_GROUP_EMPTY || group->members_count == 0);
    fc_assert((group->deadline_ms == INT64_MAX) ==
              (group->state != FC_GROUP_PREPARING && group->state != FC_GROUP_COMPLETING));
}
