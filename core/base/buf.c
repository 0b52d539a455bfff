/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/format.h"

enum { BUF_FIRST_CAPACITY = 256 };

void fc_buf_init(struct fc_buf *buf, size_t limit)
{
    memset(buf, 0, sizeof(*buf));
    buf->limit = limit;
}

void fc_buf_release(struct fc_buf *buf)
{
    free(buf->data);
    fc_buf_init(buf, buf->limit);
}

uint8_t *fc_buf_grow(struct fc_buf *buf, size_t more)
{
    size_t wanted;
    if (buf->failed || more > buf->limit || buf->len > buf->limit - more) {
        buf->failed = true;
        return NULL;
    }
    if (buf->capacity - buf->len >= more) {
        return buf->data + buf->len;
    }
    wanted = buf->capacity == 0 ? BUF_FIRST_CAPACITY : buf->capacity;
    wanted = wanted > buf->limit ? buf->limit : wanted;
    while (wanted < buf->len + more) {
        wanted = wanted > buf->limit / 2 ? buf->limit : wanted * 2;
    }
    buf->data = fc_realloc_array(buf->data, wanted, 1);
    buf->capacity = wanted;
    return buf->data + buf->len;
}

void fc_buf_append_be16(struct fc_buf *buf, uint16_t value)
{
    uint16_t swapped = __builtin_bswap16(value);
    fc_buf_append(buf, &swapped, sizeof(swapped));
}

void fc_buf_append_be32(struct fc_buf *buf, uint32_t value)
{
    uint32_t swapped = __builtin_bswap32(value);
    fc_buf_append(buf, &swapped, sizeof(swapped));
}

void fc_buf_append_be64(struct fc_buf *buf, uint64_t value)
{
    uint64_t swapped = __builtin_bswap64(value);
    fc_buf_append(buf, &swapped, sizeof(swapped));
}

void fc_buf_append_le16(struct fc_buf *buf, uint16_t value)
{
    fc_buf_append(buf, &value, sizeof(value));
}

void fc_buf_append_le32(struct fc_buf *buf, uint32_t value)
{
    fc_buf_append(buf, &value, sizeof(value));
}

void fc_buf_append_le64(struct fc_buf *buf, uint64_t value)
{
    fc_buf_append(buf, &value, sizeof(value));
}

void fc_buf_append_varint(struct fc_buf *buf, int64_t value)
{
    uint64_t zigzag = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    uint8_t bytes[10];
    size_t count = 0;
    while (zigzag >= 0x80) {
        bytes[count++] = (uint8_t)(zigzag | 0x80);
        zigzag >>= 7;
    }
    bytes[count++] = (uint8_t)zigzag;
    fc_buf_append(buf, bytes, count);
}

void fc_buf_append_i64(struct fc_buf *buf, int64_t value)
{
    char *to = (char *)fc_buf_reserve(buf, FC_FORMAT_I64_SIZE);
    if (to != NULL) {
        buf->len += fc_format_i64(to, value);
    }
}

void fc_buf_append_u64(struct fc_buf *buf, uint64_t value)
{
    char *to = (char *)fc_buf_reserve(buf, FC_FORMAT_I64_SIZE);
    if (to != NULL) {
        buf->len += fc_format_u64(to, value);
    }
}

void fc_buf_append_fmt(struct fc_buf *buf, const char *fmt, ...)
{
    va_list args;
    va_list again;
    int length;
    uint8_t *to;
    va_start(args, fmt);
    va_copy(again, args);
    length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    fc_assert(length >= 0);
    to = fc_buf_reserve(buf, (size_t)length + 1);
    if (to != NULL) {
        (void)vsnprintf((char *)to, (size_t)length + 1, fmt,
                        again); /* the length is known to fit */
        buf->len += (size_t)length;
    }
    va_end(again);
}

fc_code fc_buf_check(const struct fc_buf *buf, const char *what, struct fc_error *err)
{
    if (buf->failed) {
        return fc_fail(err, FC_ERR_LIMIT, "%s is larger than %zu bytes", what, buf->limit);
    }
    return FC_OK;
}
