/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group commit over all partitions of a data directory: callers of flush share syncs, and each
 * waits for one that began after its call.
 *
 * The first caller that finds no sync running does it itself, so a lone flush costs exactly the
 * disk's sync and no change of threads. With more than one partition to sync, helper threads take
 * part: the file system puts what it is asked at the same time into one commit of its journal, and
 * the disk writes it side by side, where syncs one by one would each wait for both.
 *
 * Thread: any number at once, but for new and free.
 */
#ifndef FC_LOG_GROUP_SYNC_H
#define FC_LOG_GROUP_SYNC_H

#include "core/base/error.h"

struct fc_group_sync;
struct fc_partition;

struct fc_group_sync *fc_group_sync_new(void);
void fc_group_sync_free(struct fc_group_sync *group); /* NULL is fine */

/* The partition has something that the next sync must cover; called once until
 * fc_partition_sync has taken it up. */
void fc_group_sync_add(struct fc_group_sync *group, struct fc_partition *partition);

/* The partition is going: forget it, once no sync uses it any more. */
void fc_group_sync_remove(struct fc_group_sync *group, struct fc_partition *partition);

/* FC_ERR_IO once a sync of any partition has failed: what was appended to it is in doubt. FC_ERR_FULL:
 * too few descriptors for all of them; the next flush covers what is not durable yet. */
FC_MUST_CHECK fc_code fc_group_sync_flush(struct fc_group_sync *group, struct fc_error *err);

#endif
