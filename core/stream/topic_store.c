/* SPDX-License-Identifier: Apache-2.0 */
#include "core/stream/topic_store.h"

#include <inttypes.h>
#include <stdlib.h>

#include <jansson.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"
#include "core/base/crc32c.h"
#include "core/log/codec.h"
#include "core/log/partition.h"

enum {
    FORMAT_VERSION = 1,
    FILE_SIZE_MAX = 64 * 1024,
    PARTITIONS_MAX = 10000,
    SEGMENT_BYTES_MIN = 1024,
    CRC_LINE_SIZE = 16 /* "crc32c=1a2b3c4d\n" */
};

fc_code fc_topic_store_check_name(const char *name, struct fc_error *err)
{
    size_t length = strlen(name);
    if (length == 0 || length > FC_TOPIC_NAME_MAX) {
        return fc_fail(err, FC_ERR_CONFIG, "a topic name has 1 to %d characters, not %zu",
                       FC_TOPIC_NAME_MAX, length);
    }
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        name[strspn(name,
                    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] !=
            '\0') {
        return fc_fail(err, FC_ERR_CONFIG,
                       "topic name \"%s\": only letters, digits, '.', '_' and '-' are allowed",
                       name);
    }
    return FC_OK;
}

fc_code fc_topic_store_check_config(const struct fc_topic_config *config, struct fc_error *err)
{
    if (config->partitions < 1 || config->partitions > PARTITIONS_MAX) {
        return fc_fail(err, FC_ERR_CONFIG, "partitions: %" PRIu32 " is not between 1 and %d",
                       config->partitions, PARTITIONS_MAX);
    }
    if (config->retention_ms < -1 || config->retention_bytes < -1 || config->segment_ms < -1) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "retention_ms, retention_bytes and segment_ms are -1 or more");
    }
    if (config->segment_bytes < SEGMENT_BYTES_MIN ||
        config->segment_bytes > FC_SEGMENT_BYTES_MAX) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "segment_bytes: %" PRIu64 " is not between %d and %d",
                       config->segment_bytes, SEGMENT_BYTES_MIN, FC_SEGMENT_BYTES_MAX);
    }
    if (config->record_bytes_max < 1 || config->record_bytes_max > FC_BATCH_BYTES_MAX / 2) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "record_bytes_max: %" PRIu64 " is not between 1 and %d",
                       config->record_bytes_max, FC_BATCH_BYTES_MAX / 2);
    }
    if (!fc_codec_known((int)config->compression)) {
        return fc_fail(err, FC_ERR_CONFIG, "compression: %d is not a codec",
                       (int)config->compression);
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

static json_int_t number(const json_t *object, const char *key, bool *out_good)
{
    const json_t *value = json_object_get(object, key);
    *out_good = *out_good && json_is_integer(value);
    return json_integer_value(value);
}

static fc_code decode_json(const json_t *object, const char *path,
                           struct fc_topic_config *out_config, struct fc_error *err)
{
    struct fc_topic_config config = { 0 };
    bool good = true;
    json_int_t version = number(object, "version", &good);
    if (good && version != FORMAT_VERSION) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "%s: written in format version %lld; this program reads version %d: use "
                       "the program that wrote it",
                       path, (long long)version, FORMAT_VERSION);
    }
    config.partitions = (uint32_t)number(object, "partitions", &good);
    config.retention_ms = number(object, "retention_ms", &good);
    config.retention_bytes = number(object, "retention_bytes", &good);
    config.segment_bytes = (uint64_t)number(object, "segment_bytes", &good);
    config.segment_ms = number(object, "segment_ms", &good);
    config.record_bytes_max = (uint64_t)number(object, "record_bytes_max", &good);
    config.compression = (fc_compression)number(object, "compression", &good);
    config.flush = number(object, "flush_os", &good) != 0 ? FC_FLUSH_OS : FC_FLUSH_DURABLE;
    if (!good || fc_topic_store_check_config(&config, NULL) != FC_OK) {
        return fc_fail(err, FC_ERR_CORRUPT, "%s: damaged at byte 0", path);
    }
    *out_config = config;
    return FC_OK;
}

/* A line of JSON, then "crc32c=" and eight hex digits of that line without its end. */
static fc_code decode_file(struct fc_slice text, const char *path,
                           struct fc_topic_config *out_config, struct fc_error *err)
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
    code = decode_json(object, path, out_config, err);
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
                            struct fc_topic_config *out_config, struct fc_error *err)
{
    char *path = config_path(dir, name);
    struct fc_buf text;
    fc_code code;
    fc_buf_init(&text, FILE_SIZE_MAX);
    code = read_small_file(fs, path, &text, err);
    if (code == FC_OK) {
        code = decode_file(fc_buf_slice(&text), path, out_config, err);
    } else if (code == FC_ERR_NOT_FOUND) {
        code = explain_missing(fs, dir, name, err);
    }
    fc_buf_release(&text);
    free(path);
    return code;
}

static void encode_file(const struct fc_topic_config *config, struct fc_buf *to)
{
    fc_buf_append_fmt(
        to,
        "{\"version\":%d,\"partitions\":%" PRIu32 ",\"retention_ms\":%" PRId64
        ",\"retention_bytes\":%" PRId64 ",\"segment_bytes\":%" PRIu64 ",\"segment_ms\":%" PRId64
        ",\"record_bytes_max\":%" PRIu64 ",\"compression\":%d,\"flush_os\":%d}",
        FORMAT_VERSION, config->partitions, config->retention_ms, config->retention_bytes,
        config->segment_bytes, config->segment_ms, config->record_bytes_max,
        (int)config->compression, config->flush == FC_FLUSH_OS);
    fc_buf_append_fmt(to, "\ncrc32c=%08" PRIx32 "\n", fc_crc32c(0, to->data, to->len));
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
                             const struct fc_topic_config *config, struct fc_error *err)
{
    char *path = config_path(dir, name);
    struct fc_buf text;
    fc_code code;
    fc_buf_init(&text, FILE_SIZE_MAX);
    encode_file(config, &text);
    code = make_dirs(fs, dir, name, config->partitions, err);
    if (code == FC_OK) {
        code = fc_fs_replace(fs, path, text.data, text.len, err);
    }
    fc_buf_release(&text);
    free(path);
    return code;
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
