/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/auth/roles.h"

struct grant {
    const char *role;
    fc_resource resource;
    fc_operation operation;
};

static const struct grant GRANTS[] = {
    { "admin", FC_RESOURCE_TOPIC, FC_OPERATION_ALL },
    { "admin", FC_RESOURCE_GROUP, FC_OPERATION_ALL },
    { "admin", FC_RESOURCE_CLUSTER, FC_OPERATION_ALL },
    { "admin", FC_RESOURCE_TRANSACTIONAL_ID, FC_OPERATION_ALL },
    { "admin", FC_RESOURCE_USER, FC_OPERATION_ALL },
    { "user", FC_RESOURCE_TOPIC, FC_OPERATION_READ },
    { "user", FC_RESOURCE_TOPIC, FC_OPERATION_WRITE },
    { "user", FC_RESOURCE_TOPIC, FC_OPERATION_DESCRIBE_CONFIGS },
    { "user", FC_RESOURCE_GROUP, FC_OPERATION_READ },
    { "user", FC_RESOURCE_TRANSACTIONAL_ID, FC_OPERATION_WRITE },
    { "user", FC_RESOURCE_CLUSTER, FC_OPERATION_IDEMPOTENT_WRITE },
};

size_t fc_role_acls(const char *role, struct fc_slice principal,
                    struct fc_acl out_acls[FC_ROLE_ACLS_MAX])
{
    size_t count = 0;
    for (size_t index = 0; index < sizeof(GRANTS) / sizeof(GRANTS[0]); index++) {
        const struct grant *grant = &GRANTS[index];
        struct fc_acl *acl = &out_acls[count];
        if (strcmp(grant->role, role) != 0) {
            continue;
        }
        acl->resource = grant->resource;
        acl->pattern = FC_PATTERN_LITERAL;
        acl->name =
            fc_slice_text(grant->resource == FC_RESOURCE_CLUSTER ? FC_ACL_CLUSTER : "*");
        acl->principal = principal;
        acl->host = fc_slice_text("*");
        acl->operation = grant->operation;
        acl->permission = FC_PERMISSION_ALLOW;
        count++;
    }
    return count;
}
