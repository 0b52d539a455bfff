/* SPDX-License-Identifier: Apache-2.0 */
/*
 * change:column, drop_column, rename_column, add_column, convert_column.
 *
 * New rows are made in full before shape and rows of the change are exchanged, so a script that
 * fails half-way, and catches it, leaves a change whose rows fit its shape.
 */
#include "core/base/format.h"
#include "transforms/engine.h"

static struct fc_shape_node *derive(lua_State *lua, const struct fc_script_change *change,
                                    const struct fc_shape_edit *edit)
{
    struct fc_error err;
    struct fc_shape_node *node = NULL;
    if (fc_shape_store_edit(&change->engine->shapes, change->node, edit, &node, &err) !=
        FC_OK) {
        luaL_error(lua, "%s", err.message);
    }
    return node;
}

/* rows: the new ones, or NULL where the old ones stay. */
static void exchange(lua_State *lua, struct fc_script_change *change,
                     struct fc_shape_node *node, struct fc_value *const rows[FC_ROW_COUNT])
{
    struct fc_change *own = fc_script_own_change(lua, change);
    if (node != change->node) {
        own->shape = &node->shape;
        change->node = node;
    }
    if (rows[FC_ROW_BEFORE] != NULL) {
        own->before = rows[FC_ROW_BEFORE];
        change->row_owned[FC_ROW_BEFORE] = true;
    }
    if (rows[FC_ROW_AFTER] != NULL) {
        own->after = rows[FC_ROW_AFTER];
        change->row_owned[FC_ROW_AFTER] = true;
    }
}

void fc_script_edit_shape(lua_State *lua, struct fc_script_change *change,
                          const struct fc_shape_edit *edit)
{
    static struct fc_value *const as_they_are[FC_ROW_COUNT] = { NULL, NULL };
    struct fc_shape_node *node = derive(lua, change, edit);
    if (node != change->node) {
        exchange(lua, change, node, as_they_are);
    }
}

/* change:column(name) -> type word, native type, length, place in the key; nil when there is none.
 */
static int column_info(lua_State *lua)
{
    const struct fc_script_change *change = fc_script_check_change(lua, 1);
    struct fc_slice name;
    const struct fc_column *column;
    int64_t index;
    name.data = (const uint8_t *)luaL_checklstring(lua, 2, &name.len);
    index = change->node == NULL ? -1 : fc_shape_column_index(&change->node->shape, name);
    if (index < 0) {
        lua_pushnil(lua);
        return 1;
    }
    column = &change->node->shape.columns[index];
    lua_pushstring(lua, fc_type_word(column->type));
    lua_pushstring(lua, column->native_type);
    lua_pushinteger(lua, column->length);
    lua_pushinteger(lua, column->key_index);
    return 4;
}

/* A name without NUL bytes. */
static const char *check_name(lua_State *lua, int index)
{
    size_t len;
    const char *name = luaL_checklstring(lua, index, &len);
    if (strlen(name) != len) {
        luaL_argerror(lua, index, "a column name has no NUL bytes");
    }
    return name;
}

static struct fc_script_change *check_edited(lua_State *lua, struct fc_shape_edit *edit,
                                             fc_edit_kind kind)
{
    struct fc_script_change *change = fc_script_check_change(lua, 1);
    fc_script_check_shape(lua, change);
    memset(edit, 0, sizeof(*edit));
    edit->kind = kind;
    edit->column = check_name(lua, 2);
    return change;
}

static int drop_column(lua_State *lua)
{
    struct fc_shape_edit edit;
    struct fc_script_change *change = check_edited(lua, &edit, FC_EDIT_DROP);
    const struct fc_shape *shape = &change->node->shape;
    struct fc_value *rows[FC_ROW_COUNT] = { NULL, NULL };
    struct fc_shape_node *node;
    size_t at;
    edit.key_is_set = !fc_slice_is_null(change->key);
    node = derive(lua, change, &edit);
    at = (size_t)fc_shape_column_index(shape, fc_slice_text(edit.column));
    for (int row = 0; row < FC_ROW_COUNT; row++) {
        const struct fc_value *old = fc_script_row(change, (fc_row)row);
        size_t left = shape->column_count - 1;
        if (old == NULL) {
            continue;
        }
        rows[row] = fc_script_alloc(lua, left * sizeof(*old));
        memcpy(rows[row], old, at * sizeof(*old));
        memcpy(rows[row] + at, old + at + 1, (left - at) * sizeof(*old));
    }
    exchange(lua, change, node, rows);
    return 0;
}

static int rename_column(lua_State *lua)
{
    struct fc_shape_edit edit;
    struct fc_script_change *change = check_edited(lua, &edit, FC_EDIT_RENAME);
    edit.to = check_name(lua, 3);
    fc_script_edit_shape(lua, change, &edit);
    return 0;
}

static void check_spec(lua_State *lua, int index, struct fc_column_spec *spec)
{
    if (!fc_column_spec_parse(luaL_checkstring(lua, index), spec)) {
        luaL_argerror(lua, index,
                      "a type expected: int, double, decimal(p,s), text, bytes, json, date, "
                      "time, datetime or timestamp");
    }
}

/* change:add_column(name, type, value): value stands in every row there is; nil: NULL. */
static int add_column(lua_State *lua)
{
    struct fc_shape_edit edit;
    struct fc_column_spec spec;
    struct fc_script_change *change = check_edited(lua, &edit, FC_EDIT_ADD);
    uint32_t count = change->node->shape.column_count;
    struct fc_value *rows[FC_ROW_COUNT] = { NULL, NULL };
    struct fc_shape_node *node;
    struct fc_value value;
    check_spec(lua, 3, &spec);
    edit.spec = &spec;
    node = derive(lua, change, &edit);
    lua_settop(lua, 4);
    fc_script_take_value(lua, 4, &node->shape.columns[count], &value);
    for (int row = 0; row < FC_ROW_COUNT; row++) {
        const struct fc_value *old = fc_script_row(change, (fc_row)row);
        if (old != NULL) {
            rows[row] = fc_script_alloc(lua, (count + 1) * sizeof(*old));
            memcpy(rows[row], old, count * sizeof(*old));
            rows[row][count] = value;
        }
    }
    exchange(lua, change, node, rows);
    return 0;
}

/* --- conversion ---------------------------------------------------------------------------- */

/* Turn the Lua value on top into what a column of the new type takes: numbers to text and back. */
static void convert_top(lua_State *lua, const struct fc_column *to)
{
    bool wants_number = to->type == FC_TYPE_INT || to->type == FC_TYPE_DOUBLE;
    if (to->type == FC_TYPE_TEXT && lua_type(lua, -1) == LUA_TNUMBER) {
        if (lua_isinteger(lua, -1) != 0) {
            (void)lua_tostring(lua, -1);
        } else {
            char digits[FC_FORMAT_DOUBLE_SIZE];
            size_t len = fc_format_double(digits, lua_tonumber(lua, -1));
            lua_pushlstring(lua, digits, len);
            lua_replace(lua, -2);
        }
    } else if (wants_number && lua_type(lua, -1) == LUA_TSTRING) {
        if (lua_stringtonumber(lua, lua_tostring(lua, -1)) == 0) {
            luaL_error(lua, "column %s: the text is not a number", to->name);
        }
        lua_replace(lua, -2);
    }
}

/* The converted value; arguments: change, name, type, function or nil. */
static void convert_value(lua_State *lua, const struct fc_value *old,
                          const struct fc_column *to, struct fc_value *out)
{
    if (old->kind == FC_VALUE_NULL || old->kind == FC_VALUE_UNCHANGED) {
        *out = *old;
        return;
    }
    if (lua_isnil(lua, 4)) {
        fc_script_push_value(lua, old);
        convert_top(lua, to);
    } else {
        lua_pushvalue(lua, 4);
        fc_script_push_value(lua, old);
        lua_call(lua, 1, 1);
    }
    fc_script_take_value(lua, -1, to, out);
    lua_pop(lua, 1);
}

/* change:convert_column(name, type, function): the column gets the type, each of its values that
 * is not NULL what the function makes of it. */
static int convert_column(lua_State *lua)
{
    struct fc_shape_edit edit;
    struct fc_column_spec spec;
    struct fc_script_change *change = check_edited(lua, &edit, FC_EDIT_CONVERT);
    uint32_t count = change->node->shape.column_count;
    struct fc_value *rows[FC_ROW_COUNT] = { NULL, NULL };
    struct fc_shape_node *node;
    size_t at;
    check_spec(lua, 3, &spec);
    edit.spec = &spec;
    if (!lua_isnoneornil(lua, 4)) {
        luaL_checktype(lua, 4, LUA_TFUNCTION);
    }
    lua_settop(lua, 4);
    node = derive(lua, change, &edit);
    at = (size_t)fc_shape_column_index(&node->shape, fc_slice_text(edit.column));
    for (int row = 0; row < FC_ROW_COUNT; row++) {
        const struct fc_value *old = fc_script_row(change, (fc_row)row);
        if (old != NULL) {
            rows[row] = fc_script_alloc(lua, count * sizeof(*old));
            memcpy(rows[row], old, count * sizeof(*old));
        }
    }
    /* From here on the function may do anything to the change; the rows copied above stay. */
    for (int row = 0; row < FC_ROW_COUNT; row++) {
        if (rows[row] != NULL) {
            struct fc_value old = rows[row][at];
            convert_value(lua, &old, &node->shape.columns[at], &rows[row][at]);
        }
    }
    exchange(lua, change, node, rows);
    return 0;
}

void fc_script_add_column_methods(lua_State *lua)
{
    static const luaL_Reg methods[] = {
        { "column", column_info },
        { "drop_column", drop_column },
        { "rename_column", rename_column },
        { "add_column", add_column },
        { "convert_column", convert_column },
        { NULL, NULL },
    };
    luaL_setfuncs(lua, methods, 0);
}
