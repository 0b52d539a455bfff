/* SPDX-License-Identifier: Apache-2.0 */
/* From a request's bytes to its handler. */
#include "core/spu/dispatch.h"

#include "core/spu/handlers.h"
#include "core/spu/quotas.h"
#include "core/spu/sasl.h"

struct route {
    int16_t key;
    bool slow; /* waits for the disk: not on the loop's thread */
    bool open; /* served before authentication */
    fc_handler handler;
};

static const struct route ROUTES[] = {
    { 0, false, false, fc_handle_produce },
    { 1, false, false, fc_handle_fetch },
    { 2, false, false, fc_handle_list_offsets },
    { 3, false, false, fc_handle_metadata },
    { 8, false, false, fc_handle_offset_commit },
    { 9, false, false, fc_handle_offset_fetch },
    { 10, false, false, fc_handle_find_coordinator },
    { 11, false, false, fc_handle_join_group },
    { 12, false, false, fc_handle_heartbeat },
    { 13, false, false, fc_handle_leave_group },
    { 14, false, false, fc_handle_sync_group },
    { 15, false, false, fc_handle_describe_groups },
    { 16, false, false, fc_handle_list_groups },
    { 17, false, true, fc_handle_sasl_handshake },
    { 18, false, true, fc_handle_api_versions },
    { 19, true, false, fc_handle_create_topics },
    { 20, true, false, fc_handle_delete_topics },
    { 21, true, false, fc_handle_delete_records },
    { 22, true, false, fc_handle_init_producer_id },
    { 23, false, false, fc_handle_offset_for_leader_epoch },
    { 24, false, false, fc_handle_add_partitions_to_txn },
    { 25, true, false, fc_handle_add_offsets_to_txn },
    { 26, false, false, fc_handle_end_txn },
    { 27, true, false, fc_handle_write_txn_markers },
    { 28, true, false, fc_handle_txn_offset_commit },
    { 29, false, false, fc_handle_describe_acls },
    { 30, true, false, fc_handle_create_acls },
    { 31, true, false, fc_handle_delete_acls },
    { 32, false, false, fc_handle_describe_configs },
    { 33, true, false, fc_handle_alter_configs },
    { 34, false, false, fc_handle_alter_replica_log_dirs },
    { 35, true, false, fc_handle_describe_log_dirs },
    { 36, false, true, fc_handle_sasl_authenticate },
    { 37, true, false, fc_handle_create_partitions },
    { 42, true, false, fc_handle_delete_groups },
    { 43, false, false, fc_handle_elect_leaders },
    { 44, true, false, fc_handle_incremental_alter_configs },
    { 45, false, false, fc_handle_alter_partition_reassignments },
    { 46, false, false, fc_handle_list_partition_reassignments },
    { 47, true, false, fc_handle_offset_delete },
    { 48, true, false, fc_handle_describe_client_quotas },
    { 49, true, false, fc_handle_alter_client_quotas },
    { 50, true, false, fc_handle_describe_user_scram_credentials },
    { 51, true, false, fc_handle_alter_user_scram_credentials },
    { 55, false, false, fc_handle_describe_quorum },
    { 57, false, false, fc_handle_update_features },
    { 60, false, false, fc_handle_describe_cluster },
    { 61, false, false, fc_handle_describe_producers },
    { 65, false, false, fc_handle_describe_transactions },
    { 66, false, false, fc_handle_list_transactions },
    { 74, false, false, fc_handle_list_config_resources },
    { 75, false, false, fc_handle_describe_topic_partitions },
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
