/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/parallel.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/base/alloc.h"

enum {
    ALONE_MAX = 4,
    THREADS_MAX = 8 /* most of the time is spent waiting for the disk, on any number of cores */
};

struct fc_parallel {
    pthread_t *helpers;
    size_t helpers_max;
    size_t helpers_started;

    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_cond_t done;
    /* Guarded by lock. */
    void (*fn)(void *ctx, size_t index);
    void *ctx;
    size_t next;
    size_t count;
    size_t finished;
    bool stopping;
};

struct fc_parallel *fc_parallel_new(size_t threads_max)
{
    struct fc_parallel *parallel = fc_new(struct fc_parallel);
    parallel->helpers_max = threads_max - 1;
    parallel->helpers = fc_new_array(pthread_t, threads_max);
    (void)pthread_mutex_init(&parallel->lock, NULL); /* these cannot fail on Linux */
    (void)pthread_cond_init(&parallel->work, NULL);
    (void)pthread_cond_init(&parallel->done, NULL);
    return parallel;
}

void fc_parallel_free(struct fc_parallel *parallel)
{
    if (parallel == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&parallel->lock);
    parallel->stopping = true;
    (void)pthread_cond_broadcast(&parallel->work);
    (void)pthread_mutex_unlock(&parallel->lock);
    for (size_t index = 0; index < parallel->helpers_started; index++) {
        (void)pthread_join(parallel->helpers[index], NULL);
    }
    (void)pthread_cond_destroy(&parallel->done);
    (void)pthread_cond_destroy(&parallel->work);
    (void)pthread_mutex_destroy(&parallel->lock);
    free(parallel->helpers);
    free(parallel);
}

/* Do items until none is left. lock is held on entry and on return. */
static void do_items(struct fc_parallel *parallel)
{
    while (parallel->next < parallel->count) {
        size_t index = parallel->next++;
        (void)pthread_mutex_unlock(&parallel->lock);
        parallel->fn(parallel->ctx, index);
        (void)pthread_mutex_lock(&parallel->lock);
        parallel->finished++;
        if (parallel->finished == parallel->count) {
            (void)pthread_cond_signal(&parallel->done);
        }
    }
}

static void *helper_main(void *arg)
{
    struct fc_parallel *parallel = arg;
    (void)pthread_mutex_lock(&parallel->lock);
    while (!parallel->stopping) {
        do_items(parallel);
        if (!parallel->stopping) {
            (void)pthread_cond_wait(&parallel->work, &parallel->lock);
        }
    }
    (void)pthread_mutex_unlock(&parallel->lock);
    return NULL;
}

void fc_parallel_run(struct fc_parallel *parallel, size_t count,
                     void (*fn)(void *ctx, size_t index), void *ctx)
{
    size_t wanted = count - 1 < parallel->helpers_max ? count - 1 : parallel->helpers_max;
    if (count == 0) {
        return;
    }
    (void)pthread_mutex_lock(&parallel->lock);
    /* A helper that cannot be started is done without: the caller does the items itself. */
    while (parallel->helpers_started < wanted &&
           pthread_create(&parallel->helpers[parallel->helpers_started], NULL, helper_main,
                          parallel) == 0) {
        parallel->helpers_started++;
    }
    parallel->fn = fn;
    parallel->ctx = ctx;
    parallel->next = 0;
    parallel->count = count;
    parallel->finished = 0;
    for (size_t index = 0; index < wanted; index++) {
        (void)pthread_cond_signal(&parallel->work); /* no more than there is work for */
    }
    do_items(parallel);
    while (parallel->finished < count) {
        (void)pthread_cond_wait(&parallel->done, &parallel->lock);
    }
    (void)pthread_mutex_unlock(&parallel->lock);
}

void fc_parallel_once(size_t count, void (*fn)(void *ctx, size_t index), void *ctx)
{
    struct fc_parallel *parallel = count > ALONE_MAX ? fc_parallel_new(THREADS_MAX) : NULL;
    for (size_t index = 0; parallel == NULL && index < count; index++) {
        fn(ctx, index);
    }
    if (parallel != NULL) {
        fc_parallel_run(parallel, count, fn, ctx);
    }
    fc_parallel_free(parallel);
}
