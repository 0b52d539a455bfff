/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy is one block: the shape, its columns, all label pointers, then all texts. The same walk
 * first counts the bytes of the texts and then places them.
 */
#include "catalog/shape.h"

#include "core/base/alloc.h"
#include "core/base/hashmap.h"

static size_t text_size(const char *text)
{
    return text == NULL ? 0 : strlen(text) + 1;
}

static size_t texts_size(const struct fc_shape *shape, size_t *out_label_count)
{
    size_t size = text_size(shape->db) + text_size(shape->table) + text_size(shape->create_sql);
    size_t labels = 0;
    for (uint32_t index = 0; index < shape->column_count; index++) {
        const struct fc_column *column = &shape->columns[index];
        size += text_size(column->name) + text_size(column->native_type);
        size += text_size(column->charset);
        for (uint16_t label = 0; label < column->label_count; label++) {
            size += text_size(column->labels[label]);
        }
        labels += column->label_count;
    }
    *out_label_count = labels;
    return size;
}

static const char *place_text(char **at, const char *text)
{
    char *placed = *at;
    size_t size = text_size(text);
    if (text == NULL) {
        return NULL;
    }
    memcpy(placed, text, size);
    *at += size;
    return placed;
}

struct fc_shape *fc_shape_copy(const struct fc_shape *shape)
{
    size_t label_count = 0;
    size_t texts = texts_size(shape, &label_count);
    size_t columns_size = shape->column_count * sizeof(struct fc_column);
    struct fc_shape *copy = fc_alloc_zeroed(1, sizeof(*copy) + columns_size +
                                                   label_count * sizeof(const char *) + texts);
    struct fc_column *columns = (struct fc_column *)(void *)(copy + 1);
    const char **labels = (const char **)(void *)(columns + shape->column_count);
    char *at = (char *)(labels + label_count);
    *copy = *shape;
    copy->columns = columns;
    copy->db = place_text(&at, shape->db);
    copy->table = place_text(&at, shape->table);
    copy->create_sql = place_text(&at, shape->create_sql);
    for (uint32_t index = 0; index < shape->column_count; index++) {
        const struct fc_column *from = &shape->columns[index];
        columns[index] = *from;
        columns[index].name = place_text(&at, from->name);
        columns[index].native_type = place_text(&at, from->native_type);
        columns[index].charset = place_text(&at, from->charset);
        columns[index].labels = from->label_count == 0 ? NULL : labels;
        for (uint16_t label = 0; label < from->label_count; label++) {
            *labels++ = place_text(&at, from->labels[label]);
        }
    }
    return copy;
}

static bool text_equal(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool column_equal(const struct fc_column *a, const struct fc_column *b)
{
    if (a->type != b->type || a->nullable != b->nullable || a->is_unsigned != b->is_unsigned ||
        a->bits != b->bits || a->length != b->length || a->precision != b->precision ||
        a->scale != b->scale || a->key_index != b->key_index ||
        a->label_count != b->label_count || !text_equal(a->name, b->name) ||
        !text_equal(a->native_type, b->native_type) || !text_equal(a->charset, b->charset)) {
        return false;
    }
    for (uint16_t label = 0; label < a->label_count; label++) {
        if (!text_equal(a->labels[label], b->labels[label])) {
            return false;
        }
    }
    return true;
}

bool fc_shape_equal(const struct fc_shape *a, const struct fc_shape *b)
{
    if (a == b) {
        return true;
    }
    if (a->column_count != b->column_count || a->key_count != b->key_count ||
        !text_equal(a->db, b->db) || !text_equal(a->table, b->table) ||
        !text_equal(a->create_sql, b->create_sql)) {
        return false;
    }
    for (uint32_t index = 0; index < a->column_count; index++) {
        if (!column_equal(&a->columns[index], &b->columns[index])) {
            return false;
        }
    }
    return true;
}

uint64_t fc_shape_hash(const struct fc_shape *shape)
{
    uint64_t hash = fc_hash64(fc_slice_text(shape->table));
    hash = hash * 31 + fc_hash64(fc_slice_text(shape->db));
    for (uint32_t index = 0; index < shape->column_count; index++) {
        hash = hash * 31 + fc_hash64(fc_slice_text(shape->columns[index].name));
        hash = hash * 31 + (uint64_t)shape->columns[index].type;
    }
    return hash;
}
