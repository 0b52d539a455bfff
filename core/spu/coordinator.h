/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The coordinator of all consumer groups: this node's, as there is no other. It keeps groups and
 * committed offsets in memory, and writes them to __consumer_offsets in Kafka's own record
 * layouts, from which it knows them after a restart.
 *
 * A commit is answered once it is durable. Members and assignments need not be: whoever finds
 * them lost joins again.
 *
 * Thread: any; one lock over all groups, held for no longer than a write to the page cache.
 */
#ifndef FC_SPU_COORDINATOR_H
#define FC_SPU_COORDINATOR_H

#include "core/spu/group/group.h"
#include "core/spu/group/offsets.h"
#include "core/spu/spu_state.h"

#define FC_OFFSETS_TOPIC "__consumer_offsets"

struct fc_coordinator;

/* A group and its offsets; guarded by the coordinator's lock. */
struct fc_coordinated {
    struct fc_group *group;
    struct fc_group_offsets offsets;
};

/* Reads __consumer_offsets when there is one. loop: for its timer. */
FC_MUST_CHECK fc_code fc_coordinator_new(struct fc_spu *spu,
                                         struct fc_coordinator **out_coordinator,
                                         struct fc_error *err);
/* Answer all who wait; before the network stops. */
void fc_coordinator_stop(struct fc_coordinator *coordinator);
/* NULL is fine. */
void fc_coordinator_free(struct fc_coordinator *coordinator);

/* The timer lives on this loop; to be called on it, or before it runs. */
void fc_coordinator_start_timer(struct fc_coordinator *coordinator, struct fc_loop *loop);

void fc_coordinator_lock(struct fc_coordinator *coordinator);
/* Sets the timer anew, too. */
void fc_coordinator_unlock(struct fc_coordinator *coordinator);

/* Under the lock. NULL when there is none; valid until unlock. */
struct fc_coordinated *fc_coordinator_find(struct fc_coordinator *coordinator,
                                           struct fc_slice group_id);
/* The same, made when there is none. */
struct fc_coordinated *fc_coordinator_ensure(struct fc_coordinator *coordinator,
                                             struct fc_slice group_id);
/* Start with *cursor == 0; false at the end. Under the lock. */
bool fc_coordinator_next(struct fc_coordinator *coordinator, size_t *cursor,
                         struct fc_coordinated **out_group);

/* Whether the topic of offsets is there, so that nothing below needs to make it (which waits for
 * the disk). */
bool fc_coordinator_is_ready(struct fc_coordinator *coordinator);
FC_MUST_CHECK fc_code fc_coordinator_make_ready(struct fc_coordinator *coordinator,
                                                struct fc_error *err);

/* Under the lock: write commits of one group, and take them over. producer_id -1: not in a
 * transaction. Not durable yet. */
struct fc_commit {
    struct fc_slice topic;
    int32_t partition;
    struct fc_committed committed; /* log_offset is set */
};
FC_MUST_CHECK fc_code fc_coordinator_commit(struct fc_coordinator *coordinator,
                                            struct fc_coordinated *group,
                                            struct fc_commit *commits, int32_t count,
                                            int64_t producer_id, int16_t producer_epoch,
                                            struct fc_error *err);

/* Under the lock: forget a commit, or the whole group, in the log as well. */
FC_MUST_CHECK fc_code fc_coordinator_forget(struct fc_coordinator *coordinator,
                                            struct fc_coordinated *group, struct fc_slice topic,
                                            int32_t partition, struct fc_error *err);
FC_MUST_CHECK fc_code fc_coordinator_delete(struct fc_coordinator *coordinator,
                                            struct fc_coordinated *group, struct fc_error *err);

/* The topic is deleted, and with it what groups have committed of it: another topic of that name is
 * not the same. Takes the lock. */
void fc_coordinator_forget_topic(struct fc_coordinator *coordinator, struct fc_slice topic);

/* The partition of __consumer_offsets that a group's records are in, as Kafka chooses it. */
int32_t fc_coordinator_partition_of(struct fc_coordinator *coordinator,
                                    struct fc_slice group_id);

/* A transaction has ended whose marker was written to this partition of __consumer_offsets, or to
 * all that were part of it. Takes the lock. */
enum { FC_COORDINATOR_ALL_PARTITIONS = -1 };
void fc_coordinator_end_transaction(struct fc_coordinator *coordinator, int32_t partition,
                                    int64_t producer_id, bool commit);
/* Under the lock: the same. */
void fc_coordinator_end_locked(struct fc_coordinator *coordinator, int32_t partition,
                               int64_t producer_id, bool commit);

/* Of an open one; borrowed, it lives as long as the coordinator. */
struct fc_log_topic *fc_coordinator_topic(struct fc_coordinator *coordinator);

/* Append a marker to this partition of __consumer_offsets and end what is pending there, with no
 * commit in between. Takes the lock; errors as fc_partition_append_marker. */
struct fc_marker_request;
struct fc_append_result;
FC_MUST_CHECK fc_code fc_coordinator_append_marker(struct fc_coordinator *coordinator,
                                                   int32_t index,
                                                   const struct fc_marker_request *request,
                                                   struct fc_append_result *out_result,
                                                   struct fc_error *err);

int64_t fc_coordinator_now_ms(const struct fc_coordinator *coordinator);

#endif
