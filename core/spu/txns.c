/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/txns.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/spu/journal.h"
#include "core/spu/txn_end.h"
#include "core/spu/txn_records.h"
#include "core/spu/txns_state.h"

/* How often ids are looked at that nobody uses any more. */
enum { EXPIRY_CHECK_MS = 600000 };

int64_t fc_txns_now_ms(const struct fc_txns *txns)
{
    return fc_clock_wall_ms(txns->spu->config.net.clock);
}

void fc_txns_lock(struct fc_txns *txns)
{
    (void)pthread_mutex_lock(&txns->lock);
}

void fc_txns_unlock(struct fc_txns *txns)
{
    bool rearm = txns->loop != NULL && !txns->rearming;
    txns->rearming = txns->rearming || rearm;
    (void)pthread_mutex_unlock(&txns->lock);
    if (rearm) {
        fc_loop_post(txns->loop, &txns->rearm);
    }
}

struct fc_txn *fc_txns_find(struct fc_txns *txns, struct fc_slice id)
{
    return fc_hashmap_get(&txns->map, id);
}

struct fc_txn *fc_txns_ensure(struct fc_txns *txns, struct fc_slice id, int64_t producer_id)
{
    struct fc_txn *txn = fc_txns_find(txns, id);
    if (txn == NULL) {
        txn = fc_txn_new(id, producer_id);
        (void)fc_hashmap_put(&txns->map, id, txn);
    }
    return txn;
}

bool fc_txns_next(struct fc_txns *txns, size_t *cursor, struct fc_txn **out_txn)
{
    struct fc_slice key;
    void *value = NULL;
    bool found = fc_hashmap_next(&txns->map, cursor, &key, &value);
    *out_txn = value;
    return found;
}

fc_code fc_txns_make_ready(struct fc_txns *txns, struct fc_error *err)
{
    return fc_journal_open(txns->journal, true, err);
}

fc_code fc_txns_store(struct fc_txns *txns, struct fc_txn *txn, struct fc_error *err)
{
    return fc_txn_record_write(txns->journal, txn, err);
}

bool fc_txns_is_durable(struct fc_txns *txns, struct fc_slice id, int64_t log_offset)
{
    return fc_journal_is_durable(txns->journal, fc_journal_partition_of(txns->journal, id),
                                 log_offset);
}

/* --- what others ask --- */

static fc_kafka_error store_or_undo(struct fc_txns *txns, struct fc_txn *txn,
                                    const struct fc_txn *before)
{
    if (fc_txns_store(txns, txn, NULL) == FC_OK) {
        return FC_KAFKA_NONE;
    }
    fc_txn_undo(txn, before);
    if (txn->epoch < 0) { /* nobody has it yet */
        (void)fc_hashmap_remove(&txns->map, txn->id);
        fc_txn_free(txn);
    }
    return FC_KAFKA_COORDINATOR_NOT_AVAILABLE;
}

/* The lock is held. */
static fc_kafka_error init(struct fc_txns *txns, const struct fc_txns_init *ask,
                           struct fc_txns_inited *out_inited, fc_txn_step *out_step)
{
    struct fc_txn *txn = fc_txns_find(txns, ask->id);
    struct fc_txn before;
    fc_kafka_error error;
    if (txn == NULL) {
        if (ask->fresh_id < 0) {
            *out_step = FC_TXN_STEP_NEW_ID;
            return FC_KAFKA_NONE;
        }
        txn = fc_txns_ensure(txns, ask->id, ask->fresh_id);
    }
    before = *txn;
    error = fc_txn_init(txn, &ask->asked, ask->timeout_ms, ask->fresh_id, fc_txns_now_ms(txns),
                        out_step);
    if (*out_step == FC_TXN_STEP_END) {
        fc_txn_end_begin(txns, txn, NULL, NULL);
    } else if (*out_step == FC_TXN_STEP_STORE) {
        error = store_or_undo(txns, txn, &before);
    }
    if (error == FC_KAFKA_NONE) {
        out_inited->producer = (struct fc_txn_producer){ txn->producer_id, txn->epoch };
        out_inited->log_offset = txn->log_offset;
    }
    return error;
}

fc_kafka_error fc_txns_init(struct fc_txns *txns, const struct fc_txns_init *ask,
                            struct fc_txns_inited *out_inited, fc_txn_step *out_step)
{
    fc_kafka_error error;
    fc_txns_lock(txns);
    error = init(txns, ask, out_inited, out_step);
    fc_txns_unlock(txns);
    return error;
}

fc_kafka_error fc_txns_verify(struct fc_txns *txns, struct fc_slice id,
                              const struct fc_txn_producer *producer, struct fc_slice topic,
                              int32_t partition)
{
    fc_kafka_error error = FC_KAFKA_INVALID_PRODUCER_ID_MAPPING;
    struct fc_txn *txn;
    fc_txns_lock(txns);
    txn = fc_txns_find(txns, id);
    if (txn != NULL) {
        error = fc_txn_check_producer(txn, producer);
    }
    if (error == FC_KAFKA_NONE &&
        (txn->state != FC_TXN_ONGOING || !fc_txn_has(txn, topic, partition))) {
        error = FC_KAFKA_INVALID_TXN_STATE;
    }
    fc_txns_unlock(txns);
    return error;
}

bool fc_txns_may_go_on(struct fc_txns *txns, const struct fc_txn_producer *producer,
                       struct fc_slice topic, int32_t partition)
{
    bool stray;
    if (atomic_load(&txns->strays_count) == 0) {
        return true;
    }
    fc_txns_lock(txns);
    stray = fc_txn_end_is_stray(txns, producer->id, topic, partition);
    fc_txns_unlock(txns);
    return !stray;
}

/* The lock is held. */
static fc_kafka_error add_all(struct fc_txns *txns, struct fc_txn *txn,
                              const struct fc_txn_producer *producer,
                              const struct fc_txn_partition *partitions, int32_t count)
{
    struct fc_txn before = *txn;
    int64_t now_ms = fc_txns_now_ms(txns);
    fc_kafka_error error = FC_KAFKA_NONE;
    bool changed = false;
    for (int32_t index = 0; index < count; index++) {
        if (fc_txn_end_is_stray(txns, producer->id, partitions[index].topic,
                                partitions[index].partition)) {
            return FC_KAFKA_CONCURRENT_TRANSACTIONS;
        }
    }
    for (int32_t index = 0; error == FC_KAFKA_NONE && index < count; index++) {
        fc_txn_step step;
        error = fc_txn_add(txn, producer, partitions[index].topic, partitions[index].partition,
                           now_ms, &step);
        changed = changed || step == FC_TXN_STEP_STORE;
    }
    fc_assert(!changed || error == FC_KAFKA_NONE); /* who may not add one may add none */
    return changed ? store_or_undo(txns, txn, &before) : error;
}

fc_kafka_error fc_txns_add_all(struct fc_txns *txns, struct fc_slice id,
                               const struct fc_txn_producer *producer,
                               const struct fc_txn_partition *partitions, int32_t count)
{
    fc_kafka_error error = FC_KAFKA_INVALID_PRODUCER_ID_MAPPING;
    struct fc_txn *txn;
    fc_txns_lock(txns);
    txn = fc_txns_find(txns, id);
    if (txn != NULL) {
        error = add_all(txns, txn, producer, partitions, count);
    }
    fc_txns_unlock(txns);
    return error;
}

fc_kafka_error fc_txns_add(struct fc_txns *txns, struct fc_slice id,
                           const struct fc_txn_producer *producer, struct fc_slice topic,
                           int32_t partition)
{
    struct fc_txn_partition one = { topic, partition };
    return fc_txns_add_all(txns, id, producer, &one, 1);
}

/* --- time --- */

static int64_t next_ms(const struct fc_txns *txns)
{
    int64_t next = txns->map.count == 0 ? INT64_MAX : txns->expiry_ms;
    struct fc_slice key;
    void *value = NULL;
    size_t cursor = 0;
    while (fc_hashmap_next(&txns->map, &cursor, &key, &value)) {
        int64_t due = fc_txn_deadline_ms(value);
        next = due < next ? due : next;
    }
    return next;
}

/* Ids that nobody has used for a long time. The lock is held. */
static void expire(struct fc_txns *txns, int64_t now_ms)
{
    bool more = true;
    while (more) {
        struct fc_txn *txn = NULL;
        size_t cursor = 0;
        more = false;
        while (!more && fc_txns_next(txns, &cursor, &txn)) {
            bool idle = txn->state != FC_TXN_ONGOING && !fc_txn_is_ending(txn);
            more = idle &&
                   now_ms - txn->update_ms >= txns->spu->config.transactional_id_retention_ms &&
                   fc_txn_record_delete(txns->journal, txn, now_ms, NULL) == FC_OK;
            if (more) {
                (void)fc_hashmap_remove(&txns->map, txn->id);
                fc_txn_free(txn);
            }
        }
    }
}

static void on_time(void *ctx)
{
    struct fc_txns *txns = ctx;
    struct fc_txn *txn = NULL;
    size_t cursor = 0;
    int64_t now_ms = fc_txns_now_ms(txns);
    fc_txns_lock(txns);
    while (fc_txns_next(txns, &cursor, &txn)) {
        if (fc_txn_time_out(txn, now_ms)) {
            fc_diag_report(txns->spu->config.net.diag, FC_DIAG_INFO,
                           "a transaction is over its time and is aborted id=%.*s",
                           (int)txn->id.len, (const char *)txn->id.data);
            fc_txn_end_begin(txns, txn, NULL, NULL);
        }
    }
    if (now_ms >= txns->expiry_ms) {
        txns->expiry_ms = now_ms + EXPIRY_CHECK_MS;
        expire(txns, now_ms);
    }
    fc_txns_unlock(txns);
}

/* Deadlines are on the wall clock, as they are stored; the timer runs on the steady one. */
static void on_rearm(void *ctx)
{
    struct fc_txns *txns = ctx;
    int64_t now_ms = fc_txns_now_ms(txns);
    int64_t due;
    (void)pthread_mutex_lock(&txns->lock);
    txns->rearming = false;
    due = next_ms(txns);
    (void)pthread_mutex_unlock(&txns->lock);
    if (due == INT64_MAX) {
        fc_loop_timer_clear(txns->loop, &txns->timer);
    } else {
        fc_loop_timer_set(txns->loop, &txns->timer,
                          fc_loop_now_ms(txns->loop) + (due > now_ms ? due - now_ms : 0));
    }
}

void fc_txns_start_timer(struct fc_txns *txns, struct fc_loop *loop)
{
    fc_loop_timer_init(&txns->timer, on_time, txns);
    txns->rearm.on_run = on_rearm;
    txns->rearm.ctx = txns;
    fc_txns_lock(txns);
    txns->loop = loop;
    fc_txns_unlock(txns);
}

void fc_txns_carry_out(struct fc_txns *txns, struct fc_txn *txn,
                       void (*on_done)(void *ctx, bool done), void *ctx)
{
    fc_txn_end_begin(txns, txn, on_done, ctx);
}

/* --- begin and end --- */

static fc_code load(struct fc_txns *txns, struct fc_error *err)
{
    uint32_t partitions;
    fc_code code = fc_journal_open(txns->journal, false, err);
    if (code == FC_ERR_NOT_FOUND) {
        return FC_OK; /* made with the first transaction */
    }
    partitions = code == FC_OK ? fc_journal_partitions(txns->journal) : 0;
    for (uint32_t index = 0; code == FC_OK && index < partitions; index++) {
        code =
            fc_journal_scan(txns->journal, (int32_t)index, fc_txn_record_load_batch, txns, err);
    }
    return code;
}

static void free_txn(void *value)
{
    fc_txn_free(value);
}

fc_code fc_txns_new(struct fc_spu *spu, struct fc_txns **out_txns, struct fc_error *err)
{
    struct fc_txns *txns = fc_new(struct fc_txns);
    fc_code code;
    txns->spu = spu;
    txns->journal =
        fc_journal_new(spu, FC_TRANSACTIONS_TOPIC, spu->config.transactions_partitions);
    (void)pthread_mutex_init(&txns->lock, NULL); /* cannot fail on Linux */
    fc_hashmap_init(&txns->map);
    txns->expiry_ms = fc_txns_now_ms(txns) + EXPIRY_CHECK_MS;
    code = load(txns, err);
    if (code == FC_OK) {
        *out_txns = txns;
    } else {
        fc_txns_free(txns);
    }
    return code;
}

void fc_txns_stop(struct fc_txns *txns)
{
    atomic_store(&txns->stopping, true);
}

void fc_txns_free(struct fc_txns *txns)
{
    if (txns != NULL) {
        fc_hashmap_release(&txns->map, free_txn);
        fc_journal_free(txns->journal);
        (void)pthread_mutex_destroy(&txns->lock); /* nobody uses it any more */
        free(txns);
    }
}
