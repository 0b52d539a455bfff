/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/spu/client_pattern.h"

static bool matches(const char *text, const char *name)
{
    struct fc_client_pattern *pattern = fc_client_pattern_new(text);
    bool found;
    assert_non_null(pattern);
    found = fc_client_pattern_matches(pattern, fc_slice_text(name));
    fc_client_pattern_free(pattern);
    return found;
}

static void a_pattern_says_what_the_whole_name_is(void **state)
{
    (void)state;
    assert_true(matches("shown-.*", "shown-id"));
    assert_false(matches("shown-.*", "not-shown-id"));
    assert_false(matches("shown", "shown-id"));
    assert_true(matches("^shown-id$", "shown-id"));
    assert_true(matches("a|ab", "ab"));
    assert_true(matches("^ab|c$", "c"));
    assert_false(matches("^ab|c$", "abd"));
    assert_true(matches("a\\.b\\$", "a.b$"));
    assert_false(matches("a\\.b", "axb"));
    assert_true(matches("[]a0-9)-]+x?", "]0)-1a-"));
    assert_true(matches("(?:[^{\\d]+?|\\d\\W\\s)*", "abc1- d"));
    assert_false(matches("[^{\\d]+", "ab1"));
    assert_true(matches("(|a)(b|)", ""));
    assert_true(matches("a{2}b{0,1}c{2,}", "aaccc"));
    assert_false(matches("a{2}b{0,1}c{2,}", "aabc"));
    assert_false(matches("a{1,2}", "aaa"));
    assert_true(matches("x{,2}{}", "x{,2}{}"));
    assert_true(matches("(a*)*b", "aaab"));
    assert_true(matches("", ""));
    assert_false(matches("a^b", "ab"));
}

static void what_is_no_expression_or_not_known_is_refused(void **state)
{
    const char *bad[] = { "(",   "a)(b", "a)",   "[a",    "*a",       "a\\", "\\bx",
                          "a|*", "(?i)", "a**",  "[b-a]", "[[:no:]]", "\\1", "a{2,1}",
                          "[]",  "a+*",  "()++", "\\x41", "a{1001}" };
    (void)state;
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        assert_null(fc_client_pattern_new(bad[index]));
    }
}

static void what_would_grow_is_refused(void **state)
{
    const char *bad[] = { "((a{1,100}){1,100}){1,40}", "((((){1000}){1000}){1000}){1000}",
                          "(((((a|b){1000}){0}){1000}){0}){1000}" };
    char deep[2001];
    (void)state;
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        assert_null(fc_client_pattern_new(bad[index]));
    }
    memset(deep, '(', 1000);
    memset(deep + 1000, ')', 1000);
    deep[2000] = '\0';
    assert_null(fc_client_pattern_new(deep));
}

/* With a matcher that goes back, or that makes its states beforehand, each takes longer than
 * anybody waits. */
static void no_pattern_takes_long(void **state)
{
    const char *slow[] = { "(((((((((((((((((((((a*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*c",
                           "(((((((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+c",
                           "(a|b)*a(a|b){40}c", "(a?){50}a{50}c", "(a*a*a*a*a*a*a*a*a*)*c" };
    char name[2001];
    (void)state;
    memset(name, 'a', 2000);
    name[2000] = '\0';
    for (size_t index = 0; index < sizeof(slow) / sizeof(slow[0]); index++) {
        assert_false(matches(slow[index], name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_says_what_the_whole_name_is),
        cmocka_unit_test(what_is_no_expression_or_not_known_is_refused),
        cmocka_unit_test(what_would_grow_is_refused),
        cmocka_unit_test(no_pattern_takes_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
