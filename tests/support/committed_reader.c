/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/committed_reader.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/fetch.h"

static void must(bool good, const struct committed_reader *reader, const struct fc_error *err)
{
    if (!good) {
        (void)fprintf(stderr, "committed reader at %lld: %s\n", (long long)reader->offset,
                      err->message);
        abort();
    }
}

void committed_reader_init(struct committed_reader *reader, struct fc_partition *partition,
                           void (*on_record)(void *ctx, const struct fc_record *record),
                           void *ctx)
{
    memset(reader, 0, sizeof(*reader));
    reader->partition = partition;
    reader->on_record = on_record;
    reader->ctx = ctx;
    fc_batch_decoder_init(&reader->decoder, FC_BATCH_BYTES_MAX);
}

void committed_reader_release(struct committed_reader *reader)
{
    fc_batch_decoder_release(&reader->decoder);
}

static void take_batch(struct committed_reader *reader, struct fc_slice bytes,
                       const struct fc_aborted *aborted, size_t aborted_count)
{
    struct fc_batch_header header;
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    struct fc_error err = { 0 };
    int64_t id;
    fc_batch_header_decode(bytes.data, &header);
    id = header.producer_id;
    must(fc_batch_decode(&reader->decoder, bytes, &records, &count, &err) == FC_OK, reader,
         &err);
    for (size_t index = 0; index < aborted_count; index++) {
        if (aborted[index].first_offset <= fc_batch_last_offset(&header) &&
            aborted[index].last_offset >= header.base_offset) {
            reader->aborted[aborted[index].producer_id] = true;
        }
    }
    if ((header.attributes & FC_BATCH_CONTROL) != 0) {
        reader->aborted[id] = false;
        return;
    }
    if ((header.attributes & FC_BATCH_TRANSACTIONAL) != 0 && reader->aborted[id]) {
        return;
    }
    for (uint32_t index = 0; index < count; index++) {
        if (records[index].offset >= reader->offset) {
            reader->on_record(reader->ctx, &records[index]);
        }
    }
}

static void take_range(struct committed_reader *reader, const struct fc_fetch_range *range)
{
    struct fc_aborted *aborted = NULL;
    size_t count = 0;
    struct fc_error err = { 0 };
    uint8_t *bytes = fc_new_array(uint8_t, (size_t)range->size);
    must(fc_fetch_read(range, 0, bytes, (size_t)range->size, &err) == FC_OK &&
             fc_partition_aborted(reader->partition, reader->offset, range->next_offset,
                                  &aborted, &count, &err) == FC_OK,
         reader, &err);
    for (uint64_t at = 0; at < range->size;) {
        struct fc_batch_header header;
        fc_batch_header_decode(bytes + at, &header);
        take_batch(reader, fc_slice_of(bytes + at, (size_t)fc_batch_size(&header)), aborted,
                   count);
        at += fc_batch_size(&header);
    }
    free(aborted);
    free(bytes);
}

bool committed_reader_next(struct committed_reader *reader, uint64_t bytes_max)
{
    const struct fc_fetch fetch = { .offset = reader->offset,
                                    .bytes_max = bytes_max,
                                    .at_least_one = true,
                                    .isolation = FC_ISOLATION_STABLE };
    struct fc_fetch_range range;
    struct fc_error err = { 0 };
    must(fc_partition_fetch(reader->partition, &fetch, &range, &err) == FC_OK, reader, &err);
    if (range.size == 0) {
        return false;
    }
    take_range(reader, &range);
    must(range.next_offset > reader->offset, reader, &err);
    reader->offset = range.next_offset;
    fc_fetch_range_release(&range);
    return true;
}
