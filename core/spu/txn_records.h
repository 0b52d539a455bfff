/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions as records of __transaction_state, in Kafka's layouts: TransactionLogKey 0 and
 * TransactionLogValue 1, each behind two bytes of version. A null value deletes. */
#ifndef FC_SPU_TXN_RECORDS_H
#define FC_SPU_TXN_RECORDS_H

#include "core/log/batch.h"
#include "core/log/record.h"
#include "core/spu/journal.h"
#include "core/spu/txns.h"

FC_MUST_CHECK fc_code fc_txn_record_write(struct fc_journal *journal, struct fc_txn *txn,
                                          struct fc_error *err);
FC_MUST_CHECK fc_code fc_txn_record_delete(struct fc_journal *journal, const struct fc_txn *txn,
                                           int64_t now_ms, struct fc_error *err);

/* For fc_journal_scan; ctx is the struct fc_txns, which nobody uses yet. */
FC_MUST_CHECK fc_code fc_txn_record_load_batch(void *ctx, const struct fc_batch_header *header,
                                               const struct fc_record *records, uint32_t count,
                                               struct fc_error *err);

#endif
