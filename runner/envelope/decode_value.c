/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/envelope/decode_value.h"

#include "runner/envelope/civil.h"
#include "runner/envelope/decode_bytes.h"
#include "runner/envelope/json_number.h"
#include "runner/envelope/json_write.h"

struct fc_value_reader fc_value_reader_of(const struct fc_column *column, fc_envelope_mode mode)
{
    struct fc_value_reader reader = { FC_STRING_TEXT, FC_NUMBER_INT, 0, 0 };
    bool debezium = mode == FC_ENVELOPE_DEBEZIUM;
    reader.type = (uint8_t)column->type;
    switch (column->type) {
    case FC_TYPE_INT:
        if (column->is_unsigned) {
            reader.number_means = debezium ? FC_NUMBER_LONG : FC_NUMBER_UNSIGNED;
        }
        break;
    case FC_TYPE_FLOAT:
        reader.string_means = FC_STRING_FLOAT;
        reader.number_means = FC_NUMBER_FLOAT;
        break;
    case FC_TYPE_DOUBLE:
        reader.string_means = FC_STRING_DOUBLE;
        reader.number_means = FC_NUMBER_DOUBLE;
        break;
    case FC_TYPE_DECIMAL:
        reader.string_means = debezium ? FC_STRING_UNSCALED : FC_STRING_TEXT;
        reader.scale = (uint8_t)(column->scale < 255 ? column->scale : 255);
        break;
    case FC_TYPE_BYTES:
    case FC_TYPE_BIT:
    case FC_TYPE_GEOMETRY:
    case FC_TYPE_VECTOR:
        reader.string_means = FC_STRING_BASE64;
        break;
    case FC_TYPE_DATETIME:
        reader.number_means = column->precision <= 3 ? FC_NUMBER_MILLIS : FC_NUMBER_INT;
        break;
    case FC_TYPE_TIMESTAMP:
        reader.string_means = FC_STRING_MOMENT;
        break;
    case FC_TYPE_TEXT:
    case FC_TYPE_ENUM:
    case FC_TYPE_SET:
    case FC_TYPE_JSON:
    case FC_TYPE_YEAR:
    case FC_TYPE_DATE:
    case FC_TYPE_TIME:
    case FC_TYPE_UUID:
        break;
    }
    return reader;
}

static bool set_bytes(struct fc_value *value, fc_value_kind kind, struct fc_slice bytes)
{
    value->kind = kind;
    value->as.bytes = bytes;
    return true;
}

static bool set_word(struct fc_slice text, fc_string_means means, struct fc_value *out_value)
{
    double value = 0;
    if (!fc_json_number_word(text, &value)) {
        return set_bytes(out_value, FC_VALUE_TEXT, text);
    }
    if (means == FC_STRING_FLOAT) {
        out_value->kind = FC_VALUE_FLOAT;
        out_value->as.f32 = (float)value;
    } else {
        out_value->kind = FC_VALUE_DOUBLE;
        out_value->as.f64 = value;
    }
    return true;
}

static bool is_unavailable(struct fc_slice raw)
{
    return raw.len == FC_JSON_UNAVAILABLE_LEN &&
           memcmp(raw.data, FC_JSON_UNAVAILABLE, FC_JSON_UNAVAILABLE_LEN) == 0;
}

static bool take_text(struct fc_json_scan *scan, struct fc_value_reader reader,
                      struct fc_arena *arena, struct fc_value *out_value)
{
    struct fc_json_string string;
    struct fc_slice text;
    if (!fc_json_take_string(scan, &string)) {
        return false;
    }
    if (is_unavailable(string.raw)) {
        out_value->kind = FC_VALUE_UNCHANGED;
        return true;
    }
    if (!fc_json_unescape(string, arena, &text)) {
        return false;
    }
    switch ((fc_string_means)reader.string_means) {
    case FC_STRING_TEXT:
        return set_bytes(out_value, FC_VALUE_TEXT, text);
    case FC_STRING_FLOAT:
    case FC_STRING_DOUBLE:
        return set_word(text, (fc_string_means)reader.string_means, out_value);
    case FC_STRING_BASE64:
        out_value->kind = FC_VALUE_BYTES;
        return fc_bytes_from_base64(text, arena, &out_value->as.bytes);
    case FC_STRING_UNSCALED:
        out_value->kind = FC_VALUE_TEXT;
        return fc_bytes_from_unscaled(text, reader.scale, arena, &out_value->as.bytes);
    case FC_STRING_MOMENT:
        out_value->kind = FC_VALUE_INT;
        return fc_civil_parse_moment(text, &out_value->as.i64) ||
               set_bytes(out_value, FC_VALUE_TEXT, text);
    }
    return false;
}

static bool set_whole(struct fc_value_reader reader, bool negative, uint64_t size,
                      struct fc_value *out_value)
{
    uint64_t bits = negative ? 0 - size : size;
    if (negative && size > (uint64_t)1 << 63) {
        return false;
    }
    if (reader.number_means == FC_NUMBER_LONG ||
        (!negative && (reader.number_means == FC_NUMBER_UNSIGNED || size > INT64_MAX))) {
        out_value->kind = FC_VALUE_UINT;
        out_value->as.u64 = bits;
        return true;
    }
    out_value->kind = FC_VALUE_INT;
    out_value->as.i64 = (int64_t)bits;
    return reader.number_means != FC_NUMBER_MILLIS ||
           !__builtin_mul_overflow(out_value->as.i64, (int64_t)1000, &out_value->as.i64);
}

/* Eight digits as a number; false when one of the bytes is no digit. */
static inline bool eight_digits(const uint8_t *at, uint64_t *out_value)
{
    const uint64_t zeros = 0x3030303030303030ULL;
    const uint64_t high = 0xf0f0f0f0f0f0f0f0ULL;
    uint64_t bytes;
    memcpy(&bytes, at, sizeof(bytes));
    if (((bytes & high) | ((bytes + 0x0606060606060606ULL) & high) >> 4) !=
        (zeros | zeros >> 4)) {
        return false;
    }
    bytes -= zeros;
    bytes = bytes * 10 + (bytes >> 8); /* pairs, in every second byte */
    *out_value = (((bytes & 0x000000ff000000ffULL) * 0x000f424000000064ULL) +
                  (((bytes >> 16) & 0x000000ff000000ffULL) * 0x0000271000000001ULL)) >>
                 32;
    return true;
}

/* A whole number of at most 18 digits, which nearly all are; else the cursor stays. */
static inline bool take_short_whole(struct fc_json_scan *scan, bool *out_negative,
                                    uint64_t *out_size)
{
    const uint8_t *at = scan->at;
    const uint8_t *from;
    uint64_t value = 0;
    uint64_t chunk = 0;
    *out_negative = at < scan->end && *at == '-';
    at += *out_negative ? 1 : 0;
    from = at;
    while (scan->end - at >= 8 && at - from <= 8 && eight_digits(at, &chunk)) {
        value = value * 100000000 + chunk;
        at += 8;
    }
    for (; at < scan->end && (unsigned)*at - '0' <= 9; at++) {
        value = value * 10 + *at - '0'; /* too many digits are noticed below */
    }
    if (at == from || at - from > 18 ||
        (at < scan->end && (*at == '.' || (*at | 0x20) == 'e'))) {
        return false;
    }
    scan->at = at;
    *out_size = value;
    return true;
}

static bool take_number(struct fc_json_scan *scan, struct fc_value_reader reader,
                        struct fc_value *out_value)
{
    struct fc_slice text;
    bool whole = false;
    bool negative = false;
    uint64_t size = 0;
    if (reader.number_means < FC_NUMBER_FLOAT && take_short_whole(scan, &negative, &size)) {
        return set_whole(reader, negative, size, out_value);
    }
    if (!fc_json_take_number(scan, &text, &whole)) {
        return false;
    }
    if (reader.number_means == FC_NUMBER_FLOAT) {
        out_value->kind = FC_VALUE_FLOAT;
        return fc_json_number_float(text, &out_value->as.f32);
    }
    if (reader.number_means == FC_NUMBER_DOUBLE || !whole) {
        out_value->kind = FC_VALUE_DOUBLE;
        return fc_json_number_double(text, &out_value->as.f64);
    }
    return fc_json_number_whole(text, &negative, &size) &&
           set_whole(reader, negative, size, out_value);
}

static bool take_bool(struct fc_json_scan *scan, struct fc_value_reader reader,
                      struct fc_value *out_value)
{
    static const uint8_t bits[2] = { 0, 1 };
    bool is_true = fc_json_take_word(scan, "true", 4);
    if (reader.type != FC_TYPE_BIT || (!is_true && !fc_json_take_word(scan, "false", 5))) {
        return false;
    }
    return set_bytes(out_value, FC_VALUE_BYTES, fc_slice_of(&bits[is_true ? 1 : 0], 1));
}

static bool take_object(struct fc_json_scan *scan, struct fc_value_reader reader,
                        struct fc_arena *arena, struct fc_value *out_value)
{
    if (reader.type == FC_TYPE_GEOMETRY) {
        out_value->kind = FC_VALUE_BYTES;
        return fc_bytes_take_geometry(scan, arena, &out_value->as.bytes);
    }
    out_value->kind = FC_VALUE_TEXT;
    return reader.string_means == FC_STRING_UNSCALED &&
           fc_bytes_take_decimal(scan, arena, &out_value->as.bytes);
}

bool fc_value_take(struct fc_json_scan *scan, struct fc_value_reader reader,
                   struct fc_arena *arena, struct fc_value *out_value)
{
    switch (scan->at < scan->end ? *scan->at : 0) {
    case '"':
        return take_text(scan, reader, arena, out_value);
    case 'n':
        out_value->kind = FC_VALUE_NULL;
        return fc_json_take_word(scan, "null", 4);
    case 't':
    case 'f':
        return take_bool(scan, reader, out_value);
    case '{':
        return take_object(scan, reader, arena, out_value);
    case '[':
        out_value->kind = FC_VALUE_BYTES;
        return reader.type == FC_TYPE_VECTOR &&
               fc_bytes_take_vector(scan, arena, &out_value->as.bytes);
    default:
        return take_number(scan, reader, out_value);
    }
}
