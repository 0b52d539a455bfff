/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/decimal.h"

#include <stdbool.h>
#include <string.h>

#include "core/base/format.h"

enum { GROUP_DIGITS = 9, GROUP_BYTES = 4 };

static const uint8_t bytes_of_digits[GROUP_DIGITS + 1] = { 0, 1, 1, 2, 2, 3, 3, 4, 4, 4 };
static const uint32_t limits[GROUP_DIGITS + 1] = { 1,         10,        100,     1000,
                                                   10000,     100000,    1000000, 10000000,
                                                   100000000, 1000000000 };

size_t fc_decimal_size(unsigned precision, unsigned scale)
{
    unsigned whole = precision - scale;
    return whole / GROUP_DIGITS * GROUP_BYTES + bytes_of_digits[whole % GROUP_DIGITS] +
           scale / GROUP_DIGITS * GROUP_BYTES + bytes_of_digits[scale % GROUP_DIGITS];
}

/* By bytes of a group. */
static const uint32_t masks[GROUP_BYTES + 1] = { 0, 0xff, 0xffff, 0xffffff, 0xffffffff };

/* A number being read: the first byte's sign bit is flipped, and everything of a negative. */
struct digits {
    const uint8_t *at;
    uint32_t invert; /* 0, or all ones */
    uint8_t flip;    /* 0x80 until the first byte is read */
    bool bad;
};

/* The next group, of `count` digits. */
static inline uint32_t next_group(struct digits *digits, unsigned count)
{
    unsigned bytes = bytes_of_digits[count];
    uint32_t group = 0;
    for (unsigned index = 0; index < bytes; index++) {
        group = group << 8 | (uint32_t)(*digits->at++ ^ digits->flip);
        digits->flip = 0;
    }
    group ^= digits->invert & masks[bytes];
    digits->bad = digits->bad || group >= limits[count];
    return group;
}

/* Most numbers need no zeros in front; the first group that is not zero starts the text. */
static inline char *put_whole(char *to, uint32_t group, unsigned count, bool started)
{
    if (started) {
        fc_format_padded(to, group, count);
        return to + count;
    }
    return group == 0 ? to : to + fc_format_u64(to, group);
}

size_t fc_decimal_print(const uint8_t *from, unsigned precision, unsigned scale, char *to)
{
    bool negative = (from[0] & 0x80) == 0;
    struct digits digits = { from, negative ? 0xffffffffU : 0, 0x80, false };
    unsigned whole = precision - scale;
    char *at = to;
    char *first;
    if (negative) {
        *at++ = '-';
    }
    first = at;
    if (whole % GROUP_DIGITS > 0) {
        at = put_whole(at, next_group(&digits, whole % GROUP_DIGITS), whole % GROUP_DIGITS,
                       false);
    }
    for (unsigned left = whole / GROUP_DIGITS; left > 0; left--) {
        at = put_whole(at, next_group(&digits, GROUP_DIGITS), GROUP_DIGITS, at > first);
    }
    if (at == first) {
        *at++ = '0';
    }
    if (scale > 0) {
        *at++ = '.';
    }
    for (unsigned left = scale; left > 0;) {
        unsigned count = left < GROUP_DIGITS ? left : GROUP_DIGITS;
        fc_format_padded(at, next_group(&digits, count), count);
        at += count;
        left -= count;
    }
    return digits.bad ? 0 : (size_t)(at - to);
}
