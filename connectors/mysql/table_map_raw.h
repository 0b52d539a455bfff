/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TABLE_MAP event taken apart, before it becomes a shape; for table_map.c and its parts only.
 *
 * Layout of the event's body:
 *
 *   table_id(6, or 4) flags(2) db_len(1) db NUL table_len(1) table NUL
 *   column_count(length-encoded) type(1)... metadata_len(length-encoded) metadata(0-2)...
 *   nullable(a bit a column, lowest first) optional fields: type(1) size(length-encoded) value
 */
#ifndef FC_MYSQL_TABLE_MAP_RAW_H
#define FC_MYSQL_TABLE_MAP_RAW_H

#include "connectors/mysql/table_map.h"
#include "core/base/arena.h"

/* Column types as the binlog numbers them. */
enum {
    FC_WIRE_DECIMAL = 0,
    FC_WIRE_TINY = 1,
    FC_WIRE_SHORT = 2,
    FC_WIRE_LONG = 3,
    FC_WIRE_FLOAT = 4,
    FC_WIRE_DOUBLE = 5,
    FC_WIRE_NULL = 6,
    FC_WIRE_TIMESTAMP = 7,
    FC_WIRE_LONGLONG = 8,
    FC_WIRE_INT24 = 9,
    FC_WIRE_DATE = 10,
    FC_WIRE_TIME = 11,
    FC_WIRE_DATETIME = 12,
    FC_WIRE_YEAR = 13,
    FC_WIRE_NEWDATE = 14,
    FC_WIRE_VARCHAR = 15,
    FC_WIRE_BIT = 16,
    FC_WIRE_TIMESTAMP2 = 17,
    FC_WIRE_DATETIME2 = 18,
    FC_WIRE_TIME2 = 19,
    FC_WIRE_TYPED_ARRAY = 20,
    FC_WIRE_BLOB_COMPRESSED = 140,
    FC_WIRE_VARCHAR_COMPRESSED = 141,
    FC_WIRE_VECTOR = 242,
    FC_WIRE_JSON = 245,
    FC_WIRE_NEWDECIMAL = 246,
    FC_WIRE_ENUM = 247,
    FC_WIRE_SET = 248,
    FC_WIRE_TINY_BLOB = 249,
    FC_WIRE_MEDIUM_BLOB = 250,
    FC_WIRE_LONG_BLOB = 251,
    FC_WIRE_BLOB = 252,
    FC_WIRE_VAR_STRING = 253,
    FC_WIRE_STRING = 254,
    FC_WIRE_GEOMETRY = 255
};

enum { FC_RAW_COLLATION_UNKNOWN = 0, FC_RAW_SUBTYPE_UNKNOWN = 0xff };

struct fc_raw_column {
    uint8_t type;  /* FC_WIRE_*; ENUM and SET even where the event says STRING */
    uint16_t meta; /* FLOAT, DOUBLE, BLOB...: bytes; NEWDECIMAL: precision << 8 | scale; BIT:
                      bits; temporal: fraction digits; character types, ENUM, SET: bytes */
    bool nullable;
    bool is_unsigned;
    uint8_t geometry; /* subtype */
    uint16_t key_index;
    uint32_t collation;
    uint32_t dimensions; /* VECTOR */
    struct fc_slice name;
    uint32_t label_count;
    struct fc_slice labels; /* label_count texts, each with its length-encoded length */
};

struct fc_raw_table {
    bool mariadb;
    uint64_t table_id;
    struct fc_slice content; /* everything behind table_id and flags */
    struct fc_slice db;
    struct fc_slice table;
    struct fc_slice optional; /* the optional fields */
    uint32_t column_count;
    struct fc_raw_column *columns; /* in the arena */
    /* Which optional fields came. */
    bool has_signedness;
    bool has_charsets;
    bool has_label_charsets;
    bool has_names;
};

/* The fixed part and the optional fields (table_map_parse.c). */
FC_MUST_CHECK fc_code fc_table_map_raw_parse(const struct fc_binlog_format *format,
                                             const struct fc_binlog_event *event,
                                             struct fc_arena *arena, struct fc_raw_table *out,
                                             struct fc_error *err);

/* Only table_id, content, db and table. */
FC_MUST_CHECK fc_code fc_table_map_raw_head(const struct fc_binlog_format *format,
                                            const struct fc_binlog_event *event,
                                            struct fc_raw_table *out, struct fc_error *err);

/* What fc_table_map_build makes; everything is in the arena but the converters' handles. */
struct fc_built_table {
    struct fc_shape *shape;
    struct fc_row_column *row_columns;
    struct fc_charset_converter *converters; /* converter_count are open */
    uint32_t converter_count;
    uint32_t scratch_size;
    uint32_t json_count;
};

/* One build, and the column that it is at. */
struct fc_table_build {
    const struct fc_raw_table *raw;
    const struct fc_shape *hint; /* NULL, or it has as many columns as the table */
    struct fc_arena *arena;
    struct fc_built_table *out;
    const struct fc_raw_column *from;
    const struct fc_column *hinted; /* of the same name, or place where there are no names */
    struct fc_column *column;
    struct fc_row_column *plan;
    const struct fc_charset *charset; /* of character columns and labels; NULL: not known */
};

/* Fill build->column (but name, nullable, key) and build->plan from build->from and
 * build->hinted; table_map_column.c. */
FC_MUST_CHECK fc_code fc_table_map_build_column(struct fc_table_build *build,
                                                struct fc_error *err);
/* NUL-terminated, in the arena; NULL past its limit. */
const char *fc_table_map_copy_text(const struct fc_table_build *build, struct fc_slice text);

/*
 * Shape and decoding plan from a raw table and a hint (NULL: none); table_map_build.c.
 *
 * Errors: FC_ERR_CONFIG (names are missing and no hint agrees), FC_ERR_PROTOCOL, FC_ERR_LIMIT.
 * `out` may hold open converters whatever comes.
 */
FC_MUST_CHECK fc_code fc_table_map_build(const struct fc_raw_table *raw,
                                         const struct fc_shape *hint, struct fc_arena *arena,
                                         struct fc_built_table *out, struct fc_error *err);

#endif
