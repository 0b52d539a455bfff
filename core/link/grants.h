/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a user may do in a cluster, asked without doing anything: over a connection of our own, as
 * librdkafka gives the operations that are allowed from 2.3 on only.
 *
 * Of a topic the cluster tells all that is allowed (KIP-430). Of a transactional id it tells
 * nothing: there DESCRIBE is asked by DescribeTransactions, and WRITE by the end of a transaction
 * of a producer id that no cluster gives, which every broker refuses, for one reason or the other.
 * Of a group its coordinator would tell; any broker refuses before it looks for the group, so
 * DESCRIBE is asked by DescribeGroups, and READ by the heartbeat of a member that no group has.
 *
 * Thread: one at a time.
 */
#ifndef FC_LINK_GRANTS_H
#define FC_LINK_GRANTS_H

#include <stdint.h>

#include "core/base/error.h"
#include "core/link/link_settings.h"

enum { /* Kafka's bits */
       FC_GRANT_READ = 1 << 3,
       FC_GRANT_WRITE = 1 << 4,
       FC_GRANT_CREATE = 1 << 5,
       FC_GRANT_ALTER = 1 << 7,
       FC_GRANT_DESCRIBE = 1 << 8,
       FC_GRANT_DESCRIBE_CONFIGS = 1 << 10,
       FC_GRANT_ALTER_CONFIGS = 1 << 11
};

struct fc_grants;

/* What the settings borrow outlives it. Errors: of a connection (wire_client.h). */
FC_MUST_CHECK fc_code fc_grants_open(const struct fc_link_settings *settings, int timeout_ms,
                                     struct fc_grants **out_grants, struct fc_error *err);
void fc_grants_close(struct fc_grants *grants); /* NULL is fine */

struct fc_topic_grants {
    const char *name; /* set by the caller */
    bool there;
    bool told;           /* false: what is allowed is not known */
    unsigned operations; /* FC_GRANT_*; of a topic that may not be described: none */
    uint32_t partitions;
};

/* Fill in what the user may do with each topic. Errors: of a connection; FC_ERR_PROTOCOL when
 * the cluster does not tell (before Kafka 2.3). */
FC_MUST_CHECK fc_code fc_grants_topics(struct fc_grants *grants, struct fc_topic_grants *topics,
                                       size_t count, struct fc_error *err);

/* Which of WRITE and DESCRIBE the user may not. Errors: of a connection; FC_ERR_PROTOCOL when
 * the cluster cannot be asked (before Kafka 3.0). */
FC_MUST_CHECK fc_code fc_grants_transactional_id(struct fc_grants *grants, const char *id,
                                                 unsigned *out_missing, struct fc_error *err);

/* Which of `wanted`, READ and DESCRIBE, the user may not with a group, there or not. Errors: of a
 * connection. */
FC_MUST_CHECK fc_code fc_grants_group(struct fc_grants *grants, const char *group,
                                      unsigned wanted, unsigned *out_missing,
                                      struct fc_error *err);

enum { FC_GRANTS_TEXT_SIZE = 512 };

/* "READ and WRITE" */
const char *fc_grants_names(unsigned operations, char to[FC_GRANTS_TEXT_SIZE]);

/* "User:ada may not READ and WRITE on the topic orders" */
const char *fc_grants_missing(const struct fc_link_settings *settings, const char *kind,
                              const char *name, unsigned operations,
                              char to[FC_GRANTS_TEXT_SIZE]);

/* The command that allows it. flag: "--topic", "--group" or "--transactional-id". */
const char *fc_grants_command(const struct fc_link_settings *settings, const char *flag,
                              const char *name, unsigned operations,
                              char to[FC_GRANTS_TEXT_SIZE]);
/* The same for all whose names begin so. */
const char *fc_grants_prefix_command(const struct fc_link_settings *settings, const char *flag,
                                     const char *prefix, unsigned operations,
                                     char to[FC_GRANTS_TEXT_SIZE]);

/* For whom, as far as the settings say it: "User:ada". */
const char *fc_grants_principal(const struct fc_link_settings *settings,
                                char to[FC_GRANTS_TEXT_SIZE]);

#endif
