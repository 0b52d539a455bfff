/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows, source fields and headers as scripts see them.
 *
 * The hot path is one look-up of a column by name: Lua keeps one copy of each short string, so a
 * name that was seen once is found by its address (struct fc_column_names).
 */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/suggest.h"
#include "transforms/engine.h"

const char fc_script_row_key[] = "fc.row";
const char fc_script_source_key[] = "fc.source";
const char fc_script_headers_key[] = "fc.headers";

static const char names_key[] = "fc.names"; /* registry: keeps column names alive */

/* A hash table with open addressing; at most half full. */
struct fc_column_names {
    uint32_t mask;
    struct {
        const char *name; /* Lua's; NULL: free */
        uint32_t index;
    } slots[];
};

/* --- column names -------------------------------------------------------------------------- */

static uint32_t hash_address(const char *name)
{
    return (uint32_t)(((uintptr_t)name >> 3) * 0x9E3779B97F4A7C15U >> 32);
}

static void add_name(struct fc_column_names *names, const char *name, uint32_t index)
{
    uint32_t at = hash_address(name) & names->mask;
    while (names->slots[at].name != NULL) {
        at = (at + 1) & names->mask;
    }
    names->slots[at].name = name;
    names->slots[at].index = index;
}

static void learn_names(lua_State *lua, struct fc_shape_node *node)
{
    uint32_t count = node->shape.column_count;
    uint32_t size = 8;
    struct fc_column_names *names;
    lua_getfield(lua, LUA_REGISTRYINDEX, names_key);
    for (uint32_t index = 0; index < count; index++) { /* may raise; names are not known then */
        lua_pushstring(lua, node->shape.columns[index].name);
        lua_pushboolean(lua, 1);
        lua_rawset(lua, -3);
    }
    while (size < count * 2) {
        size *= 2;
    }
    names = fc_alloc_zeroed(1, sizeof(*names) + size * sizeof(names->slots[0]));
    names->mask = size - 1;
    node->names = names;
    for (uint32_t index = 0; index < count; index++) {
        add_name(names, lua_pushstring(lua, node->shape.columns[index].name), index);
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
}

/* Long names are not unique strings; and a miss must be sure. */
static int64_t find_by_content(lua_State *lua, const struct fc_shape_node *node, int index)
{
    struct fc_slice name;
    name.data = (const uint8_t *)lua_tolstring(lua, index, &name.len);
    return fc_shape_column_index(&node->shape, name);
}

static int64_t find_column(lua_State *lua, struct fc_shape_node *node, int index)
{
    const char *name = lua_tolstring(lua, index, NULL);
    const struct fc_column_names *names = node->names;
    uint32_t at;
    if (names == NULL) {
        learn_names(lua, node);
        names = node->names;
    }
    at = hash_address(name) & names->mask;
    while (names->slots[at].name != NULL) {
        if (names->slots[at].name == name) {
            return names->slots[at].index;
        }
        at = (at + 1) & names->mask;
    }
    return find_by_content(lua, node, index);
}

static void raise_no_column(lua_State *lua, const struct fc_shape *shape, const char *name)
{
    struct fc_suggest suggest;
    char text[FC_SUGGEST_TEXT_SIZE];
    fc_suggest_init(&suggest, name);
    for (uint32_t index = 0; index < shape->column_count; index++) {
        fc_suggest_offer(&suggest, shape->columns[index].name);
    }
    luaL_error(lua, "%s.%s has no column `%s`%s", shape->db, shape->table, name,
               fc_suggest_text(&suggest, text));
}

/* --- parts --------------------------------------------------------------------------------- */

void fc_script_push_new_part(lua_State *lua, struct fc_script_change *change, fc_row row,
                             const char *metatable)
{
    struct fc_script_part *part = lua_newuserdatauv(lua, sizeof(*part), 0);
    part->change = change;
    part->row = row;
    lua_getfield(lua, LUA_REGISTRYINDEX, metatable);
    lua_setmetatable(lua, -2);
}

/* The part that a metamethod was called for: Lua itself passes the right kind of object. */
static struct fc_script_part *live_part(lua_State *lua)
{
    struct fc_script_part *part = lua_touserdata(lua, 1);
    if (part->change->change == NULL) {
        luaL_error(lua, "this change belongs to an earlier call; keep its values instead");
    }
    return part;
}

static struct fc_script_part *live_row(lua_State *lua, const struct fc_value **out_values)
{
    struct fc_script_part *part = live_part(lua);
    *out_values = fc_script_row(part->change, part->row);
    if (*out_values == NULL) {
        luaL_error(lua, "this row belongs to an earlier change");
    }
    return part;
}

/* The column that argument 2 names. */
static uint32_t column_of(lua_State *lua, const struct fc_script_part *part)
{
    int64_t index;
    if (lua_type(lua, 2) != LUA_TSTRING) {
        luaL_error(lua, "a column's name is a string, not a %s", luaL_typename(lua, 2));
    }
    index = find_column(lua, part->change->node, 2);
    if (index < 0) {
        raise_no_column(lua, &part->change->node->shape, lua_tostring(lua, 2));
    }
    return (uint32_t)index;
}

/* --- rows ---------------------------------------------------------------------------------- */

static int row_index(lua_State *lua)
{
    const struct fc_value *values;
    const struct fc_script_part *part = live_row(lua, &values);
    fc_script_push_value(lua, &values[column_of(lua, part)]);
    return 1;
}

static int row_newindex(lua_State *lua)
{
    const struct fc_value *values;
    const struct fc_script_part *part = live_row(lua, &values);
    uint32_t index = column_of(lua, part);
    const struct fc_column *column = &part->change->node->shape.columns[index];
    struct fc_value value;
    if (lua_touserdata(lua, 3) == fc_script_unchanged()) {
        if (values[index].kind != FC_VALUE_UNCHANGED) {
            return luaL_error(lua, "column %s has a value and cannot become `unchanged`",
                              column->name);
        }
        return 0;
    }
    fc_script_take_value(lua, 3, column, &value);
    fc_script_own_row(lua, part->change, part->row)[index] = value;
    return 0;
}

static int row_len(lua_State *lua)
{
    const struct fc_value *values;
    const struct fc_script_part *part = live_row(lua, &values);
    lua_pushinteger(lua, part->change->node->shape.column_count);
    return 1;
}

/* next(row, name): the column after it and its value. Scripts may call it with anything. */
static int row_next(lua_State *lua)
{
    const struct fc_value *values;
    const struct fc_script_part *part;
    uint32_t index = 0;
    if (lua_getmetatable(lua, 1) == 0 ||
        lua_topointer(lua, -1) != fc_engine_of(lua)->row_metatable) {
        return luaL_argerror(lua, 1, "a row expected");
    }
    lua_settop(lua, 2);
    part = live_row(lua, &values);
    if (!lua_isnil(lua, 2)) {
        index = column_of(lua, part) + 1;
    }
    if (index == part->change->node->shape.column_count) {
        lua_pushnil(lua);
        return 1;
    }
    lua_pushstring(lua, part->change->node->shape.columns[index].name);
    fc_script_push_value(lua, &values[index]);
    return 2;
}

static int row_pairs(lua_State *lua)
{
    lua_pushcfunction(lua, row_next);
    lua_pushvalue(lua, 1);
    lua_pushnil(lua);
    return 3;
}

static int row_tostring(lua_State *lua)
{
    const struct fc_value *values;
    const struct fc_script_part *part = live_row(lua, &values);
    lua_pushfstring(lua, "row of %s.%s", part->change->node->shape.db,
                    part->change->node->shape.table);
    return 1;
}

bool fc_script_encode_object(lua_State *lua, int index, struct fc_buf *out)
{
    struct fc_transform_engine *engine = fc_engine_of(lua);
    const struct fc_script_part *part;
    const struct fc_value *values;
    bool is_row = lua_type(lua, index) == LUA_TUSERDATA && lua_getmetatable(lua, index) != 0;
    if (!is_row) {
        return false;
    }
    is_row = lua_topointer(lua, -1) == engine->row_metatable;
    lua_pop(lua, 1);
    if (!is_row) {
        return false;
    }
    part = lua_touserdata(lua, index);
    values = part->change->change == NULL ? NULL : fc_script_row(part->change, part->row);
    if (values == NULL) {
        return luaL_error(lua, "this row belongs to an earlier change") != 0;
    }
    if (engine->encode_row == NULL) {
        return luaL_error(lua, "rows cannot be written as JSON here") != 0;
    }
    engine->encode_row(engine->encode_row_ctx, part->change->change->shape, values, out);
    return true;
}

/* --- source -------------------------------------------------------------------------------- */

static int source_index(lua_State *lua)
{
    const struct fc_script_part *part = live_part(lua);
    const struct fc_transform_engine *engine = part->change->engine;
    const struct fc_value *source = part->change->change->source;
    const char *name = lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "";
    struct fc_suggest suggest;
    char text[FC_SUGGEST_TEXT_SIZE];
    fc_suggest_init(&suggest, name);
    for (uint32_t field = 0; field < engine->chain->source_field_count; field++) {
        if (engine->source_names[field] == name ||
            strcmp(engine->source_names[field], name) == 0) {
            if (source == NULL) {
                lua_pushnil(lua);
            } else {
                fc_script_push_value(lua, &source[field]);
            }
            return 1;
        }
    }
    for (uint32_t field = 0; field < engine->chain->source_field_count; field++) {
        fc_suggest_offer(&suggest, engine->source_names[field]);
    }
    return luaL_error(lua, "change.source has no field `%s`%s", name,
                      fc_suggest_text(&suggest, text));
}

static int refuse_write(lua_State *lua)
{
    return luaL_error(lua, "change.source cannot be written");
}

/* --- headers ------------------------------------------------------------------------------- */

/* The header that argument 2 names, or NULL. */
static struct fc_header_text *find_header(lua_State *lua, const struct fc_script_change *change,
                                          struct fc_slice *out_name)
{
    out_name->data = (const uint8_t *)luaL_checklstring(lua, 2, &out_name->len);
    fc_assert(out_name->data != NULL);
    for (uint32_t index = 0; index < change->header_count; index++) {
        if (fc_slice_equal(change->headers[index].key, *out_name)) {
            return &change->headers[index];
        }
    }
    return NULL;
}

static int headers_index(lua_State *lua)
{
    struct fc_slice name;
    const struct fc_header_text *header = find_header(lua, live_part(lua)->change, &name);
    if (header == NULL) {
        lua_pushnil(lua);
    } else {
        lua_pushlstring(lua, (const char *)header->value.data, header->value.len);
    }
    return 1;
}

static void check_header_name(lua_State *lua, struct fc_slice name)
{
    if (name.len == 0 || name.len > 255 || memchr(name.data, '\0', name.len) != NULL) {
        luaL_error(lua, "a header's name has 1 to 255 bytes");
    }
    /* "fc" and "fc.*" are how the log knows its own records. */
    if (name.len >= 2 && memcmp(name.data, "fc", 2) == 0 &&
        (name.len == 2 || name.data[2] == '.')) {
        luaL_error(lua, "header names `fc` and `fc.*` are reserved");
    }
}

static int headers_newindex(lua_State *lua)
{
    struct fc_script_change *change = live_part(lua)->change;
    struct fc_slice name;
    struct fc_header_text *header = find_header(lua, change, &name);
    size_t len;
    const char *text;
    check_header_name(lua, name);
    if (lua_isnil(lua, 3)) {
        if (header != NULL) {
            *header = change->headers[--change->header_count];
        }
        return 0;
    }
    if (lua_type(lua, 3) != LUA_TSTRING) {
        return luaL_error(lua, "a header's value is a string, not a %s", luaL_typename(lua, 3));
    }
    text = lua_tolstring(lua, 3, &len);
    if (header == NULL && change->header_count == FC_SCRIPT_HEADERS_MAX) {
        return luaL_error(lua, "more than %d headers", FC_SCRIPT_HEADERS_MAX);
    }
    if (change->headers == NULL) {
        change->headers =
            fc_script_alloc(lua, FC_SCRIPT_HEADERS_MAX * sizeof(*change->headers));
    }
    if (header == NULL) {
        struct fc_header_text fresh;
        fresh.key = fc_script_copy(lua, (const char *)name.data, name.len);
        fresh.value = fc_script_copy(lua, text, len);
        change->headers[change->header_count++] = fresh;
    } else {
        header->value = fc_script_copy(lua, text, len);
    }
    return 0;
}

/* --- set-up -------------------------------------------------------------------------------- */

static void set_metatable(lua_State *lua, const char *key, const luaL_Reg *methods)
{
    lua_createtable(lua, 0, 8);
    luaL_setfuncs(lua, methods, 0);
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    lua_setfield(lua, LUA_REGISTRYINDEX, key);
}

void fc_script_open_rows(lua_State *lua)
{
    static const luaL_Reg row_methods[] = {
        { "__index", row_index }, { "__newindex", row_newindex }, { "__len", row_len },
        { "__pairs", row_pairs }, { "__tostring", row_tostring }, { NULL, NULL },
    };
    static const luaL_Reg source_methods[] = {
        { "__index", source_index },
        { "__newindex", refuse_write },
        { NULL, NULL },
    };
    static const luaL_Reg headers_methods[] = {
        { "__index", headers_index },
        { "__newindex", headers_newindex },
        { NULL, NULL },
    };
    lua_newtable(lua);
    lua_setfield(lua, LUA_REGISTRYINDEX, names_key);
    set_metatable(lua, fc_script_row_key, row_methods);
    set_metatable(lua, fc_script_source_key, source_methods);
    set_metatable(lua, fc_script_headers_key, headers_methods);
    lua_getfield(lua, LUA_REGISTRYINDEX, fc_script_row_key);
    fc_engine_of(lua)->row_metatable = lua_topointer(lua, -1);
    lua_pop(lua, 1);
}
