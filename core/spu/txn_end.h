/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying out what was decided of a transaction: durable decision, markers, durable markers, done. */
#ifndef FC_SPU_TXN_END_H
#define FC_SPU_TXN_END_H

#include "core/spu/txns.h"

/* See fc_txns_carry_out; stores the decision first. The lock is held. */
void fc_txn_end_begin(struct fc_txns *txns, struct fc_txn *txn,
                      void (*on_done)(void *ctx, bool done), void *ctx);

/*
 * Abort what a producer has open in a partition and no transaction knows of, which could not be
 * done at once: it is tried until it can be. Until then nobody may go on with it. Before the
 * network starts.
 */
void fc_txn_end_stray(struct fc_txns *txns, struct fc_log_topic *topic, uint32_t index,
                      const struct fc_txn_producer *producer);

/* Whether that is still to be done there. The lock is held. */
bool fc_txn_end_is_stray(const struct fc_txns *txns, int64_t producer_id, struct fc_slice topic,
                         int32_t partition);

#endif
