/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/auth/scram.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "core/base/alloc.h"
#include "core/spu/auth/base64.h"

enum { SALT_SIZE = 24, NONCE_SIZE = 18, ANSWER_MAX = 4096 };

const char *fc_scram_name(fc_scram_kind kind)
{
    return kind == FC_SCRAM_SHA_512 ? "SCRAM-SHA-512" : "SCRAM-SHA-256";
}

size_t fc_scram_key_size(fc_scram_kind kind)
{
    return kind == FC_SCRAM_SHA_512 ? 64 : 32;
}

/* --- keys; OpenSSL fails here only when memory is gone --- */

static const EVP_MD *digest_of(fc_scram_kind kind)
{
    return kind == FC_SCRAM_SHA_512 ? EVP_sha512() : EVP_sha256();
}

static void hmac(fc_scram_kind kind, struct fc_slice key, struct fc_slice text,
                 uint8_t out[FC_SCRAM_KEY_MAX])
{
    unsigned size = 0;
    fc_assert(HMAC(digest_of(kind), key.data, (int)key.len, text.data, text.len, out, &size) !=
              NULL);
}

static void hash(fc_scram_kind kind, const uint8_t *key, uint8_t out[FC_SCRAM_KEY_MAX])
{
    fc_assert(EVP_Digest(key, fc_scram_key_size(kind), out, NULL, digest_of(kind), NULL) == 1);
}

/* StoredKey and ServerKey of a salted password (RFC 5802 section 3). */
static void derive(fc_scram_kind kind, struct fc_slice salted,
                   struct fc_scram_credential *credential)
{
    uint8_t client_key[FC_SCRAM_KEY_MAX];
    hmac(kind, salted, fc_slice_text("Client Key"), client_key);
    hash(kind, client_key, credential->stored_key);
    hmac(kind, salted, fc_slice_text("Server Key"), credential->server_key);
    OPENSSL_cleanse(client_key, sizeof(client_key));
}

static void salt_password(const struct fc_scram_credential *credential,
                          struct fc_slice password, uint8_t out[FC_SCRAM_KEY_MAX])
{
    fc_assert(PKCS5_PBKDF2_HMAC((const char *)password.data, (int)password.len,
                                credential->salt, (int)credential->salt_len,
                                credential->iterations, digest_of(credential->kind),
                                (int)fc_scram_key_size(credential->kind), out) == 1);
}

static fc_code check_iterations(int32_t iterations, struct fc_error *err)
{
    if (iterations < FC_SCRAM_ITERATIONS_MIN || iterations > FC_SCRAM_ITERATIONS_MAX) {
        return fc_fail(err, FC_ERR_CONFIG, "iterations are %d to %d, not %d",
                       FC_SCRAM_ITERATIONS_MIN, FC_SCRAM_ITERATIONS_MAX, iterations);
    }
    return FC_OK;
}

fc_code fc_scram_from_salted(fc_scram_kind kind, struct fc_slice salted, struct fc_slice salt,
                             int32_t iterations, struct fc_scram_credential *out_credential,
                             struct fc_error *err)
{
    fc_code code = check_iterations(iterations, err);
    if (code != FC_OK) {
        return code;
    }
    if (salt.len == 0 || salt.len > FC_SCRAM_SALT_MAX) {
        return fc_fail(err, FC_ERR_CONFIG, "a salt has 1 to %d bytes", FC_SCRAM_SALT_MAX);
    }
    if (salted.len != fc_scram_key_size(kind)) {
        return fc_fail(err, FC_ERR_CONFIG, "a salted password of %s has %zu bytes",
                       fc_scram_name(kind), fc_scram_key_size(kind));
    }
    memset(out_credential, 0, sizeof(*out_credential));
    out_credential->kind = kind;
    out_credential->iterations = iterations;
    memcpy(out_credential->salt, salt.data, salt.len);
    out_credential->salt_len = salt.len;
    derive(kind, salted, out_credential);
    return FC_OK;
}

fc_code fc_scram_from_password(fc_scram_kind kind, struct fc_slice password, int32_t iterations,
                               struct fc_scram_credential *out_credential, struct fc_error *err)
{
    uint8_t salted[FC_SCRAM_KEY_MAX];
    fc_code code = check_iterations(iterations, err);
    if (code != FC_OK) {
        return code;
    }
    memset(out_credential, 0, sizeof(*out_credential));
    out_credential->kind = kind;
    out_credential->iterations = iterations;
    out_credential->salt_len = SALT_SIZE;
    if (RAND_bytes(out_credential->salt, SALT_SIZE) != 1) {
        return fc_fail(err, FC_ERR_IO, "the system gives no random bytes");
    }
    salt_password(out_credential, password, salted);
    derive(kind, fc_slice_of(salted, fc_scram_key_size(kind)), out_credential);
    OPENSSL_cleanse(salted, sizeof(salted));
    return FC_OK;
}

bool fc_scram_verify(const struct fc_scram_credential *credential, struct fc_slice password)
{
    struct fc_scram_credential derived = *credential;
    uint8_t salted[FC_SCRAM_KEY_MAX];
    size_t size = fc_scram_key_size(credential->kind);
    salt_password(credential, password, salted);
    derive(credential->kind, fc_slice_of(salted, size), &derived);
    OPENSSL_cleanse(salted, sizeof(salted));
    return CRYPTO_memcmp(derived.stored_key, credential->stored_key, size) == 0;
}

void fc_scram_made_up(fc_scram_kind kind, struct fc_slice secret, struct fc_slice user,
                      struct fc_scram_credential *out_credential)
{
    uint8_t made[FC_SCRAM_KEY_MAX];
    memset(out_credential, 0, sizeof(*out_credential));
    out_credential->kind = kind;
    out_credential->iterations = FC_SCRAM_ITERATIONS_MIN;
    out_credential->salt_len = SALT_SIZE;
    hmac(FC_SCRAM_SHA_512, secret, user, made);
    memcpy(out_credential->salt, made, SALT_SIZE);
    /* Keys that nobody knows what they are hashes of. */
    hmac(FC_SCRAM_SHA_512, secret, fc_slice_of(made, sizeof(made)), out_credential->stored_key);
    hmac(FC_SCRAM_SHA_512, secret, fc_slice_of(out_credential->stored_key, sizeof(made)),
         out_credential->server_key);
}

/* --- messages --- */

void fc_scram_init(struct fc_scram *scram, fc_scram_kind kind)
{
    memset(scram, 0, sizeof(*scram));
    scram->kind = kind;
    fc_buf_init(&scram->first_bare, FC_SCRAM_MESSAGE_MAX);
    fc_buf_init(&scram->server_first, ANSWER_MAX);
    fc_buf_init(&scram->gs2, FC_SCRAM_MESSAGE_MAX);
    fc_buf_init(&scram->nonce, ANSWER_MAX);
}

void fc_scram_release(struct fc_scram *scram)
{
    fc_buf_release(&scram->first_bare);
    fc_buf_release(&scram->server_first);
    fc_buf_release(&scram->gs2);
    fc_buf_release(&scram->nonce);
    OPENSSL_cleanse(scram, sizeof(*scram));
}

/* What stands before the next comma; the comma is passed over. */
static struct fc_slice next_part(struct fc_slice *rest)
{
    const uint8_t *comma = rest->len == 0 ? NULL : memchr(rest->data, ',', rest->len);
    struct fc_slice part = *rest;
    if (comma == NULL) {
        rest->data += rest->len;
        rest->len = 0;
    } else {
        part.len = (size_t)(comma - rest->data);
        rest->data += part.len + 1;
        rest->len -= part.len + 1;
    }
    return part;
}

/* The value of "x=value"; false when the part is not that. */
static bool attribute(struct fc_slice part, char name, struct fc_slice *out_value)
{
    if (part.len < 2 || part.data[0] != (uint8_t)name || part.data[1] != '=') {
        return false;
    }
    *out_value = fc_slice_of(part.data + 2, part.len - 2);
    return true;
}

/* A name in which =2C stands for a comma and =3D for an equals sign. */
static bool unescape(struct fc_slice name, char out[FC_SCRAM_USER_MAX + 1])
{
    size_t len = 0;
    for (size_t at = 0; at < name.len; at++) {
        char letter = (char)name.data[at];
        if (letter == '=') {
            bool comma = name.len - at >= 3 && memcmp(name.data + at, "=2C", 3) == 0;
            if (!comma && (name.len - at < 3 || memcmp(name.data + at, "=3D", 3) != 0)) {
                return false;
            }
            letter = comma ? ',' : '=';
            at += 2;
        }
        if (letter == '\0' || len == FC_SCRAM_USER_MAX) {
            return false;
        }
        out[len++] = letter;
    }
    out[len] = '\0';
    return len > 0;
}

static bool is_printable(struct fc_slice text)
{
    for (size_t index = 0; index < text.len; index++) {
        if (text.data[index] < 0x21 || text.data[index] > 0x7e) {
            return false;
        }
    }
    return text.len > 0;
}

static fc_code not_a_message(struct fc_error *err, const char *why)
{
    return fc_fail(err, FC_ERR_PROTOCOL, "not a SCRAM message: %s", why);
}

fc_code fc_scram_first(struct fc_scram *scram, struct fc_slice message, struct fc_error *err)
{
    char authorized[FC_SCRAM_USER_MAX + 1] = "";
    struct fc_slice rest = message;
    struct fc_slice binding;
    struct fc_slice identity;
    struct fc_slice value;
    if (message.data == NULL || message.len > FC_SCRAM_MESSAGE_MAX) {
        return not_a_message(err, "empty or too long");
    }
    binding = next_part(&rest);
    identity = next_part(&rest);
    if (!fc_slice_equal_text(binding, "n") && !fc_slice_equal_text(binding, "y")) {
        return not_a_message(err, "channel binding is not done here");
    }
    if (identity.len > 0 &&
        (!attribute(identity, 'a', &value) || !unescape(value, authorized))) {
        return not_a_message(err, "bad authorization identity");
    }
    fc_buf_append(&scram->gs2, message.data, (size_t)(rest.data - message.data));
    fc_buf_append_slice(&scram->first_bare, rest);
    if (!attribute(next_part(&rest), 'n', &value) || !unescape(value, scram->user)) {
        return not_a_message(err, "bad user name");
    }
    if (authorized[0] != '\0' && strcmp(authorized, scram->user) != 0) {
        return not_a_message(err, "acting for another user is not done here");
    }
    if (!attribute(next_part(&rest), 'r', &value) || !is_printable(value)) {
        return not_a_message(err, "bad nonce");
    }
    fc_buf_append_slice(&scram->nonce, value);
    scram->client_nonce_len = value.len;
    if (rest.len > 0) {
        return not_a_message(err, "extensions (delegation tokens) are not done here");
    }
    return FC_OK;
}

void fc_scram_challenge(struct fc_scram *scram, const struct fc_scram_credential *credential,
                        const char *server_nonce)
{
    uint8_t random[NONCE_SIZE];
    scram->credential = *credential;
    if (server_nonce != NULL) {
        fc_buf_append_text(&scram->nonce, server_nonce);
    } else {
        fc_assert(RAND_bytes(random, sizeof(random)) == 1);
        fc_base64_append(&scram->nonce, fc_slice_of(random, sizeof(random)));
    }
    fc_assert(scram->nonce.data != NULL && !scram->nonce.failed); /* the client's is bounded */
    fc_buf_append_text(&scram->server_first, "r=");
    fc_buf_append_slice(&scram->server_first, fc_buf_slice(&scram->nonce));
    fc_buf_append_text(&scram->server_first, ",s=");
    fc_base64_append(&scram->server_first, fc_slice_of(credential->salt, credential->salt_len));
    fc_buf_append_text(&scram->server_first, ",i=");
    fc_buf_append_i64(&scram->server_first, credential->iterations);
    fc_assert(!scram->server_first.failed); /* its parts are bounded */
}

/* Whether the proof is that of who knows ClientKey; and the server's signature. */
static bool check_proof(const struct fc_scram *scram, struct fc_slice without_proof,
                        const uint8_t proof[FC_SCRAM_KEY_MAX],
                        uint8_t out_signature[FC_SCRAM_KEY_MAX])
{
    const size_t size = fc_scram_key_size(scram->kind);
    uint8_t signature[FC_SCRAM_KEY_MAX];
    uint8_t client_key[FC_SCRAM_KEY_MAX];
    uint8_t stored_key[FC_SCRAM_KEY_MAX];
    struct fc_buf text;
    fc_buf_init(&text, 4 * (size_t)ANSWER_MAX);
    fc_buf_append_slice(&text, fc_buf_slice(&scram->first_bare));
    fc_buf_append_u8(&text, ',');
    fc_buf_append_slice(&text, fc_buf_slice(&scram->server_first));
    fc_buf_append_u8(&text, ',');
    fc_buf_append_slice(&text, without_proof);
    fc_assert(!text.failed);
    hmac(scram->kind, fc_slice_of(scram->credential.stored_key, size), fc_buf_slice(&text),
         signature);
    for (size_t index = 0; index < size; index++) {
        client_key[index] = proof[index] ^ signature[index];
    }
    hash(scram->kind, client_key, stored_key);
    hmac(scram->kind, fc_slice_of(scram->credential.server_key, size), fc_buf_slice(&text),
         out_signature);
    fc_buf_release(&text);
    OPENSSL_cleanse(client_key, sizeof(client_key));
    return CRYPTO_memcmp(stored_key, scram->credential.stored_key, size) == 0;
}

/* librdkafka before 2.6.1 repeats its part of the nonce: it stands there twice. */
static bool nonce_is_right(const struct fc_scram *scram, struct fc_slice nonce)
{
    struct fc_slice expected = fc_buf_slice(&scram->nonce);
    size_t own = scram->client_nonce_len;
    if (nonce.len == expected.len + own && memcmp(nonce.data, expected.data, own) == 0) {
        nonce = fc_slice_of(nonce.data + own, nonce.len - own);
    }
    return fc_slice_equal(nonce, expected);
}

fc_code fc_scram_final(struct fc_scram *scram, struct fc_slice message,
                       struct fc_buf *out_answer, struct fc_error *err)
{
    const size_t size = fc_scram_key_size(scram->kind);
    uint8_t bytes[FC_SCRAM_MESSAGE_MAX];
    uint8_t signature[FC_SCRAM_KEY_MAX];
    struct fc_slice rest = message;
    struct fc_slice value;
    struct fc_slice part;
    size_t len = 0;
    if (message.data == NULL || message.len > FC_SCRAM_MESSAGE_MAX) {
        return not_a_message(err, "empty or too long");
    }
    if (!attribute(next_part(&rest), 'c', &value) ||
        !fc_base64_decode(value, bytes, sizeof(bytes), &len) ||
        !fc_slice_equal(fc_slice_of(bytes, len), fc_buf_slice(&scram->gs2))) {
        return not_a_message(err, "bad channel binding");
    }
    if (!attribute(next_part(&rest), 'r', &value) || !nonce_is_right(scram, value)) {
        return not_a_message(err, "bad nonce");
    }
    part = next_part(&rest);
    if (rest.len > 0 || !attribute(part, 'p', &value) ||
        !fc_base64_decode(value, bytes, sizeof(bytes), &len) || len != size) {
        return not_a_message(err, "bad proof");
    }
    if (!check_proof(scram, fc_slice_of(message.data, (size_t)(part.data - message.data) - 1),
                     bytes, signature)) {
        return fc_fail(err, FC_ERR_REJECTED, "wrong user or password");
    }
    fc_buf_append_text(out_answer, "v=");
    fc_base64_append(out_answer, fc_slice_of(signature, size));
    return fc_buf_check(out_answer, "an answer", err);
}
