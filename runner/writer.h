/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer: appends worked units in order, makes them durable, checkpoints.
 *
 * Order of what becomes durable, which recovery relies on:
 *   a schema before the first record that uses it; a topic's name in a checkpoint before the topic's
 *   first record; a transaction's records before a checkpoint that calls it complete.
 *
 * After a failure nothing more is appended: units are taken and dropped, so that the reader and the
 * workers do not block, until the ring is closed.
 *
 * Threads: run on its own; the other functions on any.
 */
#ifndef FC_RUNNER_WRITER_H
#define FC_RUNNER_WRITER_H

#include "core/base/clock.h"
#include "core/base/diag.h"
#include "runner/checkpoint.h"
#include "runner/room.h"
#include "runner/schema_store.h"
#include "runner/unit.h"

struct fc_writer_config {
    const char *connector;
    struct fc_stream *stream;
    struct fc_schema_store *schemas;
    struct fc_unit_ring *ring;
    struct fc_room *room;
    const struct fc_clock *clock;
    struct fc_diag *diag;
    /* Called once when the writer fails, or a unit ends with an error. */
    void (*on_failed)(void *ctx, const struct fc_error *error);
    void (*on_marked)(void *ctx); /* a restore marker is durable */
    void *ctx;
};

struct fc_writer_status {
    uint64_t records; /* durable */
    uint64_t bytes;
    uint64_t rejected;
    int64_t newest_us; /* commit time of the newest durable change */
    int64_t lag_us;    /* of it when it became durable */
};

struct fc_writer;

/* Takes over what checkpoint holds. */
struct fc_writer *fc_writer_new(const struct fc_writer_config *config,
                                struct fc_checkpoint *checkpoint);
void fc_writer_free(struct fc_writer *writer); /* NULL is fine */

/* Write until the ring is closed and empty. */
void fc_writer_run(struct fc_writer *writer);

/*
 * Wait until all that the ring was given is durable and checkpointed, and copy that checkpoint.
 * FC_ERR_CLOSED when the writer has failed. The reader calls it with the ring drained.
 */
FC_MUST_CHECK fc_code fc_writer_settle(struct fc_writer *writer,
                                       struct fc_checkpoint *out_checkpoint,
                                       struct fc_error *err);

/* The position up to which the log is durable, if it moved since the last call; into `out`, which is cleared. */
bool fc_writer_take_durable(struct fc_writer *writer, struct fc_buf *out);

void fc_writer_status(struct fc_writer *writer, struct fc_writer_status *out_status);

#endif
