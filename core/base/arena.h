/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena: memory that is handed out piece by piece and given back all at once.
 *
 * It lives as long as one batch. Pieces are 8-byte aligned and never move. Past the limit,
 * alloc gives NULL and `failed` stays set until clear. clear keeps the first block, so a reused
 * arena does not go back to malloc.
 */
#ifndef FC_BASE_ARENA_H
#define FC_BASE_ARENA_H

#include <stdbool.h>

#include "core/base/error.h"
#include "core/base/slice.h"

struct fc_arena_block;

struct fc_arena {
    struct fc_arena_block *first;
    struct fc_arena_block *current;
    size_t used;  /* bytes handed out since clear */
    size_t limit; /* of `used` */
    bool failed;
};

void fc_arena_init(struct fc_arena *arena, size_t limit);
void fc_arena_release(struct fc_arena *arena);
void fc_arena_clear(struct fc_arena *arena);

/* Not zeroed. NULL past the limit. */
void *fc_arena_alloc(struct fc_arena *arena, size_t size);

/* Give back the unused end of the latest allocation, which was `size` bytes and needs only
 * `kept`. */
void fc_arena_shrink_last(struct fc_arena *arena, size_t size, size_t kept);

/* A copy of the bytes, or the null slice past the limit (or for the null slice). */
struct fc_slice fc_arena_copy(struct fc_arena *arena, struct fc_slice bytes);

FC_MUST_CHECK fc_code fc_arena_check(const struct fc_arena *arena, const char *what,
                                     struct fc_error *err);

#endif
