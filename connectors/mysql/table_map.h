/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TABLE_MAP events: what a table looked like when its next rows were written.
 *
 * With binlog_row_metadata=FULL the event tells everything; with MINIMAL it lacks names,
 * labels and the key (signedness and charsets are there), which then come from outside, from a
 * shape built out of information_schema (the hint).
 *
 * The cache gives each distinct map one entry and one shape, which live until the cache is
 * freed: the same table seen again under another id, or after a change and back, has the same
 * shape pointer.
 *
 * Thread: everything belongs to the reader's thread.
 */
#ifndef FC_MYSQL_TABLE_MAP_H
#define FC_MYSQL_TABLE_MAP_H

#include "connectors/mysql/binlog_event.h"
#include "connectors/mysql/charset.h"
#include "fc/change.h"

enum { FC_TABLE_MAP_COLUMNS_MAX = 4096 };

/* How a column's bytes in a row image become a value. */
typedef enum fc_row_kind {
    FC_ROW_INT8,
    FC_ROW_INT16,
    FC_ROW_INT24,
    FC_ROW_INT32,
    FC_ROW_INT64,
    FC_ROW_UINT8,
    FC_ROW_UINT16,
    FC_ROW_UINT24,
    FC_ROW_UINT32,
    FC_ROW_UINT64,
    FC_ROW_FLOAT,
    FC_ROW_DOUBLE,
    FC_ROW_DECIMAL, /* precision, scale; width: bytes */
    FC_ROW_BIT,     /* width: bytes */
    FC_ROW_YEAR,
    FC_ROW_DATE,
    FC_ROW_TIME, /* fraction_digits */
    FC_ROW_TIME_OLD,
    FC_ROW_DATETIME, /* fraction_digits */
    FC_ROW_DATETIME_OLD,
    FC_ROW_TIMESTAMP, /* fraction_digits */
    FC_ROW_TIMESTAMP_OLD,
    FC_ROW_TEXT,    /* width: bytes of the length before it; UTF-8 as it is */
    FC_ROW_BYTES,   /* width, too */
    FC_ROW_TEXT_IN, /* width; text in another charset: converter */
    FC_ROW_PADDED,  /* width; BINARY(length) without its trailing zeros */
    FC_ROW_PACKED,  /* width; a value of MariaDB's COMPRESSED columns */
    FC_ROW_ENUM,    /* width */
    FC_ROW_SET,     /* width */
    FC_ROW_JSON,    /* width */
    FC_ROW_UUID,    /* width; MariaDB's order of bytes */
    FC_ROW_INET4,   /* width */
    FC_ROW_INET6    /* width */
} fc_row_kind;

struct fc_row_column {
    fc_row_kind kind;
    uint8_t width;
    uint8_t fraction_digits;
    uint8_t precision;
    uint8_t scale;
    uint32_t length; /* bytes of a padded BINARY(n) */
    const struct fc_column *column;
    struct fc_charset_converter *converter; /* NULL: no conversion */
};

struct fc_table_map {
    const struct fc_shape *shape;
    const struct fc_row_column *row_columns; /* shape->column_count of them */
    uint32_t scratch_size; /* bytes that the fixed-size texts of one row image need at most */
    uint32_t json_count;   /* JSON columns, for partial updates */
    bool has_names;        /* names came with the event (FULL metadata) */
};

/*
 * Asked for each table map that is new: a shape of db.table from information_schema, or NULL
 * when there is none at hand. Borrowed until it returns to the reader; the map copies.
 */
typedef const struct fc_shape *(*fc_table_map_hint)(void *ctx, struct fc_slice db,
                                                    struct fc_slice table);

struct fc_table_map_cache;

struct fc_table_map_cache *fc_table_map_cache_new(void);
void fc_table_map_cache_free(struct fc_table_map_cache *cache); /* NULL is fine */

/*
 * Learn a TABLE_MAP event.
 *
 * hint  may be NULL. What it adds to an event with names: the key of a table without primary
 *       key, types that the binlog does not show (uuid, inet4, inet6) and create_sql; each only
 *       if the hint's columns agree with the event's. What it gives to an event without names:
 *       those too, and names and labels; it must agree in count, types and sizes then.
 *
 * Errors: FC_ERR_PROTOCOL (cannot be read); FC_ERR_CONFIG (no names in the event and no hint
 * that agrees: the table cannot be captured; the message names it and says what to set).
 */
FC_MUST_CHECK fc_code fc_table_map_cache_put(struct fc_table_map_cache *cache,
                                             const struct fc_binlog_format *format,
                                             const struct fc_binlog_event *event,
                                             fc_table_map_hint hint, void *hint_ctx,
                                             const struct fc_table_map **out_map,
                                             struct fc_error *err);

/* NULL when no map with this id came. */
const struct fc_table_map *fc_table_map_cache_get(const struct fc_table_map_cache *cache,
                                                  uint64_t table_id);

/*
 * A DDL statement touched db.table (an empty table: anything in db; an empty db: anything):
 * the next map asks for a hint again. When the outcome is as before, so is the shape's pointer.
 */
void fc_table_map_cache_forget(struct fc_table_map_cache *cache, struct fc_slice db,
                               struct fc_slice table);

/* db and table of a TABLE_MAP event, without learning it (to filter tables). */
FC_MUST_CHECK fc_code fc_table_map_names(const struct fc_binlog_format *format,
                                         const struct fc_binlog_event *event,
                                         uint64_t *out_table_id, struct fc_slice *out_db,
                                         struct fc_slice *out_table, struct fc_error *err);

#endif
