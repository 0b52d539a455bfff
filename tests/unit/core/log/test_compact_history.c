/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever is written to a compacted partition, however often it is compacted and whenever the
 * process or the power goes: who reads it from its start as a read_committed consumer ends with
 * the last committed value of each key, sees nothing that was deleted or aborted, and sees each
 * record at the offset that it was appended at.
 *
 * Each round runs a random history of keyed appends (plain, idempotent, transactional; all
 * codecs; tombstones), markers, flushes, compactions (with tables too small for all keys, some
 * left off in the middle), upkeep, closes, crashes and power cuts at any step, beside a reader
 * and a read-only follower that stay open. The model is the list of what was appended.
 * FC_COMPACT_SEED runs one seed, FC_COMPACT_ROUNDS sets how many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/compact.h"
#include "core/log/group_sync.h"
#include "core/log/log_reader.h"
#include "core/log/upkeep.h"
#include "core/log/wire_append.h"
#include "tests/support/committed_reader.h"
#include "tests/support/fs_lossy.h"
#include "tests/support/keyed_model.h"

enum { ROUNDS = 600, STEPS_MAX = 200, KEYS_MAX = 40, PRODUCERS = 4 };

/* Somebody who reads on from where it began. */
struct follower {
    struct fc_partition *partition;
    struct fc_log_reader *reader; /* NULL: none */
    int64_t from;
    bool seen[KEYED_RECORDS_MAX];
};

struct world {
    uint64_t seed;
    uint64_t random;
    struct fc_fs *fs;
    struct fc_clock clock;
    int64_t now_ms;
    struct fc_log_env env;
    struct fc_log_env env_beside;
    struct fc_partition_config config;
    struct fc_append_rules rules;
    struct fc_partition *partition;
    struct keyed_model model;
    int64_t acked;
    uint64_t keys;
    int patience; /* of a compaction: batches until it is stopped */
    bool power_fails;
    struct follower inside;
    struct follower beside;
    struct fc_error err;
};

static struct world *clock_world; /* whose clock it is; one at a time */

static uint64_t below(struct world *world, uint64_t limit)
{
    uint64_t mixed = (world->random += 0x9e3779b97f4a7c15U);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return (mixed ^ (mixed >> 31)) % limit;
}

static void check(const struct world *world, bool good, const char *what, int64_t number)
{
    if (!good) {
        fail_msg("seed %llu: %s %lld: %s", (unsigned long long)world->seed, what,
                 (long long)number, world->err.message);
    }
}

static int64_t world_now(const struct fc_clock *clock)
{
    (void)clock;
    return clock_world->now_ms * 1000000;
}

static void check_record(const struct world *world, const struct fc_record *record)
{
    const char *what = keyed_model_differs(&world->model, record);
    check(world, what == NULL, what, record->offset);
}

/* --- a consumer that reads what is committed --- */

struct consumer {
    struct world *world;
    int64_t last[KEYS_MAX];
};

static void on_record(void *ctx, const struct fc_record *record)
{
    struct consumer *consumer = ctx;
    const struct keyed_model *model = &consumer->world->model;
    check_record(consumer->world, record);
    check(consumer->world, keyed_model_fate(model, record->offset) == 1,
          "what was not committed is given at", record->offset);
    consumer->last[model->log[record->offset].key] = record->offset;
}

static void verify(struct world *world)
{
    struct fc_partition_offsets offsets = { 0 };
    struct consumer consumer = { .world = world };
    struct committed_reader reader;
    for (int key = 0; key < KEYS_MAX; key++) {
        consumer.last[key] = -1;
    }
    check(world, fc_partition_offsets(world->partition, &offsets, &world->err) == FC_OK,
          "offsets", 0);
    committed_reader_init(&reader, world->partition, on_record, &consumer);
    while (committed_reader_next(&reader, 1 + below(world, 3000))) {
        check(world, reader.offset <= offsets.stable, "beyond what is stable", reader.offset);
    }
    committed_reader_release(&reader);
    for (int key = 0; key < (int)world->keys; key++) {
        int64_t last = keyed_model_last(&world->model, key, offsets.stable);
        check(world,
              consumer.last[key] == last ||
                  (consumer.last[key] == -1 && world->model.log[last].tombstone),
              "another last record than", last);
    }
}

/* What is known of producers is what follows from what was appended. */
static void verify_producers(struct world *world)
{
    struct fc_partition_offsets offsets = { 0 };
    struct fc_producer *producers = NULL;
    size_t count = 0;
    check(world,
          fc_partition_offsets(world->partition, &offsets, &world->err) == FC_OK &&
              fc_partition_producers(world->partition, &producers, &count, &world->err) ==
                  FC_OK,
          "producers", 0);
    check(world, offsets.stable == keyed_model_stable(&world->model),
          "another last stable offset:", offsets.stable);
    for (int64_t id = 0; id < PRODUCERS; id++) {
        int32_t last = -1;
        for (size_t index = 0; index < count; index++) {
            last = producers[index].id == id ? producers[index].last_sequence : last;
        }
        check(world, last + 1 == keyed_model_records_of(&world->model, id),
              "another last sequence:", last);
    }
    free(producers);
}

/* --- followers --- */

/* Some of what is there, and all of what must be. */
static void follow(struct world *world, struct follower *follower)
{
    uint64_t turns = 1 + below(world, 12);
    for (uint64_t turn = 0; follower->reader != NULL && turn < turns; turn++) {
        const struct fc_record *records = NULL;
        uint32_t count = 0;
        check(world,
              fc_log_reader_next(follower->reader, 0, &records, &count, &world->err) == FC_OK,
              "read at", fc_log_reader_offset(follower->reader));
        for (uint32_t index = 0; index < count; index++) {
            check_record(world, &records[index]);
            check(world, !follower->seen[records[index].offset], "again",
                  records[index].offset);
            follower->seen[records[index].offset] = true;
        }
    }
    for (int key = 0; follower->reader != NULL && key < (int)world->keys; key++) {
        int64_t last = keyed_model_last(&world->model, key, world->model.end);
        check(world,
              last < follower->from || last >= fc_log_reader_offset(follower->reader) ||
                  world->model.log[last].tombstone || follower->seen[last],
              "a reader has missed", last);
    }
}

static void begin_follower(struct world *world, struct follower *follower)
{
    struct fc_partition_offsets offsets = { 0 };
    memset(follower->seen, 0, sizeof(follower->seen));
    check(world, fc_partition_offsets(follower->partition, &offsets, &world->err) == FC_OK,
          "offsets", 0);
    follower->from = (int64_t)below(world, (uint64_t)offsets.end + 1);
    check(world,
          fc_log_reader_open(follower->partition, follower->from, &follower->reader,
                             &world->err) == FC_OK,
          "open a reader at", follower->from);
}

static void end_followers(struct world *world)
{
    fc_log_reader_close(world->inside.reader);
    fc_log_reader_close(world->beside.reader);
    world->inside.reader = NULL;
    world->beside.reader = NULL;
    fc_partition_close(world->beside.partition);
    world->beside.partition = NULL;
}

static void follow_all(struct world *world)
{
    struct fc_partition_offsets offsets = { 0 };
    if (world->power_fails) {
        return;
    }
    if (world->inside.reader == NULL) {
        world->inside.partition = world->partition;
        begin_follower(world, &world->inside);
    }
    if (world->beside.reader == NULL) {
        check(world,
              fc_partition_open(&world->env_beside, "/p", &world->config,
                                &world->beside.partition, &world->err) == FC_OK,
              "open beside", 0);
        begin_follower(world, &world->beside);
    }
    follow(world, &world->inside);
    follow(world, &world->beside);
    check(world,
          fc_partition_offsets(world->partition, &offsets, &world->err) == FC_OK &&
              (fc_log_reader_offset(world->beside.reader) <= offsets.durable ||
               fc_log_reader_offset(world->beside.reader) == world->beside.from),
          "beside, beyond what is durable:", fc_log_reader_offset(world->beside.reader));
}

/* --- what happens --- */

static void open_partition(struct world *world)
{
    struct fc_partition_offsets offsets = { 0 };
    fc_code code;
    world->env.group = fc_group_sync_new();
    code = fc_partition_open(&world->env, "/p", &world->config, &world->partition, &world->err);
    while (code != FC_OK && world->power_fails) {
        fs_lossy_power_cut(world->fs);
        world->power_fails = false;
        code = fc_partition_open(&world->env, "/p", &world->config, &world->partition,
                                 &world->err);
    }
    check(world, code == FC_OK, "open", 0);
    check(world, fc_partition_offsets(world->partition, &offsets, &world->err) == FC_OK,
          "offsets", 0);
    check(world, offsets.end >= world->acked && offsets.end <= world->model.end,
          "records are lost", offsets.end);
    world->model.end = offsets.end;
    world->acked = offsets.end;
    if (!world->power_fails) {
        verify(world);
        verify_producers(world);
    }
}

static int lose_snapshot(void *ctx, const char *name)
{
    struct world *world = ctx;
    char path[64];
    size_t length = strlen(name);
    if (length > 9 && strcmp(name + length - 9, ".snapshot") == 0) {
        (void)snprintf(path, sizeof(path), "/p/%s", name);
        fs_lossy_lose_file(world->fs, path);
        return 1; /* there may be others, which nobody reads */
    }
    return 0;
}

static void live_again(struct world *world)
{
    bool cut = world->power_fails || below(world, 2) == 0;
    bool clean = !cut && below(world, 2) == 0;
    end_followers(world);
    if (!clean) {
        fs_lossy_stop(world->fs);
    }
    fc_partition_close(world->partition);
    fc_group_sync_free(world->env.group);
    if (!clean && cut) {
        fs_lossy_power_cut(world->fs);
    } else if (!clean) {
        fs_lossy_crash(world->fs);
    }
    world->power_fails = false;
    if (below(world, 4) == 0) { /* then producers are found out from what compaction left */
        (void)world->fs->ops->list(world->fs, "/p", lose_snapshot, world, NULL);
    }
    if (below(world, 4) == 0) {
        fs_lossy_cut_after(world->fs, below(world, 20) + 1);
        world->power_fails = true;
    }
    open_partition(world);
}

static void make_batch(struct world *world, uint32_t count, int64_t id,
                       struct fc_buf *out_bytes)
{
    const struct keyed_batch batch = { .count = count,
                                       .compression = (fc_compression)below(world, 5),
                                       .base_sequence =
                                           keyed_model_records_of(&world->model, id),
                                       .timestamp_ms = world->now_ms };
    for (uint32_t delta = 0; delta < count; delta++) {
        const struct keyed_entry entry = { .key = (int32_t)below(world, world->keys),
                                           .tombstone = below(world, 4) == 0,
                                           .transactional = id >= 2,
                                           .producer_id = id };
        world->model.log[world->model.end + delta] = entry;
    }
    keyed_model_make(&world->model, &batch, out_bytes);
}

static void append(struct world *world)
{
    uint32_t count = (uint32_t)below(world, 4) + 1;
    struct fc_append_result result;
    struct fc_buf bytes;
    fc_code code;
    if (world->model.end + count >= KEYED_RECORDS_MAX) {
        return;
    }
    make_batch(world, count, (int64_t)below(world, PRODUCERS + 1) - 1, &bytes);
    code = fc_partition_append_wire(world->partition, bytes.data, bytes.len, &world->rules,
                                    &result, &world->err);
    fc_buf_release(&bytes);
    check(world, code == FC_OK || world->power_fails, "append at", world->model.end);
    if (code == FC_OK) {
        check(world, result.base_offset == world->model.end && !result.duplicate, "appended at",
              result.base_offset);
        world->model.end += count;
    }
}

static void end_transaction(struct world *world)
{
    struct fc_marker_request request = { .producer_id = 2 + (int64_t)below(world, 2),
                                         .commit = below(world, 2) == 0 };
    struct fc_append_result result;
    if (world->model.end + 1 < KEYED_RECORDS_MAX &&
        fc_partition_append_marker(world->partition, &request, &result, &world->err) == FC_OK) {
        const struct keyed_entry marker = { .key = -1,
                                            .commit = request.commit,
                                            .producer_id = request.producer_id };
        world->model.log[world->model.end++] = marker;
    } else {
        check(world, world->power_fails || world->model.end + 1 >= KEYED_RECORDS_MAX, "marker",
              world->model.end);
    }
}

static void flush(struct world *world)
{
    if (fc_group_sync_flush(world->env.group, &world->err) == FC_OK) {
        world->acked = world->model.end;
    } else {
        check(world, world->power_fails, "flush", 0);
    }
}

static bool patience_is_over(void *ctx)
{
    struct world *world = ctx;
    return --world->patience < 0;
}

static void compact(struct world *world)
{
    const struct fc_compact_job job = {
        .map_bytes = below(world, 2) == 0 ? 0 : (size_t)24 * ((size_t)16 << below(world, 3)),
        .stopped = patience_is_over,
        .ctx = world,
    };
    world->patience = below(world, 4) == 0 ? (int)below(world, 100) : INT32_MAX;
    world->now_ms += (int64_t)below(world, 40);
    fc_compact_run(world->partition, &job);
    if (!world->power_fails) {
        verify(world);
    }
}

static void step(struct world *world)
{
    uint64_t what = below(world, 100);
    world->now_ms += (int64_t)below(world, 3);
    if (what < 56) {
        append(world);
    } else if (what < 66) {
        end_transaction(world);
    } else if (what < 76) {
        flush(world);
    } else if (what < 84) {
        compact(world);
    } else if (what < 88) {
        follow_all(world);
    } else if (what < 90) {
        fc_upkeep_scrub(world->partition, below(world, 3000));
    } else if (what < 92) {
        fc_upkeep_retain(world->partition);
    } else if (what < 95) {
        fs_lossy_cut_after(world->fs, below(world, 60) + 1);
        world->power_fails = true;
    } else {
        live_again(world);
    }
}

static void init_world(struct world *world)
{
    static const int64_t retentions[] = { 0, 30, 1000000 };
    struct fc_log_topic_config topic;
    world->now_ms = 1000000;
    clock_world = world;
    world->fs = fs_lossy_new(world->seed, (size_t)512 << below(world, 4));
    world->clock.wall_ns = world_now;
    world->clock.steady_ns = world_now;
    world->env.fs = world->fs;
    world->env.clock = &world->clock;
    world->env_beside = world->env;
    world->env_beside.read_only = true;
    fc_log_topic_config_init(&topic);
    topic.cleanup_delete = false;
    topic.cleanup_compact = true;
    topic.delete_retention_ms = retentions[below(world, 3)];
    topic.segment_ms = -1;
    topic.segment_bytes = 300 + (int64_t)below(world, 3000);
    fc_append_rules_of(&topic, &world->rules);
    world->rules.guard = FC_GUARD_VERIFIED;
    world->config = fc_log_topic_config_of_partition(&topic);
    world->keys = 1 + below(world, KEYS_MAX);
    check(world, world->fs->ops->make_dir(world->fs, "/p", NULL) == FC_OK, "mkdir", 0);
    check(world, world->fs->ops->sync_dir(world->fs, "/", NULL) == FC_OK, "sync", 0);
}

static void run_round(uint64_t seed)
{
    struct world *world = fc_new(struct world);
    uint64_t steps;
    world->seed = seed;
    world->random = seed;
    init_world(world);
    open_partition(world);
    steps = below(world, STEPS_MAX) + 1;
    while (steps-- > 0) {
        step(world);
    }
    live_again(world);
    end_followers(world);
    fc_partition_close(world->partition);
    fc_group_sync_free(world->env.group);
    fs_lossy_free(world->fs);
    free(world);
}

static void
a_consumer_ends_with_the_last_committed_value_of_each_key_whatever_happens(void **state)
{
    const char *seed = getenv("FC_COMPACT_SEED");
    const char *rounds = getenv("FC_COMPACT_ROUNDS");
    uint64_t count = rounds == NULL ? ROUNDS : strtoull(rounds, NULL, 10);
    (void)state;
    if (seed != NULL) {
        run_round(strtoull(seed, NULL, 10));
        return;
    }
    for (uint64_t round = 0; round < count; round++) {
        run_round(round + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_consumer_ends_with_the_last_committed_value_of_each_key_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
