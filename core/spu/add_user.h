/* SPDX-License-Identifier: Apache-2.0 */
/* The first users of a node: made in its data directory while it does not run. */
#ifndef FC_SPU_ADD_USER_H
#define FC_SPU_ADD_USER_H

#include "core/base/diag.h"
#include "core/spu/spu_file.h"

/*
 * Make the user, or give it another password, which is the first line of stdin (asked for without
 * echo when that is a terminal); with a role (may be NULL), give it the role's ACLs, too.
 *
 * Errors: FC_ERR_REFUSED (the node runs), FC_ERR_CONFIG (name, password or role), and of the
 * store.
 */
FC_MUST_CHECK fc_code fc_spu_add_user(const struct fc_spu_file *file, const char *name,
                                      const char *role, struct fc_error *err);

#endif
