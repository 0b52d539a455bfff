/* SPDX-License-Identifier: Apache-2.0 */
/*
 * completions: a script for the shell that asks `fluvio __complete WORDS...` for what may come
 * next. So it is right for the program that is installed, extensions included. Where it knows
 * nothing, the shell offers files.
 */
#include <stdlib.h>
#include <string.h>

#include "core/cli/commands.h"

static const char BASH[] = "_fluvio() {\n"
                           "    local IFS=$'\\n'\n"
                           "    COMPREPLY=($(compgen -W \"$(fluvio __complete -- "
                           "\"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\" -- "
                           "\"${COMP_WORDS[COMP_CWORD]}\"))\n"
                           "}\n"
                           "complete -o default -F _fluvio fluvio\n";

static const char ZSH[] =
    "#compdef fluvio\n"
    "_fluvio() {\n"
    "    local -a found\n"
    "    found=(\"${(@f)$(fluvio __complete -- "
    "\"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
    "    if [[ -n $found ]]; then compadd -- $found; else _files; fi\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _fluvio ]; then _fluvio \"$@\"; else compdef "
    "_fluvio fluvio; fi\n";

static const char FISH[] =
    "function __fluvio_complete\n"
    "    set -l found (fluvio __complete -- (commandline -opc)[2..] (commandline -ct) "
    "2>/dev/null)\n"
    "    if set -q found[1]\n"
    "        string join \\n -- $found\n"
    "    else\n"
    "        __fish_complete_path (commandline -ct)\n"
    "    end\n"
    "end\n"
    "complete -c fluvio -f -a '(__fluvio_complete)'\n";

int fc_cmd_completions(struct fc_cli *cli, int argc, char **argv)
{
    const struct fc_cli_usage usage = {
        .usage = { "completions bash|zsh|fish",
                   "Print a script that completes commands and "
                   "flags in this shell.",
                   NULL, 1, 1 },
        .examples = "  source <(fluvio completions bash)\n"
                    "  fluvio completions fish > ~/.config/fish/completions/fluvio.fish",
    };
    const char *script = NULL;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    script = strcmp(cli->operands[0], "bash") == 0   ? BASH
             : strcmp(cli->operands[0], "zsh") == 0  ? ZSH
             : strcmp(cli->operands[0], "fish") == 0 ? FISH
                                                     : NULL;
    if (script == NULL) {
        return fc_cli_wrong(cli, "there are scripts for bash, zsh and fish, not for `%s`",
                            cli->operands[0]);
    }
    (void)fputs(script, cli->out);
    return FC_EXIT_DONE;
}

/* --- what may come next ------------------------------------------------------------------- */

static void print_name(void *ctx, const char *name)
{
    (void)fprintf(ctx, "%s\n", name);
}

static void print_first_words(struct fc_cli *cli)
{
    for (const struct fc_cli_command *at = fc_cli_commands; at->name != NULL; at++) {
        bool new_group = at->group != NULL && (at == fc_cli_commands || at[-1].group == NULL ||
                                               strcmp(at[-1].group, at->group) != 0);
        if (at->group == NULL && at->help != NULL) {
            print_name(cli->out, at->name);
        } else if (new_group) {
            print_name(cli->out, at->group);
        }
    }
    print_name(cli->out, "help");
    fc_cli_list_extensions(cli, print_name, cli->out);
}

/* The flags are those that the command's help lists: "  -p, --partitions N   how many". */
static void print_flags(struct fc_cli *cli, const struct fc_cli_command *command)
{
    char name[FC_CLI_NAME_SIZE];
    char help_flag[] = "--help";
    char *argv[] = { name, help_flag, NULL };
    char *text = NULL;
    size_t size = 0;
    struct fc_cli inner = *cli;
    inner.out = open_memstream(&text, &size);
    if (inner.out == NULL) {
        return; /* then nothing is completed */
    }
    inner.name = fc_cli_full_name(command, name);
    (void)command->function(&inner, 2, argv);
    (void)fclose(inner.out);
    for (char *line = text; line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n');
        char *flag = strstr(line, "--");
        if (line[0] == ' ' && flag != NULL && flag - line <= 6) {
            (void)fprintf(cli->out, "%.*s\n", (int)strcspn(flag, " \n"), flag);
        }
        line = end == NULL ? NULL : end + 1;
    }
    free(text);
}

/* argv: "__complete", "--", the words so far; the last one is being written. */
int fc_cmd_complete(struct fc_cli *cli, int argc, char **argv)
{
    const struct fc_cli_command *command;
    bool group;
    if (argc < 3) {
        return FC_EXIT_USAGE;
    }
    if (argc == 3) {
        print_first_words(cli);
        return FC_EXIT_DONE;
    }
    group = fc_cli_is_group(argv[2]);
    if (group && argc == 4) {
        for (const struct fc_cli_command *at = fc_cli_commands; at->name != NULL; at++) {
            if (at->group != NULL && strcmp(at->group, argv[2]) == 0) {
                print_name(cli->out, at->name);
            }
        }
        return FC_EXIT_DONE;
    }
    command = fc_cli_find(group ? argv[2] : NULL, group ? argv[3] : argv[2]);
    if (command != NULL && command->help != NULL && argv[argc - 1][0] == '-') {
        print_flags(cli, command);
    }
    return FC_EXIT_DONE;
}
