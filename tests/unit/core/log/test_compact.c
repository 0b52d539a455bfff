/* SPDX-License-Identifier: Apache-2.0 */
/* When a partition is compacted, and by whom. What it does then: test_compact_history.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/compact.h"
#include "core/log/compact_map.h"
#include "core/log/keeper.h"
#include "core/log/log_reader.h"
#include "core/log/upkeep.h"
#include "tests/support/fs_lossy.h"
#include "tests/support/numbered_log.h"

static const struct fc_compact_job job = { .map_bytes = 0 };

static int set_up(void **state)
{
    struct numbered_log *log = fc_new(struct numbered_log);
    numbered_log_init(log);
    log->config.compact = true;
    log->config.segment_bytes = 5000;
    log->config.segment_ms = -1;
    log->config.cleanable_ratio_min = 0.5;
    log->config.compaction_lag_max_ms = INT64_MAX;
    log->config.delete_retention_ms = 1000;
    *state = log;
    return 0;
}

static int tear_down(void **state)
{
    numbered_log_release(*state);
    free(*state);
    return 0;
}

/* Batches of one record each: the same key, or none. */
static void append(struct numbered_log *log, int count, const char *key)
{
    for (int number = 0; number < count; number++) {
        struct fc_record record = { .timestamp_ms = fc_clock_wall_ms(&log->clock.base) };
        char value[100] = "";
        int64_t base = -1;
        record.key = key == NULL ? fc_slice_null() : fc_slice_text(key);
        record.value = fc_slice_of(value, sizeof(value));
        fc_batch_builder_reset(&log->batch, FC_COMPRESSION_NONE, 1 << 20);
        assert_int_equal(fc_batch_builder_add(&log->batch, &record, &log->err), FC_OK);
        assert_int_equal(fc_batch_builder_seal(&log->batch, &log->err), FC_OK);
        assert_int_equal(fc_partition_append(log->partition, &log->batch, &base, &log->err),
                         FC_OK);
    }
    numbered_log_flush(log);
}

static void it_is_wanted_when_enough_is_dirty(void **state)
{
    struct numbered_log *log = *state;
    numbered_log_open(log);
    append(log, 20, "a");
    assert_false(fc_compact_is_wanted(log->partition)); /* nothing is closed yet */
    append(log, 80, "a");
    assert_true(fc_compact_is_wanted(log->partition));
    fc_compact_run(log->partition, &job);
    assert_false(fc_compact_is_wanted(log->partition)); /* all is clean */
    assert_true(fc_partition_bytes(log->partition) < 10000);
    log->config.compact = false;
    fc_partition_configure(log->partition, &log->config);
    append(log, 200, "a");
    assert_false(fc_compact_is_wanted(log->partition));
    numbered_log_close(log);
}

static void a_little_dirt_waits_unless_it_is_old(void **state)
{
    struct numbered_log *log = *state;
    char key[16];
    numbered_log_open(log);
    for (int number = 0; number < 400; number++) {
        (void)snprintf(key, sizeof(key), "key %d", number);
        append(log, 1, key);
    }
    fc_compact_run(log->partition, &job);
    append(log, 60, "a");
    assert_false(fc_compact_is_wanted(log->partition));
    log->config.compaction_lag_max_ms = 5000;
    fc_partition_configure(log->partition, &log->config);
    assert_false(fc_compact_is_wanted(log->partition));
    log->clock.wall_ns += (int64_t)6000 * 1000000;
    assert_true(fc_compact_is_wanted(log->partition));
    fc_compact_run(log->partition, &job);
    assert_false(fc_compact_is_wanted(log->partition));
    numbered_log_close(log);
}

static void what_is_too_new_is_left_alone(void **state)
{
    struct numbered_log *log = *state;
    uint64_t before;
    log->config.compaction_lag_min_ms = 60000;
    numbered_log_open(log);
    append(log, 100, "a");
    before = fc_partition_bytes(log->partition);
    assert_false(fc_compact_is_wanted(log->partition));
    fc_compact_run(log->partition, &job);
    assert_int_equal(fc_partition_bytes(log->partition), before);
    log->clock.wall_ns += (int64_t)61000 * 1000000;
    assert_true(fc_compact_is_wanted(log->partition));
    fc_compact_run(log->partition, &job);
    assert_true(fc_partition_bytes(log->partition) < before / 2);
    numbered_log_close(log);
}

static void the_active_segment_is_closed_in_time(void **state)
{
    struct numbered_log *log = *state;
    log->config.compaction_lag_max_ms = 5000;
    numbered_log_open(log);
    append(log, 10, "a");
    log->clock.wall_ns += (int64_t)6000 * 1000000;
    fc_upkeep_roll(log->partition);
    fc_upkeep_sync(log->partition, false);
    assert_true(fc_compact_is_wanted(log->partition));
    fc_compact_run(log->partition, &job);
    assert_true(fc_partition_bytes(log->partition) < 400);
    numbered_log_close(log);
}

static void a_full_disk_leaves_it_as_it_is(void **state)
{
    struct numbered_log *log = *state;
    uint64_t before;
    numbered_log_open(log);
    append(log, 100, "a");
    before = fc_partition_bytes(log->partition);
    fs_lossy_set_capacity(log->fs, fs_lossy_used(log->fs));
    fc_compact_run(log->partition, &job);
    assert_non_null(strstr(log->notices, "no room"));
    assert_int_equal(fc_partition_bytes(log->partition), before);
    fs_lossy_set_capacity(log->fs, UINT64_MAX);
    fc_compact_run(log->partition, &job);
    assert_true(fc_partition_bytes(log->partition) < before / 2);
    numbered_log_crash_and_open(log);
    assert_int_equal(numbered_log_offsets(log).end, 100);
    numbered_log_close(log);
}

static void damage_stops_it_and_is_not_copied(void **state)
{
    struct numbered_log *log = *state;
    struct fc_partition_offsets offsets;
    numbered_log_open(log);
    append(log, 100, "a");
    fs_lossy_flip_byte(log->fs, "/p/00000000000000000000.log", 100);
    fc_compact_run(log->partition, &job);
    assert_non_null(strstr(log->notices, "bad checksum at byte 0"));
    assert_int_equal(fc_partition_offsets(log->partition, &offsets, &log->err), FC_ERR_CORRUPT);
    fc_partition_close(log->partition);
    log->partition = NULL;
    fc_group_sync_free(log->env.group);
    log->env.group = NULL;
}

static void a_reader_behind_what_was_deleted_is_told(void **state)
{
    struct numbered_log *log = *state;
    struct fc_log_reader *reader = NULL;
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    int64_t start = 0;
    numbered_log_open(log);
    append(log, 100, "a");
    fc_compact_run(log->partition, &job);
    assert_int_equal(fc_log_reader_open(log->partition, 0, &reader, &log->err), FC_OK);
    assert_int_equal(fc_partition_delete_records(log->partition, 100, &start, &log->err),
                     FC_OK);
    assert_int_equal(fc_log_reader_next(reader, 0, &records, &count, &log->err),
                     FC_ERR_NOT_FOUND);
    assert_non_null(strstr(log->err.message, "offset 0 is not in the log, which has 100"));
    fc_log_reader_close(reader);
    numbered_log_close(log);
}

static void the_keeper_compacts(void **state)
{
    struct numbered_log *log = *state;
    struct fc_keeper *keeper = NULL;
    const struct fc_clock *clock = fc_clock_system();
    int64_t until;
    numbered_log_open(log);
    append(log, 100, "a");
    assert_int_equal(fc_keeper_new(&log->env, &keeper, &log->err), FC_OK);
    fc_keeper_add(keeper, log->partition);
    until = fc_clock_steady_ms(clock) + 20000;
    while (fc_partition_bytes(log->partition) > 10000 && fc_clock_steady_ms(clock) < until) {
        uint64_t wakes = fc_partition_wakes(log->partition);
        fc_partition_wait(log->partition, 100, 20, &wakes);
    }
    fc_keeper_remove(keeper, log->partition);
    fc_keeper_free(keeper);
    assert_true(fc_partition_bytes(log->partition) < 10000);
    numbered_log_close(log);
}

static void the_table_knows_the_last_offset_of_each_key(void **state)
{
    struct fc_compact_map map;
    char key[16];
    (void)state;
    fc_compact_map_init(&map, (size_t)24 * 1024);
    for (int64_t offset = 0; offset < 3000; offset++) {
        (void)snprintf(key, sizeof(key), "%d", (int)(offset % 1000));
        assert_int_equal(fc_compact_map_is_full(&map), offset >= 768);
        fc_compact_map_put(&map, fc_slice_text(key), offset);
    }
    for (int number = 0; number < 1000; number++) {
        (void)snprintf(key, sizeof(key), "%d", number);
        assert_int_equal(fc_compact_map_get(&map, fc_slice_text(key)), 2000 + number);
    }
    assert_int_equal(fc_compact_map_get(&map, fc_slice_text("other")), -1);
    fc_compact_map_clear(&map);
    assert_int_equal(fc_compact_map_get(&map, fc_slice_text("1")), -1);
    fc_compact_map_release(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(it_is_wanted_when_enough_is_dirty),
        T(a_little_dirt_waits_unless_it_is_old),
        T(what_is_too_new_is_left_alone),
        T(the_active_segment_is_closed_in_time),
        T(a_full_disk_leaves_it_as_it_is),
        T(damage_stops_it_and_is_not_copied),
        T(a_reader_behind_what_was_deleted_is_told),
        T(the_keeper_compacts),
#undef T
        cmocka_unit_test(the_table_knows_the_last_offset_of_each_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
