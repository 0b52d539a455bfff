/* SPDX-License-Identifier: Apache-2.0 */
#include "transforms/hasher.h"

#include <openssl/evp.h>

enum { BLOCK_SIZE = 64 /* of SHA-256, for HMAC (RFC 2104) */ };

void fc_hasher_release(struct fc_hasher *hasher)
{
    EVP_MD_CTX_free(hasher->context);
    EVP_MD_free(hasher->algorithm);
    hasher->context = NULL;
    hasher->algorithm = NULL;
}

static bool is_ready(struct fc_hasher *hasher)
{
    if (hasher->algorithm == NULL) {
        hasher->algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    }
    if (hasher->context == NULL) {
        hasher->context = EVP_MD_CTX_new();
    }
    return hasher->algorithm != NULL && hasher->context != NULL;
}

/* The hash of a followed by b. */
static bool hash_two(struct fc_hasher *hasher, struct fc_slice a, struct fc_slice b,
                     uint8_t out_hash[FC_SHA256_SIZE])
{
    return is_ready(hasher) &&
           EVP_DigestInit_ex2(hasher->context, hasher->algorithm, NULL) == 1 &&
           EVP_DigestUpdate(hasher->context, a.data, a.len) == 1 &&
           EVP_DigestUpdate(hasher->context, b.data, b.len) == 1 &&
           EVP_DigestFinal_ex(hasher->context, out_hash, NULL) == 1;
}

bool fc_hasher_sha256(struct fc_hasher *hasher, struct fc_slice text,
                      uint8_t out_hash[FC_SHA256_SIZE])
{
    return hash_two(hasher, text, fc_slice_of("", 0), out_hash);
}

bool fc_hasher_hmac_sha256(struct fc_hasher *hasher, struct fc_slice key, struct fc_slice text,
                           uint8_t out_hash[FC_SHA256_SIZE])
{
    uint8_t block[BLOCK_SIZE] = { 0 };
    uint8_t inner[FC_SHA256_SIZE];
    if (key.len > BLOCK_SIZE) {
        if (!fc_hasher_sha256(hasher, key, block)) {
            return false;
        }
    } else if (key.len > 0) {
        memcpy(block, key.data, key.len);
    }
    for (int index = 0; index < BLOCK_SIZE; index++) {
        block[index] ^= 0x36;
    }
    if (!hash_two(hasher, fc_slice_of(block, sizeof(block)), text, inner)) {
        return false;
    }
    for (int index = 0; index < BLOCK_SIZE; index++) {
        block[index] ^= 0x36 ^ 0x5C;
    }
    return hash_two(hasher, fc_slice_of(block, sizeof(block)),
                    fc_slice_of(inner, sizeof(inner)), out_hash);
}
