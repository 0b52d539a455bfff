/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/partition.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/deadline.h"
#include "core/log/append.h"
#include "core/log/bytes.h"
#include "core/log/group_sync.h"
#include "core/log/partition_state.h"
#include "core/log/producer_state.h"

enum { INDEX_WRITE_BYTES = 8 * 1024 * 1024 /* of log between two writes of its indexes */ };

void fc_log_notice(const struct fc_log_env *env, const char *fmt, ...)
{
    char text[FC_ERROR_MESSAGE_SIZE * 2];
    va_list args;
    if (env->on_notice != NULL) {
        va_start(args, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, args); /* cut when too long */
        va_end(args);
        env->on_notice(env->notice_ctx, text);
    }
}

static void free_partition(struct fc_partition *partition)
{
    struct fc_fs *fs = partition->env->fs;
    for (size_t index = 0; index < partition->pending; index++) {
        fs->ops->close(partition->pending_files[index]);
    }
    free(partition->pending_files);
    fs->ops->close(partition->active.file);
    fc_index_release(&partition->active.offsets);
    fc_index_release(&partition->active.times);
    fc_manifest_release(&partition->manifest);
    free(partition->closed);
    free(partition->dir);
    fc_producers_release(&partition->producers);
    for (size_t index = 0; index < partition->aborted_pending_count; index++) {
        free(partition->aborted_pending[index].items);
    }
    free(partition->aborted_pending);
    free(partition->aborted_files);
    fc_buf_release(&partition->snapshot_bytes);
    fc_fetch_close_files(partition);
    fc_append_free_decoder(partition->decoder);
    (void)pthread_mutex_destroy(&partition->watch_lock);
    (void)pthread_cond_destroy(&partition->changed); /* nobody waits any more */
    (void)pthread_mutex_destroy(&partition->lock);
    (void)pthread_mutex_destroy(&partition->sync_lock);
    free(partition);
}

fc_code fc_partition_open(const struct fc_log_env *env, const char *dir,
                          const struct fc_partition_config *config,
                          struct fc_partition **out_partition, struct fc_error *err)
{
    struct fc_partition *partition = fc_new(struct fc_partition);
    fc_code code;
    partition->env = env;
    partition->dir = fc_strdup(dir);
    partition->config = *config;
    (void)pthread_mutex_init(&partition->sync_lock, NULL); /* these cannot fail on Linux */
    (void)pthread_mutex_init(&partition->watch_lock, NULL);
    fc_producers_init(&partition->producers);
    for (size_t index = 0; index < FC_FETCH_PLACES; index++) {
        partition->fetch_places[index].offset = -1;
    }
    partition->stable.offset = -1;
    (void)pthread_mutex_init(&partition->lock, NULL);
    fc_deadline_cond_init(&partition->changed);
    code = env->read_only ? fc_follow_refresh(partition, true, err)
                          : fc_recovery_run(partition, err);
    if (code != FC_OK) {
        free_partition(partition);
        return code;
    }
    fc_partition_raise_high(partition, partition->durable, partition->active.base,
                            partition->active.size);
    *out_partition = partition;
    return FC_OK;
}

/* The next open finds what this one did, or left. */
static bool is_as_recorded(const struct fc_partition *partition)
{
    const struct fc_checkpoint *synced = &partition->synced;
    const struct fc_active *active = &partition->active;
    return partition->fresh ||
           (partition->end == partition->durable && partition->pending == 0 &&
            synced->durable == partition->end && synced->start == partition->start &&
            synced->segment_base == active->base && synced->segment_size == active->size &&
            synced->offsets_written == active->offsets.written &&
            synced->times_written == active->times.written && active->offsets.buffered == 0 &&
            active->times.buffered == 0 && partition->aborted_pending_count == 0 &&
            partition->producers_at == partition->end &&
            synced->producers_at == partition->producers_at &&
            synced->producers_saved == partition->producers_saved &&
            !partition->manifest.unsynced && !partition->snapshot_old_known);
}

/* With everything synced and the indexes whole, the next open has next to nothing to walk over;
 * where that fails, it walks further. */
static fc_code close_cleanly(struct fc_partition *partition)
{
    struct fc_active *active = &partition->active;
    struct fc_checkpoint checkpoint;
    fc_code code;
    if (is_as_recorded(partition)) {
        return FC_OK;
    }
    code = fc_partition_sync(partition, NULL);
    if (code == FC_OK && fc_index_write(&active->times, NULL) == FC_OK &&
        fc_index_write(&active->offsets, NULL) == FC_OK) {
        code = fc_index_finish(&active->offsets, NULL);
    }
    if (code == FC_OK) {
        code = fc_index_finish(&active->times, NULL);
    }
    if (code == FC_OK) {
        fc_producer_state_save(partition);
        fc_partition_checkpoint_now(partition, &checkpoint);
        code = fc_manifest_put(&partition->manifest, &checkpoint, NULL);
    }
    if (code == FC_OK) {
        code = fc_manifest_sync(&partition->manifest, NULL);
    }
    if (code == FC_OK) {
        fc_producer_state_tidy(partition);
    }
    return code;
}

void fc_partition_close(struct fc_partition *partition)
{
    if (partition == NULL) {
        return;
    }
    if (!partition->env->read_only && !partition->failed && close_cleanly(partition) != FC_OK) {
        fc_log_notice(partition->env,
                      "%s: could not be closed cleanly; it is recovered when "
                      "it is opened again",
                      partition->dir);
    }
    free_partition(partition);
}

void fc_partition_join_group(struct fc_partition *partition)
{
    if (!partition->in_group && partition->env->group != NULL) {
        partition->in_group = true;
        fc_group_sync_add(partition->env->group, partition);
    }
}

void fc_partition_configure(struct fc_partition *partition,
                            const struct fc_partition_config *config)
{
    (void)pthread_mutex_lock(&partition->lock);
    partition->config = *config;
    if (config->flush_os) {
        fc_partition_raise_high(partition, partition->end, partition->active.base,
                                partition->active.size);
    } else if (partition->end > partition->durable) {
        fc_partition_join_group(partition);
    }
    (void)pthread_mutex_unlock(&partition->lock);
    fc_partition_notify(partition);
}

const char *fc_partition_dir(const struct fc_partition *partition)
{
    return partition->dir;
}

/* Whoever asks next is told, too; but that may be long after, and what it is told reaches nobody who
 * can look at the disk. */
static void report_failure(const struct fc_partition *partition, const struct fc_error *why,
                           bool damaged)
{
    const struct fc_log_env *env = partition->env;
    void (*report)(void *ctx, const char *text) =
        env->on_failure == NULL ? env->on_notice : env->on_failure;
    char *text;
    if (report == NULL || env->read_only) {
        return; /* of a reader, its caller learns */
    }
    text = fc_asprintf("%s: %s; %s", partition->dir, why->message,
                       damaged ? "the partition stops"
                               : "it takes no more appends until it is opened again");
    report(env->notice_ctx, text);
    free(text);
}

void fc_partition_fail_locked(struct fc_partition *partition, const struct fc_error *why,
                              bool damaged)
{
    partition->doubtful = partition->doubtful || !damaged;
    if (!partition->failed || (damaged && !partition->damaged)) {
        partition->failed = true;
        partition->damaged = damaged;
        partition->failure = *why;
        report_failure(partition, why, damaged);
        (void)pthread_cond_broadcast(&partition->changed);
    }
}

void fc_partition_fail(struct fc_partition *partition, const struct fc_error *why, bool damaged)
{
    (void)pthread_mutex_lock(&partition->lock);
    fc_partition_fail_locked(partition, why, damaged);
    (void)pthread_mutex_unlock(&partition->lock);
    fc_partition_notify(partition);
}

void fc_partition_drop(struct fc_partition *partition, const struct fc_error *why)
{
    struct fc_fs *fs = partition->env->fs;
    (void)pthread_mutex_lock(&partition->lock);
    partition->failed = true;
    partition->damaged = true;
    partition->dropped = true;
    partition->failure = *why;
    (void)pthread_cond_broadcast(&partition->changed);
    (void)pthread_mutex_unlock(&partition->lock);
    fc_partition_notify(partition);
    (void)pthread_mutex_lock(&partition->sync_lock); /* no sync uses the files now */
    (void)pthread_mutex_lock(&partition->lock);
    for (size_t index = 0; index < partition->pending; index++) {
        fs->ops->close(partition->pending_files[index]);
    }
    partition->pending = 0;
    fs->ops->close(partition->active.file);
    partition->active.file = NULL;
    fc_fetch_close_files(partition);
    (void)pthread_mutex_unlock(&partition->lock);
    (void)pthread_mutex_unlock(&partition->sync_lock);
}

void fc_partition_push_closed(struct fc_partition *partition, const struct fc_segment *segment)
{
    if (partition->closed_count == partition->closed_capacity) {
        partition->closed_capacity =
            partition->closed_capacity == 0 ? 16 : partition->closed_capacity * 2;
        partition->closed = fc_realloc_array(partition->closed, partition->closed_capacity,
                                             sizeof(struct fc_segment));
    }
    partition->closed[partition->closed_count++] = *segment;
}

/*
 * Large batches have few entries: what the buffers hold must not be more than recovery may walk
 * over. It walks from the last offset entry of the file on, and has the largest timestamp before
 * that from the times: so both are written together, and the offsets only behind the times. An
 * index that cannot be written is sparser, which look-ups can live with.
 */
static void write_indexes(struct fc_active *active)
{
    bool much = active->size - active->indexed_size > INDEX_WRITE_BYTES;
    if ((much || fc_index_is_full(&active->offsets)) && !active->offsets.held) {
        if (fc_index_write(&active->times, NULL) == FC_OK) {
            (void)fc_index_write(&active->offsets, NULL);
        }
        active->indexed_size = active->size;
    }
}

void fc_partition_account(struct fc_partition *partition, const struct fc_batch_header *header,
                          uint64_t at)
{
    struct fc_active *active = &partition->active;
    int64_t last = fc_batch_last_offset(header);
    if (header->max_timestamp_ms > active->max_timestamp_ms) {
        active->max_timestamp_ms = header->max_timestamp_ms;
        active->max_offset = last;
    }
    if (active->since_index > FC_INDEX_INTERVAL_BYTES && !partition->env->read_only) {
        fc_index_add(&active->offsets, last - active->base, (uint32_t)at);
        if (active->max_timestamp_ms > active->times_last_ms) {
            active->times_last_ms = active->max_timestamp_ms;
            fc_index_add(&active->times, active->max_timestamp_ms,
                         (uint32_t)(active->max_offset - active->base));
        }
        active->since_index = 0;
        write_indexes(active);
    }
    active->since_index += fc_batch_size(header);
    active->size = at + fc_batch_size(header);
    partition->end = last + 1;
}

fc_code fc_partition_begin_active(struct fc_partition *partition, int64_t base,
                                  struct fc_error *err)
{
    struct fc_fs *fs = partition->env->fs;
    struct fc_active active = { .base = base,
                                .max_timestamp_ms = INT64_MIN,
                                .times_last_ms = INT64_MIN };
    if (!partition->env->read_only) {
        char *path = fc_segment_path(partition->dir, base, FC_SEGMENT_LOG);
        fc_code code = fs->ops->open(fs, path, FC_FS_WRITE | FC_FS_CREATE | FC_FS_EXCLUSIVE,
                                     &active.file, err);
        free(path);
        if (code != FC_OK) {
            if (err != NULL) {
                err->code = code == FC_ERR_FULL ? code : FC_ERR_IO;
            }
            return code == FC_ERR_FULL ? code : FC_ERR_IO;
        }
        partition->name_unsynced = true;
    }
    fc_index_init(&active.offsets, fs, partition->dir, base, FC_SEGMENT_OFFSETS);
    fc_index_init(&active.times, fs, partition->dir, base, FC_SEGMENT_TIMES);
    partition->active = active;
    return FC_OK;
}

static void push_pending_file(struct fc_partition *partition, struct fc_file *file)
{
    if (partition->pending == partition->pending_capacity) {
        partition->pending_capacity =
            partition->pending_capacity == 0 ? 4 : partition->pending_capacity * 2;
        partition->pending_files = fc_realloc_array(
            partition->pending_files, partition->pending_capacity, sizeof(struct fc_file *));
    }
    partition->pending_files[partition->pending++] = file;
}

fc_code fc_partition_roll(struct fc_partition *partition, struct fc_error *err)
{
    struct fc_active old = partition->active;
    struct fc_segment closed = { .base = old.base,
                                 .end = partition->end,
                                 .size = old.size,
                                 .max_timestamp_ms = old.max_timestamp_ms };
    fc_code code = fc_partition_begin_active(partition, partition->end, err);
    if (code != FC_OK) {
        return code;
    }
    if (!partition->env->read_only) {
        if (old.max_timestamp_ms > old.times_last_ms) {
            fc_index_add(&old.times, old.max_timestamp_ms,
                         (uint32_t)(old.max_offset - old.base));
        }
        /* An index that cannot be written is sparser, which look-ups can live with. */
        (void)fc_index_write(&old.offsets, NULL);
        (void)fc_index_write(&old.times, NULL);
        push_pending_file(partition, old.file);
    }
    fc_partition_push_closed(partition, &closed);
    fc_producer_state_roll(partition, old.base);
    fc_index_release(&old.offsets);
    fc_index_release(&old.times);
    return FC_OK;
}

void fc_partition_checkpoint_now(const struct fc_partition *partition,
                                 struct fc_checkpoint *out_checkpoint)
{
    const struct fc_active *active = &partition->active;
    struct fc_checkpoint checkpoint = {
        .start = partition->start,
        .durable = partition->end,
        .segment_base = active->base,
        .segment_size = active->size,
        .max_timestamp_ms = active->max_timestamp_ms,
        .first_append_ms = active->first_append_ms,
        .offsets_written = active->offsets.written,
        .offsets_crc = active->offsets.crc,
        .times_written = active->times.written,
        .times_crc = active->times.crc,
        .producers_at = partition->producers_at,
        .producers_saved = partition->producers_saved,
    };
    *out_checkpoint = checkpoint;
}

void fc_partition_raise_high(struct fc_partition *partition, int64_t offset,
                             int64_t segment_base, uint64_t at)
{
    struct fc_place high = { offset, segment_base, at };
    if (offset > partition->high.offset) {
        partition->high = high;
        (void)fc_producers_settle(&partition->producers, offset);
    }
}

int64_t fc_partition_stable(const struct fc_partition *partition, int64_t high_watermark)
{
    int64_t unstable = fc_producers_unstable(&partition->producers);
    if (unstable >= high_watermark) {
        return high_watermark;
    }
    return unstable > partition->start ? unstable : partition->start;
}

fc_code fc_partition_offsets(struct fc_partition *partition,
                             struct fc_partition_offsets *out_offsets, struct fc_error *err)
{
    fc_code code = FC_OK;
    if (partition->env->read_only) {
        code = fc_follow_refresh(partition, true, err);
        if (code != FC_OK) {
            return code;
        }
    }
    (void)pthread_mutex_lock(&partition->lock);
    if (partition->damaged) {
        code = partition->failure.code;
        if (err != NULL) {
            *err = partition->failure;
        }
    } else {
        out_offsets->start = partition->start;
        out_offsets->durable = partition->durable;
        out_offsets->end = partition->end;
        out_offsets->high_watermark =
            partition->env->read_only ? partition->durable : partition->high.offset;
        out_offsets->stable = fc_partition_stable(partition, out_offsets->high_watermark);
    }
    (void)pthread_mutex_unlock(&partition->lock);
    return code;
}

int64_t fc_partition_readable(const struct fc_partition *partition)
{
    bool whole = !partition->env->read_only || partition->env->read_whole;
    return whole || partition->end < partition->durable ? partition->end : partition->durable;
}

void fc_partition_wait(struct fc_partition *partition, int64_t offset, int wait_ms,
                       uint64_t *wake)
{
    struct timespec until = fc_deadline_in_ms(wait_ms);
    int waited = 0;
    (void)pthread_mutex_lock(&partition->lock);
    while (waited == 0 && fc_partition_readable(partition) <= offset &&
           partition->wakes == *wake && !partition->damaged) {
        waited = pthread_cond_timedwait(&partition->changed, &partition->lock, &until);
    }
    *wake = partition->wakes;
    (void)pthread_mutex_unlock(&partition->lock);
}

void fc_partition_wake(struct fc_partition *partition)
{
    (void)pthread_mutex_lock(&partition->lock);
    partition->wakes++;
    (void)pthread_cond_broadcast(&partition->changed);
    (void)pthread_mutex_unlock(&partition->lock);
}

uint64_t fc_partition_wakes(struct fc_partition *partition)
{
    uint64_t wakes;
    (void)pthread_mutex_lock(&partition->lock);
    wakes = partition->wakes;
    (void)pthread_mutex_unlock(&partition->lock);
    return wakes;
}

size_t fc_partition_segment_of(const struct fc_partition *partition, int64_t offset)
{
    size_t low = 0; /* segments below it end at or before offset */
    size_t high = partition->closed_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (partition->closed[middle].end <= offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}
