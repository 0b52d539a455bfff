/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes on disk: each server is asked for its own. */
#include <stdlib.h>
#include <string.h>

#include "core/cli/partitions.h"
#include "core/cli/settings.h"
#include "core/link/wire_client.h"
#include "core/wire/messages.h"

static json_t *find_row(json_t *rows, struct fc_slice topic, int32_t partition, int32_t leader)
{
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        const json_t *led_by = json_object_get(row, "leader");
        if (json_integer_value(json_object_get(row, "partition")) == partition &&
            json_is_integer(led_by) && json_integer_value(led_by) == leader &&
            fc_slice_equal_text(topic, json_string_value(json_object_get(row, "topic")))) {
            return row;
        }
    }
    return NULL;
}

static void take_dir(json_t *rows, const struct fc_msg_describe_log_dirs_response_result *dir,
                     int32_t node)
{
    for (int32_t at = 0; at < dir->topics_count; at++) {
        const struct fc_msg_describe_log_dirs_response_topic *topic = &dir->topics[at];
        for (int32_t index = 0; index < topic->partitions_count; index++) {
            json_t *row =
                find_row(rows, topic->name, topic->partitions[index].partition_index, node);
            if (row != NULL && !topic->partitions[index].is_future_key) {
                json_object_set_new(row, "size",
                                    json_integer(topic->partitions[index].partition_size));
            }
        }
    }
}

static fc_code ask_node(struct fc_cluster *cluster,
                        const struct rd_kafka_metadata_broker *broker, json_t *rows,
                        struct fc_error *err)
{
    struct fc_msg_describe_log_dirs_request request;
    struct fc_msg_describe_log_dirs_response response;
    struct fc_wire_client *client = NULL;
    char port[12];
    struct fc_link_settings link = fc_settings_link(&cluster->settings);
    fc_code code;
    (void)snprintf(port, sizeof(port), "%d", broker->port);
    code = fc_wire_client_open_at(&link, cluster->timeout_ms, broker->host, port, &client, err);
    if (code == FC_OK) {
        fc_wire_init(&fc_msg_describe_log_dirs_request_type, &request);
        request.topics = NULL;
        request.topics_count = -1; /* null: all */
        code = fc_wire_client_call(client, FC_API_DESCRIBE_LOG_DIRS, &request, &response, err);
    }
    if (code == FC_OK) {
        code =
            fc_wire_client_check(response.error_code, fc_slice_null(), "log directories", err);
    }
    for (int32_t index = 0; code == FC_OK && index < response.results_count; index++) {
        take_dir(rows, &response.results[index], broker->id);
    }
    fc_wire_client_close(client);
    return code;
}

void fc_partitions_add_sizes(struct fc_cli *cli, struct fc_cluster *cluster, json_t *rows)
{
    const struct rd_kafka_metadata *metadata = NULL;
    struct fc_error error = { 0 };
    fc_code code = fc_cluster_metadata(cluster, &metadata, &error);
    for (int index = 0; code == FC_OK && index < metadata->broker_cnt; index++) {
        if (ask_node(cluster, &metadata->brokers[index], rows, &error) != FC_OK &&
            cli->verbose) {
            fc_cli_warn(cli, "no sizes from server %d: %s", (int)metadata->brokers[index].id,
                        error.message);
        }
    }
    if (metadata != NULL) {
        rd_kafka_metadata_destroy(metadata);
    }
}
