/* SPDX-License-Identifier: Apache-2.0 */
/* Where `consume` begins and ends in each partition. */
#ifndef FC_CLI_CONSUME_PLAN_H
#define FC_CLI_CONSUME_PLAN_H

#include "core/cli/cluster.h"

typedef enum fc_consume_from {
    FC_CONSUME_END, /* what comes from now on */
    FC_CONSUME_BEGINNING,
    FC_CONSUME_HEAD,  /* `number` records after the first */
    FC_CONSUME_TAIL,  /* `number` records before the end */
    FC_CONSUME_START, /* at offset `number` */
    FC_CONSUME_TIME   /* the first record at or after `number`, ms */
} fc_consume_from;

struct fc_consume_range {
    fc_consume_from from;
    int64_t number;
    int64_t end;      /* the last offset that is read; -1: no such bound */
    bool stop_at_end; /* end where the partition ended when we began */
};

struct fc_consume_partition {
    int32_t partition;
    int64_t next;  /* where the log is read from */
    int64_t begin; /* records before it are not wanted; beyond next when they are yet to come */
    int64_t stop;  /* first offset that is not read any more; INT64_MAX: none */
    bool done;
};

/*
 * From a partition's offsets: first and next of the log, and for FC_CONSUME_TIME what the look-up
 * gave (-1: no record is that young).
 */
void fc_consume_plan(const struct fc_consume_range *range, int64_t first, int64_t next,
                     int64_t by_time, struct fc_consume_partition *partition);

/* Ask the cluster for the offsets of these partitions and plan each. */
FC_MUST_CHECK fc_code fc_consume_plan_all(struct fc_cluster *cluster, const char *topic,
                                          const struct fc_consume_range *range,
                                          struct fc_consume_partition *partitions, size_t count,
                                          struct fc_error *err);

#endif
