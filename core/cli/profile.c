/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/alloc.h"
#include "core/base/fs.h"
#include "core/base/suggest.h"
#include "core/base/text_file.h"
#include "core/base/yaml.h"

enum { VERSION = 1 };

/* --- in memory ---------------------------------------------------------------------------- */

void fc_profile_release(struct fc_profile *profile)
{
    for (size_t index = 0; index < profile->count; index++) {
        explicit_bzero(profile->properties[index].value,
                       strlen(profile->properties[index].value));
        free(profile->properties[index].name);
        free(profile->properties[index].value);
    }
    free(profile->properties);
    free(profile->name);
    memset(profile, 0, sizeof(*profile));
}

void fc_profiles_release(struct fc_profiles *profiles)
{
    for (size_t index = 0; index < profiles->count; index++) {
        fc_profile_release(&profiles->items[index]);
    }
    free(profiles->items);
    free(profiles->current);
    memset(profiles, 0, sizeof(*profiles));
}

struct fc_profile *fc_profiles_find(const struct fc_profiles *profiles, const char *name)
{
    for (size_t index = 0; index < profiles->count; index++) {
        if (strcmp(profiles->items[index].name, name) == 0) {
            return &profiles->items[index];
        }
    }
    return NULL;
}

struct fc_profile *fc_profiles_add(struct fc_profiles *profiles, const char *name)
{
    struct fc_profile *added;
    profiles->items =
        fc_realloc_array(profiles->items, profiles->count + 1, sizeof(*profiles->items));
    added = &profiles->items[profiles->count++];
    memset(added, 0, sizeof(*added));
    added->name = fc_strdup(name);
    return added;
}

void fc_profiles_remove(struct fc_profiles *profiles, struct fc_profile *profile)
{
    size_t index = (size_t)(profile - profiles->items);
    fc_profile_release(profile);
    memmove(profile, profile + 1, (profiles->count - index - 1) * sizeof(*profile));
    profiles->count--;
}

void fc_profile_set(struct fc_profile *profile, const char *name, const char *value)
{
    for (size_t index = 0; index < profile->count; index++) {
        if (strcmp(profile->properties[index].name, name) == 0) {
            free(profile->properties[index].value);
            profile->properties[index].value = fc_strdup(value);
            return;
        }
    }
    profile->properties =
        fc_realloc_array(profile->properties, profile->count + 1, sizeof(*profile->properties));
    profile->properties[profile->count].name = fc_strdup(name);
    profile->properties[profile->count].value = fc_strdup(value);
    profile->count++;
}

const char *fc_profile_get(const struct fc_profile *profile, const char *name)
{
    for (size_t index = 0; index < profile->count; index++) {
        if (strcmp(profile->properties[index].name, name) == 0) {
            return profile->properties[index].value;
        }
    }
    return NULL;
}

fc_code fc_profile_check_name(const char *name, struct fc_error *err)
{
    size_t len = strlen(name);
    if (len == 0 || len > FC_PROFILE_NAME_MAX ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
            len) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "`%.40s` cannot be a profile's name: use up to %d letters, digits, '.', "
                       "'_' and '-'",
                       name, FC_PROFILE_NAME_MAX);
    }
    return FC_OK;
}

bool fc_property_is_secret(const char *name)
{
    static const char *const secrets[] = {
        "sasl.password",
        "ssl.key.password",
        "ssl.keystore.password",
        "ssl.key.pem",
        "ssl_key",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.config",
    };
    for (size_t index = 0; index < sizeof(secrets) / sizeof(*secrets); index++) {
        if (strcmp(name, secrets[index]) == 0) {
            return true;
        }
    }
    return false;
}

/* --- from YAML ---------------------------------------------------------------------------- */

static fc_code read_profile(const struct fc_yaml_node *node, const char *path,
                            struct fc_profiles *profiles, struct fc_error *err)
{
    struct fc_profile *profile;
    if (fc_profile_check_name(node->key, err) != FC_OK) {
        return fc_yaml_wrap(path, node, err);
    }
    if (node->kind != FC_YAML_MAP) {
        return fc_yaml_fail(path, node, err, "profile `%s` must be a map of properties, not %s",
                            node->key, fc_yaml_kind_name(node));
    }
    if (profiles->count == FC_PROFILES_MAX || node->count > FC_PROFILE_PROPERTIES_MAX) {
        return fc_yaml_fail_key(path, node, err, "more than %d profiles or %d properties",
                                FC_PROFILES_MAX, FC_PROFILE_PROPERTIES_MAX);
    }
    profile = fc_profiles_add(profiles, node->key);
    for (const struct fc_yaml_node *at = node->first; at != NULL; at = at->next) {
        if (at->kind != FC_YAML_SCALAR) {
            return fc_yaml_fail(path, at, err, "property `%s` must be a text, not %s", at->key,
                                fc_yaml_kind_name(at));
        }
        fc_profile_set(profile, at->key, at->text);
    }
    return FC_OK;
}

static fc_code read_profiles(const struct fc_yaml_node *node, const char *path,
                             struct fc_profiles *profiles, struct fc_error *err)
{
    fc_code code = FC_OK;
    if (fc_yaml_is_null(node)) {
        return FC_OK;
    }
    if (node->kind != FC_YAML_MAP) {
        return fc_yaml_fail(path, node, err, "`profiles` must be a map of names, not %s",
                            fc_yaml_kind_name(node));
    }
    for (const struct fc_yaml_node *at = node->first; at != NULL && code == FC_OK;
         at = at->next) {
        code = read_profile(at, path, profiles, err);
    }
    return code;
}

static fc_code unknown_key(const struct fc_yaml_node *node, const char *path,
                           struct fc_error *err)
{
    char hint[FC_SUGGEST_TEXT_SIZE];
    struct fc_suggest suggest;
    fc_suggest_init(&suggest, node->key);
    fc_suggest_offer(&suggest, "version");
    fc_suggest_offer(&suggest, "current");
    fc_suggest_offer(&suggest, "profiles");
    return fc_yaml_fail_key(path, node, err, "unknown key `%s`%s", node->key,
                            fc_suggest_text(&suggest, hint));
}

static fc_code read_root(const struct fc_yaml *yaml, struct fc_profiles *profiles,
                         struct fc_error *err)
{
    const struct fc_yaml_node *root = yaml->root;
    const struct fc_yaml_node *version = fc_yaml_get(root, "version");
    fc_code code = FC_OK;
    if (root->kind != FC_YAML_MAP) {
        return fc_yaml_fail(yaml->path, root, err,
                            "this is no profile file: `version: 1` is missing");
    }
    if (version == NULL || version->text == NULL || strcmp(version->text, "1") != 0) {
        return fc_yaml_fail(yaml->path, version == NULL ? root : version, err,
                            "the file must say `version: %d`; this program reads no other",
                            VERSION);
    }
    for (const struct fc_yaml_node *at = root->first; at != NULL && code == FC_OK;
         at = at->next) {
        if (strcmp(at->key, "profiles") == 0) {
            code = read_profiles(at, yaml->path, profiles, err);
        } else if (strcmp(at->key, "current") == 0) {
            if (at->kind != FC_YAML_SCALAR) {
                return fc_yaml_fail(yaml->path, at, err, "`current` must be a profile's name");
            }
            profiles->current = fc_yaml_is_null(at) ? NULL : fc_strdup(at->text);
        } else if (strcmp(at->key, "version") != 0) {
            code = unknown_key(at, yaml->path, err);
        }
    }
    return code;
}

fc_code fc_profiles_parse(struct fc_slice text, const char *path,
                          struct fc_profiles *out_profiles, struct fc_error *err)
{
    struct fc_profiles profiles = { 0 };
    struct fc_yaml yaml;
    fc_code code = fc_yaml_parse(text, path, &yaml, err);
    if (code != FC_OK) {
        return code == FC_ERR_LIMIT ? fc_fail(err, FC_ERR_CONFIG, "%s is too large", path)
                                    : code;
    }
    code = read_root(&yaml, &profiles, err);
    fc_yaml_release(&yaml);
    if (code != FC_OK) {
        fc_profiles_release(&profiles);
        return code;
    }
    *out_profiles = profiles;
    return FC_OK;
}

/* --- to YAML ------------------------------------------------------------------------------ */

/* In double quotes, which can hold any text. */
static void append_quoted(struct fc_buf *out, const char *text)
{
    fc_buf_append_u8(out, '"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            fc_buf_append_u8(out, '\\');
            fc_buf_append_u8(out, c);
        } else if (c < ' ' || c == 0x7f) {
            fc_buf_append_fmt(out, "\\x%02x", c);
        } else {
            fc_buf_append_u8(out, c);
        }
    }
    fc_buf_append_u8(out, '"');
}

void fc_profiles_format(const struct fc_profiles *profiles, struct fc_buf *out)
{
    fc_buf_append_fmt(out, "version: %d\n", VERSION);
    if (profiles->current != NULL) {
        fc_buf_append_text(out, "current: ");
        append_quoted(out, profiles->current);
        fc_buf_append_u8(out, '\n');
    }
    fc_buf_append_text(out, profiles->count == 0 ? "profiles: {}\n" : "profiles:\n");
    for (size_t at = 0; at < profiles->count; at++) {
        const struct fc_profile *profile = &profiles->items[at];
        fc_buf_append_text(out, "  ");
        append_quoted(out, profile->name);
        fc_buf_append_text(out, profile->count == 0 ? ": {}\n" : ":\n");
        for (size_t index = 0; index < profile->count; index++) {
            fc_buf_append_text(out, "    ");
            append_quoted(out, profile->properties[index].name);
            fc_buf_append_text(out, ": ");
            append_quoted(out, profile->properties[index].value);
            fc_buf_append_u8(out, '\n');
        }
    }
}

/* --- the file ----------------------------------------------------------------------------- */

fc_code fc_profiles_read(const char *path, struct fc_profiles *out_profiles, bool *out_exposed,
                         struct fc_error *err)
{
    struct stat info = { 0 };
    struct fc_buf text;
    fc_code code;
    fc_buf_init(&text, FC_PROFILE_FILE_SIZE_MAX);
    code = fc_text_file_read(path, "profile file ", &text, &info, err);
    if (code == FC_ERR_NOT_FOUND) {
        memset(out_profiles, 0, sizeof(*out_profiles));
        *out_exposed = false;
        code = FC_OK;
    } else if (code == FC_OK) {
        code = fc_profiles_parse(fc_buf_slice(&text), path, out_profiles, err);
        *out_exposed = (info.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    }
    if (text.data != NULL) {
        explicit_bzero(text.data, text.len);
    }
    fc_buf_release(&text);
    return code;
}

/* Every directory above path that is missing. */
static fc_code make_parents(struct fc_fs *fs, const char *path, struct fc_error *err)
{
    char *copy = fc_strdup(path);
    fc_code code = FC_OK;
    for (char *slash = strchr(copy + 1, '/'); slash != NULL && code == FC_OK;
         slash = strchr(slash + 1, '/')) {
        struct stat info;
        *slash = '\0';
        if (stat(copy, &info) != 0) {
            code = fs->ops->make_dir(fs, copy, err);
        }
        *slash = '/';
    }
    free(copy);
    return code;
}

fc_code fc_profiles_write(const char *path, const struct fc_profiles *profiles,
                          struct fc_error *err)
{
    struct fc_fs *fs = fc_fs_system();
    struct fc_buf text;
    fc_code code;
    fc_buf_init(&text, FC_PROFILE_FILE_SIZE_MAX);
    fc_profiles_format(profiles, &text);
    code = fc_buf_check(&text, "the profile file", err);
    if (code == FC_OK) {
        code = make_parents(fs, path, err);
    }
    if (code == FC_OK) {
        code = fc_fs_replace(fs, path, text.data, text.len, err);
    }
    if (text.data != NULL) {
        explicit_bzero(text.data, text.len);
    }
    fc_buf_release(&text);
    return code == FC_OK ? FC_OK : fc_wrap(err, "write %s", path);
}
