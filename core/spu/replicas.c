/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What administrators ask about replicas: ElectLeaders, Alter- and ListPartitionReassignments,
 * AlterReplicaLogDirs. A partition has one replica, here, in the one data directory: what is asked
 * for is so already, or it is refused.
 */
#include "core/spu/access.h"
#include "core/spu/handlers.h"

static bool has_partition(struct fc_spu *spu, struct fc_request *request, struct fc_slice name,
                          int32_t index)
{
    struct fc_log_topic *topic = NULL;
    bool has =
        fc_spu_topic(spu, request, name, (struct fc_uuid){ { 0 } }, &topic) == FC_KAFKA_NONE &&
        index >= 0 && (uint32_t)index < fc_log_topic_partitions(topic);
    fc_log_topic_unref(topic);
    return has;
}

/* --- ElectLeaders --- */

/* `refused`: version 0 has no other place for it. */
static bool elect(struct fc_spu *spu, struct fc_request *request, fc_kafka_error refused,
                  const struct fc_msg_elect_leaders_request_topic *asked,
                  struct fc_msg_elect_leaders_response_topic *out)
{
    out->topic = asked->topic;
    out->partition_result =
        fc_wire_array(&request->arena, &fc_msg_elect_leaders_response_partition_type,
                      asked->partitions_count);
    if (out->partition_result == NULL) {
        return false;
    }
    out->partition_result_count = asked->partitions_count;
    for (int32_t index = 0; index < asked->partitions_count; index++) {
        struct fc_msg_elect_leaders_response_partition *partition =
            &out->partition_result[index];
        partition->partition_id = asked->partitions[index];
        if (refused != FC_KAFKA_NONE) {
            partition->error_code = (int16_t)refused;
        } else if (has_partition(spu, request, asked->topic, asked->partitions[index])) {
            partition->error_code = FC_KAFKA_ELECTION_NOT_NEEDED;
            partition->error_message = fc_slice_text("the only replica leads");
        } else {
            partition->error_code = FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        }
    }
    return true;
}

/* Of all partitions (null) only those are told whose leader changed: none. */
void fc_handle_elect_leaders(struct fc_spu *spu, struct fc_request *request,
                             const void *message)
{
    const struct fc_msg_elect_leaders_request *ask = message;
    struct fc_msg_elect_leaders_response response;
    int32_t count = ask->topic_partitions_count < 0 ? 0 : ask->topic_partitions_count;
    fc_kafka_error refused = fc_access_may_cluster(spu, request, FC_OPERATION_ALTER)
                                 ? FC_KAFKA_NONE
                                 : FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED;
    bool fits;
    fc_wire_init(&fc_msg_elect_leaders_response_type, &response);
    response.error_code = (int16_t)refused;
    response.replica_election_results =
        fc_wire_array(&request->arena, &fc_msg_elect_leaders_response_topic_type, count);
    fits = response.replica_election_results != NULL;
    response.replica_election_results_count = count;
    for (int32_t index = 0; fits && index < count; index++) {
        fits = elect(spu, request, refused, &ask->topic_partitions[index],
                     &response.replica_election_results[index]);
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}

/* --- AlterPartitionReassignments --- */

static void reassign(struct fc_spu *spu, struct fc_request *request, struct fc_slice topic,
                     const struct fc_msg_alter_partition_reassignments_request_partition *asked,
                     struct fc_msg_alter_partition_reassignments_response_partition *out)
{
    out->partition_index = asked->partition_index;
    if (!has_partition(spu, request, topic, asked->partition_index)) {
        out->error_code = FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    } else if (asked->replicas_count < 0) {
        out->error_code = FC_KAFKA_NO_REASSIGNMENT_IN_PROGRESS;
    } else if (asked->replicas_count != 1 || asked->replicas[0] != spu->config.node_id) {
        out->error_code = FC_KAFKA_INVALID_REPLICA_ASSIGNMENT;
        out->error_message = fc_slice_text("this node is the only one");
    }
}

void fc_handle_alter_partition_reassignments(struct fc_spu *spu, struct fc_request *request,
                                             const void *message)
{
    const struct fc_msg_alter_partition_reassignments_request *ask = message;
    struct fc_msg_alter_partition_reassignments_response response;
    int32_t count = ask->topics_count;
    bool fits;
    fc_wire_init(&fc_msg_alter_partition_reassignments_response_type, &response);
    if (!fc_access_may_cluster(spu, request, FC_OPERATION_ALTER)) {
        response.error_code = FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED;
        count = 0;
    }
    response.allow_replication_factor_change = ask->allow_replication_factor_change;
    response.responses = fc_wire_array(
        &request->arena, &fc_msg_alter_partition_reassignments_response_topic_type, count);
    fits = response.responses != NULL;
    response.responses_count = count;
    for (int32_t index = 0; fits && index < count; index++) {
        const struct fc_msg_alter_partition_reassignments_request_topic *asked =
            &ask->topics[index];
        struct fc_msg_alter_partition_reassignments_response_topic *out =
            &response.responses[index];
        out->name = asked->name;
        out->partitions = fc_wire_array(
            &request->arena, &fc_msg_alter_partition_reassignments_response_partition_type,
            asked->partitions_count);
        fits = out->partitions != NULL;
        out->partitions_count = fits ? asked->partitions_count : 0;
        for (int32_t which = 0; which < out->partitions_count; which++) {
            reassign(spu, request, asked->name, &asked->partitions[which],
                     &out->partitions[which]);
        }
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}

/* --- ListPartitionReassignments: none ever runs --- */

void fc_handle_list_partition_reassignments(struct fc_spu *spu, struct fc_request *request,
                                            const void *message)
{
    struct fc_msg_list_partition_reassignments_response response;
    (void)message;
    fc_wire_init(&fc_msg_list_partition_reassignments_response_type, &response);
    if (!fc_access_may_cluster(spu, request, FC_OPERATION_DESCRIBE)) {
        response.error_code = FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED;
    }
    fc_answer(request, &response);
}

/* --- AlterReplicaLogDirs --- */

static fc_kafka_error move(struct fc_spu *spu, struct fc_request *request, bool may,
                           struct fc_slice dir, struct fc_slice topic, int32_t index)
{
    if (!may) {
        return FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED;
    }
    if (!has_partition(spu, request, topic, index)) {
        return FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    return fc_slice_equal_text(dir, fc_data_dir_path(spu->data)) ? FC_KAFKA_NONE
                                                                 : FC_KAFKA_LOG_DIR_NOT_FOUND;
}

static bool move_topic(struct fc_spu *spu, struct fc_request *request, bool may,
                       struct fc_slice dir,
                       const struct fc_msg_alter_replica_log_dirs_request_topic *asked,
                       struct fc_msg_alter_replica_log_dirs_response_topic *out)
{
    out->topic_name = asked->name;
    out->partitions =
        fc_wire_array(&request->arena, &fc_msg_alter_replica_log_dirs_response_partition_type,
                      asked->partitions_count);
    if (out->partitions == NULL) {
        return false;
    }
    out->partitions_count = asked->partitions_count;
    for (int32_t index = 0; index < asked->partitions_count; index++) {
        out->partitions[index].partition_index = asked->partitions[index];
        out->partitions[index].error_code =
            (int16_t)move(spu, request, may, dir, asked->name, asked->partitions[index]);
    }
    return true;
}

void fc_handle_alter_replica_log_dirs(struct fc_spu *spu, struct fc_request *request,
                                      const void *message)
{
    const struct fc_msg_alter_replica_log_dirs_request *ask = message;
    struct fc_msg_alter_replica_log_dirs_response response;
    bool may = fc_access_may_cluster(spu, request, FC_OPERATION_ALTER);
    int64_t count = 0;
    bool fits;
    for (int32_t index = 0; index < ask->dirs_count; index++) {
        count += ask->dirs[index].topics_count;
    }
    fc_wire_init(&fc_msg_alter_replica_log_dirs_response_type, &response);
    response.results = fc_wire_array(
        &request->arena, &fc_msg_alter_replica_log_dirs_response_topic_type, (int32_t)count);
    fits = response.results != NULL;
    for (int32_t index = 0; fits && index < ask->dirs_count; index++) {
        const struct fc_msg_alter_replica_log_dirs_request_dir *dir = &ask->dirs[index];
        for (int32_t which = 0; fits && which < dir->topics_count; which++) {
            fits = move_topic(spu, request, may, dir->path, &dir->topics[which],
                              &response.results[response.results_count++]);
        }
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}
