/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Escaping copies 16 bytes at a time and looks whether any of them needs an escape; almost no
 * text has one, so the fast path is a checked copy. Short texts and the ends of long ones are
 * copied as two overlapping halves, never reading past the source.
 */
#include "runner/envelope/json_write.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* 0: as it is; 1: \u00XX; else the letter after the backslash. */
static const uint8_t escapes[256] = {
    ['\b'] = 'b',  ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"',
    ['\\'] = '\\', [0] = 1,      [1] = 1,      [2] = 1,      [3] = 1,      [4] = 1,
    [5] = 1,       [6] = 1,      [7] = 1,      [11] = 1,     [14] = 1,     [15] = 1,
    [16] = 1,      [17] = 1,     [18] = 1,     [19] = 1,     [20] = 1,     [21] = 1,
    [22] = 1,      [23] = 1,     [24] = 1,     [25] = 1,     [26] = 1,     [27] = 1,
    [28] = 1,      [29] = 1,     [30] = 1,     [31] = 1,
};

static char *put_bytewise(char *at, const uint8_t *data, size_t len)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t index = 0; index < len; index++) {
        uint8_t byte = data[index];
        uint8_t escape = escapes[byte];
        if (escape == 0) {
            *at++ = (char)byte;
        } else if (escape == 1) {
            at[0] = '\\';
            at[1] = 'u';
            at[2] = '0';
            at[3] = '0';
            at[4] = hex[byte >> 4];
            at[5] = hex[byte & 15];
            at += 6;
        } else {
            at[0] = '\\';
            at[1] = (char)escape;
            at += 2;
        }
    }
    return at;
}

/* Non-zero when one of 8 bytes needs an escape; the usual tests for a zero byte, and exact as
 * a whole though not per byte. */
static inline uint64_t needs_escape_8(uint64_t bytes)
{
    const uint64_t ones = 0x0101010101010101ULL;
    const uint64_t high = 0x8080808080808080ULL;
    uint64_t quote = bytes ^ (ones * '"');
    uint64_t slash = bytes ^ (ones * '\\');
    return (((bytes - ones * 0x20) & ~bytes) | ((quote - ones) & ~quote) |
            ((slash - ones) & ~slash)) &
           high;
}

static inline uint64_t load_8(const uint8_t *data)
{
    uint64_t bytes;
    memcpy(&bytes, data, sizeof(bytes));
    return bytes;
}

static inline uint32_t load_4(const uint8_t *data)
{
    uint32_t bytes;
    memcpy(&bytes, data, sizeof(bytes));
    return bytes;
}

/* Copy 16 bytes; false (with anything written) when one of them needs an escape. */
#if defined(__SSE2__)
static inline bool copy_16(char *at, const uint8_t *data)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)data);
    __m128i found =
        _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes),
                     _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                  _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
    _mm_storeu_si128((__m128i *)(void *)at, bytes);
    return _mm_movemask_epi8(found) == 0;
}
#else
static inline bool copy_16(char *at, const uint8_t *data)
{
    uint64_t low = load_8(data);
    uint64_t high = load_8(data + 8);
    memcpy(at, &low, 8);
    memcpy(at + 8, &high, 8);
    return (needs_escape_8(low) | needs_escape_8(high)) == 0;
}
#endif

/* 4 to 15 bytes as two overlapping halves. */
static inline bool copy_short(char *at, const uint8_t *data, size_t len)
{
    if (len >= 8) {
        uint64_t first = load_8(data);
        uint64_t last = load_8(data + len - 8);
        memcpy(at, &first, 8);
        memcpy(at + len - 8, &last, 8);
        return (needs_escape_8(first) | needs_escape_8(last)) == 0;
    }
    uint32_t first = load_4(data);
    uint32_t last = load_4(data + len - 4);
    memcpy(at, &first, 4);
    memcpy(at + len - 4, &last, 4);
    return needs_escape_8((uint64_t)last << 32 | first) == 0;
}

char *fc_json_put_escaped(char *at, const uint8_t *data, size_t len)
{
    bool clean = true;
    if (len < 4) {
        return put_bytewise(at, data, len);
    }
    if (len < 16) {
        return copy_short(at, data, len) ? at + len : put_bytewise(at, data, len);
    }
    while (len >= 16) {
        clean = copy_16(at, data);
        at = clean ? at + 16 : put_bytewise(at, data, 16);
        data += 16;
        len -= 16;
    }
    if (len == 0) {
        return at;
    }
    /* The last 16 bytes, of which the first are written already as they are. */
    if (clean && copy_16(at + len - 16, data + len - 16)) {
        return at + len;
    }
    return put_bytewise(at, data, len);
}

size_t fc_json_escaped_size(const uint8_t *data, size_t len)
{
    size_t size = len;
    for (size_t index = 0; index < len; index++) {
        uint8_t escape = escapes[data[index]];
        size += escape == 0 ? 0 : escape == 1 ? 5 : 1;
    }
    return size;
}

/* Put quotes around what stands from `from` to `at` when it is a word, not a number. */
static char *quote_words(char *from, char *at)
{
    if (at[-1] >= '0' && at[-1] <= '9') {
        return at;
    }
    memmove(from + 1, from, (size_t)(at - from));
    from[0] = '"';
    at[1] = '"';
    return at + 2;
}

char *fc_json_put_double(char *at, double value)
{
    return quote_words(at, at + fc_format_double(at, value));
}

char *fc_json_put_float(char *at, float value)
{
    return quote_words(at, at + fc_format_float(at, value));
}

void fc_json_append_string(struct fc_buf *out, struct fc_slice text)
{
    char *start = (char *)fc_buf_reserve(out, fc_json_escaped_size(text.data, text.len) + 2 +
                                                  FC_JSON_SLACK);
    if (start != NULL) {
        out->len += (size_t)(fc_json_put_string(start, text) - start);
    }
}
