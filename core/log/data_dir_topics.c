/* SPDX-License-Identifier: Apache-2.0 */
/* The list of topics: found, created, and opened with the directory. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/data_dir_state.h"
#include "core/log/parallel.h"

/* Where the name is, or would be. lock is held. */
static size_t place_of(const struct fc_data_dir *dir, const char *name, bool *out_found)
{
    size_t low = 0;
    size_t high = dir->topics_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(dir->topics[middle]->name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *out_found = low < dir->topics_count && strcmp(dir->topics[low]->name, name) == 0;
    return low;
}

void fc_data_dir_enlist(struct fc_data_dir *dir, struct fc_log_topic *topic)
{
    bool found = false;
    size_t place;
    (void)pthread_mutex_lock(&dir->lock);
    place = place_of(dir, topic->name, &found);
    dir->topics =
        fc_realloc_array(dir->topics, dir->topics_count + 1, sizeof(struct fc_log_topic *));
    memmove(dir->topics + place + 1, dir->topics + place,
            (dir->topics_count - place) * sizeof(struct fc_log_topic *));
    dir->topics[place] = topic;
    dir->topics_count++;
    (void)pthread_mutex_unlock(&dir->lock);
    dir->generation++;
}

void fc_data_dir_delist(struct fc_data_dir *dir, struct fc_log_topic *topic)
{
    bool found = false;
    size_t place;
    (void)pthread_mutex_lock(&dir->lock);
    place = place_of(dir, topic->name, &found);
    if (found && dir->topics[place] == topic) {
        dir->topics_count--;
        memmove(dir->topics + place, dir->topics + place + 1,
                (dir->topics_count - place) * sizeof(struct fc_log_topic *));
    }
    (void)pthread_mutex_unlock(&dir->lock);
    dir->generation++;
}

/* Borrowed, or NULL. */
static struct fc_log_topic *in_memory(struct fc_data_dir *dir, const char *name, bool reference)
{
    struct fc_log_topic *topic = NULL;
    bool found = false;
    size_t place;
    (void)pthread_mutex_lock(&dir->lock);
    place = place_of(dir, name, &found);
    if (found) {
        topic = dir->topics[place];
        if (reference) {
            (void)fc_log_topic_ref(topic);
        }
    }
    (void)pthread_mutex_unlock(&dir->lock);
    return topic;
}

fc_code fc_data_dir_find(struct fc_data_dir *dir, const char *name,
                         struct fc_log_topic **out_topic, struct fc_error *err)
{
    struct fc_topic_record record = { 0 };
    struct fc_log_topic *topic = in_memory(dir, name, false);
    fc_code code = FC_OK;
    if (topic != NULL) {
        *out_topic = topic;
        return FC_OK;
    }
    code = fc_topic_store_read(dir->env.fs, dir->path, name, &record, err);
    if (code == FC_OK && record.deleted) {
        code = dir->env.read_only
                   ? FC_OK
                   : fc_topic_store_set_aside(dir->env.fs, dir->path, name, &record, err);
        if (code == FC_OK) {
            code = fc_fail(err, FC_ERR_NOT_FOUND, "there is no topic \"%s\" in %s", name,
                           dir->path);
        }
    }
    if (code == FC_OK) {
        code = fc_log_topic_open(dir, name, &record, &topic, err);
    }
    fc_topic_record_release(&record);
    if (code == FC_OK) {
        fc_data_dir_enlist(dir, topic);
        *out_topic = topic;
    }
    return code;
}

fc_code fc_data_dir_topic(struct fc_data_dir *dir, const char *name,
                          struct fc_log_topic **out_topic, struct fc_error *err)
{
    struct fc_log_topic *topic = in_memory(dir, name, true);
    fc_code code;
    if (topic != NULL) {
        *out_topic = topic;
        return FC_OK;
    }
    code = fc_topic_store_check_name(name, err);
    if (code != FC_OK) {
        return code;
    }
    (void)pthread_mutex_lock(&dir->change_lock);
    code = fc_data_dir_find(dir, name, &topic, err);
    if (code == FC_OK) {
        *out_topic = fc_log_topic_ref(topic);
    }
    (void)pthread_mutex_unlock(&dir->change_lock);
    return code;
}

fc_code fc_data_dir_topic_by_id(struct fc_data_dir *dir, struct fc_uuid id,
                                struct fc_log_topic **out_topic, struct fc_error *err)
{
    struct fc_log_topic *found = NULL;
    char text[FC_UUID_TEXT_SIZE];
    (void)pthread_mutex_lock(&dir->lock);
    for (size_t index = 0; found == NULL && index < dir->topics_count; index++) {
        if (fc_uuid_equal(dir->topics[index]->id, id)) {
            found = fc_log_topic_ref(dir->topics[index]);
        }
    }
    (void)pthread_mutex_unlock(&dir->lock);
    if (found == NULL) {
        fc_uuid_to_text(id, text);
        return fc_fail(err, FC_ERR_NOT_FOUND, "there is no topic with id %s in %s", text,
                       dir->path);
    }
    *out_topic = found;
    return FC_OK;
}

static fc_code create(struct fc_data_dir *dir, const char *name, uint32_t partitions,
                      const struct fc_settings *settings, struct fc_log_topic **out_topic,
                      struct fc_error *err)
{
    struct fc_topic_record record = { .id = fc_uuid_random(), .partitions = partitions };
    struct fc_log_topic *topic = NULL;
    fc_code code = fc_data_dir_find(dir, name, &topic, err);
    if (code == FC_OK) {
        return fc_fail(err, FC_ERR_REJECTED, "topic \"%s\" exists already", name);
    }
    if (code != FC_ERR_NOT_FOUND) {
        return code;
    }
    if (settings != NULL) {
        fc_settings_copy(&record.settings, settings);
    }
    code = fc_topic_store_write(dir->env.fs, dir->path, name, &record, err);
    if (code == FC_OK) {
        code = fc_log_topic_open(dir, name, &record, &topic, err);
    }
    fc_topic_record_release(&record);
    if (code == FC_OK) {
        fc_data_dir_enlist(dir, topic);
        *out_topic = fc_log_topic_ref(topic);
    }
    return code;
}

fc_code fc_data_dir_create(struct fc_data_dir *dir, const char *name, uint32_t partitions,
                           const struct fc_settings *settings, struct fc_log_topic **out_topic,
                           struct fc_error *err)
{
    struct fc_log_topic_config config = dir->defaults;
    fc_code code = fc_topic_store_check_name(name, err);
    if (code == FC_OK) {
        code = fc_topic_store_check_partitions(partitions, err);
    }
    if (code == FC_OK && settings != NULL) {
        code = fc_log_topic_config_apply(&config, settings, err);
    }
    if (code == FC_OK && dir->env.read_only) {
        code = fc_fail(err, FC_ERR_REFUSED, "data directory %s is open for reading only",
                       dir->path);
    }
    if (code == FC_OK) {
        (void)pthread_mutex_lock(&dir->change_lock);
        code = create(dir, name, partitions, settings, out_topic, err);
        (void)pthread_mutex_unlock(&dir->change_lock);
    }
    return code;
}

/* Topics that are opened at once. */
struct opening {
    struct fc_data_dir *dir;
    char **names;
};

static void open_one(void *ctx, size_t index)
{
    struct opening *opening = ctx;
    struct fc_log_topic *topic = NULL;
    struct fc_error why;
    fc_code code = fc_data_dir_find(opening->dir, opening->names[index], &topic, &why);
    if (code != FC_OK && code != FC_ERR_NOT_FOUND) {
        fc_log_notice(&opening->dir->env, "topic %s: %s", opening->names[index], why.message);
    }
}

fc_code fc_data_dir_open_topics(struct fc_data_dir *dir, struct fc_error *err)
{
    char **names = NULL;
    size_t count = 0;
    fc_code code;
    (void)pthread_mutex_lock(&dir->change_lock);
    code = fc_topic_store_list(dir->env.fs, dir->path, &names, &count, err);
    if (code == FC_OK) {
        fc_parallel_once(count, open_one, &(struct opening){ dir, names });
    }
    for (size_t index = 0; index < count; index++) {
        free(names[index]);
    }
    free(names);
    if (code == FC_OK && !dir->env.read_only) {
        struct fc_error why;
        if (fc_topic_store_sweep(dir->env.fs, dir->path, &why) != FC_OK) {
            fc_log_notice(&dir->env, "%s: cannot remove what is left of deleted topics: %s",
                          dir->path, why.message);
        }
    }
    (void)pthread_mutex_unlock(&dir->change_lock);
    return code;
}

static void let_go(void *ctx, size_t place)
{
    struct fc_data_dir *dir = ctx;
    fc_log_topic_unref(dir->topics[place]);
}

void fc_data_dir_free_topics(struct fc_data_dir *dir)
{
    fc_parallel_once(dir->topics_count, let_go, dir);
    free(dir->topics);
    dir->topics = NULL;
    dir->topics_count = 0;
}

fc_code fc_data_dir_topics(struct fc_data_dir *dir, struct fc_log_topic ***out_topics,
                           size_t *out_count, struct fc_error *err)
{
    struct fc_log_topic **topics;
    fc_code code = dir->env.read_only ? fc_data_dir_open_topics(dir, err) : FC_OK;
    if (code != FC_OK) {
        return code;
    }
    (void)pthread_mutex_lock(&dir->lock);
    topics = fc_new_array(struct fc_log_topic *, dir->topics_count + 1);
    for (size_t index = 0; index < dir->topics_count; index++) {
        topics[index] = fc_log_topic_ref(dir->topics[index]);
    }
    *out_topics = topics;
    *out_count = dir->topics_count;
    (void)pthread_mutex_unlock(&dir->lock);
    return FC_OK;
}

void fc_log_topics_free(struct fc_log_topic **topics, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        fc_log_topic_unref(topics[index]);
    }
    free(topics);
}
