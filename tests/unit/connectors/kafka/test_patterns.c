/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/kafka/patterns.h"

static void names_globs_and_regular_expressions_match(void **state)
{
    static const char *const texts[] = { "orders", "shop.*", "^eu[.](a|b)$", "log-?" };
    struct fc_patterns patterns = { 0 };
    struct fc_error error;
    (void)state;
    assert_int_equal(fc_patterns_init(&patterns, "topics", texts, 4, NULL, &error), FC_OK);
    assert_true(fc_patterns_match(&patterns, "orders"));
    assert_false(fc_patterns_match(&patterns, "orders2"));
    assert_true(fc_patterns_match(&patterns, "shop.a.b"));
    assert_false(fc_patterns_match(&patterns, "shop"));
    assert_true(fc_patterns_match(&patterns, "eu.a"));
    assert_false(fc_patterns_match(&patterns, "eu.c"));
    assert_false(fc_patterns_match(&patterns, "xeu.a"));
    assert_true(fc_patterns_match(&patterns, "log-1"));
    fc_patterns_release(&patterns);
}

static void a_name_is_told_from_what_matches_more(void **state)
{
    static const char *const texts[] = { "orders", "shop.*", "^eu[.](a|b)$", "log-?", "a[bc]" };
    struct fc_patterns patterns = { 0 };
    struct fc_error error;
    uint32_t bad = 0;
    (void)state;
    assert_int_equal(fc_patterns_init(&patterns, "topics", texts, 5, &bad, &error), FC_OK);
    for (uint32_t index = 0; index < 5; index++) {
        assert_int_equal(fc_patterns_is_name(&patterns.items[index]), index == 0);
    }
    fc_patterns_release(&patterns);
}

static void an_empty_list_matches_nothing(void **state)
{
    struct fc_patterns patterns = { 0 };
    (void)state;
    assert_false(fc_patterns_match(&patterns, "orders"));
    assert_false(fc_patterns_match(&patterns, ""));
}

static void what_is_no_regular_expression_is_refused_by_name(void **state)
{
    static const char *const texts[] = { "fine", "^(a" };
    uint32_t bad = 0;
    struct fc_patterns patterns = { 0 };
    struct fc_error error;
    (void)state;
    assert_int_equal(fc_patterns_init(&patterns, "exclude", texts, 2, &bad, &error),
                     FC_ERR_CONFIG);
    assert_int_equal(bad, 1);
    assert_non_null(strstr(error.message, "`exclude`: `^(a` is no regular expression"));
    assert_int_equal(patterns.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_globs_and_regular_expressions_match),
        cmocka_unit_test(a_name_is_told_from_what_matches_more),
        cmocka_unit_test(an_empty_list_matches_nothing),
        cmocka_unit_test(what_is_no_regular_expression_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
