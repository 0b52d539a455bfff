/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/command.h"

#include <getopt.h>

#include "core/base/alloc.h"
#include "core/base/suggest.h"
#include "runner/quantity.h"

static const char PROGRAM[] = "fluvio-connect";

enum {
    FLAGS_MAX = 40,
    LONG_BASE = 1000, /* getopt_long's value for flag number n is LONG_BASE + n */
    HELP_COLUMN = 30
};

/* A command's flags and those that all have, as one table. */
struct flag_table {
    struct fc_flag flags[FLAGS_MAX];
    int count;
    bool help;
};

void fc_command_tell(struct fc_command *command, const char *fmt, ...)
{
    va_list args;
    fc_diag_footer(command->diag, NULL);
    (void)fprintf(command->err, "%s: ", PROGRAM); /* a closed stderr leaves nobody to tell */
    va_start(args, fmt);
    (void)vfprintf(command->err, fmt, args);
    va_end(args);
    (void)fputc('\n', command->err);
    (void)fflush(command->err);
}

void fc_command_release(struct fc_command *command)
{
    fc_diag_free(command->diag);
    command->diag = NULL;
}

static void add_flags(struct flag_table *table, const struct fc_flag *flags)
{
    for (; flags->name != NULL; flags++) {
        fc_assert(table->count < FLAGS_MAX);
        table->flags[table->count++] = *flags;
    }
}

static void table_init(struct flag_table *table, struct fc_command *command,
                       const struct fc_usage *usage)
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
        { "help", 'h', FC_FLAG_BOOL, &table->help, NULL, "this text" },
        { .name = NULL },
    };
    table->count = 0;
    table->help = false;
    if (usage->flags != NULL) {
        add_flags(table, usage->flags);
    }
    add_flags(table, common);
}

static void print_help(struct fc_command *command, const struct fc_usage *usage,
                       const struct flag_table *table)
{
    (void)fprintf(command->out, "Usage: %s %s\n\n%s\n\nFlags:\n", PROGRAM, usage->synopsis,
                  usage->text);
    for (int index = 0; index < table->count; index++) {
        const struct fc_flag *flag = &table->flags[index];
        char letter[8] = "    ";
        int width;
        if (flag->letter != 0) {
            (void)snprintf(letter, sizeof(letter), "-%c, ", flag->letter);
        }
        width = fprintf(command->out, "  %s--%s%s%s", letter, flag->name,
                        flag->argument == NULL ? "" : " ",
                        flag->argument == NULL ? "" : flag->argument);
        if (width >= HELP_COLUMN) {
            (void)fputc('\n', command->out);
            width = 0;
        }
        (void)fprintf(command->out, "%*s%s\n", HELP_COLUMN - width, "", flag->help);
    }
}

static void tell_wrong(struct fc_command *command, const char *what, const char *given,
                       const char *hint)
{
    fc_command_tell(command, "%s: %s%s%s%s (%s %s --help lists what there is)", command->name,
                    what, given, *given == '\0' ? "" : "`", hint, PROGRAM, command->name);
}

static void tell_unknown(struct fc_command *command, const struct flag_table *table,
                         const char *given)
{
    char word[64];
    char dashed[72];
    char hint[FC_SUGGEST_TEXT_SIZE];
    struct fc_suggest suggest;
    const char *start = given;
    while (*start == '-') {
        start++;
    }
    (void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(start, "="), start);
    fc_suggest_init(&suggest, word);
    for (int index = 0; index < table->count; index++) {
        fc_suggest_offer(&suggest, table->flags[index].name);
    }
    if (suggest.nearest != NULL) {
        (void)snprintf(dashed, sizeof(dashed), "--%s", suggest.nearest);
        suggest.nearest = dashed;
    }
    tell_wrong(command, "unknown flag `", given, fc_suggest_text(&suggest, hint));
}

static bool set_flag(struct fc_command *command, const struct fc_flag *flag,
                     const char *argument)
{
    struct fc_flag_list *list;
    int64_t number = 0;
    switch (flag->kind) {
    case FC_FLAG_BOOL:
        *(bool *)flag->to = true;
        return true;
    case FC_FLAG_TEXT:
        *(const char **)flag->to = argument;
        return true;
    case FC_FLAG_LIST:
        list = flag->to;
        if (list->count == FC_FLAG_LIST_MAX) {
            fc_command_tell(command, "%s: --%s can be given %d times at most", command->name,
                            flag->name, FC_FLAG_LIST_MAX);
            return false;
        }
        list->items[list->count++] = argument;
        return true;
    case FC_FLAG_UINT:
        if (!fc_quantity_int(argument, &number) || number < 0) {
            fc_command_tell(command, "%s: --%s needs a whole number, not `%s`", command->name,
                            flag->name, argument);
            return false;
        }
        *(uint64_t *)flag->to = (uint64_t)number;
        return true;
    }
    return false;
}

static const struct fc_flag *flag_of(const struct flag_table *table, int value)
{
    if (value >= LONG_BASE) {
        return &table->flags[value - LONG_BASE];
    }
    for (int index = 0; index < table->count; index++) {
        if (table->flags[index].letter == value) {
            return &table->flags[index];
        }
    }
    return NULL;
}

/* The one place that uses getopt's global state; commands parse before they start threads. */
static bool read_flags(struct fc_command *command, const struct flag_table *table, int argc,
                       char **argv)
{
    struct option longs[FLAGS_MAX + 1] = { { 0 } };
    char shorts[2 * FLAGS_MAX + 2] = ":";
    size_t used = 1;
    for (int index = 0; index < table->count; index++) {
        const struct fc_flag *flag = &table->flags[index];
        longs[index].name = flag->name;
        longs[index].has_arg = flag->kind == FC_FLAG_BOOL ? no_argument : required_argument;
        longs[index].val = LONG_BASE + index;
        if (flag->letter != 0) {
            shorts[used++] = flag->letter;
            if (flag->kind != FC_FLAG_BOOL) {
                shorts[used++] = ':';
            }
        }
    }
    opterr = 0;
    optind = 0;
    for (;;) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): see above */
        int value = getopt_long(argc, argv, shorts, longs, NULL);
        char given[3] = { '-', (char)optopt, '\0' };
        if (value == -1) {
            return true;
        }
        if (value == ':') {
            tell_wrong(command, "a value is missing after `", argv[optind - 1], "");
            return false;
        }
        if (value == '?') {
            bool is_short = optopt > 0 && optopt < LONG_BASE;
            if (optopt >= LONG_BASE) {
                tell_wrong(command, "no value can be given to `", argv[optind - 1], "");
            } else if (is_short) {
                tell_wrong(command, "unknown flag `", given, "");
            } else {
                tell_unknown(command, table, argv[optind - 1]);
            }
            return false;
        }
        if (!set_flag(command, flag_of(table, value), optarg)) {
            return false;
        }
    }
}

bool fc_command_parse(struct fc_command *command, const struct fc_usage *usage, int argc,
                      char **argv, char ***out_operands, uint32_t *out_count, fc_exit *out_exit)
{
    struct flag_table table;
    uint32_t count;
    table_init(&table, command, usage);
    *out_exit = FC_EXIT_USAGE;
    if (!read_flags(command, &table, argc, argv)) {
        return false;
    }
    if (table.help) {
        print_help(command, usage, &table);
        *out_exit = FC_EXIT_DONE;
        return false;
    }
    count = (uint32_t)(argc - optind);
    if (count < usage->operands_min) {
        fc_command_tell(command, "%s: something is missing: %s %s", command->name, PROGRAM,
                        usage->synopsis);
        return false;
    }
    if (count > usage->operands_max) {
        tell_wrong(command, "one too many: `", argv[optind + (int)usage->operands_max], "");
        return false;
    }
    if (command->quiet && command->verbose) {
        fc_command_tell(command, "%s: --quiet and --verbose exclude each other", command->name);
        return false;
    }
    if (command->diag == NULL) {
        fc_diag_level lowest = command->quiet ? FC_DIAG_WARN : FC_DIAG_INFO;
        command->diag = fc_diag_new(command->err, command->verbose ? FC_DIAG_DEBUG : lowest);
    }
    *out_exit = FC_EXIT_DONE;
    *out_operands = argv + optind;
    *out_count = count;
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
    fc_command_tell(command, "%s", err->message);
    if (err->code == FC_ERR_CONFIG || err->code == FC_ERR_NOT_FOUND) {
        return FC_EXIT_USAGE;
    }
    return err->code == FC_ERR_REFUSED ? FC_EXIT_REFUSED : FC_EXIT_FAILED;
}
