/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects are passed over 64 bytes at a time: bit masks of the quotes, the backslashes and the
 * brackets of a block tell which bytes are inside strings (the running exclusive-or of the quote
 * bits), so only brackets outside strings are looked at one by one.
 */
#include "runner/envelope/json_scan.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { BLOCK = 64 };

/* One bit per byte of a block. */
struct masks {
    uint64_t quotes;
    uint64_t slashes;
    uint64_t opens;  /* { and [ */
    uint64_t closes; /* } and ] */
};

#if defined(__SSE2__)
static void read_masks(const uint8_t *data, struct masks *out)
{
    memset(out, 0, sizeof(*out));
    for (int part = 0; part < 4; part++) {
        __m128i bytes =
            _mm_loadu_si128((const __m128i *)(const void *)(data + (size_t)part * 16));
        __m128i braces = _mm_or_si128(bytes, _mm_set1_epi8(0x20)); /* [ ] become { } */
        int quotes = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
        int slashes = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
        int opens = _mm_movemask_epi8(_mm_cmpeq_epi8(braces, _mm_set1_epi8('{')));
        int closes = _mm_movemask_epi8(_mm_cmpeq_epi8(braces, _mm_set1_epi8('}')));
        out->quotes |= (uint64_t)(unsigned)quotes << (part * 16);
        out->slashes |= (uint64_t)(unsigned)slashes << (part * 16);
        out->opens |= (uint64_t)(unsigned)opens << (part * 16);
        out->closes |= (uint64_t)(unsigned)closes << (part * 16);
    }
}
#else
static void read_masks(const uint8_t *data, struct masks *out)
{
    memset(out, 0, sizeof(*out));
    for (int index = 0; index < BLOCK; index++) {
        uint64_t bit = (uint64_t)1 << index;
        out->quotes |= data[index] == '"' ? bit : 0;
        out->slashes |= data[index] == '\\' ? bit : 0;
        out->opens |= (data[index] | 0x20) == '{' ? bit : 0;
        out->closes |= (data[index] | 0x20) == '}' ? bit : 0;
    }
}
#endif

/* The bytes after backslashes that escape them; *carry: the first byte of a block is one. */
static uint64_t escaped_bytes(uint64_t slashes, bool *carry)
{
    uint64_t escaped = *carry ? 1 : 0;
    slashes &= ~escaped;
    *carry = false;
    while (slashes != 0) {
        int place = __builtin_ctzll(slashes);
        if (place == BLOCK - 1) {
            *carry = true;
            return escaped;
        }
        escaped |= (uint64_t)2 << place;
        slashes &= ~((uint64_t)3 << place);
    }
    return escaped;
}

static uint64_t running_xor(uint64_t bits)
{
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    return bits ^ bits << 32;
}

/* Where a container is left, counted over blocks. */
struct walk {
    size_t depth;
    bool escape;     /* the next byte is escaped */
    uint64_t inside; /* all ones when the next byte is in a string */
};

/* The number of bytes up to the container's end, or 0 when it does not end in this block. */
static size_t walk_block(struct walk *walk, const uint8_t *data)
{
    struct masks masks;
    uint64_t in_string;
    uint64_t brackets;
    read_masks(data, &masks);
    if (masks.slashes != 0 || walk->escape) {
        masks.quotes &= ~escaped_bytes(masks.slashes, &walk->escape);
    }
    in_string = running_xor(masks.quotes) ^ walk->inside;
    walk->inside = 0 - (in_string >> (BLOCK - 1));
    brackets = (masks.opens | masks.closes) & ~in_string;
    while (brackets != 0) {
        int place = __builtin_ctzll(brackets);
        if ((masks.opens >> place & 1) != 0) {
            walk->depth++;
        } else if (--walk->depth == 0) {
            return (size_t)place + 1;
        }
        brackets &= brackets - 1;
    }
    return 0;
}

/* The cursor stands on the opening bracket. */
static bool skip_container(struct fc_json_scan *scan)
{
    struct walk walk = { 0 };
    uint8_t last[BLOCK] = { 0 };
    size_t taken = 0;
    while (fc_json_left(scan) >= BLOCK) {
        taken = walk_block(&walk, scan->at);
        if (taken > 0) {
            scan->at += taken;
            return true;
        }
        scan->at += BLOCK;
    }
    if (fc_json_left(scan) == 0) {
        return false;
    }
    memcpy(last, scan->at, fc_json_left(scan));
    taken = walk_block(&walk, last);
    scan->at += taken;
    return taken > 0;
}

#if defined(__SSE2__)
/* The first quote or backslash, or the last few bytes when it is not before them. */
static inline const uint8_t *find_mark_in_blocks(const uint8_t *at, const uint8_t *end)
{
    while ((size_t)(end - at) >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        int found = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                                   _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
        if (found != 0) {
            return at + __builtin_ctz((unsigned)found);
        }
        at += 16;
    }
    return at;
}
#else
static inline const uint8_t *find_mark_in_blocks(const uint8_t *at, const uint8_t *end)
{
    (void)end;
    return at;
}
#endif

/* The first quote or backslash, or the end. */
static const uint8_t *find_string_mark(const uint8_t *at, const uint8_t *end)
{
    at = find_mark_in_blocks(at, end);
    while (at < end && *at != '"' && *at != '\\') {
        at++;
    }
    return at;
}

bool fc_json_take_string(struct fc_json_scan *scan, struct fc_json_string *out_string)
{
    const uint8_t *from;
    const uint8_t *at;
    if (scan->at >= scan->end || *scan->at != '"') {
        return false;
    }
    from = scan->at + 1;
    at = from;
    out_string->escaped = false;
    for (;;) {
        at = find_string_mark(at, scan->end);
        if (at == scan->end) {
            return false;
        }
        if (*at == '"') {
            break;
        }
        out_string->escaped = true;
        if (scan->end - at < 2) {
            return false;
        }
        at += 2;
    }
    out_string->raw = fc_slice_of(from, (size_t)(at - from));
    scan->at = at + 1;
    return true;
}

static bool read_hex4(const uint8_t *at, const uint8_t *end, uint32_t *out)
{
    uint32_t value = 0;
    if (end - at < 4) {
        return false;
    }
    for (int index = 0; index < 4; index++) {
        uint32_t digit = at[index];
        if (digit - '0' <= 9) {
            digit -= '0';
        } else if ((digit | 0x20) - 'a' <= 5) {
            digit = (digit | 0x20) - 'a' + 10;
        } else {
            return false;
        }
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

static uint8_t *put_utf8(uint8_t *to, uint32_t point)
{
    if (point < 0x80) {
        *to++ = (uint8_t)point;
    } else if (point < 0x800) {
        *to++ = (uint8_t)(0xc0 | point >> 6);
        *to++ = (uint8_t)(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        *to++ = (uint8_t)(0xe0 | point >> 12);
        *to++ = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (point & 0x3f));
    } else {
        *to++ = (uint8_t)(0xf0 | point >> 18);
        *to++ = (uint8_t)(0x80 | (point >> 12 & 0x3f));
        *to++ = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (point & 0x3f));
    }
    return to;
}

/* After "\u": one unit, or two that make a pair. */
static bool unescape_unit(const uint8_t **at, const uint8_t *end, uint8_t **to)
{
    uint32_t point = 0;
    uint32_t low = 0;
    if (!read_hex4(*at, end, &point)) {
        return false;
    }
    *at += 4;
    if (point >= 0xd800 && point < 0xe000) {
        if (point >= 0xdc00 || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' ||
            !read_hex4(*at + 2, end, &low) || low < 0xdc00 || low >= 0xe000) {
            return false;
        }
        *at += 6;
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    }
    *to = put_utf8(*to, point);
    return true;
}

/* *at stands after the backslash. */
static bool unescape_one(const uint8_t **at, const uint8_t *end, uint8_t **to)
{
    static const char from[] = "\"\\/bfnrt";
    static const char into[] = "\"\\/\b\f\n\r\t";
    const char *found;
    uint8_t letter = *(*at)++;
    if (letter == 'u') {
        return unescape_unit(at, end, to);
    }
    found = letter == 0 ? NULL : strchr(from, letter);
    if (found == NULL) {
        return false;
    }
    *(*to)++ = (uint8_t)into[found - from];
    return true;
}

bool fc_json_unescape(struct fc_json_string string, struct fc_arena *arena,
                      struct fc_slice *out_text)
{
    const uint8_t *at = string.raw.data;
    const uint8_t *end = string.raw.data + string.raw.len;
    uint8_t *text;
    uint8_t *to;
    if (!string.escaped) {
        *out_text = string.raw;
        return true;
    }
    text = fc_arena_alloc(arena, string.raw.len);
    if (text == NULL) {
        return false;
    }
    to = text;
    while (at < end) {
        const uint8_t *mark = find_string_mark(at, end);
        memcpy(to, at, (size_t)(mark - at));
        to += mark - at;
        at = mark;
        if (at < end) {
            at++;
            if (at == end || !unescape_one(&at, end, &to)) {
                return false;
            }
        }
    }
    fc_arena_shrink_last(arena, string.raw.len, (size_t)(to - text));
    *out_text = fc_slice_of(text, (size_t)(to - text));
    return true;
}

static bool is_digit(uint8_t byte)
{
    return (unsigned)byte - '0' <= 9;
}

bool fc_json_take_number(struct fc_json_scan *scan, struct fc_slice *out_text, bool *out_whole)
{
    const uint8_t *at = scan->at;
    const uint8_t *end = scan->end;
    bool ends_in_digit;
    at += at < end && *at == '-' ? 1 : 0;
    ends_in_digit = at < end && is_digit(*at);
    while (at < end && is_digit(*at)) {
        at++;
    }
    *out_whole = true;
    while (at < end && (*at == '.' || (*at | 0x20) == 'e' || *at == '+' || *at == '-')) {
        *out_whole = false;
        for (at++, ends_in_digit = false; at < end && is_digit(*at); at++) {
            ends_in_digit = true;
        }
    }
    *out_text = fc_slice_of(scan->at, (size_t)(at - scan->at));
    scan->at = at;
    return ends_in_digit;
}

bool fc_json_skip_value(struct fc_json_scan *scan, struct fc_slice *out_value)
{
    uint8_t first = fc_json_peek(scan);
    const uint8_t *from = scan->at;
    struct fc_json_string string;
    struct fc_slice number;
    bool whole = false;
    bool found = false;
    switch (first) {
    case '{':
    case '[':
        found = skip_container(scan);
        break;
    case '"':
        found = fc_json_take_string(scan, &string);
        break;
    case 'n':
        found = fc_json_take_word(scan, "null", 4);
        break;
    case 't':
        found = fc_json_take_word(scan, "true", 4);
        break;
    case 'f':
        found = fc_json_take_word(scan, "false", 5);
        break;
    default:
        found = fc_json_take_number(scan, &number, &whole);
    }
    *out_value = fc_slice_of(from, (size_t)(scan->at - from));
    return found;
}

/* A comma unless it is the first, or the end. */
static bool next_place(struct fc_json_scan *scan, bool *first, char closing, bool *out_end)
{
    *out_end = fc_json_take(scan, closing);
    if (!*out_end && !*first && !fc_json_take(scan, ',')) {
        return false;
    }
    *first = false;
    return true;
}

bool fc_json_next_member(struct fc_json_scan *scan, bool *first,
                         struct fc_json_string *out_name, bool *out_end)
{
    if (!next_place(scan, first, '}', out_end)) {
        return false;
    }
    if (*out_end) {
        return true;
    }
    fc_json_skip_space(scan);
    if (!fc_json_take_string(scan, out_name) || !fc_json_take(scan, ':')) {
        return false;
    }
    fc_json_skip_space(scan);
    return true;
}

bool fc_json_next_item(struct fc_json_scan *scan, bool *first, bool *out_end)
{
    if (!next_place(scan, first, ']', out_end)) {
        return false;
    }
    fc_json_skip_space(scan);
    return true;
}
