/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a partition's files an offset or a time is, by way of the sparse indexes. */
#ifndef FC_LOG_LOOKUP_H
#define FC_LOG_LOOKUP_H

#include "core/log/partition.h"

/* A batch at or before what was looked for. */
struct fc_lookup_place {
    int64_t segment_base;
    uint64_t at;    /* byte of the batch */
    int64_t offset; /* that the batch begins with */
};

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
