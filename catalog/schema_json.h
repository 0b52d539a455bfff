/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A schema as JSON text, and the id that follows from it.
 *
 * {"id":"<16 hex>","v":1,"mode":"exact|debezium","db":..,"table":..,
 *  "columns":[{"name","type","native","charset","nullable","unsigned","bits","length",
 *              "precision","scale","key","labels":[..]}, ..],
 *  "create":".."|null}
 *
 * Compact, members always in this order, all always present; charset and native may be null. The
 * id is the first 8 bytes, big-endian, of the SHA-256 of the same text without the id member.
 */
#ifndef FC_CATALOG_SCHEMA_JSON_H
#define FC_CATALOG_SCHEMA_JSON_H

#include "catalog/schema.h"

/*
 * The text of a schema without its id (the text that the id is computed from) in fresh memory
 * that the caller frees. FC_ERR_PROTOCOL when a text of the shape is not UTF-8.
 */
FC_MUST_CHECK fc_code fc_schema_json_encode(const struct fc_shape *shape, fc_envelope_mode mode,
                                            char **out_text, struct fc_error *err);

/* The id of a text that fc_schema_json_encode gave. */
uint64_t fc_schema_json_id(const char *text);

/* Append the text with its id in front. */
void fc_schema_json_append(const char *text, uint64_t id, struct fc_buf *out);

/*
 * Read a stored schema. out_shape: a copy that the caller frees with free(); out_id: as written in
 * the text, not yet compared with the content. FC_ERR_CORRUPT when text is not a schema.
 */
FC_MUST_CHECK fc_code fc_schema_json_decode(struct fc_slice text, uint64_t *out_id,
                                            fc_envelope_mode *out_mode,
                                            struct fc_shape **out_shape, struct fc_error *err);

#endif
