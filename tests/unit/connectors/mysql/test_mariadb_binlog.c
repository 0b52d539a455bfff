/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A binlog of a real MariaDB 10.11 with every type of column, against what the server itself
 * says about the rows (tests/golden/binlog).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/mysql/binlog_body.h"
#include "connectors/mysql/column_type.h"
#include "connectors/mysql/ddl_scan.h"
#include "connectors/mysql/row_image.h"
#include "connectors/mysql/table_map.h"
#include "tests/unit/connectors/mysql/binlog_reading.h"
#include "tests/unit/connectors/mysql/value_text.h"

enum { ARENA_MAX = 64 * 1024 * 1024, TEXT_MAX = 1024 * 1024 };

static const char binlog_path[] = "tests/golden/binlog/mariadb-types.binlog";
static const char expected_path[] = "tests/golden/binlog/mariadb-types.expected";

/* What a test keeps while it reads the file. */
struct reading {
    struct fc_slice file;
    struct test_walk walk;
    struct fc_arena arena;
    struct fc_mysql_memory memory;
    struct fc_table_map_cache *cache;
    struct fc_row_image *rows;
    struct fc_shape kinds; /* what information_schema says about the table kinds */
    struct fc_column kinds_columns[12];
    struct fc_error err;
};

static void describe_kinds(struct reading *reading)
{
    static const struct {
        const char *name;
        const char *type;
        const char *collation;
    } columns[12] = { { "id", "int(11)", NULL },
                      { "u", "uuid", NULL },
                      { "i4", "inet4", NULL },
                      { "i6", "inet6", NULL },
                      { "g", "geometry", NULL },
                      { "p", "point", NULL },
                      { "ls", "linestring", NULL },
                      { "vc", "varchar(500) /*M!100301 COMPRESSED*/", "utf8mb4_general_ci" },
                      { "bc", "longblob /*M!100301 COMPRESSED*/", NULL },
                      { "tc", "text /*M!100301 COMPRESSED*/", "latin1_swedish_ci" },
                      { "gen", "int(11)", NULL },
                      { "virt", "int(11)", NULL } };
    for (size_t index = 0; index < 12; index++) {
        struct fc_column *column = &reading->kinds_columns[index];
        column->name = columns[index].name;
        column->nullable = index != 0 && index != 5;
        column->key_index = index == 0 ? 1 : 0;
        assert_int_equal(fc_column_type_parse(columns[index].type, columns[index].collation,
                                              &reading->arena, column, &reading->err),
                         FC_OK);
    }
    reading->kinds = (struct fc_shape){ .db = "shop",
                                        .table = "kinds",
                                        .columns = reading->kinds_columns,
                                        .column_count = 12,
                                        .key_count = 1,
                                        .create_sql = "CREATE TABLE kinds (...)" };
}

static const struct fc_shape *hint(void *ctx, struct fc_slice db, struct fc_slice table)
{
    const struct reading *reading = ctx;
    (void)db;
    return fc_slice_equal_text(table, "kinds") ? &reading->kinds : NULL;
}

static int open_reading(void **state)
{
    struct reading *reading = calloc(1, sizeof(*reading));
    fc_arena_init(&reading->arena, ARENA_MAX);
    reading->memory = test_memory(&reading->arena);
    reading->file = test_read_file(binlog_path);
    test_walk_init(&reading->walk, reading->file);
    reading->cache = fc_table_map_cache_new();
    reading->rows = fc_row_image_new();
    describe_kinds(reading);
    *state = reading;
    return 0;
}

static int close_reading(void **state)
{
    struct reading *reading = *state;
    fc_row_image_free(reading->rows);
    fc_table_map_cache_free(reading->cache);
    fc_arena_release(&reading->arena);
    test_free_file(reading->file);
    free(reading);
    return 0;
}

static void must(struct reading *reading, fc_code code)
{
    if (code != FC_OK) {
        fail_msg("%s", reading->err.message);
    }
}

/* Learn the table map, or open the rows; true when rows are open. */
static bool take_event(struct reading *reading, const struct fc_binlog_event *event,
                       struct fc_rows_info *out_info)
{
    const struct fc_table_map *map;
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

/* The next field of a line of tab-separated fields; false behind the last. */
static bool next_field(struct fc_slice *line, struct fc_slice *out_field)
{
    const uint8_t *end;
    if (line->data == NULL) {
        return false;
    }
    end = memchr(line->data, '\t', line->len);
    out_field->data = line->data;
    out_field->len = end == NULL ? line->len : (size_t)(end - line->data);
    if (end == NULL) {
        *line = fc_slice_null();
    } else {
        line->len -= out_field->len + 1;
        line->data = end + 1;
    }
    return true;
}

static struct fc_slice next_line(struct fc_slice *text)
{
    const uint8_t *end = memchr(text->data, '\n', text->len);
    struct fc_slice line = fc_slice_of(text->data, (size_t)(end - text->data));
    text->data = end + 1;
    text->len -= line.len + 1;
    return line;
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
           strcmp(table, "texts") == 0 || strcmp(table, "kinds") == 0;
}

static void every_value_is_what_the_server_selects(void **state)
{
    struct reading *reading = *state;
    struct fc_slice expected = test_read_file(expected_path);
    struct fc_slice left = expected;
    struct fc_binlog_event event;
    struct fc_rows_info info;
    uint32_t row_count = 0;
    while (test_walk_next(&reading->walk, &event)) {
        bool end = !take_event(reading, &event, &info);
        while (!end) {
            struct fc_value *before;
            struct fc_value *after;
            must(reading,
                 fc_row_image_next(reading->rows, &before, &after, &end, &reading->err));
            if (!end && is_plain_table(info.map->shape->table)) {
                assert_null(before);
                compare_row(info.map->shape, after, next_line(&left));
                row_count++;
            }
        }
    }
    assert_int_equal(left.len, 0);
    assert_int_equal(row_count, 21);
    test_free_file(expected);
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

static void narrate(struct reading *reading, const struct fc_binlog_event *event,
                    struct fc_buf *story)
{
    struct fc_binlog_mariadb_gtid gtid;
    struct fc_binlog_xa xa;
    struct fc_binlog_rotate rotate;
    struct fc_slice text;
    struct fc_rows_info info;
    switch (event->type) {
    case FC_BINLOG_MARIADB_GTID:
        must(reading, fc_binlog_body_mariadb_gtid(event, &gtid, &reading->err));
        fc_buf_append_fmt(story, "gtid %u-%u-%" PRIu64 "%s%s%s%s\n", gtid.domain_id,
                          event->server_id, gtid.sequence,
                          (gtid.flags & FC_MARIADB_GTID_STANDALONE) != 0 ? " standalone" : "",
                          (gtid.flags & FC_MARIADB_GTID_DDL) != 0 ? " ddl" : "",
                          (gtid.flags & FC_MARIADB_GTID_PREPARED_XA) != 0 ? " prepared" : "",
                          (gtid.flags & FC_MARIADB_GTID_COMPLETED_XA) != 0 ? " completed" : "");
        break;
    case FC_BINLOG_QUERY:
    case FC_BINLOG_QUERY_COMPRESSED:
        narrate_query(reading, event, story);
        break;
    case FC_BINLOG_XA_PREPARE:
        must(reading, fc_binlog_body_xa_prepare(event, &xa, &reading->err));
        fc_buf_append_fmt(story, "  xa prepare %.*s\n", (int)xa.gtrid.len,
                          (const char *)xa.gtrid.data);
        break;
    case FC_BINLOG_XID:
        fc_buf_append_text(story, "  commit\n");
        break;
    case FC_BINLOG_ANNOTATE_ROWS:
        must(reading, fc_binlog_body_rows_query(event, &text, &reading->err));
        fc_buf_append_fmt(story, "  statement of %zu bytes\n", text.len);
        break;
    case FC_BINLOG_CHECKPOINT:
        must(reading, fc_binlog_body_checkpoint(event, &text, &reading->err));
        fc_buf_append_fmt(story, "checkpoint %.*s\n", (int)text.len, (const char *)text.data);
        break;
    case FC_BINLOG_ROTATE:
        must(reading, fc_binlog_body_rotate(event, &rotate, &reading->err));
        fc_buf_append_fmt(story, "rotate to %.*s %" PRIu64 "\n", (int)rotate.file.len,
                          (const char *)rotate.file.data, rotate.position);
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

static void the_story_of_the_file_is_told_event_by_event(void **state)
{
    struct reading *reading = *state;
    struct fc_buf story;
    struct fc_binlog_event event;
    fc_buf_init(&story, TEXT_MAX);
    while (test_walk_next(&reading->walk, &event)) {
        narrate(reading, &event, &story);
    }
    compare_with_file(&story, "tests/golden/binlog/mariadb-types.story");
    fc_buf_release(&story);
}

static void shapes_have_the_declared_types(void **state)
{
    struct reading *reading = *state;
    struct fc_binlog_event event;
    const struct fc_shape *last = NULL;
    struct fc_buf text;
    fc_buf_init(&text, TEXT_MAX);
    while (test_walk_next(&reading->walk, &event)) {
        const struct fc_table_map *map;
        if (event.type != FC_BINLOG_TABLE_MAP) {
            continue;
        }
        must(reading, fc_table_map_cache_put(reading->cache, &reading->walk.format, &event,
                                             hint, reading, &map, &reading->err));
        if (map->shape == last || !is_plain_table(map->shape->table)) {
            continue;
        }
        last = map->shape;
        fc_buf_append_fmt(&text, "%s.%s key %u\n", last->db, last->table, last->key_count);
        for (uint32_t index = 0; index < last->column_count; index++) {
            const struct fc_column *column = &last->columns[index];
            fc_buf_append_fmt(&text, "  %s %s%s%s%s\n", column->name, column->native_type,
                              column->charset != NULL ? " " : "",
                              column->charset != NULL ? column->charset : "",
                              column->nullable ? "" : " not null");
        }
    }
    compare_with_file(&text, "tests/golden/binlog/mariadb-types.shapes");
    fc_buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_value_is_what_the_server_selects, open_reading,
                                        close_reading),
        cmocka_unit_test_setup_teardown(the_story_of_the_file_is_told_event_by_event,
                                        open_reading, close_reading),
        cmocka_unit_test_setup_teardown(shapes_have_the_declared_types, open_reading,
                                        close_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
