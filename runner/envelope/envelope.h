/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The envelope: a change as Debezium's JSON (schemas off, field for field), and back.
 *
 * One encoder serves snapshot and stream: the same row gives the same bytes. FC_ENVELOPE_EXACT
 * differs from Debezium only where Debezium's default loses the value: DECIMAL is its decimal
 * text as a JSON string, BIGINT UNSIGNED the exact number, NULL is null, a zero or invalid date
 * its text, JSON one compact form. Source of the rules: Debezium's documentation and
 * JsonConverter of Apache Kafka Connect. docs/envelope.md holds the tables.
 *
 * Thread: an encoder belongs to one worker; a row decoder does not change and may be shared.
 */
#ifndef FC_RUNNER_ENVELOPE_H
#define FC_RUNNER_ENVELOPE_H

#include "catalog/schema.h"
#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/marks.h"
#include "fc/connector.h"

/* Copied by fc_envelope_new, but for `clock`. */
struct fc_envelope_config {
    fc_envelope_mode mode;
    const char *connector_name; /* source.name, Debezium's topic.prefix */
    const char *engine;         /* source.connector */
    const char *version;        /* source.version */
    const struct fc_source_field *fields;
    const struct fc_clock *clock; /* for ts_ms, ts_us, ts_ns */
};

struct fc_envelope;
struct fc_envelope *fc_envelope_new(const struct fc_envelope_config *config);
void fc_envelope_free(struct fc_envelope *envelope); /* NULL is fine */

/*
 * Take the time for ts_ms/ts_us/ts_ns and drop cached text: pointers of changes before this
 * call mean nothing any more. Call it at the start of each batch. Between two calls, equal
 * `shape`, `source` and `tx` pointers must mean equal contents.
 */
void fc_envelope_begin_batch(struct fc_envelope *envelope);

/*
 * The encoders below append to `out`. They cannot fail but by out's limit: look with
 * fc_buf_check before using the bytes.
 *
 * The record key: a JSON object of the key columns in key order, from `row` (change->after, or
 * before for a delete). Appends nothing and returns false when the table has no key.
 */
bool fc_envelope_key(struct fc_envelope *envelope, const struct fc_shape *shape,
                     const struct fc_value *row, struct fc_buf *out);

/* The record key of a DDL change: {"databaseName":"inv"}. */
void fc_envelope_ddl_key(struct fc_envelope *envelope, const struct fc_change *change,
                         struct fc_buf *out);

/*
 * The record value. op 'r','c','u','d','t' as Debezium's change event; 's' as Debezium's schema
 * change event with an empty tableChanges, and "kind" and "tables" after it. op_override: 0, or
 * the op to write instead (a key change is written as 'd' then 'c', whose missing row images
 * are null).
 */
void fc_envelope_value(struct fc_envelope *envelope, const struct fc_change *change,
                       char op_override, struct fc_buf *out);

/* Where the value written last is like others; valid until the next call. The value must have
 * been written to an empty buffer. */
const struct fc_marks *fc_envelope_marks(const struct fc_envelope *envelope);

/* One row as the JSON object that stands under "after": the same bytes as in
 * fc_envelope_value. */
void fc_envelope_row(struct fc_envelope *envelope, const struct fc_shape *shape,
                     const struct fc_value *row, struct fc_buf *out);

/* --- and back --- */

/* Where the parts of a value stand, without decoding them; null slices where the JSON has null.
 * All borrow from the value. */
struct fc_envelope_parts {
    struct fc_slice before; /* the JSON object's text */
    struct fc_slice after;
    struct fc_slice source;
    char op; /* 's' for a schema change event */
};

/* FC_ERR_CORRUPT when value is not an envelope. */
FC_MUST_CHECK fc_code fc_envelope_split(struct fc_slice value,
                                        struct fc_envelope_parts *out_parts,
                                        struct fc_error *err);

/*
 * Decode a schema change event. Texts borrow from `value` or are in arena, the tables are in
 * arena. out_db: its databaseName. Errors: FC_ERR_CORRUPT, FC_ERR_LIMIT (arena).
 */
FC_MUST_CHECK fc_code fc_envelope_decode_ddl(struct fc_slice value, struct fc_arena *arena,
                                             struct fc_slice *out_db, struct fc_ddl *out_ddl,
                                             struct fc_error *err);

/* Decodes rows of one schema. */
struct fc_row_decoder;

/* schema is borrowed until free. */
struct fc_row_decoder *fc_row_decoder_new(const struct fc_schema *schema);
void fc_row_decoder_free(struct fc_row_decoder *decoder); /* NULL is fine */

/*
 * Decode a row object (parts.before or parts.after) into shape->column_count values, each the
 * very value that was encoded (docs/envelope.md names what FC_ENVELOPE_DEBEZIUM loses). Text
 * that needs no unescaping borrows from `object`, the rest is in arena. A column that is absent
 * from the object (a transform dropped it) is an FC_ERR_CORRUPT that names it; members that are
 * no column are passed over. Errors: FC_ERR_CORRUPT, FC_ERR_LIMIT (arena). Thread: any.
 */
FC_MUST_CHECK fc_code fc_row_decoder_decode(const struct fc_row_decoder *decoder,
                                            struct fc_slice object, struct fc_arena *arena,
                                            struct fc_value *out_values, struct fc_error *err);

#endif
