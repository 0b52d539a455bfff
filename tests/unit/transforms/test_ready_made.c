/* SPDX-License-Identifier: Apache-2.0 */
/* The ready-made transforms, as files list them. */
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

static void encode_id(void *ctx, const struct fc_shape *shape, const struct fc_value *row,
                      struct fc_buf *out)
{
    (void)ctx;
    fc_buf_append_fmt(out, "{\"%s\":%d}", shape->columns[0].name, (int)row[0].as.i64);
}

static void use(struct script_runner *runner, const char *name, const char *with_json)
{
    if (script_runner_ready(runner, name, with_json) != FC_OK) {
        fail_msg("%s", runner->err.message);
    }
    fc_transform_engine_set_row_encoder(runner->engine, encode_id, NULL);
}

static void run(struct script_runner *runner)
{
    if (script_runner_run(runner) != FC_OK) {
        fail_msg("%s", runner->err.message);
    }
}

static void use_and_run(struct script_runner *runner, const char *name, const char *with_json)
{
    use(runner, name, with_json);
    run(runner);
}

static void assert_refused(struct script_runner *runner, const char *name,
                           const char *with_json, const char *message)
{
    assert_int_equal(script_runner_ready(runner, name, with_json), FC_ERR_CONFIG);
    assert_string_equal(runner->err.message + strlen("line 12: "), message);
}

static void assert_rejected(struct script_runner *runner, const char *message_part)
{
    assert_int_equal(script_runner_run(runner), FC_ERR_REJECTED);
    if (strstr(runner->err.message, message_part) == NULL) {
        fail_msg("%s", runner->err.message);
    }
}

static void assert_slice(struct fc_slice slice, const char *expected)
{
    if (!fc_slice_equal_text(slice, expected)) {
        fail_msg("`%.*s` is not `%s`", (int)slice.len, (const char *)slice.data, expected);
    }
}

static void assert_text(const struct fc_value *value, const char *expected)
{
    assert_non_null(value);
    assert_int_equal(value->kind, FC_VALUE_TEXT);
    assert_slice(value->as.bytes, expected);
}

static void make_delete(struct script_runner *runner)
{
    runner->change.op = FC_OP_DELETE;
    runner->change.after = NULL;
}

static void make_truncate(struct script_runner *runner)
{
    runner->change.op = FC_OP_TRUNCATE;
    runner->change.db = fc_slice_text("shop");
    runner->change.table = fc_slice_text("orders");
    runner->change.before = NULL;
    runner->change.after = NULL;
}

/* --- mask, hash, drop-columns ------------------------------------------------------------------ */

static void mask_puts_a_text_in_place_of_both_values(void **state)
{
    struct script_runner *runner = *state;
    use_and_run(runner, "mask", "{\"columns\":[\"status\",\"orders.note\",\"elsewhere.x\"]}");
    assert_text(script_runner_before(runner, "status"), "****");
    assert_text(script_runner_after(runner, "status"), "****");
    assert_int_equal(script_runner_after(runner, "note")->kind, FC_VALUE_NULL);
    assert_ptr_equal(runner->results[0].change->shape, script_orders());
    make_delete(runner);
    run(runner);
    assert_text(script_runner_before(runner, "status"), "****");
}

static void mask_makes_a_column_text_when_the_mask_does_not_fit(void **state)
{
    struct script_runner *runner = *state;
    use_and_run(runner, "mask",
                "{\"columns\":[\"status\",\"customer_id\"],\"with\":\"a mask of 21 letters\"}");
    assert_text(script_runner_after(runner, "status"), "a mask of 21 letters");
    assert_text(script_runner_after(runner, "customer_id"), "a mask of 21 letters");
    use_and_run(runner, "mask", "{\"columns\":[\"customer_id\",\"amount\"],\"with\":0}");
    assert_int_equal(script_runner_after(runner, "customer_id")->as.i64, 0);
    assert_text(script_runner_after(runner, "amount"), "0.00");
    assert_ptr_equal(runner->results[0].change->shape, script_orders());
    use_and_run(runner, "mask", "{\"columns\":[\"status\"],\"with\":7}");
    assert_text(script_runner_after(runner, "status"), "7");
}

static void mask_names_a_column_that_its_table_lacks(void **state)
{
    struct script_runner *runner = *state;
    use(runner, "mask", "{\"columns\":[\"orders.stat\"]}");
    assert_rejected(runner, "shop.orders has no column `stat`");
    assert_refused(runner, "mask", NULL, "mask.lua: option `columns` is missing");
    assert_refused(runner, "mask", "{\"columns\":[\"a\"],\"wiht\":\"x\"}",
                   "mask.lua: unknown option `wiht`, did you mean `with`?");
}

static void hash_gives_the_same_text_for_the_same_value_and_salt(void **state)
{
    struct script_runner *runner = *state;
    struct fc_value first;
    char kept[64];
    use_and_run(runner, "hash",
                "{\"columns\":[\"status\",\"customer_id\",\"data\",\"note\"],"
                "\"salt\":\"s\"}");
    first = *script_runner_after(runner, "customer_id");
    assert_int_equal(first.as.bytes.len, 64);
    memcpy(kept, first.as.bytes.data, sizeof(kept));
    assert_true(fc_sample_equal(&first, script_runner_before(runner, "customer_id")));
    assert_false(fc_sample_equal(script_runner_before(runner, "status"),
                                 script_runner_after(runner, "status")));
    assert_int_equal(script_runner_after(runner, "data")->as.bytes.len, 64);
    assert_int_equal(script_runner_after(runner, "note")->kind, FC_VALUE_NULL);
    use_and_run(runner, "hash", "{\"columns\":[\"customer_id\"],\"salt\":\"other\"}");
    assert_memory_not_equal(script_runner_after(runner, "customer_id")->as.bytes.data, kept,
                            64);
}

static void hash_wants_a_salt(void **state)
{
    struct script_runner *runner = *state;
    assert_refused(runner, "hash", "{\"columns\":[\"a\"]}",
                   "hash.lua: option `salt` is missing");
    assert_refused(runner, "hash", "{\"columns\":[\"a\"],\"salt\":\"\"}",
                   "hash.lua: option `salt` must not be empty");
    assert_refused(runner, "hash", "{\"columns\":[\"a\"],\"salt\":\"x\",\"algorithm\":\"md5\"}",
                   "hash.lua: option `algorithm` must be sha256");
}

static void drop_columns_leaves_them_out_and_keeps_the_key(void **state)
{
    struct script_runner *runner = *state;
    use_and_run(runner, "drop-columns", "{\"columns\":[\"note\",\"shop.orders.data\"]}");
    assert_int_equal(runner->results[0].change->shape->column_count, ORDER_COLUMNS - 2);
    use(runner, "drop-columns", "{\"columns\":[\"id\"]}");
    assert_rejected(runner, "column id is in the key of shop.orders");
}

/* --- filter ------------------------------------------------------------------------------------ */

struct filtering {
    const char *with;
    uint32_t kept; /* of the update from open to paid */
};

static void filter_keeps_or_drops_what_matches(void **state)
{
    struct script_runner *runner = *state;
    static const struct filtering filterings[] = {
        { "{\"tables\":[\"orders\"]}", 1 },
        { "{\"tables\":[\"shop.orders\"]}", 1 },
        { "{\"tables\":[\"other\"]}", 0 },
        { "{\"tables\":[\"orders\"],\"action\":\"drop\"}", 0 },
        { "{\"ops\":[\"c\",\"d\"]}", 0 },
        { "{\"ops\":[\"u\"]}", 1 },
        { "{\"where\":[{\"column\":\"status\",\"value\":\"paid\"}]}", 1 },
        { "{\"where\":[{\"column\":\"status\",\"value\":\"open\"}]}",
          1 }, /* it was so before */
        { "{\"where\":[{\"column\":\"status\",\"value\":\"gone\"}]}", 0 },
        { "{\"where\":[{\"column\":\"status\",\"op\":\"in\",\"value\":[\"x\",\"paid\"]}]}", 1 },
        { "{\"where\":[{\"column\":\"status\",\"op\":\"in\",\"value\":[\"x\"]}]}", 0 },
        { "{\"where\":[{\"column\":\"note\",\"op\":\"null\"}]}", 1 },
        { "{\"where\":[{\"column\":\"note\",\"op\":\"not-null\"}]}", 0 },
        { "{\"where\":[{\"column\":\"note\",\"op\":\"!=\",\"value\":\"x\"}]}", 0 },
        { "{\"where\":[{\"column\":\"customer_id\",\"op\":\">=\",\"value\":42}]}", 1 },
        { "{\"where\":[{\"column\":\"customer_id\",\"op\":\"<\",\"value\":42}]}", 0 },
        { "{\"where\":[{\"column\":\"customer_id\",\"op\":\"<=\",\"value\":42}]}", 1 },
        { "{\"where\":[{\"column\":\"customer_id\",\"op\":\"!=\",\"value\":42}]}", 0 },
        { "{\"where\":[{\"column\":\"amount\",\"op\":\">\",\"value\":9.5}]}", 1 },
        { "{\"where\":[{\"column\":\"amount\",\"value\":19.9}]}", 1 },
        { "{\"where\":[{\"column\":\"status\",\"value\":\"paid\"},"
          "{\"column\":\"customer_id\",\"value\":1}]}",
          0 },
        { "{\"tables\":[\"other\"],\"where\":[{\"column\":\"nope\",\"value\":1}]}", 0 },
        { "{\"tables\":[\"orders\"],\"ops\":[\"d\"],\"action\":\"drop\"}", 1 },
        { "{\"where\":[{\"column\":\"status\",\"value\":\"paid\"}],\"action\":\"drop\"}", 1 },
        { "{\"where\":[{\"column\":\"status\",\"value\":\"open\"}],\"action\":\"drop\"}", 1 },
        { "{\"where\":[{\"column\":\"customer_id\",\"value\":42}],\"action\":\"drop\"}", 0 },
    };
    for (size_t index = 0; index < sizeof(filterings) / sizeof(filterings[0]); index++) {
        use_and_run(runner, "filter", filterings[index].with);
        if (runner->count != filterings[index].kept) {
            fail_msg("%s kept %u", filterings[index].with, runner->count);
        }
    }
}

static void filter_does_not_guess_about_columns_that_are_not_there(void **state)
{
    struct script_runner *runner = *state;
    use(runner, "filter", "{\"where\":[{\"column\":\"statu\",\"value\":1}]}");
    assert_rejected(runner, "shop.orders has no column `statu`, did you mean `status`?");
}

static void filter_drops_a_truncate_only_with_its_table(void **state)
{
    struct script_runner *runner = *state;
    make_truncate(runner);
    use_and_run(runner, "filter", "{\"tables\":[\"orders\"],\"ops\":[\"c\"]}");
    assert_int_equal(runner->count, 1);
    use_and_run(runner, "filter", "{\"tables\":[\"other\"]}");
    assert_int_equal(runner->count, 0);
    use_and_run(runner, "filter", "{\"tables\":[\"orders\"],\"action\":\"drop\"}");
    assert_int_equal(runner->count, 0);
    use_and_run(runner, "filter",
                "{\"tables\":[\"orders\"],\"ops\":[\"d\"],\"action\":\"drop\"}");
    assert_int_equal(runner->count, 1);
    use_and_run(runner, "filter", "{\"ops\":[\"d\"]}");
    assert_int_equal(runner->count, 1);
}

static void filter_checks_its_conditions_at_once(void **state)
{
    struct script_runner *runner = *state;
    assert_refused(runner, "filter", "{}",
                   "filter.lua: needs at least one of the options `tables`, `ops` and `where`");
    assert_refused(runner, "filter", "{\"ops\":[\"x\"]}",
                   "filter.lua: option `ops` takes c, u, d and r");
    assert_refused(runner, "filter", "{\"where\":[{\"op\":\"=\"}]}",
                   "filter.lua: option `where`, item 1: needs a column");
    assert_refused(runner, "filter",
                   "{\"where\":[{\"column\":\"a\",\"op\":\"~\",\"value\":1}]}",
                   "filter.lua: option `where`, item 1: op is one of = != < <= > >= in null "
                   "not-null");
    assert_refused(runner, "filter", "{\"where\":[{\"column\":\"a\"}]}",
                   "filter.lua: option `where`, item 1: needs a value");
    assert_refused(runner, "filter",
                   "{\"where\":[{\"column\":\"a\",\"op\":\"null\",\"value\":1}]}",
                   "filter.lua: option `where`, item 1: takes no value");
    assert_refused(runner, "filter",
                   "{\"where\":[{\"column\":\"a\",\"op\":\"in\",\"value\":1}]}",
                   "filter.lua: option `where`, item 1: a list goes with `in`, and `in` with a "
                   "list");
    assert_refused(
        runner, "filter", "{\"where\":[{\"column\":\"a\",\"vale\":1}]}",
        "filter.lua: option `where`, item 1: takes column, op and value, not `vale`");
    assert_refused(runner, "filter", "{\"where\":{\"column\":\"a\"}}",
                   "filter.lua: option `where` must be a list of { column, op, value }");
}

/* --- rename, route ----------------------------------------------------------------------------- */

static void rename_gives_columns_and_tables_new_names(void **state)
{
    struct script_runner *runner = *state;
    const struct fc_shape *shape;
    use_and_run(runner, "rename",
                "{\"columns\":{\"status\":\"state\",\"orders.note\":\"remark\","
                "\"other.id\":\"x\"},\"tables\":{\"shop.orders\":\"sales\"}}");
    shape = runner->results[0].change->shape;
    assert_string_equal(shape->table, "sales");
    assert_string_equal(shape->columns[ORDER_STATUS].name, "state");
    assert_string_equal(shape->columns[ORDER_NOTE].name, "remark");
    assert_string_equal(shape->columns[ORDER_ID].name, "id");
    make_truncate(runner);
    run(runner);
    assert_slice(runner->results[0].change->table, "sales");
    assert_refused(runner, "rename", "{}",
                   "rename.lua: needs the option `columns` or `tables`");
}

static void rename_does_not_put_two_columns_under_one_name(void **state)
{
    struct script_runner *runner = *state;
    use(runner, "rename", "{\"columns\":{\"status\":\"note\"}}");
    assert_rejected(runner, "shop.orders already has a column 'note'");
}

static void route_fills_names_and_columns_into_the_topic(void **state)
{
    struct script_runner *runner = *state;
    use_and_run(runner, "route", "{\"topic\":\"${db}.${table}.${status}.x\"}");
    assert_slice(runner->results[0].topic, "shop.orders.paid.x");
    runner->after[ORDER_STATUS] = fc_sample_text("a b/\xc3\xa4");
    run(runner);
    assert_slice(runner->results[0].topic, "shop.orders.a_b___.x");
    make_delete(runner);
    run(runner);
    assert_slice(runner->results[0].topic, "shop.orders.open.x");
    make_truncate(runner);
    run(runner);
    assert_null(runner->results[0].topic.data);
    use_and_run(runner, "route", "{\"topic\":\"all.${table}\"}");
    assert_slice(runner->results[0].topic, "all.orders");
}

static void route_rejects_what_has_no_name_and_leaves_other_tables(void **state)
{
    struct script_runner *runner = *state;
    use(runner, "route", "{\"topic\":\"x.${note}\"}");
    assert_rejected(runner, "the topic needs `note`, which is NULL");
    use(runner, "route", "{\"topic\":\"x.${nope}\"}");
    assert_rejected(runner, "shop.orders has no column `nope`");
    use_and_run(runner, "route", "{\"topic\":\"x.${nope}\",\"tables\":[\"other\"]}");
    assert_null(runner->results[0].topic.data);
    use(runner, "route", "{\"topic\":\"_fluvio.${table}\"}");
    assert_rejected(runner, "topics that begin with `_fluvio.` are the runner's own");
}

/* --- flatten, outbox --------------------------------------------------------------------------- */

static void flatten_writes_the_row_and_what_is_asked_for(void **state)
{
    struct script_runner *runner = *state;
    use_and_run(runner, "flatten", NULL);
    assert_slice(runner->results[0].value, "{\"id\":7,\"__op\":\"u\",\"__ts_ms\":1700000000123,"
                                           "\"__deleted\":\"false\"}");
    use_and_run(runner, "flatten",
                "{\"fields\":[\"db\",\"table\",\"tx\",\"source.file\"],"
                "\"prefix\":\"_\",\"deletes\":\"drop\"}");
    assert_slice(runner->results[0].value,
                 "{\"id\":7,\"_db\":\"shop\",\"_table\":\"orders\",\"_tx\":\"0-1-17\","
                 "\"_source_file\":\"binlog.000003\"}");
    make_delete(runner);
    run(runner);
    assert_int_equal(runner->count, 0);
    use_and_run(runner, "flatten", NULL);
    assert_slice(runner->results[0].value, "{\"id\":7,\"__op\":\"d\",\"__ts_ms\":1700000000123,"
                                           "\"__deleted\":\"true\"}");
    use_and_run(runner, "flatten", "{\"deletes\":\"tombstone\"}");
    assert_true(runner->results[0].tombstone);
    assert_null(runner->results[0].value.data);
    assert_refused(runner, "flatten", "{\"fields\":[\"when\"]}",
                   "flatten.lua: option `fields` takes op, ts_ms, db, table, tx and "
                   "source.<field>, not `when`");
    assert_refused(runner, "flatten", "{\"deletes\":\"keep\"}",
                   "flatten.lua: option `deletes` must be rewrite|tombstone|drop");
}

static const char outbox_options[] =
    "{\"table\":\"shop.orders\",\"id\":\"id\",\"key\":\"customer_id\",\"payload\":\"amount\","
    "\"topic\":\"outbox.event.${status}\",\"headers\":{\"remark\":\"note\",\"who\":\"total\"}}";

static void outbox_makes_a_message_of_an_inserted_row(void **state)
{
    struct script_runner *runner = *state;
    const struct fc_transformed *result;
    runner->change.op = FC_OP_CREATE;
    runner->change.before = NULL;
    use_and_run(runner, "outbox", outbox_options);
    result = &runner->results[0];
    assert_slice(result->topic, "outbox.event.paid");
    assert_slice(result->key, "42");
    assert_slice(result->value, "19.90");
    assert_int_equal(result->header_count, 2);
    assert_slice(result->headers[0].key, "id");
    assert_slice(result->headers[0].value, "7");
    assert_slice(result->headers[1].key, "who");
    assert_slice(result->headers[1].value, "18446744073709551615");
    runner->after[ORDER_AMOUNT] = fc_sample_null();
    run(runner);
    assert_true(runner->results[0].tombstone);
    runner->after[ORDER_CUSTOMER] = fc_sample_null();
    assert_rejected(runner, "column customer_id of an outbox row is NULL");
}

static void outbox_drops_deletes_rejects_updates_and_passes_other_tables(void **state)
{
    struct script_runner *runner = *state;
    use(runner, "outbox", outbox_options);
    assert_rejected(runner, "a row of the outbox table was updated");
    use_and_run(runner, "outbox", "{\"table\":\"orders\",\"on_update\":\"drop\"}");
    assert_int_equal(runner->count, 0);
    use_and_run(runner, "outbox", NULL);
    assert_int_equal(runner->count, 1);
    assert_ptr_equal(runner->results[0].change, &runner->change);
    make_delete(runner);
    use_and_run(runner, "outbox", outbox_options);
    assert_int_equal(runner->count, 0);
}

static void outbox_has_debezium_s_defaults(void **state)
{
    struct script_runner *runner = *state;
    static const struct fc_column columns[] = {
        { .name = "id", .native_type = "char(36)", .type = FC_TYPE_TEXT, .key_index = 1 },
        { .name = "aggregatetype", .native_type = "varchar(255)", .type = FC_TYPE_TEXT },
        { .name = "aggregateid", .native_type = "varchar(255)", .type = FC_TYPE_TEXT },
        { .name = "type", .native_type = "varchar(255)", .type = FC_TYPE_TEXT },
        { .name = "payload", .native_type = "json", .type = FC_TYPE_JSON, .nullable = true },
    };
    struct fc_shape shape = {
        .db = "shop", .table = "outbox", .columns = columns, .column_count = 5, .key_count = 1
    };
    struct fc_value row[5] = { fc_sample_text("e1"), fc_sample_text("Order"),
                               fc_sample_text("4711"), fc_sample_text("OrderPaid"),
                               fc_sample_text("{\"a\":1}") };
    runner->change.op = FC_OP_CREATE;
    runner->change.shape = &shape;
    runner->change.before = NULL;
    runner->change.after = row;
    use_and_run(runner, "outbox", "{\"headers\":{\"eventType\":\"type\"}}");
    assert_slice(runner->results[0].topic, "outbox.event.Order");
    assert_slice(runner->results[0].key, "4711");
    assert_slice(runner->results[0].value, "{\"a\":1}");
    assert_slice(runner->results[0].headers[1].key, "eventType");
    assert_slice(runner->results[0].headers[1].value, "OrderPaid");
}

static void ready_made_transforms_work_one_after_another(void **state)
{
    struct script_runner *runner = *state;
    static const struct script_step steps[] = {
        { "filter", NULL, "{\"tables\":[\"orders\"]}" },
        { "mask", NULL, "{\"columns\":[\"status\"]}" },
        { "drop-columns", NULL, "{\"columns\":[\"data\"]}" },
        { "rename", NULL, "{\"columns\":{\"status\":\"state\"}}" },
        { "hash", NULL, "{\"columns\":[\"customer_id\"],\"salt\":\"x\"}" },
        { "route", NULL, "{\"topic\":\"t.${table}\"}" },
        { "flatten", NULL, NULL },
    };
    const struct fc_shape *shape;
    assert_int_equal(script_runner_load(runner, steps, 7), FC_OK);
    fc_transform_engine_set_row_encoder(runner->engine, encode_id, NULL);
    run(runner);
    shape = runner->results[0].change->shape;
    assert_text(script_runner_after(runner, "state"), "****");
    assert_slice(runner->results[0].topic, "t.orders");
    assert_non_null(runner->results[0].value.data);
    run(runner);
    assert_ptr_equal(runner->results[0].change->shape, shape);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(mask_puts_a_text_in_place_of_both_values),
        test(mask_makes_a_column_text_when_the_mask_does_not_fit),
        test(mask_names_a_column_that_its_table_lacks),
        test(hash_gives_the_same_text_for_the_same_value_and_salt),
        test(hash_wants_a_salt),
        test(drop_columns_leaves_them_out_and_keeps_the_key),
        test(filter_keeps_or_drops_what_matches),
        test(filter_does_not_guess_about_columns_that_are_not_there),
        test(filter_drops_a_truncate_only_with_its_table),
        test(filter_checks_its_conditions_at_once),
        test(rename_gives_columns_and_tables_new_names),
        test(rename_does_not_put_two_columns_under_one_name),
        test(route_fills_names_and_columns_into_the_topic),
        test(route_rejects_what_has_no_name_and_leaves_other_tables),
        test(flatten_writes_the_row_and_what_is_asked_for),
        test(outbox_makes_a_message_of_an_inserted_row),
        test(outbox_drops_deletes_rejects_updates_and_passes_other_tables),
        test(outbox_has_debezium_s_defaults),
        test(ready_made_transforms_work_one_after_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
