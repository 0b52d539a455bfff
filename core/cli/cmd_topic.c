/* SPDX-License-Identifier: Apache-2.0 */
/* topic list, topic delete. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/cli/cluster.h"
#include "core/cli/commands.h"
#include "core/cli/output.h"

enum { NAMES_MAX = 100 };

static bool is_internal(const char *topic)
{
    return strncmp(topic, "__", 2) == 0;
}

static int by_topic(const void *a, const void *b)
{
    const struct rd_kafka_metadata_topic *const *first = a;
    const struct rd_kafka_metadata_topic *const *second = b;
    return strcmp((*first)->topic, (*second)->topic);
}

static json_t *row_of(const struct rd_kafka_metadata_topic *topic)
{
    json_t *row = json_object();
    int leaderless = 0;
    for (int index = 0; index < topic->partition_cnt; index++) {
        leaderless += topic->partitions[index].leader < 0 ? 1 : 0;
    }
    json_object_set_new(row, "topic", fc_output_string(topic->topic));
    json_object_set_new(row, "partitions", json_integer(topic->partition_cnt));
    json_object_set_new(
        row, "replicas",
        json_integer(topic->partition_cnt > 0 ? topic->partitions[0].replica_cnt : 0));
    json_object_set_new(row, "internal", json_boolean(is_internal(topic->topic)));
    json_object_set_new(row, "status",
                        json_string(topic->err != RD_KAFKA_RESP_ERR_NO_ERROR
                                        ? rd_kafka_err2name(topic->err)
                                    : leaderless > 0 ? "no leader"
                                                     : "ok"));
    return row;
}

static void print_topics(struct fc_cli *cli, const struct rd_kafka_metadata *metadata,
                         bool system)
{
    static const struct fc_column columns[] = {
        { "TOPIC", "topic", FC_COLUMN_TEXT },
        { "PARTITIONS", "partitions", FC_COLUMN_NUMBER },
        { "REPLICAS", "replicas", FC_COLUMN_NUMBER },
        { "STATUS", "status", FC_COLUMN_TEXT },
        { .title = NULL },
    };
    size_t count = (size_t)metadata->topic_cnt;
    const struct rd_kafka_metadata_topic **sorted =
        fc_new_array(const struct rd_kafka_metadata_topic *, count + 1);
    json_t *rows = json_array();
    for (size_t index = 0; index < count; index++) {
        sorted[index] = &metadata->topics[index];
    }
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is sorted */
    qsort(sorted, count, sizeof(*sorted), by_topic);
    for (size_t index = 0; index < count; index++) {
        if (system || !is_internal(sorted[index]->topic)) {
            json_array_append_new(rows, row_of(sorted[index]));
        }
    }
    fc_output_rows(cli, rows, columns);
    json_decref(rows);
    free(sorted);
}

int fc_cmd_topic_list(struct fc_cli *cli, int argc, char **argv)
{
    bool system = false;
    const struct fc_flag flags[] = {
        { "system", 's', FC_FLAG_BOOL, &system, NULL, "also the servers' own (__...)" },
        { .name = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "topic list [FLAGS]", "List the topics that this user may see.", flags, 0,
                   0 },
        .examples = "  fluvio topic list\n  fluvio topic list -O json | jq -r '.[].topic'",
    };
    const struct rd_kafka_metadata *metadata = NULL;
    struct fc_cluster *cluster = NULL;
    struct fc_error error = { 0 };
    fc_code code;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    code = fc_cluster_open_admin(cli, &cluster, &error);
    if (code == FC_OK) {
        code = fc_cluster_metadata(cluster, &metadata, &error);
    }
    if (code == FC_OK) {
        print_topics(cli, metadata, system);
        rd_kafka_metadata_destroy(metadata);
    }
    fc_cluster_close(cluster);
    return code == FC_OK ? FC_EXIT_DONE : fc_cli_fail(cli, &error);
}

/* --- delete ------------------------------------------------------------------------------- */

static int tell_deleted(struct fc_cli *cli, const struct fc_cluster *cluster,
                        rd_kafka_event_t *event)
{
    size_t count = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count);
    return fc_cluster_tell_topics(cli, cluster, results, count, "deleted");
}

/* Names that are not there are told with the nearest; then none is deleted. */
static fc_code all_exist(struct fc_cluster *cluster, char **names, uint32_t count,
                         struct fc_error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    const struct rd_kafka_metadata_topic *topic = NULL;
    fc_code code = fc_cluster_metadata(cluster, &metadata, err);
    if (code != FC_OK) {
        return code;
    }
    for (uint32_t index = 0; index < count && code == FC_OK; index++) {
        code = fc_cluster_find_topic(cluster, metadata, names[index], &topic, err);
    }
    rd_kafka_metadata_destroy(metadata);
    return code;
}

static fc_code send_delete(struct fc_cluster *cluster, char **names, uint32_t count,
                           rd_kafka_event_t **out_event, struct fc_error *err)
{
    rd_kafka_DeleteTopic_t *topics[NAMES_MAX];
    rd_kafka_AdminOptions_t *options =
        fc_cluster_options(cluster, RD_KAFKA_ADMIN_OP_DELETETOPICS);
    char reason[128];
    fc_code code;
    for (uint32_t index = 0; index < count; index++) {
        topics[index] = rd_kafka_DeleteTopic_new(names[index]);
    }
    (void)rd_kafka_AdminOptions_set_operation_timeout(options, cluster->timeout_ms, reason,
                                                      sizeof(reason)); /* was checked */
    rd_kafka_DeleteTopics(cluster->rk, topics, count, options, cluster->queue);
    code = fc_cluster_await(cluster, RD_KAFKA_EVENT_DELETETOPICS_RESULT, "delete topics",
                            out_event, err);
    rd_kafka_DeleteTopic_destroy_array(topics, count);
    rd_kafka_AdminOptions_destroy(options);
    return code;
}

int fc_cmd_topic_delete(struct fc_cli *cli, int argc, char **argv)
{
    bool system = false;
    const struct fc_flag flags[] = {
        { "system", 0, FC_FLAG_BOOL, &system, NULL, "even one of the servers' own (__...)" },
        { .name = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "topic delete [FLAGS] NAME...",
                   "Delete topics and every record that they hold. When one of the names is\n"
                   "unknown, none is deleted.",
                   flags, 1, NAMES_MAX },
        .examples = "  fluvio topic delete orders",
    };
    struct fc_cluster *cluster = NULL;
    rd_kafka_event_t *event = NULL;
    struct fc_error error = { 0 };
    fc_code code;
    int result;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    for (uint32_t index = 0; index < cli->operand_count && !system; index++) {
        if (is_internal(cli->operands[index])) {
            (void)fc_fail(&error, FC_ERR_REFUSED,
                          "%s belongs to the servers, which need it; --system deletes it all "
                          "the same",
                          cli->operands[index]);
            return fc_cli_fail(cli, &error);
        }
    }
    code = fc_cluster_open_admin(cli, &cluster, &error);
    if (code == FC_OK) {
        code = all_exist(cluster, cli->operands, cli->operand_count, &error);
    }
    if (code == FC_OK) {
        code = send_delete(cluster, cli->operands, cli->operand_count, &event, &error);
    }
    result = code == FC_OK ? tell_deleted(cli, cluster, event) : fc_cli_fail(cli, &error);
    if (event != NULL) {
        rd_kafka_event_destroy(event);
    }
    fc_cluster_close(cluster);
    return result;
}
