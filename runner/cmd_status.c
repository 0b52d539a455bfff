/* SPDX-License-Identifier: Apache-2.0 */
/* status: ask a running capture how it is. */
#include "runner/command.h"
#include "runner/control.h"
#include "runner/status.h"

static fc_code ask(struct fc_command *command, const char *dir, bool json, struct fc_error *err)
{
    struct fc_buf reply;
    fc_code code;
    fc_buf_init(&reply, FC_CONTROL_LINE_MAX);
    code = fc_control_call(dir, fc_slice_text("status"), &reply, err);
    if (code == FC_OK && json) {
        (void)fprintf(command->out, "%.*s\n", (int)reply.len, (const char *)reply.data);
    } else if (code == FC_OK) {
        code = fc_status_print(fc_buf_slice(&reply), command->out, err);
    }
    fc_buf_release(&reply);
    return code;
}

int fc_cmd_status(struct fc_command *command, int argc, char **argv)
{
    const char *dir = NULL;
    const char *format = NULL;
    const struct fc_flag flags[] = {
        { "dir", 'd', FC_FLAG_TEXT, &dir, "DIR", "a data directory, instead of FILE" },
        { "output", 'o', FC_FLAG_TEXT, &format, "FORMAT", "table (default) or json" },
        { .name = NULL },
    };
    const struct fc_usage usage = {
        "status [FLAGS] FILE | --dir DIR",
        "Ask the runner that captures FILE, or that has DIR open, where it is: rows,\n"
        "lag, position, log offsets, memory. Fails when none is running.",
        flags, 0, 1
    };
    struct fc_config *config = NULL;
    struct fc_error error = { 0 };
    char **operands = NULL;
    uint32_t count = 0;
    bool json = false;
    fc_exit exit_code = FC_EXIT_DONE;
    fc_code code = FC_OK;
    if (!fc_command_parse(command, &usage, argc, argv, &operands, &count, &exit_code)) {
        return (int)exit_code;
    }
    if (!fc_command_format(command, format, &json)) {
        return FC_EXIT_USAGE;
    }
    if ((count == 1) == (dir != NULL)) {
        fc_command_tell(command, "status: give either FILE or --dir DIR");
        return FC_EXIT_USAGE;
    }
    if (dir == NULL) {
        code = fc_setup_config(command, operands[0], &config, &error);
        dir = code == FC_OK ? config->state_dir : NULL;
    }
    if (code != FC_OK) {
        return (int)fc_command_fail(command, &error);
    }
    if (ask(command, dir, json, &error) != FC_OK) {
        fc_command_tell(command, "%s", error.message);
        exit_code = FC_EXIT_FAILED; /* no runner is an answer, not a wrong command */
    }
    fc_config_free(config);
    return (int)exit_code;
}
