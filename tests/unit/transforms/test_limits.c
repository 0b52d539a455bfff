/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts that loop, eat memory or try to get out: they fail their change, the engine goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "tests/support/sample_rows.h"
#include "tests/support/script_runner.h"

/* Far more than any limit allows, also under a sanitizer on a busy machine. */
enum { SECONDS_MAX = 60 };

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

/* The script's body runs when the note is 'bad', else the change passes with the note 'fine'. */
static void load_body(struct script_runner *runner, const char *body)
{
    char script[2048];
    int len = snprintf(script, sizeof(script),
                       "function transform(c)\n"
                       "  if c.after.note ~= 'bad' then c.after.note = 'fine' return c end\n"
                       "  %s\n"
                       "end",
                       body);
    assert_true(len > 0 && (size_t)len < sizeof(script));
    if (script_runner_script(runner, script) != FC_OK) {
        fail_msg("%s: %s", body, runner->err.message);
    }
}

static void assert_engine_is_fit(struct script_runner *runner)
{
    runner->after[ORDER_NOTE] = fc_sample_text("good");
    if (script_runner_run(runner) != FC_OK) {
        fail_msg("after the failure: %s", runner->err.message);
    }
    assert_int_equal(runner->count, 1);
    assert_memory_equal(script_runner_after(runner, "note")->as.bytes.data, "fine", 4);
}

static void assert_body_fails(struct script_runner *runner, const char *body,
                              const char *message_part)
{
    clock_t begin = clock();
    load_body(runner, body);
    runner->after[ORDER_NOTE] = fc_sample_text("bad");
    if (script_runner_run(runner) != FC_ERR_REJECTED) {
        fail_msg("%s: was not rejected", body);
    }
    if (strstr(runner->err.message, message_part) == NULL) {
        fail_msg("%s: the message is: %s", body, runner->err.message);
    }
    assert_memory_equal(runner->err.message, "t.lua:", 6);
    assert_true((clock() - begin) / CLOCKS_PER_SEC < SECONDS_MAX);
    assert_engine_is_fit(runner);
}

static const char over[] = "ran for more than 1000000 instructions";

static void endless_loops_end(void **state)
{
    static const char *const bodies[] = {
        "while true do end",
        "repeat until false",
        "::a:: goto a",
        "for i = 1, math.maxinteger do end",
        "for _ in function() return 1 end do end",
        "local function f() return f() end f()",
        "local t = setmetatable({}, { __index = function(t, k) return t[k .. ''] end }) "
        "while true do pcall(function() return t.x end) end",
    };
    for (size_t index = 0; index < sizeof(bodies) / sizeof(bodies[0]); index++) {
        assert_body_fails(*state, bodies[index], over);
    }
}

static void the_message_says_in_which_line(void **state)
{
    struct script_runner *runner = *state;
    load_body(runner, "\n\n  while true do end");
    runner->after[ORDER_NOTE] = fc_sample_text("bad");
    assert_int_equal(script_runner_run(runner), FC_ERR_REJECTED);
    assert_string_equal(runner->err.message,
                        "t.lua:5: ran for more than 1000000 instructions (an endless loop?)");
}

static void error_handlers_cannot_hold_up_the_end(void **state)
{
    static const char *const bodies[] = {
        "while true do pcall(function() while true do end end) end",
        "pcall(pcall, function() while true do end end) while true do end",
        "local function f() pcall(f) f() end f()",
        "local x <close> = setmetatable({}, { __close = function() while true do end end }) "
        "while true do end",
        "string.gsub('x', '.', function() while true do end end)",
        "table.sort({ 3, 2, 1 }, function() while true do end end)",
        "c:convert_column('status', 'text', function() while true do end end)",
        "for i = 1, 100 do pcall(function() local s = ('x'):rep(1000000) "
        "while true do s = s .. 'x' end end) end",
    };
    for (size_t index = 0; index < sizeof(bodies) / sizeof(bodies[0]); index++) {
        assert_body_fails(*state, bodies[index], over);
    }
}

static void long_work_in_c_functions_is_counted(void **state)
{
    static const char *const bodies[] = {
        "return (('a'):rep(5000)):find('.-.-.-.-b')",
        "return (('a'):rep(30)):match(('a?'):rep(30) .. ('a'):rep(30) .. 'b')",
        "return (('x'):rep(100000)):gsub('(.-)(.-)y', '')",
        "for _ in (('x'):rep(100000)):gmatch('.-.-y') do end",
        "return (('%(' ):rep(200000)):find(('%b()'):rep(4))",
        "table.move({}, 1, math.maxinteger - 1, 1)",
        "table.move({}, 1, 100000000, 2, {})",
        "local t = {} for i = 1, 100000 do t[i] = i end while true do table.insert(t, 1, 0) "
        "end",
        "local t = {} for i = 1, 100000 do t[i] = i end "
        "while true do table.remove(t, 1) t[#t + 1] = 1 end",
        "local t = {} for i = 1, 100000 do t[i] = '' end while true do table.concat(t) end",
        "local t = {} for i = 1, 50000 do t[i] = -i end while true do table.sort(t) end",
        "local s = ('x'):rep(1000000) while true do local x = s .. 'y' end",
        "local s = ('x'):rep(1000000) while true do local x = s:upper() end",
        "local s = ('x'):rep(1000000) while true do utf8.len(s) end",
        "local s = ('x'):rep(1000000) while true do s:find('y', 1, true) end",
        "local s = ('x'):rep(1000000) while true do sha256(s) end",
        "local s = '[' .. ('1,'):rep(100000) .. '1]' while true do json.decode(s) end",
        "local t = {} for i = 1, 60 do t = { t, t } end json.encode(t)",
        "while true do ('x'):rep(0) end",
        "while true do ('x'):rep(1000000) end",
        "while true do string.format('%99d', 1) end",
    };
    for (size_t index = 0; index < sizeof(bodies) / sizeof(bodies[0]); index++) {
        assert_body_fails(*state, bodies[index], over);
    }
}

static void what_no_counter_sees_ends_by_processor_time(void **state)
{
    assert_body_fails(*state,
                      "local a, b = ('x'):rep(3000000), ('x'):rep(3000000) "
                      "local n = 0 while true do if a < b then n = n + 1 end end",
                      over);
}

static void memory_bombs_meet_the_cap(void **state)
{
    static const char *const bodies[] = {
        "local t = {} for i = 1, 1e9 do t[i] = i end",
        "local s = 'x' while true do s = s .. s end",
        "local t = {} while true do t = { t, t, t, t, t, t, t, t } end",
        "local t = {} while true do t[#t + 1] = function() return t end end",
        "local s = ('x'):rep(100) local t = {} for i = 1, 1e9 do t[i] = s .. i end",
        "return table.unpack({}, 1, 900000)",
        "local t = {} for i = 1, 200000 do t[i] = i end return json.encode(t):rep(100)",
    };
    for (size_t index = 0; index < sizeof(bodies) / sizeof(bodies[0]); index++) {
        assert_body_fails(*state, bodies[index], "t.lua:");
    }
    assert_body_fails(*state, "local s = ('x'):rep(1000) while true do s = s .. s end",
                      "more than 16777216 bytes of memory");
    assert_body_fails(*state, "return ('x'):rep(1e10)", "more than 16777216 bytes of memory");
    assert_body_fails(*state, "return ('x'):rep(1e10, ('y'):rep(1e6))",
                      "more than 16777216 bytes of memory");
    assert_body_fails(*state, "return (''):rep(math.maxinteger, '')", over);
}

static void deep_recursion_ends(void **state)
{
    static const char *const bodies[] = {
        "local function f() return 1 + f() end return f()",
        "local function f() return pcall(f) end local ok, e = f() error(e or 'stop')",
        "local t = {} for i = 1, 300 do t = setmetatable({}, { __index = t }) end "
        "local x = t.x error('stop')",
        "local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x",
        "local s = ('('):rep(300) return ('x'):find(s)",
        "return ('x'):find(('x?'):rep(300))",
        "return json.decode(('['):rep(1000))",
        "local t = {} t[1] = t return json.encode(t)",
        "local f = setmetatable({}, { __tostring = function(x) return tostring(x) end }) "
        "return tostring(f)",
        "local m = {} m.__eq = function(a, b) return a == b end local a = setmetatable({}, m) "
        "local b = setmetatable({}, m) return a == b",
    };
    for (size_t index = 0; index < sizeof(bodies) / sizeof(bodies[0]); index++) {
        assert_body_fails(*state, bodies[index], "t.lua:");
    }
}

static void a_script_that_fills_memory_for_good_begins_afresh(void **state)
{
    struct script_runner *runner = *state;
    load_body(runner, "kept = kept or {} for i = 1, 1e9 do kept[#kept + 1] = { i } end");
    runner->after[ORDER_NOTE] = fc_sample_text("bad");
    assert_int_equal(script_runner_run(runner), FC_ERR_REJECTED);
    assert_engine_is_fit(runner);
    runner->after[ORDER_NOTE] = fc_sample_text("bad");
    assert_int_equal(script_runner_run(runner), FC_ERR_REJECTED);
    assert_engine_is_fit(runner);
}

static void derived_shapes_outlive_a_new_lua_state(void **state)
{
    struct script_runner *runner = *state;
    const struct fc_shape *shape;
    assert_int_equal(script_runner_script(runner, "local kept = {}\n"
                                                  "function transform(c)\n"
                                                  "  c:drop_column('data')\n"
                                                  "  if c.after.note == 'bad' then\n"
                                                  "    for i = 1, 1e9 do kept[i] = { i } end\n"
                                                  "  end\n"
                                                  "end"),
                     FC_OK);
    assert_int_equal(script_runner_run(runner), FC_OK);
    shape = runner->results[0].change->shape;
    runner->after[ORDER_NOTE] = fc_sample_text("bad");
    assert_int_equal(script_runner_run(runner), FC_ERR_REJECTED);
    runner->after[ORDER_NOTE] = fc_sample_text("good");
    assert_int_equal(script_runner_run(runner), FC_OK);
    assert_ptr_equal(runner->results[0].change->shape, shape);
}

static void nothing_leads_out_of_the_sandbox(void **state)
{
    struct script_runner *runner = *state;
    static const char *const absent[] = {
        "io",
        "os",
        "package",
        "debug",
        "coroutine",
        "require",
        "load",
        "loadfile",
        "dofile",
        "collectgarbage",
        "print",
        "xpcall",
        "warn",
        "string.dump",
        "_G.load",
        "loadstring",
        "getmetatable('').__index",
        "getmetatable(c)",
        "getmetatable(c.after)",
        "getmetatable(c.source)",
        "getmetatable(unchanged)",
        "getmetatable(json.decode('[]'))",
    };
    for (size_t index = 0; index < sizeof(absent) / sizeof(absent[0]); index++) {
        char script[256];
        (void)snprintf(script, sizeof(script),
                       "function transform(c)\n"
                       "  local ok, found = pcall(function() return %s end)\n"
                       "  if ok and found then error('found') end\n"
                       "end",
                       absent[index]);
        assert_int_equal(script_runner_script(runner, script), FC_OK);
        if (script_runner_run(runner) != FC_OK) {
            fail_msg("%s: %s", absent[index], runner->err.message);
        }
    }
}

static void malicious_metatables_are_refused(void **state)
{
    struct script_runner *runner = *state;
    assert_body_fails(runner, "setmetatable({}, { __gc = function() end })",
                      "a metatable may not have __gc");
    assert_body_fails(runner, "setmetatable('', {})", "table expected");
    assert_body_fails(runner, "setmetatable(c, {})", "table expected");
    assert_body_fails(runner, "setmetatable(json.decode('[]'), {})",
                      "cannot change a protected metatable");
    assert_body_fails(runner, "rawset(c, 'op', 'd')", "table expected");
    assert_body_fails(runner, "next(c.after)", "table expected");
    assert_body_fails(runner, "local n = pairs(c.after) n({}, nil)", "a row expected");
    assert_body_fails(runner, "local n = pairs(c.after) n(c, nil)", "a row expected");
    assert_body_fails(runner, "local n = pairs(c.after) n()", "a row expected");
    assert_body_fails(runner, "c.copy({})", "a change expected");
    assert_body_fails(runner, "c.copy(c.after)", "a change expected");
    assert_body_fails(runner, "c.copy(unchanged)", "a change expected");
    assert_body_fails(runner,
                      "table.concat(setmetatable({}, { __len = function() return 9 end }))",
                      "a table without metamethods expected");
    assert_body_fails(runner,
                      "table.insert(setmetatable({}, { __len = function() return "
                      "math.maxinteger - 1 end }), 1, 1)",
                      "a table without metamethods expected");
    assert_body_fails(runner,
                      "return setmetatable({}, { __index = function() return c end, "
                      "__len = function() return 1 end, __next = 1, x = c }), 1",
                      "more than one value");
}

static void a_change_may_stand_behind_a_table(void **state)
{
    struct script_runner *runner = *state;
    assert_int_equal(
        script_runner_script(runner,
                             "function transform(c)\n"
                             "  local t = setmetatable({}, { __index = c.after, __newindex = "
                             "c.after })\n"
                             "  t.note = t.status .. #t\n"
                             "end"),
        FC_OK);
    assert_int_equal(script_runner_run(runner), FC_OK);
    assert_memory_equal(script_runner_after(runner, "note")->as.bytes.data, "paid0", 5);
}

static void limits_can_be_set(void **state)
{
    struct script_runner *runner = *state;
    runner->instructions_max = 100;
    runner->memory_max = 256 * 1024;
    assert_int_equal(script_runner_script(runner, "function transform(c) for i = 1, "
                                                  "c.after.customer_id do end end"),
                     FC_OK);
    assert_int_equal(script_runner_run(runner), FC_OK);
    runner->after[ORDER_CUSTOMER] = fc_sample_int(300);
    assert_int_equal(script_runner_run(runner), FC_ERR_REJECTED);
    assert_non_null(strstr(runner->err.message, "more than 100 instructions"));
    runner->instructions_max = 0;
    assert_int_equal(script_runner_script(runner, "function transform(c) c.value = "
                                                  "('x'):rep(200000) end"),
                     FC_OK);
    assert_int_equal(script_runner_run(runner), FC_ERR_REJECTED);
    assert_string_equal(runner->err.message, "t.lua:1: needs more than 262144 bytes of memory");
    runner->memory_max = 1000;
    assert_int_equal(script_runner_script(runner, "function transform(c) end"), FC_ERR_NOMEM);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(endless_loops_end),
        test(the_message_says_in_which_line),
        test(error_handlers_cannot_hold_up_the_end),
        test(long_work_in_c_functions_is_counted),
        test(what_no_counter_sees_ends_by_processor_time),
        test(memory_bombs_meet_the_cap),
        test(deep_recursion_ends),
        test(a_script_that_fills_memory_for_good_begins_afresh),
        test(derived_shapes_outlive_a_new_lua_state),
        test(nothing_leads_out_of_the_sandbox),
        test(malicious_metatables_are_refused),
        test(a_change_may_stand_behind_a_table),
        test(limits_can_be_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
