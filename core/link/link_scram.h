/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677) from the client's side, and salted
 * passwords for a server to keep.
 *
 * Names and passwords are taken as they are: no SASLprep, as in librdkafka.
 */
#ifndef FC_LINK_SCRAM_H
#define FC_LINK_SCRAM_H

#include "core/base/buf.h"
#include "core/base/error.h"
#include "core/base/slice.h"

typedef enum fc_link_scram_kind {
    FC_SCRAM_SHA_256 = 1, /* Kafka's numbers */
    FC_SCRAM_SHA_512 = 2
} fc_link_scram_kind;

enum {
    FC_SCRAM_HASH_MAX = 64,
    FC_SCRAM_ITERATIONS_MIN = 4096,
    FC_SCRAM_ITERATIONS_MAX = 10 * 1000 * 1000, /* a server that asks for more is not served */
    FC_SCRAM_NONCE_SIZE = 24
};

/* "SCRAM-SHA-256" */
const char *fc_link_scram_name(fc_link_scram_kind kind);
/* False when it is neither. */
FC_MUST_CHECK bool fc_link_scram_kind_of(const char *name, fc_link_scram_kind *out_kind);

/* PBKDF2 of the password; out_hash has room for FC_SCRAM_HASH_MAX, *out_size of them are set. */
FC_MUST_CHECK fc_code fc_link_scram_salted(fc_link_scram_kind kind, const char *password,
                                           struct fc_slice salt, int iterations,
                                           uint8_t *out_hash, size_t *out_size,
                                           struct fc_error *err);

#define FC_LINK_SCRAM_OLD "librdkafka before 2.6.1 cannot log in by SCRAM to Kafka 4"

/* Whether a log-in by librdkafka that failed is one that it cannot do: it repeats the client's
 * nonce in SCRAM's last message, which Kafka 4 refuses as it refuses a wrong password.
 * version: rd_kafka_version(); words: the mechanism, or the reason, which names it. */
FC_MUST_CHECK bool fc_link_scram_is_old(int version, const char *words);

/* One authentication. */
struct fc_link_scram {
    fc_link_scram_kind kind;
    const char *user;     /* borrowed */
    const char *password; /* borrowed */
    char nonce[2 * FC_SCRAM_NONCE_SIZE];
    struct fc_buf first_bare;
    uint8_t server_signature[FC_SCRAM_HASH_MAX];
    size_t signature_size;
};

/* With a random nonce. */
void fc_link_scram_init(struct fc_link_scram *scram, fc_link_scram_kind kind, const char *user,
                        const char *password);
/* Wipes. */
void fc_link_scram_release(struct fc_link_scram *scram);

/* The first message, appended to out. */
void fc_link_scram_first(struct fc_link_scram *scram, struct fc_buf *out);
/* The answer to the server's first message. FC_ERR_PROTOCOL, FC_ERR_LIMIT. */
FC_MUST_CHECK fc_code fc_link_scram_final(struct fc_link_scram *scram,
                                          struct fc_slice server_first, struct fc_buf *out,
                                          struct fc_error *err);
/* That the server knows the password, too. FC_ERR_REJECTED. */
FC_MUST_CHECK fc_code fc_link_scram_verify(const struct fc_link_scram *scram,
                                           struct fc_slice server_final, struct fc_error *err);

#endif
