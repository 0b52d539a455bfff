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

#include "connectors/mysql/chunk_query.h"
#include "connectors/mysql/describe.h"
#include "connectors/mysql/snapshot_plan.h"
#include "connectors/mysql/snapshot_state.h"
#include "core/base/alloc.h"

enum { QUERY_TIMEOUT_S = 600, KEY_BYTES_MAX = 64 * 1024 * 1024 };

json_t *fc_snapshot_plan_of(const struct fc_snapshot *snapshot)
{
    return fc_change_stream_position(snapshot->stream)->snapshot;
}

bool fc_snapshot_is_done(const struct fc_snapshot *snapshot)
{
    return fc_snapshot_plan_of(snapshot) == NULL;
}

/* --- what the stream tells --------------------------------------------------------------- */

static bool is_current(const struct fc_snapshot *snapshot, struct fc_slice db,
                       struct fc_slice table)
{
    const char *db_now = NULL;
    const char *table_now = NULL;
    const json_t *plan = fc_snapshot_plan_of(snapshot);
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

/* The stream does not have all rows of the table; with `snapshot: never` it stays so. */
static void read_table(struct fc_snapshot *snapshot, struct fc_slice db, struct fc_slice table)
{
    struct fc_source_position *position = fc_change_stream_position(snapshot->stream);
    if (strcmp(snapshot->host->option_text(snapshot->host, "snapshot"), "never") == 0) {
        return;
    }
    if (position->snapshot == NULL) {
        position->snapshot = json_pack("{s:[]}", "tables");
        fc_assert(position->snapshot != NULL);
        snapshot->step = FC_SNAPSHOT_STEP_BEGIN;
    }
    fc_snapshot_plan_add(position->snapshot, db, table);
}

/* Rows came or went that the stream does not have: what was read of the table before is of no use. */
static void on_moved_rows(struct fc_snapshot *snapshot, const struct fc_ddl_table *names)
{
    if (!fc_table_filter_match(snapshot->filter, names->db, names->table)) {
        return;
    }
    if (is_current(snapshot, names->db, names->table)) {
        fc_snapshot_plan_set_key(fc_snapshot_plan_of(snapshot), NULL);
    }
    read_table(snapshot, names->db, names->table);
}

static void on_rename(struct fc_snapshot *snapshot, const struct fc_ddl_table *names)
{
    bool was = fc_table_filter_match(snapshot->filter, names->db, names->table);
    bool is = fc_table_filter_match(snapshot->filter, names->new_db, names->new_table);
    if (fc_snapshot_plan_of(snapshot) != NULL &&
        fc_snapshot_plan_rename(fc_snapshot_plan_of(snapshot), names, is)) {
        spoil(snapshot);
    }
    if (is && !was) {
        read_table(snapshot, names->new_db,
                   names->new_table); /* not captured under its old name */
    }
}

static void on_statement(void *ctx, const struct fc_ddl_scan *scan)
{
    struct fc_snapshot *snapshot = (struct fc_snapshot *)ctx;
    json_t *plan = fc_snapshot_plan_of(snapshot);
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
        if (scan->moves_rows) {
            on_moved_rows(snapshot, table);
        } else if (!fc_slice_is_null(table->new_table)) {
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

void fc_snapshot_close_session(struct fc_snapshot *snapshot)
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
    fc_snapshot_close_session(snapshot);
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

fc_code fc_snapshot_ensure_session(struct fc_snapshot *snapshot, struct fc_error *err)
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

/* --- steps ------------------------------------------------------------------------------- */

/* The stream has reached `high`. */
static fc_code end_wait(struct fc_snapshot *snapshot, struct fc_error *err)
{
    if (snapshot->worthless) {
        fc_code code = snapshot->view_open && snapshot->session != NULL
                           ? fc_session_run(snapshot->session, err, "ROLLBACK")
                           : FC_OK;
        snapshot->view_open = false;
        fc_snapshot_forget_notes(snapshot);
        fc_chunk_clear(&snapshot->chunk);
        snapshot->step = FC_SNAPSHOT_STEP_BEGIN;
        return code;
    }
    if (snapshot->view_open) {
        return fc_snapshot_start_scan(snapshot, err);
    }
    snapshot->step = FC_SNAPSHOT_STEP_GIVE;
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
        /* Inside a transaction nothing can be done, but the stream must not run past the stop. */
        *out_has_stop = snapshot->step == FC_SNAPSHOT_STEP_WAIT;
        *out_stop = snapshot->high;
        return FC_OK;
    }
    if (snapshot->step == FC_SNAPSHOT_STEP_BEGIN) {
        code = fc_snapshot_begin(snapshot, out_progressed, err);
    }
    if (code == FC_OK && snapshot->step == FC_SNAPSHOT_STEP_WAIT && has_reached(snapshot)) {
        code = end_wait(snapshot, err);
    }
    if (code == FC_OK && snapshot->step == FC_SNAPSHOT_STEP_GIVE) {
        *out_progressed = true;
        code = fc_snapshot_give_chunk(snapshot, batch, err);
    } else if (code == FC_OK && snapshot->step == FC_SNAPSHOT_STEP_GIVE_SCAN) {
        *out_progressed = true;
        code = fc_snapshot_give_scan(snapshot, batch, err);
    }
    *out_has_stop = snapshot->step == FC_SNAPSHOT_STEP_WAIT;
    *out_stop = snapshot->high;
    return code;
}

void fc_snapshot_describe(const struct fc_snapshot *snapshot, char *to, size_t size)
{
    const json_t *plan = fc_snapshot_plan_of(snapshot);
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
