/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A number is an array of 32-bit limbs, least significant first, multiplied or divided by 10^9 a
 * step. Up to 18 digits, which is nearly all there is, one 64-bit number does.
 */
#include "runner/envelope/unscaled.h"

#include "core/base/format.h"

enum {
    LIMBS = 11,
    BYTES = LIMBS * 4,
    NINE_DIGITS = 1000000000,
    DIGITS_FIELD = LIMBS * 10 + 1 /* more than 2^352 has */
};

/* The digits of a plain decimal, sign and point taken away. */
struct digits {
    uint8_t digit[FC_UNSCALED_DIGITS_MAX];
    size_t count;
    unsigned scale; /* how many of them are behind the point */
    bool negative;
};

static bool push_digit(struct digits *digits, unsigned digit)
{
    if (digits->count == 0 && digit == 0) {
        return true; /* a leading zero */
    }
    if (digits->count == FC_UNSCALED_DIGITS_MAX) {
        return false;
    }
    digits->digit[digits->count++] = (uint8_t)digit;
    return true;
}

static bool read_digits(struct fc_slice text, unsigned scale, struct digits *digits)
{
    size_t index = 0;
    size_t seen = 0;
    bool point = false;
    digits->negative = text.len > 0 && text.data[0] == '-';
    index = digits->negative || (text.len > 0 && text.data[0] == '+') ? 1 : 0;
    for (; index < text.len; index++) {
        unsigned digit = (unsigned)text.data[index] - '0';
        if (text.data[index] == '.' && !point) {
            point = true;
            continue;
        }
        if (digit > 9 || !push_digit(digits, digit)) {
            return false;
        }
        seen++;
        digits->scale += point ? 1 : 0;
    }
    while (digits->scale < scale) {
        if (!push_digit(digits, 0)) {
            return false;
        }
        digits->scale++;
    }
    return seen > 0 && digits->scale <= 255;
}

static void multiply_add(uint32_t *limbs, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;
    for (int index = 0; index < LIMBS; index++) {
        carry += (uint64_t)limbs[index] * factor;
        limbs[index] = (uint32_t)carry;
        carry >>= 32;
    }
}

static uint32_t divide(uint32_t *limbs, uint32_t divisor)
{
    uint64_t rest = 0;
    for (int index = LIMBS - 1; index >= 0; index--) {
        rest = rest << 32 | limbs[index];
        limbs[index] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    return (uint32_t)rest;
}

static void negate(uint32_t *limbs)
{
    uint64_t carry = 1;
    for (int index = 0; index < LIMBS; index++) {
        carry += (uint32_t)~limbs[index];
        limbs[index] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* Big-endian bytes without those that only repeat the sign. */
static size_t put_minimal_64(int64_t value, uint8_t *out)
{
    uint64_t bits = (uint64_t)value;
    uint64_t big_endian;
    /* How many bits the number needs besides its sign; 8 of them and the sign fill a byte. */
    uint64_t size = value < 0 ? ~bits : bits;
    size_t bits_used = size == 0 ? 0 : 64 - (size_t)__builtin_clzll(size);
    size_t len = bits_used / 8 + 1;
    big_endian = __builtin_bswap64(bits << (64 - len * 8));
    memcpy(out, &big_endian, len);
    return len;
}

/* The same of limbs. */
static size_t put_minimal(const uint32_t *limbs, bool negative, uint8_t *out)
{
    uint8_t all[BYTES];
    uint8_t fill = negative ? 0xff : 0;
    size_t skip = 0;
    for (int index = 0; index < BYTES; index++) {
        all[BYTES - 1 - index] = (uint8_t)(limbs[index / 4] >> (index % 4 * 8));
    }
    while (skip < BYTES - 1 && all[skip] == fill && (all[skip + 1] & 0x80) == (fill & 0x80)) {
        skip++;
    }
    memcpy(out, all + skip, BYTES - skip);
    return BYTES - skip;
}

/* A text of at most 18 characters with exactly `scale` digits behind the point. */
static bool read_short(struct fc_slice text, unsigned scale, int64_t *out_value)
{
    size_t index = text.len > 0 && text.data[0] == '-' ? 1 : 0;
    size_t point = text.len;
    int64_t value = 0;
    if (text.len > 18 || text.len < index + 1 + (scale > 0 ? scale + 1 : 0)) {
        return false;
    }
    if (scale > 0) {
        point -= scale + 1;
        if (text.data[point] != '.') {
            return false;
        }
    }
    for (; index < text.len; index++) {
        unsigned digit = (unsigned)text.data[index] - '0';
        if (index == point) {
            continue;
        }
        if (digit > 9) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out_value = text.data[0] == '-' ? -value : value;
    return true;
}

bool fc_unscaled_from_text(struct fc_slice text, unsigned scale, uint8_t *out_bytes,
                           size_t *out_len, unsigned *out_scale)
{
    struct digits digits;
    uint32_t limbs[LIMBS] = { 0 };
    int64_t value = 0;
    bool negative;
    if (read_short(text, scale, &value)) {
        *out_len = put_minimal_64(value, out_bytes);
        *out_scale = scale;
        return true;
    }
    digits.count = 0;
    digits.scale = 0;
    if (!read_digits(text, scale, &digits)) {
        return false;
    }
    for (size_t index = 0; index < digits.count;) {
        uint32_t chunk = 0;
        uint32_t factor = 1;
        for (; factor < NINE_DIGITS && index < digits.count; factor *= 10) {
            chunk = chunk * 10 + digits.digit[index++];
        }
        multiply_add(limbs, factor, chunk);
    }
    negative = digits.negative && digits.count > 0;
    if (negative) {
        negate(limbs);
    }
    *out_len = put_minimal(limbs, negative, out_bytes);
    *out_scale = digits.scale;
    return true;
}

/* The digits of a number's size, into the end of a field; returns their count. */
static size_t put_digits(struct fc_slice unscaled, bool negative, char *field_end)
{
    uint32_t limbs[LIMBS];
    size_t count = 0;
    memset(limbs, negative ? 0xff : 0, sizeof(limbs));
    for (size_t index = 0; index < unscaled.len; index++) {
        size_t place = unscaled.len - 1 - index;
        uint32_t shift = (uint32_t)(place % 4 * 8);
        limbs[place / 4] &= ~((uint32_t)0xff << shift);
        limbs[place / 4] |= (uint32_t)unscaled.data[index] << shift;
    }
    if (negative) {
        negate(limbs);
    }
    while (count < DIGITS_FIELD - 9) {
        count += 9;
        fc_format_padded(field_end - count, divide(limbs, NINE_DIGITS), 9);
    }
    while (count > 1 && *(field_end - count) == '0') {
        count--;
    }
    return count;
}

static size_t put_digits_64(struct fc_slice unscaled, bool negative, char *field_end)
{
    uint64_t bits = negative ? UINT64_MAX : 0;
    char digits[FC_FORMAT_I64_SIZE];
    size_t count;
    for (size_t index = 0; index < unscaled.len; index++) {
        bits = bits << 8 | unscaled.data[index];
    }
    count = fc_format_u64(digits, negative ? 0 - bits : bits);
    memcpy(field_end - count, digits, count);
    return count;
}

bool fc_unscaled_to_text(struct fc_slice unscaled, unsigned scale, char *out_text,
                         size_t *out_len)
{
    char field[DIGITS_FIELD]; /* filled from its end */
    char *end = field + sizeof(field);
    size_t count;
    char *at = out_text;
    bool negative = unscaled.len > 0 && (unscaled.data[0] & 0x80) != 0;
    if (unscaled.len == 0 || unscaled.len > FC_UNSCALED_BYTES_MAX || scale > 255) {
        return false;
    }
    count = unscaled.len <= 8 ? put_digits_64(unscaled, negative, end)
                              : put_digits(unscaled, negative, end);
    if (negative) {
        *at++ = '-';
    }
    if (count <= scale) {
        *at++ = '0';
        *at++ = '.';
        memset(at, '0', scale - count);
        at += scale - count;
        memcpy(at, end - count, count);
        at += count;
    } else {
        memcpy(at, end - count, count - scale);
        at += count - scale;
        if (scale > 0) {
            *at++ = '.';
            memcpy(at, end - scale, scale);
            at += scale;
        }
    }
    *out_len = (size_t)(at - out_text);
    return true;
}
