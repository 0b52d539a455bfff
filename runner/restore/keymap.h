/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map from 128-bit hashes to numbers, 24 bytes a slot: what a fold remembers of each key.
 *
 * Open addressing with linear probing in a power of two of slots, at most 4/5 full; removing
 * moves what follows back, so memory follows the live keys and not the history. Two keys with
 * one hash are taken for one: with XXH3's 128 bits and a thousand million keys the chance is
 * one in 10^20.
 *
 * Invariant: count < capacity, so that probing ends.
 */
#ifndef FC_RESTORE_KEYMAP_H
#define FC_RESTORE_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/slice.h"

struct fc_key_hash {
    uint64_t low;  /* chooses the slot */
    uint64_t high; /* chooses the pass when the keys do not fit in memory */
};

struct fc_keymap_slot {
    uint64_t low;
    uint64_t high;
    uint64_t value; /* plus 1; 0: free */
};

struct fc_keymap {
    struct fc_keymap_slot *slots;
    size_t capacity; /* 0 or a power of two */
    size_t count;
};

/* The hash of a record key or of a row image. */
struct fc_key_hash fc_key_hash(struct fc_slice bytes);
/* The hash of a number, for maps from numbers. */
struct fc_key_hash fc_key_hash_u64(uint64_t value);

void fc_keymap_init(struct fc_keymap *map);
void fc_keymap_release(struct fc_keymap *map);
/* Remove all, keeping the memory. */
void fc_keymap_clear(struct fc_keymap *map);

static inline size_t fc_keymap_bytes(const struct fc_keymap *map)
{
    return map->capacity * sizeof(struct fc_keymap_slot);
}

/* Whether the next new key needs grow first. */
static inline bool fc_keymap_is_full(const struct fc_keymap *map)
{
    return (map->count + 1) * 5 > map->capacity * 4;
}

/* Slots to grow to: many more if they take at most bytes_max, else some more. */
size_t fc_keymap_grown_capacity(const struct fc_keymap *map, size_t bytes_max);
/* For a moment old and new memory are held. */
void fc_keymap_grow_to(struct fc_keymap *map, size_t capacity);
/* By some. */
void fc_keymap_grow(struct fc_keymap *map);

/* Have the slot's memory on its way to the processor. */
static inline void fc_keymap_prefetch(const struct fc_keymap *map, struct fc_key_hash hash)
{
    if (map->capacity > 0) {
        __builtin_prefetch(&map->slots[hash.low & (map->capacity - 1)], 1);
    }
}

/* Whether it is there, and its value. */
bool fc_keymap_get(const struct fc_keymap *map, struct fc_key_hash hash, uint64_t *out_value);

/*
 * Set a key's value; value < UINT64_MAX. The map must not be full. True when the key was there:
 * out_old is its old value.
 */
bool fc_keymap_put(struct fc_keymap *map, struct fc_key_hash hash, uint64_t value,
                   uint64_t *out_old);

/* True when the key was there: out_old is its value. */
bool fc_keymap_remove(struct fc_keymap *map, struct fc_key_hash hash, uint64_t *out_old);

/* Remove all keys whose hash.high is above `high`. */
void fc_keymap_keep_up_to(struct fc_keymap *map, uint64_t high);

/* Start with *cursor == 0; false at the end. No put or remove in between. */
bool fc_keymap_next(const struct fc_keymap *map, size_t *cursor, struct fc_key_hash *out_hash,
                    uint64_t *out_value);

#endif
