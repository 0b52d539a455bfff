/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of large frames, kept by a loop for the next ones: the system takes back what is freed
 * and clears it page by page when it is asked for again, which costs as much as the copy out of
 * the socket. What was not needed for a while is freed; an idle loop keeps nothing.
 */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/server/server_state.h"

enum { SPARE_MS = 2000 /* not needed for so long: freed */ };

/* Powers of two, so that frames of about the same size share. */
static size_t room_for(size_t size)
{
    size_t room = SERVER_SPARE_SIZE_MIN;
    if (size < SERVER_SPARE_SIZE_MIN || size > SERVER_SPARE_BYTES_MAX) {
        return size;
    }
    while (room < size) {
        room *= 2;
    }
    return room;
}

static void on_time(void *ctx)
{
    struct server_spare *spare = ctx;
    size_t kept = 0;
    /* The last ones are taken first, so the first so many were not touched since. */
    for (size_t index = 0; index < spare->count; index++) {
        if (index < spare->untouched) {
            spare->bytes -= spare->items[index].size;
            free(spare->items[index].data);
        } else {
            spare->items[kept++] = spare->items[index];
        }
    }
    spare->count = kept;
    spare->untouched = kept;
    if (kept > 0) {
        fc_loop_timer_set(spare->loop, &spare->timer, fc_loop_now_ms(spare->loop) + SPARE_MS);
    }
}

void spare_init(struct server_spare *spare, struct fc_loop *loop)
{
    memset(spare, 0, sizeof(*spare));
    spare->loop = loop;
    fc_loop_timer_init(&spare->timer, on_time, spare);
}

void spare_release(struct server_spare *spare)
{
    for (size_t index = 0; index < spare->count; index++) {
        free(spare->items[index].data);
    }
    spare->count = 0;
    spare->bytes = 0;
}

uint8_t *spare_take(struct server_spare *spare, size_t size)
{
    size_t room = room_for(size);
    for (size_t index = spare->count; index > 0; index--) {
        struct server_spare_item *item = &spare->items[index - 1];
        if (item->size == room) {
            uint8_t *data = item->data;
            spare->bytes -= room;
            spare->count--;
            memmove(item, item + 1, (spare->count + 1 - index) * sizeof(*item));
            spare->untouched = index - 1 < spare->untouched ? index - 1 : spare->untouched;
            return data;
        }
    }
    return fc_realloc_array(NULL, room, 1);
}

void spare_give(struct server_spare *spare, uint8_t *data, size_t size)
{
    size_t room = room_for(size);
    if (data == NULL || size < SERVER_SPARE_SIZE_MIN || spare->count == SERVER_SPARE_COUNT ||
        room > SERVER_SPARE_BYTES_MAX - spare->bytes) {
        free(data);
        return;
    }
    spare->items[spare->count++] = (struct server_spare_item){ data, room };
    spare->bytes += room;
    if (!fc_loop_timer_is_set(&spare->timer)) {
        spare->untouched = 0;
        fc_loop_timer_set(spare->loop, &spare->timer, fc_loop_now_ms(spare->loop) + SPARE_MS);
    }
}
