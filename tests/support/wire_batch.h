/* SPDX-License-Identifier: Apache-2.0 */
/* Batches as a Kafka client sends them. */
#ifndef FC_TESTS_WIRE_BATCH_H
#define FC_TESTS_WIRE_BATCH_H

#include "core/base/buf.h"
#include "core/log/batch.h"
#include "core/log/record.h"

struct wire_batch {
    uint32_t count;
    int64_t timestamp_ms; /* of the first record; others follow by one */
    fc_compression compression;
    bool without_keys;
    bool transactional;
    int64_t producer_id; /* -1: none */
    int16_t producer_epoch;
    int32_t base_sequence;
    size_t value_size; /* 0: a few bytes */
};

/* The bytes, in a buffer that the caller releases. */
void wire_batch_make(const struct wire_batch *batch, struct fc_buf *out_bytes);

/* Write the header's fields anew, with the right checksum. */
void wire_batch_seal(const struct fc_batch_header *header, struct fc_buf *bytes);

#endif
