/* SPDX-License-Identifier: Apache-2.0 */
/* Finding out from the log what its producers did: from the snapshot on, header by header. */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/aborted.h"
#include "core/log/fetch_walk.h"
#include "core/log/producer_state.h"
#include "core/log/snapshot.h"

enum { MARKER_BODY_MAX = 1024 };

static fc_code read_marker(struct fc_file *file, const struct fc_batch_header *header,
                           uint64_t at, struct fc_marker *out_marker, struct fc_error *err)
{
    uint8_t body[MARKER_BODY_MAX];
    uint64_t size = fc_batch_size(header) - FC_BATCH_HEADER_SIZE;
    size_t got = 0;
    fc_code code =
        file->fs->ops->read(file, at + FC_BATCH_HEADER_SIZE, body,
                            size < sizeof(body) ? (size_t)size : sizeof(body), &got, err);
    return code == FC_OK ? fc_marker_decode(fc_slice_of(body, got), out_marker, err) : code;
}

static fc_code replay_batch(struct fc_partition *partition, struct fc_file *file,
                            const struct fc_batch_header *header, uint64_t at,
                            struct fc_error *err)
{
    struct fc_marker marker = { 0 };
    bool control = (header->attributes & FC_BATCH_CONTROL) != 0;
    fc_code code = FC_OK;
    if (header->producer_id < 0 || (control && header->count == 0)) {
        return FC_OK;
    }
    if (control) {
        code = read_marker(file, header, at, &marker, err);
    }
    if (code == FC_OK) {
        /* Nothing says when it came. Who is remembered for too long does no harm. */
        fc_producers_note(&partition->producers, header, control ? &marker : NULL,
                          fc_clock_wall_ms(partition->env->clock));
    }
    return code;
}

/* The batches of one segment from byte `at` on. */
static fc_code replay_segment(struct fc_partition *partition, int64_t base, uint64_t at,
                              uint64_t size, struct fc_error *err)
{
    struct fc_fs *fs = partition->env->fs;
    char *path = fc_segment_path(partition->dir, base, FC_SEGMENT_LOG);
    struct fc_header_walk walk;
    struct fc_file *file = NULL;
    fc_code code = fs->ops->open(fs, path, FC_FS_READ, &file, err);
    fc_header_walk_init(&walk, file, at);
    while (code == FC_OK && walk.at < size) {
        struct fc_batch_header header;
        at = walk.at;
        code = fc_header_walk_next(&walk, &header, err);
        if (code == FC_OK) {
            code = replay_batch(partition, file, &header, at, err);
        }
    }
    if (code == FC_ERR_CORRUPT) {
        (void)fc_wrap(err, "%s", path);
    }
    fc_header_walk_release(&walk);
    fs->ops->close(file);
    free(path);
    return code;
}

/* Its list of aborted transactions may not have been written before a crash. */
static fc_code leave_segment(struct fc_partition *partition, int64_t base, struct fc_error *err)
{
    struct fc_producers *producers = &partition->producers;
    fc_code code = FC_OK;
    if (producers->aborted_count > 0) {
        code = fc_aborted_write(partition->env->fs, partition->dir, base, producers->aborted,
                                producers->aborted_count, err);
        producers->aborted_count = 0;
        fc_producer_state_add_file(partition, base);
    }
    return code;
}

/* A snapshot was taken where a segment was closed later: what it says of aborted transactions
 * is that segment's. */
static fc_code give_back(struct fc_partition *partition, int64_t from, struct fc_error *err)
{
    size_t index = fc_partition_segment_of(partition, from);
    int64_t base = index < partition->closed_count ? partition->closed[index].base
                                                   : partition->active.base;
    if (base != from) {
        return FC_OK;
    }
    if (index == 0 || partition->closed[index - 1].state != FC_SEGMENT_DENSE) {
        partition->producers.aborted_count = 0; /* that segment is gone, or has its file */
        return FC_OK;
    }
    return leave_segment(partition, partition->closed[index - 1].base, err);
}

static fc_code replay(struct fc_partition *partition, int64_t from, struct fc_error *err)
{
    struct fc_place begin = { from, partition->active.base, partition->active.size };
    size_t first = fc_partition_segment_of(partition, from);
    fc_code code = FC_OK;
    if (from < partition->end) {
        code = fc_fetch_walk_find(partition, NULL, from, &begin, err);
    }
    for (size_t index = first; code == FC_OK && index < partition->closed_count; index++) {
        const struct fc_segment *segment = &partition->closed[index];
        code = replay_segment(partition, segment->base, index == first ? begin.at : 0,
                              segment->size, err);
        if (segment->state != FC_SEGMENT_DENSE) {
            partition->producers.aborted_count = 0; /* its file says which still have records */
        } else if (code == FC_OK) {
            code = leave_segment(partition, segment->base, err);
        }
    }
    if (code == FC_OK && from < partition->end && partition->active.size > 0) {
        code = replay_segment(partition, partition->active.base,
                              first < partition->closed_count ? 0 : begin.at,
                              partition->active.size, err);
    }
    return code;
}

fc_code fc_producer_state_load(struct fc_partition *partition, struct fc_error *err)
{
    int64_t from = partition->producers_at;
    int64_t first;
    struct fc_error why;
    fc_code code = FC_OK;
    if (partition->producers_saved) {
        code = fc_snapshot_read(partition->env->fs, partition->dir, from, &partition->producers,
                                &why);
        if (code == FC_ERR_NOT_FOUND || code == FC_ERR_CORRUPT || code == FC_ERR_CONFIG) {
            fc_log_notice(partition->env,
                          "%s: producers are found out from the whole log again, since their "
                          "snapshot cannot be read: %s",
                          partition->dir, why.message);
            from = 0;
            partition->producers_saved = false;
            partition->producers_at = 0;
            code = FC_OK;
        } else if (code != FC_OK && err != NULL) {
            *err = why;
        }
    }
    if (code != FC_OK) {
        return code;
    }
    first = partition->closed_count > 0 ? partition->closed[0].base : partition->active.base;
    from = from > first ? from : first;
    code = give_back(partition, from, err);
    if (code == FC_OK) {
        code = replay(partition, from, err);
    }
    if (code == FC_OK) {
        fc_producer_state_expire(partition);
        if (from < partition->active.base && !fc_producers_is_empty(&partition->producers)) {
            fc_producer_state_save(partition); /* so that the next open reads less */
            partition->synced.producers_at = partition->producers_at;
            partition->synced.producers_saved = partition->producers_saved;
        }
    }
    return code;
}
