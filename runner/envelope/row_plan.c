/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/envelope/row_plan.h"

#include <stdlib.h>

#include "catalog/shape.h"
#include "core/base/alloc.h"

/* A quoted text needs this much at most; "," or "{" and ":" besides. */
static size_t fragment_room(const char *name)
{
    return strlen(name) * FC_JSON_ESCAPE_MAX + 4;
}

static char *put_name(char *at, const char *name)
{
    return fc_json_put_string(at, fc_slice_text(name));
}

/* Columns must be in order; the first fragment opens the object. */
static char *put_fragments(char *at, struct fc_plan_object *object,
                           const struct fc_shape *shape, fc_envelope_mode mode)
{
    object->fixed = 2; /* its braces, when there is no member */
    for (uint32_t place = 0; place < object->count; place++) {
        struct fc_plan_column *to = &object->columns[place];
        const struct fc_column *column = &shape->columns[to->index];
        to->fragment = at;
        *at++ = place == 0 ? '{' : ',';
        at = put_name(at, column->name);
        *at++ = ':';
        to->fragment_len = (uint32_t)(at - to->fragment);
        to->form = fc_value_form_of(column, mode);
        object->fixed += to->fragment_len + FC_VALUE_ROOM;
    }
    return at;
}

/* Key columns by their place in the key; a shape made of some columns of another has gaps. */
static void add_key_column(struct fc_plan_object *key, const struct fc_shape *shape,
                           uint32_t index)
{
    uint32_t place = key->count++;
    while (place > 0 && shape->columns[key->columns[place - 1].index].key_index >
                            shape->columns[index].key_index) {
        key->columns[place].index = key->columns[place - 1].index;
        place--;
    }
    key->columns[place].index = index;
}

static void choose_columns(struct fc_row_plan *plan)
{
    const struct fc_shape *shape = plan->shape;
    plan->row.count = shape->column_count;
    plan->row.columns = fc_new_array(struct fc_plan_column, shape->column_count);
    plan->key.columns = fc_new_array(struct fc_plan_column, shape->column_count);
    for (uint32_t index = 0; index < shape->column_count; index++) {
        plan->row.columns[index].index = index;
        if (shape->columns[index].key_index > 0) {
            add_key_column(&plan->key, shape, index);
        }
    }
}

struct fc_row_plan *fc_row_plan_new(const struct fc_shape *shape, fc_envelope_mode mode)
{
    struct fc_row_plan *plan = fc_new(struct fc_row_plan);
    size_t room = fragment_room(shape->db) + fragment_room(shape->table) + FC_JSON_SLACK;
    char *at;
    plan->shape = fc_shape_copy(shape);
    choose_columns(plan);
    for (uint32_t index = 0; index < shape->column_count; index++) {
        room += 2 * fragment_room(shape->columns[index].name);
    }
    plan->texts = fc_new_array(char, room);
    at = put_fragments(plan->texts, &plan->row, plan->shape, mode);
    at = put_fragments(at, &plan->key, plan->shape, mode);
    plan->db.data = (const uint8_t *)at;
    at = put_name(at, shape->db);
    plan->db.len = (size_t)((const uint8_t *)at - plan->db.data);
    plan->table.data = (const uint8_t *)at;
    at = put_name(at, shape->table);
    plan->table.len = (size_t)((const uint8_t *)at - plan->table.data);
    return plan;
}

void fc_row_plan_free(struct fc_row_plan *plan)
{
    if (plan != NULL) {
        free(plan->row.columns);
        free(plan->key.columns);
        free(plan->texts);
        free(plan->shape);
        free(plan);
    }
}

size_t fc_plan_object_bound(const struct fc_plan_object *object, const struct fc_value *row)
{
    size_t room = object->fixed;
    for (uint32_t place = 0; place < object->count; place++) {
        const struct fc_plan_column *column = &object->columns[place];
        room += fc_value_bound(column->form, &row[column->index]);
    }
    return room;
}

char *fc_plan_object_put(char *at, const struct fc_plan_object *object,
                         const struct fc_value *row, struct fc_civil_day *day, const char *base,
                         struct fc_mark *out_marks)
{
    if (object->count == 0) {
        *at++ = '{';
    }
    for (uint32_t place = 0; place < object->count; place++) {
        const struct fc_plan_column *column = &object->columns[place];
        out_marks[place].at = (uint32_t)(at - base);
        out_marks[place].like = FC_MARK_NONE;
        at = fc_json_put_fragment(at, column->fragment, column->fragment_len);
        at = fc_value_put(at, column->form, &row[column->index], day);
    }
    *at++ = '}';
    return at;
}
