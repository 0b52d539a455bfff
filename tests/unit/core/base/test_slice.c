/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/slice.h"

static void the_null_slice_is_not_the_empty_one(void **state)
{
    (void)state;
    assert_true(fc_slice_is_null(fc_slice_null()));
    assert_false(fc_slice_is_null(fc_slice_text("")));
    assert_false(fc_slice_equal(fc_slice_null(), fc_slice_text("")));
    assert_true(fc_slice_equal(fc_slice_null(), fc_slice_null()));
    assert_false(fc_slice_equal_text(fc_slice_null(), ""));
    assert_true(fc_slice_equal_text(fc_slice_text(""), ""));
}

static void slices_are_equal_by_length_and_bytes(void **state)
{
    (void)state;
    assert_true(fc_slice_equal(fc_slice_of("a\0b", 3), fc_slice_of("a\0b", 3)));
    assert_false(fc_slice_equal(fc_slice_of("a\0b", 3), fc_slice_of("a\0c", 3)));
    assert_false(fc_slice_equal(fc_slice_text("ab"), fc_slice_text("abc")));
    assert_false(fc_slice_equal_text(fc_slice_text("ab"), "abc"));
    assert_int_equal(fc_slice_text("abc").len, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_null_slice_is_not_the_empty_one),
        cmocka_unit_test(slices_are_equal_by_length_and_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
