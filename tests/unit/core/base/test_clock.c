/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "core/base/clock.h"

static void wall_time_is_the_machines(void **state)
{
    const struct fc_clock *clock = fc_clock_system();
    int64_t before = (int64_t)time(NULL);
    int64_t now_ms = fc_clock_wall_ms(clock);
    int64_t after = (int64_t)time(NULL);
    (void)state;
    assert_true(now_ms / 1000 >= before - 1 && now_ms / 1000 <= after + 1);
}

static void steady_time_never_goes_back(void **state)
{
    const struct fc_clock *clock = fc_clock_system();
    int64_t last = clock->steady_ns(clock);
    (void)state;
    for (int round = 0; round < 10000; round++) {
        int64_t now = clock->steady_ns(clock);
        assert_true(now >= last);
        last = now;
    }
    assert_true(fc_clock_steady_ms(clock) >= last / 1000000);
}

static int64_t fixed_ns(const struct fc_clock *clock)
{
    (void)clock;
    return 1999999999;
}

static void milliseconds_are_cut_not_rounded(void **state)
{
    const struct fc_clock clock = { fixed_ns, fixed_ns };
    (void)state;
    assert_int_equal(fc_clock_wall_ms(&clock), 1999);
    assert_int_equal(fc_clock_steady_ms(&clock), 1999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wall_time_is_the_machines),
        cmocka_unit_test(steady_time_never_goes_back),
        cmocka_unit_test(milliseconds_are_cut_not_rounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
