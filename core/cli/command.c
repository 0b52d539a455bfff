/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/command.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/quantity.h"

static const char PROGRAM[] = "fluvio";

enum { TIMEOUT_MS = 10000, TIMEOUT_MS_MAX = 3600 * 1000, PAIR = 2 /* operands of two kinds */ };

static struct fc_flag_scope scope_of(const struct fc_cli *cli)
{
    struct fc_flag_scope scope = {
        .program = PROGRAM, .command = cli->name, .out = cli->out, .err = cli->err
    };
    return scope;
}

/* One line, whatever stands in the names and reasons in it: a terminal would obey some bytes. */
FC_PRINTF(2, 0) static void put_line(FILE *out, const char *fmt, va_list args)
{
    char *text = NULL;
    int len = vasprintf(&text, fmt, args);
    while (len > 0 && text[len - 1] == '\n') {
        text[--len] = '\0';
    }
    for (int at = 0; at < len; at++) {
        text[at] = (unsigned char)text[at] < ' ' || text[at] == 0x7f ? '?' : text[at];
    }
    if (len >= 0) {
        (void)fprintf(out, "%s\n", text); /* a closed stderr leaves nobody */
        free(text);
    }
}

FC_PRINTF(3, 0)
static void tell(struct fc_cli *cli, const char *prefix, const char *fmt, va_list args)
{
    (void)fprintf(cli->err, "%s: %s", PROGRAM, prefix);
    put_line(cli->err, fmt, args);
    (void)fflush(cli->err);
}

void fc_cli_tell(struct fc_cli *cli, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    tell(cli, "", fmt, args);
    va_end(args);
}

void fc_cli_warn(struct fc_cli *cli, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    tell(cli, "warning: ", fmt, args);
    va_end(args);
}

void fc_cli_note(struct fc_cli *cli, const char *fmt, ...)
{
    va_list args;
    if (!cli->quiet) {
        va_start(args, fmt);
        put_line(cli->err, fmt, args);
        va_end(args);
    }
}

int fc_cli_wrong(struct fc_cli *cli, const char *fmt, ...)
{
    char text[FC_ERROR_MESSAGE_SIZE];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args); /* cut when too long */
    va_end(args);
    fc_cli_tell(cli, "%s: %s", cli->name, text);
    return FC_EXIT_USAGE;
}

bool fc_cli_is_unread(FILE *out)
{
    struct pollfd wait = { .fd = fileno(out), .events = POLLOUT };
    return poll(&wait, 1, 0) > 0 && (wait.revents & POLLERR) != 0;
}

fc_code fc_cli_fail_output(struct fc_cli *cli, struct fc_error *err)
{
    int failed = errno;
    return fc_cli_is_unread(cli->out)
               ? fc_fail(err, FC_ERR_CLOSED, "stdout: nobody reads it any more")
               : fc_fail(err, FC_ERR_IO, "stdout: %s", strerrordesc_np(failed));
}

int fc_cli_fail(struct fc_cli *cli, const struct fc_error *err)
{
    if (err->code == FC_ERR_CLOSED && fc_cli_is_unread(cli->out)) {
        return FC_EXIT_DONE; /* `| head` has what it wants */
    }
    fc_cli_tell(cli, "%s: %s", cli->name, err->message);
    if (err->code == FC_ERR_CONFIG) {
        return FC_EXIT_USAGE;
    }
    return err->code == FC_ERR_REFUSED ? FC_EXIT_REFUSED : FC_EXIT_FAILED;
}

static bool read_common(struct fc_cli *cli, fc_cli_output_use use)
{
    int64_t ms = TIMEOUT_MS;
    if (cli->timeout != NULL &&
        (!fc_quantity_duration(cli->timeout, &ms) || ms <= 0 || ms > TIMEOUT_MS_MAX)) {
        (void)fc_cli_wrong(cli, "--timeout needs a time such as 500ms or 30s, not `%s`",
                           cli->timeout);
        return false;
    }
    cli->timeout_ms = (int)ms;
    if (cli->profile != NULL && cli->cluster != NULL) {
        (void)fc_cli_wrong(cli, "--profile and --cluster exclude each other");
        return false;
    }
    if (use == FC_CLI_OUTPUT_OWN || cli->output == NULL || strcmp(cli->output, "table") == 0) {
        cli->format = FC_CLI_TABLE;
    } else if (strcmp(cli->output, "json") == 0) {
        cli->format = FC_CLI_JSON;
    } else if (strcmp(cli->output, "yaml") == 0) {
        cli->format = FC_CLI_YAML;
    } else {
        (void)fc_cli_wrong(cli, "-O must be table, json or yaml, not `%s`", cli->output);
        return false;
    }
    return true;
}

/* No name is empty, and a list of them has none twice. */
static bool read_operands(struct fc_cli *cli, const struct fc_usage *usage)
{
    for (uint32_t index = 0; index < cli->operand_count; index++) {
        const char *name = cli->operands[index];
        if (*name == '\0') {
            (void)fc_cli_wrong(cli, "a name is empty: fluvio %s", usage->synopsis);
            return false;
        }
        for (uint32_t at = 0; at < index && usage->operands_max > PAIR; at++) {
            if (strcmp(cli->operands[at], name) == 0) {
                (void)fc_cli_wrong(cli, "`%s` is named twice", name);
                return false;
            }
        }
    }
    return true;
}

bool fc_cli_parse(struct fc_cli *cli, const struct fc_cli_usage *usage, int argc, char **argv)
{
    const struct fc_flag common[] = {
        { "output", 'O', FC_FLAG_TEXT, &cli->output, "FORMAT",
          usage->output == FC_CLI_OUTPUT_OWN ? "how records are printed, see above"
                                             : "table (default), json or yaml; also -o" },
        { "output", 'o', FC_FLAG_TEXT, &cli->output, "FORMAT", NULL },
        { "profile", 0, FC_FLAG_TEXT, &cli->profile, "NAME",
          "the cluster of this profile (or $FLUVIO_PROFILE)" },
        { "cluster", 0, FC_FLAG_TEXT, &cli->cluster, "HOST:PORT[,...]",
          "this cluster, no profile" },
        { "property", 'X', FC_FLAG_LIST, &cli->properties, "NAME=VALUE",
          "any librdkafka property; goes over the profile's" },
        { "timeout", 0, FC_FLAG_TEXT, &cli->timeout, "TIME",
          "wait this long for an answer (10s)" },
        { "quiet", 'q', FC_FLAG_BOOL, &cli->quiet, NULL, "results and errors only" },
        { "verbose", 'v', FC_FLAG_BOOL, &cli->verbose, NULL, "say more" },
        { .name = NULL },
    };
    struct fc_flag_scope scope = scope_of(cli);
    fc_exit ended = FC_EXIT_DONE;
    scope.common = common;
    scope.common_title = "Common flags";
    scope.examples = usage->examples;
    if (!fc_flags_parse(&scope, &usage->usage, argc, argv, &cli->operands, &cli->operand_count,
                        &ended)) {
        cli->exit_code = (int)ended;
        return false;
    }
    if (!read_operands(cli, &usage->usage) || !read_common(cli, usage->output)) {
        cli->exit_code = FC_EXIT_USAGE;
        return false;
    }
    return true;
}

bool fc_cli_split(char *text, char **out_name, char **out_value)
{
    char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        return false;
    }
    *equals = '\0';
    *out_name = text;
    *out_value = equals + 1;
    return true;
}

fc_code fc_cli_number(const char *flag, const char *text, int64_t min, int64_t max,
                      int64_t *out_value, struct fc_error *err)
{
    int64_t value = 0;
    if (!fc_quantity_int(text, &value) || value < min || value > max) {
        if (max == INT64_MAX) {
            return fc_fail(err, FC_ERR_CONFIG,
                           "%s needs a whole number from %" PRId64 ", not `%s`", flag, min,
                           text);
        }
        return fc_fail(err, FC_ERR_CONFIG,
                       "%s needs a whole number from %" PRId64 " to %" PRId64 ", not `%s`",
                       flag, min, max, text);
    }
    *out_value = value;
    return FC_OK;
}
