/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Syncing a partition: note what is there, make the files and their names durable without
 * holding the lock, then move `durable`, enter closed segments in the manifest and write the
 * checkpoint. The checkpoint itself need not be durable: it only ever says less than is true.
 */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/producer_state.h"

/* What one sync covers. */
struct snapshot {
    struct fc_checkpoint checkpoint;
    struct fc_file *active;
    struct fc_file **pending; /* NULL while count is 0 */
    struct fc_segment *segments;
    size_t count;
    bool name_unsynced;
    bool write_out; /* first, since it may be much */
    struct fc_producer_save producers;
};

/* False when nothing needs a sync. lock is held. */
static bool take_snapshot(struct fc_partition *partition, struct snapshot *out)
{
    size_t first = partition->closed_count - partition->pending;
    memset(out, 0, sizeof(*out));
    if (partition->end == partition->durable && partition->pending == 0 &&
        !partition->snapshot_wanted && !partition->sync_again) {
        return false;
    }
    fc_partition_checkpoint_now(partition, &out->checkpoint);
    out->active = partition->active.file;
    out->write_out = partition->config.flush_os;
    if (out->write_out) {
        partition->active.waiting = 0;
    }
    out->count = partition->pending;
    if (out->count > 0) {
        out->pending = fc_new_array(struct fc_file *, out->count);
        out->segments = fc_new_array(struct fc_segment, out->count);
    }
    for (size_t index = 0; index < out->count; index++) {
        out->pending[index] = partition->pending_files[index];
        out->segments[index] = partition->closed[first + index];
    }
    out->name_unsynced = partition->name_unsynced;
    partition->name_unsynced = false;
    fc_producer_state_take(partition, &out->producers);
    return true;
}

/* Nothing of it counts: the next sync does all of it again, the group's, too, which the partition
 * joins once however often it finds no descriptors. What was synced of it already costs that one
 * little. */
static void give_back(struct fc_partition *partition, const struct snapshot *snapshot,
                      const struct fc_error *why)
{
    bool told;
    (void)pthread_mutex_lock(&partition->lock);
    told = partition->sync_again;
    partition->sync_again = true;
    partition->name_unsynced = partition->name_unsynced || snapshot->name_unsynced;
    if (!partition->config.flush_os) {
        fc_partition_join_group(partition);
    }
    (void)pthread_mutex_unlock(&partition->lock);
    if (!told) {
        fc_log_notice(partition->env, "%s: it cannot be synced for now: %s", partition->dir,
                      why->message);
    }
}

/* An index that is not there is no loss: look-ups do without. */
static fc_code sync_index(struct fc_partition *partition, int64_t base, fc_segment_file kind,
                          struct fc_error *err)
{
    struct fc_fs *fs = partition->env->fs;
    char *path = fc_segment_path(partition->dir, base, kind);
    struct fc_file *file = NULL;
    fc_code code = fs->ops->open(fs, path, FC_FS_WRITE, &file, err);
    if (code == FC_OK) {
        code = fc_fs_sync_once(file, err);
        fs->ops->close(file);
    } else if (code == FC_ERR_NOT_FOUND) {
        code = FC_OK;
    }
    free(path);
    return code;
}

static fc_code sync_log(const struct snapshot *snapshot, struct fc_file *file, uint64_t size,
                        struct fc_error *err)
{
    if (snapshot->write_out) {
        file->fs->ops->write_out(file, 0, size); /* what is written already costs a look */
    }
    return fc_fs_sync_once(file, err);
}

static fc_code sync_files(struct fc_partition *partition, const struct snapshot *snapshot,
                          struct fc_error *err)
{
    struct fc_fs *fs = partition->env->fs;
    fc_code code = FC_OK;
    for (size_t index = 0; code == FC_OK && index < snapshot->count; index++) {
        code =
            sync_log(snapshot, snapshot->pending[index], snapshot->segments[index].size, err);
        if (code == FC_OK) {
            code =
                sync_index(partition, snapshot->segments[index].base, FC_SEGMENT_OFFSETS, err);
        }
        if (code == FC_OK) {
            code = sync_index(partition, snapshot->segments[index].base, FC_SEGMENT_TIMES, err);
        }
    }
    if (code == FC_OK) {
        code = sync_log(snapshot, snapshot->active, snapshot->checkpoint.segment_size, err);
    }
    if (code == FC_OK && snapshot->name_unsynced) {
        code = fs->ops->sync_dir(fs, partition->dir, err);
    }
    return code;
}

/* The segments are in the manifest: forget their files. */
static void forget_pending(struct fc_partition *partition, size_t count)
{
    (void)pthread_mutex_lock(&partition->lock);
    for (size_t index = 0; index < count; index++) {
        partition->env->fs->ops->close(partition->pending_files[index]);
    }
    partition->pending -= count;
    for (size_t index = 0; index < partition->pending; index++) {
        partition->pending_files[index] = partition->pending_files[index + count];
    }
    (void)pthread_mutex_unlock(&partition->lock);
}

/* Enter closed segments, once what belongs to them is written. Without room for that they stay
 * pending, and the next sync tries again. */
static fc_code record_closed(struct fc_partition *partition, struct snapshot *snapshot,
                             struct fc_error *err)
{
    fc_code code =
        fc_producer_state_write(partition, &snapshot->producers, &snapshot->checkpoint, err);
    if (code == FC_OK && snapshot->count > 0) {
        code = fc_manifest_add(&partition->manifest, snapshot->segments, snapshot->count, err);
        if (code == FC_OK) {
            code = fc_manifest_sync(&partition->manifest, err);
        }
        if (code == FC_OK) {
            forget_pending(partition, snapshot->count);
        }
    }
    return code == FC_ERR_FULL ? FC_OK : code; /* no sync of the manifest says so */
}

/* Overwrite the checkpoint; durable when it is the first that names a snapshot. */
static fc_code put_checkpoint(struct fc_partition *partition,
                              const struct fc_checkpoint *checkpoint, struct fc_error *err)
{
    fc_code code = fc_manifest_put(&partition->manifest, checkpoint, err);
    if (code == FC_OK && partition->snapshot_old_known) {
        code = fc_manifest_sync(&partition->manifest, err);
        if (code == FC_OK) {
            fc_producer_state_tidy(partition);
        }
    }
    /* Where even an overwrite needs room: an older checkpoint is true, too. */
    return code == FC_ERR_FULL ? FC_OK : code;
}

static fc_code record(struct fc_partition *partition, struct snapshot *snapshot,
                      struct fc_error *err)
{
    fc_code code;
    (void)pthread_mutex_lock(&partition->lock);
    partition->sync_again = false;
    if (snapshot->checkpoint.durable > partition->durable) {
        partition->durable = snapshot->checkpoint.durable;
    }
    fc_partition_raise_high(partition, snapshot->checkpoint.durable,
                            snapshot->checkpoint.segment_base,
                            snapshot->checkpoint.segment_size);
    (void)pthread_mutex_unlock(&partition->lock);
    fc_partition_notify(partition);
    code = record_closed(partition, snapshot, err);
    partition->synced = snapshot->checkpoint;
    return code == FC_OK ? put_checkpoint(partition, &snapshot->checkpoint, err) : code;
}

fc_code fc_partition_sync(struct fc_partition *partition, struct fc_error *err)
{
    struct snapshot snapshot = { 0 };
    struct fc_error why = { 0 };
    bool needed = false;
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&partition->sync_lock);
    (void)pthread_mutex_lock(&partition->lock);
    partition->in_group = false;
    if (partition->dropped) {
        needed = false;
    } else if (partition->doubtful) {
        why = partition->failure;
        code = why.code;
    } else {
        needed = take_snapshot(partition, &snapshot);
    }
    (void)pthread_mutex_unlock(&partition->lock);
    if (needed) {
        code = sync_files(partition, &snapshot, &why);
        if (code == FC_OK) {
            code = record(partition, &snapshot, &why);
        }
        if (code == FC_ERR_FULL) {
            give_back(partition, &snapshot, &why);
        } else if (code != FC_OK) {
            /* The system may have dropped the pages and call the next sync a success. */
            code = FC_ERR_IO;
            why.code = code;
            why.retriable = false;
            fc_partition_fail(partition, &why, false);
        }
    }
    fc_producer_state_release(partition, &snapshot.producers);
    (void)pthread_mutex_unlock(&partition->sync_lock);
    free(snapshot.pending);
    free(snapshot.segments);
    if (code != FC_OK && err != NULL) {
        *err = why;
    }
    return code;
}
