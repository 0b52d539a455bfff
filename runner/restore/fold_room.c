/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/fold_room.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

void fc_fold_room_init(struct fc_fold_room *room, size_t limit)
{
    memset(room, 0, sizeof(*room));
    room->limit = limit;
    room->high = UINT64_MAX;
}

void fc_fold_room_release(struct fc_fold_room *room)
{
    free(room->maps);
    memset(room, 0, sizeof(*room));
}

void fc_fold_room_add(struct fc_fold_room *room, struct fc_keymap *map)
{
    fc_assert(map->capacity == 0);
    room->maps = fc_realloc_array(room->maps, room->map_count + 1, sizeof(struct fc_keymap *));
    room->maps[room->map_count++] = map;
}

static void let_half_go(struct fc_fold_room *room)
{
    room->high = room->low + (room->high - room->low) / 2;
    for (uint32_t index = 0; index < room->map_count; index++) {
        fc_keymap_keep_up_to(room->maps[index], room->high);
    }
}

fc_code fc_fold_room_make(struct fc_fold_room *room, struct fc_keymap *map,
                          struct fc_error *err)
{
    while (fc_keymap_is_full(map)) {
        size_t left = room->used < room->limit ? room->limit - room->used : 0;
        size_t capacity = fc_keymap_grown_capacity(map, left);
        size_t grown = capacity * sizeof(struct fc_keymap_slot);
        if (grown <= left) {
            room->used += grown - fc_keymap_bytes(map);
            fc_keymap_grow_to(map, capacity);
        } else if (map->count == 0 || room->high - room->low < UINT32_MAX) {
            return fc_fail(err, FC_ERR_LIMIT,
                           "%zu bytes of memory are too few to fold this log; give more with "
                           "--memory",
                           room->limit);
        } else {
            let_half_go(room);
        }
    }
    return FC_OK;
}

bool fc_fold_room_next_pass(struct fc_fold_room *room)
{
    uint64_t width = room->high - room->low;
    for (uint32_t index = 0; index < room->map_count; index++) {
        fc_keymap_clear(room->maps[index]);
    }
    if (room->high == UINT64_MAX) {
        return false;
    }
    room->low = room->high + 1;
    room->high = width > UINT64_MAX - room->low ? UINT64_MAX : room->low + width;
    return true;
}
