/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Appends, fetches, readers, deletions of records, compaction and upkeep of one partition at
 * once, each on a thread of its own: who reads never sees a wrong or unordered record. Worth
 * most under SAN=thread.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/batch_decoder.h"
#include "core/log/compact.h"
#include "core/log/fetch.h"
#include "core/log/log_reader.h"
#include "core/log/upkeep.h"
#include "core/log/watch.h"
#include "core/log/wire_append.h"
#include "tests/support/numbered_log.h"
#include "tests/support/wire_batch.h"

enum { BATCHES = 3000 };

struct world {
    struct numbered_log log;
    _Atomic bool done;
};

static void *append_many(void *ctx)
{
    struct world *world = ctx;
    struct fc_log_topic_config topic;
    struct fc_append_rules rules;
    fc_log_topic_config_init(&topic);
    topic.cleanup_compact = true;
    fc_append_rules_of(&topic, &rules);
    for (int number = 0; number < BATCHES; number++) {
        const struct wire_batch batch = { .count = 1 + (uint32_t)number % 4,
                                          .timestamp_ms =
                                              fc_clock_wall_ms(&world->log.clock.base),
                                          .compression = (fc_compression)(number % 5),
                                          .producer_id = -1 };
        struct fc_append_result result;
        struct fc_buf bytes;
        wire_batch_make(&batch, &bytes);
        fc_assert(fc_partition_append_wire(world->log.partition, bytes.data, bytes.len, &rules,
                                           &result, NULL) == FC_OK);
        fc_buf_release(&bytes);
        if (number % 16 == 0) {
            fc_assert(fc_partition_sync(world->log.partition, NULL) == FC_OK);
        }
    }
    world->done = true;
    return NULL;
}

static void *fetch_all(void *ctx)
{
    struct world *world = ctx;
    struct fc_fetch fetch = { .bytes_max = 20000,
                              .at_least_one = true,
                              .isolation = FC_ISOLATION_STABLE };
    while (!world->done) {
        struct fc_fetch_range range;
        fc_code code = fc_partition_fetch(world->log.partition, &fetch, &range, NULL);
        if (code == FC_ERR_NOT_FOUND) {
            fetch.offset = range.offsets.start; /* deleted meanwhile */
            continue;
        }
        fc_assert(code == FC_OK);
        if (range.size == 0) {
            fetch.offset = range.offsets.start;
            continue;
        }
        for (uint64_t at = 0; at < range.size;) {
            uint8_t bytes[FC_BATCH_HEADER_SIZE];
            struct fc_batch_header header;
            fc_assert(fc_fetch_read(&range, at, bytes, sizeof(bytes), NULL) == FC_OK);
            fc_batch_header_decode(bytes, &header);
            fc_assert(fc_batch_header_check(&header) == NULL &&
                      fc_batch_last_offset(&header) < range.next_offset);
            at += fc_batch_size(&header);
        }
        fc_assert(range.next_offset > fetch.offset);
        fetch.offset = range.next_offset;
        fc_fetch_range_release(&range);
    }
    return NULL;
}

static void *read_all(void *ctx)
{
    struct world *world = ctx;
    struct fc_log_reader *reader = NULL;
    int64_t last = -1;
    while (!world->done) {
        const struct fc_record *records = NULL;
        uint32_t count = 0;
        fc_code code = FC_OK;
        if (reader == NULL) {
            struct fc_partition_offsets offsets = { 0 };
            fc_assert(fc_partition_offsets(world->log.partition, &offsets, NULL) == FC_OK);
            code = fc_log_reader_open(world->log.partition, offsets.start, &reader, NULL);
            last = -1;
        }
        if (code == FC_OK) {
            code = fc_log_reader_next(reader, 5, &records, &count, NULL);
        }
        fc_assert(code == FC_OK || code == FC_ERR_NOT_FOUND);
        for (uint32_t index = 0; code == FC_OK && index < count; index++) {
            fc_assert(records[index].offset > last);
            last = records[index].offset;
        }
        if (code == FC_ERR_NOT_FOUND) { /* deleted meanwhile */
            fc_log_reader_close(reader);
            reader = NULL;
        }
    }
    fc_log_reader_close(reader);
    return NULL;
}

static void *look_after(void *ctx)
{
    struct world *world = ctx;
    const struct fc_compact_job job = { .map_bytes = 0 };
    for (int turn = 0; !world->done; turn++) {
        struct fc_partition_offsets offsets = { 0 };
        int64_t start = 0;
        fc_compact_run(world->log.partition, &job);
        fc_upkeep_scrub(world->log.partition, 100000);
        fc_upkeep_checkpoint(world->log.partition);
        fc_upkeep_forget(world->log.partition);
        fc_assert(fc_partition_offsets(world->log.partition, &offsets, NULL) == FC_OK);
        if (turn % 4 == 0) {
            int64_t before = offsets.start + (offsets.durable - offsets.start) / 3;
            fc_assert(fc_partition_delete_records(world->log.partition, before, &start, NULL) ==
                      FC_OK);
        }
    }
    return NULL;
}

static void all_at_once_is_as_one_after_the_other(void **state)
{
    static void *(*const mains[])(void *) = { append_many, fetch_all, read_all, look_after };
    struct world *world = fc_new(struct world);
    pthread_t threads[4];
    (void)state;
    numbered_log_init(&world->log);
    world->log.config.compact = true;
    world->log.config.segment_bytes = 8000;
    world->log.config.segment_ms = -1;
    world->log.config.compaction_lag_max_ms = INT64_MAX;
    numbered_log_open(&world->log);
    for (size_t index = 0; index < 4; index++) {
        assert_int_equal(pthread_create(&threads[index], NULL, mains[index], world), 0);
    }
    for (size_t index = 0; index < 4; index++) {
        (void)pthread_join(threads[index], NULL);
    }
    assert_string_equal(world->log.notices, "");
    numbered_log_close(&world->log);
    numbered_log_release(&world->log);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_at_once_is_as_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
