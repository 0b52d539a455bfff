/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/stream/embedded_state.h"
#include "core/stream/topic_store.h"

static struct fc_partition_config partition_config(const struct fc_topic_config *config)
{
    struct fc_partition_config made = {
        .retention_ms = config->retention_ms,
        .retention_bytes = config->retention_bytes,
        .segment_bytes = config->segment_bytes,
        .segment_ms = config->segment_ms,
        .flush_os = config->flush == FC_FLUSH_OS,
    };
    return made;
}

/* Damage stays until somebody mends it; anything else may pass, so the next use tries again.
 * The stream's lock is held. */
static void open_partition(struct fc_embedded_topic *topic, uint32_t index)
{
    struct fc_embedded *embedded = fc_embedded_of(topic->base.stream);
    struct fc_embedded_partition *slot = &topic->partitions[index];
    struct fc_partition_config config = partition_config(&topic->config);
    struct fc_partition *opened = NULL;
    char *path = fc_topic_store_partition_dir(embedded->dir, topic->base.name, index);
    if (fc_partition_open(&embedded->env, path, &config, &opened, &slot->why) == FC_OK) {
        slot->partition = opened;
        if (embedded->keeper != NULL) {
            fc_keeper_add(embedded->keeper, opened);
        }
    } else {
        (void)fc_wrap(&slot->why, "topic %s partition %" PRIu32, topic->base.name, index);
        fc_log_notice(&embedded->env, "%s", slot->why.message);
    }
    free(path);
}

fc_code fc_embedded_partition(struct fc_embedded_topic *topic, uint32_t index,
                              struct fc_partition **out_partition, struct fc_error *err)
{
    struct fc_embedded *embedded = fc_embedded_of(topic->base.stream);
    struct fc_embedded_partition *slot;
    fc_code code = FC_OK;
    if (index >= topic->base.partitions_count) {
        return fc_fail(err, FC_ERR_NOT_FOUND,
                       "topic %s has %" PRIu32 " partitions, and no partition %" PRIu32,
                       topic->base.name, topic->base.partitions_count, index);
    }
    slot = &topic->partitions[index];
    *out_partition = slot->partition;
    if (*out_partition != NULL) {
        return FC_OK; /* without the lock, which is held long while a topic is created */
    }
    (void)pthread_mutex_lock(&embedded->lock);
    if (slot->partition == NULL && slot->why.code != FC_ERR_CORRUPT &&
        slot->why.code != FC_ERR_CONFIG) {
        open_partition(topic, index);
    }
    if (slot->partition == NULL) {
        code = slot->why.code;
        if (err != NULL) {
            *err = slot->why;
        }
    } else {
        *out_partition = slot->partition;
    }
    (void)pthread_mutex_unlock(&embedded->lock);
    return code;
}

/* Where the name is, or would be. The stream's lock is held. */
static size_t place_of(const struct fc_embedded *embedded, const char *name, bool *out_found)
{
    size_t low = 0;
    size_t high = embedded->topics_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(embedded->topics[middle]->base.name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *out_found =
        low < embedded->topics_count && strcmp(embedded->topics[low]->base.name, name) == 0;
    return low;
}

/* The stream's lock is held. */
static struct fc_embedded_topic *add_topic(struct fc_embedded *embedded, const char *name,
                                           const struct fc_topic_config *config)
{
    bool found = false;
    size_t place = place_of(embedded, name, &found);
    struct fc_embedded_topic *topic = fc_new(struct fc_embedded_topic);
    topic->base.stream = &embedded->base;
    topic->base.name = fc_strdup(name);
    (void)pthread_mutex_init(&topic->config_lock, NULL); /* cannot fail on Linux */
    topic->config = *config;
    topic->base.partitions_count = config->partitions;
    topic->partitions = fc_new_array(struct fc_embedded_partition, config->partitions);
    for (uint32_t index = 0; index < config->partitions; index++) {
        open_partition(topic, index);
    }
    embedded->topics = fc_realloc_array(embedded->topics, embedded->topics_count + 1,
                                        sizeof(struct fc_embedded_topic *));
    for (size_t index = embedded->topics_count; index > place; index--) {
        embedded->topics[index] = embedded->topics[index - 1];
    }
    embedded->topics[place] = topic;
    embedded->topics_count++;
    return topic;
}

/* In memory, or on disk: a topic may be damaged at the open, or be another process's. The
 * stream's lock is held. */
static fc_code find_topic(struct fc_embedded *embedded, const char *name,
                          struct fc_embedded_topic **out_topic, struct fc_error *err)
{
    struct fc_topic_config config;
    bool found = false;
    size_t place = place_of(embedded, name, &found);
    fc_code code;
    if (found) {
        *out_topic = embedded->topics[place];
        return FC_OK;
    }
    code = fc_topic_store_read(embedded->env.fs, embedded->dir, name, &config, err);
    if (code == FC_OK) {
        *out_topic = add_topic(embedded, name, &config);
    }
    return code;
}

fc_code fc_embedded_topic(struct fc_stream *stream, const char *name,
                          struct fc_topic **out_topic, struct fc_error *err)
{
    struct fc_embedded *embedded = fc_embedded_of(stream);
    struct fc_embedded_topic *topic = NULL;
    fc_code code = fc_topic_store_check_name(name, err);
    if (code == FC_OK) {
        (void)pthread_mutex_lock(&embedded->lock);
        code = find_topic(embedded, name, &topic, err);
        (void)pthread_mutex_unlock(&embedded->lock);
    }
    if (code == FC_OK) {
        *out_topic = &topic->base;
    }
    return code;
}

static bool same_config(const struct fc_topic_config *a, const struct fc_topic_config *b)
{
    return a->retention_ms == b->retention_ms && a->retention_bytes == b->retention_bytes &&
           a->segment_bytes == b->segment_bytes && a->segment_ms == b->segment_ms &&
           a->record_bytes_max == b->record_bytes_max && a->compression == b->compression &&
           a->flush == b->flush;
}

/* The stream's lock is held. */
static fc_code change_config(struct fc_embedded_topic *topic,
                             const struct fc_topic_config *config, struct fc_error *err)
{
    struct fc_embedded *embedded = fc_embedded_of(topic->base.stream);
    struct fc_partition_config changed = partition_config(config);
    fc_code code;
    if (config->partitions != topic->base.partitions_count) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "topic %s has %" PRIu32 " partitions, which cannot become %" PRIu32,
                       topic->base.name, topic->base.partitions_count, config->partitions);
    }
    if (same_config(&topic->config, config)) {
        return FC_OK;
    }
    code = fc_topic_store_write(embedded->env.fs, embedded->dir, topic->base.name, config, err);
    if (code != FC_OK) {
        return code;
    }
    (void)pthread_mutex_lock(&topic->config_lock);
    topic->config = *config;
    (void)pthread_mutex_unlock(&topic->config_lock);
    for (uint32_t index = 0; index < topic->base.partitions_count; index++) {
        if (topic->partitions[index].partition != NULL) {
            fc_partition_configure(topic->partitions[index].partition, &changed);
        }
    }
    return FC_OK;
}

/* The stream's lock is held. */
static fc_code ensure_topic(struct fc_embedded *embedded, const char *name,
                            const struct fc_topic_config *config,
                            struct fc_embedded_topic **out_topic, struct fc_error *err)
{
    struct fc_embedded_topic *topic = NULL;
    fc_code code = find_topic(embedded, name, &topic, err);
    if (code == FC_OK) {
        code = change_config(topic, config, err);
    } else if (code == FC_ERR_NOT_FOUND) {
        code = fc_topic_store_write(embedded->env.fs, embedded->dir, name, config, err);
        if (code == FC_OK) {
            topic = add_topic(embedded, name, config);
        }
    }
    if (code == FC_OK) {
        *out_topic = topic;
    }
    return code;
}

fc_code fc_embedded_topic_ensure(struct fc_stream *stream, const char *name,
                                 const struct fc_topic_config *config,
                                 struct fc_topic **out_topic, struct fc_error *err)
{
    struct fc_embedded *embedded = fc_embedded_of(stream);
    struct fc_embedded_topic *topic = NULL;
    fc_code code = fc_topic_store_check_name(name, err);
    if (code == FC_OK) {
        code = fc_topic_store_check_config(config, err);
    }
    if (code == FC_OK && embedded->env.read_only) {
        code = fc_fail(err, FC_ERR_REFUSED, "data directory %s is open for reading only",
                       embedded->dir);
    }
    if (code != FC_OK) {
        return fc_wrap(err, "topic %s", name);
    }
    (void)pthread_mutex_lock(&embedded->lock);
    code = ensure_topic(embedded, name, config, &topic, err);
    (void)pthread_mutex_unlock(&embedded->lock);
    if (code == FC_OK) {
        *out_topic = &topic->base;
    }
    return code;
}

fc_code fc_embedded_open_topics(struct fc_embedded *embedded, struct fc_error *err)
{
    char **names = NULL;
    size_t count = 0;
    fc_code code = fc_topic_store_list(embedded->env.fs, embedded->dir, &names, &count, err);
    (void)pthread_mutex_lock(&embedded->lock);
    for (size_t index = 0; index < count; index++) {
        struct fc_embedded_topic *topic = NULL;
        struct fc_error why;
        fc_code found = code == FC_OK ? find_topic(embedded, names[index], &topic, &why) : code;
        if (found != FC_OK && found != FC_ERR_NOT_FOUND && code == FC_OK) {
            fc_log_notice(&embedded->env, "topic %s: %s", names[index], why.message);
        }
        free(names[index]);
    }
    (void)pthread_mutex_unlock(&embedded->lock);
    free(names);
    return code;
}

void fc_embedded_free_topics(struct fc_embedded *embedded)
{
    for (size_t place = 0; place < embedded->topics_count; place++) {
        struct fc_embedded_topic *topic = embedded->topics[place];
        for (uint32_t index = 0; index < topic->base.partitions_count; index++) {
            fc_partition_close(topic->partitions[index].partition);
        }
        (void)pthread_mutex_destroy(&topic->config_lock); /* nobody uses the topic any more */
        free(topic->partitions);
        free(topic->base.name);
        free(topic);
    }
    free(embedded->topics);
    embedded->topics = NULL;
    embedded->topics_count = 0;
}

fc_code fc_embedded_topics(struct fc_stream *stream,
                           fc_code (*on_topic)(void *ctx, struct fc_topic *topic,
                                               struct fc_error *err),
                           void *ctx, struct fc_error *err)
{
    struct fc_embedded *embedded = fc_embedded_of(stream);
    struct fc_topic **topics = NULL;
    size_t count;
    fc_code code = FC_OK;
    if (embedded->env.read_only) {
        code = fc_embedded_open_topics(embedded, err);
    }
    (void)pthread_mutex_lock(&embedded->lock);
    count = embedded->topics_count;
    topics = fc_new_array(struct fc_topic *, count + 1);
    for (size_t index = 0; index < count; index++) {
        topics[index] = &embedded->topics[index]->base;
    }
    (void)pthread_mutex_unlock(&embedded->lock);
    for (size_t index = 0; code == FC_OK && index < count; index++) {
        code = on_topic(ctx, topics[index], err);
    }
    free(topics);
    return code;
}
