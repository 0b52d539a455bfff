/* SPDX-License-Identifier: Apache-2.0 */
/* Forms of the binlog that are rare: mysql_forms PLUGIN SERVER_DIR SERVERS_SCRIPT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Transactions of one, and of many events, and far above a batch. */
static void compressed_transactions_come_as_others(void **state)
{
    struct capture *capture;
    (void)state;
    live_server_sql(server, live_server_is_mariadb(server)
                                ? "SET GLOBAL log_bin_compress=ON"
                                : "SET SESSION binlog_transaction_compression=ON");
    live_server_sql(server, "CREATE TABLE wide (id INT PRIMARY KEY, t TEXT)");
    capture = start(NULL);
    capture_set_limits(capture, 100, 64 * 1024);
    live_server_sql(server, "INSERT INTO stock VALUES (1, 1)");
    live_server_sql(server, "BEGIN");
    for (int id = 0; id < 300; id++) {
        live_server_sql(server, "INSERT INTO wide VALUES (%d, REPEAT('x%d', 1000))", id, id);
    }
    live_server_sql(server, "INSERT INTO stock VALUES (2, 2)");
    live_server_sql(server, "COMMIT");
    live_server_sql(server, "UPDATE wide SET t = CONCAT(t, '!') WHERE id < 10");
    capture_until(capture, 312);
    assert_string_equal(capture_line(capture, 0), "c shop.stock T1#0! {id=1 n=1}");
    assert_string_equal(capture_line(capture, 301), "c shop.stock T2#300! {id=2 n=2}");
    assert_non_null(strstr(capture_line(capture, 311), "T3#9! {id=9 t='x9x9"));
    live_server_sql(server, live_server_is_mariadb(server)
                                ? "SET GLOBAL log_bin_compress=OFF"
                                : "SET SESSION binlog_transaction_compression=OFF");
    capture_free(capture);
}

/* What is not captured is unpacked, too, but must not fill the batch. */
static void huge_transactions_of_other_tables_pass_by(void **state)
{
    struct capture *capture;
    (void)state;
    live_server_sql(server, live_server_is_mariadb(server)
                                ? "SET GLOBAL log_bin_compress=ON"
                                : "SET SESSION binlog_transaction_compression=ON");
    live_server_sql(server, "CREATE DATABASE IF NOT EXISTS elsewhere");
    live_server_sql(server, "CREATE TABLE IF NOT EXISTS elsewhere.wide (id INT, t LONGTEXT)");
    capture = start(NULL);
    live_server_sql(server, "BEGIN");
    live_server_sql(server, "INSERT INTO stock VALUES (1, 1)");
    for (int id = 0; id < 40; id++) { /* 400 MB, far above the hard limit of a batch */
        live_server_sql(server, "INSERT INTO elsewhere.wide VALUES (%d, REPEAT('x', 10000000))",
                        id);
    }
    live_server_sql(server, "INSERT INTO stock VALUES (2, 2)");
    live_server_sql(server, "COMMIT");
    capture_until(capture, 2);
    assert_string_equal(capture_line(capture, 0), "c shop.stock T1#0 {id=1 n=1}");
    assert_string_equal(capture_line(capture, 1), "c shop.stock T1#1! {id=2 n=2}");
    capture_free(capture);
    live_server_sql(server, "DROP DATABASE elsewhere");
    live_server_sql(server, live_server_is_mariadb(server)
                                ? "SET GLOBAL log_bin_compress=OFF"
                                : "SET SESSION binlog_transaction_compression=OFF");
}

static void huge_transactions_stream_through(void **state)
{
    struct capture *capture = start(NULL);
    (void)state;
    capture_set_limits(capture, 1000, 256 * 1024);
    live_server_sql(server, "BEGIN");
    live_server_sql(server, "INSERT INTO stock WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL "
                            "SELECT i + 1 FROM n WHERE i < 1000) SELECT i, i FROM n");
    for (int count = 1000; count < 64000; count *= 2) {
        live_server_sql(server, "INSERT INTO stock SELECT id + %d, n FROM stock", count);
    }
    live_server_sql(server, "COMMIT");
    capture_until(capture, 64000);
    assert_string_equal(capture_line(capture, 0), "c shop.stock T1#0 {id=1 n=1}");
    assert_string_equal(capture_line(capture, 63999),
                        "c shop.stock T1#63999! {id=64000 n=1000}");
    capture_free(capture);
}

static void a_row_larger_than_a_batch_comes(void **state)
{
    struct capture *capture;
    (void)state;
    live_server_sql(server, "CREATE TABLE blobs (id INT PRIMARY KEY, b LONGBLOB)");
    capture = start(NULL);
    capture_set_limits(capture, 1000, 1024 * 1024);
    live_server_sql(server, "SET GLOBAL max_allowed_packet=67108864");
    live_server_sql(server, "INSERT INTO blobs VALUES (1, REPEAT('a', 10000000))");
    live_server_sql(server, "BEGIN");
    live_server_sql(server, "INSERT INTO blobs VALUES (2, REPEAT('b', 12000000))");
    live_server_sql(server, "INSERT INTO blobs VALUES (3, REPEAT('c', 12000000))");
    live_server_sql(server, "COMMIT");
    capture_until(capture, 3);
    assert_int_equal(strlen(capture_line(capture, 2)),
                     strlen("c shop.blobs T2#1! {id=3 b=x''}") + 24000000);
    capture_free(capture);
}

static void keep_query(void *ctx, const struct fc_change *change)
{
    const struct fc_value *query = &change->source[7];
    fc_buf_clear(ctx);
    if (query->kind == FC_VALUE_TEXT) {
        fc_buf_append_slice(ctx, query->as.bytes);
    }
    fc_buf_append_u8(ctx, 0);
}

static void statements_of_rows_come_when_asked_for(void **state)
{
    struct fc_buf query;
    const char *const options[] = { "include-query=true", NULL };
    struct capture *capture;
    (void)state;
    live_server_sql(server, live_server_is_mariadb(server)
                                ? "SET SESSION binlog_annotate_row_events=ON"
                                : "SET SESSION binlog_rows_query_log_events=ON");
    capture = start(options);
    fc_buf_init(&query, 1 << 20);
    capture_on_change(capture, keep_query, &query);
    live_server_sql(server, "INSERT INTO stock VALUES (1, 1) /* mark */");
    capture_until(capture, 1);
    assert_string_equal((const char *)query.data, "INSERT INTO stock VALUES (1, 1) /* mark */");
    fc_buf_release(&query);
    capture_free(capture);
}

static void files_and_positions_do_without_gtids(void **state)
{
    const char *const options[] = { "snapshot=initial", "snapshot-chunk-rows=3", NULL };
    struct capture *capture;
    struct fc_error err;
    char *position;
    char *foreign;
    char *uuid;
    (void)state;
    if (live_server_is_mariadb(server)) {
        return; /* MariaDB always has GTIDs */
    }
    live_server_sql(server, "SET GLOBAL gtid_mode=ON_PERMISSIVE");
    live_server_sql(server, "SET GLOBAL gtid_mode=OFF_PERMISSIVE");
    live_server_sql(server, "SET GLOBAL gtid_mode=OFF");
    live_server_sql(server, "INSERT INTO stock VALUES (100, 1), (101, 1), (102, 1)");
    capture = start(options);
    live_server_sql(server, "INSERT INTO stock VALUES (1, 1)");
    capture_until_caught_up(capture);
    assert_int_equal(capture_count(capture), 4);
    position = fc_strdup(capture_position(capture));
    assert_null(strstr(position, "gtid"));
    live_server_sql(server, "INSERT INTO stock VALUES (2, 2)");
    capture_close(capture);
    capture_clear(capture);
    assert_int_equal(capture_open(capture, position, &err), FC_OK);
    capture_until(capture, 1);
    assert_string_equal(capture_values(capture, 0), "{id=2 n=2}");
    assert_non_null(strstr(capture_tx_id(capture, 2), "binlog.0"));
    capture_close(capture);
    uuid = fc_strdup(live_server_text(server, "SELECT @@server_uuid"));
    foreign = fc_strdup(position);
    memcpy(strstr(foreign, uuid), "00000000", 8);
    assert_int_equal(capture_open(capture, foreign, &err), FC_ERR_REFUSED);
    assert_says(&err, "without GTIDs");
    free(uuid);
    free(foreign);
    free(position);
    capture_free(capture);
    live_server_sql(server, "SET GLOBAL gtid_mode=OFF_PERMISSIVE");
    live_server_sql(server, "SET GLOBAL gtid_mode=ON_PERMISSIVE");
    live_server_sql(server, "SET GLOBAL gtid_mode=ON");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(compressed_transactions_come_as_others, fresh_database),
        cmocka_unit_test_setup(huge_transactions_of_other_tables_pass_by, fresh_database),
        cmocka_unit_test_setup(huge_transactions_stream_through, fresh_database),
        cmocka_unit_test_setup(a_row_larger_than_a_batch_comes, fresh_database),
        cmocka_unit_test_setup(statements_of_rows_come_when_asked_for, fresh_database),
        cmocka_unit_test_setup(files_and_positions_do_without_gtids, fresh_database),
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
