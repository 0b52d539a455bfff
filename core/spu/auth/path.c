/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/auth/path.h"

static const char DIGITS[] = "0123456789ABCDEF";

static bool is_plain(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("-_.~:*", byte) != NULL);
}

void fc_path_append(struct fc_buf *to, struct fc_slice name)
{
    for (size_t index = 0; index < name.len; index++) {
        uint8_t byte = name.data[index];
        if (is_plain(byte)) {
            fc_buf_append_u8(to, byte);
        } else {
            fc_buf_append_u8(to, '%');
            fc_buf_append_u8(to, (uint8_t)DIGITS[byte >> 4]);
            fc_buf_append_u8(to, (uint8_t)DIGITS[byte & 15]);
        }
    }
}

/* 16: not a digit. */
static unsigned digit_of(uint8_t letter)
{
    const char *at = letter == '\0' ? NULL : strchr(DIGITS, letter);
    return at == NULL ? 16 : (unsigned)(at - DIGITS);
}

bool fc_path_take(struct fc_slice *path, struct fc_buf *out)
{
    const uint8_t *slash = path->len == 0 ? NULL : memchr(path->data, '/', path->len);
    size_t len = slash == NULL ? path->len : (size_t)(slash - path->data);
    for (size_t at = 0; at < len; at++) {
        uint8_t byte = path->data[at];
        if (byte == '%') {
            unsigned high = len - at < 3 ? 16 : digit_of(path->data[at + 1]);
            unsigned low = len - at < 3 ? 16 : digit_of(path->data[at + 2]);
            if (high == 16 || low == 16) {
                return false;
            }
            byte = (uint8_t)(high << 4 | low);
            at += 2;
        } else if (!is_plain(byte)) {
            return false;
        }
        fc_buf_append_u8(out, byte);
    }
    path->data += slash == NULL ? len : len + 1;
    path->len -= slash == NULL ? len : len + 1;
    return !out->failed;
}
