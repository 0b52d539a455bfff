/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flushes the stream on a thread of its own, so that more is appended while the disk works.
 *
 * One flush at a time. After one that failed none is begun any more.
 *
 * Thread: all functions on the writer's; on_flushed is called on the flusher's.
 */
#ifndef FC_RUNNER_FLUSHER_H
#define FC_RUNNER_FLUSHER_H

#include "core/stream/stream.h"
#include "runner/room.h"

struct fc_flusher_config {
    struct fc_stream *stream;
    struct fc_room *room;
    /* All that had been appended before begin is durable; called before the flusher is idle. */
    void (*on_flushed)(void *ctx);
    void *ctx;
};

struct fc_flusher;
struct fc_flusher *fc_flusher_new(const struct fc_flusher_config *config);
void fc_flusher_free(struct fc_flusher *flusher); /* waits; NULL is fine */

/* No flush is under way. */
bool fc_flusher_is_idle(struct fc_flusher *flusher);

/* Begin a flush; the flusher must be idle, and none may have failed. */
void fc_flusher_begin(struct fc_flusher *flusher);

/* Wait until it is idle. Errors: those of the flush that failed. */
FC_MUST_CHECK fc_code fc_flusher_wait(struct fc_flusher *flusher, struct fc_error *err);

#endif
