/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/chunk.h"

#include <stdlib.h>

#include "connectors/mysql/chunk_query.h"
#include "core/base/alloc.h"

enum { ROWS_BYTES_LIMIT_LOG2 = 31, KEEP_BYTES = 16 * 1024 * 1024 };

static const uint32_t SIZE_NULL = UINT32_MAX;

void fc_chunk_init(struct fc_chunk *chunk)
{
    memset(chunk, 0, sizeof(*chunk));
    fc_buf_init(&chunk->rows, (size_t)1 << ROWS_BYTES_LIMIT_LOG2);
}

void fc_chunk_clear(struct fc_chunk *chunk)
{
    if (chunk->rows.capacity > KEEP_BYTES) {
        fc_buf_release(&chunk->rows);
        fc_buf_init(&chunk->rows, (size_t)1 << ROWS_BYTES_LIMIT_LOG2);
    }
    fc_buf_clear(&chunk->rows);
    json_decref(chunk->last_key);
    chunk->last_key = NULL;
    chunk->count = 0;
    chunk->cut = false;
    chunk->taken = 0;
    chunk->taken_count = 0;
}

void fc_chunk_release(struct fc_chunk *chunk)
{
    fc_chunk_clear(chunk);
    fc_buf_release(&chunk->rows);
    free(chunk->fields);
    chunk->fields = NULL;
}

static void append_row(struct fc_chunk *chunk, const struct fc_slice *fields, uint32_t count)
{
    for (uint32_t index = 0; index < count; index++) {
        if (fc_slice_is_null(fields[index])) {
            fc_buf_append_le32(&chunk->rows, SIZE_NULL);
        } else {
            fc_buf_append_le32(&chunk->rows, (uint32_t)fields[index].len);
            fc_buf_append_slice(&chunk->rows, fields[index]);
        }
    }
    chunk->count++;
}

/* Returns where the next row starts. */
static size_t read_fields(struct fc_chunk *chunk, size_t at, uint32_t count)
{
    for (uint32_t index = 0; index < count; index++) {
        uint32_t size;
        memcpy(&size, chunk->rows.data + at, sizeof(size));
        at += sizeof(size);
        chunk->fields[index] = fc_slice_null();
        if (size != SIZE_NULL) {
            chunk->fields[index] = fc_slice_of(chunk->rows.data + at, size);
            at += size;
        }
    }
    return at;
}

static void take_fields(struct fc_chunk *chunk, MYSQL_RES *result, MYSQL_ROW row,
                        uint32_t count)
{
    const unsigned long *lengths = mysql_fetch_lengths(result);
    for (uint32_t index = 0; index < count; index++) {
        chunk->fields[index] =
            row[index] == NULL ? fc_slice_null() : fc_slice_of(row[index], lengths[index]);
    }
}

static fc_code keep_rows(struct fc_chunk *chunk, struct fc_session *session, MYSQL_RES *result,
                         const struct fc_shape *shape, size_t bytes_max, struct fc_error *err)
{
    MYSQL_ROW row;
    size_t last = 0;
    fc_code code;
    while ((row = mysql_fetch_row(result)) != NULL) {
        if (chunk->rows.len >= bytes_max) {
            chunk->cut = true;
            break;
        }
        take_fields(chunk, result, row, shape->column_count);
        last = chunk->rows.len;
        append_row(chunk, chunk->fields, shape->column_count);
    }
    if (!chunk->cut && mysql_errno(session->mysql) != 0) {
        return fc_session_fail(session, err, "read a chunk");
    }
    code = fc_buf_check(&chunk->rows, "chunk", err);
    if (code == FC_OK && chunk->count > 0) {
        read_fields(chunk, last, shape->column_count);
        chunk->last_key = fc_chunk_key_of_row(shape, chunk->fields);
        if (chunk->last_key == NULL) {
            code = fc_fail(err, FC_ERR_PROTOCOL, "%s.%s: a key is not UTF-8", shape->db,
                           shape->table);
        }
    }
    return code;
}

fc_code fc_chunk_read(struct fc_chunk *chunk, struct fc_session *session, struct fc_slice sql,
                      const struct fc_shape *shape, size_t bytes_max, struct fc_error *err)
{
    MYSQL_RES *result;
    fc_code code;
    fc_chunk_clear(chunk);
    chunk->fields = (struct fc_slice *)fc_realloc_array(chunk->fields, shape->column_count,
                                                        sizeof(*chunk->fields));
    if (mysql_real_query(session->mysql, (const char *)sql.data, (unsigned long)sql.len) != 0) {
        return fc_session_fail(session, err, "read a chunk");
    }
    result = mysql_use_result(session->mysql);
    if (result == NULL) {
        return fc_session_fail(session, err, "read a chunk");
    }
    code = keep_rows(chunk, session, result, shape, bytes_max, err);
    if (chunk->cut) {
        fc_session_interrupt(session); /* or freeing the result would read all the rest */
    }
    mysql_free_result(result);
    return code;
}

const struct fc_slice *fc_chunk_next(struct fc_chunk *chunk, const struct fc_shape *shape)
{
    if (chunk->taken_count == chunk->count) {
        return NULL;
    }
    chunk->taken = read_fields(chunk, chunk->taken, shape->column_count);
    chunk->taken_count++;
    return chunk->fields;
}
