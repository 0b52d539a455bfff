/* SPDX-License-Identifier: Apache-2.0 */
/* DescribeConfigs of topics and of this node. */
#include "core/spu/configs.h"

#include "core/spu/access.h"
#include "core/spu/handlers.h"
#include "core/spu/topic_settings.h"

static bool wanted(const struct fc_msg_describe_configs_request_resource *asked,
                   const char *key)
{
    if (asked->configuration_keys_count < 0) {
        return true;
    }
    for (int32_t index = 0; index < asked->configuration_keys_count; index++) {
        if (fc_slice_equal_text(asked->configuration_keys[index], key)) {
            return true;
        }
    }
    return false;
}

/* One setting of the answer; false past the arena's limit. */
static bool tell(struct fc_request *request, const struct fc_msg_describe_configs_request *ask,
                 const struct fc_setting_doc *doc, const struct fc_setting_value *values,
                 int32_t count, struct fc_msg_describe_configs_response_config *out)
{
    out->name = fc_slice_text(doc->key);
    out->value = fc_arena_copy(&request->arena, fc_slice_text(values[0].text));
    out->config_source = (int8_t)values[0].source;
    out->is_default = values[0].source == FC_SETTING_FROM_DEFAULT;
    out->config_type = (int8_t)doc->type;
    if (ask->include_documentation) {
        out->documentation = fc_slice_text(doc->text);
    }
    if (!ask->include_synonyms) {
        return out->value.data != NULL;
    }
    out->synonyms =
        fc_wire_array(&request->arena, &fc_msg_describe_configs_response_synonym_type, count);
    if (out->synonyms == NULL) {
        return false;
    }
    out->synonyms_count = count;
    for (int32_t index = 0; index < count; index++) {
        struct fc_msg_describe_configs_response_synonym *synonym = &out->synonyms[index];
        bool own = doc->broker_key == NULL || values[index].source == FC_SETTING_FROM_TOPIC;
        synonym->name = own ? out->name : fc_slice_text(doc->broker_key);
        synonym->value = fc_arena_copy(&request->arena, fc_slice_text(values[index].text));
        synonym->source = (int8_t)values[index].source;
        if (synonym->value.data == NULL) {
            return false;
        }
    }
    return out->value.data != NULL;
}

static bool describe_topic(struct fc_spu *spu, struct fc_request *request,
                           const struct fc_msg_describe_configs_request *ask,
                           const struct fc_msg_describe_configs_request_resource *asked,
                           struct fc_log_topic *topic,
                           struct fc_msg_describe_configs_response_result *out)
{
    struct fc_settings settings = { 0 };
    size_t count = fc_topic_settings_count();
    bool fits;
    fc_log_topic_settings(topic, &settings);
    out->configs = fc_wire_array(&request->arena, &fc_msg_describe_configs_response_config_type,
                                 (int32_t)count);
    fits = out->configs != NULL;
    for (size_t index = 0; fits && index < count; index++) {
        struct fc_topic_setting setting;
        fc_topic_setting(spu, &settings, index, &setting);
        if (wanted(asked, setting.doc->key)) {
            fits = tell(request, ask, setting.doc, setting.values, setting.count,
                        &out->configs[out->configs_count++]);
        }
    }
    fc_settings_release(&settings);
    return fits;
}

static bool describe_node(struct fc_spu *spu, struct fc_request *request,
                          const struct fc_msg_describe_configs_request *ask,
                          const struct fc_msg_describe_configs_request_resource *asked,
                          struct fc_msg_describe_configs_response_result *out)
{
    size_t count = 0;
    bool fits;
    while (fc_broker_setting(count) != NULL) {
        count++;
    }
    out->configs = fc_wire_array(&request->arena, &fc_msg_describe_configs_response_config_type,
                                 (int32_t)count);
    fits = out->configs != NULL;
    for (size_t index = 0; fits && index < count; index++) {
        const struct fc_setting_doc *doc = fc_broker_setting(index);
        char text[FC_BROKER_SETTING_TEXT_SIZE];
        if (wanted(asked, doc->key)) {
            struct fc_msg_describe_configs_response_config *config =
                &out->configs[out->configs_count++];
            struct fc_setting_value value = { FC_SETTING_FROM_FILE, text };
            fc_broker_setting_value(spu, request, doc->key, text);
            fits = tell(request, ask, doc, &value, 1, config);
            config->read_only = true;
        }
    }
    return fits;
}

static bool names_this_node(const struct fc_spu *spu, struct fc_slice name)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", spu->config.node_id);
    return fc_slice_equal_text(name, text);
}

static bool describe(struct fc_spu *spu, struct fc_request *request,
                     const struct fc_msg_describe_configs_request *ask,
                     const struct fc_msg_describe_configs_request_resource *asked,
                     struct fc_msg_describe_configs_response_result *out)
{
    struct fc_log_topic *topic = NULL;
    fc_kafka_error error = FC_KAFKA_NONE;
    bool fits = true;
    out->resource_type = asked->resource_type;
    out->resource_name = asked->resource_name;
    if (asked->resource_type == FC_CONFIG_TOPIC) {
        if (!fc_access_may(spu, request, FC_OPERATION_DESCRIBE_CONFIGS, FC_RESOURCE_TOPIC,
                           asked->resource_name)) {
            error = FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
        } else {
            error = fc_spu_topic(spu, request, asked->resource_name, (struct fc_uuid){ { 0 } },
                                 &topic);
        }
        if (error == FC_KAFKA_NONE) {
            fits = describe_topic(spu, request, ask, asked, topic, out);
        }
        fc_log_topic_unref(topic);
    } else if (asked->resource_type == FC_CONFIG_BROKER) {
        if (!fc_access_may_cluster(spu, request, FC_OPERATION_DESCRIBE_CONFIGS)) {
            error = FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED;
        } else if (asked->resource_name.len == 0) {
            out->configs_count = 0; /* of all nodes together: none beside those of each */
        } else if (names_this_node(spu, asked->resource_name)) {
            fits = describe_node(spu, request, ask, asked, out);
        } else {
            error = FC_KAFKA_INVALID_REQUEST;
            out->error_message = fc_slice_text("there is no such node");
        }
    } else if (asked->resource_type != FC_CONFIG_GROUP &&
               asked->resource_type != FC_CONFIG_CLIENT_METRICS) {
        error = FC_KAFKA_INVALID_REQUEST;
        out->error_message = fc_slice_text("resources of this type have no settings");
    }
    out->error_code = (int16_t)error;
    return fits;
}

void fc_handle_describe_configs(struct fc_spu *spu, struct fc_request *request,
                                const void *message)
{
    const struct fc_msg_describe_configs_request *ask = message;
    struct fc_msg_describe_configs_response response;
    bool fits;
    fc_wire_init(&fc_msg_describe_configs_response_type, &response);
    response.results_count = ask->resources_count;
    response.results = fc_wire_array(
        &request->arena, &fc_msg_describe_configs_response_result_type, ask->resources_count);
    fits = response.results != NULL;
    for (int32_t index = 0; fits && index < ask->resources_count; index++) {
        fits = describe(spu, request, ask, &ask->resources[index], &response.results[index]);
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}
