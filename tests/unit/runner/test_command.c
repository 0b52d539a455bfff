/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "runner/command.h"

enum { ARGS_MAX = 80 };

struct fixture {
    struct fc_command command;
    char *out_text;
    size_t out_size;
    char *err_text;
    size_t err_size;
    char *argv[ARGS_MAX];
    int argc;
    char **operands;
    uint32_t count;
    fc_exit exit_code;
    /* what the flags set */
    bool dry_run;
    const char *to;
    struct fc_flag_list tables;
    uint64_t rounds;
};

static int set_up(void **state)
{
    struct fixture *fixture = fc_new(struct fixture);
    fixture->command.name = "restore";
    fixture->command.clock = fc_clock_system();
    fixture->command.out = open_memstream(&fixture->out_text, &fixture->out_size);
    fixture->command.err = open_memstream(&fixture->err_text, &fixture->err_size);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fc_command_release(&fixture->command);
    (void)fclose(fixture->command.out);
    (void)fclose(fixture->command.err);
    free(fixture->out_text);
    free(fixture->err_text);
    for (int index = 0; index < fixture->argc; index++) {
        free(fixture->argv[index]);
    }
    free(fixture);
    return 0;
}

/* Parse "restore <words>", words parted by one space. */
static bool parse(struct fixture *fixture, const char *words)
{
    const struct fc_flag flags[] = {
        { "dry-run", 'n', FC_FLAG_BOOL, &fixture->dry_run, NULL, "change nothing" },
        { "to", 0, FC_FLAG_TEXT, &fixture->to, "TIME|GTID|OFFSET", "where to" },
        { "table", 't', FC_FLAG_LIST, &fixture->tables, "DB.TABLE", "only this one" },
        { "rounds", 0, FC_FLAG_UINT, &fixture->rounds, "N", "how often" },
        { .name = NULL },
    };
    const struct fc_usage usage = { "restore [FLAGS] FILE", "Bring tables back.", flags, 1, 2 };
    bool good;
    fixture->argv[fixture->argc++] = fc_strdup("restore");
    while (*words != '\0') {
        size_t len = strcspn(words, " ");
        fc_assert(fixture->argc < ARGS_MAX - 1);
        fixture->argv[fixture->argc++] = fc_strndup(words, len);
        words += len + (words[len] == ' ' ? 1 : 0);
    }
    good = fc_command_parse(&fixture->command, &usage, fixture->argc, fixture->argv,
                            &fixture->operands, &fixture->count, &fixture->exit_code);
    (void)fflush(fixture->command.out);
    (void)fflush(fixture->command.err);
    return good;
}

static void assert_wrong(struct fixture *fixture, const char *words, const char *message)
{
    assert_false(parse(fixture, words));
    assert_int_equal(fixture->exit_code, FC_EXIT_USAGE);
    assert_string_equal(fixture->err_text, message);
    assert_string_equal(fixture->out_text, "");
}

static void flags_and_operands_may_stand_in_any_order(void **state)
{
    struct fixture *fixture = *state;
    assert_true(parse(fixture, "a.yaml -n --to=0-1-42 -t shop.a b.yaml --table shop.b "
                               "--rounds 7 -v --secrets s"));
    assert_int_equal(fixture->exit_code, FC_EXIT_DONE);
    assert_true(fixture->dry_run);
    assert_string_equal(fixture->to, "0-1-42");
    assert_int_equal(fixture->tables.count, 2);
    assert_string_equal(fixture->tables.items[1], "shop.b");
    assert_int_equal(fixture->rounds, 7);
    assert_true(fixture->command.verbose);
    assert_string_equal(fixture->command.secrets_path, "s");
    assert_int_equal(fixture->count, 2);
    assert_string_equal(fixture->operands[0], "a.yaml");
    assert_string_equal(fixture->operands[1], "b.yaml");
    assert_non_null(fixture->command.diag);
}

static void an_unknown_flag_gets_the_nearest_one(void **state)
{
    assert_wrong(*state, "a.yaml --drY-run",
                 "fluvio-connect: restore: unknown flag `--drY-run`, did you mean `--dry-run`? "
                 "(fluvio-connect restore --help lists what there is)\n");
}

static void an_unknown_letter_is_named(void **state)
{
    assert_wrong(*state, "a.yaml -z",
                 "fluvio-connect: restore: unknown flag `-z` (fluvio-connect restore --help "
                 "lists what there is)\n");
}

static void a_flag_without_its_value_is_named(void **state)
{
    assert_wrong(*state, "a.yaml --to",
                 "fluvio-connect: restore: a value is missing after `--to` (fluvio-connect "
                 "restore --help lists what there is)\n");
}

static void a_value_for_a_flag_that_takes_none_is_refused(void **state)
{
    assert_wrong(*state, "a.yaml --dry-run=yes",
                 "fluvio-connect: restore: no value can be given to `--dry-run=yes` "
                 "(fluvio-connect restore --help lists what there is)\n");
}

static void a_number_must_be_one(void **state)
{
    assert_wrong(*state, "a.yaml --rounds 3x",
                 "fluvio-connect: restore: --rounds needs a whole number, not `3x`\n");
}

static void a_missing_operand_shows_the_synopsis(void **state)
{
    assert_wrong(
        *state, "-n",
        "fluvio-connect: restore: something is missing: fluvio-connect restore [FLAGS] "
        "FILE\n");
}

static void an_operand_too_many_is_named(void **state)
{
    assert_wrong(*state, "a b c",
                 "fluvio-connect: restore: one too many: `c` (fluvio-connect restore --help "
                 "lists what there is)\n");
}

static void quiet_and_verbose_exclude_each_other(void **state)
{
    assert_wrong(*state, "a -q -v",
                 "fluvio-connect: restore: --quiet and --verbose exclude each other\n");
}

static void help_goes_to_stdout_and_is_done(void **state)
{
    struct fixture *fixture = *state;
    assert_false(parse(fixture, "--help"));
    assert_int_equal(fixture->exit_code, FC_EXIT_DONE);
    assert_string_equal(fixture->err_text, "");
    assert_non_null(strstr(fixture->out_text, "Usage: fluvio-connect restore [FLAGS] FILE\n\n"
                                              "Bring tables back.\n"));
    assert_non_null(
        strstr(fixture->out_text, "  -n, --dry-run               change nothing\n"));
    assert_non_null(strstr(fixture->out_text, "      --to TIME|GTID|OFFSET   where to\n"));
    assert_non_null(strstr(fixture->out_text, "-h, --help"));
}

static void a_list_has_a_limit(void **state)
{
    struct fixture *fixture = *state;
    struct fc_buf words;
    fc_buf_init(&words, 4096);
    for (int index = 0; index < FC_FLAG_LIST_MAX + 1; index++) {
        fc_buf_append_text(&words, "-ta ");
    }
    fc_buf_append_text(&words, "f");
    fc_buf_append_u8(&words, 0);
    assert_wrong(fixture, (const char *)words.data,
                 "fluvio-connect: restore: --table can be given 64 times at most\n");
    fc_buf_release(&words);
}

static void errors_map_to_exit_codes(void **state)
{
    static const struct {
        fc_code code;
        fc_exit expected;
    } cases[] = {
        { FC_ERR_CONFIG, FC_EXIT_USAGE },    { FC_ERR_NOT_FOUND, FC_EXIT_USAGE },
        { FC_ERR_REFUSED, FC_EXIT_REFUSED }, { FC_ERR_IO, FC_EXIT_FAILED },
        { FC_ERR_CLOSED, FC_EXIT_FAILED },   { FC_ERR_CORRUPT, FC_EXIT_FAILED },
        { FC_ERR_PROTOCOL, FC_EXIT_FAILED }, { FC_ERR_TIMEOUT, FC_EXIT_FAILED },
        { FC_ERR_REJECTED, FC_EXIT_FAILED },
    };
    struct fixture *fixture = *state;
    struct fc_error error = { 0 };
    for (size_t index = 0; index < sizeof(cases) / sizeof(*cases); index++) {
        (void)fc_fail(&error, cases[index].code, "reason");
        assert_int_equal(fc_command_fail(&fixture->command, &error), cases[index].expected);
    }
    (void)fflush(fixture->command.err);
    assert_int_equal(strncmp(fixture->err_text, "fluvio-connect: reason\n", 23), 0);
}

static void the_output_format_is_table_or_json(void **state)
{
    struct fixture *fixture = *state;
    bool json = true;
    assert_true(fc_command_format(&fixture->command, NULL, &json));
    assert_false(json);
    assert_true(fc_command_format(&fixture->command, "json", &json));
    assert_true(json);
    assert_false(fc_command_format(&fixture->command, "yaml", &json));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(flags_and_operands_may_stand_in_any_order),
        T(an_unknown_flag_gets_the_nearest_one),
        T(an_unknown_letter_is_named),
        T(a_flag_without_its_value_is_named),
        T(a_value_for_a_flag_that_takes_none_is_refused),
        T(a_number_must_be_one),
        T(a_missing_operand_shows_the_synopsis),
        T(an_operand_too_many_is_named),
        T(quiet_and_verbose_exclude_each_other),
        T(help_goes_to_stdout_and_is_done),
        T(a_list_has_a_limit),
        T(errors_map_to_exit_codes),
        T(the_output_format_is_table_or_json),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
