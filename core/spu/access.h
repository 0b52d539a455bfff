/* SPDX-License-Identifier: Apache-2.0 */
/* Whether who sent a request may do what it asks for. The numbers are Kafka's. */
#ifndef FC_SPU_ACCESS_H
#define FC_SPU_ACCESS_H

#include "core/spu/spu_state.h"

typedef enum fc_operation {
    FC_OPERATION_ANY = 1,
    FC_OPERATION_ALL = 2,
    FC_OPERATION_READ = 3,
    FC_OPERATION_WRITE = 4,
    FC_OPERATION_CREATE = 5,
    FC_OPERATION_DELETE = 6,
    FC_OPERATION_ALTER = 7,
    FC_OPERATION_DESCRIBE = 8,
    FC_OPERATION_CLUSTER_ACTION = 9,
    FC_OPERATION_DESCRIBE_CONFIGS = 10,
    FC_OPERATION_ALTER_CONFIGS = 11,
    FC_OPERATION_IDEMPOTENT_WRITE = 12
} fc_operation;

typedef enum fc_resource {
    FC_RESOURCE_ANY = 1,
    FC_RESOURCE_TOPIC = 2,
    FC_RESOURCE_GROUP = 3,
    FC_RESOURCE_CLUSTER = 4,
    FC_RESOURCE_TRANSACTIONAL_ID = 5,
    FC_RESOURCE_DELEGATION_TOKEN = 6,
    FC_RESOURCE_USER = 7
} fc_resource;

/* Thread: any, while the request is held. name is not looked at for the cluster. */
bool fc_access_may(struct fc_spu *spu, struct fc_request *request, fc_operation operation,
                   fc_resource resource, struct fc_slice name);

/* Whether it may be done with any resource of that type. */
bool fc_access_may_any(struct fc_spu *spu, struct fc_request *request, fc_operation operation,
                       fc_resource resource);

static inline bool fc_access_may_cluster(struct fc_spu *spu, struct fc_request *request,
                                         fc_operation operation)
{
    return fc_access_may(spu, request, operation, FC_RESOURCE_CLUSTER,
                         fc_slice_of("kafka-cluster", 13));
}

/* All that may be done with it, as Kafka's bit field: bit n for operation n. */
int32_t fc_access_operations(struct fc_spu *spu, struct fc_request *request,
                             fc_resource resource, struct fc_slice name);

#endif
