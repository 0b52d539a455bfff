/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of a real server: mysql_stream PLUGIN SERVER_DIR SERVERS_SCRIPT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "tests/support/capture_host.h"
#include "tests/support/live_server.h"

static const char *plugin_path;
static struct live_server *server;

static struct capture *start(const char *tables)
{
    char *socket = fc_asprintf("socket=%s", server->socket);
    char *list = fc_asprintf("tables=%s", tables);
    const char *const options[] = {
        socket, list, "user=root", "snapshot=never", "heartbeat=1s", "connect-timeout=60s", NULL
    };
    struct capture *capture = capture_new(plugin_path, options);
    struct fc_error err;
    if (capture_open(capture, "", &err) != FC_OK) {
        fail_msg("open: %s", err.message);
    }
    free(socket);
    free(list);
    return capture;
}

static void reopen(struct capture *capture, const char *position)
{
    char *from = fc_strdup(position);
    struct fc_error err;
    capture_close(capture);
    if (capture_open(capture, from, &err) != FC_OK) {
        fail_msg("open: %s", err.message);
    }
    free(from);
}

/* An empty database for each test. */
static int fresh_database(void **state)
{
    (void)state;
    live_server_sql(server, "DROP DATABASE IF EXISTS shop");
    live_server_sql(server, "CREATE DATABASE shop");
    live_server_sql(server, "USE shop");
    live_server_sql(server, "CREATE TABLE item (id INT PRIMARY KEY, name VARCHAR(20))");
    live_server_sql(server, "CREATE TABLE stock (id INT PRIMARY KEY, n INT)");
    return 0;
}

static void rows_come_with_before_and_after(void **state)
{
    struct capture *capture = start("shop.*");
    (void)state;
    live_server_sql(server, "INSERT INTO item VALUES (1, 'pen'), (2, 'ink')");
    live_server_sql(server, "UPDATE item SET name = 'nib' WHERE id = 2");
    live_server_sql(server, "DELETE FROM item WHERE id = 1");
    capture_until(capture, 4);
    assert_string_equal(capture_line(capture, 0), "c shop.item T1#0 {id=1 name='pen'}");
    assert_string_equal(capture_line(capture, 1), "c shop.item T1#1! {id=2 name='ink'}");
    assert_string_equal(capture_line(capture, 2),
                        "u shop.item T2#0! {id=2 name='ink'} {id=2 name='nib'}");
    assert_string_equal(capture_line(capture, 3), "d shop.item T3#0! {id=1 name='pen'}");
    capture_free(capture);
}

static void a_transaction_over_tables_is_one(void **state)
{
    struct capture *capture = start("shop.*");
    (void)state;
    live_server_sql(server, "BEGIN");
    live_server_sql(server, "INSERT INTO item VALUES (1, 'pen')");
    live_server_sql(server, "INSERT INTO stock VALUES (1, 5)");
    live_server_sql(server, "UPDATE stock SET n = 4");
    live_server_sql(server, "COMMIT");
    live_server_sql(server, "BEGIN");
    live_server_sql(server, "INSERT INTO item VALUES (9, 'never')");
    live_server_sql(server, "ROLLBACK");
    live_server_sql(server, "INSERT INTO stock VALUES (2, 1)");
    capture_until(capture, 4);
    assert_string_equal(capture_line(capture, 0), "c shop.item T1#0 {id=1 name='pen'}");
    assert_string_equal(capture_line(capture, 1), "c shop.stock T1#1 {id=1 n=5}");
    assert_string_equal(capture_line(capture, 2), "u shop.stock T1#2! {id=1 n=5} {id=1 n=4}");
    assert_string_equal(capture_line(capture, 3), "c shop.stock T2#0! {id=2 n=1}");
    capture_free(capture);
}

static void tables_left_out_do_not_come(void **state)
{
    struct capture *capture = start("shop.stock");
    (void)state;
    live_server_sql(server, "BEGIN");
    live_server_sql(server, "INSERT INTO stock VALUES (1, 5)");
    live_server_sql(server, "INSERT INTO item VALUES (1, 'pen')");
    live_server_sql(server, "COMMIT");
    live_server_sql(server, "INSERT INTO item VALUES (2, 'ink')");
    live_server_sql(server, "CREATE TABLE item2 (id INT PRIMARY KEY)");
    live_server_sql(server, "INSERT INTO stock VALUES (2, 1)");
    capture_until(capture, 2);
    assert_string_equal(capture_line(capture, 0), "c shop.stock T1#0! {id=1 n=5}");
    assert_string_equal(capture_line(capture, 1), "c shop.stock T2#0! {id=2 n=1}");
    capture_free(capture);
}

static void statements_on_tables_come_in_order(void **state)
{
    struct capture *capture = start("shop.*");
    (void)state;
    live_server_sql(server, "INSERT INTO item VALUES (1, 'pen')");
    live_server_sql(server, "ALTER TABLE item ADD COLUMN price DECIMAL(8,2) DEFAULT 1.50");
    live_server_sql(server, "INSERT INTO item VALUES (2, 'ink', 3)");
    live_server_sql(server, "TRUNCATE TABLE item");
    live_server_sql(server, "RENAME TABLE item TO article");
    live_server_sql(server, "INSERT INTO article VALUES (3, 'nib', NULL)");
    live_server_sql(server, "DROP TABLE article");
    capture_until(capture, 7);
    assert_string_equal(capture_line(capture, 0), "c shop.item T1#0! {id=1 name='pen'}");
    assert_string_equal(
        capture_line(capture, 1),
        "s shop. T2#0! ALTER TABLE item ADD COLUMN price DECIMAL(8,2) DEFAULT 1.50");
    assert_string_equal(capture_line(capture, 2),
                        "c shop.item T3#0! {id=2 name='ink' price='3.00'}");
    assert_string_equal(capture_line(capture, 3), "t shop.item T4#0!");
    assert_string_equal(capture_line(capture, 4), "s shop. T5#0! RENAME TABLE item TO article");
    assert_string_equal(capture_line(capture, 5),
                        "c shop.article T6#0! {id=3 name='nib' price=null}");
    assert_non_null(strstr(capture_line(capture, 6), "s shop. T7#0! DROP TABLE `article`"));
    capture_free(capture);
}

/* Small batches, so that reads end within transactions and within events. */
static void every_batch_size_gives_the_same_changes(void **state)
{
    struct capture *whole = start("shop.*");
    (void)state;
    live_server_sql(server, "BEGIN");
    live_server_sql(server, "INSERT INTO item VALUES (1,'a'),(2,'b'),(3,'c'),(4,'d'),(5,'e')");
    live_server_sql(server, "UPDATE item SET name = CONCAT(name, '!') WHERE id > 2");
    live_server_sql(server, "COMMIT");
    live_server_sql(server, "INSERT INTO stock VALUES (1, 1)");
    capture_until(whole, 9);
    for (uint32_t count_max = 1; count_max <= 6; count_max++) {
        char *from = fc_strdup("");
        struct capture *parts = start("shop.*");
        free(from);
        capture_set_limits(parts, count_max, 4096);
        live_server_sql(server, "DELETE FROM item");
        live_server_sql(server, "DELETE FROM stock");
        capture_until(parts, 6);
        capture_clear(parts);
        live_server_sql(server, "BEGIN");
        live_server_sql(server,
                        "INSERT INTO item VALUES (1,'a'),(2,'b'),(3,'c'),(4,'d'),(5,'e')");
        live_server_sql(server, "UPDATE item SET name = CONCAT(name, '!') WHERE id > 2");
        live_server_sql(server, "COMMIT");
        live_server_sql(server, "INSERT INTO stock VALUES (1, 1)");
        capture_until(parts, 9);
        for (size_t index = 0; index < 9; index++) {
            const char *a = strchr(capture_line(whole, index), '#');
            const char *b = strchr(capture_line(parts, index), '#');
            assert_string_equal(a, b);
        }
        capture_free(parts);
    }
    capture_free(whole);
}

static void capture_goes_on_from_every_position(void **state)
{
    struct capture *capture = start("shop.*");
    char *positions[8];
    (void)state;
    for (int index = 0; index < 8; index++) {
        live_server_sql(server, "INSERT INTO stock VALUES (%d, 0), (%d, 0)", index,
                        index + 100);
        capture_until(capture, (size_t)(index + 1) * 2);
        positions[index] = fc_strdup(capture_position(capture));
    }
    for (int index = 0; index < 8; index++) {
        capture_clear(capture);
        reopen(capture, positions[index]);
        capture_until_caught_up(capture);
        assert_int_equal(capture_count(capture), (7 - index) * 2);
        if (index < 7) {
            char *values = fc_asprintf("{id=%d n=0}", index + 1);
            assert_string_equal(capture_values(capture, 0), values);
            free(values);
        }
        free(positions[index]);
    }
    capture_free(capture);
}

static void capture_goes_on_after_the_server_was_killed(void **state)
{
    struct capture *capture = start("shop.*");
    struct fc_error err;
    fc_code code = FC_OK;
    char *position;
    (void)state;
    live_server_sql(server, "INSERT INTO stock VALUES (1, 1)");
    capture_until(capture, 1);
    position = fc_strdup(capture_position(capture));
    live_server_sql(server, "INSERT INTO stock VALUES (2, 2)");
    live_server_control(server, "kill");
    while (code == FC_OK) {
        code = capture_read(capture, 100, &err);
    }
    assert_true(err.retriable);
    capture_clear(capture);
    capture_close(capture);
    code = capture_open(capture, position, &err);
    assert_int_not_equal(code, FC_OK);
    assert_true(err.retriable);
    live_server_control(server, "again");
    live_server_sql(server, "INSERT INTO shop.stock VALUES (3, 3)");
    live_server_sql(server, "USE shop");
    reopen(capture, position);
    capture_until(capture, 2);
    assert_string_equal(capture_values(capture, 0), "{id=2 n=2}");
    assert_string_equal(capture_values(capture, 1), "{id=3 n=3}");
    free(position);
    capture_free(capture);
}

static void xa_transactions_come_when_they_are_committed(void **state)
{
    struct capture *capture = start("shop.*");
    MYSQL *other = live_server_connect(server);
    (void)state;
    capture_set_limits(capture, 2, 4096);
    live_server_run(other, "USE shop");
    live_server_run(other, "XA START 'one', 'branch', 7");
    live_server_run(other, "INSERT INTO stock VALUES (1, 1), (2, 2), (3, 3), (4, 4)");
    live_server_run(other, "XA END 'one', 'branch', 7");
    live_server_run(other, "XA PREPARE 'one', 'branch', 7");
    mysql_close(other); /* MariaDB keeps a prepared one to its connection until that ends */
    live_server_sql(server, "XA START 'two'");
    live_server_sql(server, "INSERT INTO item VALUES (9, 'undone')");
    live_server_sql(server, "XA END 'two'");
    live_server_sql(server, "XA PREPARE 'two'");
    live_server_sql(server, "XA ROLLBACK 'two'");
    live_server_sql(server, "INSERT INTO item VALUES (1, 'between')");
    capture_until(capture, 1);
    assert_string_equal(capture_line(capture, 0), "c shop.item T1#0! {id=1 name='between'}");
    reopen(capture, capture_position(capture)); /* the prepared one must not be lost by that */
    live_server_sql(server, "XA COMMIT 'one', 'branch', 7");
    live_server_sql(server, "XA START 'three'");
    live_server_sql(server, "INSERT INTO stock VALUES (5, 5)");
    live_server_sql(server, "XA END 'three'");
    live_server_sql(server, "XA COMMIT 'three' ONE PHASE");
    if (live_server_is_mariadb(server)) { /* whose positions cannot leave it out */
        capture_until(capture, 7);
        assert_string_equal(capture_line(capture, 1), capture_line(capture, 0));
    } else {
        capture_until(capture, 6);
    }
    assert_string_equal(capture_line(capture, capture_count(capture) - 5),
                        "c shop.stock T2#0 {id=1 n=1}");
    assert_string_equal(capture_line(capture, capture_count(capture) - 2),
                        "c shop.stock T2#3! {id=4 n=4}");
    assert_string_equal(capture_line(capture, capture_count(capture) - 1),
                        "c shop.stock T3#0! {id=5 n=5}");
    capture_clear(capture);
    reopen(capture, capture_position(capture));
    capture_until_caught_up(capture);
    assert_int_equal(capture_count(capture), 0);
    capture_free(capture);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(rows_come_with_before_and_after, fresh_database),
        cmocka_unit_test_setup(a_transaction_over_tables_is_one, fresh_database),
        cmocka_unit_test_setup(tables_left_out_do_not_come, fresh_database),
        cmocka_unit_test_setup(statements_on_tables_come_in_order, fresh_database),
        cmocka_unit_test_setup(every_batch_size_gives_the_same_changes, fresh_database),
        cmocka_unit_test_setup(capture_goes_on_from_every_position, fresh_database),
        cmocka_unit_test_setup(xa_transactions_come_when_they_are_committed, fresh_database),
        cmocka_unit_test_setup(capture_goes_on_after_the_server_was_killed, fresh_database),
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
