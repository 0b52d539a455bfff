/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/envelope/json_number.h"

#include <math.h>
#include <stdlib.h>

enum {
    TEXT_MAX = 64,
    POWERS = 16,
    WHOLE_DOUBLE = 15, /* digits that a double always holds */
    WHOLE_FLOAT = 7    /* digits that a float always holds: 10^7 < 2^24 */
};

bool fc_json_number_whole(struct fc_slice text, bool *out_negative, uint64_t *out_size)
{
    size_t index = text.len > 0 && text.data[0] == '-' ? 1 : 0;
    uint64_t value = 0;
    bool fits = text.len > index;
    *out_negative = index == 1;
    if (text.len - index <= 19) { /* 19 digits fit in any case */
        for (; index < text.len; index++) {
            value = value * 10 + text.data[index] - '0';
        }
    } else {
        for (; index < text.len; index++) {
            fits = fits && !__builtin_mul_overflow(value, (uint64_t)10, &value) &&
                   !__builtin_add_overflow(value, (uint64_t)text.data[index] - '0', &value);
        }
    }
    *out_size = value;
    return fits;
}

/* "123.45" as 12345 and 2, when it has no exponent and at most `digits_max` digits. */
static bool split_short(struct fc_slice text, size_t digits_max, uint64_t *out_whole,
                        size_t *out_places)
{
    uint64_t whole = 0;
    size_t digits = 0;
    size_t places = 0;
    bool point = false;
    for (size_t index = text.data[0] == '-' ? 1 : 0; index < text.len; index++) {
        unsigned digit = (unsigned)text.data[index] - '0';
        if (text.data[index] == '.' && !point) {
            point = true;
            continue;
        }
        if (digit > 9 || ++digits > digits_max) {
            return false;
        }
        whole = whole * 10 + digit;
        places += point ? 1 : 0;
    }
    *out_whole = whole;
    *out_places = places;
    return true;
}

/* strtod needs an end; it must take all of the text. */
static bool copy_text(struct fc_slice text, char *to)
{
    if (text.len == 0 || text.len >= TEXT_MAX) {
        return false;
    }
    memcpy(to, text.data, text.len);
    to[text.len] = '\0';
    return true;
}

/* A quotient of two exact numbers is rounded once, so it is the nearest to what was written. */
bool fc_json_number_double(struct fc_slice text, double *out_value)
{
    static const double powers[POWERS] = { 1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                           1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
    uint64_t whole = 0;
    size_t places = 0;
    char copy[TEXT_MAX];
    char *end = copy;
    if (text.len > 0 && split_short(text, WHOLE_DOUBLE, &whole, &places)) {
        double value = (double)whole / powers[places];
        *out_value = text.data[0] == '-' ? -value : value;
        return true;
    }
    if (!copy_text(text, copy)) {
        return false;
    }
    *out_value = strtod(copy, &end);
    return end == copy + text.len;
}

bool fc_json_number_float(struct fc_slice text, float *out_value)
{
    static const float powers[] = { 1e0F, 1e1F, 1e2F, 1e3F, 1e4F, 1e5F, 1e6F, 1e7F, 1e8F };
    uint64_t whole = 0;
    size_t places = 0;
    char copy[TEXT_MAX];
    char *end = copy;
    if (text.len > 0 && split_short(text, WHOLE_FLOAT, &whole, &places)) {
        float value = (float)whole / powers[places];
        *out_value = text.data[0] == '-' ? -value : value;
        return true;
    }
    if (!copy_text(text, copy)) {
        return false;
    }
    *out_value = strtof(copy, &end);
    return end == copy + text.len;
}

bool fc_json_number_word(struct fc_slice text, double *out_value)
{
    if (fc_slice_equal_text(text, "NaN")) {
        *out_value = (double)NAN;
    } else if (fc_slice_equal_text(text, "Infinity")) {
        *out_value = (double)INFINITY;
    } else if (fc_slice_equal_text(text, "-Infinity")) {
        *out_value = -(double)INFINITY;
    } else {
        return false;
    }
    return true;
}
