/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/roles.h"

#include <assert.h>
#include <string.h>

enum { TOPIC = 2, GROUP = 3, CLUSTER = 4, TRANSACTIONAL_ID = 5 };

enum {
    ALL = 2,
    READ = 3,
    WRITE = 4,
    DESCRIBE = 8,
    DESCRIBE_CONFIGS = 10,
    IDEMPOTENT_WRITE = 12
};

static const struct fc_role_grant ADMIN[] = {
    { TOPIC, ALL },
    { GROUP, ALL },
    { TRANSACTIONAL_ID, ALL },
    { CLUSTER, ALL },
};

static const struct fc_role_grant PRODUCER[] = {
    { TOPIC, WRITE },
    { TOPIC, DESCRIBE },
    { TRANSACTIONAL_ID, WRITE },
    { TRANSACTIONAL_ID, DESCRIBE },
    { CLUSTER, IDEMPOTENT_WRITE },
};

static const struct fc_role_grant CONSUMER[] = {
    { TOPIC, READ },
    { TOPIC, DESCRIBE },
    { GROUP, READ },
    { GROUP, DESCRIBE },
};

/* Read and Write let describe. */
static const struct fc_role_grant USER[] = {
    { TOPIC, READ },
    { TOPIC, WRITE },
    { TOPIC, DESCRIBE_CONFIGS },
    { GROUP, READ },
    { TRANSACTIONAL_ID, WRITE },
    { CLUSTER, IDEMPOTENT_WRITE },
};

static_assert(sizeof(USER) / sizeof(USER[0]) <= FC_ROLE_GRANTS_MAX, "no role has more");

static const struct {
    const char *name;
    const struct fc_role_grant *grants;
    size_t count;
} ROLES[] = {
    { "admin", ADMIN, sizeof(ADMIN) / sizeof(ADMIN[0]) },
    { "user", USER, sizeof(USER) / sizeof(USER[0]) },
    { "producer", PRODUCER, sizeof(PRODUCER) / sizeof(PRODUCER[0]) },
    { "consumer", CONSUMER, sizeof(CONSUMER) / sizeof(CONSUMER[0]) },
};

const struct fc_role_grant *fc_role_grants(const char *role, size_t *out_count)
{
    for (size_t index = 0; index < sizeof(ROLES) / sizeof(ROLES[0]); index++) {
        if (strcmp(role, ROLES[index].name) == 0) {
            *out_count = ROLES[index].count;
            return ROLES[index].grants;
        }
    }
    return NULL;
}
