/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/uuid.h"

#include <errno.h>
#include <sys/random.h>

#include "core/base/alloc.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum { FIRST_DIGIT_DASH = 62 }; /* the value that '-' stands for */

static void fill_random(uint8_t *to, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = getrandom(to + done, size - done, 0);
        fc_assert(got > 0 || errno == EINTR);
        done += got > 0 ? (size_t)got : 0;
    }
}

struct fc_uuid fc_uuid_random(void)
{
    struct fc_uuid uuid;
    do {
        fill_random(uuid.bytes, sizeof(uuid.bytes));
    } while (uuid.bytes[0] >> 2 == FIRST_DIGIT_DASH);
    uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | 0x40); /* version 4 */
    uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80); /* the RFC's variant */
    return uuid;
}

void fc_uuid_to_text(struct fc_uuid uuid, char out[FC_UUID_TEXT_SIZE])
{
    uint32_t bits = 0;
    unsigned count = 0;
    size_t length = 0;
    for (size_t index = 0; index < sizeof(uuid.bytes); index++) {
        bits = (bits << 8) | uuid.bytes[index];
        count += 8;
        while (count >= 6) {
            count -= 6;
            out[length++] = digits[(bits >> count) & 63];
        }
    }
    out[length++] = digits[(bits << (6 - count)) & 63]; /* 128 bits leave two over */
    fc_assert(length == FC_UUID_TEXT_LENGTH);
    out[length] = '\0';
}

bool fc_uuid_from_text(struct fc_slice text, struct fc_uuid *out_uuid)
{
    struct fc_uuid uuid;
    uint32_t bits = 0;
    unsigned count = 0;
    size_t length = 0;
    if (text.len != FC_UUID_TEXT_LENGTH) {
        return false;
    }
    for (size_t index = 0; index < text.len; index++) {
        const char *digit = memchr(digits, text.data[index], sizeof(digits) - 1);
        if (digit == NULL) {
            return false;
        }
        bits = (bits << 6) | (uint32_t)(digit - digits);
        count += 6;
        if (count >= 8) {
            count -= 8;
            uuid.bytes[length++] = (uint8_t)(bits >> count);
        }
    }
    if ((bits & ((1U << count) - 1)) != 0) {
        return false; /* bits behind the last byte */
    }
    *out_uuid = uuid;
    return true;
}
