/* SPDX-License-Identifier: Apache-2.0 */
/* What scripts may do with a change: pass, change, drop, split, reroute, reject. */
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

/* --- answers -------------------------------------------------------------------------------- */

static void a_change_that_nothing_writes_to_passes_uncopied(void **state)
{
    struct script_runner *runner = *state;
    static const char *const scripts[] = {
        "function transform(c) end",
        "function transform(c) return end",
        "function transform(c) return c end",
        "function transform(c) return true end",
        "function transform(c) return { c } end",
        "function transform(c) if c.op == 'd' then return nil end end",
    };
    for (size_t index = 0; index < sizeof(scripts) / sizeof(scripts[0]); index++) {
        run_script(runner, scripts[index]);
        assert_int_equal(runner->count, 1);
        assert_ptr_equal(runner->results[0].change, &runner->change);
        assert_null(runner->results[0].topic.data);
        assert_null(runner->results[0].key.data);
        assert_null(runner->results[0].value.data);
        assert_int_equal(runner->results[0].header_count, 0);
        assert_false(runner->results[0].tombstone);
    }
}

static void nil_false_and_an_empty_list_drop_the_change(void **state)
{
    struct script_runner *runner = *state;
    static const char *const scripts[] = {
        "function transform(c) return nil end",
        "function transform(c) return false end",
        "function transform(c) return {} end",
    };
    for (size_t index = 0; index < sizeof(scripts) / sizeof(scripts[0]); index++) {
        run_script(runner, scripts[index]);
        assert_int_equal(runner->count, 0);
    }
}

static void other_answers_are_rejected_not_taken_for_a_drop(void **state)
{
    struct script_runner *runner = *state;
    static const char *const answers[] = { "7",        "'x'",       "c, c",    "nil, 'why'",
                                           "{ c, 3 }", "{ a = c }", "c.after", "print" };
    for (size_t index = 0; index < sizeof(answers) / sizeof(answers[0]) - 1; index++) {
        char script[128];
        (void)snprintf(script, sizeof(script), "\nfunction transform(c) return %s end",
                       answers[index]);
        load(runner, script);
        assert_int_equal(script_runner_run(runner), FC_ERR_REJECTED);
        assert_memory_equal(runner->err.message, "t.lua:2: transform returned ", 28);
    }
}

static void writing_a_column_copies_the_row_and_leaves_the_source_alone(void **state)
{
    struct script_runner *runner = *state;
    run_script(runner,
               "function transform(c) c.after.status = c.after.status .. '!' return c end");
    assert_text(script_runner_after(runner, "status"), "paid!");
    assert_text(&runner->after[ORDER_STATUS], "paid");
    assert_text(script_runner_before(runner, "status"), "open");
    assert_ptr_equal(runner->results[0].change->before, runner->before);
    assert_ptr_equal(runner->results[0].change->shape, runner->change.shape);
    assert_int_equal(runner->results[0].change->ts_us, runner->change.ts_us);
}

static void a_split_gives_changes_of_their_own(void **state)
{
    struct script_runner *runner = *state;
    run_script(runner, "function transform(c)\n"
                       "  c.after.note = 'first'\n"
                       "  c.headers.n = '1'\n"
                       "  local other = c:copy()\n"
                       "  other.after.note = 'second'\n"
                       "  other.headers.n = '2'\n"
                       "  other.topic = 'elsewhere'\n"
                       "  return { c, other }\n"
                       "end");
    assert_int_equal(runner->count, 2);
    assert_text(&runner->results[0].change->after[ORDER_NOTE], "first");
    assert_text(&runner->results[1].change->after[ORDER_NOTE], "second");
    assert_slice(runner->results[0].headers[0].value, "1");
    assert_slice(runner->results[1].headers[0].value, "2");
    assert_null(runner->results[0].topic.data);
    assert_slice(runner->results[1].topic, "elsewhere");
}

static void a_copy_may_stand_alone_and_copies_end_at_a_limit(void **state)
{
    struct script_runner *runner = *state;
    run_script(runner, "function transform(c) local d = c:copy() d.after.note = 'copy' "
                       "return { d } end");
    assert_int_equal(runner->count, 1);
    assert_text(script_runner_after(runner, "note"), "copy");
    reject_script(runner, "function transform(c) for i = 1, 10001 do c:copy() end end",
                  "t.lua:1: more than 10000 copies of one change");
    run_script(runner, "function transform(c) local all = {} for i = 1, 100 do "
                       "all[i] = c:copy() end return all end");
    assert_int_equal(runner->count, 100);
    run(runner);
    assert_int_equal(runner->count, 100);
}

static void one_change_returned_twice_is_rejected(void **state)
{
    reject_script(*state, "function transform(c) return { c, c } end",
                  "t.lua:1: transform returned one change twice; change:copy() makes another");
}

static void reject_gives_the_reason_with_file_and_line(void **state)
{
    struct script_runner *runner = *state;
    reject_script(runner, "function transform(c)\n  reject('not ours')\nend",
                  "t.lua:2: not ours");
}

static void a_failing_script_fails_that_change_only(void **state)
{
    struct script_runner *runner = *state;
    load(runner, "local n = 0\n"
                 "function transform(c)\n"
                 "  n = n + 1\n"
                 "  if n == 1 then local x = nil + 1 end\n"
                 "  c.after.note = 'call ' .. n\n"
                 "end");
    assert_rejected(runner, "t.lua:4: attempt to perform arithmetic on a nil value");
    run(runner);
    assert_text(script_runner_after(runner, "note"), "call 2");
}

static void error_objects_that_are_not_texts_are_told_as_such(void **state)
{
    struct script_runner *runner = *state;
    reject_script(runner, "function transform(c) error({}) end",
                  "t.lua:1: raised an error that is a table, not a text");
    reject_script(runner, "function transform(c) error() end",
                  "t.lua:1: raised an error that is a nil, not a text");
    reject_script(runner, "function transform(c) error(7) end", "t.lua:1: raised the error 7");
    reject_script(runner, "function transform(c) error(c) end",
                  "t.lua:1: raised an error that is a userdata, not a text");
    reject_script(runner,
                  "function transform(c) error(setmetatable({}, { __tostring = function() "
                  "while true do end end })) end",
                  "t.lua:1: raised an error that is a table, not a text");
}

/* --- fields --------------------------------------------------------------------------------- */

static void scripts_read_where_a_change_comes_from(void **state)
{
    struct script_runner *runner = *state;
    run_script(runner, "function transform(c)\n"
                       "  c.after.note = table.concat({ c.op, c.db, c.table, c.tx, c.ts,\n"
                       "    c.source.file, c.source.pos, tostring(c.topic), tostring(c.ddl),\n"
                       "    tostring(c.tombstone) }, ' ')\n"
                       "end");
    assert_text(script_runner_after(runner, "note"),
                "u shop orders 0-1-17 1700000000123 binlog.000003 154 nil nil false");
}

static void a_row_that_is_not_there_is_nil(void **state)
{
    struct script_runner *runner = *state;
    runner->change.op = FC_OP_CREATE;
    runner->change.before = NULL;
    run_script(runner, "function transform(c) assert(c.before == nil) return c end");
    assert_int_equal(runner->count, 1);
}

static void topic_key_value_and_headers_come_out(void **state)
{
    struct script_runner *runner = *state;
    run_script(runner, "function transform(c)\n"
                       "  c.topic = 'a.b'\n"
                       "  c.key = 'k\\0k'\n"
                       "  c.value = ''\n"
                       "  c.headers.one = '1'\n"
                       "  c.headers.two = '2'\n"
                       "  c.headers.one = 'uno'\n"
                       "  c.headers.two = nil\n"
                       "  assert(c.topic == 'a.b' and c.key == 'k\\0k' and c.value == '')\n"
                       "  assert(c.headers.one == 'uno' and c.headers.two == nil)\n"
                       "end");
    assert_slice(runner->results[0].topic, "a.b");
    assert_int_equal(runner->results[0].key.len, 3);
    assert_slice(runner->results[0].value, "");
    assert_int_equal(runner->results[0].header_count, 1);
    assert_slice(runner->results[0].headers[0].key, "one");
    assert_slice(runner->results[0].headers[0].value, "uno");
    assert_ptr_equal(runner->results[0].change, &runner->change);
}

static void what_was_set_for_one_change_is_gone_for_the_next(void **state)
{
    struct script_runner *runner = *state;
    load(runner, "local first = true\n"
                 "function transform(c)\n"
                 "  if first then c.topic = 't' c.key = 'k' c.tombstone = true "
                 "c.headers.h = 'h' c.after.note = 'n' end\n"
                 "  first = false\n"
                 "end");
    run(runner);
    assert_true(runner->results[0].tombstone);
    run(runner);
    assert_ptr_equal(runner->results[0].change, &runner->change);
    assert_null(runner->results[0].topic.data);
    assert_null(runner->results[0].key.data);
    assert_false(runner->results[0].tombstone);
    assert_int_equal(runner->results[0].header_count, 0);
}

static void a_tombstone_and_a_value_exclude_each_other(void **state)
{
    struct script_runner *runner = *state;
    run_script(runner, "function transform(c) c.value = 'v' c.tombstone = true end");
    assert_true(runner->results[0].tombstone);
    assert_null(runner->results[0].value.data);
    run_script(runner, "function transform(c) c.tombstone = true c.value = 'v' end");
    assert_false(runner->results[0].tombstone);
    assert_slice(runner->results[0].value, "v");
}

static void fields_that_cannot_be_written_or_do_not_exist_are_named(void **state)
{
    struct script_runner *runner = *state;
    reject_script(runner, "function transform(c) c.op = 'd' end",
                  "t.lua:1: change.op cannot be written");
    reject_script(runner, "function transform(c) c.after = {} end",
                  "t.lua:1: change.after cannot be replaced; write to its columns");
    reject_script(runner, "function transform(c) c.topc = 'x' end",
                  "t.lua:1: a change has no field `topc`, did you mean `topic`?");
    reject_script(runner, "function transform(c) return c.befor end",
                  "t.lua:1: a change has no field `befor`, did you mean `before`?");
    reject_script(runner, "function transform(c) return c[1] end",
                  "t.lua:1: a change has no field ``");
    reject_script(runner, "function transform(c) c.source.file = 'x' end",
                  "t.lua:1: change.source cannot be written");
    reject_script(runner, "function transform(c) return c.source.fil end",
                  "t.lua:1: change.source has no field `fil`, did you mean `file`?");
    reject_script(runner, "function transform(c) c.value = 7 end",
                  "t.lua:1: change.value is a string, not a number");
    reject_script(runner, "function transform(c) c.topic = 'a b' end",
                  "t.lua:1: a topic's name has 1 to 249 of the characters a-z A-Z 0-9 . _ -");
    reject_script(runner, "function transform(c) c.topic = '..' end",
                  "t.lua:1: a topic's name has 1 to 249 of the characters a-z A-Z 0-9 . _ -");
    reject_script(runner, "function transform(c) c.headers.fc = 'x' end",
                  "t.lua:1: header names `fc` and `fc.*` are reserved");
    reject_script(runner, "function transform(c) c.headers.n = 3 end",
                  "t.lua:1: a header's value is a string, not a number");
    reject_script(runner,
                  "function transform(c) for i = 1, 20 do c.headers['h' .. i] = '' end end",
                  "t.lua:1: more than 12 headers");
}

/* --- lifetimes ------------------------------------------------------------------------------ */

static void a_change_kept_from_an_earlier_call_cannot_be_used(void **state)
{
    struct script_runner *runner = *state;
    load(runner, "local kept, row\n"
                 "function transform(c)\n"
                 "  if kept then return kept.op end\n"
                 "  kept = c:copy() row = kept.after\n"
                 "end");
    run(runner);
    assert_rejected(runner, "t.lua:3: this change belongs to an earlier call; keep its values "
                            "instead");
    load(runner, "local row\n"
                 "function transform(c)\n"
                 "  if row then return row.id end\n"
                 "  row = c:copy().after\n"
                 "end");
    run(runner);
    assert_rejected(runner, "t.lua:3: this change belongs to an earlier call; keep its values "
                            "instead");
    load(runner, "local kept\n"
                 "function transform(c) if kept then return kept end kept = c:copy() end");
    run(runner);
    assert_int_equal(script_runner_run(runner), FC_ERR_REJECTED);
}

static void a_row_of_another_kind_of_change_cannot_be_used(void **state)
{
    struct script_runner *runner = *state;
    load(runner, "local row\n"
                 "function transform(c) row = row or c.before return row.id end");
    assert_int_equal(script_runner_run(runner), FC_ERR_REJECTED); /* returned a number */
    runner->change.op = FC_OP_CREATE;
    runner->change.before = NULL;
    assert_rejected(runner, "t.lua:2: this row belongs to an earlier change");
}

static void the_arena_s_limit_fails_the_change_and_not_the_batch(void **state)
{
    struct script_runner *runner = *state;
    runner->memory_max = 64 * 1024 * 1024;
    load(runner, "function transform(c)\n"
                 "  if c.after.note == 'big' then c.value = ('x'):rep(9000000) end\n"
                 "end");
    runner->after[ORDER_NOTE] = fc_sample_text("big");
    assert_int_equal(script_runner_run(runner), FC_ERR_REJECTED);
    assert_string_equal(runner->err.message,
                        "t.lua:2: the change needs more than 8388608 bytes");
    assert_false(runner->arena.failed);
    runner->after[ORDER_NOTE] = fc_sample_null();
    run(runner);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_change_that_nothing_writes_to_passes_uncopied),
        test(nil_false_and_an_empty_list_drop_the_change),
        test(other_answers_are_rejected_not_taken_for_a_drop),
        test(writing_a_column_copies_the_row_and_leaves_the_source_alone),
        test(a_split_gives_changes_of_their_own),
        test(a_copy_may_stand_alone_and_copies_end_at_a_limit),
        test(one_change_returned_twice_is_rejected),
        test(reject_gives_the_reason_with_file_and_line),
        test(a_failing_script_fails_that_change_only),
        test(error_objects_that_are_not_texts_are_told_as_such),
        test(scripts_read_where_a_change_comes_from),
        test(a_row_that_is_not_there_is_nil),
        test(topic_key_value_and_headers_come_out),
        test(what_was_set_for_one_change_is_gone_for_the_next),
        test(a_tombstone_and_a_value_exclude_each_other),
        test(fields_that_cannot_be_written_or_do_not_exist_are_named),
        test(a_change_kept_from_an_earlier_call_cannot_be_used),
        test(a_row_of_another_kind_of_change_cannot_be_used),
        test(the_arena_s_limit_fails_the_change_and_not_the_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
