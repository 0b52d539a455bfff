/* SPDX-License-Identifier: Apache-2.0 */
/* Of the cluster what others made, too: all its topics, and its consumer groups. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/cluster/cluster.h"
#include "core/stream/kafka_state.h"

fc_code fc_kafka_names(struct fc_stream *stream,
                       fc_code (*on_topic)(void *ctx, const char *name, uint32_t partitions,
                                           struct fc_error *err),
                       void *ctx, struct fc_error *err)
{
    return fc_cluster_topics(fc_kafka_of(stream)->client, on_topic, ctx, err);
}

fc_code fc_kafka_create_like(struct fc_stream *stream, const char *name, uint32_t partitions,
                             const char *const *settings, uint32_t setting_count,
                             struct fc_topic **out_topic, struct fc_error *err)
{
    struct fc_kafka *kafka = fc_kafka_of(stream);
    struct fc_cluster_topic wanted = { .name = name,
                                       .partitions = partitions,
                                       .replication_factor = kafka->replication_factor,
                                       .settings = settings,
                                       .setting_count = setting_count };
    fc_code code = fc_kafka_topic(stream, name, out_topic, err);
    if (code == FC_ERR_NOT_FOUND && !kafka->read_only) {
        code = fc_cluster_create(kafka->client, &wanted, err);
        code = code == FC_OK ? fc_kafka_topic(stream, name, out_topic, err) : code;
    }
    return code;
}

/* Delivery reports point into the ends of partitions: with none under way, those can move. */
fc_code fc_kafka_grow(struct fc_topic *base, uint32_t partitions, struct fc_error *err)
{
    struct fc_kafka *kafka = fc_kafka_of(base->stream);
    struct fc_kafka_topic *topic = fc_kafka_topic_of(base);
    _Atomic int64_t *ends;
    fc_code code = fc_kafka_flush(base->stream, err);
    if (code == FC_OK) {
        code = fc_cluster_grow(kafka->client, base->name, partitions, err);
    }
    if (code != FC_OK) {
        return code;
    }
    ends = fc_new_array(_Atomic int64_t, partitions);
    for (uint32_t index = 0; index < base->partitions_count; index++) {
        ends[index] = topic->acked_ends[index];
    }
    free(topic->acked_ends);
    topic->acked_ends = ends;
    base->partitions_count = partitions;
    return FC_OK;
}

fc_code fc_kafka_settings(struct fc_stream *stream, const char *topic,
                          void (*on_setting)(void *ctx, const char *name, const char *value),
                          void *ctx, struct fc_error *err)
{
    return fc_cluster_settings(fc_kafka_of(stream)->client, topic, on_setting, ctx, err);
}

fc_code fc_kafka_groups(struct fc_stream *stream,
                        void (*on_group)(void *ctx, const char *group), void *ctx,
                        struct fc_error *err)
{
    return fc_cluster_groups(fc_kafka_of(stream)->client, on_group, ctx, err);
}

fc_code fc_kafka_committed(struct fc_stream *stream, const char *group,
                           void (*on_offset)(void *ctx, const char *topic, uint32_t partition,
                                             int64_t offset),
                           void *ctx, struct fc_error *err)
{
    struct fc_kafka *kafka = fc_kafka_of(stream);
    static const struct fc_kafka_property ours[] = { { "group.id", "fluvio-connect" },
                                                     { NULL, NULL } };
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&kafka->lock);
    if (kafka->grouped == NULL) {
        code = fc_kafka_handle(kafka, RD_KAFKA_CONSUMER, ours, &kafka->grouped, err);
    }
    (void)pthread_mutex_unlock(&kafka->lock);
    return code == FC_OK ? fc_cluster_committed(kafka->grouped, group, on_offset, ctx, err)
                         : code;
}

fc_code fc_kafka_commit(struct fc_topic *topic, uint32_t partition, const char *group,
                        int64_t offset, struct fc_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    fc_code code;
    rd_kafka_topic_partition_list_add(list, topic->name, (int32_t)partition)->offset = offset;
    code = fc_cluster_commit(fc_kafka_of(topic->stream)->client, group, list, err);
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}
