/* SPDX-License-Identifier: Apache-2.0 */
/* Disks that have no room only when they are asked to sync: the manifest's entries are written by
 * then, and must not be written again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/partition.h"
#include "core/log/upkeep.h"
#include "tests/support/fs_lossy.h"
#include "tests/support/numbered_log.h"

/* The disk as it is, and as the partition sees it. */
static const struct fc_fs_ops *lossy;
static struct fc_fs_ops ops;
static struct fc_file *manifest; /* the one that was opened last */
static int syncs_without_room;   /* of the manifest, from now on */

static fc_code open_noting(struct fc_fs *fs, const char *path, int flags,
                           struct fc_file **out_file, struct fc_error *err)
{
    fc_code code = lossy->open(fs, path, flags, out_file, err);
    if (code == FC_OK && strcmp(path, "/p/manifest") == 0) {
        manifest = *out_file;
    }
    return code;
}

static fc_code sync_without_room(struct fc_file *file, struct fc_error *err)
{
    if (file == manifest && syncs_without_room > 0) {
        syncs_without_room--;
        return fc_fail(err, FC_ERR_FULL, "sync: No space left on device");
    }
    return lossy->sync(file, err);
}

static int set_up(void **state)
{
    struct numbered_log *log = fc_new(struct numbered_log);
    numbered_log_init(log);
    log->config.segment_bytes = 1500;
    lossy = log->fs->ops;
    ops = *lossy;
    ops.open = open_noting;
    ops.sync = sync_without_room;
    log->fs->ops = &ops;
    manifest = NULL;
    syncs_without_room = 0;
    *state = log;
    return 0;
}

static int tear_down(void **state)
{
    numbered_log_release(*state);
    free(*state);
    return 0;
}

static void without_room_for_a_sync_of_entries_it_takes_no_more(void **state)
{
    struct numbered_log *log = *state;
    numbered_log_open(log);
    numbered_log_append(log, 3, 10);
    syncs_without_room = 1;
    assert_int_equal(fc_partition_sync(log->partition, &log->err), FC_ERR_IO);
    assert_false(log->err.retriable);
    assert_int_equal(syncs_without_room, 0);
    assert_int_equal(numbered_log_try_append(log, 10), FC_ERR_IO);
    assert_int_equal(fc_partition_sync(log->partition, &log->err), FC_ERR_IO);
    numbered_log_expect(log, 0, 30); /* reads go on */
}

static void entries_whose_sync_found_no_room_are_there_once(void **state)
{
    struct numbered_log *log = *state;
    numbered_log_open(log);
    numbered_log_append(log, 3, 10);
    syncs_without_room = 1;
    for (int rounds = 0; rounds < 3; rounds++) {
        fc_code code = fc_partition_sync(log->partition, &log->err);
        (void)code; /* what it says is for the test above */
        code = numbered_log_try_append(log, 10);
        (void)code;
    }
    numbered_log_close(log);
    numbered_log_open(log);
    numbered_log_append(log, 3, 10);
    numbered_log_flush(log);
    numbered_log_power_cut(log);
    numbered_log_open(log);
    numbered_log_expect(log, 0, numbered_log_offsets(log).end);
}

static void without_room_for_a_sync_of_a_checkpoint_it_takes_no_more(void **state)
{
    struct numbered_log *log = *state;
    numbered_log_open(log);
    numbered_log_append(log, 1, 10);
    numbered_log_flush(log);
    syncs_without_room = 1;
    fc_upkeep_checkpoint(log->partition);
    assert_int_equal(syncs_without_room, 0);
    assert_int_equal(numbered_log_try_append(log, 10), FC_ERR_IO);
    assert_non_null(strstr(log->notices, "takes no more appends"));
    numbered_log_crash_and_open(log);
    numbered_log_append(log, 3, 10);
    numbered_log_expect(log, 0, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(without_room_for_a_sync_of_entries_it_takes_no_more),
        T(entries_whose_sync_found_no_room_are_there_once),
        T(without_room_for_a_sync_of_a_checkpoint_it_takes_no_more),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
