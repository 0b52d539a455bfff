/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#include "core/base/alloc.h"

enum { ARENA_BLOCK_SIZE = 64 * 1024, ARENA_ALIGN = 8 };

struct fc_arena_block {
    struct fc_arena_block *next;
    size_t size;
    size_t len;
    alignas(16) uint8_t data[];
};

void fc_arena_init(struct fc_arena *arena, size_t limit)
{
    memset(arena, 0, sizeof(*arena));
    arena->limit = limit;
}

static void free_blocks(struct fc_arena_block *block)
{
    while (block != NULL) {
        struct fc_arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void fc_arena_release(struct fc_arena *arena)
{
    free_blocks(arena->first);
    fc_arena_init(arena, arena->limit);
}

void fc_arena_clear(struct fc_arena *arena)
{
    if (arena->first != NULL) {
        free_blocks(arena->first->next);
        arena->first->next = NULL;
        arena->first->len = 0;
    }
    arena->current = arena->first;
    arena->used = 0;
    arena->failed = false;
}

static size_t aligned(size_t size)
{
    return (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
}

void *fc_arena_alloc(struct fc_arena *arena, size_t size)
{
    size_t needed = aligned(size);
    struct fc_arena_block *block = arena->current;
    void *piece;
    if (arena->failed || needed < size || needed > arena->limit ||
        arena->used > arena->limit - needed) {
        arena->failed = true;
        return NULL;
    }
    if (block == NULL || block->size - block->len < needed) {
        size_t block_size = needed > ARENA_BLOCK_SIZE ? needed : ARENA_BLOCK_SIZE;
        struct fc_arena_block *fresh = fc_realloc_array(NULL, sizeof(*fresh) + block_size, 1);
        fresh->next = NULL;
        fresh->size = block_size;
        fresh->len = 0;
        if (block == NULL) {
            arena->first = fresh;
        } else {
            block->next = fresh;
        }
        arena->current = fresh;
        block = fresh;
    }
    piece = block->data + block->len;
    block->len += needed;
    arena->used += needed;
    return piece;
}

void fc_arena_shrink_last(struct fc_arena *arena, size_t size, size_t kept)
{
    size_t back = aligned(size) - aligned(kept);
    fc_assert(arena->current != NULL && kept <= size && arena->current->len >= back);
    arena->current->len -= back;
    arena->used -= back;
}

struct fc_slice fc_arena_copy(struct fc_arena *arena, struct fc_slice bytes)
{
    void *copy;
    if (fc_slice_is_null(bytes)) {
        return bytes;
    }
    copy = fc_arena_alloc(arena, bytes.len);
    if (copy == NULL) {
        return fc_slice_null();
    }
    if (bytes.len > 0) {
        memcpy(copy, bytes.data, bytes.len);
    }
    return fc_slice_of(copy, bytes.len);
}

fc_code fc_arena_check(const struct fc_arena *arena, const char *what, struct fc_error *err)
{
    if (arena->failed) {
        return fc_fail(err, FC_ERR_LIMIT, "%s needs more than %zu bytes", what, arena->limit);
    }
    return FC_OK;
}
