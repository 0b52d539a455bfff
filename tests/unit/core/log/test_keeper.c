/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/log/keeper.h"
#include "core/log/manifest.h"
#include "tests/support/fs_lossy.h"
#include "tests/support/numbered_log.h"

enum { DEADLINE_MS = 20000 };

static bool start_is_past_zero(struct numbered_log *log)
{
    return numbered_log_offsets(log).start > 0;
}

static bool is_durable(struct numbered_log *log)
{
    return numbered_log_offsets(log).durable == numbered_log_offsets(log).end;
}

/* Wait in the partition, which nobody wakes, between two looks. */
static void expect_soon(struct numbered_log *log, bool (*holds)(struct numbered_log *log))
{
    int64_t deadline = fc_clock_steady_ms(fc_clock_system()) + DEADLINE_MS;
    uint64_t wakes = fc_partition_wakes(log->partition);
    while (!holds(log) && fc_clock_steady_ms(fc_clock_system()) < deadline) {
        fc_partition_wait(log->partition, INT64_MAX, 10, &wakes);
    }
    assert_true(holds(log));
}

static void without_a_call_segments_are_closed_and_old_ones_go(void **state)
{
    struct numbered_log log;
    struct fc_keeper *keeper = NULL;
    (void)state;
    numbered_log_init(&log);
    log.config.segment_bytes = 3000;
    log.config.retention_bytes = 10000;
    log.config.flush_os = true; /* so nobody flushes */
    numbered_log_open(&log);
    assert_int_equal(fc_keeper_new(&log.env, &keeper, &log.err), FC_OK);
    fc_keeper_add(keeper, log.partition);
    numbered_log_append(&log, 100, 5);
    expect_soon(&log, start_is_past_zero);
    fc_keeper_free(keeper);
    numbered_log_expect(&log, numbered_log_offsets(&log).start, 500);
    numbered_log_release(&log);
}

static void what_nobody_flushes_becomes_durable_after_a_while(void **state)
{
    struct numbered_log log;
    struct fc_keeper *keeper = NULL;
    (void)state;
    numbered_log_init(&log);
    log.config.flush_os = true;
    numbered_log_open(&log);
    assert_int_equal(fc_keeper_new(&log.env, &keeper, &log.err), FC_OK);
    fc_keeper_add(keeper, log.partition);
    numbered_log_append(&log, 1, 5);
    expect_soon(&log, is_durable);
    fc_keeper_free(keeper);
    numbered_log_power_cut(&log);
    numbered_log_open(&log);
    numbered_log_expect(&log, 0, 5);
    numbered_log_release(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_call_segments_are_closed_and_old_ones_go),
        cmocka_unit_test(what_nobody_flushes_becomes_durable_after_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
