/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time as people write and read them. */
#ifndef FC_BASE_TIME_TEXT_H
#define FC_BASE_TIME_TEXT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum fc_time_verdict {
    FC_TIME_OTHER,   /* has not the form of a time */
    FC_TIME_INVALID, /* has the form, but no such time exists */
    FC_TIME_VALID
} fc_time_verdict;

/*
 * "2026-11-23 14:03:58" (local time zone), "2026-11-23T14:03:58.5Z", "2026-11-23T14:03+01:00".
 *
 * out_us is since 1970-01-01 UTC; out_local tells that no zone was given. Both are set only when
 * the time is valid.
 */
fc_time_verdict fc_time_parse(const char *text, int64_t *out_us, bool *out_local);

/* "2026-11-23T14:03:58.123Z" into `to`, FC_TIME_STAMP_SIZE bytes; returns `to`. */
enum { FC_TIME_STAMP_SIZE = 48 };
const char *fc_time_format_ms(int64_t ms, char *to);

#endif
