/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "runner/restore/verify.h"
#include "tests/support/log_fixture.h"
#include "tests/support/memory_target.h"
#include "tests/support/sample_rows.h"

enum { ROWS = 3000, TEXT_SIZE = 8192 };

static const struct fc_column id_and_v[] = {
    { .name = "id", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64, .key_index = 1 },
    { .name = "v", .native_type = "int", .type = FC_TYPE_INT, .bits = 32, .nullable = true },
};
static const struct fc_column with_n[] = {
    { .name = "id", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64, .key_index = 1 },
    { .name = "n", .native_type = "int", .type = FC_TYPE_INT, .bits = 32, .nullable = true },
    { .name = "v", .native_type = "int", .type = FC_TYPE_INT, .bits = 32, .nullable = true },
};
static const struct fc_shape keyed = {
    .db = "d", .table = "t", .columns = id_and_v, .column_count = 2, .key_count = 1
};
static const struct fc_shape wider = {
    .db = "d", .table = "t", .columns = with_n, .column_count = 3, .key_count = 1
};
static const struct fc_shape unkeyed = {
    .db = "d", .table = "u", .columns = &id_and_v[1], .column_count = 1, .key_count = 0
};

struct scene {
    struct fc_log_fixture fixture;
    struct fc_memory_server server;
    struct fc_verify_result result;
    char text[TEXT_SIZE]; /* what was named, a line each */
    uint64_t named_max;
    size_t memory_bytes;
};

static void scene_init(struct scene *scene)
{
    memset(scene, 0, sizeof(*scene));
    fc_log_fixture_init(&scene->fixture, "cap", 1);
    fc_memory_server_init(&scene->server);
    scene->named_max = 10;
    scene->memory_bytes = (size_t)1024 * 1024;
}

static void scene_release(struct scene *scene)
{
    fc_verify_result_release(&scene->result);
    fc_memory_server_release(&scene->server);
    fc_log_fixture_release(&scene->fixture);
}

static void on_difference(void *ctx, uint32_t table, fc_difference what, struct fc_slice key)
{
    struct scene *scene = ctx;
    size_t length = strlen(scene->text);
    (void)table;
    (void)snprintf(scene->text + length, TEXT_SIZE - length, "%s %.*s\n",
                   what == FC_ROW_MISSING ? "missing"
                   : what == FC_ROW_EXTRA ? "extra"
                                          : "different",
                   (int)key.len, (const char *)key.data);
}

/* Compare d.<table> of the server with the log's. */
static void compare(struct scene *scene, const char *table)
{
    struct fc_restore_place place = { "d", table };
    struct fc_verify_config config;
    struct fc_error err;
    char *name = fc_asprintf("d.%s", table);
    struct fc_fold *fold;
    struct fc_target *target = NULL;
    fc_log_fixture_view(&scene->fixture);
    fold = fc_log_fixture_fold(&scene->fixture, scene->fixture.seq, name, &err);
    assert_non_null(fold);
    memset(&config, 0, sizeof(config));
    config.view = scene->fixture.view;
    config.fold = fold;
    config.places = &place;
    config.ops = &fc_memory_target_ops;
    assert_int_equal(fc_memory_target_ops.open(&scene->server.host, &target, &err), FC_OK);
    config.target = target;
    config.memory_bytes = scene->memory_bytes;
    config.rows_named_max = scene->named_max;
    config.on_difference = on_difference;
    config.ctx = scene;
    fc_verify_result_release(&scene->result);
    scene->text[0] = '\0';
    assert_int_equal(fc_verify_run(&config, &scene->result, &err), FC_OK);
    fc_memory_target_ops.close(target);
    fc_fold_free(fold);
    free(name);
}

/* d.t in the log and in the server, ids 1 to ROWS, v = id * 2. */
static struct fc_memory_table *write_both(struct scene *scene)
{
    struct fc_memory_table *table = fc_memory_server_create(&scene->server, "d", "t", &keyed);
    fc_log_fixture_begin(&scene->fixture, true);
    for (int64_t id = 1; id <= ROWS; id++) {
        struct fc_value row[2] = { fc_sample_int(id), fc_sample_int(id * 2) };
        fc_log_writer_row(scene->fixture.writer, FC_OP_READ, &keyed, NULL, row);
        fc_memory_table_insert(table, row);
    }
    fc_log_writer_snapshot_end(scene->fixture.writer, &keyed, NULL);
    fc_log_writer_commit(scene->fixture.writer);
    return table;
}

static void equal_tables_are_equal_whatever_the_order_of_their_rows(void **state)
{
    struct scene scene;
    struct fc_memory_table *table;
    (void)state;
    scene_init(&scene);
    table = write_both(&scene);
    for (size_t index = 0; index < ROWS / 2; index++) {
        struct fc_value *row = table->rows[index];
        table->rows[index] = table->rows[ROWS - 1 - index];
        table->rows[ROWS - 1 - index] = row;
    }
    compare(&scene, "t");
    assert_true(scene.result.equal);
    assert_int_equal(scene.result.log_rows, ROWS);
    assert_int_equal(scene.result.target_rows, ROWS);
    assert_string_equal(scene.text, "");
    scene_release(&scene);
}

static void rows_that_differ_are_named_by_their_keys(void **state)
{
    struct scene scene;
    struct fc_memory_table *table;
    struct fc_value extra[2] = { fc_sample_int(70000), fc_sample_int(1) };
    (void)state;
    scene_init(&scene);
    table = write_both(&scene);
    table->rows[41][1] = fc_sample_int(5); /* id 42 */
    fc_memory_table_remove(table, 6);      /* id 7 */
    fc_memory_table_insert(table, extra);
    compare(&scene, "t");
    assert_false(scene.result.equal);
    assert_int_equal(scene.result.missing, 1);
    assert_int_equal(scene.result.extra, 1);
    assert_int_equal(scene.result.different, 1);
    assert_false(scene.result.partly);
    assert_non_null(strstr(scene.text, "different {\"id\":42}\n"));
    assert_non_null(strstr(scene.text, "missing {\"id\":7}\n"));
    assert_non_null(strstr(scene.text, "extra {\"id\":70000}\n"));
    scene_release(&scene);
}

static void only_so_many_rows_are_named_but_all_are_counted(void **state)
{
    struct scene scene;
    struct fc_memory_table *table;
    size_t lines = 0;
    (void)state;
    scene_init(&scene);
    scene.named_max = 3;
    table = write_both(&scene);
    for (size_t index = 0; index < 200; index++) {
        table->rows[index][1] = fc_sample_int(-1);
    }
    compare(&scene, "t");
    assert_int_equal(scene.result.different, 200);
    for (const char *at = scene.text; *at != '\0'; at++) {
        lines += *at == '\n' ? 1 : 0;
    }
    assert_int_equal(lines, 3);
    scene_release(&scene);
}

static void with_little_memory_a_part_is_looked_at_and_that_is_said(void **state)
{
    struct scene scene;
    struct fc_memory_table *table;
    (void)state;
    scene_init(&scene);
    scene.memory_bytes = 0; /* the least that is taken: 1,024 rows */
    table = write_both(&scene);
    for (size_t index = 0; index < ROWS; index++) {
        table->rows[index][1] = fc_sample_int(-1);
    }
    compare(&scene, "t");
    assert_false(scene.result.equal);
    assert_true(scene.result.partly);
    assert_in_range(scene.result.different, ROWS / 8, ROWS - 1);
    assert_int_equal(scene.result.extra, 0);
    assert_int_equal(scene.result.missing, 0);
    scene_release(&scene);
}

static void a_table_that_is_not_there_or_lacks_a_column_differs(void **state)
{
    struct scene scene;
    (void)state;
    scene_init(&scene);
    (void)write_both(&scene);
    scene.server.tables[0]->name[0] = 'x';
    compare(&scene, "t");
    assert_false(scene.result.equal);
    assert_true(scene.result.absent);
    assert_int_equal(scene.result.log_rows, ROWS);
    scene.server.tables[0]->name[0] = 't';
    struct fc_shape narrow = keyed;
    narrow.column_count = 1;
    scene.server.tables[0]->shape = &narrow;
    compare(&scene, "t");
    assert_false(scene.result.equal);
    assert_non_null(strstr(scene.result.columns, "has no column v"));
    scene.server.tables[0]->shape = &keyed;
    scene_release(&scene);
}

static void a_column_that_the_log_lacks_is_told_and_passed_over(void **state)
{
    struct scene scene;
    struct fc_memory_table *table;
    (void)state;
    scene_init(&scene);
    (void)write_both(&scene);
    scene.server.tables[0]->name[0] = 'x';
    table = fc_memory_server_create(&scene.server, "d", "t", &wider);
    for (int64_t id = 1; id <= ROWS; id++) {
        struct fc_value row[3] = { fc_sample_int(id), fc_sample_int(9), fc_sample_int(id * 2) };
        fc_memory_table_insert(table, row);
    }
    compare(&scene, "t");
    assert_true(scene.result.equal);
    assert_string_equal(scene.result.unknown_columns, "n");
    scene_release(&scene);
}

static void rows_from_before_a_column_are_compared_without_it(void **state)
{
    struct scene scene;
    struct fc_memory_table *table;
    struct fc_value changed[3] = { fc_sample_int(5), fc_sample_int(50), fc_sample_int(500) };
    (void)state;
    scene_init(&scene);
    (void)write_both(&scene);
    scene.server.tables[0]->name[0] = 'x';
    fc_log_fixture_ddl(&scene.fixture, FC_DDL_ALTER_TABLE, "ALTER TABLE t ADD n INT AFTER id",
                       "t", NULL);
    fc_log_fixture_begin(&scene.fixture, false);
    fc_log_writer_row(scene.fixture.writer, FC_OP_UPDATE, &wider, changed, changed);
    fc_log_writer_commit(scene.fixture.writer);
    table = fc_memory_server_create(&scene.server, "d", "t", &wider);
    for (int64_t id = 1; id <= ROWS; id++) {
        struct fc_value row[3] = { fc_sample_int(id), fc_sample_int(id == 5 ? 50 : 123),
                                   fc_sample_int(id == 5 ? 500 : id * 2) };
        fc_memory_table_insert(table, row);
    }
    compare(&scene, "t");
    assert_true(scene.result.equal);
    table->rows[4][1] = fc_sample_int(51); /* of the row that the log knows n of */
    compare(&scene, "t");
    assert_string_equal(scene.text, "different {\"id\":5}\n");
    table->rows[4][1] = fc_sample_int(50);
    table->rows[5][2] = fc_sample_int(0); /* v of a row that it does not */
    compare(&scene, "t");
    assert_string_equal(scene.text, "different {\"id\":6}\n");
    scene_release(&scene);
}

static void rows_without_key_are_counted(void **state)
{
    struct scene scene;
    struct fc_memory_table *table;
    struct fc_value one = fc_sample_int(1);
    struct fc_value two = fc_sample_int(2);
    (void)state;
    scene_init(&scene);
    fc_log_fixture_begin(&scene.fixture, true);
    fc_log_writer_row(scene.fixture.writer, FC_OP_READ, &unkeyed, NULL, &one);
    fc_log_writer_row(scene.fixture.writer, FC_OP_READ, &unkeyed, NULL, &two);
    fc_log_writer_snapshot_end(scene.fixture.writer, &unkeyed, &one);
    fc_log_writer_commit(scene.fixture.writer);
    table = fc_memory_server_create(&scene.server, "d", "u", &unkeyed);
    fc_memory_table_insert(table, &one);
    fc_memory_table_insert(table, &one);
    fc_memory_table_insert(table, &two);
    compare(&scene, "u");
    assert_true(scene.result.equal);
    table->rows[0][0] = two;
    compare(&scene, "u");
    assert_false(scene.result.equal);
    assert_int_equal(scene.result.missing, 1);
    assert_int_equal(scene.result.extra, 1);
    assert_string_equal(scene.text, "extra {\"v\":2}\nmissing {\"v\":1}\n");
    scene_release(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_tables_are_equal_whatever_the_order_of_their_rows),
        cmocka_unit_test(rows_that_differ_are_named_by_their_keys),
        cmocka_unit_test(only_so_many_rows_are_named_but_all_are_counted),
        cmocka_unit_test(with_little_memory_a_part_is_looked_at_and_that_is_said),
        cmocka_unit_test(a_table_that_is_not_there_or_lacks_a_column_differs),
        cmocka_unit_test(a_column_that_the_log_lacks_is_told_and_passed_over),
        cmocka_unit_test(rows_from_before_a_column_are_compared_without_it),
        cmocka_unit_test(rows_without_key_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
