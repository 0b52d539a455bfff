/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A turn of the writer: append every unit that is ready (up to a bound), flush once, publish. While
 * units come full, as from a backlog, it first waits a little for more of them: a flush, and a switch
 * between threads, costs the same for one as for ten. A
 * checkpoint is appended after a flush, at most once a second while busy and at once when idle; it
 * becomes durable with the next flush.
 *
 * The checkpoint's `ends` must not be past the first record of a transaction after its position.
 * A unit's position may stand before its last records, so the ends are those before the unit.
 */
#include "runner/writer.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"

enum {
    WRITER_TURN_BYTES_MAX = 32 * 1024 * 1024,
    WRITER_FULL_UNIT_BYTES = 64 * 1024, /* units are so large only while the source has more */
    WRITER_GATHER_MS = 10,
    WRITER_IDLE_MS = 20,
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
    struct fc_writer_status turn; /* what this turn appends */
    bool turn_marks;              /* a restore marker among it */
    bool backlog;                 /* the units of the last turn were full */

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

static void copy_ends(struct fc_checkpoint *to, const struct fc_checkpoint *from)
{
    for (size_t index = 0; index < from->topic_count; index++) {
        const struct fc_checkpoint_topic *source = &from->topics[index];
        struct fc_checkpoint_topic *target = fc_checkpoint_topic(to, source->name);
        if (target == NULL) {
            target = fc_checkpoint_add_topic(to, source->name, source->partitions);
        }
        memcpy(target->ends, source->ends, source->partitions * sizeof(*source->ends));
    }
}

static void copy_checkpoint(struct fc_checkpoint *to, const struct fc_checkpoint *from)
{
    to->present = from->present;
    to->seq = from->seq;
    copy_buf(&to->tx, &from->tx);
    copy_buf(&to->position, &from->position);
    copy_ends(to, from);
}

struct fc_writer *fc_writer_new(const struct fc_writer_config *config,
                                struct fc_checkpoint *checkpoint)
{
    struct fc_writer *writer = fc_new(struct fc_writer);
    writer->config = *config;
    fc_checkpoint_init(&writer->candidate);
    fc_checkpoint_init(&writer->current);
    copy_checkpoint(&writer->candidate, checkpoint);
    fc_buf_init(&writer->durable, SIZE_MAX / 2);
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

/* The topic's ends as they are now enter `current`. */
static fc_code enter_topic(struct fc_writer *writer, struct fc_topic *topic,
                           struct fc_error *err)
{
    struct fc_checkpoint_topic *entry = fc_checkpoint_add_topic(
        &writer->current, fc_topic_name(topic), fc_topic_partitions(topic));
    fc_code code = FC_OK;
    for (uint32_t partition = 0; code == FC_OK && partition < entry->partitions; partition++) {
        struct fc_offsets offsets;
        code = fc_stream_offsets(topic, partition, &offsets, err);
        entry->ends[partition] = code == FC_OK ? offsets.end : 0;
    }
    return code;
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
            code = enter_topic(writer, topic, err);
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
            code = enter_topic(writer, topic, err);
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
    copy_ends(&writer->candidate, &writer->current);
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

static void publish(struct fc_writer *writer)
{
    (void)pthread_mutex_lock(&writer->lock);
    writer->status.records += writer->turn.records;
    writer->status.bytes += writer->turn.bytes;
    writer->status.rejected += writer->turn.rejected;
    if (writer->turn.newest_us != 0) {
        writer->status.newest_us = writer->turn.newest_us;
        writer->status.lag_us =
            writer->config.clock->wall_ns(writer->config.clock) / 1000 - writer->turn.newest_us;
    }
    if (writer->candidate.present) {
        copy_buf(&writer->durable, &writer->candidate.position);
        writer->durable_moved = true;
    }
    (void)pthread_mutex_unlock(&writer->lock);
    memset(&writer->turn, 0, sizeof(writer->turn));
    if (writer->turn_marks) {
        writer->turn_marks = false;
        writer->config.on_marked(writer->config.ctx);
    }
}

static void fail(struct fc_writer *writer, const struct fc_error *error)
{
    (void)pthread_mutex_lock(&writer->lock);
    writer->failed = true;
    (void)pthread_cond_broadcast(&writer->changed);
    (void)pthread_mutex_unlock(&writer->lock);
    writer->config.on_failed(writer->config.ctx, error);
}

/* Append what is ready, beginning with `unit`, and make it durable. */
static fc_code turn(struct fc_writer *writer, struct fc_unit *unit, struct fc_error *err)
{
    struct fc_error ignored;
    uint64_t units = 0;
    fc_code code = FC_OK;
    if (writer->backlog) {
        fc_unit_ring_gather(writer->config.ring, WRITER_GATHER_MS);
    }
    while (code == FC_OK && unit != NULL) {
        code = append_unit(writer, unit, err);
        fc_unit_ring_written(writer->config.ring, unit);
        units++;
        unit = code == FC_OK && writer->turn.bytes < WRITER_TURN_BYTES_MAX
                   ? fc_unit_ring_next(writer->config.ring, 0)
                   : NULL;
    }
    writer->backlog = writer->turn.bytes >= units * WRITER_FULL_UNIT_BYTES;
    if (code == FC_OK) {
        code = fc_room_do(writer->config.room, step_flush, writer, err);
    } else if (!writer->ahead &&
               fc_room_do(writer->config.room, step_flush, writer, &ignored) == FC_OK &&
               writer->moved) {
        (void)checkpoint_now(writer, &ignored); /* the first error is the one to tell */
    }
    if (code == FC_OK) {
        publish(writer);
    }
    return code;
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

static fc_code idle(struct fc_writer *writer, struct fc_error *err)
{
    fc_code code = writer->moved ? checkpoint_now(writer, err) : FC_OK;
    if (code == FC_OK && settle_is_wanted(writer)) {
        settle_done(writer);
    }
    return code;
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

void fc_writer_run(struct fc_writer *writer)
{
    struct fc_error error;
    fc_code code = enter_known_topics(writer, &error);
    while (code == FC_OK && !fc_unit_ring_done(writer->config.ring)) {
        struct fc_unit *unit = fc_unit_ring_next(writer->config.ring, WRITER_IDLE_MS);
        if (unit == NULL) {
            code = idle(writer, &error);
            continue;
        }
        code = turn(writer, unit, &error);
        if (code == FC_OK && writer->moved &&
            fc_clock_steady_ms(writer->config.clock) - writer->checkpoint_ms >=
                WRITER_CHECKPOINT_MS) {
            code = append_checkpoint(writer, &error);
        }
    }
    if (code == FC_OK && writer->moved) {
        code = checkpoint_now(writer, &error);
    }
    if (code != FC_OK) {
        fail(writer, &error);
        drop_rest(writer);
    }
}

fc_code fc_writer_settle(struct fc_writer *writer, struct fc_checkpoint *out_checkpoint,
                         struct fc_error *err)
{
    bool failed;
    (void)pthread_mutex_lock(&writer->lock);
    writer->settle_wanted = true;
    writer->settled = false;
    while (!writer->settled && !writer->failed) {
        (void)pthread_cond_wait(&writer->changed, &writer->lock);
    }
    failed = writer->failed;
    (void)pthread_mutex_unlock(&writer->lock);
    if (failed) {
        return fc_fail(err, FC_ERR_CLOSED, "the writer has stopped");
    }
    copy_checkpoint(out_checkpoint,
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
