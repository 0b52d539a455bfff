/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event loop on epoll: sockets, timers, and tasks posted by other threads.
 *
 * A loop belongs to the thread that runs it. Everything here is for that thread (or for any,
 * one at a time, while the loop does not run), except fc_loop_post, fc_loop_stop and
 * fc_loop_is_current. Callbacks run on the loop's thread and never inside the call that
 * registered them. A loop never allocates per event: what it keeps is embedded in the caller's
 * structs, which stay where they are while registered.
 */
#ifndef FC_BASE_LOOP_H
#define FC_BASE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "core/base/clock.h"
#include "core/base/error.h"

struct fc_loop;

/* A descriptor that is watched, level-triggered. */
struct fc_loop_io {
    int fd;
    uint32_t events; /* EPOLLIN, EPOLLOUT; EPOLLERR and EPOLLHUP always come */
    void (*on_ready)(void *ctx, uint32_t events);
    void *ctx;
};

/* Rings once at deadline_ms (steady). Set up by fc_loop_timer_init; not set while index is 0. */
struct fc_loop_timer {
    int64_t deadline_ms;
    size_t index; /* its place in the heap + 1 */
    void (*on_time)(void *ctx);
    void *ctx;
};

/* Work that another thread wants done on the loop's thread. In one queue at a time. */
struct fc_loop_task {
    struct fc_loop_task *next;
    void (*on_run)(void *ctx);
    void *ctx;
};

/* The clock stays the caller's. Errors: FC_ERR_IO (no more descriptors). */
FC_MUST_CHECK fc_code fc_loop_new(const struct fc_clock *clock, struct fc_loop **out_loop,
                                  struct fc_error *err);
/* Not while it runs. Tasks that are still posted are run first. NULL is fine. */
void fc_loop_free(struct fc_loop *loop);

/* Run until fc_loop_stop. Blocks. */
void fc_loop_run(struct fc_loop *loop);
/* The loop ends after the turn that it is in. Thread: any. */
void fc_loop_stop(struct fc_loop *loop);
/* Whether the caller is the thread that runs it. Thread: any. */
bool fc_loop_is_current(const struct fc_loop *loop);

/* Steady time, read once a turn. */
int64_t fc_loop_now_ms(const struct fc_loop *loop);

/* on_turn_end(ctx) runs after the callbacks of each turn, before the loop waits again. */
void fc_loop_set_turn_end(struct fc_loop *loop, void (*on_turn_end)(void *ctx), void *ctx);

FC_MUST_CHECK fc_code fc_loop_add(struct fc_loop *loop, struct fc_loop_io *io,
                                  struct fc_error *err);
void fc_loop_change(struct fc_loop *loop, struct fc_loop_io *io, uint32_t events);
/* Before the descriptor is closed. Events of this turn that were not delivered are not. */
void fc_loop_remove(struct fc_loop *loop, struct fc_loop_io *io);

void fc_loop_timer_init(struct fc_loop_timer *timer, void (*on_time)(void *ctx), void *ctx);
static inline bool fc_loop_timer_is_set(const struct fc_loop_timer *timer)
{
    return timer->index != 0;
}
/* Moves a timer that is set. A deadline in the past rings in the next turn. */
void fc_loop_timer_set(struct fc_loop *loop, struct fc_loop_timer *timer, int64_t deadline_ms);
void fc_loop_timer_clear(struct fc_loop *loop, struct fc_loop_timer *timer);

/* Run the task on the loop's thread, in the order of posting. The task may be reused or freed
 * from the moment it runs. Thread: any. */
void fc_loop_post(struct fc_loop *loop, struct fc_loop_task *task);

#endif
