/* SPDX-License-Identifier: Apache-2.0 */
/* Access rules: Kafka's numbers by name, and the rules that flags stand for. */
#ifndef FC_CLI_ACL_RULE_H
#define FC_CLI_ACL_RULE_H

#include "core/base/error.h"
#include "core/base/flags.h"

/* Kafka's numbers. */
typedef enum fc_acl_resource {
    FC_ACL_ANY_RESOURCE = 1,
    FC_ACL_TOPIC = 2,
    FC_ACL_GROUP = 3,
    FC_ACL_CLUSTER = 4,
    FC_ACL_TRANSACTIONAL_ID = 5
} fc_acl_resource;

typedef enum fc_acl_pattern {
    FC_ACL_ANY_PATTERN = 1,
    FC_ACL_MATCH = 2, /* whatever applies to the name */
    FC_ACL_LITERAL = 3,
    FC_ACL_PREFIXED = 4
} fc_acl_pattern;

enum {
    FC_ACL_ANY_OPERATION = 1,
    FC_ACL_ALL = 2,
    FC_ACL_READ = 3,
    FC_ACL_WRITE = 4,
    FC_ACL_DESCRIBE = 8,
    FC_ACL_IDEMPOTENT_WRITE = 12,
    FC_ACL_ANY_PERMISSION = 1,
    FC_ACL_DENY = 2,
    FC_ACL_ALLOW = 3,
    FC_ACL_RULES_MAX = 2000
};

/* As a filter, NULL and the ANY values leave open. Texts are borrowed from the flags. */
struct fc_acl_rule {
    int8_t resource;
    int8_t pattern;
    const char *name;
    char *principal; /* "User:ada"; owned */
    const char *host;
    int8_t operation;
    int8_t permission;
};

struct fc_acl_rules {
    struct fc_acl_rule *items;
    size_t count;
};

/* The flags of `acl add`, `acl list` and `acl delete`. */
struct fc_acl_flags {
    struct fc_flag_list users;
    struct fc_flag_list principals;
    struct fc_flag_list topics;
    struct fc_flag_list groups;
    struct fc_flag_list transactional_ids;
    bool cluster;
    bool prefix;
    struct fc_flag_list operations; /* each may be a list parted by commas */
    const char *host;
    bool deny;
    bool allow;
    const char *role;
};

/* What `acl add` is to create: every principal with every resource and operation. FC_ERR_CONFIG. */
FC_MUST_CHECK fc_code fc_acl_rules_to_add(const struct fc_acl_flags *flags,
                                          struct fc_acl_rules *out_rules, struct fc_error *err);
/* Filters; one that leaves everything open when no flag is given. `match`: a name means all
 * that applies to it. */
FC_MUST_CHECK fc_code fc_acl_rules_to_find(const struct fc_acl_flags *flags, bool match,
                                           struct fc_acl_rules *out_rules,
                                           struct fc_error *err);
void fc_acl_rules_release(struct fc_acl_rules *rules);

/* "topic", "read", ...; "7" for a number that has no name here. */
enum { FC_ACL_NAME_SIZE = 24 };
const char *fc_acl_resource_name(int8_t resource, char *to);
const char *fc_acl_pattern_name(int8_t pattern, char *to);
const char *fc_acl_operation_name(int8_t operation, char *to);
const char *fc_acl_permission_name(int8_t permission, char *to);

#endif
