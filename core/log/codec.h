/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compression of a batch's records, with contexts that are made once and reused.
 *
 * LZ4 is the frame format with independent blocks, as Kafka's Java client insists; zstd is one
 * frame. What is written carries its content size, so that it is decompressed into memory of
 * the right size at once; frames of other writers may leave it out. gzip is one stream, and
 * snappy is written in the framing of Java clients and read plain as well.
 *
 * Thread: one at a time.
 */
#ifndef FC_LOG_CODEC_H
#define FC_LOG_CODEC_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/log/record.h"

struct fc_codec;

struct fc_codec *fc_codec_new(void);
void fc_codec_free(struct fc_codec *codec); /* NULL is fine */

/* Bytes of zstd's contexts, which grow with the windows of the frames that they meet; LZ4's are
 * bounded by the format's largest block. */
size_t fc_codec_memory(const struct fc_codec *codec);

/* True for the codecs that this build reads and writes. */
bool fc_codec_known(int compression);

/* Append the compressed form of `from` to `to`; compression is not NONE. */
FC_MUST_CHECK fc_code fc_codec_compress(struct fc_codec *codec, fc_compression compression,
                                        struct fc_slice from, struct fc_buf *to,
                                        struct fc_error *err);

/*
 * Append the plain form of `from` to `to`, whose limit bounds it.
 * Errors: FC_ERR_CORRUPT (not a whole frame of that codec), FC_ERR_LIMIT.
 */
FC_MUST_CHECK fc_code fc_codec_decompress(struct fc_codec *codec, fc_compression compression,
                                          struct fc_slice from, struct fc_buf *to,
                                          struct fc_error *err);

#endif
