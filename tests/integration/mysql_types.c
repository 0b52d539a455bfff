/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every column type through both ways into the change model, the stream and the snapshot, which
 * must give the same values and the same shape: mysql_types PLUGIN SERVER_DIR SERVERS_SCRIPT.
 */
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

struct sample {
    const char *type;
    const char *values; /* SQL, parted by "; " */
};

static const struct sample common[] = {
    { "TINYINT", "0; -128; 127; NULL" },
    { "TINYINT UNSIGNED", "0; 255" },
    { "TINYINT(1)", "0; 1; -7" },
    { "SMALLINT", "-32768; 32767" },
    { "SMALLINT(5) UNSIGNED ZEROFILL", "42; 65535" },
    { "MEDIUMINT", "-8388608; 8388607; -1" },
    { "MEDIUMINT UNSIGNED", "16777215; 8388608" },
    { "INT", "-2147483648; 2147483647" },
    { "INT UNSIGNED", "4294967295; 2147483648" },
    { "BIGINT", "-9223372036854775808; 9223372036854775807; -1" },
    { "BIGINT UNSIGNED", "18446744073709551615; 9223372036854775808" },
    { "FLOAT", "0; 0.1; -1.17549e-38; 3.40282e38; 16777217; 1e-45; -0e0" },
    { "FLOAT(7,3)", "1.2345; -9999.999" },
    { "DOUBLE", "0.1; 1.7976931348623157e308; 2.2250738585072014e-308; 5e-324; 1e15; -0e0" },
    { "DOUBLE(20,6)", "0.1234567; 12345678901.123456" },
    { "DECIMAL(10,2)", "0; 1234.11; -1234.11; 99999999.99; -0.01; NULL" },
    { "DECIMAL(65,30)", "12345678901234567890123456789012345.123456789012345678901234567891; "
                        "-0.000000000000000000000000000001" },
    { "DECIMAL(9,0)", "999999999; -999999999" },
    { "DECIMAL(8,3) UNSIGNED ZEROFILL", "1.5; 0" },
    { "BIT(1)", "0; 1" },
    { "BIT(9)", "0; 1; 256; 511" },
    { "BIT(64)", "0; 18446744073709551615; 72057594037927936" },
    { "YEAR", "0; 1901; 2155; 2024" },
    { "DATE", "'1970-01-01'; '1969-12-31'; '2024-02-29'; '9999-12-31'; '1000-01-01'; "
              "'0000-00-00'; '2024-00-10'; '2024-10-00'; '0001-01-01'" },
    { "TIME", "'00:00:00'; '-00:00:01'; '838:59:59'; '-838:59:59'; '13:51:30'" },
    { "TIME(3)", "'13:51:30.123'; '-733:00:00.001'; '-00:00:00.999'" },
    { "TIME(6)", "'-838:59:58.999999'; '838:59:58.000001'; '-00:00:00.000001'" },
    { "DATETIME", "'1970-01-01 00:00:00'; '9999-12-31 23:59:59'; '1000-01-01 00:00:00'; "
                  "'0000-00-00 00:00:00'; '2024-00-00 10:11:12'" },
    { "DATETIME(3)", "'2016-11-04 13:51:30.123'; '0000-00-00 00:00:00'; '1969-12-31 "
                     "23:59:59.999'" },
    { "DATETIME(6)", "'2016-11-04 13:51:30.123456'; '2024-01-00 00:00:00.000001'" },
    { "TIMESTAMP NULL", "'1970-01-01 00:00:01'; '2038-01-19 03:14:07'; '0000-00-00 00:00:00'; "
                        "NULL" },
    { "TIMESTAMP(2) NULL", "'2018-06-20 13:37:03.25'; '0000-00-00 00:00:00'" },
    { "TIMESTAMP(6) NULL", "'2018-06-20 13:37:03.000001'" },
    { "CHAR(5)", "''; 'a'; 'a b  '; 'äöü€'; NULL" },
    { "CHAR(255) CHARACTER SET utf8mb4", "REPEAT('€', 255); '😀'" },
    { "VARCHAR(200)", "''; 'text'; 'a  '; 'quote '' and \\\\ and \\n'; '😀 ü'; 'nul\\0in'" },
    { "VARCHAR(20) CHARACTER SET latin1", "'äöü€'; 'ÿ'; 'plain'" },
    { "VARCHAR(20) CHARACTER SET latin2", "'ąčž'" },
    { "VARCHAR(20) CHARACTER SET cp1251", "'привет'" },
    { "VARCHAR(20) CHARACTER SET koi8r", "'привет'" },
    { "VARCHAR(20) CHARACTER SET greek", "'αβγ'" },
    { "VARCHAR(20) CHARACTER SET ascii", "'plain'" },
    { "VARCHAR(20) CHARACTER SET ucs2", "'aä€'" },
    { "VARCHAR(20) CHARACTER SET utf16", "'aä€😀'" },
    { "VARCHAR(20) CHARACTER SET utf32", "'aä€😀'" },
    { "VARCHAR(20) CHARACTER SET sjis", "'日本ｱ'" },
    { "VARCHAR(20) CHARACTER SET cp932", "'日本①'" },
    { "VARCHAR(20) CHARACTER SET ujis", "'日本ｱ'" },
    { "VARCHAR(20) CHARACTER SET gbk", "'中文'" },
    { "VARCHAR(20) CHARACTER SET gb18030", "'中文'" },
    { "VARCHAR(20) CHARACTER SET big5", "'中文'" },
    { "VARCHAR(20) CHARACTER SET euckr", "'한국'" },
    { "CHAR(3) CHARACTER SET ucs2", "'aä€'; 'x'; ''" },
    { "TINYTEXT", "''; 'tiny'; REPEAT('x', 255)" },
    { "TEXT", "'text'; REPEAT('ü', 30000)" },
    { "MEDIUMTEXT CHARACTER SET latin1", "'mä'; REPEAT('y', 70000)" },
    { "LONGTEXT", "'long'; ''; NULL" },
    { "BINARY(4)", "''; 'ab'; x'00010203'; x'61620000'" },
    { "VARBINARY(300)", "''; x'00ff00'; REPEAT('a', 300)" },
    { "TINYBLOB", "''; x'00'" },
    { "BLOB", "x'0102'; REPEAT(x'ff', 40000)" },
    { "MEDIUMBLOB", "x'0a'" },
    { "LONGBLOB", "x'0b'; NULL" },
    { "ENUM('red','grün','it''s','a,b')", "'red'; 'grün'; 'it''s'; 'a,b'; ''; NULL" },
    { "ENUM('ä','ö') CHARACTER SET latin1", "'ä'; 'ö'" },
    { "SET('a','b','ç','d')", "''; 'a'; 'd,a'; 'a,b,ç,d'; NULL" },
    { "GEOMETRY", "ST_GeomFromText('POINT(1 1)'); ST_GeomFromText('LINESTRING(0 0,1 2)')" },
    { "POINT", "ST_GeomFromText('POINT(1.5 -2)'); NULL" },
    { "POLYGON", "ST_GeomFromText('POLYGON((0 0,0 1,1 1,0 0))')" },
    { "GEOMETRYCOLLECTION", "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1))')" },
};

static const struct sample mysql_only[] = {
    { "JSON", "'{}'; '[]'; 'null'; '\"text\"'; '{\"b\": 1, \"a\": [1, 2.5, -3, true, null]}'; "
              "'{\"e\": {\"f\": \"x, y: z\"}, \"long key\": \"qu\\\\\"ote \\\\\\\\ \\\\n\"}'; "
              "'[9223372036854775807, 18446744073709551615, -9223372036854775808, 1e100, "
              "0.1]'; '\"😀 ü \\\\u0001\"'; CAST(CAST('2024-02-29 12:34:56.789' AS "
              "DATETIME(3)) AS JSON); CAST(CAST('12.340' AS DECIMAL(10,3)) AS JSON); NULL; "
              "CAST(CAST('2024-02-29' AS DATE) AS JSON); CAST(CAST('-12:00:01.5' AS TIME(1)) "
              "AS JSON); JSON_ARRAY(REPEAT('x', 70000), 1); JSON_OBJECT('k', x'00ff')" },
    { "VECTOR(3)", "TO_VECTOR('[1,-2.5,3]'); NULL" },
    { "POINT SRID 4326", "ST_GeomFromText('POINT(10 20)', 4326)" },
    { "BINARY(16)", "UUID_TO_BIN('3d3bbcbf-e756-11f1-ba1f-02fc00000001')" },
};

static const struct sample mariadb_only[] = {
    { "JSON", "'{}'; '{\"b\": 1,  \"a\": [1,2]}'; NULL" },
    { "UUID", "'3d3bbcbf-e756-11f1-ba1f-02fc00000001'; '00000000-0000-0000-0000-000000000000'; "
              "'f81d4fae-7dec-41d0-a765-00a0c91e6bf6'; NULL" },
    { "INET6", "'2001:db8::ff00:42:8329'; '::'; '::1.2.3.4'; '::ffff:1.2.3.4'; 'fe80::1'; "
               "NULL" },
    { "INET4", "'192.168.0.1'; '0.0.0.0'; '255.255.255.255'; NULL" },
};

static struct capture *start(const char *snapshot)
{
    char *socket = fc_asprintf("socket=%s", server->socket);
    const char *const options[] = { socket,   "tables=types.*", "user=root",
                                    snapshot, "heartbeat=1s",   "connect-timeout=60s",
                                    NULL };
    struct capture *capture = capture_new(plugin_path, options);
    struct fc_error err;
    if (capture_open(capture, "", &err) != FC_OK) {
        fail_msg("open: %s", err.message);
    }
    free(socket);
    return capture;
}

static void print_shape(void *ctx, const struct fc_change *change)
{
    struct fc_buf *out = ctx;
    fc_buf_clear(out);
    for (uint32_t index = 0; change->shape != NULL && index < change->shape->column_count;
         index++) {
        const struct fc_column *column = &change->shape->columns[index];
        fc_buf_append_fmt(
            out, "%s %s charset=%s type=%d%s%s bits=%d length=%u p=%d s=%d key=%d",
            column->name, column->native_type, column->charset == NULL ? "-" : column->charset,
            (int)column->type, column->nullable ? " null" : "",
            column->is_unsigned ? " unsigned" : "", column->bits, column->length,
            column->precision, column->scale, column->key_index);
        for (uint16_t label = 0; label < column->label_count; label++) {
            fc_buf_append_fmt(out, " [%s]", column->labels[label]);
        }
        fc_buf_append_text(out, "\n");
    }
    if (change->shape != NULL) {
        fc_buf_append_fmt(out, "%s\n",
                          change->shape->create_sql == NULL ? "no CREATE"
                                                            : change->shape->create_sql);
    }
    fc_buf_append_u8(out, 0);
}

static int insert_all(const struct sample *sample)
{
    char *list = fc_strdup(sample->values);
    int count = 0;
    live_server_sql(server, "DROP TABLE IF EXISTS t");
    live_server_sql(server, "CREATE TABLE t (id INT PRIMARY KEY, v %s)", sample->type);
    for (char *at = list; at != NULL;) {
        char *end = strstr(at, "; ");
        if (end != NULL) {
            *end = '\0';
        }
        live_server_sql(server, "INSERT INTO t VALUES (%d, %s)", ++count, at);
        at = end == NULL ? NULL : end + 2;
    }
    free(list);
    return count;
}

/* By the stream: two statements of DDL, the rows, and once more as update and delete. */
static int check_samples(const struct sample *samples, size_t count)
{
    struct fc_buf streamed_shape;
    struct fc_buf read_shape;
    int wrong = 0;
    fc_buf_init(&streamed_shape, 1 << 20);
    fc_buf_init(&read_shape, 1 << 20);
    for (size_t index = 0; index < count; index++) {
        struct capture *stream = start("snapshot=never");
        struct capture *snapshot;
        int rows = insert_all(&samples[index]);
        capture_on_change(stream, print_shape, &streamed_shape);
        capture_until(stream, (size_t)rows + 2);
        snapshot = start("snapshot=initial");
        capture_on_change(snapshot, print_shape, &read_shape);
        capture_until(snapshot, (size_t)rows);
        for (int row = 0; row < rows; row++) {
            const char *a = capture_values(stream, (size_t)row + 2);
            const char *b = capture_values(snapshot, (size_t)row);
            if (strcmp(a, b) != 0) {
                print_error("%s:\n  stream   %.300s\n  snapshot %.300s\n", samples[index].type,
                            a, b);
                wrong++;
            }
        }
        if (strcmp((const char *)streamed_shape.data, (const char *)read_shape.data) != 0) {
            print_error("%s:\n  stream   %s  snapshot %s", samples[index].type,
                        (const char *)streamed_shape.data, (const char *)read_shape.data);
            wrong++;
        }
        capture_free(stream);
        capture_free(snapshot);
    }
    fc_buf_release(&streamed_shape);
    fc_buf_release(&read_shape);
    return wrong;
}

static int fresh_database(void **state)
{
    (void)state;
    live_server_sql(server, "DROP DATABASE IF EXISTS types");
    live_server_sql(server, "CREATE DATABASE types CHARACTER SET utf8mb4");
    live_server_sql(server, "USE types");
    live_server_sql(server, "SET sql_mode='', time_zone='+03:00'");
    return 0;
}

static int metadata_full(void **state)
{
    live_server_sql(server, "SET GLOBAL binlog_row_metadata='FULL'");
    return fresh_database(state);
}

static int metadata_minimal(void **state)
{
    live_server_sql(server, "SET GLOBAL binlog_row_metadata='MINIMAL'");
    return fresh_database(state);
}

static bool is_missing_charset(const char *type)
{
    return live_server_is_mariadb(server) && strstr(type, "gb18030") != NULL;
}

static void both_ways_give_the_same(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t index = 0; index < sizeof(common) / sizeof(common[0]); index++) {
        if (!is_missing_charset(common[index].type)) {
            wrong += check_samples(&common[index], 1);
        }
    }
    wrong += live_server_is_mariadb(server)
                 ? check_samples(mariadb_only, sizeof(mariadb_only) / sizeof(mariadb_only[0]))
                 : check_samples(mysql_only, sizeof(mysql_only) / sizeof(mysql_only[0]));
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(both_ways_give_the_same, metadata_full),
        { "both_ways_give_the_same_with_minimal_metadata", both_ways_give_the_same,
          metadata_minimal, metadata_full, NULL },
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
