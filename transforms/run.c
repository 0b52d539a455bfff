/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of one change through the steps of the chain.
 *
 * items holds the changes that a step is called for, next_items what came out. A step's answer:
 * nothing, true or the change: it goes on; nil or false: dropped; a table: those changes go on.
 *
 * After a call that ran out of memory the state is collected. When scripts then still hold more
 * than half of it in their globals, it is thrown away and made anew before the next change:
 * scripts begin afresh, shapes stay.
 */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "transforms/engine.h"

enum { SLOTS_AT = 1, FIRST_SLOT_AT = 2 }; /* places in the Lua stack, see engine.c */

struct step_call {
    struct fc_transform_engine *engine;
    const struct fc_script_step *step;
    const struct fc_transform_script *script;
    const char *function;
};

/* --- what came out -------------------------------------------------------------------------- */

static void grow_items(struct fc_transform_engine *engine)
{
    uint32_t capacity = engine->item_capacity == 0 ? 16 : engine->item_capacity * 2;
    engine->items =
        fc_realloc_array(engine->items, capacity, sizeof(struct fc_script_change *));
    engine->next_items =
        fc_realloc_array(engine->next_items, capacity, sizeof(struct fc_script_change *));
    engine->item_capacity = capacity;
}

static fc_code add_next(const struct step_call *call, struct fc_script_change *slot,
                        struct fc_error *err)
{
    struct fc_transform_engine *engine = call->engine;
    if (slot->returned_in == engine->step_calls) {
        return fc_fail(err, FC_ERR_REJECTED,
                       "%s:%d: %s returned one change twice; change:copy() makes another",
                       call->script->label, call->step->line, call->function);
    }
    slot->returned_in = engine->step_calls;
    if (engine->next_count == engine->item_capacity) {
        grow_items(engine);
    }
    engine->next_items[engine->next_count++] = slot;
    return FC_OK;
}

/* The live change at index, or NULL. Raises nothing. */
static struct fc_script_change *change_at(const struct fc_transform_engine *engine, int index)
{
    lua_State *lua = engine->sandbox.lua;
    struct fc_script_change *slot = NULL;
    if (lua_type(lua, index) == LUA_TUSERDATA && lua_getmetatable(lua, index) != 0) {
        if (lua_topointer(lua, -1) == engine->change_metatable) {
            slot = lua_touserdata(lua, index < 0 ? index - 1 : index);
        }
        lua_pop(lua, 1);
    }
    return slot != NULL && slot->change != NULL ? slot : NULL;
}

static fc_code bad_answer(const struct step_call *call, const char *what, struct fc_error *err)
{
    return fc_fail(err, FC_ERR_REJECTED,
                   "%s:%d: %s returned %s; it returns a change, a table of changes, or nil to "
                   "drop it",
                   call->script->label, call->step->line, call->function, what);
}

/* The table on top of the stack. */
static fc_code take_split(const struct step_call *call, struct fc_error *err)
{
    lua_State *lua = call->engine->sandbox.lua;
    lua_Unsigned count = lua_rawlen(lua, -1);
    if (count == 0) {
        lua_pushnil(lua);
        if (lua_next(lua, -2) != 0) {
            lua_pop(lua, 2);
            return bad_answer(call, "a table that is not a list", err);
        }
    }
    for (lua_Unsigned index = 1; index <= count; index++) {
        struct fc_script_change *slot;
        fc_code code;
        lua_rawgeti(lua, -1, (lua_Integer)index);
        slot = change_at(call->engine, -1);
        lua_pop(lua, 1);
        code = slot == NULL
                   ? bad_answer(call, "a table that holds something else than changes", err)
                   : add_next(call, slot, err);
        if (code != FC_OK) {
            return code;
        }
    }
    return FC_OK;
}

static fc_code take_answer(const struct step_call *call, struct fc_script_change *slot,
                           int count, struct fc_error *err)
{
    lua_State *lua = call->engine->sandbox.lua;
    struct fc_script_change *answer;
    if (count == 0) {
        return add_next(call, slot, err);
    }
    if (count > 1) {
        return bad_answer(call, "more than one value", err);
    }
    switch (lua_type(lua, -1)) {
    case LUA_TUSERDATA:
        answer = change_at(call->engine, -1);
        return answer == NULL
                   ? bad_answer(call, "something that is not a change of this call", err)
                   : add_next(call, answer, err);
    case LUA_TNIL:
        return FC_OK;
    case LUA_TBOOLEAN:
        return lua_toboolean(lua, -1) != 0 ? add_next(call, slot, err) : FC_OK;
    case LUA_TTABLE:
        return take_split(call, err);
    default:
        return bad_answer(call, lua_typename(lua, lua_type(lua, -1)), err);
    }
}

/* --- calls ---------------------------------------------------------------------------------- */

static void recover_memory(struct fc_transform_engine *engine)
{
    (void)lua_gc(engine->sandbox.lua, LUA_GCCOLLECT);
    engine->is_spoilt = engine->sandbox.memory_used > engine->sandbox.memory_max / 2;
}

static fc_code call_step(const struct step_call *call, int function,
                         struct fc_script_change *slot, struct fc_error *err)
{
    struct fc_transform_engine *engine = call->engine;
    lua_State *lua = engine->sandbox.lua;
    int top = lua_gettop(lua);
    int status;
    fc_code code;
    lua_pushvalue(lua, function);
    if (slot->number == 0) {
        lua_pushvalue(lua, FIRST_SLOT_AT);
    } else {
        (void)lua_rawgeti(lua, SLOTS_AT, (lua_Integer)slot->number + 1);
    }
    lua_pushvalue(lua, call->step->options);
    fc_sandbox_begin_call(&engine->sandbox);
    status = lua_pcall(lua, 2, LUA_MULTRET, 0);
    if (status == LUA_OK) {
        code = take_answer(call, slot, lua_gettop(lua) - top, err);
    } else {
        code = fc_sandbox_take_error(&engine->sandbox, status, call->script->label,
                                     call->step->line, err);
    }
    lua_settop(lua, top);
    if (status == LUA_ERRMEM) {
        recover_memory(engine);
    }
    return code;
}

static fc_code run_step(struct fc_transform_engine *engine, uint32_t index, bool is_statement,
                        struct fc_error *err)
{
    const struct fc_script_step *step = &engine->steps[index];
    int function = is_statement ? step->transform_ddl : step->transform;
    struct step_call call = { engine, step, &engine->chain->scripts[index],
                              is_statement ? "transform_ddl" : "transform" };
    struct fc_script_change **made;
    if (function == 0) {
        return FC_OK;
    }
    engine->step_calls++;
    engine->next_count = 0;
    for (uint32_t item = 0; item < engine->item_count; item++) {
        fc_code code = call_step(&call, function, engine->items[item], err);
        if (code != FC_OK) {
            return code;
        }
    }
    made = engine->next_items;
    engine->next_items = engine->items;
    engine->items = made;
    engine->item_count = engine->next_count;
    return FC_OK;
}

/* --- one change ----------------------------------------------------------------------------- */

/* NULL, and the error set, past the arena's limit. */
static struct fc_transformed *alloc_results(struct fc_arena *arena, uint32_t count,
                                            struct fc_error *err)
{
    bool had_failed = arena->failed;
    struct fc_transformed *results = fc_arena_alloc(arena, count * sizeof(*results));
    if (results == NULL) {
        arena->failed = had_failed; /* this change fails, the batch may go on */
        (void)fc_fail(err, FC_ERR_LIMIT, "a transformed change needs more than %zu bytes",
                      arena->limit);
    }
    return results;
}

static fc_code give_results(struct fc_transform_engine *engine,
                            struct fc_transformed **out_results, uint32_t *out_count,
                            struct fc_error *err)
{
    struct fc_transformed *results = alloc_results(engine->arena, engine->item_count, err);
    if (results == NULL) {
        return FC_ERR_LIMIT;
    }
    for (uint32_t item = 0; item < engine->item_count; item++) {
        const struct fc_script_change *slot = engine->items[item];
        struct fc_transformed *result = &results[item];
        result->change = slot->change;
        result->topic = slot->topic;
        result->key = slot->key;
        result->value = slot->value;
        result->tombstone = slot->tombstone;
        result->headers = slot->headers;
        result->header_count = slot->header_count;
    }
    if (engine->item_count > 0 && engine->input_node != NULL) {
        engine->input_node->latest = engine->items[0]->node;
    }
    *out_results = results;
    *out_count = engine->item_count;
    return FC_OK;
}

/*
 * The marker that a table's snapshot is complete has no row that scripts could see. It gets the
 * shape that rows of the table get, so that it is found where they are.
 */
static fc_code pass_marker(struct fc_transform_engine *engine, const struct fc_change *change,
                           struct fc_arena *arena, struct fc_transformed **out_results,
                           uint32_t *out_count, struct fc_error *err)
{
    struct fc_shape_node *node = NULL;
    struct fc_transformed *result;
    struct fc_change *copy;
    fc_code code = change->shape == NULL
                       ? FC_OK
                       : fc_shape_store_intern(&engine->shapes, change->shape, &node, err);
    if (code != FC_OK) {
        return code;
    }
    result = alloc_results(arena, 1, err);
    if (result == NULL) {
        return FC_ERR_LIMIT;
    }
    memset(result, 0, sizeof(*result));
    result->change = change;
    if (node != NULL && node->latest != NULL && node->latest != node) {
        copy = fc_arena_alloc(arena, sizeof(*copy));
        if (copy == NULL) {
            return fc_arena_check(arena, "a transformed change", err);
        }
        *copy = *change;
        copy->shape = &node->latest->shape;
        result->change = copy;
    }
    *out_results = result;
    *out_count = 1;
    return FC_OK;
}

static fc_code begin_run(struct fc_transform_engine *engine, const struct fc_change *change,
                         struct fc_arena *arena, struct fc_error *err)
{
    struct fc_shape_node *node = NULL;
    struct fc_script_change *slot;
    fc_code code = FC_OK;
    if (engine->is_spoilt) {
        code = fc_engine_open_state(engine, err);
    }
    if (code == FC_OK && change->shape != NULL) {
        code = fc_shape_store_intern(&engine->shapes, change->shape, &node, err);
    }
    if (code != FC_OK) {
        return code;
    }
    if (engine->item_capacity == 0) {
        grow_items(engine);
    }
    engine->arena = arena;
    engine->input_node = node;
    slot = fc_engine_use_slot(engine);
    slot->change = change;
    slot->node = node;
    engine->items[0] = slot;
    engine->item_count = 1;
    return FC_OK;
}

/* The slots stand for nothing until the next run. */
static void end_run(struct fc_transform_engine *engine)
{
    for (uint32_t slot = 0; slot < engine->slots_used; slot++) {
        engine->slots[slot]->change = NULL;
    }
    engine->slots_used = 0;
    engine->arena = NULL;
}

fc_code fc_transform_run(struct fc_transform_engine *engine, const struct fc_change *change,
                         struct fc_arena *arena, struct fc_transformed **out_results,
                         uint32_t *out_count, struct fc_error *err)
{
    bool is_statement = change->op == FC_OP_TRUNCATE || change->op == FC_OP_DDL;
    fc_code code;
    if (!is_statement && change->before == NULL && change->after == NULL) {
        return pass_marker(engine, change, arena, out_results, out_count, err);
    }
    code = begin_run(engine, change, arena, err);
    for (uint32_t step = 0; code == FC_OK && step < engine->chain->script_count; step++) {
        code = run_step(engine, step, is_statement, err);
    }
    if (code == FC_OK) {
        code = give_results(engine, out_results, out_count, err);
    }
    end_run(engine);
    return code;
}
