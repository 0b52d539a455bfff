/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands of `fluvio` share: the common flags, where results go, telling errors.
 *
 * main builds one struct fc_cli and passes it down; there is no other state. Results go to
 * `out`, everything else to `err`.
 */
#ifndef FC_CLI_COMMAND_H
#define FC_CLI_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/clock.h"
#include "core/base/flags.h"

typedef enum fc_cli_format { FC_CLI_TABLE, FC_CLI_JSON, FC_CLI_YAML } fc_cli_format;

/* What is read of the environment, once, in main. Each may be NULL. */
struct fc_cli_environment {
    const char *home;        /* HOME */
    const char *config_home; /* XDG_CONFIG_HOME */
    const char *data_home;   /* XDG_DATA_HOME */
    const char *path;        /* PATH */
    const char *profile;     /* FLUVIO_PROFILE */
};

struct fc_cli {
    const char *name;    /* "topic create" */
    const char *exe_dir; /* directory of this program, or NULL */
    const struct fc_clock *clock;
    struct fc_cli_environment env;
    FILE *in;
    FILE *out;
    FILE *err;

    /* The flags that every command has; set by fc_cli_parse. */
    const char *profile;
    const char *cluster; /* bootstrap servers instead of a profile */
    struct fc_flag_list properties;
    const char *timeout;
    const char *output;
    bool quiet;
    bool verbose;
    int timeout_ms;
    fc_cli_format format;

    /* Set by fc_cli_parse, too. */
    char **operands;
    uint32_t operand_count;
    int exit_code; /* when it returns false: what the command returns at once */

    bool abandoned; /* threads of a library would not end: leave the process without exit */
};

/* How a command reads -O. */
typedef enum fc_cli_output_use {
    FC_CLI_OUTPUT_TABLE, /* table, json or yaml: set in cli->format */
    FC_CLI_OUTPUT_OWN    /* the command reads cli->output itself */
} fc_cli_output_use;

struct fc_cli_usage {
    struct fc_usage usage;
    const char *examples; /* lines indented by two */
    fc_cli_output_use output;
};

/* "fluvio: topic create: ..." on stderr. */
FC_PRINTF(2, 3) void fc_cli_tell(struct fc_cli *cli, const char *fmt, ...);
/* "fluvio: warning: ..."; goes on. */
FC_PRINTF(2, 3) void fc_cli_warn(struct fc_cli *cli, const char *fmt, ...);
/* A line that says what was done, on stderr; nothing with --quiet. */
FC_PRINTF(2, 3) void fc_cli_note(struct fc_cli *cli, const char *fmt, ...);

/* As fc_flags_parse, with the common flags; also checks these. */
FC_MUST_CHECK bool fc_cli_parse(struct fc_cli *cli, const struct fc_cli_usage *usage, int argc,
                                char **argv);

/* Whether it is a pipe whose reader has gone. */
FC_MUST_CHECK bool fc_cli_is_unread(FILE *out);

/* Results could not be written, errno says why: FC_ERR_IO, or FC_ERR_CLOSED when nobody reads them. */
fc_code fc_cli_fail_output(struct fc_cli *cli, struct fc_error *err);

/* Tell the error and give its exit code: CONFIG 2, REFUSED 3, others 1. That nobody reads the results
 * any more is none. */
int fc_cli_fail(struct fc_cli *cli, const struct fc_error *err);

/* Tell "NAME: ..." as wrong usage, and return exit code 2. */
FC_PRINTF(2, 3) int fc_cli_wrong(struct fc_cli *cli, const char *fmt, ...);

/* "a=b" into its two parts, in place; false when there is no '=' or nothing before it. */
FC_MUST_CHECK bool fc_cli_split(char *text, char **out_name, char **out_value);

/* A whole number in [min, max], or FC_ERR_CONFIG naming the flag. */
FC_MUST_CHECK fc_code fc_cli_number(const char *flag, const char *text, int64_t min,
                                    int64_t max, int64_t *out_value, struct fc_error *err);

#endif
