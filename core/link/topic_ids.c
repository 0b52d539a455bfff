/* SPDX-License-Identifier: Apache-2.0 */
#include "core/link/topic_ids.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/uuid.h"
#include "core/link/wire_client.h"
#include "core/wire/messages.h"

enum { IDS_VERSION = 10 };

struct fc_topic_ids {
    struct fc_link_settings settings;
    int timeout_ms;
    struct fc_wire_client *client; /* NULL: not connected */
};

struct fc_topic_ids *fc_topic_ids_new(const struct fc_link_settings *settings, int timeout_ms)
{
    struct fc_topic_ids *ids = fc_new(struct fc_topic_ids);
    ids->settings = *settings;
    ids->timeout_ms = timeout_ms;
    return ids;
}

static void drop(struct fc_topic_ids *ids)
{
    fc_wire_client_close(ids->client);
    ids->client = NULL;
}

void fc_topic_ids_free(struct fc_topic_ids *ids)
{
    if (ids != NULL) {
        drop(ids);
        free(ids);
    }
}

static fc_code ensure(struct fc_topic_ids *ids, struct fc_error *err)
{
    fc_code code = FC_OK;
    if (ids->client == NULL) {
        code = fc_wire_client_open(&ids->settings, ids->timeout_ms, &ids->client, err);
    }
    if (code == FC_OK && fc_wire_client_version(ids->client, FC_API_METADATA) < IDS_VERSION) {
        code = fc_fail(err, FC_ERR_PROTOCOL, "%s knows no ids of topics (before Kafka 2.8)",
                       fc_wire_client_peer(ids->client));
    }
    return code;
}

static fc_code call(struct fc_topic_ids *ids, const char *const *names, size_t count,
                    struct fc_msg_metadata_response *out_response, struct fc_error *err)
{
    struct fc_msg_metadata_request request;
    struct fc_msg_metadata_request_topic *topics =
        fc_new_array(struct fc_msg_metadata_request_topic, count + 1);
    fc_code code;
    fc_wire_init(&fc_msg_metadata_request_type, &request);
    for (size_t index = 0; index < count; index++) {
        fc_wire_init(&fc_msg_metadata_request_topic_type, &topics[index]);
        topics[index].name = fc_slice_text(names[index]);
    }
    request.topics = topics;
    request.topics_count = (int32_t)count;
    request.allow_auto_topic_creation = false;
    code = fc_wire_client_call(ids->client, FC_API_METADATA, &request, out_response, err);
    free(topics);
    return code;
}

fc_code fc_topic_ids_ask(struct fc_topic_ids *ids, const char *const *names, size_t count,
                         void (*on_id)(void *ctx, const char *name, const char *id), void *ctx,
                         struct fc_error *err)
{
    struct fc_msg_metadata_response response;
    bool was_open = ids->client != NULL;
    fc_code code;
    if (count == 0) {
        return FC_OK;
    }
    code = ensure(ids, err);
    code = code == FC_OK ? call(ids, names, count, &response, err) : code;
    if (code != FC_OK && was_open) { /* the server may have closed it meanwhile */
        drop(ids);
        code = ensure(ids, err);
        code = code == FC_OK ? call(ids, names, count, &response, err) : code;
    }
    if (code != FC_OK) {
        drop(ids);
        return code;
    }
    for (int32_t index = 0; index < response.topics_count; index++) {
        const struct fc_msg_metadata_response_topic *topic = &response.topics[index];
        char text[FC_UUID_TEXT_SIZE];
        char *name;
        if (!fc_uuid_is_zero(topic->topic_id)) {
            name = fc_strndup((const char *)topic->name.data, topic->name.len);
            fc_uuid_to_text(topic->topic_id, text);
            on_id(ctx, name, text);
            free(name);
        }
    }
    return FC_OK;
}
