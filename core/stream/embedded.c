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

static fc_code fail_in_use(struct fc_stream *stream, struct fc_error *err)
{
    char pid[PID_TEXT_SIZE] = "";
    size_t size = 0;
    if (stream->env.fs->ops->read(stream->lock_file, 0, pid, sizeof(pid) - 1, &size, NULL) !=
        FC_OK) {
        size = 0;
    }
    pid[size] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
    return fc_fail(
        err, FC_ERR_REFUSED,
        "data directory %s is in use by process %s; stop it, or use another directory",
        stream->dir, pid[0] == '\0' ? "(unknown)" : pid);
}

/* The file's content only helps a person; the lock goes with the process. */
static fc_code take_lock(struct fc_stream *stream, struct fc_error *err)
{
    struct fc_fs *fs = stream->env.fs;
    char *path = fc_asprintf("%s/%s", stream->dir, FC_EMBEDDED_LOCK_NAME);
    char pid[PID_TEXT_SIZE];
    struct iovec part = { pid, 0 };
    fc_code code = fs->ops->open(fs, path, FC_FS_WRITE | FC_FS_CREATE, &stream->lock_file, err);
    free(path);
    if (code == FC_OK) {
        code = fs->ops->lock(stream->lock_file, err);
        if (code == FC_ERR_REFUSED) {
            return fail_in_use(stream, err);
        }
    }
    if (code == FC_OK) {
        code = fs->ops->truncate(stream->lock_file, 0, err);
    }
    if (code == FC_OK) {
        part.iov_len = (size_t)snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
        code = fs->ops->write(stream->lock_file, 0, &part, 1, err);
        if (code == FC_ERR_FULL) {
            code = FC_OK; /* reads go on while the disk is full */
        }
    }
    return code;
}

static fc_code check_dir_exists(const struct fc_stream *stream, struct fc_error *err)
{
    uint64_t bytes = 0;
    fc_code code = stream->env.fs->ops->free_space(stream->env.fs, stream->dir, &bytes, err);
    if (code == FC_ERR_NOT_FOUND) {
        return fc_fail(err, code, "there is no data directory %s", stream->dir);
    }
    return code;
}

static void free_stream(struct fc_stream *stream)
{
    fc_keeper_free(stream->keeper);
    fc_embedded_free_topics(stream);
    fc_group_sync_free(stream->env.group);
    stream->env.fs->ops->close(stream->lock_file);
    (void)pthread_mutex_destroy(&stream->lock); /* nobody uses the stream any more */
    free(stream->dir);
    free(stream);
}

fc_code fc_embedded_open(const struct fc_embedded_config *config, struct fc_stream **out_stream,
                         struct fc_error *err)
{
    struct fc_stream *stream = fc_new(struct fc_stream);
    fc_code code = FC_OK;
    stream->dir = fc_strdup(config->dir);
    stream->env.fs = config->fs == NULL ? fc_fs_system() : config->fs;
    stream->env.clock = config->clock == NULL ? fc_clock_system() : config->clock;
    stream->env.read_only = config->read_only;
    stream->env.on_notice = config->on_notice;
    stream->env.notice_ctx = config->notice_ctx;
    (void)pthread_mutex_init(&stream->lock, NULL); /* cannot fail on Linux */
    if (config->read_only) {
        code = check_dir_exists(stream, err);
    } else {
        stream->env.group = fc_group_sync_new();
        code = make_dirs(stream->env.fs, stream->dir, err);
        if (code == FC_OK) {
            code = take_lock(stream, err);
        }
        if (code == FC_OK) {
            code = fc_keeper_new(&stream->env, &stream->keeper, err);
        }
        if (code == FC_OK) {
            code = fc_embedded_open_topics(stream, err);
        }
    }
    if (code != FC_OK) {
        free_stream(stream);
        return code;
    }
    *out_stream = stream;
    return FC_OK;
}

void fc_stream_close(struct fc_stream *stream)
{
    struct fc_error why;
    if (stream == NULL) {
        return;
    }
    /* One sync for all; each partition is then closed with nothing left to wait for. */
    if (!stream->env.read_only && fc_group_sync_flush(stream->env.group, &why) != FC_OK) {
        fc_log_notice(&stream->env, "%s: not everything could be synced: %s", stream->dir,
                      why.message);
    }
    free_stream(stream);
}

fc_code fc_stream_flush(struct fc_stream *stream, struct fc_error *err)
{
    return stream->env.read_only ? FC_OK : fc_group_sync_flush(stream->env.group, err);
}

void fc_stream_wake(struct fc_stream *stream)
{
    (void)pthread_mutex_lock(&stream->lock);
    for (size_t topic = 0; topic < stream->topics_count; topic++) {
        for (uint32_t index = 0; index < stream->topics[topic]->partitions_count; index++) {
            struct fc_partition *partition = stream->topics[topic]->partitions[index].partition;
            if (partition != NULL) {
                fc_partition_wake(partition);
            }
        }
    }
    (void)pthread_mutex_unlock(&stream->lock);
}

fc_code fc_stream_offsets(struct fc_topic *topic, uint32_t partition,
                          struct fc_offsets *out_offsets, struct fc_error *err)
{
    struct fc_partition *opened = NULL;
    struct fc_partition_offsets offsets = { 0 };
    fc_code code = fc_embedded_partition(topic, partition, &opened, err);
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

fc_code fc_stream_offset_for_time(struct fc_topic *topic, uint32_t partition, int64_t time_ms,
                                  int64_t *out_offset, struct fc_error *err)
{
    struct fc_partition *opened = NULL;
    fc_code code = fc_embedded_partition(topic, partition, &opened, err);
    return code == FC_OK ? fc_partition_offset_for_time(opened, time_ms, out_offset, err)
                         : code;
}

static void settings_of(struct fc_topic *topic, fc_compression *out_compression,
                        uint64_t *out_record_bytes_max)
{
    (void)pthread_mutex_lock(&topic->config_lock);
    *out_compression = topic->config.compression;
    *out_record_bytes_max = topic->config.record_bytes_max;
    (void)pthread_mutex_unlock(&topic->config_lock);
}

struct fc_stream_batch *fc_stream_batch_new(struct fc_topic *topic, uint32_t partition)
{
    struct fc_stream_batch *batch = fc_new(struct fc_stream_batch);
    fc_compression compression;
    uint64_t record_bytes_max;
    settings_of(topic, &compression, &record_bytes_max);
    fc_batch_builder_init(&batch->builder, compression, record_bytes_max);
    batch->topic = topic;
    batch->partition = partition;
    return batch;
}

void fc_stream_batch_free(struct fc_stream_batch *batch)
{
    if (batch != NULL) {
        fc_batch_builder_release(&batch->builder);
        free(batch);
    }
}

void fc_stream_batch_reset(struct fc_stream_batch *batch, struct fc_topic *topic,
                           uint32_t partition)
{
    fc_compression compression;
    uint64_t record_bytes_max;
    settings_of(topic, &compression, &record_bytes_max);
    fc_batch_builder_reset(&batch->builder, compression, record_bytes_max);
    batch->topic = topic;
    batch->partition = partition;
}

fc_code fc_stream_batch_add(struct fc_stream_batch *batch, const struct fc_record *record,
                            struct fc_error *err)
{
    return fc_batch_builder_add(&batch->builder, record, err);
}

uint32_t fc_stream_batch_count(const struct fc_stream_batch *batch)
{
    return batch->builder.count;
}

size_t fc_stream_batch_bytes(const struct fc_stream_batch *batch)
{
    return batch->builder.plain.len;
}

fc_code fc_stream_batch_seal(struct fc_stream_batch *batch, struct fc_error *err)
{
    return fc_batch_builder_seal(&batch->builder, err);
}

fc_code fc_stream_append(struct fc_stream_batch *batch, int64_t *out_base, struct fc_error *err)
{
    struct fc_partition *opened = NULL;
    struct fc_partition_offsets offsets = { 0 };
    fc_code code;
    if (batch->topic->stream->env.read_only) {
        return fc_fail(err, FC_ERR_REFUSED, "data directory %s is open for reading only",
                       batch->topic->stream->dir);
    }
    code = fc_embedded_partition(batch->topic, batch->partition, &opened, err);
    if (code == FC_OK && batch->builder.count > 0) {
        code = fc_partition_append(opened, &batch->builder, out_base, err);
    } else if (code == FC_OK) {
        code = fc_partition_offsets(opened, &offsets, err);
        *out_base = offsets.end;
    }
    return code;
}

struct fc_stream_reader {
    struct fc_log_reader *log;
};

fc_code fc_stream_reader_open(struct fc_topic *topic, uint32_t partition, int64_t offset,
                              struct fc_stream_reader **out_reader, struct fc_error *err)
{
    struct fc_partition *opened = NULL;
    struct fc_log_reader *log = NULL;
    fc_code code = fc_embedded_partition(topic, partition, &opened, err);
    if (code == FC_OK) {
        code = fc_log_reader_open(opened, offset, &log, err);
    }
    if (code == FC_OK) {
        *out_reader = fc_new(struct fc_stream_reader);
        (*out_reader)->log = log;
    }
    return code;
}

void fc_stream_reader_close(struct fc_stream_reader *reader)
{
    if (reader != NULL) {
        fc_log_reader_close(reader->log);
        free(reader);
    }
}

fc_code fc_stream_reader_next(struct fc_stream_reader *reader, int wait_ms,
                              const struct fc_record **out_records, uint32_t *out_count,
                              struct fc_error *err)
{
    return fc_log_reader_next(reader->log, wait_ms, out_records, out_count, err);
}

int64_t fc_stream_reader_offset(const struct fc_stream_reader *reader)
{
    return fc_log_reader_offset(reader->log);
}

fc_code fc_stream_reader_seek(struct fc_stream_reader *reader, int64_t offset,
                              struct fc_error *err)
{
    return fc_log_reader_seek(reader->log, offset, err);
}
