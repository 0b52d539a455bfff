/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/group_sync.h"
#include "core/log/parallel.h"
#include "core/log/upkeep.h"
#include "tests/support/fs_lossy.h"
#include "tests/support/numbered_log.h"

/* A file system whose syncs wait at a gate, in front of a lossy one. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool closed;
    int waiting;
    int passed;
};

static struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0, 0 };
static fc_code (*real_sync)(struct fc_file *file, struct fc_error *err);

static fc_code gated_sync(struct fc_file *file, struct fc_error *err)
{
    (void)pthread_mutex_lock(&gate.lock);
    gate.waiting++;
    (void)pthread_cond_broadcast(&gate.changed);
    while (gate.closed) {
        (void)pthread_cond_wait(&gate.changed, &gate.lock);
    }
    gate.waiting--;
    gate.passed++;
    (void)pthread_mutex_unlock(&gate.lock);
    return real_sync(file, err);
}

static void set_gate(bool closed)
{
    (void)pthread_mutex_lock(&gate.lock);
    gate.closed = closed;
    (void)pthread_cond_broadcast(&gate.changed);
    (void)pthread_mutex_unlock(&gate.lock);
}

/* False when that many do not come within a while. */
static bool wait_until_syncing(int count)
{
    struct timespec until;
    int waited = 0;
    bool reached;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 30;
    (void)pthread_mutex_lock(&gate.lock);
    while (gate.waiting < count && waited == 0) {
        waited = pthread_cond_timedwait(&gate.changed, &gate.lock, &until);
    }
    reached = gate.waiting >= count;
    (void)pthread_mutex_unlock(&gate.lock);
    return reached;
}

static void *flush_once(void *arg)
{
    struct numbered_log *log = arg;
    struct fc_error err;
    return fc_group_sync_flush(log->env.group, &err) == FC_OK ? log : NULL;
}

static void flushes_during_a_sync_share_the_next_one(void **state)
{
    enum { THREADS = 10 };
    struct numbered_log log;
    struct fc_fs_ops ops;
    pthread_t first;
    pthread_t others[THREADS];
    void *good = NULL;
    (void)state;
    numbered_log_init(&log);
    ops = *log.fs->ops;
    real_sync = ops.sync;
    ops.sync = gated_sync;
    log.fs->ops = &ops;
    numbered_log_open(&log);
    numbered_log_append(&log, 1, 1);
    set_gate(true);
    gate.passed = 0;
    assert_int_equal(pthread_create(&first, NULL, flush_once, &log), 0);
    assert_true(wait_until_syncing(1));
    numbered_log_append(&log, 1, 1); /* too late for the sync that runs */
    for (int index = 0; index < THREADS; index++) {
        assert_int_equal(pthread_create(&others[index], NULL, flush_once, &log), 0);
    }
    set_gate(false);
    assert_int_equal(pthread_join(first, &good), 0);
    assert_non_null(good);
    for (int index = 0; index < THREADS; index++) {
        assert_int_equal(pthread_join(others[index], &good), 0);
        assert_non_null(good);
    }
    assert_int_equal(numbered_log_offsets(&log).durable, 2);
    assert_int_equal(gate.passed, 2); /* for eleven flushes */
    numbered_log_release(&log);
}

/* The disk can merge what it is asked at the same time only. */
static void the_partitions_of_a_flush_are_synced_at_the_same_time(void **state)
{
    struct numbered_log log;
    struct fc_partition *partitions[2] = { NULL, NULL };
    struct fc_fs_ops ops;
    pthread_t flusher;
    void *good = NULL;
    bool together;
    (void)state;
    numbered_log_init(&log);
    ops = *log.fs->ops;
    real_sync = ops.sync;
    ops.sync = gated_sync;
    log.fs->ops = &ops;
    numbered_log_open(&log);
    assert_int_equal(log.fs->ops->make_dir(log.fs, "/q", &log.err), FC_OK);
    assert_int_equal(fc_partition_open(&log.env, "/q", &log.config, &partitions[1], &log.err),
                     FC_OK);
    partitions[0] = log.partition;
    for (int index = 0; index < 2; index++) {
        log.partition = partitions[index];
        numbered_log_append(&log, 1, 1);
    }
    set_gate(true);
    assert_int_equal(pthread_create(&flusher, NULL, flush_once, &log), 0);
    together = wait_until_syncing(2);
    set_gate(false);
    assert_int_equal(pthread_join(flusher, &good), 0);
    assert_non_null(good);
    for (int index = 0; index < 2; index++) {
        log.partition = partitions[index];
        assert_int_equal(numbered_log_offsets(&log).durable, 1);
    }
    assert_true(together);
    fc_partition_close(partitions[1]);
    log.partition = partitions[0];
    numbered_log_release(&log);
}

static uint64_t begun; /* byte up to which the disk was asked to begin */

static void note_begin_sync(struct fc_file *file, uint64_t at, uint64_t size)
{
    uint64_t there = 0;
    assert_int_equal(file->fs->ops->size(file, &there, NULL), FC_OK);
    assert_int_equal(at, begun);
    assert_true(size > 0 && at + size <= there);
    assert_int_equal((at + size) % 4096, 0);
    begun = at + size;
}

static void much_that_is_appended_is_begun_with_before_the_flush(void **state)
{
    enum { MUCH = 300 * 1024 };
    struct numbered_log log;
    struct fc_fs_ops ops;
    (void)state;
    numbered_log_init(&log);
    ops = *log.fs->ops;
    ops.begin_sync = note_begin_sync;
    log.fs->ops = &ops;
    begun = 0;
    numbered_log_open(&log);
    numbered_log_append(&log, 1, 1);
    assert_int_equal(begun, 0); /* left to the flush */
    while (fc_partition_bytes(log.partition) < MUCH) {
        numbered_log_append(&log, 1, 3);
    }
    assert_in_range(begun, 256 * 1024 - 4096, MUCH);
    assert_int_equal(numbered_log_offsets(&log).durable, 0);
    numbered_log_release(&log);
}

static void nothing_is_begun_with_that_is_left_to_the_system(void **state)
{
    struct numbered_log log;
    struct fc_fs_ops ops;
    (void)state;
    numbered_log_init(&log);
    ops = *log.fs->ops;
    ops.begin_sync = note_begin_sync;
    log.fs->ops = &ops;
    begun = 0;
    log.config.flush_os = true;
    numbered_log_open(&log);
    numbered_log_append(&log, 100, 100);
    assert_int_equal(begun, 0);
    numbered_log_release(&log);
}

static uint64_t written_out; /* bytes of the last call */

static void note_write_out(struct fc_file *file, uint64_t at, uint64_t size)
{
    uint64_t there = 0;
    assert_int_equal(file->fs->ops->size(file, &there, NULL), FC_OK);
    assert_int_equal(at, 0);
    assert_int_equal(size, there);
    written_out = size;
}

static void what_is_left_to_the_system_is_written_out_once_it_is_much(void **state)
{
    enum { MUCH = 8 * 1024 * 1024 };
    struct numbered_log log;
    struct fc_fs_ops ops;
    (void)state;
    numbered_log_init(&log);
    ops = *log.fs->ops;
    ops.write_out = note_write_out;
    log.fs->ops = &ops;
    written_out = 0;
    log.config.flush_os = true;
    log.config.segment_bytes = (uint64_t)4 * MUCH;
    numbered_log_open(&log);
    numbered_log_append(&log, 100, 100);
    fc_upkeep_sync(log.partition, false);
    assert_int_equal(written_out, 0);
    while (fc_partition_bytes(log.partition) < MUCH) {
        numbered_log_append(&log, 1000, 1000);
    }
    fc_upkeep_sync(log.partition, false);
    assert_true(written_out >= MUCH);
    assert_int_equal(numbered_log_offsets(&log).durable, numbered_log_offsets(&log).end);
    written_out = 0;
    numbered_log_append(&log, 1, 1);
    fc_upkeep_sync(log.partition, false); /* little again */
    assert_int_equal(written_out, 0);
    numbered_log_release(&log);
}

static void a_flush_without_appends_touches_no_disk(void **state)
{
    struct numbered_log log;
    uint64_t syncs;
    (void)state;
    numbered_log_init(&log);
    numbered_log_open(&log);
    numbered_log_append(&log, 1, 1);
    numbered_log_flush(&log);
    syncs = fs_lossy_syncs(log.fs);
    numbered_log_flush(&log);
    assert_int_equal(fs_lossy_syncs(log.fs), syncs);
    numbered_log_append(&log, 1, 1);
    numbered_log_flush(&log);
    assert_int_equal(fs_lossy_syncs(log.fs), syncs + 1); /* one, and not of the manifest, too */
    numbered_log_release(&log);
}

static void count_item(void *ctx, size_t index)
{
    (void)__atomic_add_fetch(&((int *)ctx)[index], 1, __ATOMIC_RELAXED);
}

static void each_item_of_a_parallel_run_is_done_once(void **state)
{
    enum { ITEMS = 100, ROUNDS = 200 };
    struct fc_parallel *parallel = fc_parallel_new(8);
    int done[ITEMS] = { 0 };
    (void)state;
    for (size_t round = 0; round < ROUNDS; round++) {
        fc_parallel_run(parallel, round % ITEMS + 1, count_item, done);
    }
    for (size_t index = 0; index < ITEMS; index++) {
        assert_int_equal(done[index], (ITEMS - index) * (ROUNDS / ITEMS));
    }
    fc_parallel_free(parallel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flushes_during_a_sync_share_the_next_one),
        cmocka_unit_test(the_partitions_of_a_flush_are_synced_at_the_same_time),
        cmocka_unit_test(much_that_is_appended_is_begun_with_before_the_flush),
        cmocka_unit_test(nothing_is_begun_with_that_is_left_to_the_system),
        cmocka_unit_test(what_is_left_to_the_system_is_written_out_once_it_is_much),
        cmocka_unit_test(a_flush_without_appends_touches_no_disk),
        cmocka_unit_test(each_item_of_a_parallel_run_is_done_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
