/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Being told when something moves in a partition: its end, its high watermark or its last stable
 * offset, or that it failed or was deleted. What moved, the one who is told looks up.
 *
 * fn is called on the thread that moved it, without the partition's lock, possibly when nothing
 * has moved that matters to the watch, and never twice at the same time for one partition. It
 * must be quick, and must not watch or unwatch the same partition; it may ask for offsets.
 *
 * Thread: any.
 */
#ifndef FC_LOG_WATCH_H
#define FC_LOG_WATCH_H

#include "core/log/partition.h"

/* The caller's; it stays where it is while it watches. */
struct fc_watch {
    void (*fn)(void *ctx);
    void *ctx;
    struct fc_watch *next;
    struct fc_watch **link; /* what points at this; NULL: it does not watch */
};

void fc_partition_watch(struct fc_partition *partition, struct fc_watch *watch);

/* fn is not called any more once this returns, and is not running. Fine when it does not watch.
 * The caller holds no lock that fn takes. */
void fc_partition_unwatch(struct fc_partition *partition, struct fc_watch *watch);

/* Tell them; for the files of core/log. lock is not held. */
void fc_partition_notify(struct fc_partition *partition);

#endif
