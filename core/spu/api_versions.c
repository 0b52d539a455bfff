/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/dispatch.h"
#include "core/spu/features.h"
#include "core/spu/handlers.h"

/* UIs read the cluster's version from metadata.version: 25 is Kafka 4.0's. Clients that see
 * transaction.version 2 let EndTxn bump their epoch, and batches add their partitions (KIP-890). */
const struct fc_feature fc_features[] = {
    { "metadata.version", 1, 25, 25 },
    { "transaction.version", 1, 2, 2 },
};
const size_t fc_features_count = sizeof(fc_features) / sizeof(fc_features[0]);

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

static bool fill_features(struct fc_request *request,
                          struct fc_msg_api_versions_response *response)
{
    int32_t count = (int32_t)fc_features_count;
    response->supported_features = fc_wire_array(
        &request->arena, &fc_msg_api_versions_response_supported_feature_type, count);
    response->finalized_features = fc_wire_array(
        &request->arena, &fc_msg_api_versions_response_finalized_feature_type, count);
    if (response->supported_features == NULL || response->finalized_features == NULL) {
        return false;
    }
    response->supported_features_count = count;
    response->finalized_features_count = count;
    response->finalized_features_epoch = 0;
    for (int32_t index = 0; index < count; index++) {
        const struct fc_feature *feature = &fc_features[index];
        struct fc_slice name = fc_slice_text(feature->name);
        response->supported_features[index].name = name;
        response->supported_features[index].min_version = feature->min;
        response->supported_features[index].max_version = feature->max;
        response->finalized_features[index].name = name;
        response->finalized_features[index].min_version_level = feature->level;
        response->finalized_features[index].max_version_level = feature->level;
    }
    return true;
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
    if (fill_features(request, &response)) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}
