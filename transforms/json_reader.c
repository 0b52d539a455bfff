/* SPDX-License-Identifier: Apache-2.0 */
#include "transforms/json_reader.h"

#include <ctype.h>

void fc_json_reader_init(struct fc_json_reader *reader, struct fc_slice text)
{
    reader->start = text.data;
    reader->at = text.data;
    reader->end = text.data + text.len;
    reader->state = FC_JSON_AT_VALUE;
    reader->depth = 0;
    reader->token = fc_slice_null();
    reader->has_escapes = false;
    reader->problem = NULL;
}

static fc_json_event fail(struct fc_json_reader *reader, const char *problem)
{
    if (reader->problem == NULL) {
        reader->problem = problem;
    }
    return FC_JSON_ERROR;
}

static void skip_spaces(struct fc_json_reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t' ||
                                        *reader->at == '\n' || *reader->at == '\r')) {
        reader->at++;
    }
}

/* --- tokens -------------------------------------------------------------------------------- */

static bool has_hex4(const uint8_t *at, const uint8_t *end)
{
    return end - at >= 4 && isxdigit(at[0]) && isxdigit(at[1]) && isxdigit(at[2]) &&
           isxdigit(at[3]);
}

/* at: the opening quote. */
static bool read_string(struct fc_json_reader *reader)
{
    const uint8_t *first = reader->at + 1;
    const uint8_t *at = first;
    reader->has_escapes = false;
    while (at < reader->end && *at != '"' && *at >= 0x20) {
        if (*at != '\\') {
            at++;
            continue;
        }
        reader->has_escapes = true;
        at++;
        if (at < reader->end && *at == 'u' && has_hex4(at + 1, reader->end)) {
            at += 5;
        } else if (at < reader->end && *at != '\0' && strchr("\"\\/bfnrt", *at) != NULL) {
            at++;
        } else {
            reader->at = at;
            (void)fail(reader, "invalid escape in a string");
            return false;
        }
    }
    reader->at = at;
    if (at == reader->end || *at != '"') {
        (void)fail(reader, at == reader->end ? "a string has no end"
                                             : "a control character in a string");
        return false;
    }
    reader->token = fc_slice_of(first, (size_t)(at - first));
    reader->at = at + 1;
    return true;
}

static const uint8_t *skip_digits(const uint8_t *at, const uint8_t *end)
{
    while (at < end && isdigit(*at)) {
        at++;
    }
    return at;
}

static fc_json_event read_number(struct fc_json_reader *reader)
{
    const uint8_t *end = reader->end;
    const uint8_t *at = reader->at;
    const uint8_t *digits;
    if (*at == '-') {
        at++;
    }
    digits = at;
    at = skip_digits(at, end);
    if (at == digits || (*digits == '0' && at - digits > 1)) {
        return fail(reader, "invalid number");
    }
    if (at < end && *at == '.') {
        digits = at + 1;
        at = skip_digits(digits, end);
        if (at == digits) {
            return fail(reader, "invalid number");
        }
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-')) {
            at++;
        }
        digits = at;
        at = skip_digits(digits, end);
        if (at == digits) {
            return fail(reader, "invalid number");
        }
    }
    reader->token = fc_slice_of(reader->at, (size_t)(at - reader->at));
    reader->at = at;
    return FC_JSON_NUMBER;
}

static fc_json_event read_word(struct fc_json_reader *reader, const char *word,
                               fc_json_event event)
{
    size_t len = strlen(word);
    if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, word, len) != 0) {
        return fail(reader, "invalid value");
    }
    reader->at += len;
    return event;
}

/* --- grammar ------------------------------------------------------------------------------- */

static fc_json_event open_container(struct fc_json_reader *reader, bool is_object)
{
    if (reader->depth == FC_JSON_DEPTH_MAX) {
        return fail(reader, "nested more than 100 levels deep");
    }
    reader->in_object[reader->depth++] = is_object;
    reader->state = is_object ? FC_JSON_AT_FIRST_KEY : FC_JSON_AT_FIRST_ELEMENT;
    reader->at++;
    return is_object ? FC_JSON_OBJECT : FC_JSON_ARRAY;
}

static fc_json_event close_container(struct fc_json_reader *reader)
{
    reader->depth--;
    reader->at++;
    reader->state = FC_JSON_AFTER_VALUE;
    return reader->in_object[reader->depth] ? FC_JSON_OBJECT_END : FC_JSON_ARRAY_END;
}

static fc_json_event read_value(struct fc_json_reader *reader)
{
    if (reader->at == reader->end) {
        return fail(reader, "a value is missing");
    }
    if (*reader->at == '{' || *reader->at == '[') {
        return open_container(reader, *reader->at == '{');
    }
    reader->state = FC_JSON_AFTER_VALUE;
    switch (*reader->at) {
    case '"':
        return read_string(reader) ? FC_JSON_STRING : FC_JSON_ERROR;
    case 't':
        return read_word(reader, "true", FC_JSON_TRUE);
    case 'f':
        return read_word(reader, "false", FC_JSON_FALSE);
    case 'n':
        return read_word(reader, "null", FC_JSON_NULL);
    default:
        return *reader->at == '-' || isdigit(*reader->at) ? read_number(reader)
                                                          : fail(reader, "invalid value");
    }
}

static fc_json_event read_key(struct fc_json_reader *reader)
{
    if (reader->at == reader->end || *reader->at != '"') {
        return fail(reader, "a key is missing");
    }
    if (!read_string(reader)) {
        return FC_JSON_ERROR;
    }
    skip_spaces(reader);
    if (reader->at == reader->end || *reader->at != ':') {
        return fail(reader, "':' is missing after a key");
    }
    reader->at++;
    reader->state = FC_JSON_AT_VALUE;
    return FC_JSON_KEY;
}

static fc_json_event after_value(struct fc_json_reader *reader)
{
    bool in_object = reader->depth > 0 && reader->in_object[reader->depth - 1];
    if (reader->depth == 0) {
        return reader->at == reader->end ? FC_JSON_END
                                         : fail(reader, "something follows the value");
    }
    if (reader->at < reader->end && *reader->at == (in_object ? '}' : ']')) {
        return close_container(reader);
    }
    if (reader->at == reader->end || *reader->at != ',') {
        return fail(reader, in_object ? "',' or '}' is missing" : "',' or ']' is missing");
    }
    reader->at++;
    skip_spaces(reader);
    return in_object ? read_key(reader) : read_value(reader);
}

fc_json_event fc_json_next(struct fc_json_reader *reader)
{
    if (reader->problem != NULL) {
        return FC_JSON_ERROR;
    }
    skip_spaces(reader);
    switch (reader->state) {
    case FC_JSON_AT_VALUE:
        return read_value(reader);
    case FC_JSON_AT_FIRST_KEY:
        if (reader->at < reader->end && *reader->at == '}') {
            return close_container(reader);
        }
        return read_key(reader);
    case FC_JSON_AT_FIRST_ELEMENT:
        if (reader->at < reader->end && *reader->at == ']') {
            return close_container(reader);
        }
        return read_value(reader);
    case FC_JSON_AFTER_VALUE:
        return after_value(reader);
    }
    return FC_JSON_ERROR;
}

/* --- strings ------------------------------------------------------------------------------- */

static uint32_t hex4(const uint8_t *at)
{
    uint32_t value = 0;
    for (int index = 0; index < 4; index++) {
        uint32_t digit =
            (uint32_t)(isdigit(at[index]) ? at[index] - '0' : tolower(at[index]) - 'a' + 10);
        value = value * 16 + digit;
    }
    return value;
}

static void append_utf8(struct fc_buf *out, uint32_t code)
{
    if (code < 0x80) {
        fc_buf_append_u8(out, (uint8_t)code);
        return;
    }
    if (code < 0x800) {
        fc_buf_append_u8(out, (uint8_t)(0xC0 | code >> 6));
    } else if (code < 0x10000) {
        fc_buf_append_u8(out, (uint8_t)(0xE0 | code >> 12));
        fc_buf_append_u8(out, (uint8_t)(0x80 | (code >> 6 & 0x3F)));
    } else {
        fc_buf_append_u8(out, (uint8_t)(0xF0 | code >> 18));
        fc_buf_append_u8(out, (uint8_t)(0x80 | (code >> 12 & 0x3F)));
        fc_buf_append_u8(out, (uint8_t)(0x80 | (code >> 6 & 0x3F)));
    }
    fc_buf_append_u8(out, (uint8_t)(0x80 | (code & 0x3F)));
}

/* at: the 'u' of an escape; NULL for a lone surrogate, else the place after it. */
static const uint8_t *unescape_code(const uint8_t *at, const uint8_t *end, struct fc_buf *out)
{
    uint32_t code = hex4(at + 1);
    at += 5;
    if (code >= 0xD800 && code <= 0xDFFF) {
        uint32_t low;
        if (code >= 0xDC00 || end - at < 6 || at[0] != '\\' || at[1] != 'u') {
            return NULL;
        }
        low = hex4(at + 2);
        if (low < 0xDC00 || low > 0xDFFF) {
            return NULL;
        }
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        at += 6;
    }
    append_utf8(out, code);
    return at;
}

bool fc_script_json_unescape(struct fc_slice token, struct fc_buf *out)
{
    static const char letters[] = "bfnrt";
    static const char meant[] = "\b\f\n\r\t";
    const uint8_t *at = token.data;
    const uint8_t *end = token.data + token.len;
    while (at < end) {
        const uint8_t *mark = memchr(at, '\\', (size_t)(end - at));
        const uint8_t *until = mark == NULL ? end : mark;
        const char *letter;
        fc_buf_append(out, at, (size_t)(until - at));
        if (mark == NULL) {
            break;
        }
        if (mark[1] == 'u') {
            at = unescape_code(mark + 1, end, out);
            if (at == NULL) {
                return false;
            }
            continue;
        }
        letter = strchr(letters, mark[1]);
        fc_buf_append_u8(out, letter == NULL ? mark[1] : (uint8_t)meant[letter - letters]);
        at = mark + 2;
    }
    return true;
}

void fc_script_json_append_string(struct fc_buf *out, struct fc_slice text)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char letters[] = "btn\0fr"; /* of the characters 8 to 13 */
    const uint8_t *plain = text.data;
    const uint8_t *end = text.data + text.len;
    fc_buf_append_u8(out, '"');
    for (const uint8_t *at = text.data; at < end; at++) {
        if (*at >= 0x20 && *at != '"' && *at != '\\') {
            continue;
        }
        fc_buf_append(out, plain, (size_t)(at - plain));
        plain = at + 1;
        fc_buf_append_u8(out, '\\');
        if (*at >= 0x20) {
            fc_buf_append_u8(out, *at);
        } else if (*at >= 8 && *at <= 13 && *at != 11) {
            fc_buf_append_u8(out, (uint8_t)letters[*at - 8]);
        } else {
            char code[5] = { 'u', '0', '0', hex[*at >> 4], hex[*at & 15] };
            fc_buf_append(out, code, sizeof(code));
        }
    }
    fc_buf_append(out, plain, (size_t)(end - plain));
    fc_buf_append_u8(out, '"');
}

/* --- compaction ---------------------------------------------------------------------------- */

static void append_event(struct fc_buf *out, fc_json_event event, struct fc_slice token)
{
    static const char *const texts[] = {
        [FC_JSON_OBJECT] = "{",    [FC_JSON_OBJECT_END] = "}", [FC_JSON_ARRAY] = "[",
        [FC_JSON_ARRAY_END] = "]", [FC_JSON_TRUE] = "true",    [FC_JSON_FALSE] = "false",
        [FC_JSON_NULL] = "null",
    };
    switch (event) {
    case FC_JSON_KEY:
    case FC_JSON_STRING:
        fc_buf_append_u8(out, '"');
        fc_buf_append_slice(out, token);
        fc_buf_append_text(out, event == FC_JSON_KEY ? "\":" : "\"");
        return;
    case FC_JSON_NUMBER:
        fc_buf_append_slice(out, token);
        return;
    case FC_JSON_OBJECT:
    case FC_JSON_OBJECT_END:
    case FC_JSON_ARRAY:
    case FC_JSON_ARRAY_END:
    case FC_JSON_TRUE:
    case FC_JSON_FALSE:
    case FC_JSON_NULL:
        fc_buf_append_text(out, texts[event]);
        return;
    case FC_JSON_END:
    case FC_JSON_ERROR:
        return;
    }
}

const char *fc_json_compact(struct fc_slice text, struct fc_buf *out)
{
    struct fc_json_reader reader;
    bool first = true; /* no ',' before the next element */
    fc_json_reader_init(&reader, text);
    for (;;) {
        fc_json_event event = fc_json_next(&reader);
        bool closes = event == FC_JSON_OBJECT_END || event == FC_JSON_ARRAY_END;
        if (event == FC_JSON_END || event == FC_JSON_ERROR) {
            return event == FC_JSON_END ? NULL : reader.problem;
        }
        if (!first && !closes) {
            fc_buf_append_u8(out, ',');
        }
        append_event(out, event, reader.token);
        first = event == FC_JSON_OBJECT || event == FC_JSON_ARRAY || event == FC_JSON_KEY;
    }
}

/* --- UTF-8 --------------------------------------------------------------------------------- */

/* Bytes of the character at `at`, or 0 when it is not one. */
static size_t utf8_char(const uint8_t *at, const uint8_t *end)
{
    size_t left = (size_t)(end - at);
    uint8_t low = 0x80; /* what the second byte may be */
    uint8_t high = 0xBF;
    size_t size;
    if (at[0] < 0x80) {
        return 1;
    }
    if (at[0] < 0xC2 || at[0] > 0xF4) {
        return 0;
    }
    size = at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    if (at[0] == 0xE0) {
        low = 0xA0;
    } else if (at[0] == 0xED) {
        high = 0x9F;
    } else if (at[0] == 0xF0) {
        low = 0x90;
    } else if (at[0] == 0xF4) {
        high = 0x8F;
    }
    if (left < size || at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t index = 2; index < size; index++) {
        if ((at[index] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return size;
}

bool fc_utf8_is_valid(struct fc_slice text)
{
    const uint8_t *at = text.data;
    const uint8_t *end = text.data + text.len;
    while (at < end) {
        size_t size;
        uint64_t eight;
        if (end - at >= 8) { /* ASCII goes by eights */
            memcpy(&eight, at, sizeof(eight));
            if ((eight & 0x8080808080808080U) == 0) {
                at += 8;
                continue;
            }
        }
        size = utf8_char(at, end);
        if (size == 0) {
            return false;
        }
        at += size;
    }
    return true;
}

size_t fc_utf8_length(struct fc_slice text)
{
    size_t length = 0;
    for (size_t index = 0; index < text.len; index++) {
        length += (text.data[index] & 0xC0) != 0x80;
    }
    return length;
}
