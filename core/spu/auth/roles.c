/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/auth/roles.h"

size_t fc_role_acls(const char *role, struct fc_slice principal,
                    struct fc_acl out_acls[FC_ROLE_ACLS_MAX])
{
    size_t count = 0;
    const struct fc_role_grant *grants = fc_role_grants(role, &count);
    for (size_t index = 0; index < count; index++) {
        const struct fc_role_grant *grant = &grants[index];
        struct fc_acl *acl = &out_acls[index];
        acl->resource = (fc_resource)grant->resource;
        acl->pattern = FC_PATTERN_LITERAL;
        acl->name = fc_slice_text(acl->resource == FC_RESOURCE_CLUSTER ? FC_ACL_CLUSTER : "*");
        acl->principal = principal;
        acl->host = fc_slice_text("*");
        acl->operation = (fc_operation)grant->operation;
        acl->permission = FC_PERMISSION_ALLOW;
    }
    return count;
}
