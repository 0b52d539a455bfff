/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Table schemas: each distinct shape of a captured table is a schema version, known by an id
 * that is computed from its content, so the same shape has the same id after any restart, on
 * any machine.
 *
 * Stored as JSON text (see core/README.md); this module only converts and remembers; who stores
 * it passes the text on. Thread: a registry belongs to one thread, or is only read.
 */
#ifndef FC_CATALOG_SCHEMA_H
#define FC_CATALOG_SCHEMA_H

#include "core/base/buf.h"
#include "core/base/error.h"
#include "fc/change.h"

/* How values of this schema's records are encoded. */
typedef enum fc_envelope_mode {
    FC_ENVELOPE_EXACT, /* the exact value: decimals and BIGINT UNSIGNED as text/number, NULL as
                          null */
    FC_ENVELOPE_DEBEZIUM /* Debezium's defaults */
} fc_envelope_mode;

struct fc_schema {
    uint64_t id;
    fc_envelope_mode mode;
    const struct fc_shape *shape; /* owned by the registry */
};

struct fc_schemas;
struct fc_schemas *fc_schemas_new(void);
void fc_schemas_free(struct fc_schemas *schemas); /* NULL is fine */

/*
 * The schema of a shape, remembered as a copy. out_added: it was not known before, so its JSON
 * must be stored before a record uses it. create_sql is part of the content: an ALTER that
 * changes only a default makes a new version.
 *
 * Looking up the same shape pointer again costs a few comparisons and does not look at the
 * content, so between two calls of fc_schemas_forget_pointers one pointer must mean one shape.
 * Errors: FC_ERR_PROTOCOL when a name or the statement is not UTF-8.
 */
FC_MUST_CHECK fc_code fc_schemas_add(struct fc_schemas *schemas, const struct fc_shape *shape,
                                     fc_envelope_mode mode, const struct fc_schema **out_schema,
                                     bool *out_added, struct fc_error *err);

/*
 * Forget which pointers belong to which schema; the schemas themselves stay. Call it when a
 * source is closed (the next one may build another shape at an address of a freed one), and
 * whenever other shapes that were passed to fc_schemas_add are freed.
 */
void fc_schemas_forget_pointers(struct fc_schemas *schemas);

/* NULL when unknown. */
const struct fc_schema *fc_schemas_get(const struct fc_schemas *schemas, uint64_t id);

void fc_schema_encode(const struct fc_schema *schema, struct fc_buf *out);

/* Remember a stored schema. FC_ERR_CORRUPT when text is not one, or its id does not fit its
 * content. */
FC_MUST_CHECK fc_code fc_schemas_load(struct fc_schemas *schemas, struct fc_slice text,
                                      const struct fc_schema **out_schema,
                                      struct fc_error *err);

#endif
