/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648 section 4) with padding. */
#ifndef FC_SPU_AUTH_BASE64_H
#define FC_SPU_AUTH_BASE64_H

#include <stdbool.h>

#include "core/base/buf.h"

void fc_base64_append(struct fc_buf *to, struct fc_slice bytes);

/* False when the text is not base64 or does not fit; out_len is untouched then. */
bool fc_base64_decode(struct fc_slice text, uint8_t *to, size_t size, size_t *out_len);

#endif
