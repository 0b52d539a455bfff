/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The binary form of DECIMAL(precision, scale): groups of nine digits in four bytes, big-endian,
 * a partial group first in the whole part and last in the fraction; the highest bit is set for
 * numbers that are not negative, and all bytes of negative ones are inverted.
 */
#ifndef FC_MYSQL_DECIMAL_H
#define FC_MYSQL_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the binary form. */
size_t fc_decimal_size(unsigned precision, unsigned scale);

/*
 * Write the number as text, always `scale` fraction digits, to `to`, which has precision + 3
 * bytes. from has fc_decimal_size bytes; 1 <= precision <= 255, scale <= precision.
 *
 * Returns the length, or 0 when a group is above what its digits can hold.
 */
size_t fc_decimal_print(const uint8_t *from, unsigned precision, unsigned scale, char *to);

#endif
