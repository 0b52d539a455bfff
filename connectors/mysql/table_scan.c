/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/table_scan.h"

#include <stdlib.h>

#include "connectors/mysql/row_text.h"
#include "core/base/alloc.h"

enum { SELECT_SIZE_MAX = 4 * 1024 * 1024 };

/* One scan under way; slices are those of the current row. */
struct rows {
    const struct fc_host *host;
    const struct fc_shape *shape;
    const struct fc_table_scan *scan;
    struct fc_slice *fields;
    uint64_t count;
};

static fc_code add_row(struct rows *rows, MYSQL_ROW row, const unsigned long *lengths,
                       struct fc_error *err)
{
    const struct fc_shape *shape = rows->shape;
    struct fc_batch *batch = rows->scan->batch;
    struct fc_change *change = rows->host->batch_add(batch);
    struct fc_value *values =
        change == NULL
            ? NULL
            : rows->host->batch_alloc(batch, shape->column_count * sizeof(struct fc_value));
    if (values == NULL) {
        return fc_fail(err, FC_ERR_LIMIT, "%s.%s: a row does not fit a batch", shape->db,
                       shape->table);
    }
    for (uint32_t index = 0; index < shape->column_count; index++) {
        rows->fields[index] =
            row[index] == NULL ? fc_slice_null() : fc_slice_of(row[index], lengths[index]);
    }
    change->op = FC_OP_READ;
    change->snapshot = FC_SNAPSHOT_ROW;
    change->shape = shape;
    change->db = fc_slice_text(shape->db);
    change->table = fc_slice_text(shape->table);
    change->after = values;
    change->row = rows->count++;
    return fc_row_text_decode(shape, rows->fields, rows->host, batch, values, err);
}

static fc_code flush(struct rows *rows, struct fc_error *err)
{
    fc_code code = FC_OK;
    if (rows->scan->batch->count > 0) {
        code = rows->scan->on_batch(rows->scan->ctx, rows->shape, rows->scan->batch, err);
        rows->scan->batch_clear(rows->scan->batch);
    }
    return code;
}

static fc_code read_rows(struct fc_session *session, struct rows *rows, MYSQL_RES *result,
                         struct fc_error *err)
{
    struct fc_batch *batch = rows->scan->batch;
    fc_code code = FC_OK;
    MYSQL_ROW row;
    rows->scan->batch_clear(batch);
    while (code == FC_OK && (row = mysql_fetch_row(result)) != NULL) {
        code = add_row(rows, row, mysql_fetch_lengths(result), err);
        if (code == FC_OK &&
            (batch->count >= batch->count_max || batch->bytes >= batch->bytes_max)) {
            code = flush(rows, err);
        }
    }
    if (code == FC_OK && mysql_errno(session->mysql) != 0) {
        code = fc_session_fail(session, err, "read the table");
    }
    return code == FC_OK ? flush(rows, err) : code;
}

fc_code fc_table_scan_run(struct fc_session *session, const struct fc_shape *shape,
                          const struct fc_table_scan *scan, struct fc_error *err)
{
    struct rows rows = { .host = session->host, .shape = shape, .scan = scan };
    MYSQL_RES *result = NULL;
    struct fc_buf sql;
    fc_code code;
    rows.fields = fc_new_array(struct fc_slice, shape->column_count);
    fc_buf_init(&sql, SELECT_SIZE_MAX);
    fc_buf_append_text(&sql, "SELECT ");
    fc_row_text_select_list(&sql, shape);
    fc_buf_append_text(&sql, " FROM ");
    fc_session_append_name(&sql, shape->db);
    fc_buf_append_u8(&sql, '.');
    fc_session_append_name(&sql, shape->table);
    code = fc_buf_check(&sql, "a SELECT statement", err);
    if (code != FC_OK) {
        goto out;
    }
    if (mysql_real_query(session->mysql, (const char *)sql.data, (unsigned long)sql.len) != 0 ||
        (result = mysql_use_result(session->mysql)) == NULL) {
        code = fc_session_fail(session, err, "scan");
        goto out;
    }
    code = read_rows(session, &rows, result, err);
    if (code != FC_OK) {
        /* Rows that nobody wants would be read to their end otherwise. */
        fc_session_interrupt(session);
    }
    mysql_free_result(result);
out:
    fc_buf_release(&sql);
    free(rows.fields);
    return code;
}
