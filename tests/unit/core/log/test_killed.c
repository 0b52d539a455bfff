/* SPDX-License-Identifier: Apache-2.0 */
/* What a partition knows again of its records' times when its process was killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/wire_append.h"
#include "tests/support/fs_lossy.h"
#include "tests/support/numbered_log.h"
#include "tests/support/wire_batch.h"

enum {
    RECORDS = 2230,
    LATEST = 1900, /* the record that is days ahead of all others */
    VALUE_SIZE = 5000,
    WALK_MAX = 6 * 1024 * 1024 /* bytes of about 11 MB */
};

static const int64_t first_ms = 1700000000000;
static const int64_t latest_ms = 1700864000000;

static int set_up(void **state)
{
    struct numbered_log *log = fc_new(struct numbered_log);
    numbered_log_init(log);
    log->config.segment_bytes = 1 << 30;
    *state = log;
    return 0;
}

static int tear_down(void **state)
{
    numbered_log_release(*state);
    free(*state);
    return 0;
}

static void append(struct numbered_log *log, int64_t timestamp_ms)
{
    const struct wire_batch batch = {
        .count = 1, .producer_id = -1, .value_size = VALUE_SIZE, .timestamp_ms = timestamp_ms
    };
    struct fc_log_topic_config topic;
    struct fc_append_result result;
    struct fc_append_rules rules;
    struct fc_buf bytes;
    fc_log_topic_config_init(&topic);
    fc_append_rules_of(&topic, &rules);
    rules.timestamp_after_max_ms = INT64_MAX;
    wire_batch_make(&batch, &bytes);
    assert_int_equal(fc_partition_append_wire(log->partition, bytes.data, bytes.len, &rules,
                                              &result, &log->err),
                     FC_OK);
    fc_buf_release(&bytes);
}

/* The times rise half as fast as the offsets, so their index has fewer entries. */
static void append_some(struct numbered_log *log, int from, int to)
{
    for (int number = from; number < to; number++) {
        append(log, number == LATEST ? latest_ms : first_ms + number / 2);
        if (number % 10 == 9) {
            numbered_log_flush(log);
        }
    }
}

static void expect_latest(struct numbered_log *log)
{
    struct fc_time_place place = { 0 };
    assert_int_equal(numbered_log_offsets(log).end, RECORDS);
    assert_int_equal(fc_partition_max_timestamp(log->partition, &place, &log->err), FC_OK);
    assert_int_equal(place.timestamp_ms, latest_ms);
    assert_int_equal(place.offset, LATEST);
    assert_int_equal(
        fc_partition_place_for_time(log->partition, latest_ms - 1, &place, &log->err), FC_OK);
    assert_int_equal(place.offset, LATEST);
}

static fc_code (*real_read)(struct fc_file *file, uint64_t at, void *to, size_t size,
                            size_t *out_size, struct fc_error *err);
static uint64_t bytes_read;

static fc_code count_read(struct fc_file *file, uint64_t at, void *to, size_t size,
                          size_t *out_size, struct fc_error *err)
{
    fc_code code = real_read(file, at, to, size, out_size, err);
    bytes_read += code == FC_OK ? *out_size : 0;
    return code;
}

static void the_largest_timestamp_is_found_without_reading_all(void **state)
{
    struct numbered_log *log = *state;
    const struct fc_fs_ops *real = log->fs->ops;
    struct fc_fs_ops ops = *real;
    numbered_log_open(log);
    append_some(log, 0, RECORDS);
    expect_latest(log);
    real_read = ops.read;
    ops.read = count_read;
    log->fs->ops = &ops;
    bytes_read = 0;
    numbered_log_crash_and_open(log);
    assert_in_range(bytes_read, 1, WALK_MAX);
    expect_latest(log);
    numbered_log_close(log);
    log->fs->ops = real;
}

static fc_code (*real_open)(struct fc_fs *fs, const char *path, int flags,
                            struct fc_file **out_file, struct fc_error *err);

static fc_code open_no_times(struct fc_fs *fs, const char *path, int flags,
                             struct fc_file **out_file, struct fc_error *err)
{
    return strstr(path, ".timeindex") != NULL ? fc_fail(err, FC_ERR_FULL, "no room")
                                              : real_open(fs, path, flags, out_file, err);
}

static void the_largest_timestamp_is_found_when_the_index_of_times_lacks_it(void **state)
{
    struct numbered_log *log = *state;
    const struct fc_fs_ops *real = log->fs->ops;
    struct fc_fs_ops ops = *real;
    numbered_log_open(log);
    append_some(log, 0, 1700);
    real_open = ops.open;
    ops.open = open_no_times;
    log->fs->ops = &ops;
    append_some(log, 1700, RECORDS);
    log->fs->ops = real;
    numbered_log_crash_and_open(log);
    expect_latest(log);
    numbered_log_close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(the_largest_timestamp_is_found_without_reading_all),
        T(the_largest_timestamp_is_found_when_the_index_of_times_lacks_it),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
