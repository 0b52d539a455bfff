/* SPDX-License-Identifier: Apache-2.0 */
/* OffsetCommit and TxnOffsetCommit: written to the coordinator's topic, answered once durable. */
#include "core/spu/offset_commit.h"

#include "core/spu/access.h"
#include "core/spu/coordinator.h"
#include "core/spu/dispatch.h"
#include "core/spu/handlers.h"
#include "core/spu/task_queue.h"

enum { IDS_VERSION = 10 };

/* One commit on its way; in the request's arena. */
struct commit_request {
    struct fc_request *request;
    struct fc_task ack;
    struct fc_log_topic *topic;     /* the coordinator's; borrowed, it is never let go */
    struct fc_partition *partition; /* that was written to */
    int64_t last_offset;
    void *response;
    void (*set_error)(void *response, fc_kafka_error error);
    void *response_mutable;
};

static void on_durable(void *ctx)
{
    struct commit_request *commit = ctx;
    struct fc_partition_offsets offsets;
    if (fc_partition_offsets(commit->partition, &offsets, NULL) != FC_OK ||
        offsets.durable <= commit->last_offset) {
        commit->set_error(commit->response_mutable, FC_KAFKA_COORDINATOR_NOT_AVAILABLE);
    }
    fc_answer(commit->request, commit->response);
}

void fc_offset_commit_answer(struct fc_spu *spu, struct fc_request *request,
                             struct fc_slice group_id, int64_t last_offset, void *response,
                             void (*set_error)(void *response, fc_kafka_error error))
{
    struct commit_request *commit = fc_arena_alloc(&request->arena, sizeof(*commit));
    int32_t index;
    if (commit == NULL) {
        fc_answer_too_large(request);
        return;
    }
    if (last_offset < 0) {
        fc_answer(request, response); /* nothing was written */
        return;
    }
    index = fc_coordinator_partition_of(spu->coordinator, group_id);
    memset(commit, 0, sizeof(*commit));
    commit->request = request;
    commit->response = response;
    commit->response_mutable = response;
    commit->set_error = set_error;
    commit->last_offset = last_offset;
    commit->topic = fc_coordinator_topic(spu->coordinator);
    if (fc_log_topic_partition(commit->topic, (uint32_t)index, &commit->partition, NULL) !=
        FC_OK) {
        set_error(response, FC_KAFKA_COORDINATOR_NOT_AVAILABLE);
        fc_answer(request, response);
        return;
    }
    commit->ack.on_run = on_durable;
    commit->ack.ctx = commit;
    fc_task_queue_add(spu->acks, &commit->ack);
}

/* --- OffsetCommit --- */

static void set_all(void *ctx, fc_kafka_error error)
{
    struct fc_msg_offset_commit_response *response = ctx;
    for (int32_t topic = 0; topic < response->topics_count; topic++) {
        for (int32_t index = 0; index < response->topics[topic].partitions_count; index++) {
            if (response->topics[topic].partitions[index].error_code == FC_KAFKA_NONE) {
                response->topics[topic].partitions[index].error_code = (int16_t)error;
            }
        }
    }
}

static fc_kafka_error check_topic(struct fc_spu *spu, struct fc_request *request,
                                  const struct fc_msg_offset_commit_request_topic *asked,
                                  struct fc_slice *out_name, int32_t *out_partitions)
{
    struct fc_log_topic *topic = NULL;
    bool by_id = request->api_version >= IDS_VERSION;
    fc_kafka_error error;
    if (!by_id &&
        !fc_access_may(spu, request, FC_OPERATION_READ, FC_RESOURCE_TOPIC, asked->name)) {
        return FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    }
    error = fc_spu_topic(spu, request, by_id ? fc_slice_null() : asked->name, asked->topic_id,
                         &topic);
    if (error == FC_KAFKA_NONE) {
        *out_name = fc_arena_copy(&request->arena, fc_slice_text(fc_log_topic_name(topic)));
        *out_partitions = (int32_t)fc_log_topic_partitions(topic);
        if (by_id &&
            !fc_access_may(spu, request, FC_OPERATION_READ, FC_RESOURCE_TOPIC, *out_name)) {
            error = FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
        }
    }
    fc_log_topic_unref(topic);
    return error;
}

/* The commits that may be made; the answer says of the others why not: `whole` of all. */
static bool collect(struct fc_spu *spu, struct fc_request *request,
                    const struct fc_msg_offset_commit_request *ask, fc_kafka_error whole,
                    struct fc_msg_offset_commit_response *response, struct fc_commit *commits,
                    int32_t *out_count)
{
    int64_t now_ms = fc_clock_wall_ms(spu->config.net.clock);
    for (int32_t index = 0; index < ask->topics_count; index++) {
        const struct fc_msg_offset_commit_request_topic *asked = &ask->topics[index];
        struct fc_msg_offset_commit_response_topic *out = &response->topics[index];
        struct fc_slice name = asked->name;
        int32_t partitions = 0;
        fc_kafka_error error = whole;
        if (error == FC_KAFKA_NONE) {
            error = check_topic(spu, request, asked, &name, &partitions);
        }
        out->name = asked->name;
        out->topic_id = asked->topic_id;
        out->partitions =
            fc_wire_array(&request->arena, &fc_msg_offset_commit_response_partition_type,
                          asked->partitions_count);
        if (out->partitions == NULL) {
            return false;
        }
        out->partitions_count = asked->partitions_count;
        for (int32_t which = 0; which < asked->partitions_count; which++) {
            const struct fc_msg_offset_commit_request_partition *partition =
                &asked->partitions[which];
            fc_kafka_error why = error;
            if (why == FC_KAFKA_NONE &&
                (partition->partition_index < 0 || partition->partition_index >= partitions)) {
                why = FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
            }
            if (why == FC_KAFKA_NONE &&
                (int64_t)partition->committed_metadata.len > spu->config.offset_metadata_max) {
                why = FC_KAFKA_OFFSET_METADATA_TOO_LARGE;
            }
            out->partitions[which].partition_index = partition->partition_index;
            out->partitions[which].error_code = (int16_t)why;
            if (why == FC_KAFKA_NONE) {
                commits[(*out_count)++] =
                    (struct fc_commit){ name,
                                        partition->partition_index,
                                        { partition->committed_offset,
                                          partition->committed_leader_epoch,
                                          partition->committed_metadata, now_ms, 0 } };
            }
        }
    }
    return true;
}

static int32_t count_asked(const struct fc_msg_offset_commit_request *ask)
{
    int32_t count = 0;
    for (int32_t index = 0; index < ask->topics_count; index++) {
        count += ask->topics[index].partitions_count;
    }
    return count;
}

/* Under no lock; *out_last is the offset of the last record that was written, -1: none. */
static fc_kafka_error commit(struct fc_spu *spu, const struct fc_msg_offset_commit_request *ask,
                             struct fc_commit *commits, int32_t count, int64_t *out_last)
{
    struct fc_group_speaker speaker = { ask->member_id, ask->group_instance_id,
                                        ask->generation_id_or_member_epoch };
    struct fc_coordinated *group;
    fc_kafka_error error = FC_KAFKA_NONE;
    fc_coordinator_lock(spu->coordinator);
    group = fc_coordinator_find(spu->coordinator, ask->group_id);
    if (group == NULL && speaker.generation >= 0) {
        error = FC_KAFKA_ILLEGAL_GENERATION;
    } else if (group == NULL) {
        group = fc_coordinator_ensure(spu->coordinator, ask->group_id);
    }
    if (error == FC_KAFKA_NONE) {
        error = fc_group_on_commit(group->group, &speaker, false,
                                   fc_coordinator_now_ms(spu->coordinator));
    }
    if (error == FC_KAFKA_NONE && count > 0) {
        if (fc_coordinator_commit(spu->coordinator, group, commits, count, -1, -1, NULL) ==
            FC_OK) {
            *out_last = commits[count - 1].committed.log_offset;
        } else {
            error = FC_KAFKA_COORDINATOR_NOT_AVAILABLE;
        }
    }
    fc_coordinator_unlock(spu->coordinator);
    return error;
}

/* Comes before the topics: who may not be in the group is told that, as Kafka does. */
static fc_kafka_error check_group(struct fc_spu *spu, struct fc_request *request,
                                  struct fc_slice group_id)
{
    if (group_id.len == 0) {
        return FC_KAFKA_INVALID_GROUP_ID;
    }
    return fc_access_may(spu, request, FC_OPERATION_READ, FC_RESOURCE_GROUP, group_id)
               ? FC_KAFKA_NONE
               : FC_KAFKA_GROUP_AUTHORIZATION_FAILED;
}

static void run(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    const struct fc_msg_offset_commit_request *ask = message;
    struct fc_msg_offset_commit_response *response =
        fc_arena_alloc(&request->arena, sizeof(*response));
    struct fc_commit *commits = fc_arena_alloc(
        &request->arena, sizeof(struct fc_commit) * ((size_t)count_asked(ask) + 1));
    int32_t count = 0;
    int64_t last = -1;
    fc_kafka_error error = check_group(spu, request, ask->group_id);
    if (response == NULL || commits == NULL) {
        fc_answer_too_large(request);
        return;
    }
    fc_wire_init(&fc_msg_offset_commit_response_type, response);
    response->topics_count = ask->topics_count;
    response->topics = fc_wire_array(&request->arena, &fc_msg_offset_commit_response_topic_type,
                                     ask->topics_count);
    if (response->topics == NULL ||
        !collect(spu, request, ask, error, response, commits, &count)) {
        fc_answer_too_large(request);
        return;
    }
    if (error == FC_KAFKA_NONE) {
        error = fc_coordinator_make_ready(spu->coordinator, NULL) == FC_OK
                    ? commit(spu, ask, commits, count, &last)
                    : FC_KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    if (error != FC_KAFKA_NONE) {
        set_all(response, error);
    }
    fc_offset_commit_answer(spu, request, ask->group_id, last, response, set_all);
}

void fc_handle_offset_commit(struct fc_spu *spu, struct fc_request *request,
                             const void *message)
{
    if (fc_coordinator_is_ready(spu->coordinator)) {
        run(spu, request, message);
    } else {
        fc_dispatch_slowly(spu, request, run, message);
    }
}
