/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/spu_file.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/path.h"
#include "core/base/quantity.h"
#include "core/base/suggest.h"
#include "core/base/text_file.h"
#include "core/spu/spu_file_auth.h"

enum { FILE_BYTES_MAX = 1024 * 1024, PORT_DEFAULT = 9092, PORT_MAX = 65535 };

static const struct fc_option OPTIONS[] = {
    { "node-id", FC_OPTION_INT, false, "1", 0, INT32_MAX, NULL,
      "The node's number in its cluster." },
    { "data-dir", FC_OPTION_TEXT, true, NULL, 0, 0, NULL,
      "Where the log is; made when it is missing." },
    { "cluster-id", FC_OPTION_TEXT, false, NULL, 0, 0, NULL,
      "The cluster's id; made and kept in the data directory when it is not given." },
    { "threads", FC_OPTION_INT, false, "0", 0, 1024, NULL,
      "Threads that serve connections; 0: one for each core." },
    { "auto-create-topics", FC_OPTION_BOOL, false, "true", 0, 0, NULL,
      "Make a topic when a client asks for it by name." },
    { "partitions", FC_OPTION_INT, false, "1", 1, 10000, NULL,
      "Partitions of a topic whose creator does not say how many." },
    { "connections-max", FC_OPTION_INT, false, "20000", 1, 10000000, NULL,
      "Connections at a time." },
    { "connections-per-address", FC_OPTION_INT, false, "0", 0, 10000000, NULL,
      "Connections of one address at a time; 0: no limit of their own." },
    { "idle-timeout", FC_OPTION_DURATION, false, "10m", 1000, INT64_MAX, NULL,
      "Close a connection on which nothing happens for so long." },
    { "request-size-max", FC_OPTION_SIZE, false, "100MiB", 1024, INT32_MAX, NULL,
      "The largest request." },
    { "request-memory", FC_OPTION_SIZE, false, "512MiB", 1 << 20, INT64_MAX, NULL,
      "Memory that requests of all connections together may take." },
    { "send-buffer", FC_OPTION_SIZE, false, "256KiB", 0, INT32_MAX, NULL,
      "What the kernel keeps for a client that has not taken it; more for one far away; 0: as "
      "it "
      "likes." },
    { "group-initial-delay", FC_OPTION_DURATION, false, "0", 0, 3600000, NULL,
      "The first rebalance of a consumer group waits so long for more members." },
    { "group-size-max", FC_OPTION_INT, false, "1000", 1, INT32_MAX, NULL,
      "Members of one consumer group." },
    { "offsets-retention", FC_OPTION_DURATION, false, "7d", 0, INT64_MAX, NULL,
      "Keep the offsets of an empty group for so long." },
    { "transaction-timeout-max", FC_OPTION_DURATION, false, "15m", 1000, INT32_MAX, NULL,
      "The longest time-out that a transaction may ask for." },
    { NULL, FC_OPTION_TEXT, false, NULL, 0, 0, NULL, NULL },
};

static const char *const OTHER_KEYS[] = { "listeners", "topics", "authorization", NULL };

static const struct fc_option LISTENER_OPTIONS[] = {
    { "name", FC_OPTION_TEXT, false, "PLAINTEXT", 0, 0, NULL, "What clients' logs call it." },
    { "host", FC_OPTION_TEXT, false, "127.0.0.1", 0, 0, NULL,
      "The address to listen on; 0.0.0.0 and :: stand for all." },
    { "port", FC_OPTION_INT, false, "9092", 0, PORT_MAX, NULL, "0: any free one." },
    { "advertised", FC_OPTION_TEXT, false, NULL, 0, 0, NULL,
      "host:port that clients are told to connect to; as host and port when missing." },
    { "auth", FC_OPTION_CHOICE, false, "none", 0, 0, "none|sasl",
      "Whether clients log in; without it they are who their certificate says, or ANONYMOUS." },
    { "mechanisms", FC_OPTION_LIST, false, NULL, 0, 0, NULL,
      "Of SASL: PLAIN (with tls), SCRAM-SHA-256, SCRAM-SHA-512; all of them when missing." },
    { "plain-without-tls", FC_OPTION_BOOL, false, "false", 0, 0, NULL,
      "Let passwords of PLAIN go over the wire in clear." },
    { "reauthenticate-after", FC_OPTION_DURATION, false, "0", 0, INT32_MAX, NULL,
      "Clients log in again before so long, or are closed; 0: once is enough." },
    { "principals", FC_OPTION_LIST, false, NULL, 0, 0, NULL,
      "Rules that make principals of certificates' subjects; docs/security.md." },
    { NULL, FC_OPTION_TEXT, false, NULL, 0, 0, NULL, NULL },
};

static const struct fc_option TLS_OPTIONS[] = {
    { "certificate", FC_OPTION_TEXT, true, NULL, 0, 0, NULL,
      "A PEM file: the certificate, then its chain." },
    { "key", FC_OPTION_TEXT, true, NULL, 0, 0, NULL, "A PEM file: the private key." },
    { "client-ca", FC_OPTION_TEXT, false, NULL, 0, 0, NULL,
      "A PEM file: who signs clients' certificates." },
    { "client-auth", FC_OPTION_CHOICE, false, "none", 0, 0, "none|request|require",
      "Whether clients show a certificate." },
    { NULL, FC_OPTION_TEXT, false, NULL, 0, 0, NULL, NULL },
};

const struct fc_spu_file_block *fc_spu_file_block(size_t index)
{
    static const struct fc_spu_file_block blocks[] = {
        { "", OPTIONS },
        { "listeners[].", LISTENER_OPTIONS },
        { "listeners[].tls.", TLS_OPTIONS },
        { "authorization.", FC_SPU_FILE_AUTHORIZATION },
    };
    return index < sizeof(blocks) / sizeof(blocks[0]) ? &blocks[index] : NULL;
}

static fc_code split_advertised(struct fc_spu_file *file, const struct fc_yaml_node *node,
                                const char *text, struct fc_listener_config *listener,
                                struct fc_error *err)
{
    const char *colon = strrchr(text, ':');
    int64_t port = 0;
    struct fc_slice host;
    if (colon == NULL || colon == text || !fc_quantity_int(colon + 1, &port) || port < 1 ||
        port > PORT_MAX) {
        return fc_yaml_fail(file->yaml.path, node, err, "advertised is host:port, not \"%s\"",
                            text);
    }
    host = fc_arena_copy(&file->yaml.arena, fc_slice_of(text, (size_t)(colon - text) + 1));
    fc_assert(host.data != NULL);
    ((char *)fc_unconst(host.data))[colon - text] = '\0'; /* our copy */
    listener->advertised_host = (const char *)host.data;
    listener->advertised_port = (uint16_t)port;
    return FC_OK;
}

/* From the working directory, wherever the file is. */
static const char *keep_path(struct fc_spu_file *file, const char *text)
{
    char *path = text == NULL ? NULL : fc_path_beside(file->yaml.path, text);
    const char *kept = fc_spu_file_keep(file, path);
    free(path);
    return kept;
}

static fc_code read_tls(struct fc_spu_file *file, const struct fc_yaml_node *map,
                        struct fc_tls_config *tls, struct fc_error *err)
{
    struct fc_options_source source = { .path = file->yaml.path, .what = "tls", .map = map };
    struct fc_options *options = NULL;
    const char *auth;
    fc_code code = fc_options_read(&source, TLS_OPTIONS, &options, err);
    if (code != FC_OK) {
        return code;
    }
    tls->cert_file = keep_path(file, fc_options_text(options, "certificate"));
    tls->key_file = keep_path(file, fc_options_text(options, "key"));
    tls->ca_file = keep_path(file, fc_options_text(options, "client-ca"));
    auth = fc_options_text(options, "client-auth");
    tls->client_auth = strcmp(auth, "require") == 0   ? FC_TLS_CLIENT_REQUIRE
                       : strcmp(auth, "request") == 0 ? FC_TLS_CLIENT_REQUEST
                                                      : FC_TLS_CLIENT_NONE;
    if (tls->client_auth != FC_TLS_CLIENT_NONE && tls->ca_file == NULL) {
        code = fc_yaml_fail_key(file->yaml.path, map, err,
                                "client-auth needs client-ca: who signs the certificates");
    }
    fc_options_free(options);
    return code;
}

static fc_code read_listener(struct fc_spu_file *file, struct fc_yaml_node *map, size_t which,
                             struct fc_error *err)
{
    static const char *const others[] = { "tls", NULL };
    struct fc_options_source source = {
        .path = file->yaml.path, .what = "listener", .map = map, .others = others
    };
    struct fc_listener_config *listener = &file->listeners[which];
    const struct fc_yaml_node *tls = fc_yaml_get(map, "tls");
    struct fc_options *options = NULL;
    const char *advertised;
    fc_code code = fc_options_read(&source, LISTENER_OPTIONS, &options, err);
    if (code != FC_OK) {
        return code;
    }
    listener->name = fc_spu_file_keep(file, fc_options_text(options, "name"));
    listener->host = fc_spu_file_keep(file, fc_options_text(options, "host"));
    listener->port = (uint16_t)fc_options_int(options, "port");
    advertised = fc_options_text(options, "advertised");
    if (advertised != NULL) {
        code = split_advertised(file, fc_options_node(options, "advertised"), advertised,
                                listener, err);
    }
    if (code == FC_OK && tls != NULL) {
        listener->tls = &file->tls[which];
        code = read_tls(file, tls, &file->tls[which], err);
    }
    if (code == FC_OK) {
        code = fc_spu_file_take_auth(file, options, map, which, err);
    }
    fc_options_free(options);
    return code;
}

static fc_code read_listeners(struct fc_spu_file *file, struct fc_error *err)
{
    struct fc_yaml_node *list = fc_yaml_get(file->yaml.root, "listeners");
    size_t which = 0;
    size_t count = list == NULL ? 1 : list->count;
    fc_code code = FC_OK;
    if (list != NULL && (list->kind != FC_YAML_LIST || list->count == 0)) {
        return fc_yaml_fail_key(file->yaml.path, list, err,
                                "listeners is a list of at least one listener");
    }
    file->listeners = fc_new_array(struct fc_listener_config, count);
    file->tls = fc_new_array(struct fc_tls_config, count);
    fc_spu_file_begin_auth(file, count);
    file->config.net.listeners = file->listeners;
    file->config.net.listeners_count = count;
    if (list == NULL) {
        file->listeners[0].name = "PLAINTEXT";
        file->listeners[0].host = "127.0.0.1";
        file->listeners[0].port = PORT_DEFAULT;
        return FC_OK;
    }
    for (struct fc_yaml_node *node = list->first; code == FC_OK && node != NULL;
         node = node->next) {
        code = read_listener(file, node, which++, err);
    }
    return code;
}

static fc_code read_topics(struct fc_spu_file *file, struct fc_error *err)
{
    const struct fc_yaml_node *map = fc_yaml_get(file->yaml.root, "topics");
    fc_log_topic_config_init(&file->topics);
    if (map == NULL) {
        return FC_OK;
    }
    if (map->kind != FC_YAML_MAP) {
        return fc_yaml_fail_key(file->yaml.path, map, err, "topics is a map of settings");
    }
    for (const struct fc_yaml_node *node = map->first; node != NULL; node = node->next) {
        struct fc_error why;
        fc_code code;
        if (node->kind != FC_YAML_SCALAR) {
            return fc_yaml_fail(file->yaml.path, node, err, "%s is a text or a number",
                                node->key);
        }
        code = fc_log_topic_config_set(&file->topics, node->key, node->text, &why);
        if (code == FC_ERR_NOT_FOUND) {
            struct fc_suggest suggest;
            char hint[FC_SUGGEST_TEXT_SIZE];
            fc_suggest_init(&suggest, node->key);
            for (size_t index = 0; fc_log_topic_config_key(index) != NULL; index++) {
                fc_suggest_offer(&suggest, fc_log_topic_config_key(index));
            }
            return fc_yaml_fail_key(file->yaml.path, node, err, "%s%s", why.message,
                                    fc_suggest_text(&suggest, hint));
        }
        if (code != FC_OK) {
            return fc_yaml_fail(file->yaml.path, node, err, "%s", why.message);
        }
    }
    return FC_OK;
}

static void take_options(struct fc_spu_file *file)
{
    const struct fc_options *options = file->options;
    struct fc_spu_config *config = &file->config;
    file->data_dir = keep_path(file, fc_options_text(options, "data-dir"));
    config->node_id = (int32_t)fc_options_int(options, "node-id");
    config->cluster_id = fc_options_text(options, "cluster-id");
    config->net.loops = (unsigned)fc_options_int(options, "threads");
    config->net.connections_max = (size_t)fc_options_int(options, "connections-max");
    config->net.connections_ip_max = (size_t)fc_options_int(options, "connections-per-address");
    config->net.idle_ms = fc_options_int(options, "idle-timeout");
    config->net.frame_max = (size_t)fc_options_int(options, "request-size-max");
    config->net.requests_memory_max = (size_t)fc_options_int(options, "request-memory");
    config->net.send_buffer = (size_t)fc_options_int(options, "send-buffer");
    config->auto_create_topics = fc_options_int(options, "auto-create-topics") != 0;
    config->partitions_default = (uint32_t)fc_options_int(options, "partitions");
    config->group_initial_delay_ms = (int32_t)fc_options_int(options, "group-initial-delay");
    config->group_size_max = (int32_t)fc_options_int(options, "group-size-max");
    config->offsets_retention_ms = fc_options_int(options, "offsets-retention");
    config->transaction_timeout_max_ms =
        (int32_t)fc_options_int(options, "transaction-timeout-max");
}

static fc_code read_tree(struct fc_spu_file *file, struct fc_error *err)
{
    struct fc_options_source source = { .path = file->yaml.path,
                                        .what = "the file",
                                        .map = file->yaml.root,
                                        .others = OTHER_KEYS };
    fc_code code;
    if (file->yaml.root->kind != FC_YAML_MAP) {
        return fc_yaml_fail(file->yaml.path, file->yaml.root, err, "the file is a map");
    }
    code = fc_options_read(&source, OPTIONS, &file->options, err);
    if (code == FC_OK) {
        take_options(file);
        code = read_listeners(file, err);
    }
    if (code == FC_OK) {
        code = fc_spu_file_read_authorization(file, err);
    }
    return code == FC_OK ? read_topics(file, err) : code;
}

fc_code fc_spu_file_read(const char *path, struct fc_spu_file **out_file, struct fc_error *err)
{
    struct fc_spu_file *file = fc_new(struct fc_spu_file);
    struct fc_buf text;
    fc_code code;
    fc_spu_config_init(&file->config);
    fc_buf_init(&text, FILE_BYTES_MAX);
    code = fc_text_file_read(path, "", &text, NULL, err);
    if (code == FC_OK) {
        code = fc_yaml_parse(fc_buf_slice(&text), path, &file->yaml, err);
    }
    fc_buf_release(&text);
    if (code != FC_OK) {
        free(file);
        return code;
    }
    code = read_tree(file, err);
    if (code == FC_OK) {
        *out_file = file;
    } else {
        fc_spu_file_free(file);
    }
    return code;
}

void fc_spu_file_free(struct fc_spu_file *file)
{
    if (file != NULL) {
        fc_options_free(file->options);
        fc_yaml_release(&file->yaml);
        fc_spu_file_release_auth(file);
        free(file->listeners);
        free(file->tls);
        free(file);
    }
}
