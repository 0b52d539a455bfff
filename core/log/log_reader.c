/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window is a stretch of the segment's file; batches are taken from it until what is left
 * is not a whole one, then it is filled again from there. It is as large as the largest batch
 * needs, and shrinks when that was an exception.
 */
#include "core/log/log_reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/alloc.h"
#include "core/log/batch_decoder.h"
#include "core/log/compact_swap.h"
#include "core/log/lookup.h"
#include "core/log/partition_state.h"

enum {
    WINDOW_SIZE = 512 * 1024,
    WINDOW_KEPT_MAX = 4 * 1024 * 1024,
    FOLLOW_POLL_MS = 2 /* between two looks at files that another process writes */
};

struct fc_log_reader {
    struct fc_partition *partition;
    struct fc_batch_decoder decoder;
    int64_t offset;        /* of the next record to give out */
    int64_t batch_offset;  /* that the next batch in the file begins with */
    int64_t skip_older_ms; /* INT64_MIN: none */
    bool with_markers;
    uint64_t wakes;
    int64_t readable; /* the offset to stay below, when last asked */

    struct fc_file *file; /* of the segment; NULL: it is to be found by the offset */
    int64_t segment_base;
    int64_t segment_end; /* while closed */
    bool closed;         /* it does not grow, and limit is where it ends */
    bool sparse;
    uint64_t at;    /* byte of the next batch */
    uint64_t limit; /* bytes of the segment that may be read, when last asked */

    uint8_t *window;
    size_t window_capacity;
    size_t window_len;
    uint64_t window_at; /* byte of the file that it begins with */
};

fc_code fc_log_reader_open(struct fc_partition *partition, int64_t offset,
                           struct fc_log_reader **out_reader, struct fc_error *err)
{
    struct fc_log_reader *reader = fc_new(struct fc_log_reader);
    fc_code code;
    reader->partition = partition;
    reader->wakes = fc_partition_wakes(partition);
    fc_batch_decoder_init(&reader->decoder, FC_BATCH_BYTES_MAX);
    code = fc_log_reader_seek(reader, offset, err);
    if (code != FC_OK) {
        fc_log_reader_close(reader);
        return code;
    }
    *out_reader = reader;
    return FC_OK;
}

void fc_log_reader_close(struct fc_log_reader *reader)
{
    if (reader != NULL) {
        reader->partition->env->fs->ops->close(reader->file);
        fc_batch_decoder_release(&reader->decoder);
        free(reader->window);
        free(reader);
    }
}

int64_t fc_log_reader_offset(const struct fc_log_reader *reader)
{
    return reader->offset;
}

void fc_log_reader_skip_older(struct fc_log_reader *reader, int64_t time_ms)
{
    reader->skip_older_ms = time_ms;
}

void fc_log_reader_with_markers(struct fc_log_reader *reader)
{
    reader->with_markers = true;
}

static void let_go(struct fc_log_reader *reader)
{
    reader->partition->env->fs->ops->close(reader->file);
    reader->file = NULL;
    reader->window_len = 0;
}

static fc_code fail_range(const struct fc_partition *partition,
                          const struct fc_partition_offsets *offsets, int64_t offset,
                          struct fc_error *err)
{
    return fc_fail(err, FC_ERR_NOT_FOUND,
                   "%s: offset %" PRId64 " is not in the log, which has %" PRId64
                   " to %" PRId64,
                   partition->dir, offset, offsets->start, offsets->end);
}

fc_code fc_log_reader_seek(struct fc_log_reader *reader, int64_t offset, struct fc_error *err)
{
    struct fc_partition *partition = reader->partition;
    struct fc_partition_offsets offsets = { 0 };
    fc_code code = fc_partition_offsets(partition, &offsets, err);
    if (code != FC_OK) {
        return code;
    }
    if (offset < offsets.start || offset > offsets.end) {
        return fail_range(partition, &offsets, offset, err);
    }
    let_go(reader);
    reader->offset = offset;
    reader->skip_older_ms = INT64_MIN;
    return FC_OK;
}

/* A segment that is known but has no file: retention was faster, or the file is lost. */
static fc_code explain_missing(const struct fc_log_reader *reader, struct fc_error *err)
{
    struct fc_partition *partition = reader->partition;
    struct fc_partition_offsets offsets = { 0 };
    fc_code code = fc_partition_offsets(partition, &offsets, err);
    if (code != FC_OK) {
        return code;
    }
    if (reader->offset < offsets.start) {
        return fail_range(partition, &offsets, reader->offset, err);
    }
    return fc_fail(err, FC_ERR_CORRUPT,
                   "%s: the segment with offset %" PRId64 " is missing "
                   "(byte 0)",
                   partition->dir, reader->offset);
}

/* Open the file of the segment that holds the reader's offset, at the byte where the search for
 * it begins. */
static fc_code open_place(struct fc_log_reader *reader, struct fc_error *err)
{
    struct fc_partition *partition = reader->partition;
    struct fc_lookup_place place = { 0 };
    fc_code code = fc_lookup_offset(partition, reader->offset, &place, err);
    if (code == FC_OK) {
        const struct fc_segment segment = { .base = place.segment_base,
                                            .state = place.swapping ? FC_SEGMENT_SWAPPING
                                                                    : FC_SEGMENT_DENSE };
        code = fc_compact_open_log(partition, &segment, &reader->file, err);
    }
    reader->segment_base = place.segment_base;
    reader->segment_end = place.segment_end;
    reader->closed = place.closed;
    reader->sparse = place.sparse;
    reader->at = place.at;
    reader->limit = place.closed ? place.segment_size : 0;
    reader->batch_offset = place.offset;
    return code;
}

/* Of another process' log: true when the file cannot be the segment that is known. */
static bool is_another(const struct fc_log_reader *reader)
{
    uint64_t size = 0;
    return reader->file != NULL && reader->closed &&
           reader->file->fs->ops->size(reader->file, &size, NULL) == FC_OK &&
           size != reader->limit;
}

static fc_code locate(struct fc_log_reader *reader, struct fc_error *err)
{
    struct fc_partition *partition = reader->partition;
    uint64_t swaps;
    fc_code code;
    do {
        let_go(reader);
        swaps = fc_partition_swaps(partition);
        code = open_place(reader, err);
        if (partition->env->read_only && (code == FC_ERR_NOT_FOUND || is_another(reader))) {
            fc_code refreshed = fc_follow_refresh(partition, true, err);
            code = refreshed == FC_OK ? code : refreshed;
        }
    } while (fc_partition_swaps(partition) != swaps);
    return code == FC_ERR_NOT_FOUND ? explain_missing(reader, err) : code;
}

/* The segment grew when its file was opened: ask how far it may be read now. *out_end: no
 * further, for now. */
static fc_code ask_limit(struct fc_log_reader *reader, bool *out_end, struct fc_error *err)
{
    struct fc_partition *partition = reader->partition;
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&partition->lock);
    if (partition->damaged) {
        code = partition->failure.code;
        if (err != NULL) {
            *err = partition->failure;
        }
    } else if (partition->active.base == reader->segment_base) {
        reader->limit = partition->active.size;
        *out_end = reader->at >= reader->limit;
    } else {
        size_t index = fc_partition_segment_of(partition, reader->segment_base);
        const struct fc_segment *segment = &partition->closed[index];
        if (index < partition->closed_count && segment->base == reader->segment_base &&
            segment->state == FC_SEGMENT_DENSE) {
            reader->closed = true;
            reader->limit = segment->size;
            reader->segment_end = segment->end;
        } else {
            let_go(reader); /* replaced meanwhile, or removed */
        }
    }
    (void)pthread_mutex_unlock(&partition->lock);
    return code;
}

/* Behind the last batch of a segment that does not grow. */
static fc_code leave_segment(struct fc_log_reader *reader, struct fc_error *err)
{
    struct fc_partition *partition = reader->partition;
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&partition->lock);
    if (partition->damaged) {
        code = partition->failure.code;
        if (err != NULL) {
            *err = partition->failure;
        }
    }
    (void)pthread_mutex_unlock(&partition->lock);
    if (reader->segment_end > reader->offset) {
        reader->offset = reader->segment_end;
    }
    let_go(reader);
    return code;
}

static fc_code fill_window(struct fc_log_reader *reader, uint64_t want, struct fc_error *err)
{
    uint64_t left = reader->limit - reader->at;
    size_t size = want > WINDOW_SIZE ? (size_t)want : WINDOW_SIZE;
    if (size > reader->window_capacity ||
        (reader->window_capacity > WINDOW_KEPT_MAX && size <= WINDOW_KEPT_MAX)) {
        reader->window = fc_realloc_array(reader->window, size, 1);
        reader->window_capacity = size;
    }
    if (left < size) {
        size = (size_t)left;
    }
    reader->window_at = reader->at;
    return reader->file->fs->ops->read(reader->file, reader->at, reader->window, size,
                                       &reader->window_len, err);
}

static fc_code fail_batch(const struct fc_log_reader *reader, const char *why,
                          struct fc_error *err)
{
    char *path = fc_segment_path(reader->partition->dir, reader->segment_base, FC_SEGMENT_LOG);
    fc_code code =
        fc_fail(err, FC_ERR_CORRUPT, "%s: %s at byte %" PRIu64, path, why, reader->at);
    free(path);
    return code;
}

/* Have the bytes [at, at + want) in the window. */
static fc_code need(struct fc_log_reader *reader, uint64_t want, struct fc_error *err)
{
    uint64_t end = reader->window_at + reader->window_len;
    fc_code code = FC_OK;
    if (reader->at < reader->window_at || reader->at + want > end) {
        if (want > reader->limit - reader->at) {
            return fail_batch(reader, "batch is cut short", err);
        }
        code = fill_window(reader, want, err);
        if (code == FC_OK && reader->window_len < want) {
            code = fail_batch(reader, "file is cut short", err);
        }
    }
    return code;
}

/* The batch at the reader's place, whole and with the expected offset; at < limit. */
static fc_code take_batch(struct fc_log_reader *reader, struct fc_batch_header *out_header,
                          struct fc_slice *out_batch, struct fc_error *err)
{
    const char *why;
    fc_code code = need(reader, FC_BATCH_HEADER_SIZE, err);
    if (code != FC_OK) {
        return code;
    }
    fc_batch_header_decode(reader->window + (reader->at - reader->window_at), out_header);
    why = fc_batch_header_check(out_header);
    if (why == NULL && (reader->sparse ? out_header->base_offset < reader->batch_offset
                                       : out_header->base_offset != reader->batch_offset)) {
        why = "batch begins with another offset than expected";
    }
    if (why != NULL) {
        return fail_batch(reader, why, err);
    }
    code = need(reader, fc_batch_size(out_header), err);
    if (code == FC_OK) {
        *out_batch = fc_slice_of(reader->window + (reader->at - reader->window_at),
                                 (size_t)fc_batch_size(out_header));
    }
    return code;
}

/* Leave out what stands in the batch before the reader's offset. */
static void trim_front(const struct fc_log_reader *reader, const struct fc_record **records,
                       uint32_t *count)
{
    while (*count > 0 && (*records)->offset < reader->offset) {
        (*records)++;
        (*count)--;
    }
}

/* Take the batch at the reader's place; count 0 when nothing of it is wanted. */
static fc_code read_batch(struct fc_log_reader *reader, const struct fc_record **out_records,
                          uint32_t *out_count, struct fc_error *err)
{
    struct fc_batch_header header;
    struct fc_slice batch = { NULL, 0 };
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    bool wanted;
    fc_code code = take_batch(reader, &header, &batch, err);
    if (code != FC_OK) {
        return code;
    }
    wanted = fc_batch_last_offset(&header) >= reader->offset &&
             header.max_timestamp_ms >= reader->skip_older_ms && header.count > 0 &&
             (reader->with_markers || (header.attributes & FC_BATCH_CONTROL) == 0);
    if (wanted) {
        code = fc_batch_decode(&reader->decoder, batch, &records, &count, err);
        if (code != FC_OK) {
            struct fc_error why = { 0 };
            if (err != NULL) {
                why = *err;
            }
            (void)fail_batch(reader, why.message, err);
            if (err != NULL) {
                err->code = code;
            }
            return code;
        }
        trim_front(reader, &records, &count);
    }
    reader->at += batch.len;
    reader->batch_offset = fc_batch_last_offset(&header) + 1;
    if (reader->batch_offset > reader->offset) {
        reader->offset = reader->batch_offset;
    }
    *out_records = records;
    *out_count = count;
    return FC_OK;
}

/* Nothing was ever appended, so there need not be a file yet. */
static bool is_empty(struct fc_partition *partition)
{
    bool empty;
    (void)pthread_mutex_lock(&partition->lock);
    empty = partition->end == 0 && !partition->damaged;
    (void)pthread_mutex_unlock(&partition->lock);
    return empty;
}

/* Have something to read in front of the reader, in this segment or the next. */
static fc_code reach(struct fc_log_reader *reader, bool *out_end, struct fc_error *err)
{
    fc_code code = FC_OK;
    *out_end = reader->file == NULL && is_empty(reader->partition);
    while (code == FC_OK && !*out_end &&
           (reader->file == NULL || reader->at >= reader->limit)) {
        if (reader->file == NULL) {
            code = locate(reader, err);
        } else if (reader->closed) {
            code = leave_segment(reader, err);
        } else {
            code = ask_limit(reader, out_end, err);
        }
    }
    return code;
}

/* The batch in front of the reader may still be lost by the process that writes. Batches are
 * durable as a whole, so the offset tells. */
static bool is_withheld(struct fc_log_reader *reader)
{
    struct fc_partition *partition = reader->partition;
    if (!partition->env->read_only || reader->offset < reader->readable) {
        return false;
    }
    (void)pthread_mutex_lock(&partition->lock);
    reader->readable = fc_partition_readable(partition);
    (void)pthread_mutex_unlock(&partition->lock);
    return reader->offset >= reader->readable;
}

/* Go on without waiting until records, the end, or an error. */
static fc_code advance(struct fc_log_reader *reader, const struct fc_record **out_records,
                       uint32_t *out_count, struct fc_error *err)
{
    bool at_end = false;
    fc_code code = FC_OK;
    *out_count = 0;
    while (code == FC_OK && *out_count == 0 && !at_end) {
        code = reach(reader, &at_end, err);
        at_end = at_end || is_withheld(reader);
        if (code == FC_OK && !at_end) {
            code = read_batch(reader, out_records, out_count, err);
        }
    }
    return code;
}

/* The same, once more when the process that writes has replaced the file that was read. */
static fc_code advance_beside(struct fc_log_reader *reader,
                              const struct fc_record **out_records, uint32_t *out_count,
                              struct fc_error *err)
{
    struct fc_partition *partition = reader->partition;
    fc_code code = advance(reader, out_records, out_count, err);
    if (code == FC_ERR_CORRUPT && partition->env->read_only) {
        uint64_t swaps = fc_partition_swaps(partition);
        if (fc_follow_refresh(partition, true, NULL) == FC_OK &&
            fc_partition_swaps(partition) != swaps) {
            let_go(reader);
            code = advance(reader, out_records, out_count, err);
        }
    }
    return code;
}

/* At the end: see what came, from this process or from another. */
static fc_code wait_for_more(struct fc_log_reader *reader, int wait_ms, struct fc_error *err)
{
    struct fc_partition *partition = reader->partition;
    fc_code code = FC_OK;
    if (!partition->env->read_only) {
        fc_partition_wait(partition, reader->offset, wait_ms, &reader->wakes);
        return FC_OK;
    }
    code = fc_follow_refresh(partition, false, err);
    if (code != FC_OK) {
        return code;
    }
    fc_partition_wait(partition, reader->offset,
                      wait_ms < FOLLOW_POLL_MS ? wait_ms : FOLLOW_POLL_MS, &reader->wakes);
    (void)pthread_mutex_lock(&partition->lock);
    if (partition->failed && fc_partition_readable(partition) <= reader->offset) {
        code = partition->failure.code;
        if (err != NULL) {
            *err = partition->failure;
        }
    }
    (void)pthread_mutex_unlock(&partition->lock);
    return code;
}

fc_code fc_log_reader_next(struct fc_log_reader *reader, int wait_ms,
                           const struct fc_record **out_records, uint32_t *out_count,
                           struct fc_error *err)
{
    const struct fc_clock *clock = fc_clock_system();
    int64_t until = fc_clock_steady_ms(clock) + wait_ms;
    uint64_t wakes = reader->wakes;
    uint32_t count = 0;
    fc_code code = advance_beside(reader, out_records, &count, err);
    while (code == FC_OK && count == 0 && wakes == reader->wakes) {
        int64_t left = until - fc_clock_steady_ms(clock);
        bool last = left <= 0;
        if (last && !reader->partition->env->read_only) {
            break;
        }
        code = wait_for_more(reader, last ? 0 : (int)left, err);
        if (code == FC_OK) {
            code = advance_beside(reader, out_records, &count, err);
        }
        if (last) {
            break;
        }
    }
    if (code == FC_OK) {
        *out_count = count;
    }
    return code;
}
