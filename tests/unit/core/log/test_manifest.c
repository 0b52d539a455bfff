/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/log/manifest.h"
#include "tests/support/fs_lossy.h"

struct fixture {
    struct fc_fs *fs;
    struct fc_manifest manifest;
    struct fc_manifest_content content;
    struct fc_error err;
};

static struct fc_checkpoint checkpoint_at(int64_t durable)
{
    struct fc_checkpoint checkpoint = { .start = 1,
                                        .durable = durable,
                                        .segment_base = 2,
                                        .segment_size = 3,
                                        .max_timestamp_ms = -4,
                                        .first_append_ms = 5,
                                        .offsets_written = 8,
                                        .offsets_crc = 7,
                                        .times_written = 12,
                                        .times_crc = 9 };
    return checkpoint;
}

static void load(struct fixture *fixture)
{
    free(fixture->content.segments);
    fixture->content.segments = NULL;
    fc_manifest_release(&fixture->manifest);
    if (fc_manifest_load(&fixture->manifest, fixture->fs, "", false, &fixture->content,
                         &fixture->err) != FC_OK) {
        fail_msg("%s", fixture->err.message);
    }
}

static int set_up(void **state)
{
    static struct fixture fixture; /* one test at a time */
    struct fc_checkpoint first = checkpoint_at(10);
    memset(&fixture, 0, sizeof(fixture));
    fixture.fs = fs_lossy_new(7, 512);
    assert_int_equal(fc_manifest_create(fixture.fs, "", &first, &fixture.err), FC_OK);
    load(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    free(fixture->content.segments);
    fc_manifest_release(&fixture->manifest);
    fs_lossy_free(fixture->fs);
    return 0;
}

static void put(struct fixture *fixture, int64_t durable)
{
    struct fc_checkpoint checkpoint = checkpoint_at(durable);
    assert_int_equal(fc_manifest_put(&fixture->manifest, &checkpoint, &fixture->err), FC_OK);
}

static void add(struct fixture *fixture, int64_t base, int64_t end)
{
    struct fc_segment segment = {
        .base = base, .end = end, .size = 1000, .max_timestamp_ms = -5
    };
    assert_int_equal(fc_manifest_add(&fixture->manifest, &segment, 1, &fixture->err), FC_OK);
}

static void sync_it(struct fixture *fixture)
{
    assert_int_equal(fc_manifest_sync(&fixture->manifest, &fixture->err), FC_OK);
}

static void everything_written_is_read_back(void **state)
{
    struct fixture *fixture = *state;
    struct fc_checkpoint expected = checkpoint_at(30);
    const struct fc_checkpoint *found = &fixture->content.checkpoint;
    add(fixture, 5, 10);
    add(fixture, 10, 30);
    sync_it(fixture);
    put(fixture, 30);
    load(fixture);
    assert_int_equal(found->start, expected.start);
    assert_int_equal(found->durable, expected.durable);
    assert_int_equal(found->segment_base, expected.segment_base);
    assert_int_equal(found->segment_size, expected.segment_size);
    assert_int_equal(found->max_timestamp_ms, expected.max_timestamp_ms);
    assert_int_equal(found->first_append_ms, expected.first_append_ms);
    assert_int_equal(found->offsets_written, expected.offsets_written);
    assert_int_equal(found->offsets_crc, expected.offsets_crc);
    assert_int_equal(found->times_written, expected.times_written);
    assert_int_equal(found->times_crc, expected.times_crc);
    assert_true(fixture->content.whole);
    assert_int_equal(fixture->content.count, 2);
    assert_int_equal(fixture->content.segments[1].base, 10);
    assert_int_equal(fixture->content.segments[1].end, 30);
    assert_int_equal(fixture->content.segments[1].size, 1000);
    assert_int_equal(fixture->content.segments[1].max_timestamp_ms, -5);
}

static void the_newest_synced_checkpoint_survives_every_power_cut(void **state)
{
    struct fixture *fixture = *state;
    int64_t synced = 10;
    int64_t newest = 10;
    for (int round = 0; round < 200; round++) {
        for (int puts = 0; puts <= round % 4; puts++) {
            put(fixture, ++newest);
            if ((round + puts) % 3 == 0) {
                sync_it(fixture);
                synced = newest;
            }
        }
        fs_lossy_power_cut(fixture->fs);
        load(fixture);
        assert_in_range(fixture->content.checkpoint.durable, synced, newest);
        synced = fixture->content.checkpoint.durable;
        newest = synced;
    }
}

/* Sectors smaller than a checkpoint, so that one can be torn. */
static void a_checkpoint_that_a_dead_process_left_unsynced_is_not_relied_on(void **state)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct fixture fixture = { .fs = fs_lossy_new(seed, 32) };
        struct fc_checkpoint first = checkpoint_at(10);
        assert_int_equal(fc_manifest_create(fixture.fs, "", &first, &fixture.err), FC_OK);
        load(&fixture);
        put(&fixture, 20);
        fs_lossy_crash(fixture.fs);
        load(&fixture);
        assert_int_equal(fixture.content.checkpoint.durable, 20);
        put(&fixture, 30);
        fs_lossy_power_cut(fixture.fs);
        load(&fixture);
        assert_in_range(fixture.content.checkpoint.durable, 20, 30);
        free(fixture.content.segments);
        fc_manifest_release(&fixture.manifest);
        fs_lossy_free(fixture.fs);
    }
    (void)state;
}

static void an_entry_that_no_checkpoint_vouches_for_may_be_torn(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, 0, 10);
    sync_it(fixture);
    put(fixture, 10);
    add(fixture, 10, 20);
    fs_lossy_flip_byte(fixture->fs, "/manifest", 12288 + 40 + 20);
    load(fixture);
    assert_int_equal(fixture->content.count, 1);
    assert_false(fixture->content.whole);
    assert_int_equal(
        fc_manifest_take_over(&fixture->manifest, &fixture->content, &fixture->err), FC_OK);
    add(fixture, 10, 25); /* takes the place of the torn one */
    load(fixture);
    assert_int_equal(fixture->content.count, 2);
    assert_int_equal(fixture->content.segments[1].end, 25);
}

static void entries_that_were_seen_after_a_failed_sync_are_written_again(void **state)
{
    struct fixture *fixture = *state;
    add(fixture, 0, 10);
    put(fixture, 20);
    fs_lossy_fail_sync(fixture->fs, 1);
    assert_int_equal(fc_manifest_sync(&fixture->manifest, &fixture->err), FC_ERR_IO);
    load(fixture);
    assert_int_equal(fixture->content.count, 1); /* seen, but perhaps not on the disk */
    assert_int_equal(
        fc_manifest_take_over(&fixture->manifest, &fixture->content, &fixture->err), FC_OK);
    fs_lossy_power_cut(fixture->fs);
    load(fixture);
    assert_int_equal(fixture->content.count, 1);
    assert_int_equal(fixture->content.checkpoint.durable, 20);
}

/* What happens while the disk is waited for: `during` is called there. */
static struct fixture *syncing;
static void (*during)(struct fixture *fixture);
static const struct fc_fs_ops *lossy;

static fc_code sync_with_company(struct fc_file *file, struct fc_error *err)
{
    void (*call)(struct fixture *) = during;
    fc_code code = lossy->sync(file, err);
    syncing->fs->ops = lossy; /* before another thread looks */
    during = NULL;
    if (call != NULL) {
        call(syncing);
    }
    return code;
}

static void sync_beside(struct fixture *fixture, void (*call)(struct fixture *),
                        fc_code expected)
{
    struct fc_fs_ops ops;
    lossy = fixture->fs->ops;
    ops = *lossy;
    ops.sync = sync_with_company;
    syncing = fixture;
    during = call;
    fixture->fs->ops = &ops;
    assert_int_equal(fc_manifest_sync_beside(&fixture->manifest, &fixture->err), expected);
    assert_ptr_equal(fixture->fs->ops, lossy);
    assert_null(during);
}

static void put_two(struct fixture *fixture)
{
    put(fixture, 30);
    put(fixture, 40);
}

static void a_checkpoint_during_a_sync_beside_waits_for_its_end(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, 20);
    sync_beside(fixture, put_two, FC_OK);
    load(fixture);
    assert_int_equal(fixture->content.checkpoint.durable, 40); /* the newest was written */
}

static void what_is_put_during_a_sync_beside_never_harms_what_it_synced(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 64; seed++) {
        struct fixture fixture = { 0 };
        struct fc_checkpoint first = checkpoint_at(10);
        fixture.fs = fs_lossy_new(seed, 64); /* cuts tear the slots */
        assert_int_equal(fc_manifest_create(fixture.fs, "", &first, &fixture.err), FC_OK);
        load(&fixture);
        put(&fixture, 15); /* the loaded one is certain from here on */
        sync_it(&fixture);
        put(&fixture, 20);
        sync_beside(&fixture, put_two, FC_OK);
        put(&fixture, 50);
        fs_lossy_power_cut(fixture.fs);
        load(&fixture);
        assert_true(fixture.content.checkpoint.durable >= 20);
        free(fixture.content.segments);
        fc_manifest_release(&fixture.manifest);
        fs_lossy_free(fixture.fs);
    }
}

static void a_sync_beside_that_fails_writes_nothing_more(void **state)
{
    struct fixture *fixture = *state;
    struct fc_checkpoint checkpoint = checkpoint_at(50);
    put(fixture, 20);
    sync_it(fixture);
    put(fixture, 30);
    fs_lossy_fail_sync(fixture->fs, 1);
    sync_beside(fixture, put_two, FC_ERR_IO);
    /* The next sync would succeed, with nothing on the disk. */
    assert_int_equal(fc_manifest_sync(&fixture->manifest, &fixture->err), FC_ERR_IO);
    assert_int_equal(fc_manifest_put(&fixture->manifest, &checkpoint, &fixture->err),
                     FC_ERR_IO);
    fs_lossy_power_cut(fixture->fs);
    load(fixture);
    assert_in_range(fixture->content.checkpoint.durable, 20, 30);
}

static void *add_entry(void *arg)
{
    add(arg, 0, 10);
    sync_it(arg);
    return NULL;
}

static pthread_t adder;

static void start_adder(struct fixture *fixture)
{
    assert_int_equal(pthread_create(&adder, NULL, add_entry, fixture), 0);
}

static void an_entry_waits_for_a_sync_beside(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, 20);
    sync_beside(fixture, start_adder, FC_OK);
    assert_int_equal(pthread_join(adder, NULL), 0);
    fs_lossy_power_cut(fixture->fs);
    load(fixture);
    assert_int_equal(fixture->content.count, 1);
    assert_int_equal(fixture->content.checkpoint.durable, 20);
}

static void a_rewritten_manifest_has_only_what_it_was_given(void **state)
{
    struct fixture *fixture = *state;
    struct fc_segment live = { .base = 20, .end = 30, .size = 7, .max_timestamp_ms = 8 };
    struct fc_checkpoint checkpoint = checkpoint_at(30);
    add(fixture, 0, 20);
    add(fixture, 20, 30);
    sync_it(fixture);
    assert_int_equal(
        fc_manifest_rewrite(&fixture->manifest, &live, 1, &checkpoint, &fixture->err), FC_OK);
    add(fixture, 30, 31); /* the new file is the one that is written from now on */
    put(fixture, 31);
    load(fixture);
    assert_int_equal(fixture->content.count, 2);
    assert_int_equal(fixture->content.segments[0].base, 20);
    assert_int_equal(fixture->content.checkpoint.durable, 31);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(everything_written_is_read_back),
        T(the_newest_synced_checkpoint_survives_every_power_cut),
        cmocka_unit_test(a_checkpoint_that_a_dead_process_left_unsynced_is_not_relied_on),
        T(an_entry_that_no_checkpoint_vouches_for_may_be_torn),
        T(entries_that_were_seen_after_a_failed_sync_are_written_again),
        T(a_checkpoint_during_a_sync_beside_waits_for_its_end),
        cmocka_unit_test(what_is_put_during_a_sync_beside_never_harms_what_it_synced),
        T(a_sync_beside_that_fails_writes_nothing_more),
        T(an_entry_waits_for_a_sync_beside),
        T(a_rewritten_manifest_has_only_what_it_was_given),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
