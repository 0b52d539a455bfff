/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/room.h"

#include "core/base/deadline.h"
#include "core/base/fs.h"

enum { ROOM_WAIT_MS = 250 };

void fc_room_init(struct fc_room *room, struct fc_diag *diag)
{
    room->diag = diag;
    room->why = FC_OK;
    room->gives_up = false;
    (void)pthread_mutex_init(&room->lock, NULL); /* these cannot fail on Linux */
    fc_deadline_cond_init(&room->changed);
}

void fc_room_release(struct fc_room *room)
{
    (void)pthread_cond_destroy(&room->changed);
    (void)pthread_mutex_destroy(&room->lock);
}

/* Returns what it was. */
static fc_code set_why(struct fc_room *room, fc_code why)
{
    fc_code was;
    (void)pthread_mutex_lock(&room->lock);
    was = room->why;
    room->why = why;
    (void)pthread_mutex_unlock(&room->lock);
    return was;
}

static bool waits(fc_code code)
{
    return code == FC_ERR_FULL || code == FC_ERR_TIMEOUT;
}

/* Wait a moment; false when there is no use in trying again. */
static bool wait_a_moment(struct fc_room *room)
{
    struct timespec until = fc_deadline_in_ms(ROOM_WAIT_MS);
    bool go_on;
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
    bool waited = waits(code);
    if (waited && set_why(room, code) == FC_OK) {
        const char *what = code != FC_ERR_FULL
                               ? "the log does not answer; capture waits until it does"
                           : fc_fs_is_shortage(err)
                               ? "the log can open no more files; capture waits until it can"
                               : "the log's disk is full; capture waits until there is room";
        fc_diag_report(room->diag, FC_DIAG_WARN, "%s: %s", what, err->message);
    }
    while (waits(code) && wait_a_moment(room)) {
        code = step(ctx, err);
    }
    if (waited && code == FC_OK) {
        fc_code why = set_why(room, FC_OK);
        if (why != FC_OK) {
            fc_diag_report(room->diag, FC_DIAG_INFO, "%s; capture goes on",
                           why == FC_ERR_FULL ? "there is room on the log's disk again"
                                              : "the log answers again");
        }
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

const char *fc_room_why(struct fc_room *room)
{
    fc_code why;
    (void)pthread_mutex_lock(&room->lock);
    why = room->why;
    (void)pthread_mutex_unlock(&room->lock);
    if (why == FC_OK) {
        return "";
    }
    return why == FC_ERR_FULL ? "the log's disk is full" : "the log does not answer";
}
