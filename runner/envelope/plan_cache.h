/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a shape pointer to its row plan.
 *
 * Within a batch a pointer is looked up as such. Across batches an address may be used for
 * another shape, so the first look-up of a batch compares the contents.
 */
#ifndef FC_RUNNER_PLAN_CACHE_H
#define FC_RUNNER_PLAN_CACHE_H

#include "core/base/hashmap.h"
#include "runner/envelope/row_plan.h"

struct fc_plan_slot;

struct fc_plan_cache {
    fc_envelope_mode mode;
    const struct fc_shape *last_shape; /* the latest hit of this batch */
    const struct fc_row_plan *last_plan;
    struct fc_plan_slot *slots; /* open addressing by pointer; a power of two */
    size_t slot_count;
    size_t used_count; /* slots of this batch */
    uint64_t batch;
    struct fc_hashmap plans; /* hash of the content -> list of struct fc_plan_entry, owned */
};

void fc_plan_cache_init(struct fc_plan_cache *cache, fc_envelope_mode mode);
void fc_plan_cache_release(struct fc_plan_cache *cache);

/* Pointers from before mean nothing any more; plans from before may be gone. */
void fc_plan_cache_begin_batch(struct fc_plan_cache *cache);

const struct fc_row_plan *fc_plan_cache_find(struct fc_plan_cache *cache,
                                             const struct fc_shape *shape);

static inline const struct fc_row_plan *fc_plan_cache_get(struct fc_plan_cache *cache,
                                                          const struct fc_shape *shape)
{
    return cache->last_shape == shape ? cache->last_plan : fc_plan_cache_find(cache, shape);
}

#endif
