/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying out what was decided of a transaction: durable decision, markers, durable markers, done. */
#ifndef FC_SPU_TXN_END_H
#define FC_SPU_TXN_END_H

#include "core/spu/txns.h"

/* See fc_txns_carry_out; stores the decision first. The lock is held. */
void fc_txn_end_begin(struct fc_txns *txns, struct fc_txn *txn,
                      void (*on_done)(void *ctx, bool done), void *ctx);

#endif
