/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one client interface to a log: topics, appends, reads. Nothing above it may know whether
 * the log is in this process (embedded.h) or a cluster (kafka.h).
 *
 * Appending has three steps, so that the costly ones can run on other threads: a worker fills a
 * batch and seals it (encode, compress, checksum), the pipeline's writer appends it (offsets
 * are given then) and flushes.
 *
 * Offsets are 64-bit and grow. In a log in this process they are dense but for what retention or
 * compaction removed; in a cluster the marks of transactions take some. `end` is one past the
 * last record that can be read, or past such a mark; `durable` is one past the last record that survives a power
 * loss; start <= durable <= end.
 *
 * Thread: a stream may be used by any number of threads; a batch, a reader by one at a time.
 */
#ifndef FC_STREAM_H
#define FC_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/log/record.h"

enum { FC_TOPIC_NAME_MAX = 249 /* Kafka's limit; [A-Za-z0-9._-] */ };

typedef enum fc_flush_policy {
    FC_FLUSH_DURABLE, /* fc_stream_flush returns when the disk has it */
    FC_FLUSH_OS /* when the operating system has it: lost with power, not with the process */
} fc_flush_policy;

/* Which of a topic's settings a person has chosen: bits of `given`. */
enum {
    FC_TOPIC_RETENTION_MS = 1 << 0,
    FC_TOPIC_RETENTION_BYTES = 1 << 1,
    FC_TOPIC_SEGMENT_BYTES = 1 << 2,
    FC_TOPIC_SEGMENT_MS = 1 << 3,
    FC_TOPIC_RECORD_BYTES_MAX = 1 << 4
};

struct fc_topic_config {
    uint32_t partitions;     /* fixed at creation */
    int64_t retention_ms;    /* remove segments whose newest record is older; -1: for ever */
    int64_t retention_bytes; /* remove oldest segments above this size of a partition; -1: for
                                ever */
    uint64_t segment_bytes;  /* roll the active segment at this size */
    int64_t segment_ms;      /* or when its first record was appended this long ago; -1: never,
                                unless retention_ms needs it */
    uint64_t record_bytes_max;
    fc_compression compression;
    fc_flush_policy flush;
    unsigned given; /* in a cluster, which others may look after, only these are changed */
};

/* Kept for ever, one partition, segments of 1 GiB or a week, lz4, durable. */
void fc_topic_config_init(struct fc_topic_config *config);

struct fc_stream;
struct fc_topic;
struct fc_stream_batch;
struct fc_stream_reader;

void fc_stream_close(struct fc_stream *stream); /* flushes; NULL is fine */

/* Whether an offset without a record, in a topic that is not compacted, is a record that is gone. */
bool fc_stream_is_dense(const struct fc_stream *stream);

/* --- topics
 * ------------------------------------------------------------------------------------------------------
 */

/* Borrowed until the stream closes. FC_ERR_NOT_FOUND when there is none. */
FC_MUST_CHECK fc_code fc_stream_topic(struct fc_stream *stream, const char *name,
                                      struct fc_topic **out_topic, struct fc_error *err);

/*
 * The topic, created with config if there is none; of an existing one everything but
 * `partitions` is changed to config. FC_ERR_CONFIG for a bad name or another number of
 * partitions than it has.
 */
FC_MUST_CHECK fc_code fc_stream_topic_ensure(struct fc_stream *stream, const char *name,
                                             const struct fc_topic_config *config,
                                             struct fc_topic **out_topic, struct fc_error *err);

/* Call on_topic for each topic, by name; a non-OK return ends the walk and is returned. Of a
 * cluster, which others use, too, only the topics that this stream was asked for. */
FC_MUST_CHECK fc_code fc_stream_topics(struct fc_stream *stream,
                                       fc_code (*on_topic)(void *ctx, struct fc_topic *topic,
                                                           struct fc_error *err),
                                       void *ctx, struct fc_error *err);

/* Call on_topic for the name of every topic there is, as it is now: also those that others made
 * or gave more partitions. */
FC_MUST_CHECK fc_code fc_stream_names(struct fc_stream *stream,
                                      fc_code (*on_topic)(void *ctx, const char *name,
                                                          uint32_t partitions,
                                                          struct fc_error *err),
                                      void *ctx, struct fc_error *err);

/*
 * The topic, created with settings by Kafka's names if there is none; one that is there stays as
 * it is. settings: names and values in turn, setting_count pairs.
 */
FC_MUST_CHECK fc_code fc_stream_create(struct fc_stream *stream, const char *name,
                                       uint32_t partitions, const char *const *settings,
                                       uint32_t setting_count, struct fc_topic **out_topic,
                                       struct fc_error *err);

/* Give it at least so many partitions. No append to the topic may be under way. */
FC_MUST_CHECK fc_code fc_stream_grow(struct fc_topic *topic, uint32_t partitions,
                                     struct fc_error *err);

/* Call on_setting for what is set for the topic, by Kafka's names. */
FC_MUST_CHECK fc_code fc_stream_settings(struct fc_stream *stream, const char *topic,
                                         void (*on_setting)(void *ctx, const char *name,
                                                            const char *value),
                                         void *ctx, struct fc_error *err);

enum { FC_TOPIC_ID_SIZE = 23 /* a UUID as Kafka writes it */ };

/* What tells the topic from another of its name; "" when this stream cannot say, or when there is
 * no such topic. */
FC_MUST_CHECK fc_code fc_stream_identity(struct fc_stream *stream, const char *topic,
                                         char out_id[FC_TOPIC_ID_SIZE], struct fc_error *err);

const char *fc_topic_name(const struct fc_topic *topic);
uint32_t fc_topic_partitions(const struct fc_topic *topic);

struct fc_offsets {
    int64_t start;
    int64_t durable;
    int64_t end;
};

FC_MUST_CHECK fc_code fc_stream_offsets(struct fc_topic *topic, uint32_t partition,
                                        struct fc_offsets *out_offsets, struct fc_error *err);

/* First offset whose record's timestamp is at or after time_ms; `end` when there is none. */
FC_MUST_CHECK fc_code fc_stream_offset_for_time(struct fc_topic *topic, uint32_t partition,
                                                int64_t time_ms, int64_t *out_offset,
                                                struct fc_error *err);

/* --- appending
 * ---------------------------------------------------------------------------------------------------
 */

/* An empty batch for one partition. Memory: at most about bytes_max twice. */
struct fc_stream_batch *fc_stream_batch_new(struct fc_topic *topic, uint32_t partition);
void fc_stream_batch_free(struct fc_stream_batch *batch); /* NULL is fine */

/* Empty it and point it at another partition, keeping its memory. */
void fc_stream_batch_reset(struct fc_stream_batch *batch, struct fc_topic *topic,
                           uint32_t partition);

/* Copy a record in; record->offset is ignored. Errors, with the batch unchanged: FC_ERR_LIMIT
 * (over the topic's record_bytes_max or FC_RECORD_HEADERS_MAX), FC_ERR_NOMEM (the batch is at
 * its largest, 1 GiB: append it and take another). */
FC_MUST_CHECK fc_code fc_stream_batch_add(struct fc_stream_batch *batch,
                                          const struct fc_record *record, struct fc_error *err);

uint32_t fc_stream_batch_count(const struct fc_stream_batch *batch);
size_t fc_stream_batch_bytes(const struct fc_stream_batch *batch); /* before compression */

/* Compress and checksum; nothing can be added any more. Any thread. An empty batch may be
 * sealed and appended: no-op. */
FC_MUST_CHECK fc_code fc_stream_batch_seal(struct fc_stream_batch *batch, struct fc_error *err);

/*
 * Append a sealed batch: its records get the next offsets of its partition and can be read, but
 * are durable only after a flush. The batch can be reset at once.
 *
 * out_base  offset of the first record or, in a cluster, which gives offsets when it has
 *           acknowledged, one that it cannot be below: the end of what is acknowledged so far.
 * Errors: FC_ERR_FULL (nothing appended; try again when there is room), FC_ERR_TIMEOUT (the
 * cluster does not take more now; call again with the same batch, which goes on where it
 * stopped), FC_ERR_IO (nothing appended, the partition takes no more appends until it is opened
 * again, or the stream is renewed).
 */
FC_MUST_CHECK fc_code fc_stream_append(struct fc_stream_batch *batch, int64_t *out_base,
                                       struct fc_error *err);

/* The same for one record, in a batch of its own. */
FC_MUST_CHECK fc_code fc_stream_append_one(struct fc_topic *topic, uint32_t partition,
                                           const struct fc_record *record,
                                           struct fc_error *err);

/*
 * Make everything appended before this call durable (topics with FC_FLUSH_OS excepted).
 * Concurrent callers share one sync.
 *
 * Errors: FC_ERR_TIMEOUT (a cluster has not acknowledged everything yet; call again);
 * FC_ERR_REFUSED (another writer has taken over); any other: the tail is in doubt, what it holds
 * must be looked up; its partitions take no more appends.
 */
FC_MUST_CHECK fc_code fc_stream_flush(struct fc_stream *stream, struct fc_error *err);

/* A flush ends although others go on appending: true of this process's log. A cluster's waits until
 * nothing is under way any more. */
bool fc_stream_flushes_beside_appends(const struct fc_stream *stream);

/*
 * Before what the log holds is looked up to go on from there, at the start and after an append or
 * a flush has failed with a retriable error: drop what is not flushed, keep out what an earlier
 * writer of the same name left on its way, and take appends again. Does nothing to a log in this
 * process. FC_ERR_TIMEOUT (retriable): the cluster does not answer.
 */
FC_MUST_CHECK fc_code fc_stream_renew(struct fc_stream *stream, struct fc_error *err);

/* --- consumer groups; a log in this process has none of its own ---------------------------------------- */

/* Call on_group for the name of each group. */
FC_MUST_CHECK fc_code fc_stream_groups(struct fc_stream *stream,
                                       void (*on_group)(void *ctx, const char *group),
                                       void *ctx, struct fc_error *err);

/* Call on_offset for each offset that the group has committed. */
FC_MUST_CHECK fc_code fc_stream_committed(struct fc_stream *stream, const char *group,
                                          void (*on_offset)(void *ctx, const char *topic,
                                                            uint32_t partition, int64_t offset),
                                          void *ctx, struct fc_error *err);

/* Commit an offset for a group that nobody is in; FC_ERR_REJECTED when somebody is, or when
 * there are no groups. */
FC_MUST_CHECK fc_code fc_stream_commit(struct fc_topic *topic, uint32_t partition,
                                       const char *group, int64_t offset, struct fc_error *err);

/* --- reading
 * -----------------------------------------------------------------------------------------------------
 */

/*
 * Start at `offset` (start <= offset <= end). FC_ERR_NOT_FOUND outside, naming the range.
 */
FC_MUST_CHECK fc_code fc_stream_reader_open(struct fc_topic *topic, uint32_t partition,
                                            int64_t offset,
                                            struct fc_stream_reader **out_reader,
                                            struct fc_error *err);
void fc_stream_reader_close(struct fc_stream_reader *reader); /* NULL is fine */

/*
 * The records of the next stored batch from the reader's offset on; they borrow from the reader
 * until its next call. count 0: the reader is at the end (its offset says so), and nothing came
 * within wait_ms (0: do not wait). FC_ERR_TIMEOUT: a cluster does not give what it has. FC_ERR_CORRUPT
 * names file and byte. A damaged batch is never skipped.
 */
FC_MUST_CHECK fc_code fc_stream_reader_next(struct fc_stream_reader *reader, int wait_ms,
                                            const struct fc_record **out_records,
                                            uint32_t *out_count, struct fc_error *err);

/* Offset that the next call begins with. */
int64_t fc_stream_reader_offset(const struct fc_stream_reader *reader);

/* Go to another offset of the same partition, keeping buffers. */
FC_MUST_CHECK fc_code fc_stream_reader_seek(struct fc_stream_reader *reader, int64_t offset,
                                            struct fc_error *err);

/* Make waiting readers of this stream return with count 0; any thread. */
void fc_stream_wake(struct fc_stream *stream);

#endif
