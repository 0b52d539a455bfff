/* SPDX-License-Identifier: Apache-2.0 */
/* One request of a user, and whether it was answered as it must be. */
#ifndef FC_TESTS_ACCESS_ASK_H
#define FC_TESTS_ACCESS_ASK_H

#include "core/base/buf.h"
#include "tests/support/access_table.h"

struct access_asker {
    int fd;                        /* logged in */
    const struct api_names *there; /* what no answer may tell that was not asked for it */
};

struct access_counts {
    int16_t wanted; /* set before */
    int wanted_count;
    int refusals; /* of any kind */
    int others;   /* errors and successes that are not the one that was wanted */
    int16_t first_error;
};

/* For api_response_errors: counts. */
void access_count(void *counts, int16_t error);

/* Ask; whether the answer is the expected one (access_table.h). The reply is left to the caller; what
 * is wrong is printed. */
bool access_ask(const struct access_asker *asker, const struct fc_wire_api *api,
                int16_t version, const struct api_names *names, int16_t wanted,
                struct fc_buf *reply);

/* The same with a message of the caller's. */
bool access_ask_with(const struct access_asker *asker, const struct fc_wire_api *api,
                     int16_t version, const struct api_names *names, const void *message,
                     int16_t wanted, struct fc_buf *reply);

#endif
