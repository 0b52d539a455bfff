/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that scripts have: Lua's own answers for patterns, JSON, hashes, options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

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

/* The result of a Lua expression in the sandbox, by way of the change's value. */
static struct fc_slice in_sandbox(struct script_runner *runner, const char *show,
                                  const char *expression)
{
    char script[2048];
    (void)snprintf(script, sizeof(script), "%s\nfunction transform(c) c.value = show(%s) end",
                   show, expression);
    if (script_runner_script(runner, script) != FC_OK || script_runner_run(runner) != FC_OK) {
        fail_msg("%s: %s", expression, runner->err.message);
    }
    return runner->results[0].value;
}

/* Writes all that an expression gives; of an error only that it is one. */
static const char show_all[] =
    "function show(f) local r = { pcall(f) } if not r[1] then return 'error' end local t = {} "
    "for i = 1, #r + 5 do t[i] = math.type(r[i]) and '#' .. r[i] or tostring(r[i]) end "
    "return table.concat(t, '|') end";

static const char *const pattern_cases[] = {
    "('hello'):find('l')",
    "('hello'):find('l+')",
    "('hello'):find('xyz')",
    "('hello'):find('')",
    "('hello'):find('', 6)",
    "('hello'):find('', 7)",
    "('hello'):find('l', -2)",
    "('hello'):find('h', -100)",
    "('a.b'):find('.', 1, true)",
    "('a.b'):find('%.')",
    "('hello'):match('(h)(e)(l+)')",
    "('hello'):match('()ll()')",
    "('hello'):match('^h')",
    "('hello'):match('^e')",
    "('hello'):match('o$')",
    "('hello'):match('l$')",
    "('a$b'):match('$b')",
    "('key = value'):match('^(%w+)%s*=%s*(%w+)$')",
    "('  trim  '):match('^%s*(.-)%s*$')",
    "('[[x]]'):match('%[%[(.-)%]%]')",
    "('a]b'):match('[]]')",
    "('a]b'):match('[^]]+')",
    "('a-z'):match('[a%-z]+')",
    "('a-z'):match('[a-]+')",
    "('x^y'):match('[x^]+')",
    "('2024-05-06'):match('(%d+)-(%d+)-(%d+)')",
    "('THE (quick) fox'):find('%((%a+)%)')",
    "('f(a(b)c)d'):match('%b()')",
    "('f(a(b c'):match('%b()')",
    "('x'):match('%b')",
    "('THE (quick) fox'):gsub('%f[%a]%a+', 'w')",
    "('x'):match('%f')",
    "('abab'):match('(ab)%1')",
    "('aa bb'):match('(%a)%1 (%a)%2')",
    "('x'):match('%1')",
    "('x'):match('(')",
    "('x'):match(')')",
    "('x'):match('[a')",
    "('x'):match('%')",
    "('x'):match('(()')",
    "('abc'):gsub('%w', '%0%0')",
    "('abc'):gsub('', '-')",
    "('abc'):gsub('b*', 'x')",
    "('hello world'):gsub('o', '0', 1)",
    "('hello'):gsub('l', { l = 'L' })",
    "('hello'):gsub('.', function(c) if c == 'l' then return 'L' end end)",
    "('hello'):gsub('(h)(e)', '%2%1')",
    "('hello'):gsub('h', '%2')",
    "('hello'):gsub('h', '%x')",
    "('hello'):gsub('h', '%')",
    "('a,b,c'):gsub(',', '%%')",
    "('abc'):gsub('^a', 'x')",
    "('aaa'):gsub('^a', 'x')",
    "('abc'):gsub('b', function() return {} end)",
    "('abc'):gsub('b', 5)",
    "('abc'):gsub('b', true)",
    "('abc'):gsub('(b)()', '%2')",
    "(function() local t = {} for w in ('one two'):gmatch('%a+') do t[#t + 1] = w end "
    "return table.concat(t, ';') end)()",
    "(function() local t = {} for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do "
    "t[#t + 1] = k .. v end return table.concat(t, ';') end)()",
    "(function() local n = 0 for _ in ('abc'):gmatch('') do n = n + 1 end return n end)()",
    "(function() local t = {} for w in ('abc'):gmatch('x*') do t[#t + 1] = '<' .. w .. '>' end "
    "return table.concat(t) end)()",
    "(function() local t = {} for w in ('^a^a'):gmatch('^a') do t[#t + 1] = w end "
    "return #t end)()",
    "(function() local t = {} for w in ('abcabc'):gmatch('b', 3) do t[#t + 1] = w end "
    "return #t end)()",
    "('\\0a\\0'):find('%z')",
    "('a\\0b'):find('\\0')",
    "('a\\0b'):match('a%zb')",
    "('a\\0b'):gsub('\\0', '0')",
    "('%d'):match('%%d')",
    "('abc'):match('a?b?c?d?')",
    "('abc'):match('.-c')",
    "('aXb'):match('%u')",
    "('aXb'):match('%U+')",
    "('a b'):match('%S+')",
    "('\\t'):match('%c')",
    "('a!'):match('%p')",
    "('é'):match('%a')",
    "('0xFF'):match('%x+')",
    "('x'):rep(3)",
    "('x'):rep(3, '-')",
    "('x'):rep(0)",
    "('x'):rep(-1)",
    "('x'):find(nil)",
    "('hello'):find('l', 1.5)",
    "('hello'):find('(l)(l)')",
    "string.find()",
    "('a'):match('a', 3)",
    "('aaab'):match('a-b')",
    "('aaab'):match('^(a-)(a*)b')",
    "('x'):match(('(x'):rep(33))",
    "('abc'):match('[a-c]+')",
    "('abc'):match('[c-a]+')",
    "('a-'):match('[a-%-]+')",
    "('100%'):match('[%d%%]+')",
    "('a.b-c'):gsub('[^%w._-]', '_')",
    "('x'):gsub('x', '%1')",
};

static void patterns_answer_as_lua_s_own_do(void **state)
{
    struct script_runner *runner = *state;
    for (size_t index = 0; index < sizeof(pattern_cases) / sizeof(pattern_cases[0]); index++) {
        char wrapped[1024];
        char script[2048];
        struct fc_slice ours;
        size_t len;
        const char *theirs;
        lua_State *lua = luaL_newstate();
        luaL_openlibs(lua);
        (void)snprintf(wrapped, sizeof(wrapped), "function() return %s end",
                       pattern_cases[index]);
        (void)snprintf(script, sizeof(script), "%s return show(%s)", show_all, wrapped);
        if (luaL_loadbuffer(lua, script, strlen(script), "=t") != LUA_OK ||
            lua_pcall(lua, 0, 1, 0) != LUA_OK) {
            fail_msg("%s", lua_tostring(lua, -1));
        }
        theirs = lua_tolstring(lua, -1, &len);
        ours = in_sandbox(runner, show_all, wrapped);
        if (ours.len != len || memcmp(ours.data, theirs, len) != 0) {
            fail_msg("%s\n  Lua:  %s\n  ours: %.*s", pattern_cases[index], theirs,
                     (int)ours.len, (const char *)ours.data);
        }
        lua_close(lua);
    }
}

/* --- JSON ----------------------------------------------------------------------------------- */

static void assert_body(struct script_runner *runner, const char *body)
{
    char script[4096];
    (void)snprintf(script, sizeof(script), "function transform(c) %s end", body);
    if (script_runner_script(runner, script) != FC_OK || script_runner_run(runner) != FC_OK) {
        fail_msg("%s: %s", body, runner->err.message);
    }
}

static void assert_fails(struct script_runner *runner, const char *body, const char *message)
{
    char script[4096];
    (void)snprintf(script, sizeof(script), "function transform(c) %s end", body);
    assert_int_equal(script_runner_script(runner, script), FC_OK);
    if (script_runner_run(runner) != FC_ERR_REJECTED) {
        fail_msg("%s did not fail", body);
    }
    assert_string_equal(runner->err.message, message);
}

static void json_comes_back_as_it_went(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "[[],{}]",
        "null",
        "true",
        "[1,-1,9223372036854775807,-9223372036854775808]",
        "[0.1,1.0E300,-2.5]",
        "[null,1,null]",
        "{\"a\":null,\"b\":[{\"c\":\"d\"}]}",
        "\"\\u0000\\b\\t\\n\\f\\r\\u001F\\\"\\\\/\"",
        "\"\xc3\xa4\xf0\x9f\x98\x80\"",
    };
    for (size_t index = 0; index < sizeof(texts) / sizeof(texts[0]); index++) {
        char body[512];
        (void)snprintf(body, sizeof(body),
                       "local t = [==[%s]==] local back = json.encode(json.decode(t)) "
                       "if back ~= t then error(back) end",
                       texts[index]);
        assert_body(*state, body);
    }
}

static void json_values_are_lua_values(void **state)
{
    struct script_runner *runner = *state;
    assert_body(runner,
                "local d = json.decode([[ {\"n\": 7, \"f\": 1e2, \"s\": \"\\u00e4\\ud83d"
                "\\ude00\", \"list\": [1, null], \"no\": null} ]]) "
                "assert(math.type(d.n) == 'integer' and d.f == 100.0) "
                "assert(d.s == 'ä😀' and #d.list == 2 and d.list[2] == json.null) "
                "assert(d.no == json.null and d.no ~= nil and tostring(d.no) == 'null')");
    assert_body(runner,
                "assert(json.encode({ b = 1, a = { 2, 3 } }) == '{\"a\":[2,3],\"b\":1}') "
                "assert(json.encode({}) == '{}' and json.encode(json.decode('[]')) == '[]')"
                "assert(json.encode(nil) == 'null' and json.encode(1.5) == '1.5') "
                "local list = json.decode('[]') list[1] = 'x' "
                "assert(json.encode(list) == '[\"x\"]')");
}

static void json_mistakes_are_named(void **state)
{
    struct script_runner *runner = *state;
    assert_fails(runner, "json.decode('{\"a\":1,}')",
                 "t.lua:1: invalid JSON at byte 7: a key is missing");
    assert_fails(runner, "json.decode('[1 2]')",
                 "t.lua:1: invalid JSON at byte 3: ',' or ']' is missing");
    assert_fails(runner, "json.decode('')",
                 "t.lua:1: invalid JSON at byte 0: a value is missing");
    assert_fails(runner, "json.decode('01')",
                 "t.lua:1: invalid JSON at byte 0: invalid number");
    assert_fails(runner, "json.decode('\"\\\\ud800\"')",
                 "t.lua:1: invalid JSON at byte 8: half of a surrogate pair in a string");
    assert_fails(runner, "json.decode('18446744073709551616')",
                 "t.lua:1: invalid JSON at byte 20: a whole number needs more than 64 bits");
    assert_fails(runner, "json.decode(('['):rep(101))",
                 "t.lua:1: invalid JSON at byte 100: nested more than 100 levels deep");
    assert_fails(
        runner, "json.encode({ 1, nil, 3, x = 1 })",
        "t.lua:1: a table with keys that are neither all texts nor 1, 2, 3... cannot be "
        "JSON");
    assert_fails(runner, "json.encode(function() end)", "t.lua:1: a function cannot be JSON");
    assert_fails(runner, "json.encode(0/0)",
                 "t.lua:1: a number that is not finite cannot be JSON");
    assert_fails(runner, "json.encode('\\xff')",
                 "t.lua:1: a text that is not UTF-8 cannot be JSON");
    assert_fails(runner, "json.encode(unchanged)", "t.lua:1: a unchanged cannot be JSON");
    assert_fails(runner, "json.encode(c.after)",
                 "t.lua:1: rows cannot be written as JSON here");
}

static void encode_status(void *ctx, const struct fc_shape *shape, const struct fc_value *row,
                          struct fc_buf *out)
{
    (void)ctx;
    fc_buf_append_fmt(out, "{\"%s\":\"%.*s\"}", shape->columns[ORDER_STATUS].name,
                      (int)row[ORDER_STATUS].as.bytes.len,
                      (const char *)row[ORDER_STATUS].as.bytes.data);
}

static void rows_are_encoded_by_the_runner_s_encoder(void **state)
{
    struct script_runner *runner = *state;
    assert_int_equal(script_runner_script(
                         runner, "function transform(c) c:rename_column('status', 's') "
                                 "c.after.s = 'new' c.value = json.encode({ was = c.before, "
                                 "is = c.after }) end"),
                     FC_OK);
    fc_transform_engine_set_row_encoder(runner->engine, encode_status, NULL);
    assert_int_equal(script_runner_run(runner), FC_OK);
    assert_int_equal(runner->results[0].value.len, 37);
    assert_memory_equal(runner->results[0].value.data,
                        "{\"is\":{\"s\":\"new\"},\"was\":{\"s\":\"open\"}}", 37);
}

/* --- helpers -------------------------------------------------------------------------------- */

static void hashes_are_the_known_ones(void **state)
{
    /* FIPS 180-2 and RFC 4231, test cases 2 and 6. */
    assert_body(*state, "assert(sha256('abc') == "
                        "'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad') "
                        "assert(sha256('') == "
                        "'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855') "
                        "assert(hmac_sha256('Jefe', 'what do ya want for nothing?') == "
                        "'5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843') "
                        "assert(hmac_sha256(('\\xaa'):rep(131), "
                        "'Test Using Larger Than Block-Size Key - Hash Key First') == "
                        "'60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54')");
    assert_fails(
        *state, "hmac_sha256('', 'x')",
        "t.lua:1: bad argument #1 to 'hmac_sha256' (an empty key keeps nothing secret)");
}

static void columns_are_selected_by_name_table_and_database(void **state)
{
    struct script_runner *runner = *state;
    assert_body(
        runner,
        "local function sel(list) return table.concat(select_columns(c, list), ',') end "
        "assert(sel({ 'note', 'nope', 'orders.status', 'shop.orders.id' }) == "
        "'note,status,id') "
        "assert(sel({ 'other.note', 'shop.other.note', 'x.orders.note' }) == '') "
        "local list = { 'note' } "
        "assert(select_columns(c, list) == select_columns(c, list)) "
        "c:rename_column('note', 'n') assert(#select_columns(c, list) == 0)");
    assert_fails(runner, "select_columns(c, { 'orders.nota' })",
                 "t.lua:1: shop.orders has no column `nota`, did you mean `note`?");
    assert_fails(runner, "select_columns(c, { 7 })",
                 "t.lua:1: bad argument #2 to 'select_columns' (a list of column names "
                 "expected)");
}

static void assert_options(struct script_runner *runner, const char *with, const char *message)
{
    struct script_step step = { "o.lua",
                                "check_options(options, { columns = 'list!', with = 'string',\n"
                                "  deep = 'boolean', n = 'integer', names = 'map', any = "
                                "'scalar', mode = 'a|b' })\n"
                                "function transform(c) end",
                                NULL };
    step.with_json = with;
    (void)script_runner_load(runner, &step, 1);
    if (message == NULL) {
        assert_int_equal(runner->code, FC_OK);
    } else {
        assert_int_equal(runner->code, FC_ERR_CONFIG);
        assert_string_equal(runner->err.message, message);
    }
}

static void options_are_checked_strictly(void **state)
{
    struct script_runner *runner = *state;
    assert_options(runner, "{\"columns\":[\"a\"]}", NULL);
    assert_options(runner,
                   "{\"columns\":[\"a\"],\"with\":\"x\",\"deep\":false,\"n\":3,\"any\":1.5,"
                   "\"names\":{\"a\":\"b\"},\"mode\":\"b\"}",
                   NULL);
    assert_options(runner, "{\"columns\":[\"a\"],\"with\":null}", NULL);
    assert_options(runner, NULL, "line 12: o.lua: option `columns` is missing");
    assert_options(runner, "{\"colums\":[\"a\"]}",
                   "line 12: o.lua: unknown option `colums`, did you mean `columns`?");
    assert_options(runner, "{\"columns\":\"a\"}",
                   "line 12: o.lua: option `columns` must be a list of texts");
    assert_options(runner, "{\"columns\":[]}",
                   "line 12: o.lua: option `columns` must be a list of texts");
    assert_options(runner, "{\"columns\":[1]}",
                   "line 12: o.lua: option `columns` must be a list of texts");
    assert_options(runner, "{\"columns\":[\"a\"],\"with\":1}",
                   "line 12: o.lua: option `with` must be a text");
    assert_options(runner, "{\"columns\":[\"a\"],\"n\":1.5}",
                   "line 12: o.lua: option `n` must be a whole number");
    assert_options(runner, "{\"columns\":[\"a\"],\"mode\":\"c\"}",
                   "line 12: o.lua: option `mode` must be a|b");
    assert_options(runner, "{\"columns\":[\"a\"],\"names\":{\"a\":1}}",
                   "line 12: o.lua: option `names` must be a map of texts to texts");
    assert_options(runner, "[]", "line 12: o.lua: option `columns` is missing");
}

static void safe_parts_of_the_libraries_are_there(void **state)
{
    assert_body(
        *state,
        "local t = { 3, 1, 2 } table.sort(t) assert(table.concat(t, ',') == '1,2,3') "
        "table.insert(t, 1, 0) table.insert(t, 9) assert(table.remove(t) == 9) "
        "assert(table.remove(t, 1) == 0 and #table.move(t, 1, 3, 2) == 4) "
        "assert(select('#', table.unpack({ 1, 2, 3 })) == 3 and table.pack(1).n == 1) "
        "assert(utf8.len('ä') == 1 and utf8.char(228) == 'ä') "
        "assert(utf8.codepoint('ä') == 228 and utf8.offset('äb', 2) == 3) "
        "assert(string.format('%05.1f', 3.14159) == '003.1' and ('x'):byte() == 120) "
        "assert(math.floor(2.7) == 2 and tonumber('0x10') == 16 and _VERSION == 'Lua 5.4') "
        "assert(string.unpack('<I4', string.pack('<I4', 7)) == 7) "
        "local ok, e = pcall(error, { code = 1 }) assert(not ok and e.code == 1) "
        "local m = setmetatable({}, { __index = { x = 1 } }) assert(m.x == 1) "
        "assert(rawget(m, 'x') == nil and next({}) == nil and rawlen({ 1 }) == 1)");
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(patterns_answer_as_lua_s_own_do),
        test(json_comes_back_as_it_went),
        test(json_values_are_lua_values),
        test(json_mistakes_are_named),
        test(rows_are_encoded_by_the_runner_s_encoder),
        test(hashes_are_the_known_ones),
        test(columns_are_selected_by_name_table_and_database),
        test(options_are_checked_strictly),
        test(safe_parts_of_the_libraries_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
