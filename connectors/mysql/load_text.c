/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers are printed so that they read back as the same bits; a FLOAT as the double that equals
 * it, because nine digits of the largest one are already out of range. The server's ENUM error
 * value has no label: "0" stands for it, with as many zeros as no label has. A LOAD DATA with
 * a SET clause forgets that an AUTO_INCREMENT column was given, so 0 would become the next
 * number; therefore that column goes through SET, too.
 */
#include "connectors/mysql/load_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "connectors/mysql/session.h"
#include "core/base/alloc.h"
#include "core/base/format.h"

enum {
    SCALAR_SIZE_MAX = 40, /* the longest number, date or keyword with its quotes */
    VALUE_SIZE_EXTRA = 8, /* quotes and separator around text or digits */
    DAYS_MIN = -719528,   /* 0000-01-01 */
    DAYS_MAX = 2932896    /* 9999-12-31 */
};

static const int64_t us_per_s = 1000000;
static const int64_t us_per_day = 86400 * (int64_t)1000000;

typedef enum form {
    FORM_PLAIN, /* what the value's kind says */
    FORM_HEX,
    FORM_BIT, /* hexadecimal, bytes in reverse */
    FORM_YEAR,
    FORM_DATE,
    FORM_TIME,
    FORM_DATETIME,
    FORM_ENUM
} form;

struct fc_load_column {
    uint32_t index; /* in the shape */
    form form;
    unsigned digits;      /* of a second's fraction */
    bool through_set;     /* FC_LOAD_FILE: a user variable, assigned by SET */
    char enum_zero[8];    /* what stands for the error value */
    bool enum_zero_label; /* "" is a label, no error value */
};

static form form_of(fc_type type)
{
    switch (type) {
    case FC_TYPE_BYTES:
    case FC_TYPE_GEOMETRY:
    case FC_TYPE_VECTOR:
        return FORM_HEX;
    case FC_TYPE_BIT:
        return FORM_BIT;
    case FC_TYPE_YEAR:
        return FORM_YEAR;
    case FC_TYPE_DATE:
        return FORM_DATE;
    case FC_TYPE_TIME:
        return FORM_TIME;
    case FC_TYPE_DATETIME:
    case FC_TYPE_TIMESTAMP:
        return FORM_DATETIME;
    case FC_TYPE_ENUM:
        return FORM_ENUM;
    case FC_TYPE_INT:
    case FC_TYPE_FLOAT:
    case FC_TYPE_DOUBLE:
    case FC_TYPE_DECIMAL:
    case FC_TYPE_TEXT:
    case FC_TYPE_SET:
    case FC_TYPE_JSON:
    case FC_TYPE_UUID:
        return FORM_PLAIN;
    }
    return FORM_PLAIN;
}

static bool has_label(const struct fc_column *column, const char *label)
{
    for (uint32_t index = 0; index < column->label_count; index++) {
        if (strcmp(column->labels[index], label) == 0) {
            return true;
        }
    }
    return false;
}

static void choose_enum_zero(struct fc_load_column *to, const struct fc_column *column)
{
    to->enum_zero_label = has_label(column, "");
    for (size_t count = 1; count < 6; count++) { /* servers read at most five digits */
        memset(to->enum_zero, '0', count);
        to->enum_zero[count] = '\0';
        if (!has_label(column, to->enum_zero)) {
            return;
        }
    }
}

static bool is_generated(const struct fc_load_table *table, const char *name)
{
    for (uint32_t index = 0; index < table->generated_count; index++) {
        if (strcasecmp(table->generated[index], name) == 0) {
            return true;
        }
    }
    return false;
}

fc_code fc_load_text_init(struct fc_load_text *text, const struct fc_shape *shape,
                          fc_load_style style, const struct fc_load_table *table,
                          struct fc_error *err)
{
    bool any_set = false;
    memset(text, 0, sizeof(*text));
    text->shape = shape;
    text->style = style;
    text->columns = fc_new_array(struct fc_load_column, shape->column_count + 1U);
    for (uint32_t index = 0; index < shape->column_count; index++) {
        const struct fc_column *column = &shape->columns[index];
        struct fc_load_column *to = &text->columns[text->column_count];
        if (is_generated(table, column->name)) {
            continue;
        }
        text->column_count++;
        to->index = index;
        to->form = form_of(column->type);
        to->digits = column->precision <= 6 ? column->precision : 6;
        to->through_set = to->form == FORM_HEX || to->form == FORM_BIT;
        any_set |= to->through_set;
        if (to->form == FORM_ENUM) {
            choose_enum_zero(to, column);
        }
    }
    for (uint32_t index = 0; index < text->column_count && any_set; index++) {
        struct fc_load_column *column = &text->columns[index];
        const char *name = shape->columns[column->index].name;
        column->through_set |= table->counter != NULL && strcasecmp(name, table->counter) == 0;
    }
    if (text->column_count == 0) {
        fc_load_text_release(text);
        return fc_fail(err, FC_ERR_CONFIG, "%s.%s: all columns are generated ones", shape->db,
                       shape->table);
    }
    return FC_OK;
}

void fc_load_text_release(struct fc_load_text *text)
{
    free(text->columns);
    memset(text, 0, sizeof(*text));
}

void fc_load_text_append_columns(const struct fc_load_text *text, struct fc_buf *sql)
{
    bool any_set = false;
    for (uint32_t index = 0; index < text->column_count; index++) {
        const struct fc_load_column *column = &text->columns[index];
        fc_buf_append_u8(sql, index == 0 ? '(' : ',');
        if (text->style == FC_LOAD_FILE && column->through_set) {
            fc_buf_append_fmt(sql, "@v%" PRIu32, column->index);
        } else {
            fc_session_append_name(sql, text->shape->columns[column->index].name);
        }
    }
    fc_buf_append_u8(sql, ')');
    for (uint32_t index = 0; index < text->column_count; index++) {
        const struct fc_load_column *column = &text->columns[index];
        bool digits = column->form == FORM_HEX || column->form == FORM_BIT;
        if (text->style == FC_LOAD_FILE && column->through_set) {
            fc_buf_append_text(sql, any_set ? "," : " SET ");
            fc_session_append_name(sql, text->shape->columns[column->index].name);
            fc_buf_append_fmt(sql, digits ? "=UNHEX(@v%" PRIu32 ")" : "=@v%" PRIu32,
                              column->index);
            any_set = true;
        }
    }
}

static char *put(char *to, const char *text, size_t len)
{
    memcpy(to, text, len);
    return to + len;
}

static char *put_padded(char *to, uint32_t value, unsigned width)
{
    fc_format_padded(to, value, width);
    return to + width;
}

/* Year, month and day of a day number since 1970-01-01, in the proleptic Gregorian calendar. */
static char *put_date(char *to, int64_t days)
{
    /* Count from 0000-03-01, so that the leap day is a year's last; 146097 days are 400 years. */
    uint32_t day = (uint32_t)(days + 719468 + 146097);
    uint32_t era = day / 146097;
    uint32_t day_of_era = day % 146097;
    uint32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t shifted = (5 * day_of_year + 2) / 153; /* month, 0 is March */
    uint32_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    uint32_t year = year_of_era + era * 400 - 400 + (month <= 2 ? 1 : 0);
    to = put_padded(to, year, 4);
    *to++ = '-';
    to = put_padded(to, month, 2);
    *to++ = '-';
    return put_padded(to, day_of_year - (153 * shifted + 2) / 5 + 1, 2);
}

/* us is not negative; hours may have more than two digits. */
static char *put_clock(char *to, uint64_t us, unsigned digits)
{
    static const uint32_t powers[7] = { 1, 10, 100, 1000, 10000, 100000, 1000000 };
    uint32_t fraction = (uint32_t)(us % (uint64_t)us_per_s);
    uint64_t seconds = us / (uint64_t)us_per_s;
    uint64_t hours = seconds / 3600;
    if (hours < 100) {
        to = put_padded(to, (uint32_t)hours, 2);
    } else {
        to += fc_format_u64(to, hours);
    }
    *to++ = ':';
    to = put_padded(to, (uint32_t)(seconds / 60 % 60), 2);
    *to++ = ':';
    to = put_padded(to, (uint32_t)(seconds % 60), 2);
    if (fraction % powers[6 - digits] != 0) {
        digits = 6; /* let the server say that it does not fit */
    }
    if (digits > 0) {
        *to++ = '.';
        to = put_padded(to, fraction / powers[6 - digits], digits);
    }
    return to;
}

/* NULL when the number is out of the form's range. */
static char *put_int(char *to, const struct fc_load_column *column, int64_t value)
{
    int64_t days = value;
    switch (column->form) {
    case FORM_YEAR:
        return value < 0 || value > 9999 ? NULL : put_padded(to, (uint32_t)value, 4);
    case FORM_DATE:
        return days < DAYS_MIN || days > DAYS_MAX ? NULL : put_date(to, days);
    case FORM_DATETIME:
        days = value / us_per_day - (value % us_per_day < 0 ? 1 : 0);
        if (days < DAYS_MIN || days > DAYS_MAX) {
            return NULL;
        }
        to = put_date(to, days);
        *to++ = ' ';
        return put_clock(to, (uint64_t)(value - days * us_per_day), column->digits);
    case FORM_TIME:
        if (value < 0) {
            *to++ = '-';
        }
        return put_clock(to, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, column->digits);
    case FORM_PLAIN:
    case FORM_HEX:
    case FORM_BIT:
    case FORM_ENUM:
        break;
    }
    return to + fc_format_i64(to, value);
}

static char *put_double(char *to, double value)
{
    int len = snprintf(to, SCALAR_SIZE_MAX, "%.17g", value);
    return to + len;
}

static char *put_hex(char *to, struct fc_slice bytes, bool reverse)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t index = 0; index < bytes.len; index++) {
        uint8_t byte = bytes.data[reverse ? bytes.len - 1 - index : index];
        *to++ = digits[byte >> 4];
        *to++ = digits[byte & 15];
    }
    return to;
}

/* What follows the backslash; 0 where a byte stands for itself. */
static const char file_escapes[256] = {
    ['\0'] = '0', ['\t'] = 't', ['\n'] = 'n', ['\r'] = 'r', ['\\'] = '\\'
};
static const char values_escapes[256] = { ['\0'] = '0', ['\''] = '\'', ['\\'] = '\\' };

static char *put_escaped(char *to, struct fc_slice text, const char *escapes)
{
    for (size_t index = 0; index < text.len; index++) {
        char escape = escapes[text.data[index]];
        if (__builtin_expect(escape != 0, 0)) {
            *to++ = '\\';
            *to++ = escape;
        } else {
            *to++ = (char)text.data[index];
        }
    }
    return to;
}

static char *put_text(char *to, struct fc_load_text *text, const struct fc_load_column *column,
                      struct fc_slice value)
{
    bool quoted = text->style == FC_LOAD_VALUES;
    if (column->form == FORM_ENUM && value.len == 0 && !column->enum_zero_label) {
        value = fc_slice_text(column->enum_zero);
        text->enum_errors++;
    }
    if (quoted) {
        *to++ = '\'';
    }
    to = put_escaped(to, value, quoted ? values_escapes : file_escapes);
    if (quoted) {
        *to++ = '\'';
    }
    return to;
}

static char *put_bytes(char *to, const struct fc_load_text *text,
                       const struct fc_load_column *column, struct fc_slice value)
{
    bool quoted = text->style == FC_LOAD_VALUES;
    if (quoted) {
        to = put(to, "x'", 2);
    }
    to = put_hex(to, value, column->form == FORM_BIT);
    if (quoted) {
        *to++ = '\'';
    }
    return to;
}

/* NULL when the value does not fit the column. */
static char *put_value(char *to, struct fc_load_text *text, const struct fc_load_column *column,
                       const struct fc_value *value)
{
    bool digits = column->form == FORM_HEX || column->form == FORM_BIT;
    bool quoted = text->style == FC_LOAD_VALUES && column->form >= FORM_YEAR;
    switch (value->kind) {
    case FC_VALUE_NULL:
        return text->style == FC_LOAD_FILE ? put(to, "\\N", 2) : put(to, "NULL", 4);
    case FC_VALUE_UNCHANGED:
        return NULL;
    case FC_VALUE_INT:
        if (quoted) {
            *to++ = '\'';
        }
        to = digits ? NULL : put_int(to, column, value->as.i64);
        if (quoted && to != NULL) {
            *to++ = '\'';
        }
        return to;
    case FC_VALUE_UINT:
        return digits ? NULL : to + fc_format_u64(to, value->as.u64);
    case FC_VALUE_FLOAT:
        return digits ? NULL : put_double(to, (double)value->as.f32);
    case FC_VALUE_DOUBLE:
        return digits ? NULL : put_double(to, value->as.f64);
    case FC_VALUE_TEXT:
        return digits ? put_bytes(to, text, column, value->as.bytes)
                      : put_text(to, text, column, value->as.bytes);
    case FC_VALUE_BYTES:
        return digits ? put_bytes(to, text, column, value->as.bytes) : NULL;
    }
    return NULL;
}

static size_t row_size_max(const struct fc_load_text *text, const struct fc_value *values)
{
    size_t size = 4;
    for (uint32_t index = 0; index < text->column_count; index++) {
        const struct fc_value *value = &values[text->columns[index].index];
        bool sized = value->kind == FC_VALUE_TEXT || value->kind == FC_VALUE_BYTES;
        size += sized ? 2 * value->as.bytes.len + VALUE_SIZE_EXTRA : SCALAR_SIZE_MAX;
    }
    return size;
}

static fc_code reject(const struct fc_load_text *text, const struct fc_load_column *column,
                      const struct fc_value *value, struct fc_error *err)
{
    const struct fc_shape *shape = text->shape;
    return fc_fail(err, FC_ERR_REJECTED, "%s.%s: column %s: %s", shape->db, shape->table,
                   shape->columns[column->index].name,
                   value->kind == FC_VALUE_UNCHANGED
                       ? "its value is not known (the source did not send it)"
                       : "the value does not fit the column's type");
}

fc_code fc_load_text_append_row(struct fc_load_text *text, const struct fc_value *values,
                                struct fc_buf *out, struct fc_error *err)
{
    size_t size_max = row_size_max(text, values);
    uint64_t enum_errors = text->enum_errors;
    char *start = (char *)fc_buf_reserve(out, size_max);
    char *to = start;
    if (to == NULL) {
        return fc_buf_check(out, "a row's text", err);
    }
    if (text->style == FC_LOAD_VALUES) {
        *to++ = '(';
    }
    for (uint32_t index = 0; index < text->column_count; index++) {
        const struct fc_load_column *column = &text->columns[index];
        if (index > 0) {
            *to++ = text->style == FC_LOAD_FILE ? '\t' : ',';
        }
        to = put_value(to, text, column, &values[column->index]);
        if (to == NULL) {
            text->enum_errors = enum_errors;
            return reject(text, column, &values[column->index], err);
        }
    }
    *to++ = text->style == FC_LOAD_FILE ? '\n' : ')';
    out->len += (size_t)(to - start);
    return FC_OK;
}
