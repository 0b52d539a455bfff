/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry: schemas by id, and a table from (shape pointer, mode) to schema so that a row's
 * look-up does not touch the shape's content. The pointer table has open addressing and only
 * grows; its entries also remember what the shape points at, so an address used again without
 * fc_schemas_forget_pointers is most likely noticed.
 */
#include "catalog/schema.h"

#include <stdlib.h>

#include "catalog/schema_json.h"
#include "catalog/shape.h"
#include "core/base/alloc.h"
#include "core/base/hashmap.h"

enum { POINTERS_FIRST = 64 };

struct entry {
    struct fc_schema schema;
    struct fc_shape *shape; /* owned */
};

struct pointer {
    const struct fc_shape *shape; /* NULL: the slot is free */
    struct fc_shape seen;         /* its members then */
    fc_envelope_mode mode;
    const struct fc_schema *schema;
};

struct fc_schemas {
    struct fc_hashmap by_id;  /* 8 bytes of id -> struct entry */
    struct pointer *pointers; /* a power of two of slots, at most half full */
    size_t pointer_slots;
    size_t pointer_count;
};

struct fc_schemas *fc_schemas_new(void)
{
    struct fc_schemas *schemas = fc_new(struct fc_schemas);
    fc_hashmap_init(&schemas->by_id);
    schemas->pointer_slots = POINTERS_FIRST;
    schemas->pointers = fc_new_array(struct pointer, schemas->pointer_slots);
    return schemas;
}

static void free_entry(void *value)
{
    struct entry *entry = value;
    free(entry->shape);
    free(entry);
}

void fc_schemas_free(struct fc_schemas *schemas)
{
    if (schemas != NULL) {
        fc_hashmap_release(&schemas->by_id, free_entry);
        free(schemas->pointers);
        free(schemas);
    }
}

void fc_schemas_forget_pointers(struct fc_schemas *schemas)
{
    memset(schemas->pointers, 0, schemas->pointer_slots * sizeof(*schemas->pointers));
    schemas->pointer_count = 0;
}

/* The slot of a pointer, or the free one where it would go. */
static struct pointer *find_pointer(struct pointer *pointers, size_t slots,
                                    const struct fc_shape *shape, fc_envelope_mode mode)
{
    uint64_t hash = ((uint64_t)(uintptr_t)shape + (uint64_t)mode) * 0x9e3779b97f4a7c15ULL;
    size_t slot = (size_t)(hash >> 32) & (slots - 1);
    while (pointers[slot].shape != NULL &&
           (pointers[slot].shape != shape || pointers[slot].mode != mode)) {
        slot = (slot + 1) & (slots - 1);
    }
    return &pointers[slot];
}

static bool looks_the_same(const struct fc_shape *a, const struct fc_shape *b)
{
    return a->db == b->db && a->table == b->table && a->columns == b->columns &&
           a->column_count == b->column_count && a->key_count == b->key_count &&
           a->create_sql == b->create_sql;
}

static void remember_pointer(struct fc_schemas *schemas, const struct fc_shape *shape,
                             const struct fc_schema *schema)
{
    struct pointer *slot;
    if ((schemas->pointer_count + 1) * 2 > schemas->pointer_slots) {
        size_t slots = schemas->pointer_slots * 2;
        struct pointer *pointers = fc_new_array(struct pointer, slots);
        for (size_t index = 0; index < schemas->pointer_slots; index++) {
            const struct pointer *old = &schemas->pointers[index];
            if (old->shape != NULL) {
                *find_pointer(pointers, slots, old->shape, old->mode) = *old;
            }
        }
        free(schemas->pointers);
        schemas->pointers = pointers;
        schemas->pointer_slots = slots;
    }
    slot = find_pointer(schemas->pointers, schemas->pointer_slots, shape, schema->mode);
    schemas->pointer_count += slot->shape == NULL ? 1 : 0;
    slot->shape = shape;
    slot->seen = *shape;
    slot->mode = schema->mode;
    slot->schema = schema;
}

const struct fc_schema *fc_schemas_get(const struct fc_schemas *schemas, uint64_t id)
{
    struct entry *entry = fc_hashmap_get(&schemas->by_id, fc_slice_of(&id, sizeof(id)));
    return entry == NULL ? NULL : &entry->schema;
}

/* Takes shape. */
static const struct fc_schema *put(struct fc_schemas *schemas, uint64_t id,
                                   fc_envelope_mode mode, struct fc_shape *shape)
{
    struct entry *entry = fc_new(struct entry);
    entry->shape = shape;
    entry->schema.id = id;
    entry->schema.mode = mode;
    entry->schema.shape = shape;
    fc_assert(fc_hashmap_put(&schemas->by_id, fc_slice_of(&id, sizeof(id)), entry) == NULL);
    return &entry->schema;
}

static fc_code add_by_content(struct fc_schemas *schemas, const struct fc_shape *shape,
                              fc_envelope_mode mode, const struct fc_schema **out_schema,
                              bool *out_added, struct fc_error *err)
{
    char *text = NULL;
    uint64_t id;
    const struct fc_schema *known;
    fc_code code = fc_schema_json_encode(shape, mode, &text, err);
    if (code != FC_OK) {
        return code;
    }
    id = fc_schema_json_id(text);
    free(text);
    known = fc_schemas_get(schemas, id);
    if (known != NULL && (known->mode != mode || !fc_shape_equal(known->shape, shape))) {
        return fc_fail(err, FC_ERR_CORRUPT, "two different shapes of %s.%s have the same id",
                       shape->db, shape->table);
    }
    *out_added = known == NULL;
    *out_schema = known == NULL ? put(schemas, id, mode, fc_shape_copy(shape)) : known;
    return FC_OK;
}

fc_code fc_schemas_add(struct fc_schemas *schemas, const struct fc_shape *shape,
                       fc_envelope_mode mode, const struct fc_schema **out_schema,
                       bool *out_added, struct fc_error *err)
{
    struct pointer *slot = find_pointer(schemas->pointers, schemas->pointer_slots, shape, mode);
    fc_code code;
    if (slot->shape != NULL && looks_the_same(&slot->seen, shape)) {
        *out_schema = slot->schema;
        *out_added = false;
        return FC_OK;
    }
    code = add_by_content(schemas, shape, mode, out_schema, out_added, err);
    if (code == FC_OK) {
        remember_pointer(schemas, shape, *out_schema);
    }
    return code;
}

void fc_schema_encode(const struct fc_schema *schema, struct fc_buf *out)
{
    char *text = NULL;
    fc_code code = fc_schema_json_encode(schema->shape, schema->mode, &text, NULL);
    fc_assert(code == FC_OK); /* it was encoded once to get its id */
    fc_schema_json_append(text, schema->id, out);
    free(text);
}

fc_code fc_schemas_load(struct fc_schemas *schemas, struct fc_slice text,
                        const struct fc_schema **out_schema, struct fc_error *err)
{
    struct fc_shape *shape = NULL;
    uint64_t id = 0;
    uint64_t id_of_content = 0;
    fc_envelope_mode mode = FC_ENVELOPE_EXACT;
    char *content = NULL;
    const struct fc_schema *known;
    fc_code code = fc_schema_json_decode(text, &id, &mode, &shape, err);
    if (code == FC_OK) {
        code = fc_schema_json_encode(shape, mode, &content, err);
    }
    if (code != FC_OK) {
        goto out;
    }
    id_of_content = fc_schema_json_id(content);
    if (id != id_of_content) {
        code = fc_fail(err, FC_ERR_CORRUPT,
                       "the stored schema of %s.%s has an id that does not fit its content",
                       shape->db, shape->table);
        goto out;
    }
    known = fc_schemas_get(schemas, id);
    if (known == NULL) {
        known = put(schemas, id, mode, shape);
        shape = NULL;
    }
    *out_schema = known;
out:
    free(content);
    free(shape);
    return code;
}
