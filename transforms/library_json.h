/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON for scripts: json.decode, json.encode, json.null.
 *
 * Objects become tables, arrays become tables that remember they are arrays, null becomes
 * json.null. Whole numbers that do not fit 64 bits are an error, never rounded. Encoding writes
 * keys in order of their bytes, so equal tables give equal bytes.
 */
#ifndef FC_TRANSFORM_LIBRARY_JSON_H
#define FC_TRANSFORM_LIBRARY_JSON_H

#include <lua.h>

#include "core/base/buf.h"

/* Push the value of a JSON text; raises a Lua error that says what is wrong and where. with_null:
 * null becomes json.null, else nil. */
void fc_script_push_json(lua_State *lua, struct fc_slice text, bool with_null);

/* Append the value at index; raises for what JSON cannot hold. */
void fc_script_encode_json(lua_State *lua, int index, struct fc_buf *out);

#endif
