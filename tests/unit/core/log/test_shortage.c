/* SPDX-License-Identifier: Apache-2.0 */
/* When no more files can be opened for a while: nothing is lost, nothing fails for good, and the log
 * itself takes no more descriptors than it must. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/compact.h"
#include "core/log/manifest.h"
#include "core/log/partition.h"
#include "core/log/upkeep.h"
#include "tests/support/fs_lossy.h"
#include "tests/support/numbered_log.h"

enum { NEVER = 1000000, OPENS_TRIED = 40 };

/* The disk as it is, and as the log sees it. */
static const struct fc_fs_ops *lossy;
static struct fc_fs_ops ops;
static int opens_left; /* until there are no descriptors */
static int refused;    /* since then */
static int files_open;
static int files_most;
static int failures;

/* What the system says then. */
static fc_code fail_as_the_system(struct fc_error *err)
{
    struct fc_fs *fs = fc_fs_system();
    struct fc_file *file = NULL;
    struct rlimit limit;
    struct rlimit none;
    fc_code code;
    refused++;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    code = fs->ops->open(fs, "/dev/null", FC_FS_READ, &file, err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_not_equal(code, FC_OK);
    return code;
}

static fc_code open_counting(struct fc_fs *fs, const char *path, int flags,
                             struct fc_file **out_file, struct fc_error *err)
{
    fc_code code;
    if (opens_left <= 0) {
        return fail_as_the_system(err);
    }
    opens_left--;
    code = lossy->open(fs, path, flags, out_file, err);
    if (code == FC_OK) {
        files_open++;
        files_most = files_open > files_most ? files_open : files_most;
    }
    return code;
}

static void close_counting(struct fc_file *file)
{
    files_open -= file != NULL;
    lossy->close(file);
}

static fc_code sync_dir_counting(struct fc_fs *fs, const char *path, struct fc_error *err)
{
    if (opens_left <= 0) {
        return fail_as_the_system(err);
    }
    opens_left--;
    return lossy->sync_dir(fs, path, err);
}

static void on_failure(void *ctx, const char *text)
{
    (void)ctx;
    assert_non_null(strstr(text, "/p: write: Input/output error; it takes no more appends"));
    failures++;
}

static int set_up(void **state)
{
    struct numbered_log *log = fc_new(struct numbered_log);
    numbered_log_init(log);
    log->config.segment_bytes = 1500;
    log->env.on_failure = on_failure;
    lossy = log->fs->ops;
    ops = *lossy;
    ops.open = open_counting;
    ops.close = close_counting;
    ops.sync_dir = sync_dir_counting;
    log->fs->ops = &ops;
    opens_left = NEVER;
    refused = 0;
    files_open = 0;
    files_most = 0;
    failures = 0;
    *state = log;
    return 0;
}

static int tear_down(void **state)
{
    numbered_log_release(*state);
    assert_int_equal(files_open, 0);
    free(*state);
    return 0;
}

static void a_segment_that_cannot_begin_takes_nothing_until_it_can(void **state)
{
    struct numbered_log *log = *state;
    numbered_log_open(log);
    numbered_log_append(log, 1, 10);
    opens_left = 0;
    for (int tries = 0; tries < 3; tries++) {
        assert_int_equal(numbered_log_try_append(log, 10), FC_ERR_FULL);
        assert_true(log->err.retriable);
        assert_true(fc_fs_is_shortage(&log->err));
    }
    opens_left = NEVER;
    numbered_log_append(log, 3, 10);
    numbered_log_flush(log);
    numbered_log_power_cut(log);
    numbered_log_open(log);
    numbered_log_expect(log, 0, 40);
}

static void a_first_append_without_descriptors_is_tried_again(void **state)
{
    for (int left = 0; left < OPENS_TRIED; left++) {
        struct numbered_log *log = *state;
        fc_code code;
        numbered_log_open(log);
        opens_left = left;
        code = numbered_log_try_append(log, 10);
        opens_left = NEVER;
        if (code != FC_OK) {
            assert_int_equal(code, FC_ERR_FULL);
            numbered_log_append(log, 1, 10);
        }
        numbered_log_flush(log);
        numbered_log_power_cut(log);
        numbered_log_open(log);
        numbered_log_expect(log, 0, 10);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
}

/* Wherever in the sync it is that they end. */
static void a_sync_without_descriptors_moves_nothing_and_is_done_again(void **state)
{
    int held_up = 0;
    for (int left = 0; left < OPENS_TRIED; left++) {
        struct numbered_log *log = *state;
        fc_code code;
        numbered_log_open(log);
        numbered_log_append(log, 1, 10);
        numbered_log_flush(log);
        numbered_log_append(log, 4, 10);
        opens_left = left;
        code = fc_group_sync_flush(log->env.group, &log->err);
        if (code != FC_OK) {
            held_up++;
            assert_int_equal(code, FC_ERR_FULL);
            assert_int_equal(numbered_log_offsets(log).durable, 10);
            assert_int_equal(fc_group_sync_flush(log->env.group, &log->err), FC_ERR_FULL);
            assert_non_null(strstr(log->notices, "cannot be synced for now"));
        }
        opens_left = NEVER;
        numbered_log_flush(log);
        assert_int_equal(numbered_log_offsets(log).durable, 50);
        numbered_log_power_cut(log);
        numbered_log_open(log);
        numbered_log_expect(log, 0, 50);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
    assert_in_range(held_up, 4, OPENS_TRIED - 1);
}

static void a_long_shortage_makes_no_flush_dearer_than_the_one_before(void **state)
{
    struct numbered_log *log = *state;
    log->config.segment_bytes = 1000000; /* one file is enough */
    numbered_log_open(log);
    numbered_log_append(log, 1, 1);
    opens_left = 0; /* the new segment's name cannot be synced */
    for (int round = 0; round < 10; round++) {
        refused = 0;
        assert_int_equal(fc_group_sync_flush(log->env.group, &log->err), FC_ERR_FULL);
        assert_int_equal(refused, 1);
        numbered_log_append(log, 1, 1);
    }
    opens_left = NEVER;
    numbered_log_flush(log);
    assert_int_equal(numbered_log_offsets(log).durable, 11);
}

static void the_next_second_syncs_what_found_no_descriptors(void **state)
{
    struct numbered_log *log = *state;
    fc_code code;
    numbered_log_open(log);
    opens_left = 4; /* for the first files */
    numbered_log_append(log, 1, 10);
    opens_left = 0; /* the new segment's name cannot be synced */
    code = fc_partition_sync(log->partition, &log->err);
    assert_int_equal(code, FC_ERR_FULL);
    opens_left = NEVER;
    fc_upkeep_sync(log->partition, false);
    assert_int_equal(numbered_log_offsets(log).durable, 10);
}

static void a_manifest_that_cannot_be_replaced_stays(void **state)
{
    const struct fc_checkpoint first = { .durable = 10, .max_timestamp_ms = INT64_MIN };
    struct fc_segment segments[] = { { .base = 0, .end = 10, .size = 5 },
                                     { .base = 10, .end = 20, .size = 5 } };
    struct numbered_log *log = *state;
    for (int left = 0; left < OPENS_TRIED; left++) {
        struct fc_manifest manifest = { 0 };
        struct fc_manifest_content content = { 0 };
        fc_code code;
        assert_int_equal(
            fc_manifest_begin(&manifest, log->fs, "/p", &first, &content, &log->err), FC_OK);
        free(content.segments);
        opens_left = left;
        code = fc_manifest_rewrite(&manifest, segments, 1, &first, &log->err);
        opens_left = NEVER;
        assert_true(code == FC_OK || code == FC_ERR_FULL);
        code = fc_manifest_add(&manifest, code == FC_OK ? &segments[1] : segments,
                               code == FC_OK ? 1 : 2, &log->err);
        assert_int_equal(code, FC_OK);
        assert_int_equal(fc_manifest_sync(&manifest, &log->err), FC_OK);
        fs_lossy_crash(log->fs);
        fc_manifest_release(&manifest);
        assert_int_equal(fc_manifest_load(&manifest, log->fs, "/p", false, &content, &log->err),
                         FC_OK);
        assert_int_equal(content.count, 2);
        free(content.segments);
        fc_manifest_release(&manifest);
    }
}

/* Batches of one record each, all of one key. */
static void append_keyed(struct numbered_log *log, int count)
{
    for (int number = 0; number < count; number++) {
        struct fc_record record = { .timestamp_ms = fc_clock_wall_ms(&log->clock.base),
                                    .key = fc_slice_text("a"),
                                    .value = fc_slice_text("value") };
        int64_t base = -1;
        fc_batch_builder_reset(&log->batch, FC_COMPRESSION_NONE, 1 << 20);
        assert_int_equal(fc_batch_builder_add(&log->batch, &record, &log->err), FC_OK);
        assert_int_equal(fc_batch_builder_seal(&log->batch, &log->err), FC_OK);
        assert_int_equal(fc_partition_append(log->partition, &log->batch, &base, &log->err),
                         FC_OK);
    }
    numbered_log_flush(log);
}

/* Wherever in it that they end; appends go on, and what it left can be opened. */
static void compaction_without_descriptors_harms_nothing(void **state)
{
    static const struct fc_compact_job job = { .map_bytes = 0 };
    for (int left = 0; left < 2 * OPENS_TRIED; left++) {
        struct numbered_log *log = *state;
        log->config.compact = true;
        log->config.cleanable_ratio_min = 0.5;
        log->config.compaction_lag_max_ms = INT64_MAX;
        numbered_log_open(log);
        append_keyed(log, 60);
        opens_left = left;
        fc_compact_run(log->partition, &job);
        opens_left = NEVER;
        assert_int_equal(failures, 0);
        append_keyed(log, 20);
        numbered_log_power_cut(log);
        numbered_log_open(log);
        assert_int_equal(numbered_log_offsets(log).durable, 80);
        fc_compact_run(log->partition, &job);
        append_keyed(log, 20);
        numbered_log_close(log);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
}

static void closed_segments_do_not_keep_many_files_open(void **state)
{
    struct numbered_log *log = *state;
    log->config.flush_os = true; /* nobody syncs */
    numbered_log_open(log);
    numbered_log_append(log, 200, 10);
    assert_in_range(files_most, 1, 24);
    numbered_log_expect(log, 0, 2000);
}

static void a_partition_that_fails_says_so_once_and_gives_its_files_back(void **state)
{
    struct numbered_log *log = *state;
    log->config.flush_os = true;
    numbered_log_open(log);
    numbered_log_append(log, 10, 10);
    fs_lossy_fail_write(log->fs, 1);
    for (int tries = 0; tries < 3; tries++) {
        assert_int_equal(numbered_log_try_append(log, 1), FC_ERR_IO);
    }
    assert_int_equal(failures, 1);
    assert_true(files_open > 8);
    fc_upkeep_sync(log->partition, true);
    fc_upkeep_sync(log->partition, true);
    assert_in_range(files_open, 0, 4);
    assert_int_equal(failures, 1);
    numbered_log_expect(log, 0, 100);
    numbered_log_crash_and_open(log);
    numbered_log_append(log, 5, 10);
    numbered_log_expect(log, 0, 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(a_segment_that_cannot_begin_takes_nothing_until_it_can),
        T(a_first_append_without_descriptors_is_tried_again),
        T(a_sync_without_descriptors_moves_nothing_and_is_done_again),
        T(a_long_shortage_makes_no_flush_dearer_than_the_one_before),
        T(the_next_second_syncs_what_found_no_descriptors),
        T(a_manifest_that_cannot_be_replaced_stays),
        T(compaction_without_descriptors_harms_nothing),
        T(closed_segments_do_not_keep_many_files_open),
        T(a_partition_that_fails_says_so_once_and_gives_its_files_back),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
