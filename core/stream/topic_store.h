/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a data directory knows of its topics: a directory `<topic>-<n>` for each partition, and
 * in that of partition 0 the file topic.json, which makes the topic exist. The file is one line
 * of JSON and one line with its checksum, and is replaced as a whole.
 */
#ifndef FC_STREAM_TOPIC_STORE_H
#define FC_STREAM_TOPIC_STORE_H

#include "core/base/fs.h"
#include "core/stream/stream.h"

/* FC_ERR_CONFIG unless it is a name that Kafka takes, too. */
FC_MUST_CHECK fc_code fc_topic_store_check_name(const char *name, struct fc_error *err);

/* FC_ERR_CONFIG when a setting is out of its range. */
FC_MUST_CHECK fc_code fc_topic_store_check_config(const struct fc_topic_config *config,
                                                  struct fc_error *err);

/* "<dir>/<topic>-<partition>"; the caller frees it. */
char *fc_topic_store_partition_dir(const char *dir, const char *name, uint32_t partition);

/* FC_ERR_NOT_FOUND: no such topic. FC_ERR_CORRUPT: damaged, or lost while there is data. */
FC_MUST_CHECK fc_code fc_topic_store_read(struct fc_fs *fs, const char *dir, const char *name,
                                          struct fc_topic_config *out_config,
                                          struct fc_error *err);

/* Create the partitions' directories unless they are there, then write the file; durable. */
FC_MUST_CHECK fc_code fc_topic_store_write(struct fc_fs *fs, const char *dir, const char *name,
                                           const struct fc_topic_config *config,
                                           struct fc_error *err);

/* Names of topics, or of what was one, in order; each and the array are freed by the caller. */
FC_MUST_CHECK fc_code fc_topic_store_list(struct fc_fs *fs, const char *dir, char ***out_names,
                                          size_t *out_count, struct fc_error *err);

#endif
