/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cli/acl_rule.h"

static void assert_refused(const struct fc_acl_flags *flags, const char *text)
{
    struct fc_acl_rules rules = { 0 };
    struct fc_error error = { 0 };
    assert_int_equal(fc_acl_rules_to_add(flags, &rules, &error), FC_ERR_CONFIG);
    assert_non_null(strstr(error.message, text));
}

static void every_principal_meets_every_resource_and_operation(void **state)
{
    const struct fc_acl_flags flags = { .users = { { "ada", "bob" }, 2 },
                                        .topics = { { "a", "b" }, 2 },
                                        .operations = { { "read,write", "DESCRIBE" }, 2 },
                                        .prefix = true,
                                        .deny = true };
    struct fc_acl_rules rules = { 0 };
    struct fc_error error = { 0 };
    (void)state;
    assert_int_equal(fc_acl_rules_to_add(&flags, &rules, &error), FC_OK);
    assert_int_equal(rules.count, 12);
    assert_string_equal(rules.items[0].principal, "User:ada");
    assert_string_equal(rules.items[11].principal, "User:bob");
    assert_string_equal(rules.items[11].name, "b");
    assert_int_equal(rules.items[11].operation, FC_ACL_DESCRIBE);
    assert_int_equal(rules.items[11].pattern, FC_ACL_PREFIXED);
    assert_int_equal(rules.items[11].permission, FC_ACL_DENY);
    fc_acl_rules_release(&rules);
}

static void a_role_is_what_it_needs(void **state)
{
    const struct fc_acl_flags consumer = { .users = { { "ada" }, 1 },
                                           .topics = { { "a" }, 1 },
                                           .groups = { { "g" }, 1 },
                                           .role = "consumer" };
    const struct fc_acl_flags admin = { .users = { { "ada" }, 1 }, .role = "admin" };
    const struct fc_acl_flags user = { .users = { { "ada" }, 1 }, .role = "user" };
    struct fc_acl_rules rules = { 0 };
    struct fc_error error = { 0 };
    (void)state;
    assert_int_equal(fc_acl_rules_to_add(&consumer, &rules, &error), FC_OK);
    assert_int_equal(rules.count, 4);
    assert_int_equal(rules.items[0].operation, FC_ACL_READ);
    assert_int_equal(rules.items[2].resource, FC_ACL_GROUP);
    fc_acl_rules_release(&rules);
    assert_int_equal(fc_acl_rules_to_add(&admin, &rules, &error), FC_OK);
    assert_int_equal(rules.count, 4);
    assert_int_equal(rules.items[3].resource, FC_ACL_CLUSTER);
    assert_int_equal(rules.items[3].operation, FC_ACL_ALL);
    fc_acl_rules_release(&rules);
    assert_int_equal(fc_acl_rules_to_add(&user, &rules, &error), FC_OK);
    assert_int_equal(rules.count, 6);
    for (size_t index = 0; index < rules.count; index++) {
        assert_int_not_equal(rules.items[index].operation, FC_ACL_ALL);
        assert_string_equal(rules.items[index].name,
                            rules.items[index].resource == FC_ACL_CLUSTER ? "kafka-cluster"
                                                                          : "*");
    }
    fc_acl_rules_release(&rules);
}

static void what_is_missing_is_told(void **state)
{
    const struct fc_acl_flags nobody = { .topics = { { "a" }, 1 },
                                         .operations = { { "read" }, 1 } };
    const struct fc_acl_flags nothing = { .users = { { "ada" }, 1 },
                                          .operations = { { "read" }, 1 } };
    const struct fc_acl_flags idle = { .users = { { "ada" }, 1 }, .topics = { { "a" }, 1 } };
    const struct fc_acl_flags typo = { .users = { { "ada" }, 1 },
                                       .topics = { { "a" }, 1 },
                                       .operations = { { "reed" }, 1 } };
    const struct fc_acl_flags role = { .users = { { "ada" }, 1 },
                                       .topics = { { "a" }, 1 },
                                       .role = "consumer" };
    const struct fc_acl_flags king = { .users = { { "ada" }, 1 }, .role = "king" };
    const struct fc_acl_flags some = { .users = { { "ada" }, 1 },
                                       .topics = { { "a" }, 1 },
                                       .role = "user" };
    const struct fc_acl_flags odd = { .users = { { "ada" }, 1 },
                                      .topics = { { "a" }, 1 },
                                      .groups = { { "g" }, 1 },
                                      .role = "producer" };
    (void)state;
    assert_refused(&king, "--role must be admin, user, producer or consumer, not `king`");
    assert_refused(&some, "--role user is for everything");
    assert_refused(&odd, "a producer does nothing with a group");
    assert_refused(&nobody, "for whom?");
    assert_refused(&nothing, "on what?");
    assert_refused(&idle, "what may they do?");
    assert_refused(&typo, "did you mean `read`?");
    assert_refused(&role, "--role consumer needs --topic and --group");
}

static void filters_leave_open_what_is_not_said(void **state)
{
    const struct fc_acl_flags none = { .deny = false };
    const struct fc_acl_flags topic = { .topics = { { "a" }, 1 } };
    struct fc_acl_rules rules = { 0 };
    struct fc_error error = { 0 };
    (void)state;
    assert_int_equal(fc_acl_rules_to_find(&none, true, &rules, &error), FC_OK);
    assert_int_equal(rules.count, 1);
    assert_null(rules.items[0].principal);
    assert_int_equal(rules.items[0].resource, FC_ACL_ANY_RESOURCE);
    fc_acl_rules_release(&rules);
    assert_int_equal(fc_acl_rules_to_find(&topic, true, &rules, &error), FC_OK);
    assert_int_equal(rules.items[0].pattern, FC_ACL_MATCH);
    fc_acl_rules_release(&rules);
    assert_int_equal(fc_acl_rules_to_find(&topic, false, &rules, &error), FC_OK);
    assert_int_equal(rules.items[0].pattern, FC_ACL_LITERAL);
    fc_acl_rules_release(&rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_principal_meets_every_resource_and_operation),
        cmocka_unit_test(a_role_is_what_it_needs),
        cmocka_unit_test(what_is_missing_is_told),
        cmocka_unit_test(filters_leave_open_what_is_not_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
