/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connector file: read strictly, checked, with secrets filled in.
 *
 * Every mistake is an error that starts with file:line:column and says what would be right.
 * Relative paths in the file (the log's directory, scripts) start at the file's own directory,
 * so that run, restore and status mean the same data wherever they are called from. The block
 * named after the plugin is kept as it stands until the plugin's option table is known
 * (options_check.h).
 */
#ifndef FC_RUNNER_CONFIG_H
#define FC_RUNNER_CONFIG_H

#include "catalog/schema.h"
#include "core/stream/stream.h"
#include "transforms/transform.h"

enum {
    FC_CONFIG_FILE_BYTES_MAX = 1024 * 1024,
    FC_CONFIG_NAME_MAX = 100 /* of meta.name; leaves room for topics named after it */
};

/* What happens to a change that a transform rejects or that is too large for the log. */
typedef enum fc_on_error {
    FC_ON_ERROR_FAIL,       /* stop */
    FC_ON_ERROR_SKIP,       /* leave it out, count it */
    FC_ON_ERROR_DEAD_LETTER /* write it to the dead-letter topic, the reason in headers */
} fc_on_error;

struct fc_yaml_node;

/* Everything is owned by the config and lives as long as it. */
struct fc_config {
    const char *path;    /* the file, as it was given */
    const char *dir;     /* its directory: "." or "a/b" */
    const char *name;    /* meta.name: [a-z0-9-]+, also Debezium's topic.prefix */
    const char *plugin;  /* "mysql" of meta.type "mysql-source" */
    const char *version; /* meta.version or NULL */
    const char *topic;   /* a name, or a template with ${db} and ${table} */
    struct fc_topic_config topic_config; /* from meta.producer */
    size_t batch_bytes;                  /* meta.producer.batch-size */
    fc_envelope_mode envelope;
    bool tombstones;
    fc_on_error on_error;
    const char *dead_letter_topic;
    uint32_t workers; /* at least 1: 0 in the file is replaced by the number of cores */
    size_t memory_bytes;
    const char *log_dir; /* absolute, or relative to the working directory */
    const struct fc_transform_step *steps;
    uint32_t step_count;

    const struct fc_yaml_node *plugin_block; /* NULL when the file has none */
    bool readable_by_others;                 /* the file's mode lets group or others read it */
};

struct fc_config_source {
    const char *path;         /* for messages and relative paths */
    const char *secrets_path; /* --secrets FILE, or NULL: the environment only */
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

/*
 * The topic that changes of db.table go to, by config->topic; `to` has room for
 * FC_TOPIC_NAME_MAX + 1 bytes. Characters that a topic name cannot have become '_', as in
 * Debezium. Returns its length; names over the limit are cut.
 */
size_t fc_config_topic_for(const struct fc_config *config, struct fc_slice db,
                           struct fc_slice table, char *to);

/* Whether config->topic names different topics for different tables. */
bool fc_config_topic_is_template(const struct fc_config *config);

#endif
