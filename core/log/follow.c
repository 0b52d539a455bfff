/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Following a partition that another process writes. What the manifest says is taken over as it
 * is; behind it the files are walked, and the log ends before the first batch that is not whole
 * yet. Nothing is locked, since the writer only ever adds bytes behind the end, removes whole
 * segments below the start, and replaces segments by others of the same offsets: who meets a
 * file that is gone or has another size looks at the manifest again.
 *
 * What the files have above the durable offset can be gone after a power loss. Where that
 * offset is, the checkpoint says. It may be behind the writer, but is never ahead of it, since
 * it is written after the sync; who waits for more looks there whenever the files have more.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/partition_state.h"

enum {
    LOAD_TRIES = 3,
    MANIFEST_TURNS = 250 /* looks, after which what follows may have been compacted away */
};

/* A checkpoint that is being written may be read half new; the next look sees it whole. */
static fc_code load(struct fc_partition *partition, struct fc_manifest_content *out,
                    struct fc_error *err)
{
    fc_code code = FC_ERR_CORRUPT;
    for (int tries = 0; code == FC_ERR_CORRUPT && tries < LOAD_TRIES; tries++) {
        struct fc_manifest manifest;
        code = fc_manifest_load(&manifest, partition->env->fs, partition->dir, true, out, err);
        if (code == FC_OK) {
            fc_manifest_release(&manifest);
        }
    }
    return code;
}

/* The first look: closed segments, and the place behind which the walk begins. lock is held. */
static fc_code begin(struct fc_partition *partition, const struct fc_manifest_content *content,
                     struct fc_error *err)
{
    const struct fc_checkpoint *checkpoint = &content->checkpoint;
    fc_code code;
    partition->start = checkpoint->start;
    partition->end = checkpoint->start;
    for (size_t index = 0; index < content->count; index++) {
        if (content->segments[index].end > partition->start) {
            fc_partition_push_closed(partition, &content->segments[index]);
            partition->end = content->segments[index].end;
        }
    }
    if (partition->closed_count == 0 && checkpoint->segment_base < partition->end) {
        partition->end = checkpoint->segment_base; /* records were deleted within it */
    }
    code = fc_partition_begin_active(partition, partition->end, err);
    if (code == FC_OK && checkpoint->segment_base == partition->active.base) {
        partition->active.size = checkpoint->segment_size;
        partition->active.max_timestamp_ms = checkpoint->max_timestamp_ms;
        partition->active.max_offset = checkpoint->durable - 1;
        partition->end = checkpoint->durable;
    }
    partition->exists = code == FC_OK;
    return code;
}

/* The manifest has closed what is active here, or not known at all: go on behind it. lock is
 * held. */
static fc_code skip_to(struct fc_partition *partition, int64_t end, struct fc_error *err)
{
    struct fc_active old = partition->active;
    fc_code code = fc_partition_begin_active(partition, end, err);
    if (code == FC_OK) {
        partition->env->fs->ops->close(old.file);
        fc_index_release(&old.offsets);
        fc_index_release(&old.times);
        partition->end = end;
    }
    return code;
}

static bool are_same(const struct fc_segment *a, const struct fc_segment *b, size_t count)
{
    bool same = true;
    for (size_t index = 0; same && index < count; index++) {
        same = a[index].base == b[index].base && a[index].size == b[index].size &&
               a[index].state == b[index].state;
    }
    return same;
}

/* The writer has replaced segments by others: its manifest knows. lock is held. */
static fc_code take_segments(struct fc_partition *partition,
                             const struct fc_manifest_content *content, struct fc_error *err)
{
    int64_t end = content->segments[content->count - 1].end;
    const struct fc_segment *theirs = content->segments;
    size_t count = content->count;
    size_t ours = 0; /* as far as theirs go */
    struct fc_segment *made;
    size_t beyond;
    fc_code code = FC_OK;
    while (count > 0 && theirs->end <= partition->start) {
        theirs++;
        count--;
    }
    while (ours < partition->closed_count && partition->closed[ours].end <= end) {
        ours++;
    }
    if (count == 0 || (partition->active.base >= end && ours == count &&
                       are_same(partition->closed, theirs, count))) {
        return FC_OK;
    }
    if (partition->active.base < end) {
        code = skip_to(partition, end, err);
    }
    if (code == FC_OK) {
        beyond = partition->closed_count - ours;
        made = fc_new_array(struct fc_segment, count + beyond + 1);
        memcpy(made, theirs, count * sizeof(*made));
        if (beyond > 0) {
            memcpy(made + count, partition->closed + ours, beyond * sizeof(*made));
        }
        free(partition->closed);
        partition->closed = made;
        partition->closed_count = count + beyond;
        partition->closed_capacity = count + beyond + 1;
        partition->swaps++;
    }
    return code;
}

static fc_code take_manifest(struct fc_partition *partition, struct fc_error *err)
{
    struct fc_manifest_content content = { 0 };
    fc_code code = load(partition, &content, err);
    size_t gone = 0;
    if (code == FC_ERR_NOT_FOUND && !partition->exists) {
        return FC_OK;
    }
    if (code != FC_OK) {
        return code;
    }
    (void)pthread_mutex_lock(&partition->lock);
    if (!partition->exists) {
        code = begin(partition, &content, err);
    }
    if (content.checkpoint.start > partition->start) {
        partition->start = content.checkpoint.start;
    }
    if (content.checkpoint.durable > partition->durable) {
        partition->durable = content.checkpoint.durable;
    }
    if (code == FC_OK && content.count > 0) {
        code = take_segments(partition, &content, err);
    }
    while (gone < partition->closed_count && partition->closed[gone].end <= partition->start) {
        gone++;
    }
    partition->closed_count -= gone;
    if (gone > 0) {
        memmove(partition->closed, partition->closed + gone,
                partition->closed_count * sizeof(*partition->closed));
    }
    (void)pthread_mutex_unlock(&partition->lock);
    free(content.segments);
    return code;
}

static void note_damage(struct fc_partition *partition, const struct fc_segment_walk *walk)
{
    struct fc_error why;
    char *path;
    if (partition->end >= partition->durable) {
        return; /* not whole yet, or never */
    }
    path = fc_segment_path(partition->dir, partition->active.base, FC_SEGMENT_LOG);
    (void)fc_fail(&why, FC_ERR_CORRUPT, "%s: %s at byte %" PRIu64 ", below the durable offset",
                  path, walk->why, walk->at);
    free(path);
    fc_partition_fail(partition, &why, false);
}

/* Account for what the active segment's file has behind what was seen. */
static fc_code walk_active(struct fc_partition *partition, struct fc_error *err)
{
    struct fc_active *active = &partition->active;
    struct fc_segment_walk walk;
    struct fc_batch_header header;
    fc_walk_step step = FC_WALK_BATCH;
    uint64_t size = 0;
    uint64_t at = active->size;
    fc_code code = active->file->fs->ops->size(active->file, &size, err);
    if (code != FC_OK || size <= active->size) {
        return code;
    }
    fc_segment_walk_init(&walk, active->file, at, size, partition->end);
    while (code == FC_OK && step == FC_WALK_BATCH) {
        code = fc_segment_walk_next(&walk, &step, &header, err);
        if (code == FC_OK && step == FC_WALK_BATCH) {
            (void)pthread_mutex_lock(&partition->lock);
            fc_partition_account(partition, &header, at);
            (void)pthread_mutex_unlock(&partition->lock);
            at = walk.at;
        }
    }
    if (code == FC_OK && step == FC_WALK_BAD) {
        note_damage(partition, &walk);
    }
    fc_segment_walk_release(&walk);
    return code;
}

static fc_code open_log(const struct fc_partition *partition, int64_t base,
                        struct fc_file **out_file, struct fc_error *err)
{
    struct fc_fs *fs = partition->env->fs;
    char *path = fc_segment_path(partition->dir, base, FC_SEGMENT_LOG);
    fc_code code = fs->ops->open(fs, path, FC_FS_READ, out_file, err);
    free(path);
    return code;
}

/* The writer began another segment where this one ends; nothing follows here any more. */
static fc_code move_on(struct fc_partition *partition, bool *out_moved, struct fc_error *err)
{
    struct fc_file *next = NULL;
    struct fc_file *old = partition->active.file;
    fc_code code;
    *out_moved = false;
    if (partition->active.size == 0) {
        return FC_OK;
    }
    code = open_log(partition, partition->end, &next, err);
    if (code != FC_OK) {
        return code == FC_ERR_NOT_FOUND ? FC_OK : code;
    }
    (void)pthread_mutex_lock(&partition->lock);
    code = fc_partition_roll(partition, err);
    if (code == FC_OK) {
        partition->active.file = next;
        *out_moved = true;
    }
    (void)pthread_mutex_unlock(&partition->lock);
    if (code == FC_OK) {
        partition->env->fs->ops->close(old);
    }
    return code;
}

static fc_code walk_files(struct fc_partition *partition, struct fc_error *err)
{
    bool more = true;
    fc_code code = FC_OK;
    if (partition->active.file == NULL) {
        code = open_log(partition, partition->active.base, &partition->active.file, err);
        if (code == FC_ERR_NOT_FOUND) {
            return FC_OK; /* just rolled, or all of it is gone */
        }
    }
    while (code == FC_OK && more && !partition->failed) {
        code = walk_active(partition, err);
        if (code == FC_OK) {
            code = move_on(partition, &more, err);
        }
    }
    return code;
}

/* The writer's syncs show in its checkpoint only. Nothing is said about bytes that were not seen
 * yet: another look at the manifest may find them replaced. */
static void take_durable(struct fc_partition *partition)
{
    int64_t durable = 0;
    if (partition->durable >= partition->end ||
        fc_manifest_peek(partition->env->fs, partition->dir, &durable, NULL) != FC_OK) {
        return; /* the next look at the manifest as a whole tells what is wrong */
    }
    (void)pthread_mutex_lock(&partition->lock);
    durable = durable < partition->end ? durable : partition->end;
    if (durable > partition->durable) {
        partition->durable = durable;
    }
    (void)pthread_mutex_unlock(&partition->lock);
}

fc_code fc_follow_refresh(struct fc_partition *partition, bool manifest_too,
                          struct fc_error *err)
{
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&partition->sync_lock);
    if (manifest_too || !partition->exists || partition->follow_turns >= MANIFEST_TURNS) {
        partition->follow_turns = 0;
        code = take_manifest(partition, err);
    }
    partition->follow_turns++;
    if (code == FC_OK && partition->exists) {
        code = walk_files(partition, err);
        take_durable(partition);
    }
    (void)pthread_mutex_unlock(&partition->sync_lock);
    return code;
}
