/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata and DescribeCluster: this node leads every partition and is its only replica. */
#include "core/spu/access.h"
#include "core/spu/dispatch.h"
#include "core/spu/handlers.h"
#include "core/spu/topic_admin.h"

/* The version of Metadata from which no topics means none, and null means all. */
enum { NULL_MEANS_ALL = 1, AUTO_CREATE_ASKED = 4 };

static struct fc_slice advertised_host(const struct fc_request *request)
{
    return fc_slice_text(fc_connection_listener(request->connection)->advertised_host);
}

static int32_t advertised_port(const struct fc_request *request)
{
    return fc_connection_listener(request->connection)->advertised_port;
}

static bool fill_partitions(struct fc_spu *spu, struct fc_request *request,
                            struct fc_log_topic *topic,
                            struct fc_msg_metadata_response_topic *out)
{
    int32_t count = (int32_t)fc_log_topic_partitions(topic);
    int32_t *self = fc_wire_array(&request->arena, &fc_wire_int32_type, 1);
    out->partitions =
        fc_wire_array(&request->arena, &fc_msg_metadata_response_partition_type, count);
    if (self == NULL || out->partitions == NULL) {
        return false;
    }
    *self = spu->config.node_id;
    out->partitions_count = count;
    for (int32_t index = 0; index < count; index++) {
        struct fc_msg_metadata_response_partition *partition = &out->partitions[index];
        partition->partition_index = index;
        partition->leader_id = spu->config.node_id;
        partition->leader_epoch = 0;
        partition->replica_nodes = self;
        partition->replica_nodes_count = 1;
        partition->isr_nodes = self;
        partition->isr_nodes_count = 1;
    }
    return true;
}

static bool fill_topic(struct fc_spu *spu, struct fc_request *request,
                       const struct fc_msg_metadata_request *ask, struct fc_log_topic *topic,
                       struct fc_msg_metadata_response_topic *out)
{
    out->name = fc_arena_copy(&request->arena, fc_slice_text(fc_log_topic_name(topic)));
    out->topic_id = fc_log_topic_id(topic);
    out->is_internal = fc_log_topic_is_internal(topic);
    if (ask->include_topic_authorized_operations) {
        out->topic_authorized_operations =
            fc_access_operations(spu, request, FC_RESOURCE_TOPIC, out->name);
    }
    return out->name.data != NULL && fill_partitions(spu, request, topic, out);
}

/* A topic that was asked for and is not there: made, if that may be. */
static fc_kafka_error make_topic(struct fc_spu *spu, struct fc_request *request,
                                 const struct fc_msg_metadata_request *ask,
                                 struct fc_slice name, struct fc_log_topic **out_topic)
{
    bool wanted = request->api_version < AUTO_CREATE_ASKED || ask->allow_auto_topic_creation;
    if (!spu->config.auto_create_topics || !wanted) {
        return FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (!fc_access_sees_cluster(spu, request, FC_OPERATION_CREATE) &&
        !fc_access_may(spu, request, FC_OPERATION_CREATE, FC_RESOURCE_TOPIC, name)) {
        return FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    }
    return fc_topic_admin_auto_create(spu, request, name, out_topic);
}

static bool answer_asked(struct fc_spu *spu, struct fc_request *request,
                         const struct fc_msg_metadata_request *ask,
                         const struct fc_msg_metadata_request_topic *asked,
                         struct fc_msg_metadata_response_topic *out)
{
    struct fc_log_topic *topic = NULL;
    fc_kafka_error error;
    bool by_id = asked->name.data == NULL;
    bool fits = true;
    out->name = asked->name;
    out->topic_id = asked->topic_id;
    if (!by_id &&
        !fc_access_may(spu, request, FC_OPERATION_DESCRIBE, FC_RESOURCE_TOPIC, asked->name)) {
        out->error_code = FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
        return true;
    }
    error = fc_spu_topic(spu, request, asked->name, asked->topic_id, &topic);
    if (error == FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION) {
        error = make_topic(spu, request, ask, asked->name, &topic);
    }
    if (error == FC_KAFKA_NONE && by_id &&
        !fc_access_may(spu, request, FC_OPERATION_DESCRIBE, FC_RESOURCE_TOPIC,
                       fc_slice_text(fc_log_topic_name(topic)))) {
        error =
            FC_KAFKA_TOPIC_AUTHORIZATION_FAILED; /* ids are no secret; the name is not told */
    } else if (error == FC_KAFKA_NONE) {
        fits = fill_topic(spu, request, ask, topic, out);
    } else if (!by_id && ask->include_topic_authorized_operations) {
        /* what it could be done with, once it is there */
        out->topic_authorized_operations =
            fc_access_operations(spu, request, FC_RESOURCE_TOPIC, asked->name);
    }
    fc_log_topic_unref(topic);
    out->error_code = (int16_t)error;
    return fits;
}

static bool answer_all(struct fc_spu *spu, struct fc_request *request,
                       const struct fc_msg_metadata_request *ask,
                       struct fc_msg_metadata_response *response)
{
    struct fc_log_topic **topics = NULL;
    size_t count = 0;
    bool fits = true;
    if (fc_data_dir_topics(spu->data, &topics, &count, NULL) != FC_OK) {
        count = 0;
    }
    response->topics =
        fc_wire_array(&request->arena, &fc_msg_metadata_response_topic_type, (int32_t)count);
    fits = response->topics != NULL;
    for (size_t index = 0; fits && index < count; index++) {
        if (fc_access_sees(spu, request, FC_OPERATION_DESCRIBE, FC_RESOURCE_TOPIC,
                           fc_slice_text(fc_log_topic_name(topics[index])))) {
            fits = fill_topic(spu, request, ask, topics[index],
                              &response->topics[response->topics_count++]);
        }
    }
    fc_log_topics_free(topics, count);
    return fits;
}

/* Whether some topic that is asked for would have to be made, which takes the disk. */
static bool must_make(struct fc_spu *spu, struct fc_request *request,
                      const struct fc_msg_metadata_request *ask)
{
    for (int32_t index = 0; spu->config.auto_create_topics && index < ask->topics_count;
         index++) {
        struct fc_log_topic *topic = NULL;
        fc_kafka_error error = fc_spu_topic(spu, request, ask->topics[index].name,
                                            ask->topics[index].topic_id, &topic);
        fc_log_topic_unref(topic);
        if (error == FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION) {
            return true;
        }
    }
    return false;
}

static void answer(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    const struct fc_msg_metadata_request *ask = message;
    struct fc_msg_metadata_response response;
    struct fc_msg_metadata_response_broker self;
    bool all = ask->topics_count < 0 ||
               (ask->topics_count == 0 && request->api_version < NULL_MEANS_ALL);
    bool fits = true;
    fc_wire_init(&fc_msg_metadata_response_type, &response);
    fc_wire_init(&fc_msg_metadata_response_broker_type, &self);
    self.node_id = spu->config.node_id;
    self.host = advertised_host(request);
    self.port = advertised_port(request);
    response.brokers = &self;
    response.brokers_count = 1;
    response.cluster_id = fc_slice_text(spu->cluster_id);
    response.controller_id = spu->config.node_id;
    if (all) {
        fits = answer_all(spu, request, ask, &response);
    } else {
        response.topics_count = ask->topics_count;
        response.topics = fc_wire_array(&request->arena, &fc_msg_metadata_response_topic_type,
                                        ask->topics_count);
        fits = response.topics != NULL;
        for (int32_t index = 0; fits && index < ask->topics_count; index++) {
            fits =
                answer_asked(spu, request, ask, &ask->topics[index], &response.topics[index]);
        }
    }
    if (ask->include_cluster_authorized_operations) {
        response.cluster_authorized_operations = fc_access_operations(
            spu, request, FC_RESOURCE_CLUSTER, fc_slice_text("kafka-cluster"));
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}

void fc_handle_metadata(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    if (must_make(spu, request, message)) {
        fc_dispatch_slowly(spu, request, answer, message);
    } else {
        answer(spu, request, message);
    }
}

void fc_handle_describe_cluster(struct fc_spu *spu, struct fc_request *request,
                                const void *message)
{
    const struct fc_msg_describe_cluster_request *ask = message;
    struct fc_msg_describe_cluster_response response;
    struct fc_msg_describe_cluster_response_broker self;
    fc_wire_init(&fc_msg_describe_cluster_response_type, &response);
    fc_wire_init(&fc_msg_describe_cluster_response_broker_type, &self);
    self.broker_id = spu->config.node_id;
    self.host = advertised_host(request);
    self.port = advertised_port(request);
    response.endpoint_type = ask->endpoint_type;
    response.cluster_id = fc_slice_text(spu->cluster_id);
    response.controller_id = spu->config.node_id;
    response.brokers = &self;
    response.brokers_count = 1;
    if (ask->include_cluster_authorized_operations) {
        response.cluster_authorized_operations = fc_access_operations(
            spu, request, FC_RESOURCE_CLUSTER, fc_slice_text("kafka-cluster"));
    }
    if (ask->endpoint_type != 1) {
        response.error_code = FC_KAFKA_UNSUPPORTED_ENDPOINT_TYPE;
        response.error_message = fc_slice_text("there are no controllers to connect to");
        response.brokers_count = 0;
    }
    fc_answer(request, &response);
}
