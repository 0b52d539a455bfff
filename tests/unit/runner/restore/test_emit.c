/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "runner/restore/emit.h"
#include "tests/support/log_fixture.h"
#include "tests/support/sample_rows.h"
#include "tests/support/temp_dir.h"

enum { ROWS = 4000, TABLES = 2 };

static const struct fc_column columns[] = {
    { .name = "id", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64, .key_index = 1 },
    { .name = "v", .native_type = "int", .type = FC_TYPE_INT, .bits = 32 },
    { .name = "n", .native_type = "int", .type = FC_TYPE_INT, .bits = 32, .nullable = true },
};
static const char *const names[TABLES] = { "t", "u" };
static const struct fc_shape shapes[TABLES] = {
    { .db = "d", .table = "t", .columns = columns, .column_count = 2, .key_count = 1 },
    { .db = "d", .table = "u", .columns = columns, .column_count = 2, .key_count = 1 },
};
static const struct fc_shape altered = {
    .db = "d", .table = "t", .columns = columns, .column_count = 3, .key_count = 1
};

/* What came out. */
struct seen {
    int64_t values[TABLES][ROWS + 1]; /* 0: not yet */
    int64_t last[TABLES];             /* id */
    uint64_t rows;
    uint64_t descents; /* rows that lie before the one that came before them */
    uint32_t last_version;
    uint64_t version_changes;
};

static int64_t number_in(struct fc_slice text, const char *name)
{
    char copy[200];
    const char *at;
    assert_in_range(text.len, 1, sizeof(copy) - 1);
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    at = strstr(copy, name);
    assert_non_null(at);
    return strtoll(at + strlen(name), NULL, 10);
}

static fc_code on_row(void *ctx, const struct fc_emit_row *row, struct fc_error *err)
{
    struct seen *seen = ctx;
    int64_t id = number_in(row->key, "\"id\":");
    int64_t *last = &seen->last[row->table_index];
    (void)err;
    assert_int_equal(id, number_in(row->image, "\"id\":"));
    assert_in_range(id, 1, ROWS);
    assert_int_equal(seen->values[row->table_index][id], 0);
    seen->values[row->table_index][id] = number_in(row->image, "\"v\":");
    seen->version_changes += seen->rows > 0 && row->version != seen->last_version ? 1 : 0;
    seen->last_version = row->version;
    seen->descents += id < *last ? 1 : 0;
    *last = id;
    seen->rows++;
    return FC_OK;
}

static void write_row(struct fc_log_fixture *fixture, const struct fc_shape *shape, fc_op op,
                      int64_t id, int64_t value)
{
    struct fc_value row[3] = { fc_sample_int(id), fc_sample_int(value), fc_sample_int(1) };
    fc_log_fixture_begin(fixture, false);
    fc_log_writer_row(fixture->writer, op, shape, op == FC_OP_CREATE ? NULL : row, row);
    fc_log_writer_commit(fixture->writer);
}

/* Two tables; the rows of the first come in order, those of the second in any; every third is
 * changed later, backwards. */
static void write_history(struct fc_log_fixture *fixture)
{
    for (int name = 0; name < TABLES; name++) {
        fc_log_fixture_ddl(fixture, FC_DDL_CREATE_TABLE, "CREATE TABLE t (...)", names[name],
                           NULL);
    }
    write_row(fixture, &shapes[0], FC_OP_CREATE, ROWS, 1); /* a high one at first */
    write_row(fixture, &shapes[1], FC_OP_CREATE, ROWS, 1);
    for (int64_t id = 1; id < ROWS; id++) {
        write_row(fixture, &shapes[0], FC_OP_CREATE, id, 1);
        write_row(fixture, &shapes[1], FC_OP_CREATE, id * 1999 % ROWS, 1);
    }
    for (int64_t id = ROWS - ROWS % 3; id > 0; id -= 3) {
        write_row(fixture, &shapes[0], FC_OP_UPDATE, id, 2);
        write_row(fixture, &shapes[1], FC_OP_UPDATE, id, 2);
    }
}

static void emit(const struct fc_log_fixture *fixture, const struct fc_fold *fold,
                 struct fc_emit_config *config, struct seen *seen)
{
    struct fc_error err;
    memset(seen, 0, sizeof(*seen));
    config->view = fixture->view;
    config->tables = fold->tables;
    config->table_count = fold->table_count;
    config->on_row = on_row;
    config->ctx = seen;
    assert_int_equal(fc_emit(config, &err), FC_OK);
}

static void assert_whole(const struct seen *seen)
{
    assert_int_equal(seen->rows, TABLES * ROWS);
    for (int name = 0; name < TABLES; name++) {
        for (int64_t id = 1; id <= ROWS; id++) {
            assert_int_equal(seen->values[name][id], id % 3 == 0 ? 2 : 1);
        }
    }
}

static void check_history(uint32_t partitions)
{
    struct fc_log_fixture fixture;
    struct fc_emit_config config = { 0 };
    struct fc_error err;
    struct fc_fold *fold;
    struct seen *seen = fc_new(struct seen);
    char *dir = temp_dir_new();
    fc_log_fixture_init(&fixture, "cap", partitions);
    write_history(&fixture);
    fc_log_fixture_view(&fixture);
    fold = fc_log_fixture_fold(&fixture, fixture.view->complete_seq, NULL, &err);
    assert_non_null(fold);
    emit(&fixture, fold, &config, seen); /* as it is in the log */
    assert_whole(seen);
    assert_in_range(seen->descents, ROWS / 3, UINT64_MAX);
    config.sort_dir = "/nowhere";
    config.sort_bytes = (size_t)16 * 1024 * 1024;
    emit(&fixture, fold, &config, seen);
    assert_whole(seen);
    assert_int_equal(seen->descents, 0);
    config.sort_dir = dir;
    config.sort_bytes = 1; /* the least that a sort takes: the rest goes to a file */
    emit(&fixture, fold, &config, seen);
    assert_whole(seen);
    assert_int_equal(seen->descents, 0);
    config.sort_dir = "/nowhere"; /* sorted as far as memory goes, and given out at once */
    emit(&fixture, fold, &config, seen);
    assert_whole(seen);
    assert_in_range(seen->descents, 1, 40);
    fc_fold_free(fold);
    free(seen);
    fc_log_fixture_release(&fixture);
    temp_dir_free(dir);
}

static void rows_come_in_the_order_of_their_keys(void **state)
{
    (void)state;
    check_history(1);
}

static void rows_of_several_partitions_come_in_the_order_of_their_keys(void **state)
{
    (void)state;
    check_history(3);
}

static uint32_t group_of(void *ctx, uint32_t table_index, uint32_t version)
{
    (void)ctx;
    (void)table_index;
    return version;
}

static void rows_of_one_group_stay_together(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_emit_config config = { .sort_bytes = 1024 * 1024, .sort_dir = "/nowhere" };
    struct fc_error err;
    struct fc_fold *fold;
    struct seen *seen = fc_new(struct seen);
    (void)state;
    fc_log_fixture_init(&fixture, "cap", 1);
    fc_log_fixture_ddl(&fixture, FC_DDL_CREATE_TABLE, "CREATE TABLE t (...)", "t", NULL);
    for (int64_t id = 1; id <= 100; id++) {
        write_row(&fixture, &shapes[0], FC_OP_CREATE, id, 1);
    }
    fc_log_fixture_ddl(&fixture, FC_DDL_ALTER_TABLE, "ALTER TABLE t ADD COLUMN n INT", "t",
                       NULL);
    for (int64_t id = 100; id > 0; id -= 2) {
        write_row(&fixture, &altered, FC_OP_UPDATE, id, 2);
    }
    fc_log_fixture_view(&fixture);
    fold = fc_log_fixture_fold(&fixture, fixture.view->complete_seq, NULL, &err);
    assert_non_null(fold);
    emit(&fixture, fold, &config, seen);
    assert_int_equal(seen->descents, 0);
    assert_in_range(seen->version_changes, 90, 100);
    config.group_of = group_of;
    emit(&fixture, fold, &config, seen);
    assert_int_equal(seen->rows, 100);
    assert_int_equal(seen->descents, 1);
    assert_int_equal(seen->version_changes, 1);
    fc_fold_free(fold);
    free(seen);
    fc_log_fixture_release(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_in_the_order_of_their_keys),
        cmocka_unit_test(rows_of_several_partitions_come_in_the_order_of_their_keys),
        cmocka_unit_test(rows_of_one_group_stay_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
