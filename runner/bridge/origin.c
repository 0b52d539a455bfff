/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/bridge/origin.h"

#include <inttypes.h>
#include <stdlib.h>

enum { PREFIX_SIZE = 512, OFFSET_SIZE = 24 };

void fc_origin_encode(struct fc_buf *out, const char *connector, const char *topic,
                      uint32_t partition, int64_t offset)
{
    fc_buf_append_fmt(out, "%s %s %" PRIu32 " %" PRId64, connector, topic, partition, offset);
}

static const struct fc_header *header_of(const struct fc_record *record)
{
    const struct fc_header *last =
        record->header_count == 0 ? NULL : &record->headers[record->header_count - 1];
    return last != NULL && fc_slice_equal_text(last->key, FC_ORIGIN_HEADER) ? last : NULL;
}

int64_t fc_origin_offset(const struct fc_record *record, const char *connector,
                         const char *topic, uint32_t partition)
{
    const struct fc_header *header = header_of(record);
    char prefix[PREFIX_SIZE];
    char digits[OFFSET_SIZE];
    char *end = NULL;
    int64_t offset;
    size_t length;
    size_t left;
    if (header == NULL) {
        return -1;
    }
    length = (size_t)snprintf(prefix, sizeof(prefix), "%s %s %" PRIu32 " ", connector, topic,
                              partition);
    if (header->value.len <= length || memcmp(header->value.data, prefix, length) != 0) {
        return -1;
    }
    left = header->value.len - length;
    if (left >= sizeof(digits)) {
        return -1;
    }
    memcpy(digits, header->value.data + length, left);
    digits[left] = '\0';
    offset = strtoll(digits, &end, 10);
    return *end == '\0' && offset >= 0 ? offset : -1;
}

uint32_t fc_origin_own_headers(const struct fc_record *record)
{
    return header_of(record) == NULL ? record->header_count : record->header_count - 1;
}
