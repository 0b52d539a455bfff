/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "connectors/mysql/snapshot_plan.h"
#include "connectors/mysql/source_position.h"

static void assert_round_trip(const char *text)
{
    struct fc_source_position position;
    struct fc_buf printed;
    fc_buf_init(&printed, 1 << 20);
    assert_int_equal(fc_source_position_parse(fc_slice_text(text), &position, NULL), FC_OK);
    fc_source_position_print(&position, &printed);
    fc_buf_append_u8(&printed, 0);
    assert_string_equal((const char *)printed.data, text);
    fc_buf_release(&printed);
    fc_source_position_release(&position);
}

static void positions_come_back_as_they_were(void **state)
{
    (void)state;
    assert_round_trip(
        "{\"v\":1,\"flavor\":\"mariadb\",\"server\":\"\",\"gtid\":\"0-1-42,7-2-3\","
        "\"file\":\"binlog.000003\",\"pos\":1234}");
    assert_round_trip("{\"v\":1,\"flavor\":\"mysql\",\"server\":\"3d3bbcbf\",\"gtid\":"
                      "\"3d3bbcbf-e756-11f1-ba1f-02fc00000001:1-5:7\",\"file\":\"b\\\"in.1\","
                      "\"pos\":18446744073}");
    assert_round_trip(
        "{\"v\":1,\"flavor\":\"mysql\",\"server\":\"u\",\"file\":\"b.1\",\"pos\":4,"
        "\"snapshot\":{\"tables\":[[\"shop\",\"orders\"]],\"key\":[[\"k\",\"a"
        "\\u0000b\"]]}}");
    assert_round_trip("{\"v\":1,\"flavor\":\"mariadb\",\"server\":\"\",\"gtid\":\"\",\"file\":"
                      "\"\",\"pos\":0}");
}

static void what_is_no_position_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "{\"v\":1}",
        "not json",
        "{\"v\":2,\"flavor\":\"mysql\",\"server\":\"\",\"file\":\"\",\"pos\":4}",
        "{\"v\":1,\"flavor\":\"mysql\",\"server\":\"\",\"file\":\"\",\"pos\":-4}",
        "{\"v\":1,\"flavor\":\"mysql\",\"server\":\"\",\"file\":\"\",\"pos\":\"4\"}",
        "{\"v\":1,\"flavor\":\"mysql\",\"server\":\"\",\"gtid\":\"x:1\",\"file\":\"\",\"pos\":"
        "4}",
        "{\"v\":1,\"flavor\":\"mariadb\",\"server\":\"\",\"gtid\":\"0-1\",\"file\":\"\","
        "\"pos\":"
        "4}",
    };
    (void)state;
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        struct fc_source_position position;
        struct fc_error err;
        assert_int_equal(fc_source_position_parse(fc_slice_text(bad[index]), &position, &err),
                         FC_ERR_CONFIG);
    }
}

static int compare(const char *a_file, uint64_t a_at, const char *b_file, uint64_t b_at)
{
    struct fc_binlog_place a;
    struct fc_binlog_place b;
    fc_binlog_place_set(&a, fc_slice_text(a_file), a_at);
    fc_binlog_place_set(&b, fc_slice_text(b_file), b_at);
    return fc_binlog_place_compare(&a, &b);
}

static void files_are_ordered_by_number(void **state)
{
    (void)state;
    assert_true(compare("binlog.000009", 900, "binlog.000010", 4) < 0);
    assert_true(compare("binlog.999999", 4, "binlog.1000000", 4) < 0);
    assert_true(compare("binlog.000010", 5, "binlog.000010", 4) > 0);
    assert_int_equal(compare("binlog.000010", 4, "binlog.000010", 4), 0);
}

static void a_long_gtid_set_is_described_by_its_end(void **state)
{
    struct fc_source_position position;
    char text[60];
    (void)state;
    assert_int_equal(
        fc_source_position_parse(
            fc_slice_text(
                "{\"v\":1,\"flavor\":\"mysql\",\"server\":\"\",\"gtid\":"
                "\"3d3bbcbf-e756-11f1-ba1f-02fc00000001:1-5\",\"file\":\"b.1\",\"pos\":"
                "9}"),
            &position, NULL),
        FC_OK);
    fc_source_position_describe(&position, text, sizeof(text));
    assert_string_equal(text, "gtid ...756-11f1-ba1f-02fc00000001:1-5 (b.1:9)");
    fc_source_position_release(&position);
}

/* --- plan of a snapshot -------------------------------------------------------------------- */

static json_t *plan_of_three(void)
{
    static char a[] = "a";
    static char b[] = "b";
    static char x[] = "x";
    static char y[] = "y";
    struct fc_listed_table tables[] = { { .db = a, .table = x },
                                        { .db = a, .table = y },
                                        { .db = b, .table = x } };
    struct fc_table_list list = { .tables = tables, .count = 3 };
    return fc_snapshot_plan_new(&list);
}

static void assert_current(const json_t *plan, const char *db, const char *table)
{
    const char *db_now = NULL;
    const char *table_now = NULL;
    assert_true(fc_snapshot_plan_current(plan, &db_now, &table_now));
    assert_string_equal(db_now, db);
    assert_string_equal(table_now, table);
}

static void a_plan_is_worked_off_in_order(void **state)
{
    json_t *plan = plan_of_three();
    const char *db = NULL;
    const char *table = NULL;
    (void)state;
    assert_current(plan, "a", "x");
    fc_snapshot_plan_set_key(plan, json_array());
    assert_non_null(fc_snapshot_plan_key(plan));
    fc_snapshot_plan_next(plan);
    assert_null(fc_snapshot_plan_key(plan));
    assert_current(plan, "a", "y");
    fc_snapshot_plan_next(plan);
    fc_snapshot_plan_next(plan);
    assert_false(fc_snapshot_plan_current(plan, &db, &table));
    json_decref(plan);
}

static void a_plan_follows_drops_and_renames(void **state)
{
    json_t *plan = plan_of_three();
    struct fc_ddl_table names = { .db = fc_slice_text("a"),
                                  .table = fc_slice_text("x"),
                                  .new_db = fc_slice_text("c"),
                                  .new_table = fc_slice_text("z") };
    (void)state;
    assert_false(fc_snapshot_plan_drop(plan, fc_slice_text("a"), fc_slice_text("y")));
    assert_int_equal(fc_snapshot_plan_count(plan), 2);
    assert_true(fc_snapshot_plan_rename(plan, &names, true));
    assert_current(plan, "c", "z");
    names.db = fc_slice_text("c");
    names.table = fc_slice_text("z");
    assert_true(fc_snapshot_plan_rename(plan, &names, false)); /* out of the capture */
    assert_current(plan, "b", "x");
    assert_true(fc_snapshot_plan_drop(plan, fc_slice_text("b"), fc_slice_text("")));
    assert_int_equal(fc_snapshot_plan_count(plan), 0);
    json_decref(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_come_back_as_they_were),
        cmocka_unit_test(what_is_no_position_is_refused),
        cmocka_unit_test(files_are_ordered_by_number),
        cmocka_unit_test(a_long_gtid_set_is_described_by_its_end),
        cmocka_unit_test(a_plan_is_worked_off_in_order),
        cmocka_unit_test(a_plan_follows_drops_and_renames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
