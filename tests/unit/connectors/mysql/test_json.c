/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/mysql/json_diff.h"

enum { TEXT_MAX = 1024 * 1024 };

static fc_code print(struct fc_slice document, struct fc_buf *out, struct fc_error *err)
{
    fc_buf_init(out, TEXT_MAX);
    return fc_json_binary_print(document, out, err);
}

static void assert_prints(const void *bytes, size_t len, const char *expected)
{
    struct fc_buf out;
    struct fc_error err;
    if (print(fc_slice_of(bytes, len), &out, &err) != FC_OK) {
        fail_msg("%s", err.message);
    }
    fc_buf_append_u8(&out, 0);
    assert_string_equal((const char *)out.data, expected);
    fc_buf_release(&out);
}

/* {"a":1,"bb":[true,"x"]}, as a small object */
static const uint8_t sample[] = { 0x00,                              /* small object */
                                  2,    0,   33,  0,                 /* members, bytes */
                                  18,   0,   1,   0,    19, 0, 2, 0, /* keys */
                                  5,    1,   0,   0x02, 21, 0,       /* 1; the array */
                                  'a',  'b', 'b',                    /* at 18 */
                                  2,    0,   12,  0,    4,  1, 0, 12, 10, 0, 1, 'x' };

static void scalars_are_printed_as_the_server_does(void **state)
{
    static const double doubles[] = { 1.0,
                                      -0.0,
                                      0.1,
                                      1e15,
                                      1e14,
                                      123456789012345.6,
                                      1e-14,
                                      1e-15,
                                      1.5e-300,
                                      5e-324,
                                      1.7976931348623157e308 };
    static const char *const texts[] = { "1.0",
                                         "-0.0",
                                         "0.1",
                                         "1e15",
                                         "100000000000000.0",
                                         "123456789012345.6",
                                         "0.00000000000001",
                                         "0.000000000000001",
                                         "1.5e-300",
                                         "5e-324",
                                         "1.7976931348623157e308" };
    (void)state;
    assert_prints("", 0, "null");
    assert_prints("\x04\x00", 2, "null");
    assert_prints("\x04\x01", 2, "true");
    assert_prints("\x05\xff\xff", 3, "-1");
    assert_prints("\x06\xff\xff", 3, "65535");
    assert_prints("\x0a\xff\xff\xff\xff\xff\xff\xff\xff", 9, "18446744073709551615");
    assert_prints("\x0c\x07"
                  "a\"\\\n\x01\x7f/",
                  9, "\"a\\\"\\\\\\n\\u0001\x7f/\"");
    assert_prints("\x0f\xf6\x04\x04\x02\x8c\x22", 7, "12.34");
    assert_prints("\x0f\xfc\x03xyz", 6, "\"base64:type252:eHl6\"");
    for (size_t index = 0; index < sizeof(doubles) / sizeof(doubles[0]); index++) {
        uint8_t bytes[9] = { 0x0b };
        memcpy(bytes + 1, &doubles[index], 8);
        assert_prints(bytes, 9, texts[index]);
    }
}

static void containers_are_printed_without_spaces(void **state)
{
    (void)state;
    assert_prints("\x00\0\0\4\0", 5, "{}");
    assert_prints("\x02\0\0\4\0", 5, "[]");
    assert_prints(sample, sizeof(sample), "{\"a\":1,\"bb\":[true,\"x\"]}");
}

static void damaged_documents_are_refused(void **state)
{
    struct fc_buf out;
    struct fc_error err;
    uint8_t copy[sizeof(sample)];
    (void)state;
    for (size_t len = 1; len < sizeof(sample); len++) {
        assert_int_equal(print(fc_slice_of(sample, len), &out, &err), FC_ERR_PROTOCOL);
        fc_buf_release(&out);
    }
    memcpy(copy, sample, sizeof(sample));
    copy[16] = 0; /* the array is the object itself: no end to it */
    copy[15] = 0x00;
    assert_int_equal(print(fc_slice_of(copy, sizeof(copy)), &out, &err), FC_ERR_PROTOCOL);
    fc_buf_release(&out);
    assert_int_equal(print(fc_slice_of("\x0d\0\0", 3), &out, &err), FC_ERR_PROTOCOL);
    fc_buf_release(&out);
    assert_int_equal(print(fc_slice_of("\x04\x03", 2), &out, &err), FC_ERR_PROTOCOL);
    fc_buf_release(&out);
}

static fc_code patch(const char *differences, size_t len, char *to)
{
    struct fc_arena arena;
    struct fc_buf out;
    struct fc_error err;
    fc_code code;
    fc_arena_init(&arena, TEXT_MAX);
    fc_buf_init(&out, TEXT_MAX);
    code = fc_json_diff_print(fc_slice_of(sample, sizeof(sample)),
                              fc_slice_of(differences, len), &arena, &out, &err);
    if (code == FC_OK) {
        memcpy(to, out.data, out.len);
        to[out.len] = '\0';
    }
    fc_buf_release(&out);
    fc_arena_release(&arena);
    return code;
}

static void differences_are_applied_in_order(void **state)
{
    char text[256];
    (void)state;
    assert_int_equal(patch("", 0, text), FC_OK);
    assert_string_equal(text, "{\"a\":1,\"bb\":[true,\"x\"]}");
    /* replace $.a with 2, insert $.b and $.aaa, remove $.bb[0], insert $.bb[0] and at the end */
    assert_int_equal(patch("\0\3$.a\3\5\2\0"
                           "\1\3$.b\2\4\0"
                           "\1\7$.\"aaa\"\2\4\2"
                           "\2\7$.bb[0]"
                           "\1\7$.bb[0]\3\5\7\0"
                           "\1\7$.bb[9]\3\5\x8\0",
                           64, text),
                     FC_OK);
    assert_string_equal(text, "{\"a\":2,\"b\":null,\"bb\":[7,\"x\",8],\"aaa\":false}");
    assert_int_equal(patch("\0\1$\2\4\1", 6, text), FC_OK);
    assert_string_equal(text, "true");
}

static void differences_that_do_not_fit_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = { { "\0\3$.x\2\4\0", 8 },    { "\2\3$.x", 5 },
                  { "\1\3$.a\2\4\0", 8 },    { "\0\4$[0]\2\4\0", 9 },
                  { "\0\5$.a.b\2\4\0", 10 }, { "\2\1$", 3 },
                  { "\3\3$.a\2\4\0", 8 },    { "\0\3$.a\2\4", 7 },
                  { "\0\3$a\0\2\4\0", 8 },   { "\0\7$.bb[0\2\4\0", 12 },
                  { "\0\4$.\"a\2\4\0", 9 },  { "\0\7$.bb[9]\2\4\0", 12 } };
    char text[256];
    (void)state;
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        if (patch(cases[index].bytes, cases[index].len, text) != FC_ERR_PROTOCOL) {
            fail_msg("case %zu was taken: %s", index, text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_are_printed_as_the_server_does),
        cmocka_unit_test(containers_are_printed_without_spaces),
        cmocka_unit_test(damaged_documents_are_refused),
        cmocka_unit_test(differences_are_applied_in_order),
        cmocka_unit_test(differences_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
