/* SPDX-License-Identifier: Apache-2.0 */
/* The coordinator of transactions on a disk that is full, loses syncs, or is read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/log/wire_append.h"
#include "core/spu/coordinator.h"
#include "core/spu/task_queue.h"
#include "core/spu/txns_state.h"
#include "tests/support/fs_lossy.h"
#include "tests/support/wire_batch.h"

enum { TIMEOUT_MS = 60000, FRESH = 7, PARTITIONS = 4 };

static const struct fc_txn_producer NOBODY = { -1, -1 };
static const struct fc_txn_producer FIRST = { FRESH, 0 };

/* As much of an SPU as transactions need: no network. */
struct world {
    struct fc_fs *fs;
    struct fc_spu spu;
};

static struct fc_slice id(void)
{
    return fc_slice_text("tx");
}

static void sync_all(void *ctx)
{
    struct world *world = ctx;
    fc_code synced = fc_data_dir_flush(world->spu.data, NULL);
    (void)synced; /* shows in the durable offsets */
}

static void start(struct world *world)
{
    struct fc_data_dir_config config = { .dir = "/d", .fs = world->fs };
    struct fc_spu *spu = &world->spu;
    memset(spu, 0, sizeof(*spu));
    fc_spu_config_init(&spu->config);
    spu->config.net.clock = fc_clock_system();
    assert_int_equal(fc_data_dir_open(&config, &spu->data, NULL), FC_OK);
    assert_int_equal(fc_task_queue_new(sync_all, world, &spu->acks, NULL), FC_OK);
    assert_int_equal(fc_coordinator_new(spu, &spu->coordinator, NULL), FC_OK);
    assert_int_equal(fc_txns_new(spu, &spu->txns, NULL), FC_OK);
    assert_int_equal(fc_txns_recover(spu->txns, NULL), FC_OK);
}

static void stop(struct world *world)
{
    struct fc_spu *spu = &world->spu;
    fc_txns_stop(spu->txns);
    fc_task_queue_free(spu->acks);
    fc_coordinator_free(spu->coordinator);
    fc_txns_free(spu->txns);
    fc_data_dir_close(spu->data);
}

/* As kill -9 and another start. */
static void start_again(struct world *world)
{
    fs_lossy_crash(world->fs);
    stop(world);
    start(world);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
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

static int tear_down(void **state)
{
    struct world *world = *state;
    stop(world);
    fs_lossy_free(world->fs);
    free(world);
    return 0;
}

static fc_kafka_error init(struct world *world, const struct fc_txn_producer *asked,
                           struct fc_txns_inited *out_inited)
{
    struct fc_txns_init ask = { id(), *asked, TIMEOUT_MS, FRESH };
    fc_txn_step step;
    return fc_txns_init(world->spu.txns, &ask, out_inited, &step);
}

static void begin(struct world *world)
{
    struct fc_txns_inited inited;
    assert_int_equal(init(world, &NOBODY, &inited), FC_KAFKA_NONE);
    assert_int_equal(inited.producer.id, FRESH);
    assert_int_equal(inited.producer.epoch, 0);
}

static fc_kafka_error add(struct world *world, int32_t partition)
{
    return fc_txns_add(world->spu.txns, id(), &FIRST, fc_slice_text("t"), partition);
}

static fc_kafka_error verify(struct world *world, int32_t partition)
{
    return fc_txns_verify(world->spu.txns, id(), &FIRST, fc_slice_text("t"), partition);
}

static void a_partition_that_could_not_be_stored_is_not_part_of_the_transaction(void **state)
{
    struct world *world = *state;
    begin(world);
    assert_int_equal(add(world, 0), FC_KAFKA_NONE);
    fs_lossy_set_capacity(world->fs, 0);
    assert_int_equal(add(world, 1), FC_KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(add(world, 1), FC_KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(verify(world, 1), FC_KAFKA_INVALID_TXN_STATE);
    assert_int_equal(verify(world, 0), FC_KAFKA_NONE);
    fs_lossy_set_capacity(world->fs, UINT64_MAX);
    assert_int_equal(add(world, 1), FC_KAFKA_NONE);
    start_again(world);
    assert_int_equal(verify(world, 0), FC_KAFKA_NONE);
    assert_int_equal(verify(world, 1), FC_KAFKA_NONE);
}

/* Of all records of transactions. */
static uint64_t journal_bytes(struct world *world)
{
    struct fc_log_topic *topic = NULL;
    uint64_t bytes = 0;
    assert_int_equal(fc_data_dir_topic(world->spu.data, FC_TRANSACTIONS_TOPIC, &topic, NULL),
                     FC_OK);
    for (uint32_t index = 0; index < fc_log_topic_partitions(topic); index++) {
        struct fc_partition *partition = NULL;
        assert_int_equal(fc_log_topic_partition(topic, index, &partition, NULL), FC_OK);
        bytes += fc_partition_bytes(partition);
    }
    fc_log_topic_unref(topic);
    return bytes;
}

enum { MANY = 1000 };

static fc_kafka_error add_many(struct world *world)
{
    struct fc_txn_partition partitions[MANY];
    for (int32_t index = 0; index < MANY; index++) {
        partitions[index] = (struct fc_txn_partition){ fc_slice_text("t"), index };
    }
    return fc_txns_add_all(world->spu.txns, id(), &FIRST, partitions, MANY);
}

static void partitions_that_are_added_together_are_stored_together(void **state)
{
    struct world *world = *state;
    uint64_t before;
    begin(world);
    assert_int_equal(add(world, 0), FC_KAFKA_NONE);
    fs_lossy_set_capacity(world->fs, 0);
    assert_int_equal(add_many(world), FC_KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(verify(world, 0), FC_KAFKA_NONE);
    assert_int_equal(verify(world, 1), FC_KAFKA_INVALID_TXN_STATE);
    fs_lossy_set_capacity(world->fs, UINT64_MAX);
    before = journal_bytes(world);
    assert_int_equal(add_many(world), FC_KAFKA_NONE);
    assert_true(journal_bytes(world) - before < MANY * 20); /* once, some bytes for each */
    before = journal_bytes(world);
    assert_int_equal(add_many(world), FC_KAFKA_NONE);
    assert_int_equal(journal_bytes(world), before); /* they are there */
    start_again(world);
    assert_int_equal(verify(world, MANY - 1), FC_KAFKA_NONE);
}

static void an_epoch_that_could_not_be_stored_is_not_given_out(void **state)
{
    struct world *world = *state;
    struct fc_txns_inited inited;
    begin(world);
    fs_lossy_set_capacity(world->fs, 0);
    assert_int_equal(init(world, &FIRST, &inited), FC_KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(init(world, &FIRST, &inited), FC_KAFKA_COORDINATOR_NOT_AVAILABLE);
    fs_lossy_set_capacity(world->fs, UINT64_MAX);
    assert_int_equal(init(world, &FIRST, &inited), FC_KAFKA_NONE);
    assert_int_equal(inited.producer.epoch, 1);
    start_again(world);
    assert_int_equal(add(world, 0), FC_KAFKA_PRODUCER_FENCED);
}

static void an_id_whose_first_epoch_could_not_be_stored_is_unknown(void **state)
{
    struct world *world = *state;
    struct fc_txns_inited inited;
    fs_lossy_set_capacity(world->fs, 0);
    assert_int_equal(init(world, &NOBODY, &inited), FC_KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_null(fc_txns_find(world->spu.txns, id()));
    fs_lossy_set_capacity(world->fs, UINT64_MAX);
    begin(world);
}

/* The end that is under way has taken its steps. */
struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int ended; /* 0: not yet; 1: it was carried out; -1: it was given up */
};

static void on_ended(void *ctx, bool done)
{
    struct waiter *waiter = ctx;
    (void)pthread_mutex_lock(&waiter->lock);
    waiter->ended = done ? 1 : -1;
    (void)pthread_cond_signal(&waiter->changed);
    (void)pthread_mutex_unlock(&waiter->lock);
}

static void on_turn(void *ctx)
{
    on_ended(ctx, true);
}

static void wait_until_ended(struct waiter *waiter)
{
    (void)pthread_mutex_lock(&waiter->lock);
    while (waiter->ended == 0) {
        (void)pthread_cond_wait(&waiter->changed, &waiter->lock);
    }
    (void)pthread_mutex_unlock(&waiter->lock);
}

/* EndTxn of a client that knows that epochs grow. */
static fc_kafka_error end(struct world *world, const struct fc_txn_producer *producer,
                          bool commit, struct waiter *waiter)
{
    struct fc_txns *txns = world->spu.txns;
    struct fc_txn *txn;
    fc_txn_step step;
    fc_kafka_error error;
    fc_txns_lock(txns);
    txn = fc_txns_find(txns, id());
    error = fc_txn_end(txn, producer, commit, true, FRESH + 1, 0, &step);
    if (step == FC_TXN_STEP_END) {
        fc_txns_carry_out(txns, txn, on_ended, waiter);
    }
    fc_txns_unlock(txns);
    return error;
}

static void an_end_that_is_asked_for_again_after_a_restart_is_answered_alike(void **state)
{
    struct world *world = *state;
    struct waiter waiter = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };
    begin(world);
    assert_int_equal(add(world, 0), FC_KAFKA_NONE);
    assert_int_equal(end(world, &FIRST, true, &waiter), FC_KAFKA_NONE);
    wait_until_ended(&waiter);
    start_again(world);
    assert_int_equal(end(world, &FIRST, true, NULL), FC_KAFKA_NONE);
    assert_int_equal(end(world, &FIRST, false, NULL), FC_KAFKA_INVALID_TXN_STATE);
}

/* The producer has the last epoch that can be fenced. */
static void use_up_epochs(struct world *world)
{
    struct fc_txn *txn;
    fc_txns_lock(world->spu.txns);
    txn = fc_txns_find(world->spu.txns, id());
    txn->epoch = FC_TXN_EPOCH_MAX;
    fc_txns_unlock(world->spu.txns);
}

static void so_is_the_last_end_of_a_producer_id(void **state)
{
    struct world *world = *state;
    struct waiter waiter = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };
    struct fc_txn_producer last = { FRESH, FC_TXN_EPOCH_MAX };
    begin(world);
    use_up_epochs(world);
    assert_int_equal(fc_txns_add(world->spu.txns, id(), &last, fc_slice_text("t"), 0),
                     FC_KAFKA_NONE);
    assert_int_equal(end(world, &last, true, &waiter), FC_KAFKA_NONE);
    wait_until_ended(&waiter);
    start_again(world);
    assert_int_equal(end(world, &last, true, NULL), FC_KAFKA_NONE);
    assert_int_equal(end(world, &FIRST, true, NULL), FC_KAFKA_INVALID_PRODUCER_ID_MAPPING);
}

/* Of an end that only fenced somebody nobody may be told. */
static void an_end_that_fenced_is_not_repeated_after_a_restart(void **state)
{
    struct world *world = *state;
    struct fc_txns_inited inited;
    begin(world);
    assert_int_equal(add(world, 0), FC_KAFKA_NONE);
    assert_int_equal(init(world, &NOBODY, &inited), FC_KAFKA_CONCURRENT_TRANSACTIONS);
    start_again(world);
    assert_int_equal(end(world, &FIRST, false, NULL), FC_KAFKA_PRODUCER_FENCED);
}

/* All that was handed to the thread that syncs has had its turn. */
static void take_a_turn(struct world *world)
{
    struct waiter waiter = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };
    struct fc_task task = { .on_run = on_turn, .ctx = &waiter };
    fc_task_queue_add(world->spu.acks, &task);
    wait_until_ended(&waiter);
}

static int64_t end_of(struct world *world, uint32_t index)
{
    struct fc_partition_offsets offsets;
    struct fc_partition *partition = NULL;
    struct fc_log_topic *topic = NULL;
    assert_int_equal(fc_data_dir_topic(world->spu.data, "t", &topic, NULL), FC_OK);
    assert_int_equal(fc_log_topic_partition(topic, index, &partition, NULL), FC_OK);
    assert_int_equal(fc_partition_offsets(partition, &offsets, NULL), FC_OK);
    fc_log_topic_unref(topic);
    return offsets.end;
}

static void no_marker_is_written_before_the_decision_is_durable(void **state)
{
    struct world *world = *state;
    struct waiter waiter = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };
    begin(world);
    assert_int_equal(add(world, 0), FC_KAFKA_NONE);
    fs_lossy_fail_sync(world->fs, 1);
    assert_int_equal(end(world, &FIRST, true, &waiter), FC_KAFKA_NONE);
    take_a_turn(world);
    take_a_turn(world);
    assert_int_equal(end_of(world, 0), 0);
    start_again(world);
    assert_int_equal(waiter.ended, -1);
    take_a_turn(world);
    take_a_turn(world);
    assert_int_equal(end_of(world, 0), 1); /* and then it is carried out */
}

static void an_epoch_is_given_out_once_it_is_durable(void **state)
{
    struct world *world = *state;
    struct fc_txns_inited inited;
    begin(world);
    sync_all(world);
    fs_lossy_fail_sync(world->fs, 1);
    for (int turn = 0; turn < 2; turn++) { /* the second time it has the epoch already */
        assert_int_equal(init(world, &FIRST, &inited), FC_KAFKA_NONE);
        assert_int_equal(inited.producer.epoch, 1);
        sync_all(world);
        assert_false(fc_txns_is_durable(world->spu.txns, id(), inited.log_offset));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(partitions_that_are_added_together_are_stored_together,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_partition_that_could_not_be_stored_is_not_part_of_the_transaction, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(an_epoch_that_could_not_be_stored_is_not_given_out,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_id_whose_first_epoch_could_not_be_stored_is_unknown,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            an_end_that_is_asked_for_again_after_a_restart_is_answered_alike, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(so_is_the_last_end_of_a_producer_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_end_that_fenced_is_not_repeated_after_a_restart,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_marker_is_written_before_the_decision_is_durable,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_epoch_is_given_out_once_it_is_durable, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
