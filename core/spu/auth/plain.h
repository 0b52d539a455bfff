/* SPDX-License-Identifier: Apache-2.0 */
/* SASL PLAIN's one message (RFC 4616): [authorization] NUL user NUL password. */
#ifndef FC_SPU_AUTH_PLAIN_H
#define FC_SPU_AUTH_PLAIN_H

#include "core/base/error.h"
#include "core/base/slice.h"

enum { FC_PLAIN_PASSWORD_MAX = 1024 }; /* bytes */

struct fc_plain {
    struct fc_slice user;     /* not empty, at most FC_SCRAM_USER_MAX bytes, no NUL */
    struct fc_slice password; /* not empty */
};

/* The parts borrow from the message. Errors: FC_ERR_PROTOCOL. */
FC_MUST_CHECK fc_code fc_plain_decode(struct fc_slice message, struct fc_plain *out_plain,
                                      struct fc_error *err);

#endif
