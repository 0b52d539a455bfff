/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a fold: all its key maps together, under one limit.
 *
 * When they would grow past the limit, the pass goes on with half of the keys it had, by their
 * hashes, and a later pass takes the rest. So a fold of any size ends, in more passes.
 */
#ifndef FC_RESTORE_FOLD_ROOM_H
#define FC_RESTORE_FOLD_ROOM_H

#include "core/base/error.h"
#include "runner/restore/keymap.h"

struct fc_fold_room {
    size_t limit;
    size_t used;
    uint64_t low; /* this pass takes keys whose hash.high lies from low to high */
    uint64_t high;
    struct fc_keymap **maps; /* borrowed */
    uint32_t map_count;
};

void fc_fold_room_init(struct fc_fold_room *room, size_t limit);
void fc_fold_room_release(struct fc_fold_room *room);

/* Count a map, which stays where it is. It must be empty and hold no memory. */
void fc_fold_room_add(struct fc_fold_room *room, struct fc_keymap *map);

static inline bool fc_fold_room_takes(const struct fc_fold_room *room, struct fc_key_hash hash)
{
    return hash.high >= room->low && hash.high <= room->high;
}

/*
 * Make a place for one more key in a map: let it grow, or let go of half of the keys of this
 * pass, after which a hash that was taken may not be any more. FC_ERR_LIMIT when the limit is
 * too small for that to work.
 */
FC_MUST_CHECK fc_code fc_fold_room_make(struct fc_fold_room *room, struct fc_keymap *map,
                                        struct fc_error *err);

/* Empty the maps and go on to the keys that no pass has taken yet; false when there are none. */
bool fc_fold_room_next_pass(struct fc_fold_room *room);

#endif
