/* SPDX-License-Identifier: Apache-2.0 */
/* Days and dates of the proleptic Gregorian calendar, and ISO texts of moments. */
#ifndef FC_RUNNER_CIVIL_H
#define FC_RUNNER_CIVIL_H

#include "core/base/slice.h"

enum { FC_CIVIL_TEXT_SIZE = 48 }; /* room that fc_civil_put_moment needs */

/* Days since 1970-01-01 of a date; month 1 to 12, day 1 to 31. */
int64_t fc_civil_to_days(int64_t year, unsigned month, unsigned day);

/* The day that was formatted last: most moments of a batch fall on one day. Zeroed: none. */
struct fc_civil_day {
    int64_t day;
    size_t len; /* 0: none */
    char text[24];
};

/*
 * "2018-06-20T13:37:03Z" for microseconds since 1970 UTC, with `digits` fraction digits (0 to 6)
 * and more only when the value would lose some. Years outside 0 to 9999 carry a sign. Returns the
 * end of the text.
 */
char *fc_civil_put_moment(char *at, int64_t micros, unsigned digits, struct fc_civil_day *day);

/* The way back; false when text is not such a moment or does not fit 64 bits. */
bool fc_civil_parse_moment(struct fc_slice text, int64_t *out_micros);

#endif
