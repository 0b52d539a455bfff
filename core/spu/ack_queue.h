/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread that makes appends durable and then tells those who wait: the group commit of an
 * SPU. Whatever is added while a sync runs shares the next one.
 */
#ifndef FC_SPU_ACK_QUEUE_H
#define FC_SPU_ACK_QUEUE_H

#include "core/log/data_dir.h"

/* Embedded in what waits; stays where it is until on_durable. */
struct fc_ack {
    struct fc_ack *next;
    /* A sync that began after fc_ack_queue_add has ended, well or not: who waits looks at its
     * partitions' durable offsets. The queue's thread; must not block. */
    void (*on_durable)(void *ctx);
    void *ctx;
};

struct fc_ack_queue;

FC_MUST_CHECK fc_code fc_ack_queue_new(struct fc_data_dir *data,
                                       struct fc_ack_queue **out_queue, struct fc_error *err);

/* Serves all that were added, then ends the thread. NULL is fine. */
void fc_ack_queue_free(struct fc_ack_queue *queue);

/* Thread: any. */
void fc_ack_queue_add(struct fc_ack_queue *queue, struct fc_ack *ack);

#endif
