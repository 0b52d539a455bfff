/* SPDX-License-Identifier: Apache-2.0 */
/* Changes that a person wrote as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/change_json.h"
#include "runner/column_type.h"
#include "tests/support/sample_rows.h"

static struct fc_change_file *parse(const char *text)
{
    struct fc_change_file *file = NULL;
    struct fc_error err;
    if (fc_change_file_parse(fc_slice_text(text), &file, &err) != FC_OK) {
        fail_msg("%s", err.message);
    }
    return file;
}

static void assert_refused(const char *text, const char *message)
{
    struct fc_change_file *file = NULL;
    struct fc_error err;
    assert_int_equal(fc_change_file_parse(fc_slice_text(text), &file, &err), FC_ERR_CONFIG);
    assert_string_equal(err.message, message);
}

static const struct fc_column *column_of(const struct fc_change *change, const char *name,
                                         const struct fc_value **out_after)
{
    for (uint32_t index = 0; index < change->shape->column_count; index++) {
        if (strcmp(change->shape->columns[index].name, name) == 0) {
            *out_after = change->after == NULL ? NULL : &change->after[index];
            return &change->shape->columns[index];
        }
    }
    fail_msg("no column %s", name);
    return NULL;
}

static void assert_column(const struct fc_change *change, const char *name, const char *type,
                          struct fc_value expected)
{
    const struct fc_value *value = NULL;
    assert_string_equal(column_of(change, name, &value)->native_type, type);
    if (!fc_sample_equal(value, &expected)) {
        fail_msg("column %s has another value", name);
    }
}

static struct fc_value number(double value)
{
    struct fc_value made = { .kind = FC_VALUE_DOUBLE };
    made.as.f64 = value;
    return made;
}

static void types_are_found_from_the_values_of_all_events(void **state)
{
    struct fc_change_file *file = parse(
        "{\"op\":\"c\",\"after\":{\"id\":1,\"n\":2,\"t\":\"x\",\"b\":true,\"j\":{\"a\": [1]},"
        "\"u\":18446744073709551615,\"z\":null},\"source\":{\"db\":\"d\",\"table\":\"t\"}}\n"
        "{\"op\":\"c\",\"after\":{\"id\":2,\"n\":0.5,\"t\":7,\"later\":\"y\"},"
        "\"source\":{\"db\":\"d\",\"table\":\"t\"}}");
    const struct fc_change *first = fc_change_file_get(file, 0);
    const struct fc_change *second = fc_change_file_get(file, 1);
    (void)state;
    assert_int_equal(fc_change_file_count(file), 2);
    assert_int_equal(fc_change_file_line(file, 1), 2);
    assert_ptr_equal(first->shape, second->shape);
    assert_string_equal(first->shape->db, "d");
    assert_string_equal(first->shape->table, "t");
    assert_int_equal(first->shape->key_count, 1);
    assert_column(first, "id", "bigint", fc_sample_int(1));
    assert_column(first, "n", "double", number(2));
    assert_column(second, "n", "double", number(0.5));
    assert_column(first, "t", "longtext", fc_sample_text("x"));
    assert_column(second, "t", "longtext", fc_sample_text("7"));
    assert_column(first, "b", "tinyint(1)", fc_sample_int(1));
    assert_column(first, "j", "json", fc_sample_text("{\"a\":[1]}"));
    assert_column(first, "u", "bigint unsigned", fc_sample_uint(UINT64_MAX));
    assert_column(first, "z", "longtext", fc_sample_null());
    assert_column(first, "later", "longtext", fc_sample_null());
    fc_change_file_free(file);
}

static void a_schema_gives_the_types(void **state)
{
    struct fc_change_file *file = parse(
        "[{\"schema\":{\"a\":\"int unsigned not null primary key\",\"d\":\"decimal(10,3)\","
        "\"e\":\"enum('x','it''s')\",\"b\":\"varbinary(8)\",\"t\":\"timestamp(3)\","
        "\"bit\":\"bit(1)\"},\"op\":\"c\",\"source\":{\"table\":\"t\"},"
        "\"after\":{\"a\":4294967295,\"d\":1.5,\"e\":\"it's\",\"b\":\"AP8=\","
        "\"t\":\"2018-06-20T13:37:03.120Z\",\"bit\":true}}]");
    const struct fc_change *change = fc_change_file_get(file, 0);
    const struct fc_value *value = NULL;
    (void)state;
    assert_column(change, "a", "int unsigned", fc_sample_uint(4294967295));
    assert_int_equal(column_of(change, "a", &value)->key_index, 1);
    assert_false(column_of(change, "a", &value)->nullable);
    assert_column(change, "d", "decimal(10,3)", fc_sample_text("1.500"));
    assert_column(change, "e", "enum('x','it''s')", fc_sample_text("it's"));
    assert_string_equal(column_of(change, "e", &value)->labels[1], "it's");
    assert_column(change, "b", "varbinary(8)", fc_sample_bytes("\0\xff", 2));
    assert_column(change, "t", "timestamp(3)", fc_sample_int(1529501823120000));
    assert_column(change, "bit", "bit(1)", fc_sample_bytes("\1", 1));
    fc_change_file_free(file);
}

static void where_a_change_comes_from_is_read(void **state)
{
    struct fc_change_file *file =
        parse("{\"before\":{\"id\":1},\"after\":null,\"source\":{\"db\":\"d\",\"table\":\"t\","
              "\"ts_ms\":1700000000123,\"gtid\":\"0-1-5\",\"file\":\"b.1\",\"pos\":9}}"
              "{\"op\":\"t\",\"before\":null,\"after\":null,\"source\":{\"db\":\"d\","
              "\"table\":\"t\",\"file\":\"b.1\",\"pos\":10}}");
    const struct fc_change *change = fc_change_file_get(file, 0);
    const struct fc_source_field *fields = fc_change_file_fields();
    (void)state;
    assert_int_equal(change->op, FC_OP_DELETE);
    assert_null(change->after);
    assert_int_equal(change->ts_us, 1700000000123000);
    assert_true(fc_slice_equal_text(change->tx->id, "0-1-5"));
    for (int index = 0; fields[index].name != NULL; index++) {
        if (strcmp(fields[index].name, "pos") == 0) {
            assert_int_equal(change->source[index].as.i64, 9);
        }
    }
    change = fc_change_file_get(file, 1);
    assert_int_equal(change->op, FC_OP_TRUNCATE);
    assert_true(fc_slice_equal_text(change->tx->id, "b.1:10"));
    assert_true(fc_slice_equal_text(change->table, "t"));
    fc_change_file_free(file);
}

static void a_statement_is_read(void **state)
{
    struct fc_change_file *file = parse(
        "{\"source\":{\"db\":\"d\"},\"ts_ms\":1,\"databaseName\":\"d\",\"schemaName\":null,"
        "\"ddl\":\"DROP TABLE t\",\"tableChanges\":[]}");
    const struct fc_change *change = fc_change_file_get(file, 0);
    (void)state;
    assert_int_equal(change->op, FC_OP_DDL);
    assert_true(fc_slice_equal_text(change->ddl->statement, "DROP TABLE t"));
    assert_true(fc_slice_equal_text(change->db, "d"));
    fc_change_file_free(file);
}

static void nothing_gives_no_changes(void **state)
{
    static const char *const texts[] = { "", " \n", "[]", "[ ]\n" };
    (void)state;
    for (size_t index = 0; index < 4; index++) {
        struct fc_change_file *file = parse(texts[index]);
        assert_int_equal(fc_change_file_count(file), 0);
        fc_change_file_free(file);
    }
}

static void mistakes_are_named_with_their_line(void **state)
{
    (void)state;
    assert_refused("{\"op\":\n\"c\",}", "line 2: invalid JSON: a key is missing");
    assert_refused("\n[{\"op\":\"c\"", "line 2: invalid JSON: ',' or '}' is missing");
    assert_refused("[1]", "line 1: a change is an object");
    assert_refused("[] x", "line 1: something follows the array");
    assert_refused("{\"op\":\"c\",\"after\":{}}",
                   "line 1: needs a table's name in `source.table`");
    assert_refused("\n{\"op\":\"x\",\"after\":{\"a\":1},\"source\":{\"table\":\"t\"}}",
                   "line 2: `op` is one of r c u d t");
    assert_refused("{\"op\":\"d\",\"after\":{\"a\":1},\"source\":{\"table\":\"t\"}}",
                   "line 1: op d needs a row under `before`");
    assert_refused("{\"op\":\"c\",\"after\":[1],\"source\":{\"table\":\"t\"}}",
                   "line 1: a row is an object or null");
    assert_refused("{\"op\":\"c\",\"after\":{\"a\":1},\"source\":{\"table\":\"t\"},"
                   "\"schema\":{\"a\":\"nit\"}}",
                   "line 1: column a: `nit` is no column type of MySQL");
    assert_refused("{\"op\":\"c\",\"after\":{\"a\":1},\"source\":{\"table\":\"t\"},"
                   "\"schema\":{\"a\":7}}",
                   "line 1: the type of column a is a text");
    assert_refused("{\"op\":\"c\",\"after\":{\"a\":\"\xff\"},\"source\":{\"table\":\"t\"}}",
                   "line 1: the text is not UTF-8");
}

static void a_value_that_its_type_cannot_hold_is_named(void **state)
{
    struct fc_change_file *file = NULL;
    struct fc_error err;
    (void)state;
    assert_int_equal(
        fc_change_file_parse(fc_slice_text("{\"op\":\"c\",\"after\":{\"a\":\"five\"},"
                                           "\"source\":{\"table\":\"t\"},"
                                           "\"schema\":{\"a\":\"int\"}}"),
                             &file, &err),
        FC_ERR_CONFIG);
    assert_non_null(strstr(err.message, "line 1: "));
    assert_non_null(strstr(err.message, "a"));
}

static void column_types_are_read_with_their_figures(void **state)
{
    struct fc_arena arena;
    struct fc_column column;
    struct fc_error err;
    bool is_key = false;
    (void)state;
    fc_arena_init(&arena, 1 << 20);
    assert_int_equal(fc_column_type_parse(fc_slice_text("VARCHAR(20) NOT NULL"), &arena,
                                          &column, &is_key, &err),
                     FC_OK);
    assert_int_equal(column.type, FC_TYPE_TEXT);
    assert_int_equal(column.length, 20);
    assert_false(column.nullable);
    assert_false(is_key);
    assert_string_equal(column.native_type, "VARCHAR(20)");
    assert_int_equal(
        fc_column_type_parse(fc_slice_text("datetime(6) key"), &arena, &column, &is_key, &err),
        FC_OK);
    assert_int_equal(column.precision, 6);
    assert_true(is_key);
    assert_int_equal(
        fc_column_type_parse(fc_slice_text("decimal"), &arena, &column, &is_key, &err), FC_OK);
    assert_int_equal(column.precision, 10);
    assert_int_equal(column.scale, 0);
    static const char *const wrong[] = { "decimal(2,3)",    "int(",    "time(7)",
                                         "enum(a)",         "enum('a", "bit(65)",
                                         "int null please", "" };
    for (size_t index = 0; index < sizeof(wrong) / sizeof(wrong[0]); index++) {
        if (fc_column_type_parse(fc_slice_text(wrong[index]), &arena, &column, &is_key, &err) !=
            FC_ERR_CONFIG) {
            fail_msg("`%s` was taken", wrong[index]);
        }
    }
    fc_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_found_from_the_values_of_all_events),
        cmocka_unit_test(a_schema_gives_the_types),
        cmocka_unit_test(where_a_change_comes_from_is_read),
        cmocka_unit_test(a_statement_is_read),
        cmocka_unit_test(nothing_gives_no_changes),
        cmocka_unit_test(mistakes_are_named_with_their_line),
        cmocka_unit_test(a_value_that_its_type_cannot_hold_is_named),
        cmocka_unit_test(column_types_are_read_with_their_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
