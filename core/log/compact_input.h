/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the batches of a closed segment one after the other, whole; for the files of core/log
 * only. The records are decoded as far as they can be.
 */
#ifndef FC_LOG_COMPACT_INPUT_H
#define FC_LOG_COMPACT_INPUT_H

#include "core/log/batch_decoder.h"
#include "core/log/partition_state.h"

enum { FC_COMPACT_PLAIN_MAX = 256 * 1024 * 1024 }; /* of a batch that is looked into */

struct fc_compact_input {
    struct fc_partition *partition;
    struct fc_batch_decoder decoder;
    struct fc_segment segment;
    struct fc_file *file;
    uint64_t at; /* of the next batch */
    uint8_t *window;
    size_t capacity;
    size_t window_len;
    uint64_t window_at;
};

/* Everything borrows from the input until its next call. */
struct fc_compact_batch {
    struct fc_batch_header header;
    struct fc_slice bytes;
    bool opaque; /* its records cannot be read: malformed, or too large */
    const struct fc_record *records;
    uint32_t count;
};

void fc_compact_input_init(struct fc_compact_input *input, struct fc_partition *partition);
void fc_compact_input_release(struct fc_compact_input *input);

/* Go to a segment's beginning. FC_ERR_NOT_FOUND: it is gone. */
FC_MUST_CHECK fc_code fc_compact_input_open(struct fc_compact_input *input,
                                            const struct fc_segment *segment,
                                            struct fc_error *err);

/* *out_end: there are no more. FC_ERR_CORRUPT: what stands there is not a batch, or damaged. */
FC_MUST_CHECK fc_code fc_compact_input_next(struct fc_compact_input *input,
                                            struct fc_compact_batch *out_batch, bool *out_end,
                                            struct fc_error *err);

#endif
