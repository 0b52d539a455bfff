/* SPDX-License-Identifier: Apache-2.0 */
/* version: which build this is. */
#include "runner/command.h"

int fc_cmd_version(struct fc_command *command, int argc, char **argv)
{
    const struct fc_usage usage = { "version", "Print the version and the connector ABI.", NULL,
                                    0, 0 };
    char **operands = NULL;
    uint32_t count = 0;
    fc_exit exit_code = FC_EXIT_DONE;
    if (!fc_command_parse(command, &usage, argc, argv, &operands, &count, &exit_code)) {
        return (int)exit_code;
    }
    (void)fprintf(command->out, "fluvio-connect %s (connector ABI %u)\n", FC_VERSION,
                  FC_CONNECTOR_ABI);
    return FC_EXIT_DONE;
}
