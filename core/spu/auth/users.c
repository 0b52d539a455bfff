/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/auth/users.h"

#include <inttypes.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "core/spu/auth/base64.h"
#include "core/spu/auth/path.h"

#define SECRET_KEY "secrets/unknown-users"

enum { VALUE_MAX = 4096, SECRET_SIZE = 32, TRIES = 5, DEFAULT_ITERATIONS = 4096 };

struct fc_scram_credential *fc_user_credential(struct fc_user *user, fc_scram_kind kind)
{
    return kind == FC_SCRAM_SHA_512 ? &user->sha_512 : &user->sha_256;
}

static void append_key(struct fc_buf *key, struct fc_slice name)
{
    fc_buf_append_text(key, FC_USERS_PREFIX);
    fc_path_append(key, name);
}

/* --- a credential's line --- */

static void append_line(struct fc_buf *to, const struct fc_scram_credential *credential)
{
    size_t size = fc_scram_key_size(credential->kind);
    fc_buf_append_fmt(to, "%s iterations=%d salt=", fc_scram_name(credential->kind),
                      credential->iterations);
    fc_base64_append(to, fc_slice_of(credential->salt, credential->salt_len));
    fc_buf_append_text(to, " stored-key=");
    fc_base64_append(to, fc_slice_of(credential->stored_key, size));
    fc_buf_append_text(to, " server-key=");
    fc_base64_append(to, fc_slice_of(credential->server_key, size));
    fc_buf_append_text(to, "\n");
}

/* The value of " name=value" at the text's front, taken off. */
static struct fc_slice take_value(struct fc_slice *text, const char *name)
{
    size_t len = strlen(name);
    size_t end = len;
    struct fc_slice value;
    if (text->len < len || memcmp(text->data, name, len) != 0) {
        return fc_slice_null();
    }
    while (end < text->len && text->data[end] != ' ' && text->data[end] != '\n') {
        end++;
    }
    value = fc_slice_of(text->data + len, end - len);
    text->data += end;
    text->len -= end;
    return value;
}

static bool take_bytes(struct fc_slice *text, const char *name, uint8_t *to, size_t size,
                       size_t *out_len)
{
    struct fc_slice value = take_value(text, name);
    return value.data != NULL && fc_base64_decode(value, to, size, out_len);
}

static bool take_line(struct fc_slice *text, struct fc_user *user)
{
    struct fc_scram_credential read = { .kind = FC_SCRAM_SHA_256 };
    struct fc_slice number;
    char digits[12] = "";
    size_t stored = 0;
    size_t server = 0;
    if (take_value(text, "SCRAM-SHA-512").data != NULL) {
        read.kind = FC_SCRAM_SHA_512;
    } else if (take_value(text, "SCRAM-SHA-256").data == NULL) {
        return false;
    }
    number = take_value(text, " iterations=");
    if (number.data == NULL || number.len >= sizeof(digits)) {
        return false;
    }
    memcpy(digits, number.data, number.len);
    read.iterations = (int32_t)strtol(digits, NULL, 10);
    if (read.iterations < FC_SCRAM_ITERATIONS_MIN ||
        read.iterations > FC_SCRAM_ITERATIONS_MAX ||
        !take_bytes(text, " salt=", read.salt, sizeof(read.salt), &read.salt_len) ||
        !take_bytes(text, " stored-key=", read.stored_key, sizeof(read.stored_key), &stored) ||
        !take_bytes(text, " server-key=", read.server_key, sizeof(read.server_key), &server) ||
        stored != fc_scram_key_size(read.kind) || server != stored || text->len == 0 ||
        text->data[0] != '\n') {
        return false;
    }
    text->data++;
    text->len--;
    *fc_user_credential(user, read.kind) = read;
    return true;
}

/* --- users --- */

fc_code fc_users_get(struct fc_store *store, struct fc_slice name, struct fc_user *out_user,
                     struct fc_error *err)
{
    struct fc_buf key;
    struct fc_buf value;
    struct fc_slice rest;
    fc_code code;
    memset(out_user, 0, sizeof(*out_user));
    fc_buf_init(&key, FC_STORE_KEY_MAX);
    fc_buf_init(&value, VALUE_MAX);
    append_key(&key, name);
    code = fc_buf_check(&key, "a user's name", err);
    if (code == FC_OK) {
        code = fc_store_get(store, fc_buf_slice(&key), &value, &out_user->revision, err);
    }
    rest = fc_buf_slice(&value);
    while (code == FC_OK && rest.len > 0) {
        if (!take_line(&rest, out_user)) {
            code = fc_fail(err, FC_ERR_CORRUPT, "the store's key %.*s holds no credentials",
                           (int)key.len, (const char *)key.data);
        }
    }
    fc_buf_release(&key);
    fc_buf_release(&value);
    return code == FC_ERR_NOT_FOUND ? FC_OK : code;
}

fc_code fc_users_put(struct fc_store *store, struct fc_slice name, const struct fc_user *user,
                     struct fc_error *err)
{
    struct fc_buf key;
    struct fc_buf value;
    fc_code code;
    fc_buf_init(&key, FC_STORE_KEY_MAX);
    fc_buf_init(&value, VALUE_MAX);
    append_key(&key, name);
    if ((int)user->sha_256.kind != 0) {
        append_line(&value, &user->sha_256);
    }
    if ((int)user->sha_512.kind != 0) {
        append_line(&value, &user->sha_512);
    }
    code = fc_buf_check(&key, "a user's name", err);
    if (code == FC_OK) {
        code =
            fc_store_put(store, fc_buf_slice(&key), fc_buf_slice(&value), user->revision, err);
    }
    fc_buf_release(&key);
    fc_buf_release(&value);
    return code;
}

fc_code fc_users_set_password(struct fc_store *store, struct fc_slice name,
                              struct fc_slice password, struct fc_error *err)
{
    struct fc_user user;
    fc_code code = FC_ERR_REJECTED;
    for (int try = 0; code == FC_ERR_REJECTED && try < TRIES; try++) {
        code = fc_users_get(store, name, &user, err);
        if (code == FC_OK) {
            code = fc_scram_from_password(FC_SCRAM_SHA_256, password, DEFAULT_ITERATIONS,
                                          &user.sha_256, err);
        }
        if (code == FC_OK) {
            code = fc_scram_from_password(FC_SCRAM_SHA_512, password, DEFAULT_ITERATIONS,
                                          &user.sha_512, err);
        }
        if (code == FC_OK) {
            code = fc_users_put(store, name, &user, err);
        }
    }
    OPENSSL_cleanse(&user, sizeof(user));
    return code;
}

struct walk {
    void (*on_user)(void *ctx, struct fc_slice name);
    void *ctx;
    struct fc_buf name;
};

static void walk_entry(void *ctx, const struct fc_store_entry *entry)
{
    struct walk *walk = ctx;
    struct fc_slice path = entry->key;
    path.data += strlen(FC_USERS_PREFIX);
    path.len -= strlen(FC_USERS_PREFIX);
    fc_buf_clear(&walk->name);
    if (fc_path_take(&path, &walk->name) && path.len == 0) {
        walk->on_user(walk->ctx, fc_buf_slice(&walk->name));
    }
}

fc_code fc_users_each(struct fc_store *store, void (*on_user)(void *ctx, struct fc_slice name),
                      void *ctx, struct fc_error *err)
{
    struct walk walk = { .on_user = on_user, .ctx = ctx };
    fc_code code;
    fc_buf_init(&walk.name, FC_STORE_KEY_MAX);
    code = fc_store_range(store, FC_USERS_PREFIX, walk_entry, &walk, NULL, err);
    fc_buf_release(&walk.name);
    return code;
}

fc_code fc_users_secret(struct fc_store *store, struct fc_buf *out, struct fc_error *err)
{
    uint8_t secret[SECRET_SIZE];
    fc_code code = fc_store_get(store, fc_slice_text(SECRET_KEY), out, NULL, err);
    if (code != FC_ERR_NOT_FOUND) {
        return code;
    }
    if (RAND_bytes(secret, sizeof(secret)) != 1) {
        return fc_fail(err, FC_ERR_IO, "the system gives no random bytes");
    }
    code = fc_store_put(store, fc_slice_text(SECRET_KEY), fc_slice_of(secret, sizeof(secret)),
                        FC_STORE_ABSENT, err);
    if (code == FC_ERR_REJECTED) { /* another was faster */
        return fc_store_get(store, fc_slice_text(SECRET_KEY), out, NULL, err);
    }
    fc_buf_append(out, secret, sizeof(secret));
    return code;
}
