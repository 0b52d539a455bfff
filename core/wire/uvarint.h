/* SPDX-License-Identifier: Apache-2.0 */
/* Unsigned base-128 varints of at most 32 bits, as flexible versions have them. */
#ifndef FC_WIRE_UVARINT_H
#define FC_WIRE_UVARINT_H

#include "core/base/reader.h"

/* More than 5 bytes, or 32 bits, is a failure. */
static inline uint32_t fc_wire_read_uvarint(struct fc_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = fc_reader_u8(reader);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            reader->failed |= value > UINT32_MAX;
            return (uint32_t)value;
        }
    }
    reader->failed = true;
    return 0;
}

#endif
