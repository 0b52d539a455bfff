/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How each way out is shut:
 *   endless loops          the count hook, every hook_every instructions
 *   pcall around a loop    our pcall raises the error again once the call is over its budget
 *   coroutines             not there: hooks are per coroutine
 *   __gc                   setmetatable refuses it: finalizers run with hooks off
 *   long work in C         functions that can take long charge the budget (library_*.c)
 *   bulk copies (a..b)     the allocator charges large allocations
 *   memory                 the allocator's cap; Lua collects garbage first, then fails the call
 *   bytecode, files        load and its kin are not there; our loader takes text only
 *   shared state           each script has its own copies of the libraries; the metatable of
 *                          strings is locked and its methods are not reachable
 */
#include "transforms/sandbox.h"

#include <stdlib.h>
#include <time.h>

#include <lualib.h>

#include "core/base/alloc.h"

enum {
    HOOK_EVERY = 1000,
    CHARGED_ALLOCATION_MIN = 1024, /* bytes; smaller ones are paid for by their instruction */
    BYTES_AN_INSTRUCTION = 64
};

static const char globals_key[] = "fc.globals";
static const char over_budget[] = "ran for more than";

struct fc_sandbox *fc_sandbox_of(lua_State *lua)
{
    struct fc_sandbox *const *place = lua_getextraspace(lua);
    return *place;
}

static int64_t cpu_ns(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0) {
        return 1; /* cannot happen on Linux; the instruction budget still holds */
    }
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* --- limits ------------------------------------------------------------------------------- */

static void *limited_alloc(void *ctx, void *old, size_t old_size, size_t size)
{
    struct fc_sandbox *sandbox = ctx;
    void *fresh;
    if (old == NULL) {
        old_size = 0; /* Lua passes the kind of object here */
    }
    if (size == 0) {
        free(old);
        sandbox->memory_used -= old_size;
        return NULL;
    }
    if (size > old_size) {
        if (size - old_size > sandbox->memory_max - sandbox->memory_used) {
            return NULL;
        }
        if (size >= CHARGED_ALLOCATION_MIN && sandbox->limited) {
            sandbox->spent += size / BYTES_AN_INSTRUCTION;
            sandbox->over = sandbox->over || sandbox->spent > sandbox->budget;
            if (sandbox->over) {
                return NULL;
            }
        }
    }
    fresh = realloc(old, size);
    if (fresh == NULL) {
        return size <= old_size ? old : NULL; /* Lua counts on shrinking to succeed */
    }
    sandbox->memory_used += size;
    sandbox->memory_used -= old_size;
    return fresh;
}

static void raise_over_budget(lua_State *lua, struct fc_sandbox *sandbox)
{
    lua_Debug frame;
    sandbox->over = true;
    for (int level = 0; lua_getstack(lua, level, &frame) != 0; level++) {
        if (lua_getinfo(lua, "Sl", &frame) != 0 && frame.currentline > 0) {
            luaL_error(lua, "%s:%d: %s %I instructions (an endless loop?)", frame.short_src,
                       frame.currentline, over_budget, (LUAI_UACINT)sandbox->budget);
        }
    }
    luaL_error(lua, "%s %I instructions", over_budget, (LUAI_UACINT)sandbox->budget);
}

/* A script that spends 2 s on less than its budget does something that we do not count. */
static bool is_out_of_time(struct fc_sandbox *sandbox)
{
    int64_t now_ns;
    if (sandbox->spent <= (uint64_t)sandbox->hook_every) {
        return false; /* short calls do not pay for looking at the clock */
    }
    now_ns = cpu_ns();
    if (sandbox->cpu_start_ns == 0) {
        sandbox->cpu_start_ns = now_ns;
    }
    return now_ns - sandbox->cpu_start_ns > (int64_t)FC_SANDBOX_CPU_MS_MAX * 1000000;
}

static void on_count(lua_State *lua, lua_Debug *frame)
{
    struct fc_sandbox *sandbox = fc_sandbox_of(lua);
    (void)frame; /* raise_over_budget looks for the line itself */
    if (!sandbox->limited) {
        return;
    }
    sandbox->spent += (uint64_t)sandbox->hook_every;
    if (sandbox->over || sandbox->spent > sandbox->budget || is_out_of_time(sandbox)) {
        raise_over_budget(lua, sandbox);
    }
}

void fc_sandbox_charge(lua_State *lua, uint64_t instructions)
{
    struct fc_sandbox *sandbox = fc_sandbox_of(lua);
    if (instructions > fc_sandbox_left(sandbox)) {
        raise_over_budget(lua, sandbox);
    }
    sandbox->spent += instructions;
}

uint64_t fc_sandbox_left(const struct fc_sandbox *sandbox)
{
    if (sandbox->over || sandbox->spent > sandbox->budget) {
        return 0;
    }
    return sandbox->budget - sandbox->spent;
}

/* --- base functions ----------------------------------------------------------------------- */

static int base_pcall(lua_State *lua)
{
    int status;
    luaL_checkany(lua, 1);
    status = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0);
    if (status != LUA_OK && fc_sandbox_of(lua)->over) {
        return lua_error(lua);
    }
    lua_pushboolean(lua, status == LUA_OK);
    lua_insert(lua, 1);
    return lua_gettop(lua);
}

static int base_setmetatable(lua_State *lua)
{
    int kind = lua_type(lua, 2);
    luaL_checktype(lua, 1, LUA_TTABLE);
    luaL_argexpected(lua, kind == LUA_TNIL || kind == LUA_TTABLE, 2, "nil or table");
    if (luaL_getmetafield(lua, 1, "__metatable") != LUA_TNIL) {
        return luaL_error(lua, "cannot change a protected metatable");
    }
    if (kind == LUA_TTABLE) {
        lua_pushliteral(lua, "__gc");
        if (lua_rawget(lua, 2) != LUA_TNIL) {
            return luaL_error(lua, "a metatable may not have __gc");
        }
    }
    lua_settop(lua, 2);
    lua_setmetatable(lua, 1);
    return 1;
}

static int base_reject(lua_State *lua)
{
    size_t len;
    const char *reason = luaL_checklstring(lua, 1, &len);
    luaL_where(lua, 1);
    lua_pushlstring(lua, reason, len);
    lua_concat(lua, 2);
    return lua_error(lua);
}

/* Functions of the standard base library that do no harm. */
static const char *const base_names[] = {
    "assert", "error",  "getmetatable", "ipairs",   "next",     "pairs", "rawequal", "rawget",
    "rawlen", "rawset", "select",       "tonumber", "tostring", "type",  "_VERSION",
};

static const luaL_Reg base_own[] = {
    { "pcall", base_pcall },
    { "setmetatable", base_setmetatable },
    { "reject", base_reject },
    { NULL, NULL },
};

void fc_sandbox_guard(lua_State *lua, const char *name, lua_CFunction guard)
{
    struct fc_sandbox *sandbox = fc_sandbox_of(lua);
    fc_assert(sandbox->original_count < FC_SANDBOX_ORIGINALS_MAX);
    lua_getfield(lua, -1, name);
    sandbox->originals[sandbox->original_count] = lua_tocfunction(lua, -1);
    fc_assert(sandbox->originals[sandbox->original_count] != NULL);
    lua_pop(lua, 1);
    lua_pushinteger(lua, sandbox->original_count++);
    lua_pushcclosure(lua, guard, 1);
    lua_setfield(lua, -2, name);
}

lua_CFunction fc_sandbox_original(lua_State *lua)
{
    return fc_sandbox_of(lua)->originals[lua_tointeger(lua, lua_upvalueindex(1))];
}

/* --- globals ------------------------------------------------------------------------------ */

/* Push a table with the same fields as the one at index. */
static void push_shallow_copy(lua_State *lua, int index)
{
    index = lua_absindex(lua, index);
    lua_newtable(lua);
    lua_pushnil(lua);
    while (lua_next(lua, index) != 0) {
        lua_pushvalue(lua, -2);
        lua_insert(lua, -2);
        lua_rawset(lua, -4);
    }
}

/* The methods of strings are those of the string library on top of the stack, of which scripts
 * get copies only. */
static void lock_strings(lua_State *lua)
{
    lua_pushliteral(lua, "");
    fc_assert(lua_getmetatable(lua, -1) != 0);
    lua_pushvalue(lua, -3);
    lua_setfield(lua, -2, "__index");
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    lua_pop(lua, 2);
}

static int build_globals(lua_State *lua)
{
    luaL_requiref(lua, LUA_GNAME, luaopen_base, 0);
    lua_newtable(lua);
    for (size_t index = 0; index < sizeof(base_names) / sizeof(base_names[0]); index++) {
        lua_getfield(lua, -2, base_names[index]);
        lua_setfield(lua, -2, base_names[index]);
    }
    luaL_setfuncs(lua, base_own, 0);
    fc_sandbox_push_string(lua);
    lock_strings(lua);
    lua_setfield(lua, -2, "string");
    fc_sandbox_push_table(lua);
    lua_setfield(lua, -2, "table");
    fc_sandbox_push_utf8(lua);
    lua_setfield(lua, -2, "utf8");
    fc_sandbox_push_json(lua);
    lua_setfield(lua, -2, "json");
    luaL_requiref(lua, LUA_MATHLIBNAME, luaopen_math, 0);
    lua_setfield(lua, -2, "math");
    lua_setfield(lua, LUA_REGISTRYINDEX, globals_key);
    /* The standard global table is out of every script's reach; empty it all the same. */
    lua_newtable(lua);
    lua_rawseti(lua, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    return 0;
}

void fc_sandbox_push_globals(lua_State *lua)
{
    lua_getfield(lua, LUA_REGISTRYINDEX, globals_key);
    push_shallow_copy(lua, -1);
    lua_replace(lua, -2);
    lua_pushnil(lua);
    while (lua_next(lua, -2) !=
           0) { /* each library's own copy; assigning to old keys is fine */
        if (lua_istable(lua, -1)) {
            push_shallow_copy(lua, -1);
            lua_pushvalue(lua, -3);
            lua_insert(lua, -2);
            lua_rawset(lua, -5);
        }
        lua_pop(lua, 1);
    }
    lua_pushvalue(lua, -1);
    lua_setfield(lua, -2, "_G");
}

void fc_sandbox_set_global(lua_State *lua, const char *name)
{
    lua_getfield(lua, LUA_REGISTRYINDEX, globals_key);
    lua_insert(lua, -2);
    lua_setfield(lua, -2, name);
    lua_pop(lua, 1);
}

/* --- life --------------------------------------------------------------------------------- */

static int on_panic(lua_State *lua)
{
    (void)lua; /* a call of ours outside of protection: a bug */
    fc_assert_failed("Lua error outside of a protected call", __FILE__, __LINE__);
}

fc_code fc_sandbox_init(struct fc_sandbox *sandbox, uint64_t instructions_max,
                        size_t memory_max, struct fc_error *err)
{
    struct fc_sandbox **place;
    memset(sandbox, 0, sizeof(*sandbox));
    sandbox->memory_max = memory_max;
    sandbox->budget = instructions_max;
    sandbox->hook_every = instructions_max < HOOK_EVERY ? (int)instructions_max : HOOK_EVERY;
    fc_buf_init(&sandbox->scratch, memory_max);
    sandbox->lua = lua_newstate(limited_alloc, sandbox);
    if (sandbox->lua == NULL) {
        return fc_fail(err, FC_ERR_NOMEM, "a Lua state needs more than %zu bytes", memory_max);
    }
    place = lua_getextraspace(sandbox->lua);
    *place = sandbox;
    (void)lua_atpanic(sandbox->lua, on_panic);
    lua_pushcfunction(sandbox->lua, build_globals);
    if (lua_pcall(sandbox->lua, 0, 0, 0) != LUA_OK) {
        fc_sandbox_release(sandbox);
        return fc_fail(err, FC_ERR_NOMEM, "a Lua state needs more than %zu bytes", memory_max);
    }
    lua_sethook(sandbox->lua, on_count, LUA_MASKCOUNT, sandbox->hook_every);
    return FC_OK;
}

void fc_sandbox_release(struct fc_sandbox *sandbox)
{
    if (sandbox->lua != NULL) {
        sandbox->limited = false;
        lua_close(sandbox->lua);
        sandbox->lua = NULL;
    }
    fc_buf_release(&sandbox->scratch);
}

/* Errors that C functions and error(text, 0) raise do not say where. */
static fc_code take_text(const char *text, const char *script, int line, struct fc_error *err)
{
    if (line == 0 || strncmp(text, script, strlen(script)) == 0) {
        return fc_fail(err, FC_ERR_REJECTED, "%s", text);
    }
    return fc_fail(err, FC_ERR_REJECTED, "%s:%d: %s", script, line, text);
}

fc_code fc_sandbox_take_error(struct fc_sandbox *sandbox, int status, const char *script,
                              int line, struct fc_error *err)
{
    lua_State *lua = sandbox->lua;
    int kind = lua_type(lua, -1);
    const char *text = kind == LUA_TSTRING ? lua_tostring(lua, -1) : NULL;
    fc_code code;
    if (sandbox->over && (text == NULL || strstr(text, over_budget) == NULL)) {
        /* The allocator found out; what Lua made of that does not tell. */
        code =
            fc_fail(err, FC_ERR_REJECTED, "%s:%d: %s %llu instructions (copying large texts)",
                    script, line, over_budget, (unsigned long long)sandbox->budget);
    } else if (status == LUA_ERRMEM) {
        code = fc_fail(err, FC_ERR_REJECTED, "%s:%d: needs more than %zu bytes of memory",
                       script, line, sandbox->memory_max);
    } else if (text != NULL) {
        code = take_text(text, script, line, err);
    } else if (lua_isinteger(lua, -1)) {
        code = fc_fail(err, FC_ERR_REJECTED, "%s:%d: raised the error %lld", script, line,
                       (long long)lua_tointeger(lua, -1));
    } else {
        code = fc_fail(err, FC_ERR_REJECTED, "%s:%d: raised an error that is a %s, not a text",
                       script, line, lua_typename(lua, kind));
    }
    lua_pop(lua, 1);
    return code;
}
