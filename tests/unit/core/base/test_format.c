/* SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/format.h"

static void whole_numbers_are_written_in_full(void **state)
{
    char text[FC_FORMAT_I64_SIZE + 1];
    char expected[32];
    uint64_t value = 1;
    (void)state;
    for (int round = 0; round < 400; round++) {
        text[fc_format_u64(text, value)] = '\0';
        (void)snprintf(expected, sizeof(expected), "%llu", (unsigned long long)value);
        assert_string_equal(text, expected);
        text[fc_format_i64(text, (int64_t)(0 - value))] = '\0';
        (void)snprintf(expected, sizeof(expected), "%lld", (long long)(0 - value));
        assert_string_equal(text, expected);
        value = value * 3 + (uint64_t)round;
    }
    text[fc_format_u64(text, 0)] = '\0';
    assert_string_equal(text, "0");
    text[fc_format_u64(text, UINT64_MAX)] = '\0';
    assert_string_equal(text, "18446744073709551615");
    text[fc_format_i64(text, INT64_MIN)] = '\0';
    assert_string_equal(text, "-9223372036854775808");
}

static void every_count_of_digits_is_right_at_its_edges(void **state)
{
    uint64_t power = 1;
    (void)state;
    for (size_t digits = 1; digits <= 19; digits++) {
        char text[FC_FORMAT_I64_SIZE];
        assert_int_equal(fc_format_u64(text, power), digits);
        assert_int_equal(fc_format_u64(text, power * 10 - 1), digits == 19 ? 19 : digits);
        power *= 10;
    }
    {
        char text[FC_FORMAT_I64_SIZE];
        assert_int_equal(fc_format_u64(text, power), 20);
    }
}

static void padding_gives_exactly_its_width(void **state)
{
    char text[16] = "###############";
    (void)state;
    fc_format_padded(text, 7, 3);
    assert_memory_equal(text, "007#", 4);
    fc_format_padded(text, 999999999, 9);
    assert_memory_equal(text, "999999999#", 10);
    fc_format_padded(text, 0, 1);
    assert_memory_equal(text, "09", 2);
}

static void assert_double(double value, const char *expected)
{
    char text[FC_FORMAT_DOUBLE_SIZE + 1];
    text[fc_format_double(text, value)] = '\0';
    assert_string_equal(text, expected);
}

static void assert_float(float value, const char *expected)
{
    char text[FC_FORMAT_DOUBLE_SIZE + 1];
    text[fc_format_float(text, value)] = '\0';
    assert_string_equal(text, expected);
}

static void doubles_are_laid_out_as_java_does(void **state)
{
    (void)state;
    assert_double(0.0, "0.0");
    assert_double(-0.0, "-0.0");
    assert_double(1.0, "1.0");
    assert_double(-123.456, "-123.456");
    assert_double(0.1, "0.1");
    assert_double(0.1 + 0.2, "0.30000000000000004");
    assert_double(0.001, "0.001");
    assert_double(0.00099, "9.9E-4");
    assert_double(9999999.0, "9999999.0");
    assert_double(10000000.0, "1.0E7");
    assert_double(12345678.5, "1.23456785E7");
    assert_double(1e23, "1.0E23");
    assert_double(1.0 / 3, "0.3333333333333333");
    assert_double(2.0 / 3, "0.6666666666666666");
    assert_double(9007199254740993.0, "9.007199254740992E15");
    assert_double(DBL_MAX, "1.7976931348623157E308");
    assert_double(DBL_MIN, "2.2250738585072014E-308");
    assert_double(5e-324, "5.0E-324");
    assert_double((double)NAN, "NaN");
    assert_double((double)INFINITY, "Infinity");
    assert_double(-(double)INFINITY, "-Infinity");
}

static void floats_are_laid_out_as_java_does(void **state)
{
    (void)state;
    assert_float(0.1F, "0.1");
    assert_float(-1.5F, "-1.5");
    assert_float(16777216.0F, "1.6777216E7");
    assert_float(999999.0F, "999999.0");
    assert_float(1234567.0F, "1234567.0");
    assert_float(0.001F, "0.001");
    assert_float(3.14159274F, "3.1415927");
    assert_float(FLT_MAX, "3.4028235E38");
    assert_float(FLT_MIN, "1.1754944E-38");
    assert_float(1e-45F, "1.0E-45");
    assert_float(NAN, "NaN");
}

/* The digits before the exponent, without zeros at either end. */
static size_t count_digits(const char *text)
{
    char digits[64] = "";
    size_t count = 0;
    for (; *text != '\0' && *text != 'E'; text++) {
        if (*text >= '0' && *text <= '9' && (count > 0 || *text != '0')) {
            digits[count++] = *text;
        }
    }
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    return count;
}

static void any_number_comes_back_and_none_has_digits_to_spare(void **state)
{
    uint64_t random = 88172645463325252ULL;
    (void)state;
    for (int round = 0; round < 200000; round++) {
        char text[FC_FORMAT_DOUBLE_SIZE + 1];
        char fewer[64];
        double value;
        float single;
        uint32_t low;
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        memcpy(&value, &random, sizeof(value));
        if (round % 3 == 1) {
            value = (double)(random % 1000000000000) / 1000;
        } else if (round % 3 == 2) {
            value = (double)(random >> 11) / 9007199254740992.0;
        }
        low = (uint32_t)(random >> 20);
        memcpy(&single, &low, sizeof(single));
        if (isfinite(value)) {
            text[fc_format_double(text, value)] = '\0';
            assert_true(strtod(text, NULL) == value);
            (void)snprintf(fewer, sizeof(fewer), "%.*e", (int)count_digits(text) - 2, value);
            assert_true(count_digits(text) < 2 || strtod(fewer, NULL) != value);
        }
        if (isfinite(single)) {
            text[fc_format_float(text, single)] = '\0';
            assert_true(strtof(text, NULL) == single);
            (void)snprintf(fewer, sizeof(fewer), "%.*e", (int)count_digits(text) - 2,
                           (double)single);
            assert_true(count_digits(text) < 2 || strtof(fewer, NULL) != single);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_are_written_in_full),
        cmocka_unit_test(every_count_of_digits_is_right_at_its_edges),
        cmocka_unit_test(padding_gives_exactly_its_width),
        cmocka_unit_test(doubles_are_laid_out_as_java_does),
        cmocka_unit_test(floats_are_laid_out_as_java_does),
        cmocka_unit_test(any_number_comes_back_and_none_has_digits_to_spare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
