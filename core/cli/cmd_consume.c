/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consume: read records of a topic.
 *
 * Without a group, partitions are read by their offsets and nothing is remembered. With one, the
 * group gives the partitions, and what was printed is committed.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/quantity.h"
#include "core/base/time_text.h"
#include "core/cli/commands.h"
#include "core/cli/consume_run.h"

struct given {
    const char *partition;
    bool all;
    bool beginning;
    const char *head;
    const char *tail;
    const char *start;
    const char *from_time;
    const char *end;
    const char *count;
    bool once;
    bool with_key;
    const char *format;
    const char *isolation;
    const char *group;
};

/* "2026-11-23T14:03:58Z", "15m" (ago) or milliseconds since 1970. */
static fc_code read_time(const struct fc_cli *cli, const char *text, int64_t *out_ms,
                         struct fc_error *err)
{
    int64_t us = 0;
    int64_t number = 0;
    bool local = false;
    if (fc_time_parse(text, &us, &local) == FC_TIME_VALID) {
        *out_ms = us / 1000;
        return FC_OK;
    }
    if (fc_quantity_int(text, &number) && number >= 0) {
        *out_ms = number;
        return FC_OK;
    }
    if (fc_quantity_duration(text, &number)) {
        *out_ms = fc_clock_wall_ms(cli->clock) - number;
        return FC_OK;
    }
    return fc_fail(err, FC_ERR_CONFIG,
                   "--from-time needs a time such as 2026-11-23T14:03:58Z, \"2026-11-23 "
                   "14:03:58\" (local) or 15m (ago), not `%s`",
                   text);
}

static fc_code read_range(const struct fc_cli *cli, const struct given *given,
                          struct fc_consume_range *range, struct fc_error *err)
{
    int from = (given->beginning ? 1 : 0) + (given->head != NULL ? 1 : 0) +
               (given->tail != NULL ? 1 : 0) + (given->start != NULL ? 1 : 0) +
               (given->from_time != NULL ? 1 : 0);
    fc_code code = FC_OK;
    range->end = -1;
    range->stop_at_end = given->once;
    if (from > 1) {
        return fc_fail(
            err, FC_ERR_CONFIG,
            "--beginning, --head, --tail, --start and --from-time exclude each other");
    }
    if (given->beginning) {
        range->from = FC_CONSUME_BEGINNING;
    } else if (given->head != NULL) {
        range->from = FC_CONSUME_HEAD;
        code = fc_cli_number("--head", given->head, 0, INT64_MAX, &range->number, err);
    } else if (given->tail != NULL) {
        range->from = FC_CONSUME_TAIL;
        code = fc_cli_number("--tail", given->tail, 0, INT64_MAX, &range->number, err);
    } else if (given->start != NULL) {
        range->from = FC_CONSUME_START;
        code = fc_cli_number("--start", given->start, 0, INT64_MAX, &range->number, err);
    } else if (given->from_time != NULL) {
        range->from = FC_CONSUME_TIME;
        code = read_time(cli, given->from_time, &range->number, err);
    }
    if (code == FC_OK && given->end != NULL) {
        code = fc_cli_number("--end", given->end, 0, INT64_MAX, &range->end, err);
        if (code == FC_OK && range->from == FC_CONSUME_START && range->end < range->number) {
            code = fc_fail(err, FC_ERR_CONFIG, "--end is before --start");
        }
    }
    return code;
}

static fc_code read_format(const struct fc_cli *cli, const struct given *given,
                           struct fc_record_format *format, struct fc_error *err)
{
    format->with_key = given->with_key;
    if (given->format != NULL && (cli->output != NULL || given->with_key)) {
        return fc_fail(err, FC_ERR_CONFIG, "--format excludes --output and --key-value");
    }
    if (given->format != NULL) {
        return fc_record_format_template(given->format, format, err);
    }
    return cli->output == NULL ? FC_OK : fc_record_format_style(cli->output, format, err);
}

static fc_code read_given(const struct fc_cli *cli, const struct given *given,
                          struct fc_consume *consume, struct fc_error *err)
{
    int64_t number = 0;
    consume->partition = -1;
    consume->count = INT64_MAX;
    consume->group = given->group;
    consume->isolation = given->isolation == NULL ? "read_committed" : given->isolation;
    if (strcmp(consume->isolation, "read_committed") != 0 &&
        strcmp(consume->isolation, "read_uncommitted") != 0) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "--isolation must be read_committed or read_uncommitted, not `%s`",
                       consume->isolation);
    }
    if (given->all && given->partition != NULL) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "--partition and --all-partitions exclude each "
                       "other");
    }
    if (given->partition != NULL) {
        if (fc_cli_number("--partition", given->partition, 0, INT32_MAX, &number, err) !=
            FC_OK) {
            return err->code;
        }
        consume->partition = (int32_t)number;
    }
    if (given->count != NULL &&
        fc_cli_number("--count", given->count, 1, INT64_MAX, &consume->count, err) != FC_OK) {
        return err->code;
    }
    if (read_range(cli, given, &consume->range, err) != FC_OK ||
        read_format(cli, given, &consume->format, err) != FC_OK) {
        return err->code;
    }
    if (given->group != NULL && *given->group == '\0') {
        return fc_fail(err, FC_ERR_CONFIG, "--group needs a name");
    }
    if (given->group != NULL && (given->partition != NULL || consume->range.end >= 0 ||
                                 (consume->range.from != FC_CONSUME_END &&
                                  consume->range.from != FC_CONSUME_BEGINNING))) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "with --group the group decides what is read: only --beginning (when it "
                       "has no offsets yet), --count and --disable-continuous go with it");
    }
    return FC_OK;
}

int fc_cmd_consume(struct fc_cli *cli, int argc, char **argv)
{
    struct given given = { 0 };
    const struct fc_flag flags[] = {
        { "partition", 'p', FC_FLAG_TEXT, &given.partition, "N", "only this one" },
        { "all-partitions", 'A', FC_FLAG_BOOL, &given.all, NULL, "all of them (the default)" },
        { "beginning", 'B', FC_FLAG_BOOL, &given.beginning, NULL, "from the first record" },
        { "head", 'H', FC_FLAG_TEXT, &given.head, "N", "from N records after the first" },
        { "tail", 'T', FC_FLAG_TEXT, &given.tail, "N",
          "from N records before the end of each partition" },
        { "start", 0, FC_FLAG_TEXT, &given.start, "OFFSET", "from this offset" },
        { "from-time", 0, FC_FLAG_TEXT, &given.from_time, "TIME",
          "from the first record at or after TIME; 15m: ago" },
        { "end", 0, FC_FLAG_TEXT, &given.end, "OFFSET", "up to this offset, with it" },
        { "count", 'n', FC_FLAG_TEXT, &given.count, "N", "end after N records" },
        { "disable-continuous", 'd', FC_FLAG_BOOL, &given.once, NULL,
          "end when all is read that is there now" },
        { "key-value", 'k', FC_FLAG_BOOL, &given.with_key, NULL, "print [key] value" },
        { "format", 'F', FC_FLAG_TEXT, &given.format, "TEXT", "by this template, see above" },
        { "isolation", 0, FC_FLAG_TEXT, &given.isolation, "LEVEL",
          "read_committed (default) or read_uncommitted" },
        { "group", 'g', FC_FLAG_TEXT, &given.group, "NAME",
          "as a member of this group, which keeps its place" },
        { "consumer", 0, FC_FLAG_TEXT, &given.group, "NAME", NULL },
        { .name = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "consume [FLAGS] TOPIC",
                   "Read the records of a topic, from now on unless told otherwise, until\n"
                   "Ctrl-C. -O is dynamic (default: text, or a hex dump of what is none),\n"
                   "text, binary, json (all of the record, one object a line) or raw (the\n"
                   "bytes of the values, nothing else). A template of -F has {{key}} "
                   "{{value}}\n"
                   "{{offset}} {{partition}} {{time}} {{timestamp}} {{topic}} {{headers}}.",
                   flags, 1, 1 },
        .examples = "  fluvio consume orders -B -d\n"
                    "  fluvio consume orders -T 10 -k\n"
                    "  fluvio consume orders -p 0 --start 1000 --end 1999 -d -O json\n"
                    "  fluvio consume orders --from-time 15m -F '{{time}} {{key}}={{value}}'",
        .output = FC_CLI_OUTPUT_OWN,
    };
    struct fc_consume consume = { 0 };
    struct fc_error error = { 0 };
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    consume.topic = cli->operands[0];
    if (read_given(cli, &given, &consume, &error) != FC_OK ||
        fc_consume_run(cli, &consume, &error) != FC_OK) {
        return fc_cli_fail(cli, &error);
    }
    return FC_EXIT_DONE;
}
