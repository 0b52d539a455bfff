/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room on the log's disk: where all who write to the log wait while it is full.
 *
 * Whoever finds it full first says so, and whoever can write again first says that. Nothing is
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
    bool full;
    bool gives_up;
};

void fc_room_init(struct fc_room *room, struct fc_diag *diag);
void fc_room_release(struct fc_room *room);

/*
 * Do `step` until it does not end with FC_ERR_FULL, or fc_room_give_up is called. A step that
 * finds the disk full has done nothing.
 */
FC_MUST_CHECK fc_code fc_room_do(struct fc_room *room,
                                 fc_code (*step)(void *ctx, struct fc_error *err), void *ctx,
                                 struct fc_error *err);

/* Who waits now or later gives up at once. */
void fc_room_give_up(struct fc_room *room);
bool fc_room_is_full(struct fc_room *room);

#endif
