/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/ack_queue.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/alloc.h"

struct fc_ack_queue {
    struct fc_data_dir *data;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t added;
    /* Guarded by lock. */
    struct fc_ack *first;
    struct fc_ack **last; /* where the next one is linked */
    bool ending;
};

/* All that wait, in the order in which they came; NULL when the queue is to end. */
static struct fc_ack *take_all(struct fc_ack_queue *queue)
{
    struct fc_ack *taken;
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
    struct fc_ack_queue *queue = arg;
    struct fc_ack *ack;
    while ((ack = take_all(queue)) != NULL) {
        fc_code synced = fc_data_dir_flush(queue->data, NULL);
        (void)synced; /* a failure shows in the durable offsets that it left behind */
        while (ack != NULL) {
            struct fc_ack *next = ack->next;
            ack->on_durable(ack->ctx);
            ack = next;
        }
    }
    return NULL;
}

fc_code fc_ack_queue_new(struct fc_data_dir *data, struct fc_ack_queue **out_queue,
                         struct fc_error *err)
{
    struct fc_ack_queue *queue = fc_new(struct fc_ack_queue);
    queue->data = data;
    queue->last = &queue->first;
    (void)pthread_mutex_init(&queue->lock, NULL); /* cannot fail on Linux */
    (void)pthread_cond_init(&queue->added, NULL);
    if (pthread_create(&queue->thread, NULL, run, queue) != 0) {
        (void)pthread_cond_destroy(&queue->added);
        (void)pthread_mutex_destroy(&queue->lock);
        free(queue);
        return fc_fail(err, FC_ERR_IO, "cannot start the thread that syncs the log");
    }
    *out_queue = queue;
    return FC_OK;
}

void fc_ack_queue_free(struct fc_ack_queue *queue)
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

void fc_ack_queue_add(struct fc_ack_queue *queue, struct fc_ack *ack)
{
    ack->next = NULL;
    (void)pthread_mutex_lock(&queue->lock);
    *queue->last = ack;
    queue->last = &ack->next;
    (void)pthread_cond_signal(&queue->added);
    (void)pthread_mutex_unlock(&queue->lock);
}
