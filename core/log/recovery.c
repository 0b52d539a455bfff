/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is protected: the closed segments of the manifest, and of the later ones everything
 * below the checkpoint. Anything wrong there is damage, and the partition is refused. Above the
 * checkpoint nothing is known to have reached the disk, so the log ends before the first batch
 * that is not whole, and what follows is cut off. Nothing there is kept, even if it is whole:
 * a power loss keeps pages in any order, so whole batches may stand behind a hole, and none of
 * them can have been acknowledged, since a sync would have filled the hole.
 */
#include "core/log/recovery.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/compact_swap.h"
#include "core/log/producer_state.h"

/* A partition has its manifest before its first segment, so segments alone mean that it was
 * lost; and no file at all, that nothing was ever appended. */
static fc_code load_manifest(struct fc_recovery *recovery, struct fc_error *err)
{
    struct fc_partition *partition = recovery->partition;
    struct fc_fs *fs = partition->env->fs;
    struct fc_checkpoint empty = { .max_timestamp_ms = INT64_MIN };
    fc_code code = fc_manifest_load(&partition->manifest, fs, partition->dir, false,
                                    &recovery->content, err);
    if (code != FC_ERR_NOT_FOUND) {
        return code;
    }
    if (fc_directory_has_any_log(&recovery->names)) {
        return fc_fail(err, FC_ERR_CORRUPT,
                       "%s/manifest: missing (byte 0), but there are segments", partition->dir);
    }
    if (recovery->names.count == 0) {
        recovery->fresh = true;
        recovery->content.checkpoint = empty;
        return FC_OK;
    }
    return fc_manifest_begin(&partition->manifest, fs, partition->dir, &empty,
                             &recovery->content, err);
}

/* Every closed segment must be there with at least the bytes that it was closed with. More are
 * of an append that failed, and that a failed sync kept from being cut off. */
static fc_code check_closed(struct fc_recovery *recovery, const struct fc_segment *segment,
                            struct fc_error *err)
{
    struct fc_fs *fs = recovery->partition->env->fs;
    char *path = fc_segment_path(recovery->partition->dir, segment->base, FC_SEGMENT_LOG);
    struct fc_file *file = NULL;
    uint64_t size = 0;
    fc_code code = fc_compact_open_log(recovery->partition, segment, &file, err);
    if (code == FC_ERR_NOT_FOUND) {
        code = fc_fail(err, FC_ERR_CORRUPT, "%s: missing (byte 0 of %" PRIu64 ")", path,
                       segment->size);
    } else if (code == FC_OK) {
        code = fs->ops->size(file, &size, err);
    }
    if (code == FC_OK && size < segment->size) {
        code = fc_fail(err, FC_ERR_CORRUPT, "%s: cut short at byte %" PRIu64 " of %" PRIu64,
                       path, size, segment->size);
    } else if (code == FC_OK && size > segment->size && segment->state == FC_SEGMENT_SWAPPING) {
        code = fc_fail(err, FC_ERR_CORRUPT, "%s: not what replaced it (byte 0 of %" PRIu64 ")",
                       path, size);
    } else if (code == FC_OK && size > segment->size) {
        recovery->overlong = fc_realloc_array(recovery->overlong, recovery->overlong_count + 1,
                                              sizeof(*recovery->overlong));
        recovery->overlong[recovery->overlong_count++] = *segment;
    }
    fs->ops->close(file);
    free(path);
    return code;
}

/* Where the first segment behind the manifest's begins: at start, or before it when records
 * were deleted within a segment. */
static int64_t first_link(const struct fc_recovery *recovery)
{
    const struct fc_manifest_content *content = &recovery->content;
    int64_t start = content->checkpoint.start;
    int64_t closed_end = content->count > 0 ? content->segments[content->count - 1].end : 0;
    int64_t base = start;
    for (size_t index = 0; index < recovery->names.count; index++) {
        const struct fc_directory_name *name = &recovery->names.names[index];
        if (name->kind == FC_SEGMENT_LOG && !name->swap && name->base <= start &&
            name->base >= closed_end) {
            base = name->base;
        }
    }
    return base;
}

static fc_code take_closed(struct fc_recovery *recovery, struct fc_error *err)
{
    struct fc_partition *partition = recovery->partition;
    const struct fc_manifest_content *content = &recovery->content;
    bool first = true;
    partition->start = content->checkpoint.start;
    partition->end = first_link(recovery);
    for (size_t index = 0; index < content->count; index++) {
        const struct fc_segment *segment = &content->segments[index];
        fc_code code;
        if (segment->end <= partition->start) {
            partition->manifest_dead++;
            continue;
        }
        if (first ? segment->base > partition->start : segment->base != partition->end) {
            return fc_fail(err, FC_ERR_CORRUPT,
                           "%s/manifest: entry %zu begins at offset %" PRId64
                           ", not at %" PRId64,
                           partition->dir, index, segment->base,
                           first ? partition->start : partition->end);
        }
        first = false;
        code = check_closed(recovery, segment, err);
        if (code != FC_OK) {
            return code;
        }
        fc_partition_push_closed(partition, segment);
        partition->end = segment->end;
    }
    return FC_OK;
}

/* As if nothing of the segment had been looked at. */
static fc_code forget_indexes(struct fc_active *active, struct fc_error *err)
{
    fc_code code = fc_index_restore(&active->offsets, 0, 0, err);
    active->size = 0;
    active->since_index = 0;
    active->max_timestamp_ms = INT64_MIN;
    active->times_last_ms = INT64_MIN;
    return code == FC_OK ? fc_index_restore(&active->times, 0, 0, err) : code;
}

/* Take the indexes over as far as the checkpoint vouches for them; the last entry must point at
 * a batch. *out_last is false when they cannot be used, and then they are empty. */
static fc_code restore_indexes(struct fc_active *active, const struct fc_checkpoint *checkpoint,
                               bool *out_found, struct fc_batch_header *out_last,
                               uint64_t *out_at, struct fc_error *err)
{
    struct fc_index_entry last = { 0, 0 };
    struct fc_index_entry last_time = { 0, 0 };
    uint8_t bytes[FC_BATCH_HEADER_SIZE];
    size_t got = 0;
    bool found = false;
    bool found_time = false;
    fc_code code = fc_index_restore(&active->offsets, checkpoint->offsets_written,
                                    checkpoint->offsets_crc, err);
    if (code == FC_OK) {
        code = fc_index_restore(&active->times, checkpoint->times_written,
                                checkpoint->times_crc, err);
    }
    if (code == FC_OK) {
        code = fc_index_last(&active->offsets, &found, &last, err);
    }
    if (code == FC_OK) {
        code = fc_index_last(&active->times, &found_time, &last_time, err);
    }
    if (code == FC_OK && found && found_time) {
        code = active->file->fs->ops->read(active->file, last.value, bytes, sizeof(bytes), &got,
                                           err);
    }
    if (code != FC_OK) {
        return code;
    }
    if (got == sizeof(bytes)) {
        fc_batch_header_decode(bytes, out_last);
        *out_found = fc_batch_header_check(out_last) == NULL &&
                     fc_batch_last_offset(out_last) == active->base + last.key;
    }
    if (*out_found) {
        *out_at = last.value;
        active->times_last_ms = last_time.key;
        active->max_timestamp_ms = last_time.key;
        active->max_offset = active->base + last_time.value;
        return FC_OK;
    }
    return forget_indexes(active, err);
}

static fc_code fail_damage(const struct fc_active *active, const char *dir, const char *why,
                           uint64_t at, struct fc_error *err)
{
    char *path = fc_segment_path(dir, active->base, FC_SEGMENT_LOG);
    fc_code code =
        fc_fail(err, FC_ERR_CORRUPT, "%s: %s at byte %" PRIu64 ", below the durable offset",
                path, why, at);
    free(path);
    return code;
}

/* Walk over the segment, and account for each batch; it ends where the walk does. */
static fc_code walk_link(struct fc_recovery *recovery, struct fc_recovery_link *link,
                         uint64_t from, int64_t offset, uint64_t bound, struct fc_error *err)
{
    struct fc_partition *partition = recovery->partition;
    struct fc_batch_header header;
    struct fc_segment_walk walk;
    fc_walk_step step = FC_WALK_BATCH;
    uint64_t at = from;
    fc_code code = FC_OK;
    fc_segment_walk_init(&walk, partition->active.file, from, link->file_size, offset);
    while (code == FC_OK && step == FC_WALK_BATCH) {
        code = fc_segment_walk_next(&walk, &step, &header, err);
        if (code == FC_OK && step == FC_WALK_BATCH) {
            fc_partition_account(partition, &header, at);
            at = walk.at;
        }
    }
    if (code == FC_OK && step == FC_WALK_BAD) {
        if (at < bound) {
            code = fail_damage(&partition->active, partition->dir, walk.why, at, err);
        }
        recovery->cut = true;
    }
    fc_segment_walk_release(&walk);
    return code;
}

/* The partition's active segment is set up on the link's file; find out where it ends. */
static fc_code look_into_link(struct fc_recovery *recovery, struct fc_recovery_link *link,
                              struct fc_error *err)
{
    struct fc_partition *partition = recovery->partition;
    struct fc_active *active = &partition->active;
    const struct fc_checkpoint *checkpoint = &recovery->content.checkpoint;
    struct fc_batch_header last = { 0 };
    uint64_t last_at = 0;
    uint64_t bound = 0;
    bool found = false;
    fc_code code = FC_OK;
    if (active->base < checkpoint->segment_base) {
        bound = UINT64_MAX; /* the checkpoint is in a later segment: all of this one counts */
    } else if (active->base == checkpoint->segment_base) {
        bound = checkpoint->segment_size;
        active->first_append_ms = checkpoint->first_append_ms;
        if (link->file_size < bound) {
            return fail_damage(active, partition->dir, "cut short", link->file_size, err);
        }
        code = restore_indexes(active, checkpoint, &found, &last, &last_at, err);
    }
    if (code == FC_OK) {
        code = walk_link(recovery, link, found ? last_at : 0,
                         found ? last.base_offset : active->base, bound, err);
    }
    if (code == FC_OK && found && active->max_timestamp_ms < checkpoint->max_timestamp_ms) {
        /* Time entries could not be written where offset entries could: what holds the largest
         * timestamp is before the last of those. */
        code = forget_indexes(active, err);
        if (code == FC_OK) {
            code = walk_link(recovery, link, 0, active->base, bound, err);
        }
    }
    if (code == FC_OK && active->size > 0 && active->first_append_ms == 0) {
        active->first_append_ms = fc_clock_wall_ms(partition->env->clock);
    }
    link->rewrite_from = bound < active->size ? bound : active->size;
    link->end = partition->end;
    return code;
}

static fc_code open_link(struct fc_recovery *recovery, struct fc_recovery_link *link,
                         int64_t base, struct fc_error *err)
{
    struct fc_partition *partition = recovery->partition;
    struct fc_fs *fs = partition->env->fs;
    struct fc_active active = { .base = base,
                                .max_timestamp_ms = INT64_MIN,
                                .times_last_ms = INT64_MIN };
    char *path = fc_segment_path(partition->dir, base, FC_SEGMENT_LOG);
    fc_code code = fs->ops->open(fs, path, FC_FS_WRITE, &active.file, err);
    if (code == FC_OK) {
        code = fs->ops->size(active.file, &link->file_size, err);
    }
    free(path);
    fc_index_init(&active.offsets, fs, partition->dir, base, FC_SEGMENT_OFFSETS);
    fc_index_init(&active.times, fs, partition->dir, base, FC_SEGMENT_TIMES);
    active.offsets.held = true;
    active.times.held = true;
    partition->active = active;
    partition->end = base;
    if (code == FC_OK) {
        code = look_into_link(recovery, link, err);
    }
    link->active = partition->active;
    memset(&partition->active, 0, sizeof(partition->active));
    return code;
}

static fc_code take_links(struct fc_recovery *recovery, struct fc_error *err)
{
    struct fc_partition *partition = recovery->partition;
    const struct fc_checkpoint *checkpoint = &recovery->content.checkpoint;
    bool more = true;
    while (more && fc_directory_has_log(&recovery->names, partition->end)) {
        int64_t base = partition->end;
        struct fc_recovery_link *link;
        fc_code code;
        recovery->links = fc_realloc_array(recovery->links, recovery->links_count + 1,
                                           sizeof(*recovery->links));
        link = &recovery->links[recovery->links_count++];
        memset(link, 0, sizeof(*link));
        code = open_link(recovery, link, base, err);
        if (code != FC_OK) {
            return code;
        }
        more = !recovery->cut && link->end > base;
    }
    if (partition->end < checkpoint->durable) {
        char *path = fc_segment_path(partition->dir, partition->end, FC_SEGMENT_LOG);
        fc_code code = fc_fail(err, FC_ERR_CORRUPT,
                               "%s: missing (byte 0); offsets up to %" PRId64 " were durable",
                               path, checkpoint->durable);
        free(path);
        return code;
    }
    return FC_OK;
}

fc_code fc_recovery_look(struct fc_recovery *recovery, struct fc_error *err)
{
    struct fc_partition *partition = recovery->partition;
    fc_code code = fc_directory_read(&recovery->names, partition->env->fs, partition->dir, err);
    if (code == FC_OK) {
        code = load_manifest(recovery, err);
    }
    if (code == FC_OK) {
        code = take_closed(recovery, err);
    }
    if (code == FC_OK) {
        code = take_links(recovery, err);
    }
    return code;
}

void fc_recovery_release(struct fc_recovery *recovery)
{
    for (size_t index = 0; index < recovery->links_count; index++) {
        struct fc_active *active = &recovery->links[index].active;
        recovery->partition->env->fs->ops->close(active->file);
        fc_index_release(&active->offsets);
        fc_index_release(&active->times);
    }
    free(recovery->links);
    free(recovery->overlong);
    free(recovery->content.segments);
    fc_directory_release(&recovery->names);
    memset(recovery, 0, sizeof(*recovery));
}

/* Nothing is made before the first append, see fc_partition_prepare. */
static void be_fresh(struct fc_partition *partition, const struct fc_checkpoint *empty)
{
    partition->active.max_timestamp_ms = INT64_MIN;
    partition->active.times_last_ms = INT64_MIN;
    partition->synced = *empty;
    partition->exists = true;
    partition->fresh = true;
}

/* Those of segments that are there still, whatever their files are called as yet. */
static void take_aborted_files(const struct fc_recovery *recovery)
{
    struct fc_partition *partition = recovery->partition;
    for (size_t index = 0; index < recovery->names.count; index++) {
        const struct fc_directory_name *name = &recovery->names.names[index];
        size_t place = fc_partition_segment_of(partition, name->base);
        if (name->kind == FC_SEGMENT_ABORTED && place < partition->closed_count &&
            partition->closed[place].base == name->base) {
            fc_producer_state_add_file(partition, name->base);
        }
    }
}

fc_code fc_recovery_run(struct fc_partition *partition, struct fc_error *err)
{
    struct fc_recovery recovery = { .partition = partition };
    bool fresh;
    fc_code code = fc_recovery_look(&recovery, err);
    if (code == FC_OK) {
        partition->producers_at = recovery.content.checkpoint.producers_at;
        partition->producers_saved = recovery.content.checkpoint.producers_saved;
        if (recovery.fresh) {
            be_fresh(partition, &recovery.content.checkpoint);
        } else {
            code = fc_recovery_mend(&recovery, err);
        }
    }
    fresh = recovery.fresh;
    if (code == FC_OK) {
        take_aborted_files(&recovery);
    }
    fc_recovery_release(&recovery);
    if (code == FC_OK && !fresh) {
        code = fc_producer_state_load(partition, err);
    }
    return code;
}
