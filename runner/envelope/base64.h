/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 with padding, as Java's encoder writes it. */
#ifndef FC_RUNNER_BASE64_H
#define FC_RUNNER_BASE64_H

#include "core/base/slice.h"

static inline size_t fc_base64_size(size_t len)
{
    return (len + 2) / 3 * 4;
}

/* Write fc_base64_size(len) characters; returns their end. */
char *fc_base64_put(char *at, const uint8_t *data, size_t len);

/*
 * Decode into `to`, which has room for text.len / 4 * 3 bytes. false when text is not what
 * fc_base64_put writes: wrong characters, length or padding.
 */
bool fc_base64_take(struct fc_slice text, uint8_t *to, size_t *out_len);

#endif
