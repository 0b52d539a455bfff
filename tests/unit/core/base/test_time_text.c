/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/time_text.h"

static void assert_time(const char *text, int64_t us)
{
    int64_t got = 0;
    bool local = true;
    assert_int_equal(fc_time_parse(text, &got, &local), FC_TIME_VALID);
    assert_int_equal(got, us);
    assert_false(local);
}

static void a_time_with_a_zone_is_exact(void **state)
{
    (void)state;
    assert_time("1970-01-01T00:00:01Z", 1000000);
    assert_time("2026-11-23T14:03:58.25Z", INT64_C(1795442638250000));
    assert_time("2026-11-23 15:03:58.25+01:00", INT64_C(1795442638250000));
    assert_time("2026-11-23T14:03Z", INT64_C(1795442580000000));
}

static void what_has_the_form_but_cannot_be_is_invalid(void **state)
{
    static const char *const texts[] = { "2026-02-30T00:00:00Z", "2026-11-23T25:00:00Z",
                                         "2026-11-23T14", "2026-11-23T14:03:58Zx" };
    int64_t us = 7;
    bool local = false;
    (void)state;
    for (size_t index = 0; index < sizeof(texts) / sizeof(*texts); index++) {
        assert_int_equal(fc_time_parse(texts[index], &us, &local), FC_TIME_INVALID);
    }
    assert_int_equal(us, 7);
}

static void other_text_is_no_time(void **state)
{
    int64_t us = 0;
    bool local = false;
    (void)state;
    assert_int_equal(fc_time_parse("0-1-42", &us, &local), FC_TIME_OTHER);
    assert_int_equal(fc_time_parse("", &us, &local), FC_TIME_OTHER);
    assert_int_equal(fc_time_parse("2026-11-23", &us, &local), FC_TIME_OTHER);
}

static void milliseconds_are_written_in_utc(void **state)
{
    char text[FC_TIME_STAMP_SIZE];
    (void)state;
    assert_string_equal(fc_time_format_ms(0, text), "1970-01-01T00:00:00.000Z");
    assert_string_equal(fc_time_format_ms(-1, text), "1969-12-31T23:59:59.999Z");
    assert_string_equal(fc_time_format_ms(INT64_C(1795442638250), text),
                        "2026-11-23T14:03:58.250Z");
    assert_string_equal(fc_time_format_ms(INT64_MAX, text), "292278994-08-17T07:12:55.807Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_with_a_zone_is_exact),
        cmocka_unit_test(what_has_the_form_but_cannot_be_is_invalid),
        cmocka_unit_test(other_text_is_no_time),
        cmocka_unit_test(milliseconds_are_written_in_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
