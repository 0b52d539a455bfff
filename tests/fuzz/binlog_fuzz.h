/* SPDX-License-Identifier: Apache-2.0 */
/* What the binlog's fuzz targets share: memory out of an arena, and an abort for what must never be. */
#ifndef FC_FUZZ_BINLOG_FUZZ_H
#define FC_FUZZ_BINLOG_FUZZ_H

#include <stdlib.h>

#include "connectors/mysql/memory.h"
#include "core/base/arena.h"

enum { FUZZ_ARENA_MAX = 16 * 1024 * 1024 };

static inline void *fuzz_alloc(void *ctx, size_t size)
{
    return fc_arena_alloc((struct fc_arena *)ctx, size);
}

static inline void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Read every byte, so that the sanitizer sees a slice that reaches too far. */
static inline uint32_t touch(struct fc_slice bytes)
{
    uint32_t sum = 0;
    for (size_t index = 0; index < bytes.len; index++) {
        sum = sum * 31 + bytes.data[index];
    }
    return sum;
}

#endif
