/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "tests/support/log_fixture.h"
#include "tests/support/sample_rows.h"

static const struct fc_column columns[] = {
    { .name = "id", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64, .key_index = 1 },
    { .name = "v", .native_type = "int", .type = FC_TYPE_INT, .bits = 32 },
};
static const struct fc_column other_key[] = {
    { .name = "id", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64 },
    { .name = "v", .native_type = "int", .type = FC_TYPE_INT, .bits = 32, .key_index = 1 },
};
static const struct fc_column no_key[] = {
    { .name = "id", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64 },
    { .name = "v", .native_type = "int", .type = FC_TYPE_INT, .bits = 32 },
};
static const struct fc_shape shape = {
    .db = "d", .table = "t", .columns = columns, .column_count = 2, .key_count = 1
};
static const struct fc_shape earlier = {
    .db = "d", .table = "earlier", .columns = columns, .column_count = 2, .key_count = 1
};
static const struct fc_shape rekeyed = {
    .db = "d", .table = "t", .columns = other_key, .column_count = 2, .key_count = 1
};
static const struct fc_shape unkeyed = {
    .db = "d", .table = "u", .columns = &columns[1], .column_count = 1, .key_count = 0
};
static const struct fc_shape unkeyed_wide = {
    .db = "d", .table = "u", .columns = no_key, .column_count = 2, .key_count = 0
};

static void write_row(struct fc_log_fixture *fixture, fc_op op, int64_t id, int64_t v)
{
    struct fc_value row[2] = { fc_sample_int(id), fc_sample_int(v) };
    fc_log_writer_row(fixture->writer, op, &shape, op == FC_OP_CREATE ? NULL : row,
                      op == FC_OP_DELETE ? NULL : row);
}

static void write_read_row(struct fc_log_fixture *fixture, const struct fc_shape *of,
                           int64_t id, bool last)
{
    struct fc_value row[2] = { fc_sample_int(id), fc_sample_int(0) };
    if (last) {
        fc_log_writer_snapshot_end(fixture->writer, of, row);
    } else {
        fc_log_writer_row(fixture->writer, FC_OP_READ, of, NULL, row);
    }
}

/* A snapshot of d.t with rows 1 to count, in one transaction. */
static void write_snapshot(struct fc_log_fixture *fixture, int64_t count)
{
    fc_log_fixture_begin(fixture, true);
    for (int64_t id = 1; id <= count; id++) {
        write_read_row(fixture, &shape, id, id == count);
    }
    fc_log_writer_commit(fixture->writer);
}

static void assert_rows(struct fc_log_fixture *fixture, uint64_t seq, const char *table,
                        uint64_t rows)
{
    struct fc_error err;
    struct fc_fold *fold = fc_log_fixture_fold(fixture, seq, table, &err);
    if (fold == NULL) {
        print_message("%s\n", err.message);
    }
    assert_non_null(fold);
    assert_int_equal(fold->table_count, 1);
    assert_int_equal(fold->tables[0]->rows, rows);
    fc_fold_free(fold);
}

static void assert_fails(struct fc_log_fixture *fixture, uint64_t seq, const char *table,
                         fc_code code, const char *says)
{
    struct fc_error err;
    struct fc_fold *fold = fc_log_fixture_fold(fixture, seq, table, &err);
    assert_null(fold);
    if (strstr(err.message, says) == NULL) {
        print_message("%s\n", err.message);
    }
    assert_non_null(strstr(err.message, says));
    assert_int_equal(err.code, code);
}

static void a_cut_inside_a_snapshot_names_where_it_is_complete(void **state)
{
    struct fc_log_fixture fixture;
    (void)state;
    fc_log_fixture_init(&fixture, "cap", 1);
    fc_log_fixture_begin(&fixture, true);
    write_row(&fixture, FC_OP_CREATE, 1, 1); /* a change before the chunk that holds it */
    fc_log_writer_commit(fixture.writer);
    write_snapshot(&fixture, 5);
    fc_log_fixture_view(&fixture);
    assert_fails(&fixture, 1, "d.t", FC_ERR_REFUSED, "it can be restored from number 2");
    assert_rows(&fixture, 2, "d.t", 5);
    fc_log_fixture_release(&fixture);
}

/* Rows of a snapshot are numbered table by table, so that those of a small one come in a log of
 * several partitions before the larger one's that was read earlier: the last of them perhaps before
 * the others. */
static void a_snapshot_is_whole_though_its_last_row_comes_first(void **state)
{
    enum { EARLIER = 40, ROWS = 8 };
    struct fc_log_fixture fixture;
    (void)state;
    for (int64_t first = 1; first <= 4; first++) { /* the last row is in either partition */
        fc_log_fixture_init(&fixture, "cap", 2);
        fc_log_fixture_begin(&fixture, true);
        for (int64_t id = 1; id <= EARLIER; id++) {
            write_read_row(&fixture, &earlier, id, id == EARLIER);
        }
        for (int64_t id = first; id < first + ROWS; id++) {
            write_read_row(&fixture, &shape, id, id == first + ROWS - 1);
        }
        fc_log_writer_commit(fixture.writer);
        fc_log_fixture_ddl(&fixture, FC_DDL_CREATE_TABLE,
                           "CREATE TABLE IF NOT EXISTS n (id BIGINT)", "n", NULL);
        fc_log_fixture_view(&fixture);
        assert_rows(&fixture, 1, "d.t", ROWS);
        assert_rows(&fixture, 1, "d.earlier", EARLIER);
        assert_fails(&fixture, 2, "d.n", FC_ERR_REFUSED,
                     "had never had a row"); /* so no snapshot is pending */
        fc_log_fixture_release(&fixture);
    }
}

static void moved_rows_are_a_gap_until_a_snapshot_follows(void **state)
{
    static const char *const exchange = "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u";
    struct fc_log_fixture fixture;
    (void)state;
    fc_log_fixture_init(&fixture, "cap", 1);
    write_snapshot(&fixture, 5);
    fc_log_fixture_ddl(&fixture, FC_DDL_ALTER_ROWS, exchange, "t", NULL);
    fc_log_fixture_begin(&fixture, false);
    write_row(&fixture, FC_OP_UPDATE, 9, 1); /* a row that came with the partition */
    fc_log_writer_commit(fixture.writer);
    fc_log_fixture_view(&fixture);
    assert_rows(&fixture, 1, "d.t", 5);
    assert_fails(&fixture, 2, "d.t", FC_ERR_REFUSED, "moved rows");
    assert_fails(&fixture, 3, "d.t", FC_ERR_REFUSED, "it can be restored with --before 0-1-2");
    write_snapshot(&fixture, 3);
    fc_log_fixture_view(&fixture);
    assert_fails(&fixture, 3, "d.t", FC_ERR_REFUSED, "or from number 4 on");
    assert_rows(&fixture, 4, "d.t", 4);
    fc_log_fixture_ddl(&fixture, FC_DDL_ALTER_ROWS, exchange, "t", NULL);
    fc_log_fixture_begin(&fixture, false);
    fc_log_writer_truncate(fixture.writer, "d", "t");
    fc_log_writer_commit(fixture.writer);
    fc_log_fixture_view(&fixture);
    assert_fails(&fixture, 5, "d.t", FC_ERR_REFUSED, "moved rows");
    assert_rows(&fixture, 6, "d.t", 0);
    fc_log_fixture_release(&fixture);
}

static void a_table_that_is_gone_at_the_cut_says_how_to_get_it(void **state)
{
    struct fc_log_fixture fixture;
    (void)state;
    fc_log_fixture_init(&fixture, "cap", 1);
    write_snapshot(&fixture, 5);
    fc_log_fixture_ddl(&fixture, FC_DDL_DROP_TABLE, "DROP TABLE t", "t", NULL);
    fc_log_fixture_view(&fixture);
    assert_fails(
        &fixture, 2, "d.t", FC_ERR_NOT_FOUND,
        "it was dropped by transaction 0-1-2 at 2023-11-14 22:13:22 UTC; restore it with "
        "--before 0-1-2");
    assert_rows(&fixture, 1, "d.t", 5);
    assert_fails(&fixture, 2, "d.x", FC_ERR_NOT_FOUND, "it has d.t");
    assert_fails(&fixture, 2, NULL, FC_ERR_NOT_FOUND, "no captured table exists");
    fc_log_fixture_release(&fixture);
}

static void a_renamed_table_is_found_by_its_new_name_only(void **state)
{
    struct fc_log_fixture fixture;
    (void)state;
    fc_log_fixture_init(&fixture, "cap", 1);
    write_snapshot(&fixture, 5);
    fc_log_fixture_ddl(&fixture, FC_DDL_RENAME_TABLE, "RENAME TABLE t TO old", "t", "old");
    fc_log_fixture_view(&fixture);
    assert_rows(&fixture, 2, "d.old", 5);
    assert_rows(&fixture, 1, "d.t", 5);
    assert_fails(&fixture, 2, "d.t", FC_ERR_NOT_FOUND, "renamed to d.old");
    assert_fails(&fixture, 1, "d.old", FC_ERR_NOT_FOUND, "no table d.old");
    fc_log_fixture_release(&fixture);
}

static void creating_if_not_exists_keeps_the_rows_that_there_are(void **state)
{
    struct fc_log_fixture fixture;
    static const char *const again = "CREATE TABLE IF NOT EXISTS t (id BIGINT)";
    (void)state;
    fc_log_fixture_init(&fixture, "cap", 1);
    fc_log_fixture_ddl(&fixture, FC_DDL_CREATE_TABLE, again, "t", NULL); /* was there before */
    write_snapshot(&fixture, 5);
    fc_log_fixture_ddl(&fixture, FC_DDL_CREATE_TABLE, again, "t", NULL);
    fc_log_fixture_ddl(&fixture, FC_DDL_DROP_TABLE, "DROP TABLE t", "t", NULL);
    fc_log_fixture_ddl(&fixture, FC_DDL_CREATE_TABLE, again, "t", NULL);
    fc_log_fixture_begin(&fixture, false);
    write_row(&fixture, FC_OP_CREATE, 77, 1);
    fc_log_writer_commit(fixture.writer);
    fc_log_fixture_view(&fixture);
    assert_fails(&fixture, 1, "d.t", FC_ERR_NOT_FOUND, "no table d.t");
    assert_rows(&fixture, 3, "d.t", 5);
    assert_rows(&fixture, 6, "d.t", 1);
    fc_log_fixture_release(&fixture);
}

static void a_table_that_never_had_a_row_is_not_made_up(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_error err;
    struct fc_fold *fold;
    (void)state;
    fc_log_fixture_init(&fixture, "cap", 1);
    write_snapshot(&fixture, 5);
    fc_log_fixture_ddl(&fixture, FC_DDL_CREATE_TABLE, "CREATE TABLE n (id INT)", "n", NULL);
    fc_log_fixture_view(&fixture);
    assert_fails(&fixture, 2, "d.n", FC_ERR_REFUSED, "does not know its columns");
    fold = fc_log_fixture_fold(&fixture, 2, NULL, &err);
    assert_non_null(fold);
    assert_int_equal(fold->table_count, 1);
    assert_non_null(strstr(fold->notes, "d.n existed at the cut"));
    fc_fold_free(fold);
    fc_log_fixture_release(&fixture);
}

static void another_key_while_there_are_rows_stops_it(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_value row[2] = { fc_sample_int(1), fc_sample_int(1) };
    (void)state;
    fc_log_fixture_init(&fixture, "cap", 1);
    write_snapshot(&fixture, 5);
    fc_log_fixture_ddl(&fixture, FC_DDL_ALTER_TABLE, "ALTER TABLE t DROP PRIMARY KEY, ...", "t",
                       NULL);
    fc_log_fixture_begin(&fixture, false);
    fc_log_writer_row(fixture.writer, FC_OP_UPDATE, &rekeyed, row, row);
    fc_log_writer_commit(fixture.writer);
    fc_log_fixture_view(&fixture);
    assert_fails(&fixture, 3, "d.t", FC_ERR_REFUSED, "its key changed at number 3");
    assert_rows(&fixture, 2, "d.t", 5);
    fc_log_fixture_release(&fixture);
}

static void a_log_whose_beginning_is_gone_gives_only_what_is_whole(void **state)
{
    struct fc_log_fixture fixture;
    (void)state;
    fc_log_fixture_init(&fixture, "cap", 1);
    write_snapshot(&fixture, 5);
    fc_log_fixture_begin(&fixture, false);
    write_row(&fixture, FC_OP_UPDATE, 1, 9);
    fc_log_writer_commit(fixture.writer);
    fc_log_fixture_view(&fixture);
    fixture.view->partitions[0].start = 2; /* as after retention */
    assert_fails(&fixture, 2, "d.t", FC_ERR_REFUSED,
                 "retention has removed the log's beginning (cap/0 starts at offset 2)");
    /* From a TRUNCATE on all is known again. */
    fc_log_fixture_begin(&fixture, false);
    fc_log_writer_truncate(fixture.writer, "d", "t");
    fc_log_writer_commit(fixture.writer);
    fc_log_fixture_begin(&fixture, false);
    write_row(&fixture, FC_OP_CREATE, 3, 3);
    fc_log_writer_commit(fixture.writer);
    fc_log_fixture_view(&fixture);
    fixture.view->partitions[0].start = 2;
    assert_rows(&fixture, 4, "d.t", 1);
    fc_log_fixture_release(&fixture);
}

static void rows_without_key_are_found_again_after_a_column_was_added(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_value narrow = fc_sample_int(7);
    struct fc_value wide[2] = { fc_sample_int(4711), fc_sample_int(7) };
    struct fc_value strange[2] = { fc_sample_int(4711), fc_sample_int(8) };
    (void)state;
    fc_log_fixture_init(&fixture, "cap", 1);
    fc_log_fixture_begin(&fixture, true);
    fc_log_writer_row(fixture.writer, FC_OP_READ, &unkeyed, NULL, &narrow);
    fc_log_writer_snapshot_end(fixture.writer, &unkeyed, &narrow);
    fc_log_writer_commit(fixture.writer);
    fc_log_fixture_ddl(&fixture, FC_DDL_ALTER_TABLE, "ALTER TABLE u ADD id BIGINT", "u", NULL);
    fc_log_fixture_begin(&fixture, false);
    fc_log_writer_row(fixture.writer, FC_OP_DELETE, &unkeyed_wide, wide, NULL);
    fc_log_writer_commit(fixture.writer);
    fc_log_fixture_begin(&fixture, false);
    fc_log_writer_row(fixture.writer, FC_OP_DELETE, &unkeyed_wide, strange, NULL);
    fc_log_writer_commit(fixture.writer);
    fc_log_fixture_view(&fixture);
    assert_rows(&fixture, 1, "d.u", 2);
    assert_rows(&fixture, 3, "d.u", 1);
    assert_fails(&fixture, 4, "d.u", FC_ERR_CORRUPT,
                 "the row that number 4 takes away is not "
                 "there");
    fc_log_fixture_release(&fixture);
}

static void a_statement_after_the_newest_row_is_kept_for_the_user(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_error err;
    struct fc_fold *fold;
    (void)state;
    fc_log_fixture_init(&fixture, "cap", 1);
    write_snapshot(&fixture, 5);
    fc_log_fixture_ddl(&fixture, FC_DDL_ALTER_TABLE, "ALTER TABLE t ADD x INT", "t", NULL);
    fc_log_fixture_view(&fixture);
    fold = fc_log_fixture_fold(&fixture, 2, "d.t", &err);
    assert_non_null(fold);
    assert_int_equal(fold->tables[0]->versions.pending_count, 1);
    assert_string_equal(fold->tables[0]->versions.pending[0].statement,
                        "ALTER TABLE t ADD x INT");
    fc_fold_free(fold);
    fc_log_fixture_release(&fixture);
}

static int use_utc(void **state)
{
    (void)state;
    return setenv("TZ", "UTC", 1); /* one thread yet */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_inside_a_snapshot_names_where_it_is_complete),
        cmocka_unit_test(a_snapshot_is_whole_though_its_last_row_comes_first),
        cmocka_unit_test(moved_rows_are_a_gap_until_a_snapshot_follows),
        cmocka_unit_test(a_table_that_is_gone_at_the_cut_says_how_to_get_it),
        cmocka_unit_test(a_renamed_table_is_found_by_its_new_name_only),
        cmocka_unit_test(creating_if_not_exists_keeps_the_rows_that_there_are),
        cmocka_unit_test(a_table_that_never_had_a_row_is_not_made_up),
        cmocka_unit_test(another_key_while_there_are_rows_stops_it),
        cmocka_unit_test(a_log_whose_beginning_is_gone_gives_only_what_is_whole),
        cmocka_unit_test(rows_without_key_are_found_again_after_a_column_was_added),
        cmocka_unit_test(a_statement_after_the_newest_row_is_kept_for_the_user),
    };
    return cmocka_run_group_tests(tests, use_utc, NULL);
}
