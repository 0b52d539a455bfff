/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/deadline.h"

enum { NS_OF_SECOND = 1000000000 };

void fc_deadline_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes); /* none of these can fail on Linux */
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

struct timespec fc_deadline_in_ns(int64_t wait_ns)
{
    struct timespec until = { 0, 0 };
    (void)clock_gettime(CLOCK_MONOTONIC, &until); /* cannot fail with this clock */
    if (wait_ns > 0) {
        int64_t ns = until.tv_nsec + wait_ns % NS_OF_SECOND;
        until.tv_sec += (time_t)(wait_ns / NS_OF_SECOND + ns / NS_OF_SECOND);
        until.tv_nsec = (long)(ns % NS_OF_SECOND);
    }
    return until;
}
