/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/hashmap.h"

enum { COUNT = 5000 };

static struct fc_slice name_of(char *to, int number)
{
    return fc_slice_of(to, (size_t)snprintf(to, 16, "key%d", number));
}

static void what_is_put_is_found_and_what_is_removed_is_gone(void **state)
{
    static int values[COUNT];
    struct fc_hashmap map;
    char name[16];
    (void)state;
    fc_hashmap_init(&map);
    assert_null(fc_hashmap_get(&map, fc_slice_text("none")));
    assert_null(fc_hashmap_remove(&map, fc_slice_text("none")));
    for (int index = 0; index < COUNT; index++) {
        assert_null(fc_hashmap_put(&map, name_of(name, index), &values[index]));
    }
    assert_int_equal(map.count, COUNT);
    for (int index = 0; index < COUNT; index += 2) {
        assert_ptr_equal(fc_hashmap_remove(&map, name_of(name, index)), &values[index]);
    }
    assert_int_equal(map.count, COUNT / 2);
    for (int index = 0; index < COUNT; index++) {
        assert_ptr_equal(fc_hashmap_get(&map, name_of(name, index)),
                         index % 2 == 0 ? NULL : &values[index]);
    }
    fc_hashmap_release(&map, NULL);
    assert_int_equal(map.count, 0);
}

static void a_second_put_replaces_and_gives_the_old_value(void **state)
{
    struct fc_hashmap map;
    int first = 1;
    int second = 2;
    (void)state;
    fc_hashmap_init(&map);
    assert_null(fc_hashmap_put(&map, fc_slice_of("a\0b", 3), &first));
    assert_null(fc_hashmap_put(&map, fc_slice_of("a\0c", 3), &first));
    assert_null(fc_hashmap_put(&map, fc_slice_text(""), &first));
    assert_ptr_equal(fc_hashmap_put(&map, fc_slice_of("a\0b", 3), &second), &first);
    assert_int_equal(map.count, 3);
    assert_ptr_equal(fc_hashmap_get(&map, fc_slice_of("a\0b", 3)), &second);
    assert_ptr_equal(fc_hashmap_get(&map, fc_slice_of("a\0c", 3)), &first);
    assert_ptr_equal(fc_hashmap_get(&map, fc_slice_text("")), &first);
    fc_hashmap_release(&map, NULL);
}

static void keys_are_copied(void **state)
{
    struct fc_hashmap map;
    char name[] = "one";
    int value = 0;
    (void)state;
    fc_hashmap_init(&map);
    assert_null(fc_hashmap_put(&map, fc_slice_text(name), &value));
    name[0] = 'x';
    assert_ptr_equal(fc_hashmap_get(&map, fc_slice_text("one")), &value);
    fc_hashmap_release(&map, NULL);
}

static void a_walk_meets_each_entry_once(void **state)
{
    static int seen[COUNT];
    struct fc_hashmap map;
    struct fc_slice key;
    void *value = NULL;
    size_t cursor = 0;
    int count = 0;
    char name[16];
    (void)state;
    fc_hashmap_init(&map);
    assert_false(fc_hashmap_next(&map, &cursor, &key, &value));
    for (int index = 0; index < COUNT; index++) {
        assert_null(fc_hashmap_put(&map, name_of(name, index), &seen[index]));
    }
    for (cursor = 0; fc_hashmap_next(&map, &cursor, &key, &value); count++) {
        int *place = value;
        assert_true(fc_slice_equal(key, name_of(name, (int)(place - seen))));
        (*place)++;
    }
    assert_int_equal(count, COUNT);
    for (int index = 0; index < COUNT; index++) {
        assert_int_equal(seen[index], 1);
    }
    assert_false(fc_hashmap_next(&map, &cursor, &key, &value));
    fc_hashmap_release(&map, NULL);
}

static void release_hands_each_value_back(void **state)
{
    struct fc_hashmap map;
    char name[16];
    (void)state;
    fc_hashmap_init(&map);
    for (int index = 0; index < 100; index++) {
        assert_null(fc_hashmap_put(&map, name_of(name, index), malloc(8)));
    }
    fc_hashmap_release(&map, free); /* the leak checker counts */
    assert_int_equal(map.slot_count, 0);
}

static void the_hash_depends_on_every_byte(void **state)
{
    (void)state;
    assert_true(fc_hash64(fc_slice_text("abc")) == fc_hash64(fc_slice_text("abc")));
    assert_false(fc_hash64(fc_slice_text("abc")) == fc_hash64(fc_slice_text("abd")));
    assert_true(fc_hash64(fc_slice_null()) == fc_hash64(fc_slice_text("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_found_and_what_is_removed_is_gone),
        cmocka_unit_test(a_second_put_replaces_and_gives_the_old_value),
        cmocka_unit_test(keys_are_copied),
        cmocka_unit_test(a_walk_meets_each_entry_once),
        cmocka_unit_test(release_hands_each_value_back),
        cmocka_unit_test(the_hash_depends_on_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
