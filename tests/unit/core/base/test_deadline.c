/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/deadline.h"

static void a_wait_lasts_as_long_as_was_asked(void **state)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    struct timespec until;
    int64_t begin_ms;
    int waited = 0;
    (void)state;
    fc_deadline_cond_init(&cond);
    begin_ms = fc_clock_steady_ms(fc_clock_system());
    until = fc_deadline_in_ms(60);
    assert_int_equal(pthread_mutex_lock(&lock), 0);
    while (waited == 0) {
        waited = pthread_cond_timedwait(&cond, &lock, &until);
    }
    assert_int_equal(pthread_mutex_unlock(&lock), 0);
    assert_int_equal(waited, ETIMEDOUT);
    assert_true(fc_clock_steady_ms(fc_clock_system()) - begin_ms >= 59);
    assert_int_equal(pthread_cond_destroy(&cond), 0);
}

static int64_t ns_of(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void a_deadline_is_in_whole_seconds_and_nanoseconds(void **state)
{
    static const int64_t waits[] = { 0, 1, 999999999, 1000000000, 1999999999, 86400000000001 };
    (void)state;
    for (size_t index = 0; index < sizeof(waits) / sizeof(*waits); index++) {
        int64_t before = ns_of(fc_deadline_in_ns(0));
        struct timespec until = fc_deadline_in_ns(waits[index]);
        int64_t after = ns_of(fc_deadline_in_ns(-5));
        assert_in_range(until.tv_nsec, 0, 999999999);
        assert_in_range(ns_of(until), before + waits[index], after + waits[index]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_lasts_as_long_as_was_asked),
        cmocka_unit_test(a_deadline_is_in_whole_seconds_and_nanoseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
