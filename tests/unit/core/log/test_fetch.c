/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/data_dir.h"
#include "core/log/fetch.h"
#include "core/log/upkeep.h"
#include "core/log/watch.h"
#include "core/log/wire_append.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wire_batch.h"

enum { BATCHES = 300, RECORDS = 3 };

struct world {
    char *path;
    struct fc_data_dir *dir;
    struct fc_log_topic *topic;
    struct fc_partition *partition;
    struct fc_append_rules rules;
    struct fc_error err;
};

static int set_up(void **state)
{
    struct world *world = fc_new(struct world);
    struct fc_data_dir_config config = { 0 };
    struct fc_settings settings = { 0 };
    struct fc_log_topic_config topic;
    world->path = temp_dir_new();
    config.dir = world->path;
    fc_settings_put(&settings, "segment.bytes", "20000");
    fc_settings_put(&settings, "retention.ms", "-1");
    assert_int_equal(fc_data_dir_open(&config, &world->dir, &world->err), FC_OK);
    assert_int_equal(
        fc_data_dir_create(world->dir, "t", 1, &settings, &world->topic, &world->err), FC_OK);
    fc_settings_release(&settings);
    fc_log_topic_config(world->topic, &topic);
    fc_append_rules_of(&topic, &world->rules);
    assert_int_equal(fc_log_topic_partition(world->topic, 0, &world->partition, &world->err),
                     FC_OK);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    fc_log_topic_unref(world->topic);
    fc_data_dir_close(world->dir);
    temp_dir_free(world->path);
    free(world);
    return 0;
}

static void append_batch(struct world *world, const struct wire_batch *batch)
{
    struct fc_append_result result;
    struct fc_buf bytes;
    wire_batch_make(batch, &bytes);
    assert_int_equal(fc_partition_append_wire(world->partition, bytes.data, bytes.len,
                                              &world->rules, &result, &world->err),
                     FC_OK);
    fc_buf_release(&bytes);
}

static void append(struct world *world, uint32_t count)
{
    for (uint32_t index = 0; index < count; index++) {
        struct wire_batch batch = { .count = RECORDS, .timestamp_ms = 1000, .producer_id = -1 };
        batch.value_size = index % 7 * 50;
        append_batch(world, &batch);
    }
}

static void flush(struct world *world)
{
    assert_int_equal(fc_data_dir_flush(world->dir, &world->err), FC_OK);
}

/* The range holds whole batches, from base_offset to next_offset. */
static void check_range(const struct fc_fetch_range *range)
{
    uint8_t *bytes = fc_new_array(uint8_t, (size_t)range->size + 1);
    uint64_t at = 0;
    int64_t next = range->base_offset;
    assert_int_equal(pread(range->fd, bytes, (size_t)range->size, (off_t)range->at),
                     range->size);
    while (at < range->size) {
        struct fc_batch_header header;
        assert_true(range->size - at >= FC_BATCH_HEADER_SIZE);
        fc_batch_header_decode(bytes + at, &header);
        assert_int_equal(header.base_offset, next);
        next = fc_batch_last_offset(&header) + 1;
        at += fc_batch_size(&header);
    }
    assert_int_equal(at, range->size);
    assert_int_equal(next, range->next_offset);
    free(bytes);
}

static struct fc_fetch_range fetch(struct world *world, int64_t offset, uint64_t bytes_max,
                                   fc_isolation isolation)
{
    struct fc_fetch what = { offset, bytes_max, true, isolation };
    struct fc_fetch_range range;
    assert_int_equal(fc_partition_fetch(world->partition, &what, &range, &world->err), FC_OK);
    if (range.size > 0) {
        check_range(&range);
        assert_true(range.base_offset <= offset && range.next_offset > offset);
    }
    return range;
}

static void everything_can_be_fetched_in_any_portion_from_anywhere(void **state)
{
    struct world *world = *state;
    append(world, BATCHES);
    flush(world);
    for (uint64_t bytes_max = 1; bytes_max < 100000; bytes_max *= 3) {
        int64_t offset = (int64_t)(bytes_max % 5);
        while (offset < (int64_t)BATCHES * RECORDS) {
            struct fc_fetch_range range =
                fetch(world, offset, bytes_max, FC_ISOLATION_HIGH_WATERMARK);
            assert_true(range.size > 0);
            assert_true(range.size <= bytes_max || range.next_offset - range.base_offset == 3);
            offset = range.next_offset;
            fc_fetch_range_release(&range);
        }
    }
    for (int64_t offset = 0; offset < (int64_t)BATCHES * RECORDS; offset += 7) {
        struct fc_fetch_range range = fetch(world, offset, 3000, FC_ISOLATION_STABLE);
        fc_fetch_range_release(&range);
    }
}

static void a_fetch_ends_at_its_limit(void **state)
{
    struct world *world = *state;
    struct fc_fetch what = { 31, 1 << 20, true, FC_ISOLATION_HIGH_WATERMARK };
    struct fc_fetch_range range;
    append(world, 2);
    range = fetch(world, 0, 1 << 20, FC_ISOLATION_HIGH_WATERMARK);
    assert_int_equal(range.size, 0);
    assert_int_equal(range.offsets.end, 6);
    flush(world);
    append(world, 8);
    range = fetch(world, 1, 1 << 20, FC_ISOLATION_HIGH_WATERMARK);
    assert_int_equal(range.next_offset, 6);
    fc_fetch_range_release(&range);
    range = fetch(world, 1, 1 << 20, FC_ISOLATION_END);
    assert_int_equal(range.next_offset, 30);
    fc_fetch_range_release(&range);
    range = fetch(world, 30, 1 << 20, FC_ISOLATION_END);
    assert_int_equal(range.size, 0);
    assert_int_equal(fc_partition_fetch(world->partition, &what, &range, &world->err),
                     FC_ERR_NOT_FOUND);
    assert_int_equal(range.error, FC_KAFKA_OFFSET_OUT_OF_RANGE);
    assert_int_equal(range.offsets.end, 30);
    what.offset = 3;
    what.bytes_max = 10;
    what.at_least_one = false;
    assert_int_equal(fc_partition_fetch(world->partition, &what, &range, &world->err), FC_OK);
    assert_int_equal(range.size, 0);
}

static void a_range_outlives_its_file(void **state)
{
    struct world *world = *state;
    struct fc_fetch what = { 5, 4000, true, FC_ISOLATION_HIGH_WATERMARK };
    struct fc_fetch_range range;
    struct fc_fetch_range none;
    struct fc_time_place place;
    int64_t start = 0;
    append(world, BATCHES);
    flush(world);
    range = fetch(world, 5, 4000, FC_ISOLATION_HIGH_WATERMARK);
    assert_int_equal(fc_partition_delete_records(world->partition, FC_DELETE_TO_HIGH_WATERMARK,
                                                 &start, &world->err),
                     FC_OK);
    assert_int_equal(start, BATCHES * RECORDS);
    check_range(&range);
    assert_int_equal(fc_partition_fetch(world->partition, &what, &none, &world->err),
                     FC_ERR_NOT_FOUND);
    assert_int_equal(none.error, FC_KAFKA_OFFSET_OUT_OF_RANGE);
    assert_int_equal(none.offsets.start, start);
    assert_int_equal(fc_partition_max_timestamp(world->partition, &place, &world->err), FC_OK);
    assert_int_equal(place.offset, -1);
    append(world, 1);
    assert_int_equal(fc_partition_max_timestamp(world->partition, &place, &world->err), FC_OK);
    assert_int_equal(place.offset, start + 2);
    assert_int_equal(place.timestamp_ms, 1002);
    assert_int_equal(fc_log_topic_delete(world->topic, &world->err), FC_OK);
    check_range(&range);
    fc_fetch_range_release(&range);
    assert_int_equal(fc_partition_fetch(world->partition, &what, &none, &world->err),
                     FC_ERR_NOT_FOUND);
    assert_int_equal(none.error, FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
}

static void check_largest(struct world *world, int64_t offset, int64_t timestamp_ms)
{
    struct fc_time_place place;
    assert_int_equal(fc_partition_max_timestamp(world->partition, &place, &world->err), FC_OK);
    assert_int_equal(place.offset, offset);
    assert_int_equal(place.timestamp_ms, timestamp_ms);
}

static void delete_below(struct world *world, int64_t offset)
{
    int64_t start;
    assert_int_equal(fc_partition_delete_records(world->partition, offset, &start, &world->err),
                     FC_OK);
}

static void the_largest_timestamp_is_of_what_is_left(void **state)
{
    struct world *world = *state;
    const int64_t stamps[] = { 5000, 9000, 4000, 6000, 3000 };
    for (size_t index = 0; index < sizeof(stamps) / sizeof(stamps[0]); index++) {
        const struct wire_batch batch = { .count = 2,
                                          .timestamp_ms = stamps[index],
                                          .producer_id = -1 };
        append_batch(world, &batch);
    }
    flush(world);
    check_largest(world, 3, 9001);
    delete_below(world, 3);
    check_largest(world, 3, 9001);
    delete_below(world, 4);
    check_largest(world, 7, 6001);
    delete_below(world, 8);
    check_largest(world, 9, 3001);
    append(world, BATCHES); /* segments of which none has so late a one */
    flush(world);
    delete_below(world, 9);
    check_largest(world, 9, 3001);
    delete_below(world, 10);
    check_largest(world, 12, 1002);
}

static void the_largest_timestamp_may_be_of_a_marker(void **state)
{
    struct world *world = *state;
    const struct wire_batch batch = {
        .count = 1, .timestamp_ms = 1000, .transactional = true, .producer_id = 7
    };
    const struct fc_marker_request marker = { .producer_id = 7, .commit = true };
    struct fc_append_result result;
    struct fc_time_place place;
    int64_t before_ms = fc_clock_wall_ms(fc_clock_system());
    world->rules.guard = fc_partition_verify(world->partition, 7, 0);
    append_batch(world, &batch);
    flush(world);
    check_largest(world, 0, 1000);
    assert_int_equal(
        fc_partition_append_marker(world->partition, &marker, &result, &world->err), FC_OK);
    flush(world);
    assert_int_equal(fc_partition_max_timestamp(world->partition, &place, &world->err), FC_OK);
    assert_int_equal(place.offset, 1);
    assert_true(place.timestamp_ms >= before_ms);
}

static void count_call(void *ctx)
{
    ++*(int *)ctx;
}

static void a_watch_is_told_what_moves(void **state)
{
    struct world *world = *state;
    int calls = 0;
    int others = 0;
    struct fc_watch watch = { .fn = count_call, .ctx = &calls };
    struct fc_watch other = { .fn = count_call, .ctx = &others };
    fc_partition_watch(world->partition, &watch);
    fc_partition_watch(world->partition, &other);
    append(world, 1);
    assert_int_equal(calls, 1);
    flush(world);
    assert_int_equal(calls, 2);
    fc_partition_unwatch(world->partition, &other);
    fc_partition_unwatch(world->partition, &other);
    assert_int_equal(fc_log_topic_delete(world->topic, &world->err), FC_OK);
    assert_true(calls >= 3);
    assert_int_equal(others, 2);
    fc_partition_unwatch(world->partition, &watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_can_be_fetched_in_any_portion_from_anywhere,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fetch_ends_at_its_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_range_outlives_its_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_largest_timestamp_is_of_what_is_left, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_largest_timestamp_may_be_of_a_marker, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_watch_is_told_what_moves, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
