/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a partition needs now and then; the keeper calls it. Each call is complete in itself,
 * and reports what is wrong as the partition's failure and a notice.
 */
#ifndef FC_LOG_UPKEEP_H
#define FC_LOG_UPKEEP_H

#include "core/log/partition.h"

/* Make the newest checkpoint durable. */
void fc_upkeep_checkpoint(struct fc_partition *partition);

/* Sync what no flush has synced: closed segments always, with flush_os also the active one once it is
 * some MB, everything when `all`. */
void fc_upkeep_sync(struct fc_partition *partition, bool all);

/* Close the active segment when the config says that it is old. */
void fc_upkeep_roll(struct fc_partition *partition);

/* Remove the oldest closed segments that the config does not want any more. */
void fc_upkeep_retain(struct fc_partition *partition);

/* Let go of producers that have not written for long, and of files that were fetched from. */
void fc_upkeep_forget(struct fc_partition *partition);

/* Check about `bytes` of closed segments, from where the last call ended. */
void fc_upkeep_scrub(struct fc_partition *partition, uint64_t bytes);

#endif
