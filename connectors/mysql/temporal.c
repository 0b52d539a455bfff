/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/temporal.h"

#include <string.h>

#include "core/base/format.h"

enum { FRACTION_DIGITS_MAX = 6 };

/* A number that may have more digits than the place is wide. */
static char *put(char *to, uint32_t value, unsigned width)
{
    uint32_t limit = width == 4 ? 10000 : 100;
    if (value >= limit) {
        return to + fc_format_u64(to, value);
    }
    fc_format_padded(to, value, width);
    return to + width;
}

static char *put_clock(char *to, const struct fc_temporal *t, unsigned fraction_digits)
{
    to = put(to, t->hour, 2);
    *to++ = ':';
    to = put(to, t->minute, 2);
    *to++ = ':';
    to = put(to, t->second, 2);
    if (fraction_digits > 0) {
        char digits[FRACTION_DIGITS_MAX];
        fc_format_padded(digits, t->microsecond % 1000000, FRACTION_DIGITS_MAX);
        *to++ = '.';
        memcpy(to, digits, fraction_digits);
        to += fraction_digits;
    }
    return to;
}

static char *put_date(char *to, const struct fc_temporal *t)
{
    to = put(to, t->year, 4);
    *to++ = '-';
    to = put(to, t->month, 2);
    *to++ = '-';
    return put(to, t->day, 2);
}

size_t fc_temporal_print_date(const struct fc_temporal *t, char *to)
{
    return (size_t)(put_date(to, t) - to);
}

size_t fc_temporal_print_datetime(const struct fc_temporal *t, unsigned fraction_digits,
                                  char *to)
{
    char *at = put_date(to, t);
    *at++ = ' ';
    return (size_t)(put_clock(at, t, fraction_digits) - to);
}

size_t fc_temporal_print_time(bool negative, const struct fc_temporal *t,
                              unsigned fraction_digits, char *to)
{
    char *at = to;
    if (negative) {
        *at++ = '-';
    }
    return (size_t)(put_clock(at, t, fraction_digits) - to);
}

void fc_temporal_unpack_datetime(int64_t packed, struct fc_temporal *out)
{
    uint64_t value = packed < 0 ? 0 - (uint64_t)packed : (uint64_t)packed;
    uint64_t whole = value >> 24;
    uint32_t days = (uint32_t)(whole >> 17);
    uint32_t clock = (uint32_t)(whole & 0x1ffff);
    out->microsecond = (uint32_t)(value & 0xffffff);
    out->year = (days >> 5) / 13;
    out->month = (days >> 5) % 13;
    out->day = days & 31;
    out->hour = clock >> 12;
    out->minute = clock >> 6 & 63;
    out->second = clock & 63;
}

void fc_temporal_unpack_time(int64_t packed, bool *out_negative, struct fc_temporal *out)
{
    uint64_t value = packed < 0 ? 0 - (uint64_t)packed : (uint64_t)packed;
    uint32_t clock = (uint32_t)(value >> 24 & 0x3fffff);
    memset(out, 0, sizeof(*out));
    *out_negative = packed < 0;
    out->microsecond = (uint32_t)(value & 0xffffff);
    out->hour = clock >> 12;
    out->minute = clock >> 6 & 63;
    out->second = clock & 63;
}
