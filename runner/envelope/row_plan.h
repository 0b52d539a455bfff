/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How rows of one shape are written, worked out once: the text between values ({"id": and
 * ,"status":) ready to copy, and the form of each value.
 */
#ifndef FC_RUNNER_ROW_PLAN_H
#define FC_RUNNER_ROW_PLAN_H

#include "core/base/marks.h"
#include "runner/envelope/encode_value.h"
#include "runner/envelope/json_write.h"

struct fc_plan_column {
    const char *fragment; /* readable for FC_JSON_SLACK past its end */
    uint32_t fragment_len;
    uint32_t index; /* of the column in a row */
    struct fc_value_form form;
};

/* A JSON object with these members. */
struct fc_plan_object {
    struct fc_plan_column *columns;
    uint32_t count;
    size_t fixed; /* room for all but the bytes of the values */
};

struct fc_row_plan {
    struct fc_shape *shape; /* a copy */
    struct fc_plan_object row;
    struct fc_plan_object key;
    struct fc_slice db; /* as JSON strings, with quotes */
    struct fc_slice table;
    char *texts; /* owns all of the above */
};

struct fc_row_plan *fc_row_plan_new(const struct fc_shape *shape, fc_envelope_mode mode);
void fc_row_plan_free(struct fc_row_plan *plan); /* NULL is fine */

/* Room that the object needs for this row. FC_JSON_SLACK comes on top. */
size_t fc_plan_object_bound(const struct fc_plan_object *object, const struct fc_value *row);

/* Write the object; returns the end. out_marks: where each member begins, counted from base. */
char *fc_plan_object_put(char *at, const struct fc_plan_object *object,
                         const struct fc_value *row, struct fc_civil_day *day, const char *base,
                         struct fc_mark *out_marks);

#endif
