/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/ddl_scan.h"

#include "connectors/mysql/sql_lexer.h"

struct scan {
    struct fc_sql_lexer lexer;
    struct fc_slice default_db;
    const struct fc_mysql_memory *memory;
    struct fc_ddl_scan *out;
    uint32_t capacity;
};

static bool skip(struct scan *scan, const char *keyword)
{
    return fc_sql_lexer_skip(&scan->lexer, keyword);
}

static bool is(const struct scan *scan, const char *keyword)
{
    return fc_sql_lexer_is(&scan->lexer, keyword);
}

/* A name without its doubled quotes; the null slice when memory ended. */
static struct fc_slice unescaped(struct scan *scan)
{
    const struct fc_sql_token *token = &scan->lexer.token;
    uint8_t *copy;
    size_t len = 0;
    if (!token->escaped) {
        return token->text;
    }
    copy = fc_mysql_memory_alloc(scan->memory, token->text.len);
    for (size_t index = 0; copy != NULL && index < token->text.len; index++) {
        copy[len++] = token->text.data[index];
        if (token->text.data[index] == (uint8_t)token->quote) {
            index++;
        }
    }
    return copy == NULL ? fc_slice_null() : fc_slice_of(copy, len);
}

static bool read_part(struct scan *scan, struct fc_slice *out_part)
{
    if (scan->lexer.token.kind != FC_SQL_WORD && scan->lexer.token.kind != FC_SQL_NAME) {
        return false;
    }
    *out_part = unescaped(scan);
    if (fc_slice_is_null(*out_part)) {
        scan->out->truncated = true;
        return false;
    }
    fc_sql_lexer_next(&scan->lexer);
    return true;
}

/* [db.]table or .table */
static bool read_name(struct scan *scan, struct fc_slice *out_db, struct fc_slice *out_table)
{
    struct fc_slice first;
    *out_db = scan->default_db;
    if (fc_sql_lexer_skip_punct(&scan->lexer, '.')) {
        return read_part(scan, out_table);
    }
    if (!read_part(scan, &first)) {
        return false;
    }
    if (!fc_sql_lexer_skip_punct(&scan->lexer, '.')) {
        *out_table = first;
        return true;
    }
    *out_db = first;
    return read_part(scan, out_table);
}

/* Room for one more table; NULL when there is none. */
static struct fc_ddl_table *add_table(struct scan *scan)
{
    struct fc_ddl_scan *out = scan->out;
    if (out->table_count == FC_DDL_TABLES_MAX) {
        out->truncated = true;
        return NULL;
    }
    if (out->table_count == scan->capacity) {
        uint32_t capacity = scan->capacity == 0 ? 2 : scan->capacity * 4;
        struct fc_ddl_table *tables =
            fc_mysql_memory_alloc(scan->memory, capacity * sizeof(*tables));
        if (tables == NULL) {
            out->truncated = true;
            return NULL;
        }
        if (out->table_count > 0) {
            memcpy(tables, out->tables, out->table_count * sizeof(*tables));
        }
        out->tables = tables;
        scan->capacity = capacity;
    }
    memset(&out->tables[out->table_count], 0, sizeof(out->tables[0]));
    return &out->tables[out->table_count++];
}

/* The named table at the cursor, added to the list; false when there is none. */
static struct fc_ddl_table *read_table(struct scan *scan)
{
    struct fc_slice db;
    struct fc_slice table;
    struct fc_ddl_table *entry;
    if (!read_name(scan, &db, &table)) {
        return NULL;
    }
    entry = add_table(scan);
    if (entry != NULL) {
        entry->db = db;
        entry->table = table;
    }
    return entry;
}

static void skip_if_exists(struct scan *scan)
{
    if (skip(scan, "IF")) {
        (void)skip(scan, "EXISTS"); /* nothing else can stand here */
    }
}

/* MariaDB: NOWAIT, or WAIT n. */
static void skip_wait(struct scan *scan)
{
    if (skip(scan, "WAIT")) {
        fc_sql_lexer_next(&scan->lexer);
    } else {
        (void)skip(scan, "NOWAIT"); /* optional */
    }
}

static void set_ddl(struct scan *scan, fc_ddl_kind kind)
{
    scan->out->statement_class = FC_STATEMENT_DDL;
    scan->out->kind = kind;
}

static void scan_database(struct scan *scan, fc_ddl_kind kind)
{
    set_ddl(scan, kind);
    if (skip(scan, "IF")) {
        (void)skip(scan, "NOT"); /* CREATE DATABASE IF NOT EXISTS */
        (void)skip(scan, "EXISTS");
    }
    if (!read_part(scan, &scan->out->db)) {
        scan->out->db = scan->default_db; /* ALTER DATABASE without a name */
    }
}

/* CREATE INDEX i ON t, DROP INDEX i ON t: the table is altered. */
static void scan_index(struct scan *scan)
{
    while (scan->lexer.token.kind != FC_SQL_END && !skip(scan, "ON")) {
        fc_sql_lexer_next(&scan->lexer);
    }
    if (read_table(scan) != NULL) {
        set_ddl(scan, FC_DDL_ALTER_TABLE);
    }
}

static void scan_drop(struct scan *scan)
{
    if (skip(scan, "DATABASE") || skip(scan, "SCHEMA")) {
        scan_database(scan, FC_DDL_DROP_DATABASE);
        return;
    }
    scan->out->temporary = skip(scan, "TEMPORARY");
    if (skip(scan, "TABLE") || skip(scan, "TABLES")) {
        set_ddl(scan, FC_DDL_DROP_TABLE);
        skip_if_exists(scan);
        do {
            if (read_table(scan) == NULL) {
                break;
            }
        } while (fc_sql_lexer_skip_punct(&scan->lexer, ','));
    } else if (skip(scan, "INDEX")) {
        scan_index(scan);
    }
}

static void scan_rename(struct scan *scan)
{
    if (!skip(scan, "TABLE") && !skip(scan, "TABLES")) {
        return; /* RENAME USER */
    }
    set_ddl(scan, FC_DDL_RENAME_TABLE);
    skip_if_exists(scan);
    do {
        struct fc_ddl_table *entry = read_table(scan);
        if (entry == NULL) {
            break;
        }
        skip_wait(scan);
        if (!skip(scan, "TO") || !read_name(scan, &entry->new_db, &entry->new_table)) {
            break;
        }
    } while (fc_sql_lexer_skip_punct(&scan->lexer, ','));
}

static bool is_partition_verb(const struct scan *scan)
{
    return is(scan, "DROP") || is(scan, "TRUNCATE") || is(scan, "EXCHANGE") ||
           is(scan, "CONVERT") || is(scan, "DISCARD") || is(scan, "IMPORT");
}

/* After RENAME in an ALTER TABLE. */
static void scan_alter_rename(struct scan *scan)
{
    struct fc_ddl_table *entry = &scan->out->tables[0];
    struct fc_slice db;
    struct fc_slice table;
    if (is(scan, "COLUMN") || is(scan, "INDEX") || is(scan, "KEY") || is(scan, "CONSTRAINT")) {
        return;
    }
    if (!skip(scan, "TO") && !skip(scan, "AS")) {
        (void)fc_sql_lexer_skip_punct(&scan->lexer, '='); /* optional, too */
    }
    if (read_name(scan, &db, &table)) {
        entry->new_db = db;
        entry->new_table = table;
    }
}

/*
 * After a verb that may concern rows: EXCHANGE PARTITION p WITH TABLE u, CONVERT PARTITION p TO TABLE u,
 * CONVERT TABLE u TO PARTITION p, IMPORT TABLESPACE, and others without a second table.
 */
static void scan_moved_rows(struct scan *scan)
{
    if (!is(scan, "TABLE") && !is(scan, "PARTITION") && !is(scan, "TABLESPACE")) {
        return; /* DROP COLUMN, CONVERT TO CHARACTER SET */
    }
    scan->out->moves_rows = true;
    while (scan->lexer.token.kind != FC_SQL_END) {
        if (skip(scan, "TABLE")) {
            (void)read_table(scan); /* when there is none, none is touched */
            return;
        }
        fc_sql_lexer_next(&scan->lexer);
    }
}

static void scan_alter_table(struct scan *scan)
{
    unsigned depth = 0;
    skip_if_exists(scan);
    if (read_table(scan) == NULL) {
        return;
    }
    set_ddl(scan, FC_DDL_ALTER_TABLE);
    while (scan->lexer.token.kind != FC_SQL_END) {
        if (fc_sql_lexer_is_punct(&scan->lexer, '(')) {
            depth++;
        } else if (fc_sql_lexer_is_punct(&scan->lexer, ')') && depth > 0) {
            depth--;
        } else if (depth == 0 && skip(scan, "RENAME")) {
            scan_alter_rename(scan);
            continue;
        } else if (depth == 0 && is_partition_verb(scan)) {
            fc_sql_lexer_next(&scan->lexer);
            scan_moved_rows(scan);
            continue;
        }
        fc_sql_lexer_next(&scan->lexer);
    }
}

static void scan_alter(struct scan *scan)
{
    while (skip(scan, "ONLINE") || skip(scan, "IGNORE")) {
    }
    if (skip(scan, "TABLE")) {
        scan_alter_table(scan);
    } else if (skip(scan, "DATABASE") || skip(scan, "SCHEMA")) {
        scan_database(scan, FC_DDL_OTHER);
    }
}

static void scan_create_table(struct scan *scan)
{
    if (skip(scan, "IF")) {
        scan->out->if_not_exists = skip(scan, "NOT") && skip(scan, "EXISTS");
    }
    if (read_table(scan) == NULL) {
        return;
    }
    set_ddl(scan, FC_DDL_CREATE_TABLE);
    while (scan->lexer.token.kind != FC_SQL_END) {
        if (skip(scan, "START")) {
            scan->out->starts_transaction = is(scan, "TRANSACTION");
        } else {
            fc_sql_lexer_next(&scan->lexer);
        }
    }
}

static void scan_create(struct scan *scan)
{
    bool or_replace = skip(scan, "OR") && skip(scan, "REPLACE");
    if (skip(scan, "DATABASE") || skip(scan, "SCHEMA")) {
        scan_database(scan, FC_DDL_OTHER);
        return;
    }
    scan->out->temporary = skip(scan, "TEMPORARY");
    if (skip(scan, "TABLE")) {
        scan->out->or_replace = or_replace;
        scan_create_table(scan);
        return;
    }
    while (skip(scan, "ONLINE") || skip(scan, "OFFLINE") || skip(scan, "UNIQUE") ||
           skip(scan, "FULLTEXT") || skip(scan, "SPATIAL")) {
    }
    if (skip(scan, "INDEX")) {
        scan_index(scan);
    }
}

static void scan_xa(struct scan *scan)
{
    static const struct {
        const char *verb;
        fc_statement_class statement_class;
    } verbs[] = {
        { "START", FC_STATEMENT_XA_START },   { "BEGIN", FC_STATEMENT_XA_START },
        { "END", FC_STATEMENT_XA_END },       { "PREPARE", FC_STATEMENT_XA_PREPARE },
        { "COMMIT", FC_STATEMENT_XA_COMMIT }, { "ROLLBACK", FC_STATEMENT_XA_ROLLBACK }
    };
    struct fc_sql_lexer *lexer = &scan->lexer;
    size_t start;
    size_t end;
    for (size_t index = 0; index < sizeof(verbs) / sizeof(verbs[0]); index++) {
        if (skip(scan, verbs[index].verb)) {
            scan->out->statement_class = verbs[index].statement_class;
            break;
        }
    }
    start = lexer->token_at;
    end = start;
    while (lexer->token.kind != FC_SQL_END && !is(scan, "ONE") && !is(scan, "JOIN") &&
           !is(scan, "RESUME") && !is(scan, "SUSPEND")) {
        end = lexer->at;
        fc_sql_lexer_next(lexer);
    }
    scan->out->one_phase = is(scan, "ONE");
    if (scan->out->statement_class != FC_STATEMENT_OTHER) {
        scan->out->xid = fc_slice_of(lexer->text.data + start, end - start);
    }
}

static void scan_rollback(struct scan *scan)
{
    (void)skip(scan, "WORK"); /* optional */
    scan->out->statement_class =
        is(scan, "TO") ? FC_STATEMENT_ROLLBACK_TO : FC_STATEMENT_ROLLBACK;
}

/* DELETE FROM t and nothing more empties the table. */
static void scan_delete(struct scan *scan)
{
    scan->out->statement_class = FC_STATEMENT_DML;
    if (skip(scan, "FROM") && read_table(scan) != NULL) {
        (void)fc_sql_lexer_skip_punct(&scan->lexer, ';'); /* harmless */
        if (scan->lexer.token.kind == FC_SQL_END) {
            scan->out->statement_class = FC_STATEMENT_TRUNCATE;
            return;
        }
    }
    scan->out->table_count = 0;
}

static void scan_truncate(struct scan *scan)
{
    (void)skip(scan, "TABLE"); /* optional */
    if (read_table(scan) != NULL) {
        scan->out->statement_class = FC_STATEMENT_TRUNCATE;
    }
}

static void scan_transaction(struct scan *scan)
{
    if (skip(scan, "BEGIN") || (skip(scan, "START") && is(scan, "TRANSACTION"))) {
        scan->out->statement_class = FC_STATEMENT_BEGIN;
    } else if (skip(scan, "COMMIT")) {
        scan->out->statement_class = FC_STATEMENT_COMMIT;
    } else if (skip(scan, "ROLLBACK")) {
        scan_rollback(scan);
    } else if (skip(scan, "SAVEPOINT") || skip(scan, "RELEASE")) {
        scan->out->statement_class = FC_STATEMENT_SAVEPOINT;
    } else if (skip(scan, "XA")) {
        scan_xa(scan);
    }
}

static bool is_dml(const struct scan *scan)
{
    return is(scan, "INSERT") || is(scan, "UPDATE") || is(scan, "REPLACE") ||
           is(scan, "LOAD") || is(scan, "WITH");
}

void fc_ddl_scan(struct fc_slice statement, struct fc_slice default_db, bool ansi_quotes,
                 bool mariadb, const struct fc_mysql_memory *memory,
                 struct fc_ddl_scan *out_scan)
{
    struct scan scan = { .default_db = default_db, .memory = memory, .out = out_scan };
    memset(out_scan, 0, sizeof(*out_scan));
    fc_sql_lexer_init(&scan.lexer, statement, ansi_quotes, mariadb);
    if (skip(&scan, "SET")) { /* MariaDB: SET STATEMENT v=1 FOR the statement */
        if (!is(&scan, "STATEMENT")) {
            return;
        }
        while (scan.lexer.token.kind != FC_SQL_END && !skip(&scan, "FOR")) {
            fc_sql_lexer_next(&scan.lexer);
        }
    }
    if (skip(&scan, "CREATE")) {
        scan_create(&scan);
    } else if (skip(&scan, "DROP")) {
        scan_drop(&scan);
    } else if (skip(&scan, "ALTER")) {
        scan_alter(&scan);
    } else if (skip(&scan, "RENAME")) {
        scan_rename(&scan);
    } else if (skip(&scan, "TRUNCATE")) {
        scan_truncate(&scan);
    } else if (skip(&scan, "DELETE")) {
        scan_delete(&scan);
    } else if (is_dml(&scan)) {
        out_scan->statement_class = FC_STATEMENT_DML;
    } else {
        scan_transaction(&scan);
    }
}
