/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/stream/embedded_state.h"

static void embedded_close(struct fc_stream *stream)
{
    struct fc_embedded *embedded = fc_embedded_of(stream);
    fc_embedded_free_topics(embedded);
    fc_data_dir_close(embedded->data);
    (void)pthread_mutex_destroy(&embedded->lock); /* nobody uses the stream any more */
    free(embedded);
}

static fc_code embedded_flush(struct fc_stream *stream, struct fc_error *err)
{
    return fc_data_dir_flush(fc_embedded_of(stream)->data, err);
}

/* Nobody else writes, and a partition whose disk failed takes appends only after it was opened
 * again: by a person, who has looked at the disk. */
static fc_code embedded_renew(struct fc_stream *stream, struct fc_error *err)
{
    (void)stream;
    (void)err;
    return FC_OK;
}

static void embedded_wake(struct fc_stream *stream)
{
    fc_data_dir_wake(fc_embedded_of(stream)->data);
}

static fc_code partition_of(struct fc_topic *topic, uint32_t index,
                            struct fc_partition **out_partition, struct fc_error *err)
{
    return fc_log_topic_partition(fc_embedded_topic_of(topic)->log, index, out_partition, err);
}

static fc_code embedded_offsets(struct fc_topic *topic, uint32_t partition,
                                struct fc_offsets *out_offsets, struct fc_error *err)
{
    struct fc_partition *opened = NULL;
    struct fc_partition_offsets offsets = { 0 };
    fc_code code = partition_of(topic, partition, &opened, err);
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
    fc_code code = partition_of(topic, partition, &opened, err);
    return code == FC_OK ? fc_partition_offset_for_time(opened, time_ms, out_offset, err)
                         : code;
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
    fc_embedded_batch_settings(topic, &compression, &record_bytes_max);
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
    fc_embedded_batch_settings(topic, &compression, &record_bytes_max);
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
    if (fc_data_dir_is_read_only(embedded->data)) {
        return fc_fail(err, FC_ERR_REFUSED, "data directory %s is open for reading only",
                       fc_data_dir_path(embedded->data));
    }
    code = partition_of(batch->topic, batch->partition, &opened, err);
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
    fc_code code = partition_of(topic, partition, &opened, err);
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
    .names = fc_embedded_names,
    .create = fc_embedded_create,
    .grow = fc_embedded_grow,
    .settings = fc_embedded_settings,
    .identity = fc_embedded_identity,
    .flush = embedded_flush,
    .flushes_beside_appends = true,
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
    struct fc_data_dir_config data = {
        .dir = config->dir,
        .read_only = config->read_only,
        .read_whole = config->read_whole,
        .fs = config->fs,
        .clock = config->clock,
        .on_notice = config->on_notice,
        .notice_ctx = config->notice_ctx,
    };
    struct fc_embedded *embedded = fc_new(struct fc_embedded);
    fc_code code = fc_data_dir_open(&data, &embedded->data, err);
    if (code != FC_OK) {
        free(embedded);
        return code;
    }
    embedded->base.ops = &embedded_ops;
    (void)pthread_mutex_init(&embedded->lock, NULL); /* cannot fail on Linux */
    *out_stream = &embedded->base;
    return FC_OK;
}

struct fc_data_dir *fc_embedded_data_dir(struct fc_stream *stream)
{
    return fc_embedded_of(stream)->data;
}
