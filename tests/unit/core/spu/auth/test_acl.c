/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "core/spu/auth/acl.h"
#include "core/spu/auth/principal.h"

enum { ENTRIES_MAX = 24, ROUNDS = 3000, QUESTIONS = 60 };

static const char *const NAMES[] = { "*", "a", "ab", "abc", "b", "shop.a", "shop.b", "shop." };
static const char *const PRINCIPALS[] = { "User:*", "User:alice", "User:bob", "User:" };
static const char *const HOSTS[] = { "*", "10.0.0.1", "::1" };

#define PICK(list) (list)[next_random(random) % (sizeof(list) / sizeof((list)[0]))]

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static struct fc_acl random_entry(uint32_t *random)
{
    struct fc_acl acl;
    acl.resource = next_random(random) % 3 == 0 ? FC_RESOURCE_GROUP : FC_RESOURCE_TOPIC;
    acl.pattern = next_random(random) % 2 == 0 ? FC_PATTERN_LITERAL : FC_PATTERN_PREFIXED;
    acl.name = fc_slice_text(PICK(NAMES));
    if (acl.pattern == FC_PATTERN_PREFIXED && fc_slice_equal_text(acl.name, "*")) {
        acl.name = fc_slice_text("s");
    }
    acl.principal = fc_slice_text(PICK(PRINCIPALS));
    acl.host = fc_slice_text(PICK(HOSTS));
    acl.operation = (fc_operation)(FC_OPERATION_ALL + next_random(random) % 11);
    acl.permission = next_random(random) % 4 == 0 ? FC_PERMISSION_DENY : FC_PERMISSION_ALLOW;
    return acl;
}

/* --- the rules, told as plainly as they can be --- */

static bool implies(fc_operation granted, fc_operation asked)
{
    if (granted == FC_OPERATION_ALL || granted == asked) {
        return true;
    }
    if (asked == FC_OPERATION_DESCRIBE) {
        return granted == FC_OPERATION_READ || granted == FC_OPERATION_WRITE ||
               granted == FC_OPERATION_DELETE || granted == FC_OPERATION_ALTER;
    }
    return asked == FC_OPERATION_DESCRIBE_CONFIGS && granted == FC_OPERATION_ALTER_CONFIGS;
}

static bool entry_is_for(const struct fc_acl *acl, const struct fc_acl_caller *caller,
                         fc_resource resource, struct fc_slice name)
{
    bool named = acl->pattern == FC_PATTERN_LITERAL
                     ? fc_slice_equal_text(acl->name, "*") || fc_slice_equal(acl->name, name)
                     : name.len >= acl->name.len &&
                           memcmp(name.data, acl->name.data, acl->name.len) == 0;
    return acl->resource == resource && named &&
           (fc_slice_equal_text(acl->principal, "User:*") ||
            fc_slice_equal(acl->principal, caller->principal)) &&
           (fc_slice_equal_text(acl->host, "*") || fc_slice_equal(acl->host, caller->host));
}

static bool plainly_allowed(const struct fc_acl *entries, size_t count,
                            const struct fc_acl_caller *caller, fc_operation operation,
                            fc_resource resource, struct fc_slice name)
{
    bool allowed = false;
    for (size_t index = 0; index < count; index++) {
        const struct fc_acl *acl = &entries[index];
        if (!entry_is_for(acl, caller, resource, name)) {
            continue;
        }
        if (acl->permission == FC_PERMISSION_DENY &&
            (acl->operation == FC_OPERATION_ALL || acl->operation == operation)) {
            return false;
        }
        allowed = allowed || (acl->permission == FC_PERMISSION_ALLOW &&
                              implies(acl->operation, operation));
    }
    return allowed;
}

static void every_answer_is_that_of_the_plain_rules(void **state)
{
    uint32_t seed = 20260;
    uint32_t *random = &seed;
    unsigned allowed = 0;
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct fc_acl entries[ENTRIES_MAX];
        size_t count = next_random(random) % (ENTRIES_MAX + 1);
        struct fc_acls *acls;
        for (size_t index = 0; index < count; index++) {
            entries[index] = random_entry(random);
        }
        acls = fc_acls_new(entries, count);
        for (int question = 0; question < QUESTIONS; question++) {
            static const char *const asked[] = { "a",      "ab",     "abc",   "abcd", "b",
                                                 "shop.a", "shop.x", "shop.", "",     "c" };
            struct fc_acl_caller caller = { fc_slice_text(PICK(PRINCIPALS)),
                                            fc_slice_text(PICK(HOSTS)) };
            fc_operation operation =
                (fc_operation)(FC_OPERATION_READ + next_random(random) % 10);
            fc_resource resource =
                next_random(random) % 3 == 0 ? FC_RESOURCE_GROUP : FC_RESOURCE_TOPIC;
            struct fc_slice name = fc_slice_text(PICK(asked));
            bool expected = plainly_allowed(entries, count, &caller, operation, resource, name);
            allowed += expected ? 1 : 0;
            assert_int_equal(fc_acls_allow(acls, &caller, operation, resource, name), expected);
            if (expected) {
                assert_true(fc_acls_allow_some(acls, &caller, operation, resource));
            }
        }
        fc_acls_free(acls);
    }
    assert_true(allowed > ROUNDS * QUESTIONS / 50);
}

static const struct fc_acl_caller ALICE = { { (const uint8_t *)"User:alice", 10 },
                                            { (const uint8_t *)"10.0.0.1", 8 } };

static struct fc_acl entry(fc_pattern pattern, const char *name, fc_operation operation,
                           fc_permission permission)
{
    struct fc_acl acl = { FC_RESOURCE_TOPIC,   pattern,
                          fc_slice_text(name), fc_slice_text("User:alice"),
                          fc_slice_text("*"),  operation,
                          permission };
    return acl;
}

static void without_entries_nothing_is_allowed(void **state)
{
    struct fc_acls *acls = fc_acls_new(NULL, 0);
    (void)state;
    assert_false(fc_acls_allow(acls, &ALICE, FC_OPERATION_DESCRIBE, FC_RESOURCE_TOPIC,
                               fc_slice_text("a")));
    assert_false(fc_acls_allow_some(acls, &ALICE, FC_OPERATION_WRITE, FC_RESOURCE_TOPIC));
    fc_acls_free(acls);
}

static void some_are_allowed_unless_all_that_is_allowed_is_denied(void **state)
{
    struct fc_acl entries[3] = {
        entry(FC_PATTERN_PREFIXED, "shop.", FC_OPERATION_WRITE, FC_PERMISSION_ALLOW),
        entry(FC_PATTERN_LITERAL, "shop.a", FC_OPERATION_WRITE, FC_PERMISSION_DENY),
        entry(FC_PATTERN_PREFIXED, "sh", FC_OPERATION_WRITE, FC_PERMISSION_DENY),
    };
    struct fc_acls *acls = fc_acls_new(entries, 2);
    (void)state;
    assert_true(fc_acls_allow_some(acls, &ALICE, FC_OPERATION_WRITE, FC_RESOURCE_TOPIC));
    assert_false(fc_acls_allow_some(acls, &ALICE, FC_OPERATION_READ, FC_RESOURCE_TOPIC));
    fc_acls_free(acls);
    acls = fc_acls_new(entries, 3);
    assert_false(fc_acls_allow_some(acls, &ALICE, FC_OPERATION_WRITE, FC_RESOURCE_TOPIC));
    fc_acls_free(acls);
}

static void names_of_any_length_are_looked_up(void **state)
{
    static char long_name[40000];
    struct fc_acl prefix =
        entry(FC_PATTERN_PREFIXED, "x", FC_OPERATION_READ, FC_PERMISSION_ALLOW);
    struct fc_acl_caller caller = ALICE;
    struct fc_acls *acls = fc_acls_new(&prefix, 1);
    (void)state;
    memset(long_name, 'x', sizeof(long_name));
    assert_true(fc_acls_allow(acls, &ALICE, FC_OPERATION_READ, FC_RESOURCE_TOPIC,
                              fc_slice_of(long_name, sizeof(long_name))));
    assert_false(
        fc_acls_allow(acls, &ALICE, FC_OPERATION_READ, FC_RESOURCE_TOPIC, fc_slice_of("", 0)));
    assert_false(
        fc_acls_allow(acls, &ALICE, FC_OPERATION_READ, FC_RESOURCE_TOPIC, fc_slice_null()));
    caller.principal = fc_slice_of(long_name, sizeof(long_name));
    assert_false(
        fc_acls_allow(acls, &caller, FC_OPERATION_READ, FC_RESOURCE_TOPIC, fc_slice_text("x")));
    fc_acls_free(acls);
}

static void a_filter_finds_what_it_says(void **state)
{
    struct fc_acl literal =
        entry(FC_PATTERN_LITERAL, "shop.a", FC_OPERATION_READ, FC_PERMISSION_ALLOW);
    struct fc_acl prefix =
        entry(FC_PATTERN_PREFIXED, "shop.", FC_OPERATION_READ, FC_PERMISSION_ALLOW);
    struct fc_acl all = entry(FC_PATTERN_LITERAL, "*", FC_OPERATION_READ, FC_PERMISSION_ALLOW);
    struct fc_acl_filter filter = { .resource = FC_RESOURCE_ANY,
                                    .pattern = FC_PATTERN_MATCH,
                                    .name = fc_slice_text("shop.a"),
                                    .operation = FC_OPERATION_ANY,
                                    .permission = FC_PERMISSION_ANY };
    (void)state;
    assert_true(fc_acl_fits(&literal, &filter) && fc_acl_fits(&prefix, &filter) &&
                fc_acl_fits(&all, &filter));
    filter.name = fc_slice_text("shop.b");
    assert_true(!fc_acl_fits(&literal, &filter) && fc_acl_fits(&prefix, &filter) &&
                fc_acl_fits(&all, &filter));
    filter.pattern = FC_PATTERN_PREFIXED;
    filter.name = fc_slice_text("shop.");
    assert_true(!fc_acl_fits(&literal, &filter) && fc_acl_fits(&prefix, &filter));
    filter.name = fc_slice_null();
    assert_true(!fc_acl_fits(&literal, &filter) && fc_acl_fits(&prefix, &filter));
    filter.pattern = FC_PATTERN_ANY;
    assert_true(fc_acl_fits(&literal, &filter));
    filter.principal = fc_slice_text("User:bob");
    assert_false(fc_acl_fits(&literal, &filter));
    filter.principal = fc_slice_text("User:alice");
    filter.permission = FC_PERMISSION_DENY;
    assert_false(fc_acl_fits(&literal, &filter));
    filter.permission = FC_PERMISSION_ALLOW;
    filter.operation = FC_OPERATION_WRITE;
    assert_false(fc_acl_fits(&literal, &filter));
}

static void names_of_operations_and_resources_go_both_ways(void **state)
{
    (void)state;
    for (int number = FC_OPERATION_ALL; number <= FC_OPERATION_DESCRIBE_TOKENS; number++) {
        assert_int_equal(fc_operation_of(fc_slice_text(fc_operation_name(number))), number);
    }
    assert_int_equal(fc_resource_of(fc_slice_text("TRANSACTIONAL_ID")),
                     FC_RESOURCE_TRANSACTIONAL_ID);
    assert_int_equal(fc_pattern_of(fc_slice_text("PREFIXED")), FC_PATTERN_PREFIXED);
    assert_int_equal(fc_permission_of(fc_slice_text("DENY")), FC_PERMISSION_DENY);
    assert_int_equal(fc_operation_of(fc_slice_text("NO")), 0);
    assert_null(fc_operation_name(FC_OPERATION_ANY));
    assert_null(fc_operation_name(-1));
    assert_null(fc_resource_name(99));
    assert_true(fc_acl_operation_is_for(FC_OPERATION_WRITE, FC_RESOURCE_TOPIC));
    assert_false(fc_acl_operation_is_for(FC_OPERATION_WRITE, FC_RESOURCE_CLUSTER));
}

/* A bound with room to spare: it is there to notice a change of order, not of percent. */
static void a_question_costs_less_than_a_microsecond_among_a_thousand_entries(void **state)
{
    static char names[1000][24];
    static struct fc_acl entries[1000];
    struct fc_acls *acls;
    clock_t begin;
    unsigned allowed = 0;
    (void)state;
    for (size_t index = 0; index < 1000; index++) {
        (void)snprintf(names[index], sizeof(names[index]), "team%03zu.topic", index);
        entries[index] = entry(index % 2 == 0 ? FC_PATTERN_LITERAL : FC_PATTERN_PREFIXED,
                               names[index], FC_OPERATION_READ, FC_PERMISSION_ALLOW);
    }
    acls = fc_acls_new(entries, 1000);
    begin = clock();
    for (size_t index = 0; index < 200000; index++) {
        allowed += fc_acls_allow(acls, &ALICE, FC_OPERATION_READ, FC_RESOURCE_TOPIC,
                                 fc_slice_text(names[index % 1000]));
    }
    begin = clock() - begin;
    print_message("%.0f ns a question\n",
                  (double)begin / (double)CLOCKS_PER_SEC * 1e9 / 200000.0);
    assert_int_equal(allowed, 200000);
    fc_acls_free(acls);
}

static void expect_principal(const struct fc_principal_rules *rules, const char *subject,
                             const char *expected)
{
    char *principal = fc_principal_of_subject(rules, subject);
    if (expected == NULL) {
        assert_null(principal);
    } else {
        assert_non_null(principal);
        assert_string_equal(principal, expected);
    }
    free(principal);
}

static void the_first_rule_that_fits_the_whole_subject_names_the_principal(void **state)
{
    static const char *const texts[] = { "RULE:^CN=([^,]+),OU=Services,.*$/$1/L",
                                         "RULE:^CN=([a-z]+)\\/([a-z]+)$/$2@$1/U",
                                         "RULE:CN=kept/$0/" };
    static const char *const bad[] = { "default", "RULE:a", "RULE:a/b", "RULE:a/b/X",
                                       "RULE:(/b/" };
    struct fc_principal_rules *rules = NULL;
    struct fc_error err;
    (void)state;
    assert_int_equal(fc_principal_rules_new(texts, 3, &rules, &err), FC_OK);
    expect_principal(rules, "CN=Alice,OU=Services,O=x", "User:alice");
    expect_principal(rules, "CN=host/svc", "User:SVC@HOST");
    expect_principal(rules, "CN=kept", "User:CN=kept");
    expect_principal(rules, "CN=kept,O=x", NULL);
    fc_principal_rules_free(rules);
    expect_principal(NULL, "CN=a,O=b", "User:CN=a,O=b");
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        assert_int_equal(fc_principal_rules_new(&bad[index], 1, &rules, &err), FC_ERR_CONFIG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_is_that_of_the_plain_rules),
        cmocka_unit_test(without_entries_nothing_is_allowed),
        cmocka_unit_test(some_are_allowed_unless_all_that_is_allowed_is_denied),
        cmocka_unit_test(names_of_any_length_are_looked_up),
        cmocka_unit_test(a_filter_finds_what_it_says),
        cmocka_unit_test(names_of_operations_and_resources_go_both_ways),
        cmocka_unit_test(a_question_costs_less_than_a_microsecond_among_a_thousand_entries),
        cmocka_unit_test(the_first_rule_that_fits_the_whole_subject_names_the_principal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
