/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which offset in a copy of a partition stands for one in the original: a sparse list of points.
 *
 * A point (from, to) says: all that is before `from` in the original is before `to` in the copy,
 * and nothing else of the original is. So a consumer that has read up to an offset in the
 * original may go on in the copy at the newest point that is not beyond it: it misses nothing,
 * and sees again at most what stands between two points.
 */
#ifndef FC_BASE_OFFSET_MAP_H
#define FC_BASE_OFFSET_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FC_OFFSET_MAP_POINTS_MAX = 4096 };

struct fc_offset_point {
    int64_t from;
    int64_t to;
};

/* A zeroed struct is an empty map. Owned by one thread. */
struct fc_offset_map {
    struct fc_offset_point *points; /* both members grow */
    size_t count;
    size_t capacity;
};

void fc_offset_map_release(struct fc_offset_map *map);

/* Points that do not go beyond the newest are passed over. When there are too many, those go that
 * are close together for their age: so what stands between two points, which a consumer may see
 * again, is a small part of what it is behind by. */
void fc_offset_map_add(struct fc_offset_map *map, int64_t from, int64_t to);

/* The newest point that is not beyond `from`; NULL when every one is. The one after it in the
 * map, if any, is beyond. Borrowed until the next call of add or release. */
const struct fc_offset_point *fc_offset_map_point(const struct fc_offset_map *map,
                                                  int64_t from);

/* The same; false when every point is beyond `from`. */
bool fc_offset_map_find(const struct fc_offset_map *map, int64_t from, int64_t *out_to);

#endif
