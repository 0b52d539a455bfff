/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/access.h"

bool fc_access_may(struct fc_spu *spu, struct fc_request *request, fc_operation operation,
                   fc_resource resource, struct fc_slice name)
{
    (void)spu;
    (void)request;
    (void)operation;
    (void)resource;
    (void)name;
    return true;
}

bool fc_access_may_any(struct fc_spu *spu, struct fc_request *request, fc_operation operation,
                       fc_resource resource)
{
    return fc_access_may(spu, request, operation, resource, fc_slice_text("*"));
}

/* What can be done with each kind of resource at all. */
static const fc_operation TOPIC_OPERATIONS[] = {
    FC_OPERATION_READ,
    FC_OPERATION_WRITE,
    FC_OPERATION_CREATE,
    FC_OPERATION_DELETE,
    FC_OPERATION_ALTER,
    FC_OPERATION_DESCRIBE,
    FC_OPERATION_DESCRIBE_CONFIGS,
    FC_OPERATION_ALTER_CONFIGS,
};
static const fc_operation GROUP_OPERATIONS[] = {
    FC_OPERATION_READ,
    FC_OPERATION_DELETE,
    FC_OPERATION_DESCRIBE,
};
static const fc_operation CLUSTER_OPERATIONS[] = {
    FC_OPERATION_CREATE,           FC_OPERATION_ALTER,
    FC_OPERATION_DESCRIBE,         FC_OPERATION_CLUSTER_ACTION,
    FC_OPERATION_DESCRIBE_CONFIGS, FC_OPERATION_ALTER_CONFIGS,
    FC_OPERATION_IDEMPOTENT_WRITE,
};

int32_t fc_access_operations(struct fc_spu *spu, struct fc_request *request,
                             fc_resource resource, struct fc_slice name)
{
    const fc_operation *operations = TOPIC_OPERATIONS;
    size_t count = sizeof(TOPIC_OPERATIONS) / sizeof(TOPIC_OPERATIONS[0]);
    int32_t allowed = 0;
    if (resource == FC_RESOURCE_GROUP) {
        operations = GROUP_OPERATIONS;
        count = sizeof(GROUP_OPERATIONS) / sizeof(GROUP_OPERATIONS[0]);
    } else if (resource == FC_RESOURCE_CLUSTER) {
        operations = CLUSTER_OPERATIONS;
        count = sizeof(CLUSTER_OPERATIONS) / sizeof(CLUSTER_OPERATIONS[0]);
    }
    for (size_t index = 0; index < count; index++) {
        if (fc_access_may(spu, request, operations[index], resource, name)) {
            allowed |= 1 << operations[index];
        }
    }
    return allowed;
}
