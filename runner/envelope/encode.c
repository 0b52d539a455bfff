/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event is put together from four pieces: the row images by their plan, the source block
 * built once per database event, and a tail with the time, built once per batch. Room for the
 * worst case is reserved once, then everything is written without checks.
 */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/envelope/ddl_json.h"
#include "runner/envelope/envelope.h"
#include "runner/envelope/plan_cache.h"
#include "runner/envelope/source_block.h"

enum {
    TAIL_SIZE = 192,
    HEAD_ROOM = 64, /* {"before":null,"after":null, */
    OTHER_MARKS = 3 /* besides those of the columns */
};

struct fc_envelope {
    const struct fc_clock *clock;
    struct fc_plan_cache plans;
    struct fc_source_block source;
    struct fc_civil_day day;
    int64_t now_ms;
    char tail[TAIL_SIZE]; /* ,"transaction":null,"op":" to the end of the event */
    size_t tail_len;
    size_t tail_op_at; /* where in tail the op's letter goes */
    struct fc_mark *marks;
    uint32_t mark_capacity;
    struct fc_marks last_marks; /* of the value written last */
};

struct fc_envelope *fc_envelope_new(const struct fc_envelope_config *config)
{
    struct fc_envelope *envelope = fc_new(struct fc_envelope);
    envelope->clock = config->clock;
    fc_plan_cache_init(&envelope->plans, config->mode);
    fc_source_block_init(&envelope->source, config->version, config->engine,
                         config->connector_name, config->fields);
    fc_envelope_begin_batch(envelope);
    return envelope;
}

void fc_envelope_free(struct fc_envelope *envelope)
{
    if (envelope != NULL) {
        fc_plan_cache_release(&envelope->plans);
        fc_source_block_release(&envelope->source);
        free(envelope->marks);
        free(envelope);
    }
}

void fc_envelope_begin_batch(struct fc_envelope *envelope)
{
    static const char head[] = ",\"transaction\":null,\"op\":\"";
    int64_t now_ns = envelope->clock->wall_ns(envelope->clock);
    int length = snprintf(
        envelope->tail, TAIL_SIZE, "%s?\",\"ts_ms\":%lld,\"ts_us\":%lld,\"ts_ns\":%lld}", head,
        (long long)(now_ns / 1000000), (long long)(now_ns / 1000), (long long)now_ns);
    fc_assert(length > 0 && length < TAIL_SIZE);
    envelope->tail_len = (size_t)length;
    envelope->tail_op_at = sizeof(head) - 1;
    envelope->now_ms = now_ns / 1000000;
    envelope->source.cached = false;
    fc_plan_cache_begin_batch(&envelope->plans);
}

const struct fc_marks *fc_envelope_marks(const struct fc_envelope *envelope)
{
    return &envelope->last_marks;
}

static void make_room_for_marks(struct fc_envelope *envelope,
                                const struct fc_plan_object *object)
{
    uint32_t wanted = (object == NULL ? 0 : object->count * 2) + OTHER_MARKS;
    if (envelope->mark_capacity < wanted) {
        envelope->marks = fc_realloc_array(envelope->marks, wanted, sizeof(envelope->marks[0]));
        envelope->mark_capacity = wanted;
    }
}

static void append_object(struct fc_envelope *envelope, const struct fc_plan_object *object,
                          const struct fc_value *row, struct fc_buf *out)
{
    char *start =
        (char *)fc_buf_reserve(out, fc_plan_object_bound(object, row) + FC_JSON_SLACK);
    make_room_for_marks(envelope, object);
    if (start != NULL) {
        char *end =
            fc_plan_object_put(start, object, row, &envelope->day, start, envelope->marks);
        out->len += (size_t)(end - start);
    }
}

bool fc_envelope_key(struct fc_envelope *envelope, const struct fc_shape *shape,
                     const struct fc_value *row, struct fc_buf *out)
{
    const struct fc_row_plan *plan = fc_plan_cache_get(&envelope->plans, shape);
    if (plan->key.count == 0) {
        return false;
    }
    append_object(envelope, &plan->key, row, out);
    return true;
}

void fc_envelope_row(struct fc_envelope *envelope, const struct fc_shape *shape,
                     const struct fc_value *row, struct fc_buf *out)
{
    append_object(envelope, &fc_plan_cache_get(&envelope->plans, shape)->row, row, out);
}

void fc_envelope_ddl_key(struct fc_envelope *envelope, const struct fc_change *change,
                         struct fc_buf *out)
{
    (void)envelope; /* the key holds nothing of a configuration */
    fc_ddl_json_append_key(change, out);
}

/* Marks of an event while it is written. */
struct event_marks {
    const char *base;
    struct fc_mark *next;
};

static void add_mark(struct event_marks *marks, const char *at)
{
    marks->next->at = (uint32_t)(at - marks->base);
    marks->next->like = FC_MARK_NONE;
    marks->next++;
}

static char *put_image(char *at, const struct fc_plan_object *object,
                       const struct fc_value *row, struct fc_civil_day *day,
                       struct event_marks *marks)
{
    if (row == NULL) {
        return fc_json_put_null(at);
    }
    at = fc_plan_object_put(at, object, row, day, marks->base, marks->next);
    marks->next += object->count;
    return at;
}

/* Columns of the image after are most like those of the image before. */
static void liken_images(struct fc_mark *before, struct fc_mark *after, uint32_t count)
{
    for (uint32_t index = 0; index < count; index++) {
        after[index].like = before[index].at;
    }
}

static char *put_images(char *at, struct fc_envelope *envelope,
                        const struct fc_plan_object *object, const struct fc_value *before,
                        const struct fc_value *after, struct event_marks *marks)
{
    static const char before_name[] = "{\"before\":";
    static const char after_name[] = ",\"after\":";
    struct fc_mark *first = marks->next;
    memcpy(at, before_name, sizeof(before_name) - 1);
    at = put_image(at + sizeof(before_name) - 1, object, before, &envelope->day, marks);
    add_mark(marks, at - 1);
    memcpy(at, after_name, sizeof(after_name) - 1);
    at = put_image(at + sizeof(after_name) - 1, object, after, &envelope->day, marks);
    if (before != NULL && after != NULL) {
        liken_images(first, first + object->count + 1, object->count);
    }
    return at;
}

/* The source block must be prepared. object may be NULL when there is no row image. */
static void append_event(struct fc_envelope *envelope, const struct fc_plan_object *object,
                         const struct fc_value *before, const struct fc_value *after, char op,
                         uint32_t event_row, struct fc_buf *out)
{
    size_t room = fc_source_block_bound(&envelope->source) + TAIL_SIZE + HEAD_ROOM;
    struct event_marks marks;
    char *start;
    char *at;
    room += before == NULL ? 0 : fc_plan_object_bound(object, before);
    room += after == NULL ? 0 : fc_plan_object_bound(object, after);
    start = (char *)fc_buf_reserve(out, room + FC_JSON_SLACK);
    if (start == NULL || envelope->source.text.failed) {
        out->failed = true;
        return;
    }
    make_room_for_marks(envelope, object);
    marks.base = start;
    marks.next = envelope->marks;
    at = put_images(start, envelope, object, before, after, &marks);
    add_mark(&marks, at - 1);
    *at++ = ',';
    at = fc_source_block_put(at, &envelope->source, event_row);
    add_mark(&marks, at - (envelope->source.text.len - envelope->source.row_at));
    memcpy(at, envelope->tail, TAIL_SIZE);
    at[envelope->tail_op_at] = op;
    at += envelope->tail_len;
    out->len += (size_t)(at - start);
    envelope->last_marks.marks = envelope->marks;
    envelope->last_marks.count = (uint32_t)(marks.next - envelope->marks);
    envelope->last_marks.kind =
        (((uint64_t)(uintptr_t)object * 0x9e3779b97f4a7c15ULL) >> 32) + (uint8_t)op;
}

/* Names of a change that may have no plan: as JSON, in a buffer of their own. */
static void append_unplanned(struct fc_envelope *envelope, const struct fc_change *change,
                             struct fc_buf *out)
{
    struct fc_buf names;
    size_t db_len;
    fc_buf_init(&names, out->limit);
    fc_ddl_json_append_db(change, &names);
    db_len = names.len;
    fc_ddl_json_append_table_name(change, &names);
    if (names.failed) {
        out->failed = true;
    } else {
        fc_source_block_prepare(&envelope->source, change, fc_slice_of(names.data, db_len),
                                fc_slice_of(names.data + db_len, names.len - db_len), NULL);
        if (change->op == FC_OP_DDL) {
            fc_ddl_json_append(change, &envelope->source, envelope->now_ms, out);
        } else {
            append_event(envelope, NULL, NULL, NULL, FC_OP_TRUNCATE, change->event_row, out);
        }
    }
    fc_buf_release(&names);
}

void fc_envelope_value(struct fc_envelope *envelope, const struct fc_change *change,
                       char op_override, struct fc_buf *out)
{
    char op = op_override != 0 ? op_override : (char)change->op;
    const struct fc_row_plan *plan;
    envelope->last_marks.count = 0;
    if (op == FC_OP_DDL || op == FC_OP_TRUNCATE) {
        append_unplanned(envelope, change, out);
        return;
    }
    fc_assert(change->shape != NULL);
    plan = fc_plan_cache_get(&envelope->plans, change->shape);
    fc_source_block_prepare(&envelope->source, change, plan->db, plan->table, plan);
    append_event(envelope, &plan->row,
                 op == FC_OP_CREATE || op == FC_OP_READ ? NULL : change->before,
                 op == FC_OP_DELETE ? NULL : change->after, op, change->event_row, out);
}
