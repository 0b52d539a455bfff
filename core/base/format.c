/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/format.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

static unsigned count_digits(uint64_t value)
{
    unsigned count = 1;
    for (;;) {
        if (value < 10) {
            return count;
        }
        if (value < 100) {
            return count + 1;
        }
        if (value < 1000) {
            return count + 2;
        }
        if (value < 10000) {
            return count + 3;
        }
        value /= 10000;
        count += 4;
    }
}

size_t fc_format_u64(char *to, uint64_t value)
{
    unsigned count = count_digits(value);
    char *at = to + count;
    while (value >= 100) {
        at -= 2;
        memcpy(at, digit_pairs + (value % 100) * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        memcpy(at - 2, digit_pairs + value * 2, 2);
    } else {
        at[-1] = (char)('0' + value);
    }
    return count;
}

size_t fc_format_i64(char *to, int64_t value)
{
    if (value < 0) {
        *to = '-';
        return 1 + fc_format_u64(to + 1, 0 - (uint64_t)value);
    }
    return fc_format_u64(to, (uint64_t)value);
}

void fc_format_padded(char *to, uint32_t value, unsigned width)
{
    while (width > 0) {
        to[--width] = (char)('0' + value % 10);
        value /= 10;
    }
}

static size_t put_text(char *to, const char *text)
{
    size_t length = 0;
    for (; text[length] != '\0'; length++) {
        to[length] = text[length];
    }
    return length;
}

/* Lay out digits d1d2d3... x 10^exponent (the value is d1.d2d3... x 10^exponent) as Java does.
 */
static size_t put_java_layout(char *to, const char *digits, size_t count, int exponent,
                              bool negative)
{
    char *at = to;
    if (negative) {
        *at++ = '-';
    }
    if (exponent >= 0 && exponent < 7) {
        size_t whole = (size_t)exponent + 1;
        for (size_t index = 0; index < whole; index++) {
            *at++ = index < count ? digits[index] : '0';
        }
        *at++ = '.';
        if (count <= whole) {
            *at++ = '0';
        }
        for (size_t index = whole; index < count; index++) {
            *at++ = digits[index];
        }
    } else if (exponent < 0 && exponent >= -3) {
        *at++ = '0';
        *at++ = '.';
        for (int zeros = -1; zeros > exponent; zeros--) {
            *at++ = '0';
        }
        memcpy(at, digits, count);
        at += count;
    } else {
        *at++ = digits[0];
        *at++ = '.';
        if (count == 1) {
            *at++ = '0';
        }
        memcpy(at, digits + 1, count - 1);
        at += count - 1;
        *at++ = 'E';
        at += fc_format_i64(at, exponent);
    }
    return (size_t)(at - to);
}

/* Split "-d.ddde+XX" into digits (trailing zeros cut) and exponent, and lay them out. */
static size_t put_scientific(char *to, const char *scientific)
{
    char digits[24] = { 0 };
    size_t count = 0;
    bool negative = scientific[0] == '-';
    const char *at = scientific + (negative ? 1 : 0);
    for (; *at != 'e'; at++) {
        if (*at != '.') { /* a single digit has none */
            digits[count++] = *at;
        }
    }
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    return put_java_layout(to, digits, count, (int)strtol(at + 1, NULL, 10), negative);
}

static const char *special_name(double value)
{
    if (isnan(value)) {
        return "NaN";
    }
    if (isinf(value)) {
        return value > 0 ? "Infinity" : "-Infinity";
    }
    if (value == 0) {
        return signbit(value) ? "-0.0" : "0.0";
    }
    return NULL;
}

/* Write a number of few decimal digits: whole / 10^places. */
static size_t put_short(char *to, uint64_t whole, int places, bool negative)
{
    char digits[FC_FORMAT_I64_SIZE];
    size_t count = fc_format_u64(digits, whole);
    int exponent = (int)count - 1 - places;
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    return put_java_layout(to, digits, count, exponent, negative);
}

/*
 * Nearly all stored numbers have few decimal digits. A quotient of two exact numbers is the
 * nearest double to that decimal, and two decimals of at most 15 digits (6 for a float) never
 * share a double, so the first one found is the shortest.
 */
static size_t put_if_short_double(char *to, double size, bool negative)
{
    static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9 };
    for (int places = 0; places < 10 && size * powers[places] < 1e15; places++) {
        uint64_t whole = (uint64_t)(size * powers[places] + 0.5);
        if ((double)whole / powers[places] == size) {
            return put_short(to, whole, places, negative);
        }
    }
    return 0;
}

static size_t put_if_short_float(char *to, float size, bool negative)
{
    static const float powers[] = { 1e0F, 1e1F, 1e2F, 1e3F, 1e4F, 1e5F, 1e6F };
    for (int places = 0; places < 7 && size * powers[places] < 999999; places++) {
        uint32_t whole = (uint32_t)(size * powers[places] + 0.5F);
        if ((float)whole / powers[places] == size) {
            return put_short(to, whole, places, negative);
        }
    }
    return 0;
}

size_t fc_format_double(char *to, double value)
{
    char scientific[40];
    const char *special = special_name(value);
    size_t length = special != NULL ? put_text(to, special)
                                    : put_if_short_double(to, fabs(value), value < 0);
    if (length > 0) {
        return length;
    }
    /* 15 digits are never too many but near zero, where numbers have fewer bits. */
    for (int digits = fabs(value) < DBL_MIN ? 0 : 14; digits <= 16; digits++) {
        (void)snprintf(scientific, sizeof(scientific), "%.*e", digits,
                       value); /* 24 characters at most */
        if (strtod(scientific, NULL) == value) {
            break;
        }
    }
    return put_scientific(to, scientific);
}

size_t fc_format_float(char *to, float value)
{
    char scientific[40];
    const char *special = special_name((double)value);
    size_t length = special != NULL ? put_text(to, special)
                                    : put_if_short_float(to, fabsf(value), value < 0);
    if (length > 0) {
        return length;
    }
    for (int digits = fabsf(value) < FLT_MIN ? 0 : 5; digits <= 8; digits++) {
        (void)snprintf(scientific, sizeof(scientific), "%.*e", digits, (double)value);
        if (strtof(scientific, NULL) == value) {
            break;
        }
    }
    return put_scientific(to, scientific);
}
