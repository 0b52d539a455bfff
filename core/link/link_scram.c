/* SPDX-License-Identifier: Apache-2.0 */
#include "core/link/link_scram.h"

#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "core/base/alloc.h"

enum { MESSAGE_BYTES_MAX = 4096, SALT_BYTES_MAX = 1024, MENDED = 0x020601ff };

const char *fc_link_scram_name(fc_link_scram_kind kind)
{
    return kind == FC_SCRAM_SHA_512 ? "SCRAM-SHA-512" : "SCRAM-SHA-256";
}

bool fc_link_scram_kind_of(const char *name, fc_link_scram_kind *out_kind)
{
    if (strcasecmp(name, "SCRAM-SHA-256") == 0) {
        *out_kind = FC_SCRAM_SHA_256;
        return true;
    }
    if (strcasecmp(name, "SCRAM-SHA-512") == 0) {
        *out_kind = FC_SCRAM_SHA_512;
        return true;
    }
    return false;
}

bool fc_link_scram_is_old(int version, const char *words)
{
    return strcasestr(words, "SCRAM-") != NULL && version < MENDED;
}

static const EVP_MD *digest_of(fc_link_scram_kind kind)
{
    return kind == FC_SCRAM_SHA_512 ? EVP_sha512() : EVP_sha256();
}

fc_code fc_link_scram_salted(fc_link_scram_kind kind, const char *password,
                             struct fc_slice salt, int iterations, uint8_t *out_hash,
                             size_t *out_size, struct fc_error *err)
{
    const EVP_MD *digest = digest_of(kind);
    int size = EVP_MD_get_size(digest);
    if (PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt.data, (int)salt.len, iterations,
                          digest, size, out_hash) != 1) {
        return fc_fail(err, FC_ERR_IO, "OpenSSL cannot derive a key by %s",
                       fc_link_scram_name(kind));
    }
    *out_size = (size_t)size;
    return FC_OK;
}

void fc_link_scram_init(struct fc_link_scram *scram, fc_link_scram_kind kind, const char *user,
                        const char *password)
{
    uint8_t random[FC_SCRAM_NONCE_SIZE];
    int good = RAND_bytes(random, (int)sizeof(random));
    memset(scram, 0, sizeof(*scram));
    fc_assert(good == 1); /* without randomness nothing is safe */
    scram->kind = kind;
    scram->user = user;
    scram->password = password;
    /* 24 bytes give 32 characters: fewer than the field has. */
    (void)EVP_EncodeBlock((unsigned char *)scram->nonce, random, (int)sizeof(random));
    fc_buf_init(&scram->first_bare, MESSAGE_BYTES_MAX);
}

void fc_link_scram_release(struct fc_link_scram *scram)
{
    fc_buf_release(&scram->first_bare);
    explicit_bzero(scram, sizeof(*scram));
}

/* ',' and '=' part what the name stands in. */
static void append_name(struct fc_buf *out, const char *name)
{
    for (; *name != '\0'; name++) {
        if (*name == ',') {
            fc_buf_append_text(out, "=2C");
        } else if (*name == '=') {
            fc_buf_append_text(out, "=3D");
        } else {
            fc_buf_append_u8(out, (uint8_t)*name);
        }
    }
}

void fc_link_scram_first(struct fc_link_scram *scram, struct fc_buf *out)
{
    fc_buf_clear(&scram->first_bare);
    fc_buf_append_text(&scram->first_bare, "n=");
    append_name(&scram->first_bare, scram->user);
    fc_buf_append_fmt(&scram->first_bare, ",r=%s", scram->nonce);
    fc_buf_append_text(out, "n,,");
    fc_buf_append_slice(out, fc_buf_slice(&scram->first_bare));
}

/* The value of "x=value" in a list parted by commas; null when there is none. */
static struct fc_slice attribute(struct fc_slice message, char name)
{
    size_t at = 0;
    while (at < message.len) {
        const uint8_t *comma = memchr(message.data + at, ',', message.len - at);
        size_t end = comma == NULL ? message.len : (size_t)(comma - message.data);
        if (end - at >= 2 && message.data[at] == (uint8_t)name && message.data[at + 1] == '=') {
            return fc_slice_of(message.data + at + 2, end - at - 2);
        }
        at = end + 1;
    }
    return fc_slice_null();
}

/* Strict base64 into `to`; false when it is none, or longer than size. */
static bool decode_base64(struct fc_slice text, uint8_t *to, size_t size, size_t *out_size)
{
    size_t padding = 0;
    int got;
    if (text.len == 0 || text.len % 4 != 0 || text.len / 4 * 3 > size) {
        return false;
    }
    padding += text.data[text.len - 1] == '=' ? 1 : 0;
    padding += text.data[text.len - 2] == '=' ? 1 : 0;
    got = EVP_DecodeBlock(to, text.data, (int)text.len);
    if (got < 0) {
        return false;
    }
    *out_size = (size_t)got - padding;
    return true;
}

struct server_first {
    struct fc_slice nonce;
    uint8_t salt[SALT_BYTES_MAX];
    size_t salt_size;
    int iterations;
};

static fc_code read_server_first(const struct fc_link_scram *scram, struct fc_slice message,
                                 struct server_first *first, struct fc_error *err)
{
    struct fc_slice salt = attribute(message, 's');
    struct fc_slice iterations = attribute(message, 'i');
    char digits[16] = { 0 };
    size_t own = strlen(scram->nonce);
    first->nonce = attribute(message, 'r');
    if (first->nonce.len <= own || memcmp(first->nonce.data, scram->nonce, own) != 0) {
        return fc_fail(err, FC_ERR_PROTOCOL,
                       "SCRAM: the server's nonce does not begin with ours");
    }
    if (!decode_base64(salt, first->salt, sizeof(first->salt), &first->salt_size)) {
        return fc_fail(err, FC_ERR_PROTOCOL, "SCRAM: the server's salt is no base64");
    }
    if (iterations.len == 0 || iterations.len >= sizeof(digits)) {
        return fc_fail(err, FC_ERR_PROTOCOL, "SCRAM: the server names no iterations");
    }
    memcpy(digits, iterations.data, iterations.len);
    first->iterations = (int)strtol(digits, NULL, 10);
    if (first->iterations < FC_SCRAM_ITERATIONS_MIN ||
        first->iterations > FC_SCRAM_ITERATIONS_MAX) {
        return fc_fail(err, FC_ERR_LIMIT, "SCRAM: the server asks for %s iterations", digits);
    }
    return FC_OK;
}

static bool hmac(const EVP_MD *digest, const uint8_t *key, size_t key_size,
                 struct fc_slice data, uint8_t *out)
{
    return HMAC(digest, key, (int)key_size, data.data, data.len, out, NULL) != NULL;
}

/* out_proof = ClientKey xor HMAC(H(ClientKey), message); and what the server must show. */
static bool prove(struct fc_link_scram *scram, const uint8_t *salted, size_t size,
                  struct fc_slice message, uint8_t *out_proof)
{
    const EVP_MD *digest = digest_of(scram->kind);
    uint8_t client_key[FC_SCRAM_HASH_MAX];
    uint8_t stored_key[FC_SCRAM_HASH_MAX];
    uint8_t server_key[FC_SCRAM_HASH_MAX];
    bool good = hmac(digest, salted, size, fc_slice_text("Client Key"), client_key) &&
                EVP_Digest(client_key, size, stored_key, NULL, digest, NULL) == 1 &&
                hmac(digest, stored_key, size, message, out_proof) &&
                hmac(digest, salted, size, fc_slice_text("Server Key"), server_key) &&
                hmac(digest, server_key, size, message, scram->server_signature);
    for (size_t index = 0; index < size && good; index++) {
        out_proof[index] ^= client_key[index];
    }
    scram->signature_size = size;
    explicit_bzero(client_key, sizeof(client_key));
    explicit_bzero(server_key, sizeof(server_key));
    return good;
}

fc_code fc_link_scram_final(struct fc_link_scram *scram, struct fc_slice server_first,
                            struct fc_buf *out, struct fc_error *err)
{
    struct server_first first = { 0 };
    struct fc_buf message; /* AuthMessage */
    uint8_t salted[FC_SCRAM_HASH_MAX];
    uint8_t proof[FC_SCRAM_HASH_MAX];
    char encoded[2 * FC_SCRAM_HASH_MAX];
    size_t size = 0;
    fc_code code = read_server_first(scram, server_first, &first, err);
    if (code == FC_OK) {
        code = fc_link_scram_salted(scram->kind, scram->password,
                                    fc_slice_of(first.salt, first.salt_size), first.iterations,
                                    salted, &size, err);
    }
    if (code != FC_OK) {
        return code;
    }
    fc_buf_init(&message, (size_t)4 * MESSAGE_BYTES_MAX);
    fc_buf_append_slice(&message, fc_buf_slice(&scram->first_bare));
    fc_buf_append_u8(&message, ',');
    fc_buf_append_slice(&message, server_first);
    fc_buf_append_text(&message, ",c=biws,r=");
    fc_buf_append_slice(&message, first.nonce);
    code = fc_buf_check(&message, "the server's SCRAM message", err);
    if (code == FC_OK && !prove(scram, salted, size, fc_buf_slice(&message), proof)) {
        code = fc_fail(err, FC_ERR_IO, "OpenSSL cannot compute an HMAC");
    }
    if (code == FC_OK) {
        (void)EVP_EncodeBlock((unsigned char *)encoded, proof, (int)size); /* 88 at most */
        fc_buf_append_text(out, "c=biws,r=");
        fc_buf_append_slice(out, first.nonce);
        fc_buf_append_fmt(out, ",p=%s", encoded);
        code = fc_buf_check(out, "the SCRAM message", err);
    }
    explicit_bzero(salted, sizeof(salted));
    fc_buf_release(&message);
    return code;
}

fc_code fc_link_scram_verify(const struct fc_link_scram *scram, struct fc_slice server_final,
                             struct fc_error *err)
{
    uint8_t signature[FC_SCRAM_HASH_MAX + 3];
    size_t size = 0;
    struct fc_slice failed = attribute(server_final, 'e');
    if (!fc_slice_is_null(failed)) {
        return fc_fail(err, FC_ERR_REJECTED, "SCRAM: the server says: %.*s", (int)failed.len,
                       (const char *)failed.data);
    }
    if (!decode_base64(attribute(server_final, 'v'), signature, sizeof(signature), &size) ||
        size != scram->signature_size ||
        CRYPTO_memcmp(signature, scram->server_signature, size) != 0) {
        return fc_fail(err, FC_ERR_REJECTED,
                       "SCRAM: the server does not know the password: it is not who it says");
    }
    return FC_OK;
}
