/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/suggest.h"

static void distance_counts_edits(void **state)
{
    (void)state;
    assert_int_equal(fc_suggest_distance("password", "password"), 0);
    assert_int_equal(fc_suggest_distance("", "abc"), 3);
    assert_int_equal(fc_suggest_distance("abc", ""), 3);
    assert_int_equal(fc_suggest_distance("pasword", "password"), 1);
    assert_int_equal(fc_suggest_distance("passwordd", "password"), 1);
    assert_int_equal(fc_suggest_distance("pazsword", "password"), 1);
    assert_int_equal(fc_suggest_distance("apssword", "password"), 1);
    assert_int_equal(fc_suggest_distance("kitten", "sitting"), 3);
}

static void the_nearest_word_is_offered(void **state)
{
    struct fc_suggest suggest;
    char text[FC_SUGGEST_TEXT_SIZE];
    (void)state;
    fc_suggest_init(&suggest, "pasword");
    fc_suggest_offer(&suggest, "port");
    fc_suggest_offer(&suggest, "passwords");
    fc_suggest_offer(&suggest, "password");
    fc_suggest_offer(&suggest, "host");
    assert_string_equal(fc_suggest_text(&suggest, text), ", did you mean `password`?");
}

static void nothing_is_offered_when_nothing_is_near(void **state)
{
    struct fc_suggest suggest;
    char text[FC_SUGGEST_TEXT_SIZE];
    char huge[200];
    (void)state;
    fc_suggest_init(&suggest, "retention");
    fc_suggest_offer(&suggest, "host");
    fc_suggest_offer(&suggest, "topic");
    assert_string_equal(fc_suggest_text(&suggest, text), "");
    memset(huge, 'x', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    fc_suggest_init(&suggest, huge);
    fc_suggest_offer(&suggest, huge);
    assert_string_equal(fc_suggest_text(&suggest, text), "");
    fc_suggest_init(&suggest, "ab");
    fc_suggest_offer(&suggest, "xy");
    assert_string_equal(fc_suggest_text(&suggest, text), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance_counts_edits),
        cmocka_unit_test(the_nearest_word_is_offered),
        cmocka_unit_test(nothing_is_offered_when_nothing_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
