/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now = { 0, 0 };
    (void)clock_gettime(id, &now); /* cannot fail for these clocks */
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t system_wall_ns(const struct fc_clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_REALTIME);
}

static int64_t system_steady_ns(const struct fc_clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_MONOTONIC);
}

int64_t fc_clock_boot_ms(void)
{
    return read_clock(CLOCK_BOOTTIME) / 1000000;
}

const struct fc_clock *fc_clock_system(void)
{
    static const struct fc_clock system_clock = { system_wall_ns, system_steady_ns };
    return &system_clock;
}
