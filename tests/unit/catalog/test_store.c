/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "catalog/store_local.h"
#include "core/base/alloc.h"
#include "tests/support/fs_lossy.h"

#define PATH "/" FC_STORE_LOCAL_NAME

enum { SECTOR = 512, KEYS = 12, ROUNDS = 400, CHANGES_MAX = 5 };

struct fixture {
    struct fc_fs *fs;
    struct fc_store *store;
    struct fc_error err;
};

static void reopen(struct fixture *fixture)
{
    fc_store_close(fixture->store);
    fixture->store = NULL;
    if (fc_store_local_open(fixture->fs, "", &fixture->store, &fixture->err) != FC_OK) {
        fail_msg("%s", fixture->err.message);
    }
}

static int set_up(void **state)
{
    static struct fixture fixture; /* one test at a time */
    memset(&fixture, 0, sizeof(fixture));
    fixture.fs = fs_lossy_new(11, SECTOR);
    reopen(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fc_store_close(fixture->store);
    fs_lossy_free(fixture->fs);
    return 0;
}

static fc_code put(struct fixture *fixture, const char *key, const char *value,
                   int64_t expected)
{
    return fc_store_put(fixture->store, fc_slice_text(key),
                        value == NULL ? fc_slice_null() : fc_slice_text(value), expected,
                        &fixture->err);
}

/* The value as text, to be freed; NULL when there is none. */
static char *get(struct fixture *fixture, const char *key, int64_t *out_revision)
{
    struct fc_buf value;
    char *text = NULL;
    fc_buf_init(&value, FC_STORE_VALUE_MAX);
    if (fc_store_get(fixture->store, fc_slice_text(key), &value, out_revision, &fixture->err) ==
        FC_OK) {
        text = fc_strndup(value.data == NULL ? "" : (const char *)value.data, value.len);
    } else {
        assert_int_equal(fixture->err.code, FC_ERR_NOT_FOUND);
    }
    fc_buf_release(&value);
    return text;
}

static void expect(struct fixture *fixture, const char *key, const char *value,
                   int64_t revision)
{
    int64_t got = 0;
    char *text = get(fixture, key, &got);
    if (value == NULL) {
        assert_null(text);
    } else {
        assert_non_null(text);
        assert_string_equal(text, value);
        assert_int_equal(got, revision);
    }
    free(text);
}

static void list_key(void *ctx, const struct fc_store_entry *entry)
{
    struct fc_buf *to = ctx;
    fc_buf_append_slice(to, entry->key);
    fc_buf_append_text(to, entry->value.data == NULL ? "-" : "+");
    fc_buf_append_i64(to, entry->revision);
    fc_buf_append_text(to, " ");
}

static void expect_range(struct fixture *fixture, const char *prefix, const char *keys,
                         int64_t revision)
{
    struct fc_buf list;
    int64_t got = 0;
    fc_buf_init(&list, 4096);
    assert_int_equal(
        fc_store_range(fixture->store, prefix, list_key, &list, &got, &fixture->err), FC_OK);
    fc_buf_append_u8(&list, 0);
    assert_string_equal((const char *)list.data, keys);
    assert_int_equal(got, revision);
    fc_buf_release(&list);
}

static void keys_have_the_revision_of_their_last_change(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(put(fixture, "a/1", "x", FC_STORE_ANYTHING), FC_OK);
    assert_int_equal(put(fixture, "a/2", "", FC_STORE_ANYTHING), FC_OK);
    assert_int_equal(put(fixture, "b", "z", FC_STORE_ANYTHING), FC_OK);
    assert_int_equal(put(fixture, "a/1", "y", FC_STORE_ANYTHING), FC_OK);
    expect(fixture, "a/1", "y", 4);
    expect(fixture, "a/2", "", 2);
    expect(fixture, "a", NULL, 0);
    expect_range(fixture, "a/", "a/1+4 a/2+2 ", 4);
    expect_range(fixture, "", "a/1+4 a/2+2 b+3 ", 4);
}

static void a_change_that_expects_another_revision_is_rejected(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(put(fixture, "k", "1", FC_STORE_ABSENT), FC_OK);
    assert_int_equal(put(fixture, "k", "2", FC_STORE_ABSENT), FC_ERR_REJECTED);
    assert_int_equal(put(fixture, "k", "2", 7), FC_ERR_REJECTED);
    assert_int_equal(put(fixture, "k", "2", 1), FC_OK);
    assert_int_equal(put(fixture, "k", NULL, 1), FC_ERR_REJECTED);
    expect(fixture, "k", "2", 2);
    assert_int_equal(put(fixture, "k", NULL, 2), FC_OK);
    expect(fixture, "k", NULL, 0);
    assert_int_equal(put(fixture, "k", NULL, FC_STORE_ANYTHING), FC_OK); /* changes nothing */
    expect_range(fixture, "", "", 3);
}

static void changes_of_one_call_are_made_together_or_not_at_all(void **state)
{
    struct fixture *fixture = *state;
    struct fc_store_change changes[3] = {
        { fc_slice_text("a"), fc_slice_text("1"), FC_STORE_ABSENT },
        { fc_slice_text("b"), fc_slice_text("2"), FC_STORE_ABSENT },
        { fc_slice_text("c"), fc_slice_null(), FC_STORE_ANYTHING },
    };
    int64_t revision = 0;
    assert_int_equal(put(fixture, "b", "0", FC_STORE_ANYTHING), FC_OK);
    assert_int_equal(fc_store_apply(fixture->store, changes, 3, &revision, &fixture->err),
                     FC_ERR_REJECTED);
    expect(fixture, "a", NULL, 0);
    changes[1].expected = 1;
    assert_int_equal(fc_store_apply(fixture->store, changes, 3, &revision, &fixture->err),
                     FC_OK);
    assert_int_equal(revision, 2);
    expect_range(fixture, "", "a+2 b+2 ", 2);
}

static void what_is_too_large_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char *large = fc_alloc_zeroed(1, FC_STORE_VALUE_MAX + 2);
    memset(large, 'v', FC_STORE_VALUE_MAX + 1);
    assert_int_equal(put(fixture, "k", large, FC_STORE_ANYTHING), FC_ERR_LIMIT);
    large[FC_STORE_KEY_MAX + 1] = '\0';
    assert_int_equal(put(fixture, large, "v", FC_STORE_ANYTHING), FC_ERR_LIMIT);
    assert_int_equal(put(fixture, "", "v", FC_STORE_ANYTHING), FC_ERR_LIMIT);
    free(large);
}

static void a_store_that_is_opened_again_has_keys_values_and_revisions(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(put(fixture, "a", "1", FC_STORE_ANYTHING), FC_OK);
    assert_int_equal(put(fixture, "b", "2", FC_STORE_ANYTHING), FC_OK);
    assert_int_equal(put(fixture, "b", NULL, FC_STORE_ANYTHING), FC_OK);
    reopen(fixture);
    expect_range(fixture, "", "a+1 ", 3);
    reopen(fixture);
    assert_int_equal(put(fixture, "c", "3", FC_STORE_ANYTHING), FC_OK);
    expect(fixture, "c", "3", 4);
}

static void count_events(void *ctx, const struct fc_store_entry *events, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        list_key(ctx, &events[index]);
    }
    fc_buf_append_text(ctx, "| ");
}

static void a_watch_tells_each_revision_from_the_one_that_is_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct fc_buf told;
    struct fc_store_watch watch = { .prefix = "a/", .on_change = count_events, .ctx = &told };
    struct fc_store_change both[2] = {
        { fc_slice_text("a/1"), fc_slice_null(), FC_STORE_ANYTHING },
        { fc_slice_text("a/2"), fc_slice_text("new"), FC_STORE_ANYTHING },
    };
    fc_buf_init(&told, 4096);
    assert_int_equal(put(fixture, "a/1", "x", FC_STORE_ANYTHING), FC_OK);
    assert_int_equal(put(fixture, "a/1", "y", FC_STORE_ANYTHING), FC_OK);
    assert_int_equal(put(fixture, "b/1", "y", FC_STORE_ANYTHING), FC_OK);
    assert_int_equal(fc_store_watch(fixture->store, &watch, 2, &fixture->err), FC_OK);
    assert_int_equal(fc_store_apply(fixture->store, both, 2, NULL, &fixture->err), FC_OK);
    fc_store_unwatch(fixture->store, &watch);
    assert_int_equal(put(fixture, "a/3", "x", FC_STORE_ANYTHING), FC_OK);
    fc_buf_append_u8(&told, 0);
    assert_string_equal((const char *)told.data, "a/1+2 | a/1-4 a/2+4 | ");
    fc_buf_release(&told);
}

static void a_watch_from_what_is_not_kept_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct fc_store_watch watch = { .prefix = "", .on_change = count_events };
    for (int index = 0; index < 300; index++) {
        assert_int_equal(put(fixture, "k", "v", FC_STORE_ANYTHING), FC_OK);
    }
    assert_int_equal(fc_store_watch(fixture->store, &watch, 1, &fixture->err),
                     FC_ERR_NOT_FOUND);
    reopen(fixture);
    assert_int_equal(fc_store_watch(fixture->store, &watch, 300, &fixture->err),
                     FC_ERR_NOT_FOUND);
    assert_int_equal(fc_store_watch(fixture->store, &watch, 301, &fixture->err), FC_OK);
    fc_store_unwatch(fixture->store, &watch);
}

static void the_file_does_not_grow_with_changes_of_the_same_key(void **state)
{
    struct fixture *fixture = *state;
    for (int index = 0; index < 5000; index++) {
        assert_int_equal(
            put(fixture, "k", "0123456789012345678901234567890123456789", FC_STORE_ANYTHING),
            FC_OK);
    }
    assert_true(fs_lossy_used(fixture->fs) < 160 * 1024);
    reopen(fixture);
    expect_range(fixture, "", "k+5000 ", 5000);
}

static void damage_is_refused_with_its_place(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(put(fixture, "a", "1", FC_STORE_ANYTHING), FC_OK);
    assert_int_equal(put(fixture, "b", "2", FC_STORE_ANYTHING), FC_OK);
    fc_store_close(fixture->store); /* writes the mark that nothing may be missing before */
    fixture->store = NULL;
    fs_lossy_flip_byte(fixture->fs, PATH, 32 + 39 + 20);
    assert_int_equal(fc_store_local_open(fixture->fs, "", &fixture->store, &fixture->err),
                     FC_ERR_CORRUPT);
    assert_non_null(strstr(fixture->err.message, "metadata.store: damaged at byte 71"));
    fs_lossy_flip_byte(fixture->fs, PATH, 32 + 39 + 20);
    fs_lossy_flip_byte(fixture->fs, PATH, 20);
    assert_int_equal(fc_store_local_open(fixture->fs, "", &fixture->store, &fixture->err),
                     FC_ERR_CORRUPT);
    fs_lossy_flip_byte(fixture->fs, PATH, 20);
    reopen(fixture);
    expect_range(fixture, "", "a+1 b+2 ", 2);
}

static void a_full_disk_refuses_changes_until_there_is_room(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(put(fixture, "a", "1", FC_STORE_ANYTHING), FC_OK);
    fs_lossy_set_capacity(fixture->fs, fs_lossy_used(fixture->fs) + 10);
    assert_int_equal(put(fixture, "a", "2", FC_STORE_ANYTHING), FC_ERR_FULL);
    expect(fixture, "a", "1", 1);
    fs_lossy_set_capacity(fixture->fs, UINT64_MAX);
    assert_int_equal(put(fixture, "a", "3", FC_STORE_ANYTHING), FC_OK);
    reopen(fixture);
    expect(fixture, "a", "3", 2);
}

static void after_a_failed_sync_nothing_is_changed_until_it_is_opened_again(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(put(fixture, "a", "1", FC_STORE_ANYTHING), FC_OK);
    fs_lossy_fail_sync(fixture->fs, 1);
    assert_int_equal(put(fixture, "a", "2", FC_STORE_ANYTHING), FC_ERR_IO);
    assert_int_equal(put(fixture, "a", "3", FC_STORE_ANYTHING), FC_ERR_IO);
    expect(fixture, "a", "1", 1);
    reopen(fixture);
    assert_int_equal(put(fixture, "a", "4", FC_STORE_ANYTHING), FC_OK);
    fs_lossy_power_cut(fixture->fs);
    reopen(fixture);
    free(get(fixture, "a", NULL));
    {
        char *text = get(fixture, "a", NULL);
        assert_string_equal(text, "4");
        free(text);
    }
}

/* --- power loss, against a model --- */

struct model {
    int values[KEYS]; /* 0: absent */
};

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static fc_code change_some(struct fixture *fixture, struct model *model, uint32_t *random)
{
    struct fc_store_change changes[CHANGES_MAX];
    char keys[CHANGES_MAX][16];
    char values[CHANGES_MAX][1200];
    size_t count = 0;
    size_t wanted = 1 + next_random(random) % CHANGES_MAX;
    unsigned key = next_random(random) % KEYS;
    for (size_t index = 0; index < wanted; index++) {
        bool removes = next_random(random) % 4 == 0;
        int value = removes ? 0 : 1 + (int)(next_random(random) % 1000);
        key = (key + 1) % KEYS;
        (void)snprintf(keys[count], sizeof(keys[count]), "k/%u", key);
        (void)snprintf(values[count], sizeof(values[count]), "%0*d",
                       1 + (int)(next_random(random) % 1100), value);
        changes[count].key = fc_slice_text(keys[count]);
        changes[count].value = removes ? fc_slice_null() : fc_slice_text(values[count]);
        changes[count].expected = FC_STORE_ANYTHING;
        model->values[key] = value;
        count++;
    }
    return fc_store_apply(fixture->store, changes, count, NULL, &fixture->err);
}

static bool agrees(struct fixture *fixture, const struct model *model)
{
    bool same = true;
    for (unsigned key = 0; key < KEYS; key++) {
        char name[16];
        char *text;
        (void)snprintf(name, sizeof(name), "k/%u", key);
        text = get(fixture, name, NULL);
        same = same && (text == NULL ? 0 : strtol(text, NULL, 10)) == model->values[key];
        free(text);
    }
    return same;
}

/* Opening writes the file anew, so the power may fail there, too. */
static void open_with_cuts(struct fixture *fixture, uint32_t *random)
{
    fc_store_close(fixture->store);
    fixture->store = NULL;
    for (;;) {
        fs_lossy_power_cut(fixture->fs);
        fs_lossy_cut_after(fixture->fs, next_random(random) % 12);
        if (fc_store_local_open(fixture->fs, "", &fixture->store, &fixture->err) == FC_OK) {
            break;
        }
        assert_int_equal(fixture->err.code, FC_ERR_IO);
    }
}

static void no_power_cut_loses_or_splits_a_change_that_was_confirmed(void **state)
{
    struct fixture *fixture = *state;
    struct model before = { { 0 } };
    struct model after = { { 0 } };
    uint32_t random = 4711;
    unsigned torn = 0;
    for (int round = 0; round < ROUNDS; round++) {
        fs_lossy_cut_after(fixture->fs, 1 + next_random(&random) % 60);
        do {
            before = after;
        } while (change_some(fixture, &after, &random) == FC_OK);
        open_with_cuts(fixture, &random);
        if (agrees(fixture, &after)) {
            before = after;
        } else {
            torn++;
            assert_true(agrees(fixture, &before));
            after = before;
        }
    }
    assert_true(torn > ROUNDS / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keys_have_the_revision_of_their_last_change, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_change_that_expects_another_revision_is_rejected,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(changes_of_one_call_are_made_together_or_not_at_all,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_large_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_store_that_is_opened_again_has_keys_values_and_revisions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_watch_tells_each_revision_from_the_one_that_is_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_watch_from_what_is_not_kept_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_file_does_not_grow_with_changes_of_the_same_key,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_is_refused_with_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_refuses_changes_until_there_is_room, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            after_a_failed_sync_nothing_is_changed_until_it_is_opened_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            no_power_cut_loses_or_splits_a_change_that_was_confirmed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
