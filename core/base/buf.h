/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a limit.
 *
 * The first append that would pass the limit sets `failed`; from then on appends do nothing. An
 * encoder appends freely and looks once, with fc_buf_check, before it uses the bytes.
 *
 * Invariants: len <= capacity <= max(limit, 0); data is NULL only while capacity is 0.
 */
#ifndef FC_BASE_BUF_H
#define FC_BASE_BUF_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"

struct fc_buf {
    uint8_t *data;
    size_t len;
    size_t capacity;
    size_t limit;
    bool failed;
};

void fc_buf_init(struct fc_buf *buf, size_t limit);
void fc_buf_release(struct fc_buf *buf);

/* Make room for `more` bytes and return where they go, or NULL (and failed) past the limit. */
uint8_t *fc_buf_grow(struct fc_buf *buf, size_t more);

static inline void fc_buf_clear(struct fc_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

/* Room for `more` bytes at the end; the caller writes there and adds to len itself. NULL past
 * the limit. */
static inline uint8_t *fc_buf_reserve(struct fc_buf *buf, size_t more)
{
    if (__builtin_expect(buf->capacity - buf->len >= more && !buf->failed, 1)) {
        return buf->data + buf->len;
    }
    return fc_buf_grow(buf, more);
}

static inline void fc_buf_append(struct fc_buf *buf, const void *data, size_t len)
{
    uint8_t *to = len == 0 ? NULL : fc_buf_reserve(buf, len);
    if (to != NULL) {
        memcpy(to, data, len);
        buf->len += len;
    }
}

static inline void fc_buf_append_slice(struct fc_buf *buf, struct fc_slice slice)
{
    fc_buf_append(buf, slice.data, slice.len);
}

static inline void fc_buf_append_text(struct fc_buf *buf, const char *text)
{
    fc_buf_append(buf, text, strlen(text));
}

static inline void fc_buf_append_u8(struct fc_buf *buf, uint8_t value)
{
    fc_buf_append(buf, &value, 1);
}

/* Big-endian (Kafka's formats) and little-endian (MySQL's) integers. */
void fc_buf_append_be16(struct fc_buf *buf, uint16_t value);
void fc_buf_append_be32(struct fc_buf *buf, uint32_t value);
void fc_buf_append_be64(struct fc_buf *buf, uint64_t value);
void fc_buf_append_le16(struct fc_buf *buf, uint16_t value);
void fc_buf_append_le32(struct fc_buf *buf, uint32_t value);
void fc_buf_append_le64(struct fc_buf *buf, uint64_t value);

/* Zig-zag base-128 varint, as in Kafka's record format (at most 10 bytes). */
void fc_buf_append_varint(struct fc_buf *buf, int64_t value);

/* Decimal digits. */
void fc_buf_append_i64(struct fc_buf *buf, int64_t value);
void fc_buf_append_u64(struct fc_buf *buf, uint64_t value);

void fc_buf_append_fmt(struct fc_buf *buf, const char *fmt, ...) FC_PRINTF(2, 3);

/* The bytes so far; valid until the next append. */
static inline struct fc_slice fc_buf_slice(const struct fc_buf *buf)
{
    return fc_slice_of(buf->data, buf->len);
}

/* FC_ERR_LIMIT when an append since the last clear met the limit; `what` names the thing for
 * the message. */
FC_MUST_CHECK fc_code fc_buf_check(const struct fc_buf *buf, const char *what,
                                   struct fc_error *err);

#endif
