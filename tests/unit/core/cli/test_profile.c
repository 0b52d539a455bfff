/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cli/profile.h"

static struct fc_profiles parse(const char *text)
{
    struct fc_profiles profiles = { 0 };
    struct fc_error error = { 0 };
    assert_int_equal(fc_profiles_parse(fc_slice_text(text), "config", &profiles, &error),
                     FC_OK);
    return profiles;
}

static void assert_wrong(const char *text, const char *message)
{
    struct fc_profiles profiles = { 0 };
    struct fc_error error = { 0 };
    assert_int_equal(fc_profiles_parse(fc_slice_text(text), "config", &profiles, &error),
                     FC_ERR_CONFIG);
    assert_string_equal(error.message, message);
    assert_null(profiles.items);
}

static void what_is_written_reads_back_the_same(void **state)
{
    static const char awkward[] = "a\"b\\c: #'\t\n\xc3\xa9";
    struct fc_profiles profiles = { 0 };
    struct fc_profiles again;
    struct fc_profile *profile = fc_profiles_add(&profiles, "local");
    struct fc_buf text;
    (void)state;
    fc_profile_set(profile, "bootstrap.servers", "127.0.0.1:9092");
    fc_profile_set(profile, "sasl.password", "old");
    fc_profile_set(profile, "sasl.password", awkward);
    (void)fc_profiles_add(&profiles, "empty");
    profiles.current = strdup("local");
    fc_buf_init(&text, 4096);
    fc_profiles_format(&profiles, &text);
    fc_buf_append_u8(&text, 0);
    again = parse((const char *)text.data);
    assert_int_equal(again.count, 2);
    assert_string_equal(again.current, "local");
    profile = fc_profiles_find(&again, "local");
    assert_non_null(profile);
    assert_int_equal(profile->count, 2);
    assert_string_equal(fc_profile_get(profile, "sasl.password"), awkward);
    assert_null(fc_profile_get(profile, "ssl.ca.location"));
    assert_int_equal(fc_profiles_find(&again, "empty")->count, 0);
    fc_buf_release(&text);
    fc_profiles_release(&profiles);
    fc_profiles_release(&again);
}

static void a_removed_profile_is_gone_and_others_stay(void **state)
{
    struct fc_profiles profiles =
        parse("version: 1\nprofiles:\n  a: {x: 1}\n  b: {x: 2}\n  c: {x: 3}\n");
    (void)state;
    fc_profiles_remove(&profiles, fc_profiles_find(&profiles, "b"));
    assert_int_equal(profiles.count, 2);
    assert_null(fc_profiles_find(&profiles, "b"));
    assert_string_equal(fc_profile_get(fc_profiles_find(&profiles, "c"), "x"), "3");
    fc_profiles_release(&profiles);
}

static void a_broken_file_names_its_place(void **state)
{
    (void)state;
    assert_wrong("version: 1\nprofils: {}\n",
                 "config:2:1: unknown key `profils`, did you mean `profiles`?");
    assert_wrong("profiles: {}\n",
                 "config:1:1: the file must say `version: 1`; this program reads no other");
    assert_wrong("version: 1\nprofiles:\n  a: text\n",
                 "config:3:6: profile `a` must be a map of properties, not a single value");
    assert_wrong("version: 1\nprofiles:\n  a: {b: [1]}\n",
                 "config:3:10: property `b` must be a text, not a list");
}

static void names_are_checked(void **state)
{
    struct fc_error error = { 0 };
    (void)state;
    assert_int_equal(fc_profile_check_name("prod-eu_1.a", &error), FC_OK);
    assert_int_equal(fc_profile_check_name("", &error), FC_ERR_CONFIG);
    assert_int_equal(fc_profile_check_name("a b", &error), FC_ERR_CONFIG);
}

static void secrets_are_known_by_name(void **state)
{
    (void)state;
    assert_true(fc_property_is_secret("sasl.password"));
    assert_true(fc_property_is_secret("ssl.key.password"));
    assert_false(fc_property_is_secret("sasl.username"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(a_removed_profile_is_gone_and_others_stay),
        cmocka_unit_test(a_broken_file_names_its_place),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(secrets_are_known_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
