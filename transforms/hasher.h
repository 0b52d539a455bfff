/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 and HMAC-SHA-256 by OpenSSL, with what a hash needs looked up once: OpenSSL 3 takes
 * microseconds to find an algorithm by name, a hash of a short text a fraction of one.
 *
 * Thread: one.
 */
#ifndef FC_TRANSFORM_HASHER_H
#define FC_TRANSFORM_HASHER_H

#include "core/base/slice.h"

enum { FC_SHA256_SIZE = 32 };

/* Zeroed: not used yet. */
struct fc_hasher {
    struct evp_md_st *algorithm;
    struct evp_md_ctx_st *context;
};

void fc_hasher_release(struct fc_hasher *hasher);

/* False when OpenSSL fails. */
bool fc_hasher_sha256(struct fc_hasher *hasher, struct fc_slice text,
                      uint8_t out_hash[FC_SHA256_SIZE]);
bool fc_hasher_hmac_sha256(struct fc_hasher *hasher, struct fc_slice key, struct fc_slice text,
                           uint8_t out_hash[FC_SHA256_SIZE]);

#endif
