/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL that reads a table in key order, a chunk at a time, and the key values between chunks.
 *
 * A key is kept as JSON: [["id","17"],["code","x"]], the key's columns in key order with their
 * values as text; bytes as hexadecimal digits, BIT, ENUM and SET as their number.
 */
#ifndef FC_MYSQL_CHUNK_QUERY_H
#define FC_MYSQL_CHUNK_QUERY_H

#include <jansson.h>

#include "core/base/buf.h"
#include "fc/change.h"

/* The column that is `place` (from 1) in the key. */
const struct fc_column *fc_chunk_key_column(const struct fc_shape *shape, uint16_t place,
                                            uint32_t *out_index);

/* A chunk can be asked for by this key: all its types can be ordered and compared. */
bool fc_chunk_key_usable(const struct fc_shape *shape);

/*
 * SELECT ... WHERE key > after ORDER BY key LIMIT limit.
 *
 * after  NULL: from the first row.
 * lock   read with shared row locks instead of a consistent view.
 */
FC_MUST_CHECK fc_code fc_chunk_query(struct fc_buf *sql, const struct fc_shape *shape,
                                     const json_t *after, uint64_t limit, bool lock,
                                     struct fc_error *err);

/* SELECT of the whole table, in no order. */
void fc_chunk_query_all(struct fc_buf *sql, const struct fc_shape *shape);

/* The key of a row of the text protocol; the caller decrefs it. */
json_t *fc_chunk_key_of_row(const struct fc_shape *shape, const struct fc_slice *fields);

/* `key` is one of this shape: the same columns in the same order. */
bool fc_chunk_key_fits(const json_t *key, const struct fc_shape *shape);

/*
 * Append bytes that are equal exactly for equal keys of one shape; a key column that `row` does
 * not hold is taken from `other` (may be NULL).
 */
void fc_chunk_key_bytes(struct fc_buf *out, const struct fc_shape *shape,
                        const struct fc_value *row, const struct fc_value *other);

#endif
