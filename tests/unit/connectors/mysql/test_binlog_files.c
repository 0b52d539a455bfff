/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binlogs of a real MariaDB 10.11 and MySQL 9 with every type of column, against what the
 * servers themselves say about the rows (tests/golden/binlog). MySQL's comes twice, once with
 * compressed transactions: both must tell the same story.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/mysql/binlog_body.h"
#include "connectors/mysql/binlog_payload.h"
#include "connectors/mysql/ddl_scan.h"
#include "connectors/mysql/row_image.h"
#include "connectors/mysql/table_map.h"
#include "tests/unit/connectors/mysql/binlog_reading.h"
#include "tests/unit/connectors/mysql/described_tables.h"
#include "tests/unit/connectors/mysql/text_lines.h"
#include "tests/unit/connectors/mysql/value_text.h"

enum { ARENA_MAX = 64 * 1024 * 1024, TEXT_MAX = 1024 * 1024 };

#define GOLDEN "tests/golden/binlog/"

/* What a test keeps while it reads the file. */
struct reading {
    struct fc_slice file;
    struct test_walk walk;
    struct fc_arena arena;
    struct fc_mysql_memory memory;
    struct fc_table_map_cache *cache;
    struct fc_row_image *rows;
    struct fc_binlog_payload *payload;
    struct test_tables
        *tables;          /* what information_schema says about those that stay the same */
    bool described_only;  /* leave out the others */
    uint64_t left_out_id; /* the table id of the last map that was left out */
    struct fc_error err;
};

static const struct fc_shape *hint(void *ctx, struct fc_slice db, struct fc_slice table)
{
    const struct reading *reading = ctx;
    assert_true(fc_slice_equal_text(db, "shop"));
    return test_tables_find(reading->tables, table);
}

static struct reading *open_reading(const char *path, const char *columns_path)
{
    struct reading *reading = calloc(1, sizeof(*reading));
    assert_non_null(reading);
    fc_arena_init(&reading->arena, ARENA_MAX);
    reading->memory = test_memory(&reading->arena);
    reading->file = test_read_file(path);
    test_walk_init(&reading->walk, reading->file);
    reading->cache = fc_table_map_cache_new();
    reading->rows = fc_row_image_new();
    reading->payload = fc_binlog_payload_new();
    reading->tables = test_tables_read(columns_path);
    return reading;
}

static void close_reading(struct reading *reading)
{
    test_tables_free(reading->tables);
    fc_binlog_payload_free(reading->payload);
    fc_row_image_free(reading->rows);
    fc_table_map_cache_free(reading->cache);
    fc_arena_release(&reading->arena);
    test_free_file(reading->file);
    free(reading);
}

static void must(struct reading *reading, fc_code code)
{
    if (code != FC_OK) {
        fail_msg("%s", reading->err.message);
    }
}

/* The map or the rows of a table that is not described, when those are not wanted. */
static bool is_left_out(struct reading *reading, const struct fc_binlog_event *event)
{
    struct fc_reader reader;
    struct fc_slice db;
    struct fc_slice table;
    uint64_t table_id;
    if (!reading->described_only) {
        return false;
    }
    if (event->type == FC_BINLOG_TABLE_MAP) {
        must(reading, fc_table_map_names(&reading->walk.format, event, &table_id, &db, &table,
                                         &reading->err));
        reading->left_out_id =
            test_tables_find(reading->tables, table) == NULL ? table_id : UINT64_MAX;
        return reading->left_out_id == table_id;
    }
    fc_reader_init(&reader, event->body);
    return fc_binlog_event_is_rows(event->type) &&
           fc_reader_le(&reader, 6) == reading->left_out_id;
}

/* Learn the table map, or open the rows; true when rows are open. */
static bool take_event(struct reading *reading, const struct fc_binlog_event *event,
                       struct fc_rows_info *out_info)
{
    const struct fc_table_map *map;
    if (is_left_out(reading, event)) {
        return false;
    }
    if (event->type == FC_BINLOG_TABLE_MAP) {
        must(reading, fc_table_map_cache_put(reading->cache, &reading->walk.format, event, hint,
                                             reading, &map, &reading->err));
        return false;
    }
    if (!fc_binlog_event_is_rows(event->type)) {
        return false;
    }
    must(reading, fc_row_image_open(reading->rows, &reading->walk.format, reading->cache, event,
                                    &reading->memory, out_info, &reading->err));
    return true;
}

/* Call fn for each event of the file, those of compressed transactions one by one. */
static void for_each_event(struct reading *reading,
                           void (*fn)(struct reading *reading,
                                      const struct fc_binlog_event *event, void *ctx),
                           void *ctx)
{
    struct fc_binlog_event event;
    while (test_walk_next(&reading->walk, &event)) {
        bool end = event.type != FC_BINLOG_TRANSACTION_PAYLOAD;
        if (end) {
            fn(reading, &event, ctx);
            continue;
        }
        must(reading, fc_binlog_payload_open(reading->payload, &event, &reading->err));
        for (;;) {
            struct fc_binlog_event inner;
            must(reading, fc_binlog_payload_next(reading->payload, &reading->memory, &inner,
                                                 &end, &reading->err));
            if (end) {
                break;
            }
            fn(reading, &inner, ctx);
        }
    }
}

static void compare_row(const struct fc_shape *shape, const struct fc_value *values,
                        struct fc_slice line)
{
    struct fc_slice field;
    assert_true(next_field(&line, &field));
    assert_true(fc_slice_equal_text(field, shape->table));
    for (uint32_t index = 0; index < shape->column_count; index++) {
        assert_true(next_field(&line, &field));
        assert_true(test_same_value(&shape->columns[index], &values[index], field));
    }
    assert_false(next_field(&line, &field));
}

static bool is_plain_table(const char *table)
{
    return strcmp(table, "numbers") == 0 || strcmp(table, "times") == 0 ||
           strcmp(table, "texts") == 0 || strcmp(table, "kinds") == 0 ||
           strcmp(table, "documents") == 0;
}

struct comparison {
    struct fc_slice left; /* of the server's lines */
    uint32_t row_count;
};

static void compare_event(struct reading *reading, const struct fc_binlog_event *event,
                          void *ctx)
{
    struct comparison *comparison = ctx;
    struct fc_rows_info info;
    bool end = !take_event(reading, event, &info);
    while (!end) {
        struct fc_value *before;
        struct fc_value *after;
        must(reading, fc_row_image_next(reading->rows, &before, &after, &end, &reading->err));
        if (!end && is_plain_table(info.map->shape->table)) {
            assert_null(before);
            compare_row(info.map->shape, after, next_line(&comparison->left));
            comparison->row_count++;
        }
    }
}

static void compare_with_server(const char *binlog_path, const char *columns_path,
                                const char *expected_path, bool described_only)
{
    struct reading *reading = open_reading(binlog_path, columns_path);
    struct fc_slice expected = test_read_file(expected_path);
    struct comparison comparison = { expected, 0 };
    reading->described_only = described_only;
    for_each_event(reading, compare_event, &comparison);
    assert_int_equal(comparison.left.len, 0);
    assert_true(comparison.row_count > 20);
    test_free_file(expected);
    close_reading(reading);
}

static void every_value_of_mariadb_is_what_the_server_selects(void **state)
{
    (void)state;
    compare_with_server(GOLDEN "mariadb-types.binlog", GOLDEN "mariadb-types.columns",
                        GOLDEN "mariadb-types.expected", false);
}

static void every_value_of_mysql_is_what_the_server_selects(void **state)
{
    (void)state;
    compare_with_server(GOLDEN "mysql-types.binlog", GOLDEN "mysql-types.columns",
                        GOLDEN "mysql-types.expected", false);
    compare_with_server(GOLDEN "mysql-compressed.binlog", GOLDEN "mysql-types.columns",
                        GOLDEN "mysql-types.expected", false);
}

static void without_metadata_information_schema_gives_the_same_values(void **state)
{
    (void)state;
    compare_with_server(GOLDEN "mariadb-nolog.binlog", GOLDEN "mariadb-types.columns",
                        GOLDEN "mariadb-types.expected", true);
    compare_with_server(GOLDEN "mysql-minimal.binlog", GOLDEN "mysql-types.columns",
                        GOLDEN "mysql-types.expected", true);
}

static void narrate_rows(struct reading *reading, const struct fc_binlog_event *event,
                         const struct fc_rows_info *info, struct fc_buf *story)
{
    bool end = false;
    for (;;) {
        struct fc_value *before = NULL;
        struct fc_value *after = NULL;
        must(reading, fc_row_image_next(reading->rows, &before, &after, &end, &reading->err));
        if (end) {
            return;
        }
        if (is_plain_table(info->map->shape->table)) {
            continue; /* compared with the server's own words in another test */
        }
        fc_buf_append_fmt(story, "  %s %c %s", fc_binlog_event_name(event->type), info->op,
                          info->map->shape->table);
        if (before != NULL) {
            fc_buf_append_text(story, " [");
            test_append_row(story, info->map->shape, before);
            fc_buf_append_text(story, "]");
        }
        if (after != NULL) {
            fc_buf_append_text(story, " -> [");
            test_append_row(story, info->map->shape, after);
            fc_buf_append_text(story, "]");
        }
        fc_buf_append_text(story, "\n");
    }
}

static void narrate_query(struct reading *reading, const struct fc_binlog_event *event,
                          struct fc_buf *story)
{
    static const char *const classes[] = { "other",     "begin",       "commit",
                                           "rollback",  "savepoint",   "rollback-to",
                                           "xa-start",  "xa-end",      "xa-prepare",
                                           "xa-commit", "xa-rollback", "dml",
                                           "truncate",  "ddl" };
    struct fc_binlog_query query;
    struct fc_ddl_scan scan;
    must(reading, fc_binlog_body_query(event, &reading->memory, &query, &reading->err));
    fc_ddl_scan(query.statement, query.db, false, true, &reading->memory, &scan);
    fc_buf_append_fmt(story, "  %s %s", fc_binlog_event_name(event->type),
                      classes[scan.statement_class]);
    for (uint32_t index = 0; index < scan.table_count; index++) {
        fc_buf_append_fmt(story, " %.*s.%.*s", (int)scan.tables[index].db.len,
                          (const char *)scan.tables[index].db.data,
                          (int)scan.tables[index].table.len,
                          (const char *)scan.tables[index].table.data);
        if (scan.tables[index].new_table.len > 0) {
            fc_buf_append_fmt(story, " to %.*s", (int)scan.tables[index].new_table.len,
                              (const char *)scan.tables[index].new_table.data);
        }
    }
    if (scan.xid.len > 0) {
        fc_buf_append_fmt(story, " %.*s", (int)scan.xid.len, (const char *)scan.xid.data);
    }
    fc_buf_append_text(story, "\n");
}

static void narrate_gtid(struct reading *reading, const struct fc_binlog_event *event,
                         struct fc_buf *story)
{
    struct fc_binlog_mariadb_gtid mariadb;
    struct fc_binlog_gtid mysql;
    if (event->type == FC_BINLOG_MARIADB_GTID) {
        must(reading, fc_binlog_body_mariadb_gtid(event, &mariadb, &reading->err));
        fc_buf_append_fmt(
            story, "gtid %u-%u-%" PRIu64 "%s%s%s%s\n", mariadb.domain_id, event->server_id,
            mariadb.sequence,
            (mariadb.flags & FC_MARIADB_GTID_STANDALONE) != 0 ? " standalone" : "",
            (mariadb.flags & FC_MARIADB_GTID_DDL) != 0 ? " ddl" : "",
            (mariadb.flags & FC_MARIADB_GTID_PREPARED_XA) != 0 ? " prepared" : "",
            (mariadb.flags & FC_MARIADB_GTID_COMPLETED_XA) != 0 ? " completed" : "");
        return;
    }
    must(reading, fc_binlog_body_gtid(event, &mysql, &reading->err));
    assert_true(mysql.immediate_commit_us / 1000000 - event->timestamp_s <= 1);
    assert_true(mysql.original_commit_us == mysql.immediate_commit_us);
    assert_true(mysql.transaction_size > event->size);
    assert_int_equal(mysql.server_version / 10000, 9);
    fc_buf_append_fmt(story, "gtid %s%s%" PRId64 "\n", mysql.tag,
                      mysql.tag[0] != '\0' ? ":" : "", mysql.gno);
}

static void narrate_text(struct reading *reading, const struct fc_binlog_event *event,
                         struct fc_buf *story)
{
    struct fc_binlog_rotate rotate;
    struct fc_binlog_xa xa;
    struct fc_slice text;
    if (event->type == FC_BINLOG_ROTATE) {
        must(reading, fc_binlog_body_rotate(event, &rotate, &reading->err));
        fc_buf_append_fmt(story, "rotate to %.*s %" PRIu64 "\n", (int)rotate.file.len,
                          (const char *)rotate.file.data, rotate.position);
    } else if (event->type == FC_BINLOG_CHECKPOINT) {
        must(reading, fc_binlog_body_checkpoint(event, &text, &reading->err));
        fc_buf_append_fmt(story, "checkpoint %.*s\n", (int)text.len, (const char *)text.data);
    } else if (event->type == FC_BINLOG_XA_PREPARE) {
        must(reading, fc_binlog_body_xa_prepare(event, &xa, &reading->err));
        fc_buf_append_fmt(story, "  xa prepare %.*s\n", (int)xa.gtrid.len,
                          (const char *)xa.gtrid.data);
    } else {
        must(reading, fc_binlog_body_rows_query(event, &text, &reading->err));
        fc_buf_append_fmt(story, "  statement of %zu bytes\n", text.len);
    }
}

static void narrate(struct reading *reading, const struct fc_binlog_event *event, void *ctx)
{
    struct fc_buf *story = ctx;
    struct fc_rows_info info;
    switch (event->type) {
    case FC_BINLOG_MARIADB_GTID:
    case FC_BINLOG_GTID:
    case FC_BINLOG_GTID_TAGGED:
        narrate_gtid(reading, event, story);
        break;
    case FC_BINLOG_QUERY:
    case FC_BINLOG_QUERY_COMPRESSED:
        narrate_query(reading, event, story);
        break;
    case FC_BINLOG_XID:
        fc_buf_append_text(story, "  commit\n");
        break;
    case FC_BINLOG_ROTATE:
    case FC_BINLOG_CHECKPOINT:
    case FC_BINLOG_XA_PREPARE:
    case FC_BINLOG_ANNOTATE_ROWS:
    case FC_BINLOG_ROWS_QUERY:
        narrate_text(reading, event, story);
        break;
    default:
        if (take_event(reading, event, &info)) {
            narrate_rows(reading, event, &info, story);
        }
        break;
    }
}

/* The text is what the file says; shows the text when not. */
static void compare_with_file(const struct fc_buf *text, const char *path)
{
    struct fc_slice expected = test_read_file(path);
    bool same = fc_slice_equal(fc_buf_slice(text), expected);
    test_free_file(expected);
    if (!same) {
        fprintf(stderr, "%.*s", (int)text->len, (const char *)text->data);
        fail_msg("this is not what %s says", path);
    }
}

static void tell(const char *binlog_path, const char *columns_path, const char *story_path)
{
    struct reading *reading = open_reading(binlog_path, columns_path);
    struct fc_buf story;
    fc_buf_init(&story, TEXT_MAX);
    for_each_event(reading, narrate, &story);
    compare_with_file(&story, story_path);
    fc_buf_release(&story);
    close_reading(reading);
}

static void the_story_of_mariadb_is_told_event_by_event(void **state)
{
    (void)state;
    tell(GOLDEN "mariadb-types.binlog", GOLDEN "mariadb-types.columns",
         GOLDEN "mariadb-types.story");
}

static void the_story_of_mysql_is_told_event_by_event(void **state)
{
    (void)state;
    tell(GOLDEN "mysql-types.binlog", GOLDEN "mysql-types.columns", GOLDEN "mysql-types.story");
}

static void compressed_transactions_tell_the_same_story(void **state)
{
    (void)state;
    tell(GOLDEN "mysql-compressed.binlog", GOLDEN "mysql-types.columns",
         GOLDEN "mysql-types.story");
}

struct shapes {
    struct fc_buf text;
    const struct fc_shape *last;
};

static void list_shape(struct reading *reading, const struct fc_binlog_event *event, void *ctx)
{
    struct shapes *shapes = ctx;
    const struct fc_table_map *map;
    const struct fc_shape *shape;
    if (event->type != FC_BINLOG_TABLE_MAP) {
        return;
    }
    must(reading, fc_table_map_cache_put(reading->cache, &reading->walk.format, event, hint,
                                         reading, &map, &reading->err));
    shape = map->shape;
    if (shape == shapes->last) {
        return;
    }
    shapes->last = shape;
    fc_buf_append_fmt(&shapes->text, "%s.%s key %u\n", shape->db, shape->table,
                      shape->key_count);
    for (uint32_t index = 0; index < shape->column_count; index++) {
        const struct fc_column *column = &shape->columns[index];
        fc_buf_append_fmt(&shapes->text, "  %s %s%s%s%s", column->name, column->native_type,
                          column->charset != NULL ? " " : "",
                          column->charset != NULL ? column->charset : "",
                          column->nullable ? "" : " not null");
        if (column->key_index > 0) {
            fc_buf_append_fmt(&shapes->text, " key %u", column->key_index);
        }
        fc_buf_append_text(&shapes->text, "\n");
    }
}

static void list_shapes(const char *binlog_path, const char *columns_path,
                        const char *shapes_path)
{
    struct reading *reading = open_reading(binlog_path, columns_path);
    struct shapes shapes = { .last = NULL };
    fc_buf_init(&shapes.text, TEXT_MAX);
    for_each_event(reading, list_shape, &shapes);
    compare_with_file(&shapes.text, shapes_path);
    fc_buf_release(&shapes.text);
    close_reading(reading);
}

static void shapes_of_mariadb_have_the_declared_types(void **state)
{
    (void)state;
    list_shapes(GOLDEN "mariadb-types.binlog", GOLDEN "mariadb-types.columns",
                GOLDEN "mariadb-types.shapes");
}

static void shapes_of_mysql_have_the_declared_types(void **state)
{
    (void)state;
    list_shapes(GOLDEN "mysql-types.binlog", GOLDEN "mysql-types.columns",
                GOLDEN "mysql-types.shapes");
    list_shapes(GOLDEN "mysql-compressed.binlog", GOLDEN "mysql-types.columns",
                GOLDEN "mysql-types.shapes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_of_mariadb_is_what_the_server_selects),
        cmocka_unit_test(every_value_of_mysql_is_what_the_server_selects),
        cmocka_unit_test(without_metadata_information_schema_gives_the_same_values),
        cmocka_unit_test(the_story_of_mariadb_is_told_event_by_event),
        cmocka_unit_test(the_story_of_mysql_is_told_event_by_event),
        cmocka_unit_test(compressed_transactions_tell_the_same_story),
        cmocka_unit_test(shapes_of_mariadb_have_the_declared_types),
        cmocka_unit_test(shapes_of_mysql_have_the_declared_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
