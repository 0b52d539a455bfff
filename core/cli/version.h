/* SPDX-License-Identifier: Apache-2.0 */
/* How new a server is, by what it can do. */
#ifndef FC_CLI_VERSION_H
#define FC_CLI_VERSION_H

#include "core/cli/settings.h"
#include "core/link/wire_client.h"

/* The Kafka release whose protocol it speaks at least: "3.9"; static. */
const char *fc_version_guess(const struct fc_wire_client *client);

#endif
