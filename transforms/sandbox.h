/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Lua state that cannot hurt the process: a cap on memory, a budget of work for each call, and
 * only harmless functions.
 *
 * What a call may spend is counted in instructions. The count hook counts those of the virtual
 * machine; what runs inside C functions (pattern matching, sorting, moving, copying) charges the
 * same budget through fc_sandbox_charge or the allocator. The processor time of a call is limited
 * as well, for the few single instructions that take long (comparing huge strings).
 *
 * Once a call is over its budget, no error handler of the script can hold it up: pcall passes
 * the error on and the allocator gives nothing more.
 *
 * Thread: the engine's.
 */
#ifndef FC_TRANSFORM_SANDBOX_H
#define FC_TRANSFORM_SANDBOX_H

#include <lauxlib.h>
#include <lua.h>

#include "core/base/buf.h"

enum {
    FC_SANDBOX_CPU_MS_MAX = 2000, /* of one call */
    FC_SANDBOX_ORIGINALS_MAX = 12
};

struct fc_sandbox {
    lua_State *lua;
    size_t memory_used;
    size_t memory_max;
    uint64_t spent; /* instructions of the present call */
    uint64_t budget;
    int hook_every;       /* instructions */
    int64_t cpu_start_ns; /* 0 until the call has run for hook_every instructions */
    bool over;            /* the present call is over its budget */
    bool limited;         /* false while we set up ourselves */
    lua_CFunction originals[FC_SANDBOX_ORIGINALS_MAX]; /* of guarded library functions */
    int original_count;
    struct fc_buf scratch; /* for text on its way to Lua; at most memory_max, beside Lua's */
    /* The engine's, or NULL: append what a userdata is as JSON; false when it is nothing such. */
    bool (*encode_object)(lua_State *lua, int index, struct fc_buf *out);
    void *owner; /* the engine */
};

/*
 * A state whose registry holds the globals to copy for each script. Limits do not hold until
 * fc_sandbox_begin_call. FC_ERR_NOMEM when the cap is too small for Lua itself.
 */
FC_MUST_CHECK fc_code fc_sandbox_init(struct fc_sandbox *sandbox, uint64_t instructions_max,
                                      size_t memory_max, struct fc_error *err);
void fc_sandbox_release(struct fc_sandbox *sandbox);

struct fc_sandbox *fc_sandbox_of(lua_State *lua);

/* A new call, with a fresh budget. */
static inline void fc_sandbox_begin_call(struct fc_sandbox *sandbox)
{
    sandbox->spent = 0;
    sandbox->cpu_start_ns = 0;
    sandbox->over = false;
    sandbox->limited = true;
}

/* Count work done in C; raises a Lua error when it is too much. */
void fc_sandbox_charge(lua_State *lua, uint64_t instructions);

/* What is left of the budget, for work that counts for itself. */
uint64_t fc_sandbox_left(const struct fc_sandbox *sandbox);

/* Push a new table of globals for one script: its own copy of every library. May raise. */
void fc_sandbox_push_globals(lua_State *lua);
/* Let later scripts' globals hold the value on top of the stack, which is popped. May raise. */
void fc_sandbox_set_global(lua_State *lua, const char *name);

/*
 * Turn the failed call's error object on top of the stack, or the limit that was met, into
 * FC_ERR_REJECTED, and pop it. script and line (0: leave it as it is) say what ran, for errors
 * that do not.
 */
fc_code fc_sandbox_take_error(struct fc_sandbox *sandbox, int status, const char *script,
                              int line, struct fc_error *err);

/* --- for the modules that add functions ---------------------------------------------------- */

/* Library tables, left on top of the stack, made from the standard ones. */
void fc_sandbox_push_string(lua_State *lua);
void fc_sandbox_push_table(lua_State *lua);
void fc_sandbox_push_utf8(lua_State *lua);
void fc_sandbox_push_json(lua_State *lua);

/* Replace the function `name` of the library on top by guard, which finds the standard one as
 * sandbox->originals[upvalue 1]. */
void fc_sandbox_guard(lua_State *lua, const char *name, lua_CFunction guard);
lua_CFunction fc_sandbox_original(lua_State *lua);

#endif
