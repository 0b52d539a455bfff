/* SPDX-License-Identifier: Apache-2.0 */
/* The shape of a table, found from JSON rows and from types that are given. */
#ifndef FC_RUNNER_CHANGE_TABLE_H
#define FC_RUNNER_CHANGE_TABLE_H

#include "catalog/schema.h"
#include "core/base/arena.h"
#include "core/base/buf.h"

enum { FC_CHANGE_COLUMNS_MAX = 4096 };

/* What a column's JSON values are, from the narrowest to the widest. */
typedef enum fc_json_kind {
    FC_JSON_KIND_NULL,
    FC_JSON_KIND_BOOL,
    FC_JSON_KIND_INT,
    FC_JSON_KIND_UINT, /* above 2^63-1 */
    FC_JSON_KIND_DOUBLE,
    FC_JSON_KIND_TEXT,
    FC_JSON_KIND_TREE /* objects and arrays */
} fc_json_kind;

struct fc_change_column {
    struct fc_column column; /* type and key are right only when is_given, before finish */
    fc_json_kind kind;
    bool is_given;
    bool is_key;
};

struct fc_change_table {
    char *db;
    char *table;
    struct fc_change_column *columns;
    uint32_t column_count;
    uint32_t column_capacity;
    const struct fc_schema *schema;
    struct fc_row_decoder *decoder;
};

struct fc_change_table *fc_change_table_new(struct fc_slice db, struct fc_slice table);
void fc_change_table_free(void *table);

/* Learn from a row object. Names are in arena. Errors: FC_ERR_CONFIG, FC_ERR_LIMIT. */
FC_MUST_CHECK fc_code fc_change_table_learn(struct fc_change_table *table, struct fc_slice row,
                                            struct fc_arena *arena, struct fc_error *err);

/* Learn from an object of names and types. */
FC_MUST_CHECK fc_code fc_change_table_give(struct fc_change_table *table, struct fc_slice types,
                                           struct fc_arena *arena, struct fc_error *err);

/* All is learnt: make schema (kept in schemas) and decoder. */
FC_MUST_CHECK fc_code fc_change_table_finish(struct fc_change_table *table,
                                             struct fc_schemas *schemas, struct fc_error *err);

/*
 * The values of a row object, in arena. scratch is used on the way; the texts of the values do not
 * borrow from it.
 */
FC_MUST_CHECK fc_code fc_change_table_row(const struct fc_change_table *table,
                                          struct fc_slice row, struct fc_arena *arena,
                                          struct fc_value **out_values, struct fc_error *err);

#endif
