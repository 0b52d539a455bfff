/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/envelope/encode_value.h"

#include <strings.h>

#include "runner/envelope/base64.h"
#include "runner/envelope/encode_bytes.h"
#include "runner/envelope/json_write.h"

static fc_zero_date zero_date_of(const struct fc_column *column, fc_envelope_mode mode)
{
    if (mode == FC_ENVELOPE_EXACT) {
        return FC_ZERO_DATE_TEXT;
    }
    if (column->nullable) {
        return FC_ZERO_DATE_NULL;
    }
    return column->type == FC_TYPE_TIMESTAMP ? FC_ZERO_DATE_MOMENT : FC_ZERO_DATE_NUMBER;
}

struct fc_value_form fc_value_form_of(const struct fc_column *column, fc_envelope_mode mode)
{
    struct fc_value_form form = { FC_FORM_PLAIN, FC_ZERO_DATE_TEXT, 0, 0 };
    bool debezium = mode == FC_ENVELOPE_DEBEZIUM;
    switch (column->type) {
    case FC_TYPE_INT:
        form.form = debezium && column->is_unsigned ? FC_FORM_LONG : FC_FORM_PLAIN;
        break;
    case FC_TYPE_DECIMAL:
        form.form = debezium ? FC_FORM_UNSCALED : FC_FORM_PLAIN;
        form.scale = (uint8_t)(column->scale < 255 ? column->scale : 255);
        break;
    case FC_TYPE_BYTES:
        form.form = FC_FORM_BASE64;
        break;
    case FC_TYPE_BIT:
        form.form = column->length == 1 ? FC_FORM_BOOL : FC_FORM_BASE64;
        break;
    case FC_TYPE_DATE:
    case FC_TYPE_TIME:
        form.zero_date = (uint8_t)zero_date_of(column, mode);
        break;
    case FC_TYPE_DATETIME:
        form.form = column->precision <= 3 ? FC_FORM_MILLIS : FC_FORM_PLAIN;
        form.zero_date = (uint8_t)zero_date_of(column, mode);
        break;
    case FC_TYPE_TIMESTAMP:
        form.form = FC_FORM_MOMENT;
        form.fraction_digits = (uint8_t)(column->precision < 6 ? column->precision : 6);
        form.zero_date = (uint8_t)zero_date_of(column, mode);
        break;
    case FC_TYPE_GEOMETRY:
        form.form = column->native_type != NULL && strcasecmp(column->native_type, "point") == 0
                        ? FC_FORM_POINT
                        : FC_FORM_GEOMETRY;
        break;
    case FC_TYPE_VECTOR:
        form.form = FC_FORM_VECTOR;
        break;
    case FC_TYPE_FLOAT:
    case FC_TYPE_DOUBLE:
    case FC_TYPE_TEXT:
    case FC_TYPE_ENUM:
    case FC_TYPE_SET:
    case FC_TYPE_JSON:
    case FC_TYPE_YEAR:
    case FC_TYPE_UUID:
        break;
    }
    return form;
}

size_t fc_value_bound_long(struct fc_value_form form, const struct fc_value *value)
{
    struct fc_slice bytes = value->as.bytes;
    if (form.form >= FC_FORM_GEOMETRY) {
        return fc_bytes_bound(bytes.len);
    }
    if (value->kind == FC_VALUE_BYTES || form.form == FC_FORM_BASE64) {
        return fc_base64_size(bytes.len);
    }
    return fc_json_escaped_size(bytes.data, bytes.len);
}

static char *put_word(char *at, const char *word, size_t len)
{
    memcpy(at, word, len);
    return at + len;
}

static char *put_int(char *at, struct fc_value_form form, int64_t value,
                     struct fc_civil_day *day)
{
    if (form.form == FC_FORM_MOMENT) {
        *at++ = '"';
        at = fc_civil_put_moment(at, value, form.fraction_digits, day);
        *at++ = '"';
        return at;
    }
    if (form.form == FC_FORM_MILLIS) {
        value = value / 1000 - (value % 1000 < 0 ? 1 : 0);
    }
    return fc_json_put_i64(at, value);
}

/*
 * A text that is what stands for an unavailable value is written with its first character as an
 * escape: the same string to any reader of JSON, and not the same bytes to our decoder.
 */
static char *put_string(char *at, struct fc_slice text)
{
    if (text.len == FC_JSON_UNAVAILABLE_LEN &&
        memcmp(text.data, FC_JSON_UNAVAILABLE, FC_JSON_UNAVAILABLE_LEN) == 0) {
        return put_word(at,
                        "\"\\u005F"
                        "_debezium_unavailable_value\"",
                        FC_JSON_UNAVAILABLE_LEN + 7);
    }
    return fc_json_put_string(at, text);
}

static char *put_base64(char *at, struct fc_slice bytes)
{
    *at++ = '"';
    at = fc_base64_put(at, bytes.data, bytes.len);
    *at++ = '"';
    return at;
}

static char *put_text(char *at, struct fc_value_form form, struct fc_slice text)
{
    switch ((fc_zero_date)form.zero_date) {
    case FC_ZERO_DATE_TEXT:
        break;
    case FC_ZERO_DATE_NULL:
        return fc_json_put_null(at);
    case FC_ZERO_DATE_NUMBER:
        return put_word(at, "0", 1);
    case FC_ZERO_DATE_MOMENT:
        return put_word(at, "\"1970-01-01T00:00:00Z\"", 22);
    }
    if (form.form == FC_FORM_UNSCALED) {
        return fc_bytes_put_unscaled(at, text, form.scale);
    }
    return form.form == FC_FORM_BASE64 ? put_base64(at, text) : put_string(at, text);
}

static char *put_bytes(char *at, struct fc_value_form form, struct fc_slice bytes)
{
    if (form.form == FC_FORM_BOOL && bytes.len == 1 && bytes.data[0] <= 1) {
        return bytes.data[0] == 1 ? put_word(at, "true", 4) : put_word(at, "false", 5);
    }
    if (form.form == FC_FORM_GEOMETRY || form.form == FC_FORM_POINT) {
        return fc_bytes_put_geometry(at, bytes, form.form == FC_FORM_POINT);
    }
    return form.form == FC_FORM_VECTOR ? fc_bytes_put_vector(at, bytes) : put_base64(at, bytes);
}

char *fc_value_put_any(char *at, struct fc_value_form form, const struct fc_value *value,
                       struct fc_civil_day *day)
{
    switch (value->kind) {
    case FC_VALUE_NULL:
        return fc_json_put_null(at);
    case FC_VALUE_UNCHANGED:
        return put_word(at, "\"" FC_JSON_UNAVAILABLE "\"", FC_JSON_UNAVAILABLE_LEN + 2);
    case FC_VALUE_INT:
        return put_int(at, form, value->as.i64, day);
    case FC_VALUE_UINT:
        return form.form == FC_FORM_LONG ? fc_json_put_i64(at, (int64_t)value->as.u64)
                                         : fc_json_put_u64(at, value->as.u64);
    case FC_VALUE_FLOAT:
        return fc_json_put_float(at, value->as.f32);
    case FC_VALUE_DOUBLE:
        return fc_json_put_double(at, value->as.f64);
    case FC_VALUE_TEXT:
        return put_text(at, form, value->as.bytes);
    case FC_VALUE_BYTES:
        return put_bytes(at, form, value->as.bytes);
    }
    return fc_json_put_null(at);
}
