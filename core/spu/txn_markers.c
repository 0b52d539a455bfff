/* SPDX-License-Identifier: Apache-2.0 */
/* WriteTxnMarkers, with which an administrator ends a transaction that hangs; answered once the
 * markers are durable. */
#include "core/log/wire_append.h"
#include "core/spu/access.h"
#include "core/spu/coordinator.h"
#include "core/spu/handlers.h"
#include "core/spu/task_queue.h"

/* A marker that was appended. */
struct written {
    struct fc_log_topic *topic; /* a reference */
    struct fc_partition *partition;
    int64_t offset;
    int16_t *error_code; /* in the response */
};

/* In the request's arena. */
struct marking {
    struct fc_spu *spu;
    struct fc_request *request;
    struct fc_msg_write_txn_markers_response response;
    bool may;
    struct written *written;
    int32_t written_count;
    struct fc_task ack;
};

static void on_durable(void *ctx)
{
    struct marking *marking = ctx;
    for (int32_t index = 0; index < marking->written_count; index++) {
        struct written *written = &marking->written[index];
        struct fc_partition_offsets offsets;
        fc_code code = fc_partition_offsets(written->partition, &offsets, NULL);
        if (code != FC_OK) {
            *written->error_code = (int16_t)fc_kafka_error_of(code);
        } else if (offsets.high_watermark <= written->offset) {
            *written->error_code = FC_KAFKA_KAFKA_STORAGE_ERROR;
        }
        fc_log_topic_unref(written->topic);
    }
    fc_answer(marking->request, &marking->response);
}

static fc_code append(struct fc_spu *spu, struct written *written, int32_t index,
                      const struct fc_marker_request *request, struct fc_append_result *result)
{
    bool offsets = strcmp(fc_log_topic_name(written->topic), FC_OFFSETS_TOPIC) == 0 &&
                   fc_coordinator_is_ready(spu->coordinator);
    return offsets
               ? fc_coordinator_append_marker(spu->coordinator, index, request, result, NULL)
               : fc_partition_append_marker(written->partition, request, result, NULL);
}

static fc_kafka_error write_marker(struct marking *marking,
                                   const struct fc_msg_write_txn_markers_request_marker *marker,
                                   struct fc_slice name, int32_t index, int16_t *error_code)
{
    struct fc_marker_request what = { marker->producer_id, marker->producer_epoch,
                                      marker->coordinator_epoch, marker->transaction_result,
                                      false };
    struct written written = { .error_code = error_code };
    struct fc_append_result result;
    fc_kafka_error error = fc_spu_topic(marking->spu, marking->request, name,
                                        (struct fc_uuid){ { 0 } }, &written.topic);
    if (error == FC_KAFKA_NONE) {
        error = index < 0 ? FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION
                          : fc_kafka_error_of(fc_log_topic_partition(
                                written.topic, (uint32_t)index, &written.partition, NULL));
    }
    if (error == FC_KAFKA_NONE &&
        append(marking->spu, &written, index, &what, &result) != FC_OK) {
        error = result.error;
    }
    if (error == FC_KAFKA_NONE) {
        written.offset = result.last_offset;
        marking->written[marking->written_count++] = written;
    } else {
        fc_log_topic_unref(written.topic);
    }
    return error;
}

static bool write_topic(struct marking *marking,
                        const struct fc_msg_write_txn_markers_request_marker *marker,
                        const struct fc_msg_write_txn_markers_request_topic *topic,
                        struct fc_msg_write_txn_markers_response_topic *out)
{
    out->name = topic->name;
    out->partitions = fc_wire_array(&marking->request->arena,
                                    &fc_msg_write_txn_markers_response_partition_type,
                                    topic->partition_indexes_count);
    if (out->partitions == NULL) {
        return false;
    }
    out->partitions_count = topic->partition_indexes_count;
    for (int32_t place = 0; place < out->partitions_count; place++) {
        int32_t index = topic->partition_indexes[place];
        int16_t *error_code = &out->partitions[place].error_code;
        out->partitions[place].partition_index = index;
        *error_code = (int16_t)(marking->may ? write_marker(marking, marker, topic->name, index,
                                                            error_code)
                                             : FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED);
    }
    return true;
}

/* False when the answer does not fit. */
static bool write_all(struct marking *marking,
                      const struct fc_msg_write_txn_markers_request *ask)
{
    struct fc_msg_write_txn_markers_response *response = &marking->response;
    bool fits;
    response->markers =
        fc_wire_array(&marking->request->arena, &fc_msg_write_txn_markers_response_marker_type,
                      ask->markers_count);
    fits = response->markers != NULL;
    response->markers_count = fits ? ask->markers_count : 0;
    for (int32_t index = 0; fits && index < ask->markers_count; index++) {
        const struct fc_msg_write_txn_markers_request_marker *marker = &ask->markers[index];
        struct fc_msg_write_txn_markers_response_marker *out = &response->markers[index];
        out->producer_id = marker->producer_id;
        out->topics =
            fc_wire_array(&marking->request->arena,
                          &fc_msg_write_txn_markers_response_topic_type, marker->topics_count);
        fits = out->topics != NULL;
        out->topics_count = fits ? marker->topics_count : 0;
        for (int32_t which = 0; fits && which < out->topics_count; which++) {
            fits = write_topic(marking, marker, &marker->topics[which], &out->topics[which]);
        }
    }
    return fits;
}

static size_t count_asked(const struct fc_msg_write_txn_markers_request *ask)
{
    size_t count = 0;
    for (int32_t index = 0; index < ask->markers_count; index++) {
        for (int32_t which = 0; which < ask->markers[index].topics_count; which++) {
            count += (size_t)ask->markers[index].topics[which].partition_indexes_count;
        }
    }
    return count;
}

void fc_handle_write_txn_markers(struct fc_spu *spu, struct fc_request *request,
                                 const void *message)
{
    const struct fc_msg_write_txn_markers_request *ask = message;
    struct marking *marking = fc_arena_alloc(&request->arena, sizeof(*marking));
    struct written *written =
        fc_arena_alloc(&request->arena, sizeof(*written) * (count_asked(ask) + 1));
    if (marking == NULL || written == NULL) {
        fc_answer_too_large(request);
        return;
    }
    memset(marking, 0, sizeof(*marking));
    marking->spu = spu;
    marking->request = request;
    marking->written = written;
    marking->may = fc_access_sees_cluster(spu, request, FC_OPERATION_CLUSTER_ACTION) ||
                   fc_access_may_cluster(spu, request, FC_OPERATION_ALTER);
    fc_wire_init(&fc_msg_write_txn_markers_response_type, &marking->response);
    if (write_all(marking, ask)) {
        marking->ack.on_run = on_durable;
        marking->ack.ctx = marking;
        fc_task_queue_add(spu->acks, &marking->ack);
        return;
    }
    for (int32_t index = 0; index < marking->written_count; index++) {
        fc_log_topic_unref(written[index].topic);
    }
    fc_answer_too_large(request);
}
