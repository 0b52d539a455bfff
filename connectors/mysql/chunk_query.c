/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/chunk_query.h"

#include <inttypes.h>
#include <stdlib.h>

#include "connectors/mysql/row_text.h"
#include "connectors/mysql/session.h"
#include "core/base/alloc.h"

enum { BIT_BYTES_MAX = 8 };

const struct fc_column *fc_chunk_key_column(const struct fc_shape *shape, uint16_t place,
                                            uint32_t *out_index)
{
    for (uint32_t index = 0; index < shape->column_count; index++) {
        if (shape->columns[index].key_index == place) {
            *out_index = index;
            return &shape->columns[index];
        }
    }
    return NULL;
}

bool fc_chunk_key_usable(const struct fc_shape *shape)
{
    for (uint32_t index = 0; index < shape->column_count; index++) {
        const struct fc_column *column = &shape->columns[index];
        if (column->key_index > 0 &&
            (column->type == FC_TYPE_JSON || column->type == FC_TYPE_GEOMETRY ||
             column->type == FC_TYPE_VECTOR)) {
            return false;
        }
    }
    return shape->key_count > 0;
}

static bool is_number(const struct fc_column *column)
{
    switch (column->type) {
    case FC_TYPE_INT:
    case FC_TYPE_YEAR:
    case FC_TYPE_FLOAT:
    case FC_TYPE_DOUBLE:
    case FC_TYPE_DECIMAL:
    case FC_TYPE_BIT:
    case FC_TYPE_ENUM: /* ordered by number, but compared with text by text */
    case FC_TYPE_SET:
        return true;
    default:
        return false;
    }
}

static void append_column(struct fc_buf *sql, const struct fc_column *column)
{
    fc_session_append_name(sql, column->name);
    if (column->type == FC_TYPE_ENUM || column->type == FC_TYPE_SET ||
        column->type == FC_TYPE_BIT) {
        fc_buf_append_text(sql, "+0");
    }
}

/* The text comes from a position in the log, so nothing but a number may stand unquoted. */
static fc_code append_literal(struct fc_buf *sql, const struct fc_column *column,
                              const json_t *value, struct fc_error *err)
{
    const char *text = json_string_value(value);
    const char *allowed = is_number(column) ? "+-.0123456789eE" : "0123456789abcdefABCDEF";
    if (!is_number(column) && column->type != FC_TYPE_BYTES) {
        fc_session_append_text(sql, fc_slice_of(text, json_string_length(value)));
        return FC_OK;
    }
    if (text[strspn(text, allowed)] != '\0') {
        return fc_fail(err, FC_ERR_CONFIG, "snapshot key of column %s is no %s: %.40s",
                       column->name, is_number(column) ? "number" : "hexadecimal text", text);
    }
    if (is_number(column)) {
        fc_buf_append_text(sql, text);
    } else {
        fc_buf_append_fmt(sql, "x'%s'", text);
    }
    return FC_OK;
}

static fc_code append_comparison(struct fc_buf *sql, const struct fc_shape *shape,
                                 const json_t *after, uint16_t place, const char *operator,
                                 struct fc_error * err)
{
    uint32_t index = 0;
    const struct fc_column *column = fc_chunk_key_column(shape, place, &index);
    const json_t *value = json_array_get(json_array_get(after, place - 1U), 1);
    fc_assert(column != NULL && json_is_string(value));
    append_column(sql, column);
    fc_buf_append_text(sql, operator);
    return append_literal(sql, column, value, err);
}

/* k1 >= a AND (k1 > a OR (k1 = a AND k2 > b) OR ...): the first part lets the server use a range
 * of the index. */
static fc_code append_after(struct fc_buf *sql, const struct fc_shape *shape,
                            const json_t *after, struct fc_error *err)
{
    fc_code code;
    fc_buf_append_text(sql, " WHERE ");
    code = append_comparison(sql, shape, after, 1, shape->key_count == 1 ? ">" : ">=", err);
    if (shape->key_count == 1) {
        return code;
    }
    fc_buf_append_text(sql, " AND (");
    for (uint16_t depth = 1; code == FC_OK && depth <= shape->key_count; depth++) {
        fc_buf_append_text(sql, depth == 1 ? "(" : " OR (");
        for (uint16_t place = 1; code == FC_OK && place <= depth; place++) {
            if (place > 1) {
                fc_buf_append_text(sql, " AND ");
            }
            code = append_comparison(sql, shape, after, place, place == depth ? ">" : "=", err);
        }
        fc_buf_append_text(sql, ")");
    }
    fc_buf_append_text(sql, ")");
    return code;
}

static void append_select(struct fc_buf *sql, const struct fc_shape *shape)
{
    fc_buf_append_text(sql, "SELECT ");
    fc_row_text_select_list(sql, shape);
    fc_buf_append_text(sql, " FROM ");
    fc_session_append_name(sql, shape->db);
    fc_buf_append_text(sql, ".");
    fc_session_append_name(sql, shape->table);
}

fc_code fc_chunk_query(struct fc_buf *sql, const struct fc_shape *shape, const json_t *after,
                       uint64_t limit, bool lock, struct fc_error *err)
{
    fc_code code = FC_OK;
    append_select(sql, shape);
    if (after != NULL) {
        code = append_after(sql, shape, after, err);
    }
    fc_buf_append_text(sql, " ORDER BY ");
    for (uint16_t place = 1; place <= shape->key_count; place++) {
        uint32_t index = 0;
        const struct fc_column *column = fc_chunk_key_column(shape, place, &index);
        if (place > 1) {
            fc_buf_append_text(sql, ",");
        }
        fc_session_append_name(sql, column->name);
    }
    fc_buf_append_fmt(sql, " LIMIT %" PRIu64 "%s", limit, lock ? " LOCK IN SHARE MODE" : "");
    return code == FC_OK ? fc_buf_check(sql, "statement", err) : code;
}

void fc_chunk_query_all(struct fc_buf *sql, const struct fc_shape *shape)
{
    append_select(sql, shape);
}

static uint64_t number_of_bits(struct fc_slice big_endian)
{
    uint64_t number = 0;
    for (size_t index = 0; index < big_endian.len && index < BIT_BYTES_MAX; index++) {
        number = number << 8 | big_endian.data[index];
    }
    return number;
}

/* An ENUM's number, or a SET's bits, from the text that the server shows. */
static uint64_t number_of_labels(const struct fc_column *column, struct fc_slice text)
{
    uint64_t number = 0;
    for (uint16_t index = 0; index < column->label_count; index++) {
        struct fc_slice label = fc_slice_text(column->labels[index]);
        const uint8_t *at = text.data;
        const uint8_t *end = text.data + text.len;
        if (column->type == FC_TYPE_ENUM) {
            if (fc_slice_equal(label, text)) {
                return index + 1U;
            }
            continue;
        }
        while (at <= end && text.len > 0) { /* labels of a SET hold no comma */
            const uint8_t *comma = memchr(at, ',', (size_t)(end - at));
            const uint8_t *stop = comma == NULL ? end : comma;
            if (fc_slice_equal(label, fc_slice_of(at, (size_t)(stop - at)))) {
                number |= 1ULL << index;
            }
            at = stop + 1;
        }
    }
    return number;
}

static json_t *key_value(const struct fc_column *column, struct fc_slice field)
{
    char *text = NULL;
    json_t *value;
    switch (column->type) {
    case FC_TYPE_BIT:
        text = fc_asprintf("%" PRIu64, number_of_bits(field));
        break;
    case FC_TYPE_ENUM:
    case FC_TYPE_SET:
        text = fc_asprintf("%" PRIu64, number_of_labels(column, field));
        break;
    case FC_TYPE_BYTES:
        text = (char *)fc_alloc_zeroed(field.len * 2 + 1, 1);
        for (size_t index = 0; index < field.len; index++) {
            (void)snprintf(text + index * 2, 3, "%02x", field.data[index]);
        }
        break;
    default:
        return json_stringn((const char *)field.data, field.len);
    }
    value = json_string(text);
    free(text);
    return value;
}

json_t *fc_chunk_key_of_row(const struct fc_shape *shape, const struct fc_slice *fields)
{
    json_t *key = json_array();
    fc_assert(key != NULL);
    for (uint16_t place = 1; place <= shape->key_count; place++) {
        uint32_t index = 0;
        const struct fc_column *column = fc_chunk_key_column(shape, place, &index);
        json_t *pair = json_pack("[s,o]", column->name, key_value(column, fields[index]));
        if (pair == NULL || json_array_append_new(key, pair) != 0) {
            json_decref(key);
            return NULL;
        }
    }
    return key;
}

bool fc_chunk_key_fits(const json_t *key, const struct fc_shape *shape)
{
    if (json_array_size(key) != shape->key_count) {
        return false;
    }
    for (uint16_t place = 1; place <= shape->key_count; place++) {
        uint32_t index = 0;
        const struct fc_column *column = fc_chunk_key_column(shape, place, &index);
        const json_t *pair = json_array_get(key, place - 1U);
        const char *name = json_string_value(json_array_get(pair, 0));
        if (name == NULL || strcmp(name, column->name) != 0 ||
            json_string_value(json_array_get(pair, 1)) == NULL) {
            return false;
        }
    }
    return true;
}

void fc_chunk_key_bytes(struct fc_buf *out, const struct fc_shape *shape,
                        const struct fc_value *row, const struct fc_value *other)
{
    for (uint16_t place = 1; place <= shape->key_count; place++) {
        uint32_t index = 0;
        const struct fc_value *value;
        (void)fc_chunk_key_column(shape, place, &index);
        value = &row[index];
        if (value->kind == FC_VALUE_UNCHANGED && other != NULL) {
            value = &other[index];
        }
        fc_buf_append_u8(out, (uint8_t)value->kind);
        switch (value->kind) {
        case FC_VALUE_TEXT:
        case FC_VALUE_BYTES:
            fc_buf_append_le64(out, value->as.bytes.len);
            fc_buf_append_slice(out, value->as.bytes);
            break;
        case FC_VALUE_FLOAT:
            fc_buf_append(out, &value->as.f32, sizeof(value->as.f32));
            break;
        case FC_VALUE_NULL:
        case FC_VALUE_UNCHANGED:
            break;
        case FC_VALUE_INT:
        case FC_VALUE_UINT:
        case FC_VALUE_DOUBLE:
            fc_buf_append_le64(out, value->as.u64);
            break;
        }
    }
}
