/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/offset_map.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum { FIRST_CAPACITY = 16 };

void fc_offset_map_release(struct fc_offset_map *map)
{
    free(map->points);
    memset(map, 0, sizeof(*map));
}

static void thin_out(struct fc_offset_map *map)
{
    size_t half = map->count / 2;
    size_t kept = 0;
    for (size_t index = 0; index < map->count; index++) {
        if (index >= half || index % 2 == 0) {
            map->points[kept++] = map->points[index];
        }
    }
    map->count = kept;
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

bool fc_offset_map_find(const struct fc_offset_map *map, int64_t from, int64_t *out_to)
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
    if (low == 0) {
        return false;
    }
    *out_to = map->points[low - 1].to;
    return true;
}
