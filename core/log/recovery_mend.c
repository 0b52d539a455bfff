/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cutting off what was never durable, and making the rest so. What is kept above the checkpoint
 * is written again before it is synced: after a sync that failed, the system shows pages as
 * clean that the disk never got. Names go before the first append, so that a file that was
 * removed cannot come back behind new records.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/compact_swap.h"
#include "core/log/recovery.h"

enum { REWRITE_CHUNK_SIZE = 1024 * 1024 };

static fc_code rewrite(const struct fc_recovery_link *link, struct fc_error *err)
{
    const struct fc_active *active = &link->active;
    uint8_t *chunk = fc_new_array(uint8_t, REWRITE_CHUNK_SIZE);
    fc_code code = FC_OK;
    for (uint64_t at = link->rewrite_from; code == FC_OK && at < active->size;) {
        uint64_t left = active->size - at;
        struct iovec part = { chunk,
                              left < REWRITE_CHUNK_SIZE ? (size_t)left : REWRITE_CHUNK_SIZE };
        size_t got = 0;
        code = active->file->fs->ops->read(active->file, at, chunk, part.iov_len, &got, err);
        if (code == FC_OK && got < part.iov_len) {
            code = fc_fail(err, FC_ERR_IO, "a segment became shorter while it was recovered");
        }
        if (code == FC_OK) {
            code = active->file->fs->ops->write(active->file, at, &part, 1, err);
        }
        at += part.iov_len;
    }
    free(chunk);
    return code;
}

static fc_code mend_link(struct fc_recovery_link *link, struct fc_error *err)
{
    struct fc_active *active = &link->active;
    bool changed = link->file_size > active->size || link->rewrite_from < active->size;
    fc_code code = FC_OK;
    if (link->file_size > active->size) {
        code = active->file->fs->ops->truncate(active->file, active->size, err);
    }
    if (code == FC_OK) {
        code = rewrite(link, err);
    }
    if (code == FC_OK && changed) {
        code = active->file->fs->ops->sync(active->file, err);
    }
    return code;
}

static fc_code trim_overlong(const struct fc_recovery *recovery, struct fc_error *err)
{
    struct fc_fs *fs = recovery->partition->env->fs;
    fc_code code = FC_OK;
    for (size_t index = 0; code == FC_OK && index < recovery->overlong_count; index++) {
        const struct fc_segment *segment = &recovery->overlong[index];
        char *path = fc_segment_path(recovery->partition->dir, segment->base, FC_SEGMENT_LOG);
        struct fc_file *file = NULL;
        code = fs->ops->open(fs, path, FC_FS_WRITE, &file, err);
        if (code == FC_OK) {
            code = fs->ops->truncate(file, segment->size, err);
        }
        if (code == FC_OK) {
            code = fs->ops->sync(file, err);
        }
        fs->ops->close(file);
        free(path);
    }
    return code;
}

/* The index of a segment that is closed now; without it, look-ups walk. */
static void finish_indexes(struct fc_active *active)
{
    active->offsets.held = false;
    active->times.held = false;
    if (active->max_timestamp_ms > active->times_last_ms) {
        fc_index_add(&active->times, active->max_timestamp_ms,
                     (uint32_t)(active->max_offset - active->base));
    }
    if (fc_index_write(&active->offsets, NULL) != FC_OK ||
        fc_index_write(&active->times, NULL) != FC_OK ||
        fc_index_finish(&active->offsets, NULL) != FC_OK ||
        fc_index_finish(&active->times, NULL) != FC_OK) {
        return;
    }
}

/* False for files of segments that retention or compaction removed from the manifest, or that
 * begin behind the cut. */
static bool is_ours(const struct fc_recovery *recovery, const struct fc_directory_name *name)
{
    const struct fc_partition *partition = recovery->partition;
    int64_t base = name->base;
    size_t place = fc_partition_segment_of(partition, base);
    bool closed = place < partition->closed_count && partition->closed[place].base == base;
    if (name->kind == FC_SEGMENT_PRODUCERS) {
        return !name->swap && partition->producers_saved && base == partition->producers_at;
    }
    if (name->swap) {
        return closed && partition->closed[place].state == FC_SEGMENT_SWAPPING;
    }
    for (size_t index = 0; index < recovery->links_count; index++) {
        if (recovery->links[index].active.base == base) {
            return true;
        }
    }
    return closed;
}

static bool has_strays(const struct fc_recovery *recovery)
{
    for (size_t index = 0; index < recovery->names.count; index++) {
        if (!is_ours(recovery, &recovery->names.names[index])) {
            return true;
        }
    }
    return false;
}

static fc_code remove_strays(const struct fc_recovery *recovery, uint64_t *out_removed,
                             struct fc_error *err)
{
    const struct fc_partition *partition = recovery->partition;
    struct fc_fs *fs = partition->env->fs;
    for (size_t index = 0; index < recovery->names.count; index++) {
        const struct fc_directory_name *name = &recovery->names.names[index];
        char *path;
        fc_code code;
        if (is_ours(recovery, name)) {
            continue;
        }
        path = name->swap ? fc_segment_swap_path(partition->dir, name->base, name->kind)
                          : fc_segment_path(partition->dir, name->base, name->kind);
        code = fs->ops->remove(fs, path, err);
        free(path);
        if (code != FC_OK) {
            return code;
        }
        *out_removed += name->kind == FC_SEGMENT_LOG && name->base >= partition->end;
    }
    return fs->ops->sync_dir(fs, partition->dir, err);
}

/* The checkpoint vouches for everything that is there: nothing to write and nothing to sync. */
static bool is_sound(const struct fc_recovery *recovery)
{
    const struct fc_checkpoint *checkpoint = &recovery->content.checkpoint;
    return recovery->content.whole && recovery->links_count == 1 &&
           recovery->overlong_count == 0 && !fc_compact_is_swapping(recovery->partition) &&
           recovery->links[0].active.base == checkpoint->segment_base &&
           recovery->links[0].file_size == checkpoint->segment_size && !has_strays(recovery);
}

/* All links but the last are closed segments from now on. */
static fc_code close_links(struct fc_recovery *recovery, struct fc_error *err)
{
    struct fc_partition *partition = recovery->partition;
    for (size_t index = 0; index + 1 < recovery->links_count; index++) {
        struct fc_recovery_link *link = &recovery->links[index];
        struct fc_segment closed = { .base = link->active.base,
                                     .end = link->end,
                                     .size = link->active.size,
                                     .max_timestamp_ms = link->active.max_timestamp_ms };
        fc_code code;
        finish_indexes(&link->active);
        code = fc_manifest_add(&partition->manifest, &closed, 1, err);
        if (code != FC_OK) {
            return code;
        }
        fc_partition_push_closed(partition, &closed);
    }
    return FC_OK;
}

static fc_code set_active(struct fc_recovery *recovery, struct fc_error *err)
{
    struct fc_partition *partition = recovery->partition;
    struct fc_recovery_link *link;
    if (recovery->links_count == 0) {
        fc_code code = fc_partition_begin_active(partition, partition->end, err);
        if (code == FC_OK) {
            partition->name_unsynced = false;
            code = partition->env->fs->ops->sync_dir(partition->env->fs, partition->dir, err);
        }
        return code;
    }
    link = &recovery->links[recovery->links_count - 1];
    partition->active = link->active;
    memset(&link->active, 0, sizeof(link->active));
    return FC_OK;
}

static void tell(const struct fc_recovery *recovery, uint64_t cut_bytes, uint64_t removed)
{
    const struct fc_partition *partition = recovery->partition;
    if (cut_bytes > 0 || removed > 0) {
        fc_log_notice(partition->env,
                      "%s: it was not closed cleanly; an unfinished append of %" PRIu64
                      " bytes and %" PRIu64
                      " later files were removed, nothing durable was lost; "
                      "the log ends at offset %" PRId64,
                      partition->dir, cut_bytes, removed, partition->end);
    }
}

static fc_code mend_files(struct fc_recovery *recovery, struct fc_error *err)
{
    struct fc_partition *partition = recovery->partition;
    uint64_t cut_bytes = 0;
    uint64_t removed = 0;
    fc_code code = fc_manifest_take_over(&partition->manifest, &recovery->content, err);
    for (size_t index = 0; code == FC_OK && index < recovery->links_count; index++) {
        struct fc_recovery_link *link = &recovery->links[index];
        cut_bytes += link->file_size - link->active.size;
        code = mend_link(link, err);
    }
    if (code == FC_OK) {
        code = fc_compact_finish_swaps(partition, err);
    }
    if (code == FC_OK) {
        code = trim_overlong(recovery, err);
    }
    if (code == FC_OK) {
        code = remove_strays(recovery, &removed, err);
    }
    if (code == FC_OK) {
        code = close_links(recovery, err);
    }
    if (code == FC_OK) {
        code = set_active(recovery, err);
    }
    if (code == FC_OK) {
        code = fc_manifest_sync(&partition->manifest, err);
    }
    if (code == FC_OK) {
        fc_partition_checkpoint_now(partition, &partition->synced);
        code = fc_manifest_put(&partition->manifest, &partition->synced, err);
    }
    if (code == FC_OK) {
        code = fc_manifest_sync(&partition->manifest, err);
    }
    if (code == FC_OK && fc_compact_is_swapping(partition)) {
        code = fc_compact_note_swapped(partition, err);
    }
    if (code == FC_OK) {
        tell(recovery, cut_bytes, removed);
    }
    return code;
}

fc_code fc_recovery_mend(struct fc_recovery *recovery, struct fc_error *err)
{
    struct fc_partition *partition = recovery->partition;
    fc_code code;
    if (is_sound(recovery)) {
        partition->synced = recovery->content.checkpoint;
        code = set_active(recovery, err);
        /* The first checkpoint is older than the file: nobody may have synced its name. */
        partition->name_unsynced = partition->synced.segment_size == 0;
    } else {
        code = mend_files(recovery, err);
    }
    partition->active.offsets.held = false;
    partition->active.times.held = false;
    partition->durable = partition->end;
    partition->exists = true;
    return code;
}
