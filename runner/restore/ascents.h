/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ascending sequences within rows that come in any order: what is mostly in order shows one that
 * holds nearly all of them. Each row goes to the sequence that ends closest below it.
 *
 * There are several so that one high key among the first, or another table's worth of rows
 * behind the first, leaves the rest in order.
 */
#ifndef FC_RESTORE_ASCENTS_H
#define FC_RESTORE_ASCENTS_H

#include "runner/restore/key_order.h"

enum {
    FC_ASCENTS = 4,
    FC_ASCENT_NONE = FC_ASCENTS /* it is below the ends of all */
};

/* All zero is a valid start. */
struct fc_ascents {
    struct {
        uint8_t bytes[FC_KEY_ORDER_BYTES_MAX];
        size_t len;
    } ends[FC_ASCENTS];
    uint32_t count;
};

/* The sequence that a row of this order joins. */
uint32_t fc_ascents_join(struct fc_ascents *ascents, struct fc_slice order);

#endif
