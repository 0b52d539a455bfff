/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One transactional id: whose it is, and how far its transaction is. Nothing here does I/O: what
 * is to be written is the coordinator's business (core/spu/txns.h).
 *
 *   EMPTY            a producer has it, no transaction was begun
 *   ONGOING          partitions have been added
 *   PREPARE_COMMIT   decided; markers are being written. Only complete() leads out of it.
 *   PREPARE_ABORT
 *   COMPLETE_COMMIT  all markers are written
 *   COMPLETE_ABORT
 *
 * The rules are Kafka's: KIP-98, KIP-360 (a producer may ask for a new epoch), KIP-890 part 2 (the
 * epoch grows with each end, so that nothing of an earlier transaction can touch a later one).
 *
 * Thread: one at a time; the coordinator's lock.
 */
#ifndef FC_SPU_TXN_H
#define FC_SPU_TXN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/kafka_error.h"
#include "core/base/slice.h"

/* Kafka's numbers, as they are stored. */
typedef enum fc_txn_state {
    FC_TXN_EMPTY = 0,
    FC_TXN_ONGOING = 1,
    FC_TXN_PREPARE_COMMIT = 2,
    FC_TXN_PREPARE_ABORT = 3,
    FC_TXN_COMPLETE_COMMIT = 4,
    FC_TXN_COMPLETE_ABORT = 5
} fc_txn_state;

/* "Ongoing", as Kafka prints it. */
const char *fc_txn_state_name(fc_txn_state state);

struct fc_txn_partition {
    struct fc_slice topic; /* owned */
    int32_t partition;
};

struct fc_txn {
    struct fc_slice id; /* owned */
    int64_t producer_id;
    int64_t previous_producer_id; /* -1: none; of who may still ask for what it was told */
    int16_t epoch;
    int16_t previous_epoch; /* -1: none */
    int32_t timeout_ms;
    fc_txn_state state;
    struct fc_txn_partition *partitions;
    int32_t partitions_count;
    int32_t partitions_capacity;
    int64_t start_ms;   /* wall clock, of the transaction; -1: none */
    int64_t update_ms;  /* wall clock, of the last change */
    int64_t log_offset; /* of its last record, for the coordinator; -1: none */
    bool bumps;         /* the client knows that the epoch grows with each end */
};

/* A producer's name for itself. */
struct fc_txn_producer {
    int64_t id;
    int16_t epoch;
};

struct fc_txn *fc_txn_new(struct fc_slice id, int64_t producer_id);
void fc_txn_free(struct fc_txn *txn); /* NULL is fine */

/* The last epoch that a producer id can have and still be fenced. */
enum { FC_TXN_EPOCH_MAX = INT16_MAX - 1 };

typedef enum fc_txn_step {
    FC_TXN_STEP_NONE,  /* nothing is to be written: answer */
    FC_TXN_STEP_STORE, /* store it, then answer */
    FC_TXN_STEP_END,   /* it is in PREPARE_*: store it, write markers, complete; then answer */
    FC_TXN_STEP_NEW_ID /* ask again with a fresh producer id */
} fc_txn_step;

/*
 * InitProducerId. asked: who the producer is already, id -1: it does not say. fresh_id: a producer
 * id that nobody has, or -1 (the answer may be NEW_ID then).
 * An unfinished transaction is aborted first, and the answer is CONCURRENT_TRANSACTIONS: the
 * client asks again.
 */
fc_kafka_error fc_txn_init(struct fc_txn *txn, const struct fc_txn_producer *asked,
                           int32_t timeout_ms, int64_t fresh_id, int64_t now_ms,
                           fc_txn_step *out_step);

/* Whether this producer may go on with its transaction. */
fc_kafka_error fc_txn_check_producer(const struct fc_txn *txn,
                                     const struct fc_txn_producer *producer);

/* Take back what fc_txn_init or fc_txn_add has changed, as it could not be stored. before: a copy
 * of *txn from then. */
void fc_txn_undo(struct fc_txn *txn, const struct fc_txn *before);

/* One partition more; STORE when it is a new one. */
fc_kafka_error fc_txn_add(struct fc_txn *txn, const struct fc_txn_producer *producer,
                          struct fc_slice topic, int32_t partition, int64_t now_ms,
                          fc_txn_step *out_step);

bool fc_txn_has(const struct fc_txn *txn, struct fc_slice topic, int32_t partition);

/* EndTxn. bumps: the client wants the epoch that its next transaction has. fresh_id as above. */
fc_kafka_error fc_txn_end(struct fc_txn *txn, const struct fc_txn_producer *producer,
                          bool commit, bool bumps, int64_t fresh_id, int64_t now_ms,
                          fc_txn_step *out_step);

/* Its time is over: to PREPARE_ABORT with a higher epoch. False when it is not. */
bool fc_txn_time_out(struct fc_txn *txn, int64_t now_ms);

/* When its time is over; INT64_MAX: never. */
int64_t fc_txn_deadline_ms(const struct fc_txn *txn);

static inline bool fc_txn_is_ending(const struct fc_txn *txn)
{
    return txn->state == FC_TXN_PREPARE_COMMIT || txn->state == FC_TXN_PREPARE_ABORT;
}

/* Who the markers are of, or would be when it ended now: the epoch fences what the producer may still have under way. */
struct fc_txn_producer fc_txn_marker_producer(const struct fc_txn *txn);

/* All markers are written. */
void fc_txn_complete(struct fc_txn *txn, int64_t now_ms);

#endif
