/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/quantity.h"

static void whole_numbers_reach_from_end_to_end(void **state)
{
    int64_t value = 5;
    (void)state;
    assert_true(fc_quantity_int("0", &value));
    assert_int_equal(value, 0);
    assert_true(fc_quantity_int("9223372036854775807", &value));
    assert_true(value == INT64_MAX);
    assert_true(fc_quantity_int("-9223372036854775808", &value));
    assert_true(value == INT64_MIN);
}

static void what_is_no_whole_number_is_refused_and_changes_nothing(void **state)
{
    static const char *const wrong[] = { "",
                                         "-",
                                         "+1",
                                         " 1",
                                         "1 ",
                                         "1.0",
                                         "0x1",
                                         "1_000",
                                         "9223372036854775808",
                                         "-9223372036854775809",
                                         "99999999999999999999999" };
    int64_t value = 77;
    (void)state;
    for (size_t index = 0; index < sizeof(wrong) / sizeof(*wrong); index++) {
        assert_false(fc_quantity_int(wrong[index], &value));
    }
    assert_int_equal(value, 77);
}

static void sizes_have_binary_and_decimal_units(void **state)
{
    int64_t value = 0;
    (void)state;
    assert_true(fc_quantity_size("512", &value));
    assert_int_equal(value, 512);
    assert_true(fc_quantity_size("64KiB", &value));
    assert_int_equal(value, 65536);
    assert_true(fc_quantity_size("1GiB", &value));
    assert_int_equal(value, 1073741824);
    assert_true(fc_quantity_size("3MB", &value));
    assert_int_equal(value, 3000000);
    assert_false(fc_quantity_size("1kib", &value));
    assert_false(fc_quantity_size("1 MiB", &value));
    assert_false(fc_quantity_size("-1MiB", &value));
    assert_false(fc_quantity_size("MiB", &value));
    assert_false(fc_quantity_size("9000000TiB", &value));
    assert_false(fc_quantity_size("", &value));
}

static void durations_need_a_unit(void **state)
{
    int64_t value = 0;
    (void)state;
    assert_true(fc_quantity_duration("250ms", &value));
    assert_int_equal(value, 250);
    assert_true(fc_quantity_duration("30s", &value));
    assert_int_equal(value, 30000);
    assert_true(fc_quantity_duration("5m", &value));
    assert_int_equal(value, 300000);
    assert_true(fc_quantity_duration("7d", &value));
    assert_int_equal(value, 604800000);
    assert_true(fc_quantity_duration("0", &value));
    assert_int_equal(value, 0);
    assert_false(fc_quantity_duration("30", &value));
    assert_false(fc_quantity_duration("1w", &value));
    assert_false(fc_quantity_duration("-1s", &value));
    assert_false(fc_quantity_duration("9223372036854775807d", &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_reach_from_end_to_end),
        cmocka_unit_test(what_is_no_whole_number_is_refused_and_changes_nothing),
        cmocka_unit_test(sizes_have_binary_and_decimal_units),
        cmocka_unit_test(durations_need_a_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
