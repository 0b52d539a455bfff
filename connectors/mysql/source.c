/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One source: a session for the dump, one for asking the catalog, the change stream, and while
 * there is something to read a snapshot.
 */
#include "connectors/mysql/source.h"

#include <inttypes.h>
#include <stdlib.h>

#include "connectors/mysql/change_stream.h"
#include "connectors/mysql/describe.h"
#include "connectors/mysql/emitter.h"
#include "connectors/mysql/preflight.h"
#include "connectors/mysql/resume_check.h"
#include "connectors/mysql/snapshot.h"
#include "connectors/mysql/snapshot_plan.h"
#include "core/base/alloc.h"
#include "core/base/hashmap.h"

enum {
    QUERY_TIMEOUT_S = 25, /* of the catalog's queries, which are short */
    POSITION_BYTES_MAX = 64 * 1024 * 1024,
    SERVER_ID_BASE = 0x40000000, /* far above what people number their servers with */
    SERVER_ID_MASK = 0x3fffffff
};

struct fc_source {
    const struct fc_host *host;
    struct fc_table_filter filter;
    struct fc_session *queries;
    struct fc_session *replica;
    struct fc_dump *dump;
    struct fc_change_stream *stream;
    struct fc_snapshot *snapshot;
    struct fc_change_observer observer;
    struct fc_shape *hint; /* the last one given to the stream */
    struct fc_buf position_text;
    struct fc_binlog_place end_at_open;
    bool caught_up;
    bool snapshot_only;
    bool begun;        /* a read has been made */
    bool position_due; /* the batch is to be told where we are, whether or not that moved */
    char engine[8];
};

uint32_t fc_mysql_server_id(const struct fc_host *host)
{
    int64_t chosen = host->option_int(host, "server-id");
    uint64_t hash = fc_hash64(fc_slice_text(host->connector_name(host)));
    return chosen > 0 ? (uint32_t)chosen : SERVER_ID_BASE + (uint32_t)(hash & SERVER_ID_MASK);
}

static const struct fc_shape *describe(void *ctx, struct fc_slice db, struct fc_slice table,
                                       bool *out_failed, struct fc_error *err)
{
    struct fc_source *source = (struct fc_source *)ctx;
    char *db_name = fc_strndup((const char *)db.data, db.len);
    char *table_name = fc_strndup((const char *)table.data, table.len);
    struct fc_shape *shape = NULL;
    fc_code code = fc_describe_table(source->queries, db_name, table_name, &shape, err);
    free(db_name);
    free(table_name);
    *out_failed = code == FC_ERR_CLOSED || (code != FC_OK && err->retriable);
    if (code != FC_OK) {
        return NULL; /* dropped meanwhile, or not ours to read: the event must do */
    }
    fc_describe_free(source->hint);
    source->hint = shape;
    return shape;
}

static fc_code start_dump(struct fc_source *source, struct fc_source_position *position,
                          struct fc_error *err)
{
    struct fc_dump_from from = { 0 };
    struct fc_buf text;
    fc_code code;
    fc_buf_init(&text, POSITION_BYTES_MAX);
    from.server_id = fc_mysql_server_id(source->host);
    from.heartbeat_ms = (uint32_t)source->host->option_int(source->host, "heartbeat");
    from.statements = source->host->option_int(source->host, "include-query") != 0;
    from.file = position->place.file;
    from.position = position->place.position;
    if (position->by_gtid && position->flavor == FC_FLAVOR_MARIADB) {
        fc_mariadb_position_print(&position->mariadb, &text);
        fc_buf_append_u8(&text, 0);
        from.gtid_position = (const char *)text.data;
    } else if (position->by_gtid) {
        fc_gtid_set_encode(&position->gtids, &text);
        from.gtid_set = fc_buf_slice(&text);
    }
    code = fc_buf_check(&text, "GTID position", err);
    if (code == FC_OK) {
        code =
            fc_session_open(source->host, FC_SESSION_DUMP,
                            fc_dump_read_timeout_s(from.heartbeat_ms), &source->replica, err);
    }
    if (code == FC_OK) {
        code = fc_resume_check_same_server(source->queries, source->replica, err);
    }
    if (code == FC_OK) {
        code = fc_dump_start(source->replica, &from, &source->dump, err);
    }
    fc_buf_release(&text);
    return code;
}

/* At the first start: a pattern that matches nothing is taken for a mistake. */
static fc_code list_tables(struct fc_source *source, struct fc_source_position *position,
                           struct fc_error *err)
{
    const char *mode = source->host->option_text(source->host, "snapshot");
    const char *unmatched;
    struct fc_table_list list;
    fc_code code = fc_table_list_read(source->queries, &source->filter, &list, err);
    if (code != FC_OK) {
        return code;
    }
    unmatched = fc_table_list_unmatched(&list, &source->filter);
    if (unmatched != NULL) {
        code = fc_fail(err, FC_ERR_CONFIG,
                       "tables: there is no table \"%s\" that can be captured", unmatched);
    } else if (strcmp(mode, "never") != 0) {
        position->snapshot = fc_snapshot_plan_new(&list);
    }
    fc_table_list_release(&list);
    return code;
}

/* Where to go on, or to begin. */
static fc_code find_position(struct fc_source *source, struct fc_slice resume,
                             struct fc_source_position *out_position, bool *out_place_known,
                             struct fc_error *err)
{
    fc_code code;
    *out_place_known = true;
    if (!fc_slice_is_null(resume)) {
        code = fc_source_position_parse(resume, out_position, err);
        if (code == FC_OK) {
            code = fc_resume_check(source->queries, out_position, out_place_known, err);
            if (code != FC_OK) {
                fc_source_position_release(out_position);
            }
        }
        return code;
    }
    source->position_due = true;
    code = fc_source_position_of_server(source->queries, out_position, err);
    if (code == FC_OK) {
        code = list_tables(source, out_position, err);
        if (code != FC_OK) {
            fc_source_position_release(out_position);
        }
    }
    return code;
}

static fc_code set_up(struct fc_source *source, struct fc_slice resume, struct fc_error *err)
{
    const struct fc_host *host = source->host;
    struct fc_change_stream_config config = { 0 };
    struct fc_source_position position;
    bool place_known = false;
    fc_code code = fc_table_filter_init(&source->filter, host, err);
    if (code == FC_OK) {
        code = fc_session_open(host, FC_SESSION_QUERY, QUERY_TIMEOUT_S, &source->queries, err);
    }
    if (code == FC_OK) {
        code = fc_resume_check_settings(source->queries, err);
    }
    if (code == FC_OK) {
        code = fc_binlog_place_of_server(source->queries, &source->end_at_open, err);
    }
    if (code == FC_OK) {
        code = find_position(source, resume, &position, &place_known, err);
    }
    if (code != FC_OK) {
        return code;
    }
    source->snapshot_only = strcmp(host->option_text(host, "snapshot"), "only") == 0;
    (void)snprintf(source->engine, sizeof(source->engine), "%s",
                   position.flavor == FC_FLAVOR_MARIADB ? "mariadb" : "mysql");
    code = start_dump(source, &position, err);
    if (code != FC_OK) {
        fc_source_position_release(&position);
        return code;
    }
    config.host = host;
    config.filter = &source->filter;
    config.observer = &source->observer;
    config.describe = describe;
    config.ctx = source;
    config.include_query = host->option_int(host, "include-query") != 0;
    source->stream = fc_change_stream_new(&config, &position, place_known);
    source->snapshot =
        fc_snapshot_new(host, &source->filter, source->stream, &source->observer);
    return FC_OK;
}

static void source_close(struct fc_source *source)
{
    if (source == NULL) {
        return;
    }
    fc_snapshot_free(source->snapshot);
    fc_dump_free(source->dump);
    fc_session_close(source->replica);
    fc_change_stream_free(source->stream);
    fc_session_close(source->queries);
    fc_describe_free(source->hint);
    fc_buf_release(&source->position_text);
    free(source);
}

static fc_code source_open(const struct fc_host *host, struct fc_slice resume,
                           struct fc_source **out_source, struct fc_error *err)
{
    struct fc_source *source = fc_new(struct fc_source);
    fc_code code;
    source->host = host;
    fc_buf_init(&source->position_text, POSITION_BYTES_MAX);
    code = set_up(source, resume, err);
    if (code != FC_OK) {
        source_close(source);
        return code;
    }
    *out_source = source;
    return FC_OK;
}

static fc_code give_position(struct fc_source *source, struct fc_batch *batch,
                             struct fc_error *err)
{
    fc_code code;
    source->position_due = fc_change_stream_take_moved(source->stream) || source->position_due;
    if (!source->position_due || fc_change_stream_is_held_back(source->stream)) {
        return FC_OK;
    }
    fc_buf_clear(&source->position_text);
    fc_source_position_print(fc_change_stream_position(source->stream), &source->position_text);
    code = fc_buf_check(&source->position_text, "position", err);
    if (code == FC_OK) {
        source->host->batch_position(batch, fc_buf_slice(&source->position_text));
        source->position_due = false;
    }
    return code;
}

static void note_caught_up(struct fc_source *source)
{
    const struct fc_binlog_place *reached = fc_change_stream_reached(source->stream);
    source->caught_up = source->caught_up ||
                        (fc_snapshot_is_done(source->snapshot) && reached->file[0] != '\0' &&
                         fc_binlog_place_compare(reached, &source->end_at_open) >= 0);
}

static fc_code source_read(struct fc_source *source, int wait_ms, struct fc_batch *batch,
                           struct fc_error *err)
{
    bool progressed = false;
    fc_code code = FC_OK;
    struct fc_binlog_place stop;
    bool has_stop = false;
    if (!source->begun) {
        source->begun = true;
        if (source->position_due) {
            return give_position(source, batch, err); /* the start, before any change */
        }
    }
    if (!fc_snapshot_is_done(source->snapshot)) {
        code = fc_snapshot_step(source->snapshot, batch, &progressed, &has_stop, &stop, err);
        source->position_due = source->position_due || progressed;
        if (progressed) {
            wait_ms = 0;
        }
    }
    if (code == FC_OK && source->snapshot_only && fc_snapshot_is_done(source->snapshot)) {
        struct fc_slice unused;
        code = fc_dump_next(source->dump, wait_ms, &unused, err);
    } else if (code == FC_OK && !progressed) {
        code = fc_change_stream_read(source->stream, source->dump, has_stop ? &stop : NULL,
                                     wait_ms, batch, err);
    }
    if (code == FC_OK) {
        code = give_position(source, batch, err);
    }
    note_caught_up(source);
    return code;
}

static fc_code source_ack(struct fc_source *source, struct fc_slice position,
                          struct fc_error *err)
{
    (void)source; /* the server keeps its binlog whatever we have read */
    (void)position;
    (void)err;
    return FC_OK;
}

static void source_interrupt(struct fc_source *source)
{
    fc_dump_interrupt(source->dump);
    fc_session_interrupt(source->queries);
    fc_snapshot_interrupt(source->snapshot);
}

static const char *source_engine(const struct fc_source *source)
{
    return source->engine;
}

static void source_status(struct fc_source *source, struct fc_source_status *out_status)
{
    memset(out_status, 0, sizeof(*out_status));
    fc_source_position_describe(fc_change_stream_position(source->stream), out_status->position,
                                sizeof(out_status->position));
    fc_snapshot_describe(source->snapshot, out_status->phase, sizeof(out_status->phase));
    out_status->last_event_us = fc_change_stream_newest_us(source->stream);
    out_status->caught_up = source->caught_up;
}

const struct fc_source_ops fc_mysql_source_ops = {
    .size = sizeof(struct fc_source_ops),
    .fields = fc_emitter_fields,
    .open = source_open,
    .read = source_read,
    .ack = source_ack,
    .interrupt = source_interrupt,
    .engine = source_engine,
    .status = source_status,
    .close = source_close,
    .check = fc_preflight_run,
    .look = fc_table_list_look,
};
