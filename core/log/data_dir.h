/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An open data directory: its lock, its topics, their partitions, and the threads that sync and
 * look after them. A process opens a directory once, and everything in it that reads or writes
 * the log shares that.
 *
 * Topics are counted references: a deleted topic stays a valid object, with every call on it
 * and its partitions answering FC_ERR_NOT_FOUND, until the last reference goes. All references
 * are given back before the directory is closed.
 *
 * Thread: any number at once, but for open and close.
 */
#ifndef FC_LOG_DATA_DIR_H
#define FC_LOG_DATA_DIR_H

#include "core/base/clock.h"
#include "core/base/fs.h"
#include "core/base/uuid.h"
#include "core/log/topic_config.h"

struct fc_data_dir;
struct fc_log_topic;

/* The file in a data directory whose lock says that a process has the directory open. */
#define FC_DATA_DIR_LOCK_NAME ".lock"

struct fc_data_dir_config {
    const char *dir;
    bool read_only;               /* look only, beside the process that writes */
    bool read_whole;              /* with read_only: what no sync covers, too */
    struct fc_fs *fs;             /* NULL: the system's */
    const struct fc_clock *clock; /* NULL: the system's */
    /* What a topic has where it sets nothing; NULL: fc_log_topic_config_init's. Copied. */
    const struct fc_log_topic_config *defaults;
    int64_t producer_expiration_ms; /* 0: a day */
    /* What a person should know; may be NULL. Any thread; must not call the log. */
    void (*on_notice)(void *ctx, const char *text);
    /* The same for partitions that have failed for good; NULL: on_notice. May not call the log. */
    void (*on_failure)(void *ctx, const char *text);
    void *notice_ctx;
};

/*
 * Creates the directory unless read_only, and starts a background thread unless read_only.
 * Damage in one topic or partition does not fail the open: it is told as a notice, and what is
 * damaged answers with FC_ERR_CORRUPT.
 *
 * Errors: FC_ERR_REFUSED (another process has the directory, its pid named), FC_ERR_NOT_FOUND
 * (read_only and no such directory), FC_ERR_IO, FC_ERR_FULL.
 */
FC_MUST_CHECK fc_code fc_data_dir_open(const struct fc_data_dir_config *config,
                                       struct fc_data_dir **out_dir, struct fc_error *err);

/* Flushes; NULL is fine. */
void fc_data_dir_close(struct fc_data_dir *dir);

const char *fc_data_dir_path(const struct fc_data_dir *dir);
bool fc_data_dir_is_read_only(const struct fc_data_dir *dir);

/* What a topic has where it sets nothing. */
void fc_data_dir_defaults(const struct fc_data_dir *dir,
                          struct fc_log_topic_config *out_config);

/* Changes with each topic that is created, altered or deleted. */
uint64_t fc_data_dir_generation(const struct fc_data_dir *dir);

/* Make everything appended before this call durable (topics with flush.policy os excepted);
 * callers share syncs. FC_ERR_IO once a sync of any partition has failed. */
FC_MUST_CHECK fc_code fc_data_dir_flush(struct fc_data_dir *dir, struct fc_error *err);

/* Make waiting readers of all partitions return. */
void fc_data_dir_wake(struct fc_data_dir *dir);

/* --- topics --- */

/* A reference. FC_ERR_NOT_FOUND; FC_ERR_CORRUPT (its topic.json is damaged); FC_ERR_CONFIG (a
 * bad name). */
FC_MUST_CHECK fc_code fc_data_dir_topic(struct fc_data_dir *dir, const char *name,
                                        struct fc_log_topic **out_topic, struct fc_error *err);
FC_MUST_CHECK fc_code fc_data_dir_topic_by_id(struct fc_data_dir *dir, struct fc_uuid id,
                                              struct fc_log_topic **out_topic,
                                              struct fc_error *err);

/* A reference to each, by name; fc_log_topics_free gives them back. */
FC_MUST_CHECK fc_code fc_data_dir_topics(struct fc_data_dir *dir,
                                         struct fc_log_topic ***out_topics, size_t *out_count,
                                         struct fc_error *err);
void fc_log_topics_free(struct fc_log_topic **topics, size_t count);

/*
 * Create a topic, durable, and give a reference. settings (NULL: none) are copied; names that
 * are not known here are kept.
 * Errors: FC_ERR_CONFIG (a bad name, number of partitions or setting), FC_ERR_REJECTED (it
 * exists), FC_ERR_REFUSED (read_only), FC_ERR_IO, FC_ERR_FULL, FC_ERR_CORRUPT (a damaged topic
 * has the name).
 */
FC_MUST_CHECK fc_code fc_data_dir_create(struct fc_data_dir *dir, const char *name,
                                         uint32_t partitions,
                                         const struct fc_settings *settings,
                                         struct fc_log_topic **out_topic, struct fc_error *err);

struct fc_log_topic *fc_log_topic_ref(struct fc_log_topic *topic);
void fc_log_topic_unref(struct fc_log_topic *topic); /* NULL is fine */

const char *fc_log_topic_name(const struct fc_log_topic *topic);
struct fc_uuid fc_log_topic_id(const struct fc_log_topic *topic);
uint32_t fc_log_topic_partitions(const struct fc_log_topic *topic);
bool fc_log_topic_is_internal(const struct fc_log_topic *topic);
bool fc_log_topic_is_deleted(const struct fc_log_topic *topic);

/* The defaults with what the topic sets. */
void fc_log_topic_config(struct fc_log_topic *topic, struct fc_log_topic_config *out_config);

/* What it sets itself, a copy; the caller releases it. */
void fc_log_topic_settings(struct fc_log_topic *topic, struct fc_settings *out_settings);

/* Set exactly these from now on; durable. Errors as fc_data_dir_create. */
FC_MUST_CHECK fc_code fc_log_topic_alter(struct fc_log_topic *topic,
                                         const struct fc_settings *settings,
                                         struct fc_error *err);

/* Have so many partitions; durable. FC_ERR_CONFIG unless there are more than before. */
FC_MUST_CHECK fc_code fc_log_topic_grow(struct fc_log_topic *topic, uint32_t partitions,
                                        struct fc_error *err);

/* Delete it with all its data. Its name is free when this returns; readers and appenders get
 * FC_ERR_NOT_FOUND from now on. */
FC_MUST_CHECK fc_code fc_log_topic_delete(struct fc_log_topic *topic, struct fc_error *err);

/*
 * The open partition, valid as long as the reference to the topic.
 * Errors: FC_ERR_NOT_FOUND (no such partition, or the topic is deleted); FC_ERR_CORRUPT,
 * FC_ERR_CONFIG, FC_ERR_IO (it cannot be opened).
 */
FC_MUST_CHECK fc_code fc_log_topic_partition(struct fc_log_topic *topic, uint32_t index,
                                             struct fc_partition **out_partition,
                                             struct fc_error *err);

#endif
