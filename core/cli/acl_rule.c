/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/acl_rule.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/roles.h"
#include "core/base/suggest.h"

enum { OPERATIONS_MAX = 32, RESOURCES_MAX = 200 };

static const char *const RESOURCES[] = { NULL,    "any",     "topic",
                                         "group", "cluster", "transactional-id",
                                         "token", "user" };
static const char *const PATTERNS[] = { NULL, "any", "match", "literal", "prefixed" };
static const char *const OPERATIONS[] = { NULL,
                                          "any",
                                          "all",
                                          "read",
                                          "write",
                                          "create",
                                          "delete",
                                          "alter",
                                          "describe",
                                          "cluster-action",
                                          "describe-configs",
                                          "alter-configs",
                                          "idempotent-write",
                                          "create-tokens",
                                          "describe-tokens",
                                          "two-phase-commit" };
static const char *const PERMISSIONS[] = { NULL, "any", "deny", "allow" };

static const char *name_of(const char *const *names, size_t count, int8_t number, char *to)
{
    bool known = number > 0 && (size_t)number < count;
    (void)snprintf(to, FC_ACL_NAME_SIZE, "%s", known ? names[number] : "");
    if (!known) {
        (void)snprintf(to, FC_ACL_NAME_SIZE, "%d", number);
    }
    return to;
}

const char *fc_acl_resource_name(int8_t resource, char *to)
{
    return name_of(RESOURCES, sizeof(RESOURCES) / sizeof(*RESOURCES), resource, to);
}

const char *fc_acl_pattern_name(int8_t pattern, char *to)
{
    return name_of(PATTERNS, sizeof(PATTERNS) / sizeof(*PATTERNS), pattern, to);
}

const char *fc_acl_operation_name(int8_t operation, char *to)
{
    return name_of(OPERATIONS, sizeof(OPERATIONS) / sizeof(*OPERATIONS), operation, to);
}

const char *fc_acl_permission_name(int8_t permission, char *to)
{
    return name_of(PERMISSIONS, sizeof(PERMISSIONS) / sizeof(*PERMISSIONS), permission, to);
}

/* --- reading the flags -------------------------------------------------------------------- */

/* "describe-configs", "DescribeConfigs" and "DESCRIBE_CONFIGS" are one. */
static bool same_word(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, "-_");
        b += strspn(b, "-_");
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) {
            return false;
        }
        if (*a == '\0') {
            return true;
        }
    }
}

static fc_code find_operation(const char *name, int8_t *out, struct fc_error *err)
{
    struct fc_suggest suggest;
    char hint[FC_SUGGEST_TEXT_SIZE];
    fc_suggest_init(&suggest, name);
    for (size_t index = FC_ACL_ALL; index < sizeof(OPERATIONS) / sizeof(*OPERATIONS); index++) {
        if (same_word(name, OPERATIONS[index])) {
            *out = (int8_t)index;
            return FC_OK;
        }
        fc_suggest_offer(&suggest, OPERATIONS[index]);
    }
    return fc_fail(err, FC_ERR_CONFIG, "unknown operation `%s`%s", name,
                   fc_suggest_text(&suggest, hint));
}

struct operations {
    int8_t items[OPERATIONS_MAX];
    size_t count;
};

static fc_code read_operations(const struct fc_flag_list *list, struct operations *operations,
                               struct fc_error *err)
{
    for (uint32_t index = 0; index < list->count; index++) {
        const char *at = list->items[index];
        while (*at != '\0') {
            char name[FC_ACL_NAME_SIZE];
            size_t len = strcspn(at, ",");
            (void)snprintf(name, sizeof(name), "%.*s", (int)len, at);
            if (operations->count == OPERATIONS_MAX) {
                return fc_fail(err, FC_ERR_CONFIG, "more than %d operations", OPERATIONS_MAX);
            }
            if (find_operation(name, &operations->items[operations->count], err) != FC_OK) {
                return err->code;
            }
            operations->count++;
            at += len + (at[len] == ',' ? 1 : 0);
        }
    }
    return FC_OK;
}

/* "User:ada" for each --user and --principal; one NULL when there is none. Owned. */
struct principals {
    char *items[2 * FC_FLAG_LIST_MAX];
    size_t count;
};

static void principals_release(struct principals *principals)
{
    for (size_t index = 0; index < principals->count; index++) {
        free(principals->items[index]);
    }
}

static fc_code read_principals(const struct fc_acl_flags *flags, struct principals *principals,
                               struct fc_error *err)
{
    for (uint32_t index = 0; index < flags->users.count; index++) {
        principals->items[principals->count++] =
            fc_asprintf("User:%s", flags->users.items[index]);
    }
    for (uint32_t index = 0; index < flags->principals.count; index++) {
        if (strchr(flags->principals.items[index], ':') == NULL) {
            return fc_fail(err, FC_ERR_CONFIG,
                           "--principal needs TYPE:NAME such as User:ada, not `%s`",
                           flags->principals.items[index]);
        }
        principals->items[principals->count++] = fc_strdup(flags->principals.items[index]);
    }
    return FC_OK;
}

struct resource {
    int8_t type;
    const char *name;
};

struct resources {
    struct resource items[RESOURCES_MAX];
    size_t count;
};

static void add_resources(struct resources *resources, fc_acl_resource type,
                          const struct fc_flag_list *names)
{
    for (uint32_t index = 0; index < names->count; index++) {
        fc_assert(resources->count < RESOURCES_MAX);
        resources->items[resources->count].type = (int8_t)type;
        resources->items[resources->count].name = names->items[index];
        resources->count++;
    }
}

static void read_resources(const struct fc_acl_flags *flags, struct resources *resources)
{
    add_resources(resources, FC_ACL_TOPIC, &flags->topics);
    add_resources(resources, FC_ACL_GROUP, &flags->groups);
    add_resources(resources, FC_ACL_TRANSACTIONAL_ID, &flags->transactional_ids);
    if (flags->cluster) {
        resources->items[resources->count].type = FC_ACL_CLUSTER;
        resources->items[resources->count].name = "kafka-cluster";
        resources->count++;
    }
}

/* --- making rules ------------------------------------------------------------------------- */

static void add_rule(struct fc_acl_rules *rules, const struct fc_acl_rule *rule,
                     const char *principal)
{
    rules->items = fc_realloc_array(rules->items, rules->count + 1, sizeof(*rules->items));
    rules->items[rules->count] = *rule;
    rules->items[rules->count].principal = principal == NULL ? NULL : fc_strdup(principal);
    rules->count++;
}

void fc_acl_rules_release(struct fc_acl_rules *rules)
{
    for (size_t index = 0; index < rules->count; index++) {
        free(rules->items[index].principal);
    }
    free(rules->items);
    memset(rules, 0, sizeof(*rules));
}

/* What a role may do with a kind of resource. */
static void role_operations(const char *role, int8_t resource, struct operations *operations)
{
    size_t count = 0;
    const struct fc_role_grant *grants = fc_role_grants(role, &count);
    operations->count = 0;
    for (size_t index = 0; index < count; index++) {
        if (grants[index].resource == resource) {
            operations->items[operations->count++] = grants[index].operation;
        }
    }
}

/* Who looks after all, or uses all: no names. */
static void all_resources(struct resources *resources)
{
    static const fc_acl_resource everything[] = { FC_ACL_TOPIC, FC_ACL_GROUP,
                                                  FC_ACL_TRANSACTIONAL_ID };
    for (size_t index = 0; index < 3; index++) {
        resources->items[index].type = (int8_t)everything[index];
        resources->items[index].name = "*";
    }
    resources->items[3].type = FC_ACL_CLUSTER;
    resources->items[3].name = "kafka-cluster";
    resources->count = 4;
}

static fc_code complete_role(const struct fc_acl_flags *flags, struct resources *resources,
                             struct fc_error *err)
{
    bool consumes = strcmp(flags->role, "consumer") == 0;
    size_t count = 0;
    if (fc_role_grants(flags->role, &count) == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "--role must be " FC_ROLE_NAMES ", not `%s`",
                       flags->role);
    }
    if (strcmp(flags->role, "admin") == 0 || strcmp(flags->role, "user") == 0) {
        if (resources->count > 0) {
            return fc_fail(err, FC_ERR_CONFIG, "--role %s is for everything: name nothing",
                           flags->role);
        }
        all_resources(resources);
        return FC_OK;
    }
    if (flags->topics.count == 0 || (consumes && flags->groups.count == 0)) {
        return fc_fail(err, FC_ERR_CONFIG, "--role %s needs --topic%s", flags->role,
                       consumes ? " and --group" : "");
    }
    for (size_t index = 0; index < resources->count; index++) {
        struct operations operations = { .count = 0 };
        char name[FC_ACL_NAME_SIZE];
        role_operations(flags->role, resources->items[index].type, &operations);
        if (operations.count == 0) {
            return fc_fail(err, FC_ERR_CONFIG, "a %s does nothing with a %s", flags->role,
                           fc_acl_resource_name(resources->items[index].type, name));
        }
    }
    return FC_OK;
}

/* Servers take any text for a host, and compare it with the address: a name or a network of
 * addresses would match nobody, which is no harm in an allowance and leaves a denial open. */
static bool is_host(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];
    return strcmp(text, "*") == 0 || inet_pton(AF_INET, text, address) == 1 ||
           inet_pton(AF_INET6, text, address) == 1;
}

static fc_code check_to_add(const struct fc_acl_flags *flags, struct fc_error *err)
{
    if (flags->users.count + flags->principals.count == 0) {
        return fc_fail(err, FC_ERR_CONFIG, "for whom? Give --user NAME (or '*' for everybody)");
    }
    if (flags->host != NULL && !is_host(flags->host)) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "--host needs an address such as 10.0.0.8, or '*', not `%s`",
                       flags->host);
    }
    if (flags->deny && flags->allow) {
        return fc_fail(err, FC_ERR_CONFIG, "--allow and --deny exclude each other");
    }
    if (flags->role != NULL && (flags->operations.count > 0 || flags->deny)) {
        return fc_fail(err, FC_ERR_CONFIG, "--role excludes --operation and --deny");
    }
    if (flags->role == NULL && flags->operations.count == 0) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "what may they do? Give --operation read,write,... or --role");
    }
    return FC_OK;
}

static fc_code multiply(const struct fc_acl_flags *flags, const struct principals *principals,
                        const struct resources *resources, struct operations *operations,
                        struct fc_acl_rules *rules, struct fc_error *err)
{
    for (size_t at = 0; at < resources->count; at++) {
        const struct resource *resource = &resources->items[at];
        bool prefix = flags->prefix && resource->type != FC_ACL_CLUSTER;
        struct fc_acl_rule rule = { .resource = resource->type,
                                    .pattern = prefix ? FC_ACL_PREFIXED : FC_ACL_LITERAL,
                                    .name = resource->name,
                                    .host = flags->host == NULL ? "*" : flags->host,
                                    .permission = flags->deny ? FC_ACL_DENY : FC_ACL_ALLOW };
        if (flags->role != NULL) {
            role_operations(flags->role, resource->type, operations);
        }
        for (size_t index = 0; index < operations->count * principals->count; index++) {
            rule.operation = operations->items[index % operations->count];
            if (rules->count == FC_ACL_RULES_MAX) {
                return fc_fail(err, FC_ERR_CONFIG, "more than %d rules at once",
                               FC_ACL_RULES_MAX);
            }
            add_rule(rules, &rule, principals->items[index / operations->count]);
        }
    }
    return FC_OK;
}

fc_code fc_acl_rules_to_add(const struct fc_acl_flags *flags, struct fc_acl_rules *out_rules,
                            struct fc_error *err)
{
    struct principals principals = { .count = 0 };
    struct operations operations = { .count = 0 };
    struct resources resources = { .count = 0 };
    struct fc_acl_rules rules = { 0 };
    fc_code code = check_to_add(flags, err);
    read_resources(flags, &resources);
    if (code == FC_OK) {
        code = read_principals(flags, &principals, err);
    }
    if (code == FC_OK) {
        code = flags->role != NULL ? complete_role(flags, &resources, err)
                                   : read_operations(&flags->operations, &operations, err);
    }
    if (code == FC_OK && resources.count == 0) {
        code = fc_fail(err, FC_ERR_CONFIG,
                       "on what? Give --topic, --group, --transactional-id or --on-cluster");
    }
    if (code == FC_OK) {
        code = multiply(flags, &principals, &resources, &operations, &rules, err);
    }
    principals_release(&principals);
    if (code != FC_OK) {
        fc_acl_rules_release(&rules);
        return code;
    }
    *out_rules = rules;
    return FC_OK;
}

fc_code fc_acl_rules_to_find(const struct fc_acl_flags *flags, bool match,
                             struct fc_acl_rules *out_rules, struct fc_error *err)
{
    struct principals principals = { .count = 0 };
    struct operations operations = { .count = 0 };
    struct resources resources = { .count = 0 };
    struct fc_acl_rules rules = { 0 };
    fc_code code = read_principals(flags, &principals, err);
    size_t count;
    if (code == FC_OK) {
        code = read_operations(&flags->operations, &operations, err);
    }
    if (code != FC_OK) {
        principals_release(&principals);
        return code;
    }
    read_resources(flags, &resources);
    count = (principals.count == 0 ? 1 : principals.count) *
            (operations.count == 0 ? 1 : operations.count) *
            (resources.count == 0 ? 1 : resources.count);
    for (size_t index = 0; index < count; index++) {
        size_t at = index;
        struct fc_acl_rule rule = { .resource = FC_ACL_ANY_RESOURCE,
                                    .pattern = FC_ACL_ANY_PATTERN,
                                    .host = flags->host,
                                    .operation = FC_ACL_ANY_OPERATION,
                                    .permission = flags->deny    ? FC_ACL_DENY
                                                  : flags->allow ? FC_ACL_ALLOW
                                                                 : FC_ACL_ANY_PERMISSION };
        if (resources.count > 0) {
            rule.resource = resources.items[at % resources.count].type;
            rule.name = resources.items[at % resources.count].name;
            rule.pattern = flags->prefix ? FC_ACL_PREFIXED
                           : match       ? FC_ACL_MATCH
                                         : FC_ACL_LITERAL;
            at /= resources.count;
        }
        if (operations.count > 0) {
            rule.operation = operations.items[at % operations.count];
            at /= operations.count;
        }
        add_rule(&rules, &rule, principals.count == 0 ? NULL : principals.items[at]);
    }
    principals_release(&principals);
    *out_rules = rules;
    return FC_OK;
}
