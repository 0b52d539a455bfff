/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fetch is a stretch of one segment's file. Its end is known without looking when it is the
 * limit or the segment's end; its beginning, when an earlier fetch ended there. Otherwise
 * headers are walked over, from the index entry before.
 */
#include "core/log/fetch.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/fetch_walk.h"
#include "core/log/lookup.h"
#include "core/log/partition_state.h"

struct fc_fetch_file {
    _Atomic uint32_t references;
    int64_t base;
    struct fc_file *file;
};

struct fc_fetch_file *fc_fetch_file_ref(struct fc_fetch_file *file)
{
    file->references++;
    return file;
}

void fc_fetch_file_unref(struct fc_fetch_file *file)
{
    if (file != NULL && --file->references == 0) {
        file->file->fs->ops->close(file->file);
        free(file);
    }
}

void fc_fetch_close_files(struct fc_partition *partition)
{
    for (size_t index = 0; index < FC_FETCH_FILES; index++) {
        fc_fetch_file_unref(partition->fetch_files[index]);
        partition->fetch_files[index] = NULL;
    }
}

void fc_fetch_range_release(struct fc_fetch_range *range)
{
    fc_fetch_file_unref(range->file);
    range->file = NULL;
    range->size = 0;
}

fc_code fc_fetch_read(const struct fc_fetch_range *range, uint64_t skip, void *to, size_t size,
                      struct fc_error *err)
{
    struct fc_file *file = range->file->file;
    size_t got = 0;
    fc_code code;
    fc_assert(skip <= range->size && size <= range->size - skip);
    code = file->fs->ops->read(file, range->at + skip, to, size, &got, err);
    if (code == FC_OK && got < size) {
        code = fc_fail(err, FC_ERR_CORRUPT, "a segment is cut short");
    }
    return code;
}

/* What is known once the lock was taken. */
struct plan {
    int64_t segment_base;
    struct fc_place end; /* of what may be given: the limit's, or the segment's */
    bool begin_known;
    struct fc_place begin;
    uint64_t swaps; /* see fc_partition_swaps */
};

/* Put a file at the front in place of the one at `index`. */
static void put_first(struct fc_fetch_file **files, size_t index, struct fc_fetch_file *file)
{
    for (; index > 0; index--) {
        files[index] = files[index - 1];
    }
    files[0] = file;
}

/* A file that is open already, moved to the front, as a reference. lock is held. */
static struct fc_fetch_file *take_open(struct fc_partition *partition, int64_t base)
{
    struct fc_fetch_file **files = partition->fetch_files;
    for (size_t index = 0; index < FC_FETCH_FILES; index++) {
        if (files[index] != NULL && files[index]->base == base) {
            struct fc_fetch_file *found = files[index];
            put_first(files, index, found);
            return fc_fetch_file_ref(found);
        }
    }
    return NULL;
}

static void keep_open(struct fc_partition *partition, struct fc_fetch_file *file,
                      uint64_t swaps)
{
    struct fc_fetch_file **files = partition->fetch_files;
    struct fc_fetch_file *dropped = NULL;
    (void)pthread_mutex_lock(&partition->lock);
    if (!partition->dropped && partition->swaps == swaps) {
        dropped = files[FC_FETCH_FILES - 1];
        put_first(files, FC_FETCH_FILES - 1, fc_fetch_file_ref(file));
    }
    (void)pthread_mutex_unlock(&partition->lock);
    fc_fetch_file_unref(dropped);
}

static fc_code open_file(struct fc_partition *partition, const struct plan *plan,
                         struct fc_fetch_file **out_file, struct fc_error *err)
{
    struct fc_fs *fs = partition->env->fs;
    char *path = fc_segment_path(partition->dir, plan->segment_base, FC_SEGMENT_LOG);
    struct fc_file *opened = NULL;
    fc_code code = fs->ops->open(fs, path, FC_FS_READ, &opened, err);
    free(path);
    if (code == FC_OK) {
        struct fc_fetch_file *file = fc_new(struct fc_fetch_file);
        file->references = 1;
        file->base = plan->segment_base;
        file->file = opened;
        keep_open(partition, file, plan->swaps);
        *out_file = file;
    }
    return code;
}

static void read_offsets(const struct fc_partition *partition, struct fc_partition_offsets *out)
{
    out->start = partition->start;
    out->durable = partition->durable;
    out->end = partition->end;
    out->high_watermark = partition->high.offset;
    out->stable = fc_partition_stable(partition, partition->high.offset);
}

/* How far this fetch may go. False: the last stable offset's place has to be looked up first.
 * lock is held. */
static bool limit_of(const struct fc_partition *partition, fc_isolation isolation,
                     const struct fc_partition_offsets *offsets, struct fc_place *out_limit)
{
    struct fc_place end = { partition->end, partition->active.base, partition->active.size };
    *out_limit = isolation == FC_ISOLATION_END ? end : partition->high;
    if (isolation == FC_ISOLATION_STABLE && offsets->stable < partition->high.offset) {
        *out_limit = partition->stable;
        return partition->stable.offset == offsets->stable;
    }
    return true;
}

static void plan_begin(const struct fc_partition *partition, int64_t offset, struct plan *plan)
{
    struct fc_place first = { plan->segment_base, plan->segment_base, 0 };
    plan->begin_known = offset == plan->segment_base;
    plan->begin = first;
    for (size_t index = 0; !plan->begin_known && index < FC_FETCH_PLACES; index++) {
        const struct fc_place *place = &partition->fetch_places[index];
        if (place->offset == offset && place->segment_base == plan->segment_base) {
            plan->begin = *place;
            plan->begin_known = true;
        }
    }
}

/* offset is in the log and below the limit. lock is held. */
static void make_plan(const struct fc_partition *partition, int64_t offset,
                      const struct fc_place *limit, struct plan *plan)
{
    size_t index = fc_partition_segment_of(partition, offset);
    struct fc_place end = { partition->end, partition->active.base, partition->active.size };
    if (index < partition->closed_count) {
        end.offset = partition->closed[index].end;
        end.segment_base = partition->closed[index].base;
        end.at = partition->closed[index].size;
    }
    plan->segment_base = end.segment_base;
    plan->swaps = partition->swaps;
    plan->end = end;
    if (limit->segment_base == end.segment_base && limit->offset < end.offset) {
        plan->end = *limit;
    }
    plan_begin(partition, offset, plan);
}

static fc_code fail_range(const struct fc_partition *partition, int64_t offset,
                          struct fc_fetch_range *range, struct fc_error *err)
{
    range->error = FC_KAFKA_OFFSET_OUT_OF_RANGE;
    return fc_fail(err, FC_ERR_NOT_FOUND,
                   "%s: offset %" PRId64 " is not in the log, which has %" PRId64
                   " to %" PRId64,
                   partition->dir, offset, range->offsets.start, range->offsets.end);
}

/* Find where the last stable offset is; it is the beginning of a batch. */
static fc_code find_stable(struct fc_partition *partition, int64_t offset, struct fc_error *err)
{
    struct fc_place place = { -1, 0, 0 };
    uint64_t swaps = fc_partition_swaps(partition);
    fc_code code = fc_fetch_walk_find(partition, NULL, offset, &place, err);
    (void)pthread_mutex_lock(&partition->lock);
    if (partition->swaps != swaps) {
        code = FC_OK; /* the next fetch looks again */
    } else if (code == FC_OK) {
        place.offset = offset;
        partition->stable = place;
    }
    (void)pthread_mutex_unlock(&partition->lock);
    return code;
}

/* Under the lock: everything that needs it. *out_again: look up the stable offset and come
 * again. */
static fc_code prepare(struct fc_partition *partition, const struct fc_fetch *fetch,
                       struct fc_fetch_range *range, struct plan *plan, bool *out_again,
                       struct fc_error *err)
{
    struct fc_place limit;
    fc_code code = FC_OK;
    bool known;
    (void)pthread_mutex_lock(&partition->lock);
    read_offsets(partition, &range->offsets);
    known = limit_of(partition, fetch->isolation, &range->offsets, &limit);
    if (partition->damaged) {
        code = partition->failure.code;
        range->error = fc_kafka_error_of(code);
        if (err != NULL) {
            *err = partition->failure;
        }
    } else if (fetch->offset < partition->start || fetch->offset > partition->end) {
        code = fail_range(partition, fetch->offset, range, err);
    } else if (!known) {
        *out_again = fetch->offset < range->offsets.stable;
    } else if (fetch->offset < limit.offset) {
        make_plan(partition, fetch->offset, &limit, plan);
        range->file = take_open(partition, plan->segment_base);
        range->size = 1; /* there is something */
    }
    (void)pthread_mutex_unlock(&partition->lock);
    return code;
}

static void remember_end(struct fc_partition *partition, const struct fc_place *end,
                         uint64_t swaps)
{
    bool known;
    (void)pthread_mutex_lock(&partition->lock);
    known = partition->swaps != swaps;
    for (size_t index = 0; !known && index < FC_FETCH_PLACES; index++) {
        known = partition->fetch_places[index].offset == end->offset;
    }
    if (!known) {
        partition->fetch_places[partition->fetch_places_next] = *end;
        partition->fetch_places_next = (partition->fetch_places_next + 1) % FC_FETCH_PLACES;
    }
    (void)pthread_mutex_unlock(&partition->lock);
}

/* Open what has to be open, and find beginning and end. */
static fc_code locate(struct fc_partition *partition, const struct fc_fetch *fetch,
                      struct fc_fetch_range *range, struct plan *plan, struct fc_error *err)
{
    struct fc_place end = plan->end;
    fc_code code = FC_OK;
    if (range->file == NULL) {
        code = open_file(partition, plan, &range->file, err);
    }
    if (code == FC_OK && !plan->begin_known) {
        code =
            fc_fetch_walk_find(partition, range->file->file, fetch->offset, &plan->begin, err);
    }
    if (code == FC_OK && end.at - plan->begin.at > fetch->bytes_max) {
        code = fc_fetch_walk_cut(partition, range->file->file, &plan->begin, fetch->bytes_max,
                                 fetch->at_least_one, &end, err);
    }
    if (code != FC_OK) {
        return code;
    }
    range->fd = range->file->file->fs->ops->descriptor(range->file->file);
    range->at = plan->begin.at;
    range->size = end.at - plan->begin.at;
    range->base_offset = plan->begin.offset;
    range->next_offset = end.offset;
    if (range->size > 0) {
        remember_end(partition, &end, plan->swaps);
    }
    return FC_OK;
}

/* A file that is not there: retention or a deletion was faster, or it is lost. */
static fc_code explain_missing(struct fc_partition *partition, const struct fc_fetch *fetch,
                               struct fc_fetch_range *range, struct fc_error *err)
{
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&partition->lock);
    read_offsets(partition, &range->offsets);
    if (partition->damaged) {
        code = partition->failure.code;
        range->error = fc_kafka_error_of(code);
        if (err != NULL) {
            *err = partition->failure;
        }
    } else if (fetch->offset < partition->start) {
        code = fail_range(partition, fetch->offset, range, err);
    }
    (void)pthread_mutex_unlock(&partition->lock);
    if (code == FC_OK) {
        range->error = FC_KAFKA_KAFKA_STORAGE_ERROR;
        code = fc_fail(err, FC_ERR_CORRUPT,
                       "%s: the segment with offset %" PRId64 " is missing (byte 0)",
                       partition->dir, fetch->offset);
    }
    return code;
}

/* *out_again: files were replaced meanwhile. */
static fc_code try_fetch(struct fc_partition *partition, const struct fc_fetch *fetch,
                         struct fc_fetch_range *out_range, bool *out_again,
                         struct fc_error *err)
{
    struct fc_fetch_range range = { .fd = -1, .base_offset = -1, .next_offset = -1 };
    struct plan plan = { 0 };
    bool again = false;
    fc_code code = prepare(partition, fetch, &range, &plan, &again, err);
    if (code == FC_OK && again) {
        code = find_stable(partition, range.offsets.stable, err);
        again = false;
        if (code == FC_OK) {
            code = prepare(partition, fetch, &range, &plan, &again, err);
        }
        /* It moved meanwhile: this fetch finds nothing, the next one will. */
    }
    if (code == FC_OK && range.size > 0) {
        code = locate(partition, fetch, &range, &plan, err);
        *out_again = fc_partition_swaps(partition) != plan.swaps;
        if (code == FC_ERR_NOT_FOUND && !*out_again) {
            code = explain_missing(partition, fetch, &range, err);
        }
    }
    if (code != FC_OK || range.size == 0) {
        fc_fetch_range_release(&range);
    }
    if (code != FC_OK && range.error == FC_KAFKA_NONE) {
        range.error = fc_kafka_error_of(code);
    }
    *out_range = range;
    return code;
}

fc_code fc_partition_fetch(struct fc_partition *partition, const struct fc_fetch *fetch,
                           struct fc_fetch_range *out_range, struct fc_error *err)
{
    struct fc_fetch asked = *fetch;
    bool again;
    fc_code code;
    do {
        again = false;
        code = try_fetch(partition, &asked, out_range, &again, err);
        if (again) {
            fc_fetch_range_release(out_range);
        } else if (code == FC_OK && out_range->size == 0 &&
                   out_range->next_offset > asked.offset) {
            asked.offset = out_range->next_offset; /* a sparse segment has no more */
            again = true;
        }
    } while (again);
    return code;
}
