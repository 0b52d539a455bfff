/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/inflate.h"
#include "connectors/mysql/json_diff.h"
#include "connectors/mysql/row_value_kinds.h"
#include "core/base/format.h"

enum {
    UUID_SIZE = 16,
    INET4_SIZE = 4,
    INET6_SIZE = 16,
    JSON_TEXT_RATIO = 9, /* no form of binary JSON grows more when it becomes text */
    JSON_TEXT_MORE = 1024,
    JSON_ARENA_MAX = 256 * 1024 * 1024
};

static const uint8_t nothing[1] = { 0 };

/* A code failed with decoder->err set. */
static bool passed(struct fc_row_decoder *decoder, fc_code code)
{
    if (code != FC_OK) {
        decoder->why = NULL;
    }
    return code == FC_OK;
}

static bool put_converted(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                          struct fc_slice text, struct fc_value *out)
{
    struct fc_charset_converter *converter = column->converter;
    char *to = fc_row_alloc(decoder, fc_charset_utf8_size_max(converter->charset, text.len));
    return to != NULL && fc_row_put_text(out, to, fc_charset_to_utf8(converter, text, to));
}

bool fc_row_decode_text_in(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                           struct fc_value *out)
{
    struct fc_slice text;
    if (!fc_row_sized(decoder, column->width, &text)) {
        return false;
    }
    if (fc_charset_is_plain(column->converter->charset, text)) {
        return fc_row_put_text(out, text.data, text.len);
    }
    return put_converted(decoder, column, text, out);
}

bool fc_row_decode_padded(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                          struct fc_value *out)
{
    struct fc_slice bytes;
    if (!fc_row_sized(decoder, column->width, &bytes)) {
        return false;
    }
    if (bytes.len < column->length) {
        uint8_t *padded = fc_row_alloc(decoder, column->length);
        if (padded == NULL) {
            return false;
        }
        memcpy(padded, bytes.data, bytes.len);
        memset(padded + bytes.len, 0, column->length - bytes.len);
        bytes = fc_slice_of(padded, column->length);
    }
    out->kind = FC_VALUE_BYTES;
    out->as.bytes = bytes;
    return true;
}

bool fc_row_decode_packed(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                          struct fc_value *out)
{
    struct fc_slice bytes;
    if (!fc_row_sized(decoder, column->width, &bytes) ||
        !passed(decoder, fc_inflate_column(bytes, &decoder->memory, &bytes, &decoder->err))) {
        return false;
    }
    if (column->converter != NULL && bytes.len > 0) {
        return put_converted(decoder, column, bytes, out);
    }
    out->kind = column->column->type == FC_TYPE_TEXT ? FC_VALUE_TEXT : FC_VALUE_BYTES;
    out->as.bytes = bytes;
    return true;
}

bool fc_row_decode_enum(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                        struct fc_value *out)
{
    size_t number;
    if (!fc_row_has(decoder, column->width)) {
        return false;
    }
    number = fc_row_le(decoder, column->width);
    if (number == 0) {
        return fc_row_put_text(out, nothing, 0); /* the server's error value */
    }
    if (number > column->column->label_count) {
        return fc_row_fail(decoder, "its ENUM number has no label");
    }
    return fc_row_put_text(out, column->column->labels[number - 1],
                           strlen(column->column->labels[number - 1]));
}

bool fc_row_decode_set(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                       struct fc_value *out)
{
    const struct fc_column *set = column->column;
    uint64_t bits;
    size_t size = 0;
    char *text;
    char *at;
    if (!fc_row_has(decoder, column->width)) {
        return false;
    }
    bits = fc_row_le(decoder, column->width);
    if (set->label_count < 64 && bits >> set->label_count != 0) {
        return fc_row_fail(decoder, "its SET has a bit without label");
    }
    for (unsigned bit = 0; bit < set->label_count && bit < 64; bit++) {
        size += (bits >> bit & 1) != 0 ? strlen(set->labels[bit]) + 1 : 0;
    }
    if (size == 0) {
        return fc_row_put_text(out, nothing, 0);
    }
    text = fc_row_alloc(decoder, size);
    if (text == NULL) {
        return false;
    }
    at = text;
    for (unsigned bit = 0; bit < set->label_count && bit < 64; bit++) {
        if ((bits >> bit & 1) != 0) {
            size_t len = strlen(set->labels[bit]);
            memcpy(at, set->labels[bit], len);
            at[len] = ',';
            at += len + 1;
        }
    }
    return fc_row_put_text(out, text, size - 1);
}

/* Take the text in json_text into the batch. */
static bool put_json(struct fc_row_decoder *decoder, struct fc_value *out)
{
    struct fc_slice text = fc_buf_slice(&decoder->json_text);
    char *copy = fc_row_alloc(decoder, text.len);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, text.data, text.len);
    return fc_row_put_text(out, copy, text.len);
}

static void begin_json(struct fc_row_decoder *decoder, size_t size)
{
    fc_buf_clear(&decoder->json_text);
    decoder->json_text.limit = size * JSON_TEXT_RATIO + JSON_TEXT_MORE;
    if (decoder->json_text.limit < decoder->json_text.capacity) {
        decoder->json_text.limit = decoder->json_text.capacity;
    }
}

bool fc_row_decode_json(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                        struct fc_value *out)
{
    struct fc_slice document;
    if (!fc_row_sized(decoder, column->width, &document)) {
        return false;
    }
    begin_json(decoder, document.len);
    return passed(decoder,
                  fc_json_binary_print(document, &decoder->json_text, &decoder->err)) &&
           put_json(decoder, out);
}

bool fc_row_decode_json_partial(struct fc_row_decoder *decoder,
                                const struct fc_row_column *column, struct fc_slice before,
                                struct fc_value *out)
{
    struct fc_slice differences;
    if (!fc_row_sized(decoder, column->width, &differences)) {
        return false;
    }
    if (fc_slice_is_null(before)) {
        return fc_row_fail(decoder, "it is a partial JSON update without the document before: "
                                    "SET GLOBAL binlog_row_image=FULL");
    }
    begin_json(decoder, before.len + differences.len);
    fc_arena_clear(&decoder->json_arena);
    decoder->json_arena.limit = JSON_ARENA_MAX;
    return passed(decoder, fc_json_diff_print(before, differences, &decoder->json_arena,
                                              &decoder->json_text, &decoder->err)) &&
           put_json(decoder, out);
}

/*
 * MariaDB stores UUIDs of versions 1 to 5 with their parts in reverse order, so that those made
 * one after another lie together. Its own test for that: variant bit and version where they
 * would be then.
 */
static void uuid_from_storage(const uint8_t *stored, uint8_t *uuid)
{
    bool swapped = (stored[6] & 0x80) != 0 && stored[8] >= 1 && stored[8] <= 0x80;
    if (!swapped) {
        memcpy(uuid, stored, UUID_SIZE);
        return;
    }
    memcpy(uuid, stored + 12, 4);
    memcpy(uuid + 4, stored + 10, 2);
    memcpy(uuid + 6, stored + 8, 2);
    memcpy(uuid + 8, stored + 6, 2);
    memcpy(uuid + 10, stored, 6);
}

/* A value of exactly `size` bytes; shorter ones had trailing zeros cut. */
static bool take_padded(struct fc_row_decoder *decoder, unsigned width, uint8_t *to,
                        size_t size)
{
    struct fc_slice bytes;
    if (!fc_row_sized(decoder, width, &bytes)) {
        return false;
    }
    if (bytes.len > size) {
        return fc_row_fail(decoder, "its value is too long");
    }
    memcpy(to, bytes.data, bytes.len);
    memset(to + bytes.len, 0, size - bytes.len);
    return true;
}

static bool put_scratch(struct fc_row_decoder *decoder, char *end, struct fc_value *out)
{
    (void)fc_row_put_text(out, decoder->scratch, (size_t)(end - decoder->scratch));
    decoder->scratch = end;
    return true;
}

bool fc_row_decode_uuid(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                        struct fc_value *out)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t stored[UUID_SIZE];
    uint8_t uuid[UUID_SIZE];
    char *at = decoder->scratch;
    if (!take_padded(decoder, column->width, stored, sizeof(stored))) {
        return false;
    }
    uuid_from_storage(stored, uuid);
    for (size_t index = 0; index < UUID_SIZE; index++) {
        if (index == 4 || index == 6 || index == 8 || index == 10) {
            *at++ = '-';
        }
        *at++ = digits[uuid[index] >> 4];
        *at++ = digits[uuid[index] & 15];
    }
    return put_scratch(decoder, at, out);
}

static char *put_inet4(char *to, const uint8_t *address)
{
    for (int index = 0; index < INET4_SIZE; index++) {
        if (index > 0) {
            *to++ = '.';
        }
        to += fc_format_u64(to, address[index]);
    }
    return to;
}

/* ::ffff:1.2.3.4, or ::1.2.3.4 but for :: and ::1. */
static bool holds_inet4(const uint8_t *address)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    static const uint8_t compatible[15] = { 0 };
    return memcmp(address, mapped, sizeof(mapped)) == 0 ||
           (memcmp(address, compatible, 12) == 0 &&
            (memcmp(address, compatible, 15) != 0 || address[15] > 1));
}

/* As the server prints it, which shortens even a single zero group to "::", unlike the C
 * library. */
static char *put_inet6(char *to, const uint8_t *address)
{
    static const char digits[] = "0123456789abcdef";
    unsigned groups[8];
    int gap_at = -1;
    int gap_len = 0;
    for (int index = 0, run = 0; index < 8; index++) {
        const uint8_t *pair = address + (size_t)index * 2;
        groups[index] = (unsigned)pair[0] << 8 | pair[1];
        run = groups[index] == 0 ? run + 1 : 0;
        if (run > gap_len) {
            gap_len = run;
            gap_at = index + 1 - run;
        }
    }
    for (int index = 0; index < 8; index++) {
        if (index == gap_at) {
            *to++ = ':';
            if (index == 0) {
                *to++ = ':';
            }
            index += gap_len - 1;
            continue;
        }
        if (index == 6 && holds_inet4(address)) {
            return put_inet4(to, address + 12);
        }
        for (int shift = 12; shift >= 0; shift -= 4) {
            if (groups[index] >> shift != 0 || shift == 0) {
                *to++ = digits[groups[index] >> shift & 15];
            }
        }
        if (index < 7) {
            *to++ = ':';
        }
    }
    return to;
}

bool fc_row_decode_inet4(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                         struct fc_value *out)
{
    uint8_t address[INET4_SIZE];
    return take_padded(decoder, column->width, address, sizeof(address)) &&
           put_scratch(decoder, put_inet4(decoder->scratch, address), out);
}

bool fc_row_decode_inet6(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                         struct fc_value *out)
{
    uint8_t address[INET6_SIZE];
    return take_padded(decoder, column->width, address, sizeof(address)) &&
           put_scratch(decoder, put_inet6(decoder->scratch, address), out);
}
