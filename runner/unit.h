/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Units of work and the ring that passes them: reader -> workers -> writer, the source's order kept.
 *
 * A unit is a batch of changes on its way to becoming record batches. Unit number n lives in slot n %
 * size; it is filled by the reader, worked on by any worker and written in the order of the numbers.
 *
 * Between take and give the unit belongs to the thread that took it; the ring's lock guards the rest.
 */
#ifndef FC_RUNNER_UNIT_H
#define FC_RUNNER_UNIT_H

#include <pthread.h>

#include "catalog/schema.h"
#include "core/base/buf.h"
#include "core/stream/stream.h"
#include "runner/batch.h"

/* Records on their way to one partition. */
struct fc_output {
    struct fc_topic *topic;
    uint32_t partition;
    struct fc_stream_batch *batch;
};

typedef enum fc_unit_state { FC_UNIT_FREE, FC_UNIT_FILLED, FC_UNIT_WORKED } fc_unit_state;

struct fc_unit {
    fc_unit_state state; /* guarded by the ring's lock */

    /* Filled by the reader. */
    struct fc_batch *batch;
    uint64_t *seqs; /* one for each change: its transaction's number */
    size_t seq_capacity;
    bool has_position;
    struct fc_buf position; /* after the unit's last complete transaction */
    uint64_t position_seq;  /* that transaction's number */
    struct fc_buf position_tx;
    int64_t newest_us;   /* commit time of its newest change, 0 none */
    uint64_t generation; /* of the source: shape pointers of another one mean nothing */
    char *mark;          /* a restore marker to write instead of changes, or NULL */
    uint64_t mark_seq;

    /* Filled by a worker. */
    struct fc_output *outputs;
    size_t output_count; /* in use; the batches of those beyond are kept for reuse */
    size_t output_capacity;
    const struct fc_schema **schemas; /* that its records use, each once */
    size_t schema_count;
    size_t schema_capacity;
    uint64_t records;
    uint64_t bytes;
    uint64_t rejected;
    fc_code
        code; /* not FC_OK: the outputs end before the change that failed, and so must all */
    struct fc_error error;
};

struct fc_unit_ring {
    struct fc_unit *units;
    size_t size;
    pthread_mutex_t lock;
    pthread_cond_t emptied; /* the reader waits; so do workers and the writer for the others */
    pthread_cond_t filled;
    pthread_cond_t worked;
    /* Guarded by lock. */
    uint64_t wanted; /* while the reader waits: until no more units than these are in use */
    uint64_t worked_count;
    uint64_t worked_wanted; /* the writer is woken for no fewer */
    uint64_t to_fill; /* numbers of the next unit for each stage; written <= worked <= filled */
    uint64_t to_work;
    uint64_t to_write;
    bool poked;  /* the writer need not wait for a unit */
    bool closed; /* no unit will be filled any more */
};

void fc_unit_ring_init(struct fc_unit_ring *ring, size_t size,
                       const struct fc_batch_limits *limits);
void fc_unit_ring_release(struct fc_unit_ring *ring);

/* The next free unit, emptied; waits for one. Reader. */
struct fc_unit *fc_unit_ring_begin(struct fc_unit_ring *ring);
/* Hand it to the workers. */
void fc_unit_ring_fill(struct fc_unit_ring *ring, struct fc_unit *unit);
/* Wait until all that was filled is written. Reader. */
void fc_unit_ring_drain(struct fc_unit_ring *ring);
/* Let workers and writer end once all is written. */
void fc_unit_ring_close(struct fc_unit_ring *ring);

/* The next unit to work on; NULL when the ring is closed and there is none. Workers. */
struct fc_unit *fc_unit_ring_take(struct fc_unit_ring *ring);
void fc_unit_ring_worked(struct fc_unit_ring *ring, struct fc_unit *unit);

/*
 * The next unit in order once it is worked; NULL when the ring is closed and all is written, or when
 * nothing came within wait_ms. Writer.
 */
struct fc_unit *fc_unit_ring_next(struct fc_unit_ring *ring, int wait_ms);
/* Let a next that would wait give NULL at once, the one that waits or the first to come. Any thread. */
void fc_unit_ring_poke(struct fc_unit_ring *ring);
/* Wait until half of all units are worked, or wait_ms has passed. Writer. */
void fc_unit_ring_gather(struct fc_unit_ring *ring, int wait_ms);
/* Free the unit that next gave last. */
void fc_unit_ring_written(struct fc_unit_ring *ring, struct fc_unit *unit);
bool fc_unit_ring_done(struct fc_unit_ring *ring); /* closed and all written */

/* The unit's batch for a partition, made or reused. */
struct fc_stream_batch *fc_unit_output(struct fc_unit *unit, struct fc_topic *topic,
                                       uint32_t partition);
/* Note that the unit's records use a schema. */
void fc_unit_use_schema(struct fc_unit *unit, const struct fc_schema *schema);

#endif
