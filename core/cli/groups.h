/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of consumer groups: members, committed offsets, lag. */
#ifndef FC_CLI_GROUPS_H
#define FC_CLI_GROUPS_H

#include "core/cli/cluster.h"
#include "core/cli/output.h"

/* "Stable", "Empty", ...; a group without state is "Dead" to Kafka. */
bool fc_group_is_active(const char *state);

/*
 * Append an object for each group: group, type (of its protocol: "consumer", "connect", ...; null: nobody
 * was ever in it), state, protocol (what it agreed on: "range"), coordinator, members (null: not told; each:
 * member, instance, client, host, partitions: [{topic, partition}]). names NULL: all groups. One that does
 * not exist is "Dead".
 */
FC_MUST_CHECK fc_code fc_groups_describe(struct fc_cluster *cluster, const char **names,
                                         size_t count, json_t *groups, struct fc_error *err);

/* Whether to ask again, after a moment: err says that the group's coordinator is loading or has moved, and
 * until_ms (of the steady clock) is still to come. */
FC_MUST_CHECK bool fc_groups_again(struct fc_cluster *cluster, const struct fc_error *err,
                                   int64_t until_ms);

/* What the group has committed; to be destroyed. Entries without an offset have -1001. */
FC_MUST_CHECK fc_code fc_groups_committed(struct fc_cluster *cluster, const char *group,
                                          rd_kafka_topic_partition_list_t **out_list,
                                          struct fc_error *err);

/* First and next offsets of the same partitions, in copies of the list; to be destroyed. */
FC_MUST_CHECK fc_code fc_groups_bounds(struct fc_cluster *cluster,
                                       const rd_kafka_topic_partition_list_t *list,
                                       rd_kafka_topic_partition_list_t **out_first,
                                       rd_kafka_topic_partition_list_t **out_next,
                                       struct fc_error *err);

#endif
