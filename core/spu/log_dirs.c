/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/statvfs.h>

#include "core/spu/access.h"
#include "core/spu/handlers.h"

static bool add_topic(struct fc_request *request, struct fc_log_topic *topic,
                      const struct fc_msg_describe_log_dirs_request_topic *asked,
                      struct fc_msg_describe_log_dirs_response_result *result)
{
    struct fc_msg_describe_log_dirs_response_topic *out = &result->topics[result->topics_count];
    int32_t count =
        asked == NULL ? (int32_t)fc_log_topic_partitions(topic) : asked->partitions_count;
    out->name = fc_arena_copy(&request->arena, fc_slice_text(fc_log_topic_name(topic)));
    out->partitions = fc_wire_array(&request->arena,
                                    &fc_msg_describe_log_dirs_response_partition_type, count);
    if (out->name.data == NULL || out->partitions == NULL) {
        return false;
    }
    result->topics_count++;
    for (int32_t index = 0; index < count; index++) {
        int32_t number = asked == NULL ? index : asked->partitions[index];
        struct fc_partition *partition = NULL;
        uint64_t bytes = 0;
        if (number >= 0 &&
            fc_log_topic_partition(topic, (uint32_t)number, &partition, NULL) == FC_OK) {
            bytes = fc_partition_bytes(partition);
        }
        if (partition != NULL) {
            out->partitions[out->partitions_count].partition_index = number;
            out->partitions[out->partitions_count].partition_size = (int64_t)bytes;
            out->partitions_count++;
        }
    }
    return true;
}

static bool add_all(struct fc_spu *spu, struct fc_request *request,
                    struct fc_msg_describe_log_dirs_response_result *result)
{
    struct fc_log_topic **topics = NULL;
    size_t count = 0;
    bool fits = true;
    if (fc_data_dir_topics(spu->data, &topics, &count, NULL) != FC_OK) {
        result->error_code = FC_KAFKA_KAFKA_STORAGE_ERROR;
        return true;
    }
    result->topics = fc_wire_array(
        &request->arena, &fc_msg_describe_log_dirs_response_topic_type, (int32_t)count);
    fits = result->topics != NULL;
    for (size_t index = 0; fits && index < count; index++) {
        fits = add_topic(request, topics[index], NULL, result);
    }
    fc_log_topics_free(topics, count);
    return fits;
}

static bool add_asked(struct fc_spu *spu, struct fc_request *request,
                      const struct fc_msg_describe_log_dirs_request *ask,
                      struct fc_msg_describe_log_dirs_response_result *result)
{
    bool fits;
    result->topics = fc_wire_array(
        &request->arena, &fc_msg_describe_log_dirs_response_topic_type, ask->topics_count);
    fits = result->topics != NULL;
    for (int32_t index = 0; fits && index < ask->topics_count; index++) {
        struct fc_log_topic *topic = NULL;
        if (fc_spu_topic(spu, request, ask->topics[index].topic, (struct fc_uuid){ { 0 } },
                         &topic) == FC_KAFKA_NONE) {
            fits = add_topic(request, topic, &ask->topics[index], result);
        }
        fc_log_topic_unref(topic);
    }
    return fits;
}

static void fill_space(struct fc_spu *spu,
                       struct fc_msg_describe_log_dirs_response_result *result)
{
    struct statvfs space;
    if (statvfs(fc_data_dir_path(spu->data), &space) == 0) {
        result->total_bytes = (int64_t)(space.f_blocks * space.f_frsize);
        result->usable_bytes = (int64_t)(space.f_bavail * space.f_frsize);
    }
}

void fc_handle_describe_log_dirs(struct fc_spu *spu, struct fc_request *request,
                                 const void *message)
{
    const struct fc_msg_describe_log_dirs_request *ask = message;
    struct fc_msg_describe_log_dirs_response response;
    struct fc_msg_describe_log_dirs_response_result result;
    bool fits = true;
    fc_wire_init(&fc_msg_describe_log_dirs_response_type, &response);
    fc_wire_init(&fc_msg_describe_log_dirs_response_result_type, &result);
    if (!fc_access_may_cluster(spu, request, FC_OPERATION_DESCRIBE)) {
        response.error_code = FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED;
        fc_answer(request, &response);
        return;
    }
    result.log_dir = fc_slice_text(fc_data_dir_path(spu->data));
    fill_space(spu, &result);
    fits = ask->topics_count < 0 ? add_all(spu, request, &result)
                                 : add_asked(spu, request, ask, &result);
    response.results = &result;
    response.results_count = 1;
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}
