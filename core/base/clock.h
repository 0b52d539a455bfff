/* SPDX-License-Identifier: Apache-2.0 */
/* Time, as a seam: production passes fc_clock_system(), tests pass one that they move. */
#ifndef FC_BASE_CLOCK_H
#define FC_BASE_CLOCK_H

#include <stdint.h>

struct fc_clock {
    int64_t (*wall_ns)(const struct fc_clock *clock); /* since 1970-01-01 UTC; may jump */
    int64_t (*steady_ns)(
        const struct fc_clock *clock); /* never goes back; for waits and rates */
};

/* The machine's clock; any thread. */
const struct fc_clock *fc_clock_system(void);

/* Steady, and goes on while the machine sleeps, as other machines' clocks do: for what another
 * machine lets run out. Any thread. */
int64_t fc_clock_boot_ms(void);

static inline int64_t fc_clock_wall_ms(const struct fc_clock *clock)
{
    return clock->wall_ns(clock) / 1000000;
}

static inline int64_t fc_clock_steady_ms(const struct fc_clock *clock)
{
    return clock->steady_ns(clock) / 1000000;
}

#endif
