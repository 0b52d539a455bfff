/* SPDX-License-Identifier: Apache-2.0 */
/* JoinGroup: new members, members that come back, and static members that take a place over. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/spu/group/group_state.h"

static void refuse(struct fc_group *group, void *waiter, fc_kafka_error error,
                   struct fc_slice member_id)
{
    group->host->on_joined(group->host->ctx, waiter, group, NULL, error, member_id, false);
}

/* The waiter joins the coming generation as this member. */
static void park(struct fc_group *group, struct fc_group_member *member, void *waiter,
                 int64_t now_ms)
{
    fc_group_answer_join(group, member, FC_KAFKA_REBALANCE_IN_PROGRESS, false);
    member->join_waiter = waiter;
    member->expires_ms = INT64_MAX; /* who waits here is alive */
    fc_group_try_complete(group, now_ms);
}

/* More time for others that start together with this one, but not for ever. */
static void extend_first_delay(struct fc_group *group, int64_t now_ms)
{
    if (group->delay_end_ms != INT64_MIN) {
        int64_t deadline = now_ms + group->initial_delay_ms;
        group->deadline_ms = deadline < group->delay_end_ms ? deadline : group->delay_end_ms;
    }
}

static void add_and_rebalance(struct fc_group *group, struct fc_slice id,
                              const struct fc_group_join *join, void *waiter, int64_t now_ms)
{
    struct fc_group_member *member = fc_group_add_member(group, id, join);
    if (group->state == FC_GROUP_PREPARING) {
        extend_first_delay(group, now_ms);
    } else {
        fc_group_rebalance(group, now_ms);
    }
    park(group, member, waiter, now_ms);
}

static void update_and_rebalance(struct fc_group *group, struct fc_group_member *member,
                                 const struct fc_group_join *join, void *waiter, int64_t now_ms)
{
    fc_group_set_protocols(member, join);
    if (group->state != FC_GROUP_PREPARING) {
        fc_group_rebalance(group, now_ms);
    }
    park(group, member, waiter, now_ms);
}

/* What the member would have been told when the generation was complete. */
static void answer_current(struct fc_group *group, struct fc_group_member *member, void *waiter,
                           bool skip_assignment, int64_t now_ms)
{
    fc_group_heard_of(member, now_ms);
    group->host->on_joined(group->host->ctx, waiter, group, member, FC_KAFKA_NONE, member->id,
                           skip_assignment);
}

/* A restarted static member takes the place of the one it was, under a new id; the old one, should
 * it still be there, is fenced. */
static void replace_static(struct fc_group *group, struct fc_group_member *member,
                           const struct fc_group_join *join, void *waiter, int64_t now_ms)
{
    struct fc_slice id = group->host->new_member_id(group->host->ctx, join->instance_id);
    fc_group_answer_join(group, member, FC_KAFKA_FENCED_INSTANCE_ID, false);
    fc_group_answer_sync(group, member, FC_KAFKA_FENCED_INSTANCE_ID);
    fc_group_disown(&member->id);
    member->id = fc_group_own(id);
    free(fc_unconst(id.data));
    fc_group_disown(&member->client_id);
    fc_group_disown(&member->client_host);
    member->client_id = fc_group_own(join->client_id);
    member->client_host = fc_group_own(join->client_host);
    /* What it says of itself differs as a rule: it owned partitions, and now it owns none. */
    fc_group_set_protocols(member, join);
    if (group->state == FC_GROUP_STABLE &&
        fc_slice_equal(fc_group_choose_protocol(group), group->protocol)) {
        group->host->on_changed(group->host->ctx, group);
        answer_current(group, member, waiter, member == group->leader && join->skips, now_ms);
    } else {
        update_and_rebalance(group, member, join, waiter, now_ms);
    }
}

static void join_as_new(struct fc_group *group, const struct fc_group_join *join, void *waiter,
                        int64_t now_ms)
{
    struct fc_group_member *was = fc_group_static_member(group, join->instance_id);
    bool is_static = !fc_slice_is_null(join->instance_id);
    struct fc_slice id;
    if (!fc_group_can_agree(group, join, was)) {
        refuse(group, waiter, FC_KAFKA_INCONSISTENT_GROUP_PROTOCOL, join->member_id);
        return;
    }
    if (was != NULL) {
        replace_static(group, was, join, waiter, now_ms);
        return;
    }
    if (group->members_count + group->pending_count >= join->members_max) {
        refuse(group, waiter, FC_KAFKA_GROUP_MAX_SIZE_REACHED, join->member_id);
        return;
    }
    id = group->host->new_member_id(group->host->ctx,
                                    is_static ? join->instance_id : join->client_id);
    if (join->id_first && !is_static) {
        fc_group_add_pending(group, id, now_ms + join->session_timeout_ms);
        refuse(group, waiter, FC_KAFKA_MEMBER_ID_REQUIRED, id);
    } else {
        add_and_rebalance(group, id, join, waiter, now_ms);
    }
    free(fc_unconst(id.data));
}

static void join_again(struct fc_group *group, struct fc_group_member *member,
                       const struct fc_group_join *join, void *waiter, int64_t now_ms)
{
    bool same = fc_group_same_protocols(member, join);
    if (!fc_group_can_agree(group, join, member)) {
        refuse(group, waiter, FC_KAFKA_INCONSISTENT_GROUP_PROTOCOL, join->member_id);
        return;
    }
    if (same && (group->state == FC_GROUP_COMPLETING || /* the answer was lost */
                 (group->state == FC_GROUP_STABLE && member != group->leader))) {
        answer_current(group, member, waiter, false, now_ms);
    } else {
        update_and_rebalance(group, member, join, waiter, now_ms);
    }
}

void fc_group_on_join(struct fc_group *group, const struct fc_group_join *join, void *waiter,
                      int64_t now_ms)
{
    struct fc_group_member *member;
    if (group->state == FC_GROUP_DEAD) {
        refuse(group, waiter, FC_KAFKA_COORDINATOR_NOT_AVAILABLE, join->member_id);
        return;
    }
    if (join->member_id.len == 0) {
        join_as_new(group, join, waiter, now_ms);
        return;
    }
    member = fc_group_member(group, join->member_id);
    if (!fc_slice_is_null(join->instance_id)) {
        struct fc_group_member *holder = fc_group_static_member(group, join->instance_id);
        if (holder != NULL && holder != member) {
            refuse(group, waiter, FC_KAFKA_FENCED_INSTANCE_ID, join->member_id);
            return;
        }
    }
    if (member != NULL) {
        join_again(group, member, join, waiter, now_ms);
    } else if (fc_group_take_pending(group, join->member_id)) {
        if (fc_group_can_agree(group, join, NULL)) {
            add_and_rebalance(group, join->member_id, join, waiter, now_ms);
        } else {
            refuse(group, waiter, FC_KAFKA_INCONSISTENT_GROUP_PROTOCOL, join->member_id);
            fc_group_try_complete(group, now_ms);
        }
    } else {
        refuse(group, waiter, FC_KAFKA_UNKNOWN_MEMBER_ID, join->member_id);
    }
}
