/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a record batch. As they come they meet the header's checks; with the checksum
 * made good, the decompressors and the record decoder. What is decoded is touched, so that a
 * slice that points outside is noticed.
 */
#include <stdint.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/batch_decoder.h"
#include "core/log/bytes.h"

enum { PLAIN_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t touch(struct fc_slice bytes)
{
    uint64_t sum = bytes.len;
    for (size_t at = 0; at < bytes.len; at++) {
        sum += bytes.data[at];
    }
    return sum;
}

static void decode(struct fc_slice batch)
{
    struct fc_batch_decoder decoder;
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    volatile uint64_t sum = 0;
    struct fc_error err;
    fc_batch_decoder_init(&decoder, PLAIN_MAX);
    for (int round = 0; round < 2; round++) { /* the second one finds used buffers */
        fc_code code = fc_batch_decode(&decoder, batch, &records, &count, &err);
        for (uint32_t index = 0; code == FC_OK && index < count; index++) {
            sum += touch(records[index].key) + touch(records[index].value);
            fc_assert(index == 0 || records[index].offset > records[index - 1].offset);
            for (uint32_t header = 0; header < records[index].header_count; header++) {
                sum += touch(records[index].headers[header].key) +
                       touch(records[index].headers[header].value);
            }
        }
    }
    fc_batch_decoder_release(&decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fc_new_array(uint8_t, size + 1);
    memcpy(copy, data, size);
    decode(fc_slice_of(copy, size));
    if (size >= FC_BATCH_HEADER_SIZE) {
        copy[16] = 2;
        fc_bytes_put32(copy + 8, (uint32_t)(size - FC_BATCH_LENGTH_END));
        fc_bytes_put32(copy + 17, fc_batch_crc(copy, fc_slice_of(copy + FC_BATCH_HEADER_SIZE,
                                                                 size - FC_BATCH_HEADER_SIZE)));
        decode(fc_slice_of(copy, size));
    }
    free(copy);
    return 0;
}
