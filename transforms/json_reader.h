/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text as a sequence of events, checked strictly (RFC 8259), without a tree in memory.
 *
 * It serves what a tree cannot: filling Lua tables under the sandbox's memory cap, and exact
 * numbers.
 */
#ifndef FC_TRANSFORM_JSON_READER_H
#define FC_TRANSFORM_JSON_READER_H

#include "core/base/buf.h"

enum { FC_JSON_DEPTH_MAX = 100 };

typedef enum fc_json_event {
    FC_JSON_OBJECT,
    FC_JSON_OBJECT_END,
    FC_JSON_ARRAY,
    FC_JSON_ARRAY_END,
    FC_JSON_KEY,    /* token: between the quotes, still escaped */
    FC_JSON_STRING, /* token: between the quotes, still escaped */
    FC_JSON_NUMBER, /* token */
    FC_JSON_TRUE,
    FC_JSON_FALSE,
    FC_JSON_NULL,
    FC_JSON_END,  /* of the text */
    FC_JSON_ERROR /* see problem */
} fc_json_event;

typedef enum fc_json_state {
    FC_JSON_AT_VALUE,
    FC_JSON_AT_FIRST_KEY,
    FC_JSON_AT_FIRST_ELEMENT,
    FC_JSON_AFTER_VALUE
} fc_json_state;

struct fc_json_reader {
    const uint8_t *start;
    const uint8_t *at;
    const uint8_t *end;
    fc_json_state state;
    uint32_t depth;
    bool in_object[FC_JSON_DEPTH_MAX];
    struct fc_slice token; /* of the latest KEY, STRING or NUMBER; borrows the text */
    bool has_escapes;      /* in that KEY or STRING */
    const char *problem;   /* static text; `at` is where */
};

void fc_json_reader_init(struct fc_json_reader *reader, struct fc_slice text);
fc_json_event fc_json_next(struct fc_json_reader *reader);

/* A KEY's or STRING's token as UTF-8, appended to out. False: a lone surrogate. */
bool fc_script_json_unescape(struct fc_slice token, struct fc_buf *out);

/* Append a JSON string with its quotes. The text must be UTF-8. */
void fc_script_json_append_string(struct fc_buf *out, struct fc_slice text);

/* Append the text without the spaces between its tokens. NULL, or what is wrong with it. */
const char *fc_json_compact(struct fc_slice text, struct fc_buf *out);

/* Shortest form, without overlong codes and surrogates. */
bool fc_utf8_is_valid(struct fc_slice text);
/* Characters of valid UTF-8. */
size_t fc_utf8_length(struct fc_slice text);

#endif
