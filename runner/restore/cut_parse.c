/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "runner/restore/cut.h"

/* --- TIME -------------------------------------------------------------------------------- */

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

/* True when text has the form of a time; *out_valid: and is one. */
static bool parse_time(const char *text, struct fc_cut_spec *spec, bool *out_valid)
{
    const char *at = text;
    struct tm tm;
    struct tm copy;
    int64_t fraction = 0;
    bool zone_given;
    int zone_minutes;
    time_t seconds;
    memset(&tm, 0, sizeof(tm));
    *out_valid = false;
    if (!take_digits(&at, 4, &tm.tm_year) || !take_char(&at, '-') ||
        !take_digits(&at, 2, &tm.tm_mon) || !take_char(&at, '-') ||
        !take_digits(&at, 2, &tm.tm_mday) ||
        (!take_char(&at, ' ') && !take_char(&at, 'T') && !take_char(&at, 't'))) {
        return false;
    }
    if (!take_digits(&at, 2, &tm.tm_hour) || !take_char(&at, ':') ||
        !take_digits(&at, 2, &tm.tm_min)) {
        return true;
    }
    if (take_char(&at, ':') &&
        (!take_digits(&at, 2, &tm.tm_sec) || !take_fraction(&at, &fraction))) {
        return true;
    }
    if (!take_zone(&at, &zone_given, &zone_minutes) || *at != '\0') {
        return true;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    tm.tm_isdst = -1;
    if (!in_range(&tm)) {
        return true;
    }
    copy = tm;
    seconds = zone_given ? timegm(&tm) - (time_t)zone_minutes * 60 : mktime(&tm);
    /* 30 February would become 2 March; an hour that summer time skips moves, too. */
    *out_valid = tm.tm_mday == copy.tm_mday && tm.tm_hour == copy.tm_hour;
    spec->kind = FC_CUT_TIME;
    spec->time_us = (int64_t)seconds * 1000000 + fraction;
    spec->local = !zone_given;
    return true;
}

/* --- OFFSET ------------------------------------------------------------------------------ */

static bool parse_number(const char *text, int64_t max, int64_t *out)
{
    int64_t value = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        int digit = *text - '0';
        if (digit < 0 || digit > 9 || value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

static bool parse_offset(const char *text, struct fc_cut_spec *spec)
{
    const char *second = strrchr(text, '/');
    const char *first = NULL;
    char partition[16];
    int64_t number;
    if (second == NULL) {
        spec->kind = FC_CUT_OFFSET;
        return parse_number(text, INT64_MAX, &spec->offset);
    }
    for (const char *at = text; at < second; at++) {
        first = *at == '/' ? at : first;
    }
    if (first == NULL || first == text || (size_t)(first - text) > FC_TOPIC_NAME_MAX ||
        (size_t)(second - first) > sizeof(partition)) {
        return false;
    }
    memcpy(spec->topic, text, (size_t)(first - text));
    memcpy(partition, first + 1, (size_t)(second - first - 1));
    partition[second - first - 1] = '\0';
    if (!parse_number(partition, UINT32_MAX, &number)) {
        return false;
    }
    spec->kind = FC_CUT_OFFSET;
    spec->partition = (uint32_t)number;
    return parse_number(second + 1, INT64_MAX, &spec->offset);
}

/* --- all of them ------------------------------------------------------------------------- */

static fc_code parse_tx(const char *text, struct fc_cut_spec *spec, struct fc_error *err)
{
    spec->kind = FC_CUT_TX;
    if (strchr(text, ',') != NULL || strpbrk(text, " \t\n") != NULL || *text == '\0') {
        return fc_fail(err, FC_ERR_CONFIG,
                       "\"%s\" is no single transaction; give one GTID (0-1-42, or <uuid>:17)",
                       text);
    }
    return FC_OK;
}

fc_code fc_cut_parse(const char *to, const char *before, struct fc_cut_spec *out_spec,
                     struct fc_error *err)
{
    struct fc_cut_spec spec;
    const char *text = to != NULL ? to : before;
    bool valid = true;
    fc_code code = FC_OK;
    memset(&spec, 0, sizeof(spec));
    if (to != NULL && before != NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "give --to or --before, not both");
    }
    if (text == NULL || (to != NULL && strcmp(to, "end") == 0)) {
        memset(out_spec, 0, sizeof(*out_spec));
        return FC_OK;
    }
    if (strlen(text) >= sizeof(spec.text)) {
        return fc_fail(err, FC_ERR_CONFIG, "the cut is longer than %zu characters",
                       sizeof(spec.text) - 1);
    }
    memcpy(spec.text, text, strlen(text));
    if (before != NULL) {
        code = parse_tx(text, &spec, err);
        spec.before = true;
    } else if (parse_time(text, &spec, &valid)) {
        if (!valid) {
            code =
                fc_fail(err, FC_ERR_CONFIG,
                        "\"%s\" is not a time; write 2026-11-23 14:03:58 (local time zone) or "
                        "2026-11-23T14:03:58Z",
                        text);
        }
    } else if (strchr(text, '/') != NULL || strspn(text, "0123456789") == strlen(text)) {
        if (!parse_offset(text, &spec)) {
            code = fc_fail(err, FC_ERR_CONFIG,
                           "\"%s\" is not an offset; write topic/partition/offset", text);
        }
    } else {
        code = parse_tx(text, &spec, err);
    }
    if (code == FC_OK) {
        *out_spec = spec;
    }
    return code;
}
