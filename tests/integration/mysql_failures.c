/* SPDX-License-Identifier: Apache-2.0 */
/* What a capture does when something is wrong: mysql_failures PLUGIN SERVER_DIR SERVERS_SCRIPT.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"
#include "tests/support/capture_host.h"
#include "tests/support/live_server.h"

static const char *plugin_path;
static struct live_server *server;

enum { OPTIONS_MAX = 16 };

/* Options after the defaults win; ends with NULL. */
static struct capture *prepare(const char *const *more)
{
    char *socket = fc_asprintf("socket=%s", server->socket);
    const char *options[OPTIONS_MAX] = { socket,         "tables=shop.*",
                                         "user=root",    "snapshot=never",
                                         "heartbeat=1s", "connect-timeout=60s" };
    size_t count = 6;
    struct capture *capture;
    for (size_t index = 0; more != NULL && more[index] != NULL; index++) {
        options[count++] = more[index];
    }
    capture = capture_new(plugin_path, options);
    free(socket);
    return capture;
}

static struct capture *start(const char *const *more)
{
    struct capture *capture = prepare(more);
    struct fc_error err;
    if (capture_open(capture, "", &err) != FC_OK) {
        fail_msg("open: %s", err.message);
    }
    return capture;
}

static fc_code read_until_error(struct capture *capture, struct fc_error *err)
{
    fc_code code = FC_OK;
    time_t until = time(NULL) + 30;
    while (code == FC_OK && time(NULL) < until) {
        code = capture_read(capture, 50, err);
    }
    return code;
}

static void assert_says(const struct fc_error *err, const char *text)
{
    if (strstr(err->message, text) == NULL) {
        fail_msg("message \"%s\" does not say \"%s\"", err->message, text);
    }
}

static int fresh_database(void **state)
{
    (void)state;
    live_server_sql(server, "DROP DATABASE IF EXISTS shop");
    live_server_sql(server, "CREATE DATABASE shop");
    live_server_sql(server, "USE shop");
    live_server_sql(server, "CREATE TABLE stock (id INT PRIMARY KEY, n INT)");
    return 0;
}

static void *interrupt_soon(void *ctx)
{
    struct capture *capture = ctx;
    capture_connector(capture)->source->interrupt(capture_source(capture));
    return NULL;
}

static void interrupt_ends_a_waiting_read(void **state)
{
    struct capture *capture = start(NULL);
    struct fc_error err;
    struct timespec begin;
    struct timespec end;
    pthread_t thread;
    fc_code code = FC_OK;
    (void)state;
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, capture), 0);
    while (code == FC_OK) {
        code = capture_read(capture, 20000, &err);
    }
    (void)pthread_join(thread, NULL);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    assert_int_equal(code, FC_ERR_CLOSED);
    assert_true(end.tv_sec - begin.tv_sec < 5);
    assert_int_equal(capture_read(capture, 20000, &err), FC_ERR_CLOSED);
    capture_free(capture);
}

static void a_wrong_password_needs_a_person(void **state)
{
    const char *const options[] = { "user=nobody", "password=wrong-secret", NULL };
    struct capture *capture = prepare(options);
    struct fc_error err;
    (void)state;
    assert_int_equal(capture_open(capture, "", &err), FC_ERR_CONFIG);
    assert_false(err.retriable);
    assert_says(&err, "nobody");
    assert_null(strstr(err.message, "wrong-secret"));
    capture_free(capture);
}

static void missing_grants_need_a_person(void **state)
{
    const char *const options[] = { "user=weak", "password=p", NULL };
    struct capture *capture = prepare(options);
    struct fc_error err;
    (void)state;
    live_server_sql(server, "DROP USER IF EXISTS weak@localhost");
    live_server_sql(server, "CREATE USER weak@localhost IDENTIFIED BY 'p'");
    live_server_sql(server, "GRANT SELECT ON shop.* TO weak@localhost");
    assert_int_equal(capture_open(capture, "", &err), FC_ERR_CONFIG);
    assert_false(err.retriable);
    live_server_sql(server, live_server_is_mariadb(server)
                                ? "GRANT BINLOG MONITOR ON *.* TO weak@localhost"
                                : "GRANT REPLICATION CLIENT ON *.* TO weak@localhost");
    if (capture_open(capture, "", &err) == FC_OK) {
        assert_int_equal(read_until_error(capture, &err), FC_ERR_CONFIG);
    }
    assert_false(err.retriable);
    capture_close(capture);
    live_server_sql(server, "GRANT REPLICATION SLAVE ON *.* TO weak@localhost");
    assert_int_equal(capture_open(capture, "", &err), FC_OK);
    live_server_sql(server, "INSERT INTO stock VALUES (1, 1)");
    capture_until(capture, 1);
    capture_free(capture);
}

static void an_unknown_table_is_named(void **state)
{
    const char *const options[] = { "tables=shop.stock,shop.stok", NULL };
    struct capture *capture = prepare(options);
    struct fc_error err;
    (void)state;
    assert_int_equal(capture_open(capture, "", &err), FC_ERR_CONFIG);
    assert_says(&err, "shop.stok");
    capture_free(capture);
}

static void a_purged_binlog_is_refused(void **state)
{
    struct capture *capture = start(NULL);
    struct fc_error err;
    char *position;
    fc_code code;
    (void)state;
    live_server_sql(server, "INSERT INTO stock VALUES (1, 1)");
    capture_until(capture, 1);
    position = fc_strdup(capture_position(capture));
    capture_close(capture);
    live_server_sql(server, "INSERT INTO stock VALUES (2, 2)");
    live_server_sql(server, "FLUSH BINARY LOGS");
    live_server_sql(server, "INSERT INTO stock VALUES (3, 3)");
    live_server_sql(server, "FLUSH BINARY LOGS");
    if (live_server_is_mariadb(server)) {
        live_server_sql(server, "PURGE BINARY LOGS TO '%s'",
                        live_server_text(server, "SELECT REGEXP_SUBSTR(VARIABLE_VALUE, "
                                                 "'binlog[.][0-9]+') FROM "
                                                 "information_schema.GLOBAL_STATUS WHERE "
                                                 "VARIABLE_NAME='binlog_snapshot_file'"));
    } else {
        live_server_sql(server, "PURGE BINARY LOGS TO '%s'",
                        live_server_text(server, "SHOW BINARY LOG STATUS"));
    }
    code = capture_open(capture, position, &err);
    if (code == FC_OK) {
        code = read_until_error(capture, &err);
    }
    assert_says(&err, "snapshot");
    assert_int_equal(code, FC_ERR_REFUSED);
    assert_false(err.retriable);
    free(position);
    capture_free(capture);
}

static void a_server_id_that_is_taken_is_noticed(void **state)
{
    const char *const options[] = { "server-id=4711", NULL };
    struct capture *first = start(options);
    struct capture *second;
    struct fc_error err;
    (void)state;
    live_server_sql(server, "INSERT INTO stock VALUES (1, 1)");
    capture_until(first, 1); /* the server has begun to serve it */
    second = start(options);
    live_server_sql(server, "INSERT INTO stock VALUES (2, 2)");
    assert_int_equal(read_until_error(first, &err), FC_ERR_CONFIG);
    assert_says(&err, "server-id");
    capture_until(second, 1);
    capture_free(first);
    capture_free(second);
}

static void statements_without_rows_stop_the_capture(void **state)
{
    struct capture *capture = start(NULL);
    struct fc_error err;
    (void)state;
    live_server_sql(server, "SET SESSION binlog_format='STATEMENT'");
    live_server_sql(server, "INSERT INTO stock VALUES (1, 1)");
    live_server_sql(server, "SET SESSION binlog_format='ROW'");
    assert_int_equal(read_until_error(capture, &err), FC_ERR_CONFIG);
    assert_false(err.retriable);
    assert_says(&err, "binlog_format='ROW'");
    assert_says(&err, "binlog.0");
    capture_free(capture);
}

static void wrong_server_settings_are_named(void **state)
{
    struct capture *capture = prepare(NULL);
    struct fc_error err;
    (void)state;
    live_server_sql(server, "SET GLOBAL binlog_row_image='MINIMAL'");
    assert_int_equal(capture_open(capture, "", &err), FC_ERR_CONFIG);
    assert_says(&err, "SET GLOBAL binlog_row_image='FULL'");
    live_server_sql(server, "SET GLOBAL binlog_row_image='FULL'");
    live_server_sql(server, "SET GLOBAL binlog_format='STATEMENT'");
    assert_int_equal(capture_open(capture, "", &err), FC_ERR_CONFIG);
    assert_says(&err, "SET GLOBAL binlog_format='ROW'");
    live_server_sql(server, "SET GLOBAL binlog_format='ROW'");
    capture_free(capture);
}

/* MySQL makes itself a CA and a certificate, which names no host. */
static void tls_does_what_is_asked_for(void **state)
{
    char *port = fc_asprintf("port=%s", server->port);
    char *ca = fc_asprintf("tls-ca=%s/data/ca.pem", server->dir);
    const char *options[] = { "socket=",      port, "user=tls", "password=p",
                              "tls=disabled", NULL, NULL };
    static const struct {
        const char *tls;
        bool with_ca;
        fc_code code;
    } cases[] = {
        { "tls=disabled", false, FC_OK }, /* caching_sha2_password by the server's key */
        { "tls=preferred", false, FC_OK },
        { "tls=required", false, FC_OK },
        { "tls=verify-ca", true, FC_OK },
        { "tls=verify-ca", false, FC_ERR_CONFIG }, /* no system authority made it */
        { "tls=verify-identity", true, FC_ERR_CONFIG },
    };
    (void)state;
    live_server_sql(server, "DROP USER IF EXISTS tls@localhost, tls@'127.0.0.1'");
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        struct capture *capture;
        struct fc_error err;
        fc_code code;
        fc_code wanted = cases[index].code;
        live_server_sql(server, "DROP USER IF EXISTS tls@'127.0.0.1', tls@localhost");
        live_server_sql(server, "CREATE USER tls@'127.0.0.1' IDENTIFIED BY 'p'");
        live_server_sql(server, "CREATE USER tls@localhost IDENTIFIED BY 'p'");
        live_server_sql(server, "GRANT ALL ON *.* TO tls@'127.0.0.1'");
        live_server_sql(server, "GRANT ALL ON *.* TO tls@localhost");
        options[4] = cases[index].tls;
        options[5] = cases[index].with_ca ? ca : NULL;
        capture = prepare(options);
        code = capture_open(capture, "", &err);
        if (live_server_is_mariadb(server)) { /* which has no certificate unless given one */
            wanted = index < 2 ? FC_OK : FC_ERR_CONFIG;
        }
        if (code != wanted || (code != FC_OK && err.retriable)) {
            fail_msg("%s %s CA: code %d %s", cases[index].tls,
                     cases[index].with_ca ? "with" : "without", (int)code,
                     code == FC_OK ? "" : err.message);
        }
        if (code == FC_OK) {
            live_server_sql(server, "REPLACE INTO stock VALUES (1, %zu)", index);
            capture_until(capture, 1);
        }
        capture_free(capture);
    }
    free(port);
    free(ca);
}

/* --- pre-flight --------------------------------------------------------------------------- */

static void note_result(void *ctx, fc_check_result result, const char *what, const char *detail,
                        const char *fix)
{
    static const char *const names[] = { "ok", "warn", "fail" };
    fc_buf_append_fmt(ctx, "[%s %s: %s | %s]\n", names[result], what, detail,
                      fix == NULL ? "-" : fix);
}

static void the_pre_flight_names_what_mends(void **state)
{
    struct capture *capture = prepare(NULL);
    struct fc_buf report;
    struct fc_error err;
    (void)state;
    fc_buf_init(&report, 1 << 20);
    live_server_sql(server, "CREATE TABLE keyless (n INT) ENGINE=MyISAM");
    live_server_sql(server, "CREATE TABLE child (id INT PRIMARY KEY, stock_id INT, FOREIGN KEY "
                            "(stock_id) REFERENCES stock (id) ON DELETE CASCADE)");
    live_server_sql(server, "SET GLOBAL binlog_row_metadata='MINIMAL'");
    assert_int_equal(capture_connector(capture)->source->check(
                         capture_host(capture), fc_slice_null(), note_result, &report, &err),
                     FC_OK);
    live_server_sql(server, "SET GLOBAL binlog_row_metadata='FULL'");
    fc_buf_append_u8(&report, 0);
    print_message("%s", (const char *)report.data);
    assert_non_null(strstr((const char *)report.data, "[ok log_bin: ON | -]"));
    assert_non_null(strstr((const char *)report.data,
                           "[warn binlog_row_metadata: MINIMAL, should be FULL | SET GLOBAL "
                           "binlog_row_metadata = 'FULL']"));
    assert_non_null(
        strstr((const char *)report.data, "[warn tables without key: shop.keyless"));
    assert_non_null(strstr((const char *)report.data, "[warn storage engines: shop.keyless"));
    assert_non_null(
        strstr((const char *)report.data, "[warn cascading foreign keys: shop.child"));
    assert_null(strstr((const char *)report.data, "[fail"));
    fc_buf_release(&report);
    capture_free(capture);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(interrupt_ends_a_waiting_read, fresh_database),
        cmocka_unit_test_setup(a_wrong_password_needs_a_person, fresh_database),
        cmocka_unit_test_setup(missing_grants_need_a_person, fresh_database),
        cmocka_unit_test_setup(an_unknown_table_is_named, fresh_database),
        cmocka_unit_test_setup(a_purged_binlog_is_refused, fresh_database),
        cmocka_unit_test_setup(a_server_id_that_is_taken_is_noticed, fresh_database),
        cmocka_unit_test_setup(statements_without_rows_stop_the_capture, fresh_database),
        cmocka_unit_test_setup(wrong_server_settings_are_named, fresh_database),
        cmocka_unit_test_setup(tls_does_what_is_asked_for, fresh_database),
        cmocka_unit_test_setup(the_pre_flight_names_what_mends, fresh_database),
    };
    int failed;
    if (argc != 4) {
        (void)fprintf(stderr, "usage: %s PLUGIN SERVER_DIR SERVERS_SCRIPT\n", argv[0]);
        return 2;
    }
    plugin_path = argv[1];
    server = live_server_open(argv[2], argv[3]);
    failed = cmocka_run_group_tests_name(server->kind, tests, NULL, NULL);
    live_server_close(server);
    return failed;
}
