/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schema change events: a DDL statement as Debezium's JSON, and two members of our own.
 *
 * {"source":{..},"ts_ms":..,"databaseName":"inv","schemaName":null,"ddl":"..",
 *  "tableChanges":[],"kind":"rename",
 *  "tables":[{"db":"inv","table":"a","newDb":"inv","newTable":"b"}]}
 */
#ifndef FC_RUNNER_DDL_JSON_H
#define FC_RUNNER_DDL_JSON_H

#include "runner/envelope/source_block.h"

/* {"databaseName":"inv"} */
void fc_ddl_json_append_key(const struct fc_change *change, struct fc_buf *out);

/* The database of a change as a JSON string; "" when it has none. */
void fc_ddl_json_append_db(const struct fc_change *change, struct fc_buf *out);

/* For source.table: a change's table, or the tables of a statement with commas between them, as
 * a JSON string; null when there is none. */
void fc_ddl_json_append_table_name(const struct fc_change *change, struct fc_buf *out);

/* The event. source is prepared for this change. */
void fc_ddl_json_append(const struct fc_change *change, const struct fc_source_block *source,
                        int64_t now_ms, struct fc_buf *out);

/* The names of fc_ddl_kind in "kind", in its order. */
enum { FC_DDL_JSON_KINDS = FC_DDL_ALTER_ROWS + 1 };
extern const char *const fc_ddl_json_kinds[FC_DDL_JSON_KINDS];

#endif
