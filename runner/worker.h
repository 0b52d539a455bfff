/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker: turns a unit's changes into sealed record batches (transform, encode, partition, compress).
 *
 * It depends on nothing but the unit and what it was made with, so any worker may take any unit.
 * Thread: one worker, one thread.
 */
#ifndef FC_RUNNER_WORKER_H
#define FC_RUNNER_WORKER_H

#include "core/base/diag.h"
#include "runner/records.h"

struct fc_worker_config {
    struct fc_records_config records;
    struct fc_diag *diag;
};

struct fc_worker;
struct fc_worker *fc_worker_new(const struct fc_worker_config *config);
void fc_worker_free(struct fc_worker *worker); /* NULL is fine */

/*
 * Use another engine from now on (taken over; NULL: no transforms).
 * Forgets the shapes that the old engine made.
 */
void fc_worker_set_engine(struct fc_worker *worker, struct fc_transform_engine *engine);

/*
 * Work on a unit: fills outputs, schemas, counters and code (see unit.h). engine_name: the source's
 * engine ("mysql"), for the envelope.
 */
void fc_worker_run(struct fc_worker *worker, struct fc_unit *unit, const char *engine_name);

#endif
