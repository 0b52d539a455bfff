/* SPDX-License-Identifier: Apache-2.0 */
/* What each kind of binlog event does to a change stream. */
#include <inttypes.h>

#include "connectors/mysql/change_stream_state.h"
#include "connectors/mysql/statement.h"

enum { TABLE_ID_BYTES = 6, LEFT_OUT_MAX = 10000 };

/* All before `place` has been read. A dump may start before what we have. */
static void note_reached(struct fc_change_stream *stream, const struct fc_binlog_place *place)
{
    if (place->file[0] != '\0' && (stream->reached.file[0] == '\0' ||
                                   fc_binlog_place_compare(place, &stream->reached) > 0)) {
        stream->reached = *place;
    }
}

static fc_code begin_tx(struct fc_change_stream *stream, const struct fc_binlog_event *event,
                        struct fc_error *err)
{
    struct fc_binlog_place start = stream->current;
    if (stream->tx.open && stream->tx.emit.next_row > 0) {
        return fc_fail(err, FC_ERR_PROTOCOL,
                       "transaction %.*s has no end in the binlog (the server crashed while "
                       "writing it?); its first rows may be in the log: start a new snapshot",
                       (int)stream->tx.emit.id.len, (const char *)stream->tx.emit.id.data);
    }
    start.position = stream->event_start;
    fc_emitter_new_tx(&stream->emitter);
    fc_xa_events_clear(&stream->xa_events);
    return fc_transaction_begin(&stream->tx, event, &stream->position, &start, err);
}

static fc_code end_tx(struct fc_change_stream *stream, struct fc_error *err)
{
    bool has_changes = stream->tx.emit.next_row > 0;
    fc_code code;
    if (!stream->tx.open) {
        return FC_OK;
    }
    code = fc_emitter_commit(&stream->emitter, err);
    if (code == FC_OK) {
        code = fc_transaction_end(&stream->tx, &stream->position, &stream->current, err);
    }
    if (code == FC_OK) {
        stream->moved = true;
        stream->query = fc_slice_null();
        if (has_changes) {
            stream->newest_us = stream->tx.emit.commit_us;
        }
        note_reached(stream, &stream->current);
        if (stream->left_out.count > LEFT_OUT_MAX) { /* each statement names its tables again */
            fc_hashmap_release(&stream->left_out, NULL);
            fc_hashmap_init(&stream->left_out);
        }
    }
    return code;
}

static fc_code put_change(struct fc_change_stream *stream, const struct fc_binlog_event *event,
                          const struct fc_change *change, struct fc_error *err)
{
    struct fc_emitter_event from = { .server_id = event->server_id,
                                     .file = stream->current.file,
                                     .position = stream->event_start,
                                     .ts_us = fc_transaction_change_us(&stream->tx, event),
                                     .query = stream->query };
    fc_code code = fc_emitter_put(&stream->emitter, &stream->tx.emit, &from, change, err);
    stream->held_event = *event;
    stream->held_start = stream->event_start;
    stream->held_row = change->event_row;
    return code;
}

static fc_code emit_rows(struct fc_change_stream *stream, const struct fc_binlog_event *event,
                         uint32_t skip, const struct fc_rows_info *info, struct fc_error *err)
{
    const struct fc_change_observer *observer = stream->config.observer;
    bool told = observer != NULL && observer->wants(observer->ctx, info->map->shape);
    struct fc_change change = { .op = info->op, .shape = info->map->shape };
    for (uint32_t row = 0;; row++) {
        bool end = false;
        fc_code code =
            fc_row_image_next(stream->rows, &change.before, &change.after, &end, err);
        if (code != FC_OK || end) {
            return code;
        }
        if (row < skip) {
            continue;
        }
        change.event_row = row;
        code = put_change(stream, event, &change, err);
        if (code != FC_OK) {
            return code;
        }
        if (told) {
            observer->on_row(observer->ctx, change.shape, change.before, change.after);
        }
        if (fc_change_stream_is_full(stream)) {
            return FC_OK; /* carry_over brings the rest with the row that is held */
        }
    }
}

static struct fc_slice id_key(const uint64_t *table_id)
{
    return fc_slice_of(table_id, sizeof(*table_id));
}

static const struct fc_shape *describe(void *ctx, struct fc_slice db, struct fc_slice table)
{
    struct fc_change_stream *stream = (struct fc_change_stream *)ctx;
    if (stream->config.describe == NULL) {
        return NULL;
    }
    return stream->config.describe(stream->config.ctx, db, table, &stream->describe_failed,
                                   stream->describe_error);
}

static fc_code on_table_map(struct fc_change_stream *stream,
                            const struct fc_binlog_event *event, struct fc_error *err)
{
    const struct fc_table_map *map = NULL;
    struct fc_error describe_error;
    struct fc_slice db;
    struct fc_slice table;
    uint64_t table_id = 0;
    fc_code code = fc_table_map_names(&stream->format, event, &table_id, &db, &table, err);
    if (code != FC_OK) {
        return code;
    }
    if (!fc_table_filter_match(stream->config.filter, db, table)) {
        (void)fc_hashmap_put(&stream->left_out, id_key(&table_id), stream);
        return FC_OK;
    }
    if (stream->left_out.count > 0) { /* ids begin anew when the server restarts */
        (void)fc_hashmap_remove(&stream->left_out, id_key(&table_id));
    }
    if (stream->tx.is_xa) {
        return fc_xa_events_add(&stream->xa_events, event, stream->event_start, err);
    }
    stream->describe_failed = false;
    stream->describe_error = &describe_error;
    code = fc_table_map_cache_put(stream->maps, &stream->format, event, describe, stream, &map,
                                  err);
    if (stream->describe_failed) {
        *err = describe_error;
        code = describe_error.code;
    }
    return code;
}

/*
 * Rows stand in the batch as long as the batch, so their event is copied there first; what does
 * not fit any more waits in the dump.
 */
static fc_code on_rows(struct fc_change_stream *stream, struct fc_binlog_event *event,
                       uint32_t skip, bool in_batch, bool *out_unread, struct fc_error *err)
{
    const struct fc_batch *batch = stream->emitter.batch;
    struct fc_rows_info info;
    uint64_t table_id = 0;
    fc_code code;
    if (event->body.len >= TABLE_ID_BYTES) {
        memcpy(&table_id, event->body.data, TABLE_ID_BYTES);
    }
    if (fc_hashmap_get(&stream->left_out, id_key(&table_id)) != NULL) {
        return FC_OK;
    }
    if (stream->tx.is_xa) {
        return fc_xa_events_add(&stream->xa_events, event, stream->event_start, err);
    }
    code = fc_row_image_info(&stream->format, stream->maps, event, &info, err);
    if (code != FC_OK || info.skip) {
        return code;
    }
    if (!stream->tx.open) {
        return fc_fail(err, FC_ERR_PROTOCOL, "rows outside of a transaction");
    }
    if (!in_batch) {
        if (batch->bytes + event->size > batch->bytes_max &&
            (batch->count > 0 || stream->emitter.holding)) {
            *out_unread = true;
            return fc_emitter_flush(&stream->emitter,
                                    err); /* more of its transaction follows */
        }
        code = fc_emitter_copy(&stream->emitter, event->body, &event->body, err);
        if (code != FC_OK) {
            return code;
        }
    }
    code = fc_row_image_open(stream->rows, &stream->format, stream->maps, event,
                             &stream->emitter.memory, &info, err);
    if (code != FC_OK) {
        return code;
    }
    fc_emitter_new_event(&stream->emitter);
    return emit_rows(stream, event, skip, &info, err);
}

static fc_code fail_statement_format(const struct fc_change_stream *stream,
                                     struct fc_error *err)
{
    return fc_fail(
        err, FC_ERR_CONFIG,
        "a statement that changes rows stands in the binlog at %s:%" PRIu64
        " without the rows; SET GLOBAL binlog_format='ROW', let clients reconnect, and "
        "start a new snapshot",
        stream->current.file, stream->event_start);
}

static void forget_tables(struct fc_change_stream *stream, const struct fc_ddl_scan *scan)
{
    const struct fc_change_observer *observer = stream->config.observer;
    struct fc_slice nothing = fc_slice_text("");
    struct fc_slice dropped = scan->kind == FC_DDL_DROP_DATABASE ? scan->db : fc_slice_null();
    if (scan->truncated) {
        fc_table_map_cache_forget(stream->maps, nothing, nothing);
    }
    if (!fc_slice_is_null(dropped)) {
        fc_table_map_cache_forget(stream->maps, dropped, nothing);
    }
    for (uint32_t index = 0; index < scan->table_count; index++) {
        const struct fc_ddl_table *table = &scan->tables[index];
        fc_table_map_cache_forget(stream->maps, table->db, table->table);
        if (!fc_slice_is_null(table->new_table)) {
            fc_table_map_cache_forget(stream->maps, table->new_db, table->new_table);
        }
    }
    if (observer != NULL) {
        observer->on_statement(observer->ctx, scan);
    }
}

static fc_code on_ddl(struct fc_change_stream *stream, const struct fc_binlog_event *event,
                      const struct fc_statement *statement, struct fc_error *err)
{
    struct fc_binlog_event kept = *event; /* as carry_over may need it */
    fc_code code = FC_OK;
    if (!statement->scan.temporary) {
        forget_tables(stream, &statement->scan);
    }
    if (statement->captured && statement->scan.moves_rows) {
        fc_statement_warn_of_moved_rows(&statement->scan, stream->config.filter,
                                        stream->config.host, fc_buf_slice(&stream->tx.emit.id));
    }
    if (statement->captured) {
        fc_emitter_new_event(&stream->emitter);
        stream->tx.emit.thread_id = statement->query.thread_id;
        code = fc_emitter_copy(&stream->emitter, event->body, &kept.body, err);
        if (code == FC_OK) {
            code = put_change(stream, &kept, &statement->change, err);
        }
    }
    return code;
}

/* The end of a transaction that is undone: fine as long as it changed nothing. */
static fc_code on_rollback(struct fc_change_stream *stream, struct fc_error *err)
{
    if (stream->tx.emit.next_row > 0) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "transaction %.*s rolls back after its rows were written to the binlog, "
                       "as happens with tables that are not transactional; this cannot be "
                       "captured: use InnoDB tables and start a new snapshot",
                       (int)stream->tx.emit.id.len, (const char *)stream->tx.emit.id.data);
    }
    return end_tx(stream, err);
}

/* Give out the rows of an XA transaction as those of the transaction that commits it. */
static void replay_xa(struct fc_change_stream *stream, struct fc_xa_events *events)
{
    stream->replay = *events;
    stream->replaying = true;
    stream->tx.is_xa = false;
    stream->tx.begun = true;
    fc_xa_events_init(events);
}

static fc_code on_xa_prepare(struct fc_change_stream *stream,
                             const struct fc_binlog_event *event, struct fc_error *err)
{
    struct fc_binlog_xa xa;
    fc_code code = fc_binlog_body_xa_prepare(event, &xa, err);
    if (code != FC_OK) {
        return code;
    }
    if (xa.one_phase) {
        replay_xa(stream, &stream->xa_events);
        return FC_OK;
    }
    fc_xa_hold_put(&stream->xa, &xa, &stream->xa_events, &stream->tx.name);
    code = fc_transaction_prepared(&stream->tx, &stream->position, &stream->current, err);
    stream->moved = true;
    note_reached(stream, &stream->current);
    return code;
}

static fc_code on_xa_end(struct fc_change_stream *stream, const struct fc_ddl_scan *scan,
                         struct fc_error *err)
{
    struct fc_xa_prepared *prepared = fc_xa_hold_take(&stream->xa, scan->xid);
    bool commit = scan->statement_class == FC_STATEMENT_XA_COMMIT;
    fc_code code;
    if (prepared == NULL && commit) {
        return fc_fail(err, FC_ERR_REFUSED,
                       "XA COMMIT %.*s of a transaction that was prepared before the capture "
                       "began, whose rows it has not seen: start a new snapshot",
                       (int)scan->xid.len, (const char *)scan->xid.data);
    }
    if (prepared == NULL) {
        return end_tx(stream, err);
    }
    code = fc_transaction_resolved(&prepared->name, &stream->position, err);
    if (code == FC_OK && commit) {
        replay_xa(stream, &prepared->events);
    } else if (code == FC_OK) {
        code = end_tx(stream, err);
    }
    fc_xa_prepared_free(prepared);
    return code;
}

static fc_code on_query(struct fc_change_stream *stream, const struct fc_binlog_event *event,
                        struct fc_error *err)
{
    struct fc_statement statement;
    fc_code code = fc_statement_decode(event, stream->format.mariadb, stream->config.filter,
                                       &stream->emitter, &statement, err);
    if (code != FC_OK) {
        return code;
    }
    if (!stream->tx.open) {
        code = begin_tx(stream, NULL, err);
        stream->tx.emit.commit_us = (int64_t)event->timestamp_s * 1000000;
    }
    if (code != FC_OK) {
        return code;
    }
    switch (statement.scan.statement_class) {
    case FC_STATEMENT_BEGIN:
    case FC_STATEMENT_XA_START:
        stream->tx.is_xa =
            stream->tx.is_xa || statement.scan.statement_class == FC_STATEMENT_XA_START;
        stream->tx.begun = true;
        stream->tx.emit.thread_id = statement.query.thread_id;
        return FC_OK;
    case FC_STATEMENT_COMMIT:
        return end_tx(stream, err);
    case FC_STATEMENT_ROLLBACK:
    case FC_STATEMENT_ROLLBACK_TO:
        return statement.scan.statement_class == FC_STATEMENT_ROLLBACK_TO &&
                       stream->tx.emit.next_row == 0
                   ? FC_OK
                   : on_rollback(stream, err);
    case FC_STATEMENT_SAVEPOINT:
    case FC_STATEMENT_XA_END:
    case FC_STATEMENT_XA_PREPARE: /* comes as an event of its own */
        return FC_OK;
    case FC_STATEMENT_DML:
        return fail_statement_format(stream, err);
    case FC_STATEMENT_XA_COMMIT:
    case FC_STATEMENT_XA_ROLLBACK:
        return on_xa_end(stream, &statement.scan, err);
    case FC_STATEMENT_OTHER:
        break;
    case FC_STATEMENT_TRUNCATE:
    case FC_STATEMENT_DDL:
        code = on_ddl(stream, event, &statement, err);
        stream->tx.begun = stream->tx.begun || statement.scan.starts_transaction;
        break;
    }
    return code != FC_OK || stream->tx.begun ? code : end_tx(stream, err);
}

static fc_code on_rotate(struct fc_change_stream *stream, const struct fc_binlog_event *event,
                         struct fc_error *err)
{
    struct fc_binlog_rotate rotate;
    fc_code code = fc_binlog_body_rotate(event, &rotate, err);
    if (code != FC_OK) {
        return code;
    }
    fc_binlog_place_set(&stream->current, rotate.file, rotate.position);
    if ((event->flags & FC_BINLOG_FLAG_ARTIFICIAL) == 0 && event->next_position != 0 &&
        !stream->tx.open) {
        stream->position.place = stream->current; /* the old file may go */
        stream->moved = true;
        note_reached(stream, &stream->current);
    }
    return FC_OK;
}

static fc_code on_heartbeat(struct fc_change_stream *stream,
                            const struct fc_binlog_event *event, struct fc_error *err)
{
    struct fc_binlog_heartbeat heartbeat;
    struct fc_binlog_place place;
    fc_code code = fc_binlog_body_heartbeat(event, &heartbeat, err);
    if (code == FC_OK && !stream->tx.open && heartbeat.position > 0) {
        fc_binlog_place_set(&place, heartbeat.file, heartbeat.position);
        if (strcmp(place.file, stream->current.file) == 0) {
            note_reached(stream, &place);
        }
    }
    return code;
}

static fc_code on_incident(const struct fc_binlog_event *event, struct fc_error *err)
{
    struct fc_binlog_incident incident;
    fc_code code = fc_binlog_body_incident(event, &incident, err);
    return code != FC_OK
               ? code
               : fc_fail(
                     err, FC_ERR_REFUSED,
                     "the server says that changes were lost from its binlog (%.*s); start a "
                     "new snapshot",
                     (int)incident.message.len, (const char *)incident.message.data);
}

static fc_code on_rows_query(struct fc_change_stream *stream,
                             const struct fc_binlog_event *event, struct fc_error *err)
{
    struct fc_slice text;
    fc_code code = FC_OK;
    if (stream->config.include_query && stream->tx.is_xa) {
        code = fc_xa_events_add(&stream->xa_events, event, stream->event_start, err);
    } else if (stream->config.include_query) {
        code = fc_binlog_body_rows_query(event, &text, err);
        if (code == FC_OK) {
            code = fc_emitter_copy(&stream->emitter, text, &stream->query, err);
        }
    }
    return code;
}

static fc_code on_payload(struct fc_change_stream *stream, struct fc_binlog_event *event,
                          struct fc_error *err)
{
    fc_code code;
    fc_buf_clear(&stream->payload_bytes);
    fc_buf_append_slice(&stream->payload_bytes, event->body);
    code = fc_buf_check(&stream->payload_bytes, "transaction payload", err);
    if (code == FC_OK) {
        event->body = fc_buf_slice(&stream->payload_bytes);
        code = fc_binlog_payload_open(stream->payload, event, err);
        stream->payload_open = code == FC_OK;
    }
    return code;
}

fc_code fc_change_stream_handle(struct fc_change_stream *stream, struct fc_binlog_event *event,
                                uint32_t skip, bool in_batch, bool *out_unread,
                                struct fc_error *err)
{
    if (fc_binlog_event_is_rows(event->type)) {
        return on_rows(stream, event, skip, in_batch, out_unread, err);
    }
    switch (event->type) {
    case FC_BINLOG_TABLE_MAP:
        return on_table_map(stream, event, err);
    case FC_BINLOG_GTID:
    case FC_BINLOG_ANONYMOUS_GTID:
    case FC_BINLOG_GTID_TAGGED:
    case FC_BINLOG_MARIADB_GTID:
        return begin_tx(stream, event, err);
    case FC_BINLOG_XID:
        return end_tx(stream, err);
    case FC_BINLOG_QUERY:
    case FC_BINLOG_QUERY_COMPRESSED:
        return on_query(stream, event, err);
    case FC_BINLOG_ROTATE:
        return on_rotate(stream, event, err);
    case FC_BINLOG_HEARTBEAT:
    case FC_BINLOG_HEARTBEAT_V2:
        return on_heartbeat(stream, event, err);
    case FC_BINLOG_ROWS_QUERY:
    case FC_BINLOG_ANNOTATE_ROWS:
        return on_rows_query(stream, event, err);
    case FC_BINLOG_TRANSACTION_PAYLOAD:
        return on_payload(stream, event, err);
    case FC_BINLOG_XA_PREPARE:
        return on_xa_prepare(stream, event, err);
    case FC_BINLOG_INCIDENT:
        return on_incident(event, err);
    case FC_BINLOG_EXECUTE_LOAD_QUERY:
        return fail_statement_format(stream, err);
    default:
        break; /* known to the decoder, and of no concern to rows */
    }
    if (!stream->tx.open) {
        note_reached(stream, &stream->current);
    }
    return FC_OK;
}
