/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backtracking matcher. `s` is a place in the text, `p` one in the pattern. match_here follows
 * the pattern as long as there is only one way to go on and calls itself where there are more.
 *
 * Each call and each character looked at in a loop is a step. Recursion ends at DEPTH_MAX; what
 * recurses is the number of quantified items and captures in the pattern, not the text's length.
 */
#include "transforms/pattern.h"

#include <ctype.h>

enum { DEPTH_MAX = 200 };

static const uint8_t *match_here(struct fc_pattern *match, const uint8_t *s, const uint8_t *p);

static const uint8_t *mistake(struct fc_pattern *match, const char *text)
{
    if (match->mistake == NULL) {
        match->mistake = text;
    }
    return NULL;
}

static bool spend(struct fc_pattern *match)
{
    if (match->steps_left == 0) {
        match->out_of_steps = true;
        return false;
    }
    match->steps_left--;
    return true;
}

static bool has_failed(const struct fc_pattern *match)
{
    return match->mistake != NULL || match->out_of_steps;
}

/* --- single characters -------------------------------------------------------------------- */

/* Whether c is in the class that a letter after '%' names; other characters stand for
 * themselves. */
static bool is_in_class(uint8_t c, uint8_t letter)
{
    bool in;
    switch (tolower(letter)) {
    case 'a':
        in = isalpha(c) != 0;
        break;
    case 'c':
        in = iscntrl(c) != 0;
        break;
    case 'd':
        in = isdigit(c) != 0;
        break;
    case 'g':
        in = isgraph(c) != 0;
        break;
    case 'l':
        in = islower(c) != 0;
        break;
    case 'p':
        in = ispunct(c) != 0;
        break;
    case 's':
        in = isspace(c) != 0;
        break;
    case 'u':
        in = isupper(c) != 0;
        break;
    case 'w':
        in = isalnum(c) != 0;
        break;
    case 'x':
        in = isxdigit(c) != 0;
        break;
    case 'z': /* of older Lua versions; 5.4 still takes it */
        in = c == 0;
        break;
    default:
        return letter == c;
    }
    return isupper(letter) ? !in : in;
}

/* The place after the single-character item at p ("a", "%d", "[^x-z]"), or NULL. */
static const uint8_t *item_end(struct fc_pattern *match, const uint8_t *p)
{
    const uint8_t *end = match->pattern_end;
    const uint8_t *first;
    if (*p == '%') {
        return p + 1 < end ? p + 2 : mistake(match, "malformed pattern (ends with '%')");
    }
    if (*p != '[') {
        return p + 1;
    }
    p++;
    if (p < end && *p == '^') {
        p++;
    }
    first = p; /* a ']' here stands for itself */
    while (p < end && (*p != ']' || p == first)) {
        p += *p == '%' ? 2 : 1;
    }
    return p < end ? p + 1 : mistake(match, "malformed pattern (missing ']')");
}

/* Whether c is in the set at p, whose ']' is at last. */
static bool is_in_set(uint8_t c, const uint8_t *p, const uint8_t *last)
{
    bool wanted = true;
    p++;
    if (*p == '^') {
        wanted = false;
        p++;
    }
    while (p < last) {
        if (*p == '%' && p + 1 < last) {
            if (is_in_class(c, p[1])) {
                return wanted;
            }
            p += 2;
        } else if (p + 2 < last && p[1] == '-') {
            if (p[0] <= c && c <= p[2]) {
                return wanted;
            }
            p += 3;
        } else {
            if (*p == c) {
                return wanted;
            }
            p++;
        }
    }
    return !wanted;
}

/* Whether the item from p to end matches the character at s. */
static bool matches_one(struct fc_pattern *match, const uint8_t *s, const uint8_t *p,
                        const uint8_t *end)
{
    if (s == match->text_end || !spend(match)) {
        return false;
    }
    switch (*p) {
    case '.':
        return true;
    case '%':
        return is_in_class(*s, p[1]);
    case '[':
        return is_in_set(*s, p, end - 1);
    default:
        return *p == *s;
    }
}

/* --- items of more than one character ------------------------------------------------------ */

/* "%bxy" with p at x. */
static const uint8_t *match_balanced(struct fc_pattern *match, const uint8_t *s,
                                     const uint8_t *p)
{
    size_t open = 1;
    if (match->pattern_end - p < 2) {
        return mistake(match, "malformed pattern (missing arguments to '%b')");
    }
    if (s == match->text_end || *s != p[0]) {
        return NULL;
    }
    for (s++; s < match->text_end && spend(match); s++) {
        if (*s == p[1]) {
            open--;
            if (open == 0) {
                return s + 1;
            }
        } else if (*s == p[0]) {
            open++;
        }
    }
    return NULL;
}

/* "%f[set]" with p at '[': an empty match where the set begins. */
static bool is_frontier(struct fc_pattern *match, const uint8_t *s, const uint8_t *p,
                        const uint8_t *end)
{
    uint8_t before = s == match->text ? 0 : s[-1];
    uint8_t here = s == match->text_end ? 0 : *s;
    return spend(match) && !is_in_set(before, p, end - 1) && is_in_set(here, p, end - 1);
}

/* "%1": what capture 1 held. */
static const uint8_t *match_back(struct fc_pattern *match, const uint8_t *s, uint8_t digit)
{
    uint32_t index = (uint32_t)(digit - '1');
    const struct fc_pattern_capture *capture;
    size_t len;
    if (digit == '0' || index >= match->capture_count ||
        match->captures[index].len == FC_PATTERN_UNFINISHED) {
        return mistake(match, "invalid capture index in pattern");
    }
    capture = &match->captures[index];
    len = capture->len == FC_PATTERN_POSITION ? 0 : (size_t)capture->len;
    if (match->steps_left < len / 16) {
        match->out_of_steps = true;
        return NULL;
    }
    match->steps_left -= len / 16;
    if ((size_t)(match->text_end - s) < len || memcmp(capture->start, s, len) != 0) {
        return NULL;
    }
    return s + len;
}

static const uint8_t *open_capture(struct fc_pattern *match, const uint8_t *s, const uint8_t *p,
                                   ptrdiff_t len)
{
    const uint8_t *end;
    if (match->capture_count == FC_PATTERN_CAPTURES_MAX) {
        return mistake(match, "too many captures");
    }
    match->captures[match->capture_count].start = s;
    match->captures[match->capture_count].len = len;
    match->capture_count++;
    end = match_here(match, s, p);
    if (end == NULL) {
        match->capture_count--;
    }
    return end;
}

static const uint8_t *close_capture(struct fc_pattern *match, const uint8_t *s,
                                    const uint8_t *p)
{
    uint32_t index = match->capture_count;
    const uint8_t *end;
    while (index > 0 && match->captures[index - 1].len != FC_PATTERN_UNFINISHED) {
        index--;
    }
    if (index == 0) {
        return mistake(match, "invalid pattern capture");
    }
    match->captures[index - 1].len = s - match->captures[index - 1].start;
    end = match_here(match, s, p);
    if (end == NULL) {
        match->captures[index - 1].len = FC_PATTERN_UNFINISHED;
    }
    return end;
}

/* As many as there are, then fewer. item is p to end, the rest of the pattern starts at rest. */
static const uint8_t *match_most(struct fc_pattern *match, const uint8_t *s, const uint8_t *p,
                                 const uint8_t *end)
{
    const uint8_t *at = s;
    while (matches_one(match, at, p, end)) {
        at++;
    }
    while (!has_failed(match)) {
        const uint8_t *found = match_here(match, at, end + 1);
        if (found != NULL) {
            return found;
        }
        if (at == s) {
            return NULL;
        }
        at--;
    }
    return NULL;
}

static const uint8_t *match_least(struct fc_pattern *match, const uint8_t *s, const uint8_t *p,
                                  const uint8_t *end)
{
    while (!has_failed(match)) {
        const uint8_t *found = match_here(match, s, end + 1);
        if (found != NULL) {
            return found;
        }
        if (!matches_one(match, s, p, end)) {
            return NULL;
        }
        s++;
    }
    return NULL;
}

/* --- the pattern --------------------------------------------------------------------------- */

/* How match_here goes on after an item. */
struct next {
    const uint8_t *s; /* NULL: no match */
    const uint8_t *p; /* NULL: the match ends at s */
};

static struct next next_of(const uint8_t *s, const uint8_t *p)
{
    struct next next = { s, s == NULL ? NULL : p };
    return next;
}

/* "%b", "%f" and "%1"; false when '%' begins a class. */
static bool match_special(struct fc_pattern *match, const uint8_t *s, const uint8_t *p,
                          struct next *out_next)
{
    const uint8_t *end = match->pattern_end;
    if (p + 1 == end) {
        return false;
    }
    if (isdigit(p[1])) {
        *out_next = next_of(match_back(match, s, p[1]), p + 2);
        return true;
    }
    if (p[1] == 'b') {
        *out_next = next_of(match_balanced(match, s, p + 2), p + 4);
        return true;
    }
    if (p[1] != 'f') {
        return false;
    }
    if (p + 2 == end || p[2] != '[') {
        *out_next = next_of(mistake(match, "missing '[' after '%f' in pattern"), NULL);
        return true;
    }
    end = item_end(match, p + 2);
    *out_next = next_of(end != NULL && is_frontier(match, s, p + 2, end) ? s : NULL, end);
    return true;
}

static struct next match_item(struct fc_pattern *match, const uint8_t *s, const uint8_t *p)
{
    const uint8_t *end = item_end(match, p);
    uint8_t quantifier = end == NULL || end == match->pattern_end ? 0 : *end;
    const uint8_t *found;
    if (end == NULL) {
        return next_of(NULL, NULL);
    }
    switch (quantifier) {
    case '*':
        return next_of(match_most(match, s, p, end), NULL);
    case '-':
        return next_of(match_least(match, s, p, end), NULL);
    case '+':
        return next_of(matches_one(match, s, p, end) ? match_most(match, s + 1, p, end) : NULL,
                       NULL);
    case '?':
        found = matches_one(match, s, p, end) ? match_here(match, s + 1, end + 1) : NULL;
        return found != NULL ? next_of(found, NULL) : next_of(s, end + 1);
    default:
        return next_of(matches_one(match, s, p, end) ? s + 1 : NULL, end);
    }
}

static struct next match_next(struct fc_pattern *match, const uint8_t *s, const uint8_t *p)
{
    struct next next;
    if (*p == '(') {
        bool position = p + 1 < match->pattern_end && p[1] == ')';
        return next_of(open_capture(match, s, position ? p + 2 : p + 1,
                                    position ? FC_PATTERN_POSITION : FC_PATTERN_UNFINISHED),
                       NULL);
    }
    if (*p == ')') {
        return next_of(close_capture(match, s, p + 1), NULL);
    }
    if (*p == '$' && p + 1 == match->pattern_end) {
        return next_of(s == match->text_end ? s : NULL, NULL);
    }
    if (*p == '%' && match_special(match, s, p, &next)) {
        return next;
    }
    return match_item(match, s, p);
}

static const uint8_t *match_here(struct fc_pattern *match, const uint8_t *s, const uint8_t *p)
{
    if (!spend(match)) {
        return NULL;
    }
    if (match->depth == DEPTH_MAX) {
        return mistake(match, "pattern too complex");
    }
    match->depth++;
    while (p != match->pattern_end) {
        struct next next = match_next(match, s, p);
        s = has_failed(match) ? NULL : next.s;
        if (s == NULL || next.p == NULL) {
            break;
        }
        p = next.p;
    }
    match->depth--;
    return s;
}

void fc_pattern_init(struct fc_pattern *match, struct fc_slice text, struct fc_slice pattern,
                     bool with_anchor, uint64_t steps_max)
{
    match->text = text.data;
    match->text_end = text.data + text.len;
    match->anchored = with_anchor && pattern.len > 0 && pattern.data[0] == '^';
    match->pattern = pattern.data + (match->anchored ? 1 : 0);
    match->pattern_end = pattern.data + pattern.len;
    match->steps_left = steps_max;
    match->capture_count = 0;
    match->mistake = NULL;
    match->out_of_steps = false;
    match->depth = 0;
}

const uint8_t *fc_pattern_match_at(struct fc_pattern *match, const uint8_t *at)
{
    const uint8_t *end;
    match->capture_count = 0;
    match->depth = 0;
    end = match_here(match, at, match->pattern);
    for (uint32_t index = 0; end != NULL && index < match->capture_count; index++) {
        if (match->captures[index].len == FC_PATTERN_UNFINISHED) {
            end = mistake(match, "unfinished capture");
        }
    }
    return end;
}

const uint8_t *fc_pattern_search(struct fc_pattern *match, const uint8_t **at)
{
    for (const uint8_t *start = *at;; start++) {
        const uint8_t *end = fc_pattern_match_at(match, start);
        if (end != NULL) {
            *at = start;
            return end;
        }
        if (match->anchored || start == match->text_end || has_failed(match)) {
            return NULL;
        }
    }
}

bool fc_pattern_is_plain(struct fc_slice pattern)
{
    static const char special[] = { '^', '$', '*', '+', '?', '.', '(', '[', '%', '-' };
    for (size_t index = 0; index < pattern.len; index++) {
        if (memchr(special, pattern.data[index], sizeof(special)) != NULL) {
            return false;
        }
    }
    return true;
}
