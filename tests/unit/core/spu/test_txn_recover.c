/* SPDX-License-Identifier: Apache-2.0 */
/* Ending what is open in a partition: after an administrator, at a start, on a full disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/log/wire_append.h"
#include "tests/support/txn_world.h"
#include "tests/support/wire_batch.h"

static void open_t(struct txn_world *world, struct fc_log_topic **out_topic,
                   struct fc_partition **out_partition)
{
    assert_int_equal(fc_data_dir_topic(world->spu.data, "t", out_topic, NULL), FC_OK);
    assert_int_equal(fc_log_topic_partition(*out_topic, 0, out_partition, NULL), FC_OK);
}

/* A batch in t/0 of the first producer's transaction, durable. */
static void produce(struct txn_world *world, int32_t sequence)
{
    struct wire_batch batch = { .count = 1,
                                .transactional = true,
                                .timestamp_ms = fc_clock_wall_ms(fc_clock_system()),
                                .producer_id = TXN_WORLD_FIRST.id,
                                .producer_epoch = TXN_WORLD_FIRST.epoch,
                                .base_sequence = sequence };
    struct fc_log_topic_config config;
    struct fc_append_rules rules;
    struct fc_append_result result;
    struct fc_partition *partition = NULL;
    struct fc_log_topic *topic = NULL;
    struct fc_buf bytes;
    open_t(world, &topic, &partition);
    fc_log_topic_config(topic, &config);
    fc_append_rules_of(&config, &rules);
    rules.guard = FC_GUARD_VERIFIED;
    wire_batch_make(&batch, &bytes);
    assert_int_equal(
        fc_partition_append_wire(partition, bytes.data, bytes.len, &rules, &result, NULL),
        FC_OK);
    assert_int_equal(fc_partition_sync(partition, NULL), FC_OK);
    fc_buf_release(&bytes);
    fc_log_topic_unref(topic);
}

/* What those who read committed records only do not see of t/0. */
static int64_t unstable(struct txn_world *world)
{
    struct fc_partition_offsets offsets;
    struct fc_partition *partition = NULL;
    struct fc_log_topic *topic = NULL;
    open_t(world, &topic, &partition);
    assert_int_equal(fc_partition_offsets(partition, &offsets, NULL), FC_OK);
    fc_log_topic_unref(topic);
    return offsets.end - offsets.stable;
}

/* WriteTxnMarkers: an abort under a coordinator epoch of his own. */
static void administrator_aborts(struct txn_world *world)
{
    struct fc_marker_request marker = { TXN_WORLD_FIRST.id, TXN_WORLD_FIRST.epoch, 5, false,
                                        false };
    struct fc_append_result result;
    struct fc_partition *partition = NULL;
    struct fc_log_topic *topic = NULL;
    open_t(world, &topic, &partition);
    assert_int_equal(fc_partition_append_marker(partition, &marker, &result, NULL), FC_OK);
    fc_log_topic_unref(topic);
}

static void an_administrators_marker_does_not_keep_ours_away(void **state)
{
    struct txn_world *world = *state;
    struct txn_waiter waiter = TXN_WAITER;
    txn_world_begin(world);
    produce(world, 0);
    administrator_aborts(world);
    assert_int_equal(txn_world_add(world, 0), FC_KAFKA_NONE);
    produce(world, 1);
    assert_int_equal(txn_world_end(world, &TXN_WORLD_FIRST, true, &waiter), FC_KAFKA_NONE);
    txn_waiter_wait(&waiter);
    assert_int_equal(unstable(world), 0);
}

static void nor_does_it_when_what_nobody_knows_of_is_aborted(void **state)
{
    struct txn_world *world = *state;
    txn_world_begin(world);
    produce(world, 0);
    administrator_aborts(world);
    produce(world, 1);
    txn_world_restart(world);
    txn_world_turn(world);
    assert_int_equal(unstable(world), 0);
}

static void what_cannot_be_aborted_at_the_start_is_aborted_once_there_is_room(void **state)
{
    struct txn_world *world = *state;
    txn_world_begin(world);
    produce(world, 0);
    fs_lossy_set_capacity(world->fs, 0);
    txn_world_restart(world);
    assert_int_equal(unstable(world), 1);
    assert_false(fc_txns_may_go_on(world->spu.txns, &TXN_WORLD_FIRST, fc_slice_text("t"), 0));
    assert_true(fc_txns_may_go_on(world->spu.txns, &TXN_WORLD_FIRST, fc_slice_text("t"), 1));
    assert_int_equal(txn_world_add(world, 0), FC_KAFKA_CONCURRENT_TRANSACTIONS);
    fs_lossy_set_capacity(world->fs, UINT64_MAX);
    for (int turn = 0; turn < 4; turn++) { /* tried; written; durable; done */
        txn_world_turn(world);
    }
    assert_int_equal(unstable(world), 0);
    assert_true(fc_txns_may_go_on(world->spu.txns, &TXN_WORLD_FIRST, fc_slice_text("t"), 0));
    assert_int_equal(txn_world_add(world, 0), FC_KAFKA_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_administrators_marker_does_not_keep_ours_away,
                                        txn_world_set_up, txn_world_tear_down),
        cmocka_unit_test_setup_teardown(nor_does_it_when_what_nobody_knows_of_is_aborted,
                                        txn_world_set_up, txn_world_tear_down),
        cmocka_unit_test_setup_teardown(
            what_cannot_be_aborted_at_the_start_is_aborted_once_there_is_room, txn_world_set_up,
            txn_world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
