/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/envelope/plan_cache.h"

#include <stdlib.h>

#include "catalog/shape.h"
#include "core/base/alloc.h"

enum {
    SLOTS_FIRST = 64,
    PLANS_MAX = 4096 /* a transform may make shapes without end */
};

struct fc_plan_slot {
    const struct fc_shape *shape;
    const struct fc_row_plan *plan;
    uint64_t batch; /* the slot is free in any other batch */
};

/* Plans whose shapes have the same hash. */
struct fc_plan_entry {
    struct fc_plan_entry *next;
    struct fc_row_plan *plan;
};

void fc_plan_cache_init(struct fc_plan_cache *cache, fc_envelope_mode mode)
{
    memset(cache, 0, sizeof(*cache));
    cache->mode = mode;
    cache->slot_count = SLOTS_FIRST;
    cache->slots = fc_new_array(struct fc_plan_slot, cache->slot_count);
    fc_hashmap_init(&cache->plans);
    fc_plan_cache_begin_batch(cache);
}

static void free_entries(void *value)
{
    struct fc_plan_entry *entry = value;
    while (entry != NULL) {
        struct fc_plan_entry *next = entry->next;
        fc_row_plan_free(entry->plan);
        free(entry);
        entry = next;
    }
}

void fc_plan_cache_release(struct fc_plan_cache *cache)
{
    fc_hashmap_release(&cache->plans, free_entries);
    free(cache->slots);
    memset(cache, 0, sizeof(*cache));
}

void fc_plan_cache_begin_batch(struct fc_plan_cache *cache)
{
    cache->batch++;
    cache->used_count = 0;
    cache->last_shape = NULL;
    cache->last_plan = NULL;
    if (cache->plans.count > PLANS_MAX) {
        fc_hashmap_release(&cache->plans, free_entries);
    }
}

static struct fc_plan_slot *find_slot(struct fc_plan_slot *slots, size_t count, uint64_t batch,
                                      const struct fc_shape *shape)
{
    uint64_t hash = (uint64_t)(uintptr_t)shape * 0x9e3779b97f4a7c15ULL;
    size_t slot = (size_t)(hash >> 32) & (count - 1);
    while (slots[slot].batch == batch && slots[slot].shape != shape) {
        slot = (slot + 1) & (count - 1);
    }
    return &slots[slot];
}

static void grow(struct fc_plan_cache *cache)
{
    size_t count = cache->slot_count * 2;
    struct fc_plan_slot *slots = fc_new_array(struct fc_plan_slot, count);
    for (size_t index = 0; index < cache->slot_count; index++) {
        const struct fc_plan_slot *old = &cache->slots[index];
        if (old->batch == cache->batch) {
            *find_slot(slots, count, cache->batch, old->shape) = *old;
        }
    }
    free(cache->slots);
    cache->slots = slots;
    cache->slot_count = count;
}

static const struct fc_row_plan *find_by_content(struct fc_plan_cache *cache,
                                                 const struct fc_shape *shape)
{
    uint64_t hash = fc_shape_hash(shape);
    struct fc_slice key = fc_slice_of(&hash, sizeof(hash));
    struct fc_plan_entry *first = fc_hashmap_get(&cache->plans, key);
    struct fc_plan_entry *entry = first;
    while (entry != NULL && !fc_shape_equal(entry->plan->shape, shape)) {
        entry = entry->next;
    }
    if (entry == NULL) {
        entry = fc_new(struct fc_plan_entry);
        entry->plan = fc_row_plan_new(shape, cache->mode);
        entry->next = first;
        (void)fc_hashmap_put(&cache->plans, key, entry); /* replaces first, now its next */
    }
    return entry->plan;
}

const struct fc_row_plan *fc_plan_cache_find(struct fc_plan_cache *cache,
                                             const struct fc_shape *shape)
{
    struct fc_plan_slot *slot = find_slot(cache->slots, cache->slot_count, cache->batch, shape);
    if (slot->batch != cache->batch) {
        if ((cache->used_count + 1) * 2 > cache->slot_count) {
            grow(cache);
            slot = find_slot(cache->slots, cache->slot_count, cache->batch, shape);
        }
        slot->shape = shape;
        slot->plan = find_by_content(cache, shape);
        slot->batch = cache->batch;
        cache->used_count++;
    }
    cache->last_shape = shape;
    cache->last_plan = slot->plan;
    return slot->plan;
}
