/* SPDX-License-Identifier: Apache-2.0 */
/* The change as scripts see it: its fields, copy(), and what writing to it does. */
#include "core/base/suggest.h"
#include "transforms/engine.h"

enum { TOPIC_NAME_MAX = 249 /* Kafka's limit */ };

static const char change_key[] = "fc.change";

/* In the order of fc_script_field. */
static const char *const field_names[FC_FIELD_COUNT] = {
    "after", "before", "op",  "table", "db",        "source",  "tx",
    "ts",    "topic",  "key", "value", "tombstone", "headers", "ddl",
};

/* --- memory -------------------------------------------------------------------------------- */

void *fc_script_alloc(lua_State *lua, size_t size)
{
    struct fc_arena *arena = fc_engine_of(lua)->arena;
    bool had_failed = arena->failed;
    void *piece = fc_arena_alloc(arena, size);
    if (piece == NULL) {
        arena->failed = had_failed; /* this change fails, the batch may go on */
        luaL_error(lua, "the change needs more than %I bytes", (LUAI_UACINT)arena->limit);
    }
    return piece;
}

struct fc_slice fc_script_copy(lua_State *lua, const char *text, size_t len)
{
    void *copy;
    if (len == 0) {
        return fc_slice_of("", 0);
    }
    copy = fc_script_alloc(lua, len);
    memcpy(copy, text, len);
    return fc_slice_of(copy, len);
}

const struct fc_value *fc_script_row(const struct fc_script_change *change, fc_row row)
{
    return row == FC_ROW_AFTER ? change->change->after : change->change->before;
}

struct fc_change *fc_script_own_change(lua_State *lua, struct fc_script_change *change)
{
    if (change->own == NULL) {
        struct fc_change *own = fc_script_alloc(lua, sizeof(*own));
        *own = *change->change;
        change->own = own;
        change->change = own;
    }
    return change->own;
}

struct fc_value *fc_script_own_row(lua_State *lua, struct fc_script_change *change, fc_row row)
{
    struct fc_change *own = fc_script_own_change(lua, change);
    struct fc_value **values = row == FC_ROW_AFTER ? &own->after : &own->before;
    if (!change->row_owned[row]) {
        size_t size = own->shape->column_count * sizeof(**values);
        struct fc_value *copy = fc_script_alloc(lua, size);
        memcpy(copy, *values, size);
        *values = copy;
        change->row_owned[row] = true;
    }
    return *values;
}

/* --- slots --------------------------------------------------------------------------------- */

static struct fc_script_change *live_change(lua_State *lua, int index)
{
    struct fc_script_change *change = lua_touserdata(lua, index);
    if (change->change == NULL) {
        luaL_error(lua, "this change belongs to an earlier call; keep its values instead");
    }
    return change;
}

struct fc_script_change *fc_script_check_change(lua_State *lua, int index)
{
    bool is_change = lua_type(lua, index) == LUA_TUSERDATA && lua_getmetatable(lua, index) != 0;
    if (!is_change || lua_topointer(lua, -1) != fc_engine_of(lua)->change_metatable) {
        luaL_argerror(lua, index, "a change expected");
    }
    lua_pop(lua, 1);
    return live_change(lua, index);
}

void fc_script_check_shape(lua_State *lua, const struct fc_script_change *change)
{
    if (change->node == NULL) {
        luaL_error(lua, "this change has no columns");
    }
}

void fc_script_push_new_slot(lua_State *lua)
{
    struct fc_transform_engine *engine = fc_engine_of(lua);
    struct fc_script_change *slot = lua_newuserdatauv(lua, sizeof(*slot), FC_SCRIPT_PARTS);
    memset(slot, 0, sizeof(*slot));
    slot->engine = engine;
    fc_script_push_new_part(lua, slot, FC_ROW_BEFORE, fc_script_row_key);
    lua_setiuservalue(lua, -2, 1);
    fc_script_push_new_part(lua, slot, FC_ROW_AFTER, fc_script_row_key);
    lua_setiuservalue(lua, -2, 2);
    fc_script_push_new_part(lua, slot, FC_ROW_AFTER, fc_script_source_key);
    lua_setiuservalue(lua, -2, 3);
    fc_script_push_new_part(lua, slot, FC_ROW_AFTER, fc_script_headers_key);
    lua_setiuservalue(lua, -2, 4);
    lua_getfield(lua, LUA_REGISTRYINDEX, change_key);
    lua_setmetatable(lua, -2);
    fc_engine_add_slot(lua, slot);
}

static struct fc_value *copy_row(lua_State *lua, const struct fc_value *row, size_t count)
{
    struct fc_value *copy = fc_script_alloc(lua, count * sizeof(*row));
    memcpy(copy, row, count * sizeof(*row));
    return copy;
}

/* change:copy() */
static int change_copy(lua_State *lua)
{
    const struct fc_script_change *from = fc_script_check_change(lua, 1);
    struct fc_change *own = fc_script_alloc(lua, sizeof(*own));
    struct fc_header_text *headers = NULL;
    struct fc_script_change *to;
    *own = *from->change;
    if (from->row_owned[FC_ROW_BEFORE]) {
        own->before = copy_row(lua, own->before, own->shape->column_count);
    }
    if (from->row_owned[FC_ROW_AFTER]) {
        own->after = copy_row(lua, own->after, own->shape->column_count);
    }
    if (from->headers != NULL) {
        headers = fc_script_alloc(lua, FC_SCRIPT_HEADERS_MAX * sizeof(*headers));
        memcpy(headers, from->headers, from->header_count * sizeof(*headers));
    }
    to = fc_engine_push_free_slot(lua);
    to->change = own;
    to->own = own;
    to->node = from->node;
    to->row_owned[FC_ROW_BEFORE] = from->row_owned[FC_ROW_BEFORE];
    to->row_owned[FC_ROW_AFTER] = from->row_owned[FC_ROW_AFTER];
    to->tombstone = from->tombstone;
    to->topic = from->topic;
    to->key = from->key;
    to->value = from->value;
    to->headers = headers;
    to->header_count = from->header_count;
    return 1;
}

/* --- reading ------------------------------------------------------------------------------- */

static int push_slice_or_nil(lua_State *lua, struct fc_slice text)
{
    if (fc_slice_is_null(text)) {
        lua_pushnil(lua);
    } else {
        lua_pushlstring(lua, (const char *)text.data, text.len);
    }
    return 1;
}

static int push_row(lua_State *lua, const struct fc_value *values, int part)
{
    if (values == NULL) {
        lua_pushnil(lua);
    } else {
        (void)lua_getiuservalue(lua, 1, part);
    }
    return 1;
}

static int push_name(lua_State *lua, const struct fc_shape *shape, const char *of_shape,
                     struct fc_slice otherwise)
{
    if (shape == NULL) {
        return push_slice_or_nil(lua, otherwise);
    }
    lua_pushstring(lua, of_shape);
    return 1;
}

static int push_field(lua_State *lua, const struct fc_script_change *slot, int field)
{
    const struct fc_change *change = slot->change;
    char op = (char)change->op;
    switch ((fc_script_field)field) {
    case FC_FIELD_AFTER:
        return push_row(lua, change->after, 2);
    case FC_FIELD_BEFORE:
        return push_row(lua, change->before, 1);
    case FC_FIELD_OP:
        lua_pushlstring(lua, &op, 1);
        return 1;
    case FC_FIELD_TABLE:
        return push_name(lua, change->shape, change->shape ? change->shape->table : NULL,
                         change->table);
    case FC_FIELD_DB:
        return push_name(lua, change->shape, change->shape ? change->shape->db : NULL,
                         change->db);
    case FC_FIELD_SOURCE:
        return lua_getiuservalue(lua, 1, 3) == LUA_TUSERDATA;
    case FC_FIELD_TX:
        return push_slice_or_nil(lua, change->tx == NULL ? fc_slice_null() : change->tx->id);
    case FC_FIELD_TS:
        lua_pushinteger(lua, (change->tx != NULL && change->tx->commit_us != 0
                                  ? change->tx->commit_us
                                  : change->ts_us) /
                                 1000);
        return 1;
    case FC_FIELD_TOPIC:
        return push_slice_or_nil(lua, slot->topic);
    case FC_FIELD_KEY:
        return push_slice_or_nil(lua, slot->key);
    case FC_FIELD_VALUE:
        return push_slice_or_nil(lua, slot->value);
    case FC_FIELD_TOMBSTONE:
        lua_pushboolean(lua, slot->tombstone);
        return 1;
    case FC_FIELD_HEADERS:
        return lua_getiuservalue(lua, 1, 4) == LUA_TUSERDATA;
    case FC_FIELD_DDL:
        return push_slice_or_nil(lua, change->ddl == NULL ? fc_slice_null()
                                                          : change->ddl->statement);
    case FC_FIELD_COUNT:
        break;
    }
    return 0;
}

/* The field that argument 2 names, or FC_FIELD_COUNT. */
static int find_field(lua_State *lua, const struct fc_transform_engine *engine)
{
    const char *name = lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : NULL;
    int field = 0;
    while (field < FC_FIELD_COUNT && engine->field_names[field] != name) {
        field++;
    }
    return field;
}

static int raise_no_field(lua_State *lua)
{
    static const char *const methods[] = { "copy",       "column",        "drop_column",
                                           "add_column", "rename_column", "convert_column" };
    const char *name = lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "";
    struct fc_suggest suggest;
    char text[FC_SUGGEST_TEXT_SIZE];
    fc_suggest_init(&suggest, name);
    for (int field = 0; field < FC_FIELD_COUNT; field++) {
        fc_suggest_offer(&suggest, field_names[field]);
    }
    for (size_t method = 0; method < sizeof(methods) / sizeof(methods[0]); method++) {
        fc_suggest_offer(&suggest, methods[method]);
    }
    return luaL_error(lua, "a change has no field `%s`%s", name,
                      fc_suggest_text(&suggest, text));
}

/* Upvalue 1: the methods. */
static int change_index(lua_State *lua)
{
    const struct fc_script_change *change = live_change(lua, 1);
    int field = find_field(lua, change->engine);
    if (field < FC_FIELD_COUNT) {
        return push_field(lua, change, field);
    }
    lua_pushvalue(lua, 2);
    return lua_rawget(lua, lua_upvalueindex(1)) == LUA_TNIL ? raise_no_field(lua) : 1;
}

/* --- writing ------------------------------------------------------------------------------- */

static void check_topic(lua_State *lua, struct fc_slice name)
{
    static const char reserved[] = "_fluvio."; /* checkpoints, schemas */
    bool good = name.len > 0 && name.len <= TOPIC_NAME_MAX && !fc_slice_equal_text(name, ".") &&
                !fc_slice_equal_text(name, "..");
    for (size_t index = 0; good && index < name.len; index++) {
        uint8_t c = name.data[index];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    }
    if (good && name.len >= sizeof(reserved) - 1 &&
        memcmp(name.data, reserved, sizeof(reserved) - 1) == 0) {
        luaL_error(lua, "topics that begin with `%s` are the runner's own", reserved);
    }
    if (!good) {
        luaL_error(lua, "a topic's name has 1 to %d of the characters a-z A-Z 0-9 . _ -",
                   TOPIC_NAME_MAX);
    }
}

/* The string at argument 3 in the arena, or the null slice for nil. */
static struct fc_slice take_slice(lua_State *lua, const char *field)
{
    size_t len;
    const char *text;
    if (lua_isnil(lua, 3)) {
        return fc_slice_null();
    }
    if (lua_type(lua, 3) != LUA_TSTRING) {
        luaL_error(lua, "change.%s is a string, not a %s", field, luaL_typename(lua, 3));
    }
    text = lua_tolstring(lua, 3, &len);
    return fc_script_copy(lua, text, len);
}

static void set_shape_name(lua_State *lua, struct fc_script_change *change, int field)
{
    struct fc_shape_edit edit;
    memset(&edit, 0, sizeof(edit));
    edit.kind = FC_EDIT_TABLE;
    edit.column = change->node->shape.db;
    edit.to = change->node->shape.table;
    if (field == FC_FIELD_DB) {
        edit.column = lua_tostring(lua, 3);
    } else {
        edit.to = lua_tostring(lua, 3);
    }
    fc_script_edit_shape(lua, change, &edit);
}

static void set_table_or_db(lua_State *lua, struct fc_script_change *change, int field)
{
    struct fc_slice name = take_slice(lua, field_names[field]);
    struct fc_change *own;
    if (fc_slice_is_null(name) || name.len == 0 || name.len > 255 ||
        memchr(name.data, '\0', name.len) != NULL) {
        luaL_error(lua, "change.%s is a name of 1 to 255 bytes", field_names[field]);
    }
    if (change->change->op == FC_OP_DDL) {
        luaL_error(lua, "change.%s of a statement cannot be written", field_names[field]);
    }
    if (change->node != NULL) {
        set_shape_name(lua, change, field);
    }
    own = fc_script_own_change(lua, change);
    if (change->change->op == FC_OP_TRUNCATE) {
        *(field == FC_FIELD_DB ? &own->db : &own->table) = name;
    }
}

static void set_value(lua_State *lua, struct fc_script_change *change)
{
    struct fc_slice value = take_slice(lua, "value");
    change->value = value;
    if (!fc_slice_is_null(value)) {
        change->tombstone = false;
    }
}

static void set_tombstone(lua_State *lua, struct fc_script_change *change)
{
    if (!lua_isboolean(lua, 3)) {
        luaL_error(lua, "change.tombstone is true or false, not a %s", luaL_typename(lua, 3));
    }
    change->tombstone = lua_toboolean(lua, 3) != 0;
    if (change->tombstone) {
        change->value = fc_slice_null();
    }
}

static int change_newindex(lua_State *lua)
{
    struct fc_script_change *change = live_change(lua, 1);
    int field = find_field(lua, change->engine);
    struct fc_slice topic;
    switch ((fc_script_field)field) {
    case FC_FIELD_TOPIC:
        topic = take_slice(lua, "topic");
        if (!fc_slice_is_null(topic)) {
            check_topic(lua, topic);
        }
        change->topic = topic;
        return 0;
    case FC_FIELD_KEY:
        change->key = take_slice(lua, "key");
        return 0;
    case FC_FIELD_VALUE:
        set_value(lua, change);
        return 0;
    case FC_FIELD_TOMBSTONE:
        set_tombstone(lua, change);
        return 0;
    case FC_FIELD_TABLE:
    case FC_FIELD_DB:
        set_table_or_db(lua, change, field);
        return 0;
    case FC_FIELD_AFTER:
    case FC_FIELD_BEFORE:
        return luaL_error(lua, "change.%s cannot be replaced; write to its columns",
                          field_names[field]);
    case FC_FIELD_OP:
    case FC_FIELD_SOURCE:
    case FC_FIELD_TX:
    case FC_FIELD_TS:
    case FC_FIELD_HEADERS:
    case FC_FIELD_DDL:
        return luaL_error(lua, "change.%s cannot be written", field_names[field]);
    case FC_FIELD_COUNT:
        break;
    }
    return raise_no_field(lua);
}

static int change_tostring(lua_State *lua)
{
    const struct fc_script_change *change = live_change(lua, 1);
    const struct fc_shape *shape = change->change->shape;
    lua_pushfstring(lua, "change %c %s.%s", (int)change->change->op,
                    shape == NULL ? "" : shape->db, shape == NULL ? "" : shape->table);
    return 1;
}

/* --- set-up -------------------------------------------------------------------------------- */

static const luaL_Reg methods[] = { { "copy", change_copy }, { NULL, NULL } };

void fc_script_open_changes(lua_State *lua)
{
    struct fc_transform_engine *engine = fc_engine_of(lua);
    lua_createtable(lua, 0, 8);
    engine->change_metatable = lua_topointer(lua, -1);
    lua_createtable(lua, 0, 8);
    luaL_setfuncs(lua, methods, 0);
    fc_script_add_column_methods(lua);
    lua_pushcclosure(lua, change_index, 1);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, change_newindex);
    lua_setfield(lua, -2, "__newindex");
    lua_pushcfunction(lua, change_tostring);
    lua_setfield(lua, -2, "__tostring");
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    for (int field = 0; field < FC_FIELD_COUNT; field++) { /* the metatable keeps them alive */
        engine->field_names[field] = lua_pushstring(lua, field_names[field]);
        lua_rawseti(lua, -2, field + 1);
    }
    lua_setfield(lua, LUA_REGISTRYINDEX, change_key);
}
