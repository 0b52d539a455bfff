/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/offset_map.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum {
    FIRST_CAPACITY = 16,
    PART_FINEST = 1024,
    PART_COARSEST = 64,
    KEPT_MAX = FC_OFFSET_MAP_POINTS_MAX / 4 * 3
};

void fc_offset_map_release(struct fc_offset_map *map)
{
    free(map->points);
    memset(map, 0, sizeof(*map));
}

/* Keep points that are at least a part of their age away from the last one kept. */
static size_t thin_out_to(struct fc_offset_map *map, int64_t part)
{
    int64_t newest = map->points[map->count - 1].from;
    size_t kept = 1; /* the oldest stays: before it nothing is known */
    for (size_t index = 1; index < map->count; index++) {
        int64_t age = newest - map->points[index].from;
        if (map->points[index].from - map->points[kept - 1].from > age / part) {
            map->points[kept++] = map->points[index];
        }
    }
    return kept;
}

/* At 64 offsets of 63 bits fit: 64 points younger than that, 64 * ln(2^63 / 64) older ones. */
static void thin_out(struct fc_offset_map *map)
{
    for (int64_t part = PART_FINEST; map->count > KEPT_MAX && part >= PART_COARSEST;
         part /= 2) {
        map->count = thin_out_to(map, part);
    }
    fc_assert(map->count <= KEPT_MAX);
}

void fc_offset_map_add(struct fc_offset_map *map, int64_t from, int64_t to)
{
    if (map->count > 0) {
        const struct fc_offset_point *last = &map->points[map->count - 1];
        if (from <= last->from || to < last->to) {
            return;
        }
    }
    if (map->count == FC_OFFSET_MAP_POINTS_MAX) {
        thin_out(map);
    }
    if (map->count == map->capacity) {
        map->capacity = map->capacity == 0 ? FIRST_CAPACITY : map->capacity * 2;
        map->points = fc_realloc_array(map->points, map->capacity, sizeof(*map->points));
    }
    map->points[map->count++] = (struct fc_offset_point){ from, to };
}

const struct fc_offset_point *fc_offset_map_point(const struct fc_offset_map *map, int64_t from)
{
    size_t low = 0;
    size_t high = map->count;
    while (low < high) { /* the first point beyond `from` */
        size_t middle = low + (high - low) / 2;
        if (map->points[middle].from <= from) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? NULL : &map->points[low - 1];
}

bool fc_offset_map_find(const struct fc_offset_map *map, int64_t from, int64_t *out_to)
{
    const struct fc_offset_point *point = fc_offset_map_point(map, from);
    if (point != NULL) {
        *out_to = point->to;
    }
    return point != NULL;
}
