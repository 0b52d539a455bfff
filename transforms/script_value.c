/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values between rows and Lua.
 *
 *   column             Lua
 *   int, year          integer; unsigned above 2^63-1: text of its digits
 *   float, double      number
 *   decimal, text, enum, set, json, uuid             text
 *   bytes, bit, geometry, vector                     text of the raw bytes
 *   date (days), time, datetime, timestamp (us)      integer; zero and invalid dates: text
 *   NULL               nil
 *   not sent           unchanged
 */
#include <ctype.h>
#include <math.h>

#include "core/base/format.h"
#include "transforms/engine.h"
#include "transforms/json_reader.h"
#include "transforms/value_check.h"

static const char unchanged_mark[] = "unchanged";

void *fc_script_unchanged(void)
{
    union {
        const char *borrowed;
        void *value;
    } mark = { unchanged_mark };
    return mark.value;
}

void fc_script_push_value(lua_State *lua, const struct fc_value *value)
{
    switch (value->kind) {
    case FC_VALUE_NULL:
        lua_pushnil(lua);
        return;
    case FC_VALUE_UNCHANGED:
        lua_pushlightuserdata(lua, fc_script_unchanged());
        return;
    case FC_VALUE_INT:
        lua_pushinteger(lua, value->as.i64);
        return;
    case FC_VALUE_UINT:
        if (value->as.u64 > INT64_MAX) {
            char digits[FC_FORMAT_I64_SIZE];
            lua_pushlstring(lua, digits, fc_format_u64(digits, value->as.u64));
        } else {
            lua_pushinteger(lua, (lua_Integer)value->as.u64);
        }
        return;
    case FC_VALUE_FLOAT:
        lua_pushnumber(lua, (lua_Number)value->as.f32);
        return;
    case FC_VALUE_DOUBLE:
        lua_pushnumber(lua, value->as.f64);
        return;
    case FC_VALUE_TEXT:
    case FC_VALUE_BYTES:
        lua_pushlstring(lua, (const char *)value->as.bytes.data, value->as.bytes.len);
        return;
    }
}

/* --- taking -------------------------------------------------------------------------------- */

static const char *type_of(const struct fc_column *column)
{
    return column->native_type != NULL ? column->native_type : fc_type_word(column->type);
}

static void raise_kind(lua_State *lua, int index, const struct fc_column *column,
                       const char *wanted)
{
    luaL_error(lua, "column %s (%s) takes %s, not a %s", column->name, type_of(column), wanted,
               luaL_typename(lua, index));
}

static void raise_misfit(lua_State *lua, const struct fc_column *column, const char *why)
{
    luaL_error(lua, "column %s (%s) cannot hold the value: %s", column->name, type_of(column),
               why);
}

static struct fc_slice take_text(lua_State *lua, int index, const struct fc_column *column)
{
    struct fc_slice text;
    if (lua_type(lua, index) != LUA_TSTRING) {
        raise_kind(lua, index, column, "a string");
    }
    text.data = (const uint8_t *)lua_tolstring(lua, index, &text.len);
    return text;
}

static void set_bytes(lua_State *lua, struct fc_value *value, fc_value_kind kind,
                      struct fc_slice bytes)
{
    value->as.bytes = fc_script_copy(lua, (const char *)bytes.data, bytes.len);
    value->kind = kind;
}

/* An integer, or a float that is one. */
static lua_Integer take_integer(lua_State *lua, int index, const struct fc_column *column)
{
    int is_integer = 0;
    lua_Integer integer = 0;
    if (lua_type(lua, index) != LUA_TNUMBER) {
        raise_kind(lua, index, column, "a whole number");
    }
    integer = lua_tointegerx(lua, index, &is_integer);
    if (is_integer == 0) {
        raise_misfit(lua, column, "it is not a whole number of 64 bits");
    }
    return integer;
}

static void take_int(lua_State *lua, int index, const struct fc_column *column,
                     struct fc_value *out)
{
    unsigned bits = column->bits == 0 ? 64 : column->bits;
    lua_Integer integer;
    uint64_t large;
    if (column->is_unsigned && lua_type(lua, index) == LUA_TSTRING) {
        /* How an unsigned above 2^63-1 is read is how it may be written. */
        if (!fc_value_parse_u64(take_text(lua, index, column), &large) ||
            (bits < 64 && large >> bits != 0)) {
            raise_misfit(lua, column, "the text is not a number in its range");
        }
        out->as.u64 = large;
        out->kind = FC_VALUE_UINT;
        return;
    }
    integer = take_integer(lua, index, column);
    if (column->is_unsigned) {
        if (integer < 0 || (bits < 64 && (uint64_t)integer >> bits != 0)) {
            raise_misfit(lua, column, "out of range");
        }
        out->as.u64 = (uint64_t)integer;
        out->kind = FC_VALUE_UINT;
        return;
    }
    if (bits < 64 &&
        (integer < -((int64_t)1 << (bits - 1)) || integer > ((int64_t)1 << (bits - 1)) - 1)) {
        raise_misfit(lua, column, "out of range");
    }
    out->as.i64 = integer;
    out->kind = FC_VALUE_INT;
}

static void take_float(lua_State *lua, int index, const struct fc_column *column,
                       struct fc_value *out)
{
    bool single = column->type == FC_TYPE_FLOAT;
    double number;
    double kept;
    if (lua_type(lua, index) != LUA_TNUMBER) {
        raise_kind(lua, index, column, "a number");
    }
    number = lua_tonumber(lua, index);
    kept = single ? (double)(float)number : number;
    if (!isfinite(kept)) {
        raise_misfit(lua, column, "out of range");
    }
    if (lua_isinteger(lua, index) != 0 &&
        (kept >= 0x1p63 || (lua_Integer)kept != lua_tointeger(lua, index))) {
        raise_misfit(lua, column, "the whole number has more digits than it keeps");
    }
    if (single) {
        out->as.f32 = (float)number;
        out->kind = FC_VALUE_FLOAT;
    } else {
        out->as.f64 = number;
        out->kind = FC_VALUE_DOUBLE;
    }
}

/* Numbers only when no digit is lost. */
static void take_decimal(lua_State *lua, int index, const struct fc_column *column,
                         struct fc_value *out)
{
    char digits[FC_VALUE_DECIMAL_SIZE];
    struct fc_slice text;
    const char *problem;
    if (lua_isinteger(lua, index) != 0) {
        text = fc_slice_of(digits, fc_format_i64(digits, lua_tointeger(lua, index)));
    } else if (lua_type(lua, index) == LUA_TNUMBER) {
        text = fc_value_decimal_of_double(lua_tonumber(lua, index), column->scale, digits);
        if (fc_slice_is_null(text)) {
            raise_misfit(lua, column, "the number is not exact; give it as a text");
        }
    } else if (lua_type(lua, index) == LUA_TSTRING) {
        text = take_text(lua, index, column);
    } else {
        raise_kind(lua, index, column, "a string or a number");
        return;
    }
    problem = fc_value_decimal(text, column, digits, &text);
    if (problem != NULL) {
        raise_misfit(lua, column, problem);
    }
    set_bytes(lua, out, FC_VALUE_TEXT, text);
}

static void take_characters(lua_State *lua, int index, const struct fc_column *column,
                            struct fc_value *out)
{
    struct fc_slice text = take_text(lua, index, column);
    if (!fc_utf8_is_valid(text)) {
        raise_misfit(lua, column, "the text is not UTF-8");
    }
    if (column->length > 0 && text.len > column->length &&
        fc_utf8_length(text) > column->length) {
        raise_misfit(lua, column, "too long (change:convert_column gives it another type)");
    }
    set_bytes(lua, out, FC_VALUE_TEXT, text);
}

static void take_bytes(lua_State *lua, int index, const struct fc_column *column,
                       struct fc_value *out)
{
    struct fc_slice bytes = take_text(lua, index, column);
    bool padded = column->native_type != NULL && strncmp(column->native_type, "binary", 6) == 0;
    uint8_t *copy;
    if (column->length > 0 && bytes.len > column->length) {
        raise_misfit(lua, column, "too long (change:convert_column gives it another type)");
    }
    if (!padded || bytes.len == column->length) {
        set_bytes(lua, out, FC_VALUE_BYTES, bytes);
        return;
    }
    copy = fc_script_alloc(lua, column->length);
    memset(copy, 0, column->length);
    memcpy(copy, bytes.data, bytes.len);
    out->as.bytes = fc_slice_of(copy, column->length);
    out->kind = FC_VALUE_BYTES;
}

/* Raw bytes, or a number of that many bits. */
static void take_bits(lua_State *lua, int index, const struct fc_column *column,
                      struct fc_value *out)
{
    uint32_t bits = column->length == 0 ? 1 : column->length;
    size_t size = (bits + 7) / 8;
    uint8_t little_endian[8];
    struct fc_slice bytes;
    if (lua_type(lua, index) == LUA_TNUMBER) {
        uint64_t number = (uint64_t)take_integer(lua, index, column);
        for (size_t byte = 0; byte < sizeof(little_endian); byte++) {
            little_endian[byte] = (uint8_t)(number >> (8 * byte));
        }
        if (bits < 64 && number >> bits != 0) {
            raise_misfit(lua, column, "out of range");
        }
        bytes = fc_slice_of(little_endian, size < 8 ? size : 8);
    } else {
        bytes = take_text(lua, index, column);
    }
    if (bytes.len != size || (bits % 8 != 0 && bytes.data[size - 1] >> (bits % 8) != 0)) {
        raise_misfit(lua, column, "it takes that many bits, little-endian");
    }
    set_bytes(lua, out, FC_VALUE_BYTES, bytes);
}

static void take_labels(lua_State *lua, int index, const struct fc_column *column,
                        struct fc_value *out)
{
    struct fc_slice text = take_text(lua, index, column);
    struct fc_buf *ordered = &fc_sandbox_of(lua)->scratch;
    if (column->type == FC_TYPE_ENUM) {
        if (!fc_value_is_label(column, text)) {
            raise_misfit(lua, column, "it is none of its labels");
        }
    } else {
        fc_buf_clear(ordered);
        if (!fc_value_order_labels(column, text, ordered)) {
            raise_misfit(lua, column, "it is not a list of its labels");
        }
        text = fc_slice_of(ordered->len == 0 ? (const void *)"" : ordered->data, ordered->len);
    }
    set_bytes(lua, out, FC_VALUE_TEXT, text);
}

static void take_json(lua_State *lua, int index, const struct fc_column *column,
                      struct fc_value *out)
{
    struct fc_slice text = take_text(lua, index, column);
    struct fc_buf *compact = &fc_sandbox_of(lua)->scratch;
    const char *problem;
    fc_buf_clear(compact);
    problem = fc_json_compact(text, compact);
    if (problem == NULL && (!fc_utf8_is_valid(text) || compact->failed)) {
        problem = compact->failed ? "too long" : "the text is not UTF-8";
    }
    if (problem != NULL) {
        luaL_error(lua, "column %s (%s) takes a JSON text: %s", column->name, type_of(column),
                   problem);
    }
    set_bytes(lua, out, FC_VALUE_TEXT, fc_buf_slice(compact));
}

static void take_time(lua_State *lua, int index, const struct fc_column *column,
                      struct fc_value *out)
{
    const char *problem;
    if (lua_type(lua, index) == LUA_TSTRING) { /* how zero and invalid dates are read */
        struct fc_slice text = take_text(lua, index, column);
        if (!fc_value_is_odd_date(column, text)) {
            raise_misfit(lua, column,
                         column->type == FC_TYPE_DATE
                             ? "it takes days since 1970-01-01 as a number"
                             : "it takes microseconds as a number");
        }
        set_bytes(lua, out, FC_VALUE_TEXT, text);
        return;
    }
    out->as.i64 = take_integer(lua, index, column);
    out->kind = FC_VALUE_INT;
    problem = fc_value_check_time(column, out->as.i64);
    if (problem != NULL) {
        raise_misfit(lua, column, problem);
    }
}

static void take_raw(lua_State *lua, int index, const struct fc_column *column,
                     struct fc_value *out)
{
    struct fc_slice bytes = take_text(lua, index, column);
    if (column->type == FC_TYPE_VECTOR && (bytes.len == 0 || bytes.len % 4 != 0)) {
        raise_misfit(lua, column, "its size is not a multiple of 4 bytes");
    }
    if (column->type == FC_TYPE_GEOMETRY && bytes.len < 9) {
        raise_misfit(lua, column, "a geometry has at least 9 bytes");
    }
    set_bytes(lua, out, FC_VALUE_BYTES, bytes);
}

static void take_uuid(lua_State *lua, int index, const struct fc_column *column,
                      struct fc_value *out)
{
    char uuid[FC_VALUE_UUID_SIZE];
    if (!fc_value_uuid(take_text(lua, index, column), uuid)) {
        raise_misfit(lua, column, "the text is not a UUID");
    }
    set_bytes(lua, out, FC_VALUE_TEXT, fc_slice_of(uuid, sizeof(uuid)));
}

static void take_typed(lua_State *lua, int index, const struct fc_column *column,
                       struct fc_value *out)
{
    switch (column->type) {
    case FC_TYPE_INT:
        take_int(lua, index, column, out);
        return;
    case FC_TYPE_FLOAT:
    case FC_TYPE_DOUBLE:
        take_float(lua, index, column, out);
        return;
    case FC_TYPE_DECIMAL:
        take_decimal(lua, index, column, out);
        return;
    case FC_TYPE_TEXT:
        take_characters(lua, index, column, out);
        return;
    case FC_TYPE_BYTES:
        take_bytes(lua, index, column, out);
        return;
    case FC_TYPE_BIT:
        take_bits(lua, index, column, out);
        return;
    case FC_TYPE_ENUM:
    case FC_TYPE_SET:
        take_labels(lua, index, column, out);
        return;
    case FC_TYPE_JSON:
        take_json(lua, index, column, out);
        return;
    case FC_TYPE_YEAR:
    case FC_TYPE_DATE:
    case FC_TYPE_TIME:
    case FC_TYPE_DATETIME:
    case FC_TYPE_TIMESTAMP:
        take_time(lua, index, column, out);
        return;
    case FC_TYPE_GEOMETRY:
    case FC_TYPE_VECTOR:
        take_raw(lua, index, column, out);
        return;
    case FC_TYPE_UUID:
        take_uuid(lua, index, column, out);
        return;
    }
}

void fc_script_take_value(lua_State *lua, int index, const struct fc_column *column,
                          struct fc_value *out_value)
{
    struct fc_value value;
    if (lua_type(lua, index) == LUA_TNIL) {
        if (!column->nullable) {
            raise_misfit(lua, column, "it is NOT NULL");
        }
        value.kind = FC_VALUE_NULL;
        value.as.u64 = 0;
    } else {
        take_typed(lua, index, column, &value);
    }
    *out_value = value;
}
