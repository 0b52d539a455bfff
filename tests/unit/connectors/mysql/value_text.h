/* SPDX-License-Identifier: Apache-2.0 */
/* Decoded values as the server's client would print them, for comparisons with its output. */
#ifndef FC_TEST_VALUE_TEXT_H
#define FC_TEST_VALUE_TEXT_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/buf.h"
#include "fc/change.h"

static inline void test_append_fraction(struct fc_buf *out, unsigned us, unsigned digits)
{
    char text[8];
    if (digits > 0) {
        (void)snprintf(text, sizeof(text), "%06u", us);
        fc_buf_append_u8(out, '.');
        fc_buf_append(out, text, digits);
    }
}

/* Through the C library's calendar, which shares nothing with the decoder's. */
static inline void test_append_datetime(struct fc_buf *out, int64_t us, unsigned digits,
                                        bool date_only)
{
    int64_t second = us / 1000000 - (us % 1000000 < 0 ? 1 : 0);
    time_t at = (time_t)second;
    struct tm parts;
    (void)gmtime_r(&at, &parts);
    fc_buf_append_fmt(out, "%04d-%02d-%02d", parts.tm_year + 1900, parts.tm_mon + 1,
                      parts.tm_mday);
    if (!date_only) {
        fc_buf_append_fmt(out, " %02d:%02d:%02d", parts.tm_hour, parts.tm_min, parts.tm_sec);
        test_append_fraction(out, (unsigned)(us - second * 1000000), digits);
    }
}

static inline void test_append_int(struct fc_buf *out, const struct fc_column *column,
                                   int64_t value)
{
    int64_t magnitude = value < 0 ? -value : value;
    switch (column->type) {
    case FC_TYPE_YEAR:
        fc_buf_append_fmt(out, "%04" PRId64, value);
        break;
    case FC_TYPE_DATE:
        test_append_datetime(out, value * 86400 * 1000000, 0, true);
        break;
    case FC_TYPE_DATETIME:
    case FC_TYPE_TIMESTAMP:
        test_append_datetime(out, value, column->precision, false);
        break;
    case FC_TYPE_TIME:
        fc_buf_append_fmt(out, "%s%02" PRId64 ":%02" PRId64 ":%02" PRId64, value < 0 ? "-" : "",
                          magnitude / 3600000000, magnitude / 60000000 % 60,
                          magnitude / 1000000 % 60);
        test_append_fraction(out, (unsigned)(magnitude % 1000000), column->precision);
        break;
    default:
        fc_buf_append_fmt(out, "%" PRId64, value);
        break;
    }
}

/* Bytes in hex; BIT as a hexadecimal number, highest digit first, without leading zeros. */
static inline void test_append_bytes(struct fc_buf *out, const struct fc_column *column,
                                     struct fc_slice bytes)
{
    uint64_t number = 0;
    if (column->type == FC_TYPE_BIT) {
        for (size_t index = bytes.len; index > 0; index--) {
            number = number << 8 | bytes.data[index - 1];
        }
        fc_buf_append_fmt(out, "%" PRIX64, number);
        return;
    }
    for (size_t index = 0; index < bytes.len; index++) {
        fc_buf_append_fmt(out, "%02X", bytes.data[index]);
    }
}

static inline void test_append_value(struct fc_buf *out, const struct fc_column *column,
                                     const struct fc_value *value)
{
    switch (value->kind) {
    case FC_VALUE_NULL:
        fc_buf_append_text(out, "NULL");
        break;
    case FC_VALUE_UNCHANGED:
        fc_buf_append_text(out, "UNCHANGED");
        break;
    case FC_VALUE_INT:
        test_append_int(out, column, value->as.i64);
        break;
    case FC_VALUE_UINT:
        fc_buf_append_u64(out, value->as.u64);
        break;
    case FC_VALUE_FLOAT:
        fc_buf_append_fmt(out, "%.17g", (double)value->as.f32);
        break;
    case FC_VALUE_DOUBLE:
        fc_buf_append_fmt(out, "%.17g", value->as.f64);
        break;
    case FC_VALUE_TEXT:
        fc_buf_append_slice(out, value->as.bytes);
        break;
    case FC_VALUE_BYTES:
        test_append_bytes(out, column, value->as.bytes);
        break;
    }
}

/* "a=1 b=one" */
static inline void test_append_row(struct fc_buf *out, const struct fc_shape *shape,
                                   const struct fc_value *values)
{
    for (uint32_t index = 0; index < shape->column_count; index++) {
        fc_buf_append_fmt(out, "%s%s=", index > 0 ? " " : "", shape->columns[index].name);
        test_append_value(out, &shape->columns[index], &values[index]);
    }
}

/* JSON as the server shows it, without its spaces between tokens. */
static inline void test_compact_json(struct fc_buf *out, struct fc_slice text)
{
    bool in_string = false;
    for (size_t index = 0; index < text.len; index++) {
        uint8_t c = text.data[index];
        if (c != ' ' || in_string) {
            fc_buf_append_u8(out, c);
        }
        if (c == '\\' && in_string && index + 1 < text.len) {
            fc_buf_append_u8(out, text.data[++index]);
        } else if (c == '"') {
            in_string = !in_string;
        }
    }
}

/* The server's text says the same: as text, as the same floating-point number, as the same JSON
 * but for spaces. */
static inline bool test_same_value(const struct fc_column *column, const struct fc_value *value,
                                   struct fc_slice expected)
{
    struct fc_buf text;
    struct fc_buf json;
    char copy[64];
    bool same;
    if ((value->kind == FC_VALUE_FLOAT || value->kind == FC_VALUE_DOUBLE) &&
        expected.len < sizeof(copy)) {
        memcpy(copy, expected.data, expected.len);
        copy[expected.len] = '\0';
        return value->kind == FC_VALUE_FLOAT ? (float)strtod(copy, NULL) == value->as.f32
                                             : strtod(copy, NULL) == value->as.f64;
    }
    fc_buf_init(&text, 1 << 20);
    fc_buf_init(&json, 1 << 20);
    test_append_value(&text, column, value);
    if (column->type == FC_TYPE_JSON && value->kind != FC_VALUE_NULL) {
        test_compact_json(&json, expected);
        expected = fc_buf_slice(&json);
    }
    same = text.len == expected.len &&
           (text.len == 0 || memcmp(text.data, expected.data, text.len) == 0);
    if (!same) {
        fprintf(stderr, "column %s (%s): decoded \"%.*s\", the server says \"%.*s\"\n",
                column->name, column->native_type, (int)text.len, (const char *)text.data,
                (int)expected.len, (const char *)expected.data);
    }
    fc_buf_release(&json);
    fc_buf_release(&text);
    return same;
}

#endif
