/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a partition's files an offset or a time is, by way of the sparse indexes. */
#ifndef FC_LOG_LOOKUP_H
#define FC_LOG_LOOKUP_H

#include "core/log/partition.h"

/* A batch at or before what was looked for. */
struct fc_lookup_place {
    int64_t segment_base;
    uint64_t at;    /* byte of the batch */
    int64_t offset; /* that the batch begins with; in a sparse segment, at the earliest */

    /* The segment as of then; see fc_partition_swaps. */
    int64_t segment_end;
    uint64_t segment_size;
    bool closed; /* it does not grow any more */
    bool sparse;
    bool swapping;
};

/*
 * How often closed segments were replaced. Files are opened and looked into without a lock; who
 * finds the same number afterwards has seen files that belong to what it knew of the segments.
 */
uint64_t fc_partition_swaps(struct fc_partition *partition);

/* offset is at most end; FC_ERR_NOT_FOUND when it is below start by now. */
FC_MUST_CHECK fc_code fc_lookup_offset(struct fc_partition *partition, int64_t offset,
                                       struct fc_lookup_place *out_place, struct fc_error *err);

/*
 * A batch of the segment that begins behind byte `from` and at or before byte `to`, as far as
 * the index knows one; otherwise out_at and out_offset stay as they are.
 */
void fc_lookup_skip(struct fc_partition *partition, int64_t segment_base, uint64_t from,
                    uint64_t to, uint64_t *out_at, int64_t *out_offset);

#endif
