/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions and orders to a Kafka cluster about its topics and groups, through any handle of
 * librdkafka.
 *
 * Every call blocks for at most about 30 s. What is transient (no answer, a broker that starts)
 * fails as retriable.
 */
#ifndef FC_CLUSTER_CLUSTER_H
#define FC_CLUSTER_CLUSTER_H

#include <librdkafka/rdkafka.h>

#include "core/base/error.h"

/* Set err to what librdkafka answered to `doing`; words: the broker's own, or NULL. */
fc_code fc_cluster_fail(rd_kafka_resp_err_t answer, const char *words, const char *doing,
                        struct fc_error *err);

/* Whether trying again may help. */
bool fc_cluster_is_transient(rd_kafka_resp_err_t answer);

/* Call on_topic for every topic there is; a non-OK return ends the walk and is returned. */
FC_MUST_CHECK fc_code fc_cluster_topics(rd_kafka_t *handle,
                                        fc_code (*on_topic)(void *ctx, const char *name,
                                                            uint32_t partitions,
                                                            struct fc_error *err),
                                        void *ctx, struct fc_error *err);

/* FC_ERR_NOT_FOUND: there is no such topic. */
FC_MUST_CHECK fc_code fc_cluster_partitions(rd_kafka_t *handle, const char *topic,
                                            uint32_t *out_count, struct fc_error *err);

/*
 * The oldest offset that there is, and one past the newest that the handle's isolation.level lets
 * read. Ends after wait_ms for each also while the broker is away: librdkafka's own question
 * waits for its return (before 2.3).
 */
rd_kafka_resp_err_t fc_cluster_watermarks(rd_kafka_t *handle, const char *topic,
                                          uint32_t partition, int wait_ms, int64_t *out_low,
                                          int64_t *out_high);

struct fc_cluster_topic {
    const char *name;
    uint32_t partitions;
    int replication_factor;      /* -1: the cluster's */
    const char *const *settings; /* names and values in turn */
    uint32_t setting_count;      /* of pairs */
};

/* Returns when it can be used, also when it is there already, whatever its settings. */
FC_MUST_CHECK fc_code fc_cluster_create(rd_kafka_t *handle,
                                        const struct fc_cluster_topic *topic,
                                        struct fc_error *err);

/* Whether it could be created, or is there; nothing is created. */
FC_MUST_CHECK fc_code fc_cluster_may_create(rd_kafka_t *handle,
                                            const struct fc_cluster_topic *topic,
                                            struct fc_error *err);

/* Give it more partitions and wait until they can be used; nothing when it has so many. */
FC_MUST_CHECK fc_code fc_cluster_grow(rd_kafka_t *handle, const char *topic,
                                      uint32_t partitions, struct fc_error *err);

/* Call on_setting for each setting that the topic has, given or by default. */
FC_MUST_CHECK fc_code fc_cluster_settings(rd_kafka_t *handle, const char *topic,
                                          void (*on_setting)(void *ctx, const char *name,
                                                             const char *value),
                                          void *ctx, struct fc_error *err);

typedef enum fc_cluster_verdict {
    FC_CLUSTER_CAN,
    FC_CLUSTER_DOUBTFUL,
    FC_CLUSTER_CANNOT,
    FC_CLUSTER_UNTOLD /* the cluster does not tell it, or not this user */
} fc_cluster_verdict;

enum { FC_CLUSTER_FINDING_SIZE = 400 };

struct fc_cluster_finding {
    fc_cluster_verdict verdict;
    char detail[FC_CLUSTER_FINDING_SIZE]; /* the reason, when it CANNOT */
    char fix[FC_CLUSTER_FINDING_SIZE];    /* what a person should do; "" when all is well */
};

/*
 * Whether a transaction can begin there, by what the cluster says of its brokers, their settings
 * and its topic of transactions; nothing is begun or created. Takes wait_ms for each of four
 * questions at most. The handle must be a consumer, which creates no topic by asking for it.
 */
void fc_cluster_transactions(rd_kafka_t *handle, int wait_ms,
                             struct fc_cluster_finding *out_finding);

/* Call on_group for the name of each consumer group. */
FC_MUST_CHECK fc_code fc_cluster_groups(rd_kafka_t *handle,
                                        void (*on_group)(void *ctx, const char *group),
                                        void *ctx, struct fc_error *err);

/*
 * Call on_offset for each offset that the group has committed. The handle must be a consumer with
 * a group.id, whichever: librdkafka 2.0 ends the process when the answer is that the coordinator
 * has moved or is still loading, and the handle has none.
 */
FC_MUST_CHECK fc_code fc_cluster_committed(rd_kafka_t *handle, const char *group,
                                           void (*on_offset)(void *ctx, const char *topic,
                                                             uint32_t partition,
                                                             int64_t offset),
                                           void *ctx, struct fc_error *err);

/* Commit offsets for a group that nobody is in; FC_ERR_REJECTED when somebody is. */
FC_MUST_CHECK fc_code fc_cluster_commit(rd_kafka_t *handle, const char *group,
                                        const rd_kafka_topic_partition_list_t *offsets,
                                        struct fc_error *err);

/*
 * Destroy a consumer, which may have read topics that were deleted meanwhile: librdkafka 2.0 then
 * waits for ever for one of its own threads. So after some seconds it is left to a thread of its
 * own, which ends with the process. Its callbacks' code must stay (no dlclose); what its opaque
 * points at is not used any more.
 */
void fc_cluster_destroy(rd_kafka_t *consumer);

#endif
