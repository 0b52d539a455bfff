/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash map from bytes to a pointer. Keys are copied; values are the caller's.
 *
 * Not thread-safe. Iteration order is unspecified and ends being valid with the next put or
 * remove.
 */
#ifndef FC_BASE_HASHMAP_H
#define FC_BASE_HASHMAP_H

#include <stdbool.h>

#include "core/base/slice.h"

struct fc_hashmap_entry;

struct fc_hashmap {
    struct fc_hashmap_entry **slots;
    size_t slot_count; /* a power of two, or 0 */
    size_t count;
};

void fc_hashmap_init(struct fc_hashmap *map);
/* Frees keys and table; calls on_value (may be NULL) for each value. */
void fc_hashmap_release(struct fc_hashmap *map, void (*on_value)(void *value));

/* NULL when absent. */
void *fc_hashmap_get(const struct fc_hashmap *map, struct fc_slice key);
/* Returns the value that it replaces, or NULL. */
void *fc_hashmap_put(struct fc_hashmap *map, struct fc_slice key, void *value);
/* Returns the removed value, or NULL. */
void *fc_hashmap_remove(struct fc_hashmap *map, struct fc_slice key);
/* Start with *cursor == 0; false at the end. out_key borrows until the entry goes. */
bool fc_hashmap_next(const struct fc_hashmap *map, size_t *cursor, struct fc_slice *out_key,
                     void **out_value);

/* 64-bit hash of bytes (not for untrusted storage formats; never written to disk). */
uint64_t fc_hash64(struct fc_slice bytes);

#endif
