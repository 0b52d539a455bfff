/* SPDX-License-Identifier: Apache-2.0 */
/* Whether who sent a request may do what it asks for. */
#ifndef FC_SPU_ACCESS_H
#define FC_SPU_ACCESS_H

#include "core/spu/auth/acl.h"
#include "core/spu/spu_state.h"

/*
 * A refusal is told to who looks after the node, in one line. name is not looked at for the
 * cluster. Thread: any, while the request is held.
 */
bool fc_access_may(struct fc_spu *spu, struct fc_request *request, fc_operation operation,
                   fc_resource resource, struct fc_slice name);

/* The same for what is only left out of an answer, or where there is another way: not told. */
bool fc_access_sees(struct fc_spu *spu, struct fc_request *request, fc_operation operation,
                    fc_resource resource, struct fc_slice name);

static inline bool fc_access_may_cluster(struct fc_spu *spu, struct fc_request *request,
                                         fc_operation operation)
{
    return fc_access_may(spu, request, operation, FC_RESOURCE_CLUSTER,
                         fc_slice_of(FC_ACL_CLUSTER, sizeof(FC_ACL_CLUSTER) - 1));
}

static inline bool fc_access_sees_cluster(struct fc_spu *spu, struct fc_request *request,
                                          fc_operation operation)
{
    return fc_access_sees(spu, request, operation, FC_RESOURCE_CLUSTER,
                          fc_slice_of(FC_ACL_CLUSTER, sizeof(FC_ACL_CLUSTER) - 1));
}

/* Whether there may be any resource of the kind that it may be done with. Not told. */
bool fc_access_may_any(struct fc_spu *spu, struct fc_request *request, fc_operation operation,
                       fc_resource resource);

/* All that may be done with it, as Kafka's bit field: bit n for operation n. */
int32_t fc_access_operations(struct fc_spu *spu, struct fc_request *request,
                             fc_resource resource, struct fc_slice name);

#endif
