/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/table_list.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum { LOOK_TIMEOUT_S = 60 };

/*
 * Plain queries, each over one table of information_schema: nested ones have been seen to bring
 * down a MariaDB server while tables were dropped.
 */
static const char tables_sql[] =
    "SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE FROM information_schema.TABLES WHERE TABLE_TYPE "
    "IN "
    "('BASE TABLE', 'SYSTEM VERSIONED') AND TABLE_SCHEMA NOT IN ('mysql', 'sys', "
    "'information_schema', 'performance_schema')";
static const char keys_sql[] =
    "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NULLABLE, COLUMN_NAME FROM "
    "information_schema.STATISTICS WHERE NON_UNIQUE=0 AND TABLE_SCHEMA NOT IN ('mysql', 'sys', "
    "'information_schema', 'performance_schema') ORDER BY 1, 2, 3";

static char *copy(const char *text)
{
    return fc_strdup(text == NULL ? "" : text);
}

static int compare_names(const struct fc_listed_table *listed, const char *db,
                         const char *table)
{
    int by_db = strcmp(listed->db, db);
    return by_db != 0 ? by_db : strcmp(listed->table, table);
}

static int compare(const void *a, const void *b)
{
    const struct fc_listed_table *other = (const struct fc_listed_table *)b;
    return compare_names((const struct fc_listed_table *)a, other->db, other->table);
}

fc_code fc_table_list_read(struct fc_session *session, const struct fc_table_filter *filter,
                           struct fc_table_list *out_list, struct fc_error *err)
{
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    fc_code code;
    memset(out_list, 0, sizeof(*out_list));
    code = fc_session_query(session, fc_slice_text(tables_sql), &result, err);
    if (code != FC_OK) {
        return fc_wrap(err, "list the tables");
    }
    out_list->tables = fc_new_array(struct fc_listed_table, (size_t)mysql_num_rows(result) + 1);
    while ((row = mysql_fetch_row(result)) != NULL) {
        struct fc_listed_table *table = &out_list->tables[out_list->count];
        if (fc_table_filter_match(filter, fc_slice_text(row[0]), fc_slice_text(row[1]))) {
            table->db = copy(row[0]);
            table->table = copy(row[1]);
            table->engine = copy(row[2]);
            out_list->count++;
        }
    }
    mysql_free_result(result);
    qsort(out_list->tables, out_list->count, sizeof(*out_list->tables), compare);
    return FC_OK;
}

static void note_key(struct fc_table_list *list, const char *db, const char *table)
{
    size_t low = 0;
    size_t high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_names(&list->tables[middle], db, table);
        if (order == 0) {
            list->tables[middle].has_key = true;
            return;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
}

/* A unique index serves as key when none of its columns may be NULL or is an expression. */
fc_code fc_table_list_find_keys(struct fc_session *session, struct fc_table_list *list,
                                struct fc_error *err)
{
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    MYSQL_ROW last = NULL;
    bool usable = false;
    fc_code code = fc_session_query(session, fc_slice_text(keys_sql), &result, err);
    if (code != FC_OK) {
        return fc_wrap(err, "list the keys");
    }
    while ((row = mysql_fetch_row(result)) != NULL) {
        bool same_index = last != NULL && strcmp(last[0], row[0]) == 0 &&
                          strcmp(last[1], row[1]) == 0 && strcmp(last[2], row[2]) == 0;
        if (!same_index && usable) {
            note_key(list, last[0], last[1]);
        }
        usable = (usable || !same_index) && row[4] != NULL &&
                 (row[3] == NULL || strcmp(row[3], "YES") != 0);
        last = row; /* rows of a stored result stay */
    }
    if (usable) {
        note_key(list, last[0], last[1]);
    }
    mysql_free_result(result);
    return FC_OK;
}

void fc_table_list_release(struct fc_table_list *list)
{
    for (size_t index = 0; index < list->count; index++) {
        free(list->tables[index].db);
        free(list->tables[index].table);
        free(list->tables[index].engine);
    }
    free(list->tables);
    memset(list, 0, sizeof(*list));
}

const char *fc_table_list_unmatched(const struct fc_table_list *list,
                                    const struct fc_table_filter *filter)
{
    for (uint32_t pattern = 0; pattern < filter->include_count; pattern++) {
        /* one with a star may wait for tables to come */
        bool matched = strchr(filter->include[pattern], '*') != NULL;
        for (size_t index = 0; index < list->count && !matched; index++) {
            matched = fc_table_filter_pattern_match(filter->include[pattern],
                                                    fc_slice_text(list->tables[index].db),
                                                    fc_slice_text(list->tables[index].table));
        }
        if (!matched) {
            return filter->include[pattern];
        }
    }
    return NULL;
}

fc_code fc_table_list_look(const struct fc_host *host,
                           void (*on_found)(void *ctx, const struct fc_found *found), void *ctx,
                           struct fc_error *err)
{
    struct fc_session *session = NULL;
    struct fc_table_filter filter;
    struct fc_table_list list;
    fc_code code = fc_table_filter_init(&filter, host, err);
    code = code == FC_OK
               ? fc_session_open(host, FC_SESSION_QUERY, LOOK_TIMEOUT_S, &session, err)
               : code;
    if (code == FC_OK) {
        code = fc_table_list_read(session, &filter, &list, err);
        for (size_t index = 0; code == FC_OK && index < list.count; index++) {
            const struct fc_found found = { FC_FOUND_TABLE, list.tables[index].db,
                                            list.tables[index].table, 0 };
            on_found(ctx, &found);
        }
        fc_table_list_release(&list);
    }
    fc_session_close(session);
    return code;
}
