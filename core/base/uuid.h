/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UUIDs as Kafka uses them: 16 bytes, all zero means "none", and as text 22 characters of URL-safe
 * base64 without padding.
 */
#ifndef FC_BASE_UUID_H
#define FC_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/base/slice.h"

enum { FC_UUID_TEXT_LENGTH = 22, FC_UUID_TEXT_SIZE = 23 };

struct fc_uuid {
    uint8_t bytes[16];
};

static inline bool fc_uuid_equal(struct fc_uuid a, struct fc_uuid b)
{
    return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

static inline bool fc_uuid_is_zero(struct fc_uuid uuid)
{
    static const struct fc_uuid zero = { { 0 } };
    return fc_uuid_equal(uuid, zero);
}

/* A random version 4 UUID whose text does not begin with '-', so that it can stand on a command
 * line. Never zero. Thread: any; waits only before the kernel has its first entropy. */
struct fc_uuid fc_uuid_random(void);

/* Write 22 characters and a NUL. */
void fc_uuid_to_text(struct fc_uuid uuid, char out[FC_UUID_TEXT_SIZE]);

/* False, and out_uuid untouched, when the text is not what fc_uuid_to_text writes. */
bool fc_uuid_from_text(struct fc_slice text, struct fc_uuid *out_uuid);

#endif
