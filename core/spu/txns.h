/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The coordinator of all transactions. It keeps every transactional id in memory and writes it to
 * __transaction_state, in Kafka's record layout.
 *
 * What makes a transaction whole, through any crash:
 *   1. A partition is added to the transaction before its first batch is appended there.
 *   2. The decision (PREPARE_*) is durable before the first marker is written.
 *   3. All markers are durable before the transaction is complete and the client is answered.
 *   4. When the SPU starts, a decision without its end is carried out again (a marker that is
 *      written twice does no harm), and an open transaction in a partition that no coordinator's
 *      transaction knows of is aborted: its batches were never acknowledged as part of one. Until
 *      its marker can be written nothing is added to it.
 *
 * Thread: any; one lock, held for no longer than a write to the page cache.
 */
#ifndef FC_SPU_TXNS_H
#define FC_SPU_TXNS_H

#include "core/spu/spu_state.h"
#include "core/spu/txn/txn.h"

#define FC_TRANSACTIONS_TOPIC "__transaction_state"

struct fc_txns;

/* Reads __transaction_state when there is one. */
FC_MUST_CHECK fc_code fc_txns_new(struct fc_spu *spu, struct fc_txns **out_txns,
                                  struct fc_error *err);
void fc_txns_free(struct fc_txns *txns); /* NULL is fine */

/* Carry out what was decided, abort what nobody knows of; once the SPU's queues run. */
FC_MUST_CHECK fc_code fc_txns_recover(struct fc_txns *txns, struct fc_error *err);

/* Begin to look at time-outs, on this loop. */
void fc_txns_start_timer(struct fc_txns *txns, struct fc_loop *loop);

/* What cannot be carried out now is given up: it is carried out after the next start. */
void fc_txns_stop(struct fc_txns *txns);

/* Make the topic when it is not there; waits for the disk. */
FC_MUST_CHECK fc_code fc_txns_make_ready(struct fc_txns *txns, struct fc_error *err);

void fc_txns_lock(struct fc_txns *txns);
void fc_txns_unlock(struct fc_txns *txns);

/* Under the lock. NULL: none. */
struct fc_txn *fc_txns_find(struct fc_txns *txns, struct fc_slice id);
/* Under the lock. */
struct fc_txn *fc_txns_ensure(struct fc_txns *txns, struct fc_slice id, int64_t producer_id);
bool fc_txns_next(struct fc_txns *txns, size_t *cursor, struct fc_txn **out_txn);

/* Under the lock: write its state, at txn->log_offset; not durable yet. */
FC_MUST_CHECK fc_code fc_txns_store(struct fc_txns *txns, struct fc_txn *txn,
                                    struct fc_error *err);

/* Whether the id's record at this offset is durable: a sync may have failed. Takes no lock. */
bool fc_txns_is_durable(struct fc_txns *txns, struct fc_slice id, int64_t log_offset);

/*
 * Under the lock: a transaction that has entered PREPARE_* was stored; carry it out. on_done is
 * called once all markers are durable, on the thread that syncs; NULL: nobody waits. When a
 * marker cannot be written it is tried again until it can, and on_done waits as long; done is
 * false when the SPU stops meanwhile.
 */
void fc_txns_carry_out(struct fc_txns *txns, struct fc_txn *txn,
                       void (*on_done)(void *ctx, bool done), void *ctx);

/* InitProducerId, as fc_txn_init, of an id that may be new. */
struct fc_txns_init {
    struct fc_slice id;
    struct fc_txn_producer asked;
    int32_t timeout_ms;
    int64_t fresh_id; /* -1: none yet, the step may be NEW_ID */
};

/* Who the producer is now, and its record: the answer waits until that is durable. */
struct fc_txns_inited {
    struct fc_txn_producer producer;
    int64_t log_offset;
};

/*
 * Takes the lock. The step is NEW_ID or what has been done. When it cannot be stored nothing has changed (COORDINATOR_NOT_AVAILABLE): who asks again must not find an epoch
 * that a restart forgets.
 */
fc_kafka_error fc_txns_init(struct fc_txns *txns, const struct fc_txns_init *ask,
                            struct fc_txns_inited *out_inited, fc_txn_step *out_step);

/* Whether the partition belongs to the producer's open transaction. Takes the lock. */
fc_kafka_error fc_txns_verify(struct fc_txns *txns, struct fc_slice id,
                              const struct fc_txn_producer *producer, struct fc_slice topic,
                              int32_t partition);

/* Whether the producer may go on with what it has open in the partition: not while that is still
 * to be aborted. Takes the lock when there is such. */
bool fc_txns_may_go_on(struct fc_txns *txns, const struct fc_txn_producer *producer,
                       struct fc_slice topic, int32_t partition);

/* Add the partitions, whose names are borrowed, to the producer's transaction unless they are in
 * it: all of them, as one record, or none when that cannot be stored. Takes the lock. */
fc_kafka_error fc_txns_add_all(struct fc_txns *txns, struct fc_slice id,
                               const struct fc_txn_producer *producer,
                               const struct fc_txn_partition *partitions, int32_t count);

/* The same of one. */
fc_kafka_error fc_txns_add(struct fc_txns *txns, struct fc_slice id,
                           const struct fc_txn_producer *producer, struct fc_slice topic,
                           int32_t partition);

int64_t fc_txns_now_ms(const struct fc_txns *txns); /* wall clock */

#endif
