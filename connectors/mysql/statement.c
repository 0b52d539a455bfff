/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/statement.h"

#include <stdlib.h>

#include "connectors/mysql/charset.h"
#include "core/base/alloc.h"

enum { SQL_MODE_ANSI_QUOTES = 4, WARN_LEVEL = 2 };

static fc_code to_utf8(const struct fc_binlog_query *query, struct fc_emitter *emitter,
                       struct fc_slice *out_text, struct fc_error *err)
{
    const struct fc_charset *charset =
        query->has_charset ? fc_charset_of_collation(query->client_collation) : NULL;
    struct fc_charset_converter converter;
    char *memory;
    fc_code code;
    if (charset == NULL || charset->is_utf8 ||
        query->client_collation == FC_CHARSET_COLLATION_BINARY) {
        return fc_emitter_copy(emitter, query->statement, out_text, err);
    }
    memory = (char *)fc_emitter_alloc(
        emitter, fc_charset_utf8_size_max(charset, query->statement.len) + 1, err);
    if (memory == NULL) {
        return FC_ERR_LIMIT;
    }
    code = fc_charset_converter_open(&converter, charset, err);
    if (code == FC_OK) {
        *out_text =
            fc_slice_of(memory, fc_charset_to_utf8(&converter, query->statement, memory));
        fc_charset_converter_close(&converter);
    }
    return code;
}

static bool names_captured_table(const struct fc_ddl_scan *scan,
                                 const struct fc_table_filter *filter)
{
    for (uint32_t index = 0; index < scan->table_count; index++) {
        const struct fc_ddl_table *table = &scan->tables[index];
        if (fc_table_filter_match(filter, table->db, table->table) ||
            (!fc_slice_is_null(table->new_table) &&
             fc_table_filter_match(filter, table->new_db, table->new_table))) {
            return true;
        }
    }
    return scan->truncated;
}

static bool is_captured(const struct fc_ddl_scan *scan, const struct fc_table_filter *filter)
{
    if (scan->temporary) {
        return false;
    }
    if (scan->statement_class == FC_STATEMENT_TRUNCATE) {
        return scan->table_count > 0 && names_captured_table(scan, filter);
    }
    if (scan->statement_class != FC_STATEMENT_DDL) {
        return false;
    }
    if (scan->kind == FC_DDL_DROP_DATABASE) {
        return fc_table_filter_match_db(filter, scan->db);
    }
    return names_captured_table(scan, filter);
}

static fc_code make_change(struct fc_statement *statement, struct fc_slice text,
                           struct fc_emitter *emitter, struct fc_error *err)
{
    const struct fc_ddl_scan *scan = &statement->scan;
    struct fc_change *change = &statement->change;
    struct fc_ddl *ddl;
    if (scan->statement_class == FC_STATEMENT_TRUNCATE) {
        change->op = FC_OP_TRUNCATE;
        change->table = scan->tables[0].table;
        change->db = scan->tables[0].db;
        return FC_OK;
    }
    ddl = (struct fc_ddl *)fc_emitter_alloc(emitter, sizeof(*ddl), err);
    if (ddl == NULL) {
        return FC_ERR_LIMIT;
    }
    ddl->kind = scan->moves_rows ? FC_DDL_ALTER_ROWS : scan->kind;
    ddl->statement = text;
    ddl->tables = scan->tables;
    ddl->table_count = scan->table_count;
    change->op = FC_OP_DDL;
    change->ddl = ddl;
    change->db = scan->db;
    return scan->db.len > 0 ? FC_OK
                            : fc_emitter_copy(emitter, statement->query.db, &change->db, err);
}

fc_code fc_statement_decode(const struct fc_binlog_event *event, bool mariadb,
                            const struct fc_table_filter *filter, struct fc_emitter *emitter,
                            struct fc_statement *out_statement, struct fc_error *err)
{
    struct fc_slice text = { 0 };
    struct fc_slice db = { 0 };
    fc_code code;
    memset(out_statement, 0, sizeof(*out_statement));
    code = fc_binlog_body_query(event, &emitter->memory, &out_statement->query, err);
    if (code != FC_OK) {
        return code;
    }
    if (fc_slice_equal_text(out_statement->query.statement, "BEGIN")) {
        out_statement->scan.statement_class = FC_STATEMENT_BEGIN;
        return FC_OK;
    }
    if (fc_slice_equal_text(out_statement->query.statement, "COMMIT")) {
        out_statement->scan.statement_class = FC_STATEMENT_COMMIT;
        return FC_OK;
    }
    code = to_utf8(&out_statement->query, emitter, &text, err);
    if (code == FC_OK) {
        code = fc_emitter_copy(emitter, out_statement->query.db, &db, err);
    }
    if (code != FC_OK) {
        return code;
    }
    fc_ddl_scan(text, db,
                out_statement->query.has_sql_mode &&
                    (out_statement->query.sql_mode & SQL_MODE_ANSI_QUOTES) != 0,
                mariadb, &emitter->memory, &out_statement->scan);
    out_statement->captured = is_captured(&out_statement->scan, filter);
    return out_statement->captured ? make_change(out_statement, text, emitter, err) : FC_OK;
}

void fc_statement_warn_of_moved_rows(const struct fc_ddl_scan *scan,
                                     const struct fc_table_filter *filter,
                                     const struct fc_host *host, struct fc_slice tx)
{
    bool never = strcmp(host->option_text(host, "snapshot"), "never") == 0;
    for (uint32_t index = 0; index < scan->table_count; index++) {
        const struct fc_ddl_table *table = &scan->tables[index];
        char *text;
        if (!fc_table_filter_match(filter, table->db, table->table)) {
            continue;
        }
        text =
            fc_asprintf("%.*s.%.*s: the ALTER TABLE of transaction %.*s moves rows without row "
                        "events; %s",
                        (int)table->db.len, (const char *)table->db.data, (int)table->table.len,
                        (const char *)table->table.data, (int)tx.len, (const char *)tx.data,
                        never ? "it cannot be restored to later points (snapshot: never)"
                              : "the table is read again, and can be restored to later "
                                "points once that is done");
        host->report(host, WARN_LEVEL, text);
        free(text);
    }
}
