/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lua's string patterns (Lua 5.4 manual, 6.4.1), matched with a limit on the work done.
 *
 * The standard matcher can backtrack for hours on a short text, out of reach of the instruction
 * hook; this one counts each step and stops.
 */
#ifndef FC_TRANSFORM_PATTERN_H
#define FC_TRANSFORM_PATTERN_H

#include "core/base/slice.h"

enum { FC_PATTERN_CAPTURES_MAX = 32 };

/* A capture that is a place, "()", has len FC_PATTERN_POSITION. */
enum { FC_PATTERN_UNFINISHED = -1, FC_PATTERN_POSITION = -2 };

struct fc_pattern_capture {
    const uint8_t *start;
    ptrdiff_t len;
};

struct fc_pattern {
    /* Set by fc_pattern_init. */
    const uint8_t *text;
    const uint8_t *text_end;
    const uint8_t *pattern; /* without the anchor */
    const uint8_t *pattern_end;
    bool anchored;
    uint64_t steps_left; /* may be set by the caller */
    /* After a match. */
    uint32_t capture_count;
    struct fc_pattern_capture captures[FC_PATTERN_CAPTURES_MAX];
    /* The matcher's own. */
    const char *mistake; /* in the pattern; NULL: none */
    bool out_of_steps;
    uint32_t depth;
};

/* with_anchor: a leading '^' anchors the match (gmatch has no anchors). */
void fc_pattern_init(struct fc_pattern *match, struct fc_slice text, struct fc_slice pattern,
                     bool with_anchor, uint64_t steps_max);

/*
 * Match at exactly `at`: the end of the match, or NULL when there is none; look at `mistake` and
 * `out_of_steps` then.
 */
const uint8_t *fc_pattern_match_at(struct fc_pattern *match, const uint8_t *at);

/* The first match at or after *at, which becomes its start; NULL when there is none. */
const uint8_t *fc_pattern_search(struct fc_pattern *match, const uint8_t **at);

/* No character of it has a meaning in patterns. */
bool fc_pattern_is_plain(struct fc_slice pattern);

#endif
