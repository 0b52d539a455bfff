/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/table_list.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

/* A unique index serves as key when none of its columns may be NULL. */
static const char list_sql[] =
    "SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.ENGINE, EXISTS (SELECT 1 FROM "
    "information_schema.STATISTICS s WHERE s.TABLE_SCHEMA=t.TABLE_SCHEMA AND "
    "s.TABLE_NAME=t.TABLE_NAME AND s.NON_UNIQUE=0 GROUP BY s.INDEX_NAME HAVING "
    "SUM(s.NULLABLE='YES' OR s.COLUMN_NAME IS NULL)=0) FROM information_schema.TABLES t WHERE "
    "t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND t.TABLE_SCHEMA NOT IN ('mysql', "
    "'sys', 'information_schema', 'performance_schema') ORDER BY 1, 2";

static char *copy(const char *text)
{
    return fc_strdup(text == NULL ? "" : text);
}

fc_code fc_table_list_read(struct fc_session *session, const struct fc_table_filter *filter,
                           struct fc_table_list *out_list, struct fc_error *err)
{
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    fc_code code;
    memset(out_list, 0, sizeof(*out_list));
    code = fc_session_query(session, fc_slice_text(list_sql), &result, err);
    if (code != FC_OK) {
        return fc_wrap(err, "list the tables");
    }
    out_list->tables = fc_new_array(struct fc_listed_table, (size_t)mysql_num_rows(result) + 1);
    while ((row = mysql_fetch_row(result)) != NULL) {
        struct fc_listed_table *table = &out_list->tables[out_list->count];
        if (!fc_table_filter_match(filter, fc_slice_text(row[0]), fc_slice_text(row[1]))) {
            continue;
        }
        table->db = copy(row[0]);
        table->table = copy(row[1]);
        table->engine = copy(row[2]);
        table->has_key = row[3] != NULL && row[3][0] != '0';
        out_list->count++;
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
