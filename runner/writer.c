/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A turn of the writer: append every unit that is ready (up to a bound), flush once, publish. While
 * units come full, as from a backlog, it first waits a little for more of them, since a switch between
 * threads costs the same for one as for ten; and it leaves the flush to the flusher, which does one
 * for many turns while the next ones append. What is under way there, or not even begun, is
 * `unflushed`: nothing may be said of it, and no checkpoint written, before flush_now. A
 * checkpoint is appended after a flush, at most once a second while busy and at once when idle; it
 * becomes durable with the next flush.
 *
 * The checkpoint's `ends` must not be past the first record of a transaction after its position.
 * A unit's position may stand before its last records, so the ends are those before the unit.
 */
#include "runner/writer.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/flusher.h"

enum {
    WRITER_LATE_BYTES = 8 * 1024 * 1024, /* before compression; so much is worth a flush */
    WRITER_UNFLUSHED_BYTES_MAX = 64 * 1024 * 1024, /* besides those of the flush under way */
    WRITER_FULL_UNIT_BYTES = 64 * 1024, /* units are so large only while the source has more */
    WRITER_GATHER_MS = 10,
    WRITER_IDLE_MS = 20,
    WRITER_LATE_MS = 5, /* without a unit, until what is unflushed is flushed */
    WRITER_CHECKPOINT_MS = 1000
};

struct fc_writer {
    struct fc_writer_config config;

    /* The writer's thread. */
    struct fc_checkpoint
        candidate;                /* newest position appended, with the ends before its unit */
    struct fc_checkpoint current; /* only its topics: the ends now */
    bool moved;                   /* candidate is newer than the last checkpoint appended */
    bool ahead;            /* candidate's unit is not appended yet: it must not be written */
    int64_t checkpoint_ms; /* when that was */
    struct fc_writer_status turn; /* what was appended since a flush was begun */
    bool turn_marks;              /* a restore marker among it */
    bool backlog;                 /* the units of the last turn were full */
    bool unflushed;               /* something may not be durable yet */
    struct fc_flusher *flusher;   /* while run runs */

    /* The writer's thread while the flusher is idle, else the flusher's. */
    struct fc_writer_status late; /* what the flush under way makes durable */
    struct fc_buf late_position;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Guarded by lock. */
    struct fc_writer_status status;
    struct fc_buf durable; /* position */
    bool durable_moved;
    bool settle_wanted;
    bool settled;
    bool failed;
};

static void copy_buf(struct fc_buf *to, const struct fc_buf *from)
{
    fc_buf_clear(to);
    fc_buf_append_slice(to, fc_buf_slice(from));
}

struct fc_writer *fc_writer_new(const struct fc_writer_config *config,
                                struct fc_checkpoint *checkpoint)
{
    struct fc_writer *writer = fc_new(struct fc_writer);
    writer->config = *config;
    fc_checkpoint_init(&writer->candidate);
    fc_checkpoint_init(&writer->current);
    fc_checkpoint_copy(&writer->candidate, checkpoint);
    fc_buf_init(&writer->durable, SIZE_MAX / 2);
    fc_buf_init(&writer->late_position, SIZE_MAX / 2);
    (void)pthread_mutex_init(&writer->lock, NULL);
    (void)pthread_cond_init(&writer->changed, NULL);
    return writer;
}

void fc_writer_free(struct fc_writer *writer)
{
    if (writer != NULL) {
        fc_checkpoint_release(&writer->candidate);
        fc_checkpoint_release(&writer->current);
        fc_buf_release(&writer->durable);
        fc_buf_release(&writer->late_position);
        (void)pthread_cond_destroy(&writer->changed);
        (void)pthread_mutex_destroy(&writer->lock);
        free(writer);
    }
}

static fc_code step_flush(void *ctx, struct fc_error *err)
{
    struct fc_writer *writer = ctx;
    return fc_stream_flush(writer->config.stream, err);
}

static fc_code step_checkpoint(void *ctx, struct fc_error *err)
{
    struct fc_writer *writer = ctx;
    return fc_checkpoint_append(writer->config.stream, writer->config.connector,
                                &writer->candidate, writer->config.clock, err);
}

struct append_step {
    struct fc_stream_batch *batch;
    int64_t base;
};

static fc_code step_append(void *ctx, struct fc_error *err)
{
    struct append_step *step = ctx;
    return fc_stream_append(step->batch, &step->base, err);
}

struct schema_step {
    struct fc_writer *writer;
    const struct fc_schema *schema;
    bool appended;
};

static fc_code step_schema(void *ctx, struct fc_error *err)
{
    struct schema_step *step = ctx;
    return fc_schema_store_write(step->writer->config.schemas, step->schema, &step->appended,
                                 err);
}

static fc_code append_checkpoint(struct fc_writer *writer, struct fc_error *err)
{
    fc_code code;
    fc_assert(!writer->ahead);
    code = fc_room_do(writer->config.room, step_checkpoint, writer, err);
    if (code == FC_OK) {
        writer->moved = false;
        writer->checkpoint_ms = fc_clock_steady_ms(writer->config.clock);
    }
    return code;
}

/* What was appended so far durable first, then a checkpoint, durable too. */
static fc_code checkpoint_now(struct fc_writer *writer, struct fc_error *err)
{
    fc_code code = fc_room_do(writer->config.room, step_flush, writer, err);
    if (code == FC_OK) {
        code = append_checkpoint(writer, err);
    }
    return code == FC_OK ? fc_room_do(writer->config.room, step_flush, writer, err) : code;
}

static fc_code write_schemas(struct fc_writer *writer, struct fc_unit *unit,
                             struct fc_error *err)
{
    struct schema_step step = { writer, NULL, false };
    fc_code code = FC_OK;
    for (size_t index = 0; code == FC_OK && index < unit->schema_count; index++) {
        step.schema = unit->schemas[index];
        code = fc_room_do(writer->config.room, step_schema, &step, err);
    }
    return code == FC_OK && step.appended
               ? fc_room_do(writer->config.room, step_flush, writer, err)
               : code;
}

/* Topics that an earlier run wrote to. */
static fc_code enter_known_topics(struct fc_writer *writer, struct fc_error *err)
{
    fc_code code = FC_OK;
    for (size_t index = 0; code == FC_OK && index < writer->candidate.topic_count; index++) {
        struct fc_topic *topic = NULL;
        code = fc_stream_topic(writer->config.stream, writer->candidate.topics[index].name,
                               &topic, err);
        if (code == FC_OK) {
            code = fc_checkpoint_enter_topic(&writer->current, topic, err);
        }
    }
    return code;
}

/* Topics that are written to for the first time enter the checkpoint before their records. */
static fc_code enter_new_topics(struct fc_writer *writer, struct fc_unit *unit,
                                struct fc_error *err)
{
    fc_code code = FC_OK;
    bool added = false;
    for (size_t index = 0; code == FC_OK && index < unit->output_count; index++) {
        struct fc_topic *topic = unit->outputs[index].topic;
        if (fc_checkpoint_topic(&writer->current, fc_topic_name(topic)) == NULL) {
            struct fc_checkpoint_topic *known = fc_checkpoint_add_topic(
                &writer->candidate, fc_topic_name(topic), fc_topic_partitions(topic));
            code = fc_checkpoint_enter_topic(&writer->current, topic, err);
            memcpy(known->ends, fc_checkpoint_topic(&writer->current, known->name)->ends,
                   known->partitions * sizeof(*known->ends));
            added = true;
        }
    }
    return code == FC_OK && added ? checkpoint_now(writer, err) : code;
}

static void note_position(struct fc_writer *writer, struct fc_unit *unit)
{
    copy_buf(&writer->candidate.position, &unit->position);
    copy_buf(&writer->candidate.tx, &unit->position_tx);
    writer->candidate.seq = unit->position_seq;
    writer->candidate.present = true;
    fc_checkpoint_copy_ends(&writer->candidate, &writer->current);
    writer->moved = true;
    writer->ahead = true;
}

static fc_code append_unit(struct fc_writer *writer, struct fc_unit *unit, struct fc_error *err)
{
    fc_code code = write_schemas(writer, unit, err);
    if (code == FC_OK) {
        code = enter_new_topics(writer, unit, err);
    }
    if (code == FC_OK && unit->has_position && unit->code == FC_OK) {
        note_position(writer, unit);
    }
    for (size_t index = 0; code == FC_OK && index < unit->output_count; index++) {
        struct fc_output *output = &unit->outputs[index];
        struct append_step step = { output->batch, 0 };
        if (fc_stream_batch_count(output->batch) == 0) {
            continue;
        }
        code = fc_room_do(writer->config.room, step_append, &step, err);
        if (code == FC_OK) {
            int64_t *end = &fc_checkpoint_topic(&writer->current, fc_topic_name(output->topic))
                                ->ends[output->partition];
            int64_t least = step.base + fc_stream_batch_count(output->batch);
            *end =
                least > *end ? least : *end; /* a cluster only tells what it cannot be below */
        }
    }
    if (code == FC_OK) {
        writer->ahead = false;
        writer->turn_marks = writer->turn_marks || unit->mark != NULL;
        writer->turn.records += unit->records;
        writer->turn.bytes += unit->bytes;
        writer->turn.rejected += unit->rejected;
        writer->turn.newest_us =
            unit->newest_us == 0 ? writer->turn.newest_us : unit->newest_us;
    }
    if (code == FC_OK && unit->code != FC_OK) {
        *err = unit->error;
        return unit->code;
    }
    return code;
}

/* These are durable, and with them all up to the position. Any thread. */
static void publish(struct fc_writer *writer, const struct fc_writer_status *what,
                    const struct fc_buf *position)
{
    (void)pthread_mutex_lock(&writer->lock);
    writer->status.records += what->records;
    writer->status.bytes += what->bytes;
    writer->status.rejected += what->rejected;
    if (what->newest_us != 0) {
        writer->status.newest_us = what->newest_us;
        writer->status.lag_us =
            writer->config.clock->wall_ns(writer->config.clock) / 1000 - what->newest_us;
    }
    if (position->len > 0) {
        copy_buf(&writer->durable, position);
        writer->durable_moved = true;
    }
    (void)pthread_mutex_unlock(&writer->lock);
}

static void on_flushed(void *ctx)
{
    struct fc_writer *writer = ctx;
    publish(writer, &writer->late, &writer->late_position);
}

/* All that was appended durable, and said to be. */
static fc_code flush_now(struct fc_writer *writer, struct fc_error *err)
{
    fc_code code = fc_flusher_wait(writer->flusher, err);
    if (code == FC_OK) {
        code = fc_room_do(writer->config.room, step_flush, writer, err);
    }
    if (code != FC_OK) {
        return code;
    }
    publish(writer, &writer->turn, &writer->candidate.position);
    memset(&writer->turn, 0, sizeof(writer->turn));
    writer->unflushed = false;
    if (writer->turn_marks) {
        writer->turn_marks = false;
        writer->config.on_marked(writer->config.ctx);
    }
    return FC_OK;
}

/* Durable some time later: with one of the next turns, or with flush_now. */
static fc_code flush_later(struct fc_writer *writer, struct fc_error *err)
{
    fc_code code;
    if (writer->turn.bytes < WRITER_LATE_BYTES ||
        (writer->turn.bytes < WRITER_UNFLUSHED_BYTES_MAX &&
         !fc_flusher_is_idle(writer->flusher))) {
        return FC_OK;
    }
    code = fc_flusher_wait(writer->flusher, err);
    if (code == FC_OK) {
        writer->late = writer->turn;
        copy_buf(&writer->late_position, &writer->candidate.position);
        memset(&writer->turn, 0, sizeof(writer->turn));
        fc_flusher_begin(writer->flusher);
    }
    return code;
}

static void fail(struct fc_writer *writer, const struct fc_error *error)
{
    (void)pthread_mutex_lock(&writer->lock);
    writer->failed = true;
    (void)pthread_cond_broadcast(&writer->changed);
    (void)pthread_mutex_unlock(&writer->lock);
    writer->config.on_failed(writer->config.ctx, error);
}

/* What stands before a unit that could not be appended is kept, with a checkpoint if it can be. */
static void keep_rest(struct fc_writer *writer)
{
    struct fc_error ignored; /* the first error is the one to tell */
    if (!writer->ahead && flush_now(writer, &ignored) == FC_OK && writer->moved) {
        (void)checkpoint_now(writer, &ignored);
    }
}

/* Append what is ready, beginning with `unit`, and see to it that it becomes durable. */
static fc_code turn(struct fc_writer *writer, struct fc_unit *unit, struct fc_error *err)
{
    uint64_t before = writer->turn.bytes;
    uint64_t units = 0;
    fc_code code = FC_OK;
    if (writer->backlog) {
        fc_unit_ring_gather(writer->config.ring, WRITER_GATHER_MS);
    }
    writer->unflushed = true;
    while (code == FC_OK && unit != NULL) {
        code = append_unit(writer, unit, err);
        fc_unit_ring_written(writer->config.ring, unit);
        units++;
        unit = code == FC_OK && writer->turn.bytes < WRITER_UNFLUSHED_BYTES_MAX
                   ? fc_unit_ring_next(writer->config.ring, 0)
                   : NULL;
    }
    if (code != FC_OK) {
        keep_rest(writer);
        return code;
    }
    writer->backlog = writer->turn.bytes - before >= units * WRITER_FULL_UNIT_BYTES;
    return writer->backlog && !writer->turn_marks &&
                   fc_stream_flushes_beside_appends(writer->config.stream)
               ? flush_later(writer, err)
               : flush_now(writer, err);
}

static bool settle_is_wanted(struct fc_writer *writer)
{
    bool wanted;
    (void)pthread_mutex_lock(&writer->lock);
    wanted = writer->settle_wanted;
    (void)pthread_mutex_unlock(&writer->lock);
    return wanted;
}

static void settle_done(struct fc_writer *writer)
{
    (void)pthread_mutex_lock(&writer->lock);
    writer->settle_wanted = false;
    writer->settled = true;
    (void)pthread_cond_broadcast(&writer->changed);
    (void)pthread_mutex_unlock(&writer->lock);
}

/* No unit came for a while; for a short one if something is unflushed, so that is done first. */
static fc_code idle(struct fc_writer *writer, struct fc_error *err)
{
    bool settles = settle_is_wanted(writer);
    bool short_while = writer->unflushed;
    fc_code code = short_while ? flush_now(writer, err) : FC_OK;
    if (code == FC_OK && writer->moved && (settles || !short_while)) {
        code = checkpoint_now(writer, err);
    }
    if (code == FC_OK && settles) {
        settle_done(writer);
    }
    return code;
}

static fc_code checkpoint_if_due(struct fc_writer *writer, struct fc_error *err)
{
    fc_code code = FC_OK;
    if (!writer->moved || fc_clock_steady_ms(writer->config.clock) - writer->checkpoint_ms <
                              WRITER_CHECKPOINT_MS) {
        return FC_OK;
    }
    if (writer->unflushed) {
        code = flush_now(writer, err);
    }
    return code == FC_OK ? append_checkpoint(writer, err) : code;
}

static void drop_rest(struct fc_writer *writer)
{
    while (!fc_unit_ring_done(writer->config.ring)) {
        struct fc_unit *unit = fc_unit_ring_next(writer->config.ring, WRITER_IDLE_MS);
        if (unit != NULL) {
            fc_unit_ring_written(writer->config.ring, unit);
        }
    }
}

static fc_code write_units(struct fc_writer *writer, struct fc_error *err)
{
    fc_code code = enter_known_topics(writer, err);
    while (code == FC_OK && !fc_unit_ring_done(writer->config.ring)) {
        struct fc_unit *unit = fc_unit_ring_next(
            writer->config.ring, writer->unflushed ? WRITER_LATE_MS : WRITER_IDLE_MS);
        code = unit == NULL ? idle(writer, err) : turn(writer, unit, err);
        if (code == FC_OK) {
            code = checkpoint_if_due(writer, err);
        }
    }
    if (code == FC_OK && writer->unflushed) {
        code = flush_now(writer, err);
    }
    return code == FC_OK && writer->moved ? checkpoint_now(writer, err) : code;
}

void fc_writer_run(struct fc_writer *writer)
{
    struct fc_flusher_config config = { writer->config.stream, writer->config.room, on_flushed,
                                        writer };
    struct fc_error error;
    fc_code code;
    writer->flusher = fc_flusher_new(&config);
    code = write_units(writer, &error);
    if (code != FC_OK) {
        fail(writer, &error);
        drop_rest(writer);
    }
    fc_flusher_free(writer->flusher);
}

fc_code fc_writer_settle(struct fc_writer *writer, struct fc_checkpoint *out_checkpoint,
                         struct fc_error *err)
{
    bool failed;
    (void)pthread_mutex_lock(&writer->lock);
    writer->settle_wanted = true;
    writer->settled = false;
    fc_unit_ring_poke(writer->config.ring);
    while (!writer->settled && !writer->failed) {
        (void)pthread_cond_wait(&writer->changed, &writer->lock);
    }
    failed = writer->failed;
    (void)pthread_mutex_unlock(&writer->lock);
    if (failed) {
        return fc_fail(err, FC_ERR_CLOSED, "the writer has stopped");
    }
    fc_checkpoint_copy(out_checkpoint,
                       &writer->candidate); /* the writer is idle until the next unit */
    return FC_OK;
}

bool fc_writer_take_durable(struct fc_writer *writer, struct fc_buf *out)
{
    bool moved;
    (void)pthread_mutex_lock(&writer->lock);
    moved = writer->durable_moved;
    if (moved) {
        copy_buf(out, &writer->durable);
        writer->durable_moved = false;
    }
    (void)pthread_mutex_unlock(&writer->lock);
    return moved;
}

void fc_writer_status(struct fc_writer *writer, struct fc_writer_status *out_status)
{
    (void)pthread_mutex_lock(&writer->lock);
    *out_status = writer->status;
    (void)pthread_mutex_unlock(&writer->lock);
}
