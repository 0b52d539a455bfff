/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/utf8.h"

static bool is_tail(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The second byte's range carries what is overlong, a surrogate or too large (Unicode 15, table
 * 3-7). */
static bool second_fits(uint8_t first, uint8_t second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0 && second <= 0xbf;
    case 0xed:
        return second >= 0x80 && second <= 0x9f;
    case 0xf0:
        return second >= 0x90 && second <= 0xbf;
    case 0xf4:
        return second >= 0x80 && second <= 0x8f;
    default:
        return is_tail(second);
    }
}

size_t fc_utf8_character(struct fc_slice text, size_t at)
{
    const uint8_t *bytes = text.data + at;
    size_t left = text.len - at;
    size_t size;
    if (left == 0) {
        return 0;
    }
    if (bytes[0] < 0x80) {
        return 1;
    }
    if (bytes[0] < 0xc2 || bytes[0] > 0xf4) {
        return 0;
    }
    size = bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
    if (left < size || !second_fits(bytes[0], bytes[1])) {
        return 0;
    }
    for (size_t index = 2; index < size; index++) {
        if (!is_tail(bytes[index])) {
            return 0;
        }
    }
    return size;
}

bool fc_utf8_valid(struct fc_slice text)
{
    size_t at = 0;
    while (at < text.len) {
        size_t size = fc_utf8_character(text, at);
        if (size == 0) {
            return false;
        }
        at += size;
    }
    return true;
}

void fc_utf8_repair(struct fc_slice text, struct fc_buf *out)
{
    size_t at = 0;
    while (at < text.len) {
        size_t size = fc_utf8_character(text, at);
        if (size == 0) {
            fc_buf_append_text(out, "\xef\xbf\xbd");
            at++;
        } else {
            fc_buf_append(out, text.data + at, size);
            at += size;
        }
    }
}

size_t fc_utf8_columns(const char *text)
{
    size_t columns = 0;
    for (; *text != '\0'; text++) {
        columns += is_tail((uint8_t)*text) ? 0 : 1;
    }
    return columns;
}
