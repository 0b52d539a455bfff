/* SPDX-License-Identifier: Apache-2.0 */
#include "transforms/shape_copy.h"

#include <stdlib.h>

#include "core/base/alloc.h"

static char *copy_or_null(const char *text)
{
    return text == NULL ? NULL : fc_strdup(text);
}

void fc_derived_copy_column(struct fc_column *to, const struct fc_column *from)
{
    char **labels = NULL;
    *to = *from;
    to->name = fc_strdup(from->name);
    to->native_type = copy_or_null(from->native_type);
    to->charset = copy_or_null(from->charset);
    if (from->label_count > 0) {
        labels = fc_new_array(char *, from->label_count);
        for (uint16_t label = 0; label < from->label_count; label++) {
            labels[label] = fc_strdup(from->labels[label]);
        }
    }
    to->labels = (const char *const *)labels;
}

/* The copies are this module's own, so that const may be taken off to free them. */
static void free_text(const char *text)
{
    union {
        const char *borrowed;
        char *owned;
    } copy = { text };
    free(copy.owned);
}

void fc_derived_free_column(struct fc_column *column)
{
    union {
        const char *const *borrowed;
        char **owned;
    } labels = { column->labels };
    for (uint16_t label = 0; label < column->label_count; label++) {
        free_text(column->labels[label]);
    }
    free(labels.owned);
    free_text(column->name);
    free_text(column->native_type);
    free_text(column->charset);
}

void fc_derived_copy(struct fc_shape *to, const struct fc_shape *from)
{
    struct fc_column *columns = fc_new_array(struct fc_column, from->column_count);
    for (uint32_t index = 0; index < from->column_count; index++) {
        fc_derived_copy_column(&columns[index], &from->columns[index]);
    }
    *to = *from;
    to->db = fc_strdup(from->db);
    to->table = fc_strdup(from->table);
    to->columns = columns;
    to->create_sql = NULL;
}

void fc_derived_release(struct fc_shape *shape)
{
    union {
        const struct fc_column *borrowed;
        struct fc_column *owned;
    } columns = { shape->columns };
    for (uint32_t index = 0; index < shape->column_count; index++) {
        fc_derived_free_column(&columns.owned[index]);
    }
    free(columns.owned);
    free_text(shape->db);
    free_text(shape->table);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_column(const struct fc_column *a, const struct fc_column *b)
{
    if (a->type != b->type || a->nullable != b->nullable || a->is_unsigned != b->is_unsigned ||
        a->bits != b->bits || a->length != b->length || a->precision != b->precision ||
        a->scale != b->scale || a->key_index != b->key_index ||
        a->label_count != b->label_count || !same_text(a->name, b->name) ||
        !same_text(a->native_type, b->native_type) || !same_text(a->charset, b->charset)) {
        return false;
    }
    for (uint16_t label = 0; label < a->label_count; label++) {
        if (strcmp(a->labels[label], b->labels[label]) != 0) {
            return false;
        }
    }
    return true;
}

bool fc_derived_same(const struct fc_shape *a, const struct fc_shape *b)
{
    if (a->column_count != b->column_count || a->key_count != b->key_count ||
        strcmp(a->table, b->table) != 0 || strcmp(a->db, b->db) != 0) {
        return false;
    }
    for (uint32_t index = 0; index < a->column_count; index++) {
        if (!same_column(&a->columns[index], &b->columns[index])) {
            return false;
        }
    }
    return true;
}
