/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/compact_filter.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/bytes.h"

void fc_compact_filter_init(struct fc_compact_filter *filter,
                            const struct fc_compact_knowledge *known)
{
    memset(filter, 0, sizeof(*filter));
    filter->known = *known;
    filter->codec = fc_codec_new();
    fc_hashmap_init(&filter->kept);
    fc_buf_init(&filter->plain, FC_BATCH_BYTES_MAX);
    fc_buf_init(&filter->made, (size_t)FC_BATCH_BYTES_MAX + FC_BATCH_BYTES_MAX / 8);
}

void fc_compact_filter_release(struct fc_compact_filter *filter)
{
    fc_hashmap_release(&filter->kept, NULL);
    fc_codec_free(filter->codec);
    free(filter->keep);
    fc_buf_release(&filter->plain);
    fc_buf_release(&filter->made);
    memset(filter, 0, sizeof(*filter));
}

/* --- what is known --- */

static int compare_aborted(const void *a, const void *b)
{
    const struct fc_aborted *left = a;
    const struct fc_aborted *right = b;
    if (left->producer_id != right->producer_id) {
        return left->producer_id < right->producer_id ? -1 : 1;
    }
    return left->last_offset < right->last_offset ? -1 : left->last_offset > right->last_offset;
}

void fc_compact_sort_aborted(struct fc_compact_knowledge *known)
{
    if (known->aborted_count > 0) {
        qsort(known->aborted, known->aborted_count, sizeof(*known->aborted), compare_aborted);
    }
}

/* The first of that producer that ended at or behind offset, or NULL. */
static const struct fc_aborted *find_aborted(const struct fc_compact_knowledge *known,
                                             int64_t producer_id, int64_t offset)
{
    size_t low = 0; /* those below it ended before */
    size_t high = known->aborted_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct fc_aborted *at = &known->aborted[middle];
        if (at->producer_id < producer_id ||
            (at->producer_id == producer_id && at->last_offset < offset)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < known->aborted_count && known->aborted[low].producer_id == producer_id
               ? &known->aborted[low]
               : NULL;
}

bool fc_compact_is_aborted(const struct fc_compact_knowledge *known,
                           const struct fc_batch_header *header)
{
    const struct fc_aborted *found =
        (header->attributes & FC_BATCH_TRANSACTIONAL) == 0
            ? NULL
            : find_aborted(known, header->producer_id, header->base_offset);
    return found != NULL && found->first_offset <= header->base_offset;
}

const struct fc_aborted *fc_compact_aborted_by(const struct fc_compact_knowledge *known,
                                               const struct fc_batch_header *marker)
{
    const struct fc_aborted *found =
        find_aborted(known, marker->producer_id, marker->base_offset);
    return found != NULL && found->last_offset == marker->base_offset ? found : NULL;
}

static const struct fc_producer *find_producer(const struct fc_compact_filter *filter,
                                               int64_t id)
{
    size_t low = 0;
    size_t high = filter->known.producers_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (filter->known.producers[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < filter->known.producers_count && filter->known.producers[low].id == id
               ? &filter->known.producers[low]
               : NULL;
}

/* A live producer is known by this batch. */
static bool is_remembered(const struct fc_compact_filter *filter,
                          const struct fc_batch_header *header)
{
    const struct fc_producer *producer =
        header->producer_id < 0 ? NULL : find_producer(filter, header->producer_id);
    bool found = false;
    for (uint32_t index = 0; producer != NULL && index < producer->batches_count; index++) {
        found = found || producer->batches[index].base_offset == header->base_offset;
    }
    return found;
}

/* A live producer's epoch is known by this marker alone. */
static bool tells_epoch(const struct fc_compact_filter *filter,
                        const struct fc_batch_header *header)
{
    const struct fc_producer *producer = find_producer(filter, header->producer_id);
    return producer != NULL && producer->batches_count == 0 &&
           producer->epoch == header->producer_epoch;
}

static struct fc_slice id_key(const int64_t *id)
{
    return fc_slice_of((const uint8_t *)id, sizeof(*id));
}

static void note_left(struct fc_compact_filter *filter, const struct fc_batch_header *header)
{
    if ((header->attributes & FC_BATCH_TRANSACTIONAL) != 0) {
        (void)fc_hashmap_put(&filter->kept, id_key(&header->producer_id), filter);
    }
}

/* --- the batch anew --- */

static int64_t horizon_from_now(const struct fc_compact_filter *filter)
{
    int64_t now_ms = filter->known.now_ms;
    int64_t retention_ms = filter->known.delete_retention_ms;
    return retention_ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + retention_ms;
}

static void append_record(struct fc_buf *to, const struct fc_batch_header *header,
                          const struct fc_record *record)
{
    fc_buf_append_u8(to, 0); /* attributes: none are defined */
    fc_buf_append_varint(
        to, (int64_t)((uint64_t)record->timestamp_ms - (uint64_t)header->base_timestamp_ms));
    fc_buf_append_varint(to, record->offset - header->base_offset);
    fc_buf_append_varint(to, fc_slice_is_null(record->key) ? -1 : (int64_t)record->key.len);
    fc_buf_append_slice(to, record->key);
    fc_buf_append_varint(to, fc_slice_is_null(record->value) ? -1 : (int64_t)record->value.len);
    fc_buf_append_slice(to, record->value);
    fc_buf_append_varint(to, record->header_count);
    for (uint32_t index = 0; index < record->header_count; index++) {
        const struct fc_header *item = &record->headers[index];
        fc_buf_append_varint(to, (int64_t)item->key.len);
        fc_buf_append_slice(to, item->key);
        fc_buf_append_varint(to, fc_slice_is_null(item->value) ? -1 : (int64_t)item->value.len);
        fc_buf_append_slice(to, item->value);
    }
}

/* A record's length stands before it: it is put behind the others twice, the first time to be
 * measured. */
static void append_sized(struct fc_buf *to, const struct fc_batch_header *header,
                         const struct fc_record *record)
{
    size_t begin = to->len;
    size_t size;
    append_record(to, header, record);
    size = to->len - begin;
    to->len = begin;
    fc_buf_append_varint(to, (int64_t)size);
    append_record(to, header, record);
}

/* The records that are kept, under the same codec; header gets what follows from them. */
static fc_code encode(struct fc_compact_filter *filter, const struct fc_compact_batch *batch,
                      struct fc_batch_header *header, struct fc_error *err)
{
    fc_compression codec = (fc_compression)(header->attributes & FC_BATCH_CODEC_MASK);
    struct fc_slice body;
    int64_t max_ms = INT64_MIN;
    fc_code code;
    fc_buf_clear(&filter->plain);
    header->count = 0;
    for (uint32_t index = 0; index < batch->count; index++) {
        if (filter->keep[index]) {
            append_sized(&filter->plain, header, &batch->records[index]);
            header->count++;
            max_ms = batch->records[index].timestamp_ms > max_ms
                         ? batch->records[index].timestamp_ms
                         : max_ms;
        }
    }
    header->max_timestamp_ms = header->count > 0 ? max_ms : header->max_timestamp_ms;
    code = fc_buf_check(&filter->plain, "a batch", err);
    if (code != FC_OK) {
        return code;
    }
    fc_buf_clear(&filter->made);
    (void)fc_buf_reserve(&filter->made, FC_BATCH_HEADER_SIZE);
    filter->made.len = FC_BATCH_HEADER_SIZE;
    if (codec != FC_COMPRESSION_NONE && header->count > 0) {
        code = fc_codec_compress(filter->codec, codec, fc_buf_slice(&filter->plain),
                                 &filter->made, err);
    }
    if (code == FC_OK && filter->made.len >= filter->plain.len + FC_BATCH_HEADER_SIZE) {
        filter->made.len = FC_BATCH_HEADER_SIZE;
    }
    if (code == FC_OK && filter->made.len == FC_BATCH_HEADER_SIZE) {
        header->attributes = (uint16_t)(header->attributes & ~FC_BATCH_CODEC_MASK);
        fc_buf_append_slice(&filter->made, fc_buf_slice(&filter->plain));
        code = fc_buf_check(&filter->made, "a batch", err);
    }
    if (code == FC_OK) {
        header->length = (uint32_t)(filter->made.len - FC_BATCH_LENGTH_END);
        fc_batch_header_encode(header, filter->made.data);
        body = fc_slice_of(filter->made.data + FC_BATCH_HEADER_SIZE,
                           filter->made.len - FC_BATCH_HEADER_SIZE);
        fc_bytes_put32(filter->made.data + 17, fc_batch_crc(filter->made.data, body));
    }
    return code;
}

/* --- the rules --- */

static bool is_past_horizon(const struct fc_compact_filter *filter,
                            const struct fc_batch_header *header)
{
    return (header->attributes & FC_BATCH_HORIZON) != 0 &&
           filter->known.now_ms > header->base_timestamp_ms;
}

static void make_room(struct fc_compact_filter *filter, uint32_t count)
{
    if (count > filter->keep_capacity) {
        filter->keep = fc_realloc_array(filter->keep, count, sizeof(bool));
        filter->keep_capacity = count;
    }
}

/* Mark what is kept. *out_kept counts it; *out_deletes: a tombstone is among it. */
static void choose(struct fc_compact_filter *filter, const struct fc_compact_batch *batch,
                   uint32_t *out_kept, bool *out_deletes)
{
    bool aborted = fc_compact_is_aborted(&filter->known, &batch->header);
    bool past = is_past_horizon(filter, &batch->header);
    *out_kept = 0;
    *out_deletes = false;
    make_room(filter, batch->count);
    for (uint32_t index = 0; index < batch->count; index++) {
        const struct fc_record *record = &batch->records[index];
        bool tombstone = fc_slice_is_null(record->value);
        filter->keep[index] =
            !aborted && !fc_slice_is_null(record->key) && !(tombstone && past) &&
            fc_compact_map_get(filter->known.map, record->key) <= record->offset;
        if (filter->keep[index]) {
            (*out_kept)++;
            *out_deletes = *out_deletes || tombstone;
        }
    }
}

static fc_code filter_marker(struct fc_compact_filter *filter,
                             const struct fc_compact_batch *batch, struct fc_slice *out_bytes,
                             struct fc_error *err)
{
    struct fc_batch_header header = batch->header;
    bool left = fc_hashmap_remove(&filter->kept, id_key(&header.producer_id)) != NULL;
    fc_code code = FC_OK;
    *out_bytes = batch->bytes;
    if (left || header.base_offset >= filter->known.mapped_end || batch->count != 1 ||
        tells_epoch(filter, &header)) {
        return FC_OK;
    }
    if (is_past_horizon(filter, &header)) {
        *out_bytes = fc_slice_of(batch->bytes.data, 0);
    } else if ((header.attributes & FC_BATCH_HORIZON) == 0) {
        header.attributes |= FC_BATCH_HORIZON;
        header.base_timestamp_ms = horizon_from_now(filter);
        make_room(filter, 1);
        filter->keep[0] = true;
        code = encode(filter, batch, &header, err);
        *out_bytes = fc_buf_slice(&filter->made);
    }
    return code;
}

fc_code fc_compact_filter_run(struct fc_compact_filter *filter,
                              const struct fc_compact_batch *batch, struct fc_slice *out_bytes,
                              struct fc_error *err)
{
    struct fc_batch_header header = batch->header;
    bool deletes = false;
    uint32_t kept = 0;
    fc_code code;
    if ((header.attributes & FC_BATCH_CONTROL) != 0) {
        return filter_marker(filter, batch, out_bytes, err);
    }
    if (batch->opaque && !fc_compact_is_aborted(&filter->known, &header)) {
        note_left(filter, &header);
        *out_bytes = batch->bytes;
        return FC_OK;
    }
    choose(filter, batch, &kept, &deletes);
    if (kept == 0 && !is_remembered(filter, &header)) {
        *out_bytes = fc_slice_of(batch->bytes.data, 0);
        return FC_OK;
    }
    note_left(filter, &header);
    deletes = deletes && (header.attributes & FC_BATCH_HORIZON) == 0 &&
              header.base_offset < filter->known.mapped_end;
    if (kept == batch->count && !deletes && !batch->opaque) {
        *out_bytes = batch->bytes;
        return FC_OK;
    }
    if (deletes) {
        header.attributes |= FC_BATCH_HORIZON;
        header.base_timestamp_ms = horizon_from_now(filter);
    } else if (kept == 0) {
        header.attributes = (uint16_t)(header.attributes & ~FC_BATCH_HORIZON);
        header.base_timestamp_ms = header.max_timestamp_ms;
    }
    code = encode(filter, batch, &header, err);
    *out_bytes = fc_buf_slice(&filter->made);
    return code;
}
