/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/row_form.h"

#include <stdlib.h>

#include <xxhash.h>

#include "core/base/alloc.h"

uint64_t fc_row_text_hash(struct fc_slice text)
{
    return XXH3_64bits(text.data, text.len);
}

/* Whether equal values of both columns have equal text. */
static bool same_form(const struct fc_column *a, const struct fc_column *b)
{
    return a->type == b->type && a->is_unsigned == b->is_unsigned && a->scale == b->scale &&
           a->precision == b->precision &&
           (a->length == b->length || (a->type != FC_TYPE_BIT && a->type != FC_TYPE_BYTES));
}

static bool is_plain(const struct fc_projection *projection, const struct fc_schema *newest)
{
    const struct fc_shape *own = projection->schema->shape;
    bool plain = projection->schema->mode == newest->mode &&
                 own->column_count == newest->shape->column_count &&
                 projection->shape.column_count == own->column_count;
    for (uint32_t index = 0; plain && index < own->column_count; index++) {
        const struct fc_column *a = &own->columns[index];
        const struct fc_column *b = &newest->shape->columns[index];
        plain = projection->from[index] == index && strcmp(a->name, b->name) == 0 &&
                same_form(a, b);
    }
    return plain;
}

static void compared_init(struct fc_compared *compared, const struct fc_schema *newest)
{
    compared->shape = *newest->shape;
    compared->shape_columns = fc_new_array(struct fc_column, newest->shape->column_count + 1);
    compared->shape.columns = compared->shape_columns;
    compared->shape.column_count = 0;
    compared->columns = fc_new_array(uint32_t, newest->shape->column_count + 1);
}

static void compared_add(struct fc_compared *compared, const struct fc_schema *newest,
                         uint32_t column)
{
    compared->shape_columns[compared->shape.column_count] = newest->shape->columns[column];
    compared->columns[compared->shape.column_count++] = column;
}

static void compared_release(struct fc_compared *compared)
{
    free(compared->shape_columns);
    free(compared->columns);
}

static void form_init(struct fc_row_form *form, const struct fc_versions *versions,
                      uint32_t index, const struct fc_schema *newest)
{
    const struct fc_projection *projection = &form->projection;
    fc_projection_init(&form->projection, versions, index);
    form->decoder = fc_row_decoder_new(projection->schema);
    form->plain = is_plain(projection, newest);
    if (form->plain) {
        return;
    }
    compared_init(&form->compared, newest);
    form->compared_from = fc_new_array(uint32_t, newest->shape->column_count + 1);
    for (uint32_t at = 0; at < projection->shape.column_count; at++) {
        uint32_t to = projection->to[at];
        if (projection->schema->mode == newest->mode &&
            same_form(&projection->shape.columns[at], &newest->shape->columns[to])) {
            form->compared_from[form->compared.shape.column_count] = projection->from[at];
            compared_add(&form->compared, newest, to);
        }
    }
}

/* Whether the form's rows are compared by this column of the newest. */
static bool compares(const struct fc_row_form *form, uint32_t column)
{
    for (uint32_t index = 0; !form->plain && index < form->compared.shape.column_count;
         index++) {
        if (form->compared.columns[index] == column) {
            return true;
        }
    }
    return form->plain;
}

static void find_common(struct fc_row_forms *forms)
{
    compared_init(&forms->common, forms->newest);
    for (uint32_t column = 0; column < forms->newest->shape->column_count; column++) {
        bool everywhere = true;
        for (uint32_t index = 0; index < forms->count; index++) {
            everywhere = everywhere && compares(&forms->items[index], column);
        }
        if (everywhere) {
            compared_add(&forms->common, forms->newest, column);
        }
    }
}

/* What an older form compares becomes what all compare. */
static void use_common(struct fc_row_forms *forms, struct fc_row_form *form)
{
    uint32_t kept = 0;
    for (uint32_t index = 0; !form->plain && index < form->compared.shape.column_count;
         index++) {
        for (uint32_t at = 0; at < forms->common.shape.column_count; at++) {
            if (forms->common.columns[at] == form->compared.columns[index]) {
                form->compared_from[kept++] = form->compared_from[index];
            }
        }
    }
}

struct fc_row_forms *fc_row_forms_new(const struct fc_versions *versions)
{
    struct fc_row_forms *forms = fc_new(struct fc_row_forms);
    bool all_plain = true;
    forms->newest = fc_versions_newest(versions);
    forms->count = versions->count;
    forms->keyed = forms->newest->shape->key_count > 0;
    forms->items = fc_new_array(struct fc_row_form, versions->count);
    for (uint32_t index = 0; index < versions->count; index++) {
        form_init(&forms->items[index], versions, index, forms->newest);
        all_plain = all_plain && forms->items[index].plain;
    }
    forms->by_common = !forms->keyed && !all_plain;
    find_common(forms);
    for (uint32_t index = 0; forms->by_common && index < forms->count; index++) {
        use_common(forms, &forms->items[index]);
    }
    return forms;
}

void fc_row_forms_free(struct fc_row_forms *forms)
{
    if (forms != NULL) {
        for (uint32_t index = 0; index < forms->count; index++) {
            fc_projection_release(&forms->items[index].projection);
            fc_row_decoder_free(forms->items[index].decoder);
            compared_release(&forms->items[index].compared);
            free(forms->items[index].compared_from);
        }
        compared_release(&forms->common);
        free(forms->items);
        free(forms);
    }
}

uint64_t fc_row_hash(struct fc_envelope *envelope, const struct fc_shape *shape,
                     const struct fc_compared *compared, const struct fc_value *row,
                     struct fc_value *picked, struct fc_buf *scratch)
{
    fc_buf_clear(scratch);
    if (compared == NULL) {
        fc_envelope_row(envelope, shape, row, scratch);
    } else {
        for (uint32_t index = 0; index < compared->shape.column_count; index++) {
            picked[index] = row[compared->columns[index]];
        }
        fc_envelope_row(envelope, &compared->shape, picked, scratch);
    }
    return fc_row_text_hash(fc_buf_slice(scratch));
}
