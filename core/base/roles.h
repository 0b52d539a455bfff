/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roles: what who has one may do, as operations on kinds of resources, in Kafka's numbers. The same
 * for `fluvio-spu --add-user --role` and `fluvio acl add --role`; which topics and groups it is
 * about, they say: all of them, or those that are named.
 *
 *   admin      everything
 *   producer   write to topics, in transactions, too
 *   consumer   read topics, in groups
 *   user       both, and see topics' settings; make or change nothing
 */
#ifndef FC_BASE_ROLES_H
#define FC_BASE_ROLES_H

#include <stddef.h>
#include <stdint.h>

struct fc_role_grant {
    int8_t resource;
    int8_t operation;
};

#define FC_ROLE_NAMES "admin, user, producer or consumer"

enum { FC_ROLE_GRANTS_MAX = 8 };

/* NULL when there is no such role. */
const struct fc_role_grant *fc_role_grants(const char *role, size_t *out_count);

#endif
