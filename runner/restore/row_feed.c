/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/row_feed.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/base/alloc.h"

enum {
    FEED_BATCHES = 4,
    BATCH_BYTES = 512 * 1024,
    BATCH_ROWS_MAX = 4096,
};

static const size_t arena_bytes_max = (size_t)1 << 31; /* one row may be far over BATCH_BYTES */

struct fc_row_feed {
    struct fc_fed_batch batches[FEED_BATCHES]; /* number n stands in n % FEED_BATCHES */
    bool filling;                              /* putter: batch `put` is being filled */
    bool taken;                                /* taker: batch `take` is out */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Guarded by lock; take <= put <= take + FEED_BATCHES. */
    uint64_t put;  /* number of the next batch to be handed over */
    uint64_t take; /* number of the next batch to be given back */
    bool ended;
    bool stopped;
};

struct fc_row_feed *fc_row_feed_new(void)
{
    struct fc_row_feed *feed = fc_new(struct fc_row_feed);
    for (int index = 0; index < FEED_BATCHES; index++) {
        fc_arena_init(&feed->batches[index].arena, arena_bytes_max);
    }
    (void)pthread_mutex_init(&feed->lock, NULL);
    (void)pthread_cond_init(&feed->changed, NULL);
    return feed;
}

void fc_row_feed_free(struct fc_row_feed *feed)
{
    if (feed != NULL) {
        for (int index = 0; index < FEED_BATCHES; index++) {
            fc_arena_release(&feed->batches[index].arena);
            free(feed->batches[index].rows);
        }
        (void)pthread_cond_destroy(&feed->changed);
        (void)pthread_mutex_destroy(&feed->lock);
        free(feed);
    }
}

static fc_code fail_stopped(struct fc_error *err)
{
    return fc_fail(err, FC_ERR_CLOSED, "stopped");
}

static fc_code begin_batch(struct fc_row_feed *feed, struct fc_error *err)
{
    struct fc_fed_batch *batch;
    bool stopped;
    (void)pthread_mutex_lock(&feed->lock);
    while (!feed->stopped && feed->put - feed->take == FEED_BATCHES) {
        (void)pthread_cond_wait(&feed->changed, &feed->lock);
    }
    stopped = feed->stopped;
    (void)pthread_mutex_unlock(&feed->lock);
    if (stopped) {
        return fail_stopped(err);
    }
    batch = &feed->batches[feed->put % FEED_BATCHES];
    fc_arena_clear(&batch->arena);
    batch->count = 0;
    feed->filling = true;
    return FC_OK;
}

static void hand_over(struct fc_row_feed *feed)
{
    feed->filling = false;
    (void)pthread_mutex_lock(&feed->lock);
    feed->put++;
    (void)pthread_cond_broadcast(&feed->changed);
    (void)pthread_mutex_unlock(&feed->lock);
}

fc_code fc_row_feed_put(struct fc_row_feed *feed, const struct fc_fed_row *row,
                        struct fc_error *err)
{
    struct fc_fed_batch *batch = &feed->batches[feed->put % FEED_BATCHES];
    struct fc_fed_row *copy;
    fc_code code = FC_OK;
    if (feed->filling && (batch->count == BATCH_ROWS_MAX || batch->arena.used >= BATCH_BYTES)) {
        hand_over(feed);
    }
    if (!feed->filling) {
        code = begin_batch(feed, err);
        batch = &feed->batches[feed->put % FEED_BATCHES];
    }
    if (code != FC_OK) {
        return code;
    }
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity * 2 + 256;
        batch->rows = fc_realloc_array(batch->rows, batch->capacity, sizeof(*batch->rows));
    }
    copy = &batch->rows[batch->count++];
    copy->key = fc_arena_copy(&batch->arena, row->key);
    copy->image = fc_arena_copy(&batch->arena, row->image);
    copy->copies = row->copies;
    copy->version = row->version;
    return fc_arena_check(&batch->arena, "rows on their way to the target", err);
}

fc_code fc_row_feed_end(struct fc_row_feed *feed, struct fc_error *err)
{
    bool stopped;
    if (feed->filling) {
        hand_over(feed);
    }
    (void)pthread_mutex_lock(&feed->lock);
    feed->ended = true;
    stopped = feed->stopped;
    (void)pthread_cond_broadcast(&feed->changed);
    (void)pthread_mutex_unlock(&feed->lock);
    return stopped ? fail_stopped(err) : FC_OK;
}

fc_code fc_row_feed_take(struct fc_row_feed *feed, const struct fc_fed_batch **out_batch,
                         struct fc_error *err)
{
    bool stopped;
    (void)pthread_mutex_lock(&feed->lock);
    if (feed->taken) {
        feed->taken = false;
        feed->take++;
        (void)pthread_cond_broadcast(&feed->changed);
    }
    while (!feed->stopped && !feed->ended && feed->put == feed->take) {
        (void)pthread_cond_wait(&feed->changed, &feed->lock);
    }
    stopped = feed->stopped;
    feed->taken = !stopped && feed->put != feed->take;
    *out_batch = feed->taken ? &feed->batches[feed->take % FEED_BATCHES] : NULL;
    (void)pthread_mutex_unlock(&feed->lock);
    return stopped ? fail_stopped(err) : FC_OK;
}

void fc_row_feed_stop(struct fc_row_feed *feed)
{
    (void)pthread_mutex_lock(&feed->lock);
    feed->stopped = true;
    (void)pthread_cond_broadcast(&feed->changed);
    (void)pthread_mutex_unlock(&feed->lock);
}
