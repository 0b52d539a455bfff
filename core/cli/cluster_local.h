/* SPDX-License-Identifier: Apache-2.0 */
/* What the `cluster` commands share about this machine. */
#ifndef FC_CLI_CLUSTER_LOCAL_H
#define FC_CLI_CLUSTER_LOCAL_H

#include "core/cli/local.h"

/* The server's file, or what a new one would say; port (may be NULL) goes over it. */
FC_MUST_CHECK fc_code fc_cluster_local_file(const struct fc_local *local, const char *port,
                                            struct fc_local_file *out_file,
                                            struct fc_error *err);

/* All checks of the host, appended to results. */
void fc_cluster_check_host(struct fc_cli *cli, const struct fc_local *local,
                           const struct fc_local_file *file, json_t *results);

#endif
