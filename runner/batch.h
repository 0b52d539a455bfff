/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches that sources fill: struct fc_batch on an arena with a hard limit.
 *
 * Changes and what they point to stay where they are until clear. A batch belongs to one thread
 * at a time: the reader fills it, hands it on, a worker may put more into its arena.
 */
#ifndef FC_RUNNER_BATCH_H
#define FC_RUNNER_BATCH_H

#include "core/base/arena.h"
#include "fc/connector.h"

struct fc_batch_limits {
    uint32_t count_max;    /* changes; a source stops there, hard at four times as many */
    size_t bytes_max;      /* a source stops there */
    size_t bytes_hard_max; /* batch_add and batch_alloc give NULL past this; one row must fit */
};

struct fc_batch *fc_batch_new(const struct fc_batch_limits *limits);
void fc_batch_free(struct fc_batch *batch); /* NULL is fine */

/* Empty it, keeping the first block of memory and the limits. */
void fc_batch_clear(struct fc_batch *batch);

/* The memory behind batch_alloc: for what belongs to the batch's changes and lives as long. */
struct fc_arena *fc_batch_arena(struct fc_batch *batch);

/* Whether an add or alloc met the hard limit since clear. */
bool fc_batch_overflowed(const struct fc_batch *batch);

/* The functions behind struct fc_host. */
struct fc_change *fc_batch_add(struct fc_batch *batch);
void *fc_batch_alloc(struct fc_batch *batch, size_t size);
void fc_batch_set_position(struct fc_batch *batch, struct fc_slice position);

#endif
