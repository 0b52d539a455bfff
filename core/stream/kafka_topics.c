/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/cluster/cluster.h"
#include "core/stream/kafka_state.h"

enum {
    CREATED_WAIT_MS = 30000, /* until every partition of a new topic has a leader */
    CREATED_LOOK_MS = 100
};

/* --- looking ------------------------------------------------------------------------------ */

static rd_kafka_resp_err_t count_partitions(const struct rd_kafka_metadata *metadata,
                                            uint32_t *out_count)
{
    const rd_kafka_metadata_topic_t *topic;
    if (metadata->topic_cnt != 1) {
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    topic = &metadata->topics[0];
    for (int index = 0;
         topic->err == RD_KAFKA_RESP_ERR_NO_ERROR && index < topic->partition_cnt; index++) {
        if (topic->partitions[index].leader < 0) {
            return RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
        }
    }
    if (topic->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        *out_count = (uint32_t)topic->partition_cnt;
    }
    return topic->err;
}

/* FC_ERR_NOT_FOUND: there is none. FC_ERR_TIMEOUT, too, while a partition has no leader. */
static fc_code ask_partitions(struct fc_kafka *kafka, const char *name, uint32_t *out_count,
                              struct fc_error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(kafka->client, name, NULL);
    rd_kafka_resp_err_t answer;
    if (handle == NULL) {
        return fc_kafka_fail(kafka, rd_kafka_last_error(), "look up a topic", err);
    }
    answer = rd_kafka_metadata(kafka->client, 0, handle, &metadata, FC_KAFKA_CALL_MS);
    rd_kafka_topic_destroy(handle);
    if (answer == RD_KAFKA_RESP_ERR_NO_ERROR && metadata != NULL) {
        answer = count_partitions(metadata, out_count);
        rd_kafka_metadata_destroy(metadata);
    }
    return answer == RD_KAFKA_RESP_ERR_NO_ERROR
               ? FC_OK
               : fc_kafka_fail(kafka, answer, "look up a topic", err);
}

/* The lock is held. */
static struct fc_kafka_topic *known_topic(const struct fc_kafka *kafka, const char *name)
{
    for (size_t index = 0; index < kafka->topic_count; index++) {
        if (strcmp(kafka->topics[index]->base.name, name) == 0) {
            return kafka->topics[index];
        }
    }
    return NULL;
}

static void free_topic(struct fc_kafka_topic *topic)
{
    if (topic->producer_topic != NULL) {
        rd_kafka_topic_destroy(topic->producer_topic);
    }
    free(topic->acked_ends);
    free(topic->base.name);
    free(topic);
}

/* Keep the topic, unless another thread was first. */
static struct fc_topic *enter_topic(struct fc_kafka *kafka, const char *name, uint32_t count,
                                    uint64_t message_bytes_max, fc_compression compression)
{
    struct fc_kafka_topic *topic;
    (void)pthread_mutex_lock(&kafka->lock);
    topic = known_topic(kafka, name);
    if (topic == NULL) {
        topic = fc_new(struct fc_kafka_topic);
        topic->base.stream = &kafka->base;
        topic->base.name = fc_strdup(name);
        topic->base.partitions_count = count;
        topic->message_bytes_max = message_bytes_max;
        topic->compression = compression;
        topic->acked_ends = fc_new_array(_Atomic int64_t, count);
        kafka->topics = fc_realloc_array(kafka->topics, kafka->topic_count + 1,
                                         sizeof(struct fc_kafka_topic *));
        kafka->topics[kafka->topic_count++] = topic;
    }
    (void)pthread_mutex_unlock(&kafka->lock);
    return &topic->base;
}

/* What the cluster takes, or its default where it does not tell us. */
static fc_code ask_limit(struct fc_kafka *kafka, const char *name, uint64_t *out_limit,
                         struct fc_error *err)
{
    char limit[FC_KAFKA_SETTING_SIZE] = "";
    fc_code code = fc_kafka_setting(kafka, name, "max.message.bytes", limit, err);
    if (code == FC_OK || code == FC_ERR_CONFIG) { /* it may be that we may not ask */
        *out_limit = limit[0] == '\0' ? FC_KAFKA_MESSAGE_DEFAULT : strtoull(limit, NULL, 10);
        code = FC_OK;
    }
    return code;
}

static fc_code open_topic(struct fc_kafka *kafka, const char *name, fc_compression compression,
                          struct fc_topic **out_topic, struct fc_error *err)
{
    uint64_t limit = FC_KAFKA_MESSAGE_DEFAULT;
    uint32_t count = 0;
    fc_code code = ask_partitions(kafka, name, &count, err);
    if (code == FC_OK && !kafka->read_only) {
        code = ask_limit(kafka, name, &limit, err);
    }
    if (code == FC_OK) {
        *out_topic = enter_topic(kafka, name, count, limit, compression);
    }
    return code;
}

static struct fc_topic *find_topic(struct fc_kafka *kafka, const char *name)
{
    struct fc_kafka_topic *topic;
    (void)pthread_mutex_lock(&kafka->lock);
    topic = known_topic(kafka, name);
    (void)pthread_mutex_unlock(&kafka->lock);
    return topic == NULL ? NULL : &topic->base;
}

fc_code fc_kafka_topic(struct fc_stream *stream, const char *name, struct fc_topic **out_topic,
                       struct fc_error *err)
{
    struct fc_kafka *kafka = fc_kafka_of(stream);
    struct fc_topic *known = find_topic(kafka, name);
    fc_code code;
    if (known != NULL) {
        *out_topic = known;
        return FC_OK;
    }
    code = open_topic(kafka, name, FC_COMPRESSION_LZ4, out_topic, err);
    return code == FC_OK ? FC_OK : fc_wrap(err, "topic %s", name);
}

fc_code fc_kafka_topics(struct fc_stream *stream,
                        fc_code (*on_topic)(void *ctx, struct fc_topic *topic,
                                            struct fc_error *err),
                        void *ctx, struct fc_error *err)
{
    struct fc_kafka *kafka = fc_kafka_of(stream);
    struct fc_topic **topics;
    size_t count;
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&kafka->lock);
    count = kafka->topic_count;
    topics = fc_new_array(struct fc_topic *, count + 1);
    for (size_t index = 0; index < count; index++) {
        size_t at = index; /* a place by name: there are few */
        for (; at > 0 && strcmp(topics[at - 1]->name, kafka->topics[index]->base.name) > 0;
             at--) {
            topics[at] = topics[at - 1];
        }
        topics[at] = &kafka->topics[index]->base;
    }
    (void)pthread_mutex_unlock(&kafka->lock);
    for (size_t index = 0; code == FC_OK && index < count; index++) {
        code = on_topic(ctx, topics[index], err);
    }
    free(topics);
    return code;
}

void fc_kafka_free_topics(struct fc_kafka *kafka)
{
    for (size_t index = 0; index < kafka->topic_count; index++) {
        free_topic(kafka->topics[index]);
    }
    free(kafka->topics);
    kafka->topics = NULL;
    kafka->topic_count = 0;
}

/* --- ensuring ----------------------------------------------------------------------------- */

static fc_code check_partitions(const struct fc_topic *topic, uint32_t wanted,
                                struct fc_error *err)
{
    if (topic->partitions_count != wanted) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "topic %s has %" PRIu32 " partitions, which cannot become %" PRIu32
                       ": set meta.producer.partitions to %" PRIu32 ", or name another topic",
                       topic->name, topic->partitions_count, wanted, topic->partitions_count);
    }
    return FC_OK;
}

/* One that was opened for reading first: only now it is known what it should be like. */
static fc_code adopt(struct fc_kafka *kafka, struct fc_kafka_topic *topic,
                     const struct fc_topic_config *config, struct fc_error *err)
{
    uint64_t limit = 0;
    fc_code code = check_partitions(&topic->base, config->partitions, err);
    if (code == FC_OK) {
        code = fc_kafka_configure(kafka, topic->base.name, config, err);
    }
    if (code == FC_OK) {
        code = ask_limit(kafka, topic->base.name, &limit, err);
    }
    if (code != FC_OK) {
        return code;
    }
    topic->message_bytes_max = limit;
    (void)pthread_mutex_lock(&kafka->lock);
    if (topic->producer_topic == NULL) {
        topic->compression = config->compression;
    }
    topic->ensured = true;
    (void)pthread_mutex_unlock(&kafka->lock);
    return FC_OK;
}

static bool is_ensured(struct fc_kafka *kafka, const struct fc_kafka_topic *topic)
{
    bool ensured;
    (void)pthread_mutex_lock(&kafka->lock);
    ensured = topic->ensured;
    (void)pthread_mutex_unlock(&kafka->lock);
    return ensured;
}

/* *topic is NULL while it is not known here. */
static fc_code open_and_adopt(struct fc_kafka *kafka, const char *name,
                              const struct fc_topic_config *config, struct fc_topic **topic,
                              struct fc_error *err)
{
    fc_code code = FC_OK;
    if (*topic == NULL) {
        code = open_topic(kafka, name, config->compression, topic, err);
    }
    return code == FC_OK ? adopt(kafka, fc_kafka_topic_of(*topic), config, err) : code;
}

/* A new topic is known to each broker only after a moment, and each question may go to another. */
static fc_code open_created(struct fc_kafka *kafka, const char *name,
                            const struct fc_topic_config *config, struct fc_topic **topic,
                            struct fc_error *err)
{
    fc_code code = open_and_adopt(kafka, name, config, topic, err);
    for (int waited = 0;
         (code == FC_ERR_NOT_FOUND || code == FC_ERR_TIMEOUT) && waited < CREATED_WAIT_MS;
         waited += CREATED_LOOK_MS) {
        (void)rd_kafka_poll(kafka->client, CREATED_LOOK_MS); /* waits, and serves callbacks */
        code = open_and_adopt(kafka, name, config, topic, err);
    }
    if (code == FC_ERR_NOT_FOUND) {
        err->retriable = true;
    }
    return code;
}

fc_code fc_kafka_topic_ensure(struct fc_stream *stream, const char *name,
                              const struct fc_topic_config *config, struct fc_topic **out_topic,
                              struct fc_error *err)
{
    struct fc_kafka *kafka = fc_kafka_of(stream);
    struct fc_topic *topic = find_topic(kafka, name);
    fc_code code;
    if (topic != NULL && is_ensured(kafka, fc_kafka_topic_of(topic))) {
        *out_topic = topic;
        return check_partitions(topic, config->partitions, err);
    }
    if (kafka->read_only) {
        return fc_fail(err, FC_ERR_REFUSED, "topic %s: the cluster is open for reading only",
                       name);
    }
    code = open_and_adopt(kafka, name, config, &topic, err);
    if (code == FC_ERR_NOT_FOUND && topic == NULL) {
        code = fc_kafka_create(kafka, name, config, 0, err);
        code = code == FC_OK ? open_created(kafka, name, config, &topic, err) : code;
    }
    if (code != FC_OK) {
        return fc_wrap(err, "topic %s", name);
    }
    *out_topic = topic;
    return FC_OK;
}

/* --- offsets ------------------------------------------------------------------------------ */

fc_code fc_kafka_offsets(struct fc_topic *topic, uint32_t partition,
                         struct fc_offsets *out_offsets, struct fc_error *err)
{
    struct fc_kafka *kafka = fc_kafka_of(topic->stream);
    int64_t low = 0;
    int64_t high = 0;
    rd_kafka_resp_err_t answer;
    if (partition >= topic->partitions_count) {
        return fc_fail(err, FC_ERR_NOT_FOUND,
                       "topic %s has %" PRIu32 " partitions, and no partition %" PRIu32,
                       topic->name, topic->partitions_count, partition);
    }
    answer = fc_cluster_watermarks(kafka->client, topic->name, partition, FC_KAFKA_OFFSETS_MS,
                                   &low, &high);
    if (answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)fc_kafka_fail(kafka, answer, "ask for offsets", err); /* the wrap returns it */
        return fc_wrap(err, "%s/%" PRIu32, topic->name, partition);
    }
    out_offsets->start = low;
    out_offsets->durable = high; /* readers see what the in-sync replicas have */
    out_offsets->end = high;
    return FC_OK;
}

fc_code fc_kafka_offset_for_time(struct fc_topic *topic, uint32_t partition, int64_t time_ms,
                                 int64_t *out_offset, struct fc_error *err)
{
    struct fc_kafka *kafka = fc_kafka_of(topic->stream);
    rd_kafka_topic_partition_list_t *asked = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *entry =
        rd_kafka_topic_partition_list_add(asked, topic->name, (int32_t)partition);
    struct fc_offsets offsets = { 0 };
    rd_kafka_resp_err_t answer;
    int64_t found;
    fc_code code = FC_OK;
    entry->offset = time_ms < 0 ? 0 : time_ms;
    answer = rd_kafka_offsets_for_times(kafka->client, asked, FC_KAFKA_CALL_MS);
    answer = answer == RD_KAFKA_RESP_ERR_NO_ERROR ? entry->err : answer;
    found = entry->offset;
    rd_kafka_topic_partition_list_destroy(asked);
    if (answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)fc_kafka_fail(kafka, answer, "look up a time", err); /* the wrap returns it */
        return fc_wrap(err, "%s/%" PRIu32, topic->name, partition);
    }
    if (found < 0) { /* none is that new */
        code = fc_kafka_offsets(topic, partition, &offsets, err);
        found = offsets.end;
    }
    if (code == FC_OK) {
        *out_offset = found;
    }
    return code;
}

/* --- for checks --------------------------------------------------------------------------- */

fc_code fc_kafka_brokers(struct fc_stream *stream, uint32_t *out_count, struct fc_error *err)
{
    struct fc_kafka *kafka = fc_kafka_of(stream);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t answer =
        rd_kafka_metadata(kafka->client, 0, NULL, &metadata, FC_KAFKA_CALL_MS);
    if (answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fc_kafka_fail(kafka, answer, "reach the cluster", err);
    }
    *out_count = (uint32_t)metadata->broker_cnt;
    rd_kafka_metadata_destroy(metadata);
    return FC_OK;
}
