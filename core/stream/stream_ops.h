/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands behind stream.h, for the files of core/stream only: each implementation gives a
 * table of functions, and its streams, topics, batches and readers begin with the structs here.
 */
#ifndef FC_STREAM_OPS_H
#define FC_STREAM_OPS_H

#include "core/stream/stream.h"

/* Each slot does what stream.h says of the function of its name. */
struct fc_stream_ops {
    bool sparse; /* not is_dense */
    void (*close)(struct fc_stream *stream);
    fc_code (*topic)(struct fc_stream *stream, const char *name, struct fc_topic **out_topic,
                     struct fc_error *err);
    fc_code (*topic_ensure)(struct fc_stream *stream, const char *name,
                            const struct fc_topic_config *config, struct fc_topic **out_topic,
                            struct fc_error *err);
    fc_code (*topics)(struct fc_stream *stream,
                      fc_code (*on_topic)(void *ctx, struct fc_topic *topic,
                                          struct fc_error *err),
                      void *ctx, struct fc_error *err);
    fc_code (*names)(struct fc_stream *stream,
                     fc_code (*on_topic)(void *ctx, const char *name, uint32_t partitions,
                                         struct fc_error *err),
                     void *ctx, struct fc_error *err);
    fc_code (*create)(struct fc_stream *stream, const char *name, uint32_t partitions,
                      const char *const *settings, uint32_t setting_count,
                      struct fc_topic **out_topic, struct fc_error *err);
    fc_code (*grow)(struct fc_topic *topic, uint32_t partitions, struct fc_error *err);
    fc_code (*settings)(struct fc_stream *stream, const char *topic,
                        void (*on_setting)(void *ctx, const char *name, const char *value),
                        void *ctx, struct fc_error *err);
    /* NULL: it cannot say. */
    fc_code (*identity)(struct fc_stream *stream, const char *topic,
                        char out_id[FC_TOPIC_ID_SIZE], struct fc_error *err);
    /* NULL, all three: there are no groups. */
    fc_code (*groups)(struct fc_stream *stream, void (*on_group)(void *ctx, const char *group),
                      void *ctx, struct fc_error *err);
    fc_code (*committed)(struct fc_stream *stream, const char *group,
                         void (*on_offset)(void *ctx, const char *topic, uint32_t partition,
                                           int64_t offset),
                         void *ctx, struct fc_error *err);
    fc_code (*commit)(struct fc_topic *topic, uint32_t partition, const char *group,
                      int64_t offset, struct fc_error *err);
    fc_code (*flush)(struct fc_stream *stream, struct fc_error *err);
    bool flushes_beside_appends;
    fc_code (*renew)(struct fc_stream *stream, struct fc_error *err);
    void (*wake)(struct fc_stream *stream);

    fc_code (*offsets)(struct fc_topic *topic, uint32_t partition,
                       struct fc_offsets *out_offsets, struct fc_error *err);
    fc_code (*offset_for_time)(struct fc_topic *topic, uint32_t partition, int64_t time_ms,
                               int64_t *out_offset, struct fc_error *err);
    struct fc_stream_batch *(*batch_new)(struct fc_topic *topic, uint32_t partition);
    fc_code (*reader_open)(struct fc_topic *topic, uint32_t partition, int64_t offset,
                           struct fc_stream_reader **out_reader, struct fc_error *err);

    void (*batch_free)(struct fc_stream_batch *batch);
    void (*batch_reset)(struct fc_stream_batch *batch, struct fc_topic *topic,
                        uint32_t partition);
    fc_code (*batch_add)(struct fc_stream_batch *batch, const struct fc_record *record,
                         struct fc_error *err);
    uint32_t (*batch_count)(const struct fc_stream_batch *batch);
    size_t (*batch_bytes)(const struct fc_stream_batch *batch);
    fc_code (*batch_seal)(struct fc_stream_batch *batch, struct fc_error *err);
    fc_code (*append)(struct fc_stream_batch *batch, int64_t *out_base, struct fc_error *err);

    void (*reader_close)(struct fc_stream_reader *reader);
    fc_code (*reader_next)(struct fc_stream_reader *reader, int wait_ms,
                           const struct fc_record **out_records, uint32_t *out_count,
                           struct fc_error *err);
    int64_t (*reader_offset)(const struct fc_stream_reader *reader);
    fc_code (*reader_seek)(struct fc_stream_reader *reader, int64_t offset,
                           struct fc_error *err);
};

/* Each is the first member of an implementation's own struct. */
struct fc_stream {
    const struct fc_stream_ops *ops;
};

struct fc_topic {
    struct fc_stream *stream;
    char *name;
    _Atomic uint32_t partitions_count; /* only grows */
};

/* A batch stays with the implementation that made it. */
struct fc_stream_batch {
    struct fc_topic *topic;
    uint32_t partition;
};

struct fc_stream_reader {
    struct fc_topic *topic;
};

#endif
