/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/link/grants.h"

/* Names and values in turn. */
static const char *get(const void *ctx, const char *name)
{
    const char *const *pairs = ctx;
    for (; *pairs != NULL; pairs += 2) {
        if (strcmp(pairs[0], name) == 0) {
            return pairs[1];
        }
    }
    return NULL;
}

static struct fc_link_settings settings_of(const char *const *pairs)
{
    const struct fc_link_settings settings = { get, pairs, "test" };
    return settings;
}

static void operations_are_listed_as_a_person_would(void **state)
{
    char text[FC_GRANTS_TEXT_SIZE];
    (void)state;
    assert_string_equal(fc_grants_names(FC_GRANT_READ, text), "READ");
    assert_string_equal(fc_grants_names(FC_GRANT_READ | FC_GRANT_WRITE, text),
                        "READ and WRITE");
    assert_string_equal(
        fc_grants_names(FC_GRANT_READ | FC_GRANT_DESCRIBE | FC_GRANT_CREATE, text),
        "DESCRIBE, READ and CREATE");
}

static void who_it_is_comes_from_the_log_in(void **state)
{
    const char *const plain[] = { "bootstrap.servers", "a:1", NULL };
    const char *const left[] = { "sasl.username", "ada", NULL };
    const char *const sasl[] = { "security.protocol", "SASL_SSL", "sasl.username", "ada",
                                 NULL };
    const char *const tls[] = { "security.protocol", "ssl", NULL };
    struct fc_link_settings settings = settings_of(plain);
    char text[FC_GRANTS_TEXT_SIZE];
    (void)state;
    assert_string_equal(fc_grants_principal(&settings, text), "User:ANONYMOUS");
    settings = settings_of(left); /* which is not used without SASL */
    assert_string_equal(fc_grants_principal(&settings, text), "User:ANONYMOUS");
    settings = settings_of(sasl);
    assert_string_equal(fc_grants_principal(&settings, text), "User:ada");
    settings = settings_of(tls); /* by its certificate, in a way that the cluster chooses */
    assert_string_equal(fc_grants_principal(&settings, text), "User:NAME");
}

static void the_command_is_one_for_a_shell(void **state)
{
    const char *const pairs[] = {
        "bootstrap.servers", "a:1,b:2", "security.protocol", "sasl_ssl", "sasl.username",
        "o'neil $HOME",      NULL
    };
    struct fc_link_settings settings = settings_of(pairs);
    char text[FC_GRANTS_TEXT_SIZE];
    (void)state;
    assert_string_equal(
        fc_grants_command(&settings, "--topic", "shop.orders",
                          FC_GRANT_WRITE | FC_GRANT_DESCRIBE_CONFIGS, text),
        "kafka-acls.sh --bootstrap-server a:1,b:2 --add --allow-principal "
        "'User:o'\\''neil $HOME' --operation Write --operation DescribeConfigs --topic "
        "shop.orders");
}

static void the_command_for_a_prefix_says_so(void **state)
{
    const char *const pairs[] = { "bootstrap.servers", "a:1", NULL };
    struct fc_link_settings settings = settings_of(pairs);
    char text[FC_GRANTS_TEXT_SIZE];
    (void)state;
    assert_string_equal(
        fc_grants_prefix_command(&settings, "--topic", "shop.", FC_GRANT_ALTER, text),
        "kafka-acls.sh --bootstrap-server a:1 --add --allow-principal User:ANONYMOUS "
        "--operation Alter --topic shop. --resource-pattern-type prefixed");
}

static void what_is_missing_is_one_sentence(void **state)
{
    const char *const pairs[] = { "bootstrap.servers", "a:1", NULL };
    struct fc_link_settings settings = settings_of(pairs);
    char text[FC_GRANTS_TEXT_SIZE];
    (void)state;
    assert_string_equal(fc_grants_missing(&settings, "the group", "billing",
                                          FC_GRANT_READ | FC_GRANT_DESCRIBE, text),
                        "User:ANONYMOUS may not DESCRIBE and READ on the group billing");
}

static void what_is_too_long_is_cut_off(void **state)
{
    char name[2 * FC_GRANTS_TEXT_SIZE];
    const char *const pairs[] = { "bootstrap.servers", "a:1", NULL };
    struct fc_link_settings settings = settings_of(pairs);
    char text[FC_GRANTS_TEXT_SIZE];
    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(
        strlen(fc_grants_command(&settings, "--topic", name, FC_GRANT_WRITE, text)),
        FC_GRANTS_TEXT_SIZE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_are_listed_as_a_person_would),
        cmocka_unit_test(who_it_is_comes_from_the_log_in),
        cmocka_unit_test(the_command_is_one_for_a_shell),
        cmocka_unit_test(the_command_for_a_prefix_says_so),
        cmocka_unit_test(what_is_missing_is_one_sentence),
        cmocka_unit_test(what_is_too_long_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
