/* SPDX-License-Identifier: Apache-2.0 */
/* The snapshot of a real server: mysql_snapshot PLUGIN SERVER_DIR SERVERS_SCRIPT. */
#include <pthread.h>
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
#include "core/base/hashmap.h"
#include "tests/support/capture_host.h"
#include "tests/support/live_server.h"

static const char *plugin_path;
static struct live_server *server;

static struct capture *start(const char *tables, const char *more)
{
    char *socket = fc_asprintf("socket=%s", server->socket);
    char *list = fc_asprintf("tables=%s", tables);
    const char *const options[] = { socket,
                                    list,
                                    "user=root",
                                    "heartbeat=1s",
                                    "connect-timeout=60s",
                                    more == NULL ? "snapshot=initial" : more,
                                    NULL };
    struct capture *capture = capture_new(plugin_path, options);
    struct fc_error err;
    if (capture_open(capture, "", &err) != FC_OK) {
        fail_msg("open: %s", err.message);
    }
    free(socket);
    free(list);
    return capture;
}

static void reopen(struct capture *capture)
{
    char *from = fc_strdup(capture_position(capture));
    struct fc_error err;
    capture_close(capture);
    if (capture_open(capture, from, &err) != FC_OK) {
        fail_msg("open: %s", err.message);
    }
    free(from);
}

static int fresh_database(void **state)
{
    (void)state;
    live_server_sql(server, "DROP DATABASE IF EXISTS shop");
    live_server_sql(server, "CREATE DATABASE shop");
    live_server_sql(server, "USE shop");
    return 0;
}

static void fill(const char *table, int count)
{
    live_server_sql(server, "BEGIN");
    for (int id = 1; id <= count; id++) {
        live_server_sql(server, "INSERT INTO %s VALUES (%d, 'row %d')", table, id, id);
    }
    live_server_sql(server, "COMMIT");
}

static void all_rows_come_once_and_the_last_is_marked(void **state)
{
    struct capture *capture;
    (void)state;
    live_server_sql(server, "CREATE TABLE a (id INT PRIMARY KEY, name VARCHAR(20))");
    live_server_sql(server, "CREATE TABLE b (id INT PRIMARY KEY, name VARCHAR(20))");
    live_server_sql(server, "CREATE TABLE c (id INT PRIMARY KEY, name VARCHAR(20))");
    fill("a", 10);
    fill("c", 2);
    capture = start("shop.*", "snapshot-chunk-rows=3");
    capture_until_caught_up(capture);
    assert_int_equal(capture_count(capture), 13);
    for (size_t index = 0; index < 10; index++) {
        char *line = fc_asprintf("%s shop.a -#%zu {id=%zu name='row %zu'}",
                                 index == 9 ? "re" : "r", index, index + 1, index + 1);
        assert_string_equal(capture_line(capture, index), line);
        free(line);
    }
    assert_string_equal(capture_line(capture, 10), "rE shop.b -#0");
    assert_string_equal(capture_line(capture, 11), "r shop.c -#0 {id=1 name='row 1'}");
    assert_string_equal(capture_line(capture, 12), "re shop.c -#1 {id=2 name='row 2'}");
    live_server_sql(server, "INSERT INTO b VALUES (7, 'after')");
    capture_until(capture, 14);
    assert_string_equal(capture_line(capture, 13), "c shop.b T1#0! {id=7 name='after'}");
    capture_free(capture);
}

static void an_interrupted_snapshot_goes_on_at_the_next_chunk(void **state)
{
    struct capture *capture;
    struct fc_error err;
    size_t reads = 0;
    (void)state;
    live_server_sql(server, "CREATE TABLE a (id INT PRIMARY KEY, name VARCHAR(20))");
    live_server_sql(server,
                    "CREATE TABLE b (id INT, name VARCHAR(20), PRIMARY KEY (name, id))");
    fill("a", 40);
    fill("b", 40);
    capture = start("shop.*", "snapshot-chunk-rows=7");
    while (reads++ < 500) {
        if (capture_read(capture, 20, &err) != FC_OK) {
            fail_msg("read: %s", err.message);
        }
        if (capture_count(capture) >= 80) {
            break;
        }
        reopen(capture);
    }
    capture_until_caught_up(capture);
    assert_int_equal(capture_count(capture), 80);
    assert_string_equal(capture_values(capture, 0), "{id=1 name='row 1'}");
    assert_string_equal(capture_values(capture, 39), "{id=40 name='row 40'}");
    assert_string_equal(capture_values(capture, 40), "{id=1 name='row 1'}");
    assert_string_equal(capture_values(capture, 41), "{id=10 name='row 10'}");
    assert_string_equal(capture_values(capture, 79), "{id=9 name='row 9'}");
    capture_free(capture);
}

static void a_table_without_key_is_read_whole(void **state)
{
    struct capture *capture;
    (void)state;
    live_server_sql(server, "CREATE TABLE log (line VARCHAR(20))");
    live_server_sql(server, "INSERT INTO log VALUES ('a'), ('a'), ('b')");
    capture = start("shop.*", NULL);
    live_server_sql(server, "INSERT INTO log VALUES ('c')");
    capture_until_caught_up(capture);
    live_server_sql(server, "INSERT INTO log VALUES ('d')");
    capture_until(capture, 6);
    assert_string_equal(capture_line(capture, 0), "c shop.log T1#0! {line='c'}");
    assert_string_equal(capture_line(capture, 1), "r shop.log -#0 {line='a'}");
    assert_string_equal(capture_line(capture, 4), "re shop.log -#3 {line='c'}");
    assert_string_equal(capture_line(capture, 5), "c shop.log T2#0! {line='d'}");
    capture_free(capture);
}

static void every_kind_of_key_is_walked(void **state)
{
    static const char *const types[] = {
        "BIGINT UNSIGNED",  "DECIMAL(20,3)",
        "DOUBLE",           "FLOAT",
        "VARCHAR(30)",      "VARBINARY(20)",
        "BINARY(8)",        "DATE",
        "DATETIME(6)",      "TIMESTAMP(3)",
        "TIME(2)",          "YEAR",
        "BIT(40)",          "ENUM('z','y','x','w','v','u','t')",
        "SET('c','b','a')", "CHAR(9) CHARACTER SET latin1",
    };
    static const char *const values[] = {
        "0, 18446744073709551615, 9223372036854775808, 5, 6, 7",
        "-5.5, 0, 0.001, 99999999999999999.999, 7, 8",
        "-1e300, -0.1, 0, 0.1, 3.3, 1e-300",
        "-1.1, 0.1, 0.2, 0.3, 1e30, 7",
        "'', 'a', 'B', 'it''s', '\\\\', 'zz\\0z'",
        "'', 'a', x'00', x'0000', x'ff', x'27'",
        "'', 'a', x'01', x'0001', x'ff', x'27'",
        "'0000-00-00', '1970-01-01', '2024-02-29', '9999-12-31', '2024-00-00', '1000-01-01'",
        "'0000-00-00', '1970-01-01', '2024-02-29 23:59:59.999999', '9999-12-31 00:00:00', "
        "'2024-02-29 23:59:59.999998', '2024-00-10 00:00:00'",
        "'0000-00-00', '1970-01-02', '2024-02-29 23:59:59.999', '2024-10-27 01:30:00', "
        "'2024-10-27 02:30:00', '2024-10-27 02:30:00.5'",
        "'-838:59:59', '-00:00:00.01', '00:00:00', '12:00:00.5', '838:59:59', '1:00:00'",
        "0, 1901, 2155, 2000, 2001, 1999",
        "0, 1, 255, 256, 1099511627775, 7",
        "'z', 'y', 'x', 'w', 'v', 'u'",
        "'', 'a', 'b', 'c', 'a,b', 'a,b,c'",
        "'', 'a', 'ä', 'ö', 'ss', 'zz'",
    };
    (void)state;
    live_server_sql(server, "SET sql_mode=''");
    for (size_t index = 0; index < sizeof(types) / sizeof(types[0]); index++) {
        struct capture *capture;
        char *list = fc_strdup(values[index]);
        live_server_sql(server, "DROP TABLE IF EXISTS k");
        live_server_sql(server, "CREATE TABLE k (id INT, k %s NOT NULL, PRIMARY KEY (k, id))",
                        types[index]);
        for (char *at = list; at != NULL;) {
            char *comma = strstr(at, ", ");
            if (comma != NULL) {
                *comma = '\0';
            }
            live_server_sql(server, "INSERT INTO k VALUES (1, %s), (2, %s)", at, at);
            at = comma == NULL ? NULL : comma + 2;
        }
        free(list);
        capture = start("shop.k", "snapshot-chunk-rows=1");
        capture_until_caught_up(capture);
        if (capture_count(capture) != 13) { /* 12 rows, and the end that needs an empty chunk */
            for (size_t line = 0; line < capture_count(capture); line++) {
                print_message("%s\n", capture_line(capture, line));
            }
            fail_msg("key %s: %zu rows", types[index], capture_count(capture));
        }
        capture_free(capture);
    }
}

/* --- under load --------------------------------------------------------------------------- */

struct load {
    MYSQL *mysql;
    unsigned seed;
    bool ddl;
    int statements;
};

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245U + 12345U;
    return *seed >> 8;
}

static void *run_load(void *ctx)
{
    struct load *load = ctx;
    (void)mysql_thread_init();
    for (int count = 0; count < load->statements; count++) {
        unsigned id = next_random(&load->seed) % 3000;
        switch (next_random(&load->seed) % 8) {
        case 0:
            live_server_run(load->mysql, "DELETE FROM shop.busy WHERE id = %u", id);
            break;
        case 1:
            live_server_run(load->mysql,
                            "UPDATE IGNORE shop.busy SET id = id + 1 WHERE id = %u", id);
            break;
        case 2:
            live_server_run(load->mysql, "REPLACE INTO shop.busy (id, name) VALUES (%u, 'r%d')",
                            id, count);
            break;
        case 3:
            live_server_run(load->mysql, "INSERT INTO shop.lines VALUES ('l%d')", count);
            break;
        case 4:
            live_server_run(load->mysql, "DELETE FROM shop.lines WHERE line = 'l%u' LIMIT 1",
                            id % 500);
            break;
        default:
            live_server_run(load->mysql,
                            "UPDATE shop.busy SET name = 'u%d' WHERE id BETWEEN %u AND %u",
                            count, id, id + 3);
            break;
        }
        if (load->ddl && count % 97 == 96) {
            if (count % 2 == 0) {
                live_server_run(load->mysql, "TRUNCATE TABLE shop.busy");
            }
            live_server_run(load->mysql, "ALTER TABLE shop.busy ADD COLUMN extra INT FIRST");
            live_server_run(load->mysql, "ALTER TABLE shop.busy DROP COLUMN extra");
        }
    }
    mysql_thread_end();
    return NULL;
}

/* What the changes make of a table: rows as text, with how often each is there. */
struct folded {
    struct fc_hashmap rows;  /* "lines {..." -> count */
    struct fc_hashmap keyed; /* "{id=7" -> the row */
};

static void add_row(struct folded *folded, const char *table, const char *values, size_t len,
                    intptr_t by)
{
    char *key = fc_asprintf("%s %.*s", table, (int)len, values);
    struct fc_slice slice = fc_slice_text(key);
    intptr_t count = (intptr_t)fc_hashmap_get(&folded->rows, slice) + by;
    if (count == 0) {
        (void)fc_hashmap_remove(&folded->rows, slice);
    } else {
        (void)fc_hashmap_put(&folded->rows, slice, (void *)count);
    }
    free(key);
}

/* Forget the rows whose text begins so. */
static void drop_rows(struct folded *folded, const char *prefix)
{
    struct fc_hashmap kept;
    size_t cursor = 0;
    struct fc_slice key;
    void *value = NULL;
    fc_hashmap_init(&kept);
    while (fc_hashmap_next(&folded->rows, &cursor, &key, &value)) {
        if (key.len < strlen(prefix) || memcmp(key.data, prefix, strlen(prefix)) != 0) {
            (void)fc_hashmap_put(&kept, key, value);
        }
    }
    fc_hashmap_release(&folded->rows, NULL);
    folded->rows = kept;
}

/* By key: the rows of a keyed table stand in `keyed` under their id. */
static void fold_keyed(struct folded *folded, const char *line, const char *first,
                       const char *last)
{
    if (line[0] == 'u' || line[0] == 'd') {
        free(fc_hashmap_remove(&folded->keyed, fc_slice_of(first, strcspn(first, " "))));
    }
    if (line[0] != 'd') {
        free(fc_hashmap_put(&folded->keyed, fc_slice_of(last, strcspn(last, " ")),
                            fc_strdup(last)));
    }
}

/* The column that comes and goes is always NULL. */
static char *without_extra(const char *line)
{
    static const char extra[] = "extra=null ";
    struct fc_buf out;
    char *text;
    fc_buf_init(&out, 1 << 20);
    while (*line != '\0') {
        const char *at = strstr(line, extra);
        size_t len = at == NULL ? strlen(line) : (size_t)(at - line);
        fc_buf_append(&out, line, len);
        line += len + (at == NULL ? 0 : strlen(extra));
    }
    text = fc_strndup((const char *)out.data, out.len);
    fc_buf_release(&out);
    return text;
}

static void fold_line(struct folded *folded, const char *line)
{
    const char *first = strchr(line, '{');
    const char *second = first == NULL ? NULL : strstr(first, "} {");
    const char *last = second == NULL ? first : second + 2;
    if (line[0] == 't') {
        fc_hashmap_release(&folded->keyed, free);
        fc_hashmap_init(&folded->keyed);
        return;
    }
    if (first == NULL || line[0] == 's') {
        return;
    }
    if (strstr(line, " shop.busy ") != NULL) {
        fold_keyed(folded, line, first, last);
        return;
    }
    if (line[0] == 'r' && strstr(line, "-#0 ") != NULL) {
        drop_rows(folded, "lines "); /* the table's snapshot begins anew */
    }
    if (line[0] == 'd') {
        add_row(folded, "lines", first, strlen(first), -1);
    } else {
        add_row(folded, "lines", last, strlen(last), 1);
    }
}

static void merge_keyed(struct folded *folded)
{
    size_t cursor = 0;
    struct fc_slice key;
    void *value = NULL;
    while (fc_hashmap_next(&folded->keyed, &cursor, &key, &value)) {
        add_row(folded, "busy", value, strlen(value), 1);
    }
    fc_hashmap_release(&folded->keyed, free);
}

static void compare_with_server(struct capture *capture)
{
    struct folded folded = { 0 };
    MYSQL_RES *result;
    MYSQL_ROW row;
    size_t rows = 0;
    fc_hashmap_init(&folded.rows);
    fc_hashmap_init(&folded.keyed);
    for (size_t index = 0; index < capture_count(capture); index++) {
        char *line = without_extra(capture_line(capture, index));
        fold_line(&folded, line);
        free(line);
    }
    merge_keyed(&folded);
    live_server_run(server->mysql, "USE shop");
    assert_int_equal(
        mysql_query(server->mysql,
                    "SELECT CONCAT('busy {id=', id, ' name=''', name, '''}') t, 1 FROM busy "
                    "UNION ALL SELECT CONCAT('lines {line=''', line, '''}'), COUNT(*) FROM "
                    "`lines` GROUP BY line"),
        0);
    result = mysql_store_result(server->mysql);
    while ((row = mysql_fetch_row(result)) != NULL) {
        intptr_t count = (intptr_t)fc_hashmap_get(&folded.rows, fc_slice_text(row[0]));
        if (count != strtol(row[1], NULL, 10)) {
            fail_msg("%s: %ld captured, %s on the server", row[0], (long)count, row[1]);
        }
        rows++;
    }
    mysql_free_result(result);
    assert_int_equal(folded.rows.count, rows);
    fc_hashmap_release(&folded.rows, NULL);
}

static void snapshot_under(bool ddl)
{
    struct load loads[2] = { { .seed = 7, .ddl = ddl, .statements = 1500 },
                             { .seed = 99, .statements = 1500 } };
    pthread_t threads[2];
    struct capture *capture;
    struct fc_error err;
    live_server_sql(server, "CREATE TABLE busy (id INT PRIMARY KEY, name VARCHAR(20))");
    live_server_sql(server, "CREATE TABLE `lines` (line VARCHAR(20))");
    fill("busy", 2500);
    live_server_sql(server, "INSERT INTO `lines` SELECT CONCAT('l', id) FROM busy");
    for (int index = 0; index < 2; index++) {
        loads[index].mysql = live_server_connect(server);
        assert_int_equal(pthread_create(&threads[index], NULL, run_load, &loads[index]), 0);
    }
    capture = start("shop.*", "snapshot-chunk-rows=50");
    for (int reads = 0; reads < 400; reads++) {
        if (capture_read(capture, 5, &err) != FC_OK) {
            fail_msg("read: %s", err.message);
        }
    }
    for (int index = 0; index < 2; index++) {
        (void)pthread_join(threads[index], NULL);
        mysql_close(loads[index].mysql);
    }
    reopen(capture); /* its end is now that of the load */
    capture_until_caught_up(capture);
    compare_with_server(capture);
    capture_free(capture);
}

static void snapshot_and_stream_add_up_under_load(void **state)
{
    (void)state;
    snapshot_under(false);
}

static void snapshot_and_stream_add_up_while_the_table_is_altered(void **state)
{
    (void)state;
    snapshot_under(true);
}

static void a_table_renamed_into_the_capture_is_read(void **state)
{
    struct capture *capture;
    (void)state;
    live_server_sql(server, "CREATE TABLE item (id INT PRIMARY KEY, name VARCHAR(20))");
    live_server_sql(server, "CREATE TABLE shadow (id INT PRIMARY KEY, name VARCHAR(20))");
    fill("shadow", 2);
    capture = start("shop.item", NULL);
    capture_until_caught_up(capture);
    assert_int_equal(capture_count(capture), 1);
    live_server_sql(server, "RENAME TABLE item TO old, shadow TO item");
    capture_until(capture, 4);
    assert_string_equal(capture_line(capture, 2), "r shop.item -#0 {id=1 name='row 1'}");
    assert_string_equal(capture_line(capture, 3), "re shop.item -#1 {id=2 name='row 2'}");
    capture_free(capture);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_rows_come_once_and_the_last_is_marked, fresh_database),
        cmocka_unit_test_setup(an_interrupted_snapshot_goes_on_at_the_next_chunk,
                               fresh_database),
        cmocka_unit_test_setup(a_table_without_key_is_read_whole, fresh_database),
        cmocka_unit_test_setup(every_kind_of_key_is_walked, fresh_database),
        cmocka_unit_test_setup(a_table_renamed_into_the_capture_is_read, fresh_database),
        cmocka_unit_test_setup(snapshot_and_stream_add_up_under_load, fresh_database),
        cmocka_unit_test_setup(snapshot_and_stream_add_up_while_the_table_is_altered,
                               fresh_database),
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
