/* SPDX-License-Identifier: Apache-2.0 */
/* Dropping, renaming, adding and converting columns, and the shapes that come of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/sample_rows.h"
#include "tests/support/script_runner.h"

static int set_up(void **state)
{
    struct script_runner *runner = test_malloc(sizeof(*runner));
    script_runner_init(runner);
    *state = runner;
    return 0;
}

static int tear_down(void **state)
{
    script_runner_release(*state);
    test_free(*state);
    return 0;
}

static const struct fc_shape *run_body(struct script_runner *runner, const char *body)
{
    char script[1024];
    (void)snprintf(script, sizeof(script), "function transform(c) %s return c end", body);
    if (script_runner_script(runner, script) != FC_OK || script_runner_run(runner) != FC_OK) {
        fail_msg("%s: %s", body, runner->err.message);
    }
    return runner->results[0].change->shape;
}

static void assert_rejected(struct script_runner *runner, const char *body, const char *message)
{
    char script[1024];
    (void)snprintf(script, sizeof(script), "function transform(c) %s return c end", body);
    assert_int_equal(script_runner_script(runner, script), FC_OK);
    assert_int_equal(script_runner_run(runner), FC_ERR_REJECTED);
    assert_string_equal(runner->err.message + strlen("t.lua:1: "), message);
}

static const struct fc_column *column_of(const struct fc_shape *shape, const char *name)
{
    for (uint32_t index = 0; index < shape->column_count; index++) {
        if (strcmp(shape->columns[index].name, name) == 0) {
            return &shape->columns[index];
        }
    }
    fail_msg("no column %s", name);
    return NULL;
}

static void assert_text(const struct fc_value *value, const char *text)
{
    struct fc_value expected = fc_sample_text(text);
    assert_non_null(value);
    assert_true(fc_sample_equal(value, &expected));
}

static void a_dropped_column_is_gone_from_shape_and_rows(void **state)
{
    struct script_runner *runner = *state;
    const struct fc_shape *shape = run_body(runner, "c:drop_column('status')");
    assert_int_equal(shape->column_count, ORDER_COLUMNS - 1);
    assert_string_equal(shape->columns[1].name, "customer_id");
    assert_string_equal(shape->columns[2].name, "amount");
    assert_null(shape->create_sql);
    assert_int_equal(shape->key_count, 1);
    assert_text(script_runner_after(runner, "amount"), "19.90");
    assert_text(script_runner_before(runner, "amount"), "19.90");
    assert_int_equal(script_runner_after(runner, "data")->kind, FC_VALUE_BYTES);
    assert_int_equal(script_orders()->column_count, ORDER_COLUMNS);
}

static void the_same_edit_gives_the_same_shape_pointer(void **state)
{
    struct script_runner *runner = *state;
    struct fc_shape moved = *script_orders();
    const struct fc_shape *first =
        run_body(runner, "c:drop_column('status') c:rename_column('note', 'remark')");
    assert_int_equal(script_runner_run(runner), FC_OK);
    assert_ptr_equal(runner->results[0].change->shape, first);
    fc_transform_engine_begin_batch(runner->engine);
    assert_int_equal(script_runner_run(runner), FC_OK);
    assert_ptr_equal(runner->results[0].change->shape, first);
    runner->change.shape = &moved; /* another address, the same content: a source opened anew */
    assert_int_equal(script_runner_run(runner), FC_OK);
    assert_ptr_equal(runner->results[0].change->shape, first);
}

static void another_shape_at_the_same_address_is_noticed_in_the_next_batch(void **state)
{
    struct script_runner *runner = *state;
    struct fc_column columns[ORDER_COLUMNS];
    struct fc_shape shape = *script_orders();
    memcpy(columns, shape.columns, sizeof(columns));
    shape.columns = columns;
    runner->change.shape = &shape;
    assert_string_equal(run_body(runner, "c:drop_column('status')")->columns[3].name, "note");
    columns[ORDER_NOTE].name = "remark";
    fc_transform_engine_begin_batch(runner->engine);
    assert_int_equal(script_runner_run(runner), FC_OK);
    assert_string_equal(runner->results[0].change->shape->columns[3].name, "remark");
}

static void key_columns_cannot_be_dropped_silently(void **state)
{
    struct script_runner *runner = *state;
    const struct fc_shape *shape;
    assert_rejected(runner, "c:drop_column('id')",
                    "column id is in the key of shop.orders: set change.key before it is "
                    "dropped");
    shape = run_body(runner, "c.key = 'k' c:drop_column('id')");
    assert_int_equal(shape->key_count, 0);
    assert_int_equal(shape->columns[0].key_index, 0);
}

static void what_is_left_of_a_broken_key_is_no_key(void **state)
{
    struct script_runner *runner = *state;
    struct fc_column columns[ORDER_COLUMNS];
    struct fc_shape two = *script_orders();
    const struct fc_shape *shape;
    memcpy(columns, two.columns, sizeof(columns));
    columns[ORDER_CUSTOMER].key_index = 2;
    two.columns = columns;
    two.key_count = 2;
    runner->change.shape = &two;
    shape = run_body(runner, "c.key = 'k' c:drop_column('id')");
    assert_int_equal(shape->key_count, 0);
    assert_int_equal(column_of(shape, "customer_id")->key_index, 0);
}

static void a_renamed_column_keeps_its_value_and_place(void **state)
{
    struct script_runner *runner = *state;
    const struct fc_shape *shape =
        run_body(runner, "c:rename_column('status', 'state') c.after.state = 'X' "
                         "assert(c.before.state == 'open')");
    assert_string_equal(shape->columns[ORDER_STATUS].name, "state");
    assert_string_equal(shape->columns[ORDER_STATUS].native_type, "varchar(16)");
    assert_text(script_runner_after(runner, "state"), "X");
    assert_rejected(runner, "c:rename_column('status', 'note')",
                    "shop.orders already has a column 'note'");
    assert_rejected(runner, "c:rename_column('stat', 'x')", "shop.orders has no column 'stat'");
    assert_rejected(runner, "c:rename_column('status', '')",
                    "a column name has 1 to 255 bytes");
    shape = run_body(runner, "c:rename_column('id', 'order_id')");
    assert_int_equal(shape->columns[0].key_index, 1);
    shape = run_body(runner, "c:rename_column('status', 'status')");
    assert_ptr_equal(shape, script_orders());
}

static void an_added_column_stands_at_the_end_of_each_row(void **state)
{
    struct script_runner *runner = *state;
    const struct fc_shape *shape =
        run_body(runner, "c:add_column('region', 'text', 'EU') c:add_column('n', 'int') "
                         "c:add_column('price', 'decimal(12,3)', 2) c.after.n = 5");
    assert_int_equal(shape->column_count, ORDER_COLUMNS + 3);
    assert_string_equal(shape->columns[ORDER_COLUMNS].name, "region");
    assert_string_equal(shape->columns[ORDER_COLUMNS].native_type, "longtext");
    assert_true(shape->columns[ORDER_COLUMNS].nullable);
    assert_string_equal(column_of(shape, "price")->native_type, "decimal(12,3)");
    assert_text(script_runner_after(runner, "region"), "EU");
    assert_text(script_runner_before(runner, "region"), "EU");
    assert_text(script_runner_after(runner, "price"), "2.000");
    assert_int_equal(script_runner_after(runner, "n")->as.i64, 5);
    assert_int_equal(script_runner_before(runner, "n")->kind, FC_VALUE_NULL);
    assert_rejected(runner, "c:add_column('id', 'int')",
                    "shop.orders already has a column 'id'");
    assert_rejected(runner, "c:add_column('x', 'varchar')",
                    "bad argument #2 to 'add_column' (a type expected: int, double, "
                    "decimal(p,s), text, bytes, json, date, time, datetime or timestamp)");
    assert_rejected(runner, "c:add_column('x', 'decimal(5,9)')",
                    "bad argument #2 to 'add_column' (a type expected: int, double, "
                    "decimal(p,s), text, bytes, json, date, time, datetime or timestamp)");
    assert_rejected(runner, "c:add_column('x', 'int', 'five')",
                    "column x (bigint) takes a whole number, not a string");
}

static void a_converted_column_gets_type_and_values(void **state)
{
    struct script_runner *runner = *state;
    const struct fc_shape *shape = run_body(
        runner, "c:convert_column('customer_id', 'text') c:convert_column('amount', 'double')");
    assert_int_equal(column_of(shape, "customer_id")->type, FC_TYPE_TEXT);
    assert_string_equal(column_of(shape, "customer_id")->native_type, "longtext");
    assert_text(script_runner_after(runner, "customer_id"), "42");
    assert_int_equal(script_runner_before(runner, "amount")->kind, FC_VALUE_DOUBLE);
    assert_float_equal(script_runner_before(runner, "amount")->as.f64, 19.9, 0);
    shape = run_body(runner, "c:convert_column('status', 'text', function(v) return v .. "
                             "('!'):rep(20) end)");
    assert_text(script_runner_after(runner, "status"), "paid!!!!!!!!!!!!!!!!!!!!");
    assert_text(script_runner_before(runner, "status"), "open!!!!!!!!!!!!!!!!!!!!");
    shape = run_body(runner, "c:convert_column('id', 'text')");
    assert_string_equal(column_of(shape, "id")->native_type, "varchar(255)");
    assert_int_equal(column_of(shape, "id")->key_index, 1);
    assert_int_equal(column_of(shape, "id")->length, 255);
    assert_false(column_of(shape, "id")->nullable);
}

static void conversion_leaves_null_and_unchanged_alone(void **state)
{
    struct script_runner *runner = *state;
    runner->before[ORDER_STATUS].kind = FC_VALUE_UNCHANGED;
    (void)run_body(runner, "c:convert_column('note', 'bytes', function() error('called') end) "
                           "c:convert_column('status', 'json', function(v) return '[1]' end)");
    assert_int_equal(script_runner_after(runner, "note")->kind, FC_VALUE_NULL);
    assert_int_equal(script_runner_before(runner, "status")->kind, FC_VALUE_UNCHANGED);
    assert_text(script_runner_after(runner, "status"), "[1]");
}

static void a_conversion_that_fails_leaves_rows_that_fit_their_shape(void **state)
{
    struct script_runner *runner = *state;
    const struct fc_shape *shape =
        run_body(runner, "pcall(c.convert_column, c, 'status', 'int')");
    assert_ptr_equal(shape, script_orders());
    assert_rejected(runner, "c:convert_column('status', 'int')",
                    "column status: the text is not a number");
    assert_rejected(runner, "c:convert_column('id', 'text', function() return nil end)",
                    "column id (varchar(255)) cannot hold the value: it is NOT NULL");
    shape = run_body(runner, "c:convert_column('customer_id', 'text', function(v) "
                             "pcall(c.drop_column, c, 'note') return 'x' end)");
    assert_int_equal(shape->column_count, ORDER_COLUMNS);
    assert_text(script_runner_after(runner, "customer_id"), "x");
    assert_int_equal(script_runner_after(runner, "note")->kind, FC_VALUE_NULL);
}

static void a_table_can_be_renamed(void **state)
{
    struct script_runner *runner = *state;
    const struct fc_shape *shape =
        run_body(runner, "c.table = 'orders_v2' assert(c.table == 'orders_v2') c.db = 'other'");
    assert_string_equal(shape->table, "orders_v2");
    assert_string_equal(shape->db, "other");
    assert_int_equal(shape->column_count, ORDER_COLUMNS);
    assert_rejected(runner, "c.table = ''", "change.table is a name of 1 to 255 bytes");
    assert_rejected(runner, "c.db = nil", "change.db is a name of 1 to 255 bytes");
}

static void a_script_can_ask_for_a_column(void **state)
{
    (void)run_body(*state, "local kind, native, length, key = c:column('status') "
                           "assert(kind == 'text' and native == 'varchar(16)') "
                           "assert(length == 16 and key == 0) "
                           "assert(select(4, c:column('id')) == 1 and c:column('zz') == nil)");
}

static void copies_keep_their_own_shapes(void **state)
{
    struct script_runner *runner = *state;
    (void)run_body(runner,
                   "local d = c:copy() d:drop_column('note') c:rename_column('note', 'n') "
                   "do return { c, d } end");
    assert_int_equal(runner->count, 2);
    assert_int_equal(runner->results[0].change->shape->column_count, ORDER_COLUMNS);
    assert_int_equal(runner->results[1].change->shape->column_count, ORDER_COLUMNS - 1);
}

static void the_marker_of_an_empty_table_gets_the_shape_of_its_rows(void **state)
{
    struct script_runner *runner = *state;
    const struct fc_shape *shape = run_body(runner, "c.table = 'moved'");
    runner->change.op = FC_OP_READ;
    runner->change.snapshot = FC_SNAPSHOT_EMPTY_TABLE;
    runner->change.before = NULL;
    runner->change.after = NULL;
    assert_int_equal(script_runner_run(runner), FC_OK);
    assert_ptr_equal(runner->results[0].change->shape, shape);
    assert_int_equal(runner->results[0].change->snapshot, FC_SNAPSHOT_EMPTY_TABLE);
}

static void inventing_names_without_end_meets_a_limit(void **state)
{
    struct script_runner *runner = *state;
    assert_int_equal(script_runner_script(runner,
                                          "local n = 0\nfunction transform(c) n = n + 1 "
                                          "c:rename_column('note', 'n' .. n) end"),
                     FC_OK);
    for (int index = 0; index < 4095; index++) {
        assert_int_equal(script_runner_run(runner), FC_OK);
    }
    assert_int_equal(script_runner_run(runner), FC_ERR_REJECTED);
    assert_string_equal(runner->err.message,
                        "t.lua:2: more than 4096 table shapes; shop.orders "
                        "would be one more");
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_dropped_column_is_gone_from_shape_and_rows),
        test(the_same_edit_gives_the_same_shape_pointer),
        test(another_shape_at_the_same_address_is_noticed_in_the_next_batch),
        test(key_columns_cannot_be_dropped_silently),
        test(what_is_left_of_a_broken_key_is_no_key),
        test(a_renamed_column_keeps_its_value_and_place),
        test(an_added_column_stands_at_the_end_of_each_row),
        test(a_converted_column_gets_type_and_values),
        test(conversion_leaves_null_and_unchanged_alone),
        test(a_conversion_that_fails_leaves_rows_that_fit_their_shape),
        test(a_table_can_be_renamed),
        test(a_script_can_ask_for_a_column),
        test(copies_keep_their_own_shapes),
        test(the_marker_of_an_empty_table_gets_the_shape_of_its_rows),
        test(inventing_names_without_end_meets_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
