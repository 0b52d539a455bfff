/* SPDX-License-Identifier: Apache-2.0 */
#include "transforms/library_json.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/format.h"
#include "transforms/json_reader.h"
#include "transforms/sandbox.h"

enum { BYTES_AN_INSTRUCTION = 16 };

static const char array_key[] = "fc.array"; /* registry: the metatable that marks arrays */

/* The addresses of these are the values json.null and unchanged. */
static const char null_mark[] = "null";

static void *null_pointer(void)
{
    union {
        const char *borrowed;
        void *value;
    } mark = { null_mark };
    return mark.value;
}

/* --- decode -------------------------------------------------------------------------------- */

struct decoder {
    lua_State *lua;
    struct fc_json_reader reader;
    lua_Integer counts[FC_JSON_DEPTH_MAX]; /* elements so far of each open array */
    bool with_null;
};

static void raise_problem(const struct decoder *decoder, const char *problem)
{
    luaL_error(decoder->lua, "invalid JSON at byte %d: %s",
               (int)(decoder->reader.at - decoder->reader.start), problem);
}

static void push_text(struct decoder *decoder)
{
    struct fc_slice token = decoder->reader.token;
    struct fc_buf *scratch = &fc_sandbox_of(decoder->lua)->scratch;
    if (!decoder->reader.has_escapes) {
        lua_pushlstring(decoder->lua, (const char *)token.data, token.len);
        return;
    }
    fc_buf_clear(scratch);
    if (!fc_script_json_unescape(token, scratch)) {
        raise_problem(decoder, "half of a surrogate pair in a string");
    }
    if (scratch->failed) {
        raise_problem(decoder, "a string is too long");
    }
    lua_pushlstring(decoder->lua, (const char *)scratch->data, scratch->len);
}

/* A whole number exactly, anything else as a double. */
static void push_number(struct decoder *decoder)
{
    struct fc_slice token = decoder->reader.token;
    bool negative = token.data[0] == '-';
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
    uint64_t value = 0;
    for (size_t index = negative ? 1 : 0; index < token.len; index++) {
        uint64_t digit = (uint64_t)token.data[index] - '0';
        if (digit > 9) { /* '.' or 'e': the text ends with a quote, a bracket or NUL, so strtod
                            stops where the token does */
            lua_pushnumber(decoder->lua, strtod((const char *)token.data, NULL));
            return;
        }
        if (value > limit / 10 || value * 10 > limit - digit) {
            raise_problem(decoder, "a whole number needs more than 64 bits");
        }
        value = value * 10 + digit;
    }
    lua_pushinteger(decoder->lua, (lua_Integer)(negative ? 0 - value : value));
}

/* Put the value on top where it belongs: below it are its key and table, or its array. */
static void attach(struct decoder *decoder)
{
    uint32_t depth = decoder->reader.depth;
    if (depth == 0) {
        return;
    }
    if (decoder->reader.in_object[depth - 1]) {
        lua_rawset(decoder->lua, -3);
    } else {
        lua_rawseti(decoder->lua, -2, ++decoder->counts[depth - 1]);
    }
}

static void decode_event(struct decoder *decoder, fc_json_event event)
{
    lua_State *lua = decoder->lua;
    switch (event) {
    case FC_JSON_OBJECT:
        lua_newtable(lua);
        return;
    case FC_JSON_ARRAY:
        lua_newtable(lua);
        lua_getfield(lua, LUA_REGISTRYINDEX, array_key);
        lua_setmetatable(lua, -2);
        decoder->counts[decoder->reader.depth - 1] = 0;
        return;
    case FC_JSON_KEY:
        push_text(decoder);
        return;
    case FC_JSON_OBJECT_END:
    case FC_JSON_ARRAY_END:
        break;
    case FC_JSON_STRING:
        push_text(decoder);
        break;
    case FC_JSON_NUMBER:
        push_number(decoder);
        break;
    case FC_JSON_TRUE:
    case FC_JSON_FALSE:
        lua_pushboolean(lua, event == FC_JSON_TRUE);
        break;
    case FC_JSON_NULL:
        if (decoder->with_null) {
            lua_pushlightuserdata(lua, null_pointer());
        } else {
            lua_pushnil(lua);
        }
        break;
    case FC_JSON_END:
    case FC_JSON_ERROR:
        return;
    }
    attach(decoder);
}

void fc_script_push_json(lua_State *lua, struct fc_slice text, bool with_null)
{
    struct decoder decoder;
    decoder.lua = lua;
    decoder.with_null = with_null;
    fc_json_reader_init(&decoder.reader, text);
    luaL_checkstack(lua, 3 * FC_JSON_DEPTH_MAX, "JSON");
    for (;;) {
        fc_json_event event = fc_json_next(&decoder.reader);
        if (event == FC_JSON_ERROR) {
            raise_problem(&decoder, decoder.reader.problem);
        }
        if (event == FC_JSON_END) {
            return;
        }
        decode_event(&decoder, event);
    }
}

/* --- encode -------------------------------------------------------------------------------- */

static void encode(lua_State *lua, int index, struct fc_buf *out, uint32_t depth);

static bool is_marked_array(lua_State *lua, int index)
{
    bool same;
    if (lua_getmetatable(lua, index) == 0) {
        return false;
    }
    lua_getfield(lua, LUA_REGISTRYINDEX, array_key);
    same = lua_rawequal(lua, -1, -2) != 0;
    lua_pop(lua, 2);
    return same;
}

/* out_elements: how many of the fields are the elements 1 to length. */
static size_t count_fields(lua_State *lua, int index, size_t length, size_t *out_elements)
{
    size_t count = 0;
    size_t elements = 0;
    lua_pushnil(lua);
    while (lua_next(lua, index) != 0) {
        lua_Integer key = lua_isinteger(lua, -2) != 0 ? lua_tointeger(lua, -2) : 0;
        elements += key >= 1 && (lua_Unsigned)key <= length;
        count++;
        lua_pop(lua, 1);
    }
    *out_elements = elements;
    return count;
}

static void encode_array(lua_State *lua, int index, struct fc_buf *out, size_t count,
                         uint32_t depth)
{
    fc_buf_append_u8(out, '[');
    for (size_t element = 1; element <= count; element++) {
        if (element > 1) {
            fc_buf_append_u8(out, ',');
        }
        lua_rawgeti(lua, index, (lua_Integer)element);
        encode(lua, lua_gettop(lua), out, depth + 1);
        lua_pop(lua, 1);
    }
    fc_buf_append_u8(out, ']');
}

static int compare_keys(const void *left, const void *right)
{
    const struct fc_slice *a = left;
    const struct fc_slice *b = right;
    int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static void raise_mixed_keys(lua_State *lua)
{
    luaL_error(lua,
               "a table with keys that are neither all texts nor 1, 2, 3... cannot be JSON");
}

/* The keys, sorted, in Lua memory that is left on the stack: the array and, as a weak table may
 * lose entries at any time, a table that keeps the texts alive. */
static const struct fc_slice *push_keys(lua_State *lua, int index, size_t *count)
{
    struct fc_slice *keys = lua_newuserdatauv(lua, *count * sizeof(*keys), 0);
    size_t found = 0;
    lua_createtable(lua, (int)*count, 0);
    lua_pushnil(lua);
    while (found < *count && lua_next(lua, index) != 0) {
        lua_pop(lua, 1);
        if (lua_type(lua, -1) != LUA_TSTRING) {
            raise_mixed_keys(lua);
        }
        keys[found].data = (const uint8_t *)lua_tolstring(lua, -1, &keys[found].len);
        found++;
        lua_pushvalue(lua, -1);
        lua_rawseti(lua, -3, (lua_Integer)found);
    }
    lua_settop(lua, index + 2);
    qsort(keys, found, sizeof(*keys), compare_keys);
    *count = found;
    return keys;
}

static void append_checked_string(lua_State *lua, struct fc_slice text, struct fc_buf *out)
{
    if (!fc_utf8_is_valid(text)) {
        luaL_error(lua, "a text that is not UTF-8 cannot be JSON");
    }
    fc_script_json_append_string(out, text);
}

static void encode_object(lua_State *lua, int index, struct fc_buf *out, size_t count,
                          uint32_t depth)
{
    const struct fc_slice *keys = push_keys(lua, index, &count);
    fc_buf_append_u8(out, '{');
    for (size_t field = 0; field < count; field++) {
        if (field > 0) {
            fc_buf_append_u8(out, ',');
        }
        append_checked_string(lua, keys[field], out);
        fc_buf_append_u8(out, ':');
        lua_pushlstring(lua, (const char *)keys[field].data, keys[field].len);
        lua_rawget(lua, index);
        encode(lua, lua_gettop(lua), out, depth + 1);
        lua_pop(lua, 1);
    }
    lua_settop(lua, index);
    fc_buf_append_u8(out, '}');
}

static void encode_table(lua_State *lua, int index, struct fc_buf *out, uint32_t depth)
{
    size_t length = lua_rawlen(lua, index);
    size_t elements = 0;
    size_t count = count_fields(lua, index, length, &elements);
    bool is_array = is_marked_array(lua, index) || elements > 0;
    if (depth == FC_JSON_DEPTH_MAX) {
        luaL_error(lua, "a table nested more than %d levels deep cannot be JSON",
                   FC_JSON_DEPTH_MAX);
    }
    luaL_checkstack(lua, 8, "JSON");
    fc_sandbox_charge(lua, count);
    if (is_array && (count != elements || elements != length)) {
        raise_mixed_keys(lua); /* holes, or names beside the elements */
    }
    if (is_array) {
        encode_array(lua, index, out, length, depth);
    } else {
        encode_object(lua, index, out, count, depth);
    }
}

static void encode_number(lua_State *lua, int index, struct fc_buf *out)
{
    double number = lua_tonumber(lua, index);
    char text[FC_FORMAT_DOUBLE_SIZE];
    if (lua_isinteger(lua, index) != 0) {
        fc_buf_append_i64(out, lua_tointeger(lua, index));
        return;
    }
    if (!isfinite(number)) {
        luaL_error(lua, "a number that is not finite cannot be JSON");
    }
    fc_buf_append(out, text, fc_format_double(text, number));
}

static void encode_userdata(lua_State *lua, int index, struct fc_buf *out)
{
    struct fc_sandbox *sandbox = fc_sandbox_of(lua);
    if (lua_touserdata(lua, index) == null_pointer()) {
        fc_buf_append_text(out, "null");
    } else if (sandbox->encode_object == NULL || !sandbox->encode_object(lua, index, out)) {
        luaL_error(lua, "a %s cannot be JSON", luaL_tolstring(lua, index, NULL));
    }
}

static void encode(lua_State *lua, int index, struct fc_buf *out, uint32_t depth)
{
    struct fc_slice text;
    switch (lua_type(lua, index)) {
    case LUA_TNIL:
        fc_buf_append_text(out, "null");
        break;
    case LUA_TBOOLEAN:
        fc_buf_append_text(out, lua_toboolean(lua, index) != 0 ? "true" : "false");
        break;
    case LUA_TNUMBER:
        encode_number(lua, index, out);
        break;
    case LUA_TSTRING:
        text.data = (const uint8_t *)lua_tolstring(lua, index, &text.len);
        append_checked_string(lua, text, out);
        break;
    case LUA_TTABLE:
        encode_table(lua, index, out, depth);
        break;
    case LUA_TUSERDATA:
    case LUA_TLIGHTUSERDATA:
        encode_userdata(lua, index, out);
        break;
    default:
        luaL_error(lua, "a %s cannot be JSON", luaL_typename(lua, index));
    }
    if (out->failed) {
        luaL_error(lua, "the JSON text needs more than %I bytes", (LUAI_UACINT)out->limit);
    }
}

void fc_script_encode_json(lua_State *lua, int index, struct fc_buf *out)
{
    size_t before = out->len;
    encode(lua, lua_absindex(lua, index), out, 0);
    fc_sandbox_charge(lua, (out->len - before) / BYTES_AN_INSTRUCTION);
}

/* --- the library --------------------------------------------------------------------------- */

static int json_decode(lua_State *lua)
{
    struct fc_slice text;
    text.data = (const uint8_t *)luaL_checklstring(lua, 1, &text.len);
    fc_sandbox_charge(lua, text.len / BYTES_AN_INSTRUCTION);
    fc_script_push_json(lua, text, true);
    return 1;
}

static int json_encode(lua_State *lua)
{
    struct fc_buf *scratch = &fc_sandbox_of(lua)->scratch;
    luaL_checkany(lua, 1);
    fc_buf_clear(scratch);
    fc_script_encode_json(lua, 1, scratch);
    lua_pushlstring(lua, (const char *)scratch->data, scratch->len);
    return 1;
}

static const luaL_Reg functions[] = {
    { "decode", json_decode },
    { "encode", json_encode },
    { NULL, NULL },
};

void fc_sandbox_push_json(lua_State *lua)
{
    lua_createtable(lua, 0, 2);
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    lua_setfield(lua, LUA_REGISTRYINDEX, array_key);
    lua_createtable(lua, 0, 3);
    luaL_setfuncs(lua, functions, 0);
    lua_pushlightuserdata(lua, null_pointer());
    lua_setfield(lua, -2, "null");
}
