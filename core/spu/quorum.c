/* SPDX-License-Identifier: Apache-2.0 */
/* DescribeQuorum and UpdateFeatures: one node keeps the metadata, and this build fixes what it can
 * do. */
#include "core/spu/access.h"
#include "core/spu/features.h"
#include "core/spu/handlers.h"

#define METADATA_TOPIC "__cluster_metadata"

static bool describe_partition(struct fc_spu *spu, struct fc_request *request,
                               struct fc_slice topic, int32_t index,
                               struct fc_msg_describe_quorum_response_partition *out)
{
    out->partition_index = index;
    if (!fc_slice_equal_text(topic, METADATA_TOPIC) || index != 0) {
        out->error_code = FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        return true;
    }
    out->current_voters =
        fc_wire_array(&request->arena, &fc_msg_describe_quorum_response_replica_type, 1);
    if (out->current_voters == NULL) {
        return false;
    }
    out->current_voters_count = 1;
    out->current_voters[0].replica_id = spu->config.node_id;
    out->leader_id = spu->config.node_id;
    return true;
}

static bool describe_topics(struct fc_spu *spu, struct fc_request *request,
                            const struct fc_msg_describe_quorum_request *ask,
                            struct fc_msg_describe_quorum_response *response)
{
    bool fits;
    response->topics = fc_wire_array(
        &request->arena, &fc_msg_describe_quorum_response_topic_type, ask->topics_count);
    fits = response->topics != NULL;
    for (int32_t index = 0; fits && index < ask->topics_count; index++) {
        const struct fc_msg_describe_quorum_request_topic *asked = &ask->topics[index];
        struct fc_msg_describe_quorum_response_topic *out =
            &response->topics[response->topics_count++];
        out->topic_name = asked->topic_name;
        out->partitions =
            fc_wire_array(&request->arena, &fc_msg_describe_quorum_response_partition_type,
                          asked->partitions_count);
        fits = out->partitions != NULL;
        for (int32_t which = 0; fits && which < asked->partitions_count; which++) {
            fits = describe_partition(spu, request, asked->topic_name,
                                      asked->partitions[which].partition_index,
                                      &out->partitions[out->partitions_count++]);
        }
    }
    return fits;
}

void fc_handle_describe_quorum(struct fc_spu *spu, struct fc_request *request,
                               const void *message)
{
    const struct fc_listener *listener = fc_connection_listener(request->connection);
    struct fc_msg_describe_quorum_response response;
    struct fc_msg_describe_quorum_response_node self;
    struct fc_msg_describe_quorum_response_listener place;
    bool fits = true;
    fc_wire_init(&fc_msg_describe_quorum_response_type, &response);
    fc_wire_init(&fc_msg_describe_quorum_response_node_type, &self);
    fc_wire_init(&fc_msg_describe_quorum_response_listener_type, &place);
    if (!fc_access_may_cluster(spu, request, FC_OPERATION_DESCRIBE)) {
        response.error_code = FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED;
    } else {
        place.name = fc_slice_text(listener->name);
        place.host = fc_slice_text(listener->advertised_host);
        place.port = listener->advertised_port;
        self.node_id = spu->config.node_id;
        self.listeners = &place;
        self.listeners_count = 1;
        response.nodes = &self;
        response.nodes_count = 1;
        fits = describe_topics(spu, request, message, &response);
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}

/* The level that a feature is at; 0: not known. */
static int16_t level_of(struct fc_slice name)
{
    for (size_t index = 0; index < fc_features_count; index++) {
        if (fc_slice_equal_text(name, fc_features[index].name)) {
            return fc_features[index].level;
        }
    }
    return 0;
}

/* What is asked for is what there is, or it is refused. */
void fc_handle_update_features(struct fc_spu *spu, struct fc_request *request,
                               const void *message)
{
    const struct fc_msg_update_features_request *ask = message;
    struct fc_msg_update_features_response response;
    int32_t count = ask->feature_updates_count;
    bool refused = false;
    fc_wire_init(&fc_msg_update_features_response_type, &response);
    if (!fc_access_may_cluster(spu, request, FC_OPERATION_ALTER)) {
        response.error_code = FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED;
        fc_answer(request, &response);
        return;
    }
    response.results =
        fc_wire_array(&request->arena, &fc_msg_update_features_response_result_type, count);
    if (response.results == NULL) {
        fc_answer_too_large(request);
        return;
    }
    response.results_count = count;
    for (int32_t index = 0; index < count; index++) {
        const struct fc_msg_update_features_request_feature_update *asked =
            &ask->feature_updates[index];
        struct fc_msg_update_features_response_result *out = &response.results[index];
        out->feature = asked->feature;
        if (level_of(asked->feature) != asked->max_version_level) {
            out->error_code = FC_KAFKA_INVALID_UPDATE_VERSION;
            out->error_message = fc_slice_text("the levels of features are those of the build");
            refused = true;
        }
    }
    if (refused && request->api_version >= 2) {
        response.error_code = FC_KAFKA_INVALID_UPDATE_VERSION;
        response.error_message = fc_slice_text("the levels of features are those of the build");
    }
    fc_answer(request, &response);
}
