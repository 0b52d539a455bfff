/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what is read is still there: librdkafka waits for a lost topic or cluster in silence. */
#ifndef FC_CLI_CONSUME_WATCH_H
#define FC_CLI_CONSUME_WATCH_H

#include "core/cli/cluster.h"

typedef enum fc_consume_health {
    FC_CONSUME_FINE,
    FC_CONSUME_UNREACHED,
    FC_CONSUME_GONE
} fc_consume_health;

struct fc_consume_watch {
    struct fc_cli *cli;
    struct fc_cluster *cluster;
    rd_kafka_topic_t *topic;
    const char *name;
    fc_consume_health told;
    int64_t next_ms;   /* when to look again */
    int64_t failed_ms; /* since when the cluster does not answer; 0: it does */
};

void fc_consume_watch_start(struct fc_cli *cli, struct fc_cluster *cluster, const char *topic,
                            struct fc_consume_watch *out_watch);

/* While nothing comes: look now and then, and tell once that it is lost, once that it is back. */
void fc_consume_watch_idle(struct fc_consume_watch *watch);

/* Before its cluster is closed; one that was not started is fine. */
void fc_consume_watch_end(struct fc_consume_watch *watch);

#endif
