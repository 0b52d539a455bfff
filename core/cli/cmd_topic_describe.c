/* SPDX-License-Identifier: Apache-2.0 */
/* topic describe. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/cli/collect.h"
#include "core/cli/commands.h"
#include "core/cli/partitions.h"

enum { NAMES_MAX = 100 };

static json_t *setting(const rd_kafka_ConfigEntry_t *entry)
{
    json_t *row = json_object();
    json_object_set_new(row, "name", fc_output_string(rd_kafka_ConfigEntry_name(entry)));
    json_object_set_new(row, "value",
                        rd_kafka_ConfigEntry_is_sensitive(entry)
                            ? json_string("(secret)")
                            : fc_output_string(rd_kafka_ConfigEntry_value(entry)));
    json_object_set_new(
        row, "source",
        json_string(rd_kafka_ConfigSource_name(rd_kafka_ConfigEntry_source(entry))));
    return row;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(rd_kafka_ConfigEntry_name(*(const rd_kafka_ConfigEntry_t *const *)a),
                  rd_kafka_ConfigEntry_name(*(const rd_kafka_ConfigEntry_t *const *)b));
}

static void add_sorted(const rd_kafka_ConfigEntry_t **entries, size_t count, json_t *settings)
{
    const rd_kafka_ConfigEntry_t **sorted =
        fc_new_array(const rd_kafka_ConfigEntry_t *, count + 1);
    for (size_t index = 0; index < count; index++) {
        sorted[index] = entries[index];
    }
    qsort(sorted, count, sizeof(*sorted), by_name);
    for (size_t index = 0; index < count; index++) {
        json_array_append_new(settings, setting(sorted[index]));
    }
    free(sorted);
}

fc_code fc_collect_settings(struct fc_cluster *cluster, const char *topic, json_t *settings,
                            bool *out_told, struct fc_error *err)
{
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_AdminOptions_t *options =
        fc_cluster_options(cluster, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    const rd_kafka_ConfigResource_t **resources;
    rd_kafka_event_t *event = NULL;
    size_t count = 0;
    fc_code code;
    rd_kafka_DescribeConfigs(cluster->rk, &resource, 1, options, cluster->queue);
    code = fc_cluster_await(cluster, RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT,
                            "read the topic's settings", &event, err);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy(resource);
    if (code != FC_OK) {
        return code;
    }
    *out_told = true;
    resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);
    for (size_t at = 0; at < count && code == FC_OK; at++) {
        size_t entry_count = 0;
        const rd_kafka_ConfigEntry_t **entries =
            rd_kafka_ConfigResource_configs(resources[at], &entry_count);
        rd_kafka_resp_err_t failed = rd_kafka_ConfigResource_error(resources[at]);
        if (failed == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
            *out_told = false;
        } else if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) {
            code = fc_cluster_fail(cluster, failed,
                                   rd_kafka_ConfigResource_error_string(resources[at]),
                                   "read the topic's settings", err);
        }
        add_sorted(entries, entry_count, settings);
    }
    rd_kafka_event_destroy(event);
    return code;
}

fc_code fc_collect_topic(struct fc_cluster *cluster, const struct rd_kafka_metadata *metadata,
                         const char *name, json_t *topics, struct fc_error *err)
{
    const struct rd_kafka_metadata_topic *topic = NULL;
    json_t *settings = json_array();
    json_t *partitions = json_array();
    bool told = false;
    fc_code code = fc_cluster_find_topic(cluster, metadata, name, &topic, err);
    if (code == FC_OK) {
        code = fc_collect_settings(cluster, name, settings, &told, err);
    }
    if (code == FC_OK) {
        code = fc_partitions_rows(cluster, topic, partitions, err);
    }
    if (code == FC_OK) {
        json_t *described = json_object();
        json_object_set_new(described, "topic", fc_output_string(name));
        json_object_set_new(described, "partition_count", json_integer(topic->partition_cnt));
        json_object_set(described, "partitions", partitions);
        json_object_set(described, "settings", told ? settings : json_null());
        json_array_append_new(topics, described);
    }
    json_decref(settings);
    json_decref(partitions);
    return code;
}

/* Settings that differ from the defaults, or all with --all. */
static void print_settings(struct fc_cli *cli, const json_t *settings, bool all)
{
    static const struct fc_column columns[] = {
        { "SETTING", "name", FC_COLUMN_TEXT },
        { "VALUE", "value", FC_COLUMN_TEXT },
        { "FROM", "source", FC_COLUMN_TEXT },
        { .title = NULL },
    };
    json_t *shown = json_array();
    size_t index;
    json_t *row;
    if (!json_is_array(settings)) {
        fc_cli_note(cli, "its settings may not be read by this user (DESCRIBE_CONFIGS)");
    }
    json_array_foreach(settings, index, row)
    {
        const char *source = json_string_value(json_object_get(row, "source"));
        if (all || strcmp(source, "DEFAULT_CONFIG") != 0) {
            json_array_append(shown, row);
        }
    }
    if (json_array_size(shown) > 0) {
        (void)fputc('\n', cli->out);
        fc_output_table(cli->out, shown, columns);
    }
    json_decref(shown);
}

static void print_topic(struct fc_cli *cli, json_t *topic, bool all)
{
    static const struct fc_column columns[] = {
        { "PARTITION", "partition", FC_COLUMN_NUMBER },
        { "LEADER", "leader", FC_COLUMN_NUMBER },
        { "REPLICAS", "replicas", FC_COLUMN_TEXT },
        { "IN SYNC", "in_sync", FC_COLUMN_TEXT },
        { "START", "start", FC_COLUMN_NUMBER },
        { "END", "end", FC_COLUMN_NUMBER },
        { "RECORDS", "records", FC_COLUMN_NUMBER },
        { .title = NULL },
    };
    (void)fprintf(cli->out, "Topic %s\n\n", json_string_value(json_object_get(topic, "topic")));
    fc_output_table(cli->out, json_object_get(topic, "partitions"), columns);
    print_settings(cli, json_object_get(topic, "settings"), all);
}

int fc_cmd_topic_describe(struct fc_cli *cli, int argc, char **argv)
{
    bool all = false;
    const struct fc_flag flags[] = {
        { "all", 'a', FC_FLAG_BOOL, &all, NULL, "also the settings that are the defaults" },
        { .name = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "topic describe [FLAGS] NAME...",
                   "Show the partitions of topics, and their settings.", flags, 1, NAMES_MAX },
        .examples = "  fluvio topic describe orders\n  fluvio topic describe orders -O yaml",
    };
    const struct rd_kafka_metadata *metadata = NULL;
    struct fc_cluster *cluster = NULL;
    struct fc_error error = { 0 };
    json_t *topics;
    fc_code code;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    topics = json_array();
    code = fc_cluster_open_admin(cli, &cluster, &error);
    if (code == FC_OK) {
        code = fc_cluster_metadata(cluster, &metadata, &error);
    }
    for (uint32_t index = 0; index < cli->operand_count && code == FC_OK; index++) {
        code = fc_collect_topic(cluster, metadata, cli->operands[index], topics, &error);
    }
    if (metadata != NULL) {
        rd_kafka_metadata_destroy(metadata);
    }
    for (size_t index = 0;
         code == FC_OK && cli->format == FC_CLI_TABLE && index < json_array_size(topics);
         index++) {
        (void)fputs(index > 0 ? "\n" : "", cli->out);
        print_topic(cli, json_array_get(topics, index), all);
    }
    if (code == FC_OK && cli->format != FC_CLI_TABLE) {
        fc_output_value(cli, topics);
    }
    json_decref(topics);
    fc_cluster_close(cluster);
    return code == FC_OK ? FC_EXIT_DONE : fc_cli_fail(cli, &error);
}
