/* SPDX-License-Identifier: Apache-2.0 */
/* ListOffsets and OffsetForLeaderEpoch. */
#include "core/spu/access.h"
#include "core/spu/dispatch.h"
#include "core/spu/handlers.h"

/* What is asked for in the place of a time. */
enum {
    LATEST = -1,
    EARLIEST = -2,
    MAX_TIMESTAMP = -3,
    EARLIEST_LOCAL = -4,
    LATEST_TIERED = -5,
    EARLIEST_PENDING_UPLOAD = -6
};

enum { READ_COMMITTED = 1, OUR_EPOCH = 0 };

static fc_kafka_error open_partition(struct fc_spu *spu, struct fc_request *request,
                                     struct fc_slice name, int32_t index, int32_t leader_epoch,
                                     struct fc_log_topic **out_topic,
                                     struct fc_partition **out_partition)
{
    fc_kafka_error error =
        fc_spu_topic(spu, request, name, (struct fc_uuid){ { 0 } }, out_topic);
    if (error != FC_KAFKA_NONE) {
        return error;
    }
    if (index < 0) {
        return FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (leader_epoch > OUR_EPOCH) {
        return FC_KAFKA_UNKNOWN_LEADER_EPOCH;
    }
    return fc_kafka_error_of(
        fc_log_topic_partition(*out_topic, (uint32_t)index, out_partition, NULL));
}

static fc_kafka_error find_offset(struct fc_partition *partition, int64_t timestamp,
                                  bool committed,
                                  struct fc_msg_list_offsets_response_partition *out)
{
    struct fc_partition_offsets offsets;
    struct fc_time_place place = { -1, -1 };
    int64_t end;
    fc_code code = fc_partition_offsets(partition, &offsets, NULL);
    if (code != FC_OK) {
        return fc_kafka_error_of(code);
    }
    end = committed ? offsets.stable : offsets.high_watermark;
    switch (timestamp) {
    case LATEST:
        out->offset = end;
        break;
    case EARLIEST:
    case EARLIEST_LOCAL:
        out->offset = offsets.start;
        break;
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
        return FC_KAFKA_NONE; /* nothing is kept elsewhere: -1 */
    case MAX_TIMESTAMP:
        code = fc_partition_max_timestamp(partition, &place, NULL);
        break;
    default:
        if (timestamp < 0) {
            return FC_KAFKA_UNSUPPORTED_VERSION;
        }
        code = fc_partition_place_for_time(partition, timestamp, &place, NULL);
        break;
    }
    if (place.offset >= 0 && place.offset < end) {
        out->offset = place.offset;
        out->timestamp = place.timestamp_ms;
    }
    out->leader_epoch = code == FC_OK && out->offset >= 0 ? OUR_EPOCH : -1;
    return fc_kafka_error_of(code);
}

static void list_partition(struct fc_spu *spu, struct fc_request *request,
                           const struct fc_msg_list_offsets_request *ask,
                           const struct fc_msg_list_offsets_request_topic *topic,
                           const struct fc_msg_list_offsets_request_partition *asked,
                           struct fc_msg_list_offsets_response_partition *out)
{
    struct fc_log_topic *opened = NULL;
    struct fc_partition *partition = NULL;
    fc_kafka_error error;
    out->partition_index = asked->partition_index;
    if (!fc_access_may(spu, request, FC_OPERATION_DESCRIBE, FC_RESOURCE_TOPIC, topic->name)) {
        out->error_code = FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
        return;
    }
    error = open_partition(spu, request, topic->name, asked->partition_index,
                           asked->current_leader_epoch, &opened, &partition);
    if (error == FC_KAFKA_NONE) {
        error = find_offset(partition, asked->timestamp, ask->isolation_level == READ_COMMITTED,
                            out);
    }
    if (error == FC_KAFKA_NONE && request->api_version == 0) {
        out->old_style_offsets =
            fc_wire_array(&request->arena, &fc_wire_int64_type, out->offset >= 0 ? 1 : 0);
        if (out->old_style_offsets != NULL && out->offset >= 0) {
            out->old_style_offsets[0] = out->offset;
            out->old_style_offsets_count = 1;
        }
    }
    fc_log_topic_unref(opened);
    out->error_code = (int16_t)error;
}

static void answer(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    const struct fc_msg_list_offsets_request *ask = message;
    struct fc_msg_list_offsets_response response;
    bool fits;
    fc_wire_init(&fc_msg_list_offsets_response_type, &response);
    response.topics_count = ask->topics_count;
    response.topics = fc_wire_array(&request->arena, &fc_msg_list_offsets_response_topic_type,
                                    ask->topics_count);
    fits = response.topics != NULL;
    for (int32_t index = 0; fits && index < ask->topics_count; index++) {
        const struct fc_msg_list_offsets_request_topic *topic = &ask->topics[index];
        struct fc_msg_list_offsets_response_topic *out = &response.topics[index];
        out->name = topic->name;
        out->partitions =
            fc_wire_array(&request->arena, &fc_msg_list_offsets_response_partition_type,
                          topic->partitions_count);
        fits = out->partitions != NULL;
        out->partitions_count = fits ? topic->partitions_count : 0;
        for (int32_t which = 0; which < out->partitions_count; which++) {
            list_partition(spu, request, ask, topic, &topic->partitions[which],
                           &out->partitions[which]);
        }
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}

/* Times are looked up in the files, which may wait for the disk. */
void fc_handle_list_offsets(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    const struct fc_msg_list_offsets_request *ask = message;
    bool slow = false;
    for (int32_t index = 0; index < ask->topics_count; index++) {
        const struct fc_msg_list_offsets_request_topic *topic = &ask->topics[index];
        for (int32_t which = 0; which < topic->partitions_count; which++) {
            int64_t timestamp = topic->partitions[which].timestamp;
            slow = slow || timestamp >= 0 || timestamp == MAX_TIMESTAMP;
        }
    }
    if (slow) {
        fc_dispatch_slowly(spu, request, answer, message);
    } else {
        answer(spu, request, message);
    }
}

static void end_of_epoch(struct fc_spu *spu, struct fc_request *request, struct fc_slice name,
                         const struct fc_msg_offset_for_leader_epoch_request_partition *asked,
                         struct fc_msg_offset_for_leader_epoch_response_partition *out)
{
    struct fc_log_topic *topic = NULL;
    struct fc_partition *partition = NULL;
    struct fc_partition_offsets offsets;
    fc_kafka_error error = FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    out->partition = asked->partition;
    if (fc_access_may(spu, request, FC_OPERATION_DESCRIBE, FC_RESOURCE_TOPIC, name)) {
        error = open_partition(spu, request, name, asked->partition,
                               asked->current_leader_epoch, &topic, &partition);
    }
    if (error == FC_KAFKA_NONE) {
        error = fc_kafka_error_of(fc_partition_offsets(partition, &offsets, NULL));
    }
    if (error == FC_KAFKA_NONE && asked->leader_epoch == OUR_EPOCH) {
        out->leader_epoch = OUR_EPOCH;
        out->end_offset = offsets.high_watermark;
    }
    fc_log_topic_unref(topic);
    out->error_code = (int16_t)error;
}

void fc_handle_offset_for_leader_epoch(struct fc_spu *spu, struct fc_request *request,
                                       const void *message)
{
    const struct fc_msg_offset_for_leader_epoch_request *ask = message;
    struct fc_msg_offset_for_leader_epoch_response response;
    bool fits;
    fc_wire_init(&fc_msg_offset_for_leader_epoch_response_type, &response);
    response.topics_count = ask->topics_count;
    response.topics =
        fc_wire_array(&request->arena, &fc_msg_offset_for_leader_epoch_response_topic_type,
                      ask->topics_count);
    fits = response.topics != NULL;
    for (int32_t index = 0; fits && index < ask->topics_count; index++) {
        const struct fc_msg_offset_for_leader_epoch_request_topic *topic = &ask->topics[index];
        struct fc_msg_offset_for_leader_epoch_response_topic *out = &response.topics[index];
        out->topic = topic->topic;
        out->partitions = fc_wire_array(&request->arena,
                                        &fc_msg_offset_for_leader_epoch_response_partition_type,
                                        topic->partitions_count);
        fits = out->partitions != NULL;
        out->partitions_count = fits ? topic->partitions_count : 0;
        for (int32_t which = 0; which < out->partitions_count; which++) {
            end_of_epoch(spu, request, topic->topic, &topic->partitions[which],
                         &out->partitions[which]);
        }
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}
