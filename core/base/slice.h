/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slice borrows bytes; it dies with the call it was passed to unless a comment says
 * otherwise.
 *
 * data == NULL is the null slice (a record without key, a tombstone's value), which is not the
 * empty one.
 */
#ifndef FC_BASE_SLICE_H
#define FC_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fc_slice {
    const uint8_t *data;
    size_t len;
};

static inline struct fc_slice fc_slice_of(const void *data, size_t len)
{
    struct fc_slice slice = { (const uint8_t *)data, len };
    return slice;
}

static inline struct fc_slice fc_slice_null(void)
{
    return fc_slice_of(NULL, 0);
}

static inline bool fc_slice_is_null(struct fc_slice slice)
{
    return slice.data == NULL;
}

static inline struct fc_slice fc_slice_text(const char *text)
{
    return fc_slice_of(text, strlen(text));
}

static inline bool fc_slice_equal(struct fc_slice a, struct fc_slice b)
{
    if (a.data == NULL || b.data == NULL) {
        return a.data == b.data && a.len == b.len;
    }
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static inline bool fc_slice_equal_text(struct fc_slice a, const char *text)
{
    return a.data != NULL && a.len == strlen(text) && memcmp(a.data, text, a.len) == 0;
}

#endif
