/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A partition's producers on disk: saved with the log, and found again when it is opened; for
 * the files of core/log only.
 *
 * The checkpoint says from which offset on batches have to be looked at: there the state is
 * what the snapshot of that name says, or empty. What it names is never ahead of the log, since
 * a snapshot is written once everything below it is durable.
 */
#ifndef FC_LOG_PRODUCER_STATE_H
#define FC_LOG_PRODUCER_STATE_H

#include "core/log/partition_state.h"

/* What one sync saves. */
struct fc_producer_save {
    bool snapshot; /* bytes are one at `at` */
    int64_t at;
    struct fc_buf bytes;
    bool empty; /* at the checkpoint's durable offset there is nothing to save */
    struct fc_aborted_segment *segments; /* the array is owned, what it points at is not */
    size_t segments_count;
};

/* The active segment was closed just now, and ends at end. lock is held. */
void fc_producer_state_roll(struct fc_partition *partition, int64_t closed_base);

/* The closed segment has a file of aborted transactions. lock is held or nobody else knows the
 * partition. */
void fc_producer_state_add_file(struct fc_partition *partition, int64_t base);

/* What is to be saved by a sync that covers everything up to end. lock is held. */
void fc_producer_state_take(struct fc_partition *partition, struct fc_producer_save *out_save);

/* Once that sync is done: write it, and name it in the checkpoint. FC_ERR_FULL: the closed
 * segments may not be entered in the manifest yet. sync_lock is held. */
FC_MUST_CHECK fc_code fc_producer_state_write(struct fc_partition *partition,
                                              struct fc_producer_save *save,
                                              struct fc_checkpoint *checkpoint,
                                              struct fc_error *err);
void fc_producer_state_release(struct fc_partition *partition, struct fc_producer_save *save);

/* A checkpoint that names the present snapshot is on disk: remove the older one. sync_lock is
 * held. */
void fc_producer_state_tidy(struct fc_partition *partition);

/* All is durable, and nobody appends: save what there is. */
void fc_producer_state_save(struct fc_partition *partition);

/* The log is whole: find out what its producers did. Errors as fc_partition_open. */
FC_MUST_CHECK fc_code fc_producer_state_load(struct fc_partition *partition,
                                             struct fc_error *err);

/* What producers wrote below offset is not needed any more. Both locks are held. */
bool fc_producer_state_covers(const struct fc_partition *partition, int64_t offset);

/* Forget who has not written for long. */
void fc_producer_state_expire(struct fc_partition *partition);

#endif
