/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/access.h"

#include "core/spu/security.h"

static struct fc_acl_caller caller_of(const struct fc_request *request)
{
    struct fc_acl_caller caller = {
        fc_slice_text(fc_connection_principal(request->connection)),
        fc_slice_text(fc_connection_peer_host(request->connection)),
    };
    return caller;
}

bool fc_access_sees(struct fc_spu *spu, struct fc_request *request, fc_operation operation,
                    fc_resource resource, struct fc_slice name)
{
    struct fc_acl_caller caller;
    if (!fc_security_is_on(spu->security)) {
        return true;
    }
    caller = caller_of(request);
    return fc_security_allows(spu->security, &caller, operation, resource, name);
}

bool fc_access_may(struct fc_spu *spu, struct fc_request *request, fc_operation operation,
                   fc_resource resource, struct fc_slice name)
{
    const struct fc_wire_api *api = fc_wire_api(request->api_key);
    char principal[FC_AUDIT_TEXT_SIZE];
    char resource_text[FC_AUDIT_TEXT_SIZE];
    bool allowed = fc_access_sees(spu, request, operation, resource, name);
    if (!allowed) {
        fc_security_audit(
            spu->security, "refused principal=%s host=%s operation=%s resource=%s:%s api=%s",
            fc_security_text(fc_slice_text(fc_connection_principal(request->connection)),
                             principal),
            fc_connection_peer_host(request->connection), fc_operation_name(operation),
            fc_resource_name(resource), fc_security_text(name, resource_text), api->name);
    }
    return allowed;
}

bool fc_access_may_any(struct fc_spu *spu, struct fc_request *request, fc_operation operation,
                       fc_resource resource)
{
    struct fc_acl_caller caller = caller_of(request);
    return fc_security_allows_some(spu->security, &caller, operation, resource);
}

int32_t fc_access_operations(struct fc_spu *spu, struct fc_request *request,
                             fc_resource resource, struct fc_slice name)
{
    int32_t allowed = 0;
    for (int operation = FC_OPERATION_READ; operation <= FC_OPERATION_IDEMPOTENT_WRITE;
         operation++) {
        if (fc_acl_operation_is_for((fc_operation)operation, resource) &&
            fc_access_sees(spu, request, (fc_operation)operation, resource, name)) {
            allowed |= 1 << operation;
        }
    }
    return allowed;
}
