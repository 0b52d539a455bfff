/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to a cluster by librdkafka, made from the settings, and its errors in words that
 * name cause and fix.
 */
#ifndef FC_CLI_CLUSTER_H
#define FC_CLI_CLUSTER_H

#include <librdkafka/rdkafka.h>

#include "core/cli/settings.h"

struct fc_cluster {
    struct fc_cli *cli;
    struct fc_settings settings;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue; /* answers of the Admin API */
    int timeout_ms;
    bool verbose;
    /* What librdkafka said of its connections; set while it is polled, by the same thread. */
    rd_kafka_resp_err_t last_code;
    bool all_down;
    char last_reason[512];
};

/* A property that a command needs whatever the profile says, or one that it only prefers. */
struct fc_cluster_property {
    const char *name; /* NULL ends the list */
    const char *value;
    bool yields; /* to the profile's and to -X */
};

struct fc_cluster_use {
    rd_kafka_type_t type; /* RD_KAFKA_PRODUCER also serves the Admin API */
    const struct fc_cluster_property *properties; /* may be NULL */
    void (*on_delivery)(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque);
};

/*
 * Resolve the settings, connect, and wait until a server answers.
 *
 * Errors: FC_ERR_CONFIG (settings, properties), FC_ERR_TIMEOUT, FC_ERR_IO (none reachable),
 * FC_ERR_REJECTED (not let in). On failure there is nothing to close.
 */
FC_MUST_CHECK fc_code fc_cluster_open(struct fc_cli *cli, const struct fc_cluster_use *use,
                                      struct fc_cluster **out_cluster, struct fc_error *err);
/* A client for the Admin API. */
FC_MUST_CHECK fc_code fc_cluster_open_admin(struct fc_cli *cli, struct fc_cluster **out_cluster,
                                            struct fc_error *err);
/* The same for offsets of groups: librdkafka 2.0 ends the process when a group's coordinator is
 * still loading, or has moved, and the client has no group of its own. */
FC_MUST_CHECK fc_code fc_cluster_open_groups(struct fc_cli *cli,
                                             struct fc_cluster **out_cluster,
                                             struct fc_error *err);
/* NULL is fine. Takes a few seconds at most; see fc_cli.abandoned. */
void fc_cluster_close(struct fc_cluster *cluster);

/*
 * Metadata of all topics (free with rd_kafka_metadata_destroy). Never creates a topic.
 */
FC_MUST_CHECK fc_code fc_cluster_metadata(struct fc_cluster *cluster,
                                          const struct rd_kafka_metadata **out_metadata,
                                          struct fc_error *err);

/* The topic in it, or FC_ERR_NOT_FOUND with the nearest name. */
FC_MUST_CHECK fc_code fc_cluster_find_topic(const struct fc_cluster *cluster,
                                            const struct rd_kafka_metadata *metadata,
                                            const char *topic,
                                            const struct rd_kafka_metadata_topic **out_topic,
                                            struct fc_error *err);

/*
 * Offsets of many partitions at once: timestamp (in each entry's offset) to offset; or
 * RD_KAFKA_OFFSET_BEGINNING, RD_KAFKA_OFFSET_END for the first and the next one. An entry's own
 * error stays in it.
 */
FC_MUST_CHECK fc_code fc_cluster_offsets(struct fc_cluster *cluster,
                                         rd_kafka_topic_partition_list_t *list,
                                         struct fc_error *err);

/*
 * What an error means for a person, `what` being what was asked for: "create topic `a`". text is
 * what the server added, or NULL. Retriable: a group's coordinator is loading or has just moved.
 */
fc_code fc_cluster_fail(const struct fc_cluster *cluster, rd_kafka_resp_err_t code,
                        const char *text, const char *what, struct fc_error *err);

/* Tell of each topic that it is `done`, or why not. Returns the last failure's exit code. */
int fc_cluster_tell_topics(struct fc_cli *cli, const struct fc_cluster *cluster,
                           const rd_kafka_topic_result_t **results, size_t count,
                           const char *done);

/* Wait for the answer to an Admin request that was put on cluster->queue; `type` is its kind. */
FC_MUST_CHECK fc_code fc_cluster_await(struct fc_cluster *cluster, rd_kafka_event_type_t type,
                                       const char *what, rd_kafka_event_t **out_event,
                                       struct fc_error *err);

/* Options with the command's time-out; to be destroyed. */
rd_kafka_AdminOptions_t *fc_cluster_options(const struct fc_cluster *cluster,
                                            rd_kafka_admin_op_t operation);

#endif
