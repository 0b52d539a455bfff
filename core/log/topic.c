/* SPDX-License-Identifier: Apache-2.0 */
/* A topic of an open data directory: its settings, and its partitions, which come and go. */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/data_dir_state.h"
#include "core/log/parallel.h"
#include "core/log/partition_state.h"

/* A topic in which some partitions are opened or closed, each by itself. */
struct many {
    struct fc_log_topic *topic;
    uint32_t first;
};

/* Damage stays until somebody mends it; anything else may pass, so the next use tries again.
 * change_lock is held. */
static void open_partition(struct fc_log_topic *topic, uint32_t index)
{
    struct fc_data_dir *dir = topic->dir;
    struct fc_topic_slot *slot = topic->slots[index];
    struct fc_partition_config config = fc_log_topic_config_of_partition(&topic->config);
    struct fc_partition *opened = NULL;
    char *path = fc_topic_store_partition_dir(dir->path, topic->name, index);
    fc_code code = fc_partition_open(&dir->env, path, &config, &opened, &slot->why);
    if (code == FC_OK && index == 0 && !dir->env.read_only) {
        /* It shows that there was a topic, should topic.json be lost. */
        code = fc_partition_prepare(opened, &slot->why);
        if (code != FC_OK) {
            fc_partition_close(opened);
        }
    }
    if (code == FC_OK) {
        slot->partition = opened;
        if (dir->keeper != NULL) {
            fc_keeper_add(dir->keeper, opened);
        }
    } else {
        (void)fc_wrap(&slot->why, "topic %s partition %" PRIu32, topic->name, index);
        fc_log_notice(&dir->env, "%s", slot->why.message);
    }
    free(path);
}

static void open_one(void *ctx, size_t index)
{
    struct many *many = ctx;
    open_partition(many->topic, many->first + (uint32_t)index);
}

static void close_one(void *ctx, size_t index)
{
    struct many *many = ctx;
    fc_partition_close(many->topic->slots[index]->partition);
}

/* Room for so many slots, and slots in it. change_lock is held, or nobody knows the topic. */
static void add_slots(struct fc_log_topic *topic, uint32_t partitions)
{
    struct fc_topic_slot **slots = fc_new_array(struct fc_topic_slot *, partitions);
    uint32_t count = topic->partitions_count;
    for (uint32_t index = 0; index < partitions; index++) {
        slots[index] = index < count ? topic->slots[index] : fc_new(struct fc_topic_slot);
    }
    if (topic->slots != NULL) {
        topic->outgrown = fc_realloc_array(topic->outgrown, topic->outgrown_count + 1,
                                           sizeof(*topic->outgrown));
        topic->outgrown[topic->outgrown_count++] = topic->slots;
    }
    topic->slots = slots;
    fc_parallel_once(partitions - count, open_one, &(struct many){ topic, count });
    topic->partitions_count = partitions;
}

fc_code fc_log_topic_open(struct fc_data_dir *dir, const char *name,
                          const struct fc_topic_record *record, struct fc_log_topic **out_topic,
                          struct fc_error *err)
{
    struct fc_log_topic_config config = dir->defaults;
    struct fc_log_topic *topic;
    fc_code code = fc_log_topic_config_apply(&config, &record->settings, err);
    if (code != FC_OK) {
        return code;
    }
    topic = fc_new(struct fc_log_topic);
    topic->dir = dir;
    topic->name = fc_strdup(name);
    topic->id = record->id;
    topic->references = 1;
    (void)pthread_mutex_init(&topic->lock, NULL); /* cannot fail on Linux */
    fc_settings_copy(&topic->settings, &record->settings);
    topic->config = config;
    add_slots(topic, record->partitions);
    *out_topic = topic;
    return FC_OK;
}

struct fc_log_topic *fc_log_topic_ref(struct fc_log_topic *topic)
{
    topic->references++;
    return topic;
}

void fc_log_topic_unref(struct fc_log_topic *topic)
{
    if (topic == NULL || --topic->references > 0) {
        return;
    }
    fc_parallel_once(topic->partitions_count, close_one, &(struct many){ topic, 0 });
    for (uint32_t index = 0; index < topic->partitions_count; index++) {
        free(topic->slots[index]);
    }
    free(topic->slots);
    for (size_t index = 0; index < topic->outgrown_count; index++) {
        free(topic->outgrown[index]);
    }
    free(topic->outgrown);
    (void)pthread_mutex_destroy(&topic->lock); /* nobody uses the topic any more */
    fc_settings_release(&topic->settings);
    free(topic->name);
    free(topic);
}

const char *fc_log_topic_name(const struct fc_log_topic *topic)
{
    return topic->name;
}

struct fc_uuid fc_log_topic_id(const struct fc_log_topic *topic)
{
    return topic->id;
}

uint32_t fc_log_topic_partitions(const struct fc_log_topic *topic)
{
    return topic->partitions_count;
}

bool fc_log_topic_is_internal(const struct fc_log_topic *topic)
{
    return strcmp(topic->name, "__consumer_offsets") == 0 ||
           strcmp(topic->name, "__transaction_state") == 0;
}

bool fc_log_topic_is_deleted(const struct fc_log_topic *topic)
{
    return topic->deleted;
}

void fc_log_topic_config(struct fc_log_topic *topic, struct fc_log_topic_config *out_config)
{
    (void)pthread_mutex_lock(&topic->lock);
    *out_config = topic->config;
    (void)pthread_mutex_unlock(&topic->lock);
}

void fc_log_topic_settings(struct fc_log_topic *topic, struct fc_settings *out_settings)
{
    memset(out_settings, 0, sizeof(*out_settings));
    (void)pthread_mutex_lock(&topic->lock);
    fc_settings_copy(out_settings, &topic->settings);
    (void)pthread_mutex_unlock(&topic->lock);
}

static fc_code fail_deleted(const struct fc_log_topic *topic, struct fc_error *err)
{
    return fc_fail(err, FC_ERR_NOT_FOUND, "topic %s is deleted", topic->name);
}

/* What every change asks first. change_lock is held. */
static fc_code check_changeable(const struct fc_log_topic *topic, struct fc_error *err)
{
    if (topic->dir->env.read_only) {
        return fc_fail(err, FC_ERR_REFUSED, "data directory %s is open for reading only",
                       topic->dir->path);
    }
    return topic->deleted ? fail_deleted(topic, err) : FC_OK;
}

static fc_code write_record(struct fc_log_topic *topic, uint32_t partitions, bool deleted,
                            const struct fc_settings *settings, struct fc_error *err)
{
    struct fc_topic_record record = {
        .id = topic->id, .partitions = partitions, .deleted = deleted, .settings = *settings
    };
    return fc_topic_store_write(topic->dir->env.fs, topic->dir->path, topic->name, &record,
                                err);
}

/* change_lock is held. */
static fc_code alter(struct fc_log_topic *topic, const struct fc_settings *settings,
                     struct fc_error *err)
{
    struct fc_log_topic_config config = topic->dir->defaults;
    struct fc_partition_config changed;
    fc_code code = check_changeable(topic, err);
    if (code == FC_OK) {
        code = fc_log_topic_config_apply(&config, settings, err);
    }
    if (code != FC_OK || fc_settings_equal(&topic->settings, settings)) {
        return code;
    }
    code = write_record(topic, topic->partitions_count, false, settings, err);
    if (code != FC_OK) {
        return code;
    }
    (void)pthread_mutex_lock(&topic->lock);
    fc_settings_copy(&topic->settings, settings);
    topic->config = config;
    (void)pthread_mutex_unlock(&topic->lock);
    changed = fc_log_topic_config_of_partition(&config);
    for (uint32_t index = 0; index < topic->partitions_count; index++) {
        if (topic->slots[index]->partition != NULL) {
            fc_partition_configure(topic->slots[index]->partition, &changed);
        }
    }
    topic->dir->generation++;
    return FC_OK;
}

fc_code fc_log_topic_alter(struct fc_log_topic *topic, const struct fc_settings *settings,
                           struct fc_error *err)
{
    fc_code code;
    (void)pthread_mutex_lock(&topic->dir->change_lock);
    code = alter(topic, settings, err);
    (void)pthread_mutex_unlock(&topic->dir->change_lock);
    return code;
}

fc_code fc_log_topic_grow(struct fc_log_topic *topic, uint32_t partitions, struct fc_error *err)
{
    fc_code code = fc_topic_store_check_partitions(partitions, err);
    if (code != FC_OK) {
        return code;
    }
    (void)pthread_mutex_lock(&topic->dir->change_lock);
    code = check_changeable(topic, err);
    if (code == FC_OK && partitions <= topic->partitions_count) {
        code = fc_fail(err, FC_ERR_CONFIG,
                       "topic %s has %" PRIu32 " partitions; %" PRIu32 " are not more",
                       topic->name, topic->partitions_count, partitions);
    }
    if (code == FC_OK) {
        code = write_record(topic, partitions, false, &topic->settings, err);
    }
    if (code == FC_OK) {
        add_slots(topic, partitions);
        topic->dir->generation++;
    }
    (void)pthread_mutex_unlock(&topic->dir->change_lock);
    return code;
}

static void drop_partition(struct fc_data_dir *dir, struct fc_partition *partition)
{
    struct fc_error why;
    (void)fc_fail(&why, FC_ERR_NOT_FOUND, "%s is deleted", fc_partition_dir(partition));
    fc_partition_drop(partition, &why);
    fc_group_sync_remove(dir->env.group, partition);
    fc_keeper_remove(dir->keeper, partition);
}

/* change_lock is held. */
static fc_code delete_topic(struct fc_log_topic *topic, struct fc_error *err)
{
    struct fc_data_dir *dir = topic->dir;
    struct fc_topic_record record = { .id = topic->id, .partitions = topic->partitions_count };
    fc_code code = check_changeable(topic, err);
    if (code == FC_OK) {
        code = write_record(topic, topic->partitions_count, true, &topic->settings, err);
    }
    if (code != FC_OK) {
        return code;
    }
    topic->deleted = true;
    fc_data_dir_delist(dir, topic);
    for (uint32_t index = 0; index < topic->partitions_count; index++) {
        if (topic->slots[index]->partition != NULL) {
            drop_partition(dir, topic->slots[index]->partition);
        }
    }
    return fc_topic_store_set_aside(dir->env.fs, dir->path, topic->name, &record, err);
}

fc_code fc_log_topic_delete(struct fc_log_topic *topic, struct fc_error *err)
{
    struct fc_data_dir *dir = topic->dir;
    struct fc_error why;
    bool gone;
    fc_code code;
    (void)pthread_mutex_lock(&dir->change_lock);
    gone = topic->deleted;
    code = delete_topic(topic, err);
    gone = !gone && topic->deleted;
    (void)pthread_mutex_unlock(&dir->change_lock);
    if (code == FC_OK && fc_topic_store_sweep(dir->env.fs, dir->path, &why) != FC_OK) {
        fc_log_notice(&dir->env, "topic %s: cannot remove all of it: %s", topic->name,
                      why.message);
    }
    if (gone) {
        fc_log_topic_unref(topic); /* the list's */
    }
    return code;
}

fc_code fc_log_topic_partition(struct fc_log_topic *topic, uint32_t index,
                               struct fc_partition **out_partition, struct fc_error *err)
{
    struct fc_topic_slot *slot;
    fc_code code = FC_OK;
    if (index >= topic->partitions_count) {
        return fc_fail(err, FC_ERR_NOT_FOUND,
                       "topic %s has %" PRIu32 " partitions, and no partition %" PRIu32,
                       topic->name, topic->partitions_count, index);
    }
    if (topic->deleted) {
        return fail_deleted(topic, err);
    }
    slot = topic->slots[index];
    *out_partition = slot->partition;
    if (*out_partition != NULL) {
        return FC_OK; /* without the lock, which is held long while a topic is created */
    }
    (void)pthread_mutex_lock(&topic->dir->change_lock);
    if (slot->partition == NULL && slot->why.code != FC_ERR_CORRUPT &&
        slot->why.code != FC_ERR_CONFIG && !topic->deleted) {
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
    (void)pthread_mutex_unlock(&topic->dir->change_lock);
    return code;
}
