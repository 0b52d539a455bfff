/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that does what others hand it, in the order in which it was added. An SPU has one for
 * what must not hold a loop up (making and removing topics), and one that makes appends durable and
 * then tells those who wait: its group commit.
 */
#ifndef FC_SPU_TASK_QUEUE_H
#define FC_SPU_TASK_QUEUE_H

#include "core/base/error.h"

struct fc_task_queue;

/* Embedded in, or living as long as, what is to be done. */
struct fc_task {
    struct fc_task *next;
    void (*on_run)(void *ctx); /* the queue's thread; the task may be freed within */
    void *ctx;
};

/*
 * before(ctx), unless NULL, is called once for all that was added so far, before they run; what is
 * added meanwhile waits for the next time.
 */
FC_MUST_CHECK fc_code fc_task_queue_new(void (*before)(void *ctx), void *ctx,
                                        struct fc_task_queue **out_queue, struct fc_error *err);

/* Runs all that were added, then ends the thread. NULL is fine. */
void fc_task_queue_free(struct fc_task_queue *queue);

/* Thread: any. */
void fc_task_queue_add(struct fc_task_queue *queue, struct fc_task *task);

#endif
