/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Appending: under the partition's lock the batch gets its offset, is written behind the last
 * one with a single call, and becomes readable. A write that fails for lack of room is cut off
 * again; any other failure leaves bytes of unknown state behind the end, so the partition takes
 * no more appends until recovery has looked at it.
 *
 * While one sync runs, what comes in meanwhile would lie idle until the next; so the disk is
 * asked to begin with it, piece by piece. That shortens the next sync, and what a slow commit of
 * the file system's journal leaves to catch up with.
 */
#include "core/log/append.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/batch_decoder.h"
#include "core/log/bytes.h"
#include "core/log/watch.h"

enum {
    RESERVE_FROM = 1024 * 1024, /* smaller segments are not worth it */
    RESERVE_MAX = 64 * 1024 * 1024,
    BEGIN_SYNC_BYTES = 256 * 1024, /* enough for the disk to be worth a request */
    PAGE_BYTES = 4096
};

static bool must_roll(const struct fc_partition *partition, uint64_t batch_size, int64_t count)
{
    const struct fc_active *active = &partition->active;
    return active->size > 0 && (active->size + batch_size > partition->config.segment_bytes ||
                                partition->end - active->base > (int64_t)INT32_MAX - count ||
                                fc_partition_active_is_old(partition));
}

bool fc_partition_active_is_old(const struct fc_partition *partition)
{
    const struct fc_partition_config *config = &partition->config;
    int64_t age_max = config->segment_ms;
    if (config->retention_ms >= 0 && (age_max < 0 || config->retention_ms < age_max)) {
        age_max = config->retention_ms;
    }
    if (config->compact && config->compaction_lag_max_ms < INT64_MAX &&
        (age_max < 0 || config->compaction_lag_max_ms < age_max)) {
        age_max = config->compaction_lag_max_ms;
    }
    return age_max >= 0 && partition->active.size > 0 &&
           fc_clock_wall_ms(partition->env->clock) - partition->active.first_append_ms >=
               age_max;
}

/* Room ahead of the appends, as much as the segment is long already, so that little is held by
 * topics that hold little. lock is held. */
static void reserve_room(const struct fc_partition *partition, struct fc_active *active,
                         uint64_t more)
{
    uint64_t room = active->size < RESERVE_MAX ? active->size : RESERVE_MAX;
    uint64_t left = partition->config.segment_bytes - active->size;
    if (active->size < RESERVE_FROM || active->size + more <= active->reserved) {
        return;
    }
    if (room > left) {
        room = left;
    }
    if (room >= more) {
        active->file->fs->ops->reserve(active->file, active->size, room);
        active->reserved = active->size + room;
    }
}

/* Write behind the end; on failure nothing counts as appended. lock is held. */
static fc_code write_batch(struct fc_partition *partition, const struct fc_append *append,
                           uint64_t size, struct fc_error *err)
{
    struct fc_active *active = &partition->active;
    struct fc_error why;
    fc_code code;
    reserve_room(partition, active, size);
    code = active->file->fs->ops->write(active->file, active->size, append->parts,
                                        append->parts_count, &why);
    if (code == FC_OK) {
        return FC_OK;
    }
    active->reserved = 0; /* given back with what is cut off */
    if (code == FC_ERR_FULL &&
        active->file->fs->ops->truncate(active->file, active->size, NULL) != FC_OK) {
        code = FC_ERR_IO;
    }
    if (code != FC_ERR_FULL) {
        why.code = FC_ERR_IO;
        why.retriable = false;
        fc_partition_fail_locked(partition, &why, false);
        code = FC_ERR_IO;
    }
    if (err != NULL) {
        *err = why;
    }
    return code;
}

static fc_code make_room(struct fc_partition *partition, const struct fc_batch_header *header,
                         struct fc_error *err)
{
    struct fc_error why;
    fc_code code = FC_OK;
    if (partition->failed) {
        if (err != NULL) {
            *err = partition->failure;
        }
        return partition->failure.code;
    }
    if (must_roll(partition, fc_batch_size(header), (int64_t)header->last_offset_delta + 1)) {
        code = fc_partition_roll(partition, &why);
        if (code == FC_ERR_IO) {
            fc_partition_fail_locked(partition, &why, false);
        }
        if (code != FC_OK && err != NULL) {
            *err = why;
        }
    }
    return code;
}

/* Whole pages only: the next append would have to wait for a page that is being written. lock is
 * held. */
static void begin_sync(struct fc_active *active, uint64_t added)
{
    active->waiting += added;
    if (active->waiting >= BEGIN_SYNC_BYTES) {
        uint64_t from = active->size - active->waiting;
        uint64_t end = active->size - active->size % PAGE_BYTES;
        active->file->fs->ops->begin_sync(active->file, from, end - from);
        active->waiting = active->size - end;
    }
}

fc_code fc_append_locked(struct fc_partition *partition, const struct fc_append *append,
                         struct fc_batch_header *out_header, struct fc_error *err)
{
    uint8_t *bytes = append->parts[0].iov_base;
    fc_code code;
    fc_bytes_put64(bytes, (uint64_t)partition->end);
    fc_bytes_put32(bytes + 12, (uint32_t)partition->leader_epoch);
    fc_batch_header_decode(bytes, out_header);
    code = make_room(partition, out_header, err);
    if (code == FC_OK) {
        code = write_batch(partition, append, fc_batch_size(out_header), err);
    }
    if (code != FC_OK) {
        return code;
    }
    if (partition->active.size == 0) {
        partition->active.first_append_ms = fc_clock_wall_ms(partition->env->clock);
    }
    fc_partition_account(partition, out_header, partition->active.size);
    if (partition->config.flush_os) {
        fc_partition_raise_high(partition, partition->end, partition->active.base,
                                partition->active.size);
        partition->active.waiting += fc_batch_size(out_header);
    } else {
        fc_partition_join_group(partition);
        begin_sync(&partition->active, fc_batch_size(out_header));
    }
    (void)pthread_cond_broadcast(&partition->changed);
    return FC_OK;
}

void fc_append_unlock(struct fc_partition *partition)
{
    bool many = partition->pending >= FC_PENDING_MANY && !partition->failed;
    (void)pthread_mutex_unlock(&partition->lock);
    fc_partition_notify(partition);
    if (many) {
        fc_code code = fc_partition_sync(partition, NULL);
        (void)code; /* the batch is appended, whatever it says */
    }
}

void fc_append_free_decoder(struct fc_batch_decoder *decoder)
{
    if (decoder != NULL) {
        fc_batch_decoder_release(decoder);
        free(decoder);
    }
}

void fc_append_note_producer(struct fc_partition *partition,
                             const struct fc_batch_header *header,
                             const struct fc_marker *marker)
{
    if (header->producer_id >= 0) {
        fc_producers_note(&partition->producers, header, marker,
                          fc_clock_wall_ms(partition->env->clock));
        partition->unsaved_bytes += fc_batch_size(header);
        (void)fc_producers_settle(&partition->producers, partition->high.offset);
    }
}

fc_code fc_partition_append(struct fc_partition *partition, struct fc_batch_builder *batch,
                            int64_t *out_base, struct fc_error *err)
{
    struct fc_buf *body =
        batch->body.data == batch->packed.data ? &batch->packed : &batch->plain;
    struct fc_append append = {
        { { batch->header, FC_BATCH_HEADER_SIZE }, { body->data, body->len } }, 2
    };
    struct fc_batch_header header;
    fc_code code;
    fc_assert(batch->sealed && batch->count > 0 && !partition->env->read_only);
    code = fc_partition_prepare(partition, err);
    if (code != FC_OK) {
        return code;
    }
    (void)pthread_mutex_lock(&partition->lock);
    code = fc_append_locked(partition, &append, &header, err);
    fc_append_unlock(partition);
    if (code == FC_OK) {
        *out_base = header.base_offset;
    }
    return code;
}

void fc_partition_set_leader_epoch(struct fc_partition *partition, int32_t epoch)
{
    (void)pthread_mutex_lock(&partition->lock);
    partition->leader_epoch = epoch;
    (void)pthread_mutex_unlock(&partition->lock);
}

int32_t fc_partition_leader_epoch(struct fc_partition *partition)
{
    int32_t epoch;
    (void)pthread_mutex_lock(&partition->lock);
    epoch = partition->leader_epoch;
    (void)pthread_mutex_unlock(&partition->lock);
    return epoch;
}
