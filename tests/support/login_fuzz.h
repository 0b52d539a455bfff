/* SPDX-License-Identifier: Apache-2.0 */
/* Nonsense for a listener with SASL, before anybody has logged in. */
#ifndef FC_TESTS_LOGIN_FUZZ_H
#define FC_TESTS_LOGIN_FUZZ_H

#include <stdbool.h>
#include <stdint.h>

struct login_fuzz {
    uint16_t port;
    uint64_t state; /* of the random numbers; not 0 */
    uint64_t tried;
};

/*
 * Some logins at once that must fail: a handshake (of a random version and mechanism), tokens
 * that are like right ones and are not, in requests or bare, and a request behind them. True when
 * each of them ended with a closed connection.
 */
bool login_fuzz_round(struct login_fuzz *fuzz);

#endif
