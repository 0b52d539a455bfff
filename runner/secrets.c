/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/secrets.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"
#include "core/base/suggest.h"
#include "core/base/text_file.h"

static const char OPEN[] = "${{";
static const char CLOSE[] = "}}";
static const char PREFIX[] = "secrets.";

enum { NAME_MAX_LENGTH = 128, TEXT_BYTES_MAX = 256 * 1024 };

struct secret {
    const char *name; /* both point into `text` */
    const char *value;
};

struct fc_secrets {
    const char *path;
    char *text; /* the file, its separators replaced by NUL */
    size_t text_len;
    struct secret *items;
    size_t count;
};

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_';
}

bool fc_secrets_name_ok(const char *name)
{
    size_t length = 0;
    while (is_name_char(name[length])) {
        length++;
    }
    return length > 0 && length <= NAME_MAX_LENGTH && name[length] == '\0' &&
           !(name[0] >= '0' && name[0] <= '9');
}

/* --- the file ----------------------------------------------------------------------------- */

static fc_code check_closed(const char *path, const struct stat *info, struct fc_error *err)
{
    if (info->st_uid != geteuid()) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "secrets file %s belongs to another user (uid %u): chown %u %s", path,
                       (unsigned)info->st_uid, (unsigned)geteuid(), path);
    }
    if ((info->st_mode & 0177) != 0) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "secrets file %s is open to others (mode %04o): chmod 600 %s", path,
                       (unsigned)(info->st_mode & 07777), path);
    }
    return FC_OK;
}

static const char *find(const struct fc_secrets *secrets, const char *name)
{
    for (size_t index = 0; index < secrets->count; index++) {
        if (strcmp(secrets->items[index].name, name) == 0) {
            return secrets->items[index].value;
        }
    }
    return NULL;
}

static fc_code take_line(struct fc_secrets *secrets, char *line, uint32_t number,
                         struct fc_error *err)
{
    char *equals = strchr(line, '=');
    size_t len = strlen(line);
    if (len > 0 && line[len - 1] == '\r') {
        line[len - 1] = '\0';
    }
    if (line[0] == '\0' || line[0] == '#') {
        return FC_OK;
    }
    if (equals != NULL) {
        *equals = '\0';
    }
    if (equals == NULL || !fc_secrets_name_ok(line)) {
        return fc_fail(err, FC_ERR_CONFIG, "%s:%u: not a line of the form NAME=value",
                       secrets->path, number);
    }
    if (find(secrets, line) != NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "%s:%u: secret %s stands twice", secrets->path,
                       number, line);
    }
    secrets->items =
        fc_realloc_array(secrets->items, secrets->count + 1, sizeof(*secrets->items));
    secrets->items[secrets->count].name = line;
    secrets->items[secrets->count].value = equals + 1;
    secrets->count++;
    return FC_OK;
}

static fc_code take_lines(struct fc_secrets *secrets, struct fc_error *err)
{
    uint32_t number = 0;
    char *at = secrets->text;
    while (*at != '\0') {
        char *end = strchr(at, '\n');
        char *next = end == NULL ? at + strlen(at) : end + 1;
        fc_code code;
        if (end != NULL) {
            *end = '\0';
        }
        code = take_line(secrets, at, ++number, err);
        if (code != FC_OK) {
            return code;
        }
        at = next;
    }
    return FC_OK;
}

static fc_code load(struct fc_secrets *secrets, struct fc_error *err)
{
    struct stat info = { 0 };
    struct fc_buf text;
    fc_code code;
    fc_buf_init(&text, FC_SECRETS_FILE_BYTES_MAX);
    code = fc_text_file_read(secrets->path, "secrets file ", &text, &info, err);
    code = code == FC_OK ? check_closed(secrets->path, &info, err) : code;
    if (code == FC_OK && text.len > 0 && memchr(text.data, '\0', text.len) != NULL) {
        code = fc_fail(err, FC_ERR_CONFIG, "secrets file %s holds a NUL byte", secrets->path);
    }
    if (code == FC_OK) {
        secrets->text = fc_strndup(text.len == 0 ? "" : (const char *)text.data, text.len);
        secrets->text_len = text.len;
        code = take_lines(secrets, err);
    }
    if (text.data != NULL) {
        explicit_bzero(text.data, text.len);
    }
    fc_buf_release(&text);
    return code;
}

fc_code fc_secrets_open(const char *path, struct fc_secrets **out_secrets, struct fc_error *err)
{
    struct fc_secrets *secrets = fc_new(struct fc_secrets);
    secrets->path = path;
    if (path != NULL) {
        fc_code code = load(secrets, err);
        if (code != FC_OK) {
            fc_secrets_free(secrets);
            return code;
        }
    }
    *out_secrets = secrets;
    return FC_OK;
}

void fc_secrets_free(struct fc_secrets *secrets)
{
    if (secrets != NULL) {
        if (secrets->text != NULL) {
            explicit_bzero(secrets->text, secrets->text_len);
        }
        free(secrets->text);
        free(secrets->items);
        free(secrets);
    }
}

const char *fc_secrets_get(const struct fc_secrets *secrets, const char *name)
{
    const char *value = find(secrets, name);
    return value != NULL
               ? value
               : getenv(name); /* NOLINT(concurrency-mt-unsafe): nothing here sets variables */
}

/* --- ${{ secrets.NAME }} ------------------------------------------------------------------ */

static const char *skip_spaces(const char *at)
{
    while (*at == ' ' || *at == '\t') {
        at++;
    }
    return at;
}

/* Read the expression that begins at `at` ("${{"): its name, and where it ends. */
static bool read_expression(const char *at, char *name, const char **out_end)
{
    size_t length = 0;
    at = skip_spaces(at + sizeof(OPEN) - 1);
    if (strncmp(at, PREFIX, sizeof(PREFIX) - 1) != 0) {
        return false;
    }
    at += sizeof(PREFIX) - 1;
    while (is_name_char(at[length]) && length < NAME_MAX_LENGTH) {
        name[length] = at[length];
        length++;
    }
    name[length] = '\0';
    at = skip_spaces(at + length);
    if (!fc_secrets_name_ok(name) || strncmp(at, CLOSE, sizeof(CLOSE) - 1) != 0) {
        return false;
    }
    *out_end = at + sizeof(CLOSE) - 1;
    return true;
}

static fc_code check_declared(const struct fc_yaml *yaml, const struct fc_yaml_node *node,
                              const struct fc_yaml_node *declared, const char *name,
                              struct fc_error *err)
{
    char hint[FC_SUGGEST_TEXT_SIZE];
    struct fc_suggest suggest;
    if (declared == NULL) {
        return FC_OK;
    }
    fc_suggest_init(&suggest, name);
    for (const struct fc_yaml_node *item = declared->first; item != NULL; item = item->next) {
        const struct fc_yaml_node *known = fc_yaml_get(item, "name");
        if (known != NULL && known->text != NULL && strcmp(known->text, name) == 0) {
            return FC_OK;
        }
        if (known != NULL && known->text != NULL) {
            fc_suggest_offer(&suggest, known->text);
        }
    }
    return fc_yaml_fail(yaml->path, node, err, "secret `%s` is not named under meta.secrets%s",
                        name, fc_suggest_text(&suggest, hint));
}

static fc_code look_up(const struct fc_secrets *secrets, const struct fc_yaml *yaml,
                       const struct fc_yaml_node *node, const char *name,
                       const char **out_value, struct fc_error *err)
{
    *out_value = fc_secrets_get(secrets, name);
    if (*out_value != NULL) {
        return FC_OK;
    }
    return secrets->path == NULL
               ? fc_yaml_fail(yaml->path, node, err,
                              "secret %s is not set: export %s, or give --secrets FILE", name,
                              name)
               : fc_yaml_fail(yaml->path, node, err,
                              "secret %s is neither in %s nor in the environment", name,
                              secrets->path);
}

static fc_code fill_text(const struct fc_secrets *secrets, struct fc_yaml *yaml,
                         struct fc_yaml_node *node, const struct fc_yaml_node *declared,
                         struct fc_error *err)
{
    struct fc_buf filled;
    const char *at = node->text;
    const char *next = strstr(at, OPEN);
    char *copy = NULL;
    fc_code code = FC_OK;
    if (next == NULL) {
        return FC_OK;
    }
    fc_buf_init(&filled, TEXT_BYTES_MAX);
    while (next != NULL && code == FC_OK) {
        char name[NAME_MAX_LENGTH + 1] = "";
        const char *value = NULL;
        fc_buf_append(&filled, at, (size_t)(next - at));
        if (!read_expression(next, name, &at)) {
            code = fc_yaml_fail(yaml->path, node, err,
                                "`${{` must be followed by ` secrets.NAME }}`");
            break;
        }
        code = check_declared(yaml, node, declared, name, err);
        if (code == FC_OK) {
            code = look_up(secrets, yaml, node, name, &value, err);
        }
        if (code == FC_OK) {
            fc_buf_append_text(&filled, value);
        }
        next = strstr(at, OPEN);
    }
    if (code == FC_OK) {
        fc_buf_append_text(&filled, at);
        fc_buf_append_u8(&filled, 0);
        code = fc_buf_check(&filled, "a text with its secrets", err);
    }
    if (code == FC_OK) {
        copy = fc_arena_alloc(&yaml->arena, filled.len);
        code = fc_arena_check(&yaml->arena, yaml->path, err);
    }
    if (code == FC_OK) {
        memcpy(copy, filled.data, filled.len);
        node->text = copy;
        node->secret = true;
    }
    if (filled.data != NULL) {
        explicit_bzero(filled.data, filled.len);
    }
    fc_buf_release(&filled);
    return code;
}

fc_code fc_secrets_fill(const struct fc_secrets *secrets, struct fc_yaml *yaml,
                        struct fc_yaml_node *node, const struct fc_yaml_node *declared,
                        struct fc_error *err)
{
    fc_code code = node->text == NULL ? FC_OK : fill_text(secrets, yaml, node, declared, err);
    for (struct fc_yaml_node *child = node->first; child != NULL && code == FC_OK;
         child = child->next) {
        code = fc_secrets_fill(secrets, yaml, child, declared, err);
    }
    return code;
}

fc_code fc_secrets_refuse(const struct fc_yaml *yaml, const struct fc_yaml_node *node,
                          struct fc_error *err)
{
    fc_code code = FC_OK;
    if (node->text != NULL && strstr(node->text, OPEN) != NULL) {
        return fc_yaml_fail(
            yaml->path, node, err,
            "secrets can only be used in the connector's own block, in log.kafka "
            "and in a transform's `with`");
    }
    for (const struct fc_yaml_node *child = node->first; child != NULL && code == FC_OK;
         child = child->next) {
        code = fc_secrets_refuse(yaml, child, err);
    }
    return code;
}
