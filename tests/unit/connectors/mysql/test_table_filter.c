/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "connectors/mysql/table_filter.h"

struct listing_host {
    struct fc_host host; /* first */
    const char *tables[4];
    const char *excluded[4];
};

static uint32_t option_list(const struct fc_host *host, const char *key,
                            const char *const **out_items)
{
    const struct listing_host *own = (const struct listing_host *)(const void *)host;
    uint32_t count = 0;
    *out_items = strcmp(key, "tables") == 0 ? own->tables : own->excluded;
    while (count < 4 && (*out_items)[count] != NULL) {
        count++;
    }
    return count;
}

static bool matches(const struct fc_table_filter *filter, const char *db, const char *table)
{
    return fc_table_filter_match(filter, fc_slice_text(db), fc_slice_text(table));
}

static void without_patterns_all_but_the_servers_own_match(void **state)
{
    struct listing_host host = { .host.option_list = option_list };
    struct fc_table_filter filter;
    (void)state;
    assert_int_equal(fc_table_filter_init(&filter, &host.host, NULL), FC_OK);
    assert_true(matches(&filter, "shop", "orders"));
    assert_false(matches(&filter, "mysql", "user"));
    assert_false(matches(&filter, "MySQL", "user"));
    assert_false(matches(&filter, "sys", "version"));
    assert_false(matches(&filter, "information_schema", "TABLES"));
    assert_false(matches(&filter, "performance_schema", "threads"));
    assert_true(matches(&filter, "mysql2", "user"));
    assert_true(fc_table_filter_match_db(&filter, fc_slice_text("shop")));
    assert_false(fc_table_filter_match_db(&filter, fc_slice_text("sys")));
}

static void stars_stand_for_any_characters_of_a_name(void **state)
{
    struct listing_host host = { .host.option_list = option_list,
                                 .tables = { "shop.*", "a*c.t*_x", "*.audit" } };
    struct fc_table_filter filter;
    (void)state;
    assert_int_equal(fc_table_filter_init(&filter, &host.host, NULL), FC_OK);
    assert_true(matches(&filter, "shop", "orders"));
    assert_false(matches(&filter, "shop2", "orders"));
    assert_true(matches(&filter, "ac", "t_x"));
    assert_true(matches(&filter, "abbbc", "tt_x_x"));
    assert_false(matches(&filter, "abbb", "tt_x"));
    assert_false(matches(&filter, "ac", "t_xy"));
    assert_true(matches(&filter, "anything", "audit"));
    assert_false(matches(&filter, "anything", "audits"));
    assert_false(matches(&filter, "mysql", "audit"));
}

static void excluded_tables_win(void **state)
{
    struct listing_host host = { .host.option_list = option_list,
                                 .tables = { "shop.*" },
                                 .excluded = { "shop.tmp_*", "*.secret" } };
    struct fc_table_filter filter;
    (void)state;
    assert_int_equal(fc_table_filter_init(&filter, &host.host, NULL), FC_OK);
    assert_true(matches(&filter, "shop", "tmp"));
    assert_false(matches(&filter, "shop", "tmp_1"));
    assert_false(matches(&filter, "shop", "secret"));
}

static void patterns_that_are_none_are_named(void **state)
{
    static const char *const bad[] = { "orders", ".orders", "shop.", "", "mysql.user" };
    (void)state;
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        struct listing_host host = { .host.option_list = option_list,
                                     .tables = { bad[index] } };
        struct fc_table_filter filter;
        struct fc_error err;
        assert_int_equal(fc_table_filter_init(&filter, &host.host, &err), FC_ERR_CONFIG);
        assert_non_null(strstr(err.message, bad[index]));
    }
}

static void a_table_name_may_hold_a_dot(void **state)
{
    (void)state;
    assert_true(
        fc_table_filter_pattern_match("shop.a.b", fc_slice_text("shop"), fc_slice_text("a.b")));
    assert_false(
        fc_table_filter_pattern_match("shop.a.b", fc_slice_text("shop.a"), fc_slice_text("b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_patterns_all_but_the_servers_own_match),
        cmocka_unit_test(stars_stand_for_any_characters_of_a_name),
        cmocka_unit_test(excluded_tables_win),
        cmocka_unit_test(patterns_that_are_none_are_named),
        cmocka_unit_test(a_table_name_may_hold_a_dot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
