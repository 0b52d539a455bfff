/* SPDX-License-Identifier: Apache-2.0 */
/* DescribeAcls, CreateAcls, DeleteAcls. */
#include <stdlib.h>

#include "core/spu/access.h"
#include "core/spu/auth/acl_store.h"
#include "core/spu/handlers.h"
#include "core/spu/security.h"

enum { KEY_MAX = FC_STORE_KEY_MAX, LITERAL_VERSION = 1 };

static const char OFF[] = "authorization is not enabled on this node";

/* Why ACLs may not be looked at or changed; NONE: they may. */
static fc_kafka_error check_access(struct fc_spu *spu, struct fc_request *request,
                                   fc_operation operation)
{
    if (!fc_security_is_on(spu->security)) {
        return FC_KAFKA_SECURITY_DISABLED;
    }
    return fc_access_may_cluster(spu, request, operation)
               ? FC_KAFKA_NONE
               : FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED;
}

static struct fc_slice refusal(fc_kafka_error error)
{
    return fc_slice_text(error == FC_KAFKA_SECURITY_DISABLED ? OFF
                                                             : fc_kafka_error_message(error));
}

/* --- DescribeAcls --- */

static bool same_resource(const struct fc_msg_describe_acls_response_resource *resource,
                          const struct fc_acl *acl)
{
    return resource->resource_type == (int8_t)acl->resource &&
           resource->pattern_type == (int8_t)acl->pattern &&
           fc_slice_equal(resource->resource_name, acl->name);
}

/* The entries that fit are together when they are of the same resource: so they are stored. */
static bool tell(struct fc_request *request, const struct fc_acls *acls,
                 const struct fc_acl_filter *filter,
                 struct fc_msg_describe_acls_response *response)
{
    struct fc_arena *arena = &request->arena;
    int32_t count = 0;
    int32_t filled = 0;
    struct fc_msg_describe_acls_response_acl *out;
    struct fc_msg_describe_acls_response_resource *resource = NULL;
    for (size_t index = 0; index < fc_acls_count(acls); index++) {
        count += fc_acl_fits(fc_acls_at(acls, index), filter) ? 1 : 0;
    }
    response->resources =
        fc_wire_array(arena, &fc_msg_describe_acls_response_resource_type, count);
    out = fc_wire_array(arena, &fc_msg_describe_acls_response_acl_type, count);
    if (response->resources == NULL || out == NULL) {
        return false;
    }
    for (size_t index = 0; index < fc_acls_count(acls); index++) {
        const struct fc_acl *acl = fc_acls_at(acls, index);
        if (!fc_acl_fits(acl, filter)) {
            continue;
        }
        if (resource == NULL || !same_resource(resource, acl)) {
            resource = &response->resources[response->resources_count++];
            resource->resource_type = (int8_t)acl->resource;
            resource->pattern_type = (int8_t)acl->pattern;
            resource->resource_name = fc_arena_copy(arena, acl->name);
            resource->acls = &out[filled];
            resource->acls_count = 0;
        }
        out[filled].principal = fc_arena_copy(arena, acl->principal);
        out[filled].host = fc_arena_copy(arena, acl->host);
        out[filled].operation = (int8_t)acl->operation;
        out[filled].permission_type = (int8_t)acl->permission;
        resource->acls_count++;
        filled++;
    }
    return !arena->failed;
}

/* A filter that nothing can fit is a mistake of the client's. */
static bool filter_is_good(const struct fc_acl_filter *filter)
{
    return (filter->resource == FC_RESOURCE_ANY ||
            filter->resource == FC_RESOURCE_DELEGATION_TOKEN ||
            fc_resource_name(filter->resource) != NULL) &&
           filter->pattern >= FC_PATTERN_ANY && filter->pattern <= FC_PATTERN_PREFIXED &&
           filter->operation >= FC_OPERATION_ANY &&
           filter->operation <= FC_OPERATION_DESCRIBE_TOKENS &&
           filter->permission >= FC_PERMISSION_ANY && filter->permission <= FC_PERMISSION_ALLOW;
}

void fc_handle_describe_acls(struct fc_spu *spu, struct fc_request *request,
                             const void *message)
{
    const struct fc_msg_describe_acls_request *ask = message;
    struct fc_acl_filter filter = {
        .resource = (fc_resource)ask->resource_type_filter,
        .pattern = request->api_version < LITERAL_VERSION
                       ? FC_PATTERN_LITERAL
                       : (fc_pattern)ask->pattern_type_filter,
        .name = ask->resource_name_filter,
        .principal = ask->principal_filter,
        .host = ask->host_filter,
        .operation = (fc_operation)ask->operation,
        .permission = (fc_permission)ask->permission_type,
    };
    struct fc_msg_describe_acls_response response;
    fc_kafka_error error = check_access(spu, request, FC_OPERATION_DESCRIBE);
    bool fits = true;
    fc_wire_init(&fc_msg_describe_acls_response_type, &response);
    if (error == FC_KAFKA_NONE && !filter_is_good(&filter)) {
        error = FC_KAFKA_INVALID_REQUEST;
    }
    if (error == FC_KAFKA_NONE) {
        fits = tell(request, fc_security_hold_acls(spu->security), &filter, &response);
        fc_security_let_go(spu->security);
    } else {
        response.error_message = refusal(error);
    }
    response.error_code = (int16_t)error;
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}

/* --- changes, so many at a time as the store takes --- */

struct changes {
    struct fc_store_change items[FC_STORE_CHANGES_MAX];
    size_t count;
};

/* False when the request's arena is full. One entry may stand there twice: once is enough. */
static bool add_change(struct fc_request *request, struct changes *changes,
                       const struct fc_acl *acl, struct fc_slice value)
{
    struct fc_store_change *change = &changes->items[changes->count];
    struct fc_buf key;
    fc_buf_init(&key, KEY_MAX);
    fc_acl_key_append(&key, acl);
    change->key =
        key.failed ? fc_slice_null() : fc_arena_copy(&request->arena, fc_buf_slice(&key));
    change->value = value;
    change->expected = FC_STORE_ANYTHING;
    fc_buf_release(&key);
    for (size_t index = 0; index < changes->count; index++) {
        if (fc_slice_equal(changes->items[index].key, change->key)) {
            return true;
        }
    }
    changes->count++;
    return change->key.data != NULL;
}

static void audit_change(struct fc_spu *spu, const struct fc_request *request,
                         const struct fc_acl *acl, const char *what)
{
    char by[FC_AUDIT_TEXT_SIZE];
    char name[FC_AUDIT_TEXT_SIZE];
    char principal[FC_AUDIT_TEXT_SIZE];
    char host[FC_AUDIT_TEXT_SIZE];
    fc_security_note(
        spu->security,
        "ACL %s by=%s permission=%s principal=%s operation=%s resource=%s:%s:%s "
        "host=%s",
        what, fc_security_text(fc_slice_text(fc_connection_principal(request->connection)), by),
        fc_permission_name(acl->permission), fc_security_text(acl->principal, principal),
        fc_operation_name(acl->operation), fc_resource_name(acl->resource),
        fc_pattern_name(acl->pattern), fc_security_text(acl->name, name),
        fc_security_text(acl->host, host));
}

/* --- CreateAcls --- */

static bool is_text(struct fc_slice text, size_t size_max)
{
    return text.data != NULL && text.len > 0 && text.len <= size_max &&
           memchr(text.data, '\0', text.len) == NULL;
}

/* Why there can be no such entry; NULL: there can. */
static const char *check_entry(const struct fc_acl *acl)
{
    if (fc_resource_name(acl->resource) == NULL || fc_pattern_name(acl->pattern) == NULL ||
        fc_operation_name(acl->operation) == NULL ||
        fc_permission_name(acl->permission) == NULL) {
        return "an ACL names one resource type, pattern, operation and permission that are "
               "known "
               "here";
    }
    if (!is_text(acl->name, FC_ACL_NAME_MAX)) {
        return "the resource's name is empty or too long";
    }
    if (!is_text(acl->principal, FC_ACL_PRINCIPAL_MAX) || acl->principal.len < 6 ||
        memcmp(acl->principal.data, "User:", 5) != 0) {
        return "a principal is User: and a name";
    }
    if (!is_text(acl->host, FC_ACL_HOST_MAX)) {
        return "the host is empty or too long";
    }
    if (acl->resource == FC_RESOURCE_CLUSTER &&
        !fc_slice_equal_text(acl->name, FC_ACL_CLUSTER)) {
        return "the only name of a cluster is " FC_ACL_CLUSTER;
    }
    if (!fc_acl_operation_is_for(acl->operation, acl->resource)) {
        return "there is no such operation with resources of this type";
    }
    return NULL;
}

static struct fc_acl entry_of(const struct fc_request *request,
                              const struct fc_msg_create_acls_request_creation *asked)
{
    struct fc_acl acl = { (fc_resource)asked->resource_type,
                          request->api_version < LITERAL_VERSION
                              ? FC_PATTERN_LITERAL
                              : (fc_pattern)asked->resource_pattern_type,
                          asked->resource_name,
                          asked->principal,
                          asked->host,
                          (fc_operation)asked->operation,
                          (fc_permission)asked->permission_type };
    return acl;
}

/* The entries from `first` on, as many as one change takes; gives the first that is left. */
static int32_t create_some(struct fc_spu *spu, struct fc_request *request,
                           const struct fc_msg_create_acls_request *ask, int32_t first,
                           struct fc_msg_create_acls_response *response)
{
    static const uint8_t nothing[1] = { 0 };
    struct changes changes = { .count = 0 };
    struct fc_error err;
    int32_t end = first;
    fc_code code = FC_OK;
    for (; end < ask->creations_count && changes.count < FC_STORE_CHANGES_MAX; end++) {
        struct fc_acl acl = entry_of(request, &ask->creations[end]);
        const char *why = check_entry(&acl);
        if (why != NULL) {
            response->results[end].error_code = FC_KAFKA_INVALID_REQUEST;
            response->results[end].error_message = fc_slice_text(why);
        } else if (!add_change(request, &changes, &acl, fc_slice_of(nothing, 0))) {
            return -1;
        }
    }
    if (changes.count > 0) {
        code = fc_store_apply(fc_security_store(spu->security), changes.items, changes.count,
                              NULL, &err);
    }
    for (int32_t index = first; index < end; index++) {
        struct fc_msg_create_acls_response_result *result = &response->results[index];
        struct fc_acl acl = entry_of(request, &ask->creations[index]);
        if (result->error_code == FC_KAFKA_NONE && code != FC_OK) {
            result->error_code = (int16_t)fc_kafka_error_of(code);
            result->error_message = fc_answer_message(request, &err);
        } else if (result->error_code == FC_KAFKA_NONE) {
            audit_change(spu, request, &acl, "created");
        }
    }
    return end;
}

void fc_handle_create_acls(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    const struct fc_msg_create_acls_request *ask = message;
    struct fc_msg_create_acls_response response;
    fc_kafka_error error = check_access(spu, request, FC_OPERATION_ALTER);
    int32_t next = 0;
    fc_wire_init(&fc_msg_create_acls_response_type, &response);
    response.results_count = ask->creations_count;
    response.results = fc_wire_array(&request->arena, &fc_msg_create_acls_response_result_type,
                                     ask->creations_count);
    if (response.results == NULL) {
        next = -1;
    }
    for (int32_t index = 0; next == 0 && error != FC_KAFKA_NONE && index < ask->creations_count;
         index++) {
        response.results[index].error_code = (int16_t)error;
        response.results[index].error_message = refusal(error);
    }
    while (error == FC_KAFKA_NONE && next >= 0 && next < ask->creations_count) {
        next = create_some(spu, request, ask, next, &response);
    }
    if (next >= 0) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}

/* --- DeleteAcls --- */

static bool find_matching(struct fc_spu *spu, struct fc_request *request,
                          const struct fc_acl_filter *filter,
                          struct fc_msg_delete_acls_response_filter_result *out)
{
    struct fc_arena *arena = &request->arena;
    const struct fc_acls *acls = fc_security_hold_acls(spu->security);
    int32_t count = 0;
    for (size_t index = 0; index < fc_acls_count(acls); index++) {
        count += fc_acl_fits(fc_acls_at(acls, index), filter) ? 1 : 0;
    }
    out->matching_acls =
        fc_wire_array(arena, &fc_msg_delete_acls_response_matching_acl_type, count);
    for (size_t index = 0; out->matching_acls != NULL && index < fc_acls_count(acls); index++) {
        const struct fc_acl *acl = fc_acls_at(acls, index);
        if (fc_acl_fits(acl, filter)) {
            struct fc_msg_delete_acls_response_matching_acl *found =
                &out->matching_acls[out->matching_acls_count++];
            found->resource_type = (int8_t)acl->resource;
            found->pattern_type = (int8_t)acl->pattern;
            found->resource_name = fc_arena_copy(arena, acl->name);
            found->principal = fc_arena_copy(arena, acl->principal);
            found->host = fc_arena_copy(arena, acl->host);
            found->operation = (int8_t)acl->operation;
            found->permission_type = (int8_t)acl->permission;
        }
    }
    fc_security_let_go(spu->security);
    return !arena->failed;
}

/* What was found is removed; whoever made it again meanwhile has it. */
static bool remove_found(struct fc_spu *spu, struct fc_request *request,
                         struct fc_msg_delete_acls_response_filter_result *out)
{
    int32_t next = 0;
    while (next < out->matching_acls_count) {
        struct changes changes = { .count = 0 };
        struct fc_error err;
        int32_t first = next;
        fc_code code;
        for (; next < out->matching_acls_count && changes.count < FC_STORE_CHANGES_MAX;
             next++) {
            const struct fc_msg_delete_acls_response_matching_acl *found =
                &out->matching_acls[next];
            struct fc_acl acl = { (fc_resource)found->resource_type,
                                  (fc_pattern)found->pattern_type,
                                  found->resource_name,
                                  found->principal,
                                  found->host,
                                  (fc_operation)found->operation,
                                  (fc_permission)found->permission_type };
            if (!add_change(request, &changes, &acl, fc_slice_null())) {
                return false;
            }
            audit_change(spu, request, &acl, "deleted");
        }
        code = fc_store_apply(fc_security_store(spu->security), changes.items, changes.count,
                              NULL, &err);
        for (int32_t index = first; code != FC_OK && index < next; index++) {
            out->matching_acls[index].error_code = (int16_t)fc_kafka_error_of(code);
            out->matching_acls[index].error_message = fc_answer_message(request, &err);
        }
    }
    return true;
}

static bool delete_some(struct fc_spu *spu, struct fc_request *request,
                        const struct fc_msg_delete_acls_request_filter *asked,
                        struct fc_msg_delete_acls_response_filter_result *out)
{
    struct fc_acl_filter filter = {
        .resource = (fc_resource)asked->resource_type_filter,
        .pattern = request->api_version < LITERAL_VERSION
                       ? FC_PATTERN_LITERAL
                       : (fc_pattern)asked->pattern_type_filter,
        .name = asked->resource_name_filter,
        .principal = asked->principal_filter,
        .host = asked->host_filter,
        .operation = (fc_operation)asked->operation,
        .permission = (fc_permission)asked->permission_type,
    };
    if (!filter_is_good(&filter)) {
        out->error_code = FC_KAFKA_INVALID_REQUEST;
        return true;
    }
    return find_matching(spu, request, &filter, out) && remove_found(spu, request, out);
}

void fc_handle_delete_acls(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    const struct fc_msg_delete_acls_request *ask = message;
    struct fc_msg_delete_acls_response response;
    fc_kafka_error error = check_access(spu, request, FC_OPERATION_ALTER);
    bool fits;
    fc_wire_init(&fc_msg_delete_acls_response_type, &response);
    response.filter_results_count = ask->filters_count;
    response.filter_results = fc_wire_array(
        &request->arena, &fc_msg_delete_acls_response_filter_result_type, ask->filters_count);
    fits = response.filter_results != NULL;
    for (int32_t index = 0; fits && index < ask->filters_count; index++) {
        struct fc_msg_delete_acls_response_filter_result *out = &response.filter_results[index];
        if (error != FC_KAFKA_NONE) {
            out->error_code = (int16_t)error;
            out->error_message = refusal(error);
        } else {
            fits = delete_some(spu, request, &ask->filters[index], out);
        }
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}
