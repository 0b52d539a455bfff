/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our encoder writes all columns in order, so the decoder expects the very text ("{"id":",
 * ","status":") that stands before the next value and falls back to looking a name up only when
 * something else is there.
 */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/hashmap.h"
#include "runner/envelope/decode_value.h"
#include "runner/envelope/envelope.h"
#include "runner/envelope/json_write.h"

struct column_reader {
    const char *fragment; /* what stands before the value; readable for FC_JSON_SLACK more */
    size_t fragment_len;
    uint64_t masks[2]; /* of the fragment's bytes among the first 16 */
    struct fc_value_reader reader;
};

struct fc_row_decoder {
    const struct fc_shape *shape; /* the schema's */
    struct column_reader *columns;
    struct fc_hashmap by_name; /* name -> struct column_reader */
    char *fragments;
};

/* A value kind that no value has: the column was not seen yet. */
enum { KIND_MISSING = 255 };

/* The first `len` of 8 bytes in memory. */
static uint64_t mask_of(size_t len)
{
    uint8_t bytes[8] = { 0 };
    uint64_t mask;
    memset(bytes, 0xff, len < 8 ? len : 8);
    memcpy(&mask, bytes, sizeof(mask));
    return mask;
}

struct fc_row_decoder *fc_row_decoder_new(const struct fc_schema *schema)
{
    struct fc_row_decoder *decoder = fc_new(struct fc_row_decoder);
    const struct fc_shape *shape = schema->shape;
    size_t room = FC_JSON_SLACK;
    char *at;
    for (uint32_t index = 0; index < shape->column_count; index++) {
        room += strlen(shape->columns[index].name) * FC_JSON_ESCAPE_MAX + 4;
    }
    decoder->shape = shape;
    decoder->columns = fc_new_array(struct column_reader, shape->column_count);
    decoder->fragments = fc_new_array(char, room);
    fc_hashmap_init(&decoder->by_name);
    at = decoder->fragments;
    for (uint32_t index = 0; index < shape->column_count; index++) {
        struct column_reader *column = &decoder->columns[index];
        struct fc_slice name = fc_slice_text(shape->columns[index].name);
        column->fragment = at;
        *at++ = index == 0 ? '{' : ',';
        at = fc_json_put_string(at, name);
        *at++ = ':';
        column->fragment_len = (size_t)(at - column->fragment);
        column->masks[0] = mask_of(column->fragment_len);
        column->masks[1] = mask_of(column->fragment_len < 8 ? 0 : column->fragment_len - 8);
        column->reader = fc_value_reader_of(&shape->columns[index], schema->mode);
        (void)fc_hashmap_put(&decoder->by_name, name, column); /* names differ in a table */
    }
    return decoder;
}

void fc_row_decoder_free(struct fc_row_decoder *decoder)
{
    if (decoder != NULL) {
        fc_hashmap_release(&decoder->by_name, NULL);
        free(decoder->columns);
        free(decoder->fragments);
        free(decoder);
    }
}

static fc_code fail_column(const struct fc_row_decoder *decoder, size_t index, const char *what,
                           const struct fc_arena *arena, struct fc_error *err)
{
    const struct fc_shape *shape = decoder->shape;
    if (arena->failed) {
        return fc_arena_check(arena, "a decoded row", err);
    }
    return fc_fail(err, FC_ERR_CORRUPT, "row of %s.%s: column %s %s", shape->db, shape->table,
                   shape->columns[index].name, what);
}

static fc_code fail_row(const struct fc_row_decoder *decoder, const struct fc_arena *arena,
                        struct fc_error *err)
{
    if (arena->failed) {
        return fc_arena_check(arena, "a decoded row", err);
    }
    return fc_fail(err, FC_ERR_CORRUPT, "row of %s.%s is not a JSON object", decoder->shape->db,
                   decoder->shape->table);
}

/* Take what stands before a column's value, when that is what comes next. */
static inline bool take_fragment(struct fc_json_scan *scan, const struct column_reader *column)
{
    uint64_t there[2];
    uint64_t wanted[2];
    if (column->fragment_len > sizeof(there) || fc_json_left(scan) < sizeof(there)) {
        return fc_json_take_word(scan, column->fragment, column->fragment_len);
    }
    memcpy(there, scan->at, sizeof(there));
    memcpy(wanted, column->fragment, sizeof(wanted));
    if ((((there[0] ^ wanted[0]) & column->masks[0]) |
         ((there[1] ^ wanted[1]) & column->masks[1])) != 0) {
        return false;
    }
    scan->at += column->fragment_len;
    return true;
}

/* The columns that stand in order; *count: how many did. */
static fc_code decode_in_order(const struct fc_row_decoder *decoder, struct fc_json_scan *scan,
                               struct fc_arena *arena, struct fc_value *out_values,
                               uint32_t *count, struct fc_error *err)
{
    uint32_t index = 0;
    for (; index < decoder->shape->column_count; index++) {
        const struct column_reader *column = &decoder->columns[index];
        if (!take_fragment(scan, column)) {
            break;
        }
        if (!fc_value_take(scan, column->reader, arena, &out_values[index])) {
            return fail_column(decoder, index, "has a value that its type cannot have", arena,
                               err);
        }
    }
    *count = index;
    return FC_OK;
}

static fc_code decode_by_name(const struct fc_row_decoder *decoder, struct fc_json_scan *scan,
                              bool first, struct fc_arena *arena, struct fc_value *out_values,
                              struct fc_error *err)
{
    bool end = false;
    for (;;) {
        struct fc_json_string raw_name;
        struct fc_slice name;
        struct fc_slice skipped;
        const struct column_reader *column;
        size_t index;
        if (!fc_json_next_member(scan, &first, &raw_name, &end)) {
            return fail_row(decoder, arena, err);
        }
        if (end) {
            return FC_OK;
        }
        if (!fc_json_unescape(raw_name, arena, &name)) {
            return fail_row(decoder, arena, err);
        }
        column = fc_hashmap_get(&decoder->by_name, name);
        if (column == NULL) {
            if (!fc_json_skip_value(scan, &skipped)) {
                return fail_row(decoder, arena, err);
            }
            continue;
        }
        index = (size_t)(column - decoder->columns);
        if ((int)out_values[index].kind != KIND_MISSING) {
            return fail_column(decoder, index, "is there twice", arena, err);
        }
        if (!fc_value_take(scan, column->reader, arena, &out_values[index])) {
            return fail_column(decoder, index, "has a value that its type cannot have", arena,
                               err);
        }
    }
}

fc_code fc_row_decoder_decode(const struct fc_row_decoder *decoder, struct fc_slice object,
                              struct fc_arena *arena, struct fc_value *out_values,
                              struct fc_error *err)
{
    struct fc_json_scan scan;
    uint32_t count = 0;
    uint32_t column_count = decoder->shape->column_count;
    fc_code code;
    fc_json_scan_init(&scan, object);
    code = decode_in_order(decoder, &scan, arena, out_values, &count, err);
    if (code != FC_OK) {
        return code;
    }
    if (count < column_count || count == 0 || !fc_json_take_word(&scan, "}", 1)) {
        for (uint32_t index = count; index < column_count; index++) {
            out_values[index].kind = (fc_value_kind)KIND_MISSING;
        }
        if (count == 0 && !fc_json_take(&scan, '{')) {
            return fail_row(decoder, arena, err);
        }
        code = decode_by_name(decoder, &scan, count == 0, arena, out_values, err);
        for (uint32_t index = count; code == FC_OK && index < column_count; index++) {
            if ((int)out_values[index].kind == KIND_MISSING) {
                code = fail_column(decoder, index, "is not in it", arena, err);
            }
        }
    }
    if (code == FC_OK && (fc_json_peek(&scan) != 0 || scan.at != scan.end)) {
        code = fail_row(decoder, arena, err);
    }
    return code;
}
