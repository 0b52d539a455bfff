/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of one query, kept as they came until they are given out.
 *
 * A row is its fields one after another: size(4), SIZE_NULL for NULL, and the bytes.
 */
#ifndef FC_MYSQL_CHUNK_H
#define FC_MYSQL_CHUNK_H

#include <jansson.h>

#include "connectors/mysql/session.h"
#include "fc/change.h"

struct fc_chunk {
    struct fc_buf rows;
    uint64_t count;
    bool cut; /* the query had more rows than bytes_max allowed; the connection is gone */
    json_t *last_key; /* of the last row; NULL when there is none */
    size_t taken;     /* bytes given out by next */
    uint64_t taken_count;
    struct fc_slice *fields; /* of the row that next gave */
};

void fc_chunk_init(struct fc_chunk *chunk);
void fc_chunk_clear(struct fc_chunk *chunk);
void fc_chunk_release(struct fc_chunk *chunk);

/*
 * Run the query and keep its rows, at least one and about bytes_max bytes at most. After a cut
 * the session must be closed.
 */
FC_MUST_CHECK fc_code fc_chunk_read(struct fc_chunk *chunk, struct fc_session *session,
                                    struct fc_slice sql, const struct fc_shape *shape,
                                    size_t bytes_max, struct fc_error *err);

/* The next row's fields, shape->column_count of them, valid until the next call; NULL at the
 * end. */
const struct fc_slice *fc_chunk_next(struct fc_chunk *chunk, const struct fc_shape *shape);

#endif
