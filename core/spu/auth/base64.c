/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/auth/base64.h"

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void fc_base64_append(struct fc_buf *to, struct fc_slice bytes)
{
    for (size_t at = 0; at < bytes.len; at += 3) {
        size_t left = bytes.len - at < 3 ? bytes.len - at : 3;
        uint32_t group = (uint32_t)bytes.data[at] << 16;
        char text[4] = { '=', '=', '=', '=' };
        group |= left > 1 ? (uint32_t)bytes.data[at + 1] << 8 : 0;
        group |= left > 2 ? bytes.data[at + 2] : 0;
        for (size_t digit = 0; digit <= left; digit++) {
            text[digit] = DIGITS[(group >> (18 - 6 * digit)) & 63];
        }
        fc_buf_append(to, text, sizeof(text));
    }
}

/* 64: none. */
static uint32_t digit_of(uint8_t letter)
{
    const char *at = letter == '\0' ? NULL : strchr(DIGITS, letter);
    return at == NULL ? 64 : (uint32_t)(at - DIGITS);
}

bool fc_base64_decode(struct fc_slice text, uint8_t *to, size_t size, size_t *out_len)
{
    size_t len = 0;
    if (text.len % 4 != 0) {
        return false;
    }
    for (size_t at = 0; at < text.len; at += 4) {
        bool last = at + 4 == text.len;
        size_t padding = !last || text.data[at + 3] != '=' ? 0
                         : text.data[at + 2] == '='        ? 2
                                                           : 1;
        uint32_t group = 0;
        for (size_t digit = 0; digit < 4; digit++) {
            uint32_t value = digit >= 4 - padding ? 0 : digit_of(text.data[at + digit]);
            if (value == 64) {
                return false;
            }
            group = group << 6 | value;
        }
        for (size_t byte = 0; byte < 3 - padding; byte++) {
            if (len == size) {
                return false;
            }
            to[len++] = (uint8_t)(group >> (16 - 8 * byte));
        }
    }
    *out_len = len;
    return true;
}
