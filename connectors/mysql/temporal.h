/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and times as the servers pack them, to microseconds and days, or to the servers' text
 * where they are no points in time (zero and invalid dates). */
#ifndef FC_MYSQL_TEMPORAL_H
#define FC_MYSQL_TEMPORAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parts as stored; any may be out of range. */
struct fc_temporal {
    uint32_t year;
    uint32_t month;
    uint32_t day;
    uint32_t hour;
    uint32_t minute;
    uint32_t second;
    uint32_t microsecond;
};

enum { FC_TEMPORAL_TEXT_SIZE = 48 }; /* room for any text below */

/* Days since 1970-01-01 in the Gregorian calendar, extended to year 0; month 1 to 12. */
static inline int64_t fc_temporal_days(uint32_t year, uint32_t month, uint32_t day)
{
    /* Years that begin in March put the leap day last; an era has 400 years, 146,097 days. */
    uint32_t shifted = year + 400 - (month <= 2 ? 1 : 0);
    uint32_t era = shifted / 400;
    uint32_t year_of_era = shifted % 400;
    uint32_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    uint32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int64_t)era * 146097 + day_of_era - 146097 - 719468;
}

static inline bool fc_temporal_is_date(uint32_t year, uint32_t month, uint32_t day)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (month < 1 || month > 12 || day < 1 || year > 9999) {
        return false;
    }
    if (day <= days[month - 1]) {
        return true;
    }
    return month == 2 && day == 29 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline bool fc_temporal_is_time(const struct fc_temporal *t)
{
    return t->hour < 24 && t->minute < 60 && t->second < 60 && t->microsecond < 1000000;
}

/* Microseconds since 1970; the parts are a date and a time of day. */
static inline int64_t fc_temporal_us(const struct fc_temporal *t)
{
    int64_t seconds = fc_temporal_days(t->year, t->month, t->day) * 86400 +
                      (int64_t)t->hour * 3600 + (int64_t)t->minute * 60 + t->second;
    return seconds * 1000000 + t->microsecond;
}

/* "0000-00-00"; "0000-00-00 00:00:00.000" with as many fraction digits; no NUL. */
size_t fc_temporal_print_date(const struct fc_temporal *t, char *to);
size_t fc_temporal_print_datetime(const struct fc_temporal *t, unsigned fraction_digits,
                                  char *to);
/* "-838:59:59.000000" with that many fraction digits. */
size_t fc_temporal_print_time(bool negative, const struct fc_temporal *t,
                              unsigned fraction_digits, char *to);

/* The 8-byte form inside JSON: date and time << 24 | microseconds; sign on times only. */
void fc_temporal_unpack_datetime(int64_t packed, struct fc_temporal *out);
void fc_temporal_unpack_time(int64_t packed, bool *out_negative, struct fc_temporal *out);

#endif
