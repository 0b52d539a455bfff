/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes a record batch apart into an array of records, with memory that is reused from batch to
 * batch.
 *
 * Records point into the batch's own bytes when it is not compressed, else into the decoder's
 * buffer; both arrays live until the next batch. Nothing is allocated by a number that the
 * bytes have not room for.
 *
 * Thread: one at a time.
 */
#ifndef FC_LOG_BATCH_DECODER_H
#define FC_LOG_BATCH_DECODER_H

#include "core/base/buf.h"
#include "core/log/batch.h"
#include "core/log/codec.h"

struct fc_batch_decoder {
    struct fc_codec *codec;
    struct fc_buf plain;
    struct fc_record *records;
    size_t records_capacity;
    struct fc_header *headers; /* of all records, in order */
    size_t headers_capacity;
};

/* plain_max bounds the decompressed size of a batch. */
void fc_batch_decoder_init(struct fc_batch_decoder *decoder, size_t plain_max);
void fc_batch_decoder_release(struct fc_batch_decoder *decoder);

/* Bytes that are kept for the next batch. */
size_t fc_batch_decoder_memory(const struct fc_batch_decoder *decoder);

/*
 * Check a whole batch (header, checksum) and decode its records.
 *
 * Errors: FC_ERR_CORRUPT (the message says what is wrong, not where: the caller knows),
 * FC_ERR_PROTOCOL (a codec that is not read here), FC_ERR_LIMIT (decompressed size).
 */
FC_MUST_CHECK fc_code fc_batch_decode(struct fc_batch_decoder *decoder, struct fc_slice batch,
                                      const struct fc_record **out_records, uint32_t *out_count,
                                      struct fc_error *err);

/* The same without decoding: the records' plain bytes, the batch's own (body) or decompressed
 * ones. The header has passed its check, and the checksum is the caller's business. */
FC_MUST_CHECK fc_code fc_batch_unpack(struct fc_batch_decoder *decoder,
                                      const struct fc_batch_header *header,
                                      struct fc_slice body, struct fc_slice *out_plain,
                                      struct fc_error *err);

#endif
