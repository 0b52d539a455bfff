/* SPDX-License-Identifier: Apache-2.0 */
/* The coordinator of transactions on a disk that is full, loses syncs, or is read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/log/partition.h"
#include "tests/support/txn_world.h"

static void a_partition_that_could_not_be_stored_is_not_part_of_the_transaction(void **state)
{
    struct txn_world *world = *state;
    txn_world_begin(world);
    assert_int_equal(txn_world_add(world, 0), FC_KAFKA_NONE);
    fs_lossy_set_capacity(world->fs, 0);
    assert_int_equal(txn_world_add(world, 1), FC_KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(txn_world_add(world, 1), FC_KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(txn_world_verify(world, 1), FC_KAFKA_INVALID_TXN_STATE);
    assert_int_equal(txn_world_verify(world, 0), FC_KAFKA_NONE);
    fs_lossy_set_capacity(world->fs, UINT64_MAX);
    assert_int_equal(txn_world_add(world, 1), FC_KAFKA_NONE);
    txn_world_restart(world);
    assert_int_equal(txn_world_verify(world, 0), FC_KAFKA_NONE);
    assert_int_equal(txn_world_verify(world, 1), FC_KAFKA_NONE);
}

/* Of all records of transactions. */
static uint64_t journal_bytes(struct txn_world *world)
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

static fc_kafka_error add_many(struct txn_world *world)
{
    struct fc_txn_partition partitions[MANY];
    for (int32_t index = 0; index < MANY; index++) {
        partitions[index] = (struct fc_txn_partition){ fc_slice_text("t"), index };
    }
    return fc_txns_add_all(world->spu.txns, txn_world_id(), &TXN_WORLD_FIRST, partitions, MANY);
}

static void partitions_that_are_added_together_are_stored_together(void **state)
{
    struct txn_world *world = *state;
    uint64_t before;
    txn_world_begin(world);
    assert_int_equal(txn_world_add(world, 0), FC_KAFKA_NONE);
    fs_lossy_set_capacity(world->fs, 0);
    assert_int_equal(add_many(world), FC_KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(txn_world_verify(world, 0), FC_KAFKA_NONE);
    assert_int_equal(txn_world_verify(world, 1), FC_KAFKA_INVALID_TXN_STATE);
    fs_lossy_set_capacity(world->fs, UINT64_MAX);
    before = journal_bytes(world);
    assert_int_equal(add_many(world), FC_KAFKA_NONE);
    assert_true(journal_bytes(world) - before < MANY * 20); /* once, some bytes for each */
    before = journal_bytes(world);
    assert_int_equal(add_many(world), FC_KAFKA_NONE);
    assert_int_equal(journal_bytes(world), before); /* they are there */
    txn_world_restart(world);
    assert_int_equal(txn_world_verify(world, MANY - 1), FC_KAFKA_NONE);
}

static void an_epoch_that_could_not_be_stored_is_not_given_out(void **state)
{
    struct txn_world *world = *state;
    struct fc_txns_inited inited;
    txn_world_begin(world);
    fs_lossy_set_capacity(world->fs, 0);
    assert_int_equal(txn_world_init(world, &TXN_WORLD_FIRST, &inited),
                     FC_KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(txn_world_init(world, &TXN_WORLD_FIRST, &inited),
                     FC_KAFKA_COORDINATOR_NOT_AVAILABLE);
    fs_lossy_set_capacity(world->fs, UINT64_MAX);
    assert_int_equal(txn_world_init(world, &TXN_WORLD_FIRST, &inited), FC_KAFKA_NONE);
    assert_int_equal(inited.producer.epoch, 1);
    txn_world_restart(world);
    assert_int_equal(txn_world_add(world, 0), FC_KAFKA_PRODUCER_FENCED);
}

static void an_id_whose_first_epoch_could_not_be_stored_is_unknown(void **state)
{
    struct txn_world *world = *state;
    struct fc_txns_inited inited;
    fs_lossy_set_capacity(world->fs, 0);
    assert_int_equal(txn_world_init(world, &TXN_WORLD_NOBODY, &inited),
                     FC_KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_null(fc_txns_find(world->spu.txns, txn_world_id()));
    fs_lossy_set_capacity(world->fs, UINT64_MAX);
    txn_world_begin(world);
}

static void an_end_that_is_asked_for_again_after_a_restart_is_answered_alike(void **state)
{
    struct txn_world *world = *state;
    struct txn_waiter waiter = TXN_WAITER;
    txn_world_begin(world);
    assert_int_equal(txn_world_add(world, 0), FC_KAFKA_NONE);
    assert_int_equal(txn_world_end(world, &TXN_WORLD_FIRST, true, &waiter), FC_KAFKA_NONE);
    txn_waiter_wait(&waiter);
    txn_world_restart(world);
    assert_int_equal(txn_world_end(world, &TXN_WORLD_FIRST, true, NULL), FC_KAFKA_NONE);
    assert_int_equal(txn_world_end(world, &TXN_WORLD_FIRST, false, NULL),
                     FC_KAFKA_INVALID_TXN_STATE);
}

/* The producer has the last epoch that can be fenced. */
static void use_up_epochs(struct txn_world *world)
{
    struct fc_txn *txn;
    fc_txns_lock(world->spu.txns);
    txn = fc_txns_find(world->spu.txns, txn_world_id());
    txn->epoch = FC_TXN_EPOCH_MAX;
    fc_txns_unlock(world->spu.txns);
}

static void so_is_the_last_end_of_a_producer_id(void **state)
{
    struct txn_world *world = *state;
    struct txn_waiter waiter = TXN_WAITER;
    struct fc_txn_producer last = { TXN_WORLD_ID, FC_TXN_EPOCH_MAX };
    txn_world_begin(world);
    use_up_epochs(world);
    assert_int_equal(fc_txns_add(world->spu.txns, txn_world_id(), &last, fc_slice_text("t"), 0),
                     FC_KAFKA_NONE);
    assert_int_equal(txn_world_end(world, &last, true, &waiter), FC_KAFKA_NONE);
    txn_waiter_wait(&waiter);
    txn_world_restart(world);
    assert_int_equal(txn_world_end(world, &last, true, NULL), FC_KAFKA_NONE);
    assert_int_equal(txn_world_end(world, &TXN_WORLD_FIRST, true, NULL),
                     FC_KAFKA_INVALID_PRODUCER_ID_MAPPING);
}

/* Of an end that only fenced somebody nobody may be told. */
static void an_end_that_fenced_is_not_repeated_after_a_restart(void **state)
{
    struct txn_world *world = *state;
    struct fc_txns_inited inited;
    txn_world_begin(world);
    assert_int_equal(txn_world_add(world, 0), FC_KAFKA_NONE);
    assert_int_equal(txn_world_init(world, &TXN_WORLD_NOBODY, &inited),
                     FC_KAFKA_CONCURRENT_TRANSACTIONS);
    txn_world_restart(world);
    assert_int_equal(txn_world_end(world, &TXN_WORLD_FIRST, false, NULL),
                     FC_KAFKA_PRODUCER_FENCED);
}

static int64_t end_of(struct txn_world *world, uint32_t index)
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
    struct txn_world *world = *state;
    struct txn_waiter waiter = TXN_WAITER;
    txn_world_begin(world);
    assert_int_equal(txn_world_add(world, 0), FC_KAFKA_NONE);
    fs_lossy_fail_sync(world->fs, 1);
    assert_int_equal(txn_world_end(world, &TXN_WORLD_FIRST, true, &waiter), FC_KAFKA_NONE);
    txn_world_turn(world);
    txn_world_turn(world);
    assert_int_equal(end_of(world, 0), 0);
    txn_world_restart(world);
    assert_int_equal(waiter.ended, -1);
    txn_world_turn(world);
    txn_world_turn(world);
    assert_int_equal(end_of(world, 0), 1); /* and then it is carried out */
}

static void an_epoch_is_given_out_once_it_is_durable(void **state)
{
    struct txn_world *world = *state;
    struct fc_txns_inited inited;
    txn_world_begin(world);
    txn_world_sync(world);
    fs_lossy_fail_sync(world->fs, 1);
    for (int turn = 0; turn < 2; turn++) { /* the second time it has the epoch already */
        assert_int_equal(txn_world_init(world, &TXN_WORLD_FIRST, &inited), FC_KAFKA_NONE);
        assert_int_equal(inited.producer.epoch, 1);
        txn_world_sync(world);
        assert_false(fc_txns_is_durable(world->spu.txns, txn_world_id(), inited.log_offset));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(partitions_that_are_added_together_are_stored_together,
                                        txn_world_set_up, txn_world_tear_down),
        cmocka_unit_test_setup_teardown(
            a_partition_that_could_not_be_stored_is_not_part_of_the_transaction,
            txn_world_set_up, txn_world_tear_down),
        cmocka_unit_test_setup_teardown(an_epoch_that_could_not_be_stored_is_not_given_out,
                                        txn_world_set_up, txn_world_tear_down),
        cmocka_unit_test_setup_teardown(an_id_whose_first_epoch_could_not_be_stored_is_unknown,
                                        txn_world_set_up, txn_world_tear_down),
        cmocka_unit_test_setup_teardown(
            an_end_that_is_asked_for_again_after_a_restart_is_answered_alike, txn_world_set_up,
            txn_world_tear_down),
        cmocka_unit_test_setup_teardown(so_is_the_last_end_of_a_producer_id, txn_world_set_up,
                                        txn_world_tear_down),
        cmocka_unit_test_setup_teardown(an_end_that_fenced_is_not_repeated_after_a_restart,
                                        txn_world_set_up, txn_world_tear_down),
        cmocka_unit_test_setup_teardown(no_marker_is_written_before_the_decision_is_durable,
                                        txn_world_set_up, txn_world_tear_down),
        cmocka_unit_test_setup_teardown(an_epoch_is_given_out_once_it_is_durable,
                                        txn_world_set_up, txn_world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
