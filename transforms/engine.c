/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life of an engine: its Lua state, with the chain's scripts loaded.
 *
 * The Lua stack holds for the state's life: the table that keeps the slots, slot 0, then each
 * step's functions and options. A call pushes on top of these and leaves them as they are.
 */
#include "transforms/engine.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "transforms/library_json.h"

enum { STACK_SPARE = 32 };

static const char slots_key[] = "fc.slots";
static const char source_names_key[] = "fc.source_names";

/* --- slots --------------------------------------------------------------------------------- */

void fc_engine_add_slot(lua_State *lua, struct fc_script_change *slot)
{
    struct fc_transform_engine *engine = fc_engine_of(lua);
    slot->number = engine->slot_count;
    lua_getfield(lua, LUA_REGISTRYINDEX, slots_key);
    lua_pushvalue(lua, -2);
    lua_rawseti(lua, -2, (lua_Integer)slot->number + 1);
    lua_pop(lua, 1);
    if (engine->slot_count == engine->slot_capacity) {
        engine->slot_capacity = engine->slot_capacity == 0 ? 8 : engine->slot_capacity * 2;
        engine->slots = fc_realloc_array(engine->slots, engine->slot_capacity,
                                         sizeof(struct fc_script_change *));
    }
    engine->slots[engine->slot_count++] = slot;
}

struct fc_script_change *fc_engine_push_free_slot(lua_State *lua)
{
    struct fc_transform_engine *engine = fc_engine_of(lua);
    if (engine->slots_used > FC_SCRIPT_COPIES_MAX) {
        luaL_error(lua, "more than %d copies of one change", FC_SCRIPT_COPIES_MAX);
    }
    if (engine->slots_used == engine->slot_count) {
        fc_script_push_new_slot(lua);
    } else {
        lua_getfield(lua, LUA_REGISTRYINDEX, slots_key);
        lua_rawgeti(lua, -1, (lua_Integer)engine->slots_used + 1);
        lua_remove(lua, -2);
    }
    return fc_engine_use_slot(engine);
}

struct fc_script_change *fc_engine_use_slot(struct fc_transform_engine *engine)
{
    struct fc_script_change *slot = engine->slots[engine->slots_used];
    uint32_t number = slot->number;
    memset(slot, 0, sizeof(*slot));
    slot->engine = engine;
    slot->number = number;
    engine->slots_used++;
    return slot;
}

/* --- the Lua state -------------------------------------------------------------------------- */

/* Names as Lua's own strings, kept alive by a table in the registry. */
static void learn_source_names(lua_State *lua, struct fc_transform_engine *engine)
{
    lua_newtable(lua);
    for (uint32_t field = 0; field < engine->chain->source_field_count; field++) {
        engine->source_names[field] = lua_pushstring(lua, engine->chain->source_fields[field]);
        lua_rawseti(lua, -2, (lua_Integer)field + 1);
    }
    lua_setfield(lua, LUA_REGISTRYINDEX, source_names_key);
}

static int light_tostring(lua_State *lua)
{
    lua_pushstring(lua, lua_touserdata(lua, 1) == fc_script_unchanged() ? "unchanged" : "null");
    return 1;
}

/* `unchanged` and json.null share the metatable of all light userdata. */
static void open_marks(lua_State *lua)
{
    lua_pushlightuserdata(lua, fc_script_unchanged());
    lua_createtable(lua, 0, 2);
    lua_pushcfunction(lua, light_tostring);
    lua_setfield(lua, -2, "__tostring");
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    lua_setmetatable(lua, -2);
    fc_sandbox_set_global(lua, "unchanged");
}

/* Returns the table of slots and slot 0. */
static int open_state(lua_State *lua)
{
    struct fc_transform_engine *engine = fc_engine_of(lua);
    learn_source_names(lua, engine);
    open_marks(lua);
    fc_script_open_rows(lua);
    fc_script_open_changes(lua);
    fc_script_open_helpers(lua);
    lua_newtable(lua);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, LUA_REGISTRYINDEX, slots_key);
    fc_script_push_new_slot(lua);
    return 2;
}

/* Push the function of that name, or nil. */
static void push_function(lua_State *lua, int globals, const char *name)
{
    lua_pushstring(lua, name);
    if (lua_rawget(lua, globals) != LUA_TFUNCTION && !lua_isnil(lua, -1)) {
        luaL_error(lua, "`%s` is a %s, not a function", name, luaL_typename(lua, -1));
    }
}

/* Compile and run one script; returns transform, transform_ddl and options. */
static int load_script(lua_State *lua)
{
    const struct fc_transform_script *script = lua_touserdata(lua, 1);
    const char *chunk = lua_pushfstring(lua, "@%s", script->label);
    int globals;
    lua_newtable(lua);
    if (script->options_json != NULL) {
        lua_pop(lua, 1);
        fc_script_push_json(lua, fc_slice_text(script->options_json), false);
        if (!lua_istable(lua, -1)) {
            return luaL_error(lua, "its options are not a JSON object");
        }
    }
    if (luaL_loadbufferx(lua, script->text, script->text_len, chunk, "t") != LUA_OK) {
        return lua_error(lua);
    }
    fc_sandbox_push_globals(lua);
    globals = lua_gettop(lua);
    lua_pushvalue(lua, globals - 2);
    lua_setfield(lua, globals, "options");
    lua_pushvalue(lua, globals);
    (void)lua_setupvalue(lua, globals - 1, 1); /* _ENV, which every chunk has */
    lua_pushvalue(lua, globals - 1);
    lua_call(lua, 0, 0);
    push_function(lua, globals, "transform");
    push_function(lua, globals, "transform_ddl");
    if (lua_isnil(lua, -1) && lua_isnil(lua, -2)) {
        return luaL_error(lua, "%s does not define a function transform(change, options)",
                          script->label);
    }
    lua_pushvalue(lua, globals - 2);
    return 3;
}

static fc_code load_step(struct fc_transform_engine *engine, uint32_t index,
                         struct fc_error *err)
{
    lua_State *lua = engine->sandbox.lua;
    struct fc_transform_script *script = &engine->chain->scripts[index];
    struct fc_script_step *step = &engine->steps[index];
    int top = lua_gettop(lua);
    int status;
    lua_Debug frame;
    lua_pushcfunction(lua, load_script);
    lua_pushlightuserdata(lua, script);
    fc_sandbox_begin_call(&engine->sandbox);
    status = lua_pcall(lua, 1, 3, 0);
    if (status != LUA_OK) {
        (void)fc_sandbox_take_error(&engine->sandbox, status, script->label, 0, err);
        err->code = FC_ERR_CONFIG;
        return FC_ERR_CONFIG;
    }
    step->transform = lua_isnil(lua, top + 1) ? 0 : top + 1;
    step->transform_ddl = lua_isnil(lua, top + 2) ? 0 : top + 2;
    step->options = top + 3;
    lua_pushvalue(lua, step->transform != 0 ? step->transform : step->transform_ddl);
    step->line = lua_getinfo(lua, ">S", &frame) != 0 ? frame.linedefined : 1;
    return FC_OK;
}

/* Where the mistake is: the script, unless the message says so, and the user's line. */
static void name_step(const struct fc_transform_script *script, struct fc_error *err)
{
    if (strncmp(err->message, script->label, strlen(script->label)) != 0) {
        (void)fc_wrap(err, "%s", script->label);
    }
    if (script->line > 0) {
        (void)fc_wrap(err, "line %d", script->line);
    }
}

static void close_state(struct fc_transform_engine *engine)
{
    fc_sandbox_release(&engine->sandbox);
    for (struct fc_shape_node *node = engine->shapes.nodes; node != NULL; node = node->next) {
        free(node->names); /* they point at the state's strings */
        node->names = NULL;
    }
    engine->slot_count = 0;
    engine->slots_used = 0;
}

fc_code fc_engine_open_state(struct fc_transform_engine *engine, struct fc_error *err)
{
    const struct fc_transform_chain *chain = engine->chain;
    fc_code code;
    int status;
    close_state(engine);
    code = fc_sandbox_init(&engine->sandbox, chain->instructions_max, chain->memory_max, err);
    if (code != FC_OK) {
        return code;
    }
    engine->sandbox.owner = engine;
    engine->sandbox.encode_object = fc_script_encode_object;
    engine->is_spoilt = false;
    if (lua_checkstack(engine->sandbox.lua, (int)chain->script_count * 3 + STACK_SPARE) == 0) {
        return fc_fail(err, FC_ERR_NOMEM, "no memory for %u scripts", chain->script_count);
    }
    lua_pushcfunction(engine->sandbox.lua, open_state);
    status = lua_pcall(engine->sandbox.lua, 0, 2, 0);
    if (status != LUA_OK) {
        (void)fc_sandbox_take_error(&engine->sandbox, status, "engine", 0, err);
        err->code = FC_ERR_NOMEM;
        return FC_ERR_NOMEM;
    }
    for (uint32_t index = 0; code == FC_OK && index < chain->script_count; index++) {
        code = load_step(engine, index, err);
        if (code != FC_OK) {
            name_step(&chain->scripts[index], err);
        }
    }
    return code;
}

/* --- the engine ----------------------------------------------------------------------------- */

fc_code fc_transform_engine_new(const struct fc_transform_chain *chain,
                                struct fc_transform_engine **out_engine, struct fc_error *err)
{
    struct fc_transform_engine *engine = fc_new(struct fc_transform_engine);
    fc_code code;
    engine->chain = chain;
    fc_shape_store_init(&engine->shapes);
    engine->steps = fc_new_array(struct fc_script_step, chain->script_count + 1);
    engine->source_names = fc_new_array(const char *, chain->source_field_count + 1);
    code = fc_engine_open_state(engine, err);
    if (code != FC_OK) {
        fc_transform_engine_free(engine);
        return code;
    }
    *out_engine = engine;
    return FC_OK;
}

void fc_transform_engine_free(struct fc_transform_engine *engine)
{
    if (engine != NULL) {
        close_state(engine);
        fc_shape_store_release(&engine->shapes);
        fc_hasher_release(&engine->hasher);
        free(engine->steps);
        free(engine->source_names);
        free(engine->slots);
        free(engine->items);
        free(engine->next_items);
        free(engine);
    }
}

void fc_transform_engine_begin_batch(struct fc_transform_engine *engine)
{
    fc_shape_store_expire(&engine->shapes);
}

void fc_transform_engine_set_row_encoder(struct fc_transform_engine *engine,
                                         fc_transform_encode_row encode_row, void *ctx)
{
    engine->encode_row = encode_row;
    engine->encode_row_ctx = ctx;
}
