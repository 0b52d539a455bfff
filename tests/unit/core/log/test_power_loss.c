/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever happens to the disk, a record that a flush acknowledged is there afterwards, once
 * and in order, and the partition opens.
 *
 * Each round does random things to one partition on a disk that forgets what was not synced:
 * appends, flushes, upkeep, clean closes, crashes, power cuts at any step (also in the middle
 * of a recovery), failing writes and syncs, a full disk. The seed of a failing round is
 * printed; FC_POWER_LOSS_SEED runs from that seed on, FC_POWER_LOSS_ROUNDS sets how many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/group_sync.h"
#include "core/log/log_reader.h"
#include "core/log/upkeep.h"
#include "tests/support/fs_lossy.h"

enum { ROUNDS = 4000, STEPS_MAX = 60, RECORDS_MAX = 20000, VALUE_MAX = 3000 };

static const char dir[] = "/p";

struct world {
    uint64_t seed;
    uint64_t random;
    struct fc_fs *fs;
    struct fc_log_env env;
    struct fc_partition_config config;
    struct fc_partition *partition; /* NULL while closed */
    struct fc_batch_builder batch;
    uint32_t *ids; /* of what was last appended, or tried to be, at each offset */
    uint32_t next_id;
    int64_t acked;       /* everything below was acknowledged */
    int64_t attempted;   /* nothing at or above was ever handed over */
    int64_t start_max;   /* the largest start that was ever seen or asked for */
    bool power_may_fail; /* while it opens */
    bool power_fails;    /* at some call to come, or has */
    bool refusing;       /* an append failed, so no other may be taken */
};

static uint64_t next_random(struct world *world)
{
    uint64_t mixed = (world->random += 0x9e3779b97f4a7c15U);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
}

static uint64_t below(struct world *world, uint64_t limit)
{
    return next_random(world) % limit;
}

static void check(const struct world *world, bool good, const char *what,
                  const struct fc_error *err)
{
    if (!good) {
        fail_msg("seed %llu: %s: %s", (unsigned long long)world->seed, what,
                 err == NULL ? "" : err->message);
    }
}

/* A record's content follows from its id alone. */
static size_t make_value(uint32_t id, uint8_t *to)
{
    size_t size = 4 + (id * 2654435761U >> 8) % (id % 7 == 0 ? VALUE_MAX - 4 : 60);
    memset(to, (int)(id & 0xff), size);
    memcpy(to, &id, sizeof(id));
    return size;
}

static void append(struct world *world)
{
    static const fc_compression codecs[] = { FC_COMPRESSION_NONE, FC_COMPRESSION_LZ4,
                                             FC_COMPRESSION_ZSTD };
    uint32_t count = (uint32_t)below(world, 12) + 1;
    struct fc_partition_offsets offsets;
    struct fc_error err;
    int64_t base = -1;
    fc_code code;
    if (fc_partition_offsets(world->partition, &offsets, &err) != FC_OK ||
        offsets.end + count >= RECORDS_MAX) {
        return;
    }
    fc_batch_builder_reset(&world->batch, codecs[below(world, 3)], 1 << 20);
    for (uint32_t index = 0; index < count; index++) {
        uint8_t value[VALUE_MAX];
        struct fc_record record = { .timestamp_ms = world->next_id };
        record.value = fc_slice_of(value, make_value(world->next_id, value));
        check(world, fc_batch_builder_add(&world->batch, &record, &err) == FC_OK, "add", &err);
        /* What failed may still have reached the disk whole, but nothing after it. */
        if (!world->refusing) {
            world->ids[offsets.end + index] = world->next_id;
        }
        world->next_id++;
    }
    check(world, fc_batch_builder_seal(&world->batch, &err) == FC_OK, "seal", &err);
    code = fc_partition_append(world->partition, &world->batch, &base, &err);
    check(world, code != FC_OK || !world->refusing, "an append after a failed one", NULL);
    world->refusing = world->refusing || code == FC_ERR_IO;
    world->attempted =
        offsets.end + count > world->attempted ? offsets.end + count : world->attempted;
    check(world, code != FC_OK || base == offsets.end, "append gave another offset", NULL);
    check(world, code == FC_OK || code == FC_ERR_FULL || code == FC_ERR_IO, "append", &err);
}

static void flush(struct world *world)
{
    struct fc_partition_offsets offsets;
    struct fc_error err;
    if (fc_partition_offsets(world->partition, &offsets, &err) == FC_OK &&
        fc_group_sync_flush(world->env.group, &err) == FC_OK) {
        world->acked = offsets.end > world->acked ? offsets.end : world->acked;
    }
}

/* Read all of it, and hold it against what was handed over. */
static void verify(struct world *world)
{
    struct fc_partition_offsets offsets = { 0 };
    struct fc_log_reader *reader = NULL;
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    struct fc_error err;
    int64_t next;
    check(world, fc_partition_offsets(world->partition, &offsets, &err) == FC_OK, "offsets",
          &err);
    check(world, offsets.start <= world->start_max, "start is beyond what was removed", NULL);
    check(world, offsets.end >= world->acked, "acknowledged records are gone", NULL);
    check(world, offsets.end <= world->attempted, "records that nobody appended", NULL);
    check(world, offsets.durable == offsets.end, "not durable after the open", NULL);
    check(world, fc_log_reader_open(world->partition, offsets.start, &reader, &err) == FC_OK,
          "reader", &err);
    next = offsets.start;
    do {
        check(world, fc_log_reader_next(reader, 0, &records, &count, &err) == FC_OK, "read",
              &err);
        for (uint32_t index = 0; index < count; index++) {
            uint8_t value[VALUE_MAX];
            size_t size = make_value(world->ids[next], value);
            check(world, records[index].offset == next, "offset", NULL);
            check(world,
                  fc_slice_equal(records[index].value, fc_slice_of(value, size)) &&
                      records[index].timestamp_ms == world->ids[next],
                  "a record is not what was appended", NULL);
            next++;
        }
    } while (count > 0);
    check(world, next == offsets.end, "records end before the end", NULL);
    fc_log_reader_close(reader);
    world->acked = offsets.end; /* an open makes durable what it finds */
    world->attempted = offsets.end;
}

static void open_partition(struct world *world)
{
    struct fc_error err;
    bool cut = world->power_may_fail && below(world, 6) == 0;
    if (cut) {
        fs_lossy_cut_after(world->fs, below(world, 40) + 1);
    }
    world->env.group = fc_group_sync_new();
    if (fc_partition_open(&world->env, dir, &world->config, &world->partition, &err) != FC_OK) {
        check(world, cut && err.code == FC_ERR_IO, "open", &err);
        fc_group_sync_free(world->env.group);
        fs_lossy_power_cut(world->fs);
        world->power_may_fail = false;
        open_partition(world);
        world->power_may_fail = true;
        return;
    }
    fs_lossy_cut_after(world->fs, 0);
    world->refusing = false;
    verify(world);
}

static void close_partition(struct world *world)
{
    fc_partition_close(world->partition);
    fc_group_sync_free(world->env.group);
    world->partition = NULL;
}

/* The end of one life of the process, and the beginning of the next. */
static void live_again(struct world *world)
{
    uint64_t how = below(world, 4);
    if (how == 0) {
        close_partition(world);
        if (!world->power_fails) {
            fs_lossy_crash(world->fs);
        }
        if (world->power_fails || below(world, 2) == 0) {
            fs_lossy_power_cut(world->fs);
        }
    } else if (how == 1 && !world->power_fails) {
        fs_lossy_stop(world->fs);
        close_partition(world);
        fs_lossy_crash(world->fs);
    } else {
        fs_lossy_stop(world->fs);
        close_partition(world);
        fs_lossy_power_cut(world->fs);
    }
    world->power_fails = false;
    fs_lossy_set_capacity(world->fs, UINT64_MAX);
    open_partition(world);
}

static void note_start(struct world *world)
{
    struct fc_partition_offsets offsets;
    struct fc_error err;
    /* Retention removes whole segments below the active one, so never past what was there. */
    if (fc_partition_offsets(world->partition, &offsets, &err) == FC_OK &&
        offsets.end > world->start_max) {
        world->start_max = offsets.end;
    }
}

static void upkeep(struct world *world)
{
    switch (below(world, 4)) {
    case 0:
        fc_upkeep_checkpoint(world->partition);
        break;
    case 1:
        fc_upkeep_sync(world->partition, below(world, 2) == 0);
        break;
    case 2:
        note_start(world);
        fc_upkeep_retain(world->partition);
        break;
    default:
        fc_upkeep_scrub(world->partition, 10000);
        break;
    }
}

static void inject(struct world *world)
{
    switch (below(world, 4)) {
    case 0:
        fs_lossy_fail_write(world->fs, below(world, 20) + 1);
        break;
    case 1:
        fs_lossy_fail_sync(world->fs, below(world, 10) + 1);
        break;
    case 2:
        fs_lossy_set_capacity(world->fs, fs_lossy_used(world->fs) + below(world, 20000));
        break;
    default:
        fs_lossy_cut_after(world->fs, below(world, 30) + 1);
        world->power_fails = true;
        break;
    }
}

static void step(struct world *world)
{
    uint64_t what = below(world, 100);
    if (what < 55) {
        append(world);
    } else if (what < 72) {
        flush(world);
    } else if (what < 86) {
        upkeep(world);
    } else if (what < 91) {
        inject(world);
    } else if (what < 93) {
        fs_lossy_set_capacity(world->fs, UINT64_MAX);
    } else {
        live_again(world);
    }
}

static void run_round(uint64_t seed)
{
    struct world world = { .seed = seed, .random = seed, .next_id = 1, .power_may_fail = true };
    struct fc_error err;
    uint64_t steps;
    world.fs = fs_lossy_new(next_random(&world), (size_t)512 << below(&world, 4));
    world.env.fs = world.fs;
    world.env.clock = fc_clock_system();
    world.config.retention_ms = -1;
    world.config.segment_ms = -1;
    world.config.retention_bytes = below(&world, 2) == 0 ? -1 : (int64_t)below(&world, 60000);
    world.config.segment_bytes = 1000 + below(&world, 30000);
    world.ids = fc_new_array(uint32_t, RECORDS_MAX);
    fc_batch_builder_init(&world.batch, FC_COMPRESSION_NONE, 1 << 20);
    check(&world, world.fs->ops->make_dir(world.fs, dir, &err) == FC_OK, "mkdir", &err);
    check(&world, world.fs->ops->sync_dir(world.fs, "/", &err) == FC_OK, "sync", &err);
    open_partition(&world);
    steps = below(&world, STEPS_MAX) + 1;
    for (uint64_t index = 0; index < steps; index++) {
        step(&world);
    }
    live_again(&world);
    close_partition(&world);
    fc_batch_builder_release(&world.batch);
    free(world.ids);
    fs_lossy_free(world.fs);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void what_was_acknowledged_survives_whatever_happens_to_the_disk(void **state)
{
    uint64_t seed = setting("FC_POWER_LOSS_SEED", 0);
    uint64_t rounds = setting("FC_POWER_LOSS_ROUNDS", seed == 0 ? ROUNDS : 1);
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
        cmocka_unit_test(what_was_acknowledged_survives_whatever_happens_to_the_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
