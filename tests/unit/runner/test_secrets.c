/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "runner/secrets.h"
#include "tests/support/temp_dir.h"
#include "tests/support/temp_file.h"

struct fixture {
    char *dir;
    char *path;
    struct fc_secrets *secrets;
    struct fc_yaml yaml;
    struct fc_error error;
};

static int set_up(void **state)
{
    struct fixture *fixture = fc_new(struct fixture);
    fixture->dir = temp_dir_new();
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fc_secrets_free(fixture->secrets);
    fc_yaml_release(&fixture->yaml);
    temp_dir_free(fixture->dir);
    free(fixture->path);
    free(fixture);
    return 0;
}

static fc_code open_file(struct fixture *fixture, const char *text, mode_t mode)
{
    fixture->path = temp_file_write(fixture->dir, "secrets", text, mode);
    return fc_secrets_open(fixture->path, &fixture->secrets, &fixture->error);
}

static fc_code fill(struct fixture *fixture, const char *text)
{
    assert_int_equal(
        fc_yaml_parse(fc_slice_text(text), "f.yaml", &fixture->yaml, &fixture->error), FC_OK);
    return fc_secrets_fill(fixture->secrets, &fixture->yaml, fixture->yaml.root,
                           fc_yaml_get(fixture->yaml.root, "declared"), &fixture->error);
}

static void values_are_taken_verbatim(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(open_file(fixture, "# comment\n\nA=1\nB= x=\"y\" \r\n_C9=\nD=last", 0600),
                     FC_OK);
    assert_string_equal(fc_secrets_get(fixture->secrets, "A"), "1");
    assert_string_equal(fc_secrets_get(fixture->secrets, "B"), " x=\"y\" ");
    assert_string_equal(fc_secrets_get(fixture->secrets, "_C9"), "");
    assert_string_equal(fc_secrets_get(fixture->secrets, "D"), "last");
    assert_null(fc_secrets_get(fixture->secrets, "FLUVIO_TEST_NOT_SET"));
}

static void the_file_goes_before_the_environment(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(setenv("FLUVIO_TEST_BOTH", "environment", 1), 0);
    assert_int_equal(setenv("FLUVIO_TEST_ENV", "only here", 1), 0);
    assert_int_equal(open_file(fixture, "FLUVIO_TEST_BOTH=file\n", 0400), FC_OK);
    assert_string_equal(fc_secrets_get(fixture->secrets, "FLUVIO_TEST_BOTH"), "file");
    assert_string_equal(fc_secrets_get(fixture->secrets, "FLUVIO_TEST_ENV"), "only here");
}

static void a_file_that_others_can_read_is_refused_with_the_command_that_mends_it(void **state)
{
    struct fixture *fixture = *state;
    char *expected;
    assert_int_equal(open_file(fixture, "A=hunter2\n", 0640), FC_ERR_CONFIG);
    expected = fc_asprintf("secrets file %s is open to others (mode 0640): chmod 600 %s",
                           fixture->path, fixture->path);
    assert_string_equal(fixture->error.message, expected);
    free(expected);
}

static void a_missing_file_is_named(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fc_secrets_open("/nonexistent/s", &fixture->secrets, &fixture->error),
                     FC_ERR_NOT_FOUND);
    assert_string_equal(fixture->error.message,
                        "secrets file /nonexistent/s: No such file or directory");
}

static void a_line_that_is_no_secret_is_named_without_its_text(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(open_file(fixture, "A=1\nhunter2\n", 0600), FC_ERR_CONFIG);
    assert_non_null(strstr(fixture->error.message, ":2: not a line of the form NAME=value"));
    assert_null(strstr(fixture->error.message, "hunter2"));
}

static void a_name_that_stands_twice_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(open_file(fixture, "A=1\nA=2\n", 0600), FC_ERR_CONFIG);
    assert_non_null(strstr(fixture->error.message, ":2: secret A stands twice"));
}

static void a_directory_is_no_secrets_file(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fc_secrets_open(fixture->dir, &fixture->secrets, &fixture->error),
                     FC_ERR_CONFIG);
    assert_non_null(strstr(fixture->error.message, "not a regular file"));
}

static void texts_are_filled_and_marked_secret(void **state)
{
    struct fixture *fixture = *state;
    const struct fc_yaml_node *list;
    assert_int_equal(open_file(fixture, "A=one\nB=${{ secrets.A }}\n", 0600), FC_OK);
    assert_int_equal(
        fill(fixture,
             "list: [\"${{ secrets.A }}\", \"x-${{secrets.A}}-${{ secrets.B }}\", $A]"),
        FC_OK);
    list = fc_yaml_get(fixture->yaml.root, "list");
    assert_string_equal(list->first->text, "one");
    assert_true(list->first->secret);
    /* What a secret holds is not filled in again. */
    assert_string_equal(list->first->next->text, "x-one-${{ secrets.A }}");
    assert_string_equal(list->first->next->next->text, "$A");
    assert_false(list->first->next->next->secret);
}

static void a_secret_that_is_not_set_is_named_with_what_to_do(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fc_secrets_open(NULL, &fixture->secrets, &fixture->error), FC_OK);
    assert_int_equal(fill(fixture, "p: ${{ secrets.FLUVIO_TEST_NOT_SET }}\n"), FC_ERR_CONFIG);
    assert_string_equal(fixture->error.message,
                        "f.yaml:1:4: secret FLUVIO_TEST_NOT_SET is not set: export "
                        "FLUVIO_TEST_NOT_SET, or give --secrets FILE");
}

static void an_undeclared_secret_gets_the_nearest_declared_one(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(open_file(fixture, "PASSWORD=x\n", 0600), FC_OK);
    assert_int_equal(
        fill(fixture, "declared: [{ name: PASSWORD }]\np: ${{ secrets.PASWORD }}\n"),
        FC_ERR_CONFIG);
    assert_string_equal(fixture->error.message,
                        "f.yaml:2:4: secret `PASWORD` is not named under meta.secrets, did you "
                        "mean `PASSWORD`?");
}

static void a_broken_expression_is_refused(void **state)
{
    static const char *const wrong[] = { "p: ${{ secret.A }}", "p: ${{ secrets.A }",
                                         "p: ${{ secrets.9A }}", "p: ${{ secrets. }}",
                                         "p: ${{" };
    struct fixture *fixture = *state;
    assert_int_equal(open_file(fixture, "A=1\n", 0600), FC_OK);
    for (size_t index = 0; index < sizeof(wrong) / sizeof(*wrong); index++) {
        assert_int_equal(fill(fixture, wrong[index]), FC_ERR_CONFIG);
        assert_non_null(strstr(fixture->error.message, "f.yaml:1:4: `${{` must be followed"));
        fc_yaml_release(&fixture->yaml);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_are_taken_verbatim, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_file_goes_before_the_environment, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_file_that_others_can_read_is_refused_with_the_command_that_mends_it, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(a_missing_file_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_that_is_no_secret_is_named_without_its_text,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_that_stands_twice_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_directory_is_no_secrets_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(texts_are_filled_and_marked_secret, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_secret_that_is_not_set_is_named_with_what_to_do,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_undeclared_secret_gets_the_nearest_declared_one,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_expression_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
