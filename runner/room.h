/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room in the log: where all who write to the log wait while its disk is full, or its cluster
 * does not answer.
 *
 * Whoever finds it so first says it, and whoever can write again first says that. Nothing is
 * lost meanwhile: what waits here holds its batch, a full ring holds the source.
 *
 * Thread: any.
 */
#ifndef FC_RUNNER_ROOM_H
#define FC_RUNNER_ROOM_H

#include <pthread.h>

#include "core/base/diag.h"
#include "core/base/error.h"

struct fc_room {
    struct fc_diag *diag;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Guarded by lock. */
    fc_code why; /* FC_OK, FC_ERR_FULL or FC_ERR_TIMEOUT */
    bool gives_up;
};

void fc_room_init(struct fc_room *room, struct fc_diag *diag);
void fc_room_release(struct fc_room *room);

/*
 * Do `step` until it does not end with FC_ERR_FULL or FC_ERR_TIMEOUT, or fc_room_give_up is
 * called. A step that ends so has done nothing, or goes on when it is called again.
 */
FC_MUST_CHECK fc_code fc_room_do(struct fc_room *room,
                                 fc_code (*step)(void *ctx, struct fc_error *err), void *ctx,
                                 struct fc_error *err);

/* Who waits now or later gives up at once. */
void fc_room_give_up(struct fc_room *room);

/* Why who writes waits, for people; "" when nobody does. */
const char *fc_room_why(struct fc_room *room);

#endif
