/* SPDX-License-Identifier: Apache-2.0 */
/*
 * At each moment the destination's name leads to a whole table: the old one up to the RENAME,
 * the restored one from there on.
 *
 * Triggers stay with the table that they were made for, under names that are unique in the
 * database; each is dropped from the old table and made again on the new one, in the order in
 * which they fire.
 *
 * Foreign keys of other tables follow the old table when it is renamed. Once it is dropped they
 * point at its name, so the new table takes that name for a moment, within one RENAME TABLE,
 * adopts them, and brings them along when it gets its own name back.
 *
 * A destination that must be empty is looked at again after the exchange, when nobody can write
 * to it any more under its name; if rows came in meanwhile, it is exchanged back.
 */
#include "connectors/mysql/load_swap.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"

enum {
    SCRIPT_SIZE_MAX = 64 * 1024 * 1024,
    RENAME_TRIES = 30 /* each waits up to the session's lock_wait_timeout */
};

/* Statements that go to the server in one packet. */
struct script {
    struct fc_buf sql;
    char **labels; /* one a statement: what it does, for messages */
    uint32_t count;
};

static void script_init(struct script *script)
{
    memset(script, 0, sizeof(*script));
    fc_buf_init(&script->sql, SCRIPT_SIZE_MAX);
}

static void script_release(struct script *script)
{
    for (uint32_t index = 0; index < script->count; index++) {
        free(script->labels[index]);
    }
    free(script->labels);
    fc_buf_release(&script->sql);
}

/* Begin a statement; the caller appends its text to script->sql. */
static void script_add(struct script *script, char *label)
{
    script->labels = fc_realloc_array(script->labels, script->count + 1U, sizeof(char *));
    script->labels[script->count++] = label;
    if (script->sql.len > 0) {
        fc_buf_append_text(&script->sql, ";\n");
    }
}

/* Append what `more` holds. */
static void script_append(struct script *script, const struct script *more)
{
    for (uint32_t index = 0; index < more->count; index++) {
        script->labels = fc_realloc_array(script->labels, script->count + 1U, sizeof(char *));
        script->labels[script->count++] = fc_strdup(more->labels[index]);
    }
    if (more->count > 0) {
        fc_buf_append_text(&script->sql, ";\n");
        fc_buf_append_slice(&script->sql, fc_buf_slice(&more->sql));
    }
}

/* out_done: how many statements went through. */
static fc_code script_run(struct script *script, struct fc_session *session, uint32_t *out_done,
                          struct fc_error *err)
{
    MYSQL *mysql = session->mysql;
    uint32_t done = 0;
    int status;
    fc_code code = fc_buf_check(&script->sql, "the exchange's statements", err);
    *out_done = 0;
    if (code != FC_OK || script->count == 0) {
        return code;
    }
    if (mysql_set_server_option(mysql, MYSQL_OPTION_MULTI_STATEMENTS_ON) != 0) {
        return fc_session_fail(session, err, "allow several statements");
    }
    status =
        mysql_real_query(mysql, (const char *)script->sql.data, (unsigned long)script->sql.len);
    while (status == 0) {
        MYSQL_RES *result = mysql_store_result(mysql);
        if (result != NULL) {
            mysql_free_result(result);
        }
        done++;
        status = mysql_next_result(mysql);
    }
    *out_done = done;
    if (status > 0) {
        code = fc_session_fail(session, err,
                               script->labels[done < script->count ? done : done - 1]);
    }
    /* A connection that is gone has no option to reset. */
    (void)mysql_set_server_option(mysql, MYSQL_OPTION_MULTI_STATEMENTS_OFF);
    return code;
}

static void append_setting(struct fc_buf *sql, const char *head, const char *value)
{
    fc_buf_append_text(sql, head);
    fc_session_append_text(sql, fc_slice_text(value));
}

/* Columns of SHOW CREATE TRIGGER. */
enum {
    TRIGGER_SQL_MODE = 1,
    TRIGGER_STATEMENT = 2,
    TRIGGER_CHARSET = 3,
    TRIGGER_COLLATION = 4
};

static fc_code add_trigger(struct script *script, struct fc_session *session,
                           const struct fc_table_name *name, struct fc_error *err)
{
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    char *show = fc_asprintf("SHOW CREATE TRIGGER %s", name->sql);
    fc_code code = fc_session_query(session, fc_slice_text(show), &result, err);
    free(show);
    if (code != FC_OK) {
        return fc_wrap(err, "read trigger %s", name->sql);
    }
    row = mysql_fetch_row(result);
    if (row == NULL || row[TRIGGER_SQL_MODE] == NULL || row[TRIGGER_STATEMENT] == NULL ||
        row[TRIGGER_CHARSET] == NULL || row[TRIGGER_COLLATION] == NULL) {
        code =
            fc_fail(err, FC_ERR_CONFIG,
                    "the definition of trigger %s cannot be read: GRANT TRIGGER on its table",
                    name->sql);
    } else {
        script_add(script, fc_asprintf("set up trigger %s", name->sql));
        append_setting(&script->sql, "SET SESSION sql_mode=", row[TRIGGER_SQL_MODE]);
        append_setting(&script->sql, ", character_set_client=", row[TRIGGER_CHARSET]);
        append_setting(&script->sql, ", collation_connection=", row[TRIGGER_COLLATION]);
        script_add(script, fc_asprintf("drop trigger %s from the old table", name->sql));
        fc_buf_append_fmt(&script->sql, "DROP TRIGGER %s", name->sql);
        script_add(script, fc_asprintf("make trigger %s", name->sql));
        fc_buf_append_text(&script->sql, row[TRIGGER_STATEMENT]);
    }
    mysql_free_result(result);
    return code;
}

/* The triggers of the destination, and of an old table that a dead commit left behind. */
static fc_code list_triggers(struct fc_staging *staging, MYSQL_RES **out_names,
                             struct fc_error *err)
{
    char *sql = fc_asprintf(
        "SELECT trigger_name, definer FROM information_schema.triggers WHERE "
        "event_object_schema=%s AND event_object_table IN (%s,%s) ORDER BY "
        "event_object_table=%s, action_timing, event_manipulation, action_order, created",
        staging->to.db_text, staging->to.table_text, staging->old.table_text,
        staging->old.table_text);
    fc_code code = fc_session_query(staging->session, fc_slice_text(sql), out_names, err);
    free(sql);
    return code;
}

static fc_code add_triggers(struct script *script, struct fc_staging *staging,
                            struct fc_error *err)
{
    struct fc_session *session = staging->session;
    MYSQL_RES *names = NULL;
    MYSQL_ROW row;
    bool any = false;
    fc_code code = list_triggers(staging, &names, err);
    if (code == FC_OK) {
        /* The text comes as it was written, in the character set that goes with it. */
        code = fc_session_run(session, err, "SET SESSION character_set_results=NULL");
    }
    while (code == FC_OK && (row = mysql_fetch_row(names)) != NULL) {
        struct fc_table_name name = { 0 };
        fc_table_name_init(&name, staging->to.db, row[0]);
        code = add_trigger(script, session, &name, err);
        fc_table_name_release(&name);
        any = true;
    }
    mysql_free_result(names);
    if (any) {
        script_add(script, fc_strdup("set the session back"));
        fc_buf_append_text(&script->sql, "SET NAMES utf8mb4, SESSION sql_mode=''");
    }
    if (code == FC_OK) {
        code = fc_session_run(session, err, "SET SESSION character_set_results=utf8mb4");
    }
    return code;
}

fc_code fc_swap_check_triggers(struct fc_staging *staging, struct fc_error *err)
{
    MYSQL_RES *names = NULL;
    MYSQL_ROW row;
    unsigned number = 0;
    fc_code code = list_triggers(staging, &names, err);
    while (code == FC_OK && (row = mysql_fetch_row(names)) != NULL) {
        const char *at = row[1] == NULL ? NULL : strrchr(row[1], '@');
        char *user = at == NULL ? NULL : fc_strndup(row[1], (size_t)(at - row[1]));
        struct fc_table_name definer = { 0 }; /* only its quoting is of use here */
        struct fc_table_name probe = { 0 };
        if (user == NULL) {
            continue;
        }
        fc_table_name_init(&definer, user, at + 1);
        fc_table_name_init(&probe, staging->to.db, staging->name.table);
        code = fc_session_run(
            staging->session, err,
            "CREATE DEFINER=%s@%s TRIGGER %s BEFORE INSERT ON %s FOR EACH ROW "
            "SET @fluvio_probe=%u",
            definer.db_text, definer.table_text, probe.sql, staging->name.sql, number++);
        if (code == FC_OK) {
            code = fc_session_run(staging->session, err, "DROP TRIGGER %s", probe.sql);
        } else {
            (void)fc_wrap(err,
                          "trigger %s of the table to be replaced could not be made again "
                          "(grants TRIGGER and SET_USER_ID or SUPER, "
                          "log_bin_trust_function_creators)",
                          row[0]);
            code = err == NULL || err->code == FC_ERR_REJECTED ? FC_ERR_CONFIG : code;
        }
        fc_table_name_release(&definer);
        fc_table_name_release(&probe);
        free(user);
    }
    mysql_free_result(names);
    return code;
}

/* Drop the names of foreign keys that other tables of the database have. */
static fc_code free_foreign_key_names(struct fc_staging *staging, struct fc_error *err)
{
    fc_code code = FC_OK;
    for (uint32_t index = 0; code == FC_OK && index < staging->create.item_count; index++) {
        struct fc_create_item *item = &staging->create.items[index];
        char *name = fc_create_sql_constraint_name(item);
        if (item->kind == FC_CREATE_FOREIGN_KEY && name != NULL && item->new_name == NULL) {
            struct fc_table_name constraint = { 0 };
            char *other = NULL;
            char *sql;
            fc_table_name_init(&constraint, staging->to.db, name);
            sql = fc_asprintf(
                "SELECT table_name FROM information_schema.table_constraints WHERE "
                "constraint_schema=%s AND constraint_name=%s AND "
                "constraint_type='FOREIGN KEY' AND table_name NOT IN (%s,%s) LIMIT 1",
                constraint.db_text, constraint.table_text, staging->to.table_text,
                staging->old.table_text);
            code = fc_session_query_text(staging->session, sql, &other, err);
            item->drop_name = other != NULL;
            free(other);
            free(sql);
            fc_table_name_release(&constraint);
        }
        free(name);
    }
    return code;
}

static fc_code add_foreign_keys(struct script *script, struct fc_staging *staging,
                                struct fc_error *err)
{
    struct fc_buf alter;
    uint32_t cursor = 0;
    fc_code code = free_foreign_key_names(staging, err);
    fc_buf_init(&alter, SCRIPT_SIZE_MAX);
    if (code == FC_OK &&
        fc_create_sql_append_alter(&alter, &staging->create, FC_CREATE_FOREIGN_KEY,
                                   staging->to.db, staging->to.table, &cursor)) {
        code = fc_buf_check(&alter, "the foreign keys", err);
        script_add(script, fc_strdup("add the foreign keys"));
        fc_buf_append_slice(&script->sql, fc_buf_slice(&alter));
    }
    fc_buf_release(&alter);
    return code;
}

static void add_rename(struct script *script, const struct fc_staging *staging, bool exchange)
{
    if (exchange) {
        script_add(script, fc_strdup("drop what an earlier restore left"));
        fc_buf_append_fmt(&script->sql, "DROP TABLE IF EXISTS %s", staging->old.sql);
        script_add(script, fc_strdup("exchange the tables"));
        fc_buf_append_fmt(&script->sql, "RENAME TABLE %s TO %s, %s TO %s", staging->to.sql,
                          staging->old.sql, staging->name.sql, staging->to.sql);
    } else {
        script_add(script, fc_strdup("rename the staging table"));
        fc_buf_append_fmt(&script->sql, "RENAME TABLE %s TO %s", staging->name.sql,
                          staging->to.sql);
    }
}

/* What follows the RENAME; triggers must be read before it is sent. */
static fc_code add_rest(struct script *script, struct fc_staging *staging, bool exchange,
                        bool has_children, struct fc_error *err)
{
    fc_code code = FC_OK;
    if (exchange) {
        code = add_triggers(script, staging, err);
        script_add(script, fc_strdup("drop the old table"));
        fc_buf_append_fmt(&script->sql, "DROP TABLE %s", staging->old.sql);
    }
    if (has_children) {
        script_add(script, fc_strdup("lead other tables' foreign keys to the new table"));
        fc_buf_append_fmt(&script->sql, "RENAME TABLE %s TO %s, %s TO %s", staging->to.sql,
                          staging->old.sql, staging->old.sql, staging->to.sql);
    }
    return code == FC_OK ? add_foreign_keys(script, staging, err) : code;
}

/* Run the script; while its first `rename_count` statements fail for a lock, again. */
static fc_code run_renaming(struct fc_staging *staging, struct script *script,
                            uint32_t rename_count, struct fc_error *err)
{
    fc_code code = FC_ERR_TIMEOUT;
    uint32_t done = 0;
    for (unsigned tries = 0; code == FC_ERR_TIMEOUT && done == 0 && tries < RENAME_TRIES;
         tries++) {
        code = script_run(script, staging->session, &done, err);
        done = done >= rename_count ? done : 0;
    }
    if (done > 0) {
        staging->created = false;
    }
    return code;
}

/* Rows that came into the destination before the exchange are not ours to throw away. */
static fc_code check_old_empty(struct fc_staging *staging, struct fc_error *err)
{
    struct fc_table_info info = { 0 };
    fc_code code = fc_staging_inspect(staging->session, &staging->old, &info, err);
    if (code == FC_OK && info.empty) {
        return FC_OK;
    }
    if (code == FC_OK) {
        code = fc_session_run(staging->session, err, "RENAME TABLE %s TO %s, %s TO %s",
                              staging->to.sql, staging->name.sql, staging->old.sql,
                              staging->to.sql);
    }
    if (code != FC_OK) {
        return code;
    }
    staging->created = true;
    return fc_fail(err, FC_ERR_REFUSED,
                   "%s.%s got rows while the restore ran; it was left as it is: restore with "
                   "--replace, or under another name",
                   staging->to.db, staging->to.table);
}

static fc_code check_children(struct fc_staging *staging, struct fc_error *err)
{
    struct fc_table_info to = { 0 };
    struct fc_table_info old = { 0 };
    fc_code code = fc_staging_inspect(staging->session, &staging->to, &to, err);
    if (code == FC_OK) {
        code = fc_staging_inspect(staging->session, &staging->old, &old, err);
    }
    if (code == FC_OK && (!to.fk_parent || old.fk_parent)) {
        code = fc_fail(err, FC_ERR_CONFIG,
                       "foreign keys of other tables do not point at it; see "
                       "information_schema.referential_constraints");
    }
    return code;
}

static void report_lost_names(const struct fc_staging *staging)
{
    const struct fc_host *host = staging->session->host;
    for (uint32_t index = 0; index < staging->create.item_count; index++) {
        const struct fc_create_item *item = &staging->create.items[index];
        if (item->drop_name) {
            char *text = fc_asprintf(
                "%s.%s: constraint %.*s has a name made by the server: its own was taken",
                staging->to.db, staging->to.table, (int)item->constraint.len,
                (const char *)item->constraint.data);
            host->report(host, 2, text);
            free(text);
        }
    }
}

static fc_code run_scripts(struct fc_staging *staging, const struct fc_table_info *info,
                           bool has_children, struct fc_error *err)
{
    struct script rename;
    struct script rest;
    fc_code code;
    bool one_piece = !info->exists || staging->replace;
    script_init(&rename);
    script_init(&rest);
    add_rename(&rename, staging, info->exists);
    code = add_rest(&rest, staging, info->exists, has_children, err);
    if (code == FC_OK) {
        uint32_t rename_count = rename.count;
        if (one_piece) {
            script_append(&rename, &rest);
        }
        code = run_renaming(staging, &rename, rename_count, err);
    }
    if (code == FC_OK && !one_piece) {
        uint32_t done = 0;
        code = check_old_empty(staging, err);
        if (code == FC_OK) {
            code = script_run(&rest, staging->session, &done, err);
        }
    }
    script_release(&rename);
    script_release(&rest);
    return code;
}

fc_code fc_swap_commit(struct fc_staging *staging, struct fc_error *err)
{
    struct fc_table_info info = { 0 };
    struct fc_table_info old = { 0 };
    bool has_children = false;
    fc_code code = fc_staging_check_destination(staging, &info, err);
    if (code == FC_OK) {
        code = fc_staging_inspect(staging->session, &staging->old, &old, err);
        /* Those of an old table that stays are its own. */
        has_children = info.fk_parent || (old.fk_parent && (info.exists || !old.exists));
    }
    if (code == FC_OK) {
        code = run_scripts(staging, &info, has_children, err);
    }
    if (code == FC_OK && has_children) {
        code = check_children(staging, err);
    }
    if (code == FC_OK) {
        report_lost_names(staging);
    } else if (!staging->created) {
        return fc_wrap(err, "%s.%s is restored and live, but not all that belongs to it",
                       staging->to.db, staging->to.table);
    }
    return code;
}
