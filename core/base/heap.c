/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/heap.h"

#include <stdlib.h>

#include "core/base/alloc.h"

enum { FIRST_CAPACITY = 8 };

void fc_heap_init(struct fc_heap *heap, bool (*is_before)(const void *a, const void *b))
{
    *heap = (struct fc_heap){ .is_before = is_before };
}

void fc_heap_release(struct fc_heap *heap)
{
    free(heap->items);
    heap->items = NULL;
    heap->count = 0;
    heap->capacity = 0;
}

void fc_heap_add(struct fc_heap *heap, void *item)
{
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity == 0 ? FIRST_CAPACITY : 2 * heap->capacity;
        heap->items = fc_realloc_array(heap->items, heap->capacity, sizeof(void *));
    }
    heap->items[heap->count++] = item;
}

static void sift_down(struct fc_heap *heap, size_t at)
{
    void **items = heap->items;
    for (;;) {
        size_t lowest = at;
        void *moved = items[at];
        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
            if (child < heap->count && heap->is_before(items[child], items[lowest])) {
                lowest = child;
            }
        }
        if (lowest == at) {
            return;
        }
        items[at] = items[lowest];
        items[lowest] = moved;
        at = lowest;
    }
}

void fc_heap_order(struct fc_heap *heap)
{
    for (size_t at = heap->count; at-- > 0;) {
        sift_down(heap, at);
    }
}

void fc_heap_first_changed(struct fc_heap *heap)
{
    sift_down(heap, 0);
}

void fc_heap_drop_first(struct fc_heap *heap)
{
    heap->items[0] = heap->items[--heap->count];
    if (heap->count > 0) {
        sift_down(heap, 0);
    }
}
