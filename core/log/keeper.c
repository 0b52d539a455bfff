/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/keeper.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/deadline.h"
#include "core/log/compact.h"
#include "core/log/upkeep.h"

enum {
    TICK_MS = 1000,
    SYNC_ALL_TICKS = 10, /* so that a crash leaves little to walk over */
    FORGET_TICKS = 60,
    SCRUB_BYTES = 4 * 1024 * 1024, /* in a tick, over all partitions */
    CHECKPOINTS_MAX = 16           /* in a tick; each may be a sync of its own */
};

struct fc_keeper {
    const struct fc_log_env *env;
    pthread_t thread;
    pthread_t compactor;
    _Atomic bool compact_stop; /* leave off the partition that is compacted now */
    /* Owned by the thread. */
    uint64_t tick;
    size_t next_checkpoint;
    size_t next_scrub;

    pthread_mutex_t lock;
    pthread_cond_t stop;
    pthread_cond_t moved_on; /* another partition is looked after, or none */
    /* Guarded by lock. */
    struct fc_partition *current;    /* that is looked after now; may be NULL */
    struct fc_partition *compacting; /* the same for the other thread */
    bool stopping;
    struct fc_partition **partitions;
    size_t count;
    size_t capacity;
};

/* NULL past the end; also when the keeper is to end. *holder is the thread's current or
 * compacting. */
static struct fc_partition *take(struct fc_keeper *keeper, size_t index,
                                 struct fc_partition **holder)
{
    struct fc_partition *found;
    (void)pthread_mutex_lock(&keeper->lock);
    found = index < keeper->count && !keeper->stopping ? keeper->partitions[index] : NULL;
    *holder = found;
    if (holder == &keeper->compacting) {
        keeper->compact_stop = keeper->stopping;
    }
    (void)pthread_cond_broadcast(&keeper->moved_on);
    (void)pthread_mutex_unlock(&keeper->lock);
    return found;
}

static struct fc_partition *partition_at(struct fc_keeper *keeper, size_t index)
{
    return take(keeper, index, &keeper->current);
}

static void look_after_all(struct fc_keeper *keeper)
{
    struct fc_partition *partition;
    bool all = keeper->tick % SYNC_ALL_TICKS == 0;
    bool idle = keeper->tick % FORGET_TICKS == 0;
    for (size_t index = 0; (partition = partition_at(keeper, index)) != NULL; index++) {
        fc_upkeep_roll(partition);
        fc_upkeep_sync(partition, all);
        fc_upkeep_retain(partition);
        if (idle) {
            fc_upkeep_forget(partition);
        }
    }
    for (int done = 0; done < CHECKPOINTS_MAX; done++) {
        partition = partition_at(keeper, keeper->next_checkpoint++);
        if (partition == NULL) {
            keeper->next_checkpoint = 0;
            break;
        }
        fc_upkeep_checkpoint(partition);
    }
    partition = partition_at(keeper, keeper->next_scrub++);
    if (partition == NULL) {
        keeper->next_scrub = 0;
    } else {
        fc_upkeep_scrub(partition, SCRUB_BYTES);
        (void)partition_at(keeper, SIZE_MAX); /* it is let go */
    }
}

/* True when the keeper is to end. */
static bool wait_for_tick(struct fc_keeper *keeper)
{
    struct timespec until = fc_deadline_in_ms(TICK_MS);
    int waited = 0;
    bool stopping;
    (void)pthread_mutex_lock(&keeper->lock);
    while (!keeper->stopping && waited == 0) {
        waited = pthread_cond_timedwait(&keeper->stop, &keeper->lock, &until);
    }
    stopping = keeper->stopping;
    (void)pthread_mutex_unlock(&keeper->lock);
    return stopping;
}

static bool must_leave_off(void *ctx)
{
    struct fc_keeper *keeper = ctx;
    return keeper->compact_stop;
}

static void *compactor_main(void *arg)
{
    struct fc_keeper *keeper = arg;
    const struct fc_compact_job job = { .stopped = must_leave_off, .ctx = keeper };
    while (!wait_for_tick(keeper)) {
        struct fc_partition *partition;
        for (size_t index = 0; (partition = take(keeper, index, &keeper->compacting)) != NULL;
             index++) {
            if (fc_compact_is_wanted(partition)) {
                fc_compact_run(partition, &job);
            }
        }
    }
    return NULL;
}

static void *keeper_main(void *arg)
{
    struct fc_keeper *keeper = arg;
    while (!wait_for_tick(keeper)) {
        keeper->tick++;
        look_after_all(keeper);
    }
    return NULL;
}

static void free_keeper(struct fc_keeper *keeper)
{
    (void)pthread_cond_destroy(&keeper->moved_on);
    (void)pthread_cond_destroy(&keeper->stop);
    (void)pthread_mutex_destroy(&keeper->lock);
    free(keeper->partitions);
    free(keeper);
}

static void end_threads(struct fc_keeper *keeper)
{
    (void)pthread_mutex_lock(&keeper->lock);
    keeper->stopping = true;
    keeper->compact_stop = true;
    (void)pthread_cond_broadcast(&keeper->stop);
    (void)pthread_mutex_unlock(&keeper->lock);
}

fc_code fc_keeper_new(const struct fc_log_env *env, struct fc_keeper **out_keeper,
                      struct fc_error *err)
{
    struct fc_keeper *keeper = fc_new(struct fc_keeper);
    keeper->env = env;
    (void)pthread_mutex_init(&keeper->lock, NULL); /* these cannot fail on Linux */
    fc_deadline_cond_init(&keeper->stop);
    (void)pthread_cond_init(&keeper->moved_on, NULL);
    if (pthread_create(&keeper->thread, NULL, keeper_main, keeper) != 0) {
        free_keeper(keeper);
        return fc_fail(err, FC_ERR_NOMEM, "cannot start the log's background thread");
    }
    if (pthread_create(&keeper->compactor, NULL, compactor_main, keeper) != 0) {
        end_threads(keeper);
        (void)pthread_join(keeper->thread, NULL);
        free_keeper(keeper);
        return fc_fail(err, FC_ERR_NOMEM, "cannot start the log's compacting thread");
    }
    *out_keeper = keeper;
    return FC_OK;
}

void fc_keeper_free(struct fc_keeper *keeper)
{
    if (keeper == NULL) {
        return;
    }
    end_threads(keeper);
    (void)pthread_join(keeper->thread, NULL);
    (void)pthread_join(keeper->compactor, NULL);
    free_keeper(keeper);
}

void fc_keeper_add(struct fc_keeper *keeper, struct fc_partition *partition)
{
    (void)pthread_mutex_lock(&keeper->lock);
    if (keeper->count == keeper->capacity) {
        keeper->capacity = keeper->capacity == 0 ? 16 : keeper->capacity * 2;
        keeper->partitions = fc_realloc_array(keeper->partitions, keeper->capacity,
                                              sizeof(struct fc_partition *));
    }
    keeper->partitions[keeper->count++] = partition;
    (void)pthread_mutex_unlock(&keeper->lock);
}

void fc_keeper_remove(struct fc_keeper *keeper, struct fc_partition *partition)
{
    size_t kept = 0;
    if (keeper == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&keeper->lock);
    for (size_t index = 0; index < keeper->count; index++) {
        if (keeper->partitions[index] != partition) {
            keeper->partitions[kept++] = keeper->partitions[index];
        }
    }
    keeper->count = kept;
    if (keeper->compacting == partition) {
        keeper->compact_stop = true;
    }
    while (keeper->current == partition || keeper->compacting == partition) {
        (void)pthread_cond_wait(&keeper->moved_on, &keeper->lock);
    }
    (void)pthread_mutex_unlock(&keeper->lock);
}
