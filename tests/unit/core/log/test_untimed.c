/* SPDX-License-Identifier: Apache-2.0 */
/* How old segments are whose records have no timestamps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/compact.h"
#include "core/log/upkeep.h"
#include "tests/support/fs_lossy.h"
#include "tests/support/numbered_log.h"

enum { DAY_MS = 24 * 3600 * 1000 };

static const struct fc_compact_job job = { .map_bytes = 0 };

static int set_up(void **state)
{
    struct numbered_log *log = fc_new(struct numbered_log);
    numbered_log_init(log);
    log->config.segment_bytes = 5000;
    *state = log;
    return 0;
}

static int tear_down(void **state)
{
    numbered_log_release(*state);
    free(*state);
    return 0;
}

static void append(struct numbered_log *log, const char *key)
{
    char value[100] = "";
    struct fc_record record = { .timestamp_ms = -1,
                                .key = fc_slice_text(key),
                                .value = fc_slice_of(value, sizeof(value)) };
    int64_t base = -1;
    fc_batch_builder_reset(&log->batch, FC_COMPRESSION_NONE, 1 << 20);
    assert_int_equal(fc_batch_builder_add(&log->batch, &record, &log->err), FC_OK);
    assert_int_equal(fc_batch_builder_seal(&log->batch, &log->err), FC_OK);
    assert_int_equal(fc_partition_append(log->partition, &log->batch, &base, &log->err), FC_OK);
}

static void append_same(struct numbered_log *log, int count)
{
    for (int number = 0; number < count; number++) {
        append(log, "a");
    }
    numbered_log_flush(log);
}

static void append_others(struct numbered_log *log, int count)
{
    for (int number = 0; number < count; number++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "key %d", number);
        append(log, key);
    }
    numbered_log_flush(log);
}

static void pass(struct numbered_log *log, int64_t ms)
{
    log->clock.wall_ns += ms * 1000000;
}

static void retention_goes_by_when_the_segment_was_written(void **state)
{
    struct numbered_log *log = *state;
    log->config.retention_ms = DAY_MS;
    numbered_log_open(log);
    append_same(log, 100);
    fc_upkeep_retain(log->partition);
    assert_int_equal(numbered_log_offsets(log).start, 0);
    pass(log, DAY_MS - 1000);
    append_same(log, 100);
    fc_upkeep_retain(log->partition);
    assert_int_equal(numbered_log_offsets(log).start, 0);
    pass(log, 2000);
    fc_upkeep_retain(log->partition);
    assert_in_range(numbered_log_offsets(log).start, 1, 100); /* the later ones stay */
}

static void retention_leaves_what_was_written_nobody_knows_when(void **state)
{
    struct numbered_log *log = *state;
    fs_lossy_set_clock(log->fs, NULL);
    log->config.retention_ms = DAY_MS;
    numbered_log_open(log);
    append_same(log, 100);
    pass(log, (int64_t)10 * DAY_MS);
    fc_upkeep_retain(log->partition);
    assert_int_equal(numbered_log_offsets(log).start, 0);
}

static void open_compacted(struct numbered_log *log)
{
    log->config.compact = true;
    log->config.cleanable_ratio_min = 0.5;
    log->config.delete_retention_ms = 1000;
    numbered_log_open(log);
}

static void compaction_leaves_what_was_written_too_lately(void **state)
{
    struct numbered_log *log = *state;
    log->config.compaction_lag_min_ms = 60000;
    log->config.compaction_lag_max_ms = INT64_MAX;
    open_compacted(log);
    append_same(log, 100);
    assert_false(fc_compact_is_wanted(log->partition));
    pass(log, 61000);
    assert_true(fc_compact_is_wanted(log->partition));
}

static void compaction_waits_until_a_little_dirt_is_old(void **state)
{
    struct numbered_log *log = *state;
    log->config.compaction_lag_max_ms = DAY_MS;
    open_compacted(log);
    append_others(log, 400);
    fc_compact_run(log->partition, &job);
    append_same(log, 60);
    assert_false(fc_compact_is_wanted(log->partition));
    pass(log, DAY_MS + 1000);
    assert_true(fc_compact_is_wanted(log->partition));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(retention_goes_by_when_the_segment_was_written),
        T(retention_leaves_what_was_written_nobody_knows_when),
        T(compaction_leaves_what_was_written_too_lately),
        T(compaction_waits_until_a_little_dirt_is_old),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
