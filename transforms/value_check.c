/* SPDX-License-Identifier: Apache-2.0 */
#include "transforms/value_check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t day_us = 86400LL * 1000000;

bool fc_value_parse_u64(struct fc_slice text, uint64_t *out_value)
{
    uint64_t value = 0;
    for (size_t index = 0; index < text.len; index++) {
        uint64_t digit = (uint64_t)text.data[index] - '0';
        if (digit > 9 || value > UINT64_MAX / 10 || value * 10 > UINT64_MAX - digit) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out_value = value;
    return text.len > 0;
}

/* --- decimals ------------------------------------------------------------------------------ */

struct decimal_parts {
    bool negative;
    struct fc_slice whole; /* without leading zeros */
    struct fc_slice fraction;
};

static bool split_decimal(struct fc_slice text, struct decimal_parts *parts)
{
    const uint8_t *at = text.data;
    const uint8_t *end = text.data + text.len;
    const uint8_t *start;
    parts->negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) {
        at++;
    }
    start = at;
    while (at < end && isdigit(*at)) {
        at++;
    }
    if (at == start) {
        return false;
    }
    while (start < at && *start == '0') {
        start++;
    }
    parts->whole = fc_slice_of(start, (size_t)(at - start));
    parts->fraction = fc_slice_of(at, 0);
    if (at < end && *at == '.') {
        start = ++at;
        while (at < end && isdigit(*at)) {
            at++;
        }
        parts->fraction = fc_slice_of(start, (size_t)(at - start));
        if (at == start) {
            return false;
        }
    }
    return at == end;
}

static bool is_zero(const struct decimal_parts *parts)
{
    for (size_t index = 0; index < parts->fraction.len; index++) {
        if (parts->fraction.data[index] != '0') {
            return false;
        }
    }
    return parts->whole.len == 0;
}

const char *fc_value_decimal(struct fc_slice text, const struct fc_column *column,
                             char to[FC_VALUE_DECIMAL_SIZE], struct fc_slice *out_text)
{
    struct decimal_parts parts;
    char made[FC_VALUE_DECIMAL_SIZE];
    size_t whole_max = column->precision - (size_t)column->scale;
    size_t len = 0;
    if (!split_decimal(text, &parts)) {
        return "the text is not a decimal number";
    }
    while (parts.fraction.len > column->scale &&
           parts.fraction.data[parts.fraction.len - 1] == '0') {
        parts.fraction.len--;
    }
    if (parts.fraction.len > column->scale) {
        return "it has more fraction digits than the column";
    }
    if ((column->precision > 0 && parts.whole.len > whole_max) ||
        parts.whole.len + column->scale + 3 > sizeof(made)) {
        return "out of range";
    }
    if (parts.negative && !is_zero(&parts)) {
        if (column->is_unsigned) {
            return "out of range";
        }
        made[len++] = '-';
    }
    if (parts.whole.len == 0) {
        made[len++] = '0';
    }
    memcpy(made + len, parts.whole.data, parts.whole.len);
    len += parts.whole.len;
    if (column->scale > 0) {
        made[len++] = '.';
        memset(made + len, '0', column->scale);
        memcpy(made + len, parts.fraction.data, parts.fraction.len);
        len += column->scale;
    }
    memcpy(to, made, len);
    *out_text = fc_slice_of(to, len);
    return NULL;
}

struct fc_slice fc_value_decimal_of_double(double number, unsigned scale,
                                           char to[FC_VALUE_DECIMAL_SIZE])
{
    int len;
    if (!(number > -1e15 && number < 1e15) || scale > 30) { /* NaN is neither */
        return fc_slice_null();
    }
    len = snprintf(to, FC_VALUE_DECIMAL_SIZE, "%.*f", (int)scale, number);
    if (len < 0 || len >= FC_VALUE_DECIMAL_SIZE || strtod(to, NULL) != number) {
        return fc_slice_null();
    }
    return fc_slice_of(to, (size_t)len);
}

/* --- labels -------------------------------------------------------------------------------- */

bool fc_value_is_label(const struct fc_column *column, struct fc_slice text)
{
    for (uint16_t label = 0; label < column->label_count; label++) {
        if (fc_slice_equal_text(text, column->labels[label])) {
            return true;
        }
    }
    return text.len == 0 || column->label_count == 0;
}

/* Whether the comma-separated list has the item. */
static bool has_item(struct fc_slice list, const char *item)
{
    size_t len = strlen(item);
    const uint8_t *at = list.data;
    const uint8_t *end = list.data + list.len;
    while (at < end) {
        const uint8_t *comma = memchr(at, ',', (size_t)(end - at));
        const uint8_t *until = comma == NULL ? end : comma;
        if ((size_t)(until - at) == len && memcmp(at, item, len) == 0) {
            return true;
        }
        at = until + 1;
    }
    return false;
}

bool fc_value_order_labels(const struct fc_column *column, struct fc_slice text,
                           struct fc_buf *out)
{
    const uint8_t *at = text.data;
    const uint8_t *end = text.data + text.len;
    if (column->label_count == 0) {
        fc_buf_append_slice(out, text);
        return true;
    }
    while (text.len > 0 && at <= end) {
        const uint8_t *comma = at == end ? NULL : memchr(at, ',', (size_t)(end - at));
        const uint8_t *until = comma == NULL ? end : comma;
        if (until == at || !fc_value_is_label(column, fc_slice_of(at, (size_t)(until - at)))) {
            return false;
        }
        at = until + 1;
    }
    for (uint16_t label = 0; label < column->label_count; label++) {
        if (has_item(text, column->labels[label])) {
            if (out->len > 0) {
                fc_buf_append_u8(out, ',');
            }
            fc_buf_append_text(out, column->labels[label]);
        }
    }
    return true;
}

/* --- time ---------------------------------------------------------------------------------- */

const char *fc_value_check_time(const struct fc_column *column, int64_t value)
{
    /* The years 0000 to 9999, in days; MySQL's TIME ends at 838:59:59.999999. */
    static const int64_t day_min = -719528;
    static const int64_t day_max = 2932896;
    static const int64_t time_max = 3020399999999;
    bool fits = true;
    switch (column->type) {
    case FC_TYPE_YEAR:
        fits = value == 0 || (value >= 1901 && value <= 2155);
        break;
    case FC_TYPE_DATE:
        fits = value >= day_min && value <= day_max;
        break;
    case FC_TYPE_TIME:
        fits = value >= -time_max && value <= time_max;
        break;
    case FC_TYPE_DATETIME:
    case FC_TYPE_TIMESTAMP:
        fits = value >= day_min * day_us && value < (day_max + 1) * day_us;
        break;
    default:
        break;
    }
    return fits ? NULL : "out of range";
}

static bool read_digits(const uint8_t *at, int count, int *out_number)
{
    int number = 0;
    for (int index = 0; index < count; index++) {
        if (!isdigit(at[index])) {
            return false;
        }
        number = number * 10 + (at[index] - '0');
    }
    *out_number = number;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

bool fc_value_is_odd_date(const struct fc_column *column, struct fc_slice text)
{
    int year;
    int month;
    int day;
    bool plain = column->type == FC_TYPE_DATE;
    if (column->type == FC_TYPE_TIME || column->type == FC_TYPE_YEAR) {
        return false;
    }
    if ((plain && text.len != 10) || (!plain && text.len < 19) || text.len > 26 ||
        text.data[4] != '-' || text.data[7] != '-' || !read_digits(text.data, 4, &year) ||
        !read_digits(text.data + 5, 2, &month) || !read_digits(text.data + 8, 2, &day)) {
        return false;
    }
    for (size_t index = 10; index < text.len; index++) { /* " hh:mm:ss.ffffff" */
        static const char form[] = " 00:00:00.000000";
        bool digit = form[index - 10] == '0';
        if (digit ? !isdigit(text.data[index])
                  : text.data[index] != (uint8_t)form[index - 10]) {
            return false;
        }
    }
    return month == 0 || month > 12 || day == 0 || day > days_in_month(year, month);
}

bool fc_value_uuid(struct fc_slice text, char to[FC_VALUE_UUID_SIZE])
{
    if (text.len != FC_VALUE_UUID_SIZE) {
        return false;
    }
    for (size_t index = 0; index < text.len; index++) {
        bool dash = index == 8 || index == 13 || index == 18 || index == 23;
        if (dash ? text.data[index] != '-' : !isxdigit(text.data[index])) {
            return false;
        }
        to[index] = (char)tolower(text.data[index]);
    }
    return true;
}
