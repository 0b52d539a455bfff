/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Column types as text: what stands in a CREATE TABLE and in information_schema's COLUMN_TYPE.
 *
 * Both ways into the change model, table maps of the binlog and information_schema, go through
 * fc_column_type_print, so the same column has the same native_type whichever way it came. That
 * form leaves out what the binlog does not tell and what does not change values: display widths
 * ("bigint(20)" is "bigint"), zerofill, float(m,d)'s figures.
 */
#ifndef FC_MYSQL_COLUMN_TYPE_H
#define FC_MYSQL_COLUMN_TYPE_H

#include "core/base/arena.h"
#include "fc/change.h"

/*
 * Fill a column from its declared type. Name, nullable and key_index are left alone.
 *
 * text       "enum('a','b')", "bigint(20) unsigned", "decimal(10,2)", "uuid"; UTF-8.
 * collation  of character columns, a collation's or charset's name ("utf8mb4_bin", "latin1"),
 *            NULL for others; decides between text and bytes and gives column->charset.
 * arena      for native_type and labels.
 *
 * Errors: FC_ERR_CONFIG for a type that is not known; FC_ERR_LIMIT (arena).
 */
FC_MUST_CHECK fc_code fc_column_type_parse(const char *text, const char *collation,
                                           struct fc_arena *arena, struct fc_column *column,
                                           struct fc_error *err);

/* How a column is declared beyond what struct fc_column says. */
typedef enum fc_column_base {
    FC_COLUMN_TINYINT,
    FC_COLUMN_SMALLINT,
    FC_COLUMN_MEDIUMINT,
    FC_COLUMN_INT,
    FC_COLUMN_BIGINT,
    FC_COLUMN_FLOAT,
    FC_COLUMN_DOUBLE,
    FC_COLUMN_DECIMAL,
    FC_COLUMN_BIT,
    FC_COLUMN_YEAR,
    FC_COLUMN_DATE,
    FC_COLUMN_TIME,
    FC_COLUMN_DATETIME,
    FC_COLUMN_TIMESTAMP,
    FC_COLUMN_CHAR, /* CHAR or BINARY; column->type says which, as for the next ones */
    FC_COLUMN_VARCHAR,
    FC_COLUMN_TINYTEXT,
    FC_COLUMN_TEXT,
    FC_COLUMN_MEDIUMTEXT,
    FC_COLUMN_LONGTEXT,
    FC_COLUMN_ENUM,
    FC_COLUMN_SET,
    FC_COLUMN_JSON,
    FC_COLUMN_GEOMETRY,
    FC_COLUMN_POINT,
    FC_COLUMN_LINESTRING,
    FC_COLUMN_POLYGON,
    FC_COLUMN_MULTIPOINT,
    FC_COLUMN_MULTILINESTRING,
    FC_COLUMN_MULTIPOLYGON,
    FC_COLUMN_GEOMETRYCOLLECTION,
    FC_COLUMN_VECTOR,
    FC_COLUMN_UUID,
    FC_COLUMN_INET4,
    FC_COLUMN_INET6
} fc_column_base;

/* Set column->native_type from base, length, precision, scale, is_unsigned, type and labels.
 * FC_ERR_LIMIT past the arena's limit. */
FC_MUST_CHECK fc_code fc_column_type_print(fc_column_base base, struct fc_arena *arena,
                                           struct fc_column *column, struct fc_error *err);

#endif
