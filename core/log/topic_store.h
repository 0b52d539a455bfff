/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a data directory knows of its topics: a directory `<topic>-<n>` for each partition, and
 * in that of partition 0 the file topic.json, which makes the topic exist. The file is one line
 * of JSON and one line with its checksum, and is replaced as a whole.
 */
#ifndef FC_LOG_TOPIC_STORE_H
#define FC_LOG_TOPIC_STORE_H

#include "core/base/fs.h"
#include "core/base/uuid.h"
#include "core/log/settings.h"

enum {
    FC_LOG_TOPIC_NAME_MAX = 249, /* Kafka's limit; [A-Za-z0-9._-] */
    FC_LOG_PARTITIONS_MAX = 10000
};

struct fc_topic_record {
    struct fc_uuid id;
    uint32_t partitions;
    bool deleted; /* its partitions are going, or gone */
    struct fc_settings settings;
};

void fc_topic_record_release(struct fc_topic_record *record);

/* FC_ERR_CONFIG unless it is a name that Kafka takes, too. */
FC_MUST_CHECK fc_code fc_topic_store_check_name(const char *name, struct fc_error *err);

/* FC_ERR_CONFIG unless a topic may have so many. */
FC_MUST_CHECK fc_code fc_topic_store_check_partitions(uint32_t partitions,
                                                      struct fc_error *err);

/* "<dir>/<topic>-<partition>"; the caller frees it. */
char *fc_topic_store_partition_dir(const char *dir, const char *name, uint32_t partition);

/* FC_ERR_NOT_FOUND: no such topic. FC_ERR_CORRUPT: damaged, or lost while there is data. */
FC_MUST_CHECK fc_code fc_topic_store_read(struct fc_fs *fs, const char *dir, const char *name,
                                          struct fc_topic_record *out_record,
                                          struct fc_error *err);

/* Create the partitions' directories unless they are there or the topic is deleted, then write
 * the file; durable. */
FC_MUST_CHECK fc_code fc_topic_store_write(struct fc_fs *fs, const char *dir, const char *name,
                                           const struct fc_topic_record *record,
                                           struct fc_error *err);

/*
 * Rename the directories of a topic that is written as deleted, partition 0 last, so that its
 * name is free and nothing of it can come back; durable. What is there no more is passed over.
 */
FC_MUST_CHECK fc_code fc_topic_store_set_aside(struct fc_fs *fs, const char *dir,
                                               const char *name,
                                               const struct fc_topic_record *record,
                                               struct fc_error *err);

/* Remove what was set aside. */
FC_MUST_CHECK fc_code fc_topic_store_sweep(struct fc_fs *fs, const char *dir,
                                           struct fc_error *err);

/* Names of topics, or of what was one, in order; each and the array are freed by the caller. */
FC_MUST_CHECK fc_code fc_topic_store_list(struct fc_fs *fs, const char *dir, char ***out_names,
                                          size_t *out_count, struct fc_error *err);

#endif
