/* SPDX-License-Identifier: Apache-2.0 */
/* Statements, chains of steps, and mistakes in the files that make them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/sample_rows.h"
#include "tests/support/script_runner.h"

static void assert_slice(struct fc_slice slice, const char *expected)
{
    assert_non_null(slice.data);
    assert_int_equal(slice.len, strlen(expected));
    assert_memory_equal(slice.data, expected, slice.len);
}

static void assert_text(const struct fc_value *value, const char *expected)
{
    assert_non_null(value);
    assert_int_equal(value->kind, FC_VALUE_TEXT);
    assert_slice(value->as.bytes, expected);
}

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

static void load(struct script_runner *runner, const char *text)
{
    if (script_runner_script(runner, text) != FC_OK) {
        fail_msg("%s", runner->err.message);
    }
}

static void run(struct script_runner *runner)
{
    if (script_runner_run(runner) != FC_OK) {
        fail_msg("%s", runner->err.message);
    }
}

static void run_script(struct script_runner *runner, const char *text)
{
    load(runner, text);
    run(runner);
}

static void assert_rejected(struct script_runner *runner, const char *message)
{
    assert_int_equal(script_runner_run(runner), FC_ERR_REJECTED);
    assert_int_equal(runner->err.code, FC_ERR_REJECTED);
    assert_string_equal(runner->err.message, message);
}

static void reject_script(struct script_runner *runner, const char *text, const char *message)
{
    load(runner, text);
    assert_rejected(runner, message);
}

/* --- statements ----------------------------------------------------------------------------- */

static void make_truncate(struct script_runner *runner)
{
    runner->change.op = FC_OP_TRUNCATE;
    runner->change.db = fc_slice_text("shop");
    runner->change.table = fc_slice_text("orders");
    runner->change.before = NULL;
    runner->change.after = NULL;
}

static void statements_reach_only_scripts_that_ask_for_them(void **state)
{
    struct script_runner *runner = *state;
    make_truncate(runner);
    run_script(runner, "function transform(c) return nil end");
    assert_int_equal(runner->count, 1);
    assert_ptr_equal(runner->results[0].change, &runner->change);
    run_script(runner, "function transform(c) end function transform_ddl(c) return nil end");
    assert_int_equal(runner->count, 0);
    run_script(runner, "function transform_ddl(c) c.topic = c.op .. '.' .. c.table end");
    assert_slice(runner->results[0].topic, "t.orders");
}

static void a_statement_has_no_columns_but_its_text(void **state)
{
    struct script_runner *runner = *state;
    struct fc_ddl ddl = { .statement = fc_slice_text("ALTER TABLE t ADD x int") };
    memset(&runner->change, 0, sizeof(runner->change));
    runner->change.op = FC_OP_DDL;
    runner->change.db = fc_slice_text("shop");
    runner->change.ddl = &ddl;
    run_script(runner, "function transform_ddl(c)\n"
                       "  assert(c.op == 's' and c.db == 'shop' and c.table == nil)\n"
                       "  assert(c.before == nil and c.after == nil and c.tx == nil)\n"
                       "  assert(c:column('x') == nil)\n"
                       "  c.headers.ddl = c.ddl\n"
                       "end");
    assert_slice(runner->results[0].headers[0].value, "ALTER TABLE t ADD x int");
    reject_script(runner, "function transform_ddl(c) c:drop_column('x') end",
                  "t.lua:1: this change has no columns");
    reject_script(runner, "function transform_ddl(c) c.table = 'x' end",
                  "t.lua:1: change.table of a statement cannot be written");
}

static void a_truncate_can_be_renamed_with_its_table(void **state)
{
    struct script_runner *runner = *state;
    make_truncate(runner);
    run_script(runner, "function transform_ddl(c) c.table = 'orders_v2' end");
    assert_slice(runner->results[0].change->table, "orders_v2");
    assert_string_equal(runner->results[0].change->shape->table, "orders_v2");
    runner->change.shape = NULL;
    run(runner);
    assert_slice(runner->results[0].change->table, "orders_v2");
    assert_null(runner->results[0].change->shape);
}

static void the_marker_of_an_empty_table_passes(void **state)
{
    struct script_runner *runner = *state;
    runner->change.op = FC_OP_READ;
    runner->change.snapshot = FC_SNAPSHOT_EMPTY_TABLE;
    runner->change.before = NULL;
    runner->change.after = NULL;
    run_script(runner, "function transform(c) return nil end");
    assert_int_equal(runner->count, 1);
    assert_ptr_equal(runner->results[0].change, &runner->change);
}

/* --- chains --------------------------------------------------------------------------------- */

static void each_step_sees_what_the_one_before_made(void **state)
{
    struct script_runner *runner = *state;
    static const struct script_step steps[] = {
        { "one.lua",
          "function transform(c) local d = c:copy() c.after.note = 'a' d.after.note = 'b' "
          "return { c, d } end",
          NULL },
        { "two.lua",
          "function transform(c, options)\n"
          "  if c.after.note == options.drop then return nil end\n"
          "  c.after.note = c.after.note .. '+'\n"
          "end",
          "{\"drop\":\"a\"}" },
    };
    assert_int_equal(script_runner_load(runner, steps, 2), FC_OK);
    run(runner);
    assert_int_equal(runner->count, 1);
    assert_text(script_runner_after(runner, "note"), "b+");
}

static void steps_share_nothing(void **state)
{
    struct script_runner *runner = *state;
    static const struct script_step steps[] = {
        { "one.lua",
          "secret = 1 string.lower = nil table.concat = nil json.encode = nil math.pi = 3\n"
          "function transform(c) options.x = 2 _G.transform = nil end",
          "{\"x\":1}" },
        { "two.lua",
          "function transform(c)\n"
          "  assert(secret == nil and string.lower('A') == 'a' and ('A'):lower() == 'a')\n"
          "  assert(table.concat({ 1 }) == '1' and json.encode(1) == '1' and math.pi > 3.1)\n"
          "  assert(options.x == nil and _G.secret == nil and _G._G == _G)\n"
          "end",
          NULL },
    };
    assert_int_equal(script_runner_load(runner, steps, 2), FC_OK);
    run(runner);
    assert_int_equal(runner->count, 1);
    run(runner);
}

static void a_new_engine_starts_afresh(void **state)
{
    struct script_runner *runner = *state;
    load(runner, "local n = 0 function transform(c) n = n + 1 c.after.note = '' .. n end");
    run(runner);
    run(runner);
    assert_text(script_runner_after(runner, "note"), "2");
    fc_transform_engine_free(runner->engine);
    runner->engine = NULL;
    assert_int_equal(fc_transform_engine_new(runner->chain, &runner->engine, &runner->err),
                     FC_OK);
    run(runner);
    assert_text(script_runner_after(runner, "note"), "1");
    load(runner, "function transform(c) c.after.note = 'reloaded' end");
    run(runner);
    assert_text(script_runner_after(runner, "note"), "reloaded");
}

static void an_empty_chain_passes_everything(void **state)
{
    struct script_runner *runner = *state;
    assert_int_equal(script_runner_load(runner, NULL, 0), FC_OK);
    run(runner);
    assert_int_equal(runner->count, 1);
    assert_ptr_equal(runner->results[0].change, &runner->change);
}

/* --- mistakes in files ---------------------------------------------------------------------- */

static void assert_refused(struct script_runner *runner, const char *text, const char *message)
{
    assert_int_equal(script_runner_script(runner, text), FC_ERR_CONFIG);
    assert_int_equal(runner->err.code, FC_ERR_CONFIG);
    assert_string_equal(runner->err.message, message);
}

static void mistakes_in_scripts_show_when_the_chain_is_made(void **state)
{
    struct script_runner *runner = *state;
    assert_refused(runner, "function transform(c\nreturn c end",
                   "line 12: t.lua:2: ')' expected near 'return'");
    assert_refused(runner, "x = 1",
                   "line 12: t.lua does not define a function transform(change, options)");
    assert_refused(runner, "transform = 7",
                   "line 12: t.lua: `transform` is a number, not a function");
    assert_refused(runner, "\nlocal x = nil .. 'a'",
                   "line 12: t.lua:2: attempt to concatenate a nil value");
    assert_refused(
        runner, "while true do end",
        "line 12: t.lua:1: ran for more than 1000000 instructions (an endless loop?)");
    assert_refused(runner, "\033Lua",
                   "line 12: t.lua: attempt to load a binary chunk (mode is "
                   "'t')");
}

static void mistakes_in_the_list_of_steps_are_named(void **state)
{
    struct script_runner *runner = *state;
    struct script_step step = { "masc", NULL, NULL };
    assert_int_equal(script_runner_load(runner, &step, 1), FC_ERR_CONFIG);
    assert_non_null(strstr(runner->err.message,
                           "no ready-made transform is called `masc`, did you mean `mask`?"));
    step.uses = "../secret";
    assert_int_equal(script_runner_load(runner, &step, 1), FC_ERR_CONFIG);
    assert_non_null(strstr(runner->err.message, "neither a ready-made transform nor a path"));
    step.uses = "missing.lua";
    assert_int_equal(script_runner_load(runner, &step, 1), FC_ERR_CONFIG);
    assert_non_null(strstr(runner->err.message, "missing.lua: No such file or directory"));
    step.uses = "bad.lua";
    step.text = "function transform() end";
    step.with_json = "[1]x";
    assert_int_equal(script_runner_load(runner, &step, 1), FC_ERR_CONFIG);
    assert_string_equal(
        runner->err.message,
        "line 12: bad.lua: invalid JSON at byte 3: something follows the value");
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(statements_reach_only_scripts_that_ask_for_them),
        test(a_statement_has_no_columns_but_its_text),
        test(a_truncate_can_be_renamed_with_its_table),
        test(the_marker_of_an_empty_table_passes),
        test(each_step_sees_what_the_one_before_made),
        test(steps_share_nothing),
        test(a_new_engine_starts_afresh),
        test(an_empty_chain_passes_everything),
        test(mistakes_in_scripts_show_when_the_chain_is_made),
        test(mistakes_in_the_list_of_steps_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
