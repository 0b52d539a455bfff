/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/room.h"

#include <time.h>

enum { ROOM_WAIT_MS = 250 };

void fc_room_init(struct fc_room *room, struct fc_diag *diag)
{
    room->diag = diag;
    room->full = false;
    room->gives_up = false;
    (void)pthread_mutex_init(&room->lock, NULL); /* these cannot fail on Linux */
    (void)pthread_cond_init(&room->changed, NULL);
}

void fc_room_release(struct fc_room *room)
{
    (void)pthread_cond_destroy(&room->changed);
    (void)pthread_mutex_destroy(&room->lock);
}

/* Returns what it was. */
static bool set_full(struct fc_room *room, bool full)
{
    bool was;
    (void)pthread_mutex_lock(&room->lock);
    was = room->full;
    room->full = full;
    (void)pthread_mutex_unlock(&room->lock);
    return was;
}

/* Wait a moment; false when there is no use in trying again. */
static bool wait_a_moment(struct fc_room *room)
{
    struct timespec until;
    bool go_on;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)ROOM_WAIT_MS * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&room->lock);
    if (!room->gives_up) {
        (void)pthread_cond_timedwait(&room->changed, &room->lock, &until);
    }
    go_on = !room->gives_up;
    (void)pthread_mutex_unlock(&room->lock);
    return go_on;
}

fc_code fc_room_do(struct fc_room *room, fc_code (*step)(void *ctx, struct fc_error *err),
                   void *ctx, struct fc_error *err)
{
    fc_code code = step(ctx, err);
    bool was_full = code == FC_ERR_FULL;
    if (was_full && !set_full(room, true)) {
        fc_diag_report(room->diag, FC_DIAG_WARN,
                       "the log's disk is full; capture waits until there is room: %s",
                       err->message);
    }
    while (code == FC_ERR_FULL && wait_a_moment(room)) {
        code = step(ctx, err);
    }
    if (was_full && code == FC_OK && set_full(room, false)) {
        fc_diag_report(room->diag, FC_DIAG_INFO,
                       "there is room on the log's disk again; capture goes on");
    }
    return code;
}

void fc_room_give_up(struct fc_room *room)
{
    (void)pthread_mutex_lock(&room->lock);
    room->gives_up = true;
    (void)pthread_cond_broadcast(&room->changed);
    (void)pthread_mutex_unlock(&room->lock);
}

bool fc_room_is_full(struct fc_room *room)
{
    bool full;
    (void)pthread_mutex_lock(&room->lock);
    full = room->full;
    (void)pthread_mutex_unlock(&room->lock);
    return full;
}
