/* SPDX-License-Identifier: Apache-2.0 */
/* How connections say who they are: by SASL (SaslHandshake and SaslAuthenticate), or by their
 * certificate. */
#ifndef FC_SPU_SASL_H
#define FC_SPU_SASL_H

#include "core/spu/spu_state.h"

/* The server's on_connection: the principal of a certificate; ctx is the SPU. */
void fc_sasl_on_connection(void *ctx, struct fc_connection *connection);

/* Whether the time is over for which the connection was authenticated. Loop thread. */
bool fc_sasl_is_over(const struct fc_request *request);

/* "PLAIN" and its kin, by the bit; NULL after the last. */
const char *fc_sasl_mechanism(size_t index, unsigned *out_bit);

/* A message of SASL that came bare, after version 0 of SaslHandshake. Loop thread. */
void fc_sasl_on_token(struct fc_spu *spu, struct fc_request *request);

#endif
