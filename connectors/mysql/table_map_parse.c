/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/lenenc.h"
#include "connectors/mysql/table_map_raw.h"

/* Types of the optional fields. */
enum {
    FIELD_SIGNEDNESS = 1,
    FIELD_DEFAULT_CHARSET = 2,
    FIELD_COLUMN_CHARSET = 3,
    FIELD_COLUMN_NAME = 4,
    FIELD_SET_STR_VALUE = 5,
    FIELD_ENUM_STR_VALUE = 6,
    FIELD_GEOMETRY_TYPE = 7,
    FIELD_SIMPLE_PRIMARY_KEY = 8,
    FIELD_PRIMARY_KEY_WITH_PREFIX = 9,
    FIELD_LABEL_DEFAULT_CHARSET = 10,
    FIELD_LABEL_COLUMN_CHARSET = 11,
    FIELD_VECTOR_DIMENSIONALITY = 13
};

/* Columns of a kind, which a field counts. */
typedef bool (*fc_raw_kind_test)(const struct fc_raw_table *raw,
                                 const struct fc_raw_column *column);

static bool is_numeric(const struct fc_raw_table *raw, const struct fc_raw_column *column)
{
    (void)raw;
    switch (column->type) {
    case FC_WIRE_TINY:
    case FC_WIRE_SHORT:
    case FC_WIRE_INT24:
    case FC_WIRE_LONG:
    case FC_WIRE_LONGLONG:
    case FC_WIRE_NEWDECIMAL:
    case FC_WIRE_FLOAT:
    case FC_WIRE_DOUBLE:
    case FC_WIRE_YEAR:
        return true;
    default:
        return false;
    }
}

static bool is_character(const struct fc_raw_table *raw, const struct fc_raw_column *column)
{
    switch (column->type) {
    case FC_WIRE_STRING:
    case FC_WIRE_VAR_STRING:
    case FC_WIRE_VARCHAR:
    case FC_WIRE_BLOB:
    case FC_WIRE_VARCHAR_COMPRESSED:
    case FC_WIRE_BLOB_COMPRESSED:
        return true;
    case FC_WIRE_GEOMETRY:
        return raw->mariadb; /* it counts them as BLOBs */
    default:
        return false;
    }
}

static bool is_label(const struct fc_raw_table *raw, const struct fc_raw_column *column)
{
    (void)raw;
    return column->type == FC_WIRE_ENUM || column->type == FC_WIRE_SET;
}

static bool is_enum(const struct fc_raw_table *raw, const struct fc_raw_column *column)
{
    (void)raw;
    return column->type == FC_WIRE_ENUM;
}

static bool is_set(const struct fc_raw_table *raw, const struct fc_raw_column *column)
{
    (void)raw;
    return column->type == FC_WIRE_SET;
}

static bool is_geometry(const struct fc_raw_table *raw, const struct fc_raw_column *column)
{
    (void)raw;
    return column->type == FC_WIRE_GEOMETRY;
}

static bool is_vector(const struct fc_raw_table *raw, const struct fc_raw_column *column)
{
    (void)raw;
    return column->type == FC_WIRE_VECTOR;
}

/* Index of the first column of a kind from `from` on; column_count when there is none. */
static uint32_t next_of(const struct fc_raw_table *raw, fc_raw_kind_test of, uint32_t from)
{
    while (from < raw->column_count && !of(raw, &raw->columns[from])) {
        from++;
    }
    return from;
}

/* A column's metadata; sets type and meta. */
static void read_meta(struct fc_reader *reader, struct fc_raw_column *column)
{
    uint8_t first;
    uint8_t second;
    switch (column->type) {
    case FC_WIRE_FLOAT:
    case FC_WIRE_DOUBLE:
    case FC_WIRE_TINY_BLOB:
    case FC_WIRE_MEDIUM_BLOB:
    case FC_WIRE_LONG_BLOB:
    case FC_WIRE_BLOB:
    case FC_WIRE_BLOB_COMPRESSED:
    case FC_WIRE_GEOMETRY:
    case FC_WIRE_JSON:
    case FC_WIRE_VECTOR:
    case FC_WIRE_TIME2:
    case FC_WIRE_DATETIME2:
    case FC_WIRE_TIMESTAMP2:
        column->meta = fc_reader_u8(reader);
        break;
    case FC_WIRE_VARCHAR:
    case FC_WIRE_VAR_STRING:
    case FC_WIRE_VARCHAR_COMPRESSED:
        column->meta = (uint16_t)fc_reader_le(reader, 2);
        break;
    case FC_WIRE_NEWDECIMAL:
        column->meta = (uint16_t)fc_reader_be(reader, 2);
        break;
    case FC_WIRE_BIT:
        first = fc_reader_u8(reader); /* bits beyond whole bytes */
        column->meta = (uint16_t)(fc_reader_u8(reader) * 8 + first);
        break;
    case FC_WIRE_STRING:
    case FC_WIRE_ENUM:
    case FC_WIRE_SET:
        first = fc_reader_u8(reader);
        second = fc_reader_u8(reader);
        /* Lengths above 255 borrow two bits, inverted, of the type's byte. */
        column->meta = (uint16_t)(second | ((first & 0x30) ^ 0x30) << 4);
        first |= 0x30;
        if (first == FC_WIRE_ENUM || first == FC_WIRE_SET) {
            column->type = first;
        }
        break;
    default:
        break;
    }
}

/* One bit a numeric column, highest first. */
static void read_signedness(struct fc_reader *value, struct fc_raw_table *raw)
{
    unsigned bit = 0;
    uint8_t bits = 0;
    for (uint32_t index = next_of(raw, is_numeric, 0); index < raw->column_count;
         index = next_of(raw, is_numeric, index + 1)) {
        if (bit % 8 == 0) {
            bits = fc_reader_u8(value);
        }
        raw->columns[index].is_unsigned = (bits & (0x80U >> (bit % 8))) != 0;
        bit++;
    }
    raw->has_signedness = true;
}

/* A default, then pairs of (number among these columns, collation). */
static void read_default_charset(struct fc_reader *value, struct fc_raw_table *raw,
                                 fc_raw_kind_test of)
{
    uint32_t collation = (uint32_t)fc_lenenc_read(value);
    uint32_t number = 0;
    uint32_t index = next_of(raw, of, 0);
    for (uint32_t at = index; at < raw->column_count; at = next_of(raw, of, at + 1)) {
        raw->columns[at].collation = collation;
    }
    while (fc_reader_left(value) > 0 && !value->failed) {
        uint64_t wanted = fc_lenenc_read(value);
        collation = (uint32_t)fc_lenenc_read(value);
        while (number < wanted && index < raw->column_count) { /* pairs are ordered */
            index = next_of(raw, of, index + 1);
            number++;
        }
        if (number != wanted || index >= raw->column_count) {
            value->failed = true;
            return;
        }
        raw->columns[index].collation = collation;
    }
}

static void read_column_charset(struct fc_reader *value, struct fc_raw_table *raw,
                                fc_raw_kind_test of)
{
    for (uint32_t index = next_of(raw, of, 0); index < raw->column_count;
         index = next_of(raw, of, index + 1)) {
        raw->columns[index].collation = (uint32_t)fc_lenenc_read(value);
    }
}

static void read_names(struct fc_reader *value, struct fc_raw_table *raw)
{
    for (uint32_t index = 0; index < raw->column_count; index++) {
        raw->columns[index].name = fc_reader_slice(value, fc_lenenc_read(value));
        if (raw->columns[index].name.len == 0) {
            value->failed = true;
        }
    }
    raw->has_names = true;
}

static void read_labels(struct fc_reader *value, struct fc_raw_table *raw, fc_raw_kind_test of)
{
    for (uint32_t index = next_of(raw, of, 0); index < raw->column_count;
         index = next_of(raw, of, index + 1)) {
        uint64_t count = fc_lenenc_read(value);
        const uint8_t *start = value->at;
        if (count > UINT16_MAX || count > fc_reader_left(value)) {
            value->failed = true;
        }
        for (uint64_t label = 0; label < count && !value->failed; label++) {
            fc_reader_skip(value, fc_lenenc_read(value));
        }
        if (value->failed) {
            return;
        }
        raw->columns[index].label_count = (uint32_t)count;
        raw->columns[index].labels = fc_slice_of(start, (size_t)(value->at - start));
    }
}

static void read_primary_key(struct fc_reader *value, struct fc_raw_table *raw, bool prefixes)
{
    uint16_t place = 0;
    while (fc_reader_left(value) > 0 && !value->failed) {
        uint64_t index = fc_lenenc_read(value);
        if (prefixes) {
            (void)fc_lenenc_read(value); /* the whole value identifies the row, too */
        }
        if (index >= raw->column_count || raw->columns[index].key_index != 0) {
            value->failed = true;
            return;
        }
        raw->columns[index].key_index = ++place;
    }
}

static void read_optional(uint8_t field, struct fc_reader *value, struct fc_raw_table *raw)
{
    switch (field) {
    case FIELD_SIGNEDNESS:
        read_signedness(value, raw);
        break;
    case FIELD_DEFAULT_CHARSET:
        read_default_charset(value, raw, is_character);
        raw->has_charsets = true;
        break;
    case FIELD_COLUMN_CHARSET:
        read_column_charset(value, raw, is_character);
        raw->has_charsets = true;
        break;
    case FIELD_LABEL_DEFAULT_CHARSET:
        read_default_charset(value, raw, is_label);
        raw->has_label_charsets = true;
        break;
    case FIELD_LABEL_COLUMN_CHARSET:
        read_column_charset(value, raw, is_label);
        raw->has_label_charsets = true;
        break;
    case FIELD_COLUMN_NAME:
        read_names(value, raw);
        break;
    case FIELD_SET_STR_VALUE:
        read_labels(value, raw, is_set);
        break;
    case FIELD_ENUM_STR_VALUE:
        read_labels(value, raw, is_enum);
        break;
    case FIELD_GEOMETRY_TYPE:
        for (uint32_t index = next_of(raw, is_geometry, 0); index < raw->column_count;
             index = next_of(raw, is_geometry, index + 1)) {
            raw->columns[index].geometry = (uint8_t)fc_lenenc_read(value);
        }
        break;
    case FIELD_SIMPLE_PRIMARY_KEY:
    case FIELD_PRIMARY_KEY_WITH_PREFIX:
        read_primary_key(value, raw, field == FIELD_PRIMARY_KEY_WITH_PREFIX);
        break;
    case FIELD_VECTOR_DIMENSIONALITY:
        for (uint32_t index = next_of(raw, is_vector, 0); index < raw->column_count;
             index = next_of(raw, is_vector, index + 1)) {
            raw->columns[index].dimensions = (uint32_t)fc_lenenc_read(value);
        }
        break;
    default: /* visibility, and what comes later: adds to the shape, does not change values */
        break;
    }
}

static void read_head(const struct fc_binlog_format *format, struct fc_reader *reader,
                      struct fc_raw_table *out)
{
    bool short_id = fc_binlog_format_post_header(format, FC_BINLOG_TABLE_MAP, 8) == 6;
    out->mariadb = format->mariadb;
    out->table_id = fc_reader_le(reader, short_id ? 4 : 6);
    fc_reader_skip(reader, 2);
    out->content = fc_slice_of(reader->at, fc_reader_left(reader));
    out->db = fc_reader_slice(reader, fc_reader_u8(reader));
    fc_reader_skip(reader, 1);
    out->table = fc_reader_slice(reader, fc_reader_u8(reader));
    fc_reader_skip(reader, 1);
}

fc_code fc_table_map_raw_head(const struct fc_binlog_format *format,
                              const struct fc_binlog_event *event, struct fc_raw_table *out,
                              struct fc_error *err)
{
    struct fc_reader reader;
    memset(out, 0, sizeof(*out));
    fc_reader_init(&reader, event->body);
    read_head(format, &reader, out);
    if (reader.failed || out->table.len == 0) {
        return fc_binlog_event_malformed(event, "it is too short", err);
    }
    return FC_OK;
}

/* Types, metadata and null bits of the columns. */
static void read_columns(struct fc_reader *reader, struct fc_raw_table *out)
{
    const uint8_t *types = fc_reader_take(reader, out->column_count);
    struct fc_reader meta;
    const uint8_t *nullable;
    fc_reader_init(&meta, fc_reader_slice(reader, fc_lenenc_read(reader)));
    nullable = fc_reader_take(reader, (out->column_count + 7) / 8);
    if (reader->failed) {
        return;
    }
    for (uint32_t index = 0; index < out->column_count; index++) {
        struct fc_raw_column *column = &out->columns[index];
        column->type = types[index];
        column->geometry = FC_RAW_SUBTYPE_UNKNOWN;
        column->nullable = (nullable[index / 8] >> (index % 8) & 1) != 0;
        read_meta(&meta, column);
    }
    reader->failed = meta.failed || fc_reader_left(&meta) > 0;
}

fc_code fc_table_map_raw_parse(const struct fc_binlog_format *format,
                               const struct fc_binlog_event *event, struct fc_arena *arena,
                               struct fc_raw_table *out, struct fc_error *err)
{
    struct fc_reader reader;
    uint64_t column_count;
    memset(out, 0, sizeof(*out));
    fc_reader_init(&reader, event->body);
    read_head(format, &reader, out);
    column_count = fc_lenenc_read(&reader);
    if (reader.failed || column_count == 0 || column_count > FC_TABLE_MAP_COLUMNS_MAX) {
        return fc_binlog_event_malformed(event, "its columns cannot be counted", err);
    }
    out->column_count = (uint32_t)column_count;
    out->columns = fc_arena_alloc(arena, column_count * sizeof(*out->columns));
    if (out->columns == NULL) {
        return fc_arena_check(arena, "a table map", err);
    }
    memset(out->columns, 0, column_count * sizeof(*out->columns));
    read_columns(&reader, out);
    if (reader.failed) {
        return fc_binlog_event_malformed(event, "its columns cannot be read", err);
    }
    while (fc_reader_left(&reader) > 0 && !reader.failed) {
        uint8_t field = fc_reader_u8(&reader);
        struct fc_reader value;
        fc_reader_init(&value, fc_reader_slice(&reader, fc_lenenc_read(&reader)));
        read_optional(field, &value, out);
        reader.failed = reader.failed || value.failed;
    }
    if (reader.failed) {
        return fc_binlog_event_malformed(event, "its optional metadata cannot be read", err);
    }
    return FC_OK;
}
