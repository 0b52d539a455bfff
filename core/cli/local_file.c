/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/local_file.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"
#include "core/base/path.h"
#include "core/base/quantity.h"
#include "core/base/text_file.h"
#include "core/base/yaml.h"
#include "core/base/yaml_json.h"

enum { FILE_BYTES_MAX = 1024 * 1024, PORT_DEFAULT = 9092, PORT_MAX = 65535 };

static char *copy_text(const struct fc_yaml_node *map, const char *key)
{
    const struct fc_yaml_node *node = fc_yaml_get(map, key);
    return node == NULL || node->text == NULL ? NULL : fc_strdup(node->text);
}

/* As the server reads it: a relative one starts at the file's directory. */
static char *copy_path(const char *file, const struct fc_yaml_node *map, const char *key)
{
    const struct fc_yaml_node *node = fc_yaml_get(map, key);
    return node == NULL || node->text == NULL ? NULL : fc_path_beside(file, node->text);
}

static fc_code read_listener(const char *path, const struct fc_yaml_node *node,
                             struct fc_local_listener *listener, struct fc_error *err)
{
    const struct fc_yaml_node *port = fc_yaml_get(node, "port");
    const struct fc_yaml_node *tls = fc_yaml_get(node, "tls");
    const struct fc_yaml_node *auth = fc_yaml_get(node, "auth");
    int64_t number = PORT_DEFAULT;
    if (port != NULL && (port->text == NULL || !fc_quantity_int(port->text, &number) ||
                         number < 0 || number > PORT_MAX)) {
        return fc_yaml_fail(path, port, err, "`port` must be a number up to %d", PORT_MAX);
    }
    listener->host = copy_text(node, "host");
    listener->host = listener->host == NULL ? fc_strdup("127.0.0.1") : listener->host;
    listener->port = (int)number;
    listener->sasl = auth != NULL && auth->text != NULL && strcmp(auth->text, "sasl") == 0;
    listener->certificate = copy_path(path, tls, "certificate");
    listener->key = copy_path(path, tls, "key");
    listener->client_ca = copy_path(path, tls, "client-ca");
    return FC_OK;
}

static fc_code read_root(const struct fc_yaml *yaml, struct fc_local_file *file,
                         struct fc_error *err)
{
    const struct fc_yaml_node *listeners = fc_yaml_get(yaml->root, "listeners");
    fc_code code = FC_OK;
    file->data_dir = copy_path(yaml->path, yaml->root, "data-dir");
    if (file->data_dir == NULL) {
        return fc_yaml_fail(yaml->path, yaml->root, err, "`data-dir` is missing");
    }
    if (listeners == NULL) {
        file->listener_count = 1;
        file->listeners[0].host = fc_strdup("127.0.0.1");
        file->listeners[0].port = PORT_DEFAULT;
        return FC_OK;
    }
    for (const struct fc_yaml_node *at = listeners->first; at != NULL && code == FC_OK;
         at = at->next) {
        if (file->listener_count == FC_LOCAL_LISTENERS_MAX) {
            return fc_yaml_fail(yaml->path, at, err, "more than %d listeners",
                                FC_LOCAL_LISTENERS_MAX);
        }
        code = read_listener(yaml->path, at, &file->listeners[file->listener_count++], err);
    }
    return code;
}

static fc_code parse(const char *path, struct fc_buf *text, struct fc_yaml *out_yaml,
                     struct fc_error *err)
{
    fc_code code = fc_text_file_read(path, "", text, NULL, err);
    if (code == FC_OK) {
        code = fc_yaml_parse(fc_buf_slice(text), path, out_yaml, err);
    }
    if (code == FC_OK && out_yaml->root->kind != FC_YAML_MAP) {
        code = fc_yaml_fail(path, out_yaml->root, err, "this is no server's file");
        fc_yaml_release(out_yaml);
    }
    return code;
}

fc_code fc_local_file_read(const char *path, struct fc_local_file *out_file,
                           struct fc_error *err)
{
    struct fc_local_file file = { .data_dir = NULL };
    struct fc_yaml yaml;
    struct fc_buf text;
    fc_code code;
    fc_buf_init(&text, FILE_BYTES_MAX);
    code = parse(path, &text, &yaml, err);
    if (code == FC_OK) {
        code = read_root(&yaml, &file, err);
        fc_yaml_release(&yaml);
    }
    fc_buf_release(&text);
    if (code != FC_OK) {
        fc_local_file_release(&file);
        return code;
    }
    *out_file = file;
    return FC_OK;
}

void fc_local_file_release(struct fc_local_file *file)
{
    for (int index = 0; index < file->listener_count; index++) {
        free(file->listeners[index].host);
        free(file->listeners[index].certificate);
        free(file->listeners[index].key);
        free(file->listeners[index].client_ca);
    }
    free(file->data_dir);
    memset(file, 0, sizeof(*file));
}

/* --- redacted ----------------------------------------------------------------------------- */

static bool looks_secret(const char *key)
{
    static const char *const words[] = { "password", "secret", "token", "credential" };
    for (size_t index = 0; index < sizeof(words) / sizeof(*words); index++) {
        if (strcasestr(key, words[index]) != NULL) {
            return true;
        }
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as YAML may be, FC_YAML_DEPTH_MAX */
static void redact(json_t *tree)
{
    const char *key;
    json_t *child;
    size_t index;
    void *next;
    json_array_foreach(tree, index, child)
    {
        redact(child);
    }
    json_object_foreach_safe(tree, next, key, child)
    {
        if (looks_secret(key)) {
            json_object_set_new(tree, key, json_string("(secret)"));
        } else {
            redact(child);
        }
    }
}

fc_code fc_local_file_redacted(const char *path, json_t **out_tree, struct fc_error *err)
{
    struct fc_yaml yaml;
    struct fc_buf text;
    char *dumped = NULL;
    json_t *tree = NULL;
    fc_code code;
    fc_buf_init(&text, FILE_BYTES_MAX);
    code = parse(path, &text, &yaml, err);
    if (code == FC_OK) {
        code = fc_yaml_to_json(yaml.root, &dumped, err);
        fc_yaml_release(&yaml);
    }
    if (code == FC_OK) {
        tree = json_loads(dumped, JSON_DECODE_ANY, NULL);
        if (tree == NULL) {
            code = fc_fail(err, FC_ERR_CONFIG, "%s cannot be written as JSON", path);
        } else {
            redact(tree);
            *out_tree = tree;
        }
    }
    free(dumped);
    fc_buf_release(&text);
    return code;
}

/* --- a new one ---------------------------------------------------------------------------- */

char *fc_local_file_text(const char *data_dir, int port)
{
    json_t *path = json_string(data_dir); /* JSON's quotes are YAML's */
    char *quoted = path == NULL ? NULL : json_dumps(path, JSON_ENCODE_ANY);
    char *text =
        fc_asprintf("# A cluster of one node on this machine, written by `fluvio cluster "
                    "start`.\n"
                    "node-id: 1\n"
                    "data-dir: %s\n"
                    "listeners:\n"
                    "  - name: PLAINTEXT\n"
                    "    host: 127.0.0.1\n"
                    "    port: %d\n",
                    quoted == NULL ? "\"\"" : quoted, port);
    free(quoted);
    json_decref(path);
    return text;
}
