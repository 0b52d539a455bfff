/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users in the store: key "users/NAME", and as value a line for each mechanism that the user can
 * log in with:
 *
 *   SCRAM-SHA-256 iterations=4096 salt=BASE64 stored-key=BASE64 server-key=BASE64
 *
 * PLAIN is verified by the same credentials, so that there is one list of users.
 */
#ifndef FC_SPU_AUTH_USERS_H
#define FC_SPU_AUTH_USERS_H

#include "catalog/store.h"
#include "core/spu/auth/scram.h"

#define FC_USERS_PREFIX "users/"

/* By mechanism; kind 0: the user has none of it. */
struct fc_user {
    struct fc_scram_credential sha_256;
    struct fc_scram_credential sha_512;
    int64_t revision; /* FC_STORE_ABSENT: there is no such user */
};

struct fc_scram_credential *fc_user_credential(struct fc_user *user, fc_scram_kind kind);

/* A user who does not exist has no credentials and FC_STORE_ABSENT. Errors: of the store;
 * FC_ERR_CORRUPT. */
FC_MUST_CHECK fc_code fc_users_get(struct fc_store *store, struct fc_slice name,
                                   struct fc_user *out_user, struct fc_error *err);

/* Store what the user has now; one without credentials is removed. FC_ERR_REJECTED when it was
 * changed since it was read. */
FC_MUST_CHECK fc_code fc_users_put(struct fc_store *store, struct fc_slice name,
                                   const struct fc_user *user, struct fc_error *err);

/* A new or a changed user, with this password for all mechanisms. */
FC_MUST_CHECK fc_code fc_users_set_password(struct fc_store *store, struct fc_slice name,
                                            struct fc_slice password, struct fc_error *err);

/* name is borrowed for the call, which must not use the store. */
FC_MUST_CHECK fc_code fc_users_each(struct fc_store *store,
                                    void (*on_user)(void *ctx, struct fc_slice name), void *ctx,
                                    struct fc_error *err);

/* What unknown users' salts are made of; made when the store has none. Appended to out. */
FC_MUST_CHECK fc_code fc_users_secret(struct fc_store *store, struct fc_buf *out,
                                      struct fc_error *err);

#endif
