/* SPDX-License-Identifier: Apache-2.0 */
/* What a partition forgets of its producers as time goes by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/log/upkeep.h"
#include "core/log/wire_append.h"
#include "tests/support/fs_lossy.h"
#include "tests/support/numbered_log.h"
#include "tests/support/wire_batch.h"

static const int64_t year_ms = (int64_t)365 * 24 * 3600 * 1000;

static int set_up(void **state)
{
    struct numbered_log *log = fc_new(struct numbered_log);
    numbered_log_init(log);
    log->env.producer_expiration_ms = 1000;
    numbered_log_open(log);
    *state = log;
    return 0;
}

static int tear_down(void **state)
{
    struct numbered_log *log = *state;
    numbered_log_close(log);
    numbered_log_release(log);
    free(log);
    return 0;
}

static struct fc_append_result send_batch(struct numbered_log *log,
                                          const struct wire_batch *batch, uint64_t guard)
{
    struct fc_log_topic_config topic;
    struct fc_append_result result;
    struct fc_append_rules rules;
    struct fc_buf bytes;
    fc_code code;
    fc_log_topic_config_init(&topic);
    fc_append_rules_of(&topic, &rules);
    rules.timestamp_after_max_ms = INT64_MAX;
    rules.guard = guard;
    wire_batch_make(batch, &bytes);
    code = fc_partition_append_wire(log->partition, bytes.data, bytes.len, &rules, &result,
                                    &log->err);
    fc_buf_release(&bytes);
    assert_true((code == FC_OK) == (result.error == FC_KAFKA_NONE));
    return result;
}

static fc_kafka_error send(struct numbered_log *log, int64_t id, int32_t sequence,
                           uint64_t guard)
{
    const struct wire_batch batch = { .count = 1,
                                      .timestamp_ms = fc_clock_wall_ms(&log->clock.base),
                                      .producer_id = id,
                                      .base_sequence = sequence,
                                      .transactional = guard != 0 };
    return send_batch(log, &batch, guard).error;
}

/* Its first batch; true when that was there already. */
static bool send_first(struct numbered_log *log, int64_t id, int64_t timestamp_ms)
{
    const struct wire_batch batch = { .count = 1,
                                      .timestamp_ms = timestamp_ms,
                                      .producer_id = id };
    return send_batch(log, &batch, 0).duplicate;
}

static size_t count_producers(struct numbered_log *log)
{
    struct fc_producer *producers = NULL;
    size_t count = 0;
    assert_int_equal(fc_partition_producers(log->partition, &producers, &count, &log->err),
                     FC_OK);
    free(producers);
    return count;
}

static void pass(struct numbered_log *log, int64_t ms)
{
    log->clock.wall_ns += ms * 1000000;
    fc_upkeep_forget(log->partition);
}

static void producers_go_when_they_have_not_written_for_long(void **state)
{
    struct numbered_log *log = *state;
    assert_int_equal(send(log, 1, 0, 0), FC_KAFKA_NONE);
    assert_int_equal(send(log, 2, 0, FC_GUARD_VERIFIED), FC_KAFKA_NONE);
    pass(log, 900);
    assert_int_equal(count_producers(log), 2);
    assert_int_equal(send(log, 1, 1, 0), FC_KAFKA_NONE);
    pass(log, 900);
    assert_int_equal(count_producers(log), 2); /* one wrote, the other's transaction is open */
    pass(log, 900);
    assert_int_equal(count_producers(log), 1);
    assert_int_equal(send(log, 1, 7, 0), FC_KAFKA_NONE); /* as one that was never known */
}

static void how_old_the_records_are_does_not_count(void **state)
{
    struct numbered_log *log = *state;
    const int64_t now_ms = fc_clock_wall_ms(&log->clock.base);
    const int64_t times[] = { -1, now_ms - year_ms, now_ms + year_ms };
    for (int64_t id = 0; id < 3; id++) {
        assert_false(send_first(log, id, times[id]));
    }
    pass(log, 900);
    for (int64_t id = 0; id < 3; id++) {
        assert_true(send_first(log, id, times[id]));
    }
    pass(log, 200);
    assert_int_equal(count_producers(log), 0);
}

static void what_is_found_in_the_log_again_counts_as_new(void **state)
{
    struct numbered_log *log = *state;
    assert_false(send_first(log, 1, -1));
    numbered_log_flush(log);
    log->clock.wall_ns += (int64_t)5000 * 1000000; /* it takes a while to be started again */
    numbered_log_crash_and_open(log);
    assert_true(send_first(log, 1, -1));
    pass(log, 1100);
    assert_int_equal(count_producers(log), 0);
}

static void the_time_that_passed_is_saved(void **state)
{
    struct numbered_log *log = *state;
    assert_false(send_first(log, 1, -1));
    pass(log, 600);
    numbered_log_close(log);
    numbered_log_open(log);
    assert_true(send_first(log, 1, -1));
    pass(log, 600);
    assert_int_equal(count_producers(log), 0);
}

static void guards_go_after_an_hour(void **state)
{
    struct numbered_log *log = *state;
    uint64_t guard = fc_partition_verify(log->partition, 3, 0);
    uint64_t later;
    pass(log, (int64_t)30 * 60 * 1000);
    later = fc_partition_verify(log->partition, 4, 0);
    assert_int_equal(fc_partition_verify(log->partition, 3, 0), guard);
    pass(log, (int64_t)31 * 60 * 1000);
    assert_int_equal(send(log, 3, 0, guard), FC_KAFKA_INVALID_TXN_STATE);
    assert_int_equal(send(log, 4, 0, later), FC_KAFKA_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(producers_go_when_they_have_not_written_for_long),
        T(how_old_the_records_are_does_not_count),
        T(what_is_found_in_the_log_again_counts_as_new),
        T(the_time_that_passed_is_saved),
        T(guards_go_after_an_hour),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
