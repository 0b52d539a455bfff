/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values whose JSON was built from their bytes, read back: geometry, vectors, base64, unscaled
 * decimals. All results are in arena. false when the JSON is not what encode_bytes.h writes or
 * the arena is full (arena->failed tells).
 */
#ifndef FC_RUNNER_DECODE_BYTES_H
#define FC_RUNNER_DECODE_BYTES_H

#include "runner/envelope/json_scan.h"

bool fc_bytes_from_base64(struct fc_slice text, struct fc_arena *arena,
                          struct fc_slice *out_bytes);

/* A decimal's text from its unscaled number in base64. */
bool fc_bytes_from_unscaled(struct fc_slice text, unsigned scale, struct fc_arena *arena,
                            struct fc_slice *out_text);

/* {"scale":..,"value":".."} or {"text":".."}; the cursor stands on the brace. */
bool fc_bytes_take_decimal(struct fc_json_scan *scan, struct fc_arena *arena,
                           struct fc_slice *out_text);

/* SRID and WKB from an object; the cursor stands on the brace. */
bool fc_bytes_take_geometry(struct fc_json_scan *scan, struct fc_arena *arena,
                            struct fc_slice *out_bytes);

/* Floats from an array; the cursor stands on the bracket. */
bool fc_bytes_take_vector(struct fc_json_scan *scan, struct fc_arena *arena,
                          struct fc_slice *out_bytes);

#endif
