/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs' commands share: flags as a table, help made from it, mistakes told with the
 * nearest flag, exit codes.
 *
 * Results go to stdout, everything else to stderr. There is no state but the caller's.
 */
#ifndef FC_BASE_FLAGS_H
#define FC_BASE_FLAGS_H

#include <stdint.h>
#include <stdio.h>

#include "core/base/diag.h"
#include "core/base/error.h"

typedef enum fc_exit {
    FC_EXIT_DONE = 0,
    FC_EXIT_FAILED = 1,
    FC_EXIT_USAGE = 2,  /* wrong flags, wrong file */
    FC_EXIT_REFUSED = 3 /* refused for safety; nothing was touched */
} fc_exit;

typedef enum fc_flag_kind {
    FC_FLAG_BOOL, /* bool *: set to true */
    FC_FLAG_TEXT, /* const char **: the argument, the last one counts */
    FC_FLAG_LIST, /* struct fc_flag_list *: may be given more than once */
    FC_FLAG_UINT  /* uint64_t *: a decimal number */
} fc_flag_kind;

enum { FC_FLAG_LIST_MAX = 64 };

struct fc_flag_list {
    const char *items[FC_FLAG_LIST_MAX];
    uint32_t count;
};

struct fc_flag {
    const char *name; /* "dry-run"; NULL ends the table */
    char letter;      /* 'n', or 0 when it has none */
    fc_flag_kind kind;
    void *to;             /* what `kind` says; keeps its value when the flag is not given */
    const char *argument; /* "TIME|GTID|OFFSET", shown in help; NULL for BOOL */
    const char *help;     /* NULL: another spelling of one that help lists */
};

struct fc_usage {
    const char *synopsis; /* "run [FLAGS] FILE" */
    const char *text;     /* what it does: a few sentences, lines of at most 78 columns */
    const struct fc_flag *flags; /* may be NULL */
    uint32_t operands_min;
    uint32_t operands_max;
};

/* Where a command line is parsed: the program's part, the same for all its commands. */
struct fc_flag_scope {
    const char *program;          /* "fluvio" */
    const char *command;          /* "topic create"; "" for a program that is one command */
    const struct fc_flag *common; /* flags that every command has; may be NULL */
    const char *common_title;     /* heading of theirs in help; NULL: listed with the others */
    const char *examples;         /* printed at the end of help; may be NULL */
    FILE *out;                    /* help */
    FILE *err;                    /* mistakes */
    struct fc_diag *diag;         /* its footer is removed before a line is told; may be NULL */
};

/* "fluvio: ..." on a line of its own. */
FC_PRINTF(2, 3) void fc_flags_tell(const struct fc_flag_scope *scope, const char *fmt, ...);
FC_PRINTF(2, 0)
void fc_flags_vtell(const struct fc_flag_scope *scope, const char *fmt, va_list args);

/*
 * Parse flags in any order with operands, by getopt_long. argv[0] is the command's name.
 *
 * out_operands  argv's operands (argv is reordered), *out_count of them.
 * out_exit      when it returns false: what the command returns at once (help was printed, or
 *               the mistake was told with the nearest flag).
 *
 * Thread: before the command starts any other.
 */
FC_MUST_CHECK bool fc_flags_parse(const struct fc_flag_scope *scope,
                                  const struct fc_usage *usage, int argc, char **argv,
                                  char ***out_operands, uint32_t *out_count, fc_exit *out_exit);

/* The exit code of an error: CONFIG and NOT_FOUND 2, REFUSED 3, others 1. */
fc_exit fc_flags_exit(fc_code code);

#endif
