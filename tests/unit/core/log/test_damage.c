/* SPDX-License-Identifier: Apache-2.0 */
/* What is damaged below the durable offset is refused and named; what is torn above it goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/bytes.h"
#include "core/log/log_reader.h"
#include "core/log/upkeep.h"
#include "tests/support/fs_lossy.h"
#include "tests/support/numbered_log.h"

static const char first_log[] = "/p/00000000000000000000.log";

static int set_up(void **state)
{
    struct numbered_log *log = fc_new(struct numbered_log);
    numbered_log_init(log);
    numbered_log_open(log);
    *state = log;
    return 0;
}

static int tear_down(void **state)
{
    numbered_log_release(*state);
    free(*state);
    return 0;
}

static uint64_t size_of(struct numbered_log *log, const char *path)
{
    struct fc_file *file = NULL;
    uint64_t size = 0;
    assert_int_equal(log->fs->ops->open(log->fs, path, FC_FS_READ, &file, NULL), FC_OK);
    assert_int_equal(log->fs->ops->size(file, &size, NULL), FC_OK);
    log->fs->ops->close(file);
    return size;
}

static void overwrite(struct numbered_log *log, const char *path, uint64_t at,
                      const void *bytes, size_t size)
{
    struct fc_file *file = NULL;
    struct iovec part = { (void *)(uintptr_t)bytes, size };
    assert_int_equal(log->fs->ops->open(log->fs, path, FC_FS_WRITE, &file, NULL), FC_OK);
    assert_int_equal(log->fs->ops->write(file, at, &part, 1, NULL), FC_OK);
    log->fs->ops->close(file);
}

/* The process dies; the next open must find damage in `file` at `byte`. */
static void expect_damage(struct numbered_log *log, const char *file, const char *byte)
{
    numbered_log_crash(log);
    assert_int_equal(numbered_log_open_fails(log), FC_ERR_CORRUPT);
    if (strstr(log->err.message, file) == NULL || strstr(log->err.message, byte) == NULL) {
        fail_msg("%s does not name %s and %s", log->err.message, file, byte);
    }
}

static void a_flipped_byte_below_the_durable_offset_is_refused(void **state)
{
    struct numbered_log *log = *state;
    uint64_t batch_size;
    char byte[32];
    numbered_log_append(log, 1, 5);
    batch_size = size_of(log, first_log);
    numbered_log_append(log, 9, 5);
    numbered_log_flush(log);
    (void)snprintf(byte, sizeof(byte), "byte %llu,", (unsigned long long)(3 * batch_size));
    fs_lossy_flip_byte(log->fs, first_log, 3 * batch_size + 100);
    expect_damage(log, first_log, byte);
    assert_int_equal(size_of(log, first_log), 10 * batch_size); /* nothing was cut off */
    fs_lossy_flip_byte(log->fs, first_log, 3 * batch_size + 100);
    numbered_log_open(log);
    numbered_log_expect(log, 0, 50);
}

static void an_active_segment_cut_below_the_durable_offset_is_refused(void **state)
{
    struct numbered_log *log = *state;
    numbered_log_append(log, 10, 5);
    numbered_log_flush(log);
    fs_lossy_cut_file(log->fs, first_log, 1500);
    expect_damage(log, first_log, "byte 1500");
    assert_int_equal(size_of(log, first_log), 1500);
}

static void a_closed_segment_that_is_cut_or_lost_is_refused(void **state)
{
    struct numbered_log *log = *state;
    log->config.segment_bytes = 2000;
    numbered_log_close(log);
    numbered_log_open(log);
    numbered_log_append(log, 10, 5);
    numbered_log_flush(log);
    fs_lossy_cut_file(log->fs, first_log, 700);
    expect_damage(log, first_log, "byte 700");
    fs_lossy_lose_file(log->fs, first_log);
    expect_damage(log, first_log, "missing");
}

static void a_lost_active_segment_is_refused(void **state)
{
    struct numbered_log *log = *state;
    numbered_log_append(log, 1, 5);
    numbered_log_flush(log);
    fs_lossy_lose_file(log->fs, first_log);
    expect_damage(log, first_log, "missing");
}

static void a_torn_tail_above_the_durable_offset_is_cut_off(void **state)
{
    struct numbered_log *log = *state;
    uint64_t durable_size;
    numbered_log_append(log, 4, 5);
    numbered_log_flush(log);
    durable_size = size_of(log, first_log);
    numbered_log_append(log, 4, 5);
    /* A hole: whole batches follow the torn one, and are no more worth than it. */
    fs_lossy_flip_byte(log->fs, first_log, durable_size + 200);
    numbered_log_crash_and_open(log);
    assert_int_equal(size_of(log, first_log), durable_size);
    assert_non_null(strstr(log->notices, "nothing durable was lost"));
    numbered_log_expect(log, 0, 20);
    numbered_log_append(log, 2, 5);
    numbered_log_expect(log, 0, 30);
}

static void zeros_behind_the_end_are_cut_off(void **state)
{
    static const uint8_t zeros[4096];
    struct numbered_log *log = *state;
    numbered_log_append(log, 4, 5);
    overwrite(log, first_log, size_of(log, first_log), zeros, sizeof(zeros));
    numbered_log_crash_and_open(log);
    numbered_log_expect(log, 0, 20);
}

static void what_was_appended_without_a_flush_survives_a_crash_of_the_process(void **state)
{
    struct numbered_log *log = *state;
    numbered_log_append(log, 4, 5);
    numbered_log_crash_and_open(log);
    assert_int_equal(numbered_log_offsets(log).durable, 20);
    numbered_log_power_cut(log);
    numbered_log_open(log);
    numbered_log_expect(log, 0, 20);
}

static void a_reader_stops_at_a_damaged_batch_and_names_it(void **state)
{
    struct numbered_log *log = *state;
    struct fc_log_reader *reader = NULL;
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    uint64_t batch_size;
    char byte[32];
    numbered_log_append(log, 1, 5);
    batch_size = size_of(log, first_log);
    numbered_log_append(log, 3, 5);
    (void)snprintf(byte, sizeof(byte), "byte %llu", (unsigned long long)batch_size);
    fs_lossy_flip_byte(log->fs, first_log, batch_size + 70);
    assert_int_equal(fc_log_reader_open(log->partition, 0, &reader, &log->err), FC_OK);
    assert_int_equal(fc_log_reader_next(reader, 0, &records, &count, &log->err), FC_OK);
    assert_int_equal(count, 5);
    for (int tries = 0; tries < 2; tries++) { /* and it is never skipped */
        assert_int_equal(fc_log_reader_next(reader, 0, &records, &count, &log->err),
                         FC_ERR_CORRUPT);
        assert_non_null(strstr(log->err.message, first_log));
        assert_non_null(strstr(log->err.message, byte));
    }
    fc_log_reader_close(reader);
}

static void the_scrub_finds_damage_in_a_closed_segment_and_stops_the_partition(void **state)
{
    struct numbered_log *log = *state;
    struct fc_partition_offsets offsets;
    log->config.segment_bytes = 2000;
    numbered_log_close(log);
    numbered_log_open(log);
    numbered_log_append(log, 10, 5);
    numbered_log_flush(log);
    for (int pass = 0; pass < 20; pass++) {
        fc_upkeep_scrub(log->partition, 1000);
    }
    assert_string_equal(log->notices, "");
    fs_lossy_flip_byte(log->fs, first_log, 900);
    for (int pass = 0; pass < 20; pass++) {
        fc_upkeep_scrub(log->partition, 1000);
    }
    assert_non_null(strstr(log->notices, first_log));
    assert_non_null(strstr(log->notices, "bad checksum at byte"));
    assert_int_equal(fc_partition_offsets(log->partition, &offsets, &log->err), FC_ERR_CORRUPT);
    assert_non_null(strstr(log->err.message, first_log));
}

static void a_lost_manifest_is_refused(void **state)
{
    struct numbered_log *log = *state;
    numbered_log_append(log, 1, 5);
    numbered_log_flush(log);
    fs_lossy_lose_file(log->fs, "/p/manifest");
    expect_damage(log, "/p/manifest", "missing");
}

static void a_damaged_manifest_is_refused_and_one_damaged_checkpoint_is_not(void **state)
{
    static const uint8_t garbage[128] = { 1, 2, 3 };
    struct numbered_log *log = *state;
    log->config.segment_bytes = 2000;
    numbered_log_close(log);
    numbered_log_open(log);
    numbered_log_append(log, 10, 5);
    numbered_log_flush(log);
    fc_upkeep_checkpoint(log->partition);
    fs_lossy_flip_byte(log->fs, "/p/manifest", 4096 + 30);
    numbered_log_crash_and_open(log);
    numbered_log_expect(log, 0, 50);
    fs_lossy_flip_byte(log->fs, "/p/manifest", 12288 + 8);
    expect_damage(log, "/p/manifest", "byte 12288");
    fs_lossy_flip_byte(log->fs, "/p/manifest", 12288 + 8);
    overwrite(log, "/p/manifest", 4096, garbage, sizeof(garbage));
    overwrite(log, "/p/manifest", 8192, garbage, sizeof(garbage));
    expect_damage(log, "/p/manifest", "bytes 4096 and 8192");
    fs_lossy_flip_byte(log->fs, "/p/manifest", 3);
    expect_damage(log, "/p/manifest", "byte 0");
}

static void a_manifest_of_another_version_is_named_with_both_versions(void **state)
{
    struct numbered_log *log = *state;
    static const uint8_t version_3[] = { 'f', 'l', 'u', 'v', 'i', 'o', '-',  'p',  'a',  'r',
                                         't', 's', 0,   0,   0,   3,   0x3a, 0xc0, 0xb4, 0x02 };
    numbered_log_append(log, 1, 1);
    overwrite(log, "/p/manifest", 0, version_3, sizeof(version_3));
    numbered_log_crash(log);
    assert_int_equal(numbered_log_open_fails(log), FC_ERR_CONFIG);
    assert_non_null(strstr(log->err.message, "version 3;"));
    assert_non_null(strstr(log->err.message, "reads versions up to 2"));
}

static void damaged_indexes_are_no_damage(void **state)
{
    struct numbered_log *log = *state;
    log->config.segment_bytes = 100000;
    numbered_log_close(log);
    numbered_log_open(log);
    numbered_log_append(log, 400, 5);
    numbered_log_close(log);
    for (uint64_t at = 0; at < 80; at += 3) {
        fs_lossy_flip_byte(log->fs, "/p/00000000000000000000.index", at);
        fs_lossy_flip_byte(log->fs, "/p/00000000000000000000.timeindex", at);
    }
    numbered_log_open(log);
    for (int64_t offset = 0; offset < 2000; offset += 97) {
        int64_t found = -1;
        numbered_log_expect(log, offset, 2000);
        assert_int_equal(
            fc_partition_offset_for_time(log->partition, 1000 + 10 * offset, &found, &log->err),
            FC_OK);
        assert_int_equal(found, offset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(a_flipped_byte_below_the_durable_offset_is_refused),
        T(an_active_segment_cut_below_the_durable_offset_is_refused),
        T(a_closed_segment_that_is_cut_or_lost_is_refused),
        T(a_lost_active_segment_is_refused),
        T(a_torn_tail_above_the_durable_offset_is_cut_off),
        T(zeros_behind_the_end_are_cut_off),
        T(what_was_appended_without_a_flush_survives_a_crash_of_the_process),
        T(a_reader_stops_at_a_damaged_batch_and_names_it),
        T(the_scrub_finds_damage_in_a_closed_segment_and_stops_the_partition),
        T(a_lost_manifest_is_refused),
        T(a_damaged_manifest_is_refused_and_one_damaged_checkpoint_is_not),
        T(a_manifest_of_another_version_is_named_with_both_versions),
        T(damaged_indexes_are_no_damage),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
