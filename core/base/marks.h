/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where texts of one kind are alike: hints from who writes a text to who compresses it.
 *
 * Texts of one kind have as many marks, and at the same mark about the same stands in all of
 * them, as the name of a column. Wrong hints cost space and nothing else.
 */
#ifndef FC_BASE_MARKS_H
#define FC_BASE_MARKS_H

#include <stdint.h>

#define FC_MARK_NONE UINT32_MAX

struct fc_mark {
    uint32_t at;   /* a place in the text */
    uint32_t like; /* an earlier one where about the same stands, or FC_MARK_NONE */
};

struct fc_marks {
    const struct fc_mark *marks; /* in the order of the text */
    uint32_t count;
    uint64_t kind;
};

#endif
