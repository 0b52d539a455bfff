/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers to text without locale, allocation or printf; each writes at `to`, without NUL, and
 * returns the length. */
#ifndef FC_BASE_FORMAT_H
#define FC_BASE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

enum {
    FC_FORMAT_I64_SIZE = 20,   /* room that fc_format_i64 and fc_format_u64 need */
    FC_FORMAT_DOUBLE_SIZE = 32 /* room that the floating-point functions need */
};

size_t fc_format_u64(char *to, uint64_t value);
size_t fc_format_i64(char *to, int64_t value);

/* Exactly `width` digits, zero-padded; value < 10^width, width <= 9. */
void fc_format_padded(char *to, uint32_t value, unsigned width);

/*
 * The shortest digits that read back as the same number, laid out as Java's Double.toString and
 * Float.toString do
 * ("1.0", "0.001", "1.0E10"; "NaN", "Infinity", "-Infinity"), which is what Debezium's JSON
 * holds.
 */
size_t fc_format_double(char *to, double value);
size_t fc_format_float(char *to, float value);

#endif
