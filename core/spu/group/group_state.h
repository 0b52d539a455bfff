/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a group, for the files of core/spu/group only. */
#ifndef FC_SPU_GROUP_STATE_H
#define FC_SPU_GROUP_STATE_H

#include "core/spu/group/group.h"

/* --- member.c --- */

/* A copy on the heap; the null slice stays null. */
struct fc_slice fc_group_own(struct fc_slice bytes);
void fc_group_disown(struct fc_slice *bytes);

struct fc_group_member *fc_group_add_member(struct fc_group *group, struct fc_slice id,
                                            const struct fc_group_join *join);
/* Whoever waits must have been answered. */
void fc_group_remove_member(struct fc_group *group, struct fc_group_member *member);
void fc_group_set_protocols(struct fc_group_member *member, const struct fc_group_join *join);
bool fc_group_same_protocols(const struct fc_group_member *member,
                             const struct fc_group_join *join);
void fc_group_heard_of(struct fc_group_member *member, int64_t now_ms);
struct fc_group_member *fc_group_static_member(const struct fc_group *group,
                                               struct fc_slice instance_id);

/* True when some protocol of the join is one that every member has. `but` is left out; may be NULL. */
bool fc_group_can_agree(const struct fc_group *group, const struct fc_group_join *join,
                        const struct fc_group_member *but);
/* The protocol that most members prefer among those that all have; there is one. */
struct fc_slice fc_group_choose_protocol(const struct fc_group *group);

void fc_group_add_pending(struct fc_group *group, struct fc_slice id, int64_t expires_ms);
/* False when the id is not pending. */
bool fc_group_take_pending(struct fc_group *group, struct fc_slice id);

/* --- rebalance.c --- */

void fc_group_answer_join(struct fc_group *group, struct fc_group_member *member,
                          fc_kafka_error error, bool skip_assignment);
void fc_group_answer_sync(struct fc_group *group, struct fc_group_member *member,
                          fc_kafka_error error);
/* To PREPARING, from any state but DEAD. */
void fc_group_rebalance(struct fc_group *group, int64_t now_ms);
/* To COMPLETING or EMPTY when all have joined. */
void fc_group_try_complete(struct fc_group *group, int64_t now_ms);
/* The deadline of PREPARING has passed: those who have not joined are out. */
void fc_group_complete_without(struct fc_group *group, int64_t now_ms);
/* The member is gone: forget it and go on without it. */
void fc_group_lose_member(struct fc_group *group, struct fc_group_member *member,
                          int64_t now_ms);
void fc_group_enter(struct fc_group *group, fc_group_state state);

#endif
