/* SPDX-License-Identifier: Apache-2.0 */
/* Codecs that need no context between batches; for codec.c only. Errors as in codec.h. */
#ifndef FC_LOG_CODEC_PARTS_H
#define FC_LOG_CODEC_PARTS_H

#include "core/base/buf.h"

FC_MUST_CHECK fc_code fc_gzip_compress(struct fc_slice from, struct fc_buf *to,
                                       struct fc_error *err);
FC_MUST_CHECK fc_code fc_gzip_decompress(struct fc_slice from, struct fc_buf *to,
                                         struct fc_error *err);

/* Written in the framing of Java clients (32 KB blocks behind a header); read so, and plain. */
FC_MUST_CHECK fc_code fc_snappy_compress(struct fc_slice from, struct fc_buf *to,
                                         struct fc_error *err);
FC_MUST_CHECK fc_code fc_snappy_decompress(struct fc_slice from, struct fc_buf *to,
                                           struct fc_error *err);

#endif
