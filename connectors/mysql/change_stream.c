/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events come from three places, in this order: the one carried over from the last batch, the
 * transaction payload that is open, the dump. Which transaction they belong to is
 * transaction.c's matter; what is last in it, emitter.c's.
 */
#include "connectors/mysql/change_stream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "connectors/mysql/binlog_payload.h"
#include "connectors/mysql/row_image.h"
#include "connectors/mysql/statement.h"
#include "connectors/mysql/transaction.h"
#include "core/base/alloc.h"
#include "core/base/hashmap.h"
#include "core/base/reader.h"

enum {
    EVENT_BYTES_MAX_LOG2 = 31,
    KEEP_BYTES = 4 * 1024 * 1024,
    INSIDE_WAIT_MS =
        2, /* for the rest of a transaction, while complete ones wait in the batch */
    CLOCK_EVERY_EVENTS = 256,
    TABLE_ID_BYTES = 6,
    LEFT_OUT_MAX = 10000
};

struct carried {
    bool present;
    struct fc_binlog_event event;
    struct fc_buf body;
    uint64_t start;
    uint32_t skip; /* rows given out already */
};

struct fc_change_stream {
    struct fc_change_stream_config config;
    struct fc_source_position position;
    bool moved;
    int64_t newest_us;

    struct fc_binlog_format format;
    struct fc_table_map_cache *maps;
    struct fc_hashmap left_out; /* ids of tables that are not captured */
    bool describe_failed;
    struct fc_error *describe_error; /* of the call under way */
    struct fc_row_image *rows;
    struct fc_transaction tx;
    struct fc_emitter emitter;

    struct fc_binlog_place current; /* end of the event under way */
    struct fc_binlog_place reached;
    uint64_t event_start;

    struct fc_binlog_payload *payload;
    bool payload_open;
    struct fc_buf payload_bytes;

    struct fc_slice query;             /* of the rows events to come, in the batch */
    struct fc_buf query_kept;          /* from one batch to the next */
    struct fc_binlog_event held_event; /* the event that the held change came from */
    uint64_t held_start;
    uint32_t held_row;
    struct carried carried;
};

struct fc_change_stream *fc_change_stream_new(const struct fc_change_stream_config *config,
                                              struct fc_source_position *position,
                                              bool place_is_known)
{
    struct fc_change_stream *stream = fc_new(struct fc_change_stream);
    stream->config = *config;
    stream->position = *position;
    fc_source_position_init(position);
    if (place_is_known) {
        stream->current = stream->position.place;
        stream->reached = stream->position.place;
    }
    fc_binlog_format_init(&stream->format);
    stream->maps = fc_table_map_cache_new();
    stream->rows = fc_row_image_new();
    stream->payload = fc_binlog_payload_new();
    fc_hashmap_init(&stream->left_out);
    fc_transaction_init(&stream->tx);
    fc_emitter_init(&stream->emitter, config->host);
    fc_buf_init(&stream->payload_bytes, (size_t)1 << EVENT_BYTES_MAX_LOG2);
    fc_buf_init(&stream->carried.body, (size_t)1 << EVENT_BYTES_MAX_LOG2);
    fc_buf_init(&stream->query_kept, (size_t)1 << EVENT_BYTES_MAX_LOG2);
    return stream;
}

void fc_change_stream_free(struct fc_change_stream *stream)
{
    if (stream == NULL) {
        return;
    }
    fc_source_position_release(&stream->position);
    fc_table_map_cache_free(stream->maps);
    fc_hashmap_release(&stream->left_out, NULL);
    fc_row_image_free(stream->rows);
    fc_binlog_payload_free(stream->payload);
    fc_transaction_release(&stream->tx);
    fc_buf_release(&stream->payload_bytes);
    fc_buf_release(&stream->carried.body);
    fc_buf_release(&stream->query_kept);
    free(stream);
}

struct fc_source_position *fc_change_stream_position(struct fc_change_stream *stream)
{
    return &stream->position;
}

bool fc_change_stream_take_moved(struct fc_change_stream *stream)
{
    bool moved = stream->moved;
    stream->moved = false;
    return moved;
}

bool fc_change_stream_at_boundary(const struct fc_change_stream *stream)
{
    return !stream->tx.open && !stream->carried.present && !stream->payload_open;
}

const struct fc_binlog_place *fc_change_stream_reached(const struct fc_change_stream *stream)
{
    return &stream->reached;
}

int64_t fc_change_stream_newest_us(const struct fc_change_stream *stream)
{
    return stream->newest_us;
}

/* All before `place` has been read. A dump may start before what we have. */
static void note_reached(struct fc_change_stream *stream, const struct fc_binlog_place *place)
{
    if (place->file[0] != '\0' && (stream->reached.file[0] == '\0' ||
                                   fc_binlog_place_compare(place, &stream->reached) > 0)) {
        stream->reached = *place;
    }
}

static fc_code fail_at(const struct fc_change_stream *stream, struct fc_error *err)
{
    return fc_wrap(err, "at %s:%" PRIu64, stream->current.file, stream->event_start);
}

/* next_position has 32 bits, files may be larger. */
static void track_place(struct fc_change_stream *stream, const struct fc_binlog_event *event)
{
    uint64_t end;
    if (event->next_position == 0 || (event->flags & FC_BINLOG_FLAG_ARTIFICIAL) != 0) {
        stream->event_start = stream->current.position;
        return;
    }
    end = (stream->current.position & ~(uint64_t)UINT32_MAX) | event->next_position;
    if (end + (1ULL << 31) < stream->current.position) {
        end += 1ULL << 32;
    }
    stream->current.position = end;
    stream->event_start = end - event->size;
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

static bool is_full(const struct fc_change_stream *stream)
{
    const struct fc_batch *batch = stream->emitter.batch;
    return batch->count > 0 &&
           (batch->count + 1 >= batch->count_max || batch->bytes >= batch->bytes_max);
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
        if (is_full(stream)) {
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

static fc_code on_xa_prepare(struct fc_change_stream *stream, struct fc_error *err)
{
    if (stream->tx.emit.next_row > 0) {
        return fc_fail(
            err, FC_ERR_CONFIG,
            "transaction %.*s is an XA transaction of two phases, which this version "
            "cannot capture; leave its tables out by `exclude-tables`",
            (int)stream->tx.emit.id.len, (const char *)stream->tx.emit.id.data);
    }
    return end_tx(stream, err);
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
        return FC_OK;
    case FC_STATEMENT_XA_PREPARE:
        return on_xa_prepare(stream, err);
    case FC_STATEMENT_DML:
        return fail_statement_format(stream, err);
    case FC_STATEMENT_XA_COMMIT:
    case FC_STATEMENT_XA_ROLLBACK:
        return end_tx(stream, err);
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
    if (stream->config.include_query) {
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

static fc_code on_xa_event(struct fc_change_stream *stream, const struct fc_binlog_event *event,
                           struct fc_error *err)
{
    struct fc_binlog_xa xa;
    fc_code code = fc_binlog_body_xa_prepare(event, &xa, err);
    if (code != FC_OK) {
        return code;
    }
    return xa.one_phase ? end_tx(stream, err) : on_xa_prepare(stream, err);
}

static fc_code dispatch(struct fc_change_stream *stream, struct fc_binlog_event *event,
                        uint32_t skip, bool in_batch, bool *out_unread, struct fc_error *err)
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
        return on_xa_event(stream, event, err);
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

typedef enum fetched {
    FETCHED_NOTHING,
    FETCHED_CARRIED,
    FETCHED_INNER, /* in the batch's memory already */
    FETCHED_OUTER
} fetched;

static fc_code fetch_carried(struct fc_change_stream *stream, struct fc_binlog_event *out_event,
                             struct fc_error *err)
{
    struct carried *carried = &stream->carried;
    *out_event = carried->event;
    carried->present = false;
    stream->event_start = carried->start;
    return fc_emitter_copy(&stream->emitter, fc_buf_slice(&carried->body), &out_event->body,
                           err);
}

static fc_code fetch_outer(struct fc_change_stream *stream, struct fc_dump *dump, int wait_ms,
                           struct fc_binlog_event *out_event, fetched *out_from,
                           struct fc_error *err)
{
    struct fc_slice bytes;
    fc_code code = fc_dump_next(dump, wait_ms, &bytes, err);
    if (code != FC_OK || fc_slice_is_null(bytes)) {
        *out_from = FETCHED_NOTHING;
        return code;
    }
    *out_from = FETCHED_OUTER;
    code = fc_binlog_event_parse(&stream->format, bytes, true, out_event, err);
    if (code == FC_OK) {
        track_place(stream, out_event);
    }
    return code;
}

static fc_code fetch(struct fc_change_stream *stream, struct fc_dump *dump, int wait_ms,
                     struct fc_binlog_event *out_event, fetched *out_from, struct fc_error *err)
{
    if (stream->carried.present) {
        *out_from = FETCHED_CARRIED;
        return fetch_carried(stream, out_event, err);
    }
    if (stream->payload_open) {
        bool end = false;
        fc_code code = fc_binlog_payload_next(stream->payload, &stream->emitter.memory,
                                              out_event, &end, err);
        *out_from = FETCHED_INNER;
        if (code != FC_OK || !end) {
            return code;
        }
        stream->payload_open = false;
        if (stream->payload_bytes.capacity > KEEP_BYTES) {
            fc_buf_release(&stream->payload_bytes);
            fc_buf_init(&stream->payload_bytes, (size_t)1 << EVENT_BYTES_MAX_LOG2);
        }
    }
    return fetch_outer(stream, dump, wait_ms, out_event, out_from, err);
}

/* Keep the event of the change that is held back for the next batch. */
static fc_code carry_over(struct fc_change_stream *stream, struct fc_error *err)
{
    struct carried *carried = &stream->carried;
    if (!stream->emitter.holding) {
        return FC_OK;
    }
    fc_buf_clear(&carried->body);
    fc_buf_append_slice(&carried->body, stream->held_event.body);
    carried->event = stream->held_event;
    carried->start = stream->held_start;
    carried->skip = stream->held_row;
    carried->present = true;
    stream->tx.emit.next_row--; /* it is counted when it comes again */
    stream->emitter.holding = false;
    return fc_buf_check(&carried->body, "binlog event", err);
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* How long to wait for the next event. */
static int wait_for_next(const struct fc_change_stream *stream, int64_t until_ms)
{
    const struct fc_batch *batch = stream->emitter.batch;
    int64_t left = until_ms - now_ms();
    if (batch->count > 0) {
        left = !stream->tx.open ? 0 : left < INSIDE_WAIT_MS ? left : INSIDE_WAIT_MS;
    }
    return left < 0 ? 0 : (int)left;
}

static bool is_stopped(const struct fc_change_stream *stream,
                       const struct fc_binlog_place *stop)
{
    return stop != NULL && fc_change_stream_at_boundary(stream) &&
           stream->reached.file[0] != '\0' &&
           fc_binlog_place_compare(&stream->reached, stop) >= 0;
}

static fc_code read_events(struct fc_change_stream *stream, struct fc_dump *dump,
                           const struct fc_binlog_place *stop, int64_t until_ms,
                           struct fc_error *err)
{
    for (uint32_t count = 1; !is_full(stream) && !is_stopped(stream, stop); count++) {
        struct fc_binlog_event event;
        uint32_t skip = stream->carried.skip;
        bool unread = false;
        fetched from = FETCHED_NOTHING;
        fc_code code = fetch(stream, dump, 0, &event, &from, err);
        if (code == FC_OK && from == FETCHED_NOTHING) {
            int wait_ms = wait_for_next(stream, until_ms);
            code = wait_ms == 0 ? FC_OK : fetch(stream, dump, wait_ms, &event, &from, err);
        }
        if (code != FC_OK || from == FETCHED_NOTHING) {
            return code;
        }
        if (!event.skip) {
            code = dispatch(stream, &event, from == FETCHED_CARRIED ? skip : 0,
                            from != FETCHED_OUTER, &unread, err);
        }
        if (code != FC_OK) {
            return fail_at(stream, err);
        }
        if (unread) {
            fc_dump_unread(dump);
            stream->current.position = stream->event_start;
            return FC_OK;
        }
        if (count % CLOCK_EVERY_EVENTS == 0 && now_ms() >= until_ms) {
            return FC_OK; /* busy with what is not captured */
        }
    }
    return FC_OK;
}

static void keep_query(struct fc_change_stream *stream)
{
    fc_buf_clear(&stream->query_kept);
    if (stream->tx.open && !fc_slice_is_null(stream->query)) {
        fc_buf_append_slice(&stream->query_kept, stream->query);
    }
}

static fc_code restore_query(struct fc_change_stream *stream, struct fc_error *err)
{
    stream->query = fc_slice_null();
    return stream->query_kept.len == 0
               ? FC_OK
               : fc_emitter_copy(&stream->emitter, fc_buf_slice(&stream->query_kept),
                                 &stream->query, err);
}

fc_code fc_change_stream_read(struct fc_change_stream *stream, struct fc_dump *dump,
                              const struct fc_binlog_place *stop, int wait_ms,
                              struct fc_batch *batch, struct fc_error *err)
{
    fc_code code;
    fc_emitter_begin(&stream->emitter, batch);
    code = restore_query(stream, err);
    if (code == FC_OK) {
        code = read_events(stream, dump, stop, now_ms() + wait_ms, err);
    }
    if (code == FC_OK) {
        code = carry_over(stream, err);
    }
    keep_query(stream);
    fc_emitter_end(&stream->emitter);
    return code;
}
