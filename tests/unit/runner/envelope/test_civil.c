/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "runner/envelope/civil.h"

static void assert_moment(int64_t micros, unsigned digits, const char *expected)
{
    struct fc_civil_day day = { 0 };
    char text[FC_CIVIL_TEXT_SIZE + 1];
    int64_t back = 0;
    *fc_civil_put_moment(text, micros, digits, &day) = '\0';
    assert_string_equal(text, expected);
    assert_true(fc_civil_parse_moment(fc_slice_text(text), &back));
    assert_true(back == micros);
}

static void moments_are_written_with_the_columns_digits(void **state)
{
    (void)state;
    assert_moment(1529501823000000, 0, "2018-06-20T13:37:03Z");
    assert_moment(1529501823120000, 2, "2018-06-20T13:37:03.12Z");
    assert_moment(1529501823120000, 3, "2018-06-20T13:37:03.120Z");
    assert_moment(1529501823000000, 6, "2018-06-20T13:37:03.000000Z");
    assert_moment(1529501823000001, 0, "2018-06-20T13:37:03.000001Z");
    assert_moment(0, 0, "1970-01-01T00:00:00Z");
    assert_moment(-1, 6, "1969-12-31T23:59:59.999999Z");
    assert_moment(951782400000000, 0, "2000-02-29T00:00:00Z");
}

static void years_outside_four_digits_carry_a_sign(void **state)
{
    (void)state;
    assert_moment(253402300799999999, 6, "9999-12-31T23:59:59.999999Z");
    assert_moment(253402300800000000, 0, "+10000-01-01T00:00:00Z");
    assert_moment(-62167219200000000, 0, "0000-01-01T00:00:00Z");
    assert_moment(-62167219200000001, 6, "-0001-12-31T23:59:59.999999Z");
    assert_moment(-210831897600000001, 6, "-4712-12-31T23:59:59.999999Z");
    assert_moment(INT64_MAX, 6, "+294247-01-10T04:00:54.775807Z");
    assert_moment(INT64_MIN, 6, "-290308-12-21T19:59:05.224192Z");
}

static void days_and_dates_agree_over_a_thousand_years(void **state)
{
    static const unsigned lengths[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    struct fc_civil_day cached = { 0 };
    int64_t day = -171499; /* 1500-06-15 */
    unsigned month = 6;
    unsigned day_of_month = 15;
    int64_t year = 1500;
    (void)state;
    for (; year < 2500; day++) {
        char expected[32];
        char text[FC_CIVIL_TEXT_SIZE + 1];
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        assert_true(fc_civil_to_days(year, month, day_of_month) == day);
        *fc_civil_put_moment(text, day * 86400000000, 0, &cached) = '\0';
        (void)snprintf(expected, sizeof(expected), "%04d-%02u-%02uT00:00:00Z", (int)year, month,
                       day_of_month);
        assert_string_equal(text, expected);
        if (++day_of_month > lengths[month - 1] + (month == 2 && leap ? 1 : 0)) {
            day_of_month = 1;
            month = month % 12 + 1;
            year += month == 1 ? 1 : 0;
        }
    }
}

static void texts_that_are_no_moment_are_refused(void **state)
{
    static const char *const texts[] = { "",
                                         "0000-00-00 00:00:00",
                                         "2018-06-20 13:37:03Z",
                                         "2018-06-20T13:37:03",
                                         "2018-06-20T13:37:03.Z",
                                         "2018-06-20T13:37:03.1234567Z",
                                         "2018-06-20T13:37:03ZZ",
                                         "2018-13-20T13:37:03Z",
                                         "2018-00-20T13:37:03Z",
                                         "2018-06-32T13:37:03Z",
                                         "2018-06-20T24:37:03Z",
                                         "2018-06-20T13:60:03Z",
                                         "18-06-20T13:37:03Z",
                                         "12018-06-20T13:37:03Z",
                                         "+300000-01-01T00:00:00Z",
                                         "-300000-01-01T00:00:00Z",
                                         "2018-06-20T13:3" };
    int64_t micros = 0;
    (void)state;
    for (size_t index = 0; index < sizeof(texts) / sizeof(*texts); index++) {
        if (fc_civil_parse_moment(fc_slice_text(texts[index]), &micros)) {
            fail_msg("%s was taken for a moment", texts[index]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_written_with_the_columns_digits),
        cmocka_unit_test(years_outside_four_digits_carry_a_sign),
        cmocka_unit_test(days_and_dates_agree_over_a_thousand_years),
        cmocka_unit_test(texts_that_are_no_moment_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
