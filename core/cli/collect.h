/* SPDX-License-Identifier: Apache-2.0 */
/* What commands show, as trees: for `cluster diagnostics`, which shows all of it. */
#ifndef FC_CLI_COLLECT_H
#define FC_CLI_COLLECT_H

#include "core/cli/cluster.h"
#include "core/cli/output.h"

/* Append the topic's settings, by default or not: name, value, source. out_told: false when this user may
 * not read them. */
FC_MUST_CHECK fc_code fc_collect_settings(struct fc_cluster *cluster, const char *topic,
                                          json_t *settings, bool *out_told,
                                          struct fc_error *err);
/* Append the topic: partitions, settings (null: not told). FC_ERR_NOT_FOUND. */
FC_MUST_CHECK fc_code fc_collect_topic(struct fc_cluster *cluster,
                                       const struct rd_kafka_metadata *metadata,
                                       const char *name, json_t *topics, struct fc_error *err);
/* Add its offsets and lag to a group of fc_groups_describe. FC_ERR_NOT_FOUND. */
FC_MUST_CHECK fc_code fc_collect_offsets(struct fc_cluster *cluster, json_t *group,
                                         struct fc_error *err);
/* Servers, numbers of topics and partitions. */
FC_MUST_CHECK fc_code fc_collect_status(struct fc_cluster *cluster, json_t *status,
                                        struct fc_error *err);

#endif
