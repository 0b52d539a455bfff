/* SPDX-License-Identifier: Apache-2.0 */
/* Every command of `fluvio`, by its words; each is in its own cmd_<words>.c. */
#ifndef FC_CLI_COMMANDS_H
#define FC_CLI_COMMANDS_H

#include "core/cli/command.h"

struct fc_cli_command {
    const char *group; /* "topic"; NULL: the command is one word */
    const char *name;  /* "create" */
    int (*function)(struct fc_cli *cli, int argc, char **argv);
    const char *help; /* one line */
};

/* Ends with an entry whose name is NULL; those of a group stand together. */
extern const struct fc_cli_command fc_cli_commands[];

/* NULL when there is none. group may be NULL. */
const struct fc_cli_command *fc_cli_find(const char *group, const char *name);
bool fc_cli_is_group(const char *name);
/* "topic create" into `to`; returns `to`. */
enum { FC_CLI_NAME_SIZE = 40 };
const char *fc_cli_full_name(const struct fc_cli_command *command, char *to);

/* Run the command that the words name: argv[0] is the program. Returns the exit code. */
int fc_cli_dispatch(struct fc_cli *cli, int argc, char **argv);

/*
 * A program `fluvio-x` on PATH is `fluvio x`: replaces this process by it and does not return,
 * unless there is none (false).
 */
bool fc_cli_run_extension(struct fc_cli *cli, const char *name, char **argv);
/* Call on_name for each such program, once each, sorted. */
void fc_cli_list_extensions(const struct fc_cli *cli,
                            void (*on_name)(void *ctx, const char *name), void *ctx);

int fc_cmd_topic_create(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_topic_list(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_topic_describe(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_topic_alter(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_topic_delete(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_produce(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_consume(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_partition_list(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_consumer_list(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_consumer_describe(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_consumer_reset(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_consumer_delete(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_acl_list(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_acl_add(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_acl_delete(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_user_list(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_user_add(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_user_delete(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_profile_add(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_profile_list(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_profile_switch(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_profile_current(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_profile_rename(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_profile_delete(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_cluster_start(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_cluster_status(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_cluster_shutdown(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_cluster_check(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_cluster_diagnostics(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_version(struct fc_cli *cli, int argc, char **argv);
int fc_cmd_completions(struct fc_cli *cli, int argc, char **argv);
/* What the completion scripts ask: the words that may follow those given, one a line. */
int fc_cmd_complete(struct fc_cli *cli, int argc, char **argv);

#endif
