/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/commands.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/suggest.h"

const struct fc_cli_command fc_cli_commands[] = {
    { NULL, "produce", fc_cmd_produce, "write records to a topic" },
    { NULL, "consume", fc_cmd_consume, "read records of a topic" },
    { "topic", "create", fc_cmd_topic_create, "make topics" },
    { "topic", "list", fc_cmd_topic_list, "list the topics" },
    { "topic", "describe", fc_cmd_topic_describe, "show a topic's partitions and settings" },
    { "topic", "alter", fc_cmd_topic_alter, "change settings, add partitions" },
    { "topic", "delete", fc_cmd_topic_delete, "delete topics and what they hold" },
    { "partition", "list", fc_cmd_partition_list, "leaders, offsets and sizes" },
    { "consumer", "list", fc_cmd_consumer_list, "list the consumer groups" },
    { "consumer", "describe", fc_cmd_consumer_describe, "members, offsets and lag of a group" },
    { "consumer", "reset", fc_cmd_consumer_reset, "move a group's offsets" },
    { "consumer", "delete", fc_cmd_consumer_delete, "delete groups" },
    { "acl", "list", fc_cmd_acl_list, "list who may do what" },
    { "acl", "add", fc_cmd_acl_add, "allow or deny" },
    { "acl", "delete", fc_cmd_acl_delete, "remove such rules" },
    { "user", "list", fc_cmd_user_list, "list users with SCRAM passwords" },
    { "user", "add", fc_cmd_user_add, "add a user or change the password" },
    { "user", "delete", fc_cmd_user_delete, "remove a user's password" },
    { "profile", "add", fc_cmd_profile_add, "remember how to reach a cluster" },
    { "profile", "list", fc_cmd_profile_list, "list the profiles" },
    { "profile", "switch", fc_cmd_profile_switch, "choose the profile that is used" },
    { "profile", "current", fc_cmd_profile_current, "print the chosen profile's name" },
    { "profile", "rename", fc_cmd_profile_rename, "rename a profile" },
    { "profile", "delete", fc_cmd_profile_delete, "forget a profile" },
    { "cluster", "start", fc_cmd_cluster_start, "start a cluster on this machine" },
    { "cluster", "status", fc_cmd_cluster_status, "show servers, topics and partitions" },
    { "cluster", "shutdown", fc_cmd_cluster_shutdown, "stop the cluster on this machine" },
    { "cluster", "check", fc_cmd_cluster_check, "check this machine before a start" },
    { "cluster", "diagnostics", fc_cmd_cluster_diagnostics, "collect what a bug report needs" },
    { NULL, "version", fc_cmd_version, "versions of client, library and server" },
    { NULL, "completions", fc_cmd_completions, "completion script for a shell" },
    { NULL, "__complete", fc_cmd_complete, NULL },
    { .name = NULL },
};

struct group {
    const char *name;
    const char *help;
};

static const struct group GROUPS[] = {
    { "topic", "create, list, describe, alter, delete topics" },
    { "partition", "list partitions" },
    { "consumer", "list, describe, reset, delete consumer groups" },
    { "acl", "list, add, delete access rules" },
    { "user", "list, add, delete users" },
    { "profile", "add, list, switch, current, rename, delete profiles" },
    { "cluster", "start, status, shutdown, check, diagnostics" },
};

const struct fc_cli_command *fc_cli_find(const char *group, const char *name)
{
    for (const struct fc_cli_command *at = fc_cli_commands; at->name != NULL; at++) {
        if (strcmp(at->name, name) == 0 && (at->group == NULL) == (group == NULL) &&
            (group == NULL || strcmp(at->group, group) == 0)) {
            return at;
        }
    }
    return NULL;
}

bool fc_cli_is_group(const char *name)
{
    for (size_t index = 0; index < sizeof(GROUPS) / sizeof(*GROUPS); index++) {
        if (strcmp(GROUPS[index].name, name) == 0) {
            return true;
        }
    }
    return false;
}

const char *fc_cli_full_name(const struct fc_cli_command *command, char *to)
{
    (void)snprintf(to, FC_CLI_NAME_SIZE, "%s%s%s", command->group == NULL ? "" : command->group,
                   command->group == NULL ? "" : " ", command->name);
    return to;
}

/* --- help --------------------------------------------------------------------------------- */

static void print_extension(void *ctx, const char *name)
{
    (void)fprintf(ctx, "  %-13sruns fluvio-%s\n", name, name);
}

static void print_help(const struct fc_cli *cli, FILE *to)
{
    (void)fprintf(to, "Usage: fluvio COMMAND [FLAGS] ...\n\n"
                      "Works with a cluster that speaks the Kafka protocol: ours, and Apache\n"
                      "Kafka.\n\nCommands:\n");
    for (const struct fc_cli_command *at = fc_cli_commands; at->name != NULL; at++) {
        if (at->group == NULL && at->help != NULL) {
            (void)fprintf(to, "  %-13s%s\n", at->name, at->help);
        }
        if (strcmp(at->name, "consume") == 0) {
            for (size_t index = 0; index < sizeof(GROUPS) / sizeof(*GROUPS); index++) {
                (void)fprintf(to, "  %-13s%s\n", GROUPS[index].name, GROUPS[index].help);
            }
        }
    }
    (void)fprintf(to, "  %-13s%s\n", "help", "this text, or that of a command");
    fc_cli_list_extensions(cli, print_extension, to);
    (void)fprintf(
        to,
        "\nThe cluster is the current profile's (fluvio profile list), or that of --profile\n"
        "NAME, $FLUVIO_PROFILE or --cluster HOST:PORT.\n\n"
        "fluvio COMMAND --help tells more, with examples. Exit codes: 0 done, 1 failed,\n"
        "2 wrong usage, 3 refused for safety.\n");
}

static void print_group_help(const char *group, FILE *to)
{
    (void)fprintf(to, "Usage: fluvio %s COMMAND [FLAGS] ...\n\nCommands:\n", group);
    for (const struct fc_cli_command *at = fc_cli_commands; at->name != NULL; at++) {
        if (at->group != NULL && strcmp(at->group, group) == 0) {
            (void)fprintf(to, "  %-13s%s\n", at->name, at->help);
        }
    }
    (void)fprintf(to, "\nfluvio %s COMMAND --help tells more, with examples.\n", group);
}

/* --- finding ------------------------------------------------------------------------------ */

struct names {
    char text[1024]; /* names one after the other; the suggestion points into it */
    size_t used;
    struct fc_suggest *suggest;
};

static void keep_extension(void *ctx, const char *name)
{
    struct names *names = ctx;
    size_t size = strlen(name) + 1;
    if (names->used + size <= sizeof(names->text)) {
        memcpy(names->text + names->used, name, size);
        fc_suggest_offer(names->suggest, names->text + names->used);
        names->used += size;
    }
}

static int unknown(struct fc_cli *cli, const char *group, const char *name)
{
    struct fc_suggest suggest;
    struct names names = { .used = 0, .suggest = &suggest };
    char hint[FC_SUGGEST_TEXT_SIZE];
    if (*name == '-') {
        fc_cli_tell(
            cli, "`%s` stands before the command, flags come after it: fluvio %s%sCOMMAND %s",
            name, group == NULL ? "" : group, group == NULL ? "" : " ", name);
        return FC_EXIT_USAGE;
    }
    fc_suggest_init(&suggest, name);
    for (const struct fc_cli_command *at = fc_cli_commands; at->name != NULL; at++) {
        bool same = group == NULL ? at->group == NULL && at->help != NULL
                                  : at->group != NULL && strcmp(at->group, group) == 0;
        if (same) {
            fc_suggest_offer(&suggest, at->name);
        }
    }
    if (group == NULL) {
        for (size_t index = 0; index < sizeof(GROUPS) / sizeof(*GROUPS); index++) {
            fc_suggest_offer(&suggest, GROUPS[index].name);
        }
        fc_suggest_offer(&suggest, "help");
        fc_cli_list_extensions(cli, keep_extension, &names);
    }
    fc_cli_tell(cli, "unknown command `%s%s%s`%s (fluvio%s%s --help lists them)",
                group == NULL ? "" : group, group == NULL ? "" : " ", name,
                fc_suggest_text(&suggest, hint), group == NULL ? "" : " ",
                group == NULL ? "" : group);
    return FC_EXIT_USAGE;
}

static bool is_help(const char *word)
{
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int run(struct fc_cli *cli, const struct fc_cli_command *command, int argc, char **argv)
{
    char name[FC_CLI_NAME_SIZE];
    cli->name = fc_cli_full_name(command, name);
    return command->function(cli, argc, argv);
}

/* argv[0] is the group. */
static int dispatch_group(struct fc_cli *cli, int argc, char **argv)
{
    const struct fc_cli_command *command;
    if (argc == 1) {
        print_group_help(argv[0], cli->err);
        return FC_EXIT_USAGE;
    }
    if (is_help(argv[1]) && argc == 2) {
        print_group_help(argv[0], cli->out);
        return FC_EXIT_DONE;
    }
    command = fc_cli_find(argv[0], argv[1]);
    return command == NULL ? unknown(cli, argv[0], argv[1])
                           : run(cli, command, argc - 1, argv + 1);
}

/* argv[0] is the first word. */
static int dispatch_word(struct fc_cli *cli, int argc, char **argv)
{
    const struct fc_cli_command *command = fc_cli_find(NULL, argv[0]);
    if (command != NULL) {
        return run(cli, command, argc, argv);
    }
    if (fc_cli_is_group(argv[0])) {
        return dispatch_group(cli, argc, argv);
    }
    if (argv[0][0] != '-' && fc_cli_run_extension(cli, argv[0], argv)) {
        return FC_EXIT_FAILED; /* found, but it could not be run; told */
    }
    return unknown(cli, NULL, argv[0]);
}

int fc_cli_dispatch(struct fc_cli *cli, int argc, char **argv)
{
    char help_flag[] = "--help";
    char version_word[] = "version";
    char *words[4] = { NULL };
    if (argc < 2) {
        print_help(cli, cli->err);
        return FC_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        argv[1] = version_word;
    }
    if (!is_help(argv[1])) {
        return dispatch_word(cli, argc - 1, argv + 1);
    }
    if (argc == 2) {
        print_help(cli, cli->out);
        return FC_EXIT_DONE;
    }
    /* "help topic create" is "topic create --help". */
    words[0] = argv[2];
    words[1] = argc > 3 ? argv[3] : help_flag;
    words[2] = argc > 3 ? help_flag : NULL;
    return dispatch_word(cli, argc > 3 ? 3 : 2, words);
}
