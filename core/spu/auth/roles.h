/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roles: sets of ACLs that are ready to be given to a principal.
 *
 *   admin   everything
 *   user    read, write and describe all topics, be in all groups, write transactions; make or
 *           change nothing
 */
#ifndef FC_SPU_AUTH_ROLES_H
#define FC_SPU_AUTH_ROLES_H

#include "core/spu/auth/acl.h"

enum { FC_ROLE_ACLS_MAX = 16 };

/* The role's entries for the principal, which they borrow; the number of them, 0 when there is no
 * such role. */
size_t fc_role_acls(const char *role, struct fc_slice principal,
                    struct fc_acl out_acls[FC_ROLE_ACLS_MAX]);

#endif
