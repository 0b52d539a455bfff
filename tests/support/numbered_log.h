/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A partition whose record at offset n says n: for tests of what the log does with records,
 * whatever they are. Failures fail the test.
 */
#ifndef FC_TEST_NUMBERED_LOG_H
#define FC_TEST_NUMBERED_LOG_H

#include "core/log/group_sync.h"
#include "core/log/partition.h"

/* A clock that the test moves. */
struct numbered_clock {
    struct fc_clock base;
    int64_t wall_ns;
};

struct numbered_log {
    struct fc_fs *fs;
    struct numbered_clock clock;
    struct fc_log_env env;
    struct fc_partition_config config;
    struct fc_partition *partition;
    struct fc_batch_builder batch;
    char notices[4096]; /* all, one line each */
    struct fc_error err;
};

enum { NUMBERED_VALUE_SIZE = 100 };

/* On a new fs_lossy, in the directory "/p"; kept for ever, segments of 1 MiB. Not open yet. */
void numbered_log_init(struct numbered_log *log);
void numbered_log_release(struct numbered_log *log);

void numbered_log_open(struct numbered_log *log);
void numbered_log_close(struct numbered_log *log);
/* Open, which must fail; log->err says why. */
fc_code numbered_log_open_fails(struct numbered_log *log);
/* The process dies; the partition is closed without being able to do anything. */
void numbered_log_crash(struct numbered_log *log);
void numbered_log_power_cut(struct numbered_log *log);
/* The process dies, and another opens the partition. */
void numbered_log_crash_and_open(struct numbered_log *log);

/* Append batches of `count` records each; timestamps are 1000 + 10 * n. */
void numbered_log_append(struct numbered_log *log, int batches, int count);
/* The same for one batch, which may fail. */
fc_code numbered_log_try_append(struct numbered_log *log, int count);
void numbered_log_flush(struct numbered_log *log);

struct fc_partition_offsets numbered_log_offsets(struct numbered_log *log);

/* All of it is there, from `from` to `to`, and reading ends there. */
void numbered_log_expect(struct numbered_log *log, int64_t from, int64_t to);

#endif
