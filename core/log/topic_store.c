/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/topic_store.h"

#include <inttypes.h>
#include <stdlib.h>

#include <jansson.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"
#include "core/base/crc32c.h"

enum {
    FORMAT_VERSION = 2,
    FILE_SIZE_MAX = 64 * 1024,
    CRC_LINE_SIZE = 16 /* "crc32c=1a2b3c4d\n" */
};

fc_code fc_topic_store_check_name(const char *name, struct fc_error *err)
{
    size_t length = strlen(name);
    if (length == 0 || length > FC_LOG_TOPIC_NAME_MAX) {
        return fc_fail(err, FC_ERR_CONFIG, "a topic name has 1 to %d characters, not %zu",
                       FC_LOG_TOPIC_NAME_MAX, length);
    }
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return fc_fail(err, FC_ERR_CONFIG, "a topic cannot be named \"%s\"", name);
    }
    if (name[strspn(name,
                    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] !=
        '\0') {
        return fc_fail(err, FC_ERR_CONFIG,
                       "topic name \"%s\": only letters, digits, '.', '_' and '-' are allowed",
                       name);
    }
    return FC_OK;
}

fc_code fc_topic_store_check_partitions(uint32_t partitions, struct fc_error *err)
{
    if (partitions < 1 || partitions > FC_LOG_PARTITIONS_MAX) {
        return fc_fail(err, FC_ERR_CONFIG, "partitions: %" PRIu32 " is not between 1 and %d",
                       partitions, FC_LOG_PARTITIONS_MAX);
    }
    return FC_OK;
}

char *fc_topic_store_partition_dir(const char *dir, const char *name, uint32_t partition)
{
    return fc_asprintf("%s/%s-%" PRIu32, dir, name, partition);
}

static char *config_path(const char *dir, const char *name)
{
    return fc_asprintf("%s/%s-0/topic.json", dir, name);
}

static fc_code decode_settings(const json_t *object, struct fc_settings *to)
{
    const char *key;
    const json_t *value;
    if (!json_is_object(object)) {
        return FC_ERR_CORRUPT;
    }
    json_object_foreach(fc_unconst(object), key, value)
    {
        if (!json_is_string(value)) {
            return FC_ERR_CORRUPT;
        }
        fc_settings_put(to, key, json_string_value(value));
    }
    return FC_OK;
}

static fc_code decode_json(const json_t *object, const char *path,
                           struct fc_topic_record *out_record, struct fc_error *err)
{
    struct fc_topic_record record = { 0 };
    const char *id = json_string_value(json_object_get(object, "id"));
    const json_t *version = json_object_get(object, "version");
    json_int_t partitions = json_integer_value(json_object_get(object, "partitions"));
    if (json_is_integer(version) && json_integer_value(version) != FORMAT_VERSION) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "%s: written in format version %lld; this program reads version %d: use "
                       "the program that wrote it",
                       path, (long long)json_integer_value(version), FORMAT_VERSION);
    }
    record.deleted = json_is_true(json_object_get(object, "deleted"));
    record.partitions = partitions < 0 || partitions > UINT32_MAX ? 0 : (uint32_t)partitions;
    if (id == NULL || !fc_uuid_from_text(fc_slice_text(id), &record.id) ||
        fc_topic_store_check_partitions(record.partitions, NULL) != FC_OK ||
        decode_settings(json_object_get(object, "settings"), &record.settings) != FC_OK) {
        fc_topic_record_release(&record);
        return fc_fail(err, FC_ERR_CORRUPT, "%s: damaged at byte 0", path);
    }
    *out_record = record;
    return FC_OK;
}

/* A line of JSON, then "crc32c=" and eight hex digits of that line without its end. */
static fc_code decode_file(struct fc_slice text, const char *path,
                           struct fc_topic_record *out_record, struct fc_error *err)
{
    char line[CRC_LINE_SIZE + 1];
    size_t size = text.len < CRC_LINE_SIZE ? 0 : text.len - CRC_LINE_SIZE;
    json_t *object = NULL;
    fc_code code;
    if (size < 1 || text.data[size - 1] != '\n') {
        return fc_fail(err, FC_ERR_CORRUPT, "%s: cut short at byte %zu", path, text.len);
    }
    (void)snprintf(line, sizeof(line), "crc32c=%08" PRIx32 "\n",
                   fc_crc32c(0, text.data, size - 1));
    if (memcmp(line, text.data + size, CRC_LINE_SIZE) != 0) {
        return fc_fail(err, FC_ERR_CORRUPT, "%s: bad checksum, damaged at byte 0", path);
    }
    object = json_loadb((const char *)text.data, size, JSON_REJECT_DUPLICATES, NULL);
    code = decode_json(object, path, out_record, err);
    json_decref(object);
    return code;
}

static fc_code read_small_file(struct fc_fs *fs, const char *path, struct fc_buf *to,
                               struct fc_error *err)
{
    struct fc_file *file = NULL;
    uint8_t *room = fc_buf_reserve(to, FILE_SIZE_MAX);
    fc_code code = fs->ops->open(fs, path, FC_FS_READ, &file, err);
    if (code == FC_OK) {
        code = fs->ops->read(file, 0, room, FILE_SIZE_MAX, &to->len, err);
    }
    fs->ops->close(file);
    return code;
}

/* Partitions are written only after the file, so a manifest without it means that it was lost.
 */
static fc_code explain_missing(struct fc_fs *fs, const char *dir, const char *name,
                               struct fc_error *err)
{
    char *path = fc_asprintf("%s/%s-0/manifest", dir, name);
    struct fc_file *file = NULL;
    fc_code code = fs->ops->open(fs, path, FC_FS_READ, &file, NULL);
    fs->ops->close(file);
    free(path);
    if (code == FC_OK) {
        return fc_fail(err, FC_ERR_CORRUPT,
                       "%s/%s-0/topic.json: missing (byte 0), but the topic has data", dir,
                       name);
    }
    return fc_fail(err, FC_ERR_NOT_FOUND, "there is no topic \"%s\" in %s", name, dir);
}

fc_code fc_topic_store_read(struct fc_fs *fs, const char *dir, const char *name,
                            struct fc_topic_record *out_record, struct fc_error *err)
{
    char *path = config_path(dir, name);
    struct fc_buf text;
    fc_code code;
    fc_buf_init(&text, FILE_SIZE_MAX);
    code = read_small_file(fs, path, &text, err);
    if (code == FC_OK) {
        code = decode_file(fc_buf_slice(&text), path, out_record, err);
    } else if (code == FC_ERR_NOT_FOUND) {
        code = explain_missing(fs, dir, name, err);
    }
    fc_buf_release(&text);
    free(path);
    return code;
}

static fc_code encode_file(const struct fc_topic_record *record, struct fc_buf *to,
                           struct fc_error *err)
{
    char id[FC_UUID_TEXT_SIZE];
    json_t *object = json_object();
    json_t *settings = json_object();
    char *text;
    bool good = true;
    fc_uuid_to_text(record->id, id);
    for (size_t index = 0; index < record->settings.count; index++) {
        const struct fc_setting *setting = &record->settings.items[index];
        good = good &&
               json_object_set_new(settings, setting->key, json_string(setting->value)) == 0;
    }
    good = good && json_object_set_new(object, "version", json_integer(FORMAT_VERSION)) == 0 &&
           json_object_set_new(object, "id", json_string(id)) == 0 &&
           json_object_set_new(object, "partitions", json_integer(record->partitions)) == 0;
    if (record->deleted) {
        good = good && json_object_set_new(object, "deleted", json_true()) == 0;
    }
    good = json_object_set_new(object, "settings", settings) == 0 && good;
    text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (!good || text == NULL) {
        free(text);
        return fc_fail(err, FC_ERR_CONFIG, "a setting is not text in UTF-8");
    }
    fc_buf_append_text(to, text);
    fc_buf_append_fmt(to, "\ncrc32c=%08" PRIx32 "\n", fc_crc32c(0, to->data, to->len));
    free(text);
    return fc_buf_check(to, "the topic's settings", err);
}

static fc_code make_dirs(struct fc_fs *fs, const char *dir, const char *name,
                         uint32_t partitions, struct fc_error *err)
{
    fc_code code = FC_OK;
    for (uint32_t index = 0; code == FC_OK && index < partitions; index++) {
        char *path = fc_topic_store_partition_dir(dir, name, index);
        code = fs->ops->make_dir(fs, path, err);
        free(path);
    }
    return code == FC_OK ? fs->ops->sync_dir(fs, dir, err) : code;
}

fc_code fc_topic_store_write(struct fc_fs *fs, const char *dir, const char *name,
                             const struct fc_topic_record *record, struct fc_error *err)
{
    char *path = config_path(dir, name);
    struct fc_buf text;
    fc_code code;
    fc_buf_init(&text, FILE_SIZE_MAX);
    code = encode_file(record, &text, err);
    if (code == FC_OK && !record->deleted) {
        code = make_dirs(fs, dir, name, record->partitions, err);
    }
    if (code == FC_OK) {
        code = fc_fs_replace(fs, path, text.data, text.len, err);
    }
    fc_buf_release(&text);
    free(path);
    return code;
}

void fc_topic_record_release(struct fc_topic_record *record)
{
    fc_settings_release(&record->settings);
}

struct name_list {
    char **names;
    size_t count;
};

static int on_entry(void *ctx, const char *name)
{
    struct name_list *list = ctx;
    size_t length = strlen(name);
    char *topic;
    if (length < 3 || strcmp(name + length - 2, "-0") != 0) {
        return 0;
    }
    topic = fc_strndup(name, length - 2);
    if (fc_topic_store_check_name(topic, NULL) != FC_OK) {
        free(topic);
        return 0;
    }
    list->names = fc_realloc_array(list->names, list->count + 1, sizeof(char *));
    list->names[list->count++] = topic;
    return 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

fc_code fc_topic_store_list(struct fc_fs *fs, const char *dir, char ***out_names,
                            size_t *out_count, struct fc_error *err)
{
    struct name_list list = { 0 };
    fc_code code = fs->ops->list(fs, dir, on_entry, &list, err);
    if (list.count > 0) {
        qsort(list.names, list.count, sizeof(char *), compare);
    }
    *out_names = list.names;
    *out_count = list.count;
    return code;
}
