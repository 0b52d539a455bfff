/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which record of a key is its last: a table from the hash of a key to an offset, 24 bytes an
 * entry, of a bounded size.
 *
 * Keys are not kept, so two keys with the same hash would be one, and the older record lost.
 * The hash therefore has 128 bits, and a seed that is drawn anew for each table: of four
 * thousand million keys two meet with a probability of 2^-65, by accident; and who writes keys
 * cannot prepare any that meet. (Who may write to a topic may overwrite any key of it anyway.)
 *
 * Thread: one at a time.
 */
#ifndef FC_LOG_COMPACT_MAP_H
#define FC_LOG_COMPACT_MAP_H

#include <stdbool.h>

#include "core/base/slice.h"

struct fc_compact_map_entry;

struct fc_compact_map {
    uint64_t seed;
    size_t bytes_max;
    struct fc_compact_map_entry *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

void fc_compact_map_init(struct fc_compact_map *map, size_t bytes_max);
void fc_compact_map_release(struct fc_compact_map *map);

/* Forget all keys. */
void fc_compact_map_clear(struct fc_compact_map *map);

/* The key's last record so far is at offset; offsets rise. The table may grow beyond bytes_max,
 * which fc_compact_map_is_full tells. */
void fc_compact_map_put(struct fc_compact_map *map, struct fc_slice key, int64_t offset);

/* Another key would make the table larger than bytes_max. */
bool fc_compact_map_is_full(const struct fc_compact_map *map);

/* -1: the key is not known. */
int64_t fc_compact_map_get(const struct fc_compact_map *map, struct fc_slice key);

#endif
