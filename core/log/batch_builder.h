/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds one record batch: records are encoded as they come, then sealed (compressed and
 * checksummed) once. The log gives the base offset afterwards, in place.
 *
 * With LZ4, records that bring marks are compressed as they come, by lz4_pack.h, as long as that
 * makes them about as small as the library does: both are tried now and then.
 *
 * Memory: the encoded records plus, once sealed with a codec, their compressed form; both
 * buffers are kept from batch to batch, unless they became large and are not needed so.
 *
 * Thread: one at a time.
 */
#ifndef FC_LOG_BATCH_BUILDER_H
#define FC_LOG_BATCH_BUILDER_H

#include "core/base/buf.h"
#include "core/log/batch.h"
#include "core/log/codec.h"
#include "core/log/lz4_pack.h"

struct fc_batch_builder {
    struct fc_codec *codec;
    struct fc_buf plain;  /* encoded records */
    struct fc_buf packed; /* compressed records: all of them once sealed */
    struct fc_lz4_pack pack;
    uint32_t turn;        /* counts batches worth packing */
    bool packing;         /* records are compressed as they come */
    bool packing_small;   /* which was about as small as it gets when last tried */
    struct fc_slice body; /* what follows the header, once sealed; borrows from the above */
    int64_t base_timestamp_ms;
    int64_t max_timestamp_ms;
    uint64_t record_bytes_max;
    fc_compression compression;
    uint32_t count;
    bool sealed;
    uint8_t header[FC_BATCH_HEADER_SIZE]; /* once sealed; base offset 0 until the log sets it */
};

void fc_batch_builder_init(struct fc_batch_builder *builder, fc_compression compression,
                           uint64_t record_bytes_max);
void fc_batch_builder_release(struct fc_batch_builder *builder);

/* Empty it, with other settings. */
void fc_batch_builder_reset(struct fc_batch_builder *builder, fc_compression compression,
                            uint64_t record_bytes_max);

/*
 * Errors, with the batch unchanged: FC_ERR_LIMIT (the record is over record_bytes_max or has
 * too many headers), FC_ERR_NOMEM (the batch would pass FC_BATCH_BYTES_MAX: append it and start
 * another).
 */
FC_MUST_CHECK fc_code fc_batch_builder_add(struct fc_batch_builder *builder,
                                           const struct fc_record *record,
                                           struct fc_error *err);

/* Nothing can be added any more. Compressed records that are not smaller are kept plain. */
FC_MUST_CHECK fc_code fc_batch_builder_seal(struct fc_batch_builder *builder,
                                            struct fc_error *err);

/* Of the sealed batch, header included. */
uint64_t fc_batch_builder_size(const struct fc_batch_builder *builder);

#endif
