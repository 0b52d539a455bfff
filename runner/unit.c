/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread is woken only when there is something for it: on few cores every switch between threads
 * is taken from the work. A reader that found the ring full goes on when half of it is free, so
 * that it does not switch with the writer at every unit; the workers have the other half to do.
 */
#include "runner/unit.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/deadline.h"

enum { POSITION_BYTES_MAX = 64 * 1024 * 1024 };

void fc_unit_ring_init(struct fc_unit_ring *ring, size_t size,
                       const struct fc_batch_limits *limits)
{
    memset(ring, 0, sizeof(*ring));
    ring->units = fc_new_array(struct fc_unit, size);
    ring->size = size;
    for (size_t index = 0; index < size; index++) {
        struct fc_unit *unit = &ring->units[index];
        unit->batch = fc_batch_new(limits);
        fc_buf_init(&unit->position, POSITION_BYTES_MAX);
        fc_buf_init(&unit->position_tx, POSITION_BYTES_MAX);
    }
    (void)pthread_mutex_init(&ring->lock, NULL);
    fc_deadline_cond_init(&ring->emptied);
    fc_deadline_cond_init(&ring->filled);
    fc_deadline_cond_init(&ring->worked);
}

void fc_unit_ring_release(struct fc_unit_ring *ring)
{
    for (size_t index = 0; index < ring->size; index++) {
        struct fc_unit *unit = &ring->units[index];
        fc_batch_free(unit->batch);
        free(unit->seqs);
        free(unit->mark);
        fc_buf_release(&unit->position);
        fc_buf_release(&unit->position_tx);
        for (size_t output = 0; output < unit->output_capacity; output++) {
            fc_stream_batch_free(unit->outputs[output].batch);
        }
        free(unit->outputs);
        free(unit->schemas);
    }
    free(ring->units);
    (void)pthread_cond_destroy(&ring->emptied);
    (void)pthread_cond_destroy(&ring->filled);
    (void)pthread_cond_destroy(&ring->worked);
    (void)pthread_mutex_destroy(&ring->lock);
}

static void lock(struct fc_unit_ring *ring)
{
    (void)pthread_mutex_lock(&ring->lock);
}

static void unlock(struct fc_unit_ring *ring)
{
    (void)pthread_mutex_unlock(&ring->lock);
}

static struct fc_unit *slot(struct fc_unit_ring *ring, uint64_t number)
{
    return &ring->units[number % ring->size];
}

static uint64_t in_use(const struct fc_unit_ring *ring)
{
    return ring->to_fill - ring->to_write;
}

/* The reader waits until at most `count` units are in use. lock is held. */
static void wait_until_in_use(struct fc_unit_ring *ring, uint64_t count)
{
    ring->wanted = count;
    while (in_use(ring) > count) {
        (void)pthread_cond_wait(&ring->emptied, &ring->lock);
    }
}

static void clear_unit(struct fc_unit *unit)
{
    fc_batch_clear(unit->batch);
    unit->has_position = false;
    unit->position_seq = 0;
    unit->newest_us = 0;
    fc_buf_clear(&unit->position);
    fc_buf_clear(&unit->position_tx);
    unit->output_count = 0;
    unit->schema_count = 0;
    unit->records = 0;
    unit->bytes = 0;
    unit->rejected = 0;
    unit->code = FC_OK;
    free(unit->mark);
    unit->mark = NULL;
}

struct fc_unit *fc_unit_ring_begin(struct fc_unit_ring *ring)
{
    struct fc_unit *unit;
    lock(ring);
    unit = slot(ring, ring->to_fill);
    if (unit->state != FC_UNIT_FREE) {
        wait_until_in_use(ring, ring->size / 2);
    }
    unlock(ring);
    clear_unit(unit);
    return unit;
}

void fc_unit_ring_fill(struct fc_unit_ring *ring, struct fc_unit *unit)
{
    lock(ring);
    fc_assert(unit == slot(ring, ring->to_fill));
    unit->state = FC_UNIT_FILLED;
    ring->to_fill++;
    (void)pthread_cond_signal(&ring->filled);
    unlock(ring);
}

void fc_unit_ring_drain(struct fc_unit_ring *ring)
{
    lock(ring);
    wait_until_in_use(ring, 0);
    unlock(ring);
}

void fc_unit_ring_close(struct fc_unit_ring *ring)
{
    lock(ring);
    ring->closed = true;
    (void)pthread_cond_broadcast(&ring->filled);
    (void)pthread_cond_broadcast(&ring->worked);
    unlock(ring);
}

struct fc_unit *fc_unit_ring_take(struct fc_unit_ring *ring)
{
    struct fc_unit *unit = NULL;
    lock(ring);
    while (ring->to_work == ring->to_fill && !ring->closed) {
        (void)pthread_cond_wait(&ring->filled, &ring->lock);
    }
    if (ring->to_work != ring->to_fill) {
        unit = slot(ring, ring->to_work++);
    }
    unlock(ring);
    return unit;
}

void fc_unit_ring_worked(struct fc_unit_ring *ring, struct fc_unit *unit)
{
    lock(ring);
    fc_assert(unit->state == FC_UNIT_FILLED);
    unit->state = FC_UNIT_WORKED;
    ring->worked_count++;
    if (ring->worked_count >= ring->worked_wanted &&
        slot(ring, ring->to_write)->state == FC_UNIT_WORKED) {
        (void)pthread_cond_signal(&ring->worked);
    }
    unlock(ring);
}

struct fc_unit *fc_unit_ring_next(struct fc_unit_ring *ring, int wait_ms)
{
    struct fc_unit *unit;
    struct timespec until = fc_deadline_in_ms(wait_ms);
    int status = 0;
    lock(ring);
    unit = slot(ring, ring->to_write);
    while (unit->state != FC_UNIT_WORKED && status == 0 && wait_ms > 0 && !ring->poked &&
           !(ring->closed && ring->to_write == ring->to_fill)) {
        status = pthread_cond_timedwait(&ring->worked, &ring->lock, &until);
    }
    if (unit->state != FC_UNIT_WORKED) {
        ring->poked = ring->poked && wait_ms == 0;
        unit = NULL;
    }
    unlock(ring);
    return unit;
}

void fc_unit_ring_poke(struct fc_unit_ring *ring)
{
    lock(ring);
    ring->poked = true;
    (void)pthread_cond_signal(&ring->worked);
    unlock(ring);
}

void fc_unit_ring_gather(struct fc_unit_ring *ring, int wait_ms)
{
    struct timespec until = fc_deadline_in_ms(wait_ms);
    int status = 0;
    lock(ring);
    ring->worked_wanted = ring->size / 2;
    while (ring->worked_count < ring->worked_wanted && status == 0 && !ring->closed) {
        status = pthread_cond_timedwait(&ring->worked, &ring->lock, &until);
    }
    ring->worked_wanted = 0;
    unlock(ring);
}

void fc_unit_ring_written(struct fc_unit_ring *ring, struct fc_unit *unit)
{
    lock(ring);
    fc_assert(unit == slot(ring, ring->to_write));
    unit->state = FC_UNIT_FREE;
    ring->worked_count--;
    ring->to_write++;
    if (in_use(ring) <= ring->wanted) {
        (void)pthread_cond_signal(&ring->emptied);
    }
    unlock(ring);
}

bool fc_unit_ring_done(struct fc_unit_ring *ring)
{
    bool done;
    lock(ring);
    done = ring->closed && ring->to_write == ring->to_fill;
    unlock(ring);
    return done;
}

struct fc_stream_batch *fc_unit_output(struct fc_unit *unit, struct fc_topic *topic,
                                       uint32_t partition)
{
    struct fc_output *output;
    for (size_t index = unit->output_count; index > 0; index--) {
        output = &unit->outputs[index - 1];
        if (output->topic == topic && output->partition == partition) {
            return output->batch;
        }
    }
    if (unit->output_count == unit->output_capacity) {
        size_t capacity = unit->output_capacity == 0 ? 4 : unit->output_capacity * 2;
        unit->outputs = fc_realloc_array(unit->outputs, capacity, sizeof(*unit->outputs));
        memset(unit->outputs + unit->output_capacity, 0,
               (capacity - unit->output_capacity) * sizeof(*unit->outputs));
        unit->output_capacity = capacity;
    }
    output = &unit->outputs[unit->output_count++];
    output->topic = topic;
    output->partition = partition;
    if (output->batch == NULL) {
        output->batch = fc_stream_batch_new(topic, partition);
    } else {
        fc_stream_batch_reset(output->batch, topic, partition);
    }
    return output->batch;
}

void fc_unit_use_schema(struct fc_unit *unit, const struct fc_schema *schema)
{
    for (size_t index = unit->schema_count; index > 0; index--) {
        if (unit->schemas[index - 1] == schema) {
            return;
        }
    }
    if (unit->schema_count == unit->schema_capacity) {
        unit->schema_capacity = unit->schema_capacity == 0 ? 8 : unit->schema_capacity * 2;
        unit->schemas = fc_realloc_array((void *)unit->schemas, unit->schema_capacity,
                                         sizeof(const struct fc_schema *));
    }
    unit->schemas[unit->schema_count++] = schema;
}
