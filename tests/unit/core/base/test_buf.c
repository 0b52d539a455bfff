/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/buf.h"

static void appends_grow_the_buffer_and_keep_what_is_there(void **state)
{
    struct fc_buf buf;
    (void)state;
    fc_buf_init(&buf, 1 << 20);
    for (int index = 0; index < 10000; index++) {
        fc_buf_append_u8(&buf, (uint8_t)index);
    }
    assert_int_equal(buf.len, 10000);
    assert_true(buf.capacity >= buf.len && buf.capacity <= buf.limit);
    for (int index = 0; index < 10000; index++) {
        assert_int_equal(buf.data[index], (uint8_t)index);
    }
    fc_buf_release(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.limit, 1 << 20);
}

static void the_first_append_past_the_limit_fails_and_later_ones_do_nothing(void **state)
{
    struct fc_buf buf;
    struct fc_error err;
    (void)state;
    fc_buf_init(&buf, 10);
    fc_buf_append_text(&buf, "123456789");
    assert_int_equal(fc_buf_check(&buf, "a test", &err), FC_OK);
    fc_buf_append_text(&buf, "ab");
    assert_true(buf.failed);
    fc_buf_append_text(&buf, "c");
    assert_true(fc_slice_equal_text(fc_buf_slice(&buf), "123456789"));
    assert_int_equal(fc_buf_check(&buf, "a test", &err), FC_ERR_LIMIT);
    assert_string_equal(err.message, "a test is larger than 10 bytes");
    fc_buf_clear(&buf);
    fc_buf_append_text(&buf, "0123456789");
    assert_false(buf.failed);
    assert_null(fc_buf_reserve(&buf, 1));
    fc_buf_release(&buf);
}

static void every_limit_is_met_to_the_byte(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 1200; limit += 13) {
        struct fc_buf buf;
        fc_buf_init(&buf, limit);
        for (size_t index = 0; index < limit; index++) {
            fc_buf_append_u8(&buf, 'x');
        }
        assert_false(buf.failed);
        assert_int_equal(buf.len, limit);
        fc_buf_append_u8(&buf, 'x');
        assert_true(buf.failed);
        assert_int_equal(buf.len, limit);
        fc_buf_release(&buf);
    }
}

static void a_huge_reservation_does_not_wrap_around(void **state)
{
    struct fc_buf buf;
    (void)state;
    fc_buf_init(&buf, SIZE_MAX);
    fc_buf_append_text(&buf, "x");
    buf.limit = 1000;
    assert_null(fc_buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.failed);
    fc_buf_release(&buf);
}

static void numbers_are_laid_out_in_their_byte_order(void **state)
{
    static const uint8_t expected[] = { 0x12, 0x34, 0x12, 0x34, 0x56, 0x78, 1,
                                        2,    3,    4,    5,    6,    7,    8,
                                        0x34, 0x12, 0x78, 0x56, 0x34, 0x12, 8,
                                        7,    6,    5,    4,    3,    2,    1 };
    struct fc_buf buf;
    (void)state;
    fc_buf_init(&buf, 100);
    fc_buf_append_be16(&buf, 0x1234);
    fc_buf_append_be32(&buf, 0x12345678);
    fc_buf_append_be64(&buf, 0x0102030405060708);
    fc_buf_append_le16(&buf, 0x1234);
    fc_buf_append_le32(&buf, 0x12345678);
    fc_buf_append_le64(&buf, 0x0102030405060708);
    assert_true(fc_slice_equal(fc_buf_slice(&buf), fc_slice_of(expected, sizeof(expected))));
    fc_buf_release(&buf);
}

static void varints_are_zigzag_and_at_most_ten_bytes(void **state)
{
    static const struct {
        int64_t value;
        const char *bytes;
        size_t len;
    } cases[] = { { 0, "\0", 1 },
                  { -1, "\1", 1 },
                  { 1, "\2", 1 },
                  { 63, "\x7e", 1 },
                  { -64, "\x7f", 1 },
                  { 64, "\x80\1", 2 },
                  { 300, "\xd8\4", 2 },
                  { INT64_MAX, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1", 10 },
                  { INT64_MIN, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 10 } };
    struct fc_buf buf;
    (void)state;
    fc_buf_init(&buf, 100);
    for (size_t index = 0; index < sizeof(cases) / sizeof(*cases); index++) {
        fc_buf_clear(&buf);
        fc_buf_append_varint(&buf, cases[index].value);
        assert_true(fc_slice_equal(fc_buf_slice(&buf),
                                   fc_slice_of(cases[index].bytes, cases[index].len)));
    }
    fc_buf_release(&buf);
}

static void text_and_numbers_are_appended_as_text(void **state)
{
    struct fc_buf buf;
    (void)state;
    fc_buf_init(&buf, 200);
    fc_buf_append_i64(&buf, INT64_MIN);
    fc_buf_append_text(&buf, " ");
    fc_buf_append_u64(&buf, UINT64_MAX);
    fc_buf_append_fmt(&buf, " %s=%d%c", "n", 42, '!');
    fc_buf_append_slice(&buf, fc_slice_text(" end"));
    fc_buf_append(&buf, NULL, 0);
    assert_true(fc_slice_equal_text(fc_buf_slice(&buf),
                                    "-9223372036854775808 18446744073709551615 n=42! end"));
    fc_buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_grow_the_buffer_and_keep_what_is_there),
        cmocka_unit_test(the_first_append_past_the_limit_fails_and_later_ones_do_nothing),
        cmocka_unit_test(every_limit_is_met_to_the_byte),
        cmocka_unit_test(a_huge_reservation_does_not_wrap_around),
        cmocka_unit_test(numbers_are_laid_out_in_their_byte_order),
        cmocka_unit_test(varints_are_zigzag_and_at_most_ten_bytes),
        cmocka_unit_test(text_and_numbers_are_appended_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
