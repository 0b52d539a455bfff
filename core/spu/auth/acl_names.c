/* SPDX-License-Identifier: Apache-2.0 */
/* The names of what stands in entries, and which of it goes together. */
#include "core/spu/auth/acl.h"

static const char *const OPERATIONS[] = {
    [FC_OPERATION_ALL] = "ALL",
    [FC_OPERATION_READ] = "READ",
    [FC_OPERATION_WRITE] = "WRITE",
    [FC_OPERATION_CREATE] = "CREATE",
    [FC_OPERATION_DELETE] = "DELETE",
    [FC_OPERATION_ALTER] = "ALTER",
    [FC_OPERATION_DESCRIBE] = "DESCRIBE",
    [FC_OPERATION_CLUSTER_ACTION] = "CLUSTER_ACTION",
    [FC_OPERATION_DESCRIBE_CONFIGS] = "DESCRIBE_CONFIGS",
    [FC_OPERATION_ALTER_CONFIGS] = "ALTER_CONFIGS",
    [FC_OPERATION_IDEMPOTENT_WRITE] = "IDEMPOTENT_WRITE",
    [FC_OPERATION_CREATE_TOKENS] = "CREATE_TOKENS",
    [FC_OPERATION_DESCRIBE_TOKENS] = "DESCRIBE_TOKENS",
};
static const char *const RESOURCES[] = {
    [FC_RESOURCE_TOPIC] = "TOPIC",     [FC_RESOURCE_GROUP] = "GROUP",
    [FC_RESOURCE_CLUSTER] = "CLUSTER", [FC_RESOURCE_TRANSACTIONAL_ID] = "TRANSACTIONAL_ID",
    [FC_RESOURCE_USER] = "USER",
};
static const char *const PATTERNS[] = {
    [FC_PATTERN_LITERAL] = "LITERAL",
    [FC_PATTERN_PREFIXED] = "PREFIXED",
};
static const char *const PERMISSIONS[] = {
    [FC_PERMISSION_DENY] = "DENY",
    [FC_PERMISSION_ALLOW] = "ALLOW",
};

#define COUNT(names) ((int)(sizeof(names) / sizeof((names)[0])))

static const char *name_in(const char *const *names, int count, int number)
{
    return number >= 0 && number < count ? names[number] : NULL;
}

static int number_in(const char *const *names, int count, struct fc_slice name)
{
    for (int number = 0; number < count; number++) {
        if (names[number] != NULL && fc_slice_equal_text(name, names[number])) {
            return number;
        }
    }
    return 0;
}

const char *fc_operation_name(int operation)
{
    return name_in(OPERATIONS, COUNT(OPERATIONS), operation);
}

const char *fc_resource_name(int resource)
{
    return name_in(RESOURCES, COUNT(RESOURCES), resource);
}

const char *fc_pattern_name(int pattern)
{
    return name_in(PATTERNS, COUNT(PATTERNS), pattern);
}

const char *fc_permission_name(int permission)
{
    return name_in(PERMISSIONS, COUNT(PERMISSIONS), permission);
}

int fc_operation_of(struct fc_slice name)
{
    return number_in(OPERATIONS, COUNT(OPERATIONS), name);
}

int fc_resource_of(struct fc_slice name)
{
    return number_in(RESOURCES, COUNT(RESOURCES), name);
}

int fc_pattern_of(struct fc_slice name)
{
    return number_in(PATTERNS, COUNT(PATTERNS), name);
}

int fc_permission_of(struct fc_slice name)
{
    return number_in(PERMISSIONS, COUNT(PERMISSIONS), name);
}

/* Bit n: operation n. */
static uint32_t operations_for(fc_resource resource)
{
    switch (resource) {
    case FC_RESOURCE_TOPIC:
        return 1U << FC_OPERATION_READ | 1U << FC_OPERATION_WRITE | 1U << FC_OPERATION_CREATE |
               1U << FC_OPERATION_DELETE | 1U << FC_OPERATION_ALTER |
               1U << FC_OPERATION_DESCRIBE | 1U << FC_OPERATION_DESCRIBE_CONFIGS |
               1U << FC_OPERATION_ALTER_CONFIGS;
    case FC_RESOURCE_GROUP:
        return 1U << FC_OPERATION_READ | 1U << FC_OPERATION_DELETE |
               1U << FC_OPERATION_DESCRIBE | 1U << FC_OPERATION_DESCRIBE_CONFIGS |
               1U << FC_OPERATION_ALTER_CONFIGS;
    case FC_RESOURCE_CLUSTER:
        return 1U << FC_OPERATION_CREATE | 1U << FC_OPERATION_ALTER |
               1U << FC_OPERATION_DESCRIBE | 1U << FC_OPERATION_CLUSTER_ACTION |
               1U << FC_OPERATION_DESCRIBE_CONFIGS | 1U << FC_OPERATION_ALTER_CONFIGS |
               1U << FC_OPERATION_IDEMPOTENT_WRITE;
    case FC_RESOURCE_TRANSACTIONAL_ID:
        return 1U << FC_OPERATION_WRITE | 1U << FC_OPERATION_DESCRIBE;
    case FC_RESOURCE_USER:
        return 1U << FC_OPERATION_CREATE_TOKENS | 1U << FC_OPERATION_DESCRIBE_TOKENS;
    case FC_RESOURCE_ANY:
    case FC_RESOURCE_DELEGATION_TOKEN:
        break;
    }
    return 0;
}

bool fc_acl_operation_is_for(fc_operation operation, fc_resource resource)
{
    return operation == FC_OPERATION_ALL ||
           (operation > FC_OPERATION_ALL && operation <= FC_OPERATION_DESCRIBE_TOKENS &&
            (operations_for(resource) & 1U << operation) != 0);
}
