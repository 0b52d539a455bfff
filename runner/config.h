/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connector file: read strictly, checked, with secrets filled in.
 *
 * Every mistake is an error that starts with file:line:column and says what would be right.
 * Relative paths in the file (the log's directory, scripts) start at the file's own directory,
 * so that run, restore and status mean the same data wherever they are called from. The block
 * named after the plugin is kept as it stands until the plugin's option table is known
 * (core/base/options_check.h).
 */
#ifndef FC_RUNNER_CONFIG_H
#define FC_RUNNER_CONFIG_H

#include "catalog/schema.h"
#include "core/stream/kafka.h"
#include "core/stream/stream.h"
#include "transforms/transform.h"

enum {
    FC_CONFIG_FILE_BYTES_MAX = 1024 * 1024,
    FC_CONFIG_NAME_MAX = 100 /* of meta.name; leaves room for topics named after it */
};

/* What happens to a change that cannot be transformed or is over the record limit. */
typedef enum fc_error_policy {
    FC_ON_ERROR_FAIL,       /* stop before it */
    FC_ON_ERROR_SKIP,       /* leave it out, with a diagnostic */
    FC_ON_ERROR_DEAD_LETTER /* write it to the dead-letter topic, the reason in a header */
} fc_error_policy;

struct fc_yaml_node;

/* Everything is owned by the config and lives as long as it. */
struct fc_config {
    const char *path;    /* the file, as it was given */
    const char *dir;     /* its directory: "." or "a/b" */
    const char *name;    /* meta.name: [a-z0-9-]+, also Debezium's topic.prefix */
    const char *plugin;  /* "mysql" of meta.type "mysql-source" */
    const char *version; /* meta.version or NULL */
    const char *topic;   /* a name, or a template (topic_name.h) */
    struct fc_topic_config topic_config; /* from meta.producer */
    size_t batch_bytes;                  /* meta.producer.batch-size */
    fc_envelope_mode envelope;
    bool tombstones;
    fc_error_policy on_error;
    uint32_t workers; /* 0: as many as the pipeline thinks right for this machine */
    const char *dead_letter_topic;
    size_t memory_bytes;
    /* Absolute, or relative to the working directory. The embedded log's; of a cluster, where
     * the capture that runs here has its lock and can be asked. */
    const char *log_dir;
    /* Where the run that this file starts has its lock and can be asked: log_dir, but of a sink,
     * which only looks at its log, a directory of its own. */
    const char *state_dir;
    const char
        *log_listen_host; /* of an embedded log that Kafka clients can read; NULL: none */
    uint16_t log_listen_port;
    bool is_sink;                          /* meta.type ends with -sink */
    bool exactly_once;                     /* `delivery`, of records that are copied */
    bool skips_gaps;                       /* `on-gap` */
    const struct fc_kafka_property *kafka; /* the cluster's properties; NULL: embedded */
    uint32_t kafka_count;
    int kafka_replication;
    const char *kafka_password_in_clear; /* the property; NULL: none */
    const struct fc_transform_step *steps;
    uint32_t step_count;

    const struct fc_yaml_node *plugin_block; /* NULL when the file has none */
    bool readable_by_others;                 /* the file's mode lets group or others read it */
};

struct fc_config_source {
    const char *path;         /* for messages and relative paths */
    const char *secrets_path; /* --secrets FILE, or NULL: the environment only */
    bool without_secrets; /* do not look them up: plugin_block and steps are not to be used */
    /* Whether there is such a connector, before its block is looked for; NULL: not asked. */
    fc_code (*find_plugin)(void *ctx, const char *name, struct fc_error *err);
    void *ctx;
};

/* Errors: FC_ERR_CONFIG, FC_ERR_NOT_FOUND (no such file), FC_ERR_IO, FC_ERR_LIMIT (too large).
 */
FC_MUST_CHECK fc_code fc_config_load(const struct fc_config_source *source,
                                     struct fc_config **out_config, struct fc_error *err);

/* The same from memory. */
FC_MUST_CHECK fc_code fc_config_parse(struct fc_slice text,
                                      const struct fc_config_source *source,
                                      struct fc_config **out_config, struct fc_error *err);

void fc_config_free(struct fc_config *config); /* NULL is fine; wipes the secrets it held */

/* Prefix err with the place of a key, "meta.topic", or with the file when it has none. Returns
 * err's code. */
fc_code fc_config_wrap(const struct fc_config *config, const char *key, struct fc_error *err);

struct fc_option;
struct fc_options;

/* The plugin's block, checked against its option table; config must outlive the options. */
FC_MUST_CHECK fc_code fc_options_new(const struct fc_config *config,
                                     const struct fc_option *table,
                                     struct fc_options **out_options, struct fc_error *err);

#endif
