/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topics are created, appended to and flushed while the power may fail at any step. Afterwards
 * the directory opens without a complaint, and a topic that was acknowledged has what a flush
 * acknowledged of it. What happens inside of one partition is the matter of another test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/stream/embedded.h"
#include "tests/support/fs_lossy.h"

enum { ROUNDS = 400, LIVES = 4, TOPICS = 5, PARTITIONS_MAX = 3, STEPS = 12 };

struct world {
    uint64_t seed;
    uint64_t random;
    struct fc_fs *fs;
    struct fc_stream *stream;
    bool exists[TOPICS]; /* its creation was acknowledged */
    int64_t acked[TOPICS][PARTITIONS_MAX];
    int64_t appended[TOPICS][PARTITIONS_MAX];
    struct fc_error err;
};

static uint64_t below(struct world *world, uint64_t limit)
{
    world->random = world->random * 6364136223846793005U + 1442695040888963407U;
    return (world->random >> 33) % limit;
}

static void check(const struct world *world, bool good, const char *what)
{
    if (!good) {
        fail_msg("seed %llu: %s: %s", (unsigned long long)world->seed, what,
                 world->err.message);
    }
}

static void on_notice(void *ctx, const char *text)
{
    struct world *world = ctx;
    check(world, strstr(text, "missing") == NULL && strstr(text, "damaged") == NULL, text);
}

static const char *name_of(int topic)
{
    static const char *const names[TOPICS] = { "a", "b.c", "a-0", "shop.orders", "x" };
    return names[topic];
}

static void create(struct world *world, int which)
{
    struct fc_topic_config config;
    struct fc_topic *topic = NULL;
    fc_topic_config_init(&config);
    config.partitions = (uint32_t)which % PARTITIONS_MAX + 1;
    config.record_bytes_max += below(world, 100); /* sometimes a change of settings */
    if (fc_stream_topic_ensure(world->stream, name_of(which), &config, &topic, &world->err) ==
        FC_OK) {
        world->exists[which] = true;
    } else {
        check(world, world->err.code == FC_ERR_IO, "create");
    }
}

static void append(struct world *world, int which)
{
    struct fc_topic *topic = NULL;
    struct fc_record record = { .value = fc_slice_text("value") };
    struct fc_stream_batch *batch;
    uint32_t partition;
    int64_t base = -1;
    if (fc_stream_topic(world->stream, name_of(which), &topic, &world->err) != FC_OK) {
        return;
    }
    partition = (uint32_t)below(world, fc_topic_partitions(topic));
    batch = fc_stream_batch_new(topic, partition);
    check(world, fc_stream_batch_add(batch, &record, &world->err) == FC_OK, "add");
    check(world, fc_stream_batch_seal(batch, &world->err) == FC_OK, "seal");
    world->appended[which][partition]++; /* what fails may be there all the same */
    (void)(fc_stream_append(batch, &base, &world->err) == FC_OK);
    fc_stream_batch_free(batch);
}

static void flush(struct world *world)
{
    int64_t ends[TOPICS][PARTITIONS_MAX] = { { 0 } };
    for (int which = 0; which < TOPICS; which++) {
        struct fc_topic *topic = NULL;
        struct fc_offsets offsets = { 0 };
        if (fc_stream_topic(world->stream, name_of(which), &topic, NULL) != FC_OK) {
            continue;
        }
        for (uint32_t index = 0; index < fc_topic_partitions(topic); index++) {
            if (fc_stream_offsets(topic, index, &offsets, NULL) == FC_OK) {
                ends[which][index] = offsets.end;
            }
        }
    }
    if (fc_stream_flush(world->stream, &world->err) == FC_OK) {
        memcpy(world->acked, ends, sizeof(ends));
    }
}

static void verify(struct world *world)
{
    for (int which = 0; which < TOPICS; which++) {
        struct fc_topic *topic = NULL;
        fc_code code = fc_stream_topic(world->stream, name_of(which), &topic, &world->err);
        check(world, code == FC_OK || code == FC_ERR_NOT_FOUND, "find");
        check(world, code == FC_OK || !world->exists[which], "an acknowledged topic is gone");
        for (uint32_t index = 0; code == FC_OK && index < fc_topic_partitions(topic); index++) {
            struct fc_offsets offsets = { 0 };
            check(world, fc_stream_offsets(topic, index, &offsets, &world->err) == FC_OK,
                  "offsets");
            check(world, offsets.end >= world->acked[which][index], "records are gone");
            check(world, offsets.end <= world->appended[which][index], "records from nowhere");
            world->acked[which][index] = offsets.end;
            world->appended[which][index] = offsets.end;
        }
    }
}

static void live(struct world *world)
{
    struct fc_embedded_config config = {
        .dir = "/data/log", .fs = world->fs, .on_notice = on_notice, .notice_ctx = world
    };
    check(world, fc_embedded_open(&config, &world->stream, &world->err) == FC_OK, "open");
    verify(world);
    if (below(world, 4) != 0) {
        fs_lossy_cut_after(world->fs, below(world, 150) + 1);
    }
    for (int step = 0; step < STEPS; step++) {
        int which = (int)below(world, TOPICS);
        switch (below(world, 4)) {
        case 0:
            create(world, which);
            break;
        case 1:
            flush(world);
            break;
        default:
            append(world, which);
            break;
        }
    }
    fs_lossy_stop(world->fs);
    fc_stream_close(world->stream);
    fs_lossy_power_cut(world->fs);
}

static void topics_survive_a_power_cut_at_any_step(void **state)
{
    uint64_t seed = (uint64_t)fc_clock_system()->wall_ns(fc_clock_system());
    (void)state;
    print_message("seeds %llu to %llu\n", (unsigned long long)seed,
                  (unsigned long long)(seed + ROUNDS - 1));
    for (int round = 0; round < ROUNDS; round++) {
        struct world world = { .seed = seed + (uint64_t)round };
        world.random = world.seed;
        world.fs = fs_lossy_new(world.seed, 512);
        for (int life = 0; life < LIVES; life++) {
            live(&world);
        }
        fs_lossy_free(world.fs);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_survive_a_power_cut_at_any_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
