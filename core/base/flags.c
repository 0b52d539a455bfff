/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/flags.h"

#include <getopt.h>

#include "core/base/alloc.h"
#include "core/base/quantity.h"
#include "core/base/suggest.h"

enum {
    FLAGS_MAX = 40,
    LONG_BASE = 1000, /* getopt_long's value for flag number n is LONG_BASE + n */
    HELP_COLUMN = 30
};

/* A command's flags and those that all have, as one table. */
struct flag_table {
    struct fc_flag flags[FLAGS_MAX];
    int count;
    int own_count; /* the command's, before the common ones */
    bool help;
};

void fc_flags_vtell(const struct fc_flag_scope *scope, const char *fmt, va_list args)
{
    fc_diag_footer(scope->diag, NULL);
    (void)fprintf(scope->err,
                  "%s: ", scope->program); /* a closed stderr leaves nobody to tell */
    (void)vfprintf(scope->err, fmt, args);
    (void)fputc('\n', scope->err);
    (void)fflush(scope->err);
}

void fc_flags_tell(const struct fc_flag_scope *scope, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fc_flags_vtell(scope, fmt, args);
    va_end(args);
}

static void add_flags(struct flag_table *table, const struct fc_flag *flags)
{
    for (; flags->name != NULL; flags++) {
        fc_assert(table->count < FLAGS_MAX);
        table->flags[table->count++] = *flags;
    }
}

static void table_init(struct flag_table *table, const struct fc_flag_scope *scope,
                       const struct fc_usage *usage)
{
    const struct fc_flag help[] = {
        { "help", 'h', FC_FLAG_BOOL, &table->help, NULL, "this text" },
        { .name = NULL },
    };
    table->count = 0;
    table->help = false;
    if (usage->flags != NULL) {
        add_flags(table, usage->flags);
    }
    table->own_count = table->count;
    if (scope->common != NULL) {
        add_flags(table, scope->common);
    }
    add_flags(table, help);
}

static void print_flag(FILE *out, const struct fc_flag *flag)
{
    char letter[8] = "    ";
    int width;
    if (flag->letter != 0) {
        (void)snprintf(letter, sizeof(letter), "-%c, ", flag->letter);
    }
    width = fprintf(out, "  %s--%s%s%s", letter, flag->name, flag->argument == NULL ? "" : " ",
                    flag->argument == NULL ? "" : flag->argument);
    if (width >= HELP_COLUMN) {
        (void)fputc('\n', out);
        width = 0;
    }
    (void)fprintf(out, "%*s%s\n", HELP_COLUMN - width, "", flag->help);
}

static void print_help(const struct fc_flag_scope *scope, const struct fc_usage *usage,
                       const struct flag_table *table)
{
    bool titled = scope->common_title != NULL;
    (void)fprintf(scope->out, "Usage: %s %s\n\n%s\n", scope->program, usage->synopsis,
                  usage->text);
    if (!titled || table->own_count > 0) {
        (void)fprintf(scope->out, "\nFlags:\n");
    }
    for (int index = 0; index < table->count; index++) {
        if (titled && index == table->own_count) {
            (void)fprintf(scope->out, "\n%s:\n", scope->common_title);
        }
        if (table->flags[index].help != NULL) {
            print_flag(scope->out, &table->flags[index]);
        }
    }
    if (scope->examples != NULL) {
        (void)fprintf(scope->out, "\nExamples:\n%s\n", scope->examples);
    }
}

/* Between the command's name and a message; a program that is one command has none. */
static const char *separator(const struct fc_flag_scope *scope)
{
    return *scope->command == '\0' ? "" : ": ";
}

static void tell_wrong(const struct fc_flag_scope *scope, const char *what, const char *given,
                       const char *hint)
{
    fc_flags_tell(scope, "%s%s%s%s%s%s (%s%s%s --help lists what there is)", scope->command,
                  separator(scope), what, given, *given == '\0' ? "" : "`", hint,
                  scope->program, *scope->command == '\0' ? "" : " ", scope->command);
}

static void tell_unknown(const struct fc_flag_scope *scope, const struct flag_table *table,
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
    tell_wrong(scope, "unknown flag `", given, fc_suggest_text(&suggest, hint));
}

static bool set_flag(const struct fc_flag_scope *scope, const struct fc_flag *flag,
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
            fc_flags_tell(scope, "%s%s--%s can be given %d times at most", scope->command,
                          separator(scope), flag->name, FC_FLAG_LIST_MAX);
            return false;
        }
        list->items[list->count++] = argument;
        return true;
    case FC_FLAG_UINT:
        if (!fc_quantity_int(argument, &number) || number < 0) {
            fc_flags_tell(scope, "%s%s--%s needs a whole number, not `%s`", scope->command,
                          separator(scope), flag->name, argument);
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
static bool read_flags(const struct fc_flag_scope *scope, const struct flag_table *table,
                       int argc, char **argv)
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
            tell_wrong(scope, "a value is missing after `", argv[optind - 1], "");
            return false;
        }
        if (value == '?') {
            bool is_short = optopt > 0 && optopt < LONG_BASE;
            if (optopt >= LONG_BASE) {
                tell_wrong(scope, "no value can be given to `", argv[optind - 1], "");
            } else if (is_short) {
                tell_wrong(scope, "unknown flag `", given, "");
            } else {
                tell_unknown(scope, table, argv[optind - 1]);
            }
            return false;
        }
        if (!set_flag(scope, flag_of(table, value), optarg)) {
            return false;
        }
    }
}

bool fc_flags_parse(const struct fc_flag_scope *scope, const struct fc_usage *usage, int argc,
                    char **argv, char ***out_operands, uint32_t *out_count, fc_exit *out_exit)
{
    struct flag_table table;
    uint32_t count;
    table_init(&table, scope, usage);
    *out_exit = FC_EXIT_USAGE;
    if (!read_flags(scope, &table, argc, argv)) {
        return false;
    }
    if (table.help) {
        print_help(scope, usage, &table);
        *out_exit = FC_EXIT_DONE;
        return false;
    }
    count = (uint32_t)(argc - optind);
    if (count < usage->operands_min) {
        fc_flags_tell(scope, "%s%ssomething is missing: %s %s", scope->command,
                      separator(scope), scope->program, usage->synopsis);
        return false;
    }
    if (count > usage->operands_max) {
        tell_wrong(scope, "one too many: `", argv[optind + (int)usage->operands_max], "");
        return false;
    }
    *out_exit = FC_EXIT_DONE;
    *out_operands = argv + optind;
    *out_count = count;
    return true;
}

fc_exit fc_flags_exit(fc_code code)
{
    if (code == FC_ERR_CONFIG || code == FC_ERR_NOT_FOUND) {
        return FC_EXIT_USAGE;
    }
    return code == FC_ERR_REFUSED ? FC_EXIT_REFUSED : FC_EXIT_FAILED;
}
