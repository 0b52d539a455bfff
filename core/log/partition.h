/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One partition of a topic on one disk: a directory of segments that grows at its end, and what
 * there is to know about it.
 *
 * Thread: any number at once, but for open and close. Appends take one short lock; syncs do not
 * hold it while they wait for the disk.
 */
#ifndef FC_LOG_PARTITION_H
#define FC_LOG_PARTITION_H

#include "core/base/clock.h"
#include "core/base/fs.h"
#include "core/log/batch_builder.h"

struct fc_partition;
struct fc_group_sync;

/* What the partitions of a data directory share; outlives them. */
struct fc_log_env {
    struct fc_fs *fs;
    const struct fc_clock *clock;
    struct fc_group_sync *group; /* NULL when read_only */
    bool read_only;
    bool read_whole;                /* with read_only: readers get what no sync covers, too */
    int64_t producer_expiration_ms; /* 0: a day */
    void (*on_notice)(void *ctx, const char *text); /* may be NULL */
    void (*on_failure)(void *ctx,
                       const char *text); /* a partition has failed for good; NULL: that
                                                        is a notice. May not call the log */
    void *notice_ctx;
};

void fc_log_notice(const struct fc_log_env *env, const char *fmt, ...) FC_PRINTF(2, 3);

struct fc_partition_config {
    int64_t retention_ms;    /* -1: for ever */
    int64_t retention_bytes; /* -1: for ever */
    uint64_t segment_bytes;  /* at most FC_SEGMENT_BYTES_MAX */
    int64_t segment_ms;      /* -1: never */
    bool flush_os;           /* not part of the group's syncs */
    bool compact;            /* what follows counts only then */
    int64_t compaction_lag_min_ms;
    int64_t compaction_lag_max_ms; /* INT64_MAX: none */
    double cleanable_ratio_min;
    int64_t delete_retention_ms;
};

/* Positions in an index are 32 bits wide, and Kafka reads them as signed. */
enum { FC_SEGMENT_BYTES_MAX = INT32_MAX };

/*
 * Open the partition in directory dir, recover it when it was not closed cleanly, or begin a
 * new one when the directory is empty, which stays so until the first append. With env->read_only nothing is changed and a partition that does
 * not exist yet is an empty one.
 *
 * Errors: FC_ERR_CORRUPT (damage below the durable offset: file and byte named; nothing was
 * changed), FC_ERR_CONFIG (a format version that is not read here), FC_ERR_IO, FC_ERR_FULL.
 */
FC_MUST_CHECK fc_code fc_partition_open(const struct fc_log_env *env, const char *dir,
                                        const struct fc_partition_config *config,
                                        struct fc_partition **out_partition,
                                        struct fc_error *err);

/* Syncs and marks a clean shutdown, unless the partition failed. NULL is fine. */
void fc_partition_close(struct fc_partition *partition);

void fc_partition_configure(struct fc_partition *partition,
                            const struct fc_partition_config *config);

/* Its files are going: from now on every call fails with `why`, and those that wait return.
 * Syncs of it do nothing any more. It is still to be closed. */
void fc_partition_drop(struct fc_partition *partition, const struct fc_error *why);

const char *fc_partition_dir(const struct fc_partition *partition);

struct fc_partition_offsets {
    int64_t start;
    int64_t durable;
    int64_t end;
    int64_t high_watermark; /* how far clients may read: durable, or end with flush_os */
    int64_t stable;         /* the same for those who read what is committed only */
};

/* Whether the next append makes the partition's first files, which blocks for two syncs. Thread: any. */
bool fc_partition_is_fresh(const struct fc_partition *partition);

/* Of a read_only partition they are looked up on disk again. */
FC_MUST_CHECK fc_code fc_partition_offsets(struct fc_partition *partition,
                                           struct fc_partition_offsets *out_offsets,
                                           struct fc_error *err);

/*
 * Append a sealed batch of at least one record; its base offset is set in place.
 *
 * Errors: FC_ERR_FULL (nothing appended, try again when there is room), FC_ERR_IO and
 * FC_ERR_CORRUPT (nothing appended, and nothing will be until the partition is opened again).
 */
FC_MUST_CHECK fc_code fc_partition_append(struct fc_partition *partition,
                                          struct fc_batch_builder *batch, int64_t *out_base,
                                          struct fc_error *err);

/* Make what was appended before the call durable. FC_ERR_FULL: a file could not be opened for want of
 * descriptors; nothing counts as durable that was not, and the next sync covers it. After any other
 * failure the partition takes no more appends. */
FC_MUST_CHECK fc_code fc_partition_sync(struct fc_partition *partition, struct fc_error *err);

/* Wait at most wait_ms until readers may go beyond `offset`, or until fc_partition_wake. Returns at
 * once when *wake differs from the count of wakes, which it then takes over. */
void fc_partition_wait(struct fc_partition *partition, int64_t offset, int wait_ms,
                       uint64_t *wake);
void fc_partition_wake(struct fc_partition *partition);
uint64_t fc_partition_wakes(struct fc_partition *partition);

/* Of its segments on disk, indexes not counted. */
uint64_t fc_partition_bytes(struct fc_partition *partition);

/* First offset whose timestamp is at or after time_ms; `end` when there is none. */
FC_MUST_CHECK fc_code fc_partition_offset_for_time(struct fc_partition *partition,
                                                   int64_t time_ms, int64_t *out_offset,
                                                   struct fc_error *err);

/* Kafka's -3: the record with the largest timestamp, the first of those. Offset -1: the log is
 * empty. */
struct fc_time_place {
    int64_t offset;
    int64_t timestamp_ms;
};
FC_MUST_CHECK fc_code fc_partition_max_timestamp(struct fc_partition *partition,
                                                 struct fc_time_place *out_place,
                                                 struct fc_error *err);

/* As fc_partition_offset_for_time, with the record's timestamp; offset -1: there is none. */
FC_MUST_CHECK fc_code fc_partition_place_for_time(struct fc_partition *partition,
                                                  int64_t time_ms,
                                                  struct fc_time_place *out_place,
                                                  struct fc_error *err);

/* In the place of an offset: all that clients may read. */
enum { FC_DELETE_TO_HIGH_WATERMARK = -1 };

/*
 * Let the log begin at `before`, durably; it may be within a segment or a batch. *out_start is
 * where it begins now, which is later when it did so already.
 * Errors: FC_ERR_LIMIT (`before` is above the high watermark: OFFSET_OUT_OF_RANGE),
 * FC_ERR_FULL, FC_ERR_IO, FC_ERR_NOT_FOUND (deleted).
 */
FC_MUST_CHECK fc_code fc_partition_delete_records(struct fc_partition *partition,
                                                  int64_t before, int64_t *out_start,
                                                  struct fc_error *err);

/* The epoch that batches get from now on; 0 until it is set. The server keeps it. */
void fc_partition_set_leader_epoch(struct fc_partition *partition, int32_t epoch);
int32_t fc_partition_leader_epoch(struct fc_partition *partition);

#endif
