/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/txn/txn.h"

#include <stdlib.h>

#include "core/base/alloc.h"

const char *fc_txn_state_name(fc_txn_state state)
{
    switch (state) {
    case FC_TXN_EMPTY:
        return "Empty";
    case FC_TXN_ONGOING:
        return "Ongoing";
    case FC_TXN_PREPARE_COMMIT:
        return "PrepareCommit";
    case FC_TXN_PREPARE_ABORT:
        return "PrepareAbort";
    case FC_TXN_COMPLETE_COMMIT:
        return "CompleteCommit";
    case FC_TXN_COMPLETE_ABORT:
        return "CompleteAbort";
    }
    return "Unknown";
}

struct fc_txn *fc_txn_new(struct fc_slice id, int64_t producer_id)
{
    struct fc_txn *txn = fc_new(struct fc_txn);
    txn->id = fc_slice_of(fc_strndup((const char *)id.data, id.len), id.len);
    txn->producer_id = producer_id;
    txn->previous_producer_id = -1;
    txn->epoch = -1; /* the first InitProducerId makes it 0 */
    txn->previous_epoch = -1;
    txn->start_ms = -1;
    txn->log_offset = -1;
    return txn;
}

/* All but the first `kept`. */
static void forget_partitions(struct fc_txn *txn, int32_t kept)
{
    for (int32_t index = kept; index < txn->partitions_count; index++) {
        free(fc_unconst(txn->partitions[index].topic.data));
    }
    txn->partitions_count = kept;
}

void fc_txn_free(struct fc_txn *txn)
{
    if (txn != NULL) {
        forget_partitions(txn, 0);
        free(txn->partitions);
        free(fc_unconst(txn->id.data));
        free(txn);
    }
}

/* The next epoch, or the first one of another producer id. False when there is no other id. */
static bool next_epoch(struct fc_txn *txn, int64_t fresh_id)
{
    if (txn->epoch < FC_TXN_EPOCH_MAX) {
        txn->previous_epoch = txn->epoch;
        txn->previous_producer_id = txn->producer_id;
        txn->epoch++;
        return true;
    }
    if (fresh_id < 0) {
        return false;
    }
    txn->previous_epoch = txn->epoch;
    txn->previous_producer_id = txn->producer_id;
    txn->producer_id = fresh_id;
    txn->epoch = 0;
    return true;
}

static void prepare(struct fc_txn *txn, bool commit, int64_t now_ms)
{
    txn->state = commit ? FC_TXN_PREPARE_COMMIT : FC_TXN_PREPARE_ABORT;
    txn->update_ms = now_ms;
}

/* Nobody is told the epoch with which somebody else ends a transaction. */
static void fence(struct fc_txn *txn)
{
    if (txn->epoch <= FC_TXN_EPOCH_MAX) {
        txn->epoch++; /* at the limit it is the last, which only fences */
    }
    txn->previous_epoch = -1;
    txn->previous_producer_id = -1;
    txn->bumps = false;
}

static bool is_now(const struct fc_txn *txn, const struct fc_txn_producer *producer)
{
    return producer->id == txn->producer_id && producer->epoch == txn->epoch;
}

/* Who it was before the last bump: a client that did not get the answer asks so again. */
static bool is_previous(const struct fc_txn *txn, const struct fc_txn_producer *producer)
{
    return producer->id == txn->previous_producer_id &&
           producer->epoch == txn->previous_epoch && producer->epoch >= 0;
}

fc_kafka_error fc_txn_init(struct fc_txn *txn, const struct fc_txn_producer *asked,
                           int32_t timeout_ms, int64_t fresh_id, int64_t now_ms,
                           fc_txn_step *out_step)
{
    *out_step = FC_TXN_STEP_NONE;
    if (asked->id >= 0 && txn->epoch >= 0 && !is_now(txn, asked) && !is_previous(txn, asked)) {
        return FC_KAFKA_PRODUCER_FENCED;
    }
    if (fc_txn_is_ending(txn)) {
        return FC_KAFKA_CONCURRENT_TRANSACTIONS;
    }
    if (txn->state == FC_TXN_ONGOING) {
        fence(txn);
        prepare(txn, false, now_ms);
        *out_step = FC_TXN_STEP_END;
        return FC_KAFKA_CONCURRENT_TRANSACTIONS;
    }
    if (asked->id >= 0 && txn->epoch >= 0 && !is_now(txn, asked)) {
        return FC_KAFKA_NONE; /* it has the new epoch already, and was not told */
    }
    if (!next_epoch(txn, fresh_id)) {
        *out_step = FC_TXN_STEP_NEW_ID;
        return FC_KAFKA_NONE;
    }
    if (asked->id < 0) {
        txn->previous_producer_id = -1; /* another process: who it was before is fenced */
        txn->previous_epoch = -1;
    }
    txn->bumps = false;
    txn->timeout_ms = timeout_ms;
    txn->state = FC_TXN_EMPTY;
    txn->start_ms = -1;
    txn->update_ms = now_ms;
    *out_step = FC_TXN_STEP_STORE;
    return FC_KAFKA_NONE;
}

fc_kafka_error fc_txn_check_producer(const struct fc_txn *txn,
                                     const struct fc_txn_producer *producer)
{
    if (producer->id != txn->producer_id) {
        return FC_KAFKA_INVALID_PRODUCER_ID_MAPPING;
    }
    return producer->epoch == txn->epoch ? FC_KAFKA_NONE : FC_KAFKA_PRODUCER_FENCED;
}

bool fc_txn_has(const struct fc_txn *txn, struct fc_slice topic, int32_t partition)
{
    for (int32_t index = 0; index < txn->partitions_count; index++) {
        if (txn->partitions[index].partition == partition &&
            fc_slice_equal(txn->partitions[index].topic, topic)) {
            return true;
        }
    }
    return false;
}

fc_kafka_error fc_txn_add(struct fc_txn *txn, const struct fc_txn_producer *producer,
                          struct fc_slice topic, int32_t partition, int64_t now_ms,
                          fc_txn_step *out_step)
{
    fc_kafka_error error = fc_txn_check_producer(txn, producer);
    *out_step = FC_TXN_STEP_NONE;
    if (error != FC_KAFKA_NONE) {
        return error;
    }
    if (fc_txn_is_ending(txn)) {
        return FC_KAFKA_CONCURRENT_TRANSACTIONS;
    }
    if (txn->state == FC_TXN_ONGOING && fc_txn_has(txn, topic, partition)) {
        return FC_KAFKA_NONE;
    }
    if (txn->partitions_count == txn->partitions_capacity) {
        txn->partitions_capacity =
            txn->partitions_capacity == 0 ? 4 : txn->partitions_capacity * 2;
        txn->partitions = fc_realloc_array(txn->partitions, (size_t)txn->partitions_capacity,
                                           sizeof(struct fc_txn_partition));
    }
    txn->partitions[txn->partitions_count].topic =
        fc_slice_of(fc_strndup((const char *)topic.data, topic.len), topic.len);
    txn->partitions[txn->partitions_count].partition = partition;
    txn->partitions_count++;
    if (txn->state != FC_TXN_ONGOING) {
        txn->state = FC_TXN_ONGOING;
        txn->start_ms = now_ms;
    }
    txn->update_ms = now_ms;
    *out_step = FC_TXN_STEP_STORE;
    return FC_KAFKA_NONE;
}

void fc_txn_undo(struct fc_txn *txn, const struct fc_txn *before)
{
    struct fc_txn_partition *partitions = txn->partitions;
    int32_t capacity = txn->partitions_capacity;
    forget_partitions(txn, before->partitions_count);
    *txn = *before;
    txn->partitions = partitions; /* may have moved */
    txn->partitions_capacity = capacity;
}

/* The end was asked for before, and the answer did not arrive. */
static bool is_ended_so(const struct fc_txn *txn, bool commit)
{
    return txn->state == (commit ? FC_TXN_COMPLETE_COMMIT : FC_TXN_COMPLETE_ABORT);
}

fc_kafka_error fc_txn_end(struct fc_txn *txn, const struct fc_txn_producer *producer,
                          bool commit, bool bumps, int64_t fresh_id, int64_t now_ms,
                          fc_txn_step *out_step)
{
    *out_step = FC_TXN_STEP_NONE;
    if (bumps && is_previous(txn, producer) && txn->bumps) {
        if (fc_txn_is_ending(txn)) {
            return FC_KAFKA_CONCURRENT_TRANSACTIONS;
        }
        return is_ended_so(txn, commit) ? FC_KAFKA_NONE : FC_KAFKA_INVALID_TXN_STATE;
    }
    if (!is_now(txn, producer)) {
        return fc_txn_check_producer(txn, producer);
    }
    if (fc_txn_is_ending(txn)) {
        return FC_KAFKA_CONCURRENT_TRANSACTIONS;
    }
    if (txn->state != FC_TXN_ONGOING) {
        if (!bumps) {
            return is_ended_so(txn, commit) ? FC_KAFKA_NONE : FC_KAFKA_INVALID_TXN_STATE;
        }
        if (commit) {
            return FC_KAFKA_INVALID_TXN_STATE;
        }
    }
    if (bumps && !next_epoch(txn, fresh_id)) {
        *out_step = FC_TXN_STEP_NEW_ID;
        return FC_KAFKA_NONE;
    }
    txn->bumps = bumps;
    prepare(txn, commit, now_ms);
    *out_step = FC_TXN_STEP_END;
    return FC_KAFKA_NONE;
}

int64_t fc_txn_deadline_ms(const struct fc_txn *txn)
{
    return txn->state == FC_TXN_ONGOING ? txn->start_ms + txn->timeout_ms : INT64_MAX;
}

bool fc_txn_time_out(struct fc_txn *txn, int64_t now_ms)
{
    if (now_ms < fc_txn_deadline_ms(txn)) {
        return false;
    }
    fence(txn);
    prepare(txn, false, now_ms);
    return true;
}

/*
 * A fresh producer id begins with the next transaction; the markers are still the old one's. Once
 * that transaction goes on the previous id is kept for a repeated EndTxn alone.
 */
struct fc_txn_producer fc_txn_marker_producer(const struct fc_txn *txn)
{
    struct fc_txn_producer producer = { txn->producer_id, txn->epoch };
    if (fc_txn_is_ending(txn) && txn->bumps && txn->previous_producer_id >= 0 &&
        txn->previous_producer_id != txn->producer_id) {
        producer.id = txn->previous_producer_id;
        producer.epoch = INT16_MAX;
    }
    return producer;
}

void fc_txn_complete(struct fc_txn *txn, int64_t now_ms)
{
    fc_assert(fc_txn_is_ending(txn));
    txn->state =
        txn->state == FC_TXN_PREPARE_COMMIT ? FC_TXN_COMPLETE_COMMIT : FC_TXN_COMPLETE_ABORT;
    forget_partitions(txn, 0);
    txn->start_ms = -1;
    txn->update_ms = now_ms;
}
