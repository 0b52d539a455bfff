/* SPDX-License-Identifier: Apache-2.0 */
/* topic create. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/cli/cluster.h"
#include "core/cli/commands.h"
#include "core/cli/topic_flags.h"

enum { PARTITIONS_MAX = 100000, REPLICAS_MAX = 1000, NAMES_MAX = 100 };

struct wanted {
    int partitions;
    int replicas; /* -1: the server's default */
    bool dry_run;
    struct fc_profile config;
};

static fc_code make_topic(const struct wanted *wanted, const char *name,
                          rd_kafka_NewTopic_t **out_topic, struct fc_error *err)
{
    char reason[200] = { 0 };
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(
        name, wanted->partitions, wanted->replicas, reason, sizeof(reason));
    if (topic == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "topic `%s`: %s", name, reason);
    }
    for (size_t index = 0; index < wanted->config.count; index++) {
        rd_kafka_resp_err_t code =
            rd_kafka_NewTopic_set_config(topic, wanted->config.properties[index].name,
                                         wanted->config.properties[index].value);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            rd_kafka_NewTopic_destroy(topic);
            return fc_fail(err, FC_ERR_CONFIG, "setting `%s` cannot be sent: %s",
                           wanted->config.properties[index].name, rd_kafka_err2str(code));
        }
    }
    *out_topic = topic;
    return FC_OK;
}

static int tell_created(struct fc_cli *cli, const struct fc_cluster *cluster,
                        const struct wanted *wanted, rd_kafka_event_t *event)
{
    size_t count = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    return fc_cluster_tell_topics(cli, cluster, results, count,
                                  wanted->dry_run ? "could be created" : "created");
}

static fc_code send_create(struct fc_cluster *cluster, const struct wanted *wanted,
                           char **names, uint32_t count, rd_kafka_event_t **out_event,
                           struct fc_error *err)
{
    rd_kafka_NewTopic_t *topics[NAMES_MAX] = { NULL };
    rd_kafka_AdminOptions_t *options =
        fc_cluster_options(cluster, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    uint32_t made = 0;
    char reason[128];
    fc_code code = FC_OK;
    /* Neither can fail for these values. */
    (void)rd_kafka_AdminOptions_set_validate_only(options, wanted->dry_run ? 1 : 0, reason,
                                                  sizeof(reason));
    (void)rd_kafka_AdminOptions_set_operation_timeout(options, cluster->timeout_ms, reason,
                                                      sizeof(reason));
    for (; made < count && code == FC_OK; made += code == FC_OK ? 1 : 0) {
        code = make_topic(wanted, names[made], &topics[made], err);
    }
    if (code == FC_OK) {
        rd_kafka_CreateTopics(cluster->rk, topics, count, options, cluster->queue);
        code = fc_cluster_await(cluster, RD_KAFKA_EVENT_CREATETOPICS_RESULT, "create topics",
                                out_event, err);
    }
    rd_kafka_NewTopic_destroy_array(topics, made);
    rd_kafka_AdminOptions_destroy(options);
    return code;
}

static int create(struct fc_cli *cli, const struct wanted *wanted, char **names, uint32_t count)
{
    struct fc_cluster *cluster = NULL;
    rd_kafka_event_t *event = NULL;
    struct fc_error error = { 0 };
    int exit_code;
    fc_code code = fc_cluster_open_admin(cli, &cluster, &error);
    if (code == FC_OK) {
        code = send_create(cluster, wanted, names, count, &event, &error);
    }
    exit_code =
        code == FC_OK ? tell_created(cli, cluster, wanted, event) : fc_cli_fail(cli, &error);
    if (event != NULL) {
        rd_kafka_event_destroy(event);
    }
    fc_cluster_close(cluster);
    return exit_code;
}

int fc_cmd_topic_create(struct fc_cli *cli, int argc, char **argv)
{
    struct fc_topic_flags given = { 0 };
    struct wanted wanted = { .partitions = 1, .replicas = -1 };
    const char *partitions = NULL;
    const char *replicas = NULL;
    const struct fc_flag flags[] = {
        { "partitions", 'p', FC_FLAG_TEXT, &partitions, "N", "how many (1)" },
        { "replication", 'r', FC_FLAG_TEXT, &replicas, "N",
          "copies of each (the server's default)" },
        FC_TOPIC_FLAGS(&given),
        { "dry-run", 'd', FC_FLAG_BOOL, &wanted.dry_run, NULL, "only let the server check it" },
        { .name = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "topic create [FLAGS] NAME...", "Make topics, all with these settings.",
                   flags, 1, NAMES_MAX },
        .examples = "  fluvio topic create orders -p 3 --retention-time 7d\n"
                    "  fluvio topic create state --cleanup-policy compact\n"
                    "  fluvio topic create audit --config min.insync.replicas=2 -r 3",
    };
    struct fc_error error = { 0 };
    int64_t number = 0;
    int result;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    if (partitions != NULL) {
        if (fc_cli_number("--partitions", partitions, 1, PARTITIONS_MAX, &number, &error) !=
            FC_OK) {
            return fc_cli_fail(cli, &error);
        }
        wanted.partitions = (int)number;
    }
    if (replicas != NULL) {
        if (fc_cli_number("--replication", replicas, 1, REPLICAS_MAX, &number, &error) !=
            FC_OK) {
            return fc_cli_fail(cli, &error);
        }
        wanted.replicas = (int)number;
    }
    if (fc_topic_flags_read(&given, &wanted.config, &error) != FC_OK) {
        fc_profile_release(&wanted.config);
        return fc_cli_fail(cli, &error);
    }
    result = create(cli, &wanted, cli->operands, cli->operand_count);
    fc_profile_release(&wanted.config);
    return result;
}
