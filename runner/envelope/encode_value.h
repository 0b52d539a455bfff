/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One column's value as JSON.
 *
 * How a column is written follows from its type and the envelope's mode, and is worked out once
 * as a struct fc_value_form. A value whose kind is not its column's (a transform put a text
 * into a number's place) is written as what it is.
 */
#ifndef FC_RUNNER_ENCODE_VALUE_H
#define FC_RUNNER_ENCODE_VALUE_H

#include "catalog/schema.h"
#include "runner/envelope/civil.h"
#include "runner/envelope/json_write.h"

typedef enum fc_form {
    FC_FORM_PLAIN,    /* numbers as numbers, texts as strings, bytes as base64 */
    FC_FORM_BASE64,   /* texts too */
    FC_FORM_BOOL,     /* BIT(1) */
    FC_FORM_LONG,     /* BIGINT UNSIGNED as a signed number */
    FC_FORM_UNSCALED, /* DECIMAL as base64 of its unscaled number */
    FC_FORM_MILLIS,   /* microseconds as milliseconds */
    FC_FORM_MOMENT,   /* microseconds as ISO text */
    FC_FORM_GEOMETRY, /* {"wkb","srid","extensions"} */
    FC_FORM_POINT,    /* {"x","y","wkb","srid"} */
    FC_FORM_VECTOR    /* an array of float32 */
} fc_form;

/* What becomes of a text in a temporal column (a zero or invalid date). */
typedef enum fc_zero_date {
    FC_ZERO_DATE_TEXT,   /* the text itself */
    FC_ZERO_DATE_NULL,   /* null */
    FC_ZERO_DATE_NUMBER, /* 0 */
    FC_ZERO_DATE_MOMENT  /* "1970-01-01T00:00:00Z" */
} fc_zero_date;

struct fc_value_form {
    uint8_t form;      /* fc_form */
    uint8_t zero_date; /* fc_zero_date */
    uint8_t fraction_digits;
    uint8_t scale;
};

struct fc_value_form fc_value_form_of(const struct fc_column *column, fc_envelope_mode mode);

/* Room that any value needs besides what fc_value_bound says. */
enum { FC_VALUE_ROOM = 96 };

/* Room that the bytes of a value need; looks into long ones. FC_JSON_SLACK comes on top. */
size_t fc_value_bound_long(struct fc_value_form form, const struct fc_value *value);

static inline size_t fc_value_bound(struct fc_value_form form, const struct fc_value *value)
{
    if (value->kind < FC_VALUE_TEXT) {
        return 0;
    }
    return form.form < FC_FORM_GEOMETRY && value->as.bytes.len <= 2048
               ? 6 * value->as.bytes.len
               : fc_value_bound_long(form, value);
}

char *fc_value_put_any(char *at, struct fc_value_form form, const struct fc_value *value,
                       struct fc_civil_day *day);

/* Write it; returns the end. Plain numbers and texts, which most are, are written here. */
static inline char *fc_value_put(char *at, struct fc_value_form form,
                                 const struct fc_value *value, struct fc_civil_day *day)
{
    if (form.form == FC_FORM_PLAIN && form.zero_date == FC_ZERO_DATE_TEXT) {
        if (value->kind == FC_VALUE_INT) {
            return fc_json_put_i64(at, value->as.i64);
        }
        if (value->kind == FC_VALUE_TEXT && value->as.bytes.len != FC_JSON_UNAVAILABLE_LEN) {
            return fc_json_put_string(at, value->as.bytes);
        }
    }
    return fc_value_put_any(at, form, value, day);
}

#endif
