/* SPDX-License-Identifier: Apache-2.0 */
/* A sensible request of every API that an SPU serves, made by core/wire's tables: it asks for, or
 * changes, one topic, group, transaction or user. */
#ifndef FC_TESTS_API_REQUEST_H
#define FC_TESTS_API_REQUEST_H

#include "core/base/uuid.h"
#include "core/wire/api.h"

/* What requests name; all borrowed. */
struct api_names {
    const char *topic;
    struct fc_uuid topic_id; /* for versions that name topics by nothing else */
    const char *group;
    const char *transactional_id;
    const char *user;
    const char *metadata; /* of a committed offset */
    struct fc_slice records;
};

/* The message in the arena, with one element in each array that matters. */
void *api_request_make(const struct fc_wire_api *api, int16_t version,
                       const struct api_names *names, struct fc_arena *arena);

/* What a message's fields called error_code say, one call each. */
void api_response_errors(const struct fc_wire_type *type, int16_t version, const void *message,
                         void (*on_error)(void *ctx, int16_t error), void *ctx);

#endif
