/* SPDX-License-Identifier: Apache-2.0 */
/* TxnOffsetCommit: offsets that count once the transaction is committed. */
#include "core/spu/access.h"
#include "core/spu/coordinator.h"
#include "core/spu/handlers.h"
#include "core/spu/offset_commit.h"
#include "core/spu/txns.h"

/* From this version on the commit itself makes the group's partition part of the transaction. */
enum { ADDS_ITSELF = 5 };

static void set_all(void *ctx, fc_kafka_error error)
{
    struct fc_msg_txn_offset_commit_response *response = ctx;
    for (int32_t topic = 0; topic < response->topics_count; topic++) {
        for (int32_t index = 0; index < response->topics[topic].partitions_count; index++) {
            if (response->topics[topic].partitions[index].error_code == FC_KAFKA_NONE) {
                response->topics[topic].partitions[index].error_code = (int16_t)error;
            }
        }
    }
}

static fc_kafka_error check(struct fc_spu *spu, struct fc_request *request,
                            struct fc_slice name,
                            const struct fc_msg_txn_offset_commit_request_partition *asked)
{
    struct fc_log_topic *topic = NULL;
    fc_kafka_error error;
    if (!fc_access_may(spu, request, FC_OPERATION_READ, FC_RESOURCE_TOPIC, name)) {
        return FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    }
    error = fc_spu_topic(spu, request, name, (struct fc_uuid){ { 0 } }, &topic);
    if (error == FC_KAFKA_NONE &&
        (asked->partition_index < 0 ||
         (uint32_t)asked->partition_index >= fc_log_topic_partitions(topic))) {
        error = FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (error == FC_KAFKA_NONE &&
        (int64_t)asked->committed_metadata.len > spu->config.offset_metadata_max) {
        error = FC_KAFKA_OFFSET_METADATA_TOO_LARGE;
    }
    fc_log_topic_unref(topic);
    return error;
}

/* The commits that may be made; the answer says of the others why not: `whole` of all. */
static bool collect(struct fc_spu *spu, struct fc_request *request,
                    const struct fc_msg_txn_offset_commit_request *ask, fc_kafka_error whole,
                    struct fc_msg_txn_offset_commit_response *response,
                    struct fc_commit *commits, int32_t *out_count)
{
    int64_t now_ms = fc_clock_wall_ms(spu->config.net.clock);
    for (int32_t index = 0; index < ask->topics_count; index++) {
        const struct fc_msg_txn_offset_commit_request_topic *asked = &ask->topics[index];
        struct fc_msg_txn_offset_commit_response_topic *out = &response->topics[index];
        out->name = asked->name;
        out->partitions =
            fc_wire_array(&request->arena, &fc_msg_txn_offset_commit_response_partition_type,
                          asked->partitions_count);
        if (out->partitions == NULL) {
            return false;
        }
        out->partitions_count = asked->partitions_count;
        for (int32_t which = 0; which < asked->partitions_count; which++) {
            const struct fc_msg_txn_offset_commit_request_partition *partition =
                &asked->partitions[which];
            fc_kafka_error error =
                whole != FC_KAFKA_NONE ? whole : check(spu, request, asked->name, partition);
            out->partitions[which].partition_index = partition->partition_index;
            out->partitions[which].error_code = (int16_t)error;
            if (error == FC_KAFKA_NONE) {
                commits[(*out_count)++] =
                    (struct fc_commit){ asked->name,
                                        partition->partition_index,
                                        { partition->committed_offset,
                                          partition->committed_leader_epoch,
                                          partition->committed_metadata, now_ms, 0 } };
            }
        }
    }
    return true;
}

/* The group's partition of offsets must be part of the transaction. */
static fc_kafka_error enter_transaction(struct fc_spu *spu, struct fc_request *request,
                                        const struct fc_msg_txn_offset_commit_request *ask)
{
    struct fc_txn_producer producer = { ask->producer_id, ask->producer_epoch };
    int32_t partition = fc_coordinator_partition_of(spu->coordinator, ask->group_id);
    struct fc_slice topic = fc_slice_text(FC_OFFSETS_TOPIC);
    fc_kafka_error error =
        request->api_version >= ADDS_ITSELF
            ? fc_txns_add(spu->txns, ask->transactional_id, &producer, topic, partition)
            : fc_txns_verify(spu->txns, ask->transactional_id, &producer, topic, partition);
    return error == FC_KAFKA_PRODUCER_FENCED ? FC_KAFKA_INVALID_PRODUCER_EPOCH : error;
}

static fc_kafka_error commit(struct fc_spu *spu,
                             const struct fc_msg_txn_offset_commit_request *ask,
                             struct fc_commit *commits, int32_t count, int64_t *out_last)
{
    struct fc_group_speaker speaker = { ask->member_id, ask->group_instance_id,
                                        ask->generation_id };
    struct fc_coordinated *group;
    fc_kafka_error error;
    fc_coordinator_lock(spu->coordinator);
    group = fc_coordinator_ensure(spu->coordinator, ask->group_id);
    error = fc_group_on_commit(group->group, &speaker, true,
                               fc_coordinator_now_ms(spu->coordinator));
    if (error == FC_KAFKA_NONE && count > 0) {
        if (fc_coordinator_commit(spu->coordinator, group, commits, count, ask->producer_id,
                                  ask->producer_epoch, NULL) == FC_OK) {
            *out_last = commits[count - 1].committed.log_offset;
        } else {
            error = FC_KAFKA_COORDINATOR_NOT_AVAILABLE;
        }
    }
    fc_coordinator_unlock(spu->coordinator);
    return error;
}

/* Comes before the topics, as with Kafka. */
static fc_kafka_error check_whole(struct fc_spu *spu, struct fc_request *request,
                                  const struct fc_msg_txn_offset_commit_request *ask)
{
    if (ask->group_id.len == 0) {
        return FC_KAFKA_INVALID_GROUP_ID;
    }
    if (!fc_access_may(spu, request, FC_OPERATION_WRITE, FC_RESOURCE_TRANSACTIONAL_ID,
                       ask->transactional_id)) {
        return FC_KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    }
    if (!fc_access_may(spu, request, FC_OPERATION_READ, FC_RESOURCE_GROUP, ask->group_id)) {
        return FC_KAFKA_GROUP_AUTHORIZATION_FAILED;
    }
    return fc_coordinator_make_ready(spu->coordinator, NULL) == FC_OK
               ? FC_KAFKA_NONE
               : FC_KAFKA_COORDINATOR_NOT_AVAILABLE;
}

void fc_handle_txn_offset_commit(struct fc_spu *spu, struct fc_request *request,
                                 const void *message)
{
    const struct fc_msg_txn_offset_commit_request *ask = message;
    struct fc_msg_txn_offset_commit_response *response =
        fc_arena_alloc(&request->arena, sizeof(*response));
    struct fc_commit *commits;
    int32_t asked = 0;
    int32_t count = 0;
    int64_t last = -1;
    fc_kafka_error error;
    for (int32_t index = 0; index < ask->topics_count; index++) {
        asked += ask->topics[index].partitions_count;
    }
    commits = fc_arena_alloc(&request->arena, sizeof(struct fc_commit) * ((size_t)asked + 1));
    if (response == NULL || commits == NULL) {
        fc_answer_too_large(request);
        return;
    }
    fc_wire_init(&fc_msg_txn_offset_commit_response_type, response);
    response->topics_count = ask->topics_count;
    response->topics = fc_wire_array(
        &request->arena, &fc_msg_txn_offset_commit_response_topic_type, ask->topics_count);
    error = check_whole(spu, request, ask);
    if (response->topics == NULL ||
        !collect(spu, request, ask, error, response, commits, &count)) {
        fc_answer_too_large(request);
        return;
    }
    if (error == FC_KAFKA_NONE) {
        error = enter_transaction(spu, request, ask);
    }
    if (error == FC_KAFKA_NONE) {
        error = commit(spu, ask, commits, count, &last);
    }
    if (error != FC_KAFKA_NONE) {
        set_all(response, error);
    }
    fc_offset_commit_answer(spu, request, ask->group_id, last, response, set_all);
}
