/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/envelope/decode_bytes.h"

#include "runner/envelope/base64.h"
#include "runner/envelope/json_number.h"
#include "runner/envelope/unscaled.h"

enum { SRID_SIZE = 4, FLOAT_SIZE = 4 };

/* Decode behind `prefix` bytes that the caller fills. */
static bool decode_base64(struct fc_slice text, size_t prefix, struct fc_arena *arena,
                          struct fc_slice *out_bytes, uint8_t **out_start)
{
    size_t room = prefix + text.len / 4 * 3;
    size_t len = 0;
    uint8_t *bytes = fc_arena_alloc(arena, room);
    if (bytes == NULL || !fc_base64_take(text, bytes + prefix, &len)) {
        return false;
    }
    fc_arena_shrink_last(arena, room, prefix + len);
    *out_bytes = fc_slice_of(bytes, prefix + len);
    *out_start = bytes;
    return true;
}

bool fc_bytes_from_base64(struct fc_slice text, struct fc_arena *arena,
                          struct fc_slice *out_bytes)
{
    uint8_t *start = NULL;
    return decode_base64(text, 0, arena, out_bytes, &start);
}

bool fc_bytes_from_unscaled(struct fc_slice text, unsigned scale, struct fc_arena *arena,
                            struct fc_slice *out_text)
{
    uint8_t bytes[FC_UNSCALED_BYTES_MAX + 3];
    char decimal[FC_UNSCALED_TEXT_MAX];
    size_t len = 0;
    size_t decimal_len = 0;
    if (text.len / 4 * 3 > sizeof(bytes) || !fc_base64_take(text, bytes, &len) ||
        !fc_unscaled_to_text(fc_slice_of(bytes, len), scale, decimal, &decimal_len)) {
        return false;
    }
    *out_text = fc_arena_copy(arena, fc_slice_of(decimal, decimal_len));
    return !arena->failed;
}

static bool take_text(struct fc_json_scan *scan, struct fc_arena *arena,
                      struct fc_slice *out_text)
{
    struct fc_json_string string;
    return fc_json_take_string(scan, &string) && fc_json_unescape(string, arena, out_text);
}

static bool take_u32(struct fc_json_scan *scan, uint32_t *out_value)
{
    struct fc_slice text;
    bool whole = false;
    bool negative = false;
    uint64_t value = 0;
    if (!fc_json_take_number(scan, &text, &whole) || !whole ||
        !fc_json_number_whole(text, &negative, &value) || negative || value > UINT32_MAX) {
        return false;
    }
    *out_value = (uint32_t)value;
    return true;
}

bool fc_bytes_take_decimal(struct fc_json_scan *scan, struct fc_arena *arena,
                           struct fc_slice *out_text)
{
    struct fc_json_string name;
    struct fc_slice value = fc_slice_null();
    struct fc_slice text = fc_slice_null();
    uint32_t scale = 0;
    bool first = true;
    bool end = false;
    bool fine = fc_json_take(scan, '{');
    while (fine && (fine = fc_json_next_member(scan, &first, &name, &end)) && !end) {
        if (fc_json_is(name, "scale")) {
            fine = take_u32(scan, &scale);
        } else if (fc_json_is(name, "value")) {
            fine = take_text(scan, arena, &value);
        } else {
            fine = fc_json_is(name, "text") && take_text(scan, arena, &text);
        }
    }
    if (!fine || fc_slice_is_null(value) == fc_slice_is_null(text)) {
        return false;
    }
    *out_text = text;
    return fc_slice_is_null(value) || fc_bytes_from_unscaled(value, scale, arena, out_text);
}

bool fc_bytes_take_geometry(struct fc_json_scan *scan, struct fc_arena *arena,
                            struct fc_slice *out_bytes)
{
    struct fc_json_string name;
    struct fc_slice wkb = fc_slice_null();
    struct fc_slice skipped;
    uint8_t *start = NULL;
    uint32_t srid = 0;
    bool first = true;
    bool end = false;
    bool fine = fc_json_take(scan, '{');
    while (fine && (fine = fc_json_next_member(scan, &first, &name, &end)) && !end) {
        if (fc_json_is(name, "wkb")) {
            fine = take_text(scan, arena, &wkb);
        } else if (fc_json_is(name, "srid") && fc_json_peek(scan) != 'n') {
            fine = take_u32(scan, &srid);
        } else {
            fine = fc_json_skip_value(scan, &skipped);
        }
    }
    if (!fine || fc_slice_is_null(wkb) ||
        !decode_base64(wkb, SRID_SIZE, arena, out_bytes, &start)) {
        return false;
    }
    memcpy(start, &srid, SRID_SIZE); /* little-endian, as the machines we run on */
    return true;
}

static bool take_float(struct fc_json_scan *scan, float *out_value)
{
    struct fc_json_string word;
    struct fc_slice text;
    bool whole = false;
    double value = 0;
    if (fc_json_peek(scan) == '"') {
        if (!fc_json_take_string(scan, &word) || !fc_json_number_word(word.raw, &value)) {
            return false;
        }
        *out_value = (float)value;
        return true;
    }
    return fc_json_take_number(scan, &text, &whole) && fc_json_number_float(text, out_value);
}

bool fc_bytes_take_vector(struct fc_json_scan *scan, struct fc_arena *arena,
                          struct fc_slice *out_bytes)
{
    struct fc_json_scan items = *scan;
    struct fc_slice array;
    uint8_t *bytes;
    size_t room;
    size_t len = 0;
    bool first = true;
    bool end = false;
    if (!fc_json_skip_value(scan, &array)) {
        return false;
    }
    room = (array.len / 2 + 1) * FLOAT_SIZE; /* an item and its comma are two characters */
    bytes = fc_arena_alloc(arena, room);
    if (bytes == NULL || !fc_json_take(&items, '[')) {
        return false;
    }
    for (;;) {
        float value = 0;
        if (!fc_json_next_item(&items, &first, &end)) {
            return false;
        }
        if (end) {
            break;
        }
        if (!take_float(&items, &value)) {
            return false;
        }
        memcpy(bytes + len, &value, FLOAT_SIZE); /* little-endian */
        len += FLOAT_SIZE;
    }
    fc_arena_shrink_last(arena, room, len);
    *out_bytes = fc_slice_of(bytes, len);
    return items.at == scan->at;
}
