/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "connectors/mysql/load_text.h"
#include "core/base/alloc.h"

static const struct fc_load_table plain_table = { 0 };

static struct fc_value of_int(int64_t value)
{
    return (struct fc_value){ .kind = FC_VALUE_INT, .as.i64 = value };
}

static struct fc_value of_text(const char *text)
{
    return (struct fc_value){ .kind = FC_VALUE_TEXT, .as.bytes = fc_slice_text(text) };
}

static struct fc_value of_bytes(const void *data, size_t len)
{
    return (struct fc_value){ .kind = FC_VALUE_BYTES, .as.bytes = fc_slice_of(data, len) };
}

static struct fc_value of_double(double value)
{
    return (struct fc_value){ .kind = FC_VALUE_DOUBLE, .as.f64 = value };
}

static struct fc_value of_float(float value)
{
    return (struct fc_value){ .kind = FC_VALUE_FLOAT, .as.f32 = value };
}

static struct fc_value null_value(void)
{
    return (struct fc_value){ .kind = FC_VALUE_NULL };
}

/* The text of one value in a column of its own. */
static void check_style(fc_load_style style, const struct fc_column *column,
                        struct fc_value value, const char *wanted)
{
    struct fc_shape shape = { "shop", "orders", column, 1, 0, NULL };
    struct fc_load_text text;
    struct fc_error err = { 0 };
    struct fc_buf out;
    fc_buf_init(&out, 1 << 20);
    assert_int_equal(fc_load_text_init(&text, &shape, style, &plain_table, &err), FC_OK);
    assert_int_equal(fc_load_text_append_row(&text, &value, &out, &err), FC_OK);
    fc_buf_append_u8(&out, 0);
    assert_string_equal((const char *)out.data, wanted);
    fc_load_text_release(&text);
    fc_buf_release(&out);
}

static void check(const struct fc_column *column, struct fc_value value, const char *in_file,
                  const char *in_values)
{
    check_style(FC_LOAD_FILE, column, value, in_file);
    check_style(FC_LOAD_VALUES, column, value, in_values);
}

static void check_rejected(const struct fc_column *column, struct fc_value value)
{
    struct fc_shape shape = { "shop", "orders", column, 1, 0, NULL };
    struct fc_load_text text;
    struct fc_error err = { 0 };
    struct fc_buf out;
    fc_buf_init(&out, 1 << 20);
    fc_buf_append_text(&out, "before");
    assert_int_equal(fc_load_text_init(&text, &shape, FC_LOAD_FILE, &plain_table, &err), FC_OK);
    assert_int_equal(fc_load_text_append_row(&text, &value, &out, &err), FC_ERR_REJECTED);
    assert_non_null(strstr(err.message, column->name));
    assert_int_equal(out.len, 6);
    fc_load_text_release(&text);
    fc_buf_release(&out);
}

static void null_has_a_form_of_its_own(void **state)
{
    const struct fc_column column = { .name = "a", .type = FC_TYPE_TEXT };
    (void)state;
    check(&column, null_value(), "\\N\n", "(NULL)");
    check(&column, of_text("\\N"), "\\\\N\n", "('\\\\N')");
    check(&column, of_text("NULL"), "NULL\n", "('NULL')");
}

static void text_is_escaped_for_its_reader(void **state)
{
    const struct fc_column column = { .name = "a", .type = FC_TYPE_TEXT };
    const char all[] = "a\tb\nc\rd\\e'f\"g";
    (void)state;
    check(&column, of_text(all), "a\\tb\\nc\\rd\\\\e'f\"g\n", "('a\tb\nc\rd\\\\e\\'f\"g')");
    check(&column,
          (struct fc_value){ .kind = FC_VALUE_TEXT, .as.bytes = fc_slice_of("x\0y", 3) },
          "x\\0y\n", "('x\\0y')");
    check(&column, of_text("h\xc3\xa9 \xf0\x9f\x98\x80"), "h\xc3\xa9 \xf0\x9f\x98\x80\n",
          "('h\xc3\xa9 \xf0\x9f\x98\x80')");
    check(&column, of_text(""), "\n", "('')");
}

static void integers_keep_all_their_digits(void **state)
{
    const struct fc_column column = { .name = "a", .type = FC_TYPE_INT, .bits = 64 };
    (void)state;
    check(&column, of_int(INT64_MIN), "-9223372036854775808\n", "(-9223372036854775808)");
    check(&column, (struct fc_value){ .kind = FC_VALUE_UINT, .as.u64 = UINT64_MAX },
          "18446744073709551615\n", "(18446744073709551615)");
}

static void floating_point_reads_back_as_the_same_bits(void **state)
{
    const struct fc_column single = { .name = "a", .type = FC_TYPE_FLOAT };
    const struct fc_column twice = { .name = "a", .type = FC_TYPE_DOUBLE };
    (void)state;
    check(&single, of_float(0.1F), "0.10000000149011612\n", "(0.10000000149011612)");
    /* Nine digits, 3.40282347e38, would be more than a FLOAT holds. */
    check(&single, of_float(3.40282346638528859812e38F), "3.4028234663852886e+38\n",
          "(3.4028234663852886e+38)");
    check(&twice, of_double(0.1), "0.10000000000000001\n", "(0.10000000000000001)");
    check(&twice, of_double(5e-324), "4.9406564584124654e-324\n", "(4.9406564584124654e-324)");
    check(&twice, of_double(-0.0), "-0\n", "(-0)");
}

static void bytes_travel_as_digits(void **state)
{
    const struct fc_column bytes = { .name = "a", .type = FC_TYPE_BYTES };
    const struct fc_column bits = { .name = "a", .type = FC_TYPE_BIT, .length = 11 };
    const uint8_t data[] = { 0x00, 0x09, 0xff };
    const uint8_t eleven[] = { 0xff, 0x07 }; /* little-endian */
    (void)state;
    check(&bytes, of_bytes(data, sizeof(data)), "0009FF\n", "(x'0009FF')");
    check(&bytes, of_bytes("", 0), "\n", "(x'')");
    check(&bits, of_bytes(eleven, sizeof(eleven)), "07FF\n", "(x'07FF')");
}

static void days_and_microseconds_become_dates_and_times(void **state)
{
    const struct fc_column date = { .name = "a", .type = FC_TYPE_DATE };
    const struct fc_column whole = { .name = "a", .type = FC_TYPE_DATETIME };
    const struct fc_column fine = { .name = "a", .type = FC_TYPE_TIMESTAMP, .precision = 6 };
    const struct fc_column third = { .name = "a", .type = FC_TYPE_DATETIME, .precision = 3 };
    (void)state;
    check(&date, of_int(0), "1970-01-01\n", "('1970-01-01')");
    check(&date, of_int(-719528), "0000-01-01\n", "('0000-01-01')");
    check(&date, of_int(2932896), "9999-12-31\n", "('9999-12-31')");
    check(&date, of_int(19782), "2024-02-29\n", "('2024-02-29')");
    check(&date, of_int(-25509), "1900-02-28\n", "('1900-02-28')");
    check(&date, of_int(-25508), "1900-03-01\n", "('1900-03-01')");
    check(&date, of_text("2023-02-31"), "2023-02-31\n", "('2023-02-31')");
    check(&whole, of_int(-1000000), "1969-12-31 23:59:59\n", "('1969-12-31 23:59:59')");
    check(&fine, of_int(-1), "1969-12-31 23:59:59.999999\n", "('1969-12-31 23:59:59.999999')");
    check(&third, of_int(253402300799999000), "9999-12-31 23:59:59.999\n",
          "('9999-12-31 23:59:59.999')");
    check(&whole, of_text("0000-00-00 00:00:00"), "0000-00-00 00:00:00\n",
          "('0000-00-00 00:00:00')");
    check_rejected(&date, of_int(2932897));
    check_rejected(&whole, of_int(INT64_MAX));
    check_rejected(&whole, of_int(INT64_MIN));
}

static void times_may_be_negative_and_long(void **state)
{
    const struct fc_column whole = { .name = "a", .type = FC_TYPE_TIME };
    const struct fc_column fine = { .name = "a", .type = FC_TYPE_TIME, .precision = 2 };
    const struct fc_column year = { .name = "a", .type = FC_TYPE_YEAR };
    (void)state;
    check(&whole, of_int(-3020399000000), "-838:59:59\n", "('-838:59:59')");
    check(&fine, of_int(3020399990000), "838:59:59.99\n", "('838:59:59.99')");
    check(&fine, of_int(-10000), "-00:00:00.01\n", "('-00:00:00.01')");
    check(&whole, of_int(1), "00:00:00.000001\n", "('00:00:00.000001')");
    check(&year, of_int(0), "0000\n", "('0000')");
    check(&year, of_int(2155), "2155\n", "('2155')");
    check_rejected(&year, of_int(-1));
}

static void the_error_value_of_an_enum_is_told_from_its_labels(void **state)
{
    static const char *const usual[] = { "a", "b" };
    static const char *const zeros[] = { "0", "00" };
    static const char *const with_empty[] = { "a", "" };
    const struct fc_column plain = {
        .name = "a", .type = FC_TYPE_ENUM, .label_count = 2, .labels = usual
    };
    const struct fc_column zero_labels = {
        .name = "a", .type = FC_TYPE_ENUM, .label_count = 2, .labels = zeros
    };
    const struct fc_column empty_label = {
        .name = "a", .type = FC_TYPE_ENUM, .label_count = 2, .labels = with_empty
    };
    (void)state;
    check(&plain, of_text("b"), "b\n", "('b')");
    check(&plain, of_text(""), "0\n", "('0')");
    check(&zero_labels, of_text(""), "000\n", "('000')");
    check(&empty_label, of_text(""), "\n", "('')");
}

static void a_value_that_is_not_known_is_rejected(void **state)
{
    const struct fc_column column = { .name = "blob_column", .type = FC_TYPE_TEXT };
    const struct fc_column bytes = { .name = "bytes_column", .type = FC_TYPE_BYTES };
    (void)state;
    check_rejected(&column, (struct fc_value){ .kind = FC_VALUE_UNCHANGED });
    check_rejected(&column, of_bytes("x", 1));
    check_rejected(&bytes, of_int(1));
}

static void generated_columns_are_left_out_and_counters_go_through_set(void **state)
{
    const struct fc_column columns[] = {
        { .name = "id", .type = FC_TYPE_INT, .bits = 32 },
        { .name = "Sum", .type = FC_TYPE_INT, .bits = 32 },
        { .name = "da`ta", .type = FC_TYPE_BYTES },
        { .name = "name", .type = FC_TYPE_TEXT },
    };
    const struct fc_shape shape = { "shop", "orders", columns, 4, 0, NULL };
    char *generated[] = { (char *)(uintptr_t) "sum" };
    struct fc_load_table table = { (char *)(uintptr_t) "ID", generated, 1, 3 };
    struct fc_value row[] = { of_int(7), of_int(8), of_bytes("\x01", 1), of_text("x") };
    struct fc_load_text text;
    struct fc_error err = { 0 };
    struct fc_buf out;
    (void)state;
    fc_buf_init(&out, 1 << 20);
    assert_int_equal(fc_load_text_init(&text, &shape, FC_LOAD_FILE, &table, &err), FC_OK);
    fc_load_text_append_columns(&text, &out);
    fc_buf_append_u8(&out, '|');
    assert_int_equal(fc_load_text_append_row(&text, row, &out, &err), FC_OK);
    fc_buf_append_u8(&out, 0);
    assert_string_equal((const char *)out.data,
                        "(@v0,@v2,`name`) SET `id`=@v0,`da``ta`=UNHEX(@v2)|7\t01\tx\n");
    fc_load_text_release(&text);
    fc_buf_clear(&out);
    assert_int_equal(fc_load_text_init(&text, &shape, FC_LOAD_VALUES, &table, &err), FC_OK);
    fc_load_text_append_columns(&text, &out);
    assert_int_equal(fc_load_text_append_row(&text, row, &out, &err), FC_OK);
    fc_buf_append_u8(&out, 0);
    assert_string_equal((const char *)out.data, "(`id`,`da``ta`,`name`)(7,x'01','x')");
    fc_load_text_release(&text);
    fc_buf_release(&out);
}

static void a_shape_of_generated_columns_only_cannot_be_loaded(void **state)
{
    const struct fc_column column = { .name = "sum", .type = FC_TYPE_INT };
    const struct fc_shape shape = { "shop", "orders", &column, 1, 0, NULL };
    char *generated[] = { (char *)(uintptr_t) "sum" };
    struct fc_load_table table = { NULL, generated, 1, 0 };
    struct fc_load_text text;
    struct fc_error err = { 0 };
    (void)state;
    assert_int_equal(fc_load_text_init(&text, &shape, FC_LOAD_FILE, &table, &err),
                     FC_ERR_CONFIG);
}

static void a_row_past_the_limit_leaves_the_buffer_as_it_was(void **state)
{
    const struct fc_column column = { .name = "a", .type = FC_TYPE_TEXT };
    const struct fc_shape shape = { "shop", "orders", &column, 1, 0, NULL };
    struct fc_value value = of_text("0123456789012345678901234567890123456789");
    struct fc_load_text text;
    struct fc_error err = { 0 };
    struct fc_buf out;
    (void)state;
    fc_buf_init(&out, 50);
    fc_buf_append_text(&out, "first");
    assert_int_equal(fc_load_text_init(&text, &shape, FC_LOAD_FILE, &plain_table, &err), FC_OK);
    assert_int_equal(fc_load_text_append_row(&text, &value, &out, &err), FC_ERR_LIMIT);
    assert_int_equal(out.len, 5);
    fc_load_text_release(&text);
    fc_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_has_a_form_of_its_own),
        cmocka_unit_test(text_is_escaped_for_its_reader),
        cmocka_unit_test(integers_keep_all_their_digits),
        cmocka_unit_test(floating_point_reads_back_as_the_same_bits),
        cmocka_unit_test(bytes_travel_as_digits),
        cmocka_unit_test(days_and_microseconds_become_dates_and_times),
        cmocka_unit_test(times_may_be_negative_and_long),
        cmocka_unit_test(the_error_value_of_an_enum_is_told_from_its_labels),
        cmocka_unit_test(a_value_that_is_not_known_is_rejected),
        cmocka_unit_test(generated_columns_are_left_out_and_counters_go_through_set),
        cmocka_unit_test(a_shape_of_generated_columns_only_cannot_be_loaded),
        cmocka_unit_test(a_row_past_the_limit_leaves_the_buffer_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
