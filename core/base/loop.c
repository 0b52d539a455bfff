/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One turn: run posted tasks, ring timers, deliver events, call turn end, wait.
 *
 * Timers stand in a binary heap that knows each timer's place, so that one can be moved.
 * Posting threads push on a list under a lock and ring an eventfd only when the list was
 * empty. An io that is removed while its events wait in the batch is taken out of the batch.
 */
#include "core/base/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/alloc.h"

enum { LOOP_BATCH = 256 };

struct fc_loop {
    const struct fc_clock *clock;
    int epoll_fd;
    int event_fd;
    struct fc_loop_io wake;
    int64_t now_ms;
    void (*on_turn_end)(void *ctx);
    void *turn_end_ctx;
    struct fc_loop_timer **heap;
    size_t heap_count;
    size_t heap_capacity;
    struct epoll_event batch[LOOP_BATCH];
    int batch_count;
    atomic_bool stopping;
    atomic_bool running;
    _Atomic(pthread_t) thread; /* while running */
    pthread_mutex_t lock;
    /* Guarded by lock. */
    struct fc_loop_task *first;
    struct fc_loop_task *last;
};

static void on_wake(void *ctx, uint32_t events)
{
    struct fc_loop *loop = ctx;
    uint64_t count;
    (void)events;
    (void)!read(loop->event_fd, &count, sizeof(count)); /* nothing to read is fine */
}

static void ring(struct fc_loop *loop)
{
    const uint64_t one = 1;
    (void)!write(loop->event_fd, &one, sizeof(one)); /* a full counter rings as well */
}

fc_code fc_loop_new(const struct fc_clock *clock, struct fc_loop **out_loop,
                    struct fc_error *err)
{
    struct fc_loop *loop = fc_new(struct fc_loop);
    fc_code code;
    loop->clock = clock;
    loop->now_ms = fc_clock_steady_ms(clock);
    (void)pthread_mutex_init(&loop->lock, NULL); /* never fails with default attributes */
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll_fd < 0 || loop->event_fd < 0) {
        code = fc_fail(err, FC_ERR_IO, "event loop: %s", strerrordesc_np(errno));
        fc_loop_free(loop);
        return code;
    }
    loop->wake = (struct fc_loop_io){ loop->event_fd, EPOLLIN, on_wake, loop };
    code = fc_loop_add(loop, &loop->wake, err);
    if (code != FC_OK) {
        fc_loop_free(loop);
        return code;
    }
    *out_loop = loop;
    return FC_OK;
}

/* Run what is posted now; what these tasks post comes in the next turn. */
static void run_tasks(struct fc_loop *loop)
{
    struct fc_loop_task *task;
    (void)pthread_mutex_lock(&loop->lock);
    task = loop->first;
    loop->first = NULL;
    loop->last = NULL;
    (void)pthread_mutex_unlock(&loop->lock);
    while (task != NULL) {
        struct fc_loop_task *next = task->next;
        task->next = NULL;
        task->on_run(task->ctx);
        task = next;
    }
}

void fc_loop_free(struct fc_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    while (loop->first != NULL) {
        run_tasks(loop);
    }
    if (loop->epoll_fd >= 0) {
        (void)close(loop->epoll_fd);
    }
    if (loop->event_fd >= 0) {
        (void)close(loop->event_fd);
    }
    (void)pthread_mutex_destroy(&loop->lock);
    free(loop->heap);
    free(loop);
}

bool fc_loop_is_current(const struct fc_loop *loop)
{
    return atomic_load(&loop->running) &&
           pthread_equal(atomic_load(&loop->thread), pthread_self()) != 0;
}

int64_t fc_loop_now_ms(const struct fc_loop *loop)
{
    return loop->now_ms;
}

void fc_loop_set_turn_end(struct fc_loop *loop, void (*on_turn_end)(void *ctx), void *ctx)
{
    loop->on_turn_end = on_turn_end;
    loop->turn_end_ctx = ctx;
}

/* --- timers --- */

static void heap_put(struct fc_loop *loop, size_t at, struct fc_loop_timer *timer)
{
    loop->heap[at] = timer;
    timer->index = at + 1;
}

static void heap_up(struct fc_loop *loop, size_t at)
{
    struct fc_loop_timer *timer = loop->heap[at];
    while (at > 0 && loop->heap[(at - 1) / 2]->deadline_ms > timer->deadline_ms) {
        heap_put(loop, at, loop->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(loop, at, timer);
}

static void heap_down(struct fc_loop *loop, size_t at)
{
    struct fc_loop_timer *timer = loop->heap[at];
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= loop->heap_count) {
            break;
        }
        if (child + 1 < loop->heap_count &&
            loop->heap[child + 1]->deadline_ms < loop->heap[child]->deadline_ms) {
            child++;
        }
        if (loop->heap[child]->deadline_ms >= timer->deadline_ms) {
            break;
        }
        heap_put(loop, at, loop->heap[child]);
        at = child;
    }
    heap_put(loop, at, timer);
}

void fc_loop_timer_init(struct fc_loop_timer *timer, void (*on_time)(void *ctx), void *ctx)
{
    *timer = (struct fc_loop_timer){ 0, 0, on_time, ctx };
}

void fc_loop_timer_set(struct fc_loop *loop, struct fc_loop_timer *timer, int64_t deadline_ms)
{
    timer->deadline_ms = deadline_ms;
    if (timer->index == 0) {
        if (loop->heap_count == loop->heap_capacity) {
            loop->heap_capacity = loop->heap_capacity == 0 ? 64 : loop->heap_capacity * 2;
            loop->heap = fc_realloc_array(loop->heap, loop->heap_capacity,
                                          sizeof(struct fc_loop_timer *));
        }
        heap_put(loop, loop->heap_count++, timer);
    }
    heap_up(loop, timer->index - 1);
    heap_down(loop, timer->index - 1);
}

void fc_loop_timer_clear(struct fc_loop *loop, struct fc_loop_timer *timer)
{
    size_t at = timer->index;
    struct fc_loop_timer *last;
    if (at == 0) {
        return;
    }
    timer->index = 0;
    last = loop->heap[--loop->heap_count];
    if (last != timer) {
        heap_put(loop, at - 1, last);
        heap_up(loop, last->index - 1);
        heap_down(loop, last->index - 1);
    }
}

/* Only those that are due as the turn begins, so that a timer set to "now" cannot starve
 * the sockets: at most as many as stood there then. */
static void ring_timers(struct fc_loop *loop)
{
    size_t rounds = loop->heap_count;
    while (rounds-- > 0 && loop->heap_count > 0 && loop->heap[0]->deadline_ms <= loop->now_ms) {
        struct fc_loop_timer *timer = loop->heap[0];
        fc_loop_timer_clear(loop, timer);
        timer->on_time(timer->ctx);
    }
}

/* --- descriptors --- */

fc_code fc_loop_add(struct fc_loop *loop, struct fc_loop_io *io, struct fc_error *err)
{
    struct epoll_event event = { .events = io->events, .data.ptr = io };
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, io->fd, &event) != 0) {
        return fc_fail(err, FC_ERR_IO, "watch a descriptor: %s", strerrordesc_np(errno));
    }
    return FC_OK;
}

void fc_loop_change(struct fc_loop *loop, struct fc_loop_io *io, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = io };
    if (io->events != events) {
        io->events = events;
        fc_assert(epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, io->fd, &event) == 0);
    }
}

void fc_loop_remove(struct fc_loop *loop, struct fc_loop_io *io)
{
    fc_assert(epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL) == 0);
    for (int index = 0; index < loop->batch_count; index++) {
        if (loop->batch[index].data.ptr == io) {
            loop->batch[index].data.ptr = NULL;
        }
    }
}

/* --- turns --- */

static int wait_ms(struct fc_loop *loop)
{
    int64_t left;
    bool posted;
    (void)pthread_mutex_lock(&loop->lock);
    posted = loop->first != NULL;
    (void)pthread_mutex_unlock(&loop->lock);
    if (posted || atomic_load(&loop->stopping)) {
        return 0;
    }
    if (loop->heap_count == 0) {
        return -1;
    }
    left = loop->heap[0]->deadline_ms - fc_clock_steady_ms(loop->clock);
    return left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

static void deliver(struct fc_loop *loop)
{
    for (int index = 0; index < loop->batch_count; index++) {
        struct fc_loop_io *io = loop->batch[index].data.ptr;
        if (io != NULL) {
            io->on_ready(io->ctx, loop->batch[index].events);
        }
    }
    loop->batch_count = 0;
}

void fc_loop_run(struct fc_loop *loop)
{
    atomic_store(&loop->thread, pthread_self());
    atomic_store(&loop->running, true);
    while (!atomic_load(&loop->stopping)) {
        int count = epoll_wait(loop->epoll_fd, loop->batch, LOOP_BATCH, wait_ms(loop));
        fc_assert(count >= 0 || errno == EINTR);
        loop->batch_count = count < 0 ? 0 : count;
        loop->now_ms = fc_clock_steady_ms(loop->clock);
        run_tasks(loop);
        ring_timers(loop);
        deliver(loop);
        if (loop->on_turn_end != NULL) {
            loop->on_turn_end(loop->turn_end_ctx);
        }
    }
    atomic_store(&loop->running, false);
}

void fc_loop_stop(struct fc_loop *loop)
{
    atomic_store(&loop->stopping, true);
    ring(loop);
}

void fc_loop_post(struct fc_loop *loop, struct fc_loop_task *task)
{
    bool was_empty;
    task->next = NULL;
    (void)pthread_mutex_lock(&loop->lock);
    was_empty = loop->first == NULL;
    if (was_empty) {
        loop->first = task;
    } else {
        loop->last->next = task;
    }
    loop->last = task;
    if (was_empty) {
        ring(loop); /* under the lock: once the task has run, the loop may be gone */
    }
    (void)pthread_mutex_unlock(&loop->lock);
}
