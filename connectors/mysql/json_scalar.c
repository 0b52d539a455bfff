/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/json_scalar.h"

#include <math.h>
#include <stdlib.h>

#include "connectors/mysql/decimal.h"
#include "connectors/mysql/temporal.h"
#include "core/base/reader.h"

/* Types of SQL values inside JSON that have a text of their own. */
enum {
    OPAQUE_TIMESTAMP = 7,
    OPAQUE_DATE = 10,
    OPAQUE_TIME = 11,
    OPAQUE_DATETIME = 12,
    OPAQUE_DECIMAL = 246,
    DECIMAL_DIGITS_MAX = 81,
    TEMPORAL_SIZE = 8,
    FRACTION_DIGITS = 6,
    DOUBLE_DIGITS_MAX = 17,
    DOUBLE_DIGITS_SAFE = 15,
    FIXED_EXPONENT_MAX = 15, /* the server's %g: 0.d x 10^e is written out for -14 <= e <= 15 */
    BASE64_LINE = 76
};

static fc_code bad(const char *why, struct fc_error *err)
{
    return fc_fail(err, FC_ERR_PROTOCOL, "binary JSON: %s", why);
}

void fc_json_string_print(struct fc_slice text, struct fc_buf *out)
{
    static const char digits[] = "0123456789abcdef";
    static const char escapes[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
    };
    size_t start = 0;
    fc_buf_append_u8(out, '"');
    for (size_t index = 0; index < text.len; index++) {
        uint8_t c = text.data[index];
        char escape[6] = { '\\', (char)c };
        size_t escape_len = 2;
        if (c >= ' ' && c != '"' && c != '\\') {
            continue;
        }
        if (c < ' ') {
            escape[1] = escapes[c];
            if (escapes[c] == 0) {
                escape[1] = 'u';
                escape[2] = '0';
                escape[3] = '0';
                escape[4] = digits[c >> 4];
                escape[5] = digits[c & 15];
                escape_len = 6;
            }
        }
        fc_buf_append(out, text.data + start, index - start);
        fc_buf_append(out, escape, escape_len);
        start = index + 1;
    }
    fc_buf_append(out, text.data + start, text.len - start);
    fc_buf_append_u8(out, '"');
}

/* The fewest digits that read back as the number: d.ddd x 10^*out_exponent. */
static size_t shortest_digits(double magnitude, char *digits, int *out_exponent)
{
    char text[DOUBLE_DIGITS_MAX + 16];
    size_t count = 0;
    const char *at;
    /* 15 digits hold every shorter decimal exactly, but near the smallest numbers. */
    int start = magnitude < 1e-290 ? 0 : DOUBLE_DIGITS_SAFE - 1;
    for (int precision = start; precision < DOUBLE_DIGITS_MAX; precision++) {
        (void)snprintf(text, sizeof(text), "%.*e", precision, magnitude); /* always fits */
        if (strtod(text, NULL) == magnitude) {
            break;
        }
    }
    for (at = text; *at != 'e'; at++) {
        if (*at != '.') {
            digits[count++] = *at;
        }
    }
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    *out_exponent = (int)strtol(at + 1, NULL, 10);
    return count;
}

static void append_zeros(struct fc_buf *out, int count)
{
    for (; count > 0; count--) {
        fc_buf_append_u8(out, '0');
    }
}

static void print_double(double value, struct fc_buf *out)
{
    char digits[DOUBLE_DIGITS_MAX + 1];
    int exponent;
    int point; /* the value is 0.ddd x 10^point */
    size_t count = shortest_digits(fabs(value), digits, &exponent);
    if (signbit(value) != 0) {
        fc_buf_append_u8(out, '-');
    }
    point = value == 0 ? 1 : exponent + 1;
    if (point > FIXED_EXPONENT_MAX || point < 1 - FIXED_EXPONENT_MAX) {
        fc_buf_append(out, digits, 1);
        if (count > 1) {
            fc_buf_append_u8(out, '.');
            fc_buf_append(out, digits + 1, count - 1);
        }
        fc_buf_append_fmt(out, "e%d", exponent);
        return;
    }
    if (point <= 0) {
        fc_buf_append_text(out, "0.");
        append_zeros(out, -point);
        fc_buf_append(out, digits, count);
        return;
    }
    fc_buf_append(out, digits, count < (size_t)point ? count : (size_t)point);
    append_zeros(out, point - (int)count);
    fc_buf_append_u8(out, '.');
    if (count > (size_t)point) {
        fc_buf_append(out, digits + point, count - (size_t)point);
    } else {
        fc_buf_append_u8(out, '0'); /* 1 is the integer, 1.0 the double */
    }
}

/* A string's or opaque value's bytes, behind a length of seven bits a byte, lowest first. */
static struct fc_slice read_sized(struct fc_reader *reader)
{
    uint64_t len = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = fc_reader_u8(reader);
        len |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            return fc_reader_slice(reader, len);
        }
    }
    reader->failed = true;
    return fc_slice_of("", 0);
}

static fc_code print_decimal(struct fc_slice data, struct fc_buf *out, struct fc_error *err)
{
    char text[DECIMAL_DIGITS_MAX + 3];
    size_t len = 0;
    if (data.len > 2 && data.data[0] > 0 && data.data[0] <= DECIMAL_DIGITS_MAX &&
        data.data[1] <= data.data[0] &&
        data.len - 2 >= fc_decimal_size(data.data[0], data.data[1])) {
        len = fc_decimal_print(data.data + 2, data.data[0], data.data[1], text);
    }
    if (len == 0) {
        return bad("a DECIMAL cannot be read", err);
    }
    fc_buf_append(out, text, len);
    return FC_OK;
}

static fc_code print_temporal(uint8_t type, struct fc_slice data, struct fc_buf *out,
                              struct fc_error *err)
{
    char text[FC_TEMPORAL_TEXT_SIZE];
    struct fc_temporal t;
    struct fc_reader reader;
    int64_t packed;
    bool negative;
    size_t len;
    fc_reader_init(&reader, data);
    packed = (int64_t)fc_reader_le(&reader, TEMPORAL_SIZE);
    if (reader.failed) {
        return bad("a date or time cannot be read", err);
    }
    if (type == OPAQUE_TIME) {
        fc_temporal_unpack_time(packed, &negative, &t);
        len = fc_temporal_print_time(negative, &t, FRACTION_DIGITS, text);
    } else {
        fc_temporal_unpack_datetime(packed, &t);
        len = type == OPAQUE_DATE ? fc_temporal_print_date(&t, text)
                                  : fc_temporal_print_datetime(&t, FRACTION_DIGITS, text);
    }
    fc_buf_append_u8(out, '"');
    fc_buf_append(out, text, len);
    fc_buf_append_u8(out, '"');
    return FC_OK;
}

/* Lines of 76 characters, as the server's encoder makes them; the line feed shows as \n. */
static void append_base64(struct fc_slice data, struct fc_buf *out)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t column = 0;
    for (size_t index = 0; index < data.len; index += 3) {
        size_t left = data.len - index;
        uint32_t three = (uint32_t)data.data[index] << 16 |
                         (left > 1 ? (uint32_t)data.data[index + 1] << 8 : 0) |
                         (left > 2 ? data.data[index + 2] : 0U);
        char four[4] = { letters[three >> 18], letters[three >> 12 & 63],
                         left > 1 ? letters[three >> 6 & 63] : '=',
                         left > 2 ? letters[three & 63] : '=' };
        if (column == BASE64_LINE) {
            fc_buf_append_text(out, "\\n");
            column = 0;
        }
        fc_buf_append(out, four, sizeof(four));
        column += sizeof(four);
    }
}

static fc_code print_opaque(struct fc_reader *reader, struct fc_buf *out, struct fc_error *err)
{
    uint8_t type = fc_reader_u8(reader);
    struct fc_slice data = read_sized(reader);
    if (reader->failed) {
        return bad("a value is cut", err);
    }
    switch (type) {
    case OPAQUE_DECIMAL:
        return print_decimal(data, out, err);
    case OPAQUE_DATE:
    case OPAQUE_TIME:
    case OPAQUE_DATETIME:
    case OPAQUE_TIMESTAMP:
        return print_temporal(type, data, out, err);
    default:
        fc_buf_append_fmt(out, "\"base64:type%u:", type);
        append_base64(data, out);
        fc_buf_append_u8(out, '"');
        return FC_OK;
    }
}

static fc_code print_literal(uint8_t literal, struct fc_buf *out, struct fc_error *err)
{
    static const char *const literals[] = { "null", "true", "false" };
    if (literal >= sizeof(literals) / sizeof(literals[0])) {
        return bad("an unknown literal", err);
    }
    fc_buf_append_text(out, literals[literal]);
    return FC_OK;
}

fc_code fc_json_scalar_print(const struct fc_json_value *value, struct fc_buf *out,
                             struct fc_error *err)
{
    fc_code code = FC_OK;
    struct fc_reader reader;
    uint64_t bits;
    double number;
    fc_reader_init(&reader, value->bytes);
    switch (value->type) {
    case FC_JSON_LITERAL:
        code = print_literal(fc_reader_u8(&reader), out, err);
        break;
    case FC_JSON_INT16:
        fc_buf_append_i64(out, (int16_t)fc_reader_le(&reader, 2));
        break;
    case FC_JSON_UINT16:
        fc_buf_append_u64(out, fc_reader_le(&reader, 2));
        break;
    case FC_JSON_INT32:
        fc_buf_append_i64(out, (int32_t)fc_reader_le(&reader, 4));
        break;
    case FC_JSON_UINT32:
        fc_buf_append_u64(out, fc_reader_le(&reader, 4));
        break;
    case FC_JSON_INT64:
        fc_buf_append_i64(out, (int64_t)fc_reader_le(&reader, 8));
        break;
    case FC_JSON_UINT64:
        fc_buf_append_u64(out, fc_reader_le(&reader, 8));
        break;
    case FC_JSON_DOUBLE:
        bits = fc_reader_le(&reader, 8);
        memcpy(&number, &bits, sizeof(number));
        if (!isfinite(number)) {
            return bad("a number is not finite", err);
        }
        print_double(number, out);
        break;
    case FC_JSON_STRING:
        fc_json_string_print(read_sized(&reader), out);
        break;
    case FC_JSON_OPAQUE:
        return print_opaque(&reader, out, err);
    default:
        return bad("an unknown type of value", err);
    }
    return reader.failed ? bad("a value is cut", err) : code;
}
