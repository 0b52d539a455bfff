/* SPDX-License-Identifier: Apache-2.0 */
/*
 * information_schema and SHOW CREATE TABLE are read one after the other, and the table may be
 * altered in between; the columns are therefore read before and after, until both readings
 * agree.
 */
#include "connectors/mysql/describe.h"

#include <stdlib.h>

#include "connectors/mysql/column_type.h"
#include "core/base/alloc.h"
#include "core/base/arena.h"

enum { SHAPE_BYTES_MAX = 64 * 1024 * 1024, SQL_BYTES_MAX = 64 * 1024, TRIES = 5 };

struct described {
    struct fc_shape shape;     /* first: a shape's address is its container's */
    struct fc_column *columns; /* shape.columns, while they are filled */
    struct fc_arena arena;
};

static const char *copy_text(struct fc_arena *arena, const char *text)
{
    struct fc_slice copy = fc_arena_copy(arena, fc_slice_of(text, strlen(text) + 1));
    return (const char *)copy.data;
}

static fc_code run(struct fc_session *session, struct fc_buf *sql, MYSQL_RES **out_result,
                   struct fc_error *err)
{
    fc_code code = fc_buf_check(sql, "statement", err);
    if (code == FC_OK) {
        code = fc_session_query(session, fc_buf_slice(sql), out_result, err);
    }
    return code;
}

static void append_where(struct fc_buf *sql, const char *db, const char *table)
{
    fc_buf_append_text(sql, " WHERE TABLE_SCHEMA=");
    fc_session_append_text(sql, fc_slice_text(db));
    fc_buf_append_text(sql, " AND TABLE_NAME=");
    fc_session_append_text(sql, fc_slice_text(table));
}

static fc_code query_columns(struct fc_session *session, const char *db, const char *table,
                             MYSQL_RES **out_result, struct fc_error *err)
{
    struct fc_buf sql;
    fc_code code;
    fc_buf_init(&sql, SQL_BYTES_MAX);
    fc_buf_append_text(&sql,
                       "SELECT COLUMN_NAME, COLUMN_TYPE, COLLATION_NAME, IS_NULLABLE FROM "
                       "information_schema.COLUMNS");
    append_where(&sql, db, table);
    fc_buf_append_text(&sql, " ORDER BY ORDINAL_POSITION");
    code = run(session, &sql, out_result, err);
    fc_buf_release(&sql);
    return code;
}

static fc_code fill_columns(struct described *described, MYSQL_RES *result,
                            struct fc_error *err)
{
    uint64_t count = mysql_num_rows(result);
    struct fc_column *columns =
        (struct fc_column *)fc_arena_alloc(&described->arena, count * sizeof(*columns));
    MYSQL_ROW row = mysql_fetch_row(result);
    fc_code code = fc_arena_check(&described->arena, "columns", err);
    for (uint64_t index = 0; code == FC_OK && row != NULL; index++) {
        memset(&columns[index], 0, sizeof(columns[index]));
        columns[index].name = copy_text(&described->arena, row[0]);
        columns[index].nullable = strcmp(row[3], "YES") == 0;
        code = fc_column_type_parse(row[1], row[2], &described->arena, &columns[index], err);
        if (code != FC_OK) {
            return fc_wrap(err, "column %s.%s.%s", described->shape.db, described->shape.table,
                           row[0]);
        }
        row = mysql_fetch_row(result);
    }
    described->columns = columns;
    described->shape.columns = columns;
    described->shape.column_count = (uint32_t)count;
    return code;
}

static struct fc_column *column_named(struct described *described, const char *name)
{
    struct fc_column *columns = described->columns;
    for (uint32_t index = 0; index < described->shape.column_count; index++) {
        if (strcasecmp(columns[index].name, name) == 0) {
            return &columns[index];
        }
    }
    return NULL;
}

/*
 * Rows of one index after another: INDEX_NAME, COLUMN_NAME (NULL: an expression). The first
 * index whose columns are all there and NOT NULL is the key.
 */
static void choose_key(struct described *described, MYSQL_RES *result)
{
    char index_name[256] = "";
    uint16_t place = 0;
    bool usable = false;
    MYSQL_ROW row;
    for (;;) {
        row = mysql_fetch_row(result);
        if (row == NULL || strcmp(row[0], index_name) != 0) {
            if (usable) {
                described->shape.key_count = place;
                return;
            }
            for (uint32_t index = 0; index < described->shape.column_count; index++) {
                described->columns[index].key_index = 0;
            }
            if (row == NULL) {
                return;
            }
            (void)snprintf(index_name, sizeof(index_name), "%s", row[0]);
            place = 0;
            usable = true;
        }
        if (usable) {
            struct fc_column *column = row[1] == NULL ? NULL : column_named(described, row[1]);
            usable = column != NULL && !column->nullable;
            if (usable) {
                column->key_index = ++place;
            }
        }
    }
}

static fc_code fill_key(struct fc_session *session, struct described *described,
                        struct fc_error *err)
{
    struct fc_buf sql;
    MYSQL_RES *result = NULL;
    fc_code code;
    fc_buf_init(&sql, SQL_BYTES_MAX);
    fc_buf_append_text(&sql,
                       "SELECT INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS");
    append_where(&sql, described->shape.db, described->shape.table);
    fc_buf_append_text(&sql, " AND NON_UNIQUE=0 ORDER BY INDEX_NAME<>'PRIMARY', INDEX_NAME, "
                             "SEQ_IN_INDEX");
    code = run(session, &sql, &result, err);
    fc_buf_release(&sql);
    if (code == FC_OK) {
        choose_key(described, result);
        mysql_free_result(result);
    }
    return code;
}

/*
 * Take the table's " AUTO_INCREMENT=123" out: it moves with the rows, and would make each look at the
 * table another schema version. It stands among the options, behind the last line's ')'; a comment
 * that looks like it stands behind quotes.
 */
static void drop_auto_increment(char *create)
{
    static const char option[] = " AUTO_INCREMENT=";
    char *options = strrchr(create, '\n');
    char *at = options == NULL || options[1] != ')' ? NULL : strstr(options, option);
    const char *quote = options == NULL ? NULL : strchr(options, '\'');
    char *end;
    if (at == NULL || (quote != NULL && quote < at)) {
        return;
    }
    end = at + strlen(option);
    end += strspn(end, "0123456789");
    memmove(at, end, strlen(end) + 1);
}

static fc_code fill_create(struct fc_session *session, struct described *described,
                           struct fc_error *err)
{
    struct fc_buf sql;
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    fc_code code;
    fc_buf_init(&sql, SQL_BYTES_MAX);
    fc_buf_append_text(&sql, "SHOW CREATE TABLE ");
    fc_session_append_name(&sql, described->shape.db);
    fc_buf_append_u8(&sql, '.');
    fc_session_append_name(&sql, described->shape.table);
    code = run(session, &sql, &result, err);
    fc_buf_release(&sql);
    if (code != FC_OK) {
        return code;
    }
    row = mysql_fetch_row(result);
    if (row != NULL && row[1] != NULL && strncmp(row[1], "CREATE TABLE", 12) == 0) {
        char *create = fc_strdup(row[1]);
        drop_auto_increment(create);
        described->shape.create_sql = copy_text(&described->arena, create);
        free(create);
        code = fc_arena_check(&described->arena, "CREATE statement", err);
    } else {
        code = fc_fail(err, FC_ERR_NOT_FOUND, "%s.%s is no table", described->shape.db,
                       described->shape.table);
    }
    mysql_free_result(result);
    return code;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_rows(MYSQL_RES *a, MYSQL_RES *b)
{
    MYSQL_ROW a_row;
    MYSQL_ROW b_row;
    bool same = mysql_num_rows(a) == mysql_num_rows(b);
    mysql_data_seek(a, 0);
    while (same && (a_row = mysql_fetch_row(a)) != NULL &&
           (b_row = mysql_fetch_row(b)) != NULL) {
        for (unsigned index = 0; index < mysql_num_fields(a); index++) {
            same = same && same_text(a_row[index], b_row[index]);
        }
    }
    return same;
}

/* One reading; out_same is false when the table was altered meanwhile. */
static fc_code read_once(struct fc_session *session, struct described *described,
                         bool *out_same, struct fc_error *err)
{
    const char *db = described->shape.db;
    const char *table = described->shape.table;
    MYSQL_RES *before = NULL;
    MYSQL_RES *after = NULL;
    fc_code code = query_columns(session, db, table, &before, err);
    if (code == FC_OK && mysql_num_rows(before) == 0) {
        code = fc_fail(err, FC_ERR_NOT_FOUND, "there is no table %s.%s", db, table);
    }
    if (code == FC_OK) {
        code = fill_columns(described, before, err);
    }
    if (code == FC_OK) {
        code = fill_key(session, described, err);
    }
    if (code == FC_OK) {
        code = fill_create(session, described, err);
    }
    if (code == FC_OK) {
        code = query_columns(session, db, table, &after, err);
    }
    if (code == FC_OK) {
        *out_same = same_rows(before, after);
    }
    if (before != NULL) {
        mysql_free_result(before);
    }
    if (after != NULL) {
        mysql_free_result(after);
    }
    return code;
}

static struct described *new_described(const char *db, const char *table)
{
    struct described *described = fc_new(struct described);
    fc_arena_init(&described->arena, SHAPE_BYTES_MAX);
    described->shape.db = copy_text(&described->arena, db);
    described->shape.table = copy_text(&described->arena, table);
    return described;
}

fc_code fc_describe_table(struct fc_session *session, const char *db, const char *table,
                          struct fc_shape **out_shape, struct fc_error *err)
{
    for (int tries = 0; tries < TRIES; tries++) {
        struct described *described = new_described(db, table);
        bool same = false;
        fc_code code = fc_arena_check(&described->arena, "table name", err);
        if (code == FC_OK) {
            code = read_once(session, described, &same, err);
        }
        if (code == FC_OK && same) {
            *out_shape = &described->shape;
            return FC_OK;
        }
        fc_describe_free(&described->shape);
        if (code != FC_OK) {
            return fc_wrap(err, "describe %s.%s", db, table);
        }
    }
    return fc_fail_retriable(err, FC_ERR_TIMEOUT, "%s.%s is altered again and again", db,
                             table);
}

void fc_describe_free(struct fc_shape *shape)
{
    struct described *described = (struct described *)(void *)shape;
    if (described != NULL) {
        fc_arena_release(&described->arena);
        free(described);
    }
}
