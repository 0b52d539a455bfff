/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/xa_hold.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"

enum { EVENTS_BYTES_MAX = 256 * 1024 * 1024, ID_BYTES_MAX = 4096 };

/* Before each event's body. Never leaves the process. */
struct kept {
    struct fc_binlog_event event;
    uint64_t start;
};

void fc_xa_events_init(struct fc_xa_events *events)
{
    memset(events, 0, sizeof(*events));
    fc_buf_init(&events->bytes, EVENTS_BYTES_MAX);
}

void fc_xa_events_clear(struct fc_xa_events *events)
{
    fc_buf_release(&events->bytes);
    fc_xa_events_init(events);
}

fc_code fc_xa_events_add(struct fc_xa_events *events, const struct fc_binlog_event *event,
                         uint64_t start, struct fc_error *err)
{
    struct kept kept = { .event = *event, .start = start };
    fc_buf_append(&events->bytes, &kept, sizeof(kept));
    fc_buf_append_slice(&events->bytes, event->body);
    return fc_buf_check(&events->bytes, "XA transaction", err);
}

bool fc_xa_events_take(struct fc_xa_events *events, struct fc_binlog_event *out_event,
                       uint64_t *out_start)
{
    struct kept kept;
    if (events->at == events->bytes.len) {
        return false;
    }
    memcpy(&kept, events->bytes.data + events->at, sizeof(kept));
    *out_event = kept.event;
    *out_start = kept.start;
    out_event->body =
        fc_slice_of(events->bytes.data + events->at + sizeof(kept), kept.event.body.len);
    events->last = events->at;
    events->at += sizeof(kept) + kept.event.body.len;
    return true;
}

void fc_xa_events_untake(struct fc_xa_events *events)
{
    events->at = events->last;
}

void fc_xa_hold_init(struct fc_xa_hold *hold)
{
    fc_hashmap_init(&hold->prepared);
}

static void free_value(void *value)
{
    fc_xa_prepared_free((struct fc_xa_prepared *)value);
}

void fc_xa_hold_release(struct fc_xa_hold *hold)
{
    fc_hashmap_release(&hold->prepared, free_value);
}

void fc_xa_prepared_free(struct fc_xa_prepared *prepared)
{
    if (prepared != NULL) {
        fc_buf_release(&prepared->events.bytes);
        free(prepared);
    }
}

static void append_hex(struct fc_buf *out, struct fc_slice bytes)
{
    fc_buf_append_text(out, "x'");
    for (size_t index = 0; index < bytes.len; index++) {
        fc_buf_append_fmt(out, "%02x", bytes.data[index]);
    }
    fc_buf_append_text(out, "'");
}

void fc_xa_hold_put(struct fc_xa_hold *hold, const struct fc_binlog_xa *xa,
                    struct fc_xa_events *events, const struct fc_transaction_name *name)
{
    struct fc_xa_prepared *prepared = fc_new(struct fc_xa_prepared);
    struct fc_buf id;
    fc_buf_init(&id, ID_BYTES_MAX);
    append_hex(&id, xa->gtrid);
    fc_buf_append_text(&id, ",");
    append_hex(&id, xa->bqual);
    fc_buf_append_fmt(&id, ",%" PRId32, xa->format_id);
    prepared->events = *events;
    prepared->name = *name;
    fc_xa_events_init(events);
    free_value(fc_hashmap_put(&hold->prepared, fc_buf_slice(&id), prepared));
    fc_buf_release(&id);
}

struct fc_xa_prepared *fc_xa_hold_take(struct fc_xa_hold *hold, struct fc_slice xid)
{
    struct fc_xa_prepared *prepared;
    struct fc_buf id;
    fc_buf_init(&id, ID_BYTES_MAX);
    for (size_t index = 0; index < xid.len; index++) {
        if (xid.data[index] != ' ') {
            fc_buf_append_u8(&id, (uint8_t)tolower(xid.data[index]));
        }
    }
    prepared = (struct fc_xa_prepared *)fc_hashmap_remove(&hold->prepared, fc_buf_slice(&id));
    fc_buf_release(&id);
    return prepared;
}
