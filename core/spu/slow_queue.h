/* SPDX-License-Identifier: Apache-2.0 */
/* One thread for what must not hold a loop up: making and removing topics, and whatever else
 * waits for the disk. In the order in which it was added. */
#ifndef FC_SPU_SLOW_QUEUE_H
#define FC_SPU_SLOW_QUEUE_H

#include "core/base/error.h"

struct fc_slow_queue;

/* Embedded in, or living as long as, what is to be done. */
struct fc_slow_task {
    struct fc_slow_task *next;
    void (*on_run)(void *ctx); /* the queue's thread; the task may be freed within */
    void *ctx;
};

FC_MUST_CHECK fc_code fc_slow_queue_new(struct fc_slow_queue **out_queue, struct fc_error *err);

/* Runs all that were added, then ends the thread. NULL is fine. */
void fc_slow_queue_free(struct fc_slow_queue *queue);

/* Thread: any. */
void fc_slow_queue_add(struct fc_slow_queue *queue, struct fc_slow_task *task);

#endif
