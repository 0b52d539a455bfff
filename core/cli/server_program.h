/* SPDX-License-Identifier: Apache-2.0 */
/* The server's program, fluvio-spu: where it is, and what it says of a file. */
#ifndef FC_CLI_SERVER_PROGRAM_H
#define FC_CLI_SERVER_PROGRAM_H

#include "core/cli/command.h"

/* The one that was given, or else beside this program, or else on PATH. NULL: nowhere. To be
 * freed. */
char *fc_server_program_find(const struct fc_cli *cli, const char *given);

/*
 * Let it read a server's file, strictly, as it does at its start.
 *
 * Errors: FC_ERR_REJECTED with what it says is wrong; FC_ERR_IO when it cannot be run.
 */
FC_MUST_CHECK fc_code fc_server_program_check(const char *program, const char *file,
                                              struct fc_error *err);

#endif
