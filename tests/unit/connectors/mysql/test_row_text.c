/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "connectors/mysql/row_text.h"
#include "core/base/arena.h"

static struct fc_arena arena;

static void *batch_alloc(struct fc_batch *batch, size_t size)
{
    (void)batch;
    return fc_arena_alloc(&arena, size);
}

static const struct fc_host host = { .batch_alloc = batch_alloc };

static fc_code decode(const struct fc_column *column, const char *text, struct fc_value *out)
{
    struct fc_shape shape = { .db = "d", .table = "t", .columns = column, .column_count = 1 };
    struct fc_slice field = text == NULL ? fc_slice_null() : fc_slice_text(text);
    struct fc_error err;
    return fc_row_text_decode(&shape, &field, &host, NULL, out, &err);
}

static struct fc_column column_of(fc_type type)
{
    struct fc_column column = { .name = "c", .native_type = "type", .type = type, .bits = 64 };
    return column;
}

static void assert_int(fc_type type, const char *text, int64_t wanted)
{
    struct fc_column column = column_of(type);
    struct fc_value value;
    assert_int_equal(decode(&column, text, &value), FC_OK);
    assert_int_equal(value.kind, FC_VALUE_INT);
    assert_true(value.as.i64 == wanted);
}

static void assert_text(fc_type type, const char *text, const char *wanted)
{
    struct fc_column column = column_of(type);
    struct fc_value value;
    assert_int_equal(decode(&column, text, &value), FC_OK);
    assert_int_equal(value.kind, FC_VALUE_TEXT);
    assert_true(fc_slice_equal_text(value.as.bytes, wanted));
}

static void numbers_keep_their_whole_range(void **state)
{
    struct fc_column column = column_of(FC_TYPE_INT);
    struct fc_value value;
    (void)state;
    assert_int(FC_TYPE_INT, "-9223372036854775808", INT64_MIN);
    assert_int(FC_TYPE_INT, "9223372036854775807", INT64_MAX);
    assert_int(FC_TYPE_INT, "00042", 42);
    column.is_unsigned = true;
    assert_int_equal(decode(&column, "18446744073709551615", &value), FC_OK);
    assert_int_equal(value.kind, FC_VALUE_UINT);
    assert_true(value.as.u64 == UINT64_MAX);
}

static void dates_and_times_become_numbers(void **state)
{
    (void)state;
    assert_int(FC_TYPE_DATE, "2016-11-04", 17109);
    assert_int(FC_TYPE_DATE, "1969-12-31", -1);
    assert_int(FC_TYPE_DATE, "0001-01-01", -719162);
    assert_int(FC_TYPE_DATE, "9999-12-31", 2932896);
    assert_int(FC_TYPE_DATETIME, "2016-11-04 13:51:30.123456", 1478267490123456);
    assert_int(FC_TYPE_DATETIME, "1969-12-31 23:59:59.9", -100000);
    assert_int(FC_TYPE_TIMESTAMP, "1970-01-01 00:00:01", 1000000);
    assert_int(FC_TYPE_TIME, "13:51:30", 49890000000);
    assert_int(FC_TYPE_TIME, "-733:00:00.001", -2638800001000);
    assert_int(FC_TYPE_TIME, "-838:59:58.999999", -3020398999999);
    assert_int(FC_TYPE_TIME, "-00:00:00.5", -500000);
    assert_int(FC_TYPE_YEAR, "0000", 0);
}

static void zero_and_invalid_dates_stay_text(void **state)
{
    (void)state;
    assert_text(FC_TYPE_DATE, "0000-00-00", "0000-00-00");
    assert_text(FC_TYPE_DATE, "2023-02-29", "2023-02-29");
    assert_text(FC_TYPE_DATETIME, "2024-00-10 01:02:03.40", "2024-00-10 01:02:03.40");
    assert_text(FC_TYPE_TIMESTAMP, "0000-00-00 00:00:00", "0000-00-00 00:00:00");
}

static void json_loses_the_spaces_outside_of_texts(void **state)
{
    (void)state;
    assert_text(FC_TYPE_JSON, "{\"a, b\": [1, \"x \\\" : y\", {\"c\": null}]}",
                "{\"a, b\":[1,\"x \\\" : y\",{\"c\":null}]}");
    assert_text(FC_TYPE_JSON, "\"\\\\\"", "\"\\\\\"");
}

static void zeros_in_front_of_decimals_go(void **state)
{
    (void)state;
    assert_text(FC_TYPE_DECIMAL, "00001.500", "1.500");
    assert_text(FC_TYPE_DECIMAL, "0.00", "0.00");
    assert_text(FC_TYPE_DECIMAL, "000", "0");
    assert_text(FC_TYPE_DECIMAL, "-0.01", "-0.01");
}

static void bits_are_turned_to_little_endian(void **state)
{
    struct fc_column column = column_of(FC_TYPE_BIT);
    struct fc_value value;
    (void)state;
    assert_int_equal(decode(&column, "\x01\x02\x03", &value), FC_OK);
    assert_int_equal(value.kind, FC_VALUE_BYTES);
    assert_true(fc_slice_equal_text(value.as.bytes, "\x03\x02\x01"));
}

static void floats_keep_every_bit(void **state)
{
    struct fc_column column = column_of(FC_TYPE_FLOAT);
    struct fc_value value;
    (void)state;
    assert_int_equal(decode(&column, "0.10000000149011612", &value), FC_OK);
    assert_true(value.kind == FC_VALUE_FLOAT && value.as.f32 == 0.1F);
    column.type = FC_TYPE_DOUBLE;
    assert_int_equal(decode(&column, "-5e-324", &value), FC_OK);
    assert_true(value.kind == FC_VALUE_DOUBLE && value.as.f64 == -5e-324);
}

static void null_is_null_whatever_the_type(void **state)
{
    struct fc_value value;
    (void)state;
    for (int type = FC_TYPE_INT; type <= FC_TYPE_UUID; type++) {
        struct fc_column column = column_of((fc_type)type);
        assert_int_equal(decode(&column, NULL, &value), FC_OK);
        assert_int_equal(value.kind, FC_VALUE_NULL);
    }
}

static void text_that_does_not_fit_its_column_is_an_error(void **state)
{
    static const struct {
        fc_type type;
        const char *text;
    } bad[] = {
        { FC_TYPE_INT, "" },
        { FC_TYPE_INT, "-" },
        { FC_TYPE_INT, "1x" },
        { FC_TYPE_INT, "99999999999999999999" },
        { FC_TYPE_DOUBLE, "x" },
        { FC_TYPE_DOUBLE, "" },
        { FC_TYPE_DATE, "2024-1-1" },
        { FC_TYPE_DATE, "2024-01-01 " },
        { FC_TYPE_TIME, "12:00" },
        { FC_TYPE_TIME, "1234:00:00" },
        { FC_TYPE_DATETIME, "2024-01-01" },
        { FC_TYPE_DATETIME, "2024-01-01 00:00:00.1234567" },
    };
    struct fc_value value;
    (void)state;
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        struct fc_column column = column_of(bad[index].type);
        assert_int_equal(decode(&column, bad[index].text, &value), FC_ERR_PROTOCOL);
    }
}

static int set_up(void **state)
{
    (void)state;
    fc_arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fc_arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_keep_their_whole_range),
        cmocka_unit_test(dates_and_times_become_numbers),
        cmocka_unit_test(zero_and_invalid_dates_stay_text),
        cmocka_unit_test(json_loses_the_spaces_outside_of_texts),
        cmocka_unit_test(zeros_in_front_of_decimals_go),
        cmocka_unit_test(bits_are_turned_to_little_endian),
        cmocka_unit_test(floats_keep_every_bit),
        cmocka_unit_test(null_is_null_whatever_the_type),
        cmocka_unit_test(text_that_does_not_fit_its_column_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
