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

#endif
