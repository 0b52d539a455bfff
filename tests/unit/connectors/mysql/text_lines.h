/* SPDX-License-Identifier: Apache-2.0 */
/* Lines and fields of the texts that the decoder's tests expect. */
#ifndef FC_TEST_TEXT_LINES_H
#define FC_TEST_TEXT_LINES_H

#include <stdbool.h>
#include <string.h>

#include "core/base/slice.h"

/* The next field of a line of tab-separated fields; false behind the last. */
static inline bool next_field(struct fc_slice *line, struct fc_slice *out_field)
{
    const uint8_t *end;
    if (line->data == NULL) {
        return false;
    }
    end = memchr(line->data, '\t', line->len);
    out_field->data = line->data;
    out_field->len = end == NULL ? line->len : (size_t)(end - line->data);
    if (end == NULL) {
        *line = fc_slice_null();
    } else {
        line->len -= out_field->len + 1;
        line->data = end + 1;
    }
    return true;
}

static inline struct fc_slice next_line(struct fc_slice *text)
{
    const uint8_t *end = memchr(text->data, '\n', text->len);
    struct fc_slice line = fc_slice_of(text->data, (size_t)(end - text->data));
    text->data = end + 1;
    text->len -= line.len + 1;
    return line;
}

#endif
