/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A topic's settings, by Kafka's names and as a struct for what the log looks at.
 *
 * Our own beside Kafka's: flush.policy (durable | os) and record.bytes.max (of one record that
 * this process encodes).
 */
#ifndef FC_LOG_TOPIC_CONFIG_H
#define FC_LOG_TOPIC_CONFIG_H

#include "core/log/partition.h"
#include "core/log/settings.h"

enum { FC_TOPIC_COMPRESSION_PRODUCER = -1 }; /* keep what the producer chose */

struct fc_log_topic_config {
    bool cleanup_delete;
    bool cleanup_compact;
    int64_t retention_ms;    /* -1: for ever */
    int64_t retention_bytes; /* -1: for ever */
    int64_t segment_bytes;
    int64_t segment_ms;        /* -1: never */
    int64_t message_bytes_max; /* of a batch, as it comes over the wire */
    int64_t record_bytes_max;
    int compression; /* an fc_compression, or FC_TOPIC_COMPRESSION_PRODUCER */
    bool log_append_time;
    int64_t timestamp_before_max_ms;
    int64_t timestamp_after_max_ms;
    int64_t compaction_lag_min_ms;
    int64_t compaction_lag_max_ms;
    double cleanable_ratio_min;
    int64_t delete_retention_ms;
    int64_t insync_replicas_min;
    bool flush_os; /* lost with power, not with the process */
};

/* Kafka's defaults; durable. */
void fc_log_topic_config_init(struct fc_log_topic_config *config);

/* Names of what is known here; NULL past the end. */
const char *fc_log_topic_config_key(size_t index);

/*
 * Set one of them from text.
 * Errors: FC_ERR_NOT_FOUND (a name that is not known here), FC_ERR_CONFIG (what is wrong with
 * the value); config is unchanged then.
 */
FC_MUST_CHECK fc_code fc_log_topic_config_set(struct fc_log_topic_config *config,
                                              const char *key, const char *value,
                                              struct fc_error *err);

enum { FC_TOPIC_CONFIG_TEXT_SIZE = 32 };

/* Its value as text; false for a name that is not known here. */
bool fc_log_topic_config_get(const struct fc_log_topic_config *config, const char *key,
                             char out[FC_TOPIC_CONFIG_TEXT_SIZE]);

/* All settings over what config has; names that are not known here are passed over. */
FC_MUST_CHECK fc_code fc_log_topic_config_apply(struct fc_log_topic_config *config,
                                                const struct fc_settings *settings,
                                                struct fc_error *err);

/* What a partition needs to know of it. */
struct fc_partition_config
fc_log_topic_config_of_partition(const struct fc_log_topic_config *config);

#endif
