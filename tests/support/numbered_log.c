/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/numbered_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/log/log_reader.h"
#include "tests/support/fs_lossy.h"

static const char dir[] = "/p";

static void must(struct numbered_log *log, fc_code code, const char *what)
{
    if (code != FC_OK) {
        fail_msg("%s: %s", what, log->err.message);
    }
}

static int64_t wall_ns(const struct fc_clock *clock)
{
    return ((const struct numbered_clock *)clock)->wall_ns;
}

static void on_notice(void *ctx, const char *text)
{
    struct numbered_log *log = ctx;
    size_t length = strlen(log->notices);
    (void)snprintf(log->notices + length, sizeof(log->notices) - length, "%s\n", text);
}

void numbered_log_init(struct numbered_log *log)
{
    memset(log, 0, sizeof(*log));
    log->fs = fs_lossy_new(1, 512);
    log->clock.base.wall_ns = wall_ns;
    log->clock.base.steady_ns = wall_ns;
    log->clock.wall_ns = (int64_t)1700000000 * 1000000000;
    log->env.fs = log->fs;
    fs_lossy_set_clock(log->fs, &log->clock.base);
    log->env.clock = &log->clock.base;
    log->env.on_notice = on_notice;
    log->env.notice_ctx = log;
    log->config.retention_ms = -1;
    log->config.retention_bytes = -1;
    log->config.segment_ms = -1;
    log->config.segment_bytes = 1 << 20;
    fc_batch_builder_init(&log->batch, FC_COMPRESSION_NONE, 1 << 20);
    must(log, log->fs->ops->make_dir(log->fs, dir, &log->err), "mkdir");
    must(log, log->fs->ops->sync_dir(log->fs, "/", &log->err), "sync");
}

void numbered_log_release(struct numbered_log *log)
{
    numbered_log_close(log);
    fc_batch_builder_release(&log->batch);
    fs_lossy_free(log->fs);
}

fc_code numbered_log_open_fails(struct numbered_log *log)
{
    fc_code code;
    log->env.group = fc_group_sync_new();
    code = fc_partition_open(&log->env, dir, &log->config, &log->partition, &log->err);
    if (code != FC_OK) {
        fc_group_sync_free(log->env.group);
        log->env.group = NULL;
    }
    return code;
}

void numbered_log_open(struct numbered_log *log)
{
    must(log, numbered_log_open_fails(log), "open");
}

void numbered_log_close(struct numbered_log *log)
{
    fc_partition_close(log->partition);
    fc_group_sync_free(log->env.group);
    log->partition = NULL;
    log->env.group = NULL;
}

void numbered_log_crash(struct numbered_log *log)
{
    fs_lossy_stop(log->fs);
    numbered_log_close(log);
    fs_lossy_crash(log->fs);
}

void numbered_log_power_cut(struct numbered_log *log)
{
    fs_lossy_stop(log->fs);
    numbered_log_close(log);
    fs_lossy_power_cut(log->fs);
}

void numbered_log_crash_and_open(struct numbered_log *log)
{
    numbered_log_crash(log);
    numbered_log_open(log);
}

static void make_value(int64_t number, char *to)
{
    memset(to, '.', NUMBERED_VALUE_SIZE);
    to[snprintf(to, NUMBERED_VALUE_SIZE, "%lld", (long long)number)] = ' ';
}

fc_code numbered_log_try_append(struct numbered_log *log, int count)
{
    int64_t first = numbered_log_offsets(log).end;
    int64_t base = -1;
    fc_code code;
    fc_batch_builder_reset(&log->batch, FC_COMPRESSION_NONE, 1 << 20);
    for (int64_t number = first; number < first + count; number++) {
        char value[NUMBERED_VALUE_SIZE];
        struct fc_record record = { .timestamp_ms = 1000 + 10 * number,
                                    .value = fc_slice_of(value, sizeof(value)) };
        make_value(number, value);
        must(log, fc_batch_builder_add(&log->batch, &record, &log->err), "add");
    }
    must(log, fc_batch_builder_seal(&log->batch, &log->err), "seal");
    code = fc_partition_append(log->partition, &log->batch, &base, &log->err);
    assert_true(code != FC_OK || base == first);
    return code;
}

void numbered_log_append(struct numbered_log *log, int batches, int count)
{
    for (int batch = 0; batch < batches; batch++) {
        must(log, numbered_log_try_append(log, count), "append");
    }
}

void numbered_log_flush(struct numbered_log *log)
{
    must(log, fc_group_sync_flush(log->env.group, &log->err), "flush");
}

struct fc_partition_offsets numbered_log_offsets(struct numbered_log *log)
{
    struct fc_partition_offsets offsets = { 0 };
    must(log, fc_partition_offsets(log->partition, &offsets, &log->err), "offsets");
    return offsets;
}

void numbered_log_expect(struct numbered_log *log, int64_t from, int64_t to)
{
    struct fc_log_reader *reader = NULL;
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    int64_t next = from;
    must(log, fc_log_reader_open(log->partition, from, &reader, &log->err), "reader");
    do {
        must(log, fc_log_reader_next(reader, 0, &records, &count, &log->err), "read");
        for (uint32_t index = 0; index < count; index++) {
            char value[NUMBERED_VALUE_SIZE];
            make_value(next, value);
            assert_int_equal(records[index].offset, next);
            assert_true(
                fc_slice_equal(records[index].value, fc_slice_of(value, sizeof(value))));
            next++;
        }
    } while (count > 0);
    assert_int_equal(next, to);
    fc_log_reader_close(reader);
}
