/* SPDX-License-Identifier: Apache-2.0 */
#include "transforms/shape_edit.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "transforms/shape_copy.h"

enum {
    NODES_MAX = 4096, /* a script that invents names must not fill memory */
    EDIT_KEY_BYTES_MAX = 64 * 1024
};

/* A shape's address and what was found behind it. */
struct known_shape {
    uint64_t epoch;
    struct fc_shape_node *node;
};

void fc_shape_store_init(struct fc_shape_store *store)
{
    memset(store, 0, sizeof(*store));
    fc_hashmap_init(&store->known);
    fc_hashmap_init(&store->edits);
    fc_buf_init(&store->key, EDIT_KEY_BYTES_MAX);
}

void fc_shape_store_release(struct fc_shape_store *store)
{
    fc_hashmap_release(&store->known, free);
    fc_hashmap_release(&store->edits, NULL);
    fc_buf_release(&store->key);
    while (store->nodes != NULL) {
        struct fc_shape_node *node = store->nodes;
        store->nodes = node->next;
        fc_derived_release(&node->shape);
        free(node->names);
        free(node);
    }
}

void fc_shape_store_expire(struct fc_shape_store *store)
{
    store->epoch++;
    store->last_shape = NULL;
    store->last_node = NULL;
}

/* Take over the shape's copies; frees them at the limit. */
static fc_code add_node(struct fc_shape_store *store, struct fc_shape *shape,
                        struct fc_shape_node **out_node, struct fc_error *err)
{
    struct fc_shape_node *node;
    if (store->node_count == NODES_MAX) {
        fc_code code =
            fc_fail(err, FC_ERR_LIMIT, "more than %d table shapes; %s.%s would be one more",
                    NODES_MAX, shape->db, shape->table);
        fc_derived_release(shape);
        return code;
    }
    node = fc_new(struct fc_shape_node);
    node->shape = *shape;
    node->next = store->nodes;
    store->nodes = node;
    store->node_count++;
    *out_node = node;
    return FC_OK;
}

/* The latest node of the same content. Derived ones serve as well: content is all that counts. */
static struct fc_shape_node *find_same(const struct fc_shape_store *store,
                                       const struct fc_shape *shape)
{
    for (struct fc_shape_node *node = store->nodes; node != NULL; node = node->next) {
        if (fc_derived_same(&node->shape, shape)) {
            return node;
        }
    }
    return NULL;
}

static fc_code intern_slowly(struct fc_shape_store *store, const struct fc_shape *shape,
                             struct fc_shape_node **out_node, struct fc_error *err)
{
    uintptr_t place = (uintptr_t)shape;
    struct fc_slice address = fc_slice_of(&place, sizeof(place));
    struct known_shape *known = fc_hashmap_get(&store->known, address);
    struct fc_shape_node *node = known == NULL ? NULL : known->node;
    if (known != NULL && known->epoch == store->epoch) {
        *out_node = node;
        return FC_OK;
    }
    if (node == NULL || !fc_derived_same(&node->shape, shape)) {
        node = find_same(store, shape);
    }
    if (node == NULL) {
        struct fc_shape copy;
        fc_code code;
        fc_derived_copy(&copy, shape);
        code = add_node(store, &copy, &node, err);
        if (code != FC_OK) {
            return code;
        }
    }
    if (known == NULL) {
        known = fc_new(struct known_shape);
        (void)fc_hashmap_put(&store->known, address, known); /* there was none */
    }
    known->epoch = store->epoch;
    known->node = node;
    *out_node = node;
    return FC_OK;
}

fc_code fc_shape_store_intern(struct fc_shape_store *store, const struct fc_shape *shape,
                              struct fc_shape_node **out_node, struct fc_error *err)
{
    fc_code code;
    if (shape == store->last_shape) {
        *out_node = store->last_node;
        return FC_OK;
    }
    code = intern_slowly(store, shape, out_node, err);
    if (code == FC_OK) {
        store->last_shape = shape;
        store->last_node = *out_node;
    }
    return code;
}

int64_t fc_shape_column_index(const struct fc_shape *shape, struct fc_slice name)
{
    for (uint32_t index = 0; index < shape->column_count; index++) {
        if (fc_slice_equal_text(name, shape->columns[index].name)) {
            return index;
        }
    }
    return -1;
}

/* --- one edit ----------------------------------------------------------------------------- */

static struct fc_column *own_columns(struct fc_shape *shape)
{
    union {
        const struct fc_column *borrowed;
        struct fc_column *owned;
    } columns = { shape->columns };
    return columns.owned;
}

static void drop_column(struct fc_shape *shape, uint32_t index)
{
    struct fc_column *columns = own_columns(shape);
    bool was_key = columns[index].key_index > 0;
    fc_derived_free_column(&columns[index]);
    shape->column_count--;
    memmove(&columns[index], &columns[index + 1],
            (shape->column_count - index) * sizeof(*columns));
    if (was_key) { /* what is left of the key is not one */
        shape->key_count = 0;
        for (uint32_t left = 0; left < shape->column_count; left++) {
            columns[left].key_index = 0;
        }
    }
}

static void set_text(const char **text, const char *to)
{
    union {
        const char *borrowed;
        char *owned;
    } old = { *text };
    *text = to == NULL ? NULL : fc_strdup(to);
    free(old.owned);
}

static void apply_spec(struct fc_column *column, const struct fc_column_spec *spec)
{
    struct fc_column fresh;
    struct fc_column made;
    memset(&fresh, 0, sizeof(fresh));
    fresh.name = column->name;
    fresh.native_type = column->key_index > 0 ? spec->native_type_in_key : spec->native_type;
    fresh.charset = spec->type == FC_TYPE_TEXT ? "utf8mb4" : NULL;
    fresh.type = spec->type;
    fresh.nullable = column->nullable;
    fresh.bits = spec->bits;
    fresh.precision = spec->precision;
    fresh.scale = spec->scale;
    fresh.key_index = column->key_index;
    fresh.length = column->key_index > 0 && spec->type == FC_TYPE_TEXT ? 255 : 0;
    fc_derived_copy_column(&made, &fresh);
    fc_derived_free_column(column);
    *column = made;
}

static void add_column(struct fc_shape *shape, const struct fc_shape_edit *edit)
{
    struct fc_column fresh;
    struct fc_column *columns =
        fc_realloc_array(own_columns(shape), shape->column_count + 1, sizeof(*columns));
    memset(&fresh, 0, sizeof(fresh));
    fresh.name = edit->column;
    fresh.nullable = true;
    fc_derived_copy_column(&columns[shape->column_count], &fresh);
    apply_spec(&columns[shape->column_count], edit->spec);
    shape->columns = columns;
    shape->column_count++;
}

static void apply_edit(struct fc_shape *shape, const struct fc_shape_edit *edit, uint32_t index)
{
    switch (edit->kind) {
    case FC_EDIT_DROP:
        drop_column(shape, index);
        return;
    case FC_EDIT_RENAME:
        set_text(&own_columns(shape)[index].name, edit->to);
        return;
    case FC_EDIT_ADD:
        add_column(shape, edit);
        return;
    case FC_EDIT_CONVERT:
        apply_spec(&own_columns(shape)[index], edit->spec);
        return;
    case FC_EDIT_TABLE:
        set_text(&shape->db, edit->column);
        set_text(&shape->table, edit->to);
        return;
    }
}

static fc_code check_edit(const struct fc_shape *shape, const struct fc_shape_edit *edit,
                          int64_t index, struct fc_error *err)
{
    const char *fresh = NULL;
    if (edit->kind == FC_EDIT_TABLE) {
        return FC_OK;
    }
    if (edit->kind == FC_EDIT_ADD) {
        fresh = edit->column;
    } else if (index < 0) {
        return fc_fail(err, FC_ERR_REJECTED, "%s.%s has no column '%s'", shape->db,
                       shape->table, edit->column);
    } else if (edit->kind == FC_EDIT_RENAME) {
        fresh = edit->to;
    }
    if (fresh != NULL && (fresh[0] == '\0' || strlen(fresh) > 255)) {
        return fc_fail(err, FC_ERR_REJECTED, "a column name has 1 to 255 bytes");
    }
    if (fresh != NULL && fc_shape_column_index(shape, fc_slice_text(fresh)) >= 0) {
        return fc_fail(err, FC_ERR_REJECTED, "%s.%s already has a column '%s'", shape->db,
                       shape->table, fresh);
    }
    if (edit->kind == FC_EDIT_DROP && shape->columns[index].key_index > 0 &&
        !edit->key_is_set) {
        return fc_fail(err, FC_ERR_REJECTED,
                       "column %s is in the key of %s.%s: set change.key before it is dropped",
                       edit->column, shape->db, shape->table);
    }
    if (edit->kind == FC_EDIT_DROP && shape->column_count == 1) {
        return fc_fail(err, FC_ERR_REJECTED, "column %s is the last one of %s.%s", edit->column,
                       shape->db, shape->table);
    }
    return FC_OK;
}

static bool changes_nothing(const struct fc_shape *shape, const struct fc_shape_edit *edit,
                            int64_t index)
{
    const struct fc_column *column = index < 0 ? NULL : &shape->columns[index];
    switch (edit->kind) {
    case FC_EDIT_RENAME:
        return column != NULL && strcmp(edit->column, edit->to) == 0;
    case FC_EDIT_CONVERT:
        return column != NULL && column->type == edit->spec->type && !column->is_unsigned &&
               column->native_type != NULL &&
               strcmp(column->native_type, column->key_index > 0
                                               ? edit->spec->native_type_in_key
                                               : edit->spec->native_type) == 0;
    case FC_EDIT_TABLE:
        return strcmp(shape->db, edit->column) == 0 && strcmp(shape->table, edit->to) == 0;
    case FC_EDIT_DROP:
    case FC_EDIT_ADD:
        return false;
    }
    return false;
}

/* node's address, then what makes the edit. */
static struct fc_slice edit_key(struct fc_shape_store *store, const struct fc_shape_node *node,
                                const struct fc_shape_edit *edit)
{
    struct fc_buf *key = &store->key;
    uintptr_t place = (uintptr_t)node;
    fc_buf_clear(key);
    fc_buf_append(key, &place, sizeof(place));
    fc_buf_append_u8(key, (uint8_t)edit->kind);
    fc_buf_append_u8(key, edit->key_is_set);
    fc_buf_append(key, edit->column, strlen(edit->column) + 1);
    if (edit->to != NULL) {
        fc_buf_append_text(key, edit->to);
    }
    if (edit->spec != NULL) {
        fc_buf_append_text(key, edit->spec->native_type);
    }
    return fc_buf_slice(key);
}

fc_code fc_shape_store_edit(struct fc_shape_store *store, struct fc_shape_node *node,
                            const struct fc_shape_edit *edit, struct fc_shape_node **out_node,
                            struct fc_error *err)
{
    struct fc_slice key = edit_key(store, node, edit);
    struct fc_shape_node *made = fc_hashmap_get(&store->edits, key);
    struct fc_shape shape;
    int64_t index;
    fc_code code;
    if (made != NULL) {
        *out_node = made;
        return FC_OK;
    }
    index = edit->kind == FC_EDIT_ADD || edit->kind == FC_EDIT_TABLE
                ? -1
                : fc_shape_column_index(&node->shape, fc_slice_text(edit->column));
    code = fc_buf_check(&store->key, "the names of a column edit", err);
    if (code == FC_OK && changes_nothing(&node->shape, edit, index)) {
        made = node;
    } else if (code == FC_OK) {
        code = check_edit(&node->shape, edit, index, err);
    }
    if (code != FC_OK) {
        return code;
    }
    if (made == NULL) {
        fc_derived_copy(&shape, &node->shape);
        apply_edit(&shape, edit, index < 0 ? 0 : (uint32_t)index);
        made = find_same(store, &shape);
        if (made != NULL) {
            fc_derived_release(&shape);
        } else {
            code = add_node(store, &shape, &made, err);
        }
    }
    if (code == FC_OK) {
        (void)fc_hashmap_put(&store->edits, key, made); /* there was none */
        *out_node = made;
    }
    return code;
}
