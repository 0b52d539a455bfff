/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/slow_queue.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/alloc.h"

struct fc_slow_queue {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t added;
    /* Guarded by lock. */
    struct fc_slow_task *first;
    struct fc_slow_task **last; /* where the next one is linked */
    bool ending;
};

/* NULL when the queue is to end. */
static struct fc_slow_task *take(struct fc_slow_queue *queue)
{
    struct fc_slow_task *task;
    (void)pthread_mutex_lock(&queue->lock);
    while (queue->first == NULL && !queue->ending) {
        (void)pthread_cond_wait(&queue->added, &queue->lock);
    }
    task = queue->first;
    if (task != NULL) {
        queue->first = task->next;
        if (queue->first == NULL) {
            queue->last = &queue->first;
        }
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return task;
}

static void *run(void *arg)
{
    struct fc_slow_task *task;
    while ((task = take(arg)) != NULL) {
        task->on_run(task->ctx);
    }
    return NULL;
}

fc_code fc_slow_queue_new(struct fc_slow_queue **out_queue, struct fc_error *err)
{
    struct fc_slow_queue *queue = fc_new(struct fc_slow_queue);
    queue->last = &queue->first;
    (void)pthread_mutex_init(&queue->lock, NULL); /* cannot fail on Linux */
    (void)pthread_cond_init(&queue->added, NULL);
    if (pthread_create(&queue->thread, NULL, run, queue) != 0) {
        (void)pthread_cond_destroy(&queue->added);
        (void)pthread_mutex_destroy(&queue->lock);
        free(queue);
        return fc_fail(err, FC_ERR_IO, "cannot start the thread for slow requests");
    }
    *out_queue = queue;
    return FC_OK;
}

void fc_slow_queue_free(struct fc_slow_queue *queue)
{
    if (queue == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&queue->lock);
    queue->ending = true;
    (void)pthread_cond_signal(&queue->added);
    (void)pthread_mutex_unlock(&queue->lock);
    (void)pthread_join(queue->thread, NULL);
    (void)pthread_cond_destroy(&queue->added);
    (void)pthread_mutex_destroy(&queue->lock);
    free(queue);
}

void fc_slow_queue_add(struct fc_slow_queue *queue, struct fc_slow_task *task)
{
    task->next = NULL;
    (void)pthread_mutex_lock(&queue->lock);
    *queue->last = task;
    queue->last = &task->next;
    (void)pthread_cond_signal(&queue->added);
    (void)pthread_mutex_unlock(&queue->lock);
}
