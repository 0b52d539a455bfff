/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an update gives its row another key: it becomes a delete and an insert then. */
#ifndef FC_RUNNER_KEY_CHANGE_H
#define FC_RUNNER_KEY_CHANGE_H

#include <stdbool.h>

#include "fc/connector.h"

/* Of an update with both images; false for tables without a key. */
bool fc_key_change_is(const struct fc_change *change);

#endif
