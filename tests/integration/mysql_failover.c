/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From one server to its replica by GTID, and servers that stand still:
 * mysql_failover PLUGIN SERVER_DIR SERVERS_SCRIPT REPLICA_DIR.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "tests/support/capture_host.h"
#include "tests/support/live_server.h"

static const char *plugin_path;
static struct live_server *source;
static struct live_server *replica;

enum { DEADLINE_S = 60 };

static struct capture *prepare(struct live_server *server)
{
    char *socket = fc_asprintf("socket=%s", server->socket);
    const char *const options[] = {
        socket,         "tables=shop.*",       "user=root", "snapshot=never",
        "heartbeat=1s", "connect-timeout=60s", NULL
    };
    struct capture *capture = capture_new(plugin_path, options);
    free(socket);
    return capture;
}

static void open_at(struct capture *capture, const char *position)
{
    struct fc_error err;
    if (capture_open(capture, position, &err) != FC_OK) {
        fail_msg("open: %s", err.message);
    }
}

static void follow(void)
{
    live_server_sql(source, "CREATE USER IF NOT EXISTS repl@localhost IDENTIFIED BY 'p'");
    live_server_sql(source, "CREATE USER IF NOT EXISTS repl@'127.0.0.1' IDENTIFIED BY 'p'");
    live_server_sql(source, "GRANT REPLICATION SLAVE ON *.* TO repl@localhost");
    live_server_sql(source, "GRANT REPLICATION SLAVE ON *.* TO repl@'127.0.0.1'");
    if (live_server_is_mariadb(source)) {
        live_server_sql(replica,
                        "CHANGE MASTER TO master_host='127.0.0.1', master_port=%s, "
                        "master_user='repl', master_password='p', master_use_gtid=slave_pos",
                        source->port);
        live_server_sql(replica, "START SLAVE");
    } else {
        live_server_sql(replica,
                        "CHANGE REPLICATION SOURCE TO source_host='127.0.0.1', source_port=%s, "
                        "source_user='repl', source_password='p', get_source_public_key=1, "
                        "source_auto_position=1",
                        source->port);
        live_server_sql(replica, "START REPLICA");
    }
}

/* Until the replica has all that the source has. */
static void await_replica(void)
{
    time_t until = time(NULL) + DEADLINE_S;
    const char *sql =
        live_server_is_mariadb(source) ? "SELECT @@gtid_binlog_pos" : "SELECT @@gtid_executed";
    char *wanted = fc_strdup(live_server_text(source, sql));
    while (strcmp(live_server_text(replica, sql), wanted) != 0) {
        if (time(NULL) > until) {
            fail_msg("the replica has %s, not %s", live_server_text(replica, sql), wanted);
        }
    }
    free(wanted);
}

static void a_replica_takes_over(void **state)
{
    struct capture *from_source = prepare(source);
    struct capture *from_replica = prepare(replica);
    struct fc_error err;
    char *position;
    fc_code code;
    (void)state;
    follow();
    live_server_sql(replica, "FLUSH BINARY LOGS"); /* its files shall not match the source's */
    live_server_sql(replica, "FLUSH BINARY LOGS");
    live_server_sql(source, "CREATE DATABASE shop");
    live_server_sql(source, "CREATE TABLE shop.stock (id INT PRIMARY KEY, n INT)");
    open_at(from_source, "");
    for (int id = 1; id <= 3; id++) {
        live_server_sql(source, "INSERT INTO shop.stock VALUES (%d, %d)", id, id);
    }
    capture_until(from_source, 3);
    position = fc_strdup(capture_position(from_source));
    live_server_sql(source, "INSERT INTO shop.stock VALUES (4, 4)");
    await_replica();
    live_server_sql(replica, live_server_is_mariadb(source) ? "STOP SLAVE" : "STOP REPLICA");
    live_server_sql(source, "INSERT INTO shop.stock VALUES (100, 100)"); /* never replicated */
    capture_until(from_source, 5);
    live_server_sql(replica, "INSERT INTO shop.stock VALUES (5, 5)");
    open_at(from_replica, position);
    capture_until(from_replica, 2);
    assert_string_equal(capture_line(from_replica, 0), "c shop.stock T1#0! {id=4 n=4}");
    assert_string_equal(capture_line(from_replica, 1), "c shop.stock T2#0! {id=5 n=5}");
    capture_close(from_replica);
    /* What the replica never got cannot be gone on from there. */
    code = capture_open(from_replica, capture_position(from_source), &err);
    while (code == FC_OK) {
        code = capture_read(from_replica, 50, &err);
    }
    assert_int_equal(code, FC_ERR_REFUSED);
    assert_false(err.retriable);
    free(position);
    capture_free(from_source);
    capture_free(from_replica);
}

static pid_t pid_of(const struct live_server *server)
{
    char path[300];
    int pid = 0;
    FILE *file;
    (void)snprintf(path, sizeof(path), "%s/pid", server->dir);
    file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    (void)fclose(file);
    return pid;
}

static pid_t parent_of(pid_t pid)
{
    char path[64];
    int parent = 0;
    FILE *file;
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d (%*[^)]) %*c %d", &parent), 1);
    (void)fclose(file);
    return parent;
}

static void a_server_that_stands_still_is_noticed(void **state)
{
    struct capture *capture = prepare(source);
    struct fc_error err;
    fc_code code = FC_OK;
    time_t begin;
    (void)state;
    open_at(capture, "");
    live_server_sql(source, "REPLACE INTO shop.stock VALUES (7, 7)");
    capture_until(capture, 1);
    assert_int_equal(kill(pid_of(source), SIGSTOP), 0);
    begin = time(NULL);
    while (code == FC_OK && time(NULL) - begin < DEADLINE_S) {
        code = capture_read(capture, 100, &err);
    }
    assert_int_equal(kill(pid_of(source), SIGCONT), 0);
    /* A runuser that started the server has stopped with it. */
    (void)kill(parent_of(pid_of(source)), SIGCONT); /* another parent may not be ours */
    assert_int_not_equal(code, FC_OK);
    assert_true(err.retriable);
    assert_true(time(NULL) - begin <= 30);
    capture_free(capture);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replica_takes_over),
        cmocka_unit_test(a_server_that_stands_still_is_noticed),
    };
    int failed;
    if (argc != 5) {
        (void)fprintf(stderr, "usage: %s PLUGIN SERVER_DIR SERVERS_SCRIPT REPLICA_DIR\n",
                      argv[0]);
        return 2;
    }
    plugin_path = argv[1];
    source = live_server_open(argv[2], argv[3]);
    replica = live_server_open(argv[4], argv[3]);
    failed = cmocka_run_group_tests_name(source->kind, tests, NULL, NULL);
    live_server_close(source);
    live_server_close(replica);
    return failed;
}
