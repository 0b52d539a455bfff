/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that syncs does the steps one after the other: once the decision is durable it writes
 * the markers, once they are durable it completes. What cannot be done (a full disk, a failed sync) is tried
 * again with the next round after a pause; the transaction stays in PREPARE_* meanwhile, and
 * clients that ask get CONCURRENT_TRANSACTIONS.
 *
 * A stray has no transaction: what nobody knows of is aborted, by its markers alone.
 */
#include "core/spu/txn_end.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/wire_append.h"
#include "core/spu/coordinator.h"
#include "core/spu/journal.h"
#include "core/spu/task_queue.h"
#include "core/spu/txns_state.h"

enum { RETRY_MS = 500 };

/* A marker that is to be written, and where it stands once it is. */
struct marker {
    struct fc_log_topic *topic; /* a reference; NULL: the topic is gone, nothing to write */
    struct fc_partition *partition;
    int64_t offset; /* -1: not written */
};

struct fc_ending {
    struct fc_txns *txns;
    struct fc_ending *next_stray;
    struct fc_txn_partition at; /* of a stray */
    char *id_text;              /* owned; the id's bytes; NULL: a stray */
    struct fc_slice id;
    struct fc_txn_producer producer;
    bool commit;
    struct marker *markers;
    int32_t markers_count;
    bool has_offsets;   /* of groups */
    bool stored;        /* the decision is in the journal */
    int64_t log_offset; /* there */
    void (*on_done)(void *ctx, bool done);
    void *ctx;
    struct fc_task ack;
    struct fc_loop_timer timer;
    struct fc_loop_task task;
};

static void free_ending(struct fc_ending *ending)
{
    for (int32_t index = 0; index < ending->markers_count; index++) {
        fc_log_topic_unref(ending->markers[index].topic);
    }
    free(ending->markers);
    free(fc_unconst(ending->at.topic.data));
    free(ending->id_text);
    free(ending);
}

static void forget_stray(struct fc_ending *ending)
{
    struct fc_ending **at = &ending->txns->strays;
    fc_txns_lock(ending->txns);
    while (*at != ending) {
        at = &(*at)->next_stray;
    }
    *at = ending->next_stray;
    (void)atomic_fetch_sub(&ending->txns->strays_count, 1);
    fc_txns_unlock(ending->txns);
}

static void finish(struct fc_ending *ending, bool done)
{
    if (ending->id_text == NULL) {
        forget_stray(ending);
    }
    if (ending->on_done != NULL) {
        ending->on_done(ending->ctx, done);
    }
    free_ending(ending);
}

static void on_decided(void *ctx);

/* --- trying again --- */

static void wait_for_sync(struct fc_ending *ending, void (*on_durable)(void *ctx))
{
    ending->ack.on_run = on_durable;
    ending->ack.ctx = ending;
    fc_task_queue_add(ending->txns->spu->acks, &ending->ack);
}

static void on_retry_time(void *ctx)
{
    wait_for_sync(ctx, on_decided);
}

static void on_retry_task(void *ctx)
{
    struct fc_ending *ending = ctx;
    fc_loop_timer_init(&ending->timer, on_retry_time, ending);
    fc_loop_timer_set(ending->txns->loop, &ending->timer,
                      fc_loop_now_ms(ending->txns->loop) + RETRY_MS);
}

/* Later, on the loop's timer; before there is a loop, with the next sync. */
static void try_again(struct fc_ending *ending)
{
    bool has_loop;
    if (atomic_load(&ending->txns->stopping)) {
        finish(ending, false);
        return;
    }
    fc_txns_lock(ending->txns);
    has_loop = ending->txns->loop != NULL;
    fc_txns_unlock(ending->txns);
    if (!has_loop) {
        wait_for_sync(ending, on_decided);
        return;
    }
    ending->task.on_run = on_retry_task;
    ending->task.ctx = ending;
    fc_loop_post(ending->txns->loop, &ending->task);
}

/* --- the steps --- */

static bool store(struct fc_ending *ending)
{
    struct fc_txn *txn = fc_txns_find(ending->txns, ending->id);
    fc_assert(txn != NULL && fc_txn_is_ending(txn));
    ending->stored = fc_txns_store(ending->txns, txn, NULL) == FC_OK;
    ending->log_offset = txn->log_offset;
    return ending->stored;
}

static bool markers_are_durable(const struct fc_ending *ending)
{
    for (int32_t index = 0; index < ending->markers_count; index++) {
        const struct marker *marker = &ending->markers[index];
        struct fc_partition_offsets offsets;
        if (marker->topic != NULL && !fc_log_topic_is_deleted(marker->topic) &&
            (fc_partition_offsets(marker->partition, &offsets, NULL) != FC_OK ||
             offsets.high_watermark <= marker->offset)) {
            return false;
        }
    }
    return true;
}

static void complete(struct fc_txns *txns, struct fc_slice id)
{
    struct fc_txn *txn;
    fc_txns_lock(txns);
    txn = fc_txns_find(txns, id);
    fc_txn_complete(txn, fc_txns_now_ms(txns));
    /* Should this be lost, the markers are written once more. */
    if (fc_txns_store(txns, txn, NULL) != FC_OK) {
        fc_diag_report(txns->spu->config.net.diag, FC_DIAG_WARN,
                       "cannot store the end of a transaction");
    }
    fc_txns_unlock(txns);
}

static void on_marked(void *ctx)
{
    struct fc_ending *ending = ctx;
    if (!markers_are_durable(ending)) {
        try_again(ending);
        return;
    }
    if (ending->has_offsets) {
        int32_t where =
            ending->id_text == NULL ? ending->at.partition : FC_COORDINATOR_ALL_PARTITIONS;
        fc_coordinator_end_transaction(ending->txns->spu->coordinator, where,
                                       ending->producer.id, ending->commit);
    }
    if (ending->id_text != NULL) {
        complete(ending->txns, ending->id);
    }
    finish(ending, true);
}

/* True when every marker is written, or need not be. */
static bool write_markers(struct fc_ending *ending)
{
    struct fc_marker_request request = { ending->producer.id, ending->producer.epoch, 0,
                                         ending->commit, true };
    bool all = true;
    for (int32_t index = 0; index < ending->markers_count; index++) {
        struct marker *marker = &ending->markers[index];
        struct fc_append_result result;
        fc_code code;
        if (marker->topic == NULL || marker->offset >= 0) {
            continue;
        }
        code = fc_partition_append_marker(marker->partition, &request, &result, NULL);
        if (code == FC_OK) {
            marker->offset = result.last_offset;
        } else if (code == FC_ERR_NOT_FOUND ||
                   result.error == FC_KAFKA_INVALID_PRODUCER_EPOCH) {
            marker->offset = -1; /* deleted, or fenced by a later transaction's marker */
            fc_log_topic_unref(marker->topic);
            marker->topic = NULL;
        } else {
            all = false;
        }
    }
    return all;
}

static bool is_decided(const struct fc_ending *ending)
{
    return ending->id_text == NULL ||
           fc_txns_is_durable(ending->txns, ending->id, ending->log_offset);
}

static void on_decided(void *ctx)
{
    struct fc_ending *ending = ctx;
    if (!ending->stored) {
        bool stored;
        fc_txns_lock(ending->txns);
        stored = store(ending);
        fc_txns_unlock(ending->txns);
        if (stored) {
            wait_for_sync(ending, on_decided);
        } else {
            try_again(ending);
        }
    } else if (is_decided(ending) && write_markers(ending)) {
        wait_for_sync(ending, on_marked);
    } else {
        try_again(ending);
    }
}

static void find_partition(struct fc_txns *txns, const struct fc_txn_partition *from,
                           struct marker *to, struct fc_ending *ending)
{
    char *name = fc_strndup((const char *)from->topic.data, from->topic.len);
    to->offset = -1;
    if (fc_data_dir_topic(txns->spu->data, name, &to->topic, NULL) != FC_OK) {
        to->topic = NULL; /* deleted: there is nothing to end */
    } else if (fc_log_topic_partition(to->topic, (uint32_t)from->partition, &to->partition,
                                      NULL) != FC_OK) {
        fc_log_topic_unref(to->topic);
        to->topic = NULL;
    }
    ending->has_offsets = ending->has_offsets || strcmp(name, FC_OFFSETS_TOPIC) == 0;
    free(name);
}

void fc_txn_end_begin(struct fc_txns *txns, struct fc_txn *txn,
                      void (*on_done)(void *ctx, bool done), void *ctx)
{
    struct fc_ending *ending = fc_new(struct fc_ending);
    ending->txns = txns;
    ending->id_text = fc_strndup((const char *)txn->id.data, txn->id.len);
    ending->id = fc_slice_of(ending->id_text, txn->id.len);
    ending->producer = fc_txn_marker_producer(txn);
    ending->commit = txn->state == FC_TXN_PREPARE_COMMIT;
    ending->on_done = on_done;
    ending->ctx = ctx;
    ending->markers = fc_new_array(struct marker, (size_t)txn->partitions_count + 1);
    ending->markers_count = txn->partitions_count;
    for (int32_t index = 0; index < txn->partitions_count; index++) {
        find_partition(txns, &txn->partitions[index], &ending->markers[index], ending);
    }
    (void)store(ending); /* tried again once the queue comes to it */
    wait_for_sync(ending, on_decided);
}

void fc_txn_end_stray(struct fc_txns *txns, struct fc_log_topic *topic, uint32_t index,
                      const struct fc_txn_producer *producer)
{
    struct fc_ending *ending = fc_new(struct fc_ending);
    const char *name = fc_log_topic_name(topic);
    ending->txns = txns;
    ending->producer = *producer;
    ending->stored = true;
    ending->at =
        (struct fc_txn_partition){ fc_slice_of(fc_strndup(name, strlen(name)), strlen(name)),
                                   (int32_t)index };
    ending->markers = fc_new_array(struct marker, 1);
    ending->markers_count = 1;
    find_partition(txns, &ending->at, &ending->markers[0], ending);
    fc_txns_lock(txns);
    ending->next_stray = txns->strays;
    txns->strays = ending;
    (void)atomic_fetch_add(&txns->strays_count, 1);
    fc_txns_unlock(txns);
    wait_for_sync(ending, on_decided);
}

bool fc_txn_end_is_stray(const struct fc_txns *txns, int64_t producer_id, struct fc_slice topic,
                         int32_t partition)
{
    for (const struct fc_ending *stray = txns->strays; stray != NULL;
         stray = stray->next_stray) {
        if (stray->producer.id == producer_id && stray->at.partition == partition &&
            fc_slice_equal(stray->at.topic, topic)) {
            return true;
        }
    }
    return false;
}
