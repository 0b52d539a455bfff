/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The APIs of Kafka that we know, and the headers in front of requests and responses.
 *
 * A frame's 4 bytes of length are not part of this.
 */
#ifndef FC_WIRE_API_H
#define FC_WIRE_API_H

#include "core/wire/wire.h"

struct fc_wire_api {
    int16_t key;
    const char *name; /* as Kafka writes it: "Metadata" */
    int16_t min;      /* advertised; the lowest that can be decoded is request->version_min */
    int16_t max;
    int16_t flexible_from; /* INT16_MAX: never */
    const struct fc_wire_type *request;
    const struct fc_wire_type *response;
};

/* NULL for a key that we do not know. */
const struct fc_wire_api *fc_wire_api(int16_t key);

/* All of them, by key. */
const struct fc_wire_api *fc_wire_apis(size_t *out_count);

/* Whether requests of this version can be decoded. */
static inline bool fc_wire_api_has(const struct fc_wire_api *api, int16_t version)
{
    return version >= api->request->version_min && version <= api->max;
}

/*
 * Versions 1 and 2: key (2), version (2), correlation id (4), client id (nullable string with 2
 * bytes of length, also in version 2), and in version 2 a tag section. Requests of flexible
 * versions have version 2.
 */
struct fc_wire_request_header {
    int16_t api_key;
    int16_t version;
    int32_t correlation_id;
    struct fc_slice client_id;
};

/* Read the header and leave the reader at the request. Unknown keys and versions are not an error here:
 * what can be read is read, so that they can be answered. Errors: FC_ERR_PROTOCOL, FC_ERR_LIMIT. */
FC_MUST_CHECK fc_code fc_wire_request_header_decode(struct fc_reader *reader,
                                                    struct fc_wire_request_header *out,
                                                    struct fc_error *err);
void fc_wire_request_header_encode(struct fc_buf *to,
                                   const struct fc_wire_request_header *header);

/* The correlation id, and for flexible versions an empty tag section; the latter never for
 * ApiVersions, whose answer must be readable by who does not know the version. */
void fc_wire_response_header_encode(struct fc_buf *to, int16_t api_key, int16_t version,
                                    int32_t correlation_id);
FC_MUST_CHECK fc_code fc_wire_response_header_decode(struct fc_reader *reader, int16_t api_key,
                                                     int16_t version,
                                                     int32_t *out_correlation_id,
                                                     struct fc_error *err);

#endif
