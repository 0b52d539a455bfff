/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands of fluvio-connect share: flags, exit codes, telling errors.
 *
 * Results go to stdout, everything else to stderr. main builds one struct fc_command and passes
 * it down; there is no other state.
 */
#ifndef FC_RUNNER_COMMAND_H
#define FC_RUNNER_COMMAND_H

#include "core/base/clock.h"
#include "core/base/diag.h"
#include "core/base/flags.h"
#include "runner/setup.h"

struct fc_command {
    const char *name;             /* "run" */
    const char *exe_dir;          /* directory of this program */
    const char *plugin_path_list; /* $FLUVIO_CONNECT_PLUGINS or NULL */
    const struct fc_clock *clock;
    FILE *out;            /* results */
    FILE *err;            /* diagnostics */
    struct fc_diag *diag; /* NULL until fc_command_parse */

    /* The flags that every command has; set by fc_command_parse. */
    const char *plugin_dir;
    const char *transforms_dir;
    const char *secrets_path;
    bool quiet;
    bool verbose;
};

/* "fluvio-connect: ..." on a line of its own: for what is wrong with the command line. */
void fc_command_tell(struct fc_command *command, const char *fmt, ...) FC_PRINTF(2, 3);

/* Frees the diag. */
void fc_command_release(struct fc_command *command);

/*
 * Parse flags in any order with operands, by getopt_long. argv[0] is the command's name.
 *
 * out_operands  argv's operands (argv is reordered), *out_count of them.
 * out_exit      when it returns false: what the command returns at once (help was printed, or
 *               the mistake was told with the nearest flag).
 */
FC_MUST_CHECK bool fc_command_parse(struct fc_command *command, const struct fc_usage *usage,
                                    int argc, char **argv, char ***out_operands,
                                    uint32_t *out_count, fc_exit *out_exit);

/* "json" or "table" for -o; false after telling that it is neither. */
FC_MUST_CHECK bool fc_command_format(struct fc_command *command, const char *text,
                                     bool *out_json);

/* Tell the error on one line and give its exit code: CONFIG and NOT_FOUND 2, REFUSED 3, others
 * 1. */
fc_exit fc_command_fail(struct fc_command *command, const struct fc_error *err);

/* --- the commands; each in its own cmd_<name>.c ------------------------------------------- */

int fc_cmd_run(struct fc_command *command, int argc, char **argv);
int fc_cmd_check(struct fc_command *command, int argc, char **argv);
int fc_cmd_restore(struct fc_command *command, int argc, char **argv);
int fc_cmd_verify(struct fc_command *command, int argc, char **argv);
int fc_cmd_transform(struct fc_command *command, int argc, char **argv);
int fc_cmd_plugins(struct fc_command *command, int argc, char **argv);
int fc_cmd_status(struct fc_command *command, int argc, char **argv);
int fc_cmd_version(struct fc_command *command, int argc, char **argv);

#endif
