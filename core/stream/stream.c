/* SPDX-License-Identifier: Apache-2.0 */
#include "core/stream/stream.h"

#include "core/stream/stream_ops.h"

void fc_topic_config_init(struct fc_topic_config *config)
{
    memset(config, 0, sizeof(*config));
    config->partitions = 1;
    config->retention_ms = -1;
    config->retention_bytes = -1;
    config->segment_bytes = (uint64_t)1024 * 1024 * 1024;
    config->segment_ms = (int64_t)7 * 24 * 3600 * 1000;
    config->record_bytes_max = FC_RECORD_BYTES_MAX;
    config->compression = FC_COMPRESSION_LZ4;
    config->flush = FC_FLUSH_DURABLE;
}

void fc_stream_close(struct fc_stream *stream)
{
    if (stream != NULL) {
        stream->ops->close(stream);
    }
}

/* --- topics ------------------------------------------------------------------------------- */

fc_code fc_stream_topic(struct fc_stream *stream, const char *name, struct fc_topic **out_topic,
                        struct fc_error *err)
{
    return stream->ops->topic(stream, name, out_topic, err);
}

fc_code fc_stream_topic_ensure(struct fc_stream *stream, const char *name,
                               const struct fc_topic_config *config,
                               struct fc_topic **out_topic, struct fc_error *err)
{
    return stream->ops->topic_ensure(stream, name, config, out_topic, err);
}

fc_code fc_stream_topics(struct fc_stream *stream,
                         fc_code (*on_topic)(void *ctx, struct fc_topic *topic,
                                             struct fc_error *err),
                         void *ctx, struct fc_error *err)
{
    return stream->ops->topics(stream, on_topic, ctx, err);
}

fc_code fc_stream_names(struct fc_stream *stream,
                        fc_code (*on_topic)(void *ctx, const char *name, uint32_t partitions,
                                            struct fc_error *err),
                        void *ctx, struct fc_error *err)
{
    return stream->ops->names(stream, on_topic, ctx, err);
}

fc_code fc_stream_create(struct fc_stream *stream, const char *name, uint32_t partitions,
                         const char *const *settings, uint32_t setting_count,
                         struct fc_topic **out_topic, struct fc_error *err)
{
    return stream->ops->create(stream, name, partitions, settings, setting_count, out_topic,
                               err);
}

fc_code fc_stream_grow(struct fc_topic *topic, uint32_t partitions, struct fc_error *err)
{
    return topic->partitions_count >= partitions
               ? FC_OK
               : topic->stream->ops->grow(topic, partitions, err);
}

fc_code fc_stream_settings(struct fc_stream *stream, const char *topic,
                           void (*on_setting)(void *ctx, const char *name, const char *value),
                           void *ctx, struct fc_error *err)
{
    return stream->ops->settings(stream, topic, on_setting, ctx, err);
}

fc_code fc_stream_identity(struct fc_stream *stream, const char *topic,
                           char out_id[FC_TOPIC_ID_SIZE], struct fc_error *err)
{
    out_id[0] = '\0';
    return stream->ops->identity == NULL ? FC_OK
                                         : stream->ops->identity(stream, topic, out_id, err);
}

/* --- consumer groups ---------------------------------------------------------------------- */

fc_code fc_stream_groups(struct fc_stream *stream,
                         void (*on_group)(void *ctx, const char *group), void *ctx,
                         struct fc_error *err)
{
    return stream->ops->groups == NULL ? FC_OK
                                       : stream->ops->groups(stream, on_group, ctx, err);
}

fc_code fc_stream_committed(struct fc_stream *stream, const char *group,
                            void (*on_offset)(void *ctx, const char *topic, uint32_t partition,
                                              int64_t offset),
                            void *ctx, struct fc_error *err)
{
    return stream->ops->committed == NULL
               ? FC_OK
               : stream->ops->committed(stream, group, on_offset, ctx, err);
}

fc_code fc_stream_commit(struct fc_topic *topic, uint32_t partition, const char *group,
                         int64_t offset, struct fc_error *err)
{
    if (topic->stream->ops->commit == NULL) {
        return fc_fail(err, FC_ERR_REJECTED, "a log in this process has no consumer groups");
    }
    return topic->stream->ops->commit(topic, partition, group, offset, err);
}

/* --- more of topics ----------------------------------------------------------------------- */

const char *fc_topic_name(const struct fc_topic *topic)
{
    return topic->name;
}

uint32_t fc_topic_partitions(const struct fc_topic *topic)
{
    return topic->partitions_count;
}

fc_code fc_stream_offsets(struct fc_topic *topic, uint32_t partition,
                          struct fc_offsets *out_offsets, struct fc_error *err)
{
    return topic->stream->ops->offsets(topic, partition, out_offsets, err);
}

fc_code fc_stream_offset_for_time(struct fc_topic *topic, uint32_t partition, int64_t time_ms,
                                  int64_t *out_offset, struct fc_error *err)
{
    return topic->stream->ops->offset_for_time(topic, partition, time_ms, out_offset, err);
}

/* --- appending ---------------------------------------------------------------------------- */

static const struct fc_stream_ops *batch_ops(const struct fc_stream_batch *batch)
{
    return batch->topic->stream->ops;
}

struct fc_stream_batch *fc_stream_batch_new(struct fc_topic *topic, uint32_t partition)
{
    return topic->stream->ops->batch_new(topic, partition);
}

void fc_stream_batch_free(struct fc_stream_batch *batch)
{
    if (batch != NULL) {
        batch_ops(batch)->batch_free(batch);
    }
}

void fc_stream_batch_reset(struct fc_stream_batch *batch, struct fc_topic *topic,
                           uint32_t partition)
{
    batch_ops(batch)->batch_reset(batch, topic, partition);
}

fc_code fc_stream_batch_add(struct fc_stream_batch *batch, const struct fc_record *record,
                            struct fc_error *err)
{
    return batch_ops(batch)->batch_add(batch, record, err);
}

uint32_t fc_stream_batch_count(const struct fc_stream_batch *batch)
{
    return batch_ops(batch)->batch_count(batch);
}

size_t fc_stream_batch_bytes(const struct fc_stream_batch *batch)
{
    return batch_ops(batch)->batch_bytes(batch);
}

fc_code fc_stream_batch_seal(struct fc_stream_batch *batch, struct fc_error *err)
{
    return batch_ops(batch)->batch_seal(batch, err);
}

fc_code fc_stream_append(struct fc_stream_batch *batch, int64_t *out_base, struct fc_error *err)
{
    return batch_ops(batch)->append(batch, out_base, err);
}

fc_code fc_stream_append_one(struct fc_topic *topic, uint32_t partition,
                             const struct fc_record *record, struct fc_error *err)
{
    struct fc_stream_batch *batch = fc_stream_batch_new(topic, partition);
    int64_t base;
    fc_code code = fc_stream_batch_add(batch, record, err);
    if (code == FC_OK) {
        code = fc_stream_batch_seal(batch, err);
    }
    if (code == FC_OK) {
        code = fc_stream_append(batch, &base, err);
    }
    fc_stream_batch_free(batch);
    return code;
}

bool fc_stream_is_dense(const struct fc_stream *stream)
{
    return !stream->ops->sparse;
}

fc_code fc_stream_flush(struct fc_stream *stream, struct fc_error *err)
{
    return stream->ops->flush(stream, err);
}

bool fc_stream_flushes_beside_appends(const struct fc_stream *stream)
{
    return stream->ops->flushes_beside_appends;
}

fc_code fc_stream_renew(struct fc_stream *stream, struct fc_error *err)
{
    return stream->ops->renew(stream, err);
}

/* --- reading ------------------------------------------------------------------------------ */

static const struct fc_stream_ops *reader_ops(const struct fc_stream_reader *reader)
{
    return reader->topic->stream->ops;
}

fc_code fc_stream_reader_open(struct fc_topic *topic, uint32_t partition, int64_t offset,
                              struct fc_stream_reader **out_reader, struct fc_error *err)
{
    return topic->stream->ops->reader_open(topic, partition, offset, out_reader, err);
}

void fc_stream_reader_close(struct fc_stream_reader *reader)
{
    if (reader != NULL) {
        reader_ops(reader)->reader_close(reader);
    }
}

fc_code fc_stream_reader_next(struct fc_stream_reader *reader, int wait_ms,
                              const struct fc_record **out_records, uint32_t *out_count,
                              struct fc_error *err)
{
    return reader_ops(reader)->reader_next(reader, wait_ms, out_records, out_count, err);
}

int64_t fc_stream_reader_offset(const struct fc_stream_reader *reader)
{
    return reader_ops(reader)->reader_offset(reader);
}

fc_code fc_stream_reader_seek(struct fc_stream_reader *reader, int64_t offset,
                              struct fc_error *err)
{
    return reader_ops(reader)->reader_seek(reader, offset, err);
}

void fc_stream_wake(struct fc_stream *stream)
{
    stream->ops->wake(stream);
}
