/* SPDX-License-Identifier: Apache-2.0 */
/* cluster status. */
#include <stdlib.h>
#include <string.h>

#include "core/cli/cluster.h"
#include "core/cli/collect.h"
#include "core/cli/commands.h"
#include "core/cli/output.h"

static json_t *servers_of(const struct rd_kafka_metadata *metadata, int32_t controller)
{
    json_t *servers = json_array();
    for (int index = 0; index < metadata->broker_cnt; index++) {
        const struct rd_kafka_metadata_broker *broker = &metadata->brokers[index];
        json_t *server = json_object();
        int leads = 0;
        for (int topic = 0; topic < metadata->topic_cnt; topic++) {
            for (int at = 0; at < metadata->topics[topic].partition_cnt; at++) {
                leads += metadata->topics[topic].partitions[at].leader == broker->id ? 1 : 0;
            }
        }
        json_object_set_new(server, "server", json_integer(broker->id));
        json_object_set_new(server, "host", fc_output_string(broker->host));
        json_object_set_new(server, "port", json_integer(broker->port));
        json_object_set_new(server, "controller", json_boolean(broker->id == controller));
        json_object_set_new(server, "leads", json_integer(leads));
        json_array_append_new(servers, server);
    }
    return servers;
}

static void count_partitions(const struct rd_kafka_metadata *metadata, json_t *status)
{
    int partitions = 0;
    int leaderless = 0;
    int behind = 0;
    for (int topic = 0; topic < metadata->topic_cnt; topic++) {
        for (int at = 0; at < metadata->topics[topic].partition_cnt; at++) {
            const rd_kafka_metadata_partition_t *partition =
                &metadata->topics[topic].partitions[at];
            partitions++;
            leaderless += partition->leader < 0 ? 1 : 0;
            behind += partition->isr_cnt < partition->replica_cnt ? 1 : 0;
        }
    }
    json_object_set_new(status, "topics", json_integer(metadata->topic_cnt));
    json_object_set_new(status, "partitions", json_integer(partitions));
    json_object_set_new(status, "without_leader", json_integer(leaderless));
    json_object_set_new(status, "not_fully_replicated", json_integer(behind));
}

fc_code fc_collect_status(struct fc_cluster *cluster, json_t *status, struct fc_error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    char *id;
    fc_code code = fc_cluster_metadata(cluster, &metadata, err);
    if (code != FC_OK) {
        return code;
    }
    id = rd_kafka_clusterid(cluster->rk, cluster->timeout_ms);
    json_object_set_new(status, "cluster", fc_output_string(cluster->settings.where));
    json_object_set_new(status, "id", fc_output_string(id));
    json_object_set_new(
        status, "servers",
        servers_of(metadata, rd_kafka_controllerid(cluster->rk, cluster->timeout_ms)));
    count_partitions(metadata, status);
    if (id != NULL) {
        rd_kafka_mem_free(cluster->rk, id);
    }
    rd_kafka_metadata_destroy(metadata);
    return FC_OK;
}

static json_int_t number(const json_t *status, const char *key)
{
    return json_integer_value(json_object_get(status, key));
}

static void print(struct fc_cli *cli, json_t *status)
{
    static const struct fc_column columns[] = {
        { "SERVER", "server", FC_COLUMN_NUMBER },
        { "HOST", "host", FC_COLUMN_TEXT },
        { "PORT", "port", FC_COLUMN_NUMBER },
        { "CONTROLLER", "controller", FC_COLUMN_TEXT },
        { "LEADS", "leads", FC_COLUMN_NUMBER },
        { .title = NULL },
    };
    const char *id = json_string_value(json_object_get(status, "id"));
    if (cli->format != FC_CLI_TABLE) {
        fc_output_value(cli, status);
        return;
    }
    (void)fprintf(cli->out, "Cluster %s, id %s\n",
                  json_string_value(json_object_get(status, "cluster")),
                  id == NULL ? "unknown" : id);
    (void)fprintf(cli->out,
                  "%lld topics, %lld partitions: %lld without leader, %lld not fully "
                  "replicated\n\n",
                  (long long)number(status, "topics"), (long long)number(status, "partitions"),
                  (long long)number(status, "without_leader"),
                  (long long)number(status, "not_fully_replicated"));
    fc_output_table(cli->out, json_object_get(status, "servers"), columns);
}

int fc_cmd_cluster_status(struct fc_cli *cli, int argc, char **argv)
{
    const struct fc_cli_usage usage = {
        .usage = { "cluster status [FLAGS]",
                   "Show the cluster's servers and how its partitions are. Exit code 1 when a\n"
                   "partition has no leader, or no server can be reached.",
                   NULL, 0, 0 },
        .examples = "  fluvio cluster status\n  fluvio cluster status --profile production",
    };
    struct fc_cluster *cluster = NULL;
    struct fc_error error = { 0 };
    int result = FC_EXIT_DONE;
    json_t *status;
    fc_code code;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    status = json_object();
    code = fc_cluster_open_admin(cli, &cluster, &error);
    if (code == FC_OK) {
        code = fc_collect_status(cluster, status, &error);
    }
    if (code == FC_OK) {
        print(cli, status);
        result = number(status, "without_leader") > 0 ? FC_EXIT_FAILED : FC_EXIT_DONE;
    }
    json_decref(status);
    fc_cluster_close(cluster);
    return code == FC_OK ? result : fc_cli_fail(cli, &error);
}
