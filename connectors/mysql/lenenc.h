/* SPDX-License-Identifier: Apache-2.0 */
/* Two integer forms of the binlog: the protocol's length-encoded one, and the variable-length
 * one of MySQL's serialization library (tagged GTIDs). */
#ifndef FC_MYSQL_LENENC_H
#define FC_MYSQL_LENENC_H

#include "core/base/reader.h"

/* 0 to 250 in one byte; 252, 253, 254: 2, 3, 8 bytes follow. 251 and 255 are failures. */
static inline uint64_t fc_lenenc_read(struct fc_reader *reader)
{
    uint8_t first = fc_reader_u8(reader);
    if (first < 251) {
        return first;
    }
    if (first == 252 || first == 253) {
        return fc_reader_le(reader, first == 252 ? 2 : 3);
    }
    if (first == 254) {
        return fc_reader_le(reader, 8);
    }
    reader->failed = true;
    return 0;
}

/* Trailing one bits of the first byte say how many bytes follow; the rest is the number. */
static inline uint64_t fc_lenenc_read_varlen(struct fc_reader *reader)
{
    uint8_t first = fc_reader_u8(reader);
    unsigned more = (unsigned)__builtin_ctz(~(unsigned)first);
    uint64_t high = more == 0 ? 0 : fc_reader_le(reader, more > 8 ? 8 : more);
    if (more >= 8) {
        return high;
    }
    if (more == 7) {
        return high; /* the first byte has no bit left */
    }
    return (uint64_t)(first >> (more + 1)) | high << (7 - more);
}

/* The signed form keeps the sign in the lowest bit, and then the bits of a negative inverted. */
static inline int64_t fc_lenenc_read_varlen_signed(struct fc_reader *reader)
{
    uint64_t raw = fc_lenenc_read_varlen(reader);
    return (raw & 1) == 0 ? (int64_t)(raw >> 1) : -(int64_t)(raw >> 1) - 1;
}

#endif
