/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever producers do and whenever the process or the power goes, what a partition knows of
 * them is what follows from the batches in its log.
 *
 * Each round runs a random history of idempotent and transactional appends (in order, again, out
 * of order, fenced), markers, flushes, upkeep, closes, crashes and power cuts, and compares
 * every answer, and after each opening the whole state, with a model that knows nothing but the
 * list of batches. FC_HISTORY_SEED runs one seed, FC_HISTORY_ROUNDS sets how many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/fetch.h"
#include "core/log/group_sync.h"
#include "core/log/upkeep.h"
#include "core/log/wire_append.h"
#include "tests/support/fs_lossy.h"
#include "tests/support/producer_model.h"
#include "tests/support/wire_batch.h"

enum { ROUNDS = 1500, STEPS_MAX = 150, PRODUCERS = 4, NOW_MS = PRODUCER_MODEL_TIME_MS };

struct world {
    uint64_t seed;
    uint64_t random;
    struct fc_fs *fs;
    struct fc_clock clock;
    struct fc_log_env env;
    struct fc_partition_config config;
    struct fc_append_rules rules;
    struct fc_partition *partition;
    struct producer_model log;
    int64_t acked;
    bool power_fails;
    struct fc_error err;
};

static uint64_t below(struct world *world, uint64_t limit)
{
    uint64_t mixed = (world->random += 0x9e3779b97f4a7c15U);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return (mixed ^ (mixed >> 31)) % limit;
}

static void check(const struct world *world, bool good, const char *what)
{
    if (!good) {
        fail_msg("seed %llu: %s: %s", (unsigned long long)world->seed, what,
                 world->err.message);
    }
}

static int64_t fixed_now(const struct fc_clock *clock)
{
    (void)clock;
    return (int64_t)NOW_MS * 1000000;
}

/* --- comparing --- */

static void compare_producers(struct world *world)
{
    struct fc_producer *producers = NULL;
    size_t count = 0;
    size_t expected = 0;
    check(world,
          fc_partition_producers(world->partition, &producers, &count, &world->err) == FC_OK,
          "producers");
    for (int64_t id = 0; id < PRODUCERS; id++) {
        struct fc_producer model;
        if (!producer_model_of(&world->log, id, &model)) {
            continue;
        }
        check(world, expected < count && producers[expected].id == id, "a producer is missing");
        for (uint32_t index = 0; index < model.batches_count; index++) {
            check(world,
                  memcmp(&model.batches[index], &producers[expected].batches[index],
                         sizeof(model.batches[index])) == 0,
                  "a batch differs");
        }
        check(world,
              model.epoch == producers[expected].epoch &&
                  model.coordinator_epoch == producers[expected].coordinator_epoch &&
                  model.last_seen_ms == producers[expected].last_seen_ms &&
                  model.transaction_offset == producers[expected].transaction_offset &&
                  model.last_sequence == producers[expected].last_sequence &&
                  model.batches_count == producers[expected].batches_count,
              "a producer differs");
        expected++;
    }
    check(world, expected == count, "there are other producers");
    free(producers);
}

static void compare_aborted(struct world *world, int64_t start)
{
    int64_t from = start + (int64_t)below(world, (uint64_t)(world->log.end - start) + 1);
    int64_t to = from + (int64_t)below(world, (uint64_t)(world->log.end - from) + 1) + 1;
    struct fc_aborted *aborted = NULL;
    size_t count = 0;
    size_t expected = 0;
    check(world,
          fc_partition_aborted(world->partition, from, to, &aborted, &count, &world->err) ==
              FC_OK,
          "aborted");
    for (size_t place = 0; place < world->log.count; place++) {
        int64_t first = producer_model_aborted_by(&world->log, place);
        if (first >= 0 && first < to && world->log.entries[place].base >= from) {
            check(world, expected < count, "an aborted transaction is missing");
            check(world,
                  aborted[expected].first_offset == first &&
                      aborted[expected].last_offset == world->log.entries[place].base &&
                      aborted[expected].producer_id == world->log.entries[place].id,
                  "an aborted transaction differs");
            expected++;
        }
    }
    check(world, expected == count, "there are other aborted transactions");
    free(aborted);
}

static void compare(struct world *world, bool durable)
{
    struct fc_partition_offsets offsets = { 0 };
    check(world, fc_partition_offsets(world->partition, &offsets, &world->err) == FC_OK,
          "offsets");
    check(world, offsets.end == world->log.end, "the end is another");
    check(world,
          !durable || offsets.stable == producer_model_stable(&world->log, PRODUCERS) ||
              (offsets.start > producer_model_stable(&world->log, PRODUCERS) &&
               offsets.stable == offsets.start),
          "the stable offset is another");
    compare_producers(world);
    compare_aborted(world, offsets.start);
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
    check(world, code == FC_OK, "open");
    check(world, fc_partition_offsets(world->partition, &offsets, &world->err) == FC_OK,
          "offsets");
    check(world, offsets.end >= world->acked && offsets.end <= world->log.end,
          "records are lost");
    while (world->log.count > 0 &&
           world->log.entries[world->log.count - 1].last >= offsets.end) {
        world->log.count--;
    }
    world->log.end = offsets.end;
    world->acked = offsets.end;
    check(world,
          world->log.count == 0 ||
              world->log.entries[world->log.count - 1].last + 1 == world->log.end ||
              world->log.end <= offsets.start,
          "the end is within a batch");
    if (!world->power_fails) {
        compare(world, true);
    }
}

static void live_again(struct world *world)
{
    bool cut = world->power_fails || below(world, 2) == 0;
    if (!cut && below(world, 2) == 0) {
        fc_partition_close(world->partition);
        fc_group_sync_free(world->env.group);
    } else {
        fs_lossy_stop(world->fs);
        fc_partition_close(world->partition);
        fc_group_sync_free(world->env.group);
        if (cut) {
            fs_lossy_power_cut(world->fs);
        } else {
            fs_lossy_crash(world->fs);
        }
        world->power_fails = false;
    }
    if (below(world, 4) == 0) {
        fs_lossy_cut_after(world->fs, below(world, 12) + 1);
        world->power_fails = true;
    }
    open_partition(world);
}

/* What the log has to say to it. */
static fc_kafka_error expect(const struct world *world, const struct wire_batch *batch,
                             int64_t *out_duplicate)
{
    struct fc_producer producer;
    int32_t last = (int32_t)(((int64_t)batch->base_sequence + batch->count - 1) %
                             ((int64_t)INT32_MAX + 1));
    *out_duplicate = -1;
    if (batch->producer_id < 0 ||
        !producer_model_of(&world->log, batch->producer_id, &producer)) {
        return FC_KAFKA_NONE;
    }
    for (uint32_t index = 0;
         index < producer.batches_count && producer.epoch == batch->producer_epoch; index++) {
        bool ended = producer.transaction_offset < 0 ||
                     producer.batches[index].base_offset < producer.transaction_offset;
        if (producer.batches[index].first_sequence == batch->base_sequence &&
            producer.batches[index].last_sequence == last &&
            (!batch->transactional || !ended)) {
            *out_duplicate = producer.batches[index].base_offset;
            return FC_KAFKA_NONE;
        }
    }
    if (batch->producer_epoch < producer.epoch) {
        return FC_KAFKA_INVALID_PRODUCER_EPOCH;
    }
    if (batch->producer_epoch > producer.epoch
            ? batch->base_sequence != 0
            : batch->base_sequence !=
                  (producer.last_sequence == INT32_MAX ? 0 : producer.last_sequence + 1)) {
        return FC_KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
    }
    return producer.transaction_offset >= 0 && !batch->transactional
               ? FC_KAFKA_INVALID_TXN_STATE
               : FC_KAFKA_NONE;
}

static void choose_sequence(struct world *world, struct wire_batch *batch)
{
    struct fc_producer producer;
    bool known = producer_model_of(&world->log, batch->producer_id, &producer);
    batch->producer_epoch = known ? producer.epoch : 0;
    batch->base_sequence = !known                                ? (int32_t)below(world, 2) * 7
                           : producer.last_sequence == INT32_MAX ? 0
                                                                 : producer.last_sequence + 1;
    if (!known && below(world, 3) == 0) {
        batch->base_sequence = INT32_MAX - (int32_t)below(world, 6);
    }
    switch (known ? below(world, 12) : 99) {
    case 0: /* a gap, which at the end of all numbers begins with 1 */
        batch->base_sequence = batch->base_sequence == INT32_MAX ? 1 : batch->base_sequence + 1;
        break;
    case 1:
        batch->producer_epoch++;
        batch->base_sequence = (int32_t)below(world, 2);
        break;
    case 2:
        batch->producer_epoch--;
        break;
    case 3:
    case 4:
        if (producer.batches_count > 0) {
            const struct fc_producer_batch *again =
                &producer.batches[below(world, producer.batches_count)];
            batch->base_sequence = again->first_sequence;
            batch->count = (uint32_t)(again->last_offset - again->base_offset + 1);
        }
        break;
    default:
        break;
    }
    batch->base_sequence = batch->base_sequence < 0 ? 0 : batch->base_sequence;
    batch->producer_epoch = batch->producer_epoch < 0 ? 0 : batch->producer_epoch;
}

static void append(struct world *world)
{
    struct wire_batch batch = { .count = (uint32_t)below(world, 4) + 1,
                                .timestamp_ms = 0,
                                .producer_id = (int64_t)below(world, PRODUCERS + 1) - 1 };
    struct fc_append_result result;
    struct fc_batch_header header;
    struct fc_buf bytes;
    int64_t duplicate = -1;
    fc_kafka_error expected;
    fc_code code;
    batch.transactional = batch.producer_id >= 2; /* the others are only idempotent */
    if (batch.producer_id >= 0) {
        choose_sequence(world, &batch);
    }
    expected = expect(world, &batch, &duplicate);
    wire_batch_make(&batch, &bytes);
    fc_batch_header_decode(bytes.data, &header);
    header.base_timestamp_ms = NOW_MS;
    header.max_timestamp_ms = NOW_MS;
    wire_batch_seal(&header, &bytes);
    code = fc_partition_append_wire(world->partition, bytes.data, bytes.len, &world->rules,
                                    &result, &world->err);
    fc_buf_release(&bytes);
    if (code == FC_ERR_IO && world->power_fails) {
        return;
    }
    check(world, result.error == expected, "another error than expected");
    check(world, (code == FC_OK) == (expected == FC_KAFKA_NONE), "another code than expected");
    if (code == FC_OK) {
        struct producer_entry entry = { .base = result.base_offset,
                                        .last = result.last_offset,
                                        .id = batch.producer_id,
                                        .epoch = batch.producer_epoch,
                                        .sequence = batch.base_sequence,
                                        .transactional = batch.transactional };
        check(world, result.base_offset == (duplicate >= 0 ? duplicate : world->log.end),
              "another offset than expected");
        if (duplicate < 0) {
            producer_model_push(&world->log, &entry);
        }
    }
}

static void end_transaction(struct world *world)
{
    struct fc_marker_request request = { .producer_id = 2 + (int64_t)below(world, 2),
                                         .commit = below(world, 2) == 0 };
    struct fc_append_result result;
    struct fc_producer producer;
    fc_code code;
    if (producer_model_of(&world->log, request.producer_id, &producer)) {
        request.producer_epoch = (int16_t)(producer.epoch + (below(world, 4) == 0));
        request.coordinator_epoch =
            (producer.coordinator_epoch < 0 ? 0 : producer.coordinator_epoch) +
            (int32_t)below(world, 2);
    }
    code = fc_partition_append_marker(world->partition, &request, &result, &world->err);
    check(world, code == FC_OK || (code == FC_ERR_IO && world->power_fails), "marker");
    if (code == FC_OK) {
        struct producer_entry entry = { .base = result.base_offset,
                                        .last = result.base_offset,
                                        .id = request.producer_id,
                                        .epoch = request.producer_epoch,
                                        .transactional = true,
                                        .marker = true,
                                        .commit = request.commit,
                                        .coordinator_epoch = request.coordinator_epoch };
        producer_model_push(&world->log, &entry);
    }
}

static void flush(struct world *world)
{
    if (fc_group_sync_flush(world->env.group, &world->err) == FC_OK) {
        world->acked = world->log.end;
        if (!world->power_fails) { /* otherwise files cannot be read, perhaps */
            compare(world, true);
        }
    } else {
        check(world, world->power_fails, "flush");
    }
}

static void delete_records(struct world *world)
{
    struct fc_partition_offsets offsets = { 0 };
    int64_t start = -1;
    if (fc_partition_offsets(world->partition, &offsets, &world->err) == FC_OK) {
        int64_t before =
            offsets.start + (int64_t)below(world, (uint64_t)(offsets.end - offsets.start) + 1);
        fc_code code =
            fc_partition_delete_records(world->partition, before, &start, &world->err);
        check(world,
              code == FC_OK ? start == before : code == FC_ERR_LIMIT || world->power_fails,
              "delete records");
    }
}

static void step(struct world *world)
{
    uint64_t what = below(world, 100);
    if (what < 60) {
        append(world);
    } else if (what < 72) {
        end_transaction(world);
    } else if (what < 82) {
        flush(world);
    } else if (what < 86) {
        fc_upkeep_checkpoint(world->partition);
    } else if (what < 90) {
        fc_upkeep_retain(world->partition);
    } else if (what < 91) {
        delete_records(world);
    } else if (what < 92) {
        fc_upkeep_forget(world->partition);
    } else if (what < 95) {
        fs_lossy_cut_after(world->fs, below(world, 40) + 1);
        world->power_fails = true;
    } else {
        live_again(world);
    }
}

static void run_round(uint64_t seed)
{
    struct world world = { .seed = seed, .random = seed };
    struct fc_log_topic_config topic;
    uint64_t steps;
    world.fs = fs_lossy_new(seed, (size_t)512 << below(&world, 4));
    world.clock.wall_ns = fixed_now;
    world.clock.steady_ns = fixed_now;
    world.env.fs = world.fs;
    world.env.clock = &world.clock;
    fc_log_topic_config_init(&topic);
    fc_append_rules_of(&topic, &world.rules);
    world.rules.guard = FC_GUARD_VERIFIED;
    world.config = fc_log_topic_config_of_partition(&topic);
    world.config.retention_ms = -1;
    world.config.segment_ms = -1;
    world.config.retention_bytes = below(&world, 2) == 0 ? -1 : (int64_t)below(&world, 6000);
    world.config.segment_bytes = 1000 + below(&world, 6000);
    check(&world, world.fs->ops->make_dir(world.fs, "/p", NULL) == FC_OK, "mkdir");
    check(&world, world.fs->ops->sync_dir(world.fs, "/", NULL) == FC_OK, "sync");
    open_partition(&world);
    steps = below(&world, STEPS_MAX) + 1;
    for (uint64_t index = 0; index < steps; index++) {
        step(&world);
    }
    live_again(&world);
    live_again(&world);
    fs_lossy_stop(world.fs);
    fc_partition_close(world.partition);
    fc_group_sync_free(world.env.group);
    free(world.log.entries);
    fs_lossy_free(world.fs);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void producers_are_what_the_log_says_whatever_happens(void **state)
{
    uint64_t seed = setting("FC_HISTORY_SEED", 0);
    uint64_t rounds = setting("FC_HISTORY_ROUNDS", seed == 0 ? ROUNDS : 1);
    (void)state;
    if (seed == 0) {
        seed = (uint64_t)fc_clock_system()->wall_ns(fc_clock_system()) | 1;
    }
    print_message("seeds %llu to %llu\n", (unsigned long long)seed,
                  (unsigned long long)(seed + rounds - 1));
    for (uint64_t round = 0; round < rounds; round++) {
        run_round(seed + round);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(producers_are_what_the_log_says_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
