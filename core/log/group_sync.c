/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/group_sync.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/parallel.h"
#include "core/log/partition.h"

enum { THREADS_MAX = 8 };

struct partition_list {
    struct fc_partition **items;
    size_t count;
    size_t capacity;
};

struct fc_group_sync {
    struct fc_parallel *parallel;  /* used by the thread that syncs */
    struct partition_list syncing; /* the same */

    pthread_mutex_t lock;
    pthread_cond_t finished_one;
    /* Guarded by lock. */
    struct partition_list dirty;
    uint64_t begun;
    uint64_t finished;
    uint64_t short_one; /* the last that found too few descriptors */
    bool running;
    bool failed;
    struct fc_error failure;
    struct fc_error shortage; /* of short_one */
};

struct fc_group_sync *fc_group_sync_new(void)
{
    struct fc_group_sync *group = fc_new(struct fc_group_sync);
    (void)pthread_mutex_init(&group->lock, NULL); /* these cannot fail on Linux */
    (void)pthread_cond_init(&group->finished_one, NULL);
    group->parallel = fc_parallel_new(THREADS_MAX);
    return group;
}

void fc_group_sync_free(struct fc_group_sync *group)
{
    if (group != NULL) {
        fc_parallel_free(group->parallel);
        (void)pthread_cond_destroy(&group->finished_one); /* nobody waits any more */
        (void)pthread_mutex_destroy(&group->lock);
        free(group->dirty.items);
        free(group->syncing.items);
        free(group);
    }
}

void fc_group_sync_add(struct fc_group_sync *group, struct fc_partition *partition)
{
    struct partition_list *dirty = &group->dirty;
    (void)pthread_mutex_lock(&group->lock);
    if (dirty->count == dirty->capacity) {
        dirty->capacity = dirty->capacity == 0 ? 16 : dirty->capacity * 2;
        dirty->items =
            fc_realloc_array(dirty->items, dirty->capacity, sizeof(struct fc_partition *));
    }
    dirty->items[dirty->count++] = partition;
    (void)pthread_mutex_unlock(&group->lock);
}

static bool has(const struct partition_list *list, const struct fc_partition *partition)
{
    for (size_t index = 0; index < list->count; index++) {
        if (list->items[index] == partition) {
            return true;
        }
    }
    return false;
}

static void drop_dirty(struct fc_group_sync *group, const struct fc_partition *partition)
{
    size_t kept = 0;
    for (size_t index = 0; index < group->dirty.count; index++) {
        if (group->dirty.items[index] != partition) {
            group->dirty.items[kept++] = group->dirty.items[index];
        }
    }
    group->dirty.count = kept;
}

void fc_group_sync_remove(struct fc_group_sync *group, struct fc_partition *partition)
{
    (void)pthread_mutex_lock(&group->lock);
    drop_dirty(group, partition);
    while (group->running && has(&group->syncing, partition)) {
        (void)pthread_cond_wait(&group->finished_one, &group->lock);
        drop_dirty(group, partition); /* a sync that found too few descriptors puts it back */
    }
    if (!group->running && group->dirty.count == 0) {
        group->short_one = 0; /* nothing is left over */
    }
    (void)pthread_mutex_unlock(&group->lock);
}

static void sync_one(void *ctx, size_t index)
{
    struct fc_group_sync *group = ctx;
    struct fc_error why;
    fc_code code = fc_partition_sync(group->syncing.items[index], &why);
    if (code != FC_OK) {
        (void)pthread_mutex_lock(&group->lock);
        if (code == FC_ERR_FULL) {
            group->short_one = group->begun;
            group->shortage = why;
        } else if (!group->failed) {
            group->failed = true;
            group->failure = why;
        }
        (void)pthread_mutex_unlock(&group->lock);
    }
}

/* Sync everything that is dirty now. lock is held on entry and on return. */
static void run_one(struct fc_group_sync *group)
{
    struct partition_list taken = group->dirty;
    group->dirty = group->syncing;
    group->dirty.count = 0;
    group->syncing = taken;
    group->running = true;
    group->begun++;
    (void)pthread_mutex_unlock(&group->lock);
    fc_parallel_run(group->parallel, taken.count, sync_one, group);
    (void)pthread_mutex_lock(&group->lock);
    group->running = false;
    group->finished = group->begun;
    (void)pthread_cond_broadcast(&group->finished_one);
}

fc_code fc_group_sync_flush(struct fc_group_sync *group, struct fc_error *err)
{
    uint64_t target;
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&group->lock);
    /* With nothing dirty, whatever is not durable yet belongs to the sync that runs now. */
    target = group->dirty.count == 0 ? group->begun : group->begun + 1;
    while (group->finished < target) {
        if (group->running) {
            (void)pthread_cond_wait(&group->finished_one, &group->lock);
        } else {
            run_one(group);
        }
    }
    if (group->failed) {
        code = group->failure.code;
        if (err != NULL) {
            *err = group->failure;
        }
    } else if (group->short_one > 0 && group->short_one == group->finished) {
        /* What an earlier one left over, the last one did. */
        code = group->shortage.code;
        if (err != NULL) {
            *err = group->shortage;
        }
    }
    (void)pthread_mutex_unlock(&group->lock);
    return code;
}
