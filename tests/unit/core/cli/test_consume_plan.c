/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cli/consume_plan.h"

static struct fc_consume_partition plan(fc_consume_from from, int64_t number, int64_t end,
                                        bool once, int64_t by_time)
{
    const struct fc_consume_range range = {
        .from = from, .number = number, .end = end, .stop_at_end = once
    };
    struct fc_consume_partition partition = { .partition = 0 };
    fc_consume_plan(&range, 100, 200, by_time, &partition); /* the log holds 100 to 199 */
    return partition;
}

static void starts_are_kept_within_the_log(void **state)
{
    (void)state;
    assert_int_equal(plan(FC_CONSUME_END, 0, -1, false, -1).next, 200);
    assert_int_equal(plan(FC_CONSUME_BEGINNING, 0, -1, false, -1).next, 100);
    assert_int_equal(plan(FC_CONSUME_HEAD, 5, -1, false, -1).next, 105);
    assert_int_equal(plan(FC_CONSUME_HEAD, INT64_MAX, -1, false, -1).next, 200);
    assert_int_equal(plan(FC_CONSUME_TAIL, 5, -1, false, -1).next, 195);
    assert_int_equal(plan(FC_CONSUME_TAIL, 5000, -1, false, -1).next, 100);
    assert_int_equal(plan(FC_CONSUME_START, 7, -1, false, -1).next, 100);
    assert_int_equal(plan(FC_CONSUME_START, 150, -1, false, -1).next, 150);
    assert_int_equal(plan(FC_CONSUME_START, 900, -1, false, -1).next, 200);
    assert_int_equal(plan(FC_CONSUME_TIME, 1, -1, false, 130).next, 130);
    assert_int_equal(plan(FC_CONSUME_TIME, 1, -1, false, -1).next, 200);
}

static void what_is_yet_to_come_is_waited_for(void **state)
{
    (void)state;
    assert_int_equal(plan(FC_CONSUME_START, 900, -1, false, -1).begin, 900);
    assert_int_equal(plan(FC_CONSUME_HEAD, 150, -1, false, -1).begin, 250);
    assert_int_equal(plan(FC_CONSUME_HEAD, INT64_MAX, -1, false, -1).begin, INT64_MAX);
    assert_int_equal(plan(FC_CONSUME_START, 7, -1, false, -1).begin, 100);
    assert_int_equal(plan(FC_CONSUME_TAIL, 5, -1, false, -1).begin, 195);
    assert_false(plan(FC_CONSUME_START, 900, -1, false, -1).done);
    assert_true(plan(FC_CONSUME_START, 900, -1, true, -1).done);
}

static void an_end_is_read_with_its_record(void **state)
{
    (void)state;
    assert_int_equal(plan(FC_CONSUME_BEGINNING, 0, 149, false, -1).stop, 150);
    assert_int_equal(plan(FC_CONSUME_BEGINNING, 0, 149, true, -1).stop, 150);
    assert_int_equal(plan(FC_CONSUME_BEGINNING, 0, 900, true, -1).stop, 200);
    assert_int_equal(plan(FC_CONSUME_BEGINNING, 0, 900, false, -1).stop, 901);
    assert_int_equal(plan(FC_CONSUME_BEGINNING, 0, -1, false, -1).stop, INT64_MAX);
    assert_int_equal(plan(FC_CONSUME_BEGINNING, 0, INT64_MAX, false, -1).stop, INT64_MAX);
}

static void a_partition_with_nothing_to_read_is_done(void **state)
{
    (void)state;
    assert_true(plan(FC_CONSUME_END, 0, -1, true, -1).done);
    assert_false(plan(FC_CONSUME_END, 0, -1, false, -1).done);
    assert_true(plan(FC_CONSUME_BEGINNING, 0, 50, false, -1).done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_are_kept_within_the_log),
        cmocka_unit_test(what_is_yet_to_come_is_waited_for),
        cmocka_unit_test(an_end_is_read_with_its_record),
        cmocka_unit_test(a_partition_with_nothing_to_read_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
