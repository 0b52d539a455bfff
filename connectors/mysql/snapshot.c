/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables are read one after another, a table with a key in chunks:
 *
 *   1. Between two transactions of the stream, begin to note the keys of all rows of the table
 *      that the stream gives out.
 *   2. Open a consistent read that shows at least what was streamed (consistent_read.h), read
 *      the next rows in key order, close it. Its end in the binlog is the high mark.
 *   3. Stream up to the high mark.
 *   4. Give out those rows of the chunk whose key was not noted: they are as they were at the
 *      high mark. The others came by the stream, or will not exist.
 *
 * A statement on the table between 1 and 4 (ALTER, TRUNCATE, RENAME, DROP) makes the chunk
 * worthless; it is read again.
 *
 * A table without key cannot be told apart row by row. Its view has an exact place in the
 * binlog; the stream stops there, all rows are given out, and the stream goes on. An
 * interruption starts it again, with row number 0.
 */
#include "connectors/mysql/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "connectors/mysql/chunk.h"
#include "connectors/mysql/chunk_query.h"
#include "connectors/mysql/consistent_read.h"
#include "connectors/mysql/describe.h"
#include "connectors/mysql/emitter.h"
#include "connectors/mysql/row_text.h"
#include "connectors/mysql/snapshot_plan.h"
#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/base/hashmap.h"

enum {
    QUERY_TIMEOUT_S = 600,
    CHUNK_BYTES = 4 * 1024 * 1024,
    SQL_BYTES_MAX = 16 * 1024 * 1024,
    KEY_BYTES_MAX = 64 * 1024 * 1024,
    ER_TABLE_CHANGED = 1412,
    ER_BAD_COLUMN = 1054
};

typedef enum step {
    STEP_BEGIN,    /* read the next chunk, or open the view of a table without key */
    STEP_WAIT,     /* until the stream has reached `high` */
    STEP_GIVE,     /* rows of the chunk */
    STEP_GIVE_SCAN /* rows of a table without key */
} step;

struct fc_snapshot {
    const struct fc_host *host;
    const struct fc_table_filter *filter;
    struct fc_change_stream *stream;
    uint64_t chunk_rows;

    pthread_mutex_t lock;
    /* Guarded by lock, for interrupt; set by the source's thread only. */
    struct fc_session *session;
    bool interrupted;

    step step;
    const struct fc_shape *shape; /* of the table under way; NULL: to be described */
    struct fc_shape **shapes;     /* all that were given out */
    size_t shape_count;
    bool noting;    /* step 1 to 4 */
    bool worthless; /* a statement touched the table meanwhile */
    bool missing;   /* the table was not there when it was asked for */
    struct fc_hashmap noted;
    struct fc_buf key;
    struct fc_chunk chunk;
    bool last_chunk;
    uint64_t limit; /* rows of the next chunk */
    struct fc_binlog_place high;
    MYSQL_RES *scan;
    struct fc_consistent_read view; /* of the scan */
    bool view_open;
    uint64_t row; /* number of the next row of the table */
    uint64_t rows_estimate;
    int64_t read_us;
    struct fc_change *last; /* the last row given out in this batch */
};

static json_t *plan_of(const struct fc_snapshot *snapshot)
{
    return fc_change_stream_position(snapshot->stream)->snapshot;
}

bool fc_snapshot_is_done(const struct fc_snapshot *snapshot)
{
    return plan_of(snapshot) == NULL;
}

static bool is_current(const struct fc_snapshot *snapshot, struct fc_slice db,
                       struct fc_slice table)
{
    const char *db_now = NULL;
    const char *table_now = NULL;
    const json_t *plan = plan_of(snapshot);
    return plan != NULL && fc_snapshot_plan_current(plan, &db_now, &table_now) &&
           fc_slice_equal_text(db, db_now) &&
           (table.len == 0 || fc_slice_equal_text(table, table_now));
}

/* --- what the stream tells --------------------------------------------------------------- */

static bool wants(void *ctx, const struct fc_shape *shape)
{
    const struct fc_snapshot *snapshot = (const struct fc_snapshot *)ctx;
    return snapshot->noting && snapshot->shape != NULL &&
           is_current(snapshot, fc_slice_text(shape->db), fc_slice_text(shape->table));
}

static void note(struct fc_snapshot *snapshot, const struct fc_value *row,
                 const struct fc_value *other)
{
    fc_buf_clear(&snapshot->key);
    fc_chunk_key_bytes(&snapshot->key, snapshot->shape, row, other);
    (void)fc_hashmap_put(&snapshot->noted, fc_buf_slice(&snapshot->key), snapshot);
}

static void spoil(struct fc_snapshot *snapshot)
{
    snapshot->worthless = true;
    snapshot->missing = false;
    snapshot->shape = NULL;
}

static void on_row(void *ctx, const struct fc_shape *shape, const struct fc_value *before,
                   const struct fc_value *after)
{
    struct fc_snapshot *snapshot = (struct fc_snapshot *)ctx;
    if (snapshot->shape == NULL || shape->column_count != snapshot->shape->column_count) {
        spoil(snapshot);
        return;
    }
    if (before != NULL) {
        note(snapshot, before, after);
    }
    if (after != NULL) {
        note(snapshot, after, before);
    }
}

/* A table that was not captured under its old name: the stream does not have its rows. */
static void enter_capture(struct fc_snapshot *snapshot, const struct fc_ddl_table *names)
{
    struct fc_source_position *position = fc_change_stream_position(snapshot->stream);
    if (strcmp(snapshot->host->option_text(snapshot->host, "snapshot"), "never") == 0) {
        return;
    }
    if (position->snapshot == NULL) {
        position->snapshot = json_pack("{s:[]}", "tables");
        fc_assert(position->snapshot != NULL);
        snapshot->step = STEP_BEGIN;
    }
    fc_snapshot_plan_add(position->snapshot, names->new_db, names->new_table);
}

static void on_rename(struct fc_snapshot *snapshot, const struct fc_ddl_table *names)
{
    bool was = fc_table_filter_match(snapshot->filter, names->db, names->table);
    bool is = fc_table_filter_match(snapshot->filter, names->new_db, names->new_table);
    if (plan_of(snapshot) != NULL && fc_snapshot_plan_rename(plan_of(snapshot), names, is)) {
        spoil(snapshot);
    }
    if (is && !was) {
        enter_capture(snapshot, names);
    }
}

static void on_statement(void *ctx, const struct fc_ddl_scan *scan)
{
    struct fc_snapshot *snapshot = (struct fc_snapshot *)ctx;
    json_t *plan = plan_of(snapshot);
    struct fc_slice all = fc_slice_text("");
    if (scan->truncated) {
        spoil(snapshot);
    }
    if (scan->kind == FC_DDL_DROP_DATABASE && plan != NULL) {
        if (fc_snapshot_plan_drop(plan, scan->db, all)) {
            spoil(snapshot);
        }
        return;
    }
    for (uint32_t index = 0; index < scan->table_count; index++) {
        const struct fc_ddl_table *table = &scan->tables[index];
        if (is_current(snapshot, table->db, table->table)) {
            spoil(snapshot);
        }
        if (!fc_slice_is_null(table->new_table)) {
            on_rename(snapshot, table);
        } else if (scan->kind == FC_DDL_DROP_TABLE && plan != NULL &&
                   scan->statement_class == FC_STATEMENT_DDL) {
            (void)fc_snapshot_plan_drop(plan, table->db, table->table); /* spoilt above */
        }
    }
}

/* --- life -------------------------------------------------------------------------------- */

struct fc_snapshot *fc_snapshot_new(const struct fc_host *host,
                                    const struct fc_table_filter *filter,
                                    struct fc_change_stream *stream,
                                    struct fc_change_observer *observer)
{
    struct fc_snapshot *snapshot = fc_new(struct fc_snapshot);
    snapshot->host = host;
    snapshot->filter = filter;
    snapshot->stream = stream;
    snapshot->chunk_rows = (uint64_t)host->option_int(host, "snapshot-chunk-rows");
    (void)pthread_mutex_init(&snapshot->lock, NULL);
    fc_hashmap_init(&snapshot->noted);
    fc_buf_init(&snapshot->key, KEY_BYTES_MAX);
    fc_chunk_init(&snapshot->chunk);
    observer->wants = wants;
    observer->on_row = on_row;
    observer->on_statement = on_statement;
    observer->ctx = snapshot;
    return snapshot;
}

static void close_session(struct fc_snapshot *snapshot)
{
    struct fc_session *session;
    (void)pthread_mutex_lock(&snapshot->lock);
    session = snapshot->session;
    snapshot->session = NULL;
    (void)pthread_mutex_unlock(&snapshot->lock);
    if (snapshot->scan != NULL) {
        fc_session_interrupt(session); /* or the rest of the rows would be read */
        mysql_free_result(snapshot->scan);
        snapshot->scan = NULL;
    }
    snapshot->view_open = false;
    fc_session_close(session);
}

void fc_snapshot_free(struct fc_snapshot *snapshot)
{
    if (snapshot == NULL) {
        return;
    }
    close_session(snapshot);
    for (size_t index = 0; index < snapshot->shape_count; index++) {
        fc_describe_free(snapshot->shapes[index]);
    }
    free(snapshot->shapes);
    fc_hashmap_release(&snapshot->noted, NULL);
    fc_buf_release(&snapshot->key);
    fc_chunk_release(&snapshot->chunk);
    (void)pthread_mutex_destroy(&snapshot->lock);
    free(snapshot);
}

void fc_snapshot_interrupt(struct fc_snapshot *snapshot)
{
    (void)pthread_mutex_lock(&snapshot->lock);
    snapshot->interrupted = true;
    if (snapshot->session != NULL) {
        fc_session_interrupt(snapshot->session);
    }
    (void)pthread_mutex_unlock(&snapshot->lock);
}

static fc_code ensure_session(struct fc_snapshot *snapshot, struct fc_error *err)
{
    struct fc_session *session = NULL;
    bool interrupted;
    fc_code code;
    if (snapshot->session != NULL) {
        return FC_OK;
    }
    code = fc_session_open(snapshot->host, FC_SESSION_QUERY, QUERY_TIMEOUT_S, &session, err);
    if (code != FC_OK) {
        return code;
    }
    (void)pthread_mutex_lock(&snapshot->lock);
    snapshot->session = session;
    interrupted = snapshot->interrupted;
    (void)pthread_mutex_unlock(&snapshot->lock);
    return interrupted ? fc_fail(err, FC_ERR_CLOSED, "interrupted") : FC_OK;
}

/* --- beginning --------------------------------------------------------------------------- */

static void forget_notes(struct fc_snapshot *snapshot)
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
    snapshot->step = STEP_WAIT;
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
    (void)fc_snapshot_plan_current(plan_of(snapshot), &db, &table);
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
    if (fc_snapshot_plan_key(plan_of(snapshot)) != NULL &&
        !fc_chunk_key_fits(fc_snapshot_plan_key(plan_of(snapshot)), shape)) {
        fc_snapshot_plan_set_key(plan_of(snapshot), NULL); /* the key has been changed */
    }
    if (fc_snapshot_plan_key(plan_of(snapshot)) == NULL) {
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
    code = fc_chunk_query(&sql, snapshot->shape, fc_snapshot_plan_key(plan_of(snapshot)),
                          snapshot->limit, view->locking, err);
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
    forget_notes(snapshot);
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
        close_session(snapshot);
        code = ensure_session(snapshot, err);
    }
    if (code == FC_OK) {
        code = fc_consistent_read_close(snapshot->session, &view, &snapshot->high, err);
    }
    if (snapshot->chunk.count > 0) {
        set_limit(snapshot, snapshot->chunk.rows.len / snapshot->chunk.count);
    }
    snapshot->step = STEP_WAIT;
    return code;
}

static fc_code begin_scan(struct fc_snapshot *snapshot, struct fc_error *err)
{
    bool ready = false;
    fc_code code = fc_consistent_read_open_exact(
        snapshot->session, snapshot->shape->db, snapshot->shape->table,
        fc_change_stream_reached(snapshot->stream), &snapshot->view, &ready, err);
    if (code == FC_OK && ready) {
        forget_notes(snapshot);
        snapshot->view_open = true;
        snapshot->high = snapshot->view.place;
        snapshot->step = STEP_WAIT;
    }
    return code;
}

static void finish_table(struct fc_snapshot *snapshot)
{
    struct fc_source_position *position = fc_change_stream_position(snapshot->stream);
    fc_snapshot_plan_next(position->snapshot);
    snapshot->shape = NULL;
    snapshot->missing = false;
    snapshot->step = STEP_BEGIN;
}

static void finish(struct fc_snapshot *snapshot)
{
    struct fc_source_position *position = fc_change_stream_position(snapshot->stream);
    json_decref(position->snapshot);
    position->snapshot = NULL;
    close_session(snapshot);
    snapshot->host->report(snapshot->host, 1, "snapshot complete");
}

/* out_progressed: the plan has changed. */
static fc_code begin(struct fc_snapshot *snapshot, bool *out_progressed, struct fc_error *err)
{
    const char *db = NULL;
    const char *table = NULL;
    fc_code code;
    if (!fc_snapshot_plan_current(plan_of(snapshot), &db, &table)) {
        finish(snapshot);
        *out_progressed = true;
        return FC_OK;
    }
    code = ensure_session(snapshot, err);
    if (code == FC_OK && snapshot->shape == NULL) {
        code = describe_current(snapshot, err);
    }
    if (code != FC_OK) {
        return code;
    }
    if (snapshot->shape == NULL && snapshot->missing) {
        report_table(snapshot, 2, db, table, "the table is not there any more");
        finish_table(snapshot);
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

/* --- giving out -------------------------------------------------------------------------- */

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

static fc_code give_chunk(struct fc_snapshot *snapshot, struct fc_batch *batch,
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
    forget_notes(snapshot);
    snapshot->step = STEP_BEGIN;
    if (snapshot->last_chunk) {
        code = give_end(snapshot, source, batch, err);
        finish_table(snapshot);
    } else {
        fc_snapshot_plan_set_key(plan_of(snapshot), json_incref(snapshot->chunk.last_key));
    }
    fc_chunk_clear(&snapshot->chunk);
    return code;
}

static fc_code start_scan(struct fc_snapshot *snapshot, struct fc_error *err)
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
    snapshot->step = STEP_GIVE_SCAN;
    if (snapshot->scan == NULL) {
        code = fc_session_fail(snapshot->session, err, "read a table");
        if (is_table_changed(snapshot->session, code)) {
            code = fc_session_run(snapshot->session, err, "ROLLBACK");
            return code == FC_OK ? wait_for_news(snapshot, err) : code;
        }
    }
    return code;
}

static fc_code give_scan(struct fc_snapshot *snapshot, struct fc_batch *batch,
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
        finish_table(snapshot);
    }
    return code;
}

/* The stream has reached `high`. */
static fc_code end_wait(struct fc_snapshot *snapshot, struct fc_error *err)
{
    if (snapshot->worthless) {
        fc_code code = snapshot->view_open && snapshot->session != NULL
                           ? fc_session_run(snapshot->session, err, "ROLLBACK")
                           : FC_OK;
        snapshot->view_open = false;
        forget_notes(snapshot);
        fc_chunk_clear(&snapshot->chunk);
        snapshot->step = STEP_BEGIN;
        return code;
    }
    if (snapshot->view_open) {
        return start_scan(snapshot, err);
    }
    snapshot->step = STEP_GIVE;
    return FC_OK;
}

static bool has_reached(const struct fc_snapshot *snapshot)
{
    const struct fc_binlog_place *reached = fc_change_stream_reached(snapshot->stream);
    return reached->file[0] != '\0' && fc_binlog_place_compare(reached, &snapshot->high) >= 0;
}

fc_code fc_snapshot_step(struct fc_snapshot *snapshot, struct fc_batch *batch,
                         bool *out_progressed, bool *out_has_stop,
                         struct fc_binlog_place *out_stop, struct fc_error *err)
{
    fc_code code = FC_OK;
    if (!fc_change_stream_at_boundary(snapshot->stream)) {
        return FC_OK;
    }
    if (snapshot->step == STEP_BEGIN) {
        code = begin(snapshot, out_progressed, err);
    }
    if (code == FC_OK && snapshot->step == STEP_WAIT && has_reached(snapshot)) {
        code = end_wait(snapshot, err);
    }
    if (code == FC_OK && snapshot->step == STEP_GIVE) {
        *out_progressed = true;
        code = give_chunk(snapshot, batch, err);
    } else if (code == FC_OK && snapshot->step == STEP_GIVE_SCAN) {
        *out_progressed = true;
        code = give_scan(snapshot, batch, err);
    }
    *out_has_stop = snapshot->step == STEP_WAIT;
    *out_stop = snapshot->high;
    return code;
}

void fc_snapshot_describe(const struct fc_snapshot *snapshot, char *to, size_t size)
{
    const json_t *plan = plan_of(snapshot);
    const char *db = NULL;
    const char *table = NULL;
    if (plan == NULL || !fc_snapshot_plan_current(plan, &db, &table)) {
        (void)snprintf(to, size, "streaming");
    } else if (snapshot->rows_estimate > 0) {
        uint64_t percent = snapshot->row * 100 / snapshot->rows_estimate;
        (void)snprintf(to, size, "snapshot %.40s.%.40s %" PRIu64 "%%", db, table,
                       percent > 99 ? 99 : percent);
    } else {
        (void)snprintf(to, size, "snapshot %.40s.%.40s", db, table);
    }
}
