/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The background thread of a data directory: about once a second it makes checkpoints durable,
 * closes segments that are old, applies retention, syncs what nobody flushes, and checks a
 * little of the closed segments against their checksums. A second thread compacts, one partition
 * at a time.
 */
#ifndef FC_LOG_KEEPER_H
#define FC_LOG_KEEPER_H

#include "core/log/partition.h"

struct fc_keeper;

/* Starts the thread. env outlives it. */
FC_MUST_CHECK fc_code fc_keeper_new(const struct fc_log_env *env, struct fc_keeper **out_keeper,
                                    struct fc_error *err);

/* Ends the thread; the partitions are the caller's. NULL is fine. */
void fc_keeper_free(struct fc_keeper *keeper);

/* Look after this one, too; it outlives the keeper, or is removed. */
void fc_keeper_add(struct fc_keeper *keeper, struct fc_partition *partition);

/* Look after it no longer, once nothing is being done to it. NULL keeper is fine. */
void fc_keeper_remove(struct fc_keeper *keeper, struct fc_partition *partition);

#endif
