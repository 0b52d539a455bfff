/* SPDX-License-Identifier: Apache-2.0 */
/* From a request's bytes to its handler. */
#include "core/spu/dispatch.h"

#include "core/spu/handlers.h"
#include "core/spu/quotas.h"
#include "core/spu/sasl.h"

struct route {
    int16_t key;
    fc_handler handler;
    bool slow; /* waits for the disk: not on the loop's thread */
    bool open; /* served before authentication */
};

static const struct route ROUTES[] = {
    { 0, fc_handle_produce, false, false },
    { 1, fc_handle_fetch, false, false },
    { 2, fc_handle_list_offsets, false, false },
    { 3, fc_handle_metadata, false, false },
    { 8, fc_handle_offset_commit, false, false },
    { 9, fc_handle_offset_fetch, false, false },
    { 10, fc_handle_find_coordinator, false, false },
    { 11, fc_handle_join_group, false, false },
    { 12, fc_handle_heartbeat, false, false },
    { 13, fc_handle_leave_group, false, false },
    { 14, fc_handle_sync_group, false, false },
    { 15, fc_handle_describe_groups, false, false },
    { 16, fc_handle_list_groups, false, false },
    { 17, fc_handle_sasl_handshake, false, true },
    { 18, fc_handle_api_versions, false, true },
    { 19, fc_handle_create_topics, true, false },
    { 20, fc_handle_delete_topics, true, false },
    { 21, fc_handle_delete_records, true, false },
    { 22, fc_handle_init_producer_id, true, false },
    { 23, fc_handle_offset_for_leader_epoch, false, false },
    { 24, fc_handle_add_partitions_to_txn, false, false },
    { 25, fc_handle_add_offsets_to_txn, true, false },
    { 26, fc_handle_end_txn, false, false },
    { 27, fc_handle_write_txn_markers, true, false },
    { 28, fc_handle_txn_offset_commit, true, false },
    { 29, fc_handle_describe_acls, false, false },
    { 30, fc_handle_create_acls, true, false },
    { 31, fc_handle_delete_acls, true, false },
    { 32, fc_handle_describe_configs, false, false },
    { 33, fc_handle_alter_configs, true, false },
    { 34, fc_handle_alter_replica_log_dirs, false, false },
    { 35, fc_handle_describe_log_dirs, true, false },
    { 36, fc_handle_sasl_authenticate, false, true },
    { 37, fc_handle_create_partitions, true, false },
    { 42, fc_handle_delete_groups, true, false },
    { 43, fc_handle_elect_leaders, false, false },
    { 44, fc_handle_incremental_alter_configs, true, false },
    { 45, fc_handle_alter_partition_reassignments, false, false },
    { 46, fc_handle_list_partition_reassignments, false, false },
    { 47, fc_handle_offset_delete, true, false },
    { 48, fc_handle_describe_client_quotas, true, false },
    { 49, fc_handle_alter_client_quotas, true, false },
    { 50, fc_handle_describe_user_scram_credentials, true, false },
    { 51, fc_handle_alter_user_scram_credentials, true, false },
    { 55, fc_handle_describe_quorum, false, false },
    { 57, fc_handle_update_features, false, false },
    { 60, fc_handle_describe_cluster, false, false },
    { 61, fc_handle_describe_producers, false, false },
    { 65, fc_handle_describe_transactions, false, false },
    { 66, fc_handle_list_transactions, false, false },
    { 74, fc_handle_list_config_resources, false, false },
    { 75, fc_handle_describe_topic_partitions, false, false },
};

static const struct route *route_of(int16_t key)
{
    for (size_t index = 0; index < sizeof(ROUTES) / sizeof(ROUTES[0]); index++) {
        if (ROUTES[index].key == key) {
            return &ROUTES[index];
        }
    }
    return NULL;
}

bool fc_dispatch_serves(int16_t api_key)
{
    return route_of(api_key) != NULL;
}

/* A request that is on its way to the thread for slow ones; in the request's arena. */
struct slow_request {
    struct fc_task task;
    struct fc_spu *spu;
    struct fc_request *request;
    fc_handler handler;
    const void *message;
};

static void run_slow(void *ctx)
{
    struct slow_request *slow = ctx;
    fc_quota_run(slow->spu, slow->request, slow->handler, slow->message);
}

void fc_dispatch_slowly(struct fc_spu *spu, struct fc_request *request, fc_handler handler,
                        const void *message)
{
    struct slow_request *slow = fc_arena_alloc(&request->arena, sizeof(*slow));
    if (slow == NULL) {
        fc_answer_too_large(request);
        return;
    }
    slow->task.on_run = run_slow;
    slow->task.ctx = slow;
    slow->spu = spu;
    slow->request = request;
    slow->handler = handler;
    slow->message = message;
    fc_task_queue_add(spu->slow, &slow->task);
}

static void drop(struct fc_request *request, const char *name, const char *why)
{
    struct fc_error err;
    (void)fc_fail(&err, FC_ERR_PROTOCOL, "%s version %d %s", name, request->api_version, why);
    fc_request_drop(request, err.message);
}

void fc_dispatch(void *ctx, struct fc_request *request)
{
    struct fc_spu *spu = ctx;
    const struct fc_wire_api *api = fc_wire_api(request->api_key);
    const struct route *route = route_of(request->api_key);
    struct fc_error err;
    struct fc_reader reader;
    void *message;
    if (request->bare) {
        fc_sasl_on_token(spu, request);
        return;
    }
    if (api == NULL || route == NULL) {
        (void)fc_fail(&err, FC_ERR_PROTOCOL, "API key %d is not served here", request->api_key);
        fc_request_drop(request, err.message);
        return;
    }
    if (!route->open && fc_connection_principal(request->connection) == NULL) {
        drop(request, api->name, "before authentication");
        return;
    }
    if (!route->open && fc_sasl_is_over(request)) {
        drop(request, api->name, "after the session's time: it was not authenticated again");
        return;
    }
    if (!fc_wire_api_has(api, request->api_version)) {
        if (request->api_key == FC_API_VERSIONS_KEY) {
            fc_handle_api_versions(spu, request, NULL);
        } else {
            drop(request, api->name, "is not served here");
        }
        return;
    }
    message = fc_arena_alloc(&request->arena, api->request->size);
    if (message == NULL) {
        fc_answer_too_large(request);
        return;
    }
    /* What follows the message is passed over, as Kafka does: librdkafka 2.0 appends bytes to
     * some of its admin requests. */
    fc_reader_init(&reader, fc_slice_of(request->body, request->body_len));
    if (fc_wire_decode_from(api->request, request->api_version, &reader, &request->arena,
                            message, &err) != FC_OK) {
        (void)fc_wrap(&err, "%s version %d", api->name, request->api_version);
        fc_request_drop(request, err.message);
        return;
    }
    if (route->slow) {
        fc_dispatch_slowly(spu, request, route->handler, message);
    } else {
        fc_quota_run(spu, request, route->handler, message);
    }
}
