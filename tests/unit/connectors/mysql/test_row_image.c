/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/connectors/mysql/table_building.h"
#include "tests/unit/connectors/mysql/value_text.h"

enum { BUF_MAX = 1024 * 1024, TABLE_ID = 7 };

struct bench {
    struct fc_buf map_body;
    struct fc_buf body;
    struct fc_buf text;
    struct fc_binlog_format format;
    struct fc_table_map_cache *cache;
    struct fc_row_image *rows;
    struct fc_arena arena;
    struct fc_mysql_memory memory;
    struct fc_error err;
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    fc_buf_init(&bench->map_body, BUF_MAX);
    fc_buf_init(&bench->body, BUF_MAX);
    fc_buf_init(&bench->text, BUF_MAX);
    fc_arena_init(&bench->arena, BUF_MAX);
    bench->memory = test_memory(&bench->arena);
    test_format(&bench->format);
    bench->cache = fc_table_map_cache_new();
    bench->rows = fc_row_image_new();
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    fc_row_image_free(bench->rows);
    fc_table_map_cache_free(bench->cache);
    fc_arena_release(&bench->arena);
    fc_buf_release(&bench->map_body);
    fc_buf_release(&bench->body);
    fc_buf_release(&bench->text);
    free(bench);
    return 0;
}

/* Learn a table of these columns, named as given; utf8mb4 for text. */
static void learn(struct bench *bench, const struct test_column *columns, uint8_t count,
                  const char *names)
{
    const struct fc_table_map *map;
    struct fc_binlog_event event;
    fc_buf_clear(&bench->map_body);
    test_map_body(&bench->map_body, TABLE_ID, "t", columns, count);
    fc_buf_append(&bench->map_body, "\2\1\x2d", 3);
    test_append_names(&bench->map_body, names);
    event = test_body_event(FC_BINLOG_TABLE_MAP, &bench->map_body);
    if (fc_table_map_cache_put(bench->cache, &bench->format, &event, NULL, NULL, &map,
                               &bench->err) != FC_OK) {
        fail_msg("%s", bench->err.message);
    }
}

/* Decode the event in bench->body; its rows as lines in bench->text. */
static fc_code decode(struct bench *bench, uint8_t type)
{
    struct fc_binlog_event event = test_body_event(type, &bench->body);
    struct fc_rows_info info;
    fc_code code = fc_row_image_open(bench->rows, &bench->format, bench->cache, &event,
                                     &bench->memory, &info, &bench->err);
    bool end = false;
    fc_buf_clear(&bench->text);
    while (code == FC_OK && !end) {
        struct fc_value *before = NULL;
        struct fc_value *after = NULL;
        code = fc_row_image_next(bench->rows, &before, &after, &end, &bench->err);
        if (code == FC_OK && !end) {
            if (before != NULL) {
                test_append_row(&bench->text, info.map->shape, before);
            }
            if (after != NULL) {
                fc_buf_append_text(&bench->text, "->");
                test_append_row(&bench->text, info.map->shape, after);
            }
            fc_buf_append_u8(&bench->text, '\n');
        }
    }
    return code;
}

static void assert_decodes(struct bench *bench, uint8_t type, const char *expected)
{
    if (decode(bench, type) != FC_OK) {
        fail_msg("%s", bench->err.message);
    }
    fc_buf_append_u8(&bench->text, 0);
    assert_string_equal((const char *)bench->text.data, expected);
}

static const struct test_column two[] = { { 3, 0, { 0 }, false }, { 15, 2, { 40, 0 }, true } };

static void all_operations_of_both_versions_give_rows(void **state)
{
    struct bench *bench = *state;
    learn(bench, two, 2, "id name");
    for (int version = 0; version < 2; version++) {
        uint8_t write = version == 0 ? FC_BINLOG_WRITE_ROWS_V1 : FC_BINLOG_WRITE_ROWS;
        fc_buf_clear(&bench->body);
        test_rows_head(&bench->body, write, TABLE_ID, 2);
        fc_buf_append(&bench->body, "\0\1\0\0\0\1a\2\xff\xff\xff\xff", 12);
        assert_decodes(bench, write, "->id=1 name=a\n->id=-1 name=NULL\n");
        fc_buf_clear(&bench->body);
        test_rows_head(&bench->body, (uint8_t)(write + 1), TABLE_ID, 2);
        fc_buf_append(&bench->body, "\0\1\0\0\0\1a\0\2\0\0\0\1b", 14);
        assert_decodes(bench, (uint8_t)(write + 1), "id=1 name=a->id=2 name=b\n");
        fc_buf_clear(&bench->body);
        test_rows_head(&bench->body, (uint8_t)(write + 2), TABLE_ID, 2);
        fc_buf_append(&bench->body, "\0\1\0\0\0\0", 6);
        assert_decodes(bench, (uint8_t)(write + 2), "id=1 name=\n");
    }
}

static void extra_data_of_version_2_is_passed_over(void **state)
{
    struct bench *bench = *state;
    learn(bench, two, 2, "id name");
    fc_buf_append(&bench->body, "\7\0\0\0\0\0\1\0\5\0\1\2\3\2\3\0\5\0\0\0\1z", 22);
    assert_decodes(bench, FC_BINLOG_WRITE_ROWS, "->id=5 name=z\n");
    bench->body.data[8] = 1; /* shorter than itself */
    assert_int_equal(decode(bench, FC_BINLOG_WRITE_ROWS), FC_ERR_PROTOCOL);
}

static void columns_that_an_image_leaves_out_are_unchanged(void **state)
{
    struct bench *bench = *state;
    learn(bench, two, 2, "id name");
    test_rows_head(&bench->body, FC_BINLOG_UPDATE_ROWS, TABLE_ID, 2);
    bench->body.data[11] = 1; /* before: id */
    bench->body.data[12] = 2; /* after: name */
    fc_buf_append(&bench->body, "\0\1\0\0\0\1", 6);
    assert_decodes(bench, FC_BINLOG_UPDATE_ROWS,
                   "id=1 name=UNCHANGED->id=UNCHANGED name=NULL\n");
}

static void rows_without_any_column_are_refused(void **state)
{
    struct bench *bench = *state;
    learn(bench, two, 2, "id name");
    test_rows_head(&bench->body, FC_BINLOG_WRITE_ROWS, TABLE_ID, 2);
    bench->body.data[11] = 0;
    assert_int_equal(decode(bench, FC_BINLOG_WRITE_ROWS), FC_ERR_CONFIG);
    assert_non_null(strstr(bench->err.message, "SET GLOBAL binlog_row_image=FULL"));
}

static void rows_of_a_table_never_described_are_refused(void **state)
{
    struct bench *bench = *state;
    struct fc_binlog_event event;
    struct fc_rows_info info;
    test_rows_head(&bench->body, FC_BINLOG_WRITE_ROWS, 9, 2);
    assert_int_equal(decode(bench, FC_BINLOG_WRITE_ROWS), FC_ERR_PROTOCOL);
    /* A mere end of statement belongs to no table. */
    fc_buf_clear(&bench->body);
    test_rows_head(&bench->body, FC_BINLOG_WRITE_ROWS, 0xffffffffffff, 0);
    event = test_body_event(FC_BINLOG_WRITE_ROWS, &bench->body);
    assert_int_equal(
        fc_row_image_info(&bench->format, bench->cache, &event, &info, &bench->err), FC_OK);
    assert_true(info.skip && info.statement_end);
    assert_decodes(bench, FC_BINLOG_WRITE_ROWS, "");
}

static void another_number_of_columns_than_the_map_is_refused(void **state)
{
    struct bench *bench = *state;
    learn(bench, two, 2, "id name");
    test_rows_head(&bench->body, FC_BINLOG_WRITE_ROWS, TABLE_ID, 3);
    assert_int_equal(decode(bench, FC_BINLOG_WRITE_ROWS), FC_ERR_PROTOCOL);
}

static void a_cut_row_is_refused_with_table_and_column(void **state)
{
    struct bench *bench = *state;
    size_t whole;
    learn(bench, two, 2, "id name");
    test_rows_head(&bench->body, FC_BINLOG_WRITE_ROWS, TABLE_ID, 2);
    whole = bench->body.len;
    fc_buf_append(&bench->body, "\0\1\0\0\0\3abc", 9);
    for (size_t len = whole + 1; len < whole + 9; len++) {
        bench->body.len = len;
        assert_int_equal(decode(bench, FC_BINLOG_WRITE_ROWS), FC_ERR_PROTOCOL);
    }
    assert_string_equal(bench->err.message,
                        "WRITE_ROWS event (type 30) that ends at position 4711, table shop.t, "
                        "column name: its value is cut");
    for (size_t len = 0; len < whole; len++) {
        bench->body.len = len;
        assert_int_equal(decode(bench, FC_BINLOG_WRITE_ROWS), FC_ERR_PROTOCOL);
    }
}

static void no_memory_left_is_a_limit(void **state)
{
    struct bench *bench = *state;
    learn(bench, two, 2, "id name");
    test_rows_head(&bench->body, FC_BINLOG_WRITE_ROWS, TABLE_ID, 2);
    fc_buf_append(&bench->body, "\2\1\0\0\0", 5);
    bench->arena.limit = 8;
    assert_int_equal(decode(bench, FC_BINLOG_WRITE_ROWS), FC_ERR_LIMIT);
}

/* One column, one row of these bytes. */
static void assert_value(struct bench *bench, struct test_column column, const void *bytes,
                         size_t len, const char *expected)
{
    char line[256];
    (void)snprintf(line, sizeof(line), "->c=%s\n", expected);
    column.nullable = true;
    learn(bench, &column, 1, "c");
    fc_buf_clear(&bench->body);
    test_rows_head(&bench->body, FC_BINLOG_WRITE_ROWS, TABLE_ID, 1);
    fc_buf_append_u8(&bench->body, 0);
    fc_buf_append(&bench->body, bytes, len);
    assert_decodes(bench, FC_BINLOG_WRITE_ROWS, line);
}

static void temporal_values_before_mysql_5_6_are_read(void **state)
{
    static const struct test_column time = { .type = 11 };
    static const struct test_column datetime = { .type = 12 };
    static const struct test_column timestamp = { .type = 7 };
    static const struct test_column date = { .type = 14 };
    struct bench *bench = *state;
    int32_t packed_time = -8385959;
    uint64_t packed_datetime = 20161104135130;
    uint32_t seconds = 1478267490;
    assert_value(bench, time, &packed_time, 3, "-838:59:59");
    packed_time = 135130;
    assert_value(bench, time, &packed_time, 3, "13:51:30");
    assert_value(bench, datetime, &packed_datetime, 8, "2016-11-04 13:51:30");
    packed_datetime = 0;
    assert_value(bench, datetime, &packed_datetime, 8, "0000-00-00 00:00:00");
    assert_value(bench, timestamp, &seconds, 4, "2016-11-04 13:51:30");
    seconds = 0;
    assert_value(bench, timestamp, &seconds, 4, "0000-00-00 00:00:00");
    assert_value(bench, date, "\x64\xc1\x0f", 3, "2016-11-04");
}

static const struct fc_value *decode_one(struct bench *bench, struct test_column column,
                                         const void *bytes, size_t len)
{
    struct fc_binlog_event event;
    struct fc_rows_info info;
    struct fc_value *before;
    struct fc_value *after;
    bool end;
    column.nullable = true;
    learn(bench, &column, 1, "c");
    fc_buf_clear(&bench->body);
    test_rows_head(&bench->body, FC_BINLOG_WRITE_ROWS, TABLE_ID, 1);
    fc_buf_append_u8(&bench->body, 0);
    fc_buf_append(&bench->body, bytes, len);
    event = test_body_event(FC_BINLOG_WRITE_ROWS, &bench->body);
    assert_int_equal(fc_row_image_open(bench->rows, &bench->format, bench->cache, &event,
                                       &bench->memory, &info, &bench->err),
                     FC_OK);
    assert_int_equal(fc_row_image_next(bench->rows, &before, &after, &end, &bench->err), FC_OK);
    assert_false(end);
    return after;
}

static void dates_and_times_are_days_and_microseconds(void **state)
{
    static const struct test_column date = { .type = 10 };
    static const struct test_column datetime6 = { 18, 1, { 6 }, true };
    static const struct test_column time3 = { 19, 1, { 3 }, true };
    static const struct test_column time6 = { 19, 1, { 6 }, true };
    static const struct test_column time0 = { 19, 1, { 0 }, true };
    struct bench *bench = *state;
    assert_int_equal(decode_one(bench, date, "\x64\xc1\x0f", 3)->as.i64, 17109);
    assert_int_equal(
        decode_one(bench, datetime6, "\x99\x9a\xc8\xdc\xde\x01\xe2\x40", 8)->as.i64,
        1478267490123456);
    /* -733:00:00.001, -838:59:58.999999, 13:51:30, -00:00:00.000001 */
    assert_int_equal(decode_one(bench, time3, "\x52\x2f\xff\xff\xf6", 5)->as.i64,
                     -2638800001000);
    assert_int_equal(decode_one(bench, time6, "\x4b\x91\x05\xf0\xbd\xc1", 6)->as.i64,
                     -3020398999999);
    assert_int_equal(decode_one(bench, time0, "\x80\xdc\xde", 3)->as.i64, 49890000000);
    assert_int_equal(decode_one(bench, time6, "\x7f\xff\xff\xff\xff\xff", 6)->as.i64, -1);
}

static void bits_come_lowest_byte_first(void **state)
{
    static const struct test_column bit64 = { 16, 2, { 0, 8 }, true };
    static const struct test_column bit37 = { 16, 2, { 5, 4 }, true };
    struct bench *bench = *state;
    const struct fc_value *value = decode_one(bench, bit64, "\0\0\0\0\x01\x6e\x0e\xdb", 8);
    assert_int_equal(value->kind, FC_VALUE_BYTES);
    assert_int_equal(value->as.bytes.len, 8);
    assert_memory_equal(value->as.bytes.data, "\xdb\x0e\x6e\x01\0\0\0\0", 8);
    value = decode_one(bench, bit37, "\1\xda\x23\2\1", 5);
    assert_memory_equal(value->as.bytes.data, "\1\2\x23\xda\1", 5);
}

static void decimals_have_exactly_their_scale(void **state)
{
    static const struct test_column d10_2 = { 246, 2, { 10, 2 }, true };
    static const struct test_column d9_9 = { 246, 2, { 9, 9 }, true };
    static const struct test_column d20_0 = { 246, 2, { 20, 0 }, true };
    struct bench *bench = *state;
    assert_value(bench, d10_2, "\x80\0\x04\xd2\x0b", 5, "1234.11");
    assert_value(bench, d10_2, "\x7f\xff\xfb\x2d\xf4", 5, "-1234.11");
    assert_value(bench, d10_2, "\x80\0\0\0\0", 5, "0.00");
    assert_value(bench, d10_2, "\x85\xf5\xe0\xff\x63", 5, "99999999.99");
    assert_value(bench, d9_9, "\x80\0\0\1", 4, "0.000000001");
    assert_value(bench, d20_0, "\x92\x1a\xa0\xc6\x09\x2a\x4a\xe5\xff", 9,
                 "18446744073709551615");
    /* 100 in a place for two digits */
    learn(bench, &d10_2, 1, "c");
    fc_buf_clear(&bench->body);
    test_rows_head(&bench->body, FC_BINLOG_WRITE_ROWS, TABLE_ID, 1);
    fc_buf_append(&bench->body, "\0\x80\0\0\0\x64", 6);
    assert_int_equal(decode(bench, FC_BINLOG_WRITE_ROWS), FC_ERR_PROTOCOL);
}

static void binary_is_padded_and_long_values_have_long_lengths(void **state)
{
    static const struct test_column binary4 = { 254, 2, { 254, 4 }, true };
    static const struct test_column varchar300 = { 15, 2, { 44, 1 }, true };
    static const struct test_column char255 = { 254, 2, { 206, 252 }, true };
    struct bench *bench = *state;
    const struct fc_table_map *map;
    struct fc_binlog_event event;
    assert_value(bench, varchar300, "\3\0abc", 5, "abc");
    /* 1020 bytes of CHAR(255): two bits of the length are in the type's byte */
    assert_value(bench, char255, "\3\0abc", 5, "abc");
    map = fc_table_map_cache_get(bench->cache, TABLE_ID);
    assert_string_equal(map->shape->columns[0].native_type, "char(255)");
    fc_buf_clear(&bench->map_body);
    test_map_body(&bench->map_body, TABLE_ID, "t", &binary4, 1);
    fc_buf_append(&bench->map_body, "\2\1\x3f", 3);
    test_append_names(&bench->map_body, "c");
    event = test_body_event(FC_BINLOG_TABLE_MAP, &bench->map_body);
    assert_int_equal(fc_table_map_cache_put(bench->cache, &bench->format, &event, NULL, NULL,
                                            &map, &bench->err),
                     FC_OK);
    fc_buf_clear(&bench->body);
    test_rows_head(&bench->body, FC_BINLOG_WRITE_ROWS, TABLE_ID, 1);
    fc_buf_append(&bench->body, "\0\2\1\2\0\0\0\4\1\2\3\4", 12);
    assert_decodes(bench, FC_BINLOG_WRITE_ROWS, "->c=01020000\n->c=00000000\n->c=01020304\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_operations_of_both_versions_give_rows, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(extra_data_of_version_2_is_passed_over, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(columns_that_an_image_leaves_out_are_unchanged, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(rows_without_any_column_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_of_a_table_never_described_are_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(another_number_of_columns_than_the_map_is_refused,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cut_row_is_refused_with_table_and_column, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_memory_left_is_a_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(temporal_values_before_mysql_5_6_are_read, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(dates_and_times_are_days_and_microseconds, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(bits_come_lowest_byte_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(decimals_have_exactly_their_scale, set_up, tear_down),
        cmocka_unit_test_setup_teardown(binary_is_padded_and_long_values_have_long_lengths,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
