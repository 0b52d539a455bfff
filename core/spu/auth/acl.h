/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access control lists: who may do what with which resource. The numbers are Kafka's.
 *
 * Nothing is allowed that no entry allows; what an entry denies is denied whatever others allow.
 * A set never changes once it is made: it is replaced.
 */
#ifndef FC_SPU_AUTH_ACL_H
#define FC_SPU_AUTH_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/slice.h"

typedef enum fc_operation {
    FC_OPERATION_ANY = 1,
    FC_OPERATION_ALL = 2,
    FC_OPERATION_READ = 3,
    FC_OPERATION_WRITE = 4,
    FC_OPERATION_CREATE = 5,
    FC_OPERATION_DELETE = 6,
    FC_OPERATION_ALTER = 7,
    FC_OPERATION_DESCRIBE = 8,
    FC_OPERATION_CLUSTER_ACTION = 9,
    FC_OPERATION_DESCRIBE_CONFIGS = 10,
    FC_OPERATION_ALTER_CONFIGS = 11,
    FC_OPERATION_IDEMPOTENT_WRITE = 12,
    FC_OPERATION_CREATE_TOKENS = 13,
    FC_OPERATION_DESCRIBE_TOKENS = 14
} fc_operation;

typedef enum fc_resource {
    FC_RESOURCE_ANY = 1,
    FC_RESOURCE_TOPIC = 2,
    FC_RESOURCE_GROUP = 3,
    FC_RESOURCE_CLUSTER = 4,
    FC_RESOURCE_TRANSACTIONAL_ID = 5,
    FC_RESOURCE_DELEGATION_TOKEN = 6,
    FC_RESOURCE_USER = 7
} fc_resource;

typedef enum fc_pattern {
    FC_PATTERN_ANY = 1,   /* in filters: whatever it is */
    FC_PATTERN_MATCH = 2, /* in filters: whatever applies to the name */
    FC_PATTERN_LITERAL = 3,
    FC_PATTERN_PREFIXED = 4
} fc_pattern;

typedef enum fc_permission {
    FC_PERMISSION_ANY = 1, /* in filters */
    FC_PERMISSION_DENY = 2,
    FC_PERMISSION_ALLOW = 3
} fc_permission;

enum { FC_ACL_NAME_MAX = 512, FC_ACL_PRINCIPAL_MAX = 512, FC_ACL_HOST_MAX = 64 }; /* bytes */

/* The only cluster there is to name. */
#define FC_ACL_CLUSTER "kafka-cluster"

/* One entry; texts are not NUL-terminated and borrowed. */
struct fc_acl {
    fc_resource resource;
    fc_pattern pattern;        /* LITERAL or PREFIXED */
    struct fc_slice name;      /* "*", literal: all names */
    struct fc_slice principal; /* "User:alice"; "User:*": all */
    struct fc_slice host;      /* an address; "*": all */
    fc_operation operation;    /* ALL: all of them */
    fc_permission permission;  /* DENY or ALLOW */
};

struct fc_acls;

/* Copies. */
struct fc_acls *fc_acls_new(const struct fc_acl *items, size_t count);
void fc_acls_free(struct fc_acls *acls); /* NULL is fine */

size_t fc_acls_count(const struct fc_acls *acls);
const struct fc_acl *fc_acls_at(const struct fc_acls *acls, size_t index);

/* Who asks, and from where. */
struct fc_acl_caller {
    struct fc_slice principal;
    struct fc_slice host;
};

bool fc_acls_allow(const struct fc_acls *acls, const struct fc_acl_caller *caller,
                   fc_operation operation, fc_resource resource, struct fc_slice name);

/* Whether there may be a resource of this kind that the caller may do it with: an entry allows
 * it, and no other denies all that this one allows. */
bool fc_acls_allow_some(const struct fc_acls *acls, const struct fc_acl_caller *caller,
                        fc_operation operation, fc_resource resource);

/* Null texts stand for any. */
struct fc_acl_filter {
    fc_resource resource; /* or ANY */
    fc_pattern pattern;   /* or ANY, MATCH */
    struct fc_slice name;
    struct fc_slice principal;
    struct fc_slice host;
    fc_operation operation;   /* or ANY */
    fc_permission permission; /* or ANY */
};

bool fc_acl_fits(const struct fc_acl *acl, const struct fc_acl_filter *filter);

/* Whether there can be such an operation with such a resource; ALL always. */
bool fc_acl_operation_is_for(fc_operation operation, fc_resource resource);

/* "WRITE", "TOPIC", "PREFIXED", "DENY"; NULL for what is not in an entry. */
const char *fc_operation_name(int operation);
const char *fc_resource_name(int resource);
const char *fc_pattern_name(int pattern);
const char *fc_permission_name(int permission);
/* And back; 0: no such name. */
int fc_operation_of(struct fc_slice name);
int fc_resource_of(struct fc_slice name);
int fc_pattern_of(struct fc_slice name);
int fc_permission_of(struct fc_slice name);

#endif
