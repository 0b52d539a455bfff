/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Derived shapes: what a table looks like after scripts dropped, renamed, added or converted
 * columns.
 *
 * A store keeps a copy of each shape it has met and of each shape derived from it, so the same
 * edit of the same shape gives the same pointer, and nothing here dies with the source. Shapes
 * and nodes live until the store is released.
 *
 * Thread: the engine's.
 */
#ifndef FC_TRANSFORM_SHAPE_EDIT_H
#define FC_TRANSFORM_SHAPE_EDIT_H

#include "core/base/buf.h"
#include "core/base/hashmap.h"
#include "fc/change.h"

struct fc_column_names;

struct fc_shape_node {
    struct fc_shape shape;         /* a deep copy; create_sql is NULL */
    struct fc_column_names *names; /* the engine's look-up by name; NULL until first needed */
    struct fc_shape_node *latest;  /* what the chain last made of such a row; NULL: not known */
    struct fc_shape_node *next;
};

/* What a column is to become; see fc_column_spec_parse. */
struct fc_column_spec {
    fc_type type;
    uint16_t bits;
    uint16_t precision;
    uint16_t scale;
    const char *native_type;
    const char *native_type_in_key; /* an index cannot take every type */
    char text[32];                  /* of native_type when it has figures */
};

typedef enum fc_edit_kind {
    FC_EDIT_DROP,    /* column */
    FC_EDIT_RENAME,  /* column, to */
    FC_EDIT_ADD,     /* column, spec; nullable, at the end */
    FC_EDIT_CONVERT, /* column, spec */
    FC_EDIT_TABLE    /* db in column, table in to */
} fc_edit_kind;

struct fc_shape_edit {
    fc_edit_kind kind;
    const char *column;
    const char *to;
    const struct fc_column_spec *spec;
    bool key_is_set; /* DROP: a key column may go; the shape then has no key */
};

struct fc_shape_store {
    struct fc_hashmap known; /* a shape's address -> struct known_shape */
    struct fc_hashmap edits; /* node and edit -> struct fc_shape_node */
    struct fc_shape_node *nodes;
    uint32_t node_count;
    uint64_t epoch;
    struct fc_buf key; /* scratch */
    /* The latest answer of intern. */
    const struct fc_shape *last_shape;
    struct fc_shape_node *last_node;
};

void fc_shape_store_init(struct fc_shape_store *store);
void fc_shape_store_release(struct fc_shape_store *store);

/* Addresses of shapes mean nothing any more: intern compares contents again. */
void fc_shape_store_expire(struct fc_shape_store *store);

/* The node that holds the shape's content. FC_ERR_LIMIT past 4096 shapes. */
FC_MUST_CHECK fc_code fc_shape_store_intern(struct fc_shape_store *store,
                                            const struct fc_shape *shape,
                                            struct fc_shape_node **out_node,
                                            struct fc_error *err);

/*
 * The shape that the edit makes of node's; node itself when it changes nothing.
 *
 * Errors: FC_ERR_REJECTED: no such column, the name is taken, a key column would go; FC_ERR_LIMIT
 * past 4096 shapes.
 */
FC_MUST_CHECK fc_code fc_shape_store_edit(struct fc_shape_store *store,
                                          struct fc_shape_node *node,
                                          const struct fc_shape_edit *edit,
                                          struct fc_shape_node **out_node,
                                          struct fc_error *err);

/* The column's index, or -1. */
int64_t fc_shape_column_index(const struct fc_shape *shape, struct fc_slice name);

/*
 * A type as scripts name it: int, double, decimal(p,s), text, bytes, json, date, time, datetime,
 * timestamp. False when it is none of them. spec may point into itself: do not copy it.
 */
bool fc_column_spec_parse(const char *type, struct fc_column_spec *out_spec);

/* The script's word for a column type: "int", "text", "enum", ... */
const char *fc_type_word(fc_type type);

#endif
