/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/partitioner.h"

#include <string.h>

uint32_t fc_murmur2(struct fc_slice bytes)
{
    const uint32_t multiplier = 0x5bd1e995;
    uint32_t hash = 0x9747b28cU ^ (uint32_t)bytes.len;
    const uint8_t *at = bytes.data;
    size_t left = bytes.len;
    while (left >= 4) {
        uint32_t word;
        memcpy(&word, at, sizeof(word));
        word *= multiplier;
        word ^= word >> 24;
        word *= multiplier;
        hash = (hash * multiplier) ^ word;
        at += 4;
        left -= 4;
    }
    if (left >= 3) {
        hash ^= (uint32_t)at[2] << 16;
    }
    if (left >= 2) {
        hash ^= (uint32_t)at[1] << 8;
    }
    if (left >= 1) {
        hash = (hash ^ at[0]) * multiplier;
    }
    hash ^= hash >> 13;
    hash *= multiplier;
    return hash ^ (hash >> 15);
}
