/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "core/base/reader.h"

static void reads_take_what_is_there_in_order(void **state)
{
    struct fc_reader reader;
    (void)state;
    fc_reader_init(&reader, fc_slice_of("\1\2\3\4\5\6\7\x08tail", 12));
    assert_int_equal(fc_reader_u8(&reader), 1);
    assert_int_equal(fc_reader_le(&reader, 2), 0x0302);
    assert_int_equal(fc_reader_be(&reader, 3), 0x040506);
    fc_reader_skip(&reader, 2);
    assert_int_equal(fc_reader_left(&reader), 4);
    assert_true(fc_slice_equal_text(fc_reader_slice(&reader, 4), "tail"));
    assert_int_equal(fc_reader_left(&reader), 0);
    assert_false(reader.failed);
}

static void read_past_the_end_fails_and_stays_failed(void **state)
{
    struct fc_reader reader;
    (void)state;
    fc_reader_init(&reader, fc_slice_of("\1\2\3", 3));
    assert_int_equal(fc_reader_u8(&reader), 1);
    assert_int_equal(fc_reader_le(&reader, 4), 0);
    assert_true(reader.failed);
    assert_int_equal(fc_reader_u8(&reader), 0);
    assert_int_equal(fc_reader_be(&reader, 1), 0);
    assert_int_equal(fc_reader_slice(&reader, 1).len, 0);
    assert_false(fc_slice_is_null(fc_reader_slice(&reader, 1)));
    assert_int_equal(fc_reader_varint(&reader), 0);
    assert_int_equal(fc_reader_left(&reader), 2);
}

static void a_length_near_the_top_of_the_range_does_not_wrap(void **state)
{
    struct fc_reader reader;
    (void)state;
    fc_reader_init(&reader, fc_slice_of("abc", 3));
    assert_null(fc_reader_take(&reader, SIZE_MAX));
    assert_true(reader.failed);
}

static void nothing_can_be_read_of_the_null_slice(void **state)
{
    struct fc_reader reader;
    (void)state;
    fc_reader_init(&reader, fc_slice_null());
    assert_int_equal(fc_reader_left(&reader), 0);
    assert_int_equal(fc_reader_u8(&reader), 0);
    assert_true(reader.failed);
}

static void varints_come_back_as_they_were_written(void **state)
{
    const int64_t values[] = {
        0, 1, -1, 63, -64, 64, 300, -300, INT32_MAX, INT64_MAX, INT64_MIN
    };
    struct fc_buf buf;
    struct fc_reader reader;
    (void)state;
    fc_buf_init(&buf, 1000);
    for (size_t index = 0; index < sizeof(values) / sizeof(*values); index++) {
        fc_buf_append_varint(&buf, values[index]);
    }
    fc_reader_init(&reader, fc_buf_slice(&buf));
    for (size_t index = 0; index < sizeof(values) / sizeof(*values); index++) {
        assert_true(fc_reader_varint(&reader) == values[index]);
    }
    assert_false(reader.failed);
    assert_int_equal(fc_reader_left(&reader), 0);
    fc_buf_release(&buf);
}

static void a_varint_of_eleven_bytes_or_cut_short_fails(void **state)
{
    struct fc_reader reader;
    (void)state;
    fc_reader_init(&reader, fc_slice_of("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\1", 11));
    (void)fc_reader_varint(&reader); /* gives nothing; failed tells */
    assert_true(reader.failed);
    fc_reader_init(&reader, fc_slice_of("\x80\x80", 2));
    (void)fc_reader_varint(&reader); /* the same */
    assert_true(reader.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_take_what_is_there_in_order),
        cmocka_unit_test(read_past_the_end_fails_and_stays_failed),
        cmocka_unit_test(a_length_near_the_top_of_the_range_does_not_wrap),
        cmocka_unit_test(nothing_can_be_read_of_the_null_slice),
        cmocka_unit_test(varints_come_back_as_they_were_written),
        cmocka_unit_test(a_varint_of_eleven_bytes_or_cut_short_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
