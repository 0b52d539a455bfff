/* SPDX-License-Identifier: Apache-2.0 */
/* Appending one batch, whoever made it; for the files of core/log only. */
#ifndef FC_LOG_APPEND_H
#define FC_LOG_APPEND_H

#include <sys/uio.h>

#include "core/log/partition_state.h"

/* A whole batch: parts[0] begins with its header, in which base offset and leader epoch are
 * set. */
struct fc_append {
    struct iovec parts[2];
    int parts_count;
};

/*
 * Write it behind the end, and account for it in indexes, offsets and group; not in producers.
 * *out_header is the batch's, with its base offset. lock is held; afterwards the caller lets go
 * of it with fc_append_unlock. Errors as fc_partition_append.
 */
FC_MUST_CHECK fc_code fc_append_locked(struct fc_partition *partition,
                                       const struct fc_append *append,
                                       struct fc_batch_header *out_header,
                                       struct fc_error *err);

/* After an append, in the place of unlocking: wakes who waits for it, and when many closed segments
 * wait for a sync with their files open, does that here, so that who appends faster than the disk
 * syncs waits for it rather than use up the descriptors. */
void fc_append_unlock(struct fc_partition *partition);

/* NULL is fine. */
void fc_append_free_decoder(struct fc_batch_decoder *decoder);

/* Account for the batch in `producers`, when it is of one; marker as in fc_producers_note. lock
 * is held. */
void fc_append_note_producer(struct fc_partition *partition,
                             const struct fc_batch_header *header,
                             const struct fc_marker *marker);

#endif
