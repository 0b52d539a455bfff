/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "runner/envelope/envelope.h"
#include "tests/support/sample_rows.h"

enum { OUT_LIMIT = 1 << 20 };

static struct fc_envelope *make_envelope(fc_envelope_mode mode)
{
    struct fc_envelope_config config = { .mode = mode,
                                         .connector_name = "shop",
                                         .engine = "mysql",
                                         .version = "3.7.0-SNAPSHOT",
                                         .fields = fc_sample_fields(),
                                         .clock = fc_sample_clock() };
    return fc_envelope_new(&config);
}

static struct fc_change make_change(fc_op op, struct fc_value *before, struct fc_value *after)
{
    struct fc_change change = { .op = op,
                                .shape = fc_sample_shape(),
                                .before = before,
                                .after = after,
                                .source = fc_sample_source(),
                                .ts_us = 1700000000000000 };
    return change;
}

/* The file's one line without its end. */
static void assert_is_golden(const struct fc_buf *out, const char *name)
{
    char path[128];
    char expected[8192];
    size_t len;
    FILE *file;
    (void)snprintf(path, sizeof(path), "tests/golden/envelope/%s.json", name);
    file = fopen(path, "r");
    assert_non_null(file);
    len = fread(expected, 1, sizeof(expected), file);
    (void)fclose(file);
    assert_in_range(len, 2, sizeof(expected) - 1);
    expected[len - 1] = '\0';
    assert_false(out->failed);
    {
        char *text = strndup((const char *)out->data, out->len);
        assert_string_equal(text, expected);
        free(text);
    }
}

static void assert_change_is_golden(fc_envelope_mode mode, const struct fc_change *change,
                                    char op_override, const char *name)
{
    struct fc_envelope *envelope = make_envelope(mode);
    struct fc_buf out;
    fc_buf_init(&out, OUT_LIMIT);
    fc_envelope_value(envelope, change, op_override, &out);
    assert_is_golden(&out, name);
    fc_buf_release(&out);
    fc_envelope_free(envelope);
}

static void assert_row_is_golden(fc_envelope_mode mode, fc_sample_row which, const char *name)
{
    struct fc_value row[FC_SAMPLE_COLUMNS];
    struct fc_change change = make_change(FC_OP_CREATE, NULL, row);
    fc_sample_fill(which, row);
    assert_change_is_golden(mode, &change, 0, name);
}

static void every_type_is_encoded_exactly(void **state)
{
    (void)state;
    assert_row_is_golden(FC_ENVELOPE_EXACT, FC_SAMPLE_COMMON, "exact_common");
    assert_row_is_golden(FC_ENVELOPE_EXACT, FC_SAMPLE_EXTREME, "exact_extreme");
    assert_row_is_golden(FC_ENVELOPE_EXACT, FC_SAMPLE_NULL, "exact_null");
    assert_row_is_golden(FC_ENVELOPE_EXACT, FC_SAMPLE_ZERO_DATE, "exact_zero_date");
    assert_row_is_golden(FC_ENVELOPE_EXACT, FC_SAMPLE_UNCHANGED, "exact_unchanged");
}

static void every_type_is_encoded_as_debezium_does(void **state)
{
    (void)state;
    assert_row_is_golden(FC_ENVELOPE_DEBEZIUM, FC_SAMPLE_COMMON, "debezium_common");
    assert_row_is_golden(FC_ENVELOPE_DEBEZIUM, FC_SAMPLE_EXTREME, "debezium_extreme");
    assert_row_is_golden(FC_ENVELOPE_DEBEZIUM, FC_SAMPLE_NULL, "debezium_null");
    assert_row_is_golden(FC_ENVELOPE_DEBEZIUM, FC_SAMPLE_ZERO_DATE, "debezium_zero_date");
    assert_row_is_golden(FC_ENVELOPE_DEBEZIUM, FC_SAMPLE_UNCHANGED, "debezium_unchanged");
}

static void an_update_has_both_images_and_its_row_number(void **state)
{
    struct fc_value before[FC_SAMPLE_COLUMNS];
    struct fc_value after[FC_SAMPLE_COLUMNS];
    struct fc_change change = make_change(FC_OP_UPDATE, before, after);
    (void)state;
    change.event_row = 3;
    fc_sample_fill(FC_SAMPLE_COMMON, before);
    fc_sample_fill(FC_SAMPLE_EXTREME, after);
    assert_change_is_golden(FC_ENVELOPE_EXACT, &change, 0, "exact_update");
    assert_change_is_golden(FC_ENVELOPE_DEBEZIUM, &change, 0, "debezium_update");
}

static void a_delete_has_no_after_and_a_key_change_is_a_delete_and_a_create(void **state)
{
    struct fc_value row[FC_SAMPLE_COLUMNS];
    struct fc_change gone = make_change(FC_OP_DELETE, row, NULL);
    struct fc_change moved = make_change(FC_OP_UPDATE, row, row);
    (void)state;
    fc_sample_fill(FC_SAMPLE_COMMON, row);
    assert_change_is_golden(FC_ENVELOPE_EXACT, &gone, 0, "delete");
    assert_change_is_golden(FC_ENVELOPE_EXACT, &moved, 'd', "delete");
    assert_change_is_golden(FC_ENVELOPE_EXACT, &moved, 'c', "exact_common");
}

static void a_snapshot_row_says_so(void **state)
{
    struct fc_value row[FC_SAMPLE_COLUMNS];
    struct fc_change change = make_change(FC_OP_READ, NULL, row);
    (void)state;
    fc_sample_fill(FC_SAMPLE_COMMON, row);
    change.snapshot = FC_SNAPSHOT_ROW;
    assert_change_is_golden(FC_ENVELOPE_EXACT, &change, 0, "read");
    change.snapshot = FC_SNAPSHOT_LAST_OF_TABLE;
    assert_change_is_golden(FC_ENVELOPE_EXACT, &change, 0, "read_last");
}

static void a_truncate_takes_its_names_from_the_change(void **state)
{
    struct fc_change change = make_change(FC_OP_TRUNCATE, NULL, NULL);
    (void)state;
    change.shape = NULL;
    change.db = fc_slice_text("in\"v");
    change.table = fc_slice_text("types");
    assert_change_is_golden(FC_ENVELOPE_EXACT, &change, 0, "truncate");
}

static void a_ddl_statement_is_a_schema_change_event(void **state)
{
    const struct fc_ddl_table tables[2] = {
        { fc_slice_text("inv"), fc_slice_text("a"), fc_slice_text("inv"), fc_slice_text("b") },
        { fc_slice_text("inv"), fc_slice_text("c"), fc_slice_text("arch"),
          fc_slice_text("d\"") },
    };
    const struct fc_ddl ddl = { .kind = FC_DDL_RENAME_TABLE,
                                .statement = fc_slice_text(
                                    "RENAME TABLE inv.a TO inv.b, `c` TO arch.`d\"`"),
                                .tables = tables,
                                .table_count = 2 };
    struct fc_change change = make_change(FC_OP_DDL, NULL, NULL);
    struct fc_envelope *envelope = make_envelope(FC_ENVELOPE_EXACT);
    struct fc_buf key;
    (void)state;
    change.shape = NULL;
    change.db = fc_slice_text("inv");
    change.ddl = &ddl;
    assert_change_is_golden(FC_ENVELOPE_EXACT, &change, 0, "ddl_rename");
    fc_buf_init(&key, OUT_LIMIT);
    fc_envelope_ddl_key(envelope, &change, &key);
    assert_true(fc_slice_equal_text(fc_buf_slice(&key), "{\"databaseName\":\"inv\"}"));
    fc_buf_release(&key);
    fc_envelope_free(envelope);
}

static void a_key_has_the_key_columns_in_key_order(void **state)
{
    struct fc_envelope *envelope = make_envelope(FC_ENVELOPE_EXACT);
    struct fc_value row[FC_SAMPLE_COLUMNS];
    struct fc_buf key;
    (void)state;
    fc_buf_init(&key, OUT_LIMIT);
    fc_sample_fill(FC_SAMPLE_COMMON, row);
    assert_true(fc_envelope_key(envelope, fc_sample_shape(), row, &key));
    assert_true(fc_slice_equal_text(fc_buf_slice(&key), "{\"b\":1004,\"id\":7}"));
    fc_buf_release(&key);
    fc_envelope_free(envelope);
}

static void a_shape_that_lost_a_key_column_keeps_the_order_of_the_others(void **state)
{
    static const struct fc_column columns[3] = {
        { .name = "a", .type = FC_TYPE_INT, .bits = 32, .key_index = 7 },
        { .name = "b", .type = FC_TYPE_INT, .bits = 32 },
        { .name = "c", .type = FC_TYPE_INT, .bits = 32, .key_index = 2 },
    };
    const struct fc_shape shape = {
        .db = "d", .table = "t", .columns = columns, .column_count = 3, .key_count = 2
    };
    struct fc_value row[3] = { fc_sample_int(1), fc_sample_int(2), fc_sample_int(3) };
    struct fc_envelope *envelope = make_envelope(FC_ENVELOPE_EXACT);
    struct fc_buf key;
    (void)state;
    fc_buf_init(&key, OUT_LIMIT);
    assert_true(fc_envelope_key(envelope, &shape, row, &key));
    assert_true(fc_slice_equal_text(fc_buf_slice(&key), "{\"c\":3,\"a\":1}"));
    fc_buf_release(&key);
    fc_envelope_free(envelope);
}

static void a_table_without_key_gives_no_key(void **state)
{
    const struct fc_column column = { .name = "a", .type = FC_TYPE_INT, .bits = 32 };
    const struct fc_shape shape = {
        .db = "d", .table = "t", .columns = &column, .column_count = 1
    };
    struct fc_value row = fc_sample_int(1);
    struct fc_envelope *envelope = make_envelope(FC_ENVELOPE_EXACT);
    struct fc_buf out;
    (void)state;
    fc_buf_init(&out, OUT_LIMIT);
    assert_false(fc_envelope_key(envelope, &shape, &row, &out));
    assert_int_equal(out.len, 0);
    fc_envelope_row(envelope, &shape, &row, &out);
    assert_true(fc_slice_equal_text(fc_buf_slice(&out), "{\"a\":1}"));
    fc_buf_release(&out);
    fc_envelope_free(envelope);
}

static bool contains(const struct fc_buf *out, const char *text)
{
    return memmem(out->data, out->len, text, strlen(text)) != NULL;
}

static void rows_of_one_event_differ_in_their_number_and_events_in_their_source(void **state)
{
    struct fc_value other_source[FC_SAMPLE_FIELDS];
    struct fc_value row[FC_SAMPLE_COLUMNS];
    struct fc_change change = make_change(FC_OP_CREATE, NULL, row);
    struct fc_envelope *envelope = make_envelope(FC_ENVELOPE_EXACT);
    struct fc_buf out;
    (void)state;
    fc_buf_init(&out, OUT_LIMIT);
    fc_sample_fill(FC_SAMPLE_NULL, row);
    fc_envelope_value(envelope, &change, 0, &out);
    assert_true(contains(&out, "\"pos\":154,\"row\":0,"));
    fc_buf_clear(&out);
    change.event_row = 12345;
    fc_envelope_value(envelope, &change, 0, &out);
    assert_true(contains(&out, "\"pos\":154,\"row\":12345,\"thread\":7"));
    fc_buf_clear(&out);
    memcpy(other_source, fc_sample_source(), sizeof(other_source));
    other_source[4] = fc_sample_uint(999);
    other_source[7] = fc_sample_text("insert \"x\"");
    change.source = other_source;
    fc_envelope_value(envelope, &change, 0, &out);
    assert_true(contains(&out, "\"pos\":999,\"row\":12345,"));
    assert_true(contains(&out, "\"query\":\"insert \\\"x\\\"\"}"));
    fc_buf_release(&out);
    fc_envelope_free(envelope);
}

static void an_address_used_for_another_shape_after_begin_batch_is_noticed(void **state)
{
    struct fc_column column = { .name = "a", .type = FC_TYPE_INT, .bits = 32 };
    struct fc_shape shape = { .db = "d", .table = "t", .columns = &column, .column_count = 1 };
    struct fc_value row = fc_sample_int(1);
    struct fc_envelope *envelope = make_envelope(FC_ENVELOPE_EXACT);
    struct fc_buf out;
    (void)state;
    fc_buf_init(&out, OUT_LIMIT);
    fc_envelope_row(envelope, &shape, &row, &out);
    column.name = "b";
    fc_envelope_begin_batch(envelope);
    fc_envelope_row(envelope, &shape, &row, &out);
    assert_true(fc_slice_equal_text(fc_buf_slice(&out), "{\"a\":1}{\"b\":1}"));
    fc_buf_release(&out);
    fc_envelope_free(envelope);
}

static void many_shapes_in_one_batch_keep_their_names(void **state)
{
    enum { COUNT = 300 };
    static struct fc_column columns[COUNT];
    static struct fc_shape shapes[COUNT];
    static char names[COUNT][8];
    struct fc_envelope *envelope = make_envelope(FC_ENVELOPE_EXACT);
    struct fc_buf out;
    (void)state;
    fc_buf_init(&out, OUT_LIMIT);
    for (int index = 0; index < COUNT; index++) {
        (void)snprintf(names[index], sizeof(names[index]), "c%d", index);
        columns[index] = (struct fc_column){ .name = names[index], .type = FC_TYPE_INT };
        shapes[index] = (struct fc_shape){
            .db = "d", .table = "t", .columns = &columns[index], .column_count = 1
        };
    }
    for (int round = 0; round < 2; round++) {
        for (int index = 0; index < COUNT; index++) {
            struct fc_value row = fc_sample_int(index);
            char expected[32];
            fc_buf_clear(&out);
            fc_envelope_row(envelope, &shapes[index], &row, &out);
            (void)snprintf(expected, sizeof(expected), "{\"c%d\":%d}", index, index);
            assert_true(fc_slice_equal_text(fc_buf_slice(&out), expected));
        }
    }
    fc_buf_release(&out);
    fc_envelope_free(envelope);
}

static void a_row_past_the_limit_fails_the_buffer_and_writes_nothing(void **state)
{
    struct fc_value row[FC_SAMPLE_COLUMNS];
    struct fc_change change = make_change(FC_OP_CREATE, NULL, row);
    struct fc_envelope *envelope = make_envelope(FC_ENVELOPE_EXACT);
    struct fc_buf out;
    struct fc_error err;
    (void)state;
    fc_buf_init(&out, 1000);
    fc_sample_fill(FC_SAMPLE_COMMON, row);
    fc_envelope_value(envelope, &change, 0, &out);
    assert_int_equal(fc_buf_check(&out, "a record", &err), FC_ERR_LIMIT);
    assert_int_equal(out.len, 0);
    fc_buf_release(&out);
    fc_envelope_free(envelope);
}

static void a_long_text_needs_only_its_own_room(void **state)
{
    enum { LEN = 100000 };
    const struct fc_column column = { .name = "a", .type = FC_TYPE_TEXT };
    const struct fc_shape shape = {
        .db = "d", .table = "t", .columns = &column, .column_count = 1
    };
    char *text = malloc(LEN + 1);
    struct fc_value row;
    struct fc_envelope *envelope = make_envelope(FC_ENVELOPE_EXACT);
    struct fc_buf out;
    (void)state;
    assert_non_null(text);
    memset(text, 'x', LEN);
    text[LEN] = '\0';
    text[LEN / 2] = '"';
    row = fc_sample_text(text);
    fc_buf_init(&out, LEN + 300);
    fc_envelope_row(envelope, &shape, &row, &out);
    assert_false(out.failed);
    assert_int_equal(out.len, LEN + 1 + strlen("{\"a\":\"\"}"));
    fc_buf_release(&out);
    fc_envelope_free(envelope);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_encoded_exactly),
        cmocka_unit_test(every_type_is_encoded_as_debezium_does),
        cmocka_unit_test(an_update_has_both_images_and_its_row_number),
        cmocka_unit_test(a_delete_has_no_after_and_a_key_change_is_a_delete_and_a_create),
        cmocka_unit_test(a_snapshot_row_says_so),
        cmocka_unit_test(a_truncate_takes_its_names_from_the_change),
        cmocka_unit_test(a_ddl_statement_is_a_schema_change_event),
        cmocka_unit_test(a_key_has_the_key_columns_in_key_order),
        cmocka_unit_test(a_shape_that_lost_a_key_column_keeps_the_order_of_the_others),
        cmocka_unit_test(a_table_without_key_gives_no_key),
        cmocka_unit_test(rows_of_one_event_differ_in_their_number_and_events_in_their_source),
        cmocka_unit_test(an_address_used_for_another_shape_after_begin_batch_is_noticed),
        cmocka_unit_test(many_shapes_in_one_batch_keep_their_names),
        cmocka_unit_test(a_row_past_the_limit_fails_the_buffer_and_writes_nothing),
        cmocka_unit_test(a_long_text_needs_only_its_own_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
