/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of partitions, as rows: leader, replicas, offsets. */
#ifndef FC_CLI_PARTITIONS_H
#define FC_CLI_PARTITIONS_H

#include "core/cli/cluster.h"
#include "core/cli/output.h"

/*
 * Append an object for each partition of the topic: topic, partition, leader, replicas, in_sync,
 * start, end, records. Offsets are null where they could not be had (no leader, not allowed).
 */
FC_MUST_CHECK fc_code fc_partitions_rows(struct fc_cluster *cluster,
                                         const struct rd_kafka_metadata_topic *topic,
                                         json_t *rows, struct fc_error *err);

/* Set "size" in each row from what DescribeLogDirs says; leaves them out where the server does
 * not tell. */
void fc_partitions_add_sizes(struct fc_cli *cli, struct fc_cluster *cluster, json_t *rows);

#endif
