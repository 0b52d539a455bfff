/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of constraints are unique within a database (on MariaDB only those of foreign keys), so
 * the staging table cannot have the live table's. Foreign keys are left out until the exchange.
 * A CHECK of MySQL that has the server's own kind of name (orders_chk_1) gets the staging
 * table's, which RENAME TABLE turns into the destination's; one with a name of its own loses it
 * when it is taken, because giving it back would copy the table.
 */
#include "connectors/mysql/load_staging.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/hashmap.h"

enum {
    NAME_CHARS_MAX = 64,                /* of a table's name, in both servers */
    CREATE_SIZE_MAX = 16 * 1024 * 1024, /* of a CREATE statement */
    LEFTOVER_WAIT_S = 300,              /* the server may still be undoing a dead load's work */
    LOCK_WAIT_S = 10
};

static const char staging_suffix[] = "__fluvio_restore";
static const char old_suffix[] = "__fluvio_old";

static char *quoted(void (*append)(struct fc_buf *sql, const char *text), const char *text)
{
    struct fc_buf sql;
    char *copy;
    fc_buf_init(&sql, CREATE_SIZE_MAX);
    append(&sql, text);
    copy = fc_strndup((const char *)sql.data, sql.len);
    fc_buf_release(&sql);
    return copy;
}

static void append_text(struct fc_buf *sql, const char *text)
{
    fc_session_append_text(sql, fc_slice_text(text));
}

void fc_table_name_init(struct fc_table_name *name, const char *db, const char *table)
{
    char *db_sql = quoted(fc_session_append_name, db);
    char *table_sql = quoted(fc_session_append_name, table);
    name->db = fc_strdup(db);
    name->table = fc_strdup(table);
    name->sql = fc_asprintf("%s.%s", db_sql, table_sql);
    name->db_text = quoted(append_text, db);
    name->table_text = quoted(append_text, table);
    free(db_sql);
    free(table_sql);
}

void fc_table_name_release(struct fc_table_name *name)
{
    free(name->db);
    free(name->table);
    free(name->sql);
    free(name->db_text);
    free(name->table_text);
    memset(name, 0, sizeof(*name));
}

/* table + suffix; a name that would be too long is cut and told apart by a hash. */
static char *derive_name(const char *table, const char *suffix)
{
    size_t room = NAME_CHARS_MAX - strlen(suffix);
    size_t chars = 0;
    size_t kept = 0; /* bytes of the first room - 9 characters */
    for (const char *at = table; *at != '\0'; at++) {
        if (((uint8_t)*at & 0xc0) != 0x80) {
            kept = chars == room - 9 ? (size_t)(at - table) : kept;
            chars++;
        }
    }
    if (chars <= room) {
        return fc_asprintf("%s%s", table, suffix);
    }
    return fc_asprintf("%.*s_%08" PRIx32 "%s", (int)kept, table,
                       (uint32_t)fc_hash64(fc_slice_text(table)), suffix);
}

/* Run a SELECT of one number, formatted. */
FC_PRINTF(4, 5)
static fc_code ask_number(struct fc_session *session, uint64_t *out_number,
                          struct fc_error *err, const char *fmt, ...)
{
    char *sql = NULL;
    int length;
    va_list args;
    fc_code code;
    va_start(args, fmt);
    length = vasprintf(&sql, fmt, args);
    va_end(args);
    if (length < 0) {
        return fc_fail(err, FC_ERR_NOMEM, "no memory for a statement");
    }
    code = fc_session_query_u64(session, sql, out_number, err);
    free(sql);
    return code;
}

fc_code fc_staging_inspect(struct fc_session *session, const struct fc_table_name *name,
                           struct fc_table_info *out_info, struct fc_error *err)
{
    struct fc_table_info info = { 0 };
    uint64_t kind = 0; /* 0: no such table, 1: something else, 2: a base table */
    uint64_t rows = 0;
    uint64_t children = 0;
    fc_code code = ask_number(
        session, &kind, err,
        "SELECT COALESCE(MAX(IF(table_type IN ('BASE TABLE','SYSTEM VERSIONED'),2,1)),0) FROM "
        "information_schema.tables WHERE table_schema=%s AND table_name=%s",
        name->db_text, name->table_text);
    if (code != FC_OK) {
        return code;
    }
    if (kind == 1) {
        return fc_fail(err, FC_ERR_REFUSED, "%s.%s is not a table", name->db, name->table);
    }
    info.exists = kind == 2;
    code = ask_number(session, &info.rows_estimate, err,
                      "SELECT COALESCE(MAX(table_rows),0) FROM information_schema.tables WHERE "
                      "table_schema=%s AND table_name=%s",
                      name->db_text, name->table_text);
    if (code == FC_OK && info.exists) {
        code = ask_number(session, &rows, err, "SELECT EXISTS(SELECT 1 FROM %s LIMIT 1)",
                          name->sql);
    }
    if (code == FC_OK) {
        code =
            ask_number(session, &children, err,
                       "SELECT COUNT(*) FROM information_schema.referential_constraints WHERE "
                       "unique_constraint_schema=%s AND referenced_table_name=%s AND NOT "
                       "(constraint_schema=%s AND table_name=%s)",
                       name->db_text, name->table_text, name->db_text, name->table_text);
    }
    if (code != FC_OK) {
        return code;
    }
    info.empty = rows == 0;
    info.fk_parent = children > 0;
    *out_info = info;
    return FC_OK;
}

fc_code fc_staging_check_destination(const struct fc_staging *staging,
                                     struct fc_table_info *out_info, struct fc_error *err)
{
    struct fc_table_info info = { 0 };
    fc_code code = fc_staging_inspect(staging->session, &staging->to, &info, err);
    if (code != FC_OK) {
        return code;
    }
    if (info.exists && !info.empty && !staging->replace) {
        return fc_fail(err, FC_ERR_REFUSED,
                       "%s.%s exists and holds rows; nothing was touched: restore with "
                       "--replace, or under another name",
                       staging->to.db, staging->to.table);
    }
    *out_info = info;
    return FC_OK;
}

/* Settings without which a load is slower or refused, on servers that have them. */
static fc_code set_if_there(struct fc_session *session, const char *setting,
                            struct fc_error *err)
{
    fc_code code = fc_session_run(session, err, "SET SESSION %s", setting);
    bool connected = mysql_errno(session->mysql) >= 1000 && mysql_errno(session->mysql) < 2000;
    return code != FC_OK && connected ? FC_OK : code; /* not there, or not ours to set */
}

static fc_code set_up_session(struct fc_session *session, bool write_binlog, bool has_key,
                              struct fc_error *err)
{
    static const char *const mysql_settings[] = { "information_schema_stats_expiry=0",
                                                  "innodb_ddl_threads=2",
                                                  "innodb_ddl_buffer_size=67108864",
                                                  "innodb_parallel_read_threads=2",
                                                  "sql_generate_invisible_primary_key=0" };
    fc_code code = FC_OK;
    if (!write_binlog) {
        code = fc_session_run(session, err, "SET SESSION sql_log_bin=0");
        if (code == FC_ERR_CONFIG) {
            (void)fc_wrap(err,
                          "the restore cannot be kept out of the server's binlog: GRANT %s "
                          "ON *.* to this user, or let the restore be written to the binlog",
                          session->flavor == FC_FLAVOR_MARIADB
                              ? "BINLOG ADMIN (or SUPER)"
                              : "SYSTEM_VARIABLES_ADMIN (or SUPER)");
            err->code = FC_ERR_REJECTED; /* nothing is wrong with file or command */
            return err->code;
        }
    }
    if (code == FC_OK) {
        code = fc_session_run(
            session, err,
            "SET SESSION foreign_key_checks=0, unique_checks=0, net_read_timeout=3600, "
            "net_write_timeout=3600, sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'");
    }
    for (size_t index = 0; session->flavor == FC_FLAVOR_MYSQL && code == FC_OK &&
                           index < sizeof(mysql_settings) / sizeof(mysql_settings[0]);
         index++) {
        code = set_if_there(session, mysql_settings[index], err);
    }
    if (code == FC_OK && session->flavor == FC_FLAVOR_MYSQL && !has_key) {
        code = set_if_there(session, "sql_require_primary_key=0", err);
    }
    return code == FC_OK ? FC_OK : fc_wrap(err, "set the load's session up");
}

/* Two loads of one table would fight for the staging table. The lock ends with the session. */
static fc_code lock_load(struct fc_staging *staging, struct fc_error *err)
{
    uint64_t got = 0;
    fc_code code = ask_number(staging->session, &got, err,
                              "SELECT COALESCE(GET_LOCK('fluvio_restore_%016" PRIx64 "',%d),0)",
                              fc_hash64(fc_slice_text(staging->to.sql)), LOCK_WAIT_S);
    if (code == FC_OK && got != 1) {
        return fc_fail_retriable(err, FC_ERR_REFUSED,
                                 "another restore of %s.%s is running on this server",
                                 staging->to.db, staging->to.table);
    }
    return code;
}

static fc_code use_database(const struct fc_staging *staging, struct fc_error *err)
{
    uint64_t count = 0;
    fc_code code = ask_number(staging->session, &count, err,
                              "SELECT COUNT(*) FROM information_schema.schemata WHERE "
                              "schema_name=%s",
                              staging->to.db_text);
    if (code == FC_OK && count == 0) {
        return fc_fail(err, FC_ERR_REJECTED,
                       "there is no database %s on the server; CREATE DATABASE `%s` mends it",
                       staging->to.db, staging->to.db);
    }
    /* Triggers and foreign keys name tables without their database. */
    if (code == FC_OK && mysql_select_db(staging->session->mysql, staging->to.db) != 0) {
        code = fc_session_fail(staging->session, err, "use the database");
    }
    return code;
}

/* Is `name` "<table><middle><digits>", as the server makes constraint names? Gives the digits. */
static const char *server_made(const char *name, const char *table, const char *middle)
{
    size_t table_len = strlen(table);
    const char *digits = name + table_len + strlen(middle);
    if (strncmp(name, table, table_len) != 0 ||
        strncmp(name + table_len, middle, strlen(middle)) != 0 || *digits == '\0' ||
        strspn(digits, "0123456789") != strlen(digits)) {
        return NULL;
    }
    return digits;
}

static fc_code rename_check(struct fc_staging *staging, const char *shape_table,
                            struct fc_create_item *item, struct fc_error *err)
{
    char *name = fc_create_sql_constraint_name(item);
    const char *digits = name == NULL ? NULL : server_made(name, shape_table, "_chk_");
    fc_code code = FC_OK;
    if (digits != NULL) {
        item->new_name = fc_asprintf("%s_chk_%s", staging->name.table, digits);
    } else if (name != NULL) {
        uint64_t taken = 0;
        char *text = quoted(append_text, name);
        code = ask_number(staging->session, &taken, err,
                          "SELECT COUNT(*) FROM information_schema.table_constraints WHERE "
                          "constraint_schema=%s AND constraint_name=%s AND "
                          "constraint_type='CHECK'",
                          staging->to.db_text, text);
        item->drop_name = taken > 0;
        free(text);
    }
    free(name);
    return code;
}

/* Foreign keys: the server's kind of name follows the destination's. */
static void rename_foreign_key(struct fc_staging *staging, const char *shape_table,
                               struct fc_create_item *item)
{
    char *name = fc_create_sql_constraint_name(item);
    const char *digits = name == NULL ? NULL : server_made(name, shape_table, "_ibfk_");
    if (digits != NULL) {
        item->new_name = fc_asprintf("%s_ibfk_%s", staging->to.table, digits);
    }
    free(name);
}

static fc_code plan_create(struct fc_staging *staging, const struct fc_shape *shape,
                           struct fc_error *err)
{
    fc_code code;
    if (shape->create_sql != NULL) {
        fc_buf_append_text(&staging->create_text, shape->create_sql);
    } else {
        fc_create_sql_from_columns(&staging->create_text, shape);
    }
    code = fc_buf_check(&staging->create_text, "a CREATE TABLE statement", err);
    if (code == FC_OK) {
        code = fc_create_sql_parse(&staging->create, fc_buf_slice(&staging->create_text), err);
    }
    for (uint32_t index = 0; code == FC_OK && index < staging->create.item_count; index++) {
        struct fc_create_item *item = &staging->create.items[index];
        if (item->kind == FC_CREATE_FOREIGN_KEY) {
            rename_foreign_key(staging, shape->table, item);
        } else if (item->kind == FC_CREATE_CHECK &&
                   staging->session->flavor == FC_FLAVOR_MYSQL) {
            code = rename_check(staging, shape->table, item, err);
        }
    }
    return code;
}

static fc_code create_table(struct fc_staging *staging, struct fc_error *err)
{
    struct fc_session *session = staging->session;
    MYSQL_RES *result = NULL;
    struct fc_buf sql;
    fc_code code =
        fc_session_run(session, err, "SET SESSION lock_wait_timeout=%d", LEFTOVER_WAIT_S);
    fc_buf_init(&sql, CREATE_SIZE_MAX);
    if (code == FC_OK) {
        code = fc_session_run(session, err, "DROP TABLE IF EXISTS %s", staging->name.sql);
    }
    if (code == FC_OK) {
        code =
            fc_session_run(session, err, "SET SESSION lock_wait_timeout=10, unique_checks=%d",
                           fc_create_sql_has_unique_inline(&staging->create) ? 1 : 0);
    }
    if (code == FC_OK) {
        fc_create_sql_append_table(&sql, &staging->create, staging->name.db,
                                   staging->name.table);
        code = fc_buf_check(&sql, "a CREATE TABLE statement", err);
    }
    if (code == FC_OK) {
        code = fc_session_query(session, fc_buf_slice(&sql), &result, err);
        staging->created = code == FC_OK;
        if (code == FC_ERR_REJECTED) {
            err->code = FC_ERR_CONFIG;
            code = FC_ERR_CONFIG;
        }
    }
    fc_buf_release(&sql);
    return code == FC_OK ? FC_OK
                         : fc_wrap(err, "create the staging table %s", staging->name.sql);
}

static fc_code learn_columns(struct fc_staging *staging, struct fc_error *err)
{
    struct fc_load_table *columns = &staging->columns;
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    char *sql =
        fc_asprintf("SELECT column_name, extra LIKE '%%auto_increment%%', extra LIKE "
                    "'%%VIRTUAL GENERATED%%' "
                    "OR extra LIKE '%%STORED GENERATED%%' OR extra LIKE '%%PERSISTENT%%' FROM "
                    "information_schema.columns WHERE table_schema=%s AND table_name=%s",
                    staging->name.db_text, staging->name.table_text);
    fc_code code = fc_session_query(staging->session, fc_slice_text(sql), &result, err);
    free(sql);
    while (code == FC_OK && (row = mysql_fetch_row(result)) != NULL) {
        if (row[1] != NULL && row[1][0] == '1') {
            free(columns->counter);
            columns->counter = fc_strdup(row[0]);
        }
        if (row[2] != NULL && row[2][0] == '1') {
            columns->generated = fc_realloc_array(
                columns->generated, columns->generated_count + 1U, sizeof(*columns->generated));
            columns->generated[columns->generated_count++] = fc_strdup(row[0]);
        } else {
            columns->column_count++;
        }
    }
    if (result != NULL) {
        mysql_free_result(result);
    }
    return code;
}

fc_code fc_staging_create(struct fc_staging *staging, struct fc_session *session,
                          const struct fc_load_plan *plan, struct fc_error *err)
{
    struct fc_table_info info;
    char *name = derive_name(plan->table, staging_suffix);
    char *old = derive_name(plan->table, old_suffix);
    fc_code code;
    staging->session = session;
    staging->replace = plan->replace;
    fc_table_name_init(&staging->to, plan->db, plan->table);
    fc_table_name_init(&staging->name, plan->db, name);
    fc_table_name_init(&staging->old, plan->db, old);
    fc_buf_init(&staging->create_text, CREATE_SIZE_MAX);
    free(name);
    free(old);
    code = set_up_session(session, plan->write_binlog, plan->shape->key_count > 0, err);
    if (code == FC_OK) {
        code = use_database(staging, err);
    }
    if (code == FC_OK) {
        code = lock_load(staging, err);
    }
    if (code == FC_OK) {
        code = fc_staging_check_destination(staging, &info, err);
    }
    if (code == FC_OK) {
        code = plan_create(staging, plan->shape, err);
    }
    if (code == FC_OK) {
        code = create_table(staging, err);
    }
    return code == FC_OK ? learn_columns(staging, err) : code;
}

fc_code fc_staging_add_indexes(struct fc_staging *staging, struct fc_error *err)
{
    uint32_t cursor = 0;
    struct fc_buf sql;
    fc_code code = fc_session_run(staging->session, err, "SET SESSION unique_checks=1");
    fc_buf_init(&sql, CREATE_SIZE_MAX);
    while (code == FC_OK &&
           fc_create_sql_append_alter(&sql, &staging->create, FC_CREATE_INDEX, staging->name.db,
                                      staging->name.table, &cursor)) {
        MYSQL_RES *result = NULL;
        code = fc_buf_check(&sql, "an ALTER TABLE statement", err);
        if (code == FC_OK) {
            code = fc_session_query(staging->session, fc_buf_slice(&sql), &result, err);
        }
        fc_buf_clear(&sql);
    }
    fc_buf_release(&sql);
    return code == FC_OK
               ? FC_OK
               : fc_wrap(err, "add the indexes of %s.%s", staging->to.db, staging->to.table);
}

fc_code fc_staging_drop(struct fc_staging *staging, struct fc_session *session,
                        struct fc_error *err)
{
    fc_code code = FC_OK;
    if (staging->created) {
        code = fc_session_run(session, err, "DROP TABLE IF EXISTS %s", staging->name.sql);
        staging->created = code != FC_OK;
    }
    return code;
}

void fc_staging_release(struct fc_staging *staging)
{
    fc_table_name_release(&staging->to);
    fc_table_name_release(&staging->name);
    fc_table_name_release(&staging->old);
    fc_create_sql_release(&staging->create);
    fc_buf_release(&staging->create_text);
    free(staging->columns.counter);
    for (uint32_t index = 0; index < staging->columns.generated_count; index++) {
        free(staging->columns.generated[index]);
    }
    free(staging->columns.generated);
    memset(staging, 0, sizeof(*staging));
}
