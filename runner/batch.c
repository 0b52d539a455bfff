/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/batch.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"

enum {
    COUNT_HARD_FACTOR = 4,
    COUNT_HARD_SLACK = 1024,              /* so that a tiny count_max still takes an event */
    POSITION_BYTES_MAX = 16 * 1024 * 1024 /* a GTID set of a long-lived server is kilobytes */
};

/*
 * `public` comes first: a plugin's struct fc_batch pointer is one to this.
 *
 * Changes stand in one block of address space, taken whole at the start, so that they never
 * move; pages are only used as far as a batch gets.
 */
struct batch {
    struct fc_batch public;
    struct fc_arena arena;
    struct fc_buf position;
    uint32_t count_hard_max;
    bool overflowed;
};

static struct batch *of_public(struct fc_batch *batch)
{
    return (struct batch *)(void *)batch;
}

struct fc_batch *fc_batch_new(const struct fc_batch_limits *limits)
{
    struct batch *batch = fc_new(struct batch);
    uint64_t hard = (uint64_t)limits->count_max * COUNT_HARD_FACTOR + COUNT_HARD_SLACK;
    batch->count_hard_max = hard > UINT32_MAX ? UINT32_MAX : (uint32_t)hard;
    batch->public.changes = fc_new_array(struct fc_change, batch->count_hard_max);
    batch->public.count_max = limits->count_max;
    batch->public.bytes_max = limits->bytes_max;
    fc_arena_init(&batch->arena, limits->bytes_hard_max);
    fc_buf_init(&batch->position, POSITION_BYTES_MAX);
    return &batch->public;
}

void fc_batch_free(struct fc_batch *batch)
{
    if (batch != NULL) {
        struct batch *own = of_public(batch);
        fc_arena_release(&own->arena);
        fc_buf_release(&own->position);
        free(batch->changes);
        free(own);
    }
}

void fc_batch_clear(struct fc_batch *batch)
{
    struct batch *own = of_public(batch);
    fc_arena_clear(&own->arena);
    fc_buf_clear(&own->position);
    own->overflowed = false;
    batch->count = 0;
    batch->bytes = 0;
    batch->position = fc_slice_null();
}

struct fc_arena *fc_batch_arena(struct fc_batch *batch)
{
    return &of_public(batch)->arena;
}

bool fc_batch_overflowed(const struct fc_batch *batch)
{
    const struct batch *own = (const struct batch *)(const void *)batch;
    return own->overflowed || own->arena.failed || own->position.failed;
}

static void count_bytes(struct batch *batch)
{
    batch->public.bytes =
        batch->arena.used + (size_t)batch->public.count * sizeof(struct fc_change);
}

struct fc_change *fc_batch_add(struct fc_batch *batch)
{
    struct batch *own = of_public(batch);
    struct fc_change *change;
    if (batch->count >= own->count_hard_max ||
        batch->bytes + sizeof(*change) > own->arena.limit) {
        own->overflowed = true;
        return NULL;
    }
    change = &batch->changes[batch->count];
    memset(change, 0, sizeof(*change));
    batch->count++;
    count_bytes(own);
    return change;
}

void *fc_batch_alloc(struct fc_batch *batch, size_t size)
{
    struct batch *own = of_public(batch);
    void *piece = fc_arena_alloc(&own->arena, size);
    count_bytes(own);
    return piece;
}

void fc_batch_set_position(struct fc_batch *batch, struct fc_slice position)
{
    struct batch *own = of_public(batch);
    fc_buf_clear(&own->position);
    if (fc_buf_reserve(&own->position, position.len + 1) == NULL) {
        own->overflowed = true; /* the position that stood before is gone, so none is left */
        batch->position = fc_slice_null();
        return;
    }
    fc_buf_append_slice(&own->position, position);
    batch->position = fc_buf_slice(&own->position);
}
