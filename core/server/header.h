/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka's request and response headers: which version of a message has which, and how a
 * request's is read. */
#ifndef FC_SERVER_HEADER_H
#define FC_SERVER_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

struct fc_header {
    int16_t api_key;
    int16_t api_version;
    int32_t correlation_id;
    struct fc_slice client_id; /* borrows from the frame; null when there is none */
    size_t size;               /* of the header; the body follows */
};

/* Whether requests of this version are of the flexible kind, with tagged fields. */
bool fc_header_is_flexible(int16_t api_key, int16_t api_version);
/* Whether the response header has tagged fields. ApiVersions' never has (KIP-511). */
bool fc_header_reply_has_tags(int16_t api_key, int16_t api_version);

/* False when the frame ends too early, or a length in it is wrong. */
bool fc_header_decode(struct fc_slice frame, struct fc_header *out_header);

#endif
