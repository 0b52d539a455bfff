/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "runner/restore/restore.h"
#include "tests/support/log_fixture.h"
#include "tests/support/memory_target.h"
#include "tests/support/sample_rows.h"

enum { TABLES_MAX = 16 };

/* --- tables ------------------------------------------------------------------------------ */

static const struct fc_column id_and_v[] = {
    { .name = "id", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64, .key_index = 1 },
    { .name = "v", .native_type = "varchar(20)", .type = FC_TYPE_TEXT, .nullable = true },
};
/* v is called w, and n is new. */
static const struct fc_column id_w_n[] = {
    { .name = "id", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64, .key_index = 1 },
    { .name = "w", .native_type = "varchar(20)", .type = FC_TYPE_TEXT, .nullable = true },
    { .name = "n", .native_type = "int", .type = FC_TYPE_INT, .bits = 32, .nullable = true },
};
static const struct fc_column id_v_n[] = {
    { .name = "id", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64, .key_index = 1 },
    { .name = "v", .native_type = "varchar(20)", .type = FC_TYPE_TEXT, .nullable = true },
    { .name = "n", .native_type = "int", .type = FC_TYPE_INT, .bits = 32, .nullable = true },
};
static const struct fc_column only_v[] = {
    { .name = "v", .native_type = "varchar(20)", .type = FC_TYPE_TEXT, .nullable = true },
};

static const struct fc_shape keyed = {
    .db = "d", .table = "t", .columns = id_and_v, .column_count = 2, .key_count = 1
};
static const struct fc_shape altered = {
    .db = "d", .table = "t", .columns = id_w_n, .column_count = 3, .key_count = 1
};
static const struct fc_shape widened = {
    .db = "d", .table = "t", .columns = id_v_n, .column_count = 3, .key_count = 1
};
static const struct fc_shape unkeyed = {
    .db = "d", .table = "u", .columns = only_v, .column_count = 1, .key_count = 0
};

static void write_keyed(struct fc_log_fixture *fixture, fc_op op, int64_t id, const char *v)
{
    struct fc_value row[2] = { fc_sample_int(id), fc_sample_text(v) };
    fc_log_writer_row(fixture->writer, op, &keyed, op == FC_OP_DELETE ? row : NULL,
                      op == FC_OP_DELETE ? NULL : row);
}

/* d.t created, with rows 1 to count. */
static void write_rows(struct fc_log_fixture *fixture, int64_t count)
{
    fc_log_fixture_ddl(fixture, FC_DDL_CREATE_TABLE, "CREATE TABLE t (...)", "t", NULL);
    fc_log_fixture_begin(fixture, false);
    for (int64_t id = 1; id <= count; id++) {
        write_keyed(fixture, FC_OP_CREATE, id, "first");
    }
    fc_log_writer_commit(fixture->writer);
}

/* --- restoring --------------------------------------------------------------------------- */

struct run {
    struct fc_memory_server *server;
    struct fc_fold *fold;
    struct fc_restore *restore;
    struct fc_restore_place places[TABLES_MAX];
    struct fc_table_info infos[TABLES_MAX];
    bool replace;
    bool no_verify;
    uint32_t parallel;
};

static fc_code prepare(struct run *run, struct fc_log_fixture *fixture, struct fc_error *err)
{
    struct fc_restore_config config;
    fc_code code;
    fc_log_fixture_view(fixture);
    run->fold = fc_log_fixture_fold(fixture, fixture->view->complete_seq, NULL, err);
    if (run->fold == NULL) {
        return err->code;
    }
    assert_in_range(run->fold->table_count, 1, TABLES_MAX);
    for (uint32_t index = 0; index < run->fold->table_count; index++) {
        run->places[index].db = "back";
        run->places[index].table = run->fold->tables[index]->table;
    }
    memset(&config, 0, sizeof(config));
    config.view = fixture->view;
    config.fold = run->fold;
    config.into = run->places;
    config.ops = &fc_memory_target_ops;
    config.host = &run->server->host;
    config.replace = run->replace;
    config.verify = !run->no_verify;
    config.parallel = run->parallel;
    config.sort_bytes = 1024 * 1024;
    config.sort_dir = "/tmp";
    code = fc_restore_new(&config, &run->restore, err);
    return code == FC_OK ? fc_restore_check(run->restore, run->infos, err) : code;
}

static fc_code restore_all(struct run *run, struct fc_log_fixture *fixture,
                           struct fc_error *err)
{
    fc_code code = prepare(run, fixture, err);
    return code == FC_OK ? fc_restore_run(run->restore, err) : code;
}

static void finish(struct run *run)
{
    fc_restore_free(run->restore);
    fc_fold_free(run->fold);
    assert_int_equal(run->server->opened, 0);
    fc_memory_server_release(run->server);
}

static void begin(struct run *run, struct fc_memory_server *server,
                  struct fc_log_fixture *fixture)
{
    memset(run, 0, sizeof(*run));
    fc_memory_server_init(server);
    run->server = server;
    run->parallel = 2;
    fc_log_fixture_init(fixture, "cap", 1);
}

static const struct fc_value *row_with(const struct fc_memory_table *table, int64_t id)
{
    for (size_t index = 0; index < table->row_count; index++) {
        if (table->rows[index][0].as.i64 == id) {
            return table->rows[index];
        }
    }
    return NULL;
}

/* --- tests ------------------------------------------------------------------------------- */

/* A sample row with a key of its own. */
static void fill_row(int which, struct fc_value *row)
{
    const struct fc_shape *shape = fc_sample_shape();
    fc_sample_fill((fc_sample_row)which, row);
    for (uint32_t column = 0; column < shape->column_count; column++) {
        if (strcmp(shape->columns[column].name, "id") == 0) {
            row[column] = fc_sample_int(1000 + which);
        }
    }
}

/* Which of the table's rows fill_row made with this number. */
static const struct fc_value *row_made(const struct fc_memory_table *table, int which)
{
    const struct fc_shape *shape = fc_sample_shape();
    for (uint32_t column = 0; column < shape->column_count; column++) {
        for (size_t index = 0;
             strcmp(shape->columns[column].name, "id") == 0 && index < table->row_count;
             index++) {
            if (table->rows[index][column].as.i64 == 1000 + which) {
                return table->rows[index];
            }
        }
    }
    return NULL;
}

static void a_value_of_every_type_comes_back_and_is_verified(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_memory_server server;
    struct run run;
    struct fc_error err;
    struct fc_value row[FC_SAMPLE_COLUMNS];
    const struct fc_memory_table *table;
    (void)state;
    begin(&run, &server, &fixture);
    fc_log_fixture_begin(&fixture, true);
    for (int which = FC_SAMPLE_COMMON; which < FC_SAMPLE_UNCHANGED; which++) {
        fill_row(which, row);
        if (which < FC_SAMPLE_UNCHANGED - 1) {
            fc_log_writer_row(fixture.writer, FC_OP_READ, fc_sample_shape(), NULL, row);
        } else {
            fc_log_writer_snapshot_end(fixture.writer, fc_sample_shape(), row);
        }
    }
    fc_log_writer_commit(fixture.writer);
    assert_int_equal(restore_all(&run, &fixture, &err), FC_OK);
    table = fc_memory_server_table(&server, "back", "types");
    assert_non_null(table);
    assert_true(fc_restore_result(run.restore, 0)->verified);
    assert_int_equal(table->row_count, FC_SAMPLE_UNCHANGED);
    for (int which = FC_SAMPLE_COMMON; which < FC_SAMPLE_UNCHANGED; which++) {
        const struct fc_value *found = row_made(table, which);
        fill_row(which, row);
        assert_non_null(found);
        for (uint32_t column = 0; column < FC_SAMPLE_COLUMNS; column++) {
            assert_true(fc_sample_equal(&found[column], &row[column]));
        }
    }
    finish(&run);
    fc_log_fixture_release(&fixture);
}

static void a_row_without_all_values_is_refused(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_memory_server server;
    struct run run;
    struct fc_error err;
    struct fc_value row[FC_SAMPLE_COLUMNS];
    (void)state;
    begin(&run, &server, &fixture);
    fc_sample_fill(FC_SAMPLE_UNCHANGED, row);
    fc_log_fixture_begin(&fixture, true);
    fc_log_writer_snapshot_end(fixture.writer, fc_sample_shape(), row);
    fc_log_writer_commit(fixture.writer);
    assert_int_equal(restore_all(&run, &fixture, &err), FC_ERR_REFUSED);
    assert_non_null(strstr(err.message, "binlog_row_image"));
    assert_int_equal(server.table_count - 1, 0); /* the staging table, until free */
    fc_restore_free(run.restore);
    run.restore = NULL;
    assert_int_equal(server.table_count, 0);
    finish(&run);
    fc_log_fixture_release(&fixture);
}

static void rows_of_older_columns_go_under_the_new_names(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_memory_server server;
    struct run run;
    struct fc_error err;
    struct fc_value row[3] = { fc_sample_int(2), fc_sample_text("second"), fc_sample_int(7) };
    const struct fc_memory_table *table;
    (void)state;
    begin(&run, &server, &fixture);
    write_rows(&fixture, 3);
    fc_log_fixture_ddl(&fixture, FC_DDL_ALTER_TABLE,
                       "ALTER TABLE t RENAME COLUMN `v` TO `w`, ADD COLUMN n INT", "t", NULL);
    fc_log_fixture_begin(&fixture, false);
    fc_log_writer_row(fixture.writer, FC_OP_UPDATE, &altered, row, row);
    fc_log_writer_commit(fixture.writer);
    assert_int_equal(restore_all(&run, &fixture, &err), FC_OK);
    table = fc_memory_server_table(&server, "back", "t");
    assert_int_equal(table->row_count, 3);
    assert_true(fc_slice_equal_text(row_with(table, 1)[1].as.bytes, "first"));
    assert_int_equal(row_with(table, 1)[2].as.i64, FC_MEMORY_DEFAULT);
    assert_true(fc_slice_equal_text(row_with(table, 2)[1].as.bytes, "second"));
    assert_int_equal(row_with(table, 2)[2].as.i64, 7);
    assert_string_equal(fc_restore_result(run.restore, 0)->missing, "n");
    assert_true(fc_restore_result(run.restore, 0)->verified);
    finish(&run);
    fc_log_fixture_release(&fixture);
}

/* A capture that was killed inside a transaction describes the table anew for its other rows. */
static void rows_of_two_versions_within_one_transaction_come_back(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_memory_server server;
    struct run run;
    struct fc_error err;
    struct fc_value wide[3] = { fc_sample_int(3), fc_sample_text("other"), fc_sample_int(7) };
    const struct fc_memory_table *table;
    (void)state;
    begin(&run, &server, &fixture);
    write_rows(&fixture, 1);
    fc_log_fixture_begin(&fixture, false);
    write_keyed(&fixture, FC_OP_CREATE, 2, "older"); /* of the version before, after its time */
    fc_log_writer_row(fixture.writer, FC_OP_CREATE, &widened, NULL, wide);
    fc_log_writer_commit(fixture.writer);
    assert_int_equal(restore_all(&run, &fixture, &err), FC_OK);
    table = fc_memory_server_table(&server, "back", "t");
    assert_int_equal(table->row_count, 3);
    assert_true(fc_slice_equal_text(row_with(table, 1)[1].as.bytes, "first"));
    assert_true(fc_slice_equal_text(row_with(table, 2)[1].as.bytes, "older"));
    assert_int_equal(row_with(table, 2)[2].as.i64, FC_MEMORY_DEFAULT);
    assert_true(fc_slice_equal_text(row_with(table, 3)[1].as.bytes, "other"));
    assert_int_equal(row_with(table, 3)[2].as.i64, 7);
    assert_true(fc_restore_result(run.restore, 0)->verified);
    finish(&run);
    fc_log_fixture_release(&fixture);
}

static void a_column_that_changes_its_name_without_a_statement_stops_it(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_memory_server server;
    struct run run;
    struct fc_error err;
    struct fc_value row[3] = { fc_sample_int(2), fc_sample_text("second"), fc_sample_int(7) };
    (void)state;
    begin(&run, &server, &fixture);
    write_rows(&fixture, 3);
    fc_log_fixture_begin(&fixture, false);
    fc_log_writer_row(fixture.writer, FC_OP_UPDATE, &altered, row, row);
    fc_log_writer_commit(fixture.writer);
    assert_int_equal(restore_all(&run, &fixture, &err), FC_ERR_REFUSED);
    assert_non_null(strstr(err.message, "column v is gone and w is new from number 3"));
    finish(&run);
    fc_log_fixture_release(&fixture);
}

static void a_table_without_key_comes_back_with_its_doubles(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_memory_server server;
    struct run run;
    struct fc_error err;
    struct fc_value a = fc_sample_text("a");
    struct fc_value b = fc_sample_text("b");
    size_t count_a = 0;
    const struct fc_memory_table *table;
    (void)state;
    begin(&run, &server, &fixture);
    fc_log_fixture_begin(&fixture, true);
    fc_log_writer_row(fixture.writer, FC_OP_READ, &unkeyed, NULL, &a);
    fc_log_writer_row(fixture.writer, FC_OP_READ, &unkeyed, NULL, &a);
    fc_log_writer_snapshot_end(fixture.writer, &unkeyed, &b);
    fc_log_writer_commit(fixture.writer);
    fc_log_fixture_begin(&fixture, false);
    fc_log_writer_row(fixture.writer, FC_OP_CREATE, &unkeyed, NULL, &a);
    fc_log_writer_row(fixture.writer, FC_OP_DELETE, &unkeyed, &b, NULL);
    fc_log_writer_commit(fixture.writer);
    assert_int_equal(restore_all(&run, &fixture, &err), FC_OK);
    table = fc_memory_server_table(&server, "back", "u");
    for (size_t index = 0; index < table->row_count; index++) {
        count_a += fc_slice_equal_text(table->rows[index][0].as.bytes, "a") ? 1 : 0;
    }
    assert_int_equal(table->row_count, 3);
    assert_int_equal(count_a, 3);
    assert_true(fc_restore_result(run.restore, 0)->verified);
    finish(&run);
    fc_log_fixture_release(&fixture);
}

static void what_the_target_stored_wrongly_does_not_go_live(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_memory_server server;
    struct run run;
    struct fc_error err;
    struct fc_value mine[2] = { fc_sample_int(99), fc_sample_text("mine") };
    (void)state;
    begin(&run, &server, &fixture);
    fc_memory_table_insert(fc_memory_server_create(&server, "back", "t", &keyed), mine);
    write_rows(&fixture, 500);
    server.spoil_at_row = 321;
    run.replace = true;
    assert_int_equal(restore_all(&run, &fixture, &err), FC_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "differs from the log"));
    fc_restore_free(run.restore);
    run.restore = NULL;
    assert_int_equal(server.table_count, 1);
    assert_int_equal(fc_memory_server_table(&server, "back", "t")->row_count, 1);
    finish(&run);
    fc_log_fixture_release(&fixture);
}

static void a_target_that_fails_half_way_is_left_as_it_was(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_memory_server server;
    struct run run;
    struct fc_error err;
    (void)state;
    begin(&run, &server, &fixture);
    write_rows(&fixture, 20000);
    server.fail_at_row = 9000;
    assert_int_equal(restore_all(&run, &fixture, &err), FC_ERR_IO);
    assert_non_null(strstr(err.message, "fails as it was told to"));
    fc_restore_free(run.restore);
    run.restore = NULL;
    assert_int_equal(server.table_count, 0);
    finish(&run);
    fc_log_fixture_release(&fixture);
}

static void a_table_with_rows_is_not_touched_without_replace(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_memory_server server;
    struct run run;
    struct fc_error err;
    struct fc_value mine[2] = { fc_sample_int(99), fc_sample_text("mine") };
    struct fc_memory_table *table;
    (void)state;
    begin(&run, &server, &fixture);
    table = fc_memory_server_create(&server, "back", "t", &keyed);
    fc_memory_table_insert(table, mine);
    write_rows(&fixture, 5);
    assert_int_equal(restore_all(&run, &fixture, &err), FC_ERR_REFUSED);
    assert_non_null(strstr(err.message, "--replace"));
    assert_int_equal(server.table_count, 1);
    fc_memory_table_remove(table, 0); /* an empty one is no loss */
    fc_restore_free(run.restore);
    fc_fold_free(run.fold);
    assert_int_equal(restore_all(&run, &fixture, &err), FC_OK);
    assert_int_equal(fc_memory_server_table(&server, "back", "t")->row_count, 5);
    finish(&run);
    fc_log_fixture_release(&fixture);
}

static void *interrupt_when_blocked(void *ctx)
{
    struct run *run = ctx;
    fc_memory_server_wait_blocked(run->server);
    fc_restore_interrupt(run->restore);
    return NULL;
}

static void an_interrupted_restore_leaves_nothing_behind(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_memory_server server;
    struct run run;
    struct fc_error err;
    pthread_t thread;
    (void)state;
    begin(&run, &server, &fixture);
    write_rows(&fixture, 60000); /* so that the reader waits for the loader, too */
    server.block_at_row = 100;
    assert_int_equal(prepare(&run, &fixture, &err), FC_OK);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_when_blocked, &run), 0);
    assert_int_equal(fc_restore_run(run.restore, &err), FC_ERR_CLOSED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_non_null(strstr(err.message, "nothing was changed"));
    fc_restore_free(run.restore);
    run.restore = NULL;
    assert_int_equal(server.table_count, 0);
    finish(&run);
    fc_log_fixture_release(&fixture);
}

static void many_tables_go_in_groups_and_become_live_together(void **state)
{
    static const char *const names[] = { "a", "b", "c", "e", "f", "g", "h" };
    enum { COUNT = sizeof(names) / sizeof(*names) };
    struct fc_shape shapes[COUNT];
    struct fc_log_fixture fixture;
    struct fc_memory_server server;
    struct run run;
    struct fc_error err;
    (void)state;
    begin(&run, &server, &fixture);
    fc_log_fixture_begin(&fixture, true);
    for (int table = 0; table < COUNT; table++) {
        shapes[table] = keyed;
        shapes[table].table = names[table];
        for (int64_t id = 0; id < 100 * table; id++) {
            struct fc_value row[2] = { fc_sample_int(id), fc_sample_text(names[table]) };
            fc_log_writer_row(fixture.writer, FC_OP_READ, &shapes[table], NULL, row);
        }
        fc_log_writer_snapshot_end(fixture.writer, &shapes[table], NULL);
    }
    fc_log_writer_commit(fixture.writer);
    run.parallel = 3;
    assert_int_equal(restore_all(&run, &fixture, &err), FC_OK);
    assert_in_range(server.largest_group, 1, 3);
    assert_int_equal(server.table_count, COUNT);
    for (int table = 0; table < COUNT; table++) {
        const struct fc_memory_table *found =
            fc_memory_server_table(&server, "back", names[table]);
        assert_non_null(found);
        assert_int_equal(found->row_count, 100 * table);
        assert_true(fc_restore_result(run.restore, (uint32_t)table)->committed);
    }
    finish(&run);
    fc_log_fixture_release(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_of_every_type_comes_back_and_is_verified),
        cmocka_unit_test(a_row_without_all_values_is_refused),
        cmocka_unit_test(rows_of_older_columns_go_under_the_new_names),
        cmocka_unit_test(rows_of_two_versions_within_one_transaction_come_back),
        cmocka_unit_test(a_column_that_changes_its_name_without_a_statement_stops_it),
        cmocka_unit_test(a_table_without_key_comes_back_with_its_doubles),
        cmocka_unit_test(what_the_target_stored_wrongly_does_not_go_live),
        cmocka_unit_test(a_target_that_fails_half_way_is_left_as_it_was),
        cmocka_unit_test(a_table_with_rows_is_not_touched_without_replace),
        cmocka_unit_test(an_interrupted_restore_leaves_nothing_behind),
        cmocka_unit_test(many_tables_go_in_groups_and_become_live_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
