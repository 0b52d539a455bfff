/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topics of an embedded stream: thin over those of the data directory. What this interface can
 * set is set explicitly, whatever the directory's defaults are; other settings stay as they are.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/stream/embedded_state.h"

static int64_t as_signed(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* Over the settings that there are. */
static void put_config(struct fc_settings *settings, const struct fc_topic_config *config)
{
    static const char *const keys[] = { "cleanup.policy",   "compression.type", "flush.policy",
                                        "record.bytes.max", "retention.bytes",  "retention.ms",
                                        "segment.bytes",    "segment.ms" };
    struct fc_log_topic_config log;
    fc_log_topic_config_init(&log);
    log.compression = (int)config->compression;
    log.flush_os = config->flush == FC_FLUSH_OS;
    log.record_bytes_max = as_signed(config->record_bytes_max);
    log.retention_bytes = config->retention_bytes;
    log.retention_ms = config->retention_ms;
    log.segment_bytes = as_signed(config->segment_bytes);
    log.segment_ms = config->segment_ms;
    for (size_t index = 0; index < sizeof(keys) / sizeof(keys[0]); index++) {
        char text[FC_TOPIC_CONFIG_TEXT_SIZE];
        if (fc_log_topic_config_get(&log, keys[index], text)) {
            fc_settings_put(settings, keys[index], text);
        }
    }
}

void fc_embedded_batch_settings(struct fc_topic *base, fc_compression *out_compression,
                                uint64_t *out_record_bytes_max)
{
    struct fc_embedded_topic *topic = fc_embedded_topic_of(base);
    uint64_t generation = fc_data_dir_generation(fc_embedded_of(base->stream)->data);
    (void)pthread_mutex_lock(&topic->config_lock);
    if (topic->generation != generation) {
        struct fc_log_topic_config config;
        fc_log_topic_config(topic->log, &config);
        topic->generation = generation;
        topic->record_bytes_max = (uint64_t)config.record_bytes_max;
        topic->compression = config.compression == FC_TOPIC_COMPRESSION_PRODUCER
                                 ? FC_COMPRESSION_LZ4
                                 : (fc_compression)config.compression;
    }
    *out_compression = topic->compression;
    *out_record_bytes_max = topic->record_bytes_max;
    (void)pthread_mutex_unlock(&topic->config_lock);
}

struct fc_embedded_topic *fc_embedded_adopt(struct fc_embedded *embedded,
                                            struct fc_log_topic *log)
{
    struct fc_embedded_topic *topic = NULL;
    (void)pthread_mutex_lock(&embedded->lock);
    for (size_t index = 0; topic == NULL && index < embedded->topics_count; index++) {
        if (embedded->topics[index]->log == log) {
            topic = embedded->topics[index];
        }
    }
    if (topic != NULL) {
        fc_log_topic_unref(log);
    } else {
        topic = fc_new(struct fc_embedded_topic);
        topic->base.stream = &embedded->base;
        topic->base.name = fc_strdup(fc_log_topic_name(log));
        topic->base.partitions_count = fc_log_topic_partitions(log);
        topic->log = log;
        topic->generation = UINT64_MAX;
        (void)pthread_mutex_init(&topic->config_lock, NULL); /* cannot fail on Linux */
        embedded->topics = fc_realloc_array(embedded->topics, embedded->topics_count + 1,
                                            sizeof(struct fc_embedded_topic *));
        embedded->topics[embedded->topics_count++] = topic;
    }
    (void)pthread_mutex_unlock(&embedded->lock);
    return topic;
}

fc_code fc_embedded_topic(struct fc_stream *stream, const char *name,
                          struct fc_topic **out_topic, struct fc_error *err)
{
    struct fc_log_topic *log = NULL;
    fc_code code = fc_data_dir_topic(fc_embedded_of(stream)->data, name, &log, err);
    if (code == FC_OK) {
        *out_topic = &fc_embedded_adopt(fc_embedded_of(stream), log)->base;
    }
    return code;
}

static fc_code change_config(struct fc_log_topic *log, const struct fc_topic_config *config,
                             struct fc_error *err)
{
    struct fc_settings settings = { 0 };
    uint32_t partitions = fc_log_topic_partitions(log);
    fc_code code;
    if (config->partitions != partitions) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "topic %s has %" PRIu32 " partitions, which cannot become %" PRIu32,
                       fc_log_topic_name(log), partitions, config->partitions);
    }
    fc_log_topic_settings(log, &settings);
    put_config(&settings, config);
    code = fc_log_topic_alter(log, &settings, err);
    fc_settings_release(&settings);
    return code;
}

static fc_code create(struct fc_data_dir *data, const char *name,
                      const struct fc_topic_config *config, struct fc_log_topic **out_log,
                      struct fc_error *err)
{
    struct fc_settings settings = { 0 };
    fc_code code;
    put_config(&settings, config);
    code = fc_data_dir_create(data, name, config->partitions, &settings, out_log, err);
    fc_settings_release(&settings);
    if (code == FC_ERR_REJECTED) { /* somebody else has just made it */
        code = fc_data_dir_topic(data, name, out_log, err);
        if (code == FC_OK) {
            code = change_config(*out_log, config, err);
        }
    }
    return code;
}

fc_code fc_embedded_topic_ensure(struct fc_stream *stream, const char *name,
                                 const struct fc_topic_config *config,
                                 struct fc_topic **out_topic, struct fc_error *err)
{
    struct fc_data_dir *data = fc_embedded_of(stream)->data;
    struct fc_log_topic *log = NULL;
    fc_code code;
    if (fc_data_dir_is_read_only(data)) {
        (void)fc_fail(err, FC_ERR_REFUSED,
                      "topic %s: data directory %s is open for reading only", name,
                      fc_data_dir_path(data));
        return FC_ERR_REFUSED;
    }
    code = fc_data_dir_topic(data, name, &log, err);
    if (code == FC_OK) {
        code = change_config(log, config, err);
    } else if (code == FC_ERR_NOT_FOUND) {
        code = create(data, name, config, &log, err);
    }
    if (code != FC_OK) {
        fc_log_topic_unref(log);
        return code;
    }
    *out_topic = &fc_embedded_adopt(fc_embedded_of(stream), log)->base;
    return FC_OK;
}

void fc_embedded_free_topics(struct fc_embedded *embedded)
{
    for (size_t index = 0; index < embedded->topics_count; index++) {
        struct fc_embedded_topic *topic = embedded->topics[index];
        fc_log_topic_unref(topic->log);
        (void)pthread_mutex_destroy(&topic->config_lock); /* nobody uses the topic any more */
        free(topic->base.name);
        free(topic);
    }
    free(embedded->topics);
}

fc_code fc_embedded_topics(struct fc_stream *stream,
                           fc_code (*on_topic)(void *ctx, struct fc_topic *topic,
                                               struct fc_error *err),
                           void *ctx, struct fc_error *err)
{
    struct fc_embedded *embedded = fc_embedded_of(stream);
    struct fc_log_topic **logs = NULL;
    size_t count = 0;
    fc_code code = fc_data_dir_topics(embedded->data, &logs, &count, err);
    for (size_t index = 0; index < count; index++) {
        struct fc_embedded_topic *topic = fc_embedded_adopt(embedded, logs[index]);
        if (code == FC_OK) {
            code = on_topic(ctx, &topic->base, err);
        }
    }
    free(logs);
    return code;
}
