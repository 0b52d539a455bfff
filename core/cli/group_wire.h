/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of every protocol, as their coordinators tell: librdkafka knows those of consumers only. */
#ifndef FC_CLI_GROUP_WIRE_H
#define FC_CLI_GROUP_WIRE_H

#include "core/cli/cluster.h"
#include "core/cli/output.h"

/*
 * Append an object for each group, as fc_groups_describe says; names NULL: for all that there are,
 * by name.
 *
 * Errors: FC_ERR_CONFIG (a connection of our own cannot log in so), of a connection, FC_ERR_REJECTED
 * (not allowed).
 */
FC_MUST_CHECK fc_code fc_group_wire(struct fc_cluster *cluster, const char *const *names,
                                    size_t count, json_t *groups, struct fc_error *err);

#endif
