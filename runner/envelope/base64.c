/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/envelope/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *fc_base64_put(char *at, const uint8_t *data, size_t len)
{
    while (len >= 3) {
        uint32_t three = (uint32_t)data[0] << 16 | (uint32_t)data[1] << 8 | data[2];
        at[0] = digits[three >> 18];
        at[1] = digits[(three >> 12) & 63];
        at[2] = digits[(three >> 6) & 63];
        at[3] = digits[three & 63];
        at += 4;
        data += 3;
        len -= 3;
    }
    if (len > 0) {
        uint32_t rest = (uint32_t)data[0] << 16 | (len == 2 ? (uint32_t)data[1] << 8 : 0);
        at[0] = digits[rest >> 18];
        at[1] = digits[(rest >> 12) & 63];
        at[2] = len == 2 ? digits[(rest >> 6) & 63] : '=';
        at[3] = '=';
        at += 4;
    }
    return at;
}

/* 0 to 63, or 64 for what is no digit. */
static uint32_t digit_value(uint8_t digit)
{
    if (digit >= 'A' && digit <= 'Z') {
        return (uint32_t)digit - 'A';
    }
    if (digit >= 'a' && digit <= 'z') {
        return (uint32_t)digit - 'a' + 26;
    }
    if (digit >= '0' && digit <= '9') {
        return (uint32_t)digit - '0' + 52;
    }
    return digit == '+' ? 62 : digit == '/' ? 63 : 64;
}

/* Four digits to 24 bits; false when one is no digit. */
static bool take_four(const uint8_t *data, uint32_t *out)
{
    uint32_t value = 0;
    uint32_t bad = 0;
    for (int index = 0; index < 4; index++) {
        uint32_t digit = digit_value(data[index]);
        bad |= digit & 64;
        value = value << 6 | (digit & 63);
    }
    *out = value;
    return bad == 0;
}

bool fc_base64_take(struct fc_slice text, uint8_t *to, size_t *out_len)
{
    const uint8_t *data = text.data;
    size_t fours = text.len / 4;
    uint8_t *at = to;
    uint32_t value = 0;
    size_t padding = 0;
    if (text.len % 4 != 0) {
        return false;
    }
    if (fours > 0 && data[text.len - 1] == '=') {
        padding = data[text.len - 2] == '=' ? 2 : 1;
        fours--;
    }
    for (size_t index = 0; index < fours; index++, data += 4, at += 3) {
        if (!take_four(data, &value)) {
            return false;
        }
        at[0] = (uint8_t)(value >> 16);
        at[1] = (uint8_t)(value >> 8);
        at[2] = (uint8_t)value;
    }
    if (padding > 0) {
        uint8_t last[4] = { data[0], data[1], padding == 1 ? data[2] : 'A', 'A' };
        if (!take_four(last, &value) || (value & (padding == 2 ? 0xffff : 0xff)) != 0) {
            return false;
        }
        *at++ = (uint8_t)(value >> 16);
        if (padding == 1) {
            *at++ = (uint8_t)(value >> 8);
        }
    }
    *out_len = (size_t)(at - to);
    return true;
}
