/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a stream on a Kafka cluster, for the files of core/stream only.
 *
 * Handles of librdkafka: one client for questions and administration, one producer once
 * something is appended (kafka_append.c), and a few consumers, each of which reads a partition at most once (so
 * as many as there are readers of the same partition at a time).
 */
#ifndef FC_STREAM_KAFKA_STATE_H
#define FC_STREAM_KAFKA_STATE_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>

#include "core/stream/kafka.h"
#include "core/stream/stream_ops.h"

enum {
    FC_KAFKA_REASON_SIZE = 256,
    FC_KAFKA_CALL_MS = 10000,          /* for one answer of the cluster */
    FC_KAFKA_OFFSETS_MS = 2000,        /* which is asked for while people wait, too */
    FC_KAFKA_MESSAGE_DEFAULT = 1048588 /* max.message.bytes, where it cannot be asked for */
};

struct fc_kafka_topic {
    struct fc_topic base;
    rd_kafka_topic_t *producer_topic;   /* Guarded by the stream's lock; NULL: not used yet */
    uint64_t _Atomic message_bytes_max; /* the cluster's limit */
    bool ensured;               /* Guarded by the stream's lock: it has the settings wanted */
    fc_compression compression; /* Set before the first append. */
    /* One past the newest acknowledged record of each partition; 0: none by this producer. */
    int64_t _Atomic *acked_ends;
};

struct fc_kafka_claim { /* a partition that a consumer is reading */
    const struct fc_topic *topic;
    uint32_t partition;
};

struct fc_kafka_consumer {
    rd_kafka_t *handle;
    struct fc_kafka_claim *claims;
    size_t claim_count;
};

struct fc_kafka {
    struct fc_stream base;
    rd_kafka_conf_t *properties; /* the user's, and ours for all handles */
    char **given;                /* names of the user's */
    uint32_t given_count;
    char *writer; /* transactional id; NULL: read only */
    bool read_only;
    int replication_factor;
    void (*on_notice)(void *ctx, const char *text);
    void *notice_ctx;
    rd_kafka_t *client;
    rd_kafka_t *grouped;    /* Guarded by lock; for questions about groups, NULL: none yet */
    unsigned _Atomic wakes; /* counts fc_stream_wake */

    pthread_mutex_t reason_lock;       /* taken last */
    char reason[FC_KAFKA_REASON_SIZE]; /* what librdkafka last complained of */
    bool refused;                      /* that was about who we are */

    pthread_mutex_t writing; /* held by appends, flushes and renewals; taken first */
    /* Guarded by writing. */
    bool ready;         /* the producer's predecessors are out */
    int64_t begun_ms;   /* when the open transaction was begun; 0: none is open */
    int64_t commit_ms;  /* when its commit was first asked for; 0: not yet */
    size_t small_bytes; /* handed over to topics that take less at once than a producer sends,
                           since everything was acknowledged */

    pthread_mutex_t lock;
    /* Guarded by lock; topics themselves live until close. */
    rd_kafka_t *producer; /* NULL: none yet; changed only with `writing` held, too */
    bool failed;
    struct fc_error failure; /* of the producer, the first */
    struct fc_kafka_topic **topics;
    size_t topic_count;
    struct fc_kafka_consumer **consumers;
    size_t consumer_count;
};

static inline struct fc_kafka *fc_kafka_of(struct fc_stream *stream)
{
    return (struct fc_kafka *)(void *)stream; /* its first member */
}

static inline struct fc_kafka_topic *fc_kafka_topic_of(struct fc_topic *topic)
{
    return (struct fc_kafka_topic *)(void *)topic;
}

/* --- kafka.c --- */

/* A handle with the properties; `ours` override them unless the user gave them. */
FC_MUST_CHECK fc_code fc_kafka_handle(struct fc_kafka *kafka, rd_kafka_type_t type,
                                      const struct fc_kafka_property *ours,
                                      rd_kafka_t **out_handle, struct fc_error *err);

/* Whether the user gave the property. */
bool fc_kafka_has(const struct fc_kafka *kafka, const char *name);

/* The error for what librdkafka answered to `doing`, with the newest reason when it only says
 * that nothing came. */
fc_code fc_kafka_fail(struct fc_kafka *kafka, rd_kafka_resp_err_t answer, const char *doing,
                      struct fc_error *err);

/* --- kafka_topics.c --- */

FC_MUST_CHECK fc_code fc_kafka_topic(struct fc_stream *stream, const char *name,
                                     struct fc_topic **out_topic, struct fc_error *err);
FC_MUST_CHECK fc_code fc_kafka_topic_ensure(struct fc_stream *stream, const char *name,
                                            const struct fc_topic_config *config,
                                            struct fc_topic **out_topic, struct fc_error *err);
FC_MUST_CHECK fc_code fc_kafka_topics(struct fc_stream *stream,
                                      fc_code (*on_topic)(void *ctx, struct fc_topic *topic,
                                                          struct fc_error *err),
                                      void *ctx, struct fc_error *err);
FC_MUST_CHECK fc_code fc_kafka_offsets(struct fc_topic *topic, uint32_t partition,
                                       struct fc_offsets *out_offsets, struct fc_error *err);
FC_MUST_CHECK fc_code fc_kafka_offset_for_time(struct fc_topic *topic, uint32_t partition,
                                               int64_t time_ms, int64_t *out_offset,
                                               struct fc_error *err);
void fc_kafka_free_topics(struct fc_kafka *kafka);

/* --- kafka_admin.c --- */

enum { FC_KAFKA_VALIDATE = 1 /* say whether it could be created, and do not */ };

FC_MUST_CHECK fc_code fc_kafka_create(struct fc_kafka *kafka, const char *name,
                                      const struct fc_topic_config *config, unsigned flags,
                                      struct fc_error *err);
/* Change what `config->given` names and the topic has otherwise. */
FC_MUST_CHECK fc_code fc_kafka_configure(struct fc_kafka *kafka, const char *name,
                                         const struct fc_topic_config *config,
                                         struct fc_error *err);
/* "" when the cluster does not have it or does not tell. */
FC_MUST_CHECK fc_code fc_kafka_setting(struct fc_kafka *kafka, const char *topic,
                                       const char *name, char to[FC_KAFKA_SETTING_SIZE],
                                       struct fc_error *err);

/* --- kafka_others.c --- */

FC_MUST_CHECK fc_code fc_kafka_names(struct fc_stream *stream,
                                     fc_code (*on_topic)(void *ctx, const char *name,
                                                         uint32_t partitions,
                                                         struct fc_error *err),
                                     void *ctx, struct fc_error *err);
FC_MUST_CHECK fc_code fc_kafka_create_like(struct fc_stream *stream, const char *name,
                                           uint32_t partitions, const char *const *settings,
                                           uint32_t setting_count, struct fc_topic **out_topic,
                                           struct fc_error *err);
FC_MUST_CHECK fc_code fc_kafka_grow(struct fc_topic *topic, uint32_t partitions,
                                    struct fc_error *err);
FC_MUST_CHECK fc_code fc_kafka_settings(struct fc_stream *stream, const char *topic,
                                        void (*on_setting)(void *ctx, const char *name,
                                                           const char *value),
                                        void *ctx, struct fc_error *err);
FC_MUST_CHECK fc_code fc_kafka_groups(struct fc_stream *stream,
                                      void (*on_group)(void *ctx, const char *group), void *ctx,
                                      struct fc_error *err);
FC_MUST_CHECK fc_code fc_kafka_committed(struct fc_stream *stream, const char *group,
                                         void (*on_offset)(void *ctx, const char *topic,
                                                           uint32_t partition, int64_t offset),
                                         void *ctx, struct fc_error *err);
FC_MUST_CHECK fc_code fc_kafka_commit(struct fc_topic *topic, uint32_t partition,
                                      const char *group, int64_t offset, struct fc_error *err);

/* --- kafka_batch.c --- */

struct fc_stream_batch *fc_kafka_batch_new(struct fc_topic *topic, uint32_t partition);
void fc_kafka_batch_free(struct fc_stream_batch *batch);
void fc_kafka_batch_reset(struct fc_stream_batch *batch, struct fc_topic *topic,
                          uint32_t partition);
FC_MUST_CHECK fc_code fc_kafka_batch_add(struct fc_stream_batch *batch,
                                         const struct fc_record *record, struct fc_error *err);
uint32_t fc_kafka_batch_count(const struct fc_stream_batch *batch);
size_t fc_kafka_batch_bytes(const struct fc_stream_batch *batch);
FC_MUST_CHECK fc_code fc_kafka_batch_seal(struct fc_stream_batch *batch, struct fc_error *err);
bool fc_kafka_batch_is_sent(const struct fc_stream_batch *batch);
/* What its first record's offset cannot be below. */
int64_t fc_kafka_batch_least(const struct fc_stream_batch *batch);
/* What the next record adds to a batch of the producer, at most. */
size_t fc_kafka_batch_next_bytes(const struct fc_stream_batch *batch);
/* Hand the next record over, which is copied. Its topic must have its producer_topic. */
rd_kafka_resp_err_t fc_kafka_batch_send(rd_kafka_t *producer, struct fc_stream_batch *batch);

/* --- kafka_append.c --- */

FC_MUST_CHECK fc_code fc_kafka_append(struct fc_stream_batch *batch, int64_t *out_base,
                                      struct fc_error *err);
FC_MUST_CHECK fc_code fc_kafka_flush(struct fc_stream *stream, struct fc_error *err);
FC_MUST_CHECK fc_code fc_kafka_renew(struct fc_stream *stream, struct fc_error *err);
/* What the producer has failed with, if it has. */
FC_MUST_CHECK fc_code fc_kafka_failure(struct fc_kafka *kafka, struct fc_error *err);
/* Commit what is appended if that takes no longer than wait_ms, or drop it. */
void fc_kafka_close_producer(struct fc_kafka *kafka, int wait_ms);

/* --- kafka_room.c --- */

/* Whether the topic takes less at once than the producer, which there is, sends. */
bool fc_kafka_is_small(const struct fc_kafka *kafka, struct fc_topic *topic);
/* Until a record of so many bytes may be handed over to such a topic. FC_ERR_TIMEOUT: not now. */
FC_MUST_CHECK fc_code fc_kafka_wait_for_room(struct fc_kafka *kafka, struct fc_topic *topic,
                                             size_t bytes, struct fc_error *err);

/* --- kafka_read.c --- */

FC_MUST_CHECK fc_code fc_kafka_reader_open(struct fc_topic *topic, uint32_t partition,
                                           int64_t offset, struct fc_stream_reader **out_reader,
                                           struct fc_error *err);
void fc_kafka_reader_close(struct fc_stream_reader *reader);
FC_MUST_CHECK fc_code fc_kafka_reader_next(struct fc_stream_reader *reader, int wait_ms,
                                           const struct fc_record **out_records,
                                           uint32_t *out_count, struct fc_error *err);
int64_t fc_kafka_reader_offset(const struct fc_stream_reader *reader);
FC_MUST_CHECK fc_code fc_kafka_reader_seek(struct fc_stream_reader *reader, int64_t offset,
                                           struct fc_error *err);
void fc_kafka_free_consumers(struct fc_kafka *kafka);

#endif
