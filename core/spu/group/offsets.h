/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a group has committed: for each partition of a topic the latest offset, and what open
 * transactions will commit when they end.
 *
 * Commits come in the order of the log that they were written to, each with its offset there; of
 * two commits the one that stands later in the log counts, also when a transaction that holds the
 * later one ends first.
 *
 * Thread: one at a time; the coordinator's lock.
 */
#ifndef FC_SPU_GROUP_OFFSETS_H
#define FC_SPU_GROUP_OFFSETS_H

#include "core/base/hashmap.h"
#include "core/base/slice.h"

struct fc_committed {
    int64_t offset;
    int32_t leader_epoch; /* -1: not told */
    struct fc_slice metadata;
    int64_t commit_ms;  /* wall clock */
    int64_t log_offset; /* of the record that says so */
};

struct fc_group_offsets {
    struct fc_hashmap committed;        /* by topic and partition, to struct fc_committed */
    struct fc_offsets_pending *pending; /* of open transactions */
};

void fc_group_offsets_init(struct fc_group_offsets *offsets);
void fc_group_offsets_release(struct fc_group_offsets *offsets);

/* metadata is copied. */
void fc_group_offsets_commit(struct fc_group_offsets *offsets, struct fc_slice topic,
                             int32_t partition, const struct fc_committed *committed);

/* The same within a transaction of the producer. */
void fc_group_offsets_commit_later(struct fc_group_offsets *offsets, int64_t producer_id,
                                   struct fc_slice topic, int32_t partition,
                                   const struct fc_committed *committed);

/* The producer's transaction has ended. */
void fc_group_offsets_end(struct fc_group_offsets *offsets, int64_t producer_id, bool commit);

/* NULL: none. Borrowed until the next change. */
const struct fc_committed *fc_group_offsets_get(const struct fc_group_offsets *offsets,
                                                struct fc_slice topic, int32_t partition);

/* Whether an open transaction may change it. */
bool fc_group_offsets_is_pending(const struct fc_group_offsets *offsets, struct fc_slice topic,
                                 int32_t partition);
bool fc_group_offsets_any_pending(const struct fc_group_offsets *offsets);

/* False when there was none. */
bool fc_group_offsets_remove(struct fc_group_offsets *offsets, struct fc_slice topic,
                             int32_t partition);

/* Start with *cursor == 0; false at the end. Not while anything changes. */
bool fc_group_offsets_next(const struct fc_group_offsets *offsets, size_t *cursor,
                           struct fc_slice *out_topic, int32_t *out_partition,
                           const struct fc_committed **out_committed);

static inline size_t fc_group_offsets_count(const struct fc_group_offsets *offsets)
{
    return offsets->committed.count;
}

#endif
