/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text as Jackson writes it, put down without checks.
 *
 * The encoder bounds a whole row first and reserves once; these functions then only write. Each
 * writes at `at` and returns where the text ends. Room needed: what the comment says, plus
 * FC_JSON_SLACK bytes that may be scribbled over past the end.
 */
#ifndef FC_RUNNER_JSON_WRITE_H
#define FC_RUNNER_JSON_WRITE_H

#include "core/base/buf.h"
#include "core/base/format.h"

enum {
    FC_JSON_SLACK = 32,
    FC_JSON_ESCAPE_MAX = 6 /* bytes that one byte of text becomes at most */
};

/* What stands for a value that the source did not send (Debezium's word for it). */
#define FC_JSON_UNAVAILABLE "__debezium_unavailable_value"
enum { FC_JSON_UNAVAILABLE_LEN = sizeof(FC_JSON_UNAVAILABLE) - 1 };

/* The text with ", \ and control characters escaped; FC_JSON_ESCAPE_MAX * len. */
char *fc_json_put_escaped(char *at, const uint8_t *data, size_t len);

/* The exact length of what fc_json_put_escaped writes. */
size_t fc_json_escaped_size(const uint8_t *data, size_t len);

/* A float, quoted when it is not finite; FC_FORMAT_DOUBLE_SIZE + 2. */
char *fc_json_put_double(char *at, double value);
char *fc_json_put_float(char *at, float value);

/* A fragment that was stored with FC_JSON_SLACK readable bytes after its end; len. */
static inline char *fc_json_put_fragment(char *at, const char *text, size_t len)
{
    char *end = at + len;
    memcpy(at, text, FC_JSON_SLACK);
    while (len > FC_JSON_SLACK) {
        at += FC_JSON_SLACK;
        text += FC_JSON_SLACK;
        len -= FC_JSON_SLACK;
        memcpy(at, text, FC_JSON_SLACK);
    }
    return end;
}

/* A string with its quotes; FC_JSON_ESCAPE_MAX * len + 2. */
static inline char *fc_json_put_string(char *at, struct fc_slice text)
{
    *at++ = '"';
    at = fc_json_put_escaped(at, text.data, text.len);
    *at++ = '"';
    return at;
}

/* The same into a buffer. */
void fc_json_append_string(struct fc_buf *out, struct fc_slice text);

/*
 * Eight digits at once: halves, then pairs, then digits, each split done in all lanes of one
 * number by multiplying with a reciprocal that is exact for their size. value < 10^8. The first
 * digit is in the lowest byte; bytes hold 0 to 9.
 */
static inline uint64_t fc_json_eight_digits(uint64_t value)
{
    uint64_t halves = value / 10000 | value % 10000 << 32;
    uint64_t hundreds = halves * 10486 >> 20 & 0x0000007f0000007fULL;
    uint64_t pairs = hundreds | (halves - hundreds * 100) << 16;
    uint64_t tens = pairs * 103 >> 10 & 0x000f000f000f000fULL;
    return tens | (pairs - tens * 10) << 8;
}

static inline char *fc_json_put_eight(char *at, uint64_t value)
{
    uint64_t text = fc_json_eight_digits(value) + 0x3030303030303030ULL;
    memcpy(at, &text, sizeof(text)); /* little-endian */
    return at + sizeof(text);
}

/* The same without zeros in front. */
static inline char *fc_json_put_up_to_eight(char *at, uint64_t value)
{
    uint64_t digits = fc_json_eight_digits(value);
    /* The last digit counts even when it is zero. */
    int skip = __builtin_ctzll(digits | (uint64_t)1 << 56) / 8;
    uint64_t text = (digits + 0x3030303030303030ULL) >> (skip * 8);
    memcpy(at, &text, sizeof(text));
    return at + sizeof(text) - skip;
}

/* A whole number; FC_FORMAT_I64_SIZE. */
static inline char *fc_json_put_u64(char *at, uint64_t value)
{
    const uint64_t eight = 100000000;
    if (value < eight) {
        return fc_json_put_up_to_eight(at, value);
    }
    if (value < eight * eight) {
        return fc_json_put_eight(fc_json_put_up_to_eight(at, value / eight), value % eight);
    }
    at = fc_json_put_up_to_eight(at, value / (eight * eight));
    at = fc_json_put_eight(at, value / eight % eight);
    return fc_json_put_eight(at, value % eight);
}

static inline char *fc_json_put_i64(char *at, int64_t value)
{
    uint64_t size = (uint64_t)value;
    if (value < 0) {
        *at++ = '-';
        size = 0 - size;
    }
    return fc_json_put_u64(at, size);
}

static inline char *fc_json_put_null(char *at)
{
    static const char word[4] = { 'n', 'u', 'l', 'l' };
    memcpy(at, word, sizeof(word));
    return at + sizeof(word);
}

#endif
