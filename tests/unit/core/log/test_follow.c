/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a partition that another process writes: how far, and from when on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/log/log_reader.h"
#include "tests/support/fs_lossy.h"
#include "tests/support/numbered_log.h"

/* A writer, and beside it one that reads its files. */
struct world {
    struct numbered_log log;
    struct fc_log_env env;
    struct fc_partition *beside;
    struct fc_log_reader *reader;
};

static void set_up(struct world *world, bool flush_os)
{
    memset(world, 0, sizeof(*world));
    numbered_log_init(&world->log);
    world->log.config.flush_os = flush_os;
    world->log.config.segment_bytes = 4096; /* some twenty records */
    numbered_log_open(&world->log);
    numbered_log_append(&world->log, 10, 1);
    assert_int_equal(fc_partition_sync(world->log.partition, &world->log.err), FC_OK);
    numbered_log_append(&world->log, 5, 1);
}

static void follow_from(struct world *world, int64_t offset, bool whole)
{
    world->env.fs = world->log.fs;
    world->env.clock = &world->log.clock.base;
    world->env.read_only = true;
    world->env.read_whole = whole;
    assert_int_equal(fc_partition_open(&world->env, "/p", &world->log.config, &world->beside,
                                       &world->log.err),
                     FC_OK);
    assert_int_equal(fc_log_reader_open(world->beside, offset, &world->reader, &world->log.err),
                     FC_OK);
}

/* Reads until nothing more comes at once; where that is. */
static int64_t read_on(struct world *world)
{
    uint32_t count = 1;
    while (count > 0) {
        const struct fc_record *records = NULL;
        int64_t before = fc_log_reader_offset(world->reader);
        assert_int_equal(
            fc_log_reader_next(world->reader, 0, &records, &count, &world->log.err), FC_OK);
        for (uint32_t index = 0; index < count; index++) {
            assert_int_equal(records[index].offset, before + index);
        }
        assert_int_equal(fc_log_reader_offset(world->reader), before + count);
    }
    return fc_log_reader_offset(world->reader);
}

static struct fc_partition_offsets offsets_beside(struct world *world)
{
    struct fc_partition_offsets offsets = { 0 };
    assert_int_equal(fc_partition_offsets(world->beside, &offsets, &world->log.err), FC_OK);
    return offsets;
}

static void leave(struct world *world)
{
    fc_log_reader_close(world->reader);
    fc_partition_close(world->beside);
    world->reader = NULL;
    world->beside = NULL;
}

static void tear_down(struct world *world)
{
    leave(world);
    numbered_log_release(&world->log);
}

static void what_no_sync_covers_is_not_given_out(void **state)
{
    (void)state;
    for (int flush_os = 0; flush_os < 2; flush_os++) {
        struct world world;
        set_up(&world, flush_os);
        follow_from(&world, 0, false);
        assert_int_equal(read_on(&world), 10);
        assert_int_equal(offsets_beside(&world).durable, 10);
        assert_int_equal(offsets_beside(&world).end, 15);
        assert_int_equal(read_on(&world), 10);
        tear_down(&world);
    }
}

static void a_power_loss_takes_back_nothing_that_was_given_out(void **state)
{
    (void)state;
    for (int flush_os = 0; flush_os < 2; flush_os++) {
        struct world world;
        int64_t given;
        set_up(&world, flush_os);
        follow_from(&world, 0, false);
        given = read_on(&world);
        leave(&world);
        numbered_log_power_cut(&world.log);
        numbered_log_open(&world.log);
        assert_true(numbered_log_offsets(&world.log).end >= given);
        tear_down(&world);
    }
}

static void a_sync_is_seen_at_the_next_look(void **state)
{
    struct world world;
    (void)state;
    set_up(&world, false);
    follow_from(&world, 0, false);
    assert_int_equal(read_on(&world), 10);
    for (int64_t end = 15; end < 200; end += 5) { /* also over the ends of segments */
        assert_int_equal(fc_partition_sync(world.log.partition, &world.log.err), FC_OK);
        assert_int_equal(read_on(&world), end);
        numbered_log_append(&world.log, 5, 1);
        assert_int_equal(read_on(&world), end);
    }
    tear_down(&world);
}

static void a_reader_waits_for_a_sync_until_its_time_is_up(void **state)
{
    enum { WAIT_MS = 30, LONG_MS = 20000 };
    struct world world;
    const struct fc_clock *clock = fc_clock_system();
    const struct fc_record *records = NULL;
    uint32_t count = 1;
    int64_t begin;
    uint64_t reads;
    (void)state;
    set_up(&world, false);
    follow_from(&world, 10, false);
    begin = fc_clock_steady_ms(clock);
    reads = fs_lossy_reads(world.log.fs);
    assert_int_equal(
        fc_log_reader_next(world.reader, WAIT_MS, &records, &count, &world.log.err), FC_OK);
    assert_int_equal(count, 0);
    assert_in_range(fc_clock_steady_ms(clock) - begin, WAIT_MS - 1, LONG_MS);
    assert_in_range(fs_lossy_reads(world.log.fs) - reads, 1, 500); /* it does rest between */
    tear_down(&world);
}

/* The checkpoint on disk can be older than the position of a reader that saw a newer one. */
static void a_reader_may_begin_above_what_is_durable(void **state)
{
    struct world world;
    (void)state;
    set_up(&world, false);
    follow_from(&world, 12, false);
    assert_int_equal(read_on(&world), 12);
    assert_int_equal(fc_partition_sync(world.log.partition, &world.log.err), FC_OK);
    assert_int_equal(read_on(&world), 15);
    tear_down(&world);
}

static void what_a_killed_writer_left_is_read_whole_by_who_asks_for_it(void **state)
{
    struct world world;
    (void)state;
    set_up(&world, false);
    numbered_log_crash(&world.log);
    follow_from(&world, 0, true);
    assert_int_equal(read_on(&world), 15);
    leave(&world);
    follow_from(&world, 0, false);
    assert_int_equal(read_on(&world), 10);
    numbered_log_open(&world.log); /* which makes durable what there is */
    assert_int_equal(read_on(&world), 15);
    tear_down(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_sync_covers_is_not_given_out),
        cmocka_unit_test(a_power_loss_takes_back_nothing_that_was_given_out),
        cmocka_unit_test(a_sync_is_seen_at_the_next_look),
        cmocka_unit_test(a_reader_waits_for_a_sync_until_its_time_is_up),
        cmocka_unit_test(a_reader_may_begin_above_what_is_durable),
        cmocka_unit_test(what_a_killed_writer_left_is_read_whole_by_who_asks_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
