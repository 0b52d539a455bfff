/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Putting a compacted segment in the place of those that it was made of; for the files of
 * core/log only.
 *
 * The new files are made beside the old ones, under swap names, and synced with those names.
 * Then the manifest is replaced by one that has the new segment as "swapping": from there on
 * the old segments are gone for good, and recovery finishes what a crash interrupts. The files
 * are renamed over the first of the old ones, the names synced, and the manifest is replaced
 * once more, so that the next swap names are not taken for these. Last, the other old files go;
 * what a crash leaves of them belongs to no segment, and goes at the next open.
 *
 * In memory all of it happens at once, under the partition's lock. Readers that have an old file
 * open read on in it; who looks something up without the lock compares fc_partition_swaps.
 */
#ifndef FC_LOG_COMPACT_SWAP_H
#define FC_LOG_COMPACT_SWAP_H

#include "core/log/partition_state.h"

/* Closed segments that follow each other, and what is to be in their place. */
struct fc_compact_swap {
    const struct fc_segment *old;
    size_t count;
    struct fc_segment made; /* its state: as it is to be in the end */
    bool has_files;         /* false: the one old segment keeps its file */
    bool has_aborted;       /* there is a list of aborted transactions among the files */
};

/*
 * Errors: FC_ERR_NOT_FOUND (those segments are not there any more; nothing was done),
 * FC_ERR_FULL (nothing was done), FC_ERR_IO (the partition has failed), or the partition's
 * failure.
 */
FC_MUST_CHECK fc_code fc_compact_swap_run(struct fc_partition *partition,
                                          const struct fc_compact_swap *swap,
                                          struct fc_error *err);

/* Remove what there is of the new files. */
void fc_compact_swap_drop(struct fc_partition *partition, int64_t base);

/* Nothing is half done any more on disk, so that swap names may be used. Errors as above. */
FC_MUST_CHECK fc_code fc_compact_swap_settle(struct fc_partition *partition,
                                             struct fc_error *err);

/* --- for recovery --- */

/* A segment of the manifest is swapping. */
bool fc_compact_is_swapping(const struct fc_partition *partition);

/* Rename what still has its swap name, and make that durable. */
FC_MUST_CHECK fc_code fc_compact_finish_swaps(struct fc_partition *partition,
                                              struct fc_error *err);

/* Those segments are as any other: write it into the manifest. sync_lock is held, or nobody else
 * knows the partition. */
FC_MUST_CHECK fc_code fc_compact_note_swapped(struct fc_partition *partition,
                                              struct fc_error *err);

/* Open the segment's log for reading, under whichever name it has. */
FC_MUST_CHECK fc_code fc_compact_open_log(const struct fc_partition *partition,
                                          const struct fc_segment *segment,
                                          struct fc_file **out_file, struct fc_error *err);

#endif
