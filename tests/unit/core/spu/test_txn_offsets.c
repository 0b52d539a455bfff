/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets that groups have pending in transactions, and the markers that end them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/log/wire_append.h"
#include "core/spu/coordinator.h"
#include "tests/support/txn_world.h"

/* In two partitions of __consumer_offsets; LATE's is read first. */
#define EARLY "g"
#define LATE "h"

static int32_t partition_of(struct txn_world *world, const char *group)
{
    return fc_coordinator_partition_of(world->spu.coordinator, fc_slice_text(group));
}

/* TxnOffsetCommit: 7 for t/0. */
static void commit(struct txn_world *world, const char *name,
                   const struct fc_txn_producer *producer)
{
    struct fc_coordinator *coordinator = world->spu.coordinator;
    struct fc_commit what = { fc_slice_text("t"), 0, { 7, -1, fc_slice_text(""), 0, 0 } };
    struct fc_coordinated *group;
    assert_int_equal(fc_coordinator_make_ready(coordinator, NULL), FC_OK);
    assert_int_equal(fc_txns_add(world->spu.txns, txn_world_id(), producer,
                                 fc_slice_text(FC_OFFSETS_TOPIC), partition_of(world, name)),
                     FC_KAFKA_NONE);
    fc_coordinator_lock(coordinator);
    group = fc_coordinator_ensure(coordinator, fc_slice_text(name));
    assert_int_equal(fc_coordinator_commit(coordinator, group, &what, 1, producer->id,
                                           producer->epoch, NULL),
                     FC_OK);
    fc_coordinator_unlock(coordinator);
}

static bool is_pending(struct txn_world *world, const char *name)
{
    struct fc_coordinator *coordinator = world->spu.coordinator;
    struct fc_coordinated *group;
    bool pending;
    fc_coordinator_lock(coordinator);
    group = fc_coordinator_find(coordinator, fc_slice_text(name));
    /* A group that has nothing is none after a start. */
    pending =
        group != NULL && fc_group_offsets_is_pending(&group->offsets, fc_slice_text("t"), 0);
    fc_coordinator_unlock(coordinator);
    return pending;
}

static void the_marker_of_another_partition_ends_nothing_at_a_start(void **state)
{
    struct txn_world *world = *state;
    struct txn_waiter waiter = TXN_WAITER;
    struct fc_txn_producer next = { TXN_WORLD_ID, 1 };
    txn_world_begin(world);
    commit(world, EARLY, &TXN_WORLD_FIRST);
    assert_true(partition_of(world, LATE) < partition_of(world, EARLY));
    assert_int_equal(txn_world_end(world, &TXN_WORLD_FIRST, true, &waiter), FC_KAFKA_NONE);
    txn_waiter_wait(&waiter);
    commit(world, LATE, &next);
    txn_world_restart(world);
    assert_false(is_pending(world, EARLY));
    assert_true(is_pending(world, LATE));
}

static void an_administrators_marker_ends_what_is_pending_in_its_partition(void **state)
{
    struct txn_world *world = *state;
    struct fc_marker_request abort = { TXN_WORLD_ID, 0, 0, false, false };
    struct fc_append_result result;
    txn_world_begin(world);
    commit(world, EARLY, &TXN_WORLD_FIRST);
    commit(world, LATE, &TXN_WORLD_FIRST);
    assert_int_equal(fc_coordinator_append_marker(world->spu.coordinator,
                                                  partition_of(world, EARLY), &abort, &result,
                                                  NULL),
                     FC_OK);
    assert_false(is_pending(world, EARLY));
    assert_true(is_pending(world, LATE));
    txn_world_restart(world);
    assert_false(is_pending(world, EARLY));
    assert_true(is_pending(world, LATE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_marker_of_another_partition_ends_nothing_at_a_start,
                                        txn_world_set_up, txn_world_tear_down),
        cmocka_unit_test_setup_teardown(
            an_administrators_marker_ends_what_is_pending_in_its_partition, txn_world_set_up,
            txn_world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
