/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/producer_state.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/aborted.h"
#include "core/log/snapshot.h"

enum {
    SAVE_BYTES = 128 * 1024 * 1024, /* of log, after which a snapshot is worth its syncs */
    EXPIRATION_MS_DEFAULT = 24 * 3600 * 1000,
    GUARD_MS = 3600 * 1000 /* a coordinator answers much sooner */
};

static void set_pending(struct fc_partition *partition, int64_t at, struct fc_buf *bytes)
{
    fc_buf_release(&partition->snapshot_bytes);
    partition->snapshot_bytes = *bytes;
    partition->snapshot_at = at;
    partition->snapshot_pending = true;
}

static void encode_pending(struct fc_partition *partition)
{
    struct fc_buf bytes;
    fc_snapshot_encode(&partition->producers, partition->end, &bytes);
    if (bytes.failed) {
        fc_buf_release(&bytes); /* then the next open reads more */
    } else {
        set_pending(partition, partition->end, &bytes);
    }
    partition->unsaved_bytes = 0;
}

void fc_producer_state_roll(struct fc_partition *partition, int64_t closed_base)
{
    struct fc_producers *producers = &partition->producers;
    if (fc_producers_is_empty(producers)) {
        return;
    }
    if (producers->aborted_count > 0) {
        struct fc_aborted_segment segment = { closed_base, producers->aborted,
                                              producers->aborted_count };
        partition->aborted_pending = fc_realloc_array(
            partition->aborted_pending, partition->aborted_pending_count + 1, sizeof(segment));
        partition->aborted_pending[partition->aborted_pending_count++] = segment;
        producers->aborted = NULL;
        producers->aborted_count = 0;
        producers->aborted_capacity = 0;
    }
    encode_pending(partition);
}

void fc_producer_state_take(struct fc_partition *partition, struct fc_producer_save *out_save)
{
    struct fc_producer_save save = { 0 };
    bool empty = fc_producers_is_empty(&partition->producers);
    if (!empty && (partition->unsaved_bytes > SAVE_BYTES || partition->snapshot_wanted)) {
        encode_pending(partition);
    }
    partition->snapshot_wanted = false;
    save.empty = empty && partition->aborted_pending_count == 0;
    save.snapshot = partition->snapshot_pending && !save.empty;
    if (save.snapshot) {
        save.at = partition->snapshot_at;
        save.bytes = partition->snapshot_bytes;
        memset(&partition->snapshot_bytes, 0, sizeof(partition->snapshot_bytes));
    }
    partition->snapshot_pending = false;
    save.segments_count = partition->aborted_pending_count;
    if (save.segments_count > 0) {
        save.segments = fc_new_array(struct fc_aborted_segment, save.segments_count);
        memcpy(save.segments, partition->aborted_pending,
               save.segments_count * sizeof(*save.segments));
    }
    *out_save = save;
}

void fc_producer_state_add_file(struct fc_partition *partition, int64_t base)
{
    size_t count = partition->aborted_files_count;
    size_t gone = 0;
    while (gone < count && partition->aborted_files[gone] < partition->start) {
        gone++; /* but for the one that start may be in, retention has removed them */
    }
    if (gone > 1) {
        partition->aborted_files_count = count -= gone - 1;
        memmove(partition->aborted_files, partition->aborted_files + gone - 1,
                count * sizeof(int64_t));
    }
    if (count == 0 || partition->aborted_files[count - 1] < base) {
        partition->aborted_files =
            fc_realloc_array(partition->aborted_files, count + 1, sizeof(int64_t));
        partition->aborted_files[partition->aborted_files_count++] = base;
    }
}

/* They are on disk: forget them. */
static void forget_segments(struct fc_partition *partition, size_t count)
{
    (void)pthread_mutex_lock(&partition->lock);
    for (size_t index = 0; index < count; index++) {
        fc_producer_state_add_file(partition, partition->aborted_pending[index].base);
        free(partition->aborted_pending[index].items);
    }
    partition->aborted_pending_count -= count;
    if (partition->aborted_pending_count > 0) {
        memmove(partition->aborted_pending, partition->aborted_pending + count,
                partition->aborted_pending_count * sizeof(*partition->aborted_pending));
    }
    (void)pthread_mutex_unlock(&partition->lock);
}

/* The partition's snapshot is this one from now on; the one before goes when that is durable. */
static void name_snapshot(struct fc_partition *partition, int64_t at)
{
    if (partition->producers_saved && partition->producers_at != at) {
        partition->snapshot_old = partition->producers_at;
        partition->snapshot_old_known = true;
    }
    partition->producers_at = at;
    partition->producers_saved = true;
}

fc_code fc_producer_state_write(struct fc_partition *partition, struct fc_producer_save *save,
                                struct fc_checkpoint *checkpoint, struct fc_error *err)
{
    struct fc_fs *fs = partition->env->fs;
    size_t written = 0;
    fc_code code = FC_OK;
    for (; code == FC_OK && written < save->segments_count; written++) {
        code =
            fc_aborted_write(fs, partition->dir, save->segments[written].base,
                             save->segments[written].items, save->segments[written].count, err);
    }
    if (code == FC_OK) {
        forget_segments(partition, written);
    }
    if (code == FC_OK && save->snapshot) {
        code = fc_snapshot_write(fs, partition->dir, save->at, fc_buf_slice(&save->bytes), err);
        if (code == FC_OK) {
            name_snapshot(partition, save->at);
            save->snapshot = false;
            fc_buf_release(&save->bytes);
        }
    } else if (code == FC_OK && save->empty) {
        partition->producers_at = checkpoint->durable;
        partition->producers_saved = false; /* what file there is goes with the next open */
    }
    checkpoint->producers_at = partition->producers_at;
    checkpoint->producers_saved = partition->producers_saved;
    return code;
}

void fc_producer_state_release(struct fc_partition *partition, struct fc_producer_save *save)
{
    if (save->snapshot) {
        (void)pthread_mutex_lock(&partition->lock);
        if (!partition->snapshot_pending) {
            set_pending(partition, save->at, &save->bytes);
            memset(&save->bytes, 0, sizeof(save->bytes));
        }
        (void)pthread_mutex_unlock(&partition->lock);
    }
    fc_buf_release(&save->bytes);
    free(save->segments);
    memset(save, 0, sizeof(*save));
}

void fc_producer_state_tidy(struct fc_partition *partition)
{
    if (partition->snapshot_old_known) {
        char *path =
            fc_segment_path(partition->dir, partition->snapshot_old, FC_SEGMENT_PRODUCERS);
        partition->snapshot_old_known = false;
        /* What cannot be removed goes with the next open. */
        (void)partition->env->fs->ops->remove(partition->env->fs, path, NULL);
        free(path);
    }
}

void fc_producer_state_save(struct fc_partition *partition)
{
    struct fc_buf bytes;
    if (partition->aborted_pending_count > 0 ||
        (partition->producers_saved && partition->producers_at == partition->end)) {
        return;
    }
    if (fc_producers_is_empty(&partition->producers)) {
        partition->producers_at = partition->end;
        partition->producers_saved = false;
        return;
    }
    fc_snapshot_encode(&partition->producers, partition->end, &bytes);
    if (!bytes.failed && fc_snapshot_write(partition->env->fs, partition->dir, partition->end,
                                           fc_buf_slice(&bytes), NULL) == FC_OK) {
        name_snapshot(partition, partition->end);
    }
    fc_buf_release(&bytes);
}

bool fc_producer_state_covers(const struct fc_partition *partition, int64_t offset)
{
    return offset <= partition->producers_at || fc_producers_is_empty(&partition->producers);
}

void fc_producer_state_expire(struct fc_partition *partition)
{
    int64_t expiration_ms = partition->env->producer_expiration_ms;
    int64_t now_ms = fc_clock_wall_ms(partition->env->clock);
    (void)pthread_mutex_lock(&partition->lock);
    fc_producers_expire(&partition->producers,
                        now_ms - (expiration_ms == 0 ? EXPIRATION_MS_DEFAULT : expiration_ms));
    fc_producers_expire_guards(&partition->producers, now_ms - GUARD_MS);
    (void)pthread_mutex_unlock(&partition->lock);
}
