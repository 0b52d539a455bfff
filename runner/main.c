/* SPDX-License-Identifier: Apache-2.0 */
/* fluvio-connect: finds the command and gives it what it needs of the process. */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/standard_fds.h"
#include "core/base/suggest.h"
#include "runner/command.h"

struct entry {
    const char *name;
    int (*function)(struct fc_command *command, int argc, char **argv);
    const char *help;
};

static const struct entry COMMANDS[] = {
    { "run", fc_cmd_run, "capture a database into the log" },
    { "check", fc_cmd_check, "look before a run: server, grants, disk, files" },
    { "restore", fc_cmd_restore, "bring tables back as they were at a point of their history" },
    { "verify", fc_cmd_verify, "compare tables with the log, name the rows that differ" },
    { "transform", fc_cmd_transform, "try transforms on changes from a file" },
    { "plugins", fc_cmd_plugins, "list connectors and their options" },
    { "status", fc_cmd_status, "ask a running capture how it is" },
    { "version", fc_cmd_version, "print the version" },
};

enum { COMMAND_COUNT = sizeof(COMMANDS) / sizeof(*COMMANDS) };

static void print_help(FILE *to)
{
    (void)fprintf(to,
                  "Usage: fluvio-connect COMMAND [FLAGS] ...\n\n"
                  "Captures every change of a database into a durable log, and brings tables\n"
                  "back from it.\n\nCommands:\n");
    for (size_t index = 0; index < COMMAND_COUNT; index++) {
        (void)fprintf(to, "  %-12s%s\n", COMMANDS[index].name, COMMANDS[index].help);
    }
    (void)fprintf(
        to, "  %-12s%s\n\n%s\n", "help", "this text, or that of a command",
        "fluvio-connect COMMAND --help tells more. Exit codes: 0 done, 1 failed, 2 wrong\n"
        "usage or file, 3 refused for safety.");
}

static const struct entry *find(const char *name)
{
    for (size_t index = 0; index < COMMAND_COUNT; index++) {
        if (strcmp(COMMANDS[index].name, name) == 0) {
            return &COMMANDS[index];
        }
    }
    return NULL;
}

static int unknown(struct fc_command *command, const char *name)
{
    struct fc_suggest suggest;
    char hint[FC_SUGGEST_TEXT_SIZE];
    fc_suggest_init(&suggest, name);
    fc_suggest_offer(&suggest, "help");
    for (size_t index = 0; index < COMMAND_COUNT; index++) {
        fc_suggest_offer(&suggest, COMMANDS[index].name);
    }
    fc_command_tell(command, "unknown command `%s`%s (fluvio-connect help lists them)", name,
                    fc_suggest_text(&suggest, hint));
    return FC_EXIT_USAGE;
}

static int dispatch(struct fc_command *command, int argc, char **argv)
{
    char help_flag[] = "--help";
    const char *name = argc > 1 ? argv[1] : "";
    bool is_help =
        strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    const struct entry *entry;
    if (strcmp(name, "--version") == 0) {
        name = "version";
    }
    if (*name == '\0') {
        print_help(command->err);
        return FC_EXIT_USAGE;
    }
    if (is_help && argc == 2) {
        print_help(command->out);
        return FC_EXIT_DONE;
    }
    entry = find(is_help ? argv[2] : name);
    if (entry == NULL) {
        return unknown(command, is_help ? argv[2] : name);
    }
    command->name = entry->name;
    if (is_help) {
        char *help_argv[] = { argv[2], help_flag, NULL };
        return entry->function(command, 2, help_argv);
    }
    return entry->function(command, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    struct fc_command command = { .clock = fc_clock_system(), .out = stdout, .err = stderr };
    char exe[PATH_MAX] = { 0 };
    char *slash;
    int exit_code;
    fc_standard_fds_keep();
    if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0) {
        exe[0] = '\0'; /* without /proc, connectors are found by flag or environment */
    }
    slash = strrchr(exe, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    command.exe_dir = exe[0] == '\0' ? NULL : exe;
    command.plugin_path_list =
        getenv("FLUVIO_CONNECT_PLUGINS"); /* NOLINT(concurrency-mt-unsafe): one thread yet */
    (void)signal(SIGPIPE, SIG_IGN); /* a write to a closed peer is an error, not the end */
    exit_code = dispatch(&command, argc, argv);
    fc_command_release(&command);
    if (fflush(stdout) != 0 && exit_code == FC_EXIT_DONE) {
        (void)fprintf(stderr, "fluvio-connect: stdout: the results could not be written\n");
        exit_code = FC_EXIT_FAILED;
    }
    return exit_code;
}
