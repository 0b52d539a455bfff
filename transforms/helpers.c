/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that scripts need and Lua lacks: hashes, options, choosing columns. */
#include "core/base/suggest.h"
#include "transforms/engine.h"

enum { HASHED_BYTES_AN_INSTRUCTION = 16, HASH_COST = 64 };

/* --- hashes --------------------------------------------------------------------------------- */

static int push_hex(lua_State *lua, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char hex[2 * FC_SHA256_SIZE];
    for (size_t index = 0; index < size; index++) {
        hex[2 * index] = digits[bytes[index] >> 4];
        hex[2 * index + 1] = digits[bytes[index] & 15];
    }
    lua_pushlstring(lua, hex, 2 * size);
    return 1;
}

/* sha256(text) -> 64 hexadecimal digits */
static int helper_sha256(lua_State *lua)
{
    uint8_t hash[FC_SHA256_SIZE];
    struct fc_slice text;
    text.data = (const uint8_t *)luaL_checklstring(lua, 1, &text.len);
    fc_sandbox_charge(lua, HASH_COST + text.len / HASHED_BYTES_AN_INSTRUCTION);
    if (!fc_hasher_sha256(&fc_engine_of(lua)->hasher, text, hash)) {
        return luaL_error(lua, "sha256 failed");
    }
    return push_hex(lua, hash, sizeof(hash));
}

/* hmac_sha256(key, text) -> 64 hexadecimal digits */
static int helper_hmac_sha256(lua_State *lua)
{
    uint8_t hash[FC_SHA256_SIZE];
    struct fc_slice key;
    struct fc_slice text;
    key.data = (const uint8_t *)luaL_checklstring(lua, 1, &key.len);
    text.data = (const uint8_t *)luaL_checklstring(lua, 2, &text.len);
    luaL_argcheck(lua, key.len > 0, 1, "an empty key keeps nothing secret");
    fc_sandbox_charge(lua, HASH_COST + (key.len + text.len) / HASHED_BYTES_AN_INSTRUCTION);
    if (!fc_hasher_hmac_sha256(&fc_engine_of(lua)->hasher, key, text, hash)) {
        return luaL_error(lua, "hmac_sha256 failed");
    }
    return push_hex(lua, hash, sizeof(hash));
}

/* --- options -------------------------------------------------------------------------------- */

/* Raise without a position: the reader of the message looks at the connector file. */
static int raise_plain(lua_State *lua)
{
    return lua_error(lua);
}

static bool is_list_of_strings(lua_State *lua, int index)
{
    lua_Unsigned count = lua_rawlen(lua, index);
    for (lua_Unsigned item = 1; item <= count; item++) {
        bool is_string = lua_rawgeti(lua, index, (lua_Integer)item) == LUA_TSTRING;
        lua_pop(lua, 1);
        if (!is_string) {
            return false;
        }
    }
    return count > 0;
}

static bool is_map_of_strings(lua_State *lua, int index)
{
    size_t count = 0;
    lua_pushnil(lua);
    while (lua_next(lua, index) != 0) {
        bool strings = lua_type(lua, -1) == LUA_TSTRING && lua_type(lua, -2) == LUA_TSTRING;
        lua_pop(lua, 1);
        if (!strings) {
            lua_pop(lua, 1);
            return false;
        }
        count++;
    }
    return count > 0;
}

/* One of "a|b|c". */
static bool is_choice(const char *choices, size_t choices_len, const char *given)
{
    size_t len = strlen(given);
    const char *end = choices + choices_len;
    for (const char *at = choices; at < end;) {
        const char *bar = memchr(at, '|', (size_t)(end - at));
        const char *until = bar == NULL ? end : bar;
        if ((size_t)(until - at) == len && memcmp(at, given, len) == 0) {
            return true;
        }
        at = until + 1;
    }
    return false;
}

/* kind as in check_options; NULL when the value at index is of it, else what it must be. */
static const char *kind_problem(lua_State *lua, int index, const char *kind, size_t len)
{
    if (len == 6 && memcmp(kind, "string", len) == 0) {
        return lua_type(lua, index) == LUA_TSTRING ? NULL : "a text";
    }
    if (len == 7 && memcmp(kind, "boolean", len) == 0) {
        return lua_isboolean(lua, index) ? NULL : "true or false";
    }
    if (len == 7 && memcmp(kind, "integer", len) == 0) {
        return lua_isinteger(lua, index) != 0 ? NULL : "a whole number";
    }
    if (len == 6 && memcmp(kind, "scalar", len) == 0) {
        return lua_isstring(lua, index) != 0 ? NULL : "a text or a number";
    }
    if (len == 4 && memcmp(kind, "list", len) == 0) {
        return lua_istable(lua, index) && is_list_of_strings(lua, index) ? NULL
                                                                         : "a list of texts";
    }
    if (len == 5 && memcmp(kind, "table", len) == 0) {
        return lua_istable(lua, index) ? NULL : "a list or a map";
    }
    if (len == 3 && memcmp(kind, "map", len) == 0) {
        return lua_istable(lua, index) && is_map_of_strings(lua, index)
                   ? NULL
                   : "a map of texts to texts";
    }
    if (memchr(kind, '|', len) == NULL) {
        luaL_error(lua, "check_options does not know the kind `%s`", kind);
    }
    return lua_type(lua, index) == LUA_TSTRING && is_choice(kind, len, lua_tostring(lua, index))
               ? NULL
               : lua_pushlstring(lua, kind, len);
}

static void raise_unknown_option(lua_State *lua)
{
    struct fc_suggest suggest;
    char text[FC_SUGGEST_TEXT_SIZE];
    const char *name = lua_type(lua, -2) == LUA_TSTRING ? lua_tostring(lua, -2) : "1";
    char known[200] = "";
    fc_suggest_init(&suggest, name);
    lua_pushnil(lua);
    while (lua_next(lua, 2) != 0) {
        size_t used = strlen(known);
        fc_suggest_offer(&suggest, lua_tostring(lua, -2));
        (void)snprintf(known + used, sizeof(known) - used, "%s%s", used > 0 ? ", " : "",
                       lua_tostring(lua, -2)); /* cut when there are many */
        lua_pop(lua, 1);
    }
    lua_pushfstring(lua, "unknown option `%s`%s", name, fc_suggest_text(&suggest, text));
    if (suggest.nearest == NULL) {
        lua_pushfstring(lua, " (options are: %s)", known);
        lua_concat(lua, 2);
    }
    (void)raise_plain(lua);
}

/*
 * check_options(options, { columns = "list!", with = "string" }) raises for an option that is not
 * in the second table, is of another kind, or is missing though its kind ends with '!'.
 */
static int helper_check_options(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    luaL_checktype(lua, 2, LUA_TTABLE);
    lua_settop(lua, 2);
    lua_pushnil(lua);
    while (lua_next(lua, 2) != 0) { /* keys of the second table first: they must be names */
        luaL_argcheck(lua, lua_type(lua, -1) == LUA_TSTRING && lua_type(lua, -2) == LUA_TSTRING,
                      2, "names and kinds are strings");
        lua_pop(lua, 1);
    }
    lua_pushnil(lua);
    while (lua_next(lua, 1) != 0) {
        lua_pushvalue(lua, -2);
        if (lua_rawget(lua, 2) == LUA_TNIL) {
            lua_pop(lua, 1);
            raise_unknown_option(lua);
        }
        lua_pop(lua, 2);
    }
    lua_pushnil(lua);
    while (lua_next(lua, 2) != 0) {
        size_t len;
        const char *kind = lua_tolstring(lua, -1, &len);
        bool required = len > 0 && kind[len - 1] == '!';
        const char *problem;
        lua_pushvalue(lua, -2);
        if (lua_rawget(lua, 1) == LUA_TNIL) {
            problem = required ? "is missing" : NULL;
        } else {
            problem = kind_problem(lua, lua_gettop(lua), kind, required ? len - 1 : len);
            problem = problem == NULL ? NULL : lua_pushfstring(lua, "must be %s", problem);
        }
        if (problem != NULL) {
            lua_pushfstring(lua, "option `%s` %s", lua_tostring(lua, 3), problem);
            return raise_plain(lua);
        }
        lua_settop(lua, 3);
    }
    lua_settop(lua, 1);
    return 1;
}

/* --- choosing columns ------------------------------------------------------------------------ */

/* Whether "db.table." or "table." stands before a column's name in the entry; then *out_name is
 * that name. */
static bool names_table(const struct fc_shape *shape, const char *entry, const char **out_name)
{
    size_t db_len = strlen(shape->db);
    size_t table_len = strlen(shape->table);
    if (strncmp(entry, shape->db, db_len) == 0 && entry[db_len] == '.' &&
        strncmp(entry + db_len + 1, shape->table, table_len) == 0 &&
        entry[db_len + 1 + table_len] == '.') {
        *out_name = entry + db_len + table_len + 2;
        return true;
    }
    if (strncmp(entry, shape->table, table_len) == 0 && entry[table_len] == '.') {
        *out_name = entry + table_len + 1;
        return true;
    }
    return false;
}

/* The name of the change's column that the entry means, or NULL. */
static const char *column_meant(lua_State *lua, const struct fc_shape *shape, const char *entry)
{
    const char *name;
    struct fc_suggest suggest;
    char text[FC_SUGGEST_TEXT_SIZE];
    if (fc_shape_column_index(shape, fc_slice_text(entry)) >= 0) {
        return entry;
    }
    if (!names_table(shape, entry, &name)) {
        return NULL;
    }
    if (fc_shape_column_index(shape, fc_slice_text(name)) >= 0) {
        return name;
    }
    fc_suggest_init(&suggest, name);
    for (uint32_t index = 0; index < shape->column_count; index++) {
        fc_suggest_offer(&suggest, shape->columns[index].name);
    }
    luaL_error(lua, "%s.%s has no column `%s`%s", shape->db, shape->table, name,
               fc_suggest_text(&suggest, text));
    return NULL;
}

/* Push the names of the shape's columns that the list at 2 means. */
static void push_selection(lua_State *lua, const struct fc_shape *shape)
{
    lua_Unsigned count = lua_rawlen(lua, 2);
    lua_Integer found = 0;
    lua_newtable(lua);
    for (lua_Unsigned item = 1; item <= count; item++) {
        const char *name;
        if (lua_rawgeti(lua, 2, (lua_Integer)item) != LUA_TSTRING) {
            luaL_argerror(lua, 2, "a list of column names expected");
        }
        name = column_meant(lua, shape, lua_tostring(lua, -1));
        if (name != NULL) {
            lua_pushstring(lua, name);
            lua_rawseti(lua, -3, ++found);
        }
        lua_pop(lua, 1);
    }
}

/*
 * select_columns(change, list) -> names of the change's columns that the list means: "email" in
 * any table, "customers.email" or "shop.customers.email" in one, where it must be. The answer is
 * kept for each list and shape. Upvalue: list -> node -> names, its keys weak.
 */
static int helper_select_columns(lua_State *lua)
{
    const struct fc_script_change *change = fc_script_check_change(lua, 1);
    luaL_checktype(lua, 2, LUA_TTABLE);
    fc_script_check_shape(lua, change);
    lua_settop(lua, 2);
    lua_pushvalue(lua, 2);
    if (lua_rawget(lua, lua_upvalueindex(1)) == LUA_TNIL) {
        lua_pop(lua, 1);
        lua_newtable(lua);
        lua_pushvalue(lua, 2);
        lua_pushvalue(lua, -2);
        lua_rawset(lua, lua_upvalueindex(1));
    }
    if (lua_rawgetp(lua, 3, change->node) == LUA_TNIL) {
        lua_pop(lua, 1);
        push_selection(lua, &change->node->shape);
        lua_pushvalue(lua, -1);
        lua_rawsetp(lua, 3, change->node);
    }
    return 1;
}

void fc_script_open_helpers(lua_State *lua)
{
    lua_pushcfunction(lua, helper_sha256);
    fc_sandbox_set_global(lua, "sha256");
    lua_pushcfunction(lua, helper_hmac_sha256);
    fc_sandbox_set_global(lua, "hmac_sha256");
    lua_pushcfunction(lua, helper_check_options);
    fc_sandbox_set_global(lua, "check_options");
    lua_newtable(lua);
    lua_createtable(lua, 0, 1);
    lua_pushliteral(lua, "k");
    lua_setfield(lua, -2, "__mode");
    lua_setmetatable(lua, -2);
    lua_pushcclosure(lua, helper_select_columns, 1);
    fc_sandbox_set_global(lua, "select_columns");
}
