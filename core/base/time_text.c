/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/time_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Exactly `count` digits. */
static bool take_digits(const char **at, int count, int *out)
{
    *out = 0;
    for (int index = 0; index < count; index++) {
        if (!isdigit((unsigned char)(*at)[index])) {
            return false;
        }
        *out = *out * 10 + ((*at)[index] - '0');
    }
    *at += count;
    return true;
}

static bool take_char(const char **at, char wanted)
{
    if (**at != wanted) {
        return false;
    }
    ++*at;
    return true;
}

/* ".5": up to nanoseconds, rounded down to microseconds. */
static bool take_fraction(const char **at, int64_t *out_us)
{
    int64_t scale = 100000;
    int digits = 0;
    *out_us = 0;
    if (!take_char(at, '.')) {
        return true;
    }
    for (; isdigit((unsigned char)**at); ++*at, digits++) {
        *out_us += (**at - '0') * scale;
        scale /= 10;
    }
    return digits >= 1 && digits <= 9;
}

/* "Z", "+01:00" or nothing. */
static bool take_zone(const char **at, bool *out_given, int *out_minutes)
{
    int hours;
    int minutes;
    int sign = **at == '-' ? -1 : 1;
    *out_given = **at != '\0';
    *out_minutes = 0;
    if (!*out_given) {
        return true;
    }
    if (**at == 'Z' || **at == 'z') {
        ++*at;
        return true;
    }
    if (**at != '+' && **at != '-') {
        return false;
    }
    ++*at;
    if (!take_digits(at, 2, &hours)) {
        return false;
    }
    (void)take_char(at, ':');
    if (!take_digits(at, 2, &minutes) || hours > 18 || minutes > 59) {
        return false;
    }
    *out_minutes = sign * (hours * 60 + minutes);
    return true;
}

static bool in_range(const struct tm *tm)
{
    return tm->tm_mon >= 0 && tm->tm_mon <= 11 && tm->tm_mday >= 1 && tm->tm_mday <= 31 &&
           tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60;
}

fc_time_verdict fc_time_parse(const char *text, int64_t *out_us, bool *out_local)
{
    const char *at = text;
    struct tm tm;
    struct tm copy;
    int64_t fraction = 0;
    bool zone_given;
    int zone_minutes;
    time_t seconds;
    memset(&tm, 0, sizeof(tm));
    if (!take_digits(&at, 4, &tm.tm_year) || !take_char(&at, '-') ||
        !take_digits(&at, 2, &tm.tm_mon) || !take_char(&at, '-') ||
        !take_digits(&at, 2, &tm.tm_mday) ||
        (!take_char(&at, ' ') && !take_char(&at, 'T') && !take_char(&at, 't'))) {
        return FC_TIME_OTHER;
    }
    if (!take_digits(&at, 2, &tm.tm_hour) || !take_char(&at, ':') ||
        !take_digits(&at, 2, &tm.tm_min)) {
        return FC_TIME_INVALID;
    }
    if (take_char(&at, ':') &&
        (!take_digits(&at, 2, &tm.tm_sec) || !take_fraction(&at, &fraction))) {
        return FC_TIME_INVALID;
    }
    if (!take_zone(&at, &zone_given, &zone_minutes) || *at != '\0') {
        return FC_TIME_INVALID;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    tm.tm_isdst = -1;
    if (!in_range(&tm)) {
        return FC_TIME_INVALID;
    }
    copy = tm;
    seconds = zone_given ? timegm(&tm) - (time_t)zone_minutes * 60 : mktime(&tm);
    /* 30 February would become 2 March; an hour that summer time skips moves, too. */
    if (tm.tm_mday != copy.tm_mday || tm.tm_hour != copy.tm_hour) {
        return FC_TIME_INVALID;
    }
    *out_us = (int64_t)seconds * 1000000 + fraction;
    *out_local = !zone_given;
    return FC_TIME_VALID;
}

const char *fc_time_format_ms(int64_t ms, char *to)
{
    int64_t part = ms % 1000 < 0 ? ms % 1000 + 1000 : ms % 1000;
    time_t seconds = (time_t)((ms - part) / 1000);
    struct tm parts;
    char date[FC_TIME_STAMP_SIZE - 8];
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
        (void)snprintf(to, FC_TIME_STAMP_SIZE, "%lld ms", (long long)ms); /* no such year */
    } else {
        (void)snprintf(to, FC_TIME_STAMP_SIZE, "%s.%03dZ", date, (int)part);
    }
    return to;
}
