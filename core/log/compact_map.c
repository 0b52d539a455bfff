/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/compact_map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <xxhash.h>

#include "core/base/alloc.h"

struct fc_compact_map_entry {
    uint64_t low;
    uint64_t high;
    int64_t place; /* offset + 1; 0: free */
};

enum { CAPACITY_MIN = 16, LOAD_QUARTERS = 3 };

static void draw_seed(struct fc_compact_map *map)
{
    /* Where the system has no random bytes, the address will do: it is nobody's choice. */
    if (getrandom(&map->seed, sizeof(map->seed), 0) != (ssize_t)sizeof(map->seed)) {
        map->seed = (uint64_t)(uintptr_t)map;
    }
}

void fc_compact_map_init(struct fc_compact_map *map, size_t bytes_max)
{
    memset(map, 0, sizeof(*map));
    map->bytes_max = bytes_max;
    draw_seed(map);
}

void fc_compact_map_release(struct fc_compact_map *map)
{
    free(map->entries);
    map->entries = NULL;
    map->capacity = 0;
    map->count = 0;
}

void fc_compact_map_clear(struct fc_compact_map *map)
{
    if (map->capacity > map->bytes_max / sizeof(*map->entries)) {
        fc_compact_map_release(map);
    } else if (map->capacity > 0) {
        memset(map->entries, 0, map->capacity * sizeof(*map->entries));
    }
    map->count = 0;
    draw_seed(map);
}

/* Where the hash is, or would be; there is a free entry. */
static size_t place_of(const struct fc_compact_map *map, uint64_t low, uint64_t high)
{
    size_t at = (size_t)low & (map->capacity - 1);
    while (map->entries[at].place != 0 &&
           (map->entries[at].low != low || map->entries[at].high != high)) {
        at = (at + 1) & (map->capacity - 1);
    }
    return at;
}

static bool must_grow(const struct fc_compact_map *map)
{
    return map->count + 1 > map->capacity / 4 * LOAD_QUARTERS;
}

static void grow(struct fc_compact_map *map)
{
    struct fc_compact_map old = *map;
    map->capacity = old.capacity == 0 ? CAPACITY_MIN : old.capacity * 2;
    map->entries = fc_new_array(struct fc_compact_map_entry, map->capacity);
    for (size_t index = 0; index < old.capacity; index++) {
        const struct fc_compact_map_entry *entry = &old.entries[index];
        if (entry->place != 0) {
            map->entries[place_of(map, entry->low, entry->high)] = *entry;
        }
    }
    free(old.entries);
}

void fc_compact_map_put(struct fc_compact_map *map, struct fc_slice key, int64_t offset)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(key.data, key.len, map->seed);
    struct fc_compact_map_entry *entry;
    if (must_grow(map)) {
        grow(map);
    }
    entry = &map->entries[place_of(map, hash.low64, hash.high64)];
    if (entry->place == 0) {
        entry->low = hash.low64;
        entry->high = hash.high64;
        map->count++;
    }
    entry->place = offset + 1;
}

bool fc_compact_map_is_full(const struct fc_compact_map *map)
{
    size_t most = map->bytes_max / sizeof(*map->entries);
    return map->capacity > most || (must_grow(map) && map->capacity * 2 > most);
}

int64_t fc_compact_map_get(const struct fc_compact_map *map, struct fc_slice key)
{
    XXH128_hash_t hash;
    if (map->count == 0) {
        return -1;
    }
    hash = XXH3_128bits_withSeed(key.data, key.len, map->seed);
    return map->entries[place_of(map, hash.low64, hash.high64)].place - 1;
}
