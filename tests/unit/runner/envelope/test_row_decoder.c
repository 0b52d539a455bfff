/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/runner/envelope/decode_bench.h"

static void round_trip(struct bench *bench, const struct fc_value *row, struct fc_value *out)
{
    fc_buf_clear(&bench->out);
    fc_arena_clear(&bench->arena);
    fc_envelope_row(bench->envelope, bench->schema.shape, row, &bench->out);
    assert_false(bench->out.failed);
    assert_int_equal(fc_row_decoder_decode(bench->decoder, fc_buf_slice(&bench->out),
                                           &bench->arena, out, &bench->err),
                     FC_OK);
}

static void assert_round_trip(fc_envelope_mode mode, fc_sample_row which)
{
    struct bench bench;
    struct fc_value row[FC_SAMPLE_COLUMNS];
    struct fc_value decoded[FC_SAMPLE_COLUMNS];
    open_bench(&bench, fc_sample_shape(), mode);
    fc_sample_fill(which, row);
    round_trip(&bench, row, decoded);
    for (uint32_t index = 0; index < FC_SAMPLE_COLUMNS; index++) {
        if (!fc_sample_equal(&row[index], &decoded[index])) {
            fail_msg("column %s is not what it was", fc_sample_shape()->columns[index].name);
        }
    }
    close_bench(&bench);
}

static void every_value_comes_back_in_exact_mode(void **state)
{
    (void)state;
    for (int which = 0; which < FC_SAMPLE_ROWS; which++) {
        assert_round_trip(FC_ENVELOPE_EXACT, (fc_sample_row)which);
    }
}

static void every_value_but_zero_dates_comes_back_in_debezium_mode(void **state)
{
    struct bench bench;
    struct fc_value row[FC_SAMPLE_COLUMNS];
    struct fc_value decoded[FC_SAMPLE_COLUMNS];
    (void)state;
    assert_round_trip(FC_ENVELOPE_DEBEZIUM, FC_SAMPLE_COMMON);
    assert_round_trip(FC_ENVELOPE_DEBEZIUM, FC_SAMPLE_EXTREME);
    assert_round_trip(FC_ENVELOPE_DEBEZIUM, FC_SAMPLE_NULL);
    assert_round_trip(FC_ENVELOPE_DEBEZIUM, FC_SAMPLE_UNCHANGED);
    open_bench(&bench, fc_sample_shape(), FC_ENVELOPE_DEBEZIUM);
    fc_sample_fill(FC_SAMPLE_ZERO_DATE, row);
    round_trip(&bench, row, decoded);
    assert_int_equal(decoded[24].kind, FC_VALUE_NULL); /* a nullable date */
    assert_int_equal(decoded[29].kind, FC_VALUE_INT);  /* a timestamp NOT NULL */
    assert_int_equal(decoded[29].as.i64, 0);
    close_bench(&bench);
}

/* A table t of one column. */
static struct fc_shape one_column(const struct fc_column *column)
{
    struct fc_shape shape = { .db = "d", .table = "t", .columns = column, .column_count = 1 };
    return shape;
}

static void assert_value_round_trips(const struct fc_column *column, fc_envelope_mode mode,
                                     struct fc_value value)
{
    struct bench bench;
    struct fc_shape shape = one_column(column);
    struct fc_value decoded;
    open_bench(&bench, &shape, mode);
    round_trip(&bench, &value, &decoded);
    if (!fc_sample_equal(&value, &decoded)) {
        fail_msg("%.*s does not come back", (int)bench.out.len, (char *)bench.out.data);
    }
    close_bench(&bench);
}

static void numbers_at_the_ends_of_their_range_come_back(void **state)
{
    const struct fc_column u64 = {
        .name = "c", .type = FC_TYPE_INT, .bits = 64, .is_unsigned = true
    };
    const struct fc_column i64 = { .name = "c", .type = FC_TYPE_INT, .bits = 64 };
    const uint64_t unsigneds[] = { 0, 1, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX };
    const int64_t signeds[] = { 0, -1, INT64_MAX, INT64_MIN, 999999999999999999 };
    (void)state;
    for (int mode = FC_ENVELOPE_EXACT; mode <= FC_ENVELOPE_DEBEZIUM; mode++) {
        for (size_t index = 0; index < 5; index++) {
            assert_value_round_trips(&u64, (fc_envelope_mode)mode,
                                     fc_sample_uint(unsigneds[index]));
            assert_value_round_trips(&i64, (fc_envelope_mode)mode,
                                     fc_sample_int(signeds[index]));
        }
    }
}

static void decimals_of_every_length_come_back(void **state)
{
    struct fc_column column = { .name = "c", .type = FC_TYPE_DECIMAL, .precision = 65 };
    char text[80];
    (void)state;
    for (int digits = 1; digits <= 65; digits++) {
        for (int scale = 0; scale <= 30 && scale <= digits; scale++) {
            int whole = digits - scale;
            size_t at = 0;
            text[at++] = '-';
            if (whole == 0) {
                text[at++] = '0';
            }
            for (int place = 0; place < whole; place++) {
                text[at++] = (char)('1' + (place + digits) % 9);
            }
            if (scale > 0) {
                text[at++] = '.';
            }
            for (int place = 0; place < scale; place++) {
                text[at++] = (char)('0' + (place * 7 + digits) % 10);
            }
            text[at] = '\0';
            if (strspn(text, "-0.") == strlen(text)) {
                continue; /* minus zero has no unscaled form */
            }
            column.scale = (uint16_t)scale;
            assert_value_round_trips(&column, FC_ENVELOPE_DEBEZIUM, fc_sample_text(text));
            assert_value_round_trips(&column, FC_ENVELOPE_DEBEZIUM, fc_sample_text(text + 1));
            assert_value_round_trips(&column, FC_ENVELOPE_EXACT, fc_sample_text(text));
        }
    }
}

static void a_decimal_that_does_not_fit_its_scale_comes_back(void **state)
{
    const struct fc_column column = {
        .name = "c", .type = FC_TYPE_DECIMAL, .precision = 5, .scale = 2
    };
    (void)state;
    assert_value_round_trips(&column, FC_ENVELOPE_DEBEZIUM, fc_sample_text("1.2345"));
    assert_value_round_trips(&column, FC_ENVELOPE_DEBEZIUM, fc_sample_text("***"));
    assert_value_round_trips(&column, FC_ENVELOPE_DEBEZIUM, fc_sample_text(""));
    assert_value_round_trips(&column, FC_ENVELOPE_EXACT, fc_sample_text("1.2345"));
}

static void a_text_that_looks_unavailable_is_not_taken_for_it(void **state)
{
    static const char word[] = "__debezium_unavailable_value";
    const fc_type types[] = { FC_TYPE_TEXT, FC_TYPE_ENUM, FC_TYPE_SET, FC_TYPE_JSON };
    const struct fc_value unchanged = { .kind = FC_VALUE_UNCHANGED };
    (void)state;
    for (size_t index = 0; index < sizeof(types) / sizeof(*types); index++) {
        struct fc_column column = { .name = "c", .type = types[index] };
        assert_value_round_trips(&column, FC_ENVELOPE_EXACT, fc_sample_text(word));
        assert_value_round_trips(&column, FC_ENVELOPE_DEBEZIUM, fc_sample_text(word));
        assert_value_round_trips(&column, FC_ENVELOPE_EXACT, unchanged);
    }
    for (int type = FC_TYPE_INT; type <= FC_TYPE_UUID; type++) {
        struct fc_column column = { .name = "c", .type = (fc_type)type };
        assert_value_round_trips(&column, FC_ENVELOPE_EXACT, unchanged);
        assert_value_round_trips(&column, FC_ENVELOPE_DEBEZIUM, unchanged);
    }
}

static void bytes_that_no_geometry_vector_or_bit_has_come_back(void **state)
{
    const struct fc_column geometry = { .name = "c",
                                        .native_type = "point",
                                        .type = FC_TYPE_GEOMETRY };
    const struct fc_column vector = { .name = "c", .type = FC_TYPE_VECTOR };
    const struct fc_column bit = { .name = "c", .type = FC_TYPE_BIT, .length = 1 };
    (void)state;
    assert_value_round_trips(&geometry, FC_ENVELOPE_EXACT, fc_sample_bytes("ab", 2));
    assert_value_round_trips(&geometry, FC_ENVELOPE_EXACT, fc_sample_bytes("abcd", 4));
    assert_value_round_trips(&geometry, FC_ENVELOPE_EXACT,
                             fc_sample_bytes("\xff\xff\xff\xffZ", 5));
    assert_value_round_trips(&vector, FC_ENVELOPE_EXACT, fc_sample_bytes("abc", 3));
    assert_value_round_trips(&vector, FC_ENVELOPE_EXACT, fc_sample_bytes("\1\0\xc0\x7f", 4));
    assert_value_round_trips(&bit, FC_ENVELOPE_EXACT, fc_sample_bytes("\2", 1));
    assert_value_round_trips(&bit, FC_ENVELOPE_EXACT, fc_sample_bytes("\1\1", 2));
}

static void timestamps_of_every_precision_and_far_years_come_back(void **state)
{
    const int64_t moments[] = { 0,
                                -1,
                                1529501823123456,
                                -62167219200000000, /* 0000-01-01 */
                                -62167219200000001, /* the year before */
                                253402300800000000, /* 10000-01-01 */
                                INT64_MAX,
                                INT64_MIN };
    (void)state;
    for (uint16_t precision = 0; precision <= 6; precision++) {
        struct fc_column column = { .name = "c",
                                    .type = FC_TYPE_TIMESTAMP,
                                    .precision = precision };
        for (size_t index = 0; index < sizeof(moments) / sizeof(*moments); index++) {
            assert_value_round_trips(&column, FC_ENVELOPE_EXACT, fc_sample_int(moments[index]));
        }
    }
}

static void columns_may_come_in_any_order_with_spaces_and_strangers_between(void **state)
{
    static const char *const texts[] = {
        "{\"a\":-7,\"b\\\"\":\"x\"}",
        "{\"b\\\"\":\"x\",\"a\":-7}",
        " { \"a\" : -7 ,\n\t\"b\\u0022\" : \"x\" } ",
        "{\"a\":-7,\"z\":{\"a\":[1,\"}\"]},\"b\\\"\":\"x\"}",
        "{\"z\":null,\"b\\\"\":\"x\",\"zz\":true,\"a\":-7,\"zzz\":1e5}",
    };
    struct bench bench;
    struct fc_value row[2];
    (void)state;
    open_bench(&bench, two_columns(), FC_ENVELOPE_EXACT);
    for (size_t index = 0; index < sizeof(texts) / sizeof(*texts); index++) {
        assert_int_equal(decode_text(&bench, texts[index], row), FC_OK);
        assert_int_equal(row[0].as.i64, -7);
        assert_true(fc_slice_equal_text(row[1].as.bytes, "x"));
    }
    close_bench(&bench);
}

static void a_column_that_is_absent_or_there_twice_is_named(void **state)
{
    struct bench bench;
    struct fc_value row[2];
    (void)state;
    open_bench(&bench, two_columns(), FC_ENVELOPE_EXACT);
    assert_int_equal(decode_text(&bench, "{\"a\":1}", row), FC_ERR_CORRUPT);
    assert_string_equal(bench.err.message, "row of d.t: column b\" is not in it");
    assert_int_equal(decode_text(&bench, "{\"b\\\"\":null}", row), FC_ERR_CORRUPT);
    assert_string_equal(bench.err.message, "row of d.t: column a is not in it");
    assert_int_equal(decode_text(&bench, "{}", row), FC_ERR_CORRUPT);
    assert_int_equal(decode_text(&bench, "{\"a\":1,\"a\":2,\"b\\\"\":null}", row),
                     FC_ERR_CORRUPT);
    assert_string_equal(bench.err.message, "row of d.t: column a is there twice");
    close_bench(&bench);
}

static void what_is_no_row_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "null",
        "[]",
        "{\"a\":1,\"b\\\"\":\"x\"",
        "{\"a\":1,\"b\\\"\":\"x}",
        "{\"a\":1,\"b\\\"\":\"x\"}}",
        "{\"a\":1,\"b\\\"\":\"x\"},",
        "{\"a\":1 \"b\\\"\":\"x\"}",
        "{\"a\":1,,\"b\\\"\":\"x\"}",
        "{\"a\":1,\"b\\\"\":\"x\",}",
        "{\"a\":,\"b\\\"\":\"x\"}",
        "{\"a\":-,\"b\\\"\":\"x\"}",
        "{\"a\":nul,\"b\\\"\":\"x\"}",
        "{\"a\":true,\"b\\\"\":\"x\"}",
        "{\"a\":[1],\"b\\\"\":\"x\"}",
        "{\"a\":{},\"b\\\"\":\"x\"}",
        "{\"a\":99999999999999999999,\"b\\\"\":\"x\"}",
        "{\"a\":-9223372036854775809,\"b\\\"\":\"x\"}",
        "{\"a\":1,\"b\\\"\":\"\\x\"}",
        "{\"a\":1,\"b\\\"\":\"\\u12g4\"}",
        "{\"a\":1,\"b\\\"\":\"\\ud800\"}",
        "{\"a\":1,\"b\\\"\":\"\\udc00\\ud800\"}",
    };
    struct bench bench;
    struct fc_value row[2];
    (void)state;
    open_bench(&bench, two_columns(), FC_ENVELOPE_EXACT);
    for (size_t index = 0; index < sizeof(texts) / sizeof(*texts); index++) {
        if (decode_text(&bench, texts[index], row) != FC_ERR_CORRUPT) {
            fail_msg("%s was taken for a row", texts[index]);
        }
    }
    close_bench(&bench);
}

static void escapes_of_other_writers_are_understood(void **state)
{
    struct bench bench;
    struct fc_value row[2];
    (void)state;
    open_bench(&bench, two_columns(), FC_ENVELOPE_EXACT);
    assert_int_equal(decode_text(&bench,
                                 "{\"a\":1,\"b\\\"\":\"\\/\\u0041\\u00e9\\u20AC\\ud83d\\ude00 "
                                 "\\b\\f\\n\\r\\t\\\\\\\"\"}",
                                 row),
                     FC_OK);
    assert_true(fc_slice_equal_text(row[1].as.bytes,
                                    "/A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 \b\f\n\r\t\\\""));
    close_bench(&bench);
}

static void wrong_base64_is_refused(void **state)
{
    static const char *const texts[] = { "{\"c\":\"A\"}",    "{\"c\":\"AB\"}",
                                         "{\"c\":\"ABC\"}",  "{\"c\":\"A=B=\"}",
                                         "{\"c\":\"====\"}", "{\"c\":\"AB=C\"}",
                                         "{\"c\":\"AA-_\"}", "{\"c\":\"AB==\"}" };
    const struct fc_column column = { .name = "c", .type = FC_TYPE_BYTES };
    struct fc_shape shape = one_column(&column);
    struct bench bench;
    struct fc_value row;
    (void)state;
    open_bench(&bench, &shape, FC_ENVELOPE_EXACT);
    for (size_t index = 0; index < sizeof(texts) / sizeof(*texts); index++) {
        if (decode_text(&bench, texts[index], &row) != FC_ERR_CORRUPT) {
            fail_msg("%s was taken for bytes", texts[index]);
        }
    }
    close_bench(&bench);
}

static void text_without_escapes_is_borrowed_and_a_full_arena_is_a_limit(void **state)
{
    struct bench bench;
    struct fc_value row[2];
    const char *plain = "{\"a\":1,\"b\\\"\":\"some text\"}";
    (void)state;
    open_bench(&bench, two_columns(), FC_ENVELOPE_EXACT);
    fc_arena_release(&bench.arena);
    fc_arena_init(&bench.arena, 4);
    assert_int_equal(decode_text(&bench, plain, row), FC_OK);
    assert_ptr_equal(row[1].as.bytes.data, strstr(plain, "some"));
    assert_int_equal(decode_text(&bench, "{\"a\":1,\"b\\\"\":\"some\\ntext\"}", row),
                     FC_ERR_LIMIT);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_comes_back_in_exact_mode),
        cmocka_unit_test(every_value_but_zero_dates_comes_back_in_debezium_mode),
        cmocka_unit_test(numbers_at_the_ends_of_their_range_come_back),
        cmocka_unit_test(decimals_of_every_length_come_back),
        cmocka_unit_test(a_decimal_that_does_not_fit_its_scale_comes_back),
        cmocka_unit_test(a_text_that_looks_unavailable_is_not_taken_for_it),
        cmocka_unit_test(bytes_that_no_geometry_vector_or_bit_has_come_back),
        cmocka_unit_test(timestamps_of_every_precision_and_far_years_come_back),
        cmocka_unit_test(columns_may_come_in_any_order_with_spaces_and_strangers_between),
        cmocka_unit_test(a_column_that_is_absent_or_there_twice_is_named),
        cmocka_unit_test(what_is_no_row_is_refused),
        cmocka_unit_test(escapes_of_other_writers_are_understood),
        cmocka_unit_test(wrong_base64_is_refused),
        cmocka_unit_test(text_without_escapes_is_borrowed_and_a_full_arena_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
