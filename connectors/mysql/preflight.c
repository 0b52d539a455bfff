/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/preflight.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "connectors/mysql/resume_check.h"
#include "connectors/mysql/source.h"
#include "connectors/mysql/table_list.h"
#include "core/base/alloc.h"

enum {
    QUERY_TIMEOUT_S = 60,
    SQL_BYTES_MAX = 4096,
    RETENTION_MIN_S = 24 * 3600,
    NAMES_SHOWN = 5
};

struct preflight {
    const struct fc_host *host;
    struct fc_session *session;
    struct fc_table_filter filter;
    void (*on_result)(void *ctx, fc_check_result result, const char *what, const char *detail,
                      const char *fix);
    void *ctx;
};

FC_PRINTF(5, 6)
static void tell(const struct preflight *preflight, fc_check_result result, const char *what,
                 const char *fix, const char *fmt, ...)
{
    char detail[FC_ERROR_MESSAGE_SIZE];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(detail, sizeof(detail), fmt, args); /* cut when too long */
    va_end(args);
    preflight->on_result(preflight->ctx, result, what, detail,
                         result == FC_CHECK_OK ? NULL : fix);
}

static bool is_mysql(const struct preflight *preflight)
{
    return preflight->session->flavor == FC_FLAVOR_MYSQL;
}

/* NULL when there is no such variable. The caller frees it. */
static fc_code get_variable(const struct preflight *preflight, const char *name,
                            char **out_value, struct fc_error *err)
{
    char sql[160];
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    fc_code code;
    *out_value = NULL;
    (void)snprintf(sql, sizeof(sql), "SHOW GLOBAL VARIABLES LIKE '%s'", name);
    code = fc_session_query(preflight->session, fc_slice_text(sql), &result, err);
    if (code == FC_OK) {
        row = mysql_fetch_row(result);
        *out_value = row == NULL || row[1] == NULL ? NULL : fc_strdup(row[1]);
        mysql_free_result(result);
    }
    return code;
}

struct wanted_setting {
    const char *name;
    const char *wanted;
    const char *fix;
    fc_check_result otherwise;
    bool mysql_only;
};

static const struct wanted_setting wanted_settings[] = {
    { "log_bin", "ON", "add log_bin to the server's [mysqld] section and restart it",
      FC_CHECK_FAIL, false },
    { "binlog_format", "ROW", "SET GLOBAL binlog_format = 'ROW'", FC_CHECK_FAIL, false },
    { "binlog_row_image", "FULL", "SET GLOBAL binlog_row_image = 'FULL'", FC_CHECK_FAIL,
      false },
    { "binlog_row_metadata", "FULL", "SET GLOBAL binlog_row_metadata = 'FULL'", FC_CHECK_WARN,
      false },
    { "gtid_mode", "ON",
      "SET GLOBAL enforce_gtid_consistency = ON; then gtid_mode step by step: OFF_PERMISSIVE, "
      "ON_PERMISSIVE, ON",
      FC_CHECK_WARN, true },
};

static fc_code check_settings(const struct preflight *preflight, struct fc_error *err)
{
    for (size_t index = 0; index < sizeof(wanted_settings) / sizeof(wanted_settings[0]);
         index++) {
        const struct wanted_setting *setting = &wanted_settings[index];
        char *value = NULL;
        bool good;
        fc_code code;
        if (setting->mysql_only && !is_mysql(preflight)) {
            continue;
        }
        code = get_variable(preflight, setting->name, &value, err);
        if (code != FC_OK) {
            return code;
        }
        /* MySQL may drop binlog_format one day, for there is no other than ROW then. */
        good = value == NULL ? strcmp(setting->name, "binlog_format") == 0
                             : strcasecmp(value, setting->wanted) == 0;
        tell(preflight, good ? FC_CHECK_OK : setting->otherwise, setting->name, setting->fix,
             good ? "%s" : "%s, should be %s", value == NULL ? "not there" : value,
             setting->wanted);
        free(value);
    }
    return FC_OK;
}

static fc_code check_retention(const struct preflight *preflight, struct fc_error *err)
{
    static const char *const fix = "SET GLOBAL binlog_expire_logs_seconds = 604800";
    char *seconds = NULL;
    char *days = NULL;
    double kept_s = 0;
    fc_code code = get_variable(preflight, "binlog_expire_logs_seconds", &seconds, err);
    if (code == FC_OK) {
        code = get_variable(preflight, "expire_logs_days", &days, err);
    }
    if (code == FC_OK) {
        kept_s = seconds == NULL ? 0 : strtod(seconds, NULL);
        if (kept_s == 0 && days != NULL) {
            kept_s = strtod(days, NULL) * 24 * 3600;
        }
        if (kept_s == 0) {
            tell(preflight, FC_CHECK_OK, "binlog retention", NULL, "for ever");
        } else {
            tell(preflight, kept_s < RETENTION_MIN_S ? FC_CHECK_WARN : FC_CHECK_OK,
                 "binlog retention", fix, "%.1f hours%s", kept_s / 3600,
                 kept_s < RETENTION_MIN_S ? ": a capture that stands longer loses its place"
                                          : "");
        }
    }
    free(seconds);
    free(days);
    return code;
}

/* Whether the statement is allowed; what it returns is dropped. */
static fc_code try_statement(const struct preflight *preflight, const char *sql,
                             bool *out_allowed, struct fc_error *err)
{
    fc_code code = fc_session_run(preflight->session, err, "%s", sql);
    *out_allowed = code == FC_OK;
    return code == FC_OK || code == FC_ERR_CONFIG || code == FC_ERR_REJECTED ||
                   code == FC_ERR_NOT_FOUND
               ? FC_OK
               : code;
}

static fc_code has_global_grant(const struct preflight *preflight, const char *privilege,
                                bool *out_has, struct fc_error *err)
{
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    fc_code code =
        fc_session_query(preflight->session, fc_slice_text("SHOW GRANTS"), &result, err);
    *out_has = false;
    if (code != FC_OK) {
        return code;
    }
    while ((row = mysql_fetch_row(result)) != NULL) {
        bool global = strstr(row[0], " ON *.* ") != NULL;
        *out_has = *out_has || (global && (strstr(row[0], privilege) != NULL ||
                                           strstr(row[0], "ALL PRIVILEGES") != NULL));
    }
    mysql_free_result(result);
    return FC_OK;
}

static fc_code check_grants(const struct preflight *preflight, struct fc_error *err)
{
    const char *status = !is_mysql(preflight)                  ? "SHOW MASTER STATUS"
                         : preflight->session->version < 80200 ? "SHOW MASTER STATUS"
                                                               : "SHOW BINARY LOG STATUS";
    const char *client_fix = is_mysql(preflight)
                                 ? "GRANT REPLICATION CLIENT ON *.* TO CURRENT_USER()"
                                 : "GRANT BINLOG MONITOR ON *.* TO CURRENT_USER()";
    bool allowed = false;
    fc_code code = has_global_grant(preflight, "REPLICATION SLAVE", &allowed, err);
    if (code == FC_OK && !allowed && is_mysql(preflight)) { /* it may come with a role */
        code = try_statement(preflight, "SHOW REPLICAS", &allowed, err);
    }
    if (code != FC_OK) {
        return code;
    }
    tell(preflight, allowed ? FC_CHECK_OK : FC_CHECK_FAIL, "grant REPLICATION SLAVE",
         "GRANT REPLICATION SLAVE ON *.* TO CURRENT_USER()", "%s",
         allowed ? "granted" : "missing: the binlog cannot be read");
    code = try_statement(preflight, status, &allowed, err);
    if (code == FC_OK) {
        tell(preflight, allowed ? FC_CHECK_OK : FC_CHECK_FAIL,
             is_mysql(preflight) ? "grant REPLICATION CLIENT" : "grant BINLOG MONITOR",
             client_fix, "%s",
             allowed ? "granted" : "missing: the binlog's end cannot be seen");
    }
    return code;
}

static fc_code check_server_id(const struct preflight *preflight, struct fc_error *err)
{
    uint32_t ours = fc_mysql_server_id(preflight->host);
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    bool clash = ours == preflight->session->server_id;
    bool renamed = is_mysql(preflight) && preflight->session->version >= 80022;
    fc_code code = fc_session_query(
        preflight->session, fc_slice_text(renamed ? "SHOW REPLICAS" : "SHOW SLAVE HOSTS"),
        &result, err);
    if (code == FC_OK) {
        while ((row = mysql_fetch_row(result)) != NULL) {
            clash = clash || strtoull(row[0], NULL, 10) == ours;
        }
        mysql_free_result(result);
    } else if (err->retriable) {
        return code;
    }
    tell(preflight, preflight->session->server_id == 0 ? FC_CHECK_FAIL : FC_CHECK_OK,
         "server_id", "SET GLOBAL server_id = 1", "%" PRIu32, preflight->session->server_id);
    tell(preflight, clash ? FC_CHECK_FAIL : FC_CHECK_OK, "our server-id",
         "give the connector another `server-id`", "%" PRIu32 "%s", ours,
         clash ? " is taken by the server or another replica" : "");
    return FC_OK;
}

static fc_code check_replica(const struct preflight *preflight, struct fc_error *err)
{
    const char *sql = !is_mysql(preflight)                  ? "SHOW ALL SLAVES STATUS"
                      : preflight->session->version < 80022 ? "SHOW SLAVE STATUS"
                                                            : "SHOW REPLICA STATUS";
    MYSQL_RES *result = NULL;
    char *updates = NULL;
    bool is_replica = false;
    fc_code code = fc_session_query(preflight->session, fc_slice_text(sql), &result, err);
    if (code == FC_OK) {
        is_replica = mysql_num_rows(result) > 0;
        mysql_free_result(result);
    } else if (err->retriable) {
        return code;
    }
    code = get_variable(preflight, "log_slave_updates", &updates, err);
    if (code == FC_OK && updates == NULL) {
        code = get_variable(preflight, "log_replica_updates", &updates, err);
    }
    if (code == FC_OK && is_replica && updates != NULL && strcasecmp(updates, "OFF") == 0) {
        tell(preflight, FC_CHECK_FAIL, "log_slave_updates",
             "start the server with log_slave_updates=ON, or capture from its source",
             "OFF on a replica: what it replicates is not in its own binlog");
    }
    free(updates);
    return code;
}

static fc_code check_resume(const struct preflight *preflight, struct fc_slice resume,
                            struct fc_error *err)
{
    struct fc_source_position position;
    struct fc_error why;
    char text[200];
    bool place_known = false;
    fc_code code;
    if (fc_slice_is_null(resume)) {
        return FC_OK;
    }
    code = fc_source_position_parse(resume, &position, err);
    if (code != FC_OK) {
        return code;
    }
    fc_source_position_describe(&position, text, sizeof(text));
    code = fc_resume_check(preflight->session, &position, &place_known, &why);
    if (code == FC_OK) {
        code = fc_resume_check_kept(preflight->session, &position, &why);
    }
    fc_source_position_release(&position);
    if (code != FC_OK && why.retriable) {
        *err = why;
        return code;
    }
    tell(preflight, code == FC_OK ? FC_CHECK_OK : FC_CHECK_FAIL, "position",
         "start a new snapshot", "%s%s%s", text, code == FC_OK ? "" : ": ",
         code == FC_OK ? "" : why.message);
    return FC_OK;
}

/* Transactions that are prepared now: their rows were written before a new capture begins. */
static fc_code check_xa(const struct preflight *preflight, struct fc_error *err)
{
    MYSQL_RES *result = NULL;
    fc_code code =
        fc_session_query(preflight->session, fc_slice_text("XA RECOVER"), &result, err);
    if (code != FC_OK) {
        return err->retriable ? code : FC_OK; /* MySQL: needs a privilege of its own */
    }
    if (mysql_num_rows(result) > 0) {
        tell(preflight, FC_CHECK_WARN, "XA transactions", "XA COMMIT or XA ROLLBACK them first",
             "%" PRIu64 " are prepared: a capture that begins now cannot take their commit",
             (uint64_t)mysql_num_rows(result));
    }
    mysql_free_result(result);
    return FC_OK;
}

/* --- tables ------------------------------------------------------------------------------ */

/* "shop.a, shop.b and 7 more" of the tables for which `is` holds; NULL when there are none. */
static char *name_tables(const struct fc_table_list *list,
                         bool (*is)(const struct fc_listed_table *table))
{
    struct fc_buf text;
    size_t count = 0;
    char *copy = NULL;
    fc_buf_init(&text, SQL_BYTES_MAX);
    for (size_t index = 0; index < list->count; index++) {
        if (!is(&list->tables[index])) {
            continue;
        }
        if (count < NAMES_SHOWN) {
            fc_buf_append_fmt(&text, "%s%s.%s", count == 0 ? "" : ", ", list->tables[index].db,
                              list->tables[index].table);
        }
        count++;
    }
    if (count > NAMES_SHOWN) {
        fc_buf_append_fmt(&text, " and %zu more", count - NAMES_SHOWN);
    }
    if (count > 0) {
        copy = fc_strndup((const char *)text.data, text.len);
    }
    fc_buf_release(&text);
    return copy;
}

static bool lacks_key(const struct fc_listed_table *table)
{
    return !table->has_key;
}

static bool is_other_engine(const struct fc_listed_table *table)
{
    return strcasecmp(table->engine, "InnoDB") != 0;
}

static void warn_tables(const struct preflight *preflight, const struct fc_table_list *list,
                        bool (*is)(const struct fc_listed_table *table), const char *what,
                        const char *why, const char *fix)
{
    char *names = name_tables(list, is);
    if (names != NULL) {
        tell(preflight, FC_CHECK_WARN, what, fix, "%s: %s", names, why);
    }
    free(names);
}

static fc_code check_select(const struct preflight *preflight, const struct fc_table_list *list,
                            struct fc_error *err)
{
    for (size_t index = 0; index < list->count; index++) {
        const struct fc_listed_table *table = &list->tables[index];
        struct fc_buf sql;
        bool allowed = false;
        fc_code code;
        fc_buf_init(&sql, SQL_BYTES_MAX);
        fc_buf_append_text(&sql, "SELECT 1 FROM ");
        fc_session_append_name(&sql, table->db);
        fc_buf_append_text(&sql, ".");
        fc_session_append_name(&sql, table->table);
        fc_buf_append_text(&sql, " LIMIT 0");
        fc_buf_append_u8(&sql, 0);
        code = try_statement(preflight, (const char *)sql.data, &allowed, err);
        fc_buf_release(&sql);
        if (code != FC_OK) {
            return code;
        }
        if (!allowed) {
            char *fix = fc_asprintf("GRANT SELECT ON `%s`.`%s` TO CURRENT_USER()", table->db,
                                    table->table);
            tell(preflight, FC_CHECK_FAIL, "grant SELECT", fix, "missing on %s.%s", table->db,
                 table->table);
            free(fix);
        }
    }
    return FC_OK;
}

/* Warn when the query (db, table) names a captured table. */
static fc_code warn_if_captured(const struct preflight *preflight, const char *sql,
                                const char *what, const char *why, const char *fix,
                                struct fc_error *err)
{
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    bool found = false;
    fc_code code = fc_session_query(preflight->session, fc_slice_text(sql), &result, err);
    if (code != FC_OK) {
        return code;
    }
    while (!found && (row = mysql_fetch_row(result)) != NULL) {
        found = fc_table_filter_match(&preflight->filter, fc_slice_text(row[0]),
                                      fc_slice_text(row[1]));
        if (found) {
            tell(preflight, FC_CHECK_WARN, what, fix, "%s.%s: %s", row[0], row[1], why);
        }
    }
    mysql_free_result(result);
    return FC_OK;
}

static fc_code check_cascades(const struct preflight *preflight, struct fc_error *err)
{
    return warn_if_captured(
        preflight,
        "SELECT CONSTRAINT_SCHEMA, TABLE_NAME FROM "
        "information_schema.REFERENTIAL_CONSTRAINTS WHERE DELETE_RULE IN ('CASCADE', 'SET "
        "NULL') OR UPDATE_RULE IN ('CASCADE', 'SET NULL')",
        "cascading foreign keys",
        "InnoDB writes rows that a cascade changes to no binlog, so we do not see them",
        "change child rows by statements of their own instead of ON DELETE/UPDATE CASCADE",
        err);
}

static fc_code check_partitions(const struct preflight *preflight, struct fc_error *err)
{
    return warn_if_captured(
        preflight,
        "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.PARTITIONS WHERE "
        "PARTITION_NAME IS NOT NULL AND PARTITION_ORDINAL_POSITION = 1",
        "partitioned tables",
        "DROP, TRUNCATE, EXCHANGE and CONVERT PARTITION move rows without row events; the "
        "table is read again each time",
        "delete rows by DELETE where the table is too large for that", err);
}

static fc_code check_tables(const struct preflight *preflight, struct fc_error *err)
{
    struct fc_table_list list;
    const char *unmatched;
    fc_code code = fc_table_list_read(preflight->session, &preflight->filter, &list, err);
    if (code != FC_OK) {
        return code;
    }
    code = fc_table_list_find_keys(preflight->session, &list, err);
    if (code != FC_OK) {
        fc_table_list_release(&list);
        return code;
    }
    unmatched = fc_table_list_unmatched(&list, &preflight->filter);
    if (unmatched != NULL) {
        tell(preflight, FC_CHECK_FAIL, "tables", "correct `tables` in the connector's file",
             "there is no table \"%s\" that we may see", unmatched);
    } else {
        tell(preflight, list.count == 0 ? FC_CHECK_WARN : FC_CHECK_OK, "tables",
             "create a table, or correct `tables`", "%zu to capture", list.count);
    }
    warn_tables(preflight, &list, lacks_key, "tables without key",
                "their rows cannot be told apart, and an interrupted snapshot of them starts "
                "again",
                "ALTER TABLE ... ADD PRIMARY KEY");
    warn_tables(preflight, &list, is_other_engine, "storage engines",
                "not InnoDB: what a rolled back statement changed stays changed",
                "ALTER TABLE ... ENGINE=InnoDB");
    code = check_select(preflight, &list, err);
    fc_table_list_release(&list);
    return code;
}

fc_code fc_preflight_run(const struct fc_host *host, struct fc_slice resume,
                         void (*on_result)(void *ctx, fc_check_result result, const char *what,
                                           const char *detail, const char *fix),
                         void *ctx, struct fc_error *err)
{
    static fc_code (*const checks[])(const struct preflight *preflight,
                                     struct fc_error *err) = {
        check_settings, check_grants, check_server_id, check_replica,    check_retention,
        check_xa,       check_tables, check_cascades,  check_partitions,
    };
    struct preflight preflight = { .host = host, .on_result = on_result, .ctx = ctx };
    fc_code code = fc_table_filter_init(&preflight.filter, host, err);
    if (code == FC_OK) {
        code =
            fc_session_open(host, FC_SESSION_QUERY, QUERY_TIMEOUT_S, &preflight.session, err);
    }
    if (code != FC_OK) {
        return code;
    }
    tell(&preflight, FC_CHECK_OK, "server", NULL, "%s %s",
         is_mysql(&preflight) ? "MySQL" : "MariaDB", preflight.session->version_text);
    for (size_t index = 0; code == FC_OK && index < sizeof(checks) / sizeof(checks[0]);
         index++) {
        code = checks[index](&preflight, err);
    }
    if (code == FC_OK) {
        code = check_resume(&preflight, resume, err);
    }
    fc_session_close(preflight.session);
    return code;
}
