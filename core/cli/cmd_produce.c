/* SPDX-License-Identifier: Apache-2.0 */
/* produce: write records to a topic. */
#include <inttypes.h>
#include <string.h>

#include "core/base/quantity.h"
#include "core/base/suggest.h"
#include "core/cli/commands.h"
#include "core/cli/produce_run.h"

enum { PROPERTIES_MAX = 12, NUMBER_SIZE = 24 };

struct given {
    const char *partition;
    const char *compression;
    const char *semantic;
    const char *batch_size;
    const char *linger;
};

struct properties {
    struct fc_cluster_property items[PROPERTIES_MAX + 1];
    size_t count;
    char batch_size[NUMBER_SIZE];
    char linger[NUMBER_SIZE];
};

static void add(struct properties *properties, const char *name, const char *value, bool yields)
{
    struct fc_cluster_property *item = &properties->items[properties->count++];
    item->name = name;
    item->value = value;
    item->yields = yields;
}

/* Each option as librdkafka has it. */
static fc_code read_semantic(const char *text, struct properties *properties,
                             struct fc_error *err)
{
    if (text == NULL || strcmp(text, "exactly-once") == 0) {
        add(properties, "enable.idempotence", "true", text == NULL);
        return FC_OK;
    }
    if (strcmp(text, "at-least-once") == 0) {
        add(properties, "enable.idempotence", "false", false);
        add(properties, "acks", "all", false);
        return FC_OK;
    }
    if (strcmp(text, "at-most-once") == 0) {
        add(properties, "enable.idempotence", "false", false);
        add(properties, "acks", "0", false);
        add(properties, "retries", "0", false);
        return FC_OK;
    }
    return fc_fail(err, FC_ERR_CONFIG,
                   "--delivery-semantic must be exactly-once, at-least-once or at-most-once, "
                   "not `%s`",
                   text);
}

static fc_code read_compression(const char *text, struct properties *properties,
                                struct fc_error *err)
{
    static const char *const known[] = { "none", "gzip", "snappy", "lz4", "zstd" };
    struct fc_suggest suggest;
    char hint[FC_SUGGEST_TEXT_SIZE];
    if (text == NULL) {
        return FC_OK;
    }
    fc_suggest_init(&suggest, text);
    for (size_t index = 0; index < sizeof(known) / sizeof(*known); index++) {
        if (strcmp(text, known[index]) == 0) {
            add(properties, "compression.type", text, false);
            return FC_OK;
        }
        fc_suggest_offer(&suggest, known[index]);
    }
    return fc_fail(err, FC_ERR_CONFIG,
                   "--compression must be none, gzip, snappy, lz4 or zstd, not `%s`%s", text,
                   fc_suggest_text(&suggest, hint));
}

static fc_code read_batching(const struct given *given, struct properties *properties,
                             struct fc_error *err)
{
    int64_t number = 0;
    if (given->batch_size != NULL) {
        if (!fc_quantity_size(given->batch_size, &number) || number < 1 || number > INT32_MAX) {
            return fc_fail(err, FC_ERR_CONFIG,
                           "--batch-size needs a size such as 64KiB, not `%s`",
                           given->batch_size);
        }
        (void)snprintf(properties->batch_size, NUMBER_SIZE, "%" PRId64, number);
        add(properties, "batch.size", properties->batch_size, false);
    }
    if (given->linger != NULL) {
        if (!fc_quantity_duration(given->linger, &number) || number > 900000) {
            return fc_fail(err, FC_ERR_CONFIG,
                           "--linger needs a time of at most 15m, such as 100ms, not `%s`",
                           given->linger);
        }
        (void)snprintf(properties->linger, NUMBER_SIZE, "%" PRId64, number);
        add(properties, "linger.ms", properties->linger, false);
    }
    return FC_OK;
}

static fc_code read_given(const struct given *given, struct fc_produce *produce,
                          struct properties *properties, struct fc_error *err)
{
    int64_t number = -1;
    if (given->partition != NULL &&
        fc_cli_number("--partition", given->partition, 0, INT32_MAX, &number, err) != FC_OK) {
        return err->code;
    }
    produce->partition = (int32_t)number;
    if (produce->key != NULL && produce->key_separator != NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "--key and --key-separator exclude each other");
    }
    if (produce->key_separator != NULL && (*produce->key_separator == '\0' || produce->raw)) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "--key-separator needs a text, and does not go with --raw");
    }
    if (produce->tombstone && (produce->key == NULL || produce->file != NULL || produce->raw)) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "--tombstone needs --key, and takes no input: it deletes the key from a "
                       "compacted topic");
    }
    if (read_semantic(given->semantic, properties, err) != FC_OK ||
        read_compression(given->compression, properties, err) != FC_OK ||
        read_batching(given, properties, err) != FC_OK) {
        return err->code;
    }
    /* Keys go where the Java client would put them. */
    add(properties, "partitioner", "murmur2_random", true);
    add(properties, "message.max.bytes", "1000000000", true); /* the server decides */
    add(properties, "queue.buffering.max.kbytes", "131072", true);
    produce->properties = properties->items;
    return FC_OK;
}

int fc_cmd_produce(struct fc_cli *cli, int argc, char **argv)
{
    struct given given = { 0 };
    struct fc_produce produce = { 0 };
    struct properties properties = { .count = 0 };
    const struct fc_flag flags[] = {
        { "file", 'f', FC_FLAG_TEXT, &produce.file, "FILE", "read this instead of stdin" },
        { "partition", 'p', FC_FLAG_TEXT, &given.partition, "N", "write to this one" },
        { "key", 0, FC_FLAG_TEXT, &produce.key, "KEY", "the key of every record" },
        { "key-separator", 0, FC_FLAG_TEXT, &produce.key_separator, "TEXT",
          "a line is KEY TEXT VALUE, by the first TEXT" },
        { "raw", 0, FC_FLAG_BOOL, &produce.raw, NULL, "the whole input is one record" },
        { "tombstone", 0, FC_FLAG_BOOL, &produce.tombstone, NULL,
          "one record with --key and no value" },
        { "header", 'H', FC_FLAG_LIST, &produce.headers, "NAME=VALUE", "of every record" },
        { "compression", 0, FC_FLAG_TEXT, &given.compression, "TYPE",
          "none (default), gzip, snappy, lz4, zstd" },
        { "delivery-semantic", 0, FC_FLAG_TEXT, &given.semantic, "WORD",
          "at-least-once or at-most-once (exactly-once)" },
        { "batch-size", 0, FC_FLAG_TEXT, &given.batch_size, "SIZE", "largest batch: 64KiB" },
        { "linger", 0, FC_FLAG_TEXT, &given.linger, "TIME", "wait so long to fill a batch" },
        { .name = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "produce [FLAGS] TOPIC",
                   "Write a record for each line of the input, until it ends or Ctrl-C; what "
                   "was\n"
                   "read by then is delivered. What cannot be delivered is an error.",
                   flags, 1, 1 },
        .examples = "  echo hello | fluvio produce greetings\n"
                    "  fluvio produce orders -f orders.txt --key-separator =\n"
                    "  fluvio produce photos --raw -f cat.jpg -H type=image/jpeg\n"
                    "  fluvio produce state --key user-7 --tombstone",
    };
    struct fc_error error = { 0 };
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    produce.topic = cli->operands[0];
    if (read_given(&given, &produce, &properties, &error) != FC_OK ||
        fc_produce_run(cli, &produce, &error) != FC_OK) {
        return fc_cli_fail(cli, &error);
    }
    return FC_EXIT_DONE;
}
