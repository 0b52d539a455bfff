/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schemas of all tables ever captured, kept in topic `_fluvio.schemas` (one partition, for ever):
 * key is the id in 16 hexadecimal digits, value the schema's JSON.
 *
 * A schema is durable there before the first record that uses it is appended.
 * Thread: any.
 */
#ifndef FC_RUNNER_SCHEMA_STORE_H
#define FC_RUNNER_SCHEMA_STORE_H

#include "catalog/schema.h"
#include "core/base/clock.h"
#include "core/stream/stream.h"

#define FC_SCHEMA_TOPIC "_fluvio.schemas"

struct fc_schema_store;

/* Load all that the log holds. Creates nothing. */
FC_MUST_CHECK fc_code fc_schema_store_open(struct fc_stream *stream,
                                           const struct fc_clock *clock,
                                           struct fc_schema_store **out_store,
                                           struct fc_error *err);
void fc_schema_store_close(struct fc_schema_store *store); /* NULL is fine */

/* The schema of a shape, new or known. Valid until close. */
FC_MUST_CHECK fc_code fc_schema_store_add(struct fc_schema_store *store,
                                          const struct fc_shape *shape, fc_envelope_mode mode,
                                          const struct fc_schema **out_schema,
                                          struct fc_error *err);

/* NULL when unknown. Valid until close. */
const struct fc_schema *fc_schema_store_get(struct fc_schema_store *store, uint64_t id);

/* Pointers of shapes seen so far mean nothing any more (their owner is gone). */
void fc_schema_store_forget_pointers(struct fc_schema_store *store);

/* Append the schema unless the log has it; out_appended: a flush is needed before it is used. */
FC_MUST_CHECK fc_code fc_schema_store_write(struct fc_schema_store *store,
                                            const struct fc_schema *schema, bool *out_appended,
                                            struct fc_error *err);

#endif
