/* SPDX-License-Identifier: Apache-2.0 */
/* The connector file's `log` block: a data directory of our own, or a Kafka cluster. */
#ifndef FC_RUNNER_CONFIG_LOG_H
#define FC_RUNNER_CONFIG_LOG_H

#include "core/base/yaml.h"
#include "core/stream/kafka.h"

struct fc_options;

struct fc_config_log {
    struct fc_options *embedded;
    const struct fc_yaml_node *kafka_block; /* NULL: embedded */
    /* The embedded log's; with a cluster, where the capture that runs here can be asked. */
    char *dir;
    char *listen_host; /* where Kafka clients can read the embedded log; NULL: nowhere */
    uint16_t listen_port;
    struct fc_kafka_property *kafka; /* once filled; borrows from the block */
    uint32_t kafka_count;
    int replication_factor;
    const char *in_clear; /* a password's property that no secret filled; NULL: none */
};

/* What does not depend on secrets. base_dir: the file's. map: NULL when there is no block. */
FC_MUST_CHECK fc_code fc_config_log_read(const char *path, const char *base_dir,
                                         const char *name, const struct fc_yaml_node *map,
                                         struct fc_config_log *out_log, struct fc_error *err);

/* The cluster's properties, once secrets are filled in (or not to be: their values are not
 * looked at then). */
FC_MUST_CHECK fc_code fc_config_log_fill(const char *path, struct fc_config_log *log,
                                         bool without_secrets, struct fc_error *err);

void fc_config_log_release(struct fc_config_log *log);

#endif
