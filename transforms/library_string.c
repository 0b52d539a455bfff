/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The string library for scripts: the standard one without dump, with find, match, gmatch and
 * gsub over a matcher that counts its work (pattern.h), and a rep that looks at the size first.
 */
#include <lualib.h>

#include "transforms/pattern.h"
#include "transforms/sandbox.h"

enum {
    STEPS_AN_INSTRUCTION = 16, /* a step is a few machine instructions */
    BYTES_AN_INSTRUCTION = 32
};

static struct fc_slice check_slice(lua_State *lua, int index)
{
    size_t len;
    const char *text = luaL_checklstring(lua, index, &len);
    return fc_slice_of(text, len);
}

/* --- matching ------------------------------------------------------------------------------ */

static void begin_matching(lua_State *lua, struct fc_pattern *match, struct fc_slice text,
                           struct fc_slice pattern, bool with_anchor)
{
    uint64_t left = fc_sandbox_left(fc_sandbox_of(lua));
    uint64_t steps =
        left > UINT64_MAX / STEPS_AN_INSTRUCTION ? UINT64_MAX : left * STEPS_AN_INSTRUCTION;
    fc_pattern_init(match, text, pattern, with_anchor, steps);
}

/* Pay for the steps since steps_before; raise what stopped the matcher. */
static void end_matching(lua_State *lua, const struct fc_pattern *match, uint64_t steps_before)
{
    uint64_t steps = steps_before - match->steps_left;
    if (match->mistake != NULL) {
        luaL_error(lua, "%s", match->mistake);
    }
    fc_sandbox_charge(lua, match->out_of_steps ? UINT64_MAX : steps / STEPS_AN_INSTRUCTION + 1);
}

static const uint8_t *search(lua_State *lua, struct fc_pattern *match, const uint8_t **at)
{
    uint64_t before = match->steps_left;
    const uint8_t *end = fc_pattern_search(match, at);
    end_matching(lua, match, before);
    return end;
}

/* Push capture number `index`, or the whole match when the pattern has no captures. */
static void push_capture(lua_State *lua, const struct fc_pattern *match, uint32_t index,
                         const uint8_t *start, const uint8_t *end)
{
    const struct fc_pattern_capture *capture = &match->captures[index];
    if (index >= match->capture_count) {
        if (index > 0) {
            luaL_error(lua, "invalid capture index %%%d", (int)index + 1);
        }
        lua_pushlstring(lua, (const char *)start, (size_t)(end - start));
    } else if (capture->len == FC_PATTERN_POSITION) {
        lua_pushinteger(lua, capture->start - match->text + 1);
    } else {
        lua_pushlstring(lua, (const char *)capture->start, (size_t)capture->len);
    }
}

/* All captures; the whole match instead when there are none and `whole`. */
static int push_captures(lua_State *lua, const struct fc_pattern *match, const uint8_t *start,
                         const uint8_t *end, bool whole)
{
    uint32_t count = match->capture_count == 0 && whole ? 1 : match->capture_count;
    luaL_checkstack(lua, (int)count, "too many captures");
    for (uint32_t index = 0; index < count; index++) {
        push_capture(lua, match, index, start, end);
    }
    return (int)count;
}

/* Where to begin, from 0; past the end: larger than len. */
static size_t begin_of(lua_State *lua, int index, size_t len)
{
    lua_Integer init = luaL_optinteger(lua, index, 1);
    if (init > 0) {
        return (lua_Unsigned)init - 1 > len ? len + 1 : (size_t)init - 1;
    }
    if (init == 0 || init < -(lua_Integer)len) {
        return 0;
    }
    return len - (size_t)(-init);
}

static int find_plain(lua_State *lua, struct fc_slice text, struct fc_slice wanted,
                      size_t begin)
{
    const uint8_t *found;
    fc_sandbox_charge(lua, (text.len - begin) / BYTES_AN_INSTRUCTION);
    found = memmem(text.data + begin, text.len - begin, wanted.data, wanted.len);
    if (found == NULL) {
        lua_pushnil(lua);
        return 1;
    }
    lua_pushinteger(lua, found - text.data + 1);
    lua_pushinteger(lua, found - text.data + (lua_Integer)wanted.len);
    return 2;
}

static int find_or_match(lua_State *lua, bool is_find)
{
    struct fc_slice text = check_slice(lua, 1);
    struct fc_slice pattern = check_slice(lua, 2);
    size_t begin = begin_of(lua, 3, text.len);
    struct fc_pattern match;
    const uint8_t *start;
    const uint8_t *end;
    if (begin > text.len) {
        lua_pushnil(lua);
        return 1;
    }
    if (is_find && (lua_toboolean(lua, 4) != 0 || fc_pattern_is_plain(pattern))) {
        return find_plain(lua, text, pattern, begin);
    }
    start = text.data + begin;
    begin_matching(lua, &match, text, pattern, true);
    end = search(lua, &match, &start);
    if (end == NULL) {
        lua_pushnil(lua);
        return 1;
    }
    if (!is_find) {
        return push_captures(lua, &match, start, end, true);
    }
    lua_pushinteger(lua, start - text.data + 1);
    lua_pushinteger(lua, end - text.data);
    return push_captures(lua, &match, start, end, false) + 2;
}

static int string_find(lua_State *lua)
{
    return find_or_match(lua, true);
}

static int string_match(lua_State *lua)
{
    return find_or_match(lua, false);
}

/* Upvalues: text, pattern, where to go on (from 0), where the latest match ended (-1: none). */
static int gmatch_next(lua_State *lua)
{
    struct fc_slice text = check_slice(lua, lua_upvalueindex(1));
    struct fc_slice pattern = check_slice(lua, lua_upvalueindex(2));
    lua_Integer at = lua_tointeger(lua, lua_upvalueindex(3));
    lua_Integer last = lua_tointeger(lua, lua_upvalueindex(4));
    while (at <= (lua_Integer)text.len) {
        struct fc_pattern match;
        const uint8_t *start = text.data + at;
        const uint8_t *end;
        begin_matching(lua, &match, text, pattern, false);
        end = search(lua, &match, &start);
        if (end == NULL) {
            break;
        }
        at = end - text.data;
        if (at != last) {
            lua_pushinteger(lua, at);
            lua_copy(lua, -1, lua_upvalueindex(3));
            lua_replace(lua, lua_upvalueindex(4));
            return push_captures(lua, &match, start, end, true);
        }
        at = start - text.data + 1; /* an empty match right after the latest one */
    }
    lua_pushinteger(lua, (lua_Integer)text.len + 1);
    lua_replace(lua, lua_upvalueindex(3));
    return 0;
}

static int string_gmatch(lua_State *lua)
{
    struct fc_slice text = check_slice(lua, 1);
    (void)check_slice(lua, 2);
    size_t begin = begin_of(lua, 3, text.len);
    lua_settop(lua, 2);
    lua_pushinteger(lua, (lua_Integer)begin);
    lua_pushinteger(lua, -1);
    lua_pushcclosure(lua, gmatch_next, 4);
    return 1;
}

/* --- gsub ---------------------------------------------------------------------------------- */

/* The replacement text with "%1" filled in. */
static void add_template(lua_State *lua, luaL_Buffer *out, const struct fc_pattern *match,
                         const uint8_t *start, const uint8_t *end)
{
    size_t len;
    const char *text = lua_tolstring(lua, 3, &len);
    const char *text_end = text + len;
    while (text < text_end) {
        const char *mark = memchr(text, '%', (size_t)(text_end - text));
        const char *until = mark == NULL ? text_end : mark;
        luaL_addlstring(out, text, (size_t)(until - text));
        if (mark == NULL) {
            return;
        }
        if (mark + 1 < text_end && mark[1] == '%') {
            luaL_addchar(out, '%');
        } else if (mark + 1 < text_end && mark[1] == '0') {
            luaL_addlstring(out, (const char *)start, (size_t)(end - start));
        } else if (mark + 1 < text_end && mark[1] >= '1' && mark[1] <= '9') {
            push_capture(lua, match, (uint32_t)(mark[1] - '1'), start, end);
            (void)luaL_tolstring(lua, -1, NULL);
            lua_remove(lua, -2);
            luaL_addvalue(out);
        } else {
            luaL_error(lua, "invalid use of '%%' in replacement string");
        }
        text = mark + 2;
    }
}

static void add_replacement(lua_State *lua, luaL_Buffer *out, const struct fc_pattern *match,
                            const uint8_t *start, const uint8_t *end)
{
    switch (lua_type(lua, 3)) {
    case LUA_TFUNCTION:
        lua_pushvalue(lua, 3);
        lua_call(lua, push_captures(lua, match, start, end, true), 1);
        break;
    case LUA_TTABLE:
        push_capture(lua, match, 0, start, end);
        lua_gettable(lua, 3);
        break;
    default:
        add_template(lua, out, match, start, end);
        return;
    }
    if (lua_toboolean(lua, -1) == 0) { /* false or nil: as it was */
        lua_pop(lua, 1);
        luaL_addlstring(out, (const char *)start, (size_t)(end - start));
    } else if (lua_isstring(lua, -1) == 0) {
        luaL_error(lua, "invalid replacement value (a %s)", luaL_typename(lua, -1));
    } else {
        luaL_addvalue(out);
    }
}

static int string_gsub(lua_State *lua)
{
    struct fc_slice text = check_slice(lua, 1);
    struct fc_slice pattern = check_slice(lua, 2);
    int kind = lua_type(lua, 3);
    lua_Integer count_max = luaL_optinteger(lua, 4, (lua_Integer)text.len + 1);
    lua_Integer count = 0;
    const uint8_t *at = text.data;
    const uint8_t *last = NULL;
    struct fc_pattern match;
    luaL_Buffer out;
    luaL_argexpected(lua,
                     kind == LUA_TNUMBER || kind == LUA_TSTRING || kind == LUA_TFUNCTION ||
                         kind == LUA_TTABLE,
                     3, "string/function/table");
    luaL_buffinit(lua, &out);
    while (count < count_max) {
        const uint8_t *end;
        uint64_t before;
        begin_matching(lua, &match, text, pattern, true);
        before = match.steps_left;
        end = fc_pattern_match_at(&match, at);
        end_matching(lua, &match, before);
        if (end != NULL && end != last) {
            count++;
            add_replacement(lua, &out, &match, at, end);
            last = end;
            at = end;
        } else if (at < match.text_end) {
            luaL_addchar(&out, (char)*at);
            at++;
        } else {
            break;
        }
        if (match.anchored) {
            break;
        }
    }
    luaL_addlstring(&out, (const char *)at, (size_t)(text.data + text.len - at));
    luaL_pushresult(&out);
    lua_pushinteger(lua, count);
    return 2;
}

/* --- the rest ------------------------------------------------------------------------------ */

static int guarded_rep(lua_State *lua)
{
    size_t len = check_slice(lua, 1).len;
    lua_Integer count = luaL_checkinteger(lua, 2);
    size_t between;
    (void)luaL_optlstring(lua, 3, "", &between);
    if (count > 0) {
        size_t memory_max = fc_sandbox_of(lua)->memory_max;
        if (len > memory_max || between > memory_max ||
            (len + between > 0 && (lua_Unsigned)count > memory_max / (len + between))) {
            return luaL_error(lua, "the text would need more than %I bytes of memory",
                              (LUAI_UACINT)memory_max);
        }
        fc_sandbox_charge(lua, (lua_Unsigned)count / BYTES_AN_INSTRUCTION);
    }
    return fc_sandbox_original(lua)(lua);
}

static const luaL_Reg functions[] = {
    { "find", string_find },
    { "match", string_match },
    { "gmatch", string_gmatch },
    { "gsub", string_gsub },
    { NULL, NULL },
};

void fc_sandbox_push_string(lua_State *lua)
{
    (void)luaopen_string(lua);
    lua_pushnil(lua);
    lua_setfield(lua, -2, "dump");
    luaL_setfuncs(lua, functions, 0);
    fc_sandbox_guard(lua, "rep", guarded_rep);
}
