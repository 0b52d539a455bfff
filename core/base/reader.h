/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cursor over bytes that cannot run over their end.
 *
 * The first read past the end sets `failed`; from then on reads give 0 (or the empty slice) and
 * move nothing. A decoder reads a whole message and looks at `failed` once. What it allocates
 * by a length that it read meets a limit first.
 */
#ifndef FC_BASE_READER_H
#define FC_BASE_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/base/slice.h"

struct fc_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline void fc_reader_init(struct fc_reader *reader, struct fc_slice bytes)
{
    reader->at = bytes.data;
    reader->end = bytes.data == NULL ? NULL : bytes.data + bytes.len;
    reader->failed = false;
}

static inline size_t fc_reader_left(const struct fc_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

/* Borrow the next `len` bytes. */
static inline const uint8_t *fc_reader_take(struct fc_reader *reader, size_t len)
{
    const uint8_t *taken = reader->at;
    if (__builtin_expect(reader->failed || fc_reader_left(reader) < len, 0)) {
        reader->failed = true;
        return NULL;
    }
    reader->at += len;
    return taken;
}

static inline struct fc_slice fc_reader_slice(struct fc_reader *reader, size_t len)
{
    static const uint8_t nothing[1] = { 0 };
    const uint8_t *taken = fc_reader_take(reader, len);
    return taken == NULL ? fc_slice_of(nothing, 0) : fc_slice_of(taken, len);
}

static inline void fc_reader_skip(struct fc_reader *reader, size_t len)
{
    (void)fc_reader_take(reader, len);
}

static inline uint8_t fc_reader_u8(struct fc_reader *reader)
{
    const uint8_t *taken = fc_reader_take(reader, 1);
    return taken == NULL ? 0 : taken[0];
}

/* `len` bytes (1 to 8) as an unsigned little-endian number. */
static inline uint64_t fc_reader_le(struct fc_reader *reader, size_t len)
{
    uint64_t value = 0;
    const uint8_t *taken = fc_reader_take(reader, len);
    if (taken != NULL) {
        memcpy(&value, taken, len);
    }
    return value;
}

/* `len` bytes (1 to 8) as an unsigned big-endian number. */
static inline uint64_t fc_reader_be(struct fc_reader *reader, size_t len)
{
    uint64_t value = 0;
    const uint8_t *taken = fc_reader_take(reader, len);
    for (size_t index = 0; taken != NULL && index < len; index++) {
        value = (value << 8) | taken[index];
    }
    return value;
}

/* Zig-zag base-128 varint of Kafka's record format; longer than 10 bytes is a failure. */
static inline int64_t fc_reader_varint(struct fc_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t byte = fc_reader_u8(reader);
        value |= (uint64_t)(byte & 0x7f) << (shift < 64 ? shift : 63);
        if ((byte & 0x80) == 0) {
            return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
        }
    }
    reader->failed = true;
    return 0;
}

#endif
