/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that a snapshot has read, into batches. */
#include <stdlib.h>

#include "connectors/mysql/chunk_query.h"
#include "connectors/mysql/emitter.h"
#include "connectors/mysql/row_text.h"
#include "connectors/mysql/snapshot_plan.h"
#include "connectors/mysql/snapshot_state.h"
#include "core/base/alloc.h"

static bool is_full(const struct fc_batch *batch)
{
    return batch->count >= batch->count_max ||
           (batch->bytes >= batch->bytes_max && batch->count > 0);
}

/* file and pos as of the view; server_id 0 as Debezium has it for rows of a snapshot. */
static const struct fc_value *make_source(struct fc_snapshot *snapshot, struct fc_batch *batch)
{
    size_t size = sizeof(struct fc_value) * FC_EMITTER_FIELD_COUNT;
    struct fc_value *values = (struct fc_value *)snapshot->host->batch_alloc(batch, size);
    size_t file_len = strlen(snapshot->high.file);
    char *file = (char *)snapshot->host->batch_alloc(batch, file_len + 1);
    if (values == NULL || file == NULL) {
        return NULL;
    }
    memset(values, 0, size);
    memcpy(file, snapshot->high.file, file_len + 1);
    values[FC_EMITTER_SERVER_ID].kind = FC_VALUE_INT;
    values[FC_EMITTER_FILE].kind = FC_VALUE_TEXT;
    values[FC_EMITTER_FILE].as.bytes = fc_slice_of(file, file_len);
    values[FC_EMITTER_POS].kind = FC_VALUE_INT;
    values[FC_EMITTER_POS].as.i64 = (int64_t)snapshot->high.position;
    return values;
}

static fc_code fail_full(const struct fc_snapshot *snapshot, struct fc_error *err)
{
    return fc_fail(err, FC_ERR_LIMIT, "a row of %s.%s does not fit into a batch",
                   snapshot->shape->db, snapshot->shape->table);
}

static bool was_noted(struct fc_snapshot *snapshot, const struct fc_value *row)
{
    if (snapshot->noted.count == 0) {
        return false;
    }
    fc_buf_clear(&snapshot->key);
    fc_chunk_key_bytes(&snapshot->key, snapshot->shape, row, NULL);
    return fc_hashmap_get(&snapshot->noted, fc_buf_slice(&snapshot->key)) != NULL;
}

static fc_code give_row(struct fc_snapshot *snapshot, const struct fc_slice *fields,
                        const struct fc_value *source, struct fc_batch *batch,
                        struct fc_error *err)
{
    const struct fc_shape *shape = snapshot->shape;
    struct fc_value *row = (struct fc_value *)snapshot->host->batch_alloc(
        batch, shape->column_count * sizeof(*row));
    struct fc_change *change;
    fc_code code;
    if (row == NULL) {
        return fail_full(snapshot, err);
    }
    code = fc_row_text_decode(shape, fields, snapshot->host, batch, row, err);
    if (code != FC_OK || was_noted(snapshot, row)) {
        return code;
    }
    change = snapshot->host->batch_add(batch);
    if (change == NULL) {
        return fail_full(snapshot, err);
    }
    change->op = FC_OP_READ;
    change->snapshot = FC_SNAPSHOT_ROW;
    change->shape = shape;
    change->after = row;
    change->source = source;
    change->ts_us = snapshot->read_us;
    change->row = snapshot->row++;
    snapshot->last = change;
    return FC_OK;
}

/* Say that the table is complete: on its last row if that is in this batch. */
static fc_code give_end(struct fc_snapshot *snapshot, const struct fc_value *source,
                        struct fc_batch *batch, struct fc_error *err)
{
    struct fc_change *change = snapshot->last;
    if (change != NULL) {
        change->snapshot = FC_SNAPSHOT_LAST_OF_TABLE;
        return FC_OK;
    }
    change = snapshot->host->batch_add(batch);
    if (change == NULL) {
        return fail_full(snapshot, err);
    }
    change->op = FC_OP_READ;
    change->snapshot = FC_SNAPSHOT_EMPTY_TABLE;
    change->shape = snapshot->shape;
    change->db = fc_slice_text(snapshot->shape->db);
    change->table = fc_slice_text(snapshot->shape->table);
    change->source = source;
    change->ts_us = snapshot->read_us;
    change->row = snapshot->row++;
    return FC_OK;
}

fc_code fc_snapshot_give_chunk(struct fc_snapshot *snapshot, struct fc_batch *batch,
                               struct fc_error *err)
{
    const struct fc_value *source = make_source(snapshot, batch);
    const struct fc_slice *fields;
    fc_code code = source == NULL ? fail_full(snapshot, err) : FC_OK;
    snapshot->last = NULL;
    while (code == FC_OK) {
        if (is_full(batch)) {
            return FC_OK;
        }
        fields = fc_chunk_next(&snapshot->chunk, snapshot->shape);
        if (fields == NULL) {
            break;
        }
        code = give_row(snapshot, fields, source, batch, err);
    }
    if (code != FC_OK) {
        return code;
    }
    fc_snapshot_forget_notes(snapshot);
    snapshot->step = FC_SNAPSHOT_STEP_BEGIN;
    if (snapshot->last_chunk) {
        code = give_end(snapshot, source, batch, err);
        fc_snapshot_finish_table(snapshot);
    } else {
        fc_snapshot_plan_set_key(fc_snapshot_plan_of(snapshot),
                                 json_incref(snapshot->chunk.last_key));
    }
    fc_chunk_clear(&snapshot->chunk);
    return code;
}

fc_code fc_snapshot_give_scan(struct fc_snapshot *snapshot, struct fc_batch *batch,
                              struct fc_error *err)
{
    const struct fc_value *source = make_source(snapshot, batch);
    struct fc_slice *fields = fc_new_array(struct fc_slice, snapshot->shape->column_count);
    MYSQL_ROW row = NULL;
    fc_code code = source == NULL ? fail_full(snapshot, err) : FC_OK;
    snapshot->last = NULL;
    while (code == FC_OK && !is_full(batch)) {
        row = mysql_fetch_row(snapshot->scan);
        if (row == NULL) {
            break;
        }
        for (uint32_t index = 0; index < snapshot->shape->column_count; index++) {
            const unsigned long *lengths = mysql_fetch_lengths(snapshot->scan);
            fields[index] =
                row[index] == NULL ? fc_slice_null() : fc_slice_of(row[index], lengths[index]);
        }
        code = give_row(snapshot, fields, source, batch, err);
    }
    free(fields);
    if (code != FC_OK || row != NULL) {
        return code;
    }
    if (mysql_errno(snapshot->session->mysql) != 0) {
        return fc_session_fail(snapshot->session, err, "read a table");
    }
    mysql_free_result(snapshot->scan);
    snapshot->scan = NULL;
    code = fc_session_run(snapshot->session, err, "ROLLBACK");
    snapshot->view_open = false;
    if (code == FC_OK) {
        code = give_end(snapshot, source, batch, err);
        fc_snapshot_finish_table(snapshot);
    }
    return code;
}
