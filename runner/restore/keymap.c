/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/keymap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xxhash.h>

#include "core/base/alloc.h"

enum {
    KEYMAP_FIRST_SLOTS = 64,
    KEYMAP_GROWTH = 4,       /* rather than 2: less is moved and cleared on the way up */
    KEYMAP_SMALL_GROWTH = 2, /* where more would not fit */
};

/* From this size on memory is taken by the page: it comes cleared, and large pages help, for
 * nearly each look-up misses the processor's caches. */
static const size_t mapped_bytes_min = (size_t)4 * 1024 * 1024;

struct fc_key_hash fc_key_hash(struct fc_slice bytes)
{
    XXH128_hash_t hash = XXH3_128bits(bytes.data == NULL ? (const void *)"" : bytes.data,
                                      bytes.data == NULL ? 0 : bytes.len);
    struct fc_key_hash result = { hash.low64, hash.high64 };
    return result;
}

struct fc_key_hash fc_key_hash_u64(uint64_t value)
{
    return fc_key_hash(fc_slice_of(&value, sizeof(value)));
}

static struct fc_keymap_slot *slots_new(size_t capacity)
{
    size_t bytes = capacity * sizeof(struct fc_keymap_slot);
    void *slots;
    if (bytes < mapped_bytes_min) {
        return fc_new_array(struct fc_keymap_slot, capacity);
    }
    slots = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fc_assert(slots != MAP_FAILED);
    (void)madvise(slots, bytes, MADV_HUGEPAGE); /* only makes it faster */
    return slots;
}

static void slots_free(struct fc_keymap_slot *slots, size_t capacity)
{
    size_t bytes = capacity * sizeof(struct fc_keymap_slot);
    if (bytes < mapped_bytes_min) {
        free(slots);
    } else {
        (void)munmap(slots, bytes); /* fails only for what was never mapped */
    }
}

void fc_keymap_init(struct fc_keymap *map)
{
    memset(map, 0, sizeof(*map));
}

void fc_keymap_release(struct fc_keymap *map)
{
    slots_free(map->slots, map->capacity);
    fc_keymap_init(map);
}

void fc_keymap_clear(struct fc_keymap *map)
{
    if (map->count > 0) {
        memset(map->slots, 0, fc_keymap_bytes(map));
        map->count = 0;
    }
}

/* The slot of the hash, or the free one where it would go. capacity > 0. */
static inline struct fc_keymap_slot *find(const struct fc_keymap *map, struct fc_key_hash hash)
{
    size_t mask = map->capacity - 1;
    size_t index = hash.low & mask;
    for (;;) {
        struct fc_keymap_slot *slot = &map->slots[index];
        if (slot->value == 0 || (slot->low == hash.low && slot->high == hash.high)) {
            return slot;
        }
        index = (index + 1) & mask;
    }
}

size_t fc_keymap_grown_capacity(const struct fc_keymap *map, size_t bytes_max)
{
    size_t capacity = map->capacity == 0 ? KEYMAP_FIRST_SLOTS : map->capacity * KEYMAP_GROWTH;
    if (map->capacity > 0 && capacity * sizeof(struct fc_keymap_slot) > bytes_max) {
        capacity = map->capacity * KEYMAP_SMALL_GROWTH;
    }
    return capacity;
}

void fc_keymap_grow_to(struct fc_keymap *map, size_t capacity)
{
    struct fc_keymap grown;
    fc_assert(capacity > map->capacity);
    grown.capacity = capacity;
    grown.slots = slots_new(grown.capacity);
    grown.count = map->count;
    for (size_t index = 0; index < map->capacity; index++) {
        const struct fc_keymap_slot *slot = &map->slots[index];
        if (slot->value != 0) {
            struct fc_key_hash hash = { slot->low, slot->high };
            *find(&grown, hash) = *slot;
        }
    }
    slots_free(map->slots, map->capacity);
    *map = grown;
}

void fc_keymap_grow(struct fc_keymap *map)
{
    fc_keymap_grow_to(map, fc_keymap_grown_capacity(map, 0));
}

bool fc_keymap_get(const struct fc_keymap *map, struct fc_key_hash hash, uint64_t *out_value)
{
    const struct fc_keymap_slot *slot = map->count == 0 ? NULL : find(map, hash);
    if (slot == NULL || slot->value == 0) {
        return false;
    }
    *out_value = slot->value - 1;
    return true;
}

bool fc_keymap_put(struct fc_keymap *map, struct fc_key_hash hash, uint64_t value,
                   uint64_t *out_old)
{
    struct fc_keymap_slot *slot;
    fc_assert(!fc_keymap_is_full(map));
    slot = find(map, hash);
    if (slot->value != 0) {
        *out_old = slot->value - 1;
        slot->value = value + 1;
        return true;
    }
    slot->low = hash.low;
    slot->high = hash.high;
    slot->value = value + 1;
    map->count++;
    return false;
}

/* Free a slot and move back what probing would not find any more. */
static void free_slot(struct fc_keymap *map, size_t hole)
{
    size_t mask = map->capacity - 1;
    for (size_t index = (hole + 1) & mask; map->slots[index].value != 0;
         index = (index + 1) & mask) {
        size_t home = map->slots[index].low & mask;
        /* It may move into the hole unless its home lies behind the hole. */
        if (((index - home) & mask) >= ((index - hole) & mask)) {
            map->slots[hole] = map->slots[index];
            hole = index;
        }
    }
    map->slots[hole].value = 0;
    map->count--;
}

bool fc_keymap_remove(struct fc_keymap *map, struct fc_key_hash hash, uint64_t *out_old)
{
    struct fc_keymap_slot *slot = map->count == 0 ? NULL : find(map, hash);
    if (slot == NULL || slot->value == 0) {
        return false;
    }
    *out_old = slot->value - 1;
    free_slot(map, (size_t)(slot - map->slots));
    return true;
}

void fc_keymap_keep_up_to(struct fc_keymap *map, uint64_t high)
{
    size_t mask = map->capacity - 1;
    size_t first = 0;
    if (map->count == 0) {
        return;
    }
    while (map->slots[first].value != 0) {
        first++; /* there is a free slot: count < capacity */
    }
    /* From behind a free slot round to it, moving back never passes the start. */
    for (size_t step = 1; step < map->capacity; step++) {
        size_t index = (first + step) & mask;
        while (map->slots[index].value != 0 && map->slots[index].high > high) {
            free_slot(map, index);
        }
    }
}

bool fc_keymap_next(const struct fc_keymap *map, size_t *cursor, struct fc_key_hash *out_hash,
                    uint64_t *out_value)
{
    while (*cursor < map->capacity) {
        const struct fc_keymap_slot *slot = &map->slots[(*cursor)++];
        if (slot->value != 0) {
            out_hash->low = slot->low;
            out_hash->high = slot->high;
            *out_value = slot->value - 1;
            return true;
        }
    }
    return false;
}
