/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner's own keys are option tables like a plugin's, so one checker knows types, bounds,
 * defaults and near misses for all of the file. What is no table (secrets, transforms) is read
 * by hand. Secrets are filled in last, only where they may stand.
 */
#include "runner/config.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/options_check.h"
#include "core/base/quantity.h"
#include "core/base/suggest.h"
#include "core/base/text_file.h"
#include "core/base/yaml.h"
#include "runner/config_log.h"
#include "runner/config_secrets.h"
#include "runner/config_steps.h"
#include "runner/secrets.h"
#include "runner/topic_name.h"

static const char API_VERSION[] = "0.1.0";
static const char SOURCE_SUFFIX[] = "-source";
static const char SINK_SUFFIX[] = "-sink";

enum { MEMORY_TO_BATCH = 16 };

/* `public` comes first: a struct fc_config pointer is one to this. */
struct config {
    struct fc_config public;
    struct fc_yaml yaml;
    struct fc_options *top;
    struct fc_options *meta;
    struct fc_options *producer;
    struct fc_config_log log;
    struct fc_config_steps steps;
    char *path;
    char *dir;
    char *plugin;
    char *dead_letter_topic;
    char *state_dir; /* NULL: the log's */
};

static const struct fc_option TOP[] = {
    { "apiVersion", FC_OPTION_TEXT, true, NULL, 0, 0, NULL,
      "version of this file's format, 0.1.0" },
    { "envelope", FC_OPTION_CHOICE, false, "exact", 0, 0, "exact|debezium",
      "how values are encoded" },
    { "tombstones", FC_OPTION_BOOL, false, "true", 0, 0, NULL,
      "a null record after each delete" },
    { "on-error", FC_OPTION_CHOICE, false, "fail", 0, 0, "fail|skip|dead-letter",
      "what happens to a change that a transform rejects or that is too large" },
    { "dead-letter-topic", FC_OPTION_TEXT, false, NULL, 0, 0, NULL,
      "default <name>.dead-letter" },
    { "workers", FC_OPTION_INT, false, "0", 0, 16, NULL,
      "threads that transform and encode; 0: by cores" },
    { "memory", FC_OPTION_SIZE, false, "48MiB", 8 << 20, INT64_C(1) << 40, NULL,
      "of all batches and queues together" },
    { "delivery", FC_OPTION_CHOICE, false, "exactly-once", 0, 0, "exactly-once|at-least-once",
      "of records that are copied: whether a crash may repeat some" },
    { "on-gap", FC_OPTION_CHOICE, false, "stop", 0, 0, "stop|skip",
      "what happens when records are gone before they were copied" },
    { .key = NULL },
};

static const struct fc_option META[] = {
    { "name", FC_OPTION_TEXT, true, NULL, 0, 0, NULL, "the connector's name, [a-z0-9-]+" },
    { "type", FC_OPTION_TEXT, true, NULL, 0, 0, NULL,
      "<connector>-source or <connector>-sink, such as mysql-source" },
    { "version", FC_OPTION_TEXT, false, NULL, 0, 0, NULL, "of this file, for people" },
    { "topic", FC_OPTION_TEXT, true, NULL, 0, 0, NULL,
      "a name, or a template such as shop.${table}" },
    { .key = NULL },
};

static const struct fc_option PRODUCER[] = {
    { "compression", FC_OPTION_CHOICE, false, "lz4", 0, 0, "none|lz4|zstd",
      "of record batches" },
    { "batch-size", FC_OPTION_SIZE, false, "1MiB", 16 << 10, 64 << 20, NULL,
      "of record batches" },
    { "partitions", FC_OPTION_INT, false, "1", 1, 1024, NULL, "of topics that are created" },
    { "flush", FC_OPTION_CHOICE, false, "durable", 0, 0, "durable|os",
      "when a record counts as written" },
    { "retention", FC_OPTION_TEXT, false, "forever", 0, 0, NULL,
      "forever, or an age such as 30d" },
    { "retention-bytes", FC_OPTION_SIZE, false, NULL, 1 << 20, INT64_MAX, NULL,
      "of one partition" },
    { "segment-bytes", FC_OPTION_SIZE, false, "1GiB", 64 << 10, 2000 << 20, NULL,
      "of one file" },
    { "record-bytes-max", FC_OPTION_SIZE, false, "64MiB", 1 << 10, 1 << 30, NULL,
      "of one record" },
    { .key = NULL },
};

static fc_code read_block(struct config *config, const char *what,
                          const struct fc_yaml_node *map, const struct fc_option *table,
                          const char *const *others, struct fc_options **out_options,
                          struct fc_error *err)
{
    struct fc_options_source source = {
        .path = config->path, .what = what, .map = map, .others = others
    };
    return fc_options_read(&source, table, out_options, err);
}

/* The error for a value that has the right type but the wrong content; `code` and message stand in err. */
static fc_code at_option(const struct config *config, const struct fc_options *options,
                         const char *key, struct fc_error *err)
{
    const struct fc_yaml_node *node = fc_options_node(options, key);
    return fc_yaml_wrap(config->path, node, err);
}

/* --- meta --------------------------------------------------------------------------------- */

static bool is_name(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len <= FC_CONFIG_NAME_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static fc_code read_names(struct config *config, struct fc_error *err)
{
    const char *name = fc_options_text(config->meta, "name");
    const char *type = fc_options_text(config->meta, "type");
    const char *suffix = strrchr(type, '-');
    if (!is_name(name)) {
        (void)fc_fail(err, FC_ERR_CONFIG,
                      "`name` must be 1 to %d of a-z, 0-9 and `-`, not `%.60s`",
                      FC_CONFIG_NAME_MAX, name);
        return at_option(config, config->meta, "name", err);
    }
    config->public.is_sink = suffix != NULL && strcmp(suffix, SINK_SUFFIX) == 0;
    if (!config->public.is_sink && (suffix == NULL || strcmp(suffix, SOURCE_SUFFIX) != 0)) {
        (void)fc_fail(err, FC_ERR_CONFIG,
                      "`type` must be <connector>-source, such as mysql-source, or "
                      "<connector>-sink, not `%.60s`",
                      type);
        return at_option(config, config->meta, "type", err);
    }
    config->plugin = fc_strndup(type, (size_t)(suffix - type));
    if (!is_name(config->plugin)) {
        (void)fc_fail(err, FC_ERR_CONFIG,
                      "`type` must be <connector>-source, such as mysql-source, not `%.60s`",
                      type);
        return at_option(config, config->meta, "type", err);
    }
    config->public.name = name;
    config->public.plugin = config->plugin;
    config->public.version = fc_options_text(config->meta, "version");
    config->public.topic = fc_options_text(config->meta, "topic");
    if (fc_topic_name_check(config->public.topic, err) != FC_OK) {
        return at_option(config, config->meta, "topic", err);
    }
    return FC_OK;
}

static fc_code check_secret_names(struct config *config, const struct fc_yaml_node *list,
                                  struct fc_error *err)
{
    static const struct fc_option table[] = {
        { "name", FC_OPTION_TEXT, true, NULL, 0, 0, NULL, "the secret's name" },
        { .key = NULL },
    };
    if (list != NULL && list->kind != FC_YAML_LIST) {
        return fc_yaml_fail(config->path, list, err,
                            "`secrets` must be a list such as [{ name: PASSWORD }], not %s",
                            fc_yaml_kind_name(list));
    }
    for (const struct fc_yaml_node *item = list == NULL ? NULL : list->first; item != NULL;
         item = item->next) {
        struct fc_options *options = NULL;
        fc_code code = read_block(config, "meta.secrets", item, table, NULL, &options, err);
        if (code == FC_OK && !fc_secrets_name_ok(fc_options_text(options, "name"))) {
            code =
                fc_yaml_fail(config->path, fc_options_node(options, "name"), err,
                             "a secret's name has letters, digits and `_`, and no digit first");
        }
        fc_options_free(options);
        if (code != FC_OK) {
            return code;
        }
    }
    return FC_OK;
}

static fc_code read_retention(struct config *config, struct fc_topic_config *topic,
                              struct fc_error *err)
{
    const char *text = fc_options_text(config->producer, "retention");
    topic->retention_ms = -1;
    if (strcmp(text, "forever") != 0 &&
        (!fc_quantity_duration(text, &topic->retention_ms) || topic->retention_ms == 0)) {
        (void)fc_fail(err, FC_ERR_CONFIG,
                      "`retention` must be forever or an age such as 12h or 30d, not `%.60s`",
                      text);
        return at_option(config, config->producer, "retention", err);
    }
    return FC_OK;
}

static unsigned given_of(const struct fc_options *producer)
{
    static const struct {
        const char *key;
        unsigned bit;
    } keys[] = {
        { "retention", FC_TOPIC_RETENTION_MS },
        { "retention-bytes", FC_TOPIC_RETENTION_BYTES },
        { "segment-bytes", FC_TOPIC_SEGMENT_BYTES },
        { "record-bytes-max", FC_TOPIC_RECORD_BYTES_MAX },
    };
    unsigned given = 0;
    for (size_t index = 0; index < sizeof(keys) / sizeof(keys[0]); index++) {
        given |= fc_options_node(producer, keys[index].key) == NULL ? 0U : keys[index].bit;
    }
    return given;
}

static fc_code read_producer(struct config *config, const struct fc_yaml_node *map,
                             struct fc_error *err)
{
    struct fc_topic_config *topic = &config->public.topic_config;
    const char *compression;
    fc_code code =
        read_block(config, "meta.producer", map, PRODUCER, NULL, &config->producer, err);
    if (code != FC_OK) {
        return code;
    }
    fc_topic_config_init(topic);
    compression = fc_options_text(config->producer, "compression");
    topic->compression = FC_COMPRESSION_NONE;
    if (strcmp(compression, "lz4") == 0) {
        topic->compression = FC_COMPRESSION_LZ4;
    } else if (strcmp(compression, "zstd") == 0) {
        topic->compression = FC_COMPRESSION_ZSTD;
    }
    topic->flush = strcmp(fc_options_text(config->producer, "flush"), "os") == 0
                       ? FC_FLUSH_OS
                       : FC_FLUSH_DURABLE;
    topic->partitions = (uint32_t)fc_options_int(config->producer, "partitions");
    topic->segment_bytes = (uint64_t)fc_options_int(config->producer, "segment-bytes");
    topic->record_bytes_max = (uint64_t)fc_options_int(config->producer, "record-bytes-max");
    topic->retention_bytes = fc_options_node(config->producer, "retention-bytes") == NULL
                                 ? -1
                                 : fc_options_int(config->producer, "retention-bytes");
    topic->given = given_of(config->producer);
    config->public.batch_bytes = (size_t)fc_options_int(config->producer, "batch-size");
    return read_retention(config, topic, err);
}

static fc_code read_meta(struct config *config, const struct fc_yaml_node *map,
                         struct fc_error *err)
{
    static const char *const others[] = { "secrets", "producer", NULL };
    fc_code code = read_block(config, "meta", map, META, others, &config->meta, err);
    code = code == FC_OK ? read_names(config, err) : code;
    code = code == FC_OK ? check_secret_names(config, fc_yaml_get(map, "secrets"), err) : code;
    return code == FC_OK ? read_producer(config, fc_yaml_get(map, "producer"), err) : code;
}

/* --- the rest of the top level ------------------------------------------------------------ */

/* Several batches are on their way at once, and each is held encoded and compressed. */
static fc_code limit_batches(struct config *config, struct fc_error *err)
{
    size_t most = config->public.memory_bytes / MEMORY_TO_BATCH;
    if (config->public.batch_bytes <= most) {
        return FC_OK;
    }
    if (fc_options_node(config->producer, "batch-size") != NULL) {
        (void)fc_fail(err, FC_ERR_CONFIG,
                      "`batch-size` must be at most a %dth of `memory`: %zu KiB, or raise "
                      "`memory`",
                      MEMORY_TO_BATCH, most / 1024);
        return at_option(config, config->producer, "batch-size", err);
    }
    config->public.batch_bytes = most;
    return FC_OK;
}

static fc_code read_top(struct config *config, const struct fc_yaml_node *root,
                        struct fc_error *err)
{
    const char *const others[] = { "meta", "log", "transforms", config->plugin, NULL };
    const char *text;
    fc_code code = read_block(config, "the file", root, TOP, others, &config->top, err);
    if (code != FC_OK) {
        return code;
    }
    if (strcmp(fc_options_text(config->top, "apiVersion"), API_VERSION) != 0) {
        (void)fc_fail(err, FC_ERR_CONFIG, "`apiVersion` must be %s, not `%.40s`", API_VERSION,
                      fc_options_text(config->top, "apiVersion"));
        return at_option(config, config->top, "apiVersion", err);
    }
    config->public.envelope = strcmp(fc_options_text(config->top, "envelope"), "exact") == 0
                                  ? FC_ENVELOPE_EXACT
                                  : FC_ENVELOPE_DEBEZIUM;
    config->public.tombstones = fc_options_int(config->top, "tombstones") != 0;
    config->public.workers = (uint32_t)fc_options_int(config->top, "workers");
    config->public.memory_bytes = (size_t)fc_options_int(config->top, "memory");
    if (limit_batches(config, err) != FC_OK) {
        return FC_ERR_CONFIG;
    }
    config->public.exactly_once =
        strcmp(fc_options_text(config->top, "delivery"), "exactly-once") == 0;
    config->public.skips_gaps = strcmp(fc_options_text(config->top, "on-gap"), "skip") == 0;
    text = fc_options_text(config->top, "on-error");
    config->public.on_error = FC_ON_ERROR_FAIL;
    if (strcmp(text, "skip") == 0) {
        config->public.on_error = FC_ON_ERROR_SKIP;
    } else if (strcmp(text, "dead-letter") == 0) {
        config->public.on_error = FC_ON_ERROR_DEAD_LETTER;
    }
    text = fc_options_text(config->top, "dead-letter-topic");
    config->dead_letter_topic =
        text == NULL ? fc_asprintf("%s.dead-letter", config->public.name) : fc_strdup(text);
    config->public.dead_letter_topic = config->dead_letter_topic;
    if (text != NULL && fc_topic_name_check(text, err) != FC_OK) {
        return at_option(config, config->top, "dead-letter-topic", err);
    }
    if (text != NULL && fc_topic_name_is_template(text)) {
        (void)fc_fail(err, FC_ERR_CONFIG,
                      "`dead-letter-topic` must be one name, not a template");
        return at_option(config, config->top, "dead-letter-topic", err);
    }
    return FC_OK;
}

/* --- all of it ---------------------------------------------------------------------------- */

static fc_code missing_meta(const struct config *config, const struct fc_yaml_node *root,
                            struct fc_error *err)
{
    for (const struct fc_yaml_node *node = root->first; node != NULL; node = node->next) {
        struct fc_suggest suggest;
        fc_suggest_init(&suggest, node->key);
        fc_suggest_offer(&suggest, "meta");
        if (suggest.nearest != NULL) {
            return fc_yaml_fail_key(config->path, node, err,
                                    "unknown key `%.60s`, did you mean `meta`?", node->key);
        }
    }
    return fc_yaml_fail(config->path, root, err,
                        "`meta` is missing: a map with at least name, type and topic");
}

static fc_code read_all(struct config *config, const struct fc_config_source *source,
                        struct fc_error *err)
{
    const struct fc_yaml_node *root = config->yaml.root;
    const struct fc_yaml_node *meta;
    fc_code code;
    if (root->kind != FC_YAML_MAP) {
        return fc_yaml_fail(
            config->path, root, err,
            "a connector file is a map that begins with `apiVersion: %s`, not %s", API_VERSION,
            fc_yaml_kind_name(root));
    }
    meta = fc_yaml_get(root, "meta");
    if (meta == NULL) {
        return missing_meta(config, root, err);
    }
    code = read_meta(config, meta, err);
    if (code == FC_OK && source->find_plugin != NULL &&
        source->find_plugin(source->ctx, config->plugin, err) != FC_OK) {
        code = at_option(config, config->meta, "type", err);
    }
    code = code == FC_OK ? read_top(config, root, err) : code;
    code = code == FC_OK ? fc_config_log_read(config->path, config->dir, config->public.name,
                                              fc_yaml_get(root, "log"), &config->log, err)
                         : code;
    code = code == FC_OK ? fc_config_secrets_check(&config->yaml, config->plugin, err) : code;
    if (code == FC_OK && !source->without_secrets) {
        code = fc_config_secrets_fill(&config->yaml, config->plugin, source->secrets_path, err);
    }
    if (code == FC_OK) {
        code = fc_config_steps_read(config->path, fc_yaml_get(root, "transforms"),
                                    &config->steps, err);
    }
    if (code == FC_OK) {
        code = fc_config_log_fill(config->path, &config->log, source->without_secrets, err);
    }
    config->public.log_dir = config->log.dir;
    config->public.log_listen_host = config->log.listen_host;
    config->public.log_listen_port = config->log.listen_port;
    if (code == FC_OK && config->public.is_sink && config->log.kafka_block == NULL) {
        config->state_dir = strcmp(config->dir, ".") == 0
                                ? fc_asprintf("./fluvio-%s", config->public.name)
                                : fc_asprintf("%s/fluvio-%s", config->dir, config->public.name);
    }
    config->public.state_dir = config->state_dir == NULL ? config->log.dir : config->state_dir;
    config->public.kafka = config->log.kafka;
    config->public.kafka_count = config->log.kafka_count;
    config->public.kafka_password_in_clear = config->log.in_clear;
    config->public.kafka_replication = config->log.replication_factor;
    config->public.steps = config->steps.items;
    config->public.step_count = config->steps.count;
    config->public.plugin_block = code == FC_OK ? fc_yaml_get(root, config->plugin) : NULL;
    return code;
}

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return fc_strdup(".");
    }
    return slash == path ? fc_strdup("/") : fc_strndup(path, (size_t)(slash - path));
}

fc_code fc_config_parse(struct fc_slice text, const struct fc_config_source *source,
                        struct fc_config **out_config, struct fc_error *err)
{
    struct config *config = fc_new(struct config);
    fc_code code;
    config->path = fc_strdup(source->path);
    config->dir = directory_of(source->path);
    config->public.path = config->path;
    config->public.dir = config->dir;
    code = fc_yaml_parse(text, config->path, &config->yaml, err);
    code = code == FC_OK ? read_all(config, source, err) : code;
    if (code != FC_OK) {
        fc_config_free(&config->public);
        return code;
    }
    *out_config = &config->public;
    return FC_OK;
}

fc_code fc_config_load(const struct fc_config_source *source, struct fc_config **out_config,
                       struct fc_error *err)
{
    struct fc_buf text;
    struct stat info = { 0 };
    fc_code code;
    fc_buf_init(&text, FC_CONFIG_FILE_BYTES_MAX);
    code = fc_text_file_read(source->path, "", &text, &info, err);
    if (code == FC_OK) {
        code = fc_config_parse(fc_buf_slice(&text), source, out_config, err);
    }
    if (code == FC_OK) {
        (*out_config)->readable_by_others = (info.st_mode & 0044) != 0;
    }
    if (text.data != NULL) {
        explicit_bzero(text.data, text.len);
    }
    fc_buf_release(&text);
    return code;
}

void fc_config_free(struct fc_config *public)
{
    struct config *config = (struct config *)(void *)public;
    if (config == NULL) {
        return;
    }
    fc_config_steps_release(&config->steps);
    fc_options_free(config->top);
    fc_options_free(config->meta);
    fc_options_free(config->producer);
    fc_config_log_release(&config->log);
    fc_yaml_release(&config->yaml);
    free(config->path);
    free(config->dir);
    free(config->plugin);
    free(config->dead_letter_topic);
    free(config->state_dir);
    free(config);
}

fc_code fc_config_wrap(const struct fc_config *public, const char *key, struct fc_error *err)
{
    const struct config *config = (const struct config *)(const void *)public;
    const struct fc_yaml_node *node = config->yaml.root;
    char name[FC_CONFIG_NAME_MAX];
    while (node != NULL && *key != '\0') {
        size_t len = strcspn(key, ".");
        (void)snprintf(name, sizeof(name), "%.*s", (int)len, key);
        node = fc_yaml_get(node, name);
        key += len + (key[len] == '.' ? 1 : 0);
    }
    return node == NULL ? fc_wrap(err, "%s", public->path)
                        : fc_yaml_wrap(public->path, node, err);
}

fc_code fc_options_new(const struct fc_config *config, const struct fc_option *table,
                       struct fc_options **out_options, struct fc_error *err)
{
    struct fc_options_source source = { .path = config->path,
                                        .what = config->plugin,
                                        .map = config->plugin_block,
                                        .readable_by_others = config->readable_by_others };
    return fc_options_read(&source, table, out_options, err);
}
