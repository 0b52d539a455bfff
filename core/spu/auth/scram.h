/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's half of SCRAM-SHA-256 and -512 (RFC 5802, RFC 7677), without channel binding, as
 * Kafka's clients speak it. Passwords are taken byte by byte, as Kafka does: no SASLprep.
 *
 * A server keeps of a password only what is derived from it: who steals that cannot log in with
 * it. A user who does not exist is answered with a made-up salt and fails at the end, as a wrong
 * password does.
 */
#ifndef FC_SPU_AUTH_SCRAM_H
#define FC_SPU_AUTH_SCRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/error.h"
#include "core/base/slice.h"

/* The numbers are Kafka's. */
typedef enum fc_scram_kind { FC_SCRAM_SHA_256 = 1, FC_SCRAM_SHA_512 = 2 } fc_scram_kind;

enum {
    FC_SCRAM_ITERATIONS_MIN = 4096,
    FC_SCRAM_ITERATIONS_MAX = 16384, /* as Kafka: more would cost too much to verify PLAIN by */
    FC_SCRAM_KEY_MAX = 64,
    FC_SCRAM_SALT_MAX = 128,
    FC_SCRAM_USER_MAX = 255,    /* bytes */
    FC_SCRAM_MESSAGE_MAX = 2048 /* of a client's message */
};

struct fc_scram_credential {
    fc_scram_kind kind;
    int32_t iterations;
    uint8_t salt[FC_SCRAM_SALT_MAX];
    size_t salt_len;
    uint8_t stored_key[FC_SCRAM_KEY_MAX];
    uint8_t server_key[FC_SCRAM_KEY_MAX];
};

const char *fc_scram_name(fc_scram_kind kind); /* "SCRAM-SHA-256" */
size_t fc_scram_key_size(fc_scram_kind kind);

/* From what the client computed (APIs 50 and 51). Errors: FC_ERR_CONFIG: salt or iterations are
 * not allowed, or the salted password has not the hash's size. */
FC_MUST_CHECK fc_code fc_scram_from_salted(fc_scram_kind kind, struct fc_slice salted,
                                           struct fc_slice salt, int32_t iterations,
                                           struct fc_scram_credential *out_credential,
                                           struct fc_error *err);

/* From a password, with a fresh salt. */
FC_MUST_CHECK fc_code fc_scram_from_password(fc_scram_kind kind, struct fc_slice password,
                                             int32_t iterations,
                                             struct fc_scram_credential *out_credential,
                                             struct fc_error *err);

/* Whether the credential is this password's; costs all the iterations (milliseconds). */
bool fc_scram_verify(const struct fc_scram_credential *credential, struct fc_slice password);

/*
 * What an unknown user is answered with: always the same for the same secret and user, and no
 * password fits it.
 */
void fc_scram_made_up(fc_scram_kind kind, struct fc_slice secret, struct fc_slice user,
                      struct fc_scram_credential *out_credential);

/* --- one exchange: two messages from the client, two answers --- */

struct fc_scram {
    fc_scram_kind kind;
    char user[FC_SCRAM_USER_MAX + 1]; /* after the first message */
    struct fc_scram_credential credential;
    struct fc_buf first_bare;   /* of the client's first message */
    struct fc_buf server_first; /* our answer to it */
    struct fc_buf gs2;          /* the header that the last message repeats */
    struct fc_buf nonce;        /* the client's and ours */
    size_t client_nonce_len;    /* of it */
};

void fc_scram_init(struct fc_scram *scram, fc_scram_kind kind);
void fc_scram_release(struct fc_scram *scram); /* wipes */

/*
 * Take the client's first message: afterwards scram->user is known.
 * Errors: FC_ERR_PROTOCOL (not such a message, or it asks for what is not done here).
 */
FC_MUST_CHECK fc_code fc_scram_first(struct fc_scram *scram, struct fc_slice message,
                                     struct fc_error *err);

/* Answer it, with the user's credential (copied). server_nonce: our part, printable without a
 * comma; a test's, or NULL for a random one. The answer is scram->server_first. */
void fc_scram_challenge(struct fc_scram *scram, const struct fc_scram_credential *credential,
                        const char *server_nonce);

/*
 * Take the client's last message and append the answer to it.
 * Errors: FC_ERR_PROTOCOL (not such a message), FC_ERR_REJECTED (wrong password).
 */
FC_MUST_CHECK fc_code fc_scram_final(struct fc_scram *scram, struct fc_slice message,
                                     struct fc_buf *out_answer, struct fc_error *err);

#endif
