/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline under kill -9: a child captures the generator's history into a real directory and is killed at random
 * moments until it gets to the end; then the log must hold each record exactly once, in order.
 */
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/base/hashmap.h"
#include "core/stream/embedded.h"
#include "runner/batch.h"
#include "runner/identity.h"
#include "runner/pipeline.h"
#include "tests/support/fs_lossy.h"
#include "tests/support/generator_source.h"

enum { RECORD_MAX = 1 << 20 };

struct scenario {
    const char *topic;
    uint32_t partitions;
    uint64_t transactions;
    uint32_t fail_one_in;
    bool swaps;
    uint32_t kills;
};

static void fill_config(struct fc_config *config, const struct scenario *scenario)
{
    memset(config, 0, sizeof(*config));
    config->name = "gen";
    config->plugin = "generator";
    config->topic = scenario->topic;
    fc_topic_config_init(&config->topic_config);
    config->topic_config.partitions = scenario->partitions;
    config->topic_config.record_bytes_max = RECORD_MAX;
    config->topic_config.segment_bytes = 256 * 1024;
    config->tombstones = true;
    config->dead_letter_topic = "gen.dead";
    config->workers = 3;
    config->memory_bytes = 48 << 20;
    config->batch_bytes = 1 << 20;
}

/* fs: NULL: the system's. */
static struct fc_stream *open_stream(const char *dir, struct fc_fs *fs)
{
    struct fc_embedded_config embedded;
    struct fc_stream *stream = NULL;
    struct fc_error err;
    memset(&embedded, 0, sizeof(embedded));
    embedded.dir = dir;
    embedded.fs = fs;
    if (fc_embedded_open(&embedded, &stream, &err) != FC_OK) {
        (void)fprintf(stderr, "open: %s\n", err.message);
    }
    return stream;
}

/* A pipeline and all that it borrows. */
struct capture {
    struct fc_generator generator;
    struct fc_pipeline_config config;
    struct fc_config file;
    struct fc_stream *stream;
    struct fc_pipeline *pipeline;
    fc_code code;
    struct fc_error err;
    _Atomic bool ended;
};

/* False when the log cannot be opened. */
static bool capture_begin(struct capture *capture, const char *dir, struct fc_fs *fs,
                          const struct scenario *scenario, uint64_t seed)
{
    struct fc_generator *generator = &capture->generator;
    memset(capture, 0, sizeof(*capture));
    capture->stream = open_stream(dir, fs);
    if (capture->stream == NULL) {
        return false;
    }
    fill_config(&capture->file, scenario);
    generator->host.size = sizeof(generator->host);
    generator->host.batch_add = fc_batch_add;
    generator->host.batch_alloc = fc_batch_alloc;
    generator->host.batch_position = fc_batch_set_position;
    generator->transactions = scenario->transactions;
    generator->seed = seed;
    generator->fail_one_in = scenario->fail_one_in;
    generator->swaps = scenario->swaps;
    generator->openings = seed;
    capture->config.config = &capture->file;
    capture->config.plugin = &fc_generator_connector;
    capture->config.host = &generator->host;
    capture->config.stream = capture->stream;
    capture->config.until_end = true;
    capture->config.clock = fc_clock_system();
    capture->pipeline = fc_pipeline_new(&capture->config, NULL);
    return true;
}

static void *capture_run(void *ctx)
{
    struct capture *capture = ctx;
    capture->code = fc_pipeline_run(capture->pipeline, &capture->err);
    atomic_store(&capture->ended, true);
    return NULL;
}

static void capture_end(struct capture *capture)
{
    fc_pipeline_free(capture->pipeline);
    fc_stream_close(capture->stream);
    if (capture->code != FC_OK) {
        (void)fprintf(stderr, "capture: %s\n", capture->err.message);
    }
}

/* The child: 0 at the end of the history. */
static int capture(const char *dir, const struct scenario *scenario, uint64_t seed)
{
    struct capture capture;
    if (!capture_begin(&capture, dir, NULL, scenario, seed)) {
        return 3;
    }
    (void)capture_run(&capture);
    capture_end(&capture);
    return capture.code == FC_OK ? 0 : 4;
}

static void pause_us(long us)
{
    struct timespec left = { us / 1000000, us % 1000000 * 1000 };
    while (nanosleep(&left, &left) != 0) {
    }
}

/* Capture in children that are killed after random times, until one gets to the end. */
static uint32_t capture_under_fire(const char *dir, const struct scenario *scenario)
{
    uint32_t killed = 0;
    for (uint64_t seed = 1;; seed++) {
        pid_t child = fork();
        int status = 0;
        assert_true(child >= 0);
        if (child == 0) {
            _exit(capture(dir, scenario, seed));
        }
        if (killed < scenario->kills) {
            pause_us((long)(seed * 7919 % 40 * 1000 + 500));
            (void)kill(child, SIGKILL);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            return killed;
        }
        killed++;
    }
}

/* --- what the log holds ------------------------------------------------------------------------ */

struct seen {
    struct fc_hashmap records; /* "<tx> <row> <part>" -> this */
    struct fc_hashmap numbers; /* tx -> its sequence number + 1, as a pointer's value */
    uint64_t count;
    bool reordered;
    uint64_t in_partition; /* records of this one */
    uint64_t last_seq;
    uint64_t last_row;
    uint32_t last_part;
    uint64_t ends; /* records that end a transaction */
};

static void note(struct seen *seen, const struct fc_record *record)
{
    struct fc_identity identity;
    struct fc_error err;
    char key[128];
    void *number;
    assert_int_equal(fc_identity_of(record, &identity, &err), FC_OK);
    (void)snprintf(key, sizeof(key), "%.*s %" PRIu64 " %" PRIu32, (int)identity.tx_id.len,
                   (const char *)identity.tx_id.data, identity.row, identity.part);
    if (fc_hashmap_put(&seen->records, fc_slice_text(key), seen) != NULL) {
        fail_msg("record %s is there twice", key);
    }
    number = (void *)(uintptr_t)(identity.seq + 1);
    if (fc_hashmap_get(&seen->numbers, identity.tx_id) == NULL) {
        (void)fc_hashmap_put(&seen->numbers, identity.tx_id, number);
    }
    assert_ptr_equal(fc_hashmap_get(&seen->numbers, identity.tx_id), number);
    /* In another commit order a transaction that was cut off is finished after a later one. */
    if ((identity.seq < seen->last_seq && !seen->reordered) ||
        (identity.seq == seen->last_seq && seen->in_partition > 0 &&
         (identity.row < seen->last_row ||
          (identity.row == seen->last_row && identity.part <= seen->last_part)))) {
        fail_msg("record %s stands after a later one", key);
    }
    seen->in_partition++;
    seen->last_seq = identity.seq;
    seen->last_row = identity.row;
    seen->last_part = identity.part;
    seen->ends += identity.tx_last;
    seen->count++;
}

static void read_partition(struct fc_topic *topic, uint32_t partition, struct seen *seen)
{
    struct fc_stream_reader *reader = NULL;
    struct fc_offsets offsets;
    struct fc_error err;
    seen->in_partition = 0;
    seen->last_seq = 0;
    seen->last_row = 0;
    seen->last_part = 0;
    assert_int_equal(fc_stream_offsets(topic, partition, &offsets, &err), FC_OK);
    assert_int_equal(fc_stream_reader_open(topic, partition, offsets.start, &reader, &err),
                     FC_OK);
    while (fc_stream_reader_offset(reader) < offsets.end) {
        const struct fc_record *records = NULL;
        uint32_t count = 0;
        assert_int_equal(fc_stream_reader_next(reader, 0, &records, &count, &err), FC_OK);
        assert_true(count > 0);
        for (uint32_t index = 0; index < count; index++) {
            note(seen, &records[index]);
        }
    }
    fc_stream_reader_close(reader);
}

static fc_code read_topic(void *ctx, struct fc_topic *topic, struct fc_error *err)
{
    (void)err;
    if (strncmp(fc_topic_name(topic), "_fluvio.", 8) != 0) {
        for (uint32_t partition = 0; partition < fc_topic_partitions(topic); partition++) {
            read_partition(topic, partition, ctx);
        }
    }
    return FC_OK;
}

static uint64_t expected_records(const struct scenario *scenario)
{
    uint64_t count = 0;
    for (uint64_t transaction = 0; transaction < scenario->transactions; transaction++) {
        for (uint64_t row = 0; row < fc_generator_rows(transaction); row++) {
            static const uint64_t of_kind[3] = { 1, 3, 2 }; /* create, key change, delete */
            count += of_kind[row % 3];
        }
    }
    return count;
}

static void check_log(const char *dir, struct fc_fs *fs, const struct scenario *scenario)
{
    struct seen seen;
    struct fc_error err;
    struct fc_stream *stream = open_stream(dir, fs);
    assert_non_null(stream);
    memset(&seen, 0, sizeof(seen));
    fc_hashmap_init(&seen.records);
    fc_hashmap_init(&seen.numbers);
    seen.reordered = scenario->swaps;
    assert_int_equal(fc_stream_topics(stream, read_topic, &seen, &err), FC_OK);
    assert_int_equal(seen.count, expected_records(scenario));
    assert_int_equal(seen.numbers.count, scenario->transactions);
    assert_int_equal(seen.ends, scenario->transactions);
    fc_hashmap_release(&seen.records, NULL);
    fc_hashmap_release(&seen.numbers, NULL);
    fc_stream_close(stream);
}

static void run_scenario(const struct scenario *scenario)
{
    char dir[] = "/tmp/fluvio-pipeline-XXXXXX";
    char command[64];
    assert_non_null(mkdtemp(dir));
    (void)capture_under_fire(dir, scenario);
    check_log(dir, NULL, scenario);
    (void)snprintf(command, sizeof(command), "rm -rf %s", dir);
    assert_int_equal(WEXITSTATUS(pclose(popen(command, "r"))), 0);
}

static void one_partition_holds_each_record_once_after_kills(void **state)
{
    static const struct scenario scenario = { "gen", 1, 6000, 0, false, 25 };
    (void)state;
    run_scenario(&scenario);
}

static void several_topics_and_partitions_hold_each_record_once_after_kills(void **state)
{
    static const struct scenario scenario = { "gen.${table}", 3, 6000, 0, false, 25 };
    (void)state;
    run_scenario(&scenario);
}

static void lost_connections_lose_and_double_nothing(void **state)
{
    static const struct scenario scenario = { "gen", 2, 3000, 30, false, 0 };
    (void)state;
    run_scenario(&scenario);
}

static void another_commit_order_after_a_failover_loses_and_doubles_nothing(void **state)
{
    static const struct scenario scenario = { "gen", 1, 3000, 30, true, 15 };
    (void)state;
    run_scenario(&scenario);
}

/* --- a full disk --------------------------------------------------------------------------- */

/* Capture until the disk is full and stop then; true when it got to the end before. */
static bool capture_until_full(struct fc_fs *fs, const struct scenario *scenario)
{
    struct capture capture;
    struct fc_pipeline_status status;
    pthread_t thread;
    bool stopped = false;
    assert_true(capture_begin(&capture, "/data", fs, scenario, 1));
    assert_int_equal(pthread_create(&thread, NULL, capture_run, &capture), 0);
    while (!atomic_load(&capture.ended)) {
        fc_pipeline_status(capture.pipeline, &status);
        if (!stopped && strcmp(status.waiting, "the log's disk is full") == 0) {
            stopped = true;
            fc_pipeline_stop(capture.pipeline);
        }
        pause_us(200);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    capture_end(&capture);
    assert_int_equal(capture.code, FC_OK);
    return !stopped;
}

/*
 * What did not fit is read again at the next start: a checkpoint, which is small, must not be written past it.
 * Each turn has a little more room.
 */
static void stops_on_a_full_disk_lose_and_double_nothing(void **state)
{
    static const struct scenario scenario = { "gen.${table}", 2, 3000, 0, false, 0 };
    struct fc_fs *fs = fs_lossy_new(1, 512);
    uint32_t stops = 0;
    (void)state;
    fs_lossy_set_capacity(fs, 64 * 1024);
    while (!capture_until_full(fs, &scenario)) {
        stops++;
        fs_lossy_set_capacity(fs, fs_lossy_used(fs) + 40000 + stops * 977);
    }
    fs_lossy_set_capacity(fs, UINT64_MAX);
    assert_true(stops > 5);
    check_log("/data", fs, &scenario);
    fs_lossy_free(fs);
}

/* --- power cuts ---------------------------------------------------------------------------- */

static uint64_t records_in(struct fc_fs *fs)
{
    struct fc_stream *stream = open_stream("/data", fs);
    struct fc_topic *topic = NULL;
    struct fc_offsets offsets = { 0 };
    struct fc_error err;
    assert_non_null(stream);
    if (fc_stream_topic(stream, "gen", &topic, &err) == FC_OK) {
        assert_int_equal(fc_stream_offsets(topic, 0, &offsets, &err), FC_OK);
    }
    fc_stream_close(stream);
    return (uint64_t)offsets.end;
}

/* Capture until a sync fails or the power is cut, in turn; true when it got to the end before. *out_durable: the
 * records of this run that were said to be durable. */
static bool capture_until_cut(struct fc_fs *fs, const struct scenario *scenario, uint32_t turn,
                              uint64_t *out_durable)
{
    struct capture capture;
    struct fc_pipeline_status status;
    assert_true(capture_begin(&capture, "/data", fs, scenario, 1));
    capture.file.topic_config.segment_bytes = 64 << 20; /* so nearly every sync is of records */
    if (turn % 2 == 0) {
        fs_lossy_fail_sync(fs, 3 + turn);
    } else {
        fs_lossy_cut_after(fs, 100 + turn * 15);
    }
    (void)capture_run(&capture);
    fc_pipeline_status(capture.pipeline, &status);
    *out_durable = status.records_written;
    capture_end(&capture);
    fs_lossy_fail_sync(fs, 0);
    fs_lossy_cut_after(fs, 0);
    return capture.code == FC_OK;
}

/* Returns how many there were. */
static uint32_t capture_through_cuts(const struct scenario *scenario, uint32_t seed)
{
    struct fc_fs *fs = fs_lossy_new(seed, 512);
    uint64_t held = 0;
    uint64_t durable = 0;
    uint32_t cuts = 0;
    while (!capture_until_cut(fs, scenario, cuts + seed, &durable)) {
        cuts++;
        fs_lossy_power_cut(fs);
        assert_true(records_in(fs) >= held + durable);
        held = records_in(fs);
    }
    fs_lossy_power_cut(
        fs); /* what was captured to the end is there, however the log was closed */
    check_log("/data", fs, scenario);
    fs_lossy_free(fs);
    return cuts;
}

/* Appends run ahead of the flush, and what is said of them must not. */
static void power_cuts_lose_nothing_that_was_durable(void **state)
{
    static const struct scenario scenario = { "gen", 1, 3000, 0, false, 0 };
    uint32_t cuts = 0;
    (void)state;
    for (uint32_t seed = 1; seed <= 6; seed++) {
        cuts += capture_through_cuts(&scenario, seed);
    }
    assert_true(cuts > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_partition_holds_each_record_once_after_kills),
        cmocka_unit_test(several_topics_and_partitions_hold_each_record_once_after_kills),
        cmocka_unit_test(lost_connections_lose_and_double_nothing),
        cmocka_unit_test(another_commit_order_after_a_failover_loses_and_doubles_nothing),
        cmocka_unit_test(stops_on_a_full_disk_lose_and_double_nothing),
        cmocka_unit_test(power_cuts_lose_nothing_that_was_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
