/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/upkeep.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/append.h"
#include "core/log/lookup.h"
#include "core/log/producer_state.h"

enum {
    DEAD_ENTRIES_MAX = 1024, /* in a manifest before it is written anew */
    SYNC_SOON_BYTES =
        8 * 1024 * 1024 /* of what is left to the system: it would write all at once */
};

/* A full disk is not a failure: it is tried again. */
static void fail(struct fc_partition *partition, fc_code code, struct fc_error *why)
{
    if (code != FC_OK && code != FC_ERR_FULL) {
        why->retriable = false;
        fc_partition_fail(partition, why, false);
    }
}

static bool has_failed(struct fc_partition *partition)
{
    bool failed;
    (void)pthread_mutex_lock(&partition->lock);
    failed = partition->failed;
    (void)pthread_mutex_unlock(&partition->lock);
    return failed;
}

void fc_upkeep_checkpoint(struct fc_partition *partition)
{
    struct fc_error why;
    fc_code code;
    if (has_failed(partition) || partition->fresh) {
        return;
    }
    code = fc_manifest_sync_beside(&partition->manifest, &why); /* no append waits for it */
    if (code != FC_OK) {
        (void)pthread_mutex_lock(&partition->sync_lock);
        if (!has_failed(partition)) {
            fail(partition, code, &why);
        }
        (void)pthread_mutex_unlock(&partition->sync_lock);
    }
}

/* They will never be synced: others need the descriptors. */
static void close_pending(struct fc_partition *partition)
{
    (void)pthread_mutex_lock(&partition->sync_lock); /* no sync uses them now */
    (void)pthread_mutex_lock(&partition->lock);
    for (size_t index = 0; index < partition->pending; index++) {
        partition->env->fs->ops->close(partition->pending_files[index]);
        partition->pending_files[index] = NULL;
    }
    (void)pthread_mutex_unlock(&partition->lock);
    (void)pthread_mutex_unlock(&partition->sync_lock);
}

void fc_upkeep_sync(struct fc_partition *partition, bool all)
{
    bool wanted;
    bool useless;
    (void)pthread_mutex_lock(&partition->lock);
    useless = partition->doubtful && partition->pending > 0;
    wanted = !partition->failed &&
             (partition->pending > 0 || partition->sync_again ||
              (all && partition->end > partition->durable) ||
              (partition->config.flush_os && partition->active.waiting >= SYNC_SOON_BYTES));
    (void)pthread_mutex_unlock(&partition->lock);
    if (useless) {
        close_pending(partition);
    }
    if (wanted) {
        fc_code code = fc_partition_sync(partition, NULL);
        (void)code; /* it tells why, and the next tick tries again */
    }
}

void fc_upkeep_roll(struct fc_partition *partition)
{
    struct fc_error why;
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&partition->lock);
    if (!partition->failed && fc_partition_active_is_old(partition)) {
        code = fc_partition_roll(partition, &why);
    }
    (void)pthread_mutex_unlock(&partition->lock);
    fail(partition, code, &why);
}

static bool is_too_old(const struct fc_partition *partition, const struct fc_segment *segment,
                       int64_t oldest_ms)
{
    return partition->config.retention_ms >= 0 &&
           fc_segment_newest_ms(partition->env->fs, partition->dir, segment) < oldest_ms;
}

/* How many of the oldest closed segments are to go. lock is held. */
static size_t count_expired(const struct fc_partition *partition)
{
    const struct fc_partition_config *config = &partition->config;
    int64_t oldest_ms = fc_clock_wall_ms(partition->env->clock) - config->retention_ms;
    size_t candidates = partition->closed_count - partition->pending;
    uint64_t total = partition->active.size;
    size_t expired = 0;
    for (size_t index = 0; index < partition->closed_count; index++) {
        total += partition->closed[index].size;
    }
    while (expired < candidates) {
        const struct fc_segment *segment = &partition->closed[expired];
        bool below_start = segment->end <= partition->start;
        bool too_much = config->retention_bytes >= 0 &&
                        total - segment->size >= (uint64_t)config->retention_bytes;
        if ((!below_start && !too_much && !is_too_old(partition, segment, oldest_ms)) ||
            !fc_producer_state_covers(partition, segment->end)) {
            break;
        }
        total -= segment->size;
        expired++;
    }
    return expired;
}

static void remove_files(struct fc_partition *partition, const struct fc_segment *segments,
                         size_t count)
{
    struct fc_fs *fs = partition->env->fs;
    for (size_t index = 0; index < count; index++) {
        for (int kind = FC_SEGMENT_LOG; kind <= FC_SEGMENT_ABORTED; kind++) {
            char *path =
                fc_segment_path(partition->dir, segments[index].base, (fc_segment_file)kind);
            struct fc_error why;
            fc_code code = fs->ops->remove(fs, path, &why);
            if (code != FC_OK && code != FC_ERR_NOT_FOUND) {
                /* What is left over goes at the next open. */
                fc_log_notice(partition->env, "%s: cannot remove %s: %s", partition->dir, path,
                              why.message);
            }
            free(path);
        }
    }
}

/* Entries of removed segments only cost memory at the open, so they go in bulk. */
static fc_code shrink_manifest(struct fc_partition *partition,
                               const struct fc_checkpoint *checkpoint, struct fc_error *err)
{
    struct fc_segment *live = NULL;
    size_t count;
    fc_code code;
    (void)pthread_mutex_lock(&partition->lock);
    count = partition->closed_count - partition->pending;
    live = fc_new_array(struct fc_segment, count + 1);
    if (count > 0) {
        memcpy(live, partition->closed, count * sizeof(*live));
    }
    (void)pthread_mutex_unlock(&partition->lock);
    code = FC_OK;
    if (partition->manifest_dead > DEAD_ENTRIES_MAX && partition->manifest_dead > count) {
        code = fc_manifest_rewrite(&partition->manifest, live, count, checkpoint, err);
        partition->manifest_dead = code == FC_OK ? 0 : partition->manifest_dead;
    }
    free(live);
    return code;
}

/* First the new start is durable, then files go: the other way round, a crash would leave a
 * partition whose segments are missing. sync_lock is held. */
static fc_code retain(struct fc_partition *partition, struct fc_error *err)
{
    struct fc_checkpoint checkpoint;
    struct fc_segment *gone = NULL;
    size_t count;
    fc_code code;
    (void)pthread_mutex_lock(&partition->lock);
    count = count_expired(partition);
    if (count > 0) {
        gone = fc_new_array(struct fc_segment, count);
        memcpy(gone, partition->closed, count * sizeof(*gone));
        checkpoint = partition->synced;
        checkpoint.start =
            gone[count - 1].end > partition->start ? gone[count - 1].end : partition->start;
    }
    (void)pthread_mutex_unlock(&partition->lock);
    if (count == 0) {
        return FC_OK;
    }
    code = fc_manifest_put(&partition->manifest, &checkpoint, err);
    if (code == FC_OK) {
        code = fc_manifest_sync(&partition->manifest, err);
    }
    if (code == FC_OK) {
        (void)pthread_mutex_lock(&partition->lock);
        partition->start = checkpoint.start;
        partition->synced.start = checkpoint.start;
        partition->closed_count -= count;
        memmove(partition->closed, partition->closed + count,
                partition->closed_count * sizeof(*partition->closed));
        (void)pthread_mutex_unlock(&partition->lock);
        partition->manifest_dead += count;
        remove_files(partition, gone, count);
        code = shrink_manifest(partition, &checkpoint, err);
    }
    free(gone);
    return code;
}

void fc_upkeep_retain(struct fc_partition *partition)
{
    struct fc_error why;
    (void)pthread_mutex_lock(&partition->sync_lock);
    if (!has_failed(partition)) {
        fail(partition, retain(partition, &why), &why);
    }
    (void)pthread_mutex_unlock(&partition->sync_lock);
}

void fc_upkeep_forget(struct fc_partition *partition)
{
    fc_producer_state_expire(partition);
    (void)pthread_mutex_lock(&partition->lock);
    fc_fetch_close_files(partition);
    fc_append_free_decoder(atomic_exchange(&partition->decoder, NULL));
    (void)pthread_mutex_unlock(&partition->lock);
}

/* The closed segment that the scrub is in, or the next one, or the first. */
static bool segment_to_scrub(struct fc_partition *partition, struct fc_segment *out_segment)
{
    size_t index;
    bool found;
    bool swapped;
    (void)pthread_mutex_lock(&partition->lock);
    swapped = partition->scrub_swaps != partition->swaps;
    partition->scrub_swaps = partition->swaps;
    index = fc_partition_segment_of(partition, partition->scrub_offset);
    if (index >= partition->closed_count) {
        index = 0;
        partition->scrub_offset = -1;
    }
    found = index < partition->closed_count && !partition->failed;
    if (found) {
        *out_segment = partition->closed[index];
    }
    (void)pthread_mutex_unlock(&partition->lock);
    if (found && (swapped || partition->scrub_offset <= out_segment->base)) {
        partition->scrub_offset = out_segment->base;
        partition->scrub_at = 0;
    }
    return found;
}

static void report_damage(struct fc_partition *partition, const char *path, const char *what,
                          uint64_t at)
{
    struct fc_error why;
    if (fc_partition_swaps(partition) != partition->scrub_swaps) {
        return; /* the file was replaced meanwhile */
    }
    (void)fc_fail(&why, FC_ERR_CORRUPT, "%s: %s at byte %" PRIu64, path, what, at);
    fc_partition_fail(partition, &why, true);
}

static void scrub_file(struct fc_partition *partition, const struct fc_segment *segment,
                       struct fc_file *file, const char *path, uint64_t bytes)
{
    struct fc_segment_walk walk;
    struct fc_batch_header header;
    fc_walk_step step = FC_WALK_BATCH;
    struct fc_error why;
    uint64_t from = partition->scrub_at;
    fc_code code = FC_OK;
    fc_segment_walk_init(&walk, file, from, segment->size, partition->scrub_offset);
    walk.sparse = segment->state != FC_SEGMENT_DENSE;
    while (code == FC_OK && step == FC_WALK_BATCH && walk.at - from < bytes) {
        code = fc_segment_walk_next(&walk, &step, &header, &why);
    }
    partition->scrub_at = walk.at;
    partition->scrub_offset = walk.next_offset;
    if (code != FC_OK) {
        fc_log_notice(partition->env, "%s: cannot be checked: %s", path, why.message);
        partition->scrub_offset = segment->end; /* go on with the next */
    } else if (step == FC_WALK_BAD) {
        report_damage(partition, path, walk.why, walk.at);
    } else if (step == FC_WALK_END && !walk.sparse && walk.next_offset != segment->end) {
        report_damage(partition, path, "records are missing", walk.at);
    } else if (step == FC_WALK_END) {
        partition->scrub_offset = segment->end;
    }
    fc_segment_walk_release(&walk);
}

void fc_upkeep_scrub(struct fc_partition *partition, uint64_t bytes)
{
    struct fc_fs *fs = partition->env->fs;
    struct fc_segment segment;
    struct fc_file *file = NULL;
    struct fc_error why;
    char *path;
    fc_code code;
    if (!segment_to_scrub(partition, &segment)) {
        return;
    }
    path = fc_segment_path(partition->dir, segment.base, FC_SEGMENT_LOG);
    code = fs->ops->open(fs, path, FC_FS_READ, &file, &why);
    if (code == FC_OK) {
        scrub_file(partition, &segment, file, path, bytes);
        fs->ops->close(file);
    } else if (code == FC_ERR_NOT_FOUND) {
        report_damage(partition, path, "missing", 0);
    }
    free(path);
}
