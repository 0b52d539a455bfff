/* SPDX-License-Identifier: Apache-2.0 */
/* Where decoders put what must live as long as the batch: a function that hands out memory. */
#ifndef FC_MYSQL_MEMORY_H
#define FC_MYSQL_MEMORY_H

#include "core/base/error.h"
#include "core/base/slice.h"

struct fc_mysql_memory {
    /* 8-byte aligned, not zeroed; NULL past the limit, which ends the decoding with
     * FC_ERR_LIMIT. Nothing is given back one by one. */
    void *(*alloc)(void *ctx, size_t size);
    void *ctx;
};

static inline void *fc_mysql_memory_alloc(const struct fc_mysql_memory *memory, size_t size)
{
    return memory->alloc(memory->ctx, size);
}

#endif
