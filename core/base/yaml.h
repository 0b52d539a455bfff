/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML text as a tree of nodes that know their line and column.
 *
 * Strict: one document, UTF-8, no anchors, aliases or tags, no key twice, bounded depth and
 * number of nodes. So a small file cannot grow in memory, and a file means what it shows.
 */
#ifndef FC_BASE_YAML_H
#define FC_BASE_YAML_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/slice.h"

enum { FC_YAML_DEPTH_MAX = 16, FC_YAML_NODES_MAX = 20000 };

typedef enum fc_yaml_kind { FC_YAML_SCALAR, FC_YAML_LIST, FC_YAML_MAP } fc_yaml_kind;

/* Invariant: text is NULL unless the node is a scalar; key is NULL unless its parent is a map. */
struct fc_yaml_node {
    fc_yaml_kind kind;
    bool quoted;   /* a scalar in quotes or a block: text whatever it looks like */
    bool secret;   /* text comes from a secret: never shown */
    uint32_t line; /* from 1 */
    uint32_t column;
    char *text; /* NUL-terminated, no NUL inside */
    const char *key;
    uint32_t key_line;
    uint32_t key_column;
    uint32_t count; /* children */
    struct fc_yaml_node *first;
    struct fc_yaml_node *next; /* sibling */
};

struct fc_yaml {
    struct fc_arena arena;
    const char *path; /* borrowed; for messages */
    struct fc_yaml_node *root;
};

/* An empty text is an error. Errors: FC_ERR_CONFIG with path:line:column; FC_ERR_LIMIT. On
 * failure there is nothing to release. */
FC_MUST_CHECK fc_code fc_yaml_parse(struct fc_slice text, const char *path,
                                    struct fc_yaml *out_yaml, struct fc_error *err);

/* Wipes and frees every text. */
void fc_yaml_release(struct fc_yaml *yaml);

/* NULL when map has no such key (or is NULL). */
struct fc_yaml_node *fc_yaml_get(const struct fc_yaml_node *map, const char *key);

/* The index-th child of a list or map, from 0; there is one. */
const struct fc_yaml_node *fc_yaml_child(const struct fc_yaml_node *node, uint32_t index);

/* A plain scalar that stands for no value: empty, ~ or null. */
bool fc_yaml_is_null(const struct fc_yaml_node *node);

/* "a text", "a list", "a map": what the node is, for messages. */
const char *fc_yaml_kind_name(const struct fc_yaml_node *node);

/* Prefix err with "path:line:column: " of the node, or of its key, and make it one line; returns
 * its code. */
fc_code fc_yaml_wrap(const char *path, const struct fc_yaml_node *node, struct fc_error *err);
fc_code fc_yaml_wrap_key(const char *path, const struct fc_yaml_node *node,
                         struct fc_error *err);

/* FC_ERR_CONFIG "path:line:column: ...", at the node or at its key. */
FC_PRINTF(4, 5)
fc_code fc_yaml_fail(const char *path, const struct fc_yaml_node *node, struct fc_error *err,
                     const char *fmt, ...);
FC_PRINTF(4, 5)
fc_code fc_yaml_fail_key(const char *path, const struct fc_yaml_node *node,
                         struct fc_error *err, const char *fmt, ...);

#endif
