/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of an embedded stream, for the files of core/stream only. */
#ifndef FC_STREAM_EMBEDDED_STATE_H
#define FC_STREAM_EMBEDDED_STATE_H

#include <pthread.h>

#include "core/log/data_dir.h"
#include "core/log/log_reader.h"
#include "core/stream/embedded.h"
#include "core/stream/stream_ops.h"

struct fc_embedded_topic {
    struct fc_topic base;
    struct fc_log_topic *log; /* a reference */

    pthread_mutex_t config_lock;
    /* Guarded by config_lock: what batches are built with. */
    uint64_t generation; /* of the directory, when they were taken over */
    fc_compression compression;
    uint64_t record_bytes_max;
};

struct fc_embedded {
    struct fc_stream base;
    struct fc_data_dir *data;

    pthread_mutex_t lock;
    /* Guarded by lock; topics themselves live until close. */
    struct fc_embedded_topic **topics; /* in order of their first use */
    size_t topics_count;
};

struct fc_embedded_batch {
    struct fc_stream_batch base;
    struct fc_batch_builder builder;
};

/* The base is the first member, so these are the same addresses. */
static inline struct fc_embedded *fc_embedded_of(struct fc_stream *stream)
{
    return (struct fc_embedded *)(void *)stream;
}

static inline struct fc_embedded_topic *fc_embedded_topic_of(struct fc_topic *topic)
{
    return (struct fc_embedded_topic *)(void *)topic;
}

/* --- topics.c --- */

void fc_embedded_free_topics(struct fc_embedded *embedded);

/* The slots of stream.h that are about topics. */
FC_MUST_CHECK fc_code fc_embedded_topic(struct fc_stream *stream, const char *name,
                                        struct fc_topic **out_topic, struct fc_error *err);
FC_MUST_CHECK fc_code fc_embedded_topic_ensure(struct fc_stream *stream, const char *name,
                                               const struct fc_topic_config *config,
                                               struct fc_topic **out_topic,
                                               struct fc_error *err);
FC_MUST_CHECK fc_code fc_embedded_topics(struct fc_stream *stream,
                                         fc_code (*on_topic)(void *ctx, struct fc_topic *topic,
                                                             struct fc_error *err),
                                         void *ctx, struct fc_error *err);

/* --- embedded_topics.c --- */

FC_MUST_CHECK fc_code fc_embedded_names(struct fc_stream *stream,
                                        fc_code (*on_topic)(void *ctx, const char *name,
                                                            uint32_t partitions,
                                                            struct fc_error *err),
                                        void *ctx, struct fc_error *err);
FC_MUST_CHECK fc_code fc_embedded_create(struct fc_stream *stream, const char *name,
                                         uint32_t partitions, const char *const *settings,
                                         uint32_t setting_count, struct fc_topic **out_topic,
                                         struct fc_error *err);
FC_MUST_CHECK fc_code fc_embedded_grow(struct fc_topic *topic, uint32_t partitions,
                                       struct fc_error *err);
FC_MUST_CHECK fc_code fc_embedded_identity(struct fc_stream *stream, const char *topic,
                                           char out_id[FC_TOPIC_ID_SIZE], struct fc_error *err);
FC_MUST_CHECK fc_code fc_embedded_settings(struct fc_stream *stream, const char *topic,
                                           void (*on_setting)(void *ctx, const char *name,
                                                              const char *value),
                                           void *ctx, struct fc_error *err);

/* The stream's topic for one of the directory's, whose reference it takes. */
struct fc_embedded_topic *fc_embedded_adopt(struct fc_embedded *embedded,
                                            struct fc_log_topic *log);

/* What a batch for the topic is built with. */
void fc_embedded_batch_settings(struct fc_topic *topic, fc_compression *out_compression,
                                uint64_t *out_record_bytes_max);

#endif
