/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one function for each of a number of items on a few threads that are started at first
 * use and kept. */
#ifndef FC_LOG_PARALLEL_H
#define FC_LOG_PARALLEL_H

#include <stddef.h>

struct fc_parallel;

/* threads_max counts the caller of run. */
struct fc_parallel *fc_parallel_new(size_t threads_max);
void fc_parallel_free(struct fc_parallel *parallel); /* NULL is fine; no run is going on */

/* Call fn(ctx, index) for each index below count; returns when all are done. One run at a time.
 */
void fc_parallel_run(struct fc_parallel *parallel, size_t count,
                     void (*fn)(void *ctx, size_t index), void *ctx);

/* The same on threads of its own, for this once; a few items are done by the caller alone, in
 * their order. */
void fc_parallel_once(size_t count, void (*fn)(void *ctx, size_t index), void *ctx);

#endif
