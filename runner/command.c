/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/command.h"

static const char PROGRAM[] = "fluvio-connect";

static struct fc_flag_scope scope_of(const struct fc_command *command)
{
    struct fc_flag_scope scope = { .program = PROGRAM,
                                   .command = command->name,
                                   .out = command->out,
                                   .err = command->err,
                                   .diag = command->diag };
    return scope;
}

void fc_command_tell(struct fc_command *command, const char *fmt, ...)
{
    struct fc_flag_scope scope = scope_of(command);
    va_list args;
    va_start(args, fmt);
    fc_flags_vtell(&scope, fmt, args);
    va_end(args);
}

void fc_command_release(struct fc_command *command)
{
    fc_diag_free(command->diag);
    command->diag = NULL;
}

bool fc_command_parse(struct fc_command *command, const struct fc_usage *usage, int argc,
                      char **argv, char ***out_operands, uint32_t *out_count, fc_exit *out_exit)
{
    const struct fc_flag common[] = {
        { "secrets", 0, FC_FLAG_TEXT, &command->secrets_path, "FILE",
          "NAME=value lines for ${{ secrets.NAME }}; mode 0600" },
        { "plugin-dir", 0, FC_FLAG_TEXT, &command->plugin_dir, "DIR",
          "look for connectors here first" },
        { "transforms-dir", 0, FC_FLAG_TEXT, &command->transforms_dir, "DIR",
          "where the ready-made transforms are" },
        { "quiet", 'q', FC_FLAG_BOOL, &command->quiet, NULL, "warnings and errors only" },
        { "verbose", 'v', FC_FLAG_BOOL, &command->verbose, NULL, "say more" },
        { .name = NULL },
    };
    struct fc_flag_scope scope = scope_of(command);
    scope.common = common;
    if (!fc_flags_parse(&scope, usage, argc, argv, out_operands, out_count, out_exit)) {
        return false;
    }
    if (command->quiet && command->verbose) {
        fc_command_tell(command, "%s: --quiet and --verbose exclude each other", command->name);
        *out_exit = FC_EXIT_USAGE;
        return false;
    }
    if (command->diag == NULL) {
        fc_diag_level lowest = command->quiet ? FC_DIAG_WARN : FC_DIAG_INFO;
        command->diag = fc_diag_new(command->err, command->verbose ? FC_DIAG_DEBUG : lowest);
    }
    return true;
}

bool fc_command_format(struct fc_command *command, const char *text, bool *out_json)
{
    if (text == NULL || strcmp(text, "table") == 0) {
        *out_json = false;
        return true;
    }
    if (strcmp(text, "json") == 0) {
        *out_json = true;
        return true;
    }
    fc_command_tell(command, "%s: -o must be table or json, not `%s`", command->name, text);
    return false;
}

fc_exit fc_command_fail(struct fc_command *command, const struct fc_error *err)
{
    fc_command_tell(command, "%s%s", err->message,
                    err->code == FC_ERR_CORRUPT
                        ? "; put back a copy of the log's files, or move them away and capture "
                          "anew"
                        : "");
    return fc_flags_exit(err->code);
}
