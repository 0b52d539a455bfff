/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A binary heap for merging: of all items, the one that is before the others stands first.
 *
 * Items are borrowed pointers. They are added in any order, then put in order once; from then on
 * only the first one changes.
 */
#ifndef FC_BASE_HEAP_H
#define FC_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

struct fc_heap {
    void **items;
    size_t count;
    size_t capacity;
    bool (*is_before)(const void *a, const void *b);
};

void fc_heap_init(struct fc_heap *heap, bool (*is_before)(const void *a, const void *b));
void fc_heap_release(struct fc_heap *heap);

void fc_heap_add(struct fc_heap *heap, void *item);
void fc_heap_order(struct fc_heap *heap);

/* The first item, or NULL when there is none. */
static inline void *fc_heap_first(const struct fc_heap *heap)
{
    return heap->count == 0 ? NULL : heap->items[0];
}

/* The first item has changed; another may be first now. */
void fc_heap_first_changed(struct fc_heap *heap);
/* Take the first item out. */
void fc_heap_drop_first(struct fc_heap *heap);

#endif
