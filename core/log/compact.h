/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log compaction: closed segments of a topic with cleanup.policy=compact are written anew without
 * the records that later ones supersede, small ones joined; offsets stay as they are.
 *
 * Thread: one at a time for a partition; everything else goes on meanwhile.
 */
#ifndef FC_LOG_COMPACT_H
#define FC_LOG_COMPACT_H

#include "core/log/partition.h"

/* How to go about it. */
struct fc_compact_job {
    size_t map_bytes; /* of the table of keys; more keys take more passes; 0: 64 MiB */
    bool (*stopped)(void *ctx); /* asked between batches; NULL: never */
    void *ctx;
};

/* The config asks for it and there is enough to clean, or something too old. Cheap when not. */
bool fc_compact_is_wanted(struct fc_partition *partition);

/* Do all of it, unless stopped. What is wrong is told as upkeep does. */
void fc_compact_run(struct fc_partition *partition, const struct fc_compact_job *job);

#endif
