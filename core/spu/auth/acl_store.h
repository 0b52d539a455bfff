/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACLs in the store: a key for each entry, "acls/TOPIC/LITERAL/name/User:alice/host/READ/ALLOW",
 * with nothing as its value.
 */
#ifndef FC_SPU_AUTH_ACL_STORE_H
#define FC_SPU_AUTH_ACL_STORE_H

#include "catalog/store.h"
#include "core/spu/auth/acl.h"

#define FC_ACL_STORE_PREFIX "acls/"

void fc_acl_key_append(struct fc_buf *to, const struct fc_acl *acl);

/* All that the store has, as of out_revision. Errors: FC_ERR_CORRUPT (a key that is no entry). */
FC_MUST_CHECK fc_code fc_acls_load(struct fc_store *store, struct fc_acls **out_acls,
                                   int64_t *out_revision, struct fc_error *err);

#endif
