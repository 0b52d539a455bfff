/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cursor over JSON text that finds values without building anything.
 *
 * Functions that move return false, with the cursor anywhere, when the text is not what they
 * look for. White space is allowed wherever JSON allows it; our own encoder writes none.
 * Nothing is read at or past `end`.
 */
#ifndef FC_RUNNER_JSON_SCAN_H
#define FC_RUNNER_JSON_SCAN_H

#include "core/base/arena.h"

struct fc_json_scan {
    const uint8_t *at;
    const uint8_t *end;
};

static inline void fc_json_scan_init(struct fc_json_scan *scan, struct fc_slice text)
{
    scan->at = text.data;
    scan->end = text.data == NULL ? NULL : text.data + text.len;
}

static inline size_t fc_json_left(const struct fc_json_scan *scan)
{
    return (size_t)(scan->end - scan->at);
}

static inline void fc_json_skip_space(struct fc_json_scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r')) {
        scan->at++;
    }
}

/* The next character after white space, without taking it; 0 at the end. */
static inline uint8_t fc_json_peek(struct fc_json_scan *scan)
{
    fc_json_skip_space(scan);
    return scan->at < scan->end ? *scan->at : 0;
}

/* Take this character, after white space. */
static inline bool fc_json_take(struct fc_json_scan *scan, char character)
{
    if (fc_json_peek(scan) != (uint8_t)character) {
        return false;
    }
    scan->at++;
    return true;
}

/* Take a word such as null; the cursor stands on its first character. */
static inline bool fc_json_take_word(struct fc_json_scan *scan, const char *word, size_t len)
{
    if (fc_json_left(scan) < len || memcmp(scan->at, word, len) != 0) {
        return false;
    }
    scan->at += len;
    return true;
}

/* A string as it stands between its quotes. */
struct fc_json_string {
    struct fc_slice raw;
    bool escaped; /* raw has backslashes */
};

/* Take a string; the cursor stands on its first quote. */
bool fc_json_take_string(struct fc_json_scan *scan, struct fc_json_string *out_string);

/* What a string says: raw itself, or unescaped in arena. false when an escape is wrong or the
 * arena is full (arena->failed tells). */
bool fc_json_unescape(struct fc_json_string string, struct fc_arena *arena,
                      struct fc_slice *out_text);

/* Take a number's text: sign, digits, fraction, exponent. is_whole: digits only. */
bool fc_json_take_number(struct fc_json_scan *scan, struct fc_slice *out_text, bool *out_whole);

/*
 * Pass over a value and tell where it stands. Brackets must balance and strings end; the
 * grammar inside is left to who reads it.
 */
bool fc_json_skip_value(struct fc_json_scan *scan, struct fc_slice *out_value);

/*
 * Go through an object's members. Start after fc_json_take(scan, '{') with *first = true; on
 * true with *out_end == false the cursor stands on a member's value, which the caller takes
 * before it calls again.
 */
bool fc_json_next_member(struct fc_json_scan *scan, bool *first,
                         struct fc_json_string *out_name, bool *out_end);

/* The same for an array after fc_json_take(scan, '['). */
bool fc_json_next_item(struct fc_json_scan *scan, bool *first, bool *out_end);

static inline bool fc_json_is(struct fc_json_string name, const char *text)
{
    return fc_slice_equal_text(name.raw, text);
}

#endif
