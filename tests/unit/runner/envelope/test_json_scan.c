/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "runner/envelope/json_scan.h"

/* A random value nested up to `depth`, with brackets and quotes inside its strings. */
static void append_random(struct fc_buf *out, uint32_t *random, int depth)
{
    static const char *const strings[] = { "\"\"",          "\"}{][\"",        "\"\\\"\"",
                                           "\"\\\\\"",      "\"a\\\\\\\"}b\"", "\"\\\\\\\\\"",
                                           "\"plain text\"" };
    uint32_t kind;
    *random = *random * 1664525 + 1013904223;
    kind = (*random >> 16) % 8;
    if (kind < 4 || depth == 0) {
        fc_buf_append_text(out, kind == 0 ? "-12.5e3" : strings[(*random >> 20) % 7]);
        return;
    }
    fc_buf_append_text(out, kind < 6 ? "{" : "[");
    for (uint32_t member = 0; member < (*random >> 24) % 5; member++) {
        fc_buf_append_text(out, member == 0 ? "" : ",");
        fc_buf_append_text(out, kind < 6 ? strings[(member + kind) % 7] : "");
        fc_buf_append_text(out, kind < 6 ? ":" : "");
        append_random(out, random, depth - 1);
        *random = *random * 1664525 + 1013904223;
    }
    fc_buf_append_text(out, kind < 6 ? "}" : "]");
}

static void a_value_is_passed_over_to_its_very_end_however_it_is_nested(void **state)
{
    struct fc_buf text;
    uint32_t random = 7;
    (void)state;
    fc_buf_init(&text, 1 << 20);
    for (int round = 0; round < 5000; round++) {
        struct fc_json_scan scan;
        struct fc_slice value = fc_slice_null();
        size_t len;
        uint8_t *exact;
        fc_buf_clear(&text);
        append_random(&text, &random, 6);
        len = text.len;
        fc_buf_append_text(&text, round % 2 == 0 ? "" : ",{\"next\":\"one\"}");
        exact = malloc(text.len); /* so that a sanitizer sees a read past it */
        assert_non_null(exact);
        memcpy(exact, text.data, text.len);
        fc_json_scan_init(&scan, fc_slice_of(exact, text.len));
        assert_true(fc_json_skip_value(&scan, &value));
        assert_int_equal(value.len, len);
        assert_ptr_equal(scan.at, exact + len);
        if (exact[0] == '{' || exact[0] == '[' || exact[0] == '"') {
            fc_json_scan_init(&scan, fc_slice_of(exact, len - 1));
            assert_false(fc_json_skip_value(&scan, &value));
        }
        free(exact);
    }
    fc_buf_release(&text);
}

static void backslashes_across_blocks_are_counted(void **state)
{
    (void)state;
    for (size_t before = 0; before < 140; before++) {
        for (size_t slashes = 0; slashes < 6; slashes++) {
            char text[256] = "{\"k\":\"";
            size_t at = strlen(text);
            struct fc_json_scan scan;
            struct fc_slice value;
            memset(text + at, 'x', before);
            memset(text + at + before, '\\', slashes);
            at += before + slashes;
            /* After an odd number the quote belongs to the string. */
            memcpy(text + at, slashes % 2 == 0 ? "\"}" : "\"}\"}", slashes % 2 == 0 ? 2 : 4);
            at += slashes % 2 == 0 ? 2 : 4;
            fc_json_scan_init(&scan, fc_slice_of(text, at));
            assert_true(fc_json_skip_value(&scan, &value));
            assert_int_equal(value.len, at);
        }
    }
}

static void numbers_end_where_they_should(void **state)
{
    static const struct {
        const char *text;
        bool fine;
        bool whole;
        size_t len;
    } cases[] = { { "0,", true, true, 1 },     { "-17}", true, true, 3 },
                  { "1.5]", true, false, 3 },  { "1.0E10 ", true, false, 6 },
                  { "-2e-3", true, false, 5 }, { "-", false, true, 0 },
                  { "1.", false, false, 0 },   { "1e", false, false, 0 },
                  { "x", false, true, 0 },     { "", false, true, 0 } };
    (void)state;
    for (size_t index = 0; index < sizeof(cases) / sizeof(*cases); index++) {
        struct fc_json_scan scan;
        struct fc_slice text;
        bool whole = false;
        fc_json_scan_init(&scan, fc_slice_text(cases[index].text));
        assert_int_equal(fc_json_take_number(&scan, &text, &whole), cases[index].fine);
        if (cases[index].fine) {
            assert_int_equal(text.len, cases[index].len);
            assert_int_equal(whole, cases[index].whole);
        }
    }
}

static void members_and_items_come_one_by_one(void **state)
{
    const char *text = " { \"a\" : 1 , \"b\\n\" : [ 2 , 3 ] } ";
    struct fc_json_scan scan;
    struct fc_json_string name;
    struct fc_slice value;
    bool first = true;
    bool end = false;
    bool whole = false;
    (void)state;
    fc_json_scan_init(&scan, fc_slice_text(text));
    assert_true(fc_json_take(&scan, '{'));
    assert_true(fc_json_next_member(&scan, &first, &name, &end));
    assert_false(end);
    assert_true(fc_json_is(name, "a"));
    assert_true(fc_json_take_number(&scan, &value, &whole));
    assert_true(fc_json_next_member(&scan, &first, &name, &end));
    assert_true(name.escaped);
    assert_true(fc_json_take(&scan, '['));
    first = true;
    for (int item = 0; item < 2; item++) {
        assert_true(fc_json_next_item(&scan, &first, &end));
        assert_false(end);
        assert_true(fc_json_skip_value(&scan, &value));
    }
    assert_true(fc_json_next_item(&scan, &first, &end));
    assert_true(end);
    first = false;
    assert_true(fc_json_next_member(&scan, &first, &name, &end));
    assert_true(end);
}

static void unescaping_gives_back_what_it_does_not_need(void **state)
{
    struct fc_arena arena;
    struct fc_json_string string = { fc_slice_text("a long string with one \\n escape only"),
                                     true };
    struct fc_slice text;
    (void)state;
    fc_arena_init(&arena, 1000);
    assert_true(fc_json_unescape(string, &arena, &text));
    assert_true(fc_slice_equal_text(text, "a long string with one \n escape only"));
    assert_in_range(arena.used, text.len, text.len + 7);
    fc_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_passed_over_to_its_very_end_however_it_is_nested),
        cmocka_unit_test(backslashes_across_blocks_are_counted),
        cmocka_unit_test(numbers_end_where_they_should),
        cmocka_unit_test(members_and_items_come_one_by_one),
        cmocka_unit_test(unescaping_gives_back_what_it_does_not_need),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
