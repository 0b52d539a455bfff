/* SPDX-License-Identifier: Apache-2.0 */
/* ListConfigResources: what has settings. */
#include "core/spu/access.h"
#include "core/spu/configs.h"
#include "core/spu/handlers.h"

/* Version 0 asks for client metrics only, which nobody has set. */
enum { NAMES_TYPES = 1 };

static bool asked_for(const struct fc_request *request,
                      const struct fc_msg_list_config_resources_request *ask, int8_t type)
{
    bool found = ask->resource_types_count == 0;
    for (int32_t index = 0; !found && index < ask->resource_types_count; index++) {
        found = ask->resource_types[index] == type;
    }
    return found && request->api_version >= NAMES_TYPES;
}

static bool types_are_known(const struct fc_msg_list_config_resources_request *ask)
{
    bool known = true;
    for (int32_t index = 0; index < ask->resource_types_count; index++) {
        int8_t type = ask->resource_types[index];
        known = known && (type == FC_CONFIG_TOPIC || type == FC_CONFIG_BROKER ||
                          type == FC_CONFIG_BROKER_LOGGER || type == FC_CONFIG_CLIENT_METRICS ||
                          type == FC_CONFIG_GROUP);
    }
    return known;
}

static bool add(struct fc_request *request,
                struct fc_msg_list_config_resources_response *response, const char *name,
                int8_t type)
{
    struct fc_msg_list_config_resources_response_config_resource *out =
        &response->config_resources[response->config_resources_count++];
    out->resource_name = fc_arena_copy(&request->arena, fc_slice_text(name));
    out->resource_type = type;
    return out->resource_name.data != NULL;
}

static bool list(struct fc_spu *spu, struct fc_request *request,
                 const struct fc_msg_list_config_resources_request *ask,
                 struct fc_msg_list_config_resources_response *response)
{
    struct fc_log_topic **topics = NULL;
    size_t count = 0;
    char self[16];
    bool fits;
    if (asked_for(request, ask, FC_CONFIG_TOPIC) &&
        fc_data_dir_topics(spu->data, &topics, &count, NULL) != FC_OK) {
        count = 0;
    }
    response->config_resources = fc_wire_array(
        &request->arena, &fc_msg_list_config_resources_response_config_resource_type,
        (int32_t)count + 2);
    fits = response->config_resources != NULL;
    for (size_t index = 0; fits && index < count; index++) {
        fits = add(request, response, fc_log_topic_name(topics[index]), FC_CONFIG_TOPIC);
    }
    (void)snprintf(self, sizeof(self), "%d", spu->config.node_id);
    if (fits && asked_for(request, ask, FC_CONFIG_BROKER)) {
        fits = add(request, response, self, FC_CONFIG_BROKER);
    }
    if (fits && asked_for(request, ask, FC_CONFIG_BROKER_LOGGER)) {
        fits = add(request, response, self, FC_CONFIG_BROKER_LOGGER);
    }
    fc_log_topics_free(topics, count);
    return fits;
}

void fc_handle_list_config_resources(struct fc_spu *spu, struct fc_request *request,
                                     const void *message)
{
    struct fc_msg_list_config_resources_response response;
    bool fits = true;
    fc_wire_init(&fc_msg_list_config_resources_response_type, &response);
    if (!fc_access_may_cluster(spu, request, FC_OPERATION_DESCRIBE_CONFIGS)) {
        response.error_code = FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED;
    } else if (!types_are_known(message)) {
        response.error_code = FC_KAFKA_UNSUPPORTED_VERSION;
    } else {
        fits = list(spu, request, message, &response);
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}
