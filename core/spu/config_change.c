/* SPDX-License-Identifier: Apache-2.0 */
/* AlterConfigs, which says what a topic sets from now on, and IncrementalAlterConfigs, which
 * changes some of it. What the node is started with is in its file and cannot be changed here. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/spu/access.h"
#include "core/spu/configs.h"
#include "core/spu/handlers.h"
#include "core/spu/kept_settings.h"
#include "core/spu/topic_admin.h"
#include "core/spu/topic_settings.h"

/* What is to become of one setting. */
typedef enum change_kind { SET, DELETE, APPEND, SUBTRACT } change_kind;

struct change {
    change_kind kind;
    struct fc_slice name;
    struct fc_slice value;
};

/* A list without, or with, one more item; the caller frees it. */
static char *change_list(const char *list, const char *item, bool append)
{
    char *changed = fc_strdup("");
    const char *at = list;
    while (*at != '\0') {
        size_t length = strcspn(at, ",");
        bool same = length == strlen(item) && strncmp(at, item, length) == 0;
        if (length > 0 && !same) {
            char *longer = fc_asprintf("%s%s%.*s", changed, changed[0] == '\0' ? "" : ",",
                                       (int)length, at);
            free(changed);
            changed = longer;
        }
        at += length + (at[length] == ',' ? 1 : 0);
    }
    if (append) {
        char *longer = fc_asprintf("%s%s%s", changed, changed[0] == '\0' ? "" : ",", item);
        free(changed);
        changed = longer;
    }
    return changed;
}

/* What a list is now: the topic's own, or what it is by default. */
static const char *list_now(const struct fc_settings *settings, const char *key,
                            const struct fc_log_topic_config *defaults,
                            char text[FC_TOPIC_CONFIG_TEXT_SIZE])
{
    const char *own = fc_settings_get(settings, key);
    if (own != NULL) {
        return own;
    }
    return fc_log_topic_config_get(defaults, key, text) ? text : fc_kept_setting_default(key);
}

static fc_code put(struct fc_spu *spu, struct fc_settings *settings, change_kind kind,
                   const char *key, const char *value, struct fc_error *err)
{
    char *list = NULL;
    fc_code code;
    if (kind == APPEND || kind == SUBTRACT) {
        const struct fc_setting_doc *doc = fc_setting_doc(key);
        struct fc_log_topic_config defaults;
        char now[FC_TOPIC_CONFIG_TEXT_SIZE];
        if (doc == NULL || doc->type != FC_SETTING_LIST) {
            return fc_fail(err, FC_ERR_CONFIG, "%s is not a list", key);
        }
        fc_data_dir_defaults(spu->data, &defaults);
        list = change_list(list_now(settings, key, &defaults, now), value, kind == APPEND);
        value = list;
    }
    code = fc_topic_setting_check(spu, key, value, err);
    if (code == FC_OK) {
        fc_settings_put(settings, key, value);
    }
    free(list);
    return code;
}

static fc_code apply(struct fc_spu *spu, struct fc_request *request,
                     struct fc_settings *settings, const struct change *change,
                     struct fc_error *err)
{
    const char *key = fc_request_name(request, change->name);
    const char *value = fc_request_name(request, change->value);
    if (key == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "a setting without a name");
    }
    if (change->kind == DELETE) {
        fc_settings_remove(settings, key);
        return FC_OK;
    }
    if (value == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "the value of %s is too long", key);
    }
    return put(spu, settings, change->kind, key, value, err);
}

/* One resource: all of its changes or none. */
struct alteration {
    int8_t type;
    struct fc_slice name;
    const struct change *changes;
    int32_t count;
    bool replaces; /* what is not named goes back to its default */
    bool validate_only;
};

static fc_kafka_error alter_topic(struct fc_spu *spu, struct fc_request *request,
                                  const struct alteration *alteration, struct fc_error *err)
{
    struct fc_log_topic *topic = NULL;
    struct fc_settings settings = { 0 };
    fc_kafka_error error;
    fc_code code = FC_OK;
    if (!fc_access_may(spu, request, FC_OPERATION_ALTER_CONFIGS, FC_RESOURCE_TOPIC,
                       alteration->name)) {
        return FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    }
    error = fc_spu_topic(spu, request, alteration->name, (struct fc_uuid){ { 0 } }, &topic);
    if (error != FC_KAFKA_NONE) {
        return error;
    }
    if (spu->config.clients_read_only) {
        code = fc_fail(err, FC_ERR_REFUSED, FC_SPU_READ_ONLY_TEXT);
    }
    if (!alteration->replaces) {
        fc_log_topic_settings(topic, &settings);
    }
    for (int32_t index = 0; code == FC_OK && index < alteration->count; index++) {
        code = apply(spu, request, &settings, &alteration->changes[index], err);
    }
    if (code == FC_OK && !alteration->validate_only) {
        code = fc_log_topic_alter(topic, &settings, err);
    }
    fc_settings_release(&settings);
    fc_log_topic_unref(topic);
    return code == FC_ERR_NOT_FOUND ? FC_KAFKA_INVALID_CONFIG : fc_topic_admin_error(code);
}

/* Each once, and with a value, unless it goes back to its default. */
static bool is_sound(const struct alteration *alteration, struct fc_error *err)
{
    if (alteration->count > (int64_t)fc_topic_settings_count()) {
        (void)fc_fail(err, FC_ERR_CONFIG, "there are not so many settings");
        return false;
    }
    for (int32_t index = 0; index < alteration->count; index++) {
        const struct change *change = &alteration->changes[index];
        if (change->kind != DELETE && change->value.data == NULL) {
            (void)fc_fail(err, FC_ERR_CONFIG, "a setting has no value");
            return false;
        }
        for (int32_t other = 0; other < index; other++) {
            if (fc_slice_equal(alteration->changes[other].name, change->name)) {
                (void)fc_fail(err, FC_ERR_CONFIG, "a setting is changed twice");
                return false;
            }
        }
    }
    return true;
}

static fc_kafka_error alter(struct fc_spu *spu, struct fc_request *request,
                            const struct alteration *alteration, struct fc_error *err)
{
    err->message[0] = '\0';
    if (!is_sound(alteration, err)) {
        return FC_KAFKA_INVALID_REQUEST;
    }
    if (alteration->type == FC_CONFIG_TOPIC) {
        return alter_topic(spu, request, alteration, err);
    }
    if (alteration->type == FC_CONFIG_BROKER) {
        if (!fc_access_may_cluster(spu, request, FC_OPERATION_ALTER_CONFIGS)) {
            return FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED;
        }
        (void)fc_fail(err, FC_ERR_CONFIG,
                      "a node's settings are in the file that it is started with");
        return FC_KAFKA_INVALID_REQUEST;
    }
    (void)fc_fail(err, FC_ERR_CONFIG, "resources of this type have no settings");
    return FC_KAFKA_INVALID_REQUEST;
}

static struct fc_slice message_of(struct fc_request *request, fc_kafka_error error,
                                  const struct fc_error *err)
{
    if (error == FC_KAFKA_NONE) {
        return fc_slice_null();
    }
    return err->message[0] == '\0' ? fc_slice_text(fc_kafka_error_message(error))
                                   : fc_answer_message(request, err);
}

void fc_handle_alter_configs(struct fc_spu *spu, struct fc_request *request,
                             const void *message)
{
    const struct fc_msg_alter_configs_request *ask = message;
    struct fc_msg_alter_configs_response response;
    fc_wire_init(&fc_msg_alter_configs_response_type, &response);
    response.responses_count = ask->resources_count;
    response.responses = fc_wire_array(
        &request->arena, &fc_msg_alter_configs_response_resource_type, ask->resources_count);
    for (int32_t index = 0; response.responses != NULL && index < ask->resources_count;
         index++) {
        const struct fc_msg_alter_configs_request_resource *asked = &ask->resources[index];
        struct fc_msg_alter_configs_response_resource *out = &response.responses[index];
        struct change *changes = fc_new_array(struct change, (size_t)asked->configs_count + 1);
        struct alteration alteration = {
            asked->resource_type, asked->resource_name, changes, asked->configs_count, true,
            ask->validate_only
        };
        struct fc_error err;
        fc_kafka_error error;
        for (int32_t which = 0; which < asked->configs_count; which++) {
            changes[which].kind = asked->configs[which].value.data == NULL ? DELETE : SET;
            changes[which].name = asked->configs[which].name;
            changes[which].value = asked->configs[which].value;
        }
        error = alter(spu, request, &alteration, &err);
        free(changes);
        out->error_code = (int16_t)error;
        out->error_message = message_of(request, error, &err);
        out->resource_type = asked->resource_type;
        out->resource_name = asked->resource_name;
    }
    if (response.responses == NULL) {
        fc_answer_too_large(request);
    } else {
        fc_answer(request, &response);
    }
}

void fc_handle_incremental_alter_configs(struct fc_spu *spu, struct fc_request *request,
                                         const void *message)
{
    const struct fc_msg_incremental_alter_configs_request *ask = message;
    struct fc_msg_incremental_alter_configs_response response;
    fc_wire_init(&fc_msg_incremental_alter_configs_response_type, &response);
    response.responses_count = ask->resources_count;
    response.responses =
        fc_wire_array(&request->arena, &fc_msg_incremental_alter_configs_response_resource_type,
                      ask->resources_count);
    for (int32_t index = 0; response.responses != NULL && index < ask->resources_count;
         index++) {
        const struct fc_msg_incremental_alter_configs_request_resource *asked =
            &ask->resources[index];
        struct fc_msg_incremental_alter_configs_response_resource *out =
            &response.responses[index];
        struct change *changes = fc_new_array(struct change, (size_t)asked->configs_count + 1);
        struct alteration alteration = {
            asked->resource_type, asked->resource_name, changes, asked->configs_count, false,
            ask->validate_only
        };
        struct fc_error err;
        fc_kafka_error error = FC_KAFKA_NONE;
        for (int32_t which = 0; which < asked->configs_count; which++) {
            int8_t operation = asked->configs[which].config_operation;
            if (operation < SET || operation > SUBTRACT) {
                error = FC_KAFKA_INVALID_REQUEST;
                operation = SET;
            }
            changes[which].kind = (change_kind)operation;
            changes[which].name = asked->configs[which].name;
            changes[which].value = asked->configs[which].value;
        }
        err.message[0] = '\0';
        error = error == FC_KAFKA_NONE ? alter(spu, request, &alteration, &err) : error;
        free(changes);
        out->error_code = (int16_t)error;
        out->error_message = message_of(request, error, &err);
        out->resource_type = asked->resource_type;
        out->resource_name = asked->resource_name;
    }
    if (response.responses == NULL) {
        fc_answer_too_large(request);
    } else {
        fc_answer(request, &response);
    }
}
