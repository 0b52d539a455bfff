/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/topic_config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/log/codec.h"

typedef enum kind { KIND_INTEGER, KIND_RATIO, KIND_CLEANUP, KIND_CHOICE, KIND_CODEC } kind;

/* A setting: where it stands in the struct, and what it may be. */
struct known {
    const char *key;
    kind kind;
    size_t offset;
    int64_t min;
    int64_t max;
    const char *off; /* KIND_CHOICE: the text for false and for true */
    const char *on;
};

#define AT(field) offsetof(struct fc_log_topic_config, field)

enum { SEGMENT_BYTES_MIN = 1024, BYTES_MAX = FC_BATCH_BYTES_MAX };

static const struct known all[] = {
    { "cleanup.policy", KIND_CLEANUP, 0, 0, 0, NULL, NULL },
    { "compression.type", KIND_CODEC, AT(compression), 0, 0, NULL, NULL },
    { "delete.retention.ms", KIND_INTEGER, AT(delete_retention_ms), 0, INT64_MAX, NULL, NULL },
    { "flush.policy", KIND_CHOICE, AT(flush_os), 0, 0, "durable", "os" },
    { "max.compaction.lag.ms", KIND_INTEGER, AT(compaction_lag_max_ms), 1, INT64_MAX, NULL,
      NULL },
    { "max.message.bytes", KIND_INTEGER, AT(message_bytes_max), 0, BYTES_MAX, NULL, NULL },
    { "message.timestamp.after.max.ms", KIND_INTEGER, AT(timestamp_after_max_ms), 0, INT64_MAX,
      NULL, NULL },
    { "message.timestamp.before.max.ms", KIND_INTEGER, AT(timestamp_before_max_ms), 0,
      INT64_MAX, NULL, NULL },
    { "message.timestamp.type", KIND_CHOICE, AT(log_append_time), 0, 0, "CreateTime",
      "LogAppendTime" },
    { "min.cleanable.dirty.ratio", KIND_RATIO, AT(cleanable_ratio_min), 0, 1, NULL, NULL },
    { "min.compaction.lag.ms", KIND_INTEGER, AT(compaction_lag_min_ms), 0, INT64_MAX, NULL,
      NULL },
    { "min.insync.replicas", KIND_INTEGER, AT(insync_replicas_min), 1, INT32_MAX, NULL, NULL },
    { "record.bytes.max", KIND_INTEGER, AT(record_bytes_max), 1, BYTES_MAX / 2, NULL, NULL },
    { "retention.bytes", KIND_INTEGER, AT(retention_bytes), -1, INT64_MAX, NULL, NULL },
    { "retention.ms", KIND_INTEGER, AT(retention_ms), -1, INT64_MAX, NULL, NULL },
    { "segment.bytes", KIND_INTEGER, AT(segment_bytes), SEGMENT_BYTES_MIN, FC_SEGMENT_BYTES_MAX,
      NULL, NULL },
    { "segment.ms", KIND_INTEGER, AT(segment_ms), -1, INT64_MAX, NULL, NULL },
};

enum { KNOWN_COUNT = sizeof(all) / sizeof(all[0]) };

static const struct {
    const char *name;
    int codec;
} codecs[] = {
    { "producer", FC_TOPIC_COMPRESSION_PRODUCER },
    { "uncompressed", FC_COMPRESSION_NONE },
    { "none", FC_COMPRESSION_NONE },
    { "gzip", FC_COMPRESSION_GZIP },
    { "snappy", FC_COMPRESSION_SNAPPY },
    { "lz4", FC_COMPRESSION_LZ4 },
    { "zstd", FC_COMPRESSION_ZSTD },
};

void fc_log_topic_config_init(struct fc_log_topic_config *config)
{
    const struct fc_log_topic_config made = {
        .cleanup_delete = true,
        .retention_ms = (int64_t)7 * 24 * 3600 * 1000,
        .retention_bytes = -1,
        .segment_bytes = (int64_t)1024 * 1024 * 1024,
        .segment_ms = (int64_t)7 * 24 * 3600 * 1000,
        .message_bytes_max = 1024 * 1024 + 12,
        .record_bytes_max = FC_RECORD_BYTES_MAX,
        .compression = FC_TOPIC_COMPRESSION_PRODUCER,
        .timestamp_before_max_ms = INT64_MAX,
        .timestamp_after_max_ms = (int64_t)3600 * 1000,
        .compaction_lag_max_ms = INT64_MAX,
        .cleanable_ratio_min = 0.5,
        .delete_retention_ms = (int64_t)24 * 3600 * 1000,
        .insync_replicas_min = 1,
    };
    *config = made;
}

const char *fc_log_topic_config_key(size_t index)
{
    return index < KNOWN_COUNT ? all[index].key : NULL;
}

static const struct known *find(const char *key)
{
    for (size_t index = 0; index < KNOWN_COUNT; index++) {
        if (strcmp(all[index].key, key) == 0) {
            return &all[index];
        }
    }
    return NULL;
}

static fc_code set_integer(const struct known *known, const char *value, int64_t *to,
                           struct fc_error *err)
{
    char *end = NULL;
    long long number;
    errno = 0;
    number = strtoll(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0) {
        return fc_fail(err, FC_ERR_CONFIG, "%s: \"%s\" is not a whole number", known->key,
                       value);
    }
    if (number < known->min || number > known->max) {
        return fc_fail(err, FC_ERR_CONFIG, "%s: %lld is not between %" PRId64 " and %" PRId64,
                       known->key, number, known->min, known->max);
    }
    *to = number;
    return FC_OK;
}

static fc_code set_ratio(const struct known *known, const char *value, double *to,
                         struct fc_error *err)
{
    char *end = NULL;
    double number = strtod(value, &end);
    if (end == value || *end != '\0' || !(number >= 0 && number <= 1)) {
        return fc_fail(err, FC_ERR_CONFIG, "%s: \"%s\" is not between 0 and 1", known->key,
                       value);
    }
    *to = number;
    return FC_OK;
}

/* A list: delete, compact or both. */
static fc_code set_cleanup(struct fc_log_topic_config *config, const char *value,
                           struct fc_error *err)
{
    bool has_delete = false;
    bool has_compact = false;
    for (const char *at = value; at != NULL;) {
        const char *comma = strchr(at, ',');
        size_t length;
        at += strspn(at, " ");
        length = strcspn(at, ", ");
        if (length == 6 && strncmp(at, "delete", length) == 0) {
            has_delete = true;
        } else if (length == 7 && strncmp(at, "compact", length) == 0) {
            has_compact = true;
        } else {
            return fc_fail(err, FC_ERR_CONFIG,
                           "cleanup.policy: \"%s\" is not delete, compact or both", value);
        }
        at = comma == NULL ? NULL : comma + 1;
    }
    config->cleanup_delete = has_delete;
    config->cleanup_compact = has_compact;
    return FC_OK;
}

static fc_code set_codec(const char *value, int *to, struct fc_error *err)
{
    for (size_t index = 0; index < sizeof(codecs) / sizeof(codecs[0]); index++) {
        if (strcmp(codecs[index].name, value) == 0) {
            *to = codecs[index].codec;
            return FC_OK;
        }
    }
    return fc_fail(err, FC_ERR_CONFIG,
                   "compression.type: \"%s\" is not producer, uncompressed, gzip, snappy, lz4 "
                   "or zstd",
                   value);
}

fc_code fc_log_topic_config_set(struct fc_log_topic_config *config, const char *key,
                                const char *value, struct fc_error *err)
{
    const struct known *known = find(key);
    void *to;
    if (known == NULL) {
        return fc_fail(err, FC_ERR_NOT_FOUND, "there is no topic setting \"%s\"", key);
    }
    to = (char *)config + known->offset;
    switch (known->kind) {
    case KIND_INTEGER:
        return set_integer(known, value, to, err);
    case KIND_RATIO:
        return set_ratio(known, value, to, err);
    case KIND_CLEANUP:
        return set_cleanup(config, value, err);
    case KIND_CODEC:
        return set_codec(value, to, err);
    case KIND_CHOICE:
        if (strcmp(value, known->off) == 0 || strcmp(value, known->on) == 0) {
            *(bool *)to = strcmp(value, known->on) == 0;
            return FC_OK;
        }
        break;
    }
    return fc_fail(err, FC_ERR_CONFIG, "%s: \"%s\" is not %s or %s", key, value, known->off,
                   known->on);
}

bool fc_log_topic_config_get(const struct fc_log_topic_config *config, const char *key,
                             char out[FC_TOPIC_CONFIG_TEXT_SIZE])
{
    const struct known *known = find(key);
    const char *text = "";
    const void *from;
    if (known == NULL) {
        return false;
    }
    from = (const char *)config + known->offset;
    switch (known->kind) {
    case KIND_INTEGER:
        (void)snprintf(out, FC_TOPIC_CONFIG_TEXT_SIZE, "%" PRId64, *(const int64_t *)from);
        return true;
    case KIND_RATIO:
        (void)snprintf(out, FC_TOPIC_CONFIG_TEXT_SIZE, "%.15g", *(const double *)from);
        return true;
    case KIND_CLEANUP:
        text = config->cleanup_compact ? (config->cleanup_delete ? "compact,delete" : "compact")
                                       : "delete";
        break;
    case KIND_CHOICE:
        text = *(const bool *)from ? known->on : known->off;
        break;
    case KIND_CODEC:
        for (size_t index = 0; index < sizeof(codecs) / sizeof(codecs[0]) && *text == '\0';
             index++) {
            text = codecs[index].codec == *(const int *)from ? codecs[index].name : "";
        }
        break;
    }
    (void)snprintf(out, FC_TOPIC_CONFIG_TEXT_SIZE, "%s", text);
    return true;
}

fc_code fc_log_topic_config_apply(struct fc_log_topic_config *config,
                                  const struct fc_settings *settings, struct fc_error *err)
{
    struct fc_log_topic_config made = *config;
    for (size_t index = 0; index < settings->count; index++) {
        fc_code code = fc_log_topic_config_set(&made, settings->items[index].key,
                                               settings->items[index].value, err);
        if (code != FC_OK && code != FC_ERR_NOT_FOUND) {
            return code;
        }
    }
    *config = made;
    return FC_OK;
}

struct fc_partition_config
fc_log_topic_config_of_partition(const struct fc_log_topic_config *config)
{
    struct fc_partition_config made = {
        .retention_ms = config->cleanup_delete ? config->retention_ms : -1,
        .retention_bytes = config->cleanup_delete ? config->retention_bytes : -1,
        .segment_bytes = (uint64_t)config->segment_bytes,
        .segment_ms = config->segment_ms,
        .flush_os = config->flush_os,
        .compact = config->cleanup_compact,
        .compaction_lag_min_ms = config->compaction_lag_min_ms,
        .compaction_lag_max_ms = config->compaction_lag_max_ms,
        .cleanable_ratio_min = config->cleanable_ratio_min,
        .delete_retention_ms = config->delete_retention_ms,
    };
    return made;
}
