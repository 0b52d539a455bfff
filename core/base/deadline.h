/* SPDX-License-Identifier: Apache-2.0 */
/* Waits of conditions with a limit by the steady clock: what sets the wall clock moves none. */
#ifndef FC_BASE_DEADLINE_H
#define FC_BASE_DEADLINE_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* A condition whose timed waits end at such times. */
void fc_deadline_cond_init(pthread_cond_t *cond);

/* The time so long from now; a negative wait is over. */
struct timespec fc_deadline_in_ns(int64_t wait_ns);

static inline struct timespec fc_deadline_in_ms(int64_t wait_ms)
{
    return fc_deadline_in_ns(wait_ms * 1000000);
}

#endif
