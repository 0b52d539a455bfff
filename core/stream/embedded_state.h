/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of an embedded stream, for the files of core/stream only. */
#ifndef FC_STREAM_EMBEDDED_STATE_H
#define FC_STREAM_EMBEDDED_STATE_H

#include <pthread.h>

#include "core/log/group_sync.h"
#include "core/log/keeper.h"
#include "core/log/log_reader.h"
#include "core/log/partition.h"
#include "core/stream/embedded.h"
#include "core/stream/stream_ops.h"

/* A partition that is open, or the reason why it is not. */
struct fc_embedded_partition {
    struct fc_partition
        *_Atomic partition; /* NULL: see why; set once, under the stream's lock */
    struct fc_error why;    /* Guarded by the stream's lock. */
};

struct fc_embedded_topic {
    struct fc_topic base;
    struct fc_embedded_partition *partitions;

    pthread_mutex_t config_lock; /* taken after the stream's lock */
    struct fc_topic_config
        config; /* Guarded by config_lock; changed under the stream's lock. */
};

struct fc_embedded {
    struct fc_stream base;
    char *dir;
    struct fc_log_env env;
    struct fc_file *lock_file; /* NULL when read_only */
    struct fc_keeper *keeper;  /* NULL when read_only */

    pthread_mutex_t lock;
    /* Guarded by lock; topics themselves live until close. */
    struct fc_embedded_topic **topics; /* by name */
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

/* Open every topic that the directory has; a damaged one is told as a notice and does not stop
 * the others. */
FC_MUST_CHECK fc_code fc_embedded_open_topics(struct fc_embedded *embedded,
                                              struct fc_error *err);
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

/* The open partition, or the error that it has instead. */
FC_MUST_CHECK fc_code fc_embedded_partition(struct fc_embedded_topic *topic, uint32_t index,
                                            struct fc_partition **out_partition,
                                            struct fc_error *err);

#endif
