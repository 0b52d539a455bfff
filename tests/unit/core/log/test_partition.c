/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/log_reader.h"
#include "core/log/partition.h"
#include "core/log/upkeep.h"
#include "tests/support/fs_lossy.h"
#include "tests/support/numbered_log.h"

enum { DAY_MS = 24 * 3600 * 1000 };

static int set_up(void **state)
{
    struct numbered_log *log = fc_new(struct numbered_log);
    numbered_log_init(log);
    *state = log;
    return 0;
}

static int tear_down(void **state)
{
    numbered_log_release(*state);
    free(*state);
    return 0;
}

static bool exists(struct numbered_log *log, const char *path)
{
    struct fc_file *file = NULL;
    bool found = log->fs->ops->open(log->fs, path, FC_FS_READ, &file, NULL) == FC_OK;
    log->fs->ops->close(file);
    return found;
}

static void a_full_disk_takes_nothing_and_goes_on_when_there_is_room(void **state)
{
    struct numbered_log *log = *state;
    numbered_log_open(log);
    numbered_log_append(log, 5, 5);
    for (uint64_t room = 0; room < 700; room += 50) { /* a part of the batch may fit */
        fs_lossy_set_capacity(log->fs, fs_lossy_used(log->fs) + room);
        if (numbered_log_try_append(log, 6) == FC_OK) {
            fail_msg("appended with room for %d bytes", (int)room);
        }
        assert_int_equal(log->err.code, FC_ERR_FULL);
        assert_true(log->err.retriable);
        assert_int_equal(numbered_log_offsets(log).end, 25);
        numbered_log_expect(log, 0, 25);
    }
    numbered_log_flush(log);
    fs_lossy_set_capacity(log->fs, UINT64_MAX);
    numbered_log_append(log, 5, 5);
    numbered_log_expect(log, 0, 50);
    numbered_log_crash_and_open(log);
    numbered_log_expect(log, 0, 50);
}

static void a_disk_that_is_full_when_a_segment_is_to_begin_takes_nothing(void **state)
{
    struct numbered_log *log = *state;
    log->config.segment_bytes = 1500;
    numbered_log_open(log);
    numbered_log_append(log, 1, 10);
    fs_lossy_set_capacity(log->fs, fs_lossy_used(log->fs));
    assert_int_equal(numbered_log_try_append(log, 10), FC_ERR_FULL);
    numbered_log_expect(log, 0, 10);
    fs_lossy_set_capacity(log->fs, UINT64_MAX);
    numbered_log_append(log, 3, 10);
    numbered_log_expect(log, 0, 40);
}

static void after_a_failed_write_nothing_is_appended_until_it_is_opened_again(void **state)
{
    struct numbered_log *log = *state;
    numbered_log_open(log);
    numbered_log_append(log, 2, 5);
    numbered_log_flush(log);
    fs_lossy_fail_write(log->fs, 1);
    assert_int_equal(numbered_log_try_append(log, 5), FC_ERR_IO);
    assert_int_equal(numbered_log_try_append(log, 5), FC_ERR_IO);
    numbered_log_expect(log, 0, 10); /* reads go on */
    numbered_log_crash_and_open(log);
    numbered_log_append(log, 2, 5);
    numbered_log_expect(log, 0, 20);
}

static void after_a_failed_sync_nothing_is_acknowledged_until_it_is_opened_again(void **state)
{
    struct numbered_log *log = *state;
    numbered_log_open(log);
    numbered_log_append(log, 2, 5);
    numbered_log_flush(log);
    numbered_log_append(log, 2, 5);
    fs_lossy_fail_sync(log->fs, 1);
    for (int tries = 0; tries < 2; tries++) {
        assert_int_equal(fc_group_sync_flush(log->env.group, &log->err), FC_ERR_IO);
        assert_non_null(strstr(log->err.message, "Input/output error"));
    }
    assert_int_equal(numbered_log_offsets(log).durable, 10);
    assert_int_equal(numbered_log_try_append(log, 5), FC_ERR_IO);
    /* The pages are still seen, but the disk does not have them: opening must write them anew. */
    numbered_log_crash_and_open(log);
    assert_int_equal(numbered_log_offsets(log).durable, 20);
    numbered_log_power_cut(log);
    numbered_log_open(log);
    numbered_log_expect(log, 0, 20);
}

static void a_sync_covers_the_name_of_a_new_segment(void **state)
{
    struct numbered_log *log = *state;
    log->config.segment_bytes = 1500;
    numbered_log_open(log);
    numbered_log_append(log, 9, 5);
    numbered_log_flush(log);
    numbered_log_power_cut(log);
    numbered_log_open(log);
    numbered_log_expect(log, 0, 45);
}

/* The first append finds the disk full when its segment's file is there already. */
static void leave_an_empty_segment(struct numbered_log *log, uint64_t seed)
{
    numbered_log_release(log);
    numbered_log_init(log);
    fs_lossy_free(log->fs);
    log->fs = fs_lossy_new(seed, 512);
    log->env.fs = log->fs;
    assert_int_equal(log->fs->ops->make_dir(log->fs, "/p", &log->err), FC_OK);
    assert_int_equal(log->fs->ops->sync_dir(log->fs, "/", &log->err), FC_OK);
    numbered_log_open(log);
    for (uint64_t room = 1; !exists(log, "/p/00000000000000000000.log"); room += 100) {
        fs_lossy_set_capacity(log->fs, room);
        assert_int_equal(numbered_log_try_append(log, 5), FC_ERR_FULL);
    }
    fs_lossy_set_capacity(log->fs, UINT64_MAX);
    numbered_log_close(log);
}

static void a_sync_covers_the_name_of_a_segment_that_was_found_empty(void **state)
{
    struct numbered_log *log = *state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        leave_an_empty_segment(log, seed);
        numbered_log_open(log);
        numbered_log_append(log, 2, 5);
        numbered_log_flush(log);
        numbered_log_power_cut(log);
        numbered_log_open(log);
        numbered_log_expect(log, 0, 10);
    }
}

static void a_thousand_segments_are_opened_without_reading_them(void **state)
{
    struct numbered_log *log = *state;
    uint64_t few;
    uint64_t many;
    log->config.segment_bytes = 1024;
    numbered_log_open(log);
    numbered_log_append(log, 2, 10);
    numbered_log_close(log);
    few = fs_lossy_reads(log->fs);
    numbered_log_open(log);
    few = fs_lossy_reads(log->fs) - few;
    numbered_log_append(log, 1000, 10);
    numbered_log_flush(log);
    numbered_log_close(log);
    many = fs_lossy_reads(log->fs);
    numbered_log_open(log);
    assert_int_equal(fs_lossy_reads(log->fs) - many, few);
    numbered_log_append(log, 1, 10);
    numbered_log_flush(log);
    numbered_log_crash(log);
    many = fs_lossy_reads(log->fs);
    numbered_log_open(log); /* not closed cleanly: the last segment, and no other */
    assert_in_range(fs_lossy_reads(log->fs) - many, 0, few + 4);
    numbered_log_expect(log, 0, 10030);
}

static void large_batches_leave_recovery_little_to_walk_over(void **state)
{
    struct numbered_log *log = *state;
    uint64_t few;
    uint64_t all;
    log->config.segment_bytes = 1 << 30;
    numbered_log_open(log);
    numbered_log_append(log, 500, 3000);
    numbered_log_flush(log);
    numbered_log_crash(log);
    few = fs_lossy_reads(log->fs);
    numbered_log_open(log);
    few = fs_lossy_reads(log->fs) - few;
    numbered_log_crash(log);
    fs_lossy_lose_file(log->fs, "/p/00000000000000000000.index");
    all = fs_lossy_reads(log->fs);
    numbered_log_open(log);
    all = fs_lossy_reads(log->fs) - all;
    assert_in_range(few * 3, 1, all);
    assert_int_equal(numbered_log_offsets(log).end, 1500000);
}

static void appends_have_room_ahead_that_is_given_back(void **state)
{
    enum { MIB = 1024 * 1024 };
    struct numbered_log *log = *state;
    uint64_t most = 0;
    log->config.segment_bytes = 8 * MIB;
    numbered_log_open(log);
    numbered_log_append(log, 1, 3000);
    assert_int_equal(fs_lossy_room(log->fs), 0); /* a small topic holds no more than it has */
    while (fs_lossy_used(log->fs) < 7 * MIB) {
        uint64_t used = fs_lossy_used(log->fs);
        uint64_t room;
        numbered_log_append(log, 1, 3000);
        room = fs_lossy_room(log->fs);
        assert_true(room <= used);
        assert_true(used + room <= 9 * MIB); /* with what is no segment */
        most = room > most ? room : most;
    }
    assert_true(most > MIB);
    numbered_log_append(log, 20, 3000); /* another segment */
    numbered_log_flush(log);
    assert_true(fs_lossy_room(log->fs) <=
                fs_lossy_used(log->fs) - (uint64_t)7 * MIB); /* all of it the new one's */
    numbered_log_crash_and_open(log);
    numbered_log_append(log, 1, 3000);
    numbered_log_close(log);
    assert_int_equal(fs_lossy_room(log->fs), 0);
}

static void time_finds_the_first_record_that_is_not_older(void **state)
{
    struct numbered_log *log = *state;
    log->config.segment_bytes = 20000;
    numbered_log_open(log);
    numbered_log_append(log, 200, 5);
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t number = 0; number < 1000; number += 7) {
            int64_t offset = -1;
            assert_int_equal(fc_partition_offset_for_time(log->partition, 1000 + 10 * number,
                                                          &offset, &log->err),
                             FC_OK);
            assert_int_equal(offset, number);
            assert_int_equal(fc_partition_offset_for_time(
                                 log->partition, 1000 + 10 * number - 9, &offset, &log->err),
                             FC_OK);
            assert_int_equal(offset, number);
        }
        numbered_log_crash_and_open(log);
    }
}

static void time_before_and_after_everything_is_start_and_end(void **state)
{
    struct numbered_log *log = *state;
    int64_t offset = -1;
    numbered_log_open(log);
    assert_int_equal(fc_partition_offset_for_time(log->partition, 0, &offset, &log->err),
                     FC_OK);
    assert_int_equal(offset, 0);
    numbered_log_append(log, 2, 5);
    assert_int_equal(
        fc_partition_offset_for_time(log->partition, INT64_MIN, &offset, &log->err), FC_OK);
    assert_int_equal(offset, 0);
    assert_int_equal(
        fc_partition_offset_for_time(log->partition, INT64_MAX, &offset, &log->err), FC_OK);
    assert_int_equal(offset, 10);
}

static void append_at_times(struct numbered_log *log, const int64_t *times, size_t count)
{
    int64_t base = -1;
    fc_batch_builder_reset(&log->batch, FC_COMPRESSION_LZ4, 1 << 20);
    for (size_t index = 0; index < count; index++) {
        struct fc_record record = { .timestamp_ms = times[index] };
        assert_int_equal(fc_batch_builder_add(&log->batch, &record, &log->err), FC_OK);
    }
    assert_int_equal(fc_batch_builder_seal(&log->batch, &log->err), FC_OK);
    assert_int_equal(fc_partition_append(log->partition, &log->batch, &base, &log->err), FC_OK);
}

static void time_is_found_among_records_that_are_not_in_order(void **state)
{
    static const int64_t times[] = { 50, 20, 90, 10, 30 };
    static const struct {
        int64_t time;
        int64_t offset;
    } expected[] = {
        { 5, 0 }, { 50, 0 }, { 51, 2 }, { 90, 2 }, { 91, 6 }, { 95, 6 }, { 96, 10 }
    };
    static const int64_t later[] = { 10, 95, 1, 95, 3 };
    struct numbered_log *log = *state;
    numbered_log_open(log);
    append_at_times(log, times, 5);
    append_at_times(log, later, 5);
    for (size_t index = 0; index < sizeof(expected) / sizeof(expected[0]); index++) {
        int64_t offset = -1;
        assert_int_equal(fc_partition_offset_for_time(log->partition, expected[index].time,
                                                      &offset, &log->err),
                         FC_OK);
        assert_int_equal(offset, expected[index].offset);
    }
}

static void retention_by_size_removes_whole_segments_from_the_start(void **state)
{
    struct numbered_log *log = *state;
    log->config.segment_bytes = 3000;
    numbered_log_open(log);
    numbered_log_append(log, 40, 5);
    fc_upkeep_retain(log->partition);
    assert_int_equal(numbered_log_offsets(log).start, 0); /* kept for ever */
    log->config.retention_bytes = 10000;
    fc_partition_configure(log->partition, &log->config);
    fc_upkeep_retain(log->partition);
    assert_int_equal(numbered_log_offsets(log).start, 0); /* nothing is synced yet */
    numbered_log_flush(log);
    fc_upkeep_retain(log->partition);
    assert_int_equal(numbered_log_offsets(log).start, 100);
    assert_false(exists(log, "/p/00000000000000000080.log"));
    assert_false(exists(log, "/p/00000000000000000080.index"));
    assert_false(exists(log, "/p/00000000000000000080.timeindex"));
    assert_true(exists(log, "/p/00000000000000000100.log"));
    numbered_log_expect(log, 100, 200);
    numbered_log_close(log);
    numbered_log_open(log);
    assert_int_equal(numbered_log_offsets(log).start, 100);
    numbered_log_expect(log, 100, 200);
}

static void retention_by_time_keeps_the_active_segment(void **state)
{
    struct numbered_log *log = *state;
    log->config.segment_bytes = 3000;
    log->config.retention_ms = DAY_MS;
    numbered_log_open(log);
    numbered_log_append(log, 40, 5); /* records of 1970, so all are too old */
    numbered_log_flush(log);
    fc_upkeep_retain(log->partition);
    assert_int_equal(numbered_log_offsets(log).start, 180);
    numbered_log_expect(log, 180, 200);
    /* When it is as old as what is kept, it is closed, and goes next. */
    fc_upkeep_roll(log->partition);
    numbered_log_flush(log);
    fc_upkeep_retain(log->partition);
    assert_int_equal(numbered_log_offsets(log).start, 180);
    log->clock.wall_ns += (int64_t)DAY_MS * 1000000;
    fc_upkeep_roll(log->partition);
    fc_upkeep_sync(log->partition, false);
    fc_upkeep_retain(log->partition);
    assert_int_equal(numbered_log_offsets(log).start, 200);
    numbered_log_append(log, 2, 5);
    numbered_log_expect(log, 200, 210);
    numbered_log_close(log);
    numbered_log_open(log);
    numbered_log_expect(log, 200, 210);
}

static void an_old_active_segment_is_closed_by_the_next_append(void **state)
{
    struct numbered_log *log = *state;
    log->config.segment_ms = 1000;
    numbered_log_open(log);
    numbered_log_append(log, 3, 5);
    log->clock.wall_ns += (int64_t)999 * 1000000;
    numbered_log_append(log, 1, 5);
    assert_false(exists(log, "/p/00000000000000000020.log"));
    numbered_log_flush(log);
    numbered_log_crash_and_open(log); /* its age is not forgotten */
    log->clock.wall_ns += 1000000;
    numbered_log_append(log, 1, 5);
    assert_true(exists(log, "/p/00000000000000000020.log"));
    numbered_log_expect(log, 0, 25);
}

static void a_reader_below_the_start_is_told_the_range(void **state)
{
    struct numbered_log *log = *state;
    struct fc_log_reader *reader = NULL;
    struct fc_log_reader *other = NULL;
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    log->config.segment_bytes = 3000;
    log->config.retention_bytes = 0;
    numbered_log_open(log);
    numbered_log_append(log, 40, 5);
    numbered_log_flush(log);
    assert_int_equal(fc_log_reader_open(log->partition, 3, &reader, &log->err), FC_OK);
    fc_upkeep_retain(log->partition);
    assert_int_equal(fc_log_reader_next(reader, 0, &records, &count, &log->err),
                     FC_ERR_NOT_FOUND);
    assert_non_null(strstr(log->err.message, "180 to 200"));
    assert_int_equal(fc_log_reader_open(log->partition, 201, &other, &log->err),
                     FC_ERR_NOT_FOUND);
    assert_int_equal(fc_log_reader_seek(reader, 180, &log->err), FC_OK);
    assert_int_equal(fc_log_reader_next(reader, 0, &records, &count, &log->err), FC_OK);
    assert_int_equal(records[0].offset, 180);
    fc_log_reader_close(reader);
}

/* The manifest then goes on behind a segment that it never knew. */
static void a_segment_deleted_before_it_was_entered_leaves_no_damage(void **state)
{
    struct numbered_log *log = *state;
    int64_t start = 0;
    int64_t deleted;
    log->config.segment_bytes = 2000;
    numbered_log_close(log);
    numbered_log_open(log);
    numbered_log_append(log, 9, 5); /* three segments of three batches; the last is full */
    numbered_log_flush(log);
    deleted = numbered_log_offsets(log).end;
    assert_int_equal(fc_partition_delete_records(log->partition, deleted, &start, &log->err),
                     FC_OK);
    numbered_log_append(log, 1, 5); /* in a segment that begins at the start */
    numbered_log_crash_and_open(log);
    numbered_log_append(log, 8, 5);
    numbered_log_flush(log);
    numbered_log_crash_and_open(log);
    assert_int_equal(numbered_log_offsets(log).start, deleted);
    numbered_log_expect(log, deleted, deleted + 45);
}

static void a_long_list_of_removed_segments_is_forgotten(void **state)
{
    struct numbered_log *log = *state;
    struct fc_file *file = NULL;
    uint64_t size = 0;
    log->config.segment_bytes = 1024;
    log->config.retention_bytes = 5000;
    numbered_log_open(log);
    for (int round = 0; round < 30; round++) {
        numbered_log_append(log, 100, 10);
        numbered_log_flush(log);
        fc_upkeep_retain(log->partition);
    }
    assert_int_equal(log->fs->ops->open(log->fs, "/p/manifest", FC_FS_READ, &file, NULL),
                     FC_OK);
    assert_int_equal(log->fs->ops->size(file, &size, NULL), FC_OK);
    log->fs->ops->close(file);
    assert_in_range(size, 12288, 12288 + 40 * 1300);
    numbered_log_append(log, 3, 10);
    numbered_log_flush(log);
    numbered_log_power_cut(log);
    numbered_log_open(log);
    numbered_log_expect(log, numbered_log_offsets(log).start, 30030);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(a_full_disk_takes_nothing_and_goes_on_when_there_is_room),
        T(a_disk_that_is_full_when_a_segment_is_to_begin_takes_nothing),
        T(after_a_failed_write_nothing_is_appended_until_it_is_opened_again),
        T(after_a_failed_sync_nothing_is_acknowledged_until_it_is_opened_again),
        T(a_sync_covers_the_name_of_a_new_segment),
        T(a_sync_covers_the_name_of_a_segment_that_was_found_empty),
        T(a_thousand_segments_are_opened_without_reading_them),
        T(large_batches_leave_recovery_little_to_walk_over),
        T(appends_have_room_ahead_that_is_given_back),
        T(time_finds_the_first_record_that_is_not_older),
        T(time_before_and_after_everything_is_start_and_end),
        T(time_is_found_among_records_that_are_not_in_order),
        T(retention_by_size_removes_whole_segments_from_the_start),
        T(retention_by_time_keeps_the_active_segment),
        T(an_old_active_segment_is_closed_by_the_next_append),
        T(a_reader_below_the_start_is_told_the_range),
        T(a_segment_deleted_before_it_was_entered_leaves_no_damage),
        T(a_long_list_of_removed_segments_is_forgotten),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
