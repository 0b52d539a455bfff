/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log in a Kafka cluster: gives a struct fc_stream on it, by librdkafka.
 *
 * Exactly as much as the embedded log promises: records of a partition keep the order in which
 * they were appended, a flush returns when all of them are acknowledged by the in-sync replicas
 * (acks=all) and committed, and one that fails stops everything behind it, so nothing is skipped.
 *
 * What is appended between two flushes is one transaction of the cluster: readers see all of it
 * or nothing, and only once it is flushed. Its markers take offsets, so those of records are not
 * dense. Of streams with the same writer the newest (to append or be renewed) is the only one
 * that can write: of the others nothing arrives any more, and they fail with FC_ERR_REFUSED.
 *
 * Nothing connects before it is needed. What cannot be reached is FC_ERR_TIMEOUT (retriable),
 * with librdkafka's own reason.
 */
#ifndef FC_STREAM_KAFKA_H
#define FC_STREAM_KAFKA_H

#include "core/stream/stream.h"

/* A librdkafka property, such as { "bootstrap.servers", "127.0.0.1:9092" }. */
struct fc_kafka_property {
    const char *name;
    const char *value;
};

enum { FC_KAFKA_REPLICATION_DEFAULT = -1 /* the cluster's */ };

struct fc_kafka_config {
    const struct fc_kafka_property *properties; /* copied */
    uint32_t property_count;
    int replication_factor; /* of topics that are created */
    /* Who writes, as the cluster's transactional id; copied. NULL: create and write nothing. */
    const char *writer;
    /* Called with what a person should know; may be NULL. Any thread; must not call the stream.
     */
    void (*on_notice)(void *ctx, const char *text);
    void *notice_ctx;
};

/*
 * FC_ERR_NOT_FOUND when librdkafka does not know the property, naming the nearest; FC_ERR_CONFIG
 * when it does not take the value (which is not repeated, it may be a secret), or when it is a
 * property that the promises above rest on.
 */
FC_MUST_CHECK fc_code fc_kafka_check_property(const char *name, const char *value,
                                              struct fc_error *err);

/* FC_ERR_CONFIG when the properties do not go together. */
FC_MUST_CHECK fc_code fc_kafka_open(const struct fc_kafka_config *config,
                                    struct fc_stream **out_stream, struct fc_error *err);

/* --- for checks before a capture; the stream must be one of fc_kafka_open ------------------ */

/* How many brokers answer; FC_ERR_TIMEOUT when none does. */
FC_MUST_CHECK fc_code fc_kafka_brokers(struct fc_stream *stream, uint32_t *out_count,
                                       struct fc_error *err);

struct fc_cluster_finding;

/* Whether a writer could begin a transaction: what fc_cluster_transactions says. */
void fc_kafka_transactions(struct fc_stream *stream, struct fc_cluster_finding *out_finding);

enum { FC_KAFKA_SETTING_SIZE = 256 };

/* A setting of a topic, as the cluster has it; "" when the cluster does not know it. */
FC_MUST_CHECK fc_code fc_kafka_topic_setting(struct fc_topic *topic, const char *name,
                                             char to[FC_KAFKA_SETTING_SIZE],
                                             struct fc_error *err);

/* Whether the topic could be created; nothing is. */
FC_MUST_CHECK fc_code fc_kafka_may_create(struct fc_stream *stream, const char *name,
                                          const struct fc_topic_config *config,
                                          struct fc_error *err);

#endif
