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

static inline char *fc_json_put_null(char *at)
{
    memcpy(at, "null", 4);
    return at + 4;
}

#endif
