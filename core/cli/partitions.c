/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/partitions.h"

#include <stdlib.h>

static json_t *node_list(const int32_t *nodes, int count)
{
    json_t *list = json_array();
    for (int index = 0; index < count; index++) {
        json_array_append_new(list, json_integer(nodes[index]));
    }
    return list;
}

static json_t *row_of(const struct rd_kafka_metadata_topic *topic,
                      const rd_kafka_metadata_partition_t *partition)
{
    json_t *row = json_object();
    json_object_set_new(row, "topic", fc_output_string(topic->topic));
    json_object_set_new(row, "partition", json_integer(partition->id));
    json_object_set_new(row, "leader",
                        partition->leader < 0 ? json_null() : json_integer(partition->leader));
    json_object_set_new(row, "replicas",
                        node_list(partition->replicas, partition->replica_cnt));
    json_object_set_new(row, "in_sync", node_list(partition->isrs, partition->isr_cnt));
    json_object_set_new(row, "start", json_null());
    json_object_set_new(row, "end", json_null());
    json_object_set_new(row, "records", json_null());
    return row;
}

/* Partition lists keep their order here: entry n belongs to row first + n of those asked. */
static void put_offsets(json_t *rows, const char *key,
                        const rd_kafka_topic_partition_list_t *list)
{
    for (int index = 0; index < list->cnt; index++) {
        const rd_kafka_topic_partition_t *entry = &list->elems[index];
        size_t at;
        json_t *row;
        if (entry->err != RD_KAFKA_RESP_ERR_NO_ERROR || entry->offset < 0) {
            continue;
        }
        json_array_foreach(rows, at, row)
        {
            if (json_integer_value(json_object_get(row, "partition")) == entry->partition &&
                strcmp(json_string_value(json_object_get(row, "topic")), entry->topic) == 0) {
                json_object_set_new(row, key, json_integer(entry->offset));
                break;
            }
        }
    }
}

static fc_code add_offsets(struct fc_cluster *cluster,
                           const struct rd_kafka_metadata_topic *topic, json_t *rows,
                           const char *key, int64_t which, struct fc_error *err)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(topic->partition_cnt);
    fc_code code;
    for (int index = 0; index < topic->partition_cnt; index++) {
        if (topic->partitions[index].leader >= 0) {
            rd_kafka_topic_partition_list_add(list, topic->topic, topic->partitions[index].id)
                ->offset = which;
        }
    }
    code = fc_cluster_offsets(cluster, list, err);
    if (code == FC_OK) {
        put_offsets(rows, key, list);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

fc_code fc_partitions_rows(struct fc_cluster *cluster,
                           const struct rd_kafka_metadata_topic *topic, json_t *rows,
                           struct fc_error *err)
{
    json_t *own = json_array();
    size_t at;
    json_t *row;
    fc_code code;
    for (int id = 0; id < topic->partition_cnt; id++) {
        for (int index = 0; index < topic->partition_cnt; index++) {
            if (topic->partitions[index].id == id) {
                json_array_append_new(own, row_of(topic, &topic->partitions[index]));
            }
        }
    }
    code = add_offsets(cluster, topic, own, "start", RD_KAFKA_OFFSET_BEGINNING, err);
    if (code == FC_OK) {
        code = add_offsets(cluster, topic, own, "end", RD_KAFKA_OFFSET_END, err);
    }
    json_array_foreach(own, at, row)
    {
        const json_t *start = json_object_get(row, "start");
        const json_t *end = json_object_get(row, "end");
        if (json_is_integer(start) && json_is_integer(end)) {
            json_object_set_new(
                row, "records",
                json_integer(json_integer_value(end) - json_integer_value(start)));
        }
    }
    if (code == FC_OK) {
        json_array_extend(rows, own);
    }
    json_decref(own);
    return code;
}
