/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/compact_swap.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"

static const fc_segment_file kinds[] = { FC_SEGMENT_LOG, FC_SEGMENT_OFFSETS, FC_SEGMENT_TIMES,
                                         FC_SEGMENT_ABORTED };

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

fc_code fc_compact_open_log(const struct fc_partition *partition,
                            const struct fc_segment *segment, struct fc_file **out_file,
                            struct fc_error *err)
{
    struct fc_fs *fs = partition->env->fs;
    fc_code code = FC_ERR_NOT_FOUND;
    char *path;
    if (segment->state == FC_SEGMENT_SWAPPING) {
        path = fc_segment_swap_path(partition->dir, segment->base, FC_SEGMENT_LOG);
        code = fs->ops->open(fs, path, FC_FS_READ, out_file, err);
        free(path);
    }
    if (code == FC_ERR_NOT_FOUND) {
        path = fc_segment_path(partition->dir, segment->base, FC_SEGMENT_LOG);
        code = fs->ops->open(fs, path, FC_FS_READ, out_file, err);
        free(path);
    }
    return code;
}

bool fc_compact_is_swapping(const struct fc_partition *partition)
{
    bool swapping = false;
    for (size_t index = 0; index < partition->closed_count; index++) {
        swapping = swapping || partition->closed[index].state == FC_SEGMENT_SWAPPING;
    }
    return swapping;
}

/* FC_ERR_NOT_FOUND: it has its name already, or there is none. */
static fc_code rename_file(const struct fc_partition *partition, int64_t base,
                           fc_segment_file kind, struct fc_error *err)
{
    struct fc_fs *fs = partition->env->fs;
    char *from = fc_segment_swap_path(partition->dir, base, kind);
    char *to = fc_segment_path(partition->dir, base, kind);
    fc_code code = fs->ops->rename(fs, from, to, err);
    free(from);
    free(to);
    return code;
}

fc_code fc_compact_finish_swaps(struct fc_partition *partition, struct fc_error *err)
{
    struct fc_fs *fs = partition->env->fs;
    if (!fc_compact_is_swapping(partition)) {
        return FC_OK;
    }
    for (size_t index = 0; index < partition->closed_count; index++) {
        const struct fc_segment *segment = &partition->closed[index];
        for (size_t kind = 0; segment->state == FC_SEGMENT_SWAPPING && kind < KINDS; kind++) {
            fc_code code = rename_file(partition, segment->base, kinds[kind], err);
            if (code != FC_OK && code != FC_ERR_NOT_FOUND) {
                return code;
            }
        }
    }
    return fs->ops->sync_dir(fs, partition->dir, err);
}

/* The manifest's segments, with those of the swap replaced when there is one; the caller frees
 * them. lock is held. */
static struct fc_segment *list_segments(const struct fc_partition *partition, size_t place,
                                        const struct fc_compact_swap *swap, size_t *out_count)
{
    size_t count = partition->closed_count - partition->pending;
    struct fc_segment *list = fc_new_array(struct fc_segment, count + 1);
    size_t made = 0;
    for (size_t index = 0; index < count; index++) {
        if (swap == NULL || index < place || index >= place + swap->count) {
            list[made++] = partition->closed[index];
        } else if (index == place) {
            list[made++] = swap->made;
        }
    }
    *out_count = made;
    return list;
}

/* sync_lock is held. */
static fc_code write_manifest(struct fc_partition *partition, const struct fc_segment *list,
                              size_t count, struct fc_error *err)
{
    fc_code code =
        fc_manifest_rewrite(&partition->manifest, list, count, &partition->synced, err);
    if (code == FC_OK) {
        partition->manifest_dead = 0;
    }
    return code;
}

fc_code fc_compact_note_swapped(struct fc_partition *partition, struct fc_error *err)
{
    struct fc_segment *list;
    size_t count = 0;
    fc_code code;
    (void)pthread_mutex_lock(&partition->lock);
    list = list_segments(partition, 0, NULL, &count);
    (void)pthread_mutex_unlock(&partition->lock);
    for (size_t index = 0; index < count; index++) {
        if (list[index].state == FC_SEGMENT_SWAPPING) {
            list[index].state = FC_SEGMENT_SPARSE;
        }
    }
    code = write_manifest(partition, list, count, err);
    if (code == FC_OK) {
        (void)pthread_mutex_lock(&partition->lock);
        for (size_t index = 0; index < partition->closed_count; index++) {
            if (partition->closed[index].state == FC_SEGMENT_SWAPPING) {
                partition->closed[index].state = FC_SEGMENT_SPARSE;
            }
        }
        (void)pthread_mutex_unlock(&partition->lock);
    }
    free(list);
    return code;
}

/* Find the old segments, as they were. False: they are not there any more. lock is held. */
static bool find_old(const struct fc_partition *partition, const struct fc_compact_swap *swap,
                     size_t *out_place)
{
    size_t place = fc_partition_segment_of(partition, swap->old[0].base);
    bool found = place + swap->count <= partition->closed_count - partition->pending;
    for (size_t index = 0; found && index < swap->count; index++) {
        const struct fc_segment *now = &partition->closed[place + index];
        found = now->base == swap->old[index].base && now->end == swap->old[index].end &&
                now->size == swap->old[index].size;
    }
    *out_place = place;
    return found;
}

/* What is remembered of the old segments' files. lock is held. */
static void forget_places(struct fc_partition *partition, const struct fc_segment *made)
{
    for (size_t index = 0; index < FC_FETCH_PLACES; index++) {
        struct fc_place *place = &partition->fetch_places[index];
        if (place->segment_base >= made->base && place->segment_base < made->end) {
            place->offset = -1;
        }
    }
    if (partition->stable.segment_base >= made->base &&
        partition->stable.segment_base < made->end) {
        partition->stable.offset = -1;
    }
    fc_fetch_close_files(partition);
}

/* Bases of the old segments that have a list of aborted transactions become that of the new one,
 * if it has. lock is held. */
static void replace_aborted(struct fc_partition *partition, const struct fc_compact_swap *swap)
{
    int64_t *bases = fc_new_array(int64_t, partition->aborted_files_count + 1);
    size_t count = 0;
    size_t index = 0;
    while (index < partition->aborted_files_count &&
           partition->aborted_files[index] < swap->made.base) {
        bases[count++] = partition->aborted_files[index++];
    }
    if (swap->has_aborted) {
        bases[count++] = swap->made.base;
    }
    for (; index < partition->aborted_files_count; index++) {
        if (partition->aborted_files[index] >= swap->made.end) {
            bases[count++] = partition->aborted_files[index];
        }
    }
    free(partition->aborted_files);
    partition->aborted_files = bases;
    partition->aborted_files_count = count;
}

/* lock is held. */
static void replace_segments(struct fc_partition *partition, size_t place,
                             const struct fc_compact_swap *swap, fc_segment_state state)
{
    partition->closed[place] = swap->made;
    partition->closed[place].state = state;
    memmove(partition->closed + place + 1, partition->closed + place + swap->count,
            (partition->closed_count - place - swap->count) * sizeof(*partition->closed));
    partition->closed_count -= swap->count - 1;
}

/* The log first: when that fails, memory and files are as they were. The indexes may then be
 * those of the old files, but what they say is looked at before it is believed. */
static fc_code rename_files(struct fc_partition *partition, size_t place,
                            const struct fc_compact_swap *swap, struct fc_error *err)
{
    fc_code code;
    (void)pthread_mutex_lock(&partition->lock);
    code = rename_file(partition, swap->made.base, FC_SEGMENT_LOG, err);
    if (code == FC_OK) {
        for (size_t kind = 1; kind < KINDS; kind++) {
            fc_code renamed = kinds[kind] == FC_SEGMENT_ABORTED && !swap->has_aborted
                                  ? FC_OK
                                  : rename_file(partition, swap->made.base, kinds[kind], err);
            code = code == FC_OK ? renamed : code;
        }
        replace_segments(partition, place, swap, FC_SEGMENT_SWAPPING);
        replace_aborted(partition, swap);
        forget_places(partition, &swap->made);
        partition->swaps++;
    }
    (void)pthread_mutex_unlock(&partition->lock);
    return code;
}

static void remove_old(struct fc_partition *partition, const struct fc_compact_swap *swap)
{
    struct fc_fs *fs = partition->env->fs;
    for (size_t index = 1; index < swap->count; index++) {
        for (size_t kind = 0; kind < KINDS; kind++) {
            char *path = fc_segment_path(partition->dir, swap->old[index].base, kinds[kind]);
            /* What cannot be removed goes with the next open. */
            (void)fs->ops->remove(fs, path, NULL);
            free(path);
        }
    }
}

/* The manifest says so already: a failure here is for recovery to mend. sync_lock is held. */
static fc_code swap_files(struct fc_partition *partition, size_t place,
                          const struct fc_compact_swap *swap, struct fc_file *dir,
                          struct fc_error *err)
{
    struct fc_fs *fs = partition->env->fs;
    struct fc_file *held = NULL;
    fc_code code =
        fc_compact_open_log(partition, &swap->old[0], &held, NULL); /* freed without the lock */
    if (code != FC_OK) {
        held = NULL;
    }
    code = rename_files(partition, place, swap, err);
    fs->ops->close(held);
    if (code == FC_OK) {
        code = fc_fs_sync_once(dir, err);
    }
    return code == FC_OK ? code : FC_ERR_IO;
}

/* First what may find no descriptors, and leaves all as it is; then what cannot be taken back.
 * sync_lock is held. */
static fc_code write_and_swap(struct fc_partition *partition, size_t place,
                              const struct fc_compact_swap *swap, const struct fc_segment *list,
                              size_t count, struct fc_error *err)
{
    struct fc_fs *fs = partition->env->fs;
    struct fc_file *dir = NULL;
    fc_code code = fs->ops->open(fs, partition->dir, FC_FS_READ | FC_FS_DIRECTORY, &dir, err);
    if (code == FC_OK) {
        code = write_manifest(partition, list, count, err);
    }
    if (code == FC_OK) {
        code = swap_files(partition, place, swap, dir, err);
    }
    fs->ops->close(dir);
    return code;
}

static void fail(struct fc_partition *partition, struct fc_error *why)
{
    why->code = FC_ERR_IO;
    why->retriable = false;
    fc_partition_fail(partition, why, false);
}

/* sync_lock is held. */
static fc_code run_locked(struct fc_partition *partition, const struct fc_compact_swap *swap,
                          struct fc_error *why)
{
    struct fc_compact_swap written = *swap;
    struct fc_segment *list = NULL;
    size_t place = 0;
    size_t count = 0;
    fc_code code = FC_OK;
    if (swap->has_files) {
        written.made.state = FC_SEGMENT_SWAPPING;
    }
    (void)pthread_mutex_lock(&partition->lock);
    if (partition->failed) {
        *why = partition->failure;
        code = why->code;
    } else if (!find_old(partition, swap, &place)) {
        code = fc_fail(why, FC_ERR_NOT_FOUND, "the segments are not there any more");
    } else {
        list = list_segments(partition, place, &written, &count);
    }
    (void)pthread_mutex_unlock(&partition->lock);
    if (code != FC_OK) {
        return code;
    }
    code = swap->has_files ? write_and_swap(partition, place, swap, list, count, why)
                           : write_manifest(partition, list, count, why);
    free(list);
    if (swap->has_files) {
        if (code == FC_OK) {
            code = fc_compact_note_swapped(partition, why);
            code = code == FC_ERR_FULL ? FC_OK : code; /* before the next swap, then */
            remove_old(partition, swap);
        }
    } else if (code == FC_OK) {
        (void)pthread_mutex_lock(&partition->lock);
        replace_segments(partition, place, swap, swap->made.state);
        (void)pthread_mutex_unlock(&partition->lock);
    }
    if (code != FC_OK && code != FC_ERR_FULL) {
        fail(partition, why);
        code = FC_ERR_IO;
    }
    return code;
}

fc_code fc_compact_swap_run(struct fc_partition *partition, const struct fc_compact_swap *swap,
                            struct fc_error *err)
{
    struct fc_error why = { 0 };
    fc_code code;
    fc_assert(swap->has_files || swap->count == 1);
    (void)pthread_mutex_lock(&partition->sync_lock);
    code = run_locked(partition, swap, &why);
    (void)pthread_mutex_unlock(&partition->sync_lock);
    if (code != FC_OK && err != NULL) {
        *err = why;
    }
    return code;
}

void fc_compact_swap_drop(struct fc_partition *partition, int64_t base)
{
    struct fc_fs *fs = partition->env->fs;
    for (size_t kind = 0; kind < KINDS; kind++) {
        char *path = fc_segment_swap_path(partition->dir, base, kinds[kind]);
        /* What cannot be removed is overwritten by the next, or goes with the next open. */
        (void)fs->ops->remove(fs, path, NULL);
        free(path);
    }
}

fc_code fc_compact_swap_settle(struct fc_partition *partition, struct fc_error *err)
{
    struct fc_error why = { 0 };
    fc_code code = FC_OK;
    bool swapping;
    (void)pthread_mutex_lock(&partition->sync_lock);
    (void)pthread_mutex_lock(&partition->lock);
    swapping = fc_compact_is_swapping(partition);
    if (partition->failed) {
        why = partition->failure;
        code = why.code;
    }
    (void)pthread_mutex_unlock(&partition->lock);
    if (code == FC_OK && swapping) {
        code = fc_compact_note_swapped(partition, &why);
        if (code != FC_OK && code != FC_ERR_FULL) {
            fail(partition, &why);
            code = FC_ERR_IO;
        }
    }
    (void)pthread_mutex_unlock(&partition->sync_lock);
    if (code != FC_OK && err != NULL) {
        *err = why;
    }
    return code;
}
