/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of an open data directory, for the files of core/log only. */
#ifndef FC_LOG_DATA_DIR_STATE_H
#define FC_LOG_DATA_DIR_STATE_H

#include <pthread.h>

#include "core/log/data_dir.h"
#include "core/log/group_sync.h"
#include "core/log/keeper.h"
#include "core/log/topic_store.h"

/* A partition that is open, or the reason why it is not. */
struct fc_topic_slot {
    struct fc_partition *_Atomic partition; /* NULL: see why; set once, under the change_lock */
    struct fc_error why;                    /* Guarded by change_lock. */
};

struct fc_log_topic {
    struct fc_data_dir *dir;
    char *name;
    struct fc_uuid id;
    _Atomic uint32_t references;
    _Atomic bool deleted;

    /* The array has room for at least so many; both only grow, the array first. Arrays that were
     * outgrown live as long as the topic, for those who are reading them. */
    _Atomic uint32_t partitions_count;
    struct fc_topic_slot **_Atomic slots;
    struct fc_topic_slot ***outgrown; /* Guarded by change_lock. */
    size_t outgrown_count;

    pthread_mutex_t lock; /* taken after the directory's locks */
    /* Guarded by lock; changed under the directory's change_lock. */
    struct fc_settings settings;
    struct fc_log_topic_config config;
};

/* Locks, in the order in which they are taken: change_lock, lock, the topic's. */
struct fc_data_dir {
    char *path;
    struct fc_log_env env;
    struct fc_log_topic_config defaults;
    struct fc_file *lock_file; /* NULL when read_only */
    struct fc_keeper *keeper;  /* NULL when read_only */
    _Atomic uint64_t generation;

    pthread_mutex_t change_lock; /* held by who creates, opens, alters or deletes topics */
    pthread_mutex_t lock;        /* short */
    /* Guarded by lock; changed under change_lock as well. */
    struct fc_log_topic **topics; /* by name */
    size_t topics_count;
};

/* --- data_dir_topics.c --- */

/* Open every topic that the directory has; a damaged one is told as a notice and does not stop
 * the others. */
FC_MUST_CHECK fc_code fc_data_dir_open_topics(struct fc_data_dir *dir, struct fc_error *err);
void fc_data_dir_free_topics(struct fc_data_dir *dir);

/* In memory, or on disk: a topic may be damaged at the open, or be another process's. Borrowed.
 * change_lock is held. */
FC_MUST_CHECK fc_code fc_data_dir_find(struct fc_data_dir *dir, const char *name,
                                       struct fc_log_topic **out_topic, struct fc_error *err);

/* Put it into the list, or take it out; change_lock is held. */
void fc_data_dir_enlist(struct fc_data_dir *dir, struct fc_log_topic *topic);
void fc_data_dir_delist(struct fc_data_dir *dir, struct fc_log_topic *topic);

/* --- topic.c --- */

/* With one reference and its partitions open as far as they can be; change_lock is held. */
FC_MUST_CHECK fc_code fc_log_topic_open(struct fc_data_dir *dir, const char *name,
                                        const struct fc_topic_record *record,
                                        struct fc_log_topic **out_topic, struct fc_error *err);

#endif
