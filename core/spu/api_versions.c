/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/dispatch.h"
#include "core/spu/handlers.h"

/*
 * What UIs read the cluster's version from: feature level 20 of metadata.version is Kafka 3.9's.
 * Nothing is listed here that clients would change their behaviour for and that we do not do.
 */
static const struct fc_msg_api_versions_response_supported_feature SUPPORTED[] = {
    { { (const uint8_t *)"metadata.version", 16 }, 1, 25 },
};
static const struct fc_msg_api_versions_response_finalized_feature FINALIZED[] = {
    { { (const uint8_t *)"metadata.version", 16 }, 25, 25 },
};

static int32_t fill_keys(struct fc_msg_api_versions_response_api_key *keys)
{
    size_t count = 0;
    const struct fc_wire_api *apis = fc_wire_apis(&count);
    int32_t filled = 0;
    for (size_t index = 0; index < count; index++) {
        if (fc_dispatch_serves(apis[index].key)) {
            keys[filled].api_key = apis[index].key;
            keys[filled].min_version = apis[index].min;
            keys[filled].max_version = apis[index].max;
            filled++;
        }
    }
    return filled;
}

/* KIP-511: a version that we do not know is answered in version 0, with error 35 and the ranges. */
void fc_handle_api_versions(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    struct fc_msg_api_versions_response response;
    size_t count = 0;
    (void)spu;
    (void)fc_wire_apis(&count);
    fc_wire_init(&fc_msg_api_versions_response_type, &response);
    response.api_keys = fc_wire_array(
        &request->arena, &fc_msg_api_versions_response_api_key_type, (int32_t)count);
    if (response.api_keys == NULL) {
        fc_answer_too_large(request);
        return;
    }
    response.api_keys_count = fill_keys(response.api_keys);
    if (message == NULL) {
        response.error_code = FC_KAFKA_UNSUPPORTED_VERSION;
        request->api_version = 0;
    }
    response.supported_features =
        (struct fc_msg_api_versions_response_supported_feature *)(uintptr_t)SUPPORTED;
    response.supported_features_count = 1;
    response.finalized_features =
        (struct fc_msg_api_versions_response_finalized_feature *)(uintptr_t)FINALIZED;
    response.finalized_features_count = 1;
    response.finalized_features_epoch = 0;
    fc_answer(request, &response);
}
