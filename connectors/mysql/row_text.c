/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/row_text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "connectors/mysql/session.h"

enum {
    NUMBER_TEXT_MAX = 400, /* a double in positional notation */
    US_PER_SECOND = 1000000,
    SECONDS_PER_DAY = 86400
};

void fc_row_text_select_list(struct fc_buf *sql, const struct fc_shape *shape)
{
    for (uint32_t index = 0; index < shape->column_count; index++) {
        const struct fc_column *column = &shape->columns[index];
        if (index > 0) {
            fc_buf_append_u8(sql, ',');
        }
        fc_session_append_name(sql, column->name);
        if (column->type == FC_TYPE_FLOAT || column->type == FC_TYPE_DOUBLE) {
            /* As a plain column it would be rounded to 6 digits, or to those of FLOAT(m,d). The
             * factor keeps even -0. */
            fc_buf_append_text(sql, "*1E0");
        }
    }
}

static bool read_digits(const char **at, const char *end, size_t count, int64_t *out_number)
{
    int64_t number = 0;
    if ((size_t)(end - *at) < count) {
        return false;
    }
    for (size_t index = 0; index < count; index++) {
        char digit = (*at)[index];
        if (digit < '0' || digit > '9') {
            return false;
        }
        number = number * 10 + (digit - '0');
    }
    *at += count;
    *out_number = number;
    return true;
}

static bool read_char(const char **at, const char *end, char wanted)
{
    if (*at == end || **at != wanted) {
        return false;
    }
    (*at)++;
    return true;
}

/* ".5" is 500000 microseconds; nothing there is 0. */
static bool read_fraction(const char **at, const char *end, int64_t *out_us)
{
    int64_t scale = US_PER_SECOND;
    *out_us = 0;
    if (*at == end) {
        return true;
    }
    if (!read_char(at, end, '.')) {
        return false;
    }
    for (; *at < end && scale > 1; (*at)++) {
        if (**at < '0' || **at > '9') {
            return false;
        }
        scale /= 10;
        *out_us += (**at - '0') * scale;
    }
    return *at == end;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar, by eras of 400 years from March 1,
 * year 0. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t shifted = month <= 2 ? year - 1 : year;
    int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    int64_t year_of_era = shifted - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static bool is_real_day(int64_t year, int64_t month, int64_t day)
{
    static const int64_t lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month >= 1 && month <= 12 && day >= 1 &&
           day <= lengths[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* out_real is false for zero and invalid dates, which stay text. */
static bool read_date(const char **at, const char *end, int64_t *out_days, bool *out_real)
{
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    if (!read_digits(at, end, 4, &year) || !read_char(at, end, '-') ||
        !read_digits(at, end, 2, &month) || !read_char(at, end, '-') ||
        !read_digits(at, end, 2, &day)) {
        return false;
    }
    *out_real = is_real_day(year, month, day);
    *out_days = *out_real ? days_of(year, month, day) : 0;
    return true;
}

static bool read_clock(const char **at, const char *end, size_t hour_digits, int64_t *out_us)
{
    int64_t hours = 0;
    int64_t minutes = 0;
    int64_t seconds = 0;
    int64_t fraction = 0;
    if (!read_digits(at, end, hour_digits, &hours) || !read_char(at, end, ':') ||
        !read_digits(at, end, 2, &minutes) || !read_char(at, end, ':') ||
        !read_digits(at, end, 2, &seconds) || !read_fraction(at, end, &fraction)) {
        return false;
    }
    *out_us = ((hours * 60 + minutes) * 60 + seconds) * US_PER_SECOND + fraction;
    return true;
}

static void set_int(struct fc_value *value, int64_t number)
{
    value->kind = FC_VALUE_INT;
    value->as.i64 = number;
}

static bool decode_date(struct fc_slice text, struct fc_value *value)
{
    const char *at = (const char *)text.data;
    int64_t days = 0;
    bool real = false;
    if (!read_date(&at, at + text.len, &days, &real) ||
        at != (const char *)text.data + text.len) {
        return false;
    }
    if (real) {
        set_int(value, days);
    }
    return true;
}

static bool decode_datetime(struct fc_slice text, struct fc_value *value)
{
    const char *at = (const char *)text.data;
    const char *end = at + text.len;
    int64_t days = 0;
    int64_t us = 0;
    bool real = false;
    if (!read_date(&at, end, &days, &real) || !read_char(&at, end, ' ') ||
        !read_clock(&at, end, 2, &us)) {
        return false;
    }
    if (real) {
        set_int(value, days * SECONDS_PER_DAY * US_PER_SECOND + us);
    }
    return true;
}

static bool decode_time(struct fc_slice text, struct fc_value *value)
{
    const char *at = (const char *)text.data;
    const char *end = at + text.len;
    const char *colon;
    int64_t us = 0;
    bool negative = read_char(&at, end, '-');
    colon = memchr(at, ':', (size_t)(end - at));
    if (colon == NULL || colon - at > 3 || !read_clock(&at, end, (size_t)(colon - at), &us)) {
        return false;
    }
    set_int(value, negative ? -us : us);
    return true;
}

static bool decode_int(const struct fc_column *column, struct fc_slice text,
                       struct fc_value *value)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    uint64_t number = 0;
    size_t index = negative ? 1 : 0;
    if (index == text.len) {
        return false;
    }
    for (; index < text.len; index++) {
        unsigned digit = (unsigned)text.data[index] - '0';
        if (digit > 9 || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, digit, &number)) {
            return false;
        }
    }
    if (column->is_unsigned && column->type == FC_TYPE_INT) {
        value->kind = FC_VALUE_UINT;
        value->as.u64 = number;
        return !negative;
    }
    set_int(value, negative ? (int64_t)(0 - number) : (int64_t)number);
    return true;
}

static bool decode_real(const struct fc_column *column, struct fc_slice text,
                        struct fc_value *value)
{
    char copy[NUMBER_TEXT_MAX];
    char *end = NULL;
    double number;
    if (text.len == 0 || text.len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    number = strtod(copy, &end);
    if (column->type == FC_TYPE_FLOAT) {
        value->kind = FC_VALUE_FLOAT;
        value->as.f32 = (float)number;
    } else {
        value->kind = FC_VALUE_DOUBLE;
        value->as.f64 = number;
    }
    return *end == '\0';
}

/* ZEROFILL shows zeros that are not in the value. */
static void strip_zeros(struct fc_slice *text)
{
    while (text->len > 1 && text->data[0] == '0' && text->data[1] != '.') {
        text->data++;
        text->len--;
    }
}

static void reverse(uint8_t *to, struct fc_slice from)
{
    for (size_t index = 0; index < from.len; index++) {
        to[index] = from.data[from.len - 1 - index];
    }
}

/* The server writes a space after each comma and colon; returns the length without them. */
static size_t compact_json(char *to, struct fc_slice text)
{
    size_t len = 0;
    bool in_string = false;
    for (size_t index = 0; index < text.len; index++) {
        char byte = (char)text.data[index];
        if (in_string) {
            to[len++] = byte;
            if (byte == '\\' && index + 1 < text.len) {
                to[len++] = (char)text.data[++index];
            } else if (byte == '"') {
                in_string = false;
            }
        } else if (byte != ' ') {
            to[len++] = byte;
            in_string = byte == '"';
        }
    }
    return len;
}

/* Put the field's bytes to `to`, in the form of its type. */
static void decode_bytes(const struct fc_column *column, struct fc_slice field, uint8_t *to,
                         struct fc_value *value)
{
    size_t len = field.len;
    switch (column->type) {
    case FC_TYPE_BIT:
        reverse(to, field);
        break;
    case FC_TYPE_JSON:
        len = compact_json((char *)to, field);
        break;
    case FC_TYPE_DECIMAL:
        if (field.len > 0 && field.data[0] != '-') {
            strip_zeros(&field);
            len = field.len;
        }
        memcpy(to, field.data, len);
        break;
    default:
        if (len > 0) {
            memcpy(to, field.data, len);
        }
        break;
    }
    value->kind = column->type == FC_TYPE_BYTES || column->type == FC_TYPE_BIT ||
                          column->type == FC_TYPE_GEOMETRY || column->type == FC_TYPE_VECTOR
                      ? FC_VALUE_BYTES
                      : FC_VALUE_TEXT;
    value->as.bytes = fc_slice_of(to, len);
}

/* A value without bytes of its own. Leaves it FC_VALUE_NULL when it needs bytes after all. */
static bool decode_number(const struct fc_column *column, struct fc_slice field,
                          struct fc_value *value)
{
    switch (column->type) {
    case FC_TYPE_INT:
    case FC_TYPE_YEAR:
        return decode_int(column, field, value);
    case FC_TYPE_FLOAT:
    case FC_TYPE_DOUBLE:
        return decode_real(column, field, value);
    case FC_TYPE_DATE:
        return decode_date(field, value);
    case FC_TYPE_TIME:
        return decode_time(field, value);
    case FC_TYPE_DATETIME:
    case FC_TYPE_TIMESTAMP:
        return decode_datetime(field, value);
    default:
        return true;
    }
}

fc_code fc_row_text_decode(const struct fc_shape *shape, const struct fc_slice *fields,
                           const struct fc_host *host, struct fc_batch *batch,
                           struct fc_value *out_values, struct fc_error *err)
{
    size_t bytes = 0;
    uint8_t *to;
    for (uint32_t index = 0; index < shape->column_count; index++) {
        struct fc_value *value = &out_values[index];
        value->kind = FC_VALUE_NULL;
        value->as.u64 = 0;
        if (fc_slice_is_null(fields[index])) {
            continue;
        }
        if (!decode_number(&shape->columns[index], fields[index], value)) {
            return fc_fail(err, FC_ERR_PROTOCOL, "%s.%s: column %s holds what is no %s",
                           shape->db, shape->table, shape->columns[index].name,
                           shape->columns[index].native_type);
        }
        if (value->kind == FC_VALUE_NULL) {
            bytes += fields[index].len;
        }
    }
    to = (uint8_t *)host->batch_alloc(batch, bytes + 1);
    if (to == NULL) {
        return fc_fail(err, FC_ERR_NOMEM, "a row of %s.%s does not fit into a batch", shape->db,
                       shape->table);
    }
    for (uint32_t index = 0; index < shape->column_count; index++) {
        if (!fc_slice_is_null(fields[index]) && out_values[index].kind == FC_VALUE_NULL) {
            decode_bytes(&shape->columns[index], fields[index], to, &out_values[index]);
            to += fields[index].len;
        }
    }
    return FC_OK;
}
