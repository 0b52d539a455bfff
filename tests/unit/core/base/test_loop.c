/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/loop.h"

enum { TIMERS = 500, THREADS = 4, POSTS = 5000 };

/* Steady time that a test moves. */
struct hand_clock {
    struct fc_clock clock;
    int64_t now_ns;
};

static int64_t hand_ns(const struct fc_clock *clock)
{
    return ((const struct hand_clock *)(const void *)clock)->now_ns;
}

static struct fc_loop *new_loop(const struct fc_clock *clock)
{
    struct fc_loop *loop = NULL;
    struct fc_error err;
    assert_int_equal(fc_loop_new(clock, &loop, &err), FC_OK);
    return loop;
}

struct ringing {
    struct fc_loop *loop;
    struct hand_clock *hand;
    size_t rung;
    size_t wanted;
    int64_t last_ms;
};

static void move_time(void *ctx)
{
    struct ringing *ringing = ctx;
    ringing->hand->now_ns += 1000000;
}

struct owned_timer {
    struct fc_loop_timer timer;
    struct ringing *ringing;
};

static void on_owned_ring(void *ctx)
{
    struct owned_timer *owned = ctx;
    struct ringing *ringing = owned->ringing;
    assert_true(owned->timer.deadline_ms >= ringing->last_ms); /* in order */
    assert_true(owned->timer.deadline_ms <= fc_loop_now_ms(ringing->loop));
    ringing->last_ms = owned->timer.deadline_ms;
    if (++ringing->rung == ringing->wanted) {
        fc_loop_stop(ringing->loop);
    }
}

static void timers_ring_in_order_and_cleared_ones_do_not(void **state)
{
    struct hand_clock hand = { { hand_ns, hand_ns }, 0 };
    struct ringing *ringing = calloc(1, sizeof(*ringing));
    struct owned_timer *owned = calloc(TIMERS, sizeof(*owned));
    uint32_t random = 7;
    (void)state;
    ringing->hand = &hand;
    ringing->loop = new_loop(&hand.clock);
    ringing->wanted = TIMERS - TIMERS / 5;
    fc_loop_set_turn_end(ringing->loop, move_time, ringing);
    for (size_t index = 0; index < TIMERS; index++) {
        random = random * 1664525 + 1013904223;
        owned[index].ringing = ringing;
        fc_loop_timer_init(&owned[index].timer, on_owned_ring, &owned[index]);
        fc_loop_timer_set(ringing->loop, &owned[index].timer, random >> 24);
    }
    for (size_t index = 0; index < TIMERS; index++) {
        random = random * 1664525 + 1013904223;
        if (index % 5 == 0) {
            fc_loop_timer_clear(ringing->loop, &owned[index].timer);
            fc_loop_timer_clear(ringing->loop, &owned[index].timer); /* fine */
        } else if (index % 3 == 0) {
            fc_loop_timer_set(ringing->loop, &owned[index].timer, random >> 24);
        }
    }
    fc_loop_run(ringing->loop);
    assert_int_equal(ringing->rung, ringing->wanted);
    for (size_t index = 0; index < TIMERS; index++) {
        assert_false(fc_loop_timer_is_set(&owned[index].timer));
    }
    fc_loop_free(ringing->loop);
    free(owned);
    free(ringing);
}

/* --- posts --- */

struct posting {
    struct fc_loop *loop;
    struct poster *posters;
    size_t run;
    bool on_loop;
};

struct poster {
    struct posting *posting;
    pthread_t thread;
    struct posted {
        struct fc_loop_task task;
        struct poster *poster;
        size_t number;
    } * posted;
    size_t next; /* the number that runs next */
};

static void on_posted(void *ctx)
{
    struct posted *posted = ctx;
    struct posting *posting = posted->poster->posting;
    posting->on_loop = posting->on_loop && fc_loop_is_current(posting->loop);
    assert_int_equal(posted->number, posted->poster->next++); /* in the order of posting */
    if (++posting->run == (size_t)THREADS * POSTS) {
        fc_loop_stop(posting->loop);
    }
}

static void *post_all(void *ctx)
{
    struct poster *poster = ctx;
    for (size_t index = 0; index < POSTS; index++) {
        struct posted *posted = &poster->posted[index];
        posted->task = (struct fc_loop_task){ NULL, on_posted, posted };
        posted->poster = poster;
        posted->number = index;
        fc_loop_post(poster->posting->loop, &posted->task);
    }
    return NULL;
}

static void posts_of_other_threads_all_run_in_order(void **state)
{
    struct poster posters[THREADS];
    struct posting posting = { new_loop(fc_clock_system()), posters, 0, true };
    (void)state;
    assert_false(fc_loop_is_current(posting.loop));
    for (size_t index = 0; index < THREADS; index++) {
        posters[index].posting = &posting;
        posters[index].next = 0;
        posters[index].posted = calloc(POSTS, sizeof(struct posted));
        assert_int_equal(
            pthread_create(&posters[index].thread, NULL, post_all, &posters[index]), 0);
    }
    fc_loop_run(posting.loop);
    for (size_t index = 0; index < THREADS; index++) {
        (void)pthread_join(posters[index].thread, NULL);
        free(posters[index].posted);
    }
    assert_true(posting.on_loop);
    assert_int_equal(posting.run, THREADS * POSTS);
    fc_loop_free(posting.loop);
}

static void count_one(void *ctx)
{
    size_t *count = ctx;
    (*count)++;
}

static void what_is_posted_to_a_loop_that_does_not_run_is_run_when_it_is_freed(void **state)
{
    struct fc_loop *loop = new_loop(fc_clock_system());
    size_t count = 0;
    struct fc_loop_task task = { NULL, count_one, &count };
    (void)state;
    fc_loop_post(loop, &task);
    assert_int_equal(count, 0);
    fc_loop_free(loop);
    assert_int_equal(count, 1);
    fc_loop_free(NULL);
}

/* --- descriptors --- */

/* Two descriptors are ready in one turn; the first that hears of it removes the other. */
struct pair {
    struct fc_loop *loop;
    struct fc_loop_io io[2];
    int heard;
};

static void on_either(void *ctx, uint32_t events)
{
    struct pair *pair = ctx;
    assert_true((events & EPOLLIN) != 0);
    pair->heard++;
    fc_loop_remove(pair->loop, &pair->io[0]);
    fc_loop_remove(pair->loop, &pair->io[1]);
    fc_loop_stop(pair->loop);
}

static void a_descriptor_that_was_removed_hears_nothing_more(void **state)
{
    struct pair pair = { new_loop(fc_clock_system()), { { 0 }, { 0 } }, 0 };
    struct fc_error err;
    int ends[2][2];
    (void)state;
    for (int index = 0; index < 2; index++) {
        assert_int_equal(pipe2(ends[index], O_CLOEXEC), 0);
        assert_int_equal(write(ends[index][1], "x", 1), 1);
        pair.io[index] = (struct fc_loop_io){ ends[index][0], EPOLLIN, on_either, &pair };
        assert_int_equal(fc_loop_add(pair.loop, &pair.io[index], &err), FC_OK);
    }
    fc_loop_run(pair.loop);
    assert_int_equal(pair.heard, 1);
    for (int index = 0; index < 2; index++) {
        (void)close(ends[index][0]);
        (void)close(ends[index][1]);
    }
    fc_loop_free(pair.loop);
}

static void watching_what_is_no_descriptor_is_an_error(void **state)
{
    struct fc_loop *loop = new_loop(fc_clock_system());
    struct fc_loop_io io = { -1, EPOLLIN, on_either, NULL };
    struct fc_error err;
    (void)state;
    assert_int_equal(fc_loop_add(loop, &io, &err), FC_ERR_IO);
    fc_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_ring_in_order_and_cleared_ones_do_not),
        cmocka_unit_test(posts_of_other_threads_all_run_in_order),
        cmocka_unit_test(what_is_posted_to_a_loop_that_does_not_run_is_run_when_it_is_freed),
        cmocka_unit_test(a_descriptor_that_was_removed_hears_nothing_more),
        cmocka_unit_test(watching_what_is_no_descriptor_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
