/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/offset_map.h"

static void an_offset_gets_the_newest_point_that_is_not_beyond_it(void **state)
{
    struct fc_offset_map map = { 0 };
    int64_t to = -1;
    (void)state;
    assert_false(fc_offset_map_find(&map, 100, &to));
    fc_offset_map_add(&map, 10, 0);
    fc_offset_map_add(&map, 20, 8);
    fc_offset_map_add(&map, 30, 15);
    assert_false(fc_offset_map_find(&map, 9, &to));
    assert_int_equal(to, -1);
    assert_true(fc_offset_map_find(&map, 10, &to));
    assert_int_equal(to, 0);
    assert_true(fc_offset_map_find(&map, 29, &to));
    assert_int_equal(to, 8);
    assert_true(fc_offset_map_find(&map, 1000, &to));
    assert_int_equal(to, 15);
    fc_offset_map_release(&map);
}

static void a_point_that_goes_back_is_passed_over(void **state)
{
    struct fc_offset_map map = { 0 };
    int64_t to = -1;
    (void)state;
    fc_offset_map_add(&map, 10, 10);
    fc_offset_map_add(&map, 10, 11);
    fc_offset_map_add(&map, 9, 12);
    fc_offset_map_add(&map, 11, 9);
    assert_int_equal(map.count, 1);
    assert_true(fc_offset_map_find(&map, 50, &to));
    assert_int_equal(to, 10);
    fc_offset_map_release(&map);
}

static void too_many_points_thin_out_and_never_lead_too_far(void **state)
{
    struct fc_offset_map map = { 0 };
    const int64_t count = 20 * FC_OFFSET_MAP_POINTS_MAX;
    (void)state;
    for (int64_t at = 0; at < count; at++) {
        fc_offset_map_add(&map, at * 3, at * 2);
    }
    assert_true(map.count <= FC_OFFSET_MAP_POINTS_MAX);
    for (int64_t from = 0; from < count * 3; from += 7) {
        int64_t to = -1;
        assert_true(fc_offset_map_find(&map, from, &to));
        assert_true(to <= from / 3 * 2);
    }
    for (int64_t at = count - FC_OFFSET_MAP_POINTS_MAX / 64; at < count; at++) {
        int64_t to = -1;
        assert_true(fc_offset_map_find(&map, at * 3, &to)); /* the newest stand as they came */
        assert_int_equal(to, at * 2);
    }
    fc_offset_map_release(&map);
}

static void who_is_behind_by_much_goes_back_by_a_small_part_of_that(void **state)
{
    struct fc_offset_map map = { 0 };
    const int64_t count = 3000000;
    const int64_t wide = INT64_MAX / count; /* the widest that there can be */
    (void)state;
    for (int64_t at = 0; at < count; at++) {
        fc_offset_map_add(&map, at, at);
    }
    for (int64_t from = 0; from < count; from += 1009) {
        int64_t to = -1;
        assert_true(fc_offset_map_find(&map, from, &to));
        assert_true(to <= from);
        assert_true(from - to <= 1 + (count - from) / 32);
    }
    fc_offset_map_release(&map);
    for (int64_t at = 0; at < count; at++) {
        fc_offset_map_add(&map, at * wide, at);
    }
    assert_true(map.count <= FC_OFFSET_MAP_POINTS_MAX);
    fc_offset_map_release(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offset_gets_the_newest_point_that_is_not_beyond_it),
        cmocka_unit_test(a_point_that_goes_back_is_passed_over),
        cmocka_unit_test(too_many_points_thin_out_and_never_lead_too_far),
        cmocka_unit_test(who_is_behind_by_much_goes_back_by_a_small_part_of_that),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
