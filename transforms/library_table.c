/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table and utf8 libraries for scripts: the standard functions, which pay for their work
 * before they do it. They take tables without metamethods only, so that a made-up length
 * cannot make them run on.
 */
#include <lualib.h>

#include "transforms/sandbox.h"

enum { BYTES_AN_INSTRUCTION = 16, ELEMENTS_AN_INSTRUCTION = 2 };

static void check_plain(lua_State *lua, int index)
{
    static const char *const names[] = { "__index", "__newindex", "__len" };
    luaL_checktype(lua, index, LUA_TTABLE);
    if (lua_getmetatable(lua, index) == 0) {
        return;
    }
    for (size_t name = 0; name < sizeof(names) / sizeof(names[0]); name++) {
        lua_pushstring(lua, names[name]);
        if (lua_rawget(lua, -2) != LUA_TNIL) {
            luaL_argerror(lua, index, "a table without metamethods expected");
        }
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
}

static void charge_range(lua_State *lua, lua_Integer first, lua_Integer last)
{
    if (last >= first) {
        fc_sandbox_charge(lua,
                          ((lua_Unsigned)last - (lua_Unsigned)first) / ELEMENTS_AN_INSTRUCTION);
    }
}

/* insert, remove: what comes after the place moves. */
static int guarded_shift(lua_State *lua)
{
    check_plain(lua, 1);
    lua_Integer count = (lua_Integer)lua_rawlen(lua, 1);
    bool at_end = lua_gettop(lua) == 1 || (lua_gettop(lua) == 2 && lua_isinteger(lua, 2) == 0);
    if (!at_end && lua_gettop(lua) >= 2) {
        lua_Integer place = lua_tointeger(lua, 2);
        charge_range(lua, place > 1 ? place : 1, count);
    }
    return fc_sandbox_original(lua)(lua);
}

/* concat(t, separator, first, last) */
static int guarded_concat(lua_State *lua)
{
    check_plain(lua, 1);
    charge_range(lua, 1, (lua_Integer)lua_rawlen(lua, 1));
    return fc_sandbox_original(lua)(lua);
}

/* unpack(t, first, last); the standard function limits what does not fit the stack. */
static int guarded_unpack(lua_State *lua)
{
    check_plain(lua, 1);
    lua_Integer count = (lua_Integer)lua_rawlen(lua, 1);
    lua_Integer first = luaL_optinteger(lua, 2, 1);
    lua_Integer last = luaL_optinteger(lua, 3, count);
    charge_range(lua, first, last);
    return fc_sandbox_original(lua)(lua);
}

static int guarded_move(lua_State *lua)
{
    check_plain(lua, 1);
    if (lua_isnoneornil(lua, 5) == 0) {
        check_plain(lua, 5);
    }
    charge_range(lua, luaL_checkinteger(lua, 2), luaL_checkinteger(lua, 3));
    return fc_sandbox_original(lua)(lua);
}

/* n log n comparisons, of texts that may be long. */
static int guarded_sort(lua_State *lua)
{
    check_plain(lua, 1);
    lua_Unsigned count = lua_rawlen(lua, 1);
    lua_Unsigned log = 1;
    for (lua_Unsigned left = count; left > 1; left /= 2) {
        log++;
    }
    fc_sandbox_charge(lua, count * log);
    return fc_sandbox_original(lua)(lua);
}

static int guarded_utf8(lua_State *lua)
{
    size_t len;
    (void)luaL_checklstring(lua, 1, &len);
    fc_sandbox_charge(lua, len / BYTES_AN_INSTRUCTION);
    return fc_sandbox_original(lua)(lua);
}

void fc_sandbox_push_table(lua_State *lua)
{
    (void)luaopen_table(lua);
    fc_sandbox_guard(lua, "insert", guarded_shift);
    fc_sandbox_guard(lua, "remove", guarded_shift);
    fc_sandbox_guard(lua, "concat", guarded_concat);
    fc_sandbox_guard(lua, "unpack", guarded_unpack);
    fc_sandbox_guard(lua, "move", guarded_move);
    fc_sandbox_guard(lua, "sort", guarded_sort);
}

void fc_sandbox_push_utf8(lua_State *lua)
{
    (void)luaopen_utf8(lua);
    fc_sandbox_guard(lua, "len", guarded_utf8);
    fc_sandbox_guard(lua, "offset", guarded_utf8);
    fc_sandbox_guard(lua, "codepoint", guarded_utf8);
}
