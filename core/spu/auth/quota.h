/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotas: how much users, clients and addresses may have each second. An entity is a user, a
 * client id, both, or an address, each by name or as the default of those without a quota of
 * their own; the most specific one that sets a quota counts, in Kafka's order.
 *
 * In the store a key for each entity ("quotas/users/alice/clients/app", "quotas/ips/10.0.0.8",
 * "<default>" for a default), and as value a line for each quota ("producer_byte_rate=1048576").
 *
 * A set never changes once it is made: it is replaced.
 */
#ifndef FC_SPU_AUTH_QUOTA_H
#define FC_SPU_AUTH_QUOTA_H

#include "catalog/store.h"

#define FC_QUOTA_PREFIX "quotas/"

typedef enum fc_quota {
    FC_QUOTA_PRODUCE, /* producer_byte_rate: bytes a second */
    FC_QUOTA_CONSUME, /* consumer_byte_rate */
    FC_QUOTA_REQUEST, /* request_percentage: of the time of one thread */
    FC_QUOTA_MUTATE,  /* controller_mutation_rate: partitions made and removed a second */
    FC_QUOTA_CONNECT, /* connection_creation_rate: connections a second, of an address */
    FC_QUOTA_COUNT
} fc_quota;

const char *fc_quota_name(fc_quota quota);
fc_quota fc_quota_of(struct fc_slice name); /* FC_QUOTA_COUNT: no such quota */

/* The one way in which an address is written here; false when it is none. */
enum { FC_QUOTA_IP_SIZE = 46 };
FC_MUST_CHECK bool fc_quota_ip(struct fc_slice text, char to[FC_QUOTA_IP_SIZE]);

typedef enum fc_quota_part_kind {
    FC_QUOTA_ABSENT,
    FC_QUOTA_DEFAULT,
    FC_QUOTA_NAMED
} fc_quota_part_kind;

struct fc_quota_part {
    fc_quota_part_kind kind;
    struct fc_slice name; /* of a NAMED one */
};

/* Not all ABSENT; an address stands alone. */
struct fc_quota_entity {
    struct fc_quota_part user;
    struct fc_quota_part client;
    struct fc_quota_part ip;
};

struct fc_quota_values {
    bool set[FC_QUOTA_COUNT];
    double value[FC_QUOTA_COUNT];
};

void fc_quota_key_append(struct fc_buf *to, const struct fc_quota_entity *entity);

/* Nothing set: nothing appended. */
void fc_quota_value_append(struct fc_buf *to, const struct fc_quota_values *values);
bool fc_quota_value_decode(struct fc_slice text, struct fc_quota_values *out_values);

/* --- a set --- */

struct fc_quotas_set;

/* All that the store has, as of out_revision. Errors: FC_ERR_CORRUPT. */
FC_MUST_CHECK fc_code fc_quotas_load(struct fc_store *store, struct fc_quotas_set **out_set,
                                     int64_t *out_revision, struct fc_error *err);
void fc_quotas_set_free(struct fc_quotas_set *set); /* NULL is fine */

size_t fc_quotas_count(const struct fc_quotas_set *set);
const struct fc_quota_entity *fc_quotas_at(const struct fc_quotas_set *set, size_t index,
                                           const struct fc_quota_values **out_values);

/* Whether any entity sets it. */
bool fc_quotas_has(const struct fc_quotas_set *set, fc_quota quota);

/*
 * What a user's client may have. out_shared: who shares it: the parts of the entity that are not
 * ABSENT are the user's and client's own. False: no limit.
 */
bool fc_quotas_find(const struct fc_quotas_set *set, fc_quota quota, struct fc_slice user,
                    struct fc_slice client, double *out_limit,
                    struct fc_quota_entity *out_shared);

/* The same for connections of an address. */
bool fc_quotas_find_ip(const struct fc_quotas_set *set, struct fc_slice ip, double *out_limit,
                       struct fc_quota_entity *out_shared);

#endif
