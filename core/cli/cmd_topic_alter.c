/* SPDX-License-Identifier: Apache-2.0 */
/* topic alter: settings one by one (librdkafka 2.0 can only set all at once), and more
 * partitions. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/suggest.h"
#include "core/cli/cluster.h"
#include "core/cli/collect.h"
#include "core/cli/commands.h"
#include "core/cli/settings.h"
#include "core/cli/topic_flags.h"
#include "core/link/wire_client.h"
#include "core/wire/messages.h"

enum { RESOURCE_TOPIC = 2, OPERATION_SET = 0, OPERATION_DELETE = 1, PARTITIONS_MAX = 100000 };

struct change {
    const char *topic;
    struct fc_profile set;
    struct fc_flag_list reset;
    int64_t partitions; /* 0: as many as there are */
    bool dry_run;
};

static fc_code send_settings(struct fc_wire_client *client, const struct change *change,
                             struct fc_error *err)
{
    size_t count = change->set.count + change->reset.count;
    struct fc_msg_incremental_alter_configs_request request;
    struct fc_msg_incremental_alter_configs_response response;
    struct fc_msg_incremental_alter_configs_request_resource resource;
    struct fc_msg_incremental_alter_configs_request_config *configs =
        fc_new_array(struct fc_msg_incremental_alter_configs_request_config, count + 1);
    fc_code code;
    fc_wire_init(&fc_msg_incremental_alter_configs_request_type, &request);
    fc_wire_init(&fc_msg_incremental_alter_configs_request_resource_type, &resource);
    for (size_t index = 0; index < count; index++) {
        bool sets = index < change->set.count;
        fc_wire_init(&fc_msg_incremental_alter_configs_request_config_type, &configs[index]);
        configs[index].config_operation = sets ? OPERATION_SET : OPERATION_DELETE;
        configs[index].name =
            fc_slice_text(sets ? change->set.properties[index].name
                               : change->reset.items[index - change->set.count]);
        configs[index].value =
            sets ? fc_slice_text(change->set.properties[index].value) : fc_slice_null();
    }
    resource.resource_type = RESOURCE_TOPIC;
    resource.resource_name = fc_slice_text(change->topic);
    resource.configs = configs;
    resource.configs_count = (int32_t)count;
    request.resources = &resource;
    request.resources_count = 1;
    request.validate_only = change->dry_run;
    code =
        fc_wire_client_call(client, FC_API_INCREMENTAL_ALTER_CONFIGS, &request, &response, err);
    for (int32_t index = 0; code == FC_OK && index < response.responses_count; index++) {
        code =
            fc_wire_client_check(response.responses[index].error_code,
                                 response.responses[index].error_message, change->topic, err);
    }
    free(configs);
    return code;
}

static fc_code alter_settings(struct fc_cluster *cluster, const struct change *change,
                              struct fc_error *err)
{
    struct fc_link_settings link = fc_settings_link(&cluster->settings);
    struct fc_wire_client *client = NULL;
    fc_code code = fc_wire_client_open_controller(&link, cluster->timeout_ms, &client, err);
    if (code == FC_OK) {
        code = send_settings(client, change, err);
    }
    fc_wire_client_close(client);
    return code;
}

static fc_code add_partitions(struct fc_cluster *cluster, const struct change *change,
                              struct fc_error *err)
{
    char reason[200] = { 0 };
    rd_kafka_NewPartitions_t *wanted = rd_kafka_NewPartitions_new(
        change->topic, (size_t)change->partitions, reason, sizeof(reason));
    rd_kafka_AdminOptions_t *options =
        fc_cluster_options(cluster, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS);
    const rd_kafka_topic_result_t **results;
    rd_kafka_event_t *event = NULL;
    size_t count = 0;
    fc_code code;
    fc_assert(wanted != NULL); /* the number was checked */
    (void)rd_kafka_AdminOptions_set_validate_only(options, change->dry_run ? 1 : 0, reason,
                                                  sizeof(reason));
    rd_kafka_CreatePartitions(cluster->rk, &wanted, 1, options, cluster->queue);
    code = fc_cluster_await(cluster, RD_KAFKA_EVENT_CREATEPARTITIONS_RESULT, "add partitions",
                            &event, err);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewPartitions_destroy(wanted);
    if (code != FC_OK) {
        return code;
    }
    results = rd_kafka_CreatePartitions_result_topics(
        rd_kafka_event_CreatePartitions_result(event), &count);
    if (count > 0 && rd_kafka_topic_result_error(results[0]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        code =
            fc_cluster_fail(cluster, rd_kafka_topic_result_error(results[0]),
                            rd_kafka_topic_result_error_string(results[0]), change->topic, err);
    }
    rd_kafka_event_destroy(event);
    return code;
}

static fc_code check_topic(struct fc_cluster *cluster, const struct change *change,
                           struct fc_error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    const struct rd_kafka_metadata_topic *topic = NULL;
    fc_code code = fc_cluster_metadata(cluster, &metadata, err);
    if (code != FC_OK) {
        return code;
    }
    code = fc_cluster_find_topic(cluster, metadata, change->topic, &topic, err);
    if (code == FC_OK && change->partitions != 0 &&
        change->partitions <= topic->partition_cnt) {
        code = fc_fail(err, FC_ERR_REFUSED,
                       "topic `%s` has %d partitions already; partitions can be added, never "
                       "removed",
                       change->topic, topic->partition_cnt);
    }
    rd_kafka_metadata_destroy(metadata);
    return code;
}

static bool has_setting(json_t *settings, const char *name, struct fc_suggest *suggest)
{
    size_t index;
    json_t *setting;
    fc_suggest_init(suggest, name);
    json_array_foreach(settings, index, setting)
    {
        const char *known = json_string_value(json_object_get(setting, "name"));
        if (strcmp(known, name) == 0) {
            return true;
        }
        fc_suggest_offer(suggest, known);
    }
    return false;
}

/* Servers take it for done when there is no such setting. Who may not read the settings is believed. */
static fc_code check_reset(struct fc_cluster *cluster, const struct change *change,
                           struct fc_error *err)
{
    json_t *settings = json_array();
    char hint[FC_SUGGEST_TEXT_SIZE];
    struct fc_suggest suggest;
    struct fc_error ignored = { 0 };
    fc_code code = FC_OK;
    bool told = false;
    if (change->reset.count > 0 &&
        fc_collect_settings(cluster, change->topic, settings, &told, &ignored) != FC_OK) {
        told = false;
    }
    for (uint32_t index = 0; told && code == FC_OK && index < change->reset.count; index++) {
        if (!has_setting(settings, change->reset.items[index], &suggest)) {
            code = fc_fail(err, FC_ERR_NOT_FOUND,
                           "topic `%s` has no setting `%s`%s (fluvio topic describe --all)",
                           change->topic, change->reset.items[index],
                           fc_suggest_text(&suggest, hint));
        }
    }
    json_decref(settings);
    return code;
}

/* Servers refuse it, or take the last one. */
static fc_code check_once(const struct change *change, struct fc_error *err)
{
    for (uint32_t index = 0; index < change->reset.count; index++) {
        const char *name = change->reset.items[index];
        bool twice = fc_profile_get(&change->set, name) != NULL;
        for (uint32_t at = 0; at < index; at++) {
            twice = twice || strcmp(change->reset.items[at], name) == 0;
        }
        if (twice) {
            return fc_fail(err, FC_ERR_CONFIG, "`%s` can be changed only once", name);
        }
    }
    return FC_OK;
}

static fc_code run(struct fc_cli *cli, const struct change *change, struct fc_error *err)
{
    struct fc_cluster *cluster = NULL;
    fc_code code = fc_cluster_open_admin(cli, &cluster, err);
    if (code == FC_OK) {
        code = check_topic(cluster, change, err);
    }
    if (code == FC_OK) {
        code = check_reset(cluster, change, err);
    }
    if (code == FC_OK && change->set.count + change->reset.count > 0) {
        code = alter_settings(cluster, change, err);
    }
    if (code == FC_OK && change->partitions != 0) {
        code = add_partitions(cluster, change, err);
    }
    if (code == FC_OK) {
        fc_cli_note(cli, change->dry_run ? "topic %s could be altered" : "topic %s altered",
                    change->topic);
    }
    fc_cluster_close(cluster);
    return code;
}

int fc_cmd_topic_alter(struct fc_cli *cli, int argc, char **argv)
{
    struct fc_topic_flags given = { 0 };
    struct change change = { .partitions = 0 };
    const char *partitions = NULL;
    const struct fc_flag flags[] = {
        { "partitions", 'p', FC_FLAG_TEXT, &partitions, "N",
          "as many; existing keys go elsewhere from then on" },
        FC_TOPIC_FLAGS(&given),
        { "unset", 'u', FC_FLAG_LIST, &change.reset, "NAME", "back to the server's default" },
        { "dry-run", 'd', FC_FLAG_BOOL, &change.dry_run, NULL, "only let the server check it" },
        { .name = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "topic alter [FLAGS] NAME",
                   "Change settings of a topic, others stay as they are; or add partitions.",
                   flags, 1, 1 },
        .examples = "  fluvio topic alter orders --retention-time 30d\n"
                    "  fluvio topic alter orders --unset retention.ms\n"
                    "  fluvio topic alter orders -p 6",
    };
    struct fc_error error = { 0 };
    fc_code code;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    change.topic = cli->operands[0];
    code = fc_topic_flags_read(&given, &change.set, &error);
    if (code == FC_OK && partitions != NULL) {
        code = fc_cli_number("--partitions", partitions, 1, PARTITIONS_MAX, &change.partitions,
                             &error);
    }
    if (code == FC_OK && partitions == NULL && change.set.count + change.reset.count == 0) {
        code = fc_fail(&error, FC_ERR_CONFIG, "nothing to change: give a setting");
    }
    code = code == FC_OK ? check_once(&change, &error) : code;
    if (code == FC_OK) {
        code = run(cli, &change, &error);
    }
    fc_profile_release(&change.set);
    return code == FC_OK ? FC_EXIT_DONE : fc_cli_fail(cli, &error);
}
