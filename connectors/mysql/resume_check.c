/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/resume_check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "core/base/alloc.h"

enum {
    GTID_TEXT_MAX = 64 * 1024 * 1024,
    SQL_BYTES_MAX = 4096,
    WAIT_S = 5,
    ER_UNKNOWN_VARIABLE = 1193
};

static fc_code check_setting(struct fc_session *session, const char *name, const char *wanted,
                             const char *fix, struct fc_error *err)
{
    char sql[128];
    char *value = NULL;
    fc_code code;
    (void)snprintf(sql, sizeof(sql), "SELECT @@global.%s", name);
    code = fc_session_query_text(session, sql, &value, err);
    if (code != FC_OK && mysql_errno(session->mysql) == ER_UNKNOWN_VARIABLE) {
        return FC_OK; /* a server that has only one way of doing it */
    }
    if (code == FC_OK && (value == NULL || strcasecmp(value, wanted) != 0)) {
        code = fc_fail(err, FC_ERR_CONFIG, "%s is %s, must be %s; %s", name,
                       value == NULL ? "NULL" : value, wanted, fix);
    }
    free(value);
    return code;
}

fc_code fc_resume_check_settings(struct fc_session *session, struct fc_error *err)
{
    fc_code code = check_setting(session, "log_bin", "1",
                                 "start the server with log_bin in its configuration", err);
    if (code == FC_OK) {
        code = check_setting(session, "binlog_format", "ROW",
                             "SET GLOBAL binlog_format='ROW' and let clients reconnect", err);
    }
    if (code == FC_OK) {
        code =
            check_setting(session, "binlog_row_image", "FULL",
                          "SET GLOBAL binlog_row_image='FULL' and let clients reconnect", err);
    }
    return code;
}

static fc_code query_set(struct fc_session *session, const char *sql,
                         struct fc_gtid_set *out_set, struct fc_error *err)
{
    char *text = NULL;
    fc_code code = fc_session_query_text(session, sql, &text, err);
    if (code == FC_OK) {
        code = fc_gtid_set_parse(out_set, fc_slice_text(text == NULL ? "" : text), err);
    }
    free(text);
    return code;
}

static char *print_set(const struct fc_gtid_set *set)
{
    struct fc_buf text;
    char *copy;
    fc_buf_init(&text, GTID_TEXT_MAX);
    fc_gtid_set_print(set, &text);
    copy = fc_asprintf("%" PRIu64 " transactions (%.*s%s)", fc_gtid_set_count(set),
                       (int)(text.len > 200 ? 200 : text.len), (const char *)text.data,
                       text.len > 200 ? "..." : "");
    fc_buf_release(&text);
    return copy;
}

fc_code fc_resume_check_missing(struct fc_session *session,
                                const struct fc_source_position *position, char **out_missing,
                                struct fc_error *err)
{
    struct fc_gtid_set purged;
    struct fc_gtid_set missing;
    fc_code code = query_set(session, "SELECT @@global.gtid_purged", &purged, err);
    *out_missing = NULL;
    if (code != FC_OK) {
        return code;
    }
    code = fc_gtid_set_subtract(&missing, &purged, &position->gtids, err);
    if (code == FC_OK && missing.source_count > 0) {
        *out_missing = print_set(&missing);
    }
    if (code == FC_OK) {
        fc_gtid_set_release(&missing);
    }
    fc_gtid_set_release(&purged);
    return code;
}

/* A server sends a transaction a moment before it counts as executed, so give it that moment. */
static fc_code check_not_ahead(struct fc_session *session,
                               const struct fc_source_position *position, struct fc_error *err)
{
    struct fc_gtid_set executed;
    struct fc_gtid_set surplus;
    struct fc_buf sql;
    fc_code code;
    fc_buf_init(&sql, GTID_TEXT_MAX);
    fc_buf_append_text(&sql, "DO WAIT_FOR_EXECUTED_GTID_SET('");
    fc_gtid_set_print(&position->gtids, &sql);
    fc_buf_append_fmt(&sql, "', %d)", WAIT_S);
    fc_buf_append_u8(&sql, 0);
    code = fc_buf_check(&sql, "statement", err);
    if (code == FC_OK && position->gtids.source_count > 0) {
        code = fc_session_run(session, err, "%s", (const char *)sql.data);
    }
    fc_buf_release(&sql);
    if (code == FC_OK) {
        code = query_set(session, "SELECT @@global.gtid_executed", &executed, err);
    }
    if (code != FC_OK) {
        return code;
    }
    code = fc_gtid_set_subtract(&surplus, &position->gtids, &executed, err);
    if (code == FC_OK && surplus.source_count > 0) {
        char *text = print_set(&surplus);
        code =
            fc_fail(err, FC_ERR_REFUSED,
                    "this server lacks %s that have been captured already: it is another "
                    "server, or was set back; capture the right one, or start a new snapshot",
                    text);
        free(text);
    }
    if (code != FC_ERR_LIMIT) {
        fc_gtid_set_release(&surplus);
    }
    fc_gtid_set_release(&executed);
    return code;
}

static fc_code check_gtids(struct fc_session *session,
                           const struct fc_source_position *position, struct fc_error *err)
{
    char *mode = NULL;
    char *missing = NULL;
    bool on;
    fc_code code = fc_session_query_text(session, "SELECT @@global.gtid_mode", &mode, err);
    on = mode != NULL && strcasecmp(mode, "ON") == 0;
    free(mode);
    if (code == FC_OK && !on) {
        return fc_fail(err, FC_ERR_REFUSED,
                       "the capture goes by GTID, but gtid_mode is not ON any more; set it, or "
                       "start a new snapshot");
    }
    if (code == FC_OK) {
        code = fc_resume_check_missing(session, position, &missing, err);
    }
    if (code == FC_OK && missing != NULL) {
        code = fc_fail(err, FC_ERR_REFUSED,
                       "the server has purged %s that were not captured; start a new snapshot, "
                       "and raise binlog_expire_logs_seconds",
                       missing);
    }
    free(missing);
    return code == FC_OK ? check_not_ahead(session, position, err) : code;
}

/* Where the oldest binlog file that is left begins. */
static fc_code query_oldest(struct fc_session *session, struct fc_mariadb_position *out_start,
                            struct fc_error *err)
{
    struct fc_buf sql;
    MYSQL_RES *files = NULL;
    MYSQL_ROW row;
    char *text = NULL;
    fc_code code = fc_session_query(session, fc_slice_text("SHOW BINARY LOGS"), &files, err);
    if (code != FC_OK) {
        return code;
    }
    row = mysql_fetch_row(files);
    fc_buf_init(&sql, SQL_BYTES_MAX);
    fc_buf_append_text(&sql, "SELECT BINLOG_GTID_POS(");
    fc_session_append_text(&sql, fc_slice_text(row == NULL || row[0] == NULL ? "" : row[0]));
    fc_buf_append_text(&sql, ", 4)");
    fc_buf_append_u8(&sql, 0);
    mysql_free_result(files);
    code = fc_buf_check(&sql, "statement", err);
    if (code == FC_OK) {
        code = fc_session_query_text(session, (const char *)sql.data, &text, err);
    }
    fc_buf_release(&sql);
    if (code == FC_OK) {
        code =
            fc_mariadb_position_parse(out_start, fc_slice_text(text == NULL ? "" : text), err);
    }
    free(text);
    return code;
}

fc_code fc_resume_check_kept(struct fc_session *session,
                             const struct fc_source_position *position, struct fc_error *err)
{
    struct fc_mariadb_position start;
    fc_code code;
    if (!position->by_gtid || position->flavor != FC_FLAVOR_MARIADB) {
        return FC_OK;
    }
    code = query_oldest(session, &start, err);
    if (code != FC_OK) {
        return code;
    }
    for (uint32_t index = 0; code == FC_OK && index < start.count; index++) {
        const struct fc_mariadb_gtid *gtid = &start.gtids[index];
        if (!fc_mariadb_position_reached(&position->mariadb, gtid)) {
            code = fc_fail(err, FC_ERR_REFUSED,
                           "the server has purged its binlog up to %" PRIu32 "-%" PRIu32
                           "-%" PRIu64 ", which was not captured",
                           gtid->domain_id, gtid->server_id, gtid->sequence);
        }
    }
    fc_mariadb_position_release(&start);
    return code;
}

fc_code fc_resume_check(struct fc_session *session, const struct fc_source_position *position,
                        bool *out_place_known, struct fc_error *err)
{
    struct fc_binlog_place end;
    fc_code code;
    if (position->flavor != session->flavor) {
        return fc_fail(err, FC_ERR_REFUSED,
                       "the capture began on %s, this server is %s; start a new snapshot",
                       position->flavor == FC_FLAVOR_MARIADB ? "MariaDB" : "MySQL",
                       session->version_text);
    }
    if (!position->by_gtid && strcmp(position->server, session->server_uuid) != 0) {
        return fc_fail(err, FC_ERR_REFUSED,
                       "the position %s:%" PRIu64
                       " is of server %s, this is %s; without GTIDs it "
                       "means nothing here: connect to that server, or start a new snapshot",
                       position->place.file, position->place.position, position->server,
                       session->server_uuid);
    }
    if (position->by_gtid && position->flavor == FC_FLAVOR_MYSQL) {
        code = check_gtids(session, position, err);
        if (code != FC_OK) {
            return code;
        }
    }
    code = fc_binlog_place_of_server(session, &end, err);
    if (code == FC_OK) {
        *out_place_known = strcmp(position->server, session->server_uuid) == 0 &&
                           fc_binlog_place_compare(&position->place, &end) <= 0;
    }
    return code;
}

fc_code fc_resume_check_same_server(struct fc_session *a, struct fc_session *b,
                                    struct fc_error *err)
{
    static const char *const sql = "SELECT CONCAT(@@hostname, ':', @@port, ':', @@server_id)";
    char *a_name = NULL;
    char *b_name = NULL;
    fc_code code = fc_session_query_text(a, sql, &a_name, err);
    if (code == FC_OK) {
        code = fc_session_query_text(b, sql, &b_name, err);
    }
    if (code == FC_OK && (a_name == NULL || b_name == NULL || strcmp(a_name, b_name) != 0 ||
                          strcmp(a->server_uuid, b->server_uuid) != 0)) {
        code =
            fc_fail_retriable(err, FC_ERR_IO,
                              "two connections reached two servers (%s, %s); connect to one of "
                              "them directly",
                              a_name == NULL ? "" : a_name, b_name == NULL ? "" : b_name);
    }
    free(a_name);
    free(b_name);
    return code;
}
