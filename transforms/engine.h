/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of an engine: its Lua state, the objects that scripts see, and the shapes.
 *
 * A script's change is a userdata, a "slot", that is made once and used again for every change:
 * slot 0 is the change that came in, the others are copies that scripts made. Its rows, source
 * and headers are userdata of their own that point back to it. All stay in the Lua state until
 * it is closed; outside of a call they stand for nothing, and using them is an error.
 *
 * A slot borrows the change it was given until a script writes to it; then change and written
 * row are copied into the caller's arena.
 *
 * Thread: the engine's.
 */
#ifndef FC_TRANSFORM_ENGINE_H
#define FC_TRANSFORM_ENGINE_H

#include "transforms/chain.h"
#include "transforms/hasher.h"
#include "transforms/sandbox.h"
#include "transforms/shape_edit.h"

typedef enum fc_script_field {
    FC_FIELD_AFTER,
    FC_FIELD_BEFORE,
    FC_FIELD_OP,
    FC_FIELD_TABLE,
    FC_FIELD_DB,
    FC_FIELD_SOURCE,
    FC_FIELD_TX,
    FC_FIELD_TS,
    FC_FIELD_TOPIC,
    FC_FIELD_KEY,
    FC_FIELD_VALUE,
    FC_FIELD_TOMBSTONE,
    FC_FIELD_HEADERS,
    FC_FIELD_DDL,
    FC_FIELD_COUNT
} fc_script_field;

typedef enum fc_row { FC_ROW_BEFORE, FC_ROW_AFTER, FC_ROW_COUNT } fc_row;

enum {
    FC_SCRIPT_COPIES_MAX = 10000, /* of changes within one run */
    FC_SCRIPT_HEADERS_MAX = 12,   /* what a record has room for beside our own */
    FC_SCRIPT_PARTS = 4           /* user values of a slot: before, after, source, headers */
};

/* A slot; the memory is Lua's. */
struct fc_script_change {
    struct fc_transform_engine *engine;
    const struct fc_change *change; /* NULL outside of a call */
    struct fc_change *own;          /* `change` once it was written to, else NULL */
    struct fc_shape_node *node;     /* of change->shape; NULL when that is */
    bool row_owned[FC_ROW_COUNT];
    bool tombstone;
    uint32_t number;
    uint64_t returned_in; /* the step call that returned it, to find what is returned twice */
    struct fc_slice topic;
    struct fc_slice key;
    struct fc_slice value;
    struct fc_header_text *headers; /* room for FC_SCRIPT_HEADERS_MAX, or NULL */
    uint32_t header_count;
};

/* A row, the source fields or the headers of a slot. */
struct fc_script_part {
    struct fc_script_change *change;
    fc_row row;
};

/* One step's functions, as places in the Lua stack; 0: it has none. */
struct fc_script_step {
    int transform;
    int transform_ddl;
    int options;
    int line; /* of transform's first line; for errors that do not know theirs */
};

struct fc_transform_engine {
    const struct fc_transform_chain *chain;
    struct fc_sandbox sandbox;
    bool is_spoilt; /* the Lua state must be made anew before the next run */
    struct fc_shape_store shapes;
    struct fc_hasher hasher;
    fc_transform_encode_row encode_row;
    void *encode_row_ctx;

    /* Made with the Lua state. */
    const char *field_names[FC_FIELD_COUNT]; /* interned: equal names are equal pointers */
    const char **source_names;
    const void *change_metatable;
    const void *row_metatable;
    struct fc_script_step *steps;

    struct fc_script_change **slots;
    uint32_t slot_count; /* made */
    uint32_t slot_capacity;
    uint32_t slots_used; /* in the present run */
    uint64_t step_calls;

    /* The changes before and after the present step. */
    struct fc_script_change **items;
    struct fc_script_change **next_items;
    uint32_t item_count;
    uint32_t next_count;
    uint32_t item_capacity; /* of both */

    struct fc_arena *arena; /* of the present run */
    struct fc_shape_node
        *input_node; /* of the change that came in; NULL when it has no shape */
};

static inline struct fc_transform_engine *fc_engine_of(lua_State *lua)
{
    return fc_sandbox_of(lua)->owner;
}

/* --- memory of the present run ------------------------------------------------------------- */

/* From the run's arena; raises a Lua error past its limit. */
void *fc_script_alloc(lua_State *lua, size_t size);
struct fc_slice fc_script_copy(lua_State *lua, const char *text, size_t len);

/* --- slots (engine.c) ----------------------------------------------------------------------- */

/* Keep the new slot, whose userdata is on top of the stack and stays there. May raise. */
void fc_engine_add_slot(lua_State *lua, struct fc_script_change *slot);
/* Push a slot that is not in use in this run; raises past FC_SCRIPT_COPIES_MAX. */
struct fc_script_change *fc_engine_push_free_slot(lua_State *lua);
/* The next slot that was made, emptied; there is one. */
struct fc_script_change *fc_engine_use_slot(struct fc_transform_engine *engine);

/* A new Lua state with the chain's scripts; the old one is closed. */
FC_MUST_CHECK fc_code fc_engine_open_state(struct fc_transform_engine *engine,
                                           struct fc_error *err);

/* --- changes (change_object.c) ------------------------------------------------------------- */

/* Set up metatables and globals. May raise. */
void fc_script_open_changes(lua_State *lua);
void fc_script_open_rows(lua_State *lua);
void fc_script_open_helpers(lua_State *lua);
/* Put convert_column and its like in the table on top of the stack. */
void fc_script_add_column_methods(lua_State *lua);

/* Push a new slot's userdata and note it in engine->slots. May raise. */
void fc_script_push_new_slot(lua_State *lua);

/* The change at index, or a Lua error when it is none, or one of an earlier call. */
struct fc_script_change *fc_script_check_change(lua_State *lua, int index);

/* The slot's change as one that may be written to. */
struct fc_change *fc_script_own_change(lua_State *lua, struct fc_script_change *change);
/* The row's values as ones that may be written to; the row exists. */
struct fc_value *fc_script_own_row(lua_State *lua, struct fc_script_change *change, fc_row row);
/* The row's values or NULL. */
const struct fc_value *fc_script_row(const struct fc_script_change *change, fc_row row);

/* Make the edit of the change's shape, which it has; its rows are left as they are. */
void fc_script_edit_shape(lua_State *lua, struct fc_script_change *change,
                          const struct fc_shape_edit *edit);

/* Raises when the change has no shape (DDL, or TRUNCATE of an unknown table). */
void fc_script_check_shape(lua_State *lua, const struct fc_script_change *change);

/* --- rows (row_object.c) -------------------------------------------------------------------- */

/* Push the userdata of a part, whose uservalue place in its slot is `part`. */
void fc_script_push_new_part(lua_State *lua, struct fc_script_change *change, fc_row row,
                             const char *metatable);

/* Metatables in the registry. */
extern const char fc_script_row_key[];
extern const char fc_script_source_key[];
extern const char fc_script_headers_key[];

/* sandbox->encode_object: rows as JSON. */
bool fc_script_encode_object(lua_State *lua, int index, struct fc_buf *out);

/* --- values (script_value.c) ---------------------------------------------------------------- */

/* The light userdata `unchanged`. */
void *fc_script_unchanged(void);

void fc_script_push_value(lua_State *lua, const struct fc_value *value);

/*
 * The Lua value at index as one of the column's type. Raises for what the column cannot hold; the
 * message names column and type, never the value.
 */
void fc_script_take_value(lua_State *lua, int index, const struct fc_column *column,
                          struct fc_value *out_value);

#endif
