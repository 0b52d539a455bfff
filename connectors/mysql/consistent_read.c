/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/consistent_read.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    VIEW_TRIES = 20,
    GTID_WAIT_S = 1,
    GTID_TEXT_MAX = 64 * 1024 * 1024,
    SQL_BYTES_MAX = 4096,
    LOCK_TIMEOUT_S = 30
};

static fc_code mariadb_place(struct fc_session *session, struct fc_binlog_place *out_place,
                             struct fc_error *err)
{
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    const char *file = NULL;
    uint64_t position = 0;
    fc_code code = fc_session_query(
        session, fc_slice_text("SHOW STATUS LIKE 'binlog_snapshot_%'"), &result, err);
    if (code != FC_OK) {
        return code;
    }
    while ((row = mysql_fetch_row(result)) != NULL) {
        if (strcasecmp(row[0], "Binlog_snapshot_file") == 0) {
            file = row[1];
        } else if (strcasecmp(row[0], "Binlog_snapshot_position") == 0) {
            position = strtoull(row[1], NULL, 10);
        }
    }
    if (file == NULL || file[0] == '\0') {
        code = fc_fail(err, FC_ERR_PROTOCOL,
                       "the server does not tell the binlog place of a consistent snapshot");
    } else {
        fc_binlog_place_set(out_place, fc_slice_text(file), position);
    }
    mysql_free_result(result);
    return code;
}

/* The commit of what was streamed is under way, so a view that shows it comes within moments. */
static fc_code open_mariadb(struct fc_session *session, const struct fc_binlog_place *reached,
                            struct fc_consistent_read *out_read, bool *out_ready,
                            struct fc_error *err)
{
    *out_ready = false;
    for (int tries = 0; tries < VIEW_TRIES; tries++) {
        fc_code code =
            fc_session_run(session, err, "START TRANSACTION WITH CONSISTENT SNAPSHOT");
        if (code == FC_OK) {
            code = mariadb_place(session, &out_read->place, err);
        }
        if (code != FC_OK) {
            return code;
        }
        if (fc_binlog_place_compare(&out_read->place, reached) >= 0) {
            out_read->place_known = true;
            *out_ready = true;
            return FC_OK;
        }
        code = fc_session_run(session, err, "ROLLBACK");
        if (code != FC_OK) {
            return code;
        }
    }
    return FC_OK;
}

static fc_code wait_for_gtids(struct fc_session *session, const struct fc_gtid_set *gtids,
                              bool *out_there, struct fc_error *err)
{
    struct fc_buf sql;
    uint64_t timed_out = 0;
    fc_code code;
    if (gtids->source_count == 0) {
        *out_there = true;
        return FC_OK;
    }
    fc_buf_init(&sql, GTID_TEXT_MAX);
    fc_buf_append_text(&sql, "SELECT WAIT_FOR_EXECUTED_GTID_SET('");
    fc_gtid_set_print(gtids, &sql);
    fc_buf_append_fmt(&sql, "', %d)", GTID_WAIT_S);
    fc_buf_append_u8(&sql, 0);
    code = fc_buf_check(&sql, "statement", err);
    if (code == FC_OK) {
        code = fc_session_query_u64(session, (const char *)sql.data, &timed_out, err);
    }
    fc_buf_release(&sql);
    *out_there = code == FC_OK && timed_out == 0;
    return code;
}

fc_code fc_consistent_read_open(struct fc_session *session,
                                const struct fc_source_position *streamed,
                                const struct fc_binlog_place *reached,
                                struct fc_consistent_read *out_read, bool *out_ready,
                                struct fc_error *err)
{
    fc_code code;
    memset(out_read, 0, sizeof(*out_read));
    *out_ready = reached->file[0] != '\0';
    if (!*out_ready) {
        return FC_OK;
    }
    if (session->flavor == FC_FLAVOR_MARIADB) {
        return open_mariadb(session, reached, out_read, out_ready, err);
    }
    if (!streamed->by_gtid) {
        out_read->locking = true;
        return fc_session_run(session, err, "START TRANSACTION");
    }
    code = wait_for_gtids(session, &streamed->gtids, out_ready, err);
    if (code == FC_OK && *out_ready) {
        code = fc_session_run(session, err, "START TRANSACTION WITH CONSISTENT SNAPSHOT");
    }
    return code;
}

static fc_code lock_table(struct fc_session *session, const char *db, const char *table,
                          struct fc_error *err)
{
    struct fc_buf sql;
    fc_code code;
    fc_buf_init(&sql, SQL_BYTES_MAX);
    fc_buf_append_text(&sql, "FLUSH TABLES ");
    fc_session_append_name(&sql, db);
    fc_buf_append_text(&sql, ".");
    fc_session_append_name(&sql, table);
    fc_buf_append_text(&sql, " WITH READ LOCK");
    fc_buf_append_u8(&sql, 0);
    code = fc_buf_check(&sql, "statement", err);
    if (code == FC_OK) {
        code = fc_session_run(session, err, "%s", (const char *)sql.data);
    }
    fc_buf_release(&sql);
    return code == FC_OK
               ? FC_OK
               : fc_wrap(err,
                         "%s.%s has no key, so it is locked for a moment (GRANT RELOAD, "
                         "LOCK TABLES; or give it a key, or leave it out)",
                         db, table);
}

/* While the lock stands no write to the table is under way, and what was written before is both
 * committed and in the binlog. */
static fc_code open_locked(struct fc_session *session, const char *db, const char *table,
                           struct fc_consistent_read *out_read, struct fc_error *err)
{
    struct fc_session *locker = NULL;
    fc_code code =
        fc_session_open(session->host, FC_SESSION_QUERY, LOCK_TIMEOUT_S, &locker, err);
    if (code == FC_OK) {
        code = lock_table(locker, db, table, err);
    }
    if (code == FC_OK) {
        code = fc_session_run(session, err, "START TRANSACTION WITH CONSISTENT SNAPSHOT");
    }
    if (code == FC_OK) {
        code = fc_binlog_place_of_server(session, &out_read->place, err);
    }
    fc_session_close(locker); /* unlocks */
    out_read->place_known = true;
    return code;
}

fc_code fc_consistent_read_open_exact(struct fc_session *session, const char *db,
                                      const char *table, const struct fc_binlog_place *reached,
                                      struct fc_consistent_read *out_read, bool *out_ready,
                                      struct fc_error *err)
{
    memset(out_read, 0, sizeof(*out_read));
    *out_ready = reached->file[0] != '\0';
    if (!*out_ready) {
        return FC_OK;
    }
    return session->flavor == FC_FLAVOR_MARIADB
               ? open_mariadb(session, reached, out_read, out_ready, err)
               : open_locked(session, db, table, out_read, err);
}

fc_code fc_consistent_read_close(struct fc_session *session,
                                 const struct fc_consistent_read *read,
                                 struct fc_binlog_place *out_place, struct fc_error *err)
{
    fc_code code = fc_session_run(session, err, "ROLLBACK");
    if (code != FC_OK) {
        return code;
    }
    if (read->place_known) {
        *out_place = read->place;
        return FC_OK;
    }
    return fc_binlog_place_of_server(session, out_place, err);
}
