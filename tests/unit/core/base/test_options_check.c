/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/base/options_check.h"
#include "core/base/yaml.h"

static const struct fc_option TABLE[] = {
    { "host", FC_OPTION_TEXT, false, "127.0.0.1", 0, 0, NULL, "where the server is" },
    { "user", FC_OPTION_TEXT, true, NULL, 0, 0, NULL, "who connects" },
    { "password", FC_OPTION_SECRET, false, NULL, 0, 0, NULL, "of the user" },
    { "port", FC_OPTION_INT, false, "3306", 1, 65535, NULL, "of the server" },
    { "tls", FC_OPTION_BOOL, false, "true", 0, 0, NULL, "encrypt" },
    { "chunk", FC_OPTION_SIZE, false, "1MiB", 4096, 1 << 30, NULL, "of a snapshot" },
    { "wait", FC_OPTION_DURATION, false, "30s", 0, 3600000, NULL, "for an answer" },
    { "mode", FC_OPTION_CHOICE, false, "initial", 0, 0, "initial|never|always",
      "of snapshots" },
    { "tables", FC_OPTION_LIST, false, "[\"*.*\"]", 0, 0, NULL, "to capture" },
    { "skip", FC_OPTION_LIST, false, NULL, 0, 0, NULL, "not to capture" },
    { "set", FC_OPTION_MAP, false, NULL, 0, 0, NULL, "of the session" },
    { .key = NULL },
};

struct fixture {
    struct fc_yaml yaml;
    struct fc_options *options;
    struct fc_error error;
    bool readable;
};

static int set_up(void **state)
{
    *state = fc_new(struct fixture);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fc_options_free(fixture->options);
    fc_yaml_release(&fixture->yaml);
    free(fixture);
    return 0;
}

static fc_code read_table(struct fixture *fixture, const char *text,
                          const struct fc_option *table)
{
    static const char *const others[] = { "nested", NULL };
    struct fc_options_source source = { .path = "f.yaml",
                                        .what = "mysql",
                                        .others = others,
                                        .readable_by_others = fixture->readable };
    if (text != NULL) {
        assert_int_equal(
            fc_yaml_parse(fc_slice_text(text), "f.yaml", &fixture->yaml, &fixture->error),
            FC_OK);
        source.map = fixture->yaml.root;
    }
    return fc_options_read(&source, table, &fixture->options, &fixture->error);
}

static void assert_refused(struct fixture *fixture, const char *text, const char *message)
{
    assert_int_equal(read_table(fixture, text, TABLE), FC_ERR_CONFIG);
    assert_string_equal(fixture->error.message, message);
    fc_yaml_release(&fixture->yaml);
}

static void what_the_file_leaves_out_has_the_default(void **state)
{
    struct fixture *fixture = *state;
    const char *const *items = NULL;
    assert_int_equal(read_table(fixture, "user: me\n", TABLE), FC_OK);
    assert_string_equal(fc_options_text(fixture->options, "host"), "127.0.0.1");
    assert_null(fc_options_text(fixture->options, "password"));
    assert_int_equal(fc_options_int(fixture->options, "port"), 3306);
    assert_int_equal(fc_options_int(fixture->options, "tls"), 1);
    assert_int_equal(fc_options_int(fixture->options, "chunk"), 1048576);
    assert_int_equal(fc_options_int(fixture->options, "wait"), 30000);
    assert_string_equal(fc_options_text(fixture->options, "mode"), "initial");
    assert_int_equal(fc_options_list(fixture->options, "tables", &items), 1);
    assert_string_equal(items[0], "*.*");
    assert_int_equal(fc_options_list(fixture->options, "skip", &items), 0);
    assert_null(fc_options_node(fixture->options, "port"));
    assert_null(fc_options_warning(fixture->options));
}

static void given_values_replace_the_defaults(void **state)
{
    struct fixture *fixture = *state;
    const char *const *items = NULL;
    assert_int_equal(read_table(fixture,
                                "user: 12345\nhost: \"\"\nport: 65535\ntls: false\n"
                                "chunk: 64KiB\nwait: 1h\nmode: never\ntables: [a.b, 7]\n"
                                "nested: { anything: goes }\n",
                                TABLE),
                     FC_OK);
    assert_string_equal(fc_options_text(fixture->options, "user"), "12345");
    assert_string_equal(fc_options_text(fixture->options, "host"), "");
    assert_int_equal(fc_options_int(fixture->options, "port"), 65535);
    assert_int_equal(fc_options_int(fixture->options, "tls"), 0);
    assert_int_equal(fc_options_int(fixture->options, "chunk"), 65536);
    assert_int_equal(fc_options_int(fixture->options, "wait"), 3600000);
    assert_string_equal(fc_options_text(fixture->options, "mode"), "never");
    assert_int_equal(fc_options_list(fixture->options, "tables", &items), 2);
    assert_string_equal(items[1], "7");
    assert_int_equal(fc_options_node(fixture->options, "port")->line, 3);
}

static void assert_wrapped(struct fixture *fixture, const char *key, uint32_t item,
                           const char *message)
{
    (void)fc_fail(&fixture->error, FC_ERR_CONFIG, "no good");
    assert_int_equal(fc_options_wrap(fixture->options, key, item, &fixture->error),
                     FC_ERR_CONFIG);
    assert_string_equal(fixture->error.message, message);
}

static void what_only_the_owner_can_check_is_placed_as_well(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(read_table(fixture,
                                "user: me\ntables: [a.b,\n  b]\n"
                                "set:\n  a: 1\n  b:  2\n",
                                TABLE),
                     FC_OK);
    assert_wrapped(fixture, "user", FC_OPTION_WHOLE, "f.yaml:1:7: no good");
    assert_wrapped(fixture, "tables", 1, "f.yaml:3:3: no good");
    assert_wrapped(fixture, "tables", FC_OPTION_WHOLE, "f.yaml:2:9: no good");
    assert_wrapped(fixture, "set", 1, "f.yaml:6:3: no good");
    assert_wrapped(fixture, "port", FC_OPTION_WHOLE, "f.yaml: no good");
}

static void an_unknown_key_gets_the_nearest_one(void **state)
{
    struct fixture *fixture = *state;
    assert_refused(fixture, "user: me\nhsot: x\n",
                   "f.yaml:2:1: unknown key `hsot` in mysql, did you mean `host`?");
    assert_refused(fixture, "nestde: 1\n",
                   "f.yaml:1:1: unknown key `nestde` in mysql, did you mean `nested`?");
    assert_refused(fixture, "zzz: 1\n", "f.yaml:1:1: unknown key `zzz` in mysql");
}

static void a_missing_required_key_is_named_with_its_help(void **state)
{
    struct fixture *fixture = *state;
    assert_refused(fixture, "host: x\n",
                   "f.yaml:1:1: `user` is missing in mysql: who connects");
    assert_refused(fixture, NULL, "f.yaml: `mysql` is missing: it needs at least `user`");
}

static void a_wrong_type_is_named_with_what_was_expected(void **state)
{
    struct fixture *fixture = *state;
    assert_refused(fixture, "port: 33x06\n",
                   "f.yaml:1:7: `port` must be a whole number, not `33x06`");
    assert_refused(fixture, "port: '3306'\n",
                   "f.yaml:1:7: `port` must be a whole number, not `3306` in quotes");
    assert_refused(fixture, "port: [1]\n",
                   "f.yaml:1:7: `port` must be a whole number, not a list");
    assert_refused(fixture, "tls: yes\n", "f.yaml:1:6: `tls` must be true or false, not `yes`");
    assert_refused(fixture, "chunk: 1 MB\n",
                   "f.yaml:1:8: `chunk` must be a size such as 512KiB, 64MiB or 1GiB, not "
                   "`1 MB`");
    assert_refused(fixture, "wait: 30\n",
                   "f.yaml:1:7: `wait` must be a duration such as 250ms, 30s, 5m, 1h or 7d, "
                   "not `30`");
    assert_refused(fixture, "tables: shop.*\n",
                   "f.yaml:1:9: `tables` must be a list such as [a, b], not `shop.*`");
    assert_refused(fixture, "tables: [a, [b]]\n",
                   "f.yaml:1:13: `tables` must be a list of texts, but item 2 is a list");
    assert_refused(fixture, "host:\n  a: 1\n", "f.yaml:2:3: `host` must be a text, not a map");
    assert_refused(fixture, "host:\n",
                   "f.yaml:1:6: `host` has no value: give a text, or leave the key out");
    assert_refused(fixture, "[user]\n",
                   "f.yaml:1:1: `mysql` must be a map of keys and values, not a list");
}

static void bounds_are_kept_and_shown_as_one_writes_them(void **state)
{
    struct fixture *fixture = *state;
    assert_refused(fixture, "port: 0\n",
                   "f.yaml:1:7: `port` must be between 1 and 65535, not `0`");
    assert_refused(fixture, "chunk: 2GiB\n",
                   "f.yaml:1:8: `chunk` must be between 4KiB and 1GiB, not `2GiB`");
    assert_refused(fixture, "wait: 2h\n",
                   "f.yaml:1:7: `wait` must be between 0 and 1h, not `2h`");
}

static void a_choice_that_is_none_gets_the_nearest_one(void **state)
{
    struct fixture *fixture = *state;
    assert_refused(fixture, "mode: intial\n",
                   "f.yaml:1:7: `mode` must be one of initial|never|always, not `intial`, did "
                   "you mean `initial`?");
    assert_refused(fixture, "mode: init\n",
                   "f.yaml:1:7: `mode` must be one of initial|never|always, not `init`");
}

static void a_secret_is_never_shown(void **state)
{
    struct fixture *fixture = *state;
    assert_refused(fixture, "password: [hunter2]\n",
                   "f.yaml:1:11: `password` must be a text, not a list");
    assert_int_equal(
        fc_yaml_parse(fc_slice_text("port: hunter2\n"), "f.yaml", &fixture->yaml, NULL), FC_OK);
    fixture->yaml.root->first->secret = true;
    struct fc_options_source source = { .path = "f.yaml",
                                        .what = "mysql",
                                        .map = fixture->yaml.root };
    assert_int_equal(fc_options_read(&source, TABLE, &fixture->options, &fixture->error),
                     FC_ERR_CONFIG);
    assert_string_equal(fixture->error.message, "f.yaml:1:7: `port` must be a whole number, "
                                                "not what the secret holds");
}

static void a_password_in_clear_is_worth_a_warning_when_others_can_read_it(void **state)
{
    struct fixture *fixture = *state;
    fixture->readable = true;
    assert_int_equal(read_table(fixture, "user: me\npassword: hunter2\n", TABLE), FC_OK);
    assert_string_equal(fc_options_warning(fixture->options),
                        "f.yaml:2:11: `password` stands in clear in a file that others can "
                        "read: use ${{ secrets.NAME }}, or chmod 600 f.yaml");
}

static void a_password_in_clear_in_a_closed_file_is_fine(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(read_table(fixture, "user: me\npassword: hunter2\n", TABLE), FC_OK);
    assert_null(fc_options_warning(fixture->options));
}

static void a_default_that_does_not_fit_its_type_is_the_tables_fault(void **state)
{
    static const struct fc_option wrong[] = {
        { "port", FC_OPTION_INT, false, "many", 0, 0, NULL, "" },
        { .key = NULL },
    };
    struct fixture *fixture = *state;
    assert_int_equal(read_table(fixture, "{}", wrong), FC_ERR_PROTOCOL);
    assert_string_equal(fixture->error.message,
                        "mysql: the option table is wrong: default `many` of `port` is not a "
                        "whole number");
}

static void a_map_gives_its_names_and_values_in_order(void **state)
{
    static const struct fc_option table[] = {
        { "properties", FC_OPTION_MAP, false, NULL, 0, 0, NULL, "of the client" },
        { .key = NULL },
    };
    struct fixture *fixture = *state;
    const char *const *pairs = NULL;
    assert_int_equal(read_table(fixture, "properties: { b: 1, a: x }\n", table), FC_OK);
    assert_int_equal(fc_options_map(fixture->options, "properties", &pairs), 2);
    assert_string_equal(pairs[0], "b");
    assert_string_equal(pairs[1], "1");
    assert_string_equal(pairs[2], "a");
    assert_string_equal(pairs[3], "x");
}

static void a_map_whose_value_is_none_is_refused(void **state)
{
    static const struct fc_option table[] = {
        { "properties", FC_OPTION_MAP, false, NULL, 0, 0, NULL, "of the client" },
        { .key = NULL },
    };
    struct fixture *fixture = *state;
    assert_int_equal(read_table(fixture, "properties: { a: [1] }\n", table), FC_ERR_CONFIG);
    assert_string_equal(fixture->error.message,
                        "f.yaml:1:18: `a` must have one value, not a list");
    fc_yaml_release(&fixture->yaml);
    assert_int_equal(read_table(fixture, "properties: [a]\n", table), FC_ERR_CONFIG);
    assert_string_equal(
        fixture->error.message,
        "f.yaml:1:13: `properties` must be a map such as { name: value }, not a list");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(what_the_file_leaves_out_has_the_default),
        T(given_values_replace_the_defaults),
        T(what_only_the_owner_can_check_is_placed_as_well),
        T(an_unknown_key_gets_the_nearest_one),
        T(a_missing_required_key_is_named_with_its_help),
        T(a_wrong_type_is_named_with_what_was_expected),
        T(bounds_are_kept_and_shown_as_one_writes_them),
        T(a_choice_that_is_none_gets_the_nearest_one),
        T(a_secret_is_never_shown),
        T(a_password_in_clear_is_worth_a_warning_when_others_can_read_it),
        T(a_password_in_clear_in_a_closed_file_is_fine),
        T(a_default_that_does_not_fit_its_type_is_the_tables_fault),
        T(a_map_gives_its_names_and_values_in_order),
        T(a_map_whose_value_is_none_is_refused),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
