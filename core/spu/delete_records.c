/* SPDX-License-Identifier: Apache-2.0 */
/* DeleteRecords: let partitions begin at a later offset. */
#include "core/spu/access.h"
#include "core/spu/handlers.h"

/* Compaction alone removes what a topic that is not cleaned by deletion has. */
static bool is_deleted_from(struct fc_log_topic *topic)
{
    struct fc_log_topic_config config;
    fc_log_topic_config(topic, &config);
    return config.cleanup_delete;
}

/* Internal topics are the coordinators' memory: nobody else shortens them. */
static fc_kafka_error delete_before(struct fc_spu *spu, struct fc_request *request,
                                    struct fc_slice name,
                                    const struct fc_msg_delete_records_request_partition *asked,
                                    int64_t *out_start)
{
    struct fc_log_topic *topic = NULL;
    struct fc_partition *partition = NULL;
    fc_kafka_error error = FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    fc_code code;
    if (fc_access_may(spu, request, FC_OPERATION_DELETE, FC_RESOURCE_TOPIC, name)) {
        error = fc_spu_topic(spu, request, name, (struct fc_uuid){ { 0 } }, &topic);
    }
    if (error == FC_KAFKA_NONE && fc_log_topic_is_internal(topic)) {
        error = FC_KAFKA_INVALID_TOPIC_EXCEPTION;
    } else if (error == FC_KAFKA_NONE && !is_deleted_from(topic)) {
        error = FC_KAFKA_POLICY_VIOLATION;
    } else if (error == FC_KAFKA_NONE && asked->partition_index < 0) {
        error = FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    } else if (error == FC_KAFKA_NONE && asked->offset < FC_DELETE_TO_HIGH_WATERMARK) {
        error = FC_KAFKA_OFFSET_OUT_OF_RANGE;
    }
    if (error == FC_KAFKA_NONE) {
        error = fc_kafka_error_of(
            fc_log_topic_partition(topic, (uint32_t)asked->partition_index, &partition, NULL));
    }
    if (error == FC_KAFKA_NONE) {
        code = fc_partition_delete_records(partition, asked->offset, out_start, NULL);
        error = code == FC_ERR_LIMIT ? FC_KAFKA_OFFSET_OUT_OF_RANGE : fc_kafka_error_of(code);
    }
    fc_log_topic_unref(topic);
    return error;
}

void fc_handle_delete_records(struct fc_spu *spu, struct fc_request *request,
                              const void *message)
{
    const struct fc_msg_delete_records_request *ask = message;
    struct fc_msg_delete_records_response response;
    bool fits;
    fc_wire_init(&fc_msg_delete_records_response_type, &response);
    response.topics_count = ask->topics_count;
    response.topics = fc_wire_array(&request->arena, &fc_msg_delete_records_response_topic_type,
                                    ask->topics_count);
    fits = response.topics != NULL;
    for (int32_t index = 0; fits && index < ask->topics_count; index++) {
        const struct fc_msg_delete_records_request_topic *topic = &ask->topics[index];
        struct fc_msg_delete_records_response_topic *out = &response.topics[index];
        out->name = topic->name;
        out->partitions =
            fc_wire_array(&request->arena, &fc_msg_delete_records_response_partition_type,
                          topic->partitions_count);
        fits = out->partitions != NULL;
        out->partitions_count = fits ? topic->partitions_count : 0;
        for (int32_t which = 0; which < out->partitions_count; which++) {
            struct fc_msg_delete_records_response_partition *partition =
                &out->partitions[which];
            partition->partition_index = topic->partitions[which].partition_index;
            partition->low_watermark = -1;
            partition->error_code =
                (int16_t)delete_before(spu, request, topic->name, &topic->partitions[which],
                                       &partition->low_watermark);
        }
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}
