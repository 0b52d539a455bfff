/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/spu_state.h"

/* Every response has the field, but for those of the time before quotas. */
static void set_throttle(const struct fc_wire_type *type, void *response, int32_t ms)
{
    for (int16_t index = 0; index < type->field_count; index++) {
        const struct fc_wire_field *field = &type->fields[index];
        if (strcmp(field->name, "throttle_time_ms") == 0) {
            memcpy((uint8_t *)response + field->offset, &ms, sizeof(ms));
        }
    }
}

void fc_answer(struct fc_request *request, void *response)
{
    const struct fc_wire_api *api = fc_wire_api(request->api_key);
    struct fc_reply reply = { 0 };
    struct fc_error err;
    struct fc_buf *body = fc_reply_begin(&reply, request);
    if (request->throttle_ms > 0) {
        set_throttle(api->response, response, request->throttle_ms);
    }
    if (fc_wire_encode(api->response, request->api_version, response, body, &err) == FC_OK) {
        fc_request_reply(request, &reply);
    } else {
        fc_reply_release(&reply);
        fc_request_drop(request, err.message);
    }
}

void fc_answer_too_large(struct fc_request *request)
{
    fc_request_drop(request, "the answer needs more memory than a request may have");
}

struct fc_slice fc_answer_text(const char *text)
{
    return text == NULL ? fc_slice_null() : fc_slice_text(text);
}

struct fc_slice fc_answer_message(struct fc_request *request, const struct fc_error *err)
{
    return fc_arena_copy(&request->arena, fc_slice_text(err->message));
}

enum { NAME_MAX_BYTES = 255 };

const char *fc_request_name(struct fc_request *request, struct fc_slice name)
{
    char *text;
    if (name.data == NULL || name.len > NAME_MAX_BYTES ||
        memchr(name.data, '\0', name.len) != NULL) {
        return NULL;
    }
    text = fc_arena_alloc(&request->arena, name.len + 1);
    if (text != NULL) {
        memcpy(text, name.data, name.len);
        text[name.len] = '\0';
    }
    return text;
}

fc_kafka_error fc_spu_topic(struct fc_spu *spu, struct fc_request *request,
                            struct fc_slice name, struct fc_uuid id,
                            struct fc_log_topic **out_topic)
{
    const char *text;
    fc_code code;
    if (name.data == NULL || (name.len == 0 && !fc_uuid_is_zero(id))) {
        code = fc_data_dir_topic_by_id(spu->data, id, out_topic, NULL);
        return code == FC_ERR_NOT_FOUND ? FC_KAFKA_UNKNOWN_TOPIC_ID : fc_kafka_error_of(code);
    }
    text = fc_request_name(request, name);
    if (text == NULL) {
        return FC_KAFKA_INVALID_TOPIC_EXCEPTION;
    }
    code = fc_data_dir_topic(spu->data, text, out_topic, NULL);
    if (code == FC_ERR_NOT_FOUND) {
        return FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    return code == FC_ERR_CONFIG ? FC_KAFKA_INVALID_TOPIC_EXCEPTION : fc_kafka_error_of(code);
}
