/* SPDX-License-Identifier: Apache-2.0 */
/* Who is answered what by each API of an SPU with ACLs; its users are described in
 * tests/integration/spu_access.c. */
#ifndef FC_TESTS_ACCESS_TABLE_H
#define FC_TESTS_ACCESS_TABLE_H

#include "core/base/kafka_error.h"
#include "tests/support/api_request.h"

enum {
    TOPIC = FC_KAFKA_TOPIC_AUTHORIZATION_FAILED,
    GROUP = FC_KAFKA_GROUP_AUTHORIZATION_FAILED,
    CLUSTER = FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED,
    TXN = FC_KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    YES = 0,      /* no refusal in the answer */
    FILTERED = -2 /* neither refused nor told anything */
};

/* What each user is answered. An admin may do everything. */
struct expected {
    int16_t key;
    int16_t nobody;
    int16_t half;
    int16_t user;
};

/* NULL: nobody has said yet. */
const struct expected *expected_of(int16_t key);

/* Any of the refusals. */
bool is_refusal(int16_t error);

/* Logging in, which is tested by logging in. */
static inline bool is_login(int16_t key)
{
    return key == 17 || key == 36; /* SaslHandshake, SaslAuthenticate */
}

/* Another way to ask for the same: how the request is changed. */
struct way {
    int16_t key;
    const char *user;
    int16_t wanted;
    void (*change)(void *message, const struct api_names *there,
                   const struct api_names *absent);
};

/* The next one, NULL after the last. */
const struct way *way_at(size_t index);

#endif
