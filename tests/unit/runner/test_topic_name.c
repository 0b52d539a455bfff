/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/stream/stream.h"
#include "runner/topic_name.h"

static void assert_filled(const char *topic, const char *db, const char *table,
                          const char *expected)
{
    char name[FC_TOPIC_NAME_MAX + 1];
    size_t len = fc_topic_name_fill(topic, fc_slice_text(db), fc_slice_text(table), name);
    assert_string_equal(name, expected);
    assert_int_equal(len, strlen(expected));
}

static void names_and_templates_are_valid(void **state)
{
    static const char *const good[] = { "shop", "a.b-c_D9", "shop.${table}", "${db}.${table}",
                                        "${db}" };
    (void)state;
    for (size_t index = 0; index < sizeof(good) / sizeof(*good); index++) {
        assert_int_equal(fc_topic_name_check(good[index], NULL), FC_OK);
    }
    assert_false(fc_topic_name_is_template("shop"));
    assert_true(fc_topic_name_is_template("shop.${table}"));
}

static void what_is_no_topic_is_refused(void **state)
{
    static const char *const wrong[] = { "",         ".",        "..",   "a b", "a/b",
                                         "\xc3\xa4", "${tabel}", "${db", "$db", "_fluvio.x" };
    char longer[FC_TOPIC_NAME_MAX + 2];
    (void)state;
    for (size_t index = 0; index < sizeof(wrong) / sizeof(*wrong); index++) {
        assert_int_equal(fc_topic_name_check(wrong[index], NULL), FC_ERR_CONFIG);
    }
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(fc_topic_name_check(longer, NULL), FC_ERR_CONFIG);
    longer[FC_TOPIC_NAME_MAX] = '\0';
    assert_int_equal(fc_topic_name_check(longer, NULL), FC_OK);
}

static void templates_are_filled_and_odd_characters_replaced(void **state)
{
    (void)state;
    assert_filled("shop", "db", "orders", "shop");
    assert_filled("shop.${table}", "db", "orders", "shop.orders");
    assert_filled("${db}.${table}-x", "my db", "o/r", "my_db.o_r-x");
    assert_filled("${table}", "db", "\xc3\xa4", "__");
}

static void a_name_over_the_limit_is_cut(void **state)
{
    char table[400];
    char name[FC_TOPIC_NAME_MAX + 1];
    (void)state;
    memset(table, 't', sizeof(table));
    assert_int_equal(fc_topic_name_fill("a.${table}", fc_slice_text("d"),
                                        fc_slice_of(table, sizeof(table)), name),
                     FC_TOPIC_NAME_MAX);
    assert_int_equal(strlen(name), FC_TOPIC_NAME_MAX);
}

static void topics_of_a_database_begin_alike(void **state)
{
    struct fc_slice db = fc_slice_text("shop");
    (void)state;
    assert_int_equal(fc_topic_name_prefix("cdc.${table}", db), strlen("cdc."));
    assert_int_equal(fc_topic_name_prefix("cdc.${db}.${table}.v1", db), strlen("cdc.shop."));
    assert_int_equal(fc_topic_name_prefix("cdc.${db}", db), strlen("cdc."));
    assert_int_equal(fc_topic_name_prefix("${table}.${db}", db), 0);
    assert_int_equal(fc_topic_name_prefix("${topic}", fc_slice_text("")), 0);
    assert_int_equal(fc_topic_name_prefix("dc1.${topic}", fc_slice_text("")), strlen("dc1."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_templates_are_valid),
        cmocka_unit_test(what_is_no_topic_is_refused),
        cmocka_unit_test(templates_are_filled_and_odd_characters_replaced),
        cmocka_unit_test(a_name_over_the_limit_is_cut),
        cmocka_unit_test(topics_of_a_database_begin_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
