/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest in memory gives the segment, its index a batch not far before the offset. An
 * index entry counts only when the batch that it points at ends with the offset that it names;
 * otherwise the walk begins at the segment's first byte, which is slower and always right.
 */
#include "core/log/lookup.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/log/log_reader.h"
#include "core/log/partition_state.h"

/* The last index entry that is at most the target; the segment may grow here or not. */
static fc_code find_entry(struct fc_partition *partition, int64_t base, fc_segment_file kind,
                          const struct fc_index_target *target, bool *out_found,
                          struct fc_index_entry *out_entry, struct fc_error *err)
{
    fc_code code = FC_OK;
    bool growing;
    char *path;
    *out_found = false;
    (void)pthread_mutex_lock(&partition->lock);
    growing = partition->active.base == base && !partition->env->read_only;
    if (growing) {
        const struct fc_index *index =
            kind == FC_SEGMENT_TIMES ? &partition->active.times : &partition->active.offsets;
        code = fc_index_find(index, target, out_found, out_entry, err);
    }
    (void)pthread_mutex_unlock(&partition->lock);
    if (growing) {
        return code;
    }
    path = fc_segment_path(partition->dir, base, kind);
    code = fc_index_find_in_file(partition->env->fs, path, kind, target, out_found, out_entry,
                                 err);
    free(path);
    return code;
}

/* Take over the batch at `at` as the place to begin with if it ends with last_offset and does
 * not begin behind offset. */
static fc_code check_place(struct fc_partition *partition, uint64_t at, int64_t last_offset,
                           int64_t offset, struct fc_lookup_place *place, struct fc_error *err)
{
    struct fc_fs *fs = partition->env->fs;
    char *path = fc_segment_path(partition->dir, place->segment_base, FC_SEGMENT_LOG);
    struct fc_file *file = NULL;
    struct fc_batch_header header;
    uint8_t bytes[FC_BATCH_HEADER_SIZE];
    size_t got = 0;
    fc_code code = fs->ops->open(fs, path, FC_FS_READ, &file, err);
    free(path);
    if (code == FC_OK) {
        code = fs->ops->read(file, at, bytes, sizeof(bytes), &got, err);
    }
    fs->ops->close(file);
    if (code == FC_OK && got == sizeof(bytes)) {
        fc_batch_header_decode(bytes, &header);
        if (fc_batch_header_check(&header) == NULL &&
            fc_batch_last_offset(&header) == last_offset && header.base_offset <= offset) {
            place->at = at;
            place->offset = header.base_offset;
        }
    }
    return code;
}

uint64_t fc_partition_swaps(struct fc_partition *partition)
{
    uint64_t swaps;
    (void)pthread_mutex_lock(&partition->lock);
    swaps = partition->swaps;
    (void)pthread_mutex_unlock(&partition->lock);
    return swaps;
}

static void find_segment(struct fc_partition *partition, int64_t offset,
                         struct fc_lookup_place *place)
{
    size_t index;
    (void)pthread_mutex_lock(&partition->lock);
    index = fc_partition_segment_of(partition, offset);
    if (index < partition->closed_count) {
        const struct fc_segment *segment = &partition->closed[index];
        place->segment_base = segment->base;
        place->segment_end = segment->end;
        place->segment_size = segment->size;
        place->closed = true;
        place->sparse = segment->state != FC_SEGMENT_DENSE;
        place->swapping = segment->state == FC_SEGMENT_SWAPPING && partition->env->read_only;
    } else {
        place->segment_base = partition->active.base;
        place->segment_end = partition->end;
        place->segment_size = partition->active.size;
    }
    (void)pthread_mutex_unlock(&partition->lock);
}

fc_code fc_lookup_offset(struct fc_partition *partition, int64_t offset,
                         struct fc_lookup_place *out_place, struct fc_error *err)
{
    struct fc_lookup_place place = { 0 };
    struct fc_index_target target = { false, 0 };
    struct fc_index_entry entry = { 0, 0 };
    bool found = false;
    fc_code code = FC_OK;
    find_segment(partition, offset, &place);
    if (place.segment_base > offset) {
        return fc_fail(err, FC_ERR_NOT_FOUND, "offset %" PRId64 " was removed", offset);
    }
    place.offset = place.segment_base;
    target.most = offset - place.segment_base;
    if (target.most > 0 && !place.swapping) {
        code = find_entry(partition, place.segment_base, FC_SEGMENT_OFFSETS, &target, &found,
                          &entry, err);
    }
    if (code == FC_OK && found) {
        code = check_place(partition, entry.value, place.segment_base + entry.key, offset,
                           &place, err);
    }
    if (code == FC_OK) {
        *out_place = place;
    }
    return code;
}

void fc_lookup_skip(struct fc_partition *partition, int64_t segment_base, uint64_t from,
                    uint64_t to, uint64_t *out_at, int64_t *out_offset)
{
    const struct fc_index_target target = { true, (int64_t)to };
    struct fc_lookup_place place = { .segment_base = segment_base, .offset = -1 };
    struct fc_index_entry entry = { 0, 0 };
    bool found = false;
    if (find_entry(partition, segment_base, FC_SEGMENT_OFFSETS, &target, &found, &entry,
                   NULL) == FC_OK &&
        found && entry.value > from &&
        check_place(partition, entry.value, segment_base + entry.key, INT64_MAX, &place,
                    NULL) == FC_OK &&
        place.offset >= 0) {
        *out_at = place.at;
        *out_offset = place.offset;
    }
}

/* Where the search for a time begins: a segment that has one so late, and in it an offset up to
 * which everything is earlier. False when there is none. */
static bool segment_for_time(struct fc_partition *partition, int64_t time_ms, int64_t *out_base)
{
    bool found = false;
    (void)pthread_mutex_lock(&partition->lock);
    for (size_t index = 0; !found && index < partition->closed_count; index++) {
        if (partition->closed[index].max_timestamp_ms >= time_ms) {
            *out_base = partition->closed[index].base;
            found = true;
        }
    }
    if (!found && partition->active.size > 0 && partition->active.max_timestamp_ms >= time_ms) {
        *out_base = partition->active.base;
        found = true;
    }
    (void)pthread_mutex_unlock(&partition->lock);
    return found;
}

/* A time index entry counts only when the batch that ends with its offset has its timestamp:
 * then everything up to there is at most that old. */
static fc_code check_time_entry(struct fc_partition *partition, int64_t last_offset,
                                int64_t time_ms, bool *out_true, struct fc_error *err)
{
    struct fc_fs *fs = partition->env->fs;
    struct fc_lookup_place place = { 0 };
    struct fc_batch_header header = { .base_offset = -1, .last_offset_delta = 0 };
    struct fc_file *file = NULL;
    char *path;
    fc_code code = fc_lookup_offset(partition, last_offset, &place, err);
    *out_true = false;
    if (code != FC_OK) {
        return code;
    }
    path = fc_segment_path(partition->dir, place.segment_base, FC_SEGMENT_LOG);
    code = fs->ops->open(fs, path, FC_FS_READ, &file, err);
    free(path);
    while (code == FC_OK && fc_batch_last_offset(&header) < last_offset) {
        uint8_t bytes[FC_BATCH_HEADER_SIZE];
        size_t got = 0;
        code = fs->ops->read(file, place.at, bytes, sizeof(bytes), &got, err);
        if (code != FC_OK || got < sizeof(bytes)) {
            break;
        }
        fc_batch_header_decode(bytes, &header);
        if (fc_batch_header_check(&header) != NULL) {
            break;
        }
        place.at += fc_batch_size(&header);
    }
    fs->ops->close(file);
    *out_true =
        fc_batch_last_offset(&header) == last_offset && header.max_timestamp_ms == time_ms;
    return code;
}

/* Markers have times, too: Kafka finds them, and a segment's largest timestamp may be of one. */
static fc_code scan_for_time(struct fc_partition *partition, int64_t from, int64_t time_ms,
                             struct fc_time_place *out_place, struct fc_error *err)
{
    struct fc_log_reader *reader = NULL;
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    bool found = false;
    fc_code code = fc_log_reader_open(partition, from, &reader, err);
    if (code != FC_OK) {
        return code;
    }
    fc_log_reader_skip_older(reader, time_ms);
    fc_log_reader_with_markers(reader);
    do {
        code = fc_log_reader_next(reader, 0, &records, &count, err);
        for (uint32_t index = 0; code == FC_OK && !found && index < count; index++) {
            if (records[index].timestamp_ms >= time_ms) {
                out_place->offset = records[index].offset;
                out_place->timestamp_ms = records[index].timestamp_ms;
                found = true;
            }
        }
    } while (code == FC_OK && !found && count > 0);
    fc_log_reader_close(reader);
    return code;
}

fc_code fc_partition_place_for_time(struct fc_partition *partition, int64_t time_ms,
                                    struct fc_time_place *out_place, struct fc_error *err)
{
    struct fc_partition_offsets offsets = { 0 };
    struct fc_index_entry entry = { 0, 0 };
    int64_t from = 0;
    bool found = false;
    fc_code code = fc_partition_offsets(partition, &offsets, err);
    if (code != FC_OK) {
        return code;
    }
    out_place->offset = -1;
    out_place->timestamp_ms = -1;
    if (!segment_for_time(partition, time_ms, &from)) {
        return FC_OK;
    }
    if (time_ms > INT64_MIN) {
        const struct fc_index_target target = { false, time_ms - 1 };
        code = find_entry(partition, from, FC_SEGMENT_TIMES, &target, &found, &entry, err);
    }
    if (code == FC_OK && found && from + entry.value >= offsets.start &&
        from + entry.value < offsets.end) {
        code = check_time_entry(partition, from + entry.value, entry.key, &found, err);
        from += found ? entry.value : 0;
    }
    if (code == FC_OK && from < offsets.start) {
        from = offsets.start;
    }
    return code == FC_OK ? scan_for_time(partition, from, time_ms, out_place, err) : code;
}

fc_code fc_partition_offset_for_time(struct fc_partition *partition, int64_t time_ms,
                                     int64_t *out_offset, struct fc_error *err)
{
    struct fc_partition_offsets offsets = { 0 };
    struct fc_time_place place = { -1, -1 };
    fc_code code = fc_partition_place_for_time(partition, time_ms, &place, err);
    if (code == FC_OK && place.offset < 0) {
        code = fc_partition_offsets(partition, &offsets, err);
        place.offset = offsets.end;
    }
    if (code == FC_OK) {
        *out_offset = place.offset;
    }
    return code;
}

/* The first of the largest timestamps from `from` to before `to`. */
static fc_code scan_for_largest(struct fc_partition *partition, int64_t from, int64_t to,
                                struct fc_time_place *out_place, struct fc_error *err)
{
    struct fc_log_reader *reader = NULL;
    const struct fc_record *records = NULL;
    struct fc_time_place largest = { -1, INT64_MIN };
    uint32_t count = 1;
    fc_code code = fc_log_reader_open(partition, from, &reader, err);
    if (code != FC_OK) {
        return code;
    }
    fc_log_reader_with_markers(reader);
    while (code == FC_OK && count > 0 && fc_log_reader_offset(reader) < to) {
        code = fc_log_reader_next(reader, 0, &records, &count, err);
        for (uint32_t index = 0; code == FC_OK && index < count; index++) {
            if (records[index].timestamp_ms > largest.timestamp_ms &&
                records[index].offset < to) {
                largest.offset = records[index].offset;
                largest.timestamp_ms = records[index].timestamp_ms;
                fc_log_reader_skip_older(reader, largest.timestamp_ms);
            }
        }
    }
    fc_log_reader_close(reader);
    if (code == FC_OK && largest.offset >= 0) {
        *out_place = largest;
    }
    return code;
}

/* The largest timestamps of the segment that has the first record, and of those behind it. */
struct largest {
    int64_t start;
    int64_t first_end;
    int64_t first_ms;
    int64_t others_ms;
};

static void note_largest(struct largest *largest, bool is_first, int64_t time_ms)
{
    int64_t *of = is_first ? &largest->first_ms : &largest->others_ms;
    if (time_ms > *of) {
        *of = time_ms;
    }
}

static struct largest largest_of_segments(struct fc_partition *partition)
{
    struct largest largest = { .first_ms = INT64_MIN, .others_ms = INT64_MIN };
    size_t first;
    (void)pthread_mutex_lock(&partition->lock);
    largest.start = partition->start;
    first = fc_partition_segment_of(partition, partition->start);
    for (size_t index = first; index < partition->closed_count; index++) {
        note_largest(&largest, index == first, partition->closed[index].max_timestamp_ms);
    }
    if (partition->active.size > 0) {
        note_largest(&largest, first == partition->closed_count,
                     partition->active.max_timestamp_ms);
    }
    largest.first_end =
        first < partition->closed_count ? partition->closed[first].end : partition->end;
    (void)pthread_mutex_unlock(&partition->lock);
    return largest;
}

/* Records below start do not count, and the first segment's largest may be of one of those. Then
 * what is left of that segment is looked through. */
fc_code fc_partition_max_timestamp(struct fc_partition *partition,
                                   struct fc_time_place *out_place, struct fc_error *err)
{
    struct largest largest = largest_of_segments(partition);
    struct fc_time_place left = { -1, -1 };
    fc_code code;
    if (largest.others_ms >= largest.first_ms) {
        return fc_partition_place_for_time(partition, largest.others_ms, out_place, err);
    }
    code = fc_partition_place_for_time(partition, largest.first_ms, out_place, err);
    if (code != FC_OK || out_place->offset >= 0) {
        return code;
    }
    code = scan_for_largest(partition, largest.start, largest.first_end, &left, err);
    if (code == FC_OK && left.offset >= 0 && left.timestamp_ms >= largest.others_ms) {
        *out_place = left;
    } else if (code == FC_OK) {
        code = fc_partition_place_for_time(partition, largest.others_ms, out_place, err);
    }
    return code;
}
