/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events come from four places, in this order: the one carried over from the last batch, the XA
 * transaction that is replayed, the transaction payload that is open, the dump. What they mean is
 * change_events.c's matter; which transaction they belong to, transaction.c's; what is last in
 * it, emitter.c's.
 */
#include "connectors/mysql/change_stream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "connectors/mysql/change_stream_state.h"
#include "core/base/alloc.h"

enum {
    KEEP_BYTES = 4 * 1024 * 1024,
    INSIDE_WAIT_MS = 2, /* for the rest of a transaction, while complete ones wait */
    CLOCK_EVERY_EVENTS = 256
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
    fc_buf_init(&stream->payload_bytes, (size_t)1 << FC_CHANGE_EVENT_BYTES_LOG2);
    fc_buf_init(&stream->carried.body, (size_t)1 << FC_CHANGE_EVENT_BYTES_LOG2);
    fc_xa_hold_init(&stream->xa);
    fc_xa_events_init(&stream->xa_events);
    fc_xa_events_init(&stream->replay);
    fc_buf_init(&stream->query_kept, (size_t)1 << FC_CHANGE_EVENT_BYTES_LOG2);
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
    fc_xa_hold_release(&stream->xa);
    fc_buf_release(&stream->xa_events.bytes);
    fc_buf_release(&stream->replay.bytes);
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

bool fc_change_stream_is_held_back(const struct fc_change_stream *stream)
{
    /* A GTID set simply leaves the prepared transaction out. */
    bool by_set = stream->position.by_gtid && stream->position.flavor == FC_FLAVOR_MYSQL;
    return stream->xa.prepared.count > 0 && !by_set;
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

bool fc_change_stream_is_full(const struct fc_change_stream *stream)
{
    const struct fc_batch *batch = stream->emitter.batch;
    return batch->count > 0 &&
           (batch->count + 1 >= batch->count_max || batch->bytes >= batch->bytes_max);
}

typedef enum fetched {
    FETCHED_NOTHING,
    FETCHED_CARRIED,
    FETCHED_REPLAYED,
    FETCHED_INNER, /* in the batch's memory already */
    FETCHED_OUTER
} fetched;

static fc_code fetch_carried(struct fc_change_stream *stream, struct fc_binlog_event *out_event,
                             struct fc_error *err)
{
    struct fc_carried_event *carried = &stream->carried;
    *out_event = carried->event;
    carried->present = false;
    stream->event_start = carried->start;
    return fc_emitter_copy(&stream->emitter, fc_buf_slice(&carried->body), &out_event->body,
                           err);
}

/* At the end comes an event that commits. */
static void fetch_replayed(struct fc_change_stream *stream, struct fc_binlog_event *out_event)
{
    if (!fc_xa_events_take(&stream->replay, out_event, &stream->event_start)) {
        stream->replaying = false;
        fc_xa_events_clear(&stream->replay);
        memset(out_event, 0, sizeof(*out_event));
        out_event->type = FC_BINLOG_XID;
    }
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
    if (stream->replaying) {
        *out_from = FETCHED_REPLAYED;
        fetch_replayed(stream, out_event);
        return FC_OK;
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
            fc_buf_init(&stream->payload_bytes, (size_t)1 << FC_CHANGE_EVENT_BYTES_LOG2);
        }
    }
    return fetch_outer(stream, dump, wait_ms, out_event, out_from, err);
}

/* Keep the event of the change that is held back for the next batch. */
static fc_code carry_over(struct fc_change_stream *stream, struct fc_error *err)
{
    struct fc_carried_event *carried = &stream->carried;
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
    uint32_t fresh = 0; /* events taken that were not carried over */
    for (uint32_t count = 1; !fc_change_stream_is_full(stream) && !is_stopped(stream, stop);
         count++) {
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
            code = fc_change_stream_handle(stream, &event, from == FETCHED_CARRIED ? skip : 0,
                                           from == FETCHED_CARRIED || from == FETCHED_INNER,
                                           &unread, err);
        }
        if (code != FC_OK) {
            return fail_at(stream, err);
        }
        if (unread && from == FETCHED_REPLAYED) {
            fc_xa_events_untake(&stream->replay);
            return FC_OK;
        }
        if (unread) {
            fc_dump_unread(dump);
            stream->current.position = stream->event_start;
            return FC_OK;
        }
        fresh += from == FETCHED_CARRIED ? 0 : 1;
        if ((count % CLOCK_EVERY_EVENTS == 0 && now_ms() >= until_ms) ||
            (fresh > 0 && stream->emitter.batch->bytes >= stream->emitter.batch->bytes_max)) {
            return FC_OK; /* busy with what is not captured, but may take the batch's memory */
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

/* What came before the failure is given out, and the next read fails. */
static fc_code put_off(struct fc_change_stream *stream, fc_code code, struct fc_error *err)
{
    if (code == FC_OK || code == FC_ERR_CLOSED || stream->emitter.batch->count == 0) {
        return code;
    }
    stream->failure = *err;
    return FC_OK;
}

fc_code fc_change_stream_read(struct fc_change_stream *stream, struct fc_dump *dump,
                              const struct fc_binlog_place *stop, int wait_ms,
                              struct fc_batch *batch, struct fc_error *err)
{
    fc_code code;
    if (stream->failure.code != FC_OK) {
        *err = stream->failure;
        return err->code;
    }
    fc_emitter_begin(&stream->emitter, batch);
    code = restore_query(stream, err);
    if (code == FC_OK) {
        code = read_events(stream, dump, stop, now_ms() + wait_ms, err);
    }
    if (code == FC_OK) {
        code = carry_over(stream, err);
    }
    code = put_off(stream, code, err);
    keep_query(stream);
    fc_emitter_end(&stream->emitter);
    return code;
}
