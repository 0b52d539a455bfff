/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "connectors/mysql/column_type.h"
#include "connectors/mysql/lenenc.h"
#include "connectors/mysql/table_map_raw.h"

enum { DECIMAL_PRECISION_MAX = 67, BIT_MAX = 64, FRACTION_MAX = 6, UUID_TEXT_SIZE = 36 };

static fc_code no_room(const struct fc_table_build *build, struct fc_error *err)
{
    return fc_fail(err, FC_ERR_LIMIT, "a table's shape needs more than %zu bytes",
                   build->arena->limit);
}

static fc_code bad_column(const struct fc_table_build *build, const char *why,
                          struct fc_error *err)
{
    return fc_fail(err, FC_ERR_PROTOCOL, "column %u (type %u, metadata %u): %s",
                   (unsigned)(build->from - build->raw->columns) + 1, build->from->type,
                   build->from->meta, why);
}

const char *fc_table_map_copy_text(const struct fc_table_build *build, struct fc_slice text)
{
    char *copy = fc_arena_alloc(build->arena, text.len + 1);
    if (copy != NULL) {
        memcpy(copy, text.data, text.len);
        copy[text.len] = '\0';
    }
    return copy;
}

static bool is_label(const struct fc_raw_column *from)
{
    return from->type == FC_WIRE_ENUM || from->type == FC_WIRE_SET;
}

/* The charset of a character column: the event's, or the hint's. */
static fc_code find_charset(struct fc_table_build *build, struct fc_error *err)
{
    bool told =
        is_label(build->from) ? build->raw->has_label_charsets : build->raw->has_charsets;
    build->charset = NULL;
    if (told) {
        build->charset = fc_charset_of_collation(build->from->collation);
        if (build->charset == NULL) {
            return fc_fail(err, FC_ERR_CONFIG, "collation number %u is not known",
                           build->from->collation);
        }
    } else if (build->hinted != NULL) {
        build->charset = build->hinted->charset != NULL
                             ? fc_charset_named(build->hinted->charset)
                             : fc_charset_named("binary");
    }
    return FC_OK;
}

static bool is_binary(const struct fc_charset *charset)
{
    return charset == NULL || strcmp(charset->name, "binary") == 0;
}

static fc_code finish(const struct fc_table_build *build, fc_column_base base,
                      struct fc_error *err)
{
    return fc_column_type_print(base, build->arena, build->column, err);
}

static void add_scratch(const struct fc_table_build *build, uint32_t size)
{
    build->out->scratch_size += size;
}

static fc_code build_integer(const struct fc_table_build *build, unsigned step,
                             struct fc_error *err)
{
    static const uint8_t widths[] = { 8, 16, 24, 32, 64 };
    bool is_unsigned = build->from->is_unsigned;
    if (!build->raw->has_signedness && build->hinted != NULL) {
        is_unsigned = build->hinted->is_unsigned;
    }
    build->column->type = FC_TYPE_INT;
    build->column->bits = widths[step];
    build->column->is_unsigned = is_unsigned;
    build->plan->kind = (fc_row_kind)((is_unsigned ? FC_ROW_UINT8 : FC_ROW_INT8) + step);
    return finish(build, (fc_column_base)(FC_COLUMN_TINYINT + step), err);
}

static fc_code build_number(const struct fc_table_build *build, struct fc_error *err)
{
    static const uint8_t bytes_of_digits[] = { 0, 1, 1, 2, 2, 3, 3, 4, 4, 4 };
    struct fc_column *column = build->column;
    unsigned whole;
    column->is_unsigned = build->from->is_unsigned;
    if (!build->raw->has_signedness && build->hinted != NULL) {
        column->is_unsigned = build->hinted->is_unsigned;
    }
    if (build->from->type == FC_WIRE_FLOAT) {
        column->type = FC_TYPE_FLOAT;
        build->plan->kind = FC_ROW_FLOAT;
        return finish(build, FC_COLUMN_FLOAT, err);
    }
    if (build->from->type == FC_WIRE_DOUBLE) {
        column->type = FC_TYPE_DOUBLE;
        build->plan->kind = FC_ROW_DOUBLE;
        return finish(build, FC_COLUMN_DOUBLE, err);
    }
    column->type = FC_TYPE_DECIMAL;
    column->precision = build->from->meta >> 8;
    column->scale = build->from->meta & 0xff;
    if (column->precision == 0 || column->precision > DECIMAL_PRECISION_MAX ||
        column->scale > column->precision) {
        return bad_column(build, "impossible DECIMAL", err);
    }
    whole = (unsigned)(column->precision - column->scale);
    build->plan->kind = FC_ROW_DECIMAL;
    build->plan->precision = (uint8_t)column->precision;
    build->plan->scale = (uint8_t)column->scale;
    build->plan->width =
        (uint8_t)(whole / 9 * 4 + bytes_of_digits[whole % 9] + column->scale / 9U * 4 +
                  bytes_of_digits[column->scale % 9U]);
    add_scratch(build, column->precision + 3U);
    return finish(build, FC_COLUMN_DECIMAL, err);
}

static fc_code build_temporal(const struct fc_table_build *build, struct fc_error *err)
{
    static const struct {
        uint8_t wire;
        bool fraction;
        fc_row_kind kind;
        fc_type type;
        fc_column_base base;
    } temporals[] = {
        { FC_WIRE_YEAR, false, FC_ROW_YEAR, FC_TYPE_YEAR, FC_COLUMN_YEAR },
        { FC_WIRE_DATE, false, FC_ROW_DATE, FC_TYPE_DATE, FC_COLUMN_DATE },
        { FC_WIRE_NEWDATE, false, FC_ROW_DATE, FC_TYPE_DATE, FC_COLUMN_DATE },
        { FC_WIRE_TIME, false, FC_ROW_TIME_OLD, FC_TYPE_TIME, FC_COLUMN_TIME },
        { FC_WIRE_TIME2, true, FC_ROW_TIME, FC_TYPE_TIME, FC_COLUMN_TIME },
        { FC_WIRE_DATETIME, false, FC_ROW_DATETIME_OLD, FC_TYPE_DATETIME, FC_COLUMN_DATETIME },
        { FC_WIRE_DATETIME2, true, FC_ROW_DATETIME, FC_TYPE_DATETIME, FC_COLUMN_DATETIME },
        { FC_WIRE_TIMESTAMP, false, FC_ROW_TIMESTAMP_OLD, FC_TYPE_TIMESTAMP,
          FC_COLUMN_TIMESTAMP },
        { FC_WIRE_TIMESTAMP2, true, FC_ROW_TIMESTAMP, FC_TYPE_TIMESTAMP, FC_COLUMN_TIMESTAMP },
    };
    size_t index = 0;
    while (temporals[index].wire != build->from->type) {
        index++;
    }
    build->column->type = temporals[index].type;
    build->plan->kind = temporals[index].kind;
    if (temporals[index].fraction) {
        if (build->from->meta > FRACTION_MAX) {
            return bad_column(build, "impossible fraction of seconds", err);
        }
        build->column->precision = build->from->meta;
        build->plan->fraction_digits = (uint8_t)build->from->meta;
    } else if (build->hinted != NULL && build->hinted->type == temporals[index].type &&
               build->hinted->precision > 0) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "column %s has fractions of seconds in MariaDB's old format, which the "
                       "binlog does not tell apart; convert it: SET GLOBAL "
                       "mysql56_temporal_format=ON; ALTER TABLE %s.%s FORCE",
                       build->hinted->name, build->hint->db, build->hint->table);
    }
    return finish(build, temporals[index].base, err);
}

/* MariaDB's types that look like BINARY(n), VECTOR like VARBINARY(n), and only the hint tells. */
static bool build_hidden_type(const struct fc_table_build *build, fc_column_base *out_base)
{
    static const struct {
        const char *native_type;
        fc_column_base base;
        fc_row_kind kind;
        uint16_t size;
        uint8_t text_size;
    } hidden[] = { { "uuid", FC_COLUMN_UUID, FC_ROW_UUID, 16, UUID_TEXT_SIZE },
                   { "inet4", FC_COLUMN_INET4, FC_ROW_INET4, 4, 16 },
                   { "inet6", FC_COLUMN_INET6, FC_ROW_INET6, 16, 46 } };
    const struct fc_column *hinted = build->hinted;
    if (hinted == NULL) {
        return false;
    }
    for (size_t index = 0; index < sizeof(hidden) / sizeof(hidden[0]); index++) {
        if (build->from->type == FC_WIRE_STRING && build->from->meta == hidden[index].size &&
            strcmp(hinted->native_type, hidden[index].native_type) == 0) {
            build->column->type = hinted->type;
            build->plan->kind = hidden[index].kind;
            add_scratch(build, hidden[index].text_size);
            *out_base = hidden[index].base;
            return true;
        }
    }
    if (hinted->type == FC_TYPE_VECTOR && build->from->type == FC_WIRE_VARCHAR &&
        build->from->meta == hinted->length * 4) {
        build->column->type = FC_TYPE_VECTOR;
        build->column->length = hinted->length;
        build->plan->kind = FC_ROW_BYTES;
        *out_base = FC_COLUMN_VECTOR;
        return true;
    }
    return false;
}

static fc_code open_converter(const struct fc_table_build *build, struct fc_error *err)
{
    struct fc_charset_converter *converter =
        &build->out->converters[build->out->converter_count];
    fc_code code = fc_charset_converter_open(converter, build->charset, err);
    if (code == FC_OK) {
        build->out->converter_count++;
        build->plan->converter = converter;
    }
    return code;
}

static fc_code build_characters(const struct fc_table_build *build, struct fc_error *err)
{
    uint8_t type = build->from->type;
    bool is_blob = type == FC_WIRE_BLOB || type == FC_WIRE_BLOB_COMPRESSED;
    bool is_packed = type == FC_WIRE_BLOB_COMPRESSED || type == FC_WIRE_VARCHAR_COMPRESSED;
    bool binary = is_binary(build->charset);
    fc_column_base base = type == FC_WIRE_STRING ? FC_COLUMN_CHAR : FC_COLUMN_VARCHAR;
    uint16_t size = build->from->meta;
    struct fc_column *column = build->column;
    struct fc_row_column *plan = build->plan;
    if (is_blob && (size < 1 || size > 4)) {
        return bad_column(build, "impossible BLOB", err);
    }
    plan->width = (uint8_t)(is_blob ? size : size > 255 ? 2 : 1);
    if (build_hidden_type(build, &base)) {
        return finish(build, base, err);
    }
    column->type = binary ? FC_TYPE_BYTES : FC_TYPE_TEXT;
    column->charset = binary ? NULL : build->charset->name;
    plan->kind = binary ? FC_ROW_BYTES : FC_ROW_TEXT;
    if (is_blob) {
        base = (fc_column_base)(FC_COLUMN_TINYTEXT + size - 1);
    } else {
        /* A compressed VARCHAR has one byte more, for the head of its values. */
        column->length = (uint32_t)(size - (is_packed ? 1 : 0)) /
                         (binary ? 1U : build->charset->char_bytes_max);
    }
    if (binary && type == FC_WIRE_STRING) {
        plan->kind = FC_ROW_PADDED;
        plan->length = size;
    }
    if (!binary && !build->charset->is_utf8) {
        fc_code code = open_converter(build, err);
        if (code != FC_OK) {
            return code;
        }
        plan->kind = FC_ROW_TEXT_IN;
    }
    if (is_packed) {
        plan->kind = FC_ROW_PACKED;
    }
    return finish(build, base, err);
}

/* A label of the event as UTF-8, NUL-terminated. */
static const char *convert_label(const struct fc_table_build *build,
                                 struct fc_charset_converter *converter, struct fc_slice label)
{
    char *text;
    size_t len;
    if (is_binary(build->charset) || build->charset->is_utf8) {
        return fc_table_map_copy_text(build, label);
    }
    text =
        fc_arena_alloc(build->arena, fc_charset_utf8_size_max(build->charset, label.len) + 1);
    if (text != NULL) {
        len = fc_charset_to_utf8(converter, label, text);
        text[len] = '\0';
    }
    return text;
}

static fc_code read_labels(const struct fc_table_build *build, const char **labels,
                           struct fc_error *err)
{
    struct fc_charset_converter converter = { NULL, NULL };
    struct fc_reader reader;
    fc_code code = FC_OK;
    if (!is_binary(build->charset)) {
        code = fc_charset_converter_open(&converter, build->charset, err);
    }
    fc_reader_init(&reader, build->from->labels);
    for (uint32_t index = 0; code == FC_OK && index < build->from->label_count; index++) {
        struct fc_slice label = fc_reader_slice(&reader, fc_lenenc_read(&reader));
        labels[index] = convert_label(build, &converter, label);
        if (labels[index] == NULL) {
            code = no_room(build, err);
        }
    }
    fc_charset_converter_close(&converter);
    return code;
}

static fc_code build_labels(const struct fc_table_build *build, struct fc_error *err)
{
    bool is_enum = build->from->type == FC_WIRE_ENUM;
    const struct fc_column *hinted = build->hinted;
    bool from_hint = build->from->label_count == 0 && hinted != NULL &&
                     hinted->type == (is_enum ? FC_TYPE_ENUM : FC_TYPE_SET);
    uint32_t count = from_hint ? hinted->label_count : build->from->label_count;
    const char **labels = fc_arena_alloc(build->arena, (count + 1) * sizeof(*labels));
    fc_code code = FC_OK;
    if (labels == NULL) {
        return no_room(build, err);
    }
    if (build->from->meta < 1 || build->from->meta > (is_enum ? 2 : 8)) {
        return bad_column(build, "impossible ENUM or SET", err);
    }
    if (code == FC_OK && from_hint) {
        for (uint32_t index = 0; code == FC_OK && index < count; index++) {
            labels[index] = fc_table_map_copy_text(build, fc_slice_text(hinted->labels[index]));
            code = labels[index] == NULL ? no_room(build, err) : FC_OK;
        }
    } else if (code == FC_OK) {
        code = read_labels(build, labels, err);
    }
    if (code != FC_OK) {
        return code;
    }
    build->column->type = is_enum ? FC_TYPE_ENUM : FC_TYPE_SET;
    build->column->charset = is_binary(build->charset) ? NULL : build->charset->name;
    build->column->labels = labels;
    build->column->label_count = (uint16_t)count;
    build->plan->kind = is_enum ? FC_ROW_ENUM : FC_ROW_SET;
    build->plan->width = (uint8_t)build->from->meta;
    return finish(build, is_enum ? FC_COLUMN_ENUM : FC_COLUMN_SET, err);
}

static fc_code build_bit(const struct fc_table_build *build, struct fc_error *err)
{
    if (build->from->meta < 1 || build->from->meta > BIT_MAX) {
        return bad_column(build, "impossible BIT", err);
    }
    build->column->type = FC_TYPE_BIT;
    build->column->length = build->from->meta;
    build->plan->kind = FC_ROW_BIT;
    build->plan->width = (uint8_t)((build->from->meta + 7) / 8);
    add_scratch(build, build->plan->width);
    return finish(build, FC_COLUMN_BIT, err);
}

/* JSON, GEOMETRY, VECTOR: bytes behind a length. */
static fc_code build_blob_like(const struct fc_table_build *build, struct fc_error *err)
{
    uint8_t geometry = build->from->geometry;
    fc_column_base base = FC_COLUMN_JSON;
    if (build->from->meta < 1 || build->from->meta > 4) {
        return bad_column(build, "impossible size of the length", err);
    }
    build->plan->width = (uint8_t)build->from->meta;
    build->plan->kind = FC_ROW_BYTES;
    if (build->from->type == FC_WIRE_JSON) {
        build->column->type = FC_TYPE_JSON;
        build->plan->kind = FC_ROW_JSON;
        build->out->json_count++;
    } else if (build->from->type == FC_WIRE_VECTOR) {
        base = FC_COLUMN_VECTOR;
        build->column->type = FC_TYPE_VECTOR;
        build->column->length = build->from->dimensions;
        if (build->column->length == 0 && build->hinted != NULL) {
            build->column->length = build->hinted->length;
        }
    } else {
        build->column->type = FC_TYPE_GEOMETRY;
        base = FC_COLUMN_GEOMETRY;
        if (geometry != FC_RAW_SUBTYPE_UNKNOWN &&
            geometry <= FC_COLUMN_GEOMETRYCOLLECTION - FC_COLUMN_GEOMETRY) {
            base = (fc_column_base)(FC_COLUMN_GEOMETRY + geometry);
        } else if (build->hinted != NULL && build->hinted->type == FC_TYPE_GEOMETRY) {
            build->column->native_type =
                fc_table_map_copy_text(build, fc_slice_text(build->hinted->native_type));
            return build->column->native_type == NULL ? no_room(build, err) : FC_OK;
        }
    }
    return finish(build, base, err);
}

fc_code fc_table_map_build_column(struct fc_table_build *build, struct fc_error *err)
{
    fc_code code;
    switch (build->from->type) {
    case FC_WIRE_TINY:
        return build_integer(build, 0, err);
    case FC_WIRE_SHORT:
        return build_integer(build, 1, err);
    case FC_WIRE_INT24:
        return build_integer(build, 2, err);
    case FC_WIRE_LONG:
        return build_integer(build, 3, err);
    case FC_WIRE_LONGLONG:
        return build_integer(build, 4, err);
    case FC_WIRE_FLOAT:
    case FC_WIRE_DOUBLE:
    case FC_WIRE_NEWDECIMAL:
        return build_number(build, err);
    case FC_WIRE_YEAR:
    case FC_WIRE_DATE:
    case FC_WIRE_NEWDATE:
    case FC_WIRE_TIME:
    case FC_WIRE_TIME2:
    case FC_WIRE_DATETIME:
    case FC_WIRE_DATETIME2:
    case FC_WIRE_TIMESTAMP:
    case FC_WIRE_TIMESTAMP2:
        return build_temporal(build, err);
    case FC_WIRE_BIT:
        return build_bit(build, err);
    case FC_WIRE_JSON:
    case FC_WIRE_GEOMETRY:
    case FC_WIRE_VECTOR:
        return build_blob_like(build, err);
    case FC_WIRE_ENUM:
    case FC_WIRE_SET:
        code = find_charset(build, err);
        return code == FC_OK ? build_labels(build, err) : code;
    case FC_WIRE_STRING:
    case FC_WIRE_VAR_STRING:
    case FC_WIRE_VARCHAR:
    case FC_WIRE_BLOB:
    case FC_WIRE_VARCHAR_COMPRESSED:
    case FC_WIRE_BLOB_COMPRESSED:
        code = find_charset(build, err);
        return code == FC_OK ? build_characters(build, err) : code;
    default:
        return bad_column(build, "this type of column is not known", err);
    }
}
