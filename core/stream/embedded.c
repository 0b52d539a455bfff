/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/stream/embedded_state.h"

enum { PID_TEXT_SIZE = 32 };

/* Create the directory and what is missing above it; each new name is made durable. */
static fc_code make_dirs(struct fc_fs *fs, const char *dir, struct fc_error *err)
{
    char *above = fc_strdup(dir);
    char *slash = strrchr(above, '/');
    fc_code code = fs->ops->make_dir(fs, dir, err);
    if (slash != NULL) {
        slash[slash == above ? 1 : 0] = '\0';
    }
    if (code == FC_ERR_NOT_FOUND && slash != NULL && strlen(above) < strlen(dir)) {
        code = make_dirs(fs, above, err);
        if (code == FC_OK) {
            code = fs->ops->make_dir(fs, dir, err);
        }
    }
    if (code == FC_OK) {
        code = fs->ops->sync_dir(fs, slash == NULL ? "." : above, err);
    }
    free(above);
    return code;
}

static fc_code fail_in_use(struct fc_embedded *embedded, struct fc_error *err)
{
    char pid[PID_TEXT_SIZE] = "";
    size_t size = 0;
    if (embedded->env.fs->ops->read(embedded->lock_file, 0, pid, sizeof(pid) - 1, &size,
                                    NULL) != FC_OK) {
        size = 0;
    }
    pid[size] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
    return fc_fail(
        err, FC_ERR_REFUSED,
        "data directory %s is in use by process %s; stop it, or use another directory",
        embedded->dir, pid[0] == '\0' ? "(unknown)" : pid);
}

/* The file's content only helps a person; the lock goes with the process. */
static fc_code take_lock(struct fc_embedded *embedded, struct fc_error *err)
{
    struct fc_fs *fs = embedded->env.fs;
    char *path = fc_asprintf("%s/%s", embedded->dir, FC_EMBEDDED_LOCK_NAME);
    char pid[PID_TEXT_SIZE];
    struct iovec part = { pid, 0 };
    fc_code code =
        fs->ops->open(fs, path, FC_FS_WRITE | FC_FS_CREATE, &embedded->lock_file, err);
    free(path);
    if (code == FC_OK) {
        code = fs->ops->lock(embedded->lock_file, err);
        if (code == FC_ERR_REFUSED) {
            return fail_in_use(embedded, err);
        }
    }
    if (code == FC_OK) {
        code = fs->ops->truncate(embedded->lock_file, 0, err);
    }
    if (code == FC_OK) {
        part.iov_len = (size_t)snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
        code = fs->ops->write(embedded->lock_file, 0, &part, 1, err);
        if (code == FC_ERR_FULL) {
            code = FC_OK; /* reads go on while the disk is full */
        }
    }
    return code;
}

static fc_code check_dir_exists(const struct fc_embedded *embedded, struct fc_error *err)
{
    uint64_t bytes = 0;
    fc_code code =
        embedded->env.fs->ops->free_space(embedded->env.fs, embedded->dir, &bytes, err);
    if (code == FC_ERR_NOT_FOUND) {
        return fc_fail(err, code, "there is no data directory %s", embedded->dir);
    }
    return code;
}

static void free_stream(struct fc_embedded *embedded)
{
    fc_keeper_free(embedded->keeper);
    fc_embedded_free_topics(embedded);
    fc_group_sync_free(embedded->env.group);
    embedded->env.fs->ops->close(embedded->lock_file);
    (void)pthread_mutex_destroy(&embedded->lock); /* nobody uses the stream any more */
    free(embedded->dir);
    free(embedded);
}

/* --- the slots of stream.h -------------------------------------------------------------- */

static void embedded_close(struct fc_stream *stream)
{
    struct fc_embedded *embedded = fc_embedded_of(stream);
    struct fc_error why;
    /* One sync for all; each partition is then closed with nothing left to wait for. */
    if (!embedded->env.read_only && fc_group_sync_flush(embedded->env.group, &why) != FC_OK) {
        fc_log_notice(&embedded->env, "%s: not everything could be synced: %s", embedded->dir,
                      why.message);
    }
    free_stream(embedded);
}

static fc_code embedded_flush(struct fc_stream *stream, struct fc_error *err)
{
    struct fc_embedded *embedded = fc_embedded_of(stream);
    return embedded->env.read_only ? FC_OK : fc_group_sync_flush(embedded->env.group, err);
}

/* A partition whose disk failed takes appends only after it was opened again: by a person, who
 * has looked at the disk. */
static fc_code embedded_renew(struct fc_stream *stream, struct fc_error *err)
{
    (void)stream;
    (void)err;
    return FC_OK;
}

static void embedded_wake(struct fc_stream *stream)
{
    struct fc_embedded *embedded = fc_embedded_of(stream);
    (void)pthread_mutex_lock(&embedded->lock);
    for (size_t place = 0; place < embedded->topics_count; place++) {
        struct fc_embedded_topic *topic = embedded->topics[place];
        for (uint32_t index = 0; index < topic->base.partitions_count; index++) {
            struct fc_partition *partition = topic->partitions[index].partition;
            if (partition != NULL) {
                fc_partition_wake(partition);
            }
        }
    }
    (void)pthread_mutex_unlock(&embedded->lock);
}

static fc_code embedded_offsets(struct fc_topic *topic, uint32_t partition,
                                struct fc_offsets *out_offsets, struct fc_error *err)
{
    struct fc_partition *opened = NULL;
    struct fc_partition_offsets offsets = { 0 };
    fc_code code = fc_embedded_partition(fc_embedded_topic_of(topic), partition, &opened, err);
    if (code == FC_OK) {
        code = fc_partition_offsets(opened, &offsets, err);
    }
    if (code == FC_OK) {
        out_offsets->start = offsets.start;
        out_offsets->durable = offsets.durable;
        out_offsets->end = offsets.end;
    }
    return code;
}

static fc_code embedded_offset_for_time(struct fc_topic *topic, uint32_t partition,
                                        int64_t time_ms, int64_t *out_offset,
                                        struct fc_error *err)
{
    struct fc_partition *opened = NULL;
    fc_code code = fc_embedded_partition(fc_embedded_topic_of(topic), partition, &opened, err);
    return code == FC_OK ? fc_partition_offset_for_time(opened, time_ms, out_offset, err)
                         : code;
}

static void settings_of(struct fc_topic *topic, fc_compression *out_compression,
                        uint64_t *out_record_bytes_max)
{
    struct fc_embedded_topic *embedded = fc_embedded_topic_of(topic);
    (void)pthread_mutex_lock(&embedded->config_lock);
    *out_compression = embedded->config.compression;
    *out_record_bytes_max = embedded->config.record_bytes_max;
    (void)pthread_mutex_unlock(&embedded->config_lock);
}

static struct fc_embedded_batch *batch_of(struct fc_stream_batch *batch)
{
    return (struct fc_embedded_batch *)(void *)batch; /* its first member */
}

static struct fc_stream_batch *embedded_batch_new(struct fc_topic *topic, uint32_t partition)
{
    struct fc_embedded_batch *batch = fc_new(struct fc_embedded_batch);
    fc_compression compression;
    uint64_t record_bytes_max;
    settings_of(topic, &compression, &record_bytes_max);
    fc_batch_builder_init(&batch->builder, compression, record_bytes_max);
    batch->base.topic = topic;
    batch->base.partition = partition;
    return &batch->base;
}

static void embedded_batch_free(struct fc_stream_batch *batch)
{
    fc_batch_builder_release(&batch_of(batch)->builder);
    free(batch_of(batch));
}

static void embedded_batch_reset(struct fc_stream_batch *batch, struct fc_topic *topic,
                                 uint32_t partition)
{
    fc_compression compression;
    uint64_t record_bytes_max;
    settings_of(topic, &compression, &record_bytes_max);
    fc_batch_builder_reset(&batch_of(batch)->builder, compression, record_bytes_max);
    batch->topic = topic;
    batch->partition = partition;
}

static fc_code embedded_batch_add(struct fc_stream_batch *batch, const struct fc_record *record,
                                  struct fc_error *err)
{
    return fc_batch_builder_add(&batch_of(batch)->builder, record, err);
}

static uint32_t embedded_batch_count(const struct fc_stream_batch *batch)
{
    return ((const struct fc_embedded_batch *)(const void *)batch)->builder.count;
}

static size_t embedded_batch_bytes(const struct fc_stream_batch *batch)
{
    return ((const struct fc_embedded_batch *)(const void *)batch)->builder.plain.len;
}

static fc_code embedded_batch_seal(struct fc_stream_batch *batch, struct fc_error *err)
{
    return fc_batch_builder_seal(&batch_of(batch)->builder, err);
}

static fc_code embedded_append(struct fc_stream_batch *batch, int64_t *out_base,
                               struct fc_error *err)
{
    struct fc_embedded *embedded = fc_embedded_of(batch->topic->stream);
    struct fc_batch_builder *builder = &batch_of(batch)->builder;
    struct fc_partition *opened = NULL;
    struct fc_partition_offsets offsets = { 0 };
    fc_code code;
    if (embedded->env.read_only) {
        return fc_fail(err, FC_ERR_REFUSED, "data directory %s is open for reading only",
                       embedded->dir);
    }
    code = fc_embedded_partition(fc_embedded_topic_of(batch->topic), batch->partition, &opened,
                                 err);
    if (code == FC_OK && builder->count > 0) {
        code = fc_partition_append(opened, builder, out_base, err);
    } else if (code == FC_OK) {
        code = fc_partition_offsets(opened, &offsets, err);
        *out_base = offsets.end;
    }
    return code;
}

struct embedded_reader {
    struct fc_stream_reader base;
    struct fc_log_reader *log;
};

static struct fc_log_reader *log_of(const struct fc_stream_reader *reader)
{
    return ((const struct embedded_reader *)(const void *)reader)->log;
}

static fc_code embedded_reader_open(struct fc_topic *topic, uint32_t partition, int64_t offset,
                                    struct fc_stream_reader **out_reader, struct fc_error *err)
{
    struct fc_partition *opened = NULL;
    struct fc_log_reader *log = NULL;
    fc_code code = fc_embedded_partition(fc_embedded_topic_of(topic), partition, &opened, err);
    if (code == FC_OK) {
        code = fc_log_reader_open(opened, offset, &log, err);
    }
    if (code == FC_OK) {
        struct embedded_reader *reader = fc_new(struct embedded_reader);
        reader->base.topic = topic;
        reader->log = log;
        *out_reader = &reader->base;
    }
    return code;
}

static void embedded_reader_close(struct fc_stream_reader *reader)
{
    fc_log_reader_close(log_of(reader));
    free((struct embedded_reader *)(void *)reader);
}

static fc_code embedded_reader_next(struct fc_stream_reader *reader, int wait_ms,
                                    const struct fc_record **out_records, uint32_t *out_count,
                                    struct fc_error *err)
{
    return fc_log_reader_next(log_of(reader), wait_ms, out_records, out_count, err);
}

static int64_t embedded_reader_offset(const struct fc_stream_reader *reader)
{
    return fc_log_reader_offset(log_of(reader));
}

static fc_code embedded_reader_seek(struct fc_stream_reader *reader, int64_t offset,
                                    struct fc_error *err)
{
    return fc_log_reader_seek(log_of(reader), offset, err);
}

static const struct fc_stream_ops embedded_ops = {
    .close = embedded_close,
    .topic = fc_embedded_topic,
    .topic_ensure = fc_embedded_topic_ensure,
    .topics = fc_embedded_topics,
    .flush = embedded_flush,
    .renew = embedded_renew,
    .wake = embedded_wake,
    .offsets = embedded_offsets,
    .offset_for_time = embedded_offset_for_time,
    .batch_new = embedded_batch_new,
    .batch_free = embedded_batch_free,
    .batch_reset = embedded_batch_reset,
    .batch_add = embedded_batch_add,
    .batch_count = embedded_batch_count,
    .batch_bytes = embedded_batch_bytes,
    .batch_seal = embedded_batch_seal,
    .append = embedded_append,
    .reader_open = embedded_reader_open,
    .reader_close = embedded_reader_close,
    .reader_next = embedded_reader_next,
    .reader_offset = embedded_reader_offset,
    .reader_seek = embedded_reader_seek,
};

fc_code fc_embedded_open(const struct fc_embedded_config *config, struct fc_stream **out_stream,
                         struct fc_error *err)
{
    struct fc_embedded *embedded = fc_new(struct fc_embedded);
    fc_code code = FC_OK;
    embedded->base.ops = &embedded_ops;
    embedded->dir = fc_strdup(config->dir);
    embedded->env.fs = config->fs == NULL ? fc_fs_system() : config->fs;
    embedded->env.clock = config->clock == NULL ? fc_clock_system() : config->clock;
    embedded->env.read_only = config->read_only;
    embedded->env.on_notice = config->on_notice;
    embedded->env.notice_ctx = config->notice_ctx;
    (void)pthread_mutex_init(&embedded->lock, NULL); /* cannot fail on Linux */
    if (config->read_only) {
        code = check_dir_exists(embedded, err);
    } else {
        embedded->env.group = fc_group_sync_new();
        code = make_dirs(embedded->env.fs, embedded->dir, err);
        if (code == FC_OK) {
            code = take_lock(embedded, err);
        }
        if (code == FC_OK) {
            code = fc_keeper_new(&embedded->env, &embedded->keeper, err);
        }
        if (code == FC_OK) {
            code = fc_embedded_open_topics(embedded, err);
        }
    }
    if (code != FC_OK) {
        free_stream(embedded);
        return code;
    }
    *out_stream = &embedded->base;
    return FC_OK;
}
