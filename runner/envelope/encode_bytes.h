/* SPDX-License-Identifier: Apache-2.0 */
/* The values whose JSON is built from their bytes: geometry, vectors, unscaled decimals. */
#ifndef FC_RUNNER_ENCODE_BYTES_H
#define FC_RUNNER_ENCODE_BYTES_H

#include "core/base/slice.h"

/* Room that each needs for `len` bytes of value; FC_JSON_SLACK comes on top. */
size_t fc_bytes_bound(size_t len);

/* SRID and WKB as an object; bytes that are shorter than an SRID as base64. */
char *fc_bytes_put_geometry(char *at, struct fc_slice bytes, bool is_point);

/* An array of float32; bytes that an array could not bring back as base64. */
char *fc_bytes_put_vector(char *at, struct fc_slice bytes);

/*
 * A decimal text as quoted base64 of its unscaled number. More fraction digits than `scale` make
 * it {"scale","value"}, Kafka Connect's form for such numbers; what is no decimal at all
 * {"text":".."}.
 */
char *fc_bytes_put_unscaled(char *at, struct fc_slice text, unsigned scale);

#endif
