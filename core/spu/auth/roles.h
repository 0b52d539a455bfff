/* SPDX-License-Identifier: Apache-2.0 */
/* Roles (core/base/roles.h) as ACLs for all topics, groups and transactional ids. */
#ifndef FC_SPU_AUTH_ROLES_H
#define FC_SPU_AUTH_ROLES_H

#include "core/base/roles.h"
#include "core/spu/auth/acl.h"

enum { FC_ROLE_ACLS_MAX = FC_ROLE_GRANTS_MAX };

/* The role's entries for the principal, which they borrow; the number of them, 0 when there is no
 * such role. */
size_t fc_role_acls(const char *role, struct fc_slice principal,
                    struct fc_acl out_acls[FC_ROLE_ACLS_MAX]);

#endif
