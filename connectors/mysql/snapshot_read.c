/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side of a snapshot: describing tables, reading chunks, opening scans. */
#include <inttypes.h>
#include <stdlib.h>

#include "connectors/mysql/chunk_query.h"
#include "connectors/mysql/describe.h"
#include "connectors/mysql/snapshot_plan.h"
#include "connectors/mysql/snapshot_state.h"
#include "core/base/alloc.h"
#include "core/base/clock.h"

enum {
    CHUNK_BYTES = 4 * 1024 * 1024,
    SQL_BYTES_MAX = 16 * 1024 * 1024,
    ER_TABLE_CHANGED = 1412,
    ER_BAD_COLUMN = 1054
};

void fc_snapshot_forget_notes(struct fc_snapshot *snapshot)
{
    fc_hashmap_release(&snapshot->noted, NULL);
    fc_hashmap_init(&snapshot->noted);
    snapshot->noting = false;
    snapshot->worthless = false;
}

/* The table is not as expected: the stream will tell why by the server's present end. */
static fc_code wait_for_news(struct fc_snapshot *snapshot, struct fc_error *err)
{
    fc_code code;
    fc_chunk_clear(&snapshot->chunk);
    code = fc_binlog_place_of_server(snapshot->session, &snapshot->high, err);
    snapshot->shape = NULL;
    snapshot->worthless = true;
    snapshot->step = FC_SNAPSHOT_STEP_WAIT;
    return code;
}

static void report_table(const struct fc_snapshot *snapshot, int level, const char *db,
                         const char *table, const char *text)
{
    char *line = fc_asprintf("snapshot of %s.%s: %s", db, table, text);
    snapshot->host->report(snapshot->host, level, line);
    free(line);
}

static fc_code estimate_rows(struct fc_snapshot *snapshot, uint64_t *out_row_bytes,
                             struct fc_error *err)
{
    struct fc_buf sql;
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    fc_code code;
    fc_buf_init(&sql, SQL_BYTES_MAX);
    fc_buf_append_text(&sql, "SELECT TABLE_ROWS, AVG_ROW_LENGTH FROM information_schema.TABLES "
                             "WHERE TABLE_SCHEMA=");
    fc_session_append_text(&sql, fc_slice_text(snapshot->shape->db));
    fc_buf_append_text(&sql, " AND TABLE_NAME=");
    fc_session_append_text(&sql, fc_slice_text(snapshot->shape->table));
    code = fc_session_query(snapshot->session, fc_buf_slice(&sql), &result, err);
    fc_buf_release(&sql);
    if (code != FC_OK) {
        return code;
    }
    row = mysql_fetch_row(result);
    snapshot->rows_estimate = row == NULL || row[0] == NULL ? 0 : strtoull(row[0], NULL, 10);
    *out_row_bytes = row == NULL || row[1] == NULL ? 0 : strtoull(row[1], NULL, 10);
    mysql_free_result(result);
    return FC_OK;
}

static void set_limit(struct fc_snapshot *snapshot, uint64_t row_bytes)
{
    uint64_t fitting = CHUNK_BYTES / (row_bytes == 0 ? 1 : row_bytes);
    snapshot->limit = snapshot->chunk_rows;
    if (fitting < snapshot->limit) {
        snapshot->limit = fitting < 1 ? 1 : fitting;
    }
}

/* Sets snapshot->shape, or leaves it NULL when the table is gone. */
static fc_code describe_current(struct fc_snapshot *snapshot, struct fc_error *err)
{
    const char *db = NULL;
    const char *table = NULL;
    struct fc_shape *shape = NULL;
    uint64_t row_bytes = 0;
    fc_code code;
    (void)fc_snapshot_plan_current(fc_snapshot_plan_of(snapshot), &db, &table);
    code = fc_describe_table(snapshot->session, db, table, &shape, err);
    if (code == FC_ERR_NOT_FOUND) {
        return FC_OK;
    }
    if (code != FC_OK) {
        return code;
    }
    snapshot->shapes = (struct fc_shape **)fc_realloc_array(
        snapshot->shapes, snapshot->shape_count + 1, sizeof(struct fc_shape *));
    snapshot->shapes[snapshot->shape_count++] = shape;
    snapshot->shape = shape;
    if (fc_snapshot_plan_key(fc_snapshot_plan_of(snapshot)) != NULL &&
        !fc_chunk_key_fits(fc_snapshot_plan_key(fc_snapshot_plan_of(snapshot)), shape)) {
        fc_snapshot_plan_set_key(fc_snapshot_plan_of(snapshot),
                                 NULL); /* the key has been changed */
    }
    if (fc_snapshot_plan_key(fc_snapshot_plan_of(snapshot)) == NULL) {
        snapshot->row = 0;
    }
    code = estimate_rows(snapshot, &row_bytes, err);
    set_limit(snapshot, row_bytes);
    return code;
}

static bool is_table_changed(const struct fc_session *session, fc_code code)
{
    unsigned number = mysql_errno(session->mysql);
    return code == FC_ERR_NOT_FOUND || number == ER_TABLE_CHANGED || number == ER_BAD_COLUMN;
}

static fc_code read_chunk(struct fc_snapshot *snapshot, const struct fc_consistent_read *view,
                          struct fc_error *err)
{
    struct fc_buf sql;
    fc_code code;
    fc_buf_init(&sql, SQL_BYTES_MAX);
    code = fc_chunk_query(&sql, snapshot->shape,
                          fc_snapshot_plan_key(fc_snapshot_plan_of(snapshot)), snapshot->limit,
                          view->locking, err);
    if (code == FC_OK) {
        code = fc_chunk_read(&snapshot->chunk, snapshot->session, fc_buf_slice(&sql),
                             snapshot->shape, (size_t)CHUNK_BYTES * 2, err);
    }
    fc_buf_release(&sql);
    return code;
}

static fc_code begin_chunk(struct fc_snapshot *snapshot, struct fc_error *err)
{
    struct fc_consistent_read view;
    bool ready = false;
    fc_code code;
    code =
        fc_consistent_read_open(snapshot->session, fc_change_stream_position(snapshot->stream),
                                fc_change_stream_reached(snapshot->stream), &view, &ready, err);
    if (code != FC_OK || !ready) {
        return code;
    }
    fc_snapshot_forget_notes(snapshot);
    snapshot->noting = true;
    code = read_chunk(snapshot, &view, err);
    if (code != FC_OK && is_table_changed(snapshot->session, code)) {
        code = fc_session_run(snapshot->session, err, "ROLLBACK");
        return code == FC_OK ? wait_for_news(snapshot, err) : code;
    }
    if (code != FC_OK) {
        return code;
    }
    snapshot->read_us = fc_clock_system()->wall_ns(fc_clock_system()) / 1000;
    snapshot->last_chunk = !snapshot->chunk.cut && snapshot->chunk.count < snapshot->limit;
    if (snapshot->chunk.cut) {
        fc_snapshot_close_session(snapshot);
        code = fc_snapshot_ensure_session(snapshot, err);
    }
    if (code == FC_OK) {
        code = fc_consistent_read_close(snapshot->session, &view, &snapshot->high, err);
    }
    if (snapshot->chunk.count > 0) {
        set_limit(snapshot, snapshot->chunk.rows.len / snapshot->chunk.count);
    }
    snapshot->step = FC_SNAPSHOT_STEP_WAIT;
    return code;
}

static fc_code begin_scan(struct fc_snapshot *snapshot, struct fc_error *err)
{
    bool ready = false;
    fc_code code = fc_consistent_read_open_exact(
        snapshot->session, snapshot->shape->db, snapshot->shape->table,
        fc_change_stream_reached(snapshot->stream), &snapshot->view, &ready, err);
    if (code == FC_OK && ready) {
        fc_snapshot_forget_notes(snapshot);
        snapshot->view_open = true;
        snapshot->high = snapshot->view.place;
        snapshot->step = FC_SNAPSHOT_STEP_WAIT;
    }
    return code;
}

void fc_snapshot_finish_table(struct fc_snapshot *snapshot)
{
    struct fc_source_position *position = fc_change_stream_position(snapshot->stream);
    fc_snapshot_plan_next(position->snapshot);
    snapshot->shape = NULL;
    snapshot->missing = false;
    snapshot->step = FC_SNAPSHOT_STEP_BEGIN;
}

static void finish(struct fc_snapshot *snapshot)
{
    struct fc_source_position *position = fc_change_stream_position(snapshot->stream);
    json_decref(position->snapshot);
    position->snapshot = NULL;
    fc_snapshot_close_session(snapshot);
    snapshot->host->report(snapshot->host, 1, "snapshot complete");
}

/* out_progressed: the plan has changed. */
fc_code fc_snapshot_begin(struct fc_snapshot *snapshot, bool *out_progressed,
                          struct fc_error *err)
{
    const char *db = NULL;
    const char *table = NULL;
    fc_code code;
    if (!fc_snapshot_plan_current(fc_snapshot_plan_of(snapshot), &db, &table)) {
        finish(snapshot);
        *out_progressed = true;
        return FC_OK;
    }
    code = fc_snapshot_ensure_session(snapshot, err);
    if (code == FC_OK && snapshot->shape == NULL) {
        code = describe_current(snapshot, err);
    }
    if (code != FC_OK) {
        return code;
    }
    if (snapshot->shape == NULL && snapshot->missing) {
        report_table(snapshot, 2, db, table, "the table is not there any more");
        fc_snapshot_finish_table(snapshot);
        *out_progressed = true;
        return FC_OK;
    }
    if (snapshot->shape == NULL) {
        snapshot->missing = true;
        return wait_for_news(snapshot, err);
    }
    snapshot->missing = false;
    return fc_chunk_key_usable(snapshot->shape) ? begin_chunk(snapshot, err)
                                                : begin_scan(snapshot, err);
}

fc_code fc_snapshot_start_scan(struct fc_snapshot *snapshot, struct fc_error *err)
{
    struct fc_buf sql;
    MYSQL *mysql = snapshot->session->mysql;
    fc_code code = FC_OK;
    fc_buf_init(&sql, SQL_BYTES_MAX);
    fc_chunk_query_all(&sql, snapshot->shape);
    if (mysql_real_query(mysql, (const char *)sql.data, (unsigned long)sql.len) == 0) {
        snapshot->scan = mysql_use_result(mysql);
    }
    fc_buf_release(&sql);
    snapshot->read_us = fc_clock_system()->wall_ns(fc_clock_system()) / 1000;
    snapshot->row = 0;
    snapshot->step = FC_SNAPSHOT_STEP_GIVE_SCAN;
    if (snapshot->scan == NULL) {
        code = fc_session_fail(snapshot->session, err, "read a table");
        if (is_table_changed(snapshot->session, code)) {
            code = fc_session_run(snapshot->session, err, "ROLLBACK");
            return code == FC_OK ? wait_for_news(snapshot, err) : code;
        }
    }
    return code;
}
