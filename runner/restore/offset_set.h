/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of record offsets of one partition, walked in order: the records that survive a fold.
 *
 * Offsets are grouped by their upper bits into pages of 65,536: a bitmap while offsets are
 * added, then, after compact, a sorted list where that is smaller. So a survivor costs between
 * one bit and two bytes, however long the history is.
 */
#ifndef FC_RESTORE_OFFSET_SET_H
#define FC_RESTORE_OFFSET_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fc_offset_page;

struct fc_offset_set {
    struct fc_offset_page **pages; /* by offset >> 16; NULL: nothing there */
    size_t page_count;
    uint64_t count;
};

void fc_offset_set_init(struct fc_offset_set *set);
void fc_offset_set_release(struct fc_offset_set *set);

/* Adding what is there changes nothing. offset >= 0. */
void fc_offset_set_add(struct fc_offset_set *set, int64_t offset);

/* Make pages small; more may be added afterwards. */
void fc_offset_set_compact(struct fc_offset_set *set);

bool fc_offset_set_has(const struct fc_offset_set *set, int64_t offset);

/* The smallest offset at or after `from`; false when there is none. */
bool fc_offset_set_next(const struct fc_offset_set *set, int64_t from, int64_t *out_offset);

size_t fc_offset_set_bytes(const struct fc_offset_set *set);

#endif
