/* SPDX-License-Identifier: Apache-2.0 */
/* A group as it was stored. */
#include "core/base/alloc.h"
#include "core/spu/group/group_state.h"

void fc_group_restore_begin(struct fc_group *group)
{
    while (group->members_count > 0) {
        fc_group_remove_member(group, group->members[0]);
    }
    fc_group_disown(&group->protocol);
    fc_group_enter(group, FC_GROUP_EMPTY);
}

void fc_group_restore_member(struct fc_group *group, const struct fc_group_join *as_joined,
                             struct fc_slice assignment, int64_t now_ms)
{
    struct fc_group_member *member =
        fc_group_add_member(group, as_joined->member_id, as_joined);
    member->assignment = fc_group_own(assignment);
    member->synced = true;
    fc_group_heard_of(member, now_ms);
}

/* A group is stored when it gets stable or empty; members of another state join again. */
void fc_group_restore_end(struct fc_group *group, const struct fc_group_restored *restored)
{
    group->generation = restored->generation;
    group->state_ms = restored->state_ms;
    fc_group_disown(&group->protocol_type);
    group->protocol_type = fc_group_own(restored->protocol_type);
    group->leader = fc_group_member(group, restored->leader_id);
    if (group->members_count > 0 && group->leader != NULL && restored->protocol.data != NULL) {
        group->protocol = fc_group_own(restored->protocol);
        fc_group_enter(group, FC_GROUP_STABLE);
    } else {
        fc_group_restore_begin(group);
    }
}
