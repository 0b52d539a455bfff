/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "runner/envelope/json_write.h"

enum { LEN_MAX = 70 };

/* Jackson's rule, one byte at a time. */
static size_t escape_plainly(char *to, const uint8_t *data, size_t len)
{
    static const char letters[] = "\b\t\n\f\r\"\\";
    static const char names[] = "btnfr\"\\";
    char *at = to;
    for (size_t index = 0; index < len; index++) {
        const char *found = data[index] == 0 ? NULL : strchr(letters, data[index]);
        if (found != NULL) {
            *at++ = '\\';
            *at++ = names[found - letters];
        } else if (data[index] < 0x20) {
            at += snprintf(at, 7, "\\u%04X", data[index]);
        } else {
            *at++ = (char)data[index];
        }
    }
    return (size_t)(at - to);
}

static void assert_escaped(const uint8_t *data, size_t len)
{
    char expected[LEN_MAX * FC_JSON_ESCAPE_MAX + 1];
    char written[LEN_MAX * FC_JSON_ESCAPE_MAX + FC_JSON_SLACK];
    size_t expected_len = escape_plainly(expected, data, len);
    uint8_t *exact = malloc(len == 0 ? 1 : len); /* so that a sanitizer sees a read past it */
    assert_non_null(exact);
    memcpy(exact, data, len);
    assert_ptr_equal(fc_json_put_escaped(written, exact, len), written + expected_len);
    assert_memory_equal(written, expected, expected_len);
    assert_int_equal(fc_json_escaped_size(exact, len), expected_len);
    free(exact);
}

static void every_byte_is_escaped_as_jackson_does_at_every_place(void **state)
{
    uint8_t data[LEN_MAX];
    (void)state;
    for (size_t len = 0; len <= LEN_MAX; len++) {
        memset(data, 'x', sizeof(data));
        assert_escaped(data, len);
        for (size_t place = 0; place < len; place++) {
            memset(data, 'x', sizeof(data));
            for (int byte = 0; byte < 256; byte++) {
                data[place] = (uint8_t)byte;
                assert_escaped(data, len);
            }
        }
    }
}

static void escapes_beside_each_other_are_all_written(void **state)
{
    uint8_t data[LEN_MAX];
    uint32_t random = 12345;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t len = (size_t)(round % (LEN_MAX + 1));
        for (size_t index = 0; index < len; index++) {
            random = random * 1664525 + 1013904223;
            data[index] = (uint8_t) "a\"\\\n\x01\x1f \x80\xff/z"[(random >> 24) % 11];
        }
        assert_escaped(data, len);
    }
}

static void a_fragment_of_any_length_is_copied_whole(void **state)
{
    char text[200];
    char to[200];
    (void)state;
    for (size_t index = 0; index < sizeof(text); index++) {
        text[index] = (char)('a' + index % 26);
    }
    for (size_t len = 1; len < 150; len++) {
        memset(to, 0, sizeof(to));
        assert_ptr_equal(fc_json_put_fragment(to, text, len), to + len);
        assert_memory_equal(to, text, len);
    }
}

static void numbers_that_are_not_finite_are_quoted(void **state)
{
    char to[FC_FORMAT_DOUBLE_SIZE + 3];
    (void)state;
    *fc_json_put_double(to, (double)INFINITY) = '\0';
    assert_string_equal(to, "\"Infinity\"");
    *fc_json_put_double(to, -(double)INFINITY) = '\0';
    assert_string_equal(to, "\"-Infinity\"");
    *fc_json_put_float(to, NAN) = '\0';
    assert_string_equal(to, "\"NaN\"");
    *fc_json_put_double(to, 1e10) = '\0';
    assert_string_equal(to, "1.0E10");
    *fc_json_put_float(to, -0.25F) = '\0';
    assert_string_equal(to, "-0.25");
}

static void assert_number(int64_t value)
{
    char to[FC_FORMAT_I64_SIZE];
    char expected[32];
    int len = snprintf(expected, sizeof(expected), "%lld", (long long)value);
    assert_ptr_equal(fc_json_put_i64(to, value), to + len);
    assert_memory_equal(to, expected, (size_t)len);
    len = snprintf(expected, sizeof(expected), "%llu", (unsigned long long)value);
    assert_ptr_equal(fc_json_put_u64(to, (uint64_t)value), to + len);
    assert_memory_equal(to, expected, (size_t)len);
}

static void whole_numbers_have_their_digits(void **state)
{
    int64_t value = 1;
    (void)state;
    for (int64_t small = 0; small < 300000; small++) {
        assert_number(small);
        assert_number(small * 9973); /* all pairs of digits in all places */
    }
    for (int round = 0; round < 18; round++) {
        for (int64_t near = -2; near <= 2; near++) {
            assert_number(value + near);
            assert_number(-value + near);
        }
        value *= 10;
    }
    assert_number(INT64_MAX);
    assert_number(INT64_MIN);
    assert_number(-1);
}

static void a_string_past_the_limit_fails_the_buffer(void **state)
{
    struct fc_buf out;
    (void)state;
    fc_buf_init(&out, 100);
    fc_json_append_string(&out, fc_slice_text("a\"b"));
    assert_true(fc_slice_equal_text(fc_buf_slice(&out), "\"a\\\"b\""));
    fc_json_append_string(
        &out, fc_slice_text("01234567890123456789012345678901234567890123456789012345678901"
                            "23456789012345678901234567890123456789"));
    assert_true(out.failed);
    assert_true(fc_slice_equal_text(fc_buf_slice(&out), "\"a\\\"b\""));
    fc_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_escaped_as_jackson_does_at_every_place),
        cmocka_unit_test(escapes_beside_each_other_are_all_written),
        cmocka_unit_test(a_fragment_of_any_length_is_copied_whole),
        cmocka_unit_test(numbers_that_are_not_finite_are_quoted),
        cmocka_unit_test(whole_numbers_have_their_digits),
        cmocka_unit_test(a_string_past_the_limit_fails_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
