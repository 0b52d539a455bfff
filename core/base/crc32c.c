/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/crc32c.h"

#include <isa-l/crc.h>

#include "core/base/alloc.h"

uint32_t fc_crc32c(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *at = data;
    crc = ~crc;
    while (len > 0) { /* isa-l takes the length as int */
        size_t piece = len > (1U << 30) ? (1U << 30) : len;
        crc = crc32_iscsi(fc_unconst(at), (int)piece, crc);
        at += piece;
        len -= piece;
    }
    return ~crc;
}
