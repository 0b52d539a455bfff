/* SPDX-License-Identifier: Apache-2.0 */
/* What a chain holds: the scripts' texts and the limits. Immutable once made. */
#ifndef FC_TRANSFORM_CHAIN_H
#define FC_TRANSFORM_CHAIN_H

#include "transforms/transform.h"

enum {
    FC_TRANSFORM_SCRIPT_BYTES_MAX = 1024 * 1024,
    FC_TRANSFORM_STEPS_MAX = 100,
    FC_TRANSFORM_INSTRUCTIONS_DEFAULT = 1000000,
    FC_TRANSFORM_MEMORY_DEFAULT = 16 * 1024 * 1024
};

struct fc_transform_script {
    char *label; /* for messages: the path as the user wrote it, or "mask.lua" */
    char *text;  /* NUL-terminated */
    size_t text_len;
    char *options_json; /* NULL: none */
    int line;           /* in the user's file; 0 unknown */
};

struct fc_transform_chain {
    struct fc_transform_script *scripts;
    uint32_t script_count;
    char **source_fields;
    uint32_t source_field_count;
    uint64_t instructions_max;
    size_t memory_max;
};

#endif
