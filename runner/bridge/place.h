/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far each partition is copied, as the position of a checkpoint:
 *
 *   {"orders":{"id":"pFRUu1wMQLKZG0OzQ-eK5w","next":[12,-1]},...}
 *
 * by source topic: what tells it from another of its name, and the offset to be copied next of
 * each partition; -1: nothing was begun. Without an id the value is the list alone, as it was
 * before there were ids.
 */
#ifndef FC_RUNNER_BRIDGE_PLACE_H
#define FC_RUNNER_BRIDGE_PLACE_H

#include "core/base/buf.h"

struct fc_places; /* decoded */

/* Text of no bytes is an empty one. FC_ERR_CORRUPT when it cannot be read. */
FC_MUST_CHECK fc_code fc_places_decode(struct fc_slice text, struct fc_places **out_places,
                                       struct fc_error *err);
void fc_places_free(struct fc_places *places); /* NULL is fine */

/* -1 when there is none. */
int64_t fc_places_get(const struct fc_places *places, const char *topic, uint32_t partition);

/* NULL when it is not known. */
const char *fc_places_id(const struct fc_places *places, const char *topic);

/* Add a topic's entry to an object's text, up to its list of offsets, which the caller adds and
 * ends with fc_places_encode_end. id NULL: not known. */
void fc_places_encode_begin(struct fc_buf *out, const char *topic, const char *id);
void fc_places_encode_end(struct fc_buf *out, const char *id);

/* Add to an object's text the topics that are not known, each after a comma, the
 * first one only when `comma`. */
void fc_places_encode_others(const struct fc_places *places,
                             bool (*is_known)(void *ctx, const char *topic), void *ctx,
                             bool comma, struct fc_buf *out);

#endif
