/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CREATE TABLE statement as SHOW CREATE TABLE prints it, taken apart so that the table can be
 * made under another name, without foreign keys and without the indexes that are faster to build
 * when the rows are there.
 */
#ifndef FC_MYSQL_CREATE_SQL_H
#define FC_MYSQL_CREATE_SQL_H

#include "core/base/buf.h"
#include "core/base/error.h"
#include "fc/change.h"

typedef enum fc_create_item_kind {
    FC_CREATE_COLUMN,
    FC_CREATE_PRIMARY_KEY,
    FC_CREATE_UNIQUE_KEY,
    FC_CREATE_INDEX, /* also SPATIAL */
    FC_CREATE_FULLTEXT,
    FC_CREATE_FOREIGN_KEY,
    FC_CREATE_CHECK,
    FC_CREATE_OTHER /* not known to us: stays where it is */
} fc_create_item_kind;

/* One definition between the outer parentheses; slices borrow the statement. */
struct fc_create_item {
    fc_create_item_kind kind;
    struct fc_slice text;       /* trimmed */
    struct fc_slice constraint; /* as written, with backticks; null when it has no CONSTRAINT */
    struct fc_slice unnamed;    /* text without "CONSTRAINT `name` " */
    bool drop_name;             /* write `unnamed`: the server makes a name */
    char *new_name;             /* write this name instead; NULL: none */
    bool deferred;              /* an index to be added after the rows */
};

struct fc_create_sql {
    struct fc_create_item *items;
    uint32_t item_count;
    struct fc_slice tail; /* what follows the closing parenthesis */
};

/*
 * statement  borrowed until release.
 *
 * Errors: FC_ERR_CONFIG when it is not a CREATE TABLE with a list of definitions.
 */
FC_MUST_CHECK fc_code fc_create_sql_parse(struct fc_create_sql *create,
                                          struct fc_slice statement, struct fc_error *err);
void fc_create_sql_release(struct fc_create_sql *create);

/* A statement built from what the columns say: types, NOT NULL, charsets and the primary key. */
void fc_create_sql_from_columns(struct fc_buf *sql, const struct fc_shape *shape);

/* A constraint's name without quotes, for the caller to free; NULL when it has none. */
char *fc_create_sql_constraint_name(const struct fc_create_item *item);

/* True when a unique index other than the primary key is not deferred. */
bool fc_create_sql_has_unique_inline(const struct fc_create_sql *create);

/* Append "CREATE TABLE `db`.`table` (...) ..." without foreign keys and deferred indexes. */
void fc_create_sql_append_table(struct fc_buf *sql, const struct fc_create_sql *create,
                                const char *db, const char *table);

/*
 * Append "ALTER TABLE `db`.`table` ADD ..., ADD ..." for the definitions from *cursor (0 at the
 * start) on that one statement can add; false when none are left. `kind` picks foreign keys
 * (FC_CREATE_FOREIGN_KEY) or deferred indexes (anything else). InnoDB builds one FULLTEXT index a
 * statement.
 */
bool fc_create_sql_append_alter(struct fc_buf *sql, const struct fc_create_sql *create,
                                fc_create_item_kind kind, const char *db, const char *table,
                                uint32_t *cursor);

/* Append `db`.`table`. */
void fc_create_sql_append_name(struct fc_buf *sql, const char *db, const char *table);

#endif
