/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/format.h"
#include "runner/envelope/json_number.h"

static void whole_numbers_are_read_up_to_64_bits(void **state)
{
    bool negative = false;
    uint64_t value = 0;
    (void)state;
    assert_true(fc_json_number_whole(fc_slice_text("18446744073709551615"), &negative, &value));
    assert_true(value == UINT64_MAX && !negative);
    assert_true(fc_json_number_whole(fc_slice_text("-9223372036854775808"), &negative, &value));
    assert_true(value == (uint64_t)1 << 63 && negative);
    assert_true(
        fc_json_number_whole(fc_slice_text("000000000000000000000001"), &negative, &value));
    assert_true(value == 1);
    assert_false(
        fc_json_number_whole(fc_slice_text("18446744073709551616"), &negative, &value));
    assert_false(
        fc_json_number_whole(fc_slice_text("99999999999999999999"), &negative, &value));
    assert_false(fc_json_number_whole(fc_slice_text("-"), &negative, &value));
}

static void any_float_and_double_comes_back_from_its_text(void **state)
{
    uint64_t random = 88172645463325252ULL;
    (void)state;
    for (int round = 0; round < 100000; round++) {
        char text[FC_FORMAT_DOUBLE_SIZE];
        double wanted;
        double value = 0;
        float wanted_float;
        float value_float = 0;
        uint32_t low;
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        memcpy(&wanted, &random, sizeof(wanted));
        if (round % 2 == 0) { /* numbers with few digits, as people store them */
            wanted = (double)(random % 100000000) / 100;
        }
        low = (uint32_t)random;
        memcpy(&wanted_float, &low, sizeof(wanted_float));
        if (isfinite(wanted)) {
            size_t len = fc_format_double(text, wanted);
            assert_true(fc_json_number_double(fc_slice_of(text, len), &value));
            assert_memory_equal(&value, &wanted, sizeof(value));
        }
        if (isfinite(wanted_float)) {
            size_t len = fc_format_float(text, wanted_float);
            assert_true(fc_json_number_float(fc_slice_of(text, len), &value_float));
            assert_memory_equal(&value_float, &wanted_float, sizeof(value_float));
        }
    }
}

static void texts_that_need_more_than_53_bits_are_rounded_once(void **state)
{
    double value = 0;
    float value_float = 0;
    (void)state;
    assert_true(fc_json_number_double(fc_slice_text("9007199254740993"), &value));
    assert_true(value == 9007199254740992.0);
    assert_true(fc_json_number_double(fc_slice_text("0.1"), &value));
    assert_true(value == 0.1);
    assert_true(fc_json_number_double(fc_slice_text("-0.0"), &value));
    assert_true(value == 0 && signbit(value));
    assert_true(fc_json_number_float(fc_slice_text("16777217.0"), &value_float));
    assert_true(value_float == 16777216.0F);
}

static void what_is_no_number_is_refused(void **state)
{
    double value = 0;
    float value_float = 0;
    char text[100];
    (void)state;
    memset(text, '1', sizeof(text));
    assert_false(fc_json_number_double(fc_slice_of(text, sizeof(text)), &value));
    assert_false(fc_json_number_float(fc_slice_of(text, sizeof(text)), &value_float));
    assert_false(fc_json_number_double(fc_slice_text("1-2"), &value));
    assert_false(fc_json_number_double(fc_slice_text("1.2.3"), &value));
    assert_false(fc_json_number_double(fc_slice_text(""), &value));
    assert_false(fc_json_number_float(fc_slice_text("1e5e5"), &value_float));
    assert_false(fc_json_number_word(fc_slice_text("nan"), &value));
    assert_true(fc_json_number_word(fc_slice_text("-Infinity"), &value));
    assert_true(isinf(value) && value < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_are_read_up_to_64_bits),
        cmocka_unit_test(any_float_and_double_comes_back_from_its_text),
        cmocka_unit_test(texts_that_need_more_than_53_bits_are_rounded_once),
        cmocka_unit_test(what_is_no_number_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
