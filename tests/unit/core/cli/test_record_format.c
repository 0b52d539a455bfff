/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cli/record_format.h"

static void assert_printed(const struct fc_record_format *format,
                           const struct fc_record_view *record, const char *expected)
{
    struct fc_buf out;
    fc_buf_init(&out, 4096);
    fc_record_format_print(format, record, &out);
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.data, expected, out.len);
    fc_buf_release(&out);
}

static struct fc_record_view sample(void)
{
    static const struct fc_record_header headers[] = {
        { "kind", { (const uint8_t *)"a", 1 } },
        { "none", { NULL, 0 } },
    };
    struct fc_record_view record = { .topic = "t",
                                     .partition = 3,
                                     .offset = INT64_C(9007199254740993),
                                     .timestamp_ms = INT64_C(1795442638250),
                                     .key = fc_slice_text("k"),
                                     .value = fc_slice_text("v\xc3\xa9"),
                                     .headers = headers,
                                     .header_count = 2 };
    return record;
}

static void a_template_shows_every_variable(void **state)
{
    struct fc_record_format format = { .style = FC_RECORD_DYNAMIC };
    struct fc_record_view record = sample();
    struct fc_error error = { 0 };
    (void)state;
    assert_int_equal(
        fc_record_format_template("{{topic}}/{{ partition }}/{{offset}} {{time}} {{timestamp}} "
                                  "{{key}}={{value}}\\t{{headers}}",
                                  &format, &error),
        FC_OK);
    assert_printed(&format, &record,
                   "t/3/9007199254740993 2026-11-23T14:03:58.250Z 1795442638250 "
                   "k=v\xc3\xa9\tkind=a,none=[null]\n");
}

static void a_template_that_ends_its_line_gets_no_second_end(void **state)
{
    struct fc_record_format format = { .style = FC_RECORD_DYNAMIC };
    struct fc_record_view record = sample();
    struct fc_error error = { 0 };
    (void)state;
    assert_int_equal(fc_record_format_template("{{key}}\\n", &format, &error), FC_OK);
    assert_printed(&format, &record, "k\n");
}

static void wrong_templates_are_told(void **state)
{
    struct fc_record_format format = { .style = FC_RECORD_DYNAMIC };
    struct fc_error error = { 0 };
    (void)state;
    assert_int_equal(fc_record_format_template("{{ofset}}", &format, &error), FC_ERR_CONFIG);
    assert_non_null(strstr(error.message, "did you mean `offset`?"));
    assert_int_equal(fc_record_format_template("{{offset", &format, &error), FC_ERR_CONFIG);
    assert_int_equal(fc_record_format_style("jsn", &format, &error), FC_ERR_CONFIG);
    assert_non_null(strstr(error.message, "did you mean `json`?"));
}

static void json_holds_all_of_the_record(void **state)
{
    struct fc_record_format format = { .style = FC_RECORD_JSON };
    struct fc_record_view record = sample();
    (void)state;
    record.value = fc_slice_of("\xff\x00", 2);
    assert_printed(&format, &record,
                   "{\"topic\":\"t\",\"partition\":3,\"offset\":9007199254740993,\"timestamp\":"
                   "1795442638250,\"headers\":[{\"name\":\"kind\",\"value\":\"a\"},{\"name\":"
                   "\"none\",\"value\":null}],\"key\":\"k\",\"value\":{\"hex\":\"ff00\"}}\n");
    record.value = fc_slice_null();
    record.key = fc_slice_null();
    record.header_count = 0;
    record.timestamp_ms = -1;
    assert_printed(&format, &record,
                   "{\"topic\":\"t\",\"partition\":3,\"offset\":9007199254740993,\"timestamp\":"
                   "null,\"headers\":[],\"key\":null,\"value\":null}\n");
}

static void text_that_is_none_is_dumped_unless_text_is_asked_for(void **state)
{
    struct fc_record_format format = { .style = FC_RECORD_DYNAMIC, .with_key = true };
    struct fc_record_view record = sample();
    (void)state;
    record.key = fc_slice_null();
    record.value = fc_slice_of("a\x1b[2J", 5);
    assert_printed(
        &format, &record,
        "[null] 00000000  61 1b 5b 32 4a                                   |a.[2J|\n");
    format.style = FC_RECORD_TEXT;
    record.value = fc_slice_of("a\xff", 2);
    assert_printed(&format, &record, "[null] a\xef\xbf\xbd\n");
    format.style = FC_RECORD_RAW;
    assert_printed(&format, &record, "a\xff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_template_shows_every_variable),
        cmocka_unit_test(a_template_that_ends_its_line_gets_no_second_end),
        cmocka_unit_test(wrong_templates_are_told),
        cmocka_unit_test(json_holds_all_of_the_record),
        cmocka_unit_test(text_that_is_none_is_dumped_unless_text_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
