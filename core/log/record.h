/* SPDX-License-Identifier: Apache-2.0 */
/* A record as it goes into and comes out of the log, and the limits that it meets. */
#ifndef FC_LOG_RECORD_H
#define FC_LOG_RECORD_H

#include <stdint.h>

#include "core/base/marks.h"
#include "core/base/slice.h"

enum {
    FC_RECORD_HEADERS_MAX = 250,
    FC_RECORD_BYTES_MAX = 64 * 1024 * 1024 /* default limit of one record, encoded */
};

typedef enum fc_compression {
    FC_COMPRESSION_NONE = 0, /* Kafka's codec numbers */
    FC_COMPRESSION_GZIP = 1,
    FC_COMPRESSION_SNAPPY = 2,
    FC_COMPRESSION_LZ4 = 3,
    FC_COMPRESSION_ZSTD = 4
} fc_compression;

struct fc_header {
    struct fc_slice key;
    struct fc_slice value; /* may be null */
};

struct fc_record {
    int64_t offset;        /* set by the log */
    int64_t timestamp_ms;  /* of the change */
    struct fc_slice key;   /* may be null */
    struct fc_slice value; /* null: tombstone */
    const struct fc_header *headers;
    uint32_t header_count;
    const struct fc_marks *marks; /* of the value, for compression; may be NULL; never read */
};

#endif
