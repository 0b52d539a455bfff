/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/record_format.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/base/alloc.h"
#include "core/base/suggest.h"
#include "core/base/time_text.h"
#include "core/base/utf8.h"

enum { DUMP_WIDTH = 16 };

struct named {
    const char *name;
    int value;
};

static const struct named STYLES[] = {
    { "dynamic", FC_RECORD_DYNAMIC }, { "text", FC_RECORD_TEXT },
    { "binary", FC_RECORD_BINARY },   { "json", FC_RECORD_JSON },
    { "raw", FC_RECORD_RAW },
};

static const struct named VARIABLES[] = {
    { "key", FC_RECORD_PART_KEY },       { "value", FC_RECORD_PART_VALUE },
    { "offset", FC_RECORD_PART_OFFSET }, { "partition", FC_RECORD_PART_PARTITION },
    { "time", FC_RECORD_PART_TIME },     { "timestamp", FC_RECORD_PART_TIMESTAMP },
    { "topic", FC_RECORD_PART_TOPIC },   { "headers", FC_RECORD_PART_HEADERS },
};

static bool find(const struct named *names, size_t count, const char *name, int *out_value,
                 struct fc_suggest *suggest)
{
    fc_suggest_init(suggest, name);
    for (size_t index = 0; index < count; index++) {
        if (strcmp(names[index].name, name) == 0) {
            *out_value = names[index].value;
            return true;
        }
        fc_suggest_offer(suggest, names[index].name);
    }
    return false;
}

fc_code fc_record_format_style(const char *name, struct fc_record_format *out,
                               struct fc_error *err)
{
    struct fc_suggest suggest;
    char hint[FC_SUGGEST_TEXT_SIZE];
    int style = 0;
    if (!find(STYLES, sizeof(STYLES) / sizeof(*STYLES), name, &style, &suggest)) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "-O must be dynamic, text, binary, json or raw, not `%s`%s", name,
                       fc_suggest_text(&suggest, hint));
    }
    out->style = (fc_record_style)style;
    return FC_OK;
}

/* --- templates ---------------------------------------------------------------------------- */

static fc_code add_part(struct fc_record_format *format, fc_record_part_kind kind,
                        struct fc_slice text, struct fc_error *err)
{
    if (kind == FC_RECORD_PART_TEXT && text.len == 0) {
        return FC_OK;
    }
    if (format->part_count == FC_RECORD_PARTS_MAX) {
        return fc_fail(err, FC_ERR_CONFIG, "--format has more than %d parts",
                       FC_RECORD_PARTS_MAX);
    }
    format->parts[format->part_count].kind = kind;
    format->parts[format->part_count].text = text;
    format->part_count++;
    return FC_OK;
}

/* What stands between {{ and }}. */
static fc_code add_variable(struct fc_record_format *format, const char *text, size_t len,
                            struct fc_error *err)
{
    struct fc_suggest suggest;
    char hint[FC_SUGGEST_TEXT_SIZE];
    char name[32] = { 0 };
    int kind = 0;
    while (len > 0 && *text == ' ') {
        text++;
        len--;
    }
    while (len > 0 && text[len - 1] == ' ') {
        len--;
    }
    memcpy(name, text, len < sizeof(name) ? len : sizeof(name) - 1);
    if (!find(VARIABLES, sizeof(VARIABLES) / sizeof(*VARIABLES), name, &kind, &suggest)) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "--format knows no {{%s}}%s (key, value, offset, partition, time, "
                       "timestamp, topic, headers)",
                       name, fc_suggest_text(&suggest, hint));
    }
    return add_part(format, (fc_record_part_kind)kind, fc_slice_null(), err);
}

fc_code fc_record_format_template(const char *text, struct fc_record_format *out,
                                  struct fc_error *err)
{
    fc_code code = FC_OK;
    out->style = FC_RECORD_TEMPLATE;
    out->part_count = 0;
    while (*text != '\0' && code == FC_OK) {
        const char *open = strstr(text, "{{");
        const char *close = open == NULL ? NULL : strstr(open, "}}");
        if (open == NULL) {
            return add_part(out, FC_RECORD_PART_TEXT, fc_slice_text(text), err);
        }
        if (close == NULL) {
            return fc_fail(err, FC_ERR_CONFIG, "--format: }} is missing after {{");
        }
        code =
            add_part(out, FC_RECORD_PART_TEXT, fc_slice_of(text, (size_t)(open - text)), err);
        if (code == FC_OK) {
            code = add_variable(out, open + 2, (size_t)(close - open - 2), err);
        }
        text = close + 2;
    }
    return code;
}

/* --- values ------------------------------------------------------------------------------- */

static void append_text(struct fc_buf *out, struct fc_slice bytes)
{
    if (fc_slice_is_null(bytes)) {
        fc_buf_append_text(out, "[null]");
    } else {
        fc_utf8_repair(bytes, out);
    }
}

/* "00000010  68 65 6c 6c 6f                                    |hello|" */
static void append_dump(struct fc_buf *out, struct fc_slice bytes)
{
    for (size_t at = 0; at < bytes.len; at += DUMP_WIDTH) {
        size_t count = bytes.len - at < DUMP_WIDTH ? bytes.len - at : DUMP_WIDTH;
        fc_buf_append_fmt(out, "%s%08zx ", at == 0 ? "" : "\n", at);
        for (size_t index = 0; index < DUMP_WIDTH; index++) {
            if (index < count) {
                fc_buf_append_fmt(out, " %02x", bytes.data[at + index]);
            } else {
                fc_buf_append_text(out, "   ");
            }
        }
        fc_buf_append_text(out, "  |");
        for (size_t index = 0; index < count; index++) {
            uint8_t byte = bytes.data[at + index];
            fc_buf_append_u8(out, byte >= ' ' && byte < 0x7f ? byte : '.');
        }
        fc_buf_append_u8(out, '|');
    }
}

/* Text that a terminal may show: UTF-8 without control characters other than tab and line ends.
 */
static bool is_readable(struct fc_slice bytes)
{
    for (size_t index = 0; index < bytes.len; index++) {
        uint8_t byte = bytes.data[index];
        if ((byte < ' ' && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f) {
            return false;
        }
    }
    return fc_utf8_valid(bytes);
}

/* Text as it is; bytes that are no UTF-8 as {"hex": "..."}. */
static json_t *json_bytes(struct fc_slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    json_t *text;
    char *hex;
    if (fc_slice_is_null(bytes)) {
        return json_null();
    }
    text = json_stringn((const char *)bytes.data, bytes.len);
    if (text != NULL) {
        return text;
    }
    hex = fc_new_array(char, 2 * bytes.len + 1);
    for (size_t index = 0; index < bytes.len; index++) {
        hex[2 * index] = digits[bytes.data[index] >> 4];
        hex[2 * index + 1] = digits[bytes.data[index] & 15];
    }
    text = json_pack("{s:s}", "hex", hex);
    free(hex);
    return text;
}

static json_t *json_headers(const struct fc_record_view *record)
{
    json_t *headers = json_array();
    for (size_t index = 0; index < record->header_count; index++) {
        json_t *header = json_object();
        json_t *name = json_bytes(fc_slice_text(record->headers[index].name));
        json_object_set_new(header, "name", name);
        json_object_set_new(header, "value", json_bytes(record->headers[index].value));
        json_array_append_new(headers, header);
    }
    return headers;
}

static void append_json(struct fc_buf *out, const struct fc_record_view *record)
{
    json_t *object = json_object();
    char *text;
    json_object_set_new(object, "topic", json_string(record->topic));
    json_object_set_new(object, "partition", json_integer(record->partition));
    json_object_set_new(object, "offset", json_integer(record->offset));
    json_object_set_new(object, "timestamp",
                        record->timestamp_ms < 0 ? json_null()
                                                 : json_integer(record->timestamp_ms));
    json_object_set_new(object, "headers", json_headers(record));
    json_object_set_new(object, "key", json_bytes(record->key));
    json_object_set_new(object, "value", json_bytes(record->value));
    text = json_dumps(object, JSON_COMPACT);
    fc_buf_append_text(out, text == NULL ? "" : text);
    free(text);
    json_decref(object);
}

static void append_headers(struct fc_buf *out, const struct fc_record_view *record)
{
    for (size_t index = 0; index < record->header_count; index++) {
        fc_buf_append_fmt(out, "%s%s=", index == 0 ? "" : ",", record->headers[index].name);
        append_text(out, record->headers[index].value);
    }
}

/* Text of a template, with C's escapes. */
static void append_escaped(struct fc_buf *out, struct fc_slice text)
{
    for (size_t index = 0; index < text.len; index++) {
        uint8_t byte = text.data[index];
        uint8_t next = index + 1 < text.len ? text.data[index + 1] : 0;
        if (byte == '\\' && (next == 'n' || next == 't' || next == '\\')) {
            byte = next == 'n' ? '\n' : next == 't' ? '\t' : '\\';
            index++;
        }
        fc_buf_append_u8(out, byte);
    }
}

static void append_part(struct fc_buf *out, const struct fc_record_part *part,
                        const struct fc_record_view *record)
{
    char stamp[FC_TIME_STAMP_SIZE];
    switch (part->kind) {
    case FC_RECORD_PART_TEXT:
        append_escaped(out, part->text);
        break;
    case FC_RECORD_PART_KEY:
        append_text(out, record->key);
        break;
    case FC_RECORD_PART_VALUE:
        append_text(out, record->value);
        break;
    case FC_RECORD_PART_OFFSET:
        fc_buf_append_i64(out, record->offset);
        break;
    case FC_RECORD_PART_PARTITION:
        fc_buf_append_i64(out, record->partition);
        break;
    case FC_RECORD_PART_TIME:
        fc_buf_append_text(out, record->timestamp_ms < 0
                                    ? "[none]"
                                    : fc_time_format_ms(record->timestamp_ms, stamp));
        break;
    case FC_RECORD_PART_TIMESTAMP:
        fc_buf_append_i64(out, record->timestamp_ms);
        break;
    case FC_RECORD_PART_TOPIC:
        fc_buf_append_text(out, record->topic);
        break;
    case FC_RECORD_PART_HEADERS:
        append_headers(out, record);
        break;
    }
}

/* --- the record --------------------------------------------------------------------------- */

static void append_value(const struct fc_record_format *format, struct fc_slice value,
                         struct fc_buf *out)
{
    bool dump = format->style == FC_RECORD_BINARY ||
                (format->style == FC_RECORD_DYNAMIC && !is_readable(value));
    if (fc_slice_is_null(value) || !dump) {
        append_text(out, value);
    } else {
        append_dump(out, value);
    }
}

void fc_record_format_print(const struct fc_record_format *format,
                            const struct fc_record_view *record, struct fc_buf *out)
{
    size_t start = out->len;
    if (format->style == FC_RECORD_RAW) {
        fc_buf_append_slice(out, record->value);
        return;
    }
    if (format->style == FC_RECORD_JSON) {
        append_json(out, record);
    } else if (format->style == FC_RECORD_TEMPLATE) {
        for (size_t index = 0; index < format->part_count; index++) {
            append_part(out, &format->parts[index], record);
        }
        if (out->len > start && out->data[out->len - 1] == '\n' && format->part_count > 0 &&
            format->parts[format->part_count - 1].kind == FC_RECORD_PART_TEXT) {
            return; /* the template ends its line itself */
        }
    } else {
        if (format->with_key) {
            fc_buf_append_u8(out, '[');
            append_value(format,
                         fc_slice_is_null(record->key) ? fc_slice_text("null") : record->key,
                         out);
            fc_buf_append_text(out, "] ");
        }
        append_value(format, record->value, out);
    }
    fc_buf_append_u8(out, '\n');
}
