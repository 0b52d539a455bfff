/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <time.h>

#include "core/cluster/cluster.h"

enum { WAIT_S = 5 };

static void *destroy(void *consumer)
{
    rd_kafka_destroy(consumer);
    return NULL;
}

void fc_cluster_destroy(rd_kafka_t *consumer)
{
    pthread_t thread;
    struct timespec until = { 0 };
    if (pthread_create(&thread, NULL, destroy, consumer) != 0) {
        rd_kafka_destroy(consumer);
        return;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &until); /* cannot fail on Linux */
    until.tv_sec += WAIT_S;
    if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) != 0) {
        (void)pthread_detach(thread); /* it is there, and not joined */
    }
}
