/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dates count from 0000-03-01 so that the leap day ends a year; 400 years are 146097 days.
 */
#include "runner/envelope/civil.h"

#include "core/base/format.h"

enum { DAYS_TO_1970 = 719468, DAYS_400_YEARS = 146097, SECONDS_DAY = 86400 };

static const int64_t micros_day = (int64_t)SECONDS_DAY * 1000000;

int64_t fc_civil_to_days(int64_t year, unsigned month, unsigned day)
{
    int64_t from_march = month > 2 ? year : year - 1;
    int64_t era = (from_march >= 0 ? from_march : from_march - 399) / 400;
    int64_t year_of_era = from_march - era * 400;
    int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_400_YEARS + day_of_era - DAYS_TO_1970;
}

static void from_days(int64_t days, int64_t *out_year, unsigned *out_month, unsigned *out_day)
{
    int64_t shifted = days + DAYS_TO_1970;
    int64_t era = (shifted >= 0 ? shifted : shifted - (DAYS_400_YEARS - 1)) / DAYS_400_YEARS;
    int64_t day_of_era = shifted - era * DAYS_400_YEARS;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    *out_day = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    *out_month =
        (unsigned)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    *out_year = year_of_era + era * 400 + (*out_month <= 2 ? 1 : 0);
}

static void format_day(struct fc_civil_day *cached, int64_t day)
{
    int64_t year = 0;
    unsigned month = 0;
    unsigned day_of_month = 0;
    char *at = cached->text;
    from_days(day, &year, &month, &day_of_month);
    if (year < 0 || year > 9999) {
        *at++ = year < 0 ? '-' : '+';
        year = year < 0 ? -year : year;
    }
    if (year > 9999) {
        at += fc_format_i64(at, year);
    } else {
        fc_format_padded(at, (uint32_t)year, 4);
        at += 4;
    }
    at[0] = '-';
    fc_format_padded(at + 1, month, 2);
    at[3] = '-';
    fc_format_padded(at + 4, day_of_month, 2);
    at[6] = 'T';
    cached->len = (size_t)(at + 7 - cached->text);
    cached->day = day;
}

static inline void put_two(char *at, uint32_t value)
{
    at[0] = (char)('0' + value / 10);
    at[1] = (char)('0' + value % 10);
}

char *fc_civil_put_moment(char *at, int64_t micros, unsigned digits, struct fc_civil_day *day)
{
    static const uint32_t units[7] = { 1000000, 100000, 10000, 1000, 100, 10, 1 };
    int64_t day_number = micros / micros_day;
    int64_t rest = micros % micros_day;
    uint32_t second;
    uint32_t fraction;
    if (rest < 0) {
        rest += micros_day;
        day_number--;
    }
    if (day->len == 0 || day->day != day_number) {
        format_day(day, day_number);
    }
    memcpy(at, day->text, sizeof(day->text));
    at += day->len;
    second = (uint32_t)(rest / 1000000);
    fraction = (uint32_t)(rest % 1000000);
    put_two(at, second / 3600);
    at[2] = ':';
    put_two(at + 3, second / 60 % 60);
    at[5] = ':';
    put_two(at + 6, second % 60);
    at += 8;
    if (digits > 6 || fraction % units[digits] != 0) {
        digits = 6;
    }
    if (digits > 0) {
        *at++ = '.';
        fc_format_padded(at, fraction / units[digits], digits);
        at += digits;
    }
    *at++ = 'Z';
    return at;
}

/* Exactly `count` digits. */
static bool take_digits(const uint8_t **at, const uint8_t *end, size_t count, uint32_t *out)
{
    uint32_t value = 0;
    if ((size_t)(end - *at) < count) {
        return false;
    }
    for (size_t index = 0; index < count; index++) {
        unsigned digit = (unsigned)(*at)[index] - '0';
        if (digit > 9) {
            return false;
        }
        value = value * 10 + digit;
    }
    *at += count;
    *out = value;
    return true;
}

static bool take_mark(const uint8_t **at, const uint8_t *end, char mark)
{
    if (*at == end || **at != (uint8_t)mark) {
        return false;
    }
    (*at)++;
    return true;
}

static bool parse_year(const uint8_t **at, const uint8_t *end, int64_t *out_year)
{
    bool negative = take_mark(at, end, '-');
    bool is_signed = negative || take_mark(at, end, '+');
    size_t count = 0;
    uint32_t year = 0;
    while (count < (size_t)(end - *at) && (*at)[count] != '-') {
        count++;
    }
    if (count < 4 || count > (is_signed ? 6 : 4) || !take_digits(at, end, count, &year)) {
        return false;
    }
    *out_year = negative ? -(int64_t)year : (int64_t)year;
    return true;
}

static bool parse_fraction(const uint8_t **at, const uint8_t *end, uint32_t *out_micros)
{
    uint32_t micros = 0;
    unsigned count = 0;
    while (*at < end && (unsigned)**at - '0' <= 9 && count < 6) {
        micros = micros * 10 + (unsigned)**at - '0';
        (*at)++;
        count++;
    }
    for (unsigned missing = count; missing < 6; missing++) {
        micros *= 10;
    }
    *out_micros = micros;
    return count > 0;
}

bool fc_civil_parse_moment(struct fc_slice text, int64_t *out_micros)
{
    const uint8_t *at = text.data;
    const uint8_t *end = text.data + text.len;
    int64_t year = 0;
    int64_t days = 0;
    int64_t micros = 0;
    uint32_t parts[5] = { 0 };
    uint32_t fraction = 0;
    if (!parse_year(&at, end, &year) || !take_mark(&at, end, '-') ||
        !take_digits(&at, end, 2, &parts[0]) || !take_mark(&at, end, '-') ||
        !take_digits(&at, end, 2, &parts[1]) || !take_mark(&at, end, 'T') ||
        !take_digits(&at, end, 2, &parts[2]) || !take_mark(&at, end, ':') ||
        !take_digits(&at, end, 2, &parts[3]) || !take_mark(&at, end, ':') ||
        !take_digits(&at, end, 2, &parts[4])) {
        return false;
    }
    if (take_mark(&at, end, '.') && !parse_fraction(&at, end, &fraction)) {
        return false;
    }
    if (!take_mark(&at, end, 'Z') || at != end || parts[0] - 1 > 11 || parts[1] - 1 > 30 ||
        parts[2] > 23 || parts[3] > 59 || parts[4] > 59) {
        return false;
    }
    micros = (int64_t)(parts[2] * 3600 + parts[3] * 60 + parts[4]) * 1000000 + fraction;
    days = fc_civil_to_days(year, parts[0], parts[1]);
    if (days < 0) { /* so that the earliest moment does not overflow on the way */
        days++;
        micros -= micros_day;
    }
    return !__builtin_mul_overflow(days, micros_day, &days) &&
           !__builtin_add_overflow(days, micros, out_micros);
}
