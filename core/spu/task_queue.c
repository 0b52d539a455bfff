/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/task_queue.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/alloc.h"

struct fc_task_queue {
    void (*before)(void *ctx);
    void *ctx;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t added;
    /* Guarded by lock. */
    struct fc_task *first;
    struct fc_task **last; /* where the next one is linked */
    bool ending;
};

/* All that were added, in order; NULL when the queue is to end. */
static struct fc_task *take_all(struct fc_task_queue *queue)
{
    struct fc_task *taken;
    (void)pthread_mutex_lock(&queue->lock);
    while (queue->first == NULL && !queue->ending) {
        (void)pthread_cond_wait(&queue->added, &queue->lock);
    }
    taken = queue->first;
    queue->first = NULL;
    queue->last = &queue->first;
    (void)pthread_mutex_unlock(&queue->lock);
    return taken;
}

static void *run(void *arg)
{
    struct fc_task_queue *queue = arg;
    struct fc_task *task;
    while ((task = take_all(queue)) != NULL) {
        if (queue->before != NULL) {
            queue->before(queue->ctx);
        }
        while (task != NULL) {
            struct fc_task *next = task->next;
            task->on_run(task->ctx);
            task = next;
        }
    }
    return NULL;
}

static void free_queue(struct fc_task_queue *queue)
{
    (void)pthread_cond_destroy(&queue->added); /* nobody uses them any more */
    (void)pthread_mutex_destroy(&queue->lock);
    free(queue);
}

fc_code fc_task_queue_new(void (*before)(void *ctx), void *ctx,
                          struct fc_task_queue **out_queue, struct fc_error *err)
{
    struct fc_task_queue *queue = fc_new(struct fc_task_queue);
    queue->before = before;
    queue->ctx = ctx;
    queue->last = &queue->first;
    (void)pthread_mutex_init(&queue->lock, NULL); /* cannot fail on Linux */
    (void)pthread_cond_init(&queue->added, NULL);
    if (pthread_create(&queue->thread, NULL, run, queue) != 0) {
        free_queue(queue);
        return fc_fail(err, FC_ERR_IO, "cannot start a thread");
    }
    *out_queue = queue;
    return FC_OK;
}

void fc_task_queue_free(struct fc_task_queue *queue)
{
    if (queue == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&queue->lock);
    queue->ending = true;
    (void)pthread_cond_signal(&queue->added);
    (void)pthread_mutex_unlock(&queue->lock);
    (void)pthread_join(queue->thread, NULL);
    free_queue(queue);
}

void fc_task_queue_add(struct fc_task_queue *queue, struct fc_task *task)
{
    task->next = NULL;
    (void)pthread_mutex_lock(&queue->lock);
    *queue->last = task;
    queue->last = &task->next;
    (void)pthread_cond_signal(&queue->added);
    (void)pthread_mutex_unlock(&queue->lock);
}
