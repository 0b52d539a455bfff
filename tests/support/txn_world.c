/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/txn_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/spu/coordinator.h"
#include "core/spu/task_queue.h"

enum { PARTITIONS = 4 };

struct fc_slice txn_world_id(void)
{
    return fc_slice_text("tx");
}

void txn_world_sync(void *ctx)
{
    struct txn_world *world = ctx;
    fc_code synced = fc_data_dir_flush(world->spu.data, NULL);
    (void)synced; /* shows in the durable offsets */
}

static void start(struct txn_world *world)
{
    struct fc_data_dir_config config = { .dir = "/d", .fs = world->fs };
    struct fc_spu *spu = &world->spu;
    memset(spu, 0, sizeof(*spu));
    fc_spu_config_init(&spu->config);
    spu->config.net.clock = fc_clock_system();
    assert_int_equal(fc_data_dir_open(&config, &spu->data, NULL), FC_OK);
    assert_int_equal(fc_task_queue_new(txn_world_sync, world, &spu->acks, NULL), FC_OK);
    assert_int_equal(fc_coordinator_new(spu, &spu->coordinator, NULL), FC_OK);
    assert_int_equal(fc_txns_new(spu, &spu->txns, NULL), FC_OK);
    assert_int_equal(fc_txns_recover(spu->txns, NULL), FC_OK);
}

static void stop(struct txn_world *world)
{
    struct fc_spu *spu = &world->spu;
    fc_txns_stop(spu->txns);
    fc_task_queue_free(spu->acks);
    fc_coordinator_free(spu->coordinator);
    fc_txns_free(spu->txns);
    fc_data_dir_close(spu->data);
}

void txn_world_restart(struct txn_world *world)
{
    fs_lossy_crash(world->fs);
    stop(world);
    start(world);
}

int txn_world_set_up(void **state)
{
    struct txn_world *world = calloc(1, sizeof(*world));
    struct fc_log_topic *topic = NULL;
    world->fs = fs_lossy_new(5, 512);
    start(world);
    assert_int_equal(fc_data_dir_create(world->spu.data, "t", PARTITIONS, NULL, &topic, NULL),
                     FC_OK);
    fc_log_topic_unref(topic);
    assert_int_equal(fc_txns_make_ready(world->spu.txns, NULL), FC_OK);
    *state = world;
    return 0;
}

int txn_world_tear_down(void **state)
{
    struct txn_world *world = *state;
    stop(world);
    fs_lossy_free(world->fs);
    free(world);
    return 0;
}

fc_kafka_error txn_world_init(struct txn_world *world, const struct fc_txn_producer *asked,
                              struct fc_txns_inited *out_inited)
{
    struct fc_txns_init ask = { txn_world_id(), *asked, TXN_WORLD_TIMEOUT_MS, TXN_WORLD_ID };
    fc_txn_step step;
    return fc_txns_init(world->spu.txns, &ask, out_inited, &step);
}

void txn_world_begin(struct txn_world *world)
{
    struct fc_txns_inited inited;
    assert_int_equal(txn_world_init(world, &TXN_WORLD_NOBODY, &inited), FC_KAFKA_NONE);
    assert_int_equal(inited.producer.id, TXN_WORLD_ID);
    assert_int_equal(inited.producer.epoch, 0);
}

fc_kafka_error txn_world_add(struct txn_world *world, int32_t partition)
{
    return fc_txns_add(world->spu.txns, txn_world_id(), &TXN_WORLD_FIRST, fc_slice_text("t"),
                       partition);
}

fc_kafka_error txn_world_verify(struct txn_world *world, int32_t partition)
{
    return fc_txns_verify(world->spu.txns, txn_world_id(), &TXN_WORLD_FIRST, fc_slice_text("t"),
                          partition);
}

static void on_ended(void *ctx, bool done)
{
    struct txn_waiter *waiter = ctx;
    (void)pthread_mutex_lock(&waiter->lock);
    waiter->ended = done ? 1 : -1;
    (void)pthread_cond_signal(&waiter->changed);
    (void)pthread_mutex_unlock(&waiter->lock);
}

static void on_turn(void *ctx)
{
    on_ended(ctx, true);
}

void txn_waiter_wait(struct txn_waiter *waiter)
{
    (void)pthread_mutex_lock(&waiter->lock);
    while (waiter->ended == 0) {
        (void)pthread_cond_wait(&waiter->changed, &waiter->lock);
    }
    (void)pthread_mutex_unlock(&waiter->lock);
}

fc_kafka_error txn_world_end(struct txn_world *world, const struct fc_txn_producer *producer,
                             bool commit, struct txn_waiter *waiter)
{
    struct fc_txns *txns = world->spu.txns;
    struct fc_txn *txn;
    fc_txn_step step;
    fc_kafka_error error;
    fc_txns_lock(txns);
    txn = fc_txns_find(txns, txn_world_id());
    error = fc_txn_end(txn, producer, commit, true, TXN_WORLD_ID + 1, 0, &step);
    if (step == FC_TXN_STEP_END) {
        fc_txns_carry_out(txns, txn, on_ended, waiter);
    }
    fc_txns_unlock(txns);
    return error;
}

void txn_world_turn(struct txn_world *world)
{
    struct txn_waiter waiter = TXN_WAITER;
    struct fc_task task = { .on_run = on_turn, .ctx = &waiter };
    fc_task_queue_add(world->spu.acks, &task);
    txn_waiter_wait(&waiter);
}
