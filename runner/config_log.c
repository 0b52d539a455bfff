/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/config_log.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/options_check.h"
#include "core/base/quantity.h"

enum { REPLICATION_MAX = 32767 };

static const char STATE_DIR[] = "state-dir";
static const char REPLICATION[] = "replication-factor";

static const struct fc_option EMBEDDED[] = {
    { "dir", FC_OPTION_TEXT, false, "./fluvio-data", 0, 0, NULL, "where the log's files are" },
    { "listen", FC_OPTION_TEXT, false, NULL, 0, 0, NULL,
      "host:port where Kafka clients can read the log while the capture runs" },
    { .key = NULL },
};

static const struct fc_option NOTHING[] = { { .key = NULL } };

/* A path of the file, seen from the working directory. */
static char *beside_file(const char *base_dir, const char *path)
{
    if (*path == '/' || strcmp(base_dir, ".") == 0) {
        return fc_strdup(path);
    }
    return fc_asprintf("%s/%s", base_dir, strncmp(path, "./", 2) == 0 ? path + 2 : path);
}

/* "127.0.0.1:9092", "[::1]:9092". */
static fc_code read_listen(const char *path, struct fc_config_log *log, struct fc_error *err)
{
    const char *text = fc_options_text(log->embedded, "listen");
    const char *colon = text == NULL ? NULL : strrchr(text, ':');
    bool bracketed = text != NULL && text[0] == '[';
    int64_t port = 0;
    size_t length;
    if (text == NULL) {
        return FC_OK;
    }
    length = colon == NULL ? 0 : (size_t)(colon - text);
    if (length == 0 || !fc_quantity_int(colon + 1, &port) || port < 0 || port > UINT16_MAX ||
        (bracketed && text[length - 1] != ']')) {
        (void)fc_fail(err, FC_ERR_CONFIG, "`listen` is host:port, as in 127.0.0.1:9092");
        return fc_yaml_wrap(path, fc_options_node(log->embedded, "listen"), err);
    }
    log->listen_host = bracketed ? fc_strndup(text + 1, length - 2) : fc_strndup(text, length);
    log->listen_port = (uint16_t)port;
    return FC_OK;
}

static fc_code read_embedded(const char *path, const char *base_dir,
                             const struct fc_yaml_node *map, struct fc_config_log *log,
                             struct fc_error *err)
{
    struct fc_options_source source = { .path = path, .what = "log.embedded", .map = map };
    fc_code code = fc_options_read(&source, EMBEDDED, &log->embedded, err);
    const char *dir;
    if (code != FC_OK) {
        return code;
    }
    dir = fc_options_text(log->embedded, "dir");
    if (*dir == '\0') {
        (void)fc_fail(err, FC_ERR_CONFIG, "`dir` is empty: name a directory");
        return fc_yaml_wrap(path, fc_options_node(log->embedded, "dir"), err);
    }
    log->dir = beside_file(base_dir, dir);
    return read_listen(path, log, err);
}

/* --- a cluster ---------------------------------------------------------------------------- */

static bool is_own(const char *key)
{
    return strcmp(key, STATE_DIR) == 0 || strcmp(key, REPLICATION) == 0;
}

static fc_code check_kinds(const char *path, const struct fc_yaml_node *block,
                           struct fc_error *err)
{
    if (block->kind != FC_YAML_MAP) {
        return fc_yaml_fail(path, block, err,
                            "`kafka` must be a map of librdkafka's properties, not %s",
                            fc_yaml_kind_name(block));
    }
    for (const struct fc_yaml_node *node = block->first; node != NULL; node = node->next) {
        if (node->kind != FC_YAML_SCALAR || fc_yaml_is_null(node)) {
            return fc_yaml_fail(
                path, node, err, "`%.80s` must have one value, not %s", node->key,
                node->kind == FC_YAML_SCALAR ? "none" : fc_yaml_kind_name(node));
        }
    }
    if (fc_yaml_get(block, "bootstrap.servers") == NULL &&
        fc_yaml_get(block, "metadata.broker.list") == NULL) {
        return fc_yaml_fail(path, block, err,
                            "`bootstrap.servers` is missing in log.kafka: the brokers to begin "
                            "with, such as 127.0.0.1:9092");
    }
    return FC_OK;
}

static fc_code read_kafka(const char *path, const char *base_dir, const char *name,
                          struct fc_config_log *log, struct fc_error *err)
{
    const struct fc_yaml_node *block = log->kafka_block;
    const struct fc_yaml_node *dir = fc_yaml_get(block, STATE_DIR);
    const struct fc_yaml_node *replication = fc_yaml_get(block, REPLICATION);
    fc_code code = check_kinds(path, block, err);
    char *end = NULL;
    char *usual;
    long count;
    if (code != FC_OK) {
        return code;
    }
    if (replication != NULL) {
        count = strtol(replication->text, &end, 10);
        if (*replication->text == '\0' || *end != '\0' || count < 1 ||
            count > REPLICATION_MAX) {
            return fc_yaml_fail(path, replication, err,
                                "`%s` must be a number from 1 to %d; without it the cluster's "
                                "default counts",
                                REPLICATION, REPLICATION_MAX);
        }
        log->replication_factor = (int)count;
    }
    if (dir != NULL && *dir->text == '\0') {
        return fc_yaml_fail(path, dir, err, "`%s` is empty: name a directory", STATE_DIR);
    }
    usual = fc_asprintf("./fluvio-%s", name);
    log->dir = beside_file(base_dir, dir == NULL ? usual : dir->text);
    free(usual);
    return FC_OK;
}

fc_code fc_config_log_read(const char *path, const char *base_dir, const char *name,
                           const struct fc_yaml_node *map, struct fc_config_log *out_log,
                           struct fc_error *err)
{
    static const char *const others[] = { "embedded", "kafka", NULL };
    struct fc_options_source source = {
        .path = path, .what = "log", .map = map, .others = others
    };
    struct fc_options *nothing = NULL;
    const struct fc_yaml_node *embedded;
    fc_code code = fc_options_read(&source, NOTHING, &nothing, err);
    fc_options_free(nothing);
    if (code != FC_OK) {
        return code;
    }
    embedded = fc_yaml_get(map, "embedded");
    out_log->replication_factor = FC_KAFKA_REPLICATION_DEFAULT;
    out_log->kafka_block = fc_yaml_get(map, "kafka");
    if (out_log->kafka_block == NULL) {
        return read_embedded(path, base_dir, embedded, out_log, err);
    }
    if (embedded != NULL) {
        return fc_yaml_fail_key(path, embedded, err,
                                "the log is either `embedded` or `kafka`: name one");
    }
    return read_kafka(path, base_dir, name, out_log, err);
}

static fc_code check_property(const char *path, const struct fc_yaml_node *node,
                              struct fc_error *err)
{
    fc_code code = fc_kafka_check_property(node->key, node->text, err);
    char message[FC_ERROR_MESSAGE_SIZE];
    if (code == FC_OK) {
        return FC_OK;
    }
    if (code == FC_ERR_NOT_FOUND) { /* the key is wrong, not the value */
        memcpy(message, err->message, sizeof(message));
        return fc_yaml_fail_key(path, node, err, "%s", message);
    }
    return fc_yaml_wrap(path, node, err);
}

static bool is_password(const char *key)
{
    static const char suffix[] = "password";
    size_t len = strlen(key);
    return len >= sizeof(suffix) - 1 && strcmp(key + len - (sizeof(suffix) - 1), suffix) == 0;
}

fc_code fc_config_log_fill(const char *path, struct fc_config_log *log, bool without_secrets,
                           struct fc_error *err)
{
    fc_code code = FC_OK;
    if (log->kafka_block == NULL) {
        return FC_OK;
    }
    log->kafka = fc_new_array(struct fc_kafka_property, log->kafka_block->count + 1);
    for (const struct fc_yaml_node *node = log->kafka_block->first;
         node != NULL && code == FC_OK; node = node->next) {
        bool unknown = without_secrets && strstr(node->text, "${{") != NULL;
        if (is_own(node->key)) {
            continue;
        }
        if (is_password(node->key) && !node->secret) {
            log->in_clear = node->key;
        }
        code = unknown ? FC_OK : check_property(path, node, err);
        log->kafka[log->kafka_count++] = (struct fc_kafka_property){ node->key, node->text };
    }
    return code;
}

void fc_config_log_release(struct fc_config_log *log)
{
    fc_options_free(log->embedded);
    free(log->dir);
    free(log->listen_host);
    free(log->kafka);
}
