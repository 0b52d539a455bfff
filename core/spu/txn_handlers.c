/* SPDX-License-Identifier: Apache-2.0 */
/* What transactional producers send: InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, EndTxn. */
#include "core/spu/access.h"
#include "core/spu/coordinator.h"
#include "core/spu/handlers.h"
#include "core/spu/producer_ids.h"
#include "core/spu/task_queue.h"
#include "core/spu/txns.h"

/* From these versions on clients know PRODUCER_FENCED. */
enum { INIT_FENCED = 4, ADD_FENCED = 2, END_FENCED = 2, END_BUMPS = 5, ADD_MANY = 4 };

static fc_kafka_error for_version(fc_kafka_error error, bool knows_fenced)
{
    return error == FC_KAFKA_PRODUCER_FENCED && !knows_fenced ? FC_KAFKA_INVALID_PRODUCER_EPOCH
                                                              : error;
}

static bool may_write(struct fc_spu *spu, struct fc_request *request, struct fc_slice id)
{
    return fc_access_may(spu, request, FC_OPERATION_WRITE, FC_RESOURCE_TRANSACTIONAL_ID, id);
}

/* --- InitProducerId --- */

static void answer_init(struct fc_request *request, fc_kafka_error error,
                        const struct fc_txn_producer *producer)
{
    struct fc_msg_init_producer_id_response response;
    fc_wire_init(&fc_msg_init_producer_id_response_type, &response);
    response.error_code = (int16_t)for_version(error, request->api_version >= INIT_FENCED);
    response.producer_id = error == FC_KAFKA_NONE ? producer->id : -1;
    response.producer_epoch = error == FC_KAFKA_NONE ? producer->epoch : -1;
    fc_answer(request, &response);
}

/* An idempotent producer without transactions: every one gets an id of its own. */
static void init_idempotent(struct fc_spu *spu, struct fc_request *request)
{
    struct fc_txn_producer producer = { -1, 0 };
    fc_kafka_error error = FC_KAFKA_NONE;
    if (!fc_access_may_any(spu, request, FC_OPERATION_WRITE, FC_RESOURCE_TOPIC) &&
        !fc_access_may_cluster(spu, request, FC_OPERATION_IDEMPOTENT_WRITE)) {
        error = FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED;
    } else if (fc_producer_ids_take(spu->producer_ids, &producer.id, NULL) != FC_OK) {
        error = FC_KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    answer_init(request, error, &producer);
}

/* Answered once what it says is durable. */
struct init {
    struct fc_spu *spu;
    struct fc_request *request;
    struct fc_slice id;
    struct fc_txns_inited inited;
    struct fc_task ack;
};

static void on_init_durable(void *ctx)
{
    struct init *init = ctx;
    bool durable = fc_txns_is_durable(init->spu->txns, init->id, init->inited.log_offset);
    answer_init(init->request, durable ? FC_KAFKA_NONE : FC_KAFKA_COORDINATOR_NOT_AVAILABLE,
                &init->inited.producer);
}

static void init_transactional(struct fc_spu *spu, struct fc_request *request,
                               const struct fc_msg_init_producer_id_request *ask)
{
    struct init *init = fc_arena_alloc(&request->arena, sizeof(*init));
    struct fc_txns_init what = { ask->transactional_id,
                                 { ask->producer_id, ask->producer_epoch },
                                 ask->transaction_timeout_ms,
                                 -1 };
    fc_txn_step step = FC_TXN_STEP_NEW_ID;
    fc_kafka_error error = FC_KAFKA_NONE;
    if (init == NULL) {
        fc_answer_too_large(request);
        return;
    }
    memset(init, 0, sizeof(*init));
    init->spu = spu;
    init->request = request;
    init->id = ask->transactional_id;
    for (int turn = 0; turn < 2 && step == FC_TXN_STEP_NEW_ID; turn++) {
        if (turn == 1 &&
            fc_producer_ids_take(spu->producer_ids, &what.fresh_id, NULL) != FC_OK) {
            error = FC_KAFKA_COORDINATOR_NOT_AVAILABLE;
            break;
        }
        error = fc_txns_init(spu->txns, &what, &init->inited, &step);
    }
    if (error == FC_KAFKA_NONE) {
        init->ack.on_run = on_init_durable;
        init->ack.ctx = init;
        fc_task_queue_add(spu->acks, &init->ack);
    } else {
        answer_init(request, error, &init->inited.producer);
    }
}

void fc_handle_init_producer_id(struct fc_spu *spu, struct fc_request *request,
                                const void *message)
{
    const struct fc_msg_init_producer_id_request *ask = message;
    struct fc_txn_producer nobody = { -1, -1 };
    if (ask->transactional_id.data == NULL) {
        init_idempotent(spu, request);
    } else if (ask->transactional_id.len == 0) {
        answer_init(request, FC_KAFKA_INVALID_REQUEST, &nobody);
    } else if (!may_write(spu, request, ask->transactional_id)) {
        answer_init(request, FC_KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, &nobody);
    } else if (ask->transaction_timeout_ms <= 0 ||
               ask->transaction_timeout_ms > spu->config.transaction_timeout_max_ms) {
        answer_init(request, FC_KAFKA_INVALID_TRANSACTION_TIMEOUT, &nobody);
    } else if (fc_txns_make_ready(spu->txns, NULL) != FC_OK) {
        answer_init(request, FC_KAFKA_COORDINATOR_NOT_AVAILABLE, &nobody);
    } else {
        init_transactional(spu, request, ask);
    }
}

/* --- AddPartitionsToTxn --- */

static fc_kafka_error check_partition(struct fc_spu *spu, struct fc_request *request,
                                      struct fc_slice name, int32_t partition)
{
    struct fc_log_topic *topic = NULL;
    fc_kafka_error error;
    if (!fc_access_may(spu, request, FC_OPERATION_WRITE, FC_RESOURCE_TOPIC, name)) {
        return FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    }
    error = fc_spu_topic(spu, request, name, (struct fc_uuid){ { 0 } }, &topic);
    if (error == FC_KAFKA_NONE &&
        (partition < 0 || (uint32_t)partition >= fc_log_topic_partitions(topic))) {
        error = FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    fc_log_topic_unref(topic);
    return error;
}

/* What a request asks of one transaction. */
struct adding {
    struct fc_slice id;
    struct fc_txn_producer producer;
    bool verify;
    const struct fc_msg_add_partitions_to_txn_request_topic *topics;
    int32_t topics_count;
};

/* Each partition with why it may not be part of a transaction; *out_count: of them. NULL when it does
 * not fit. */
static struct fc_msg_add_partitions_to_txn_response_topic *
check_topics(struct fc_spu *spu, struct fc_request *request, const struct adding *adding,
             int32_t *out_count, bool *out_fine)
{
    struct fc_msg_add_partitions_to_txn_response_topic *out =
        fc_wire_array(&request->arena, &fc_msg_add_partitions_to_txn_response_topic_type,
                      adding->topics_count);
    bool may = may_write(spu, request, adding->id);
    bool fits = out != NULL;
    *out_count = 0;
    *out_fine = may;
    for (int32_t index = 0; fits && index < adding->topics_count; index++) {
        const struct fc_msg_add_partitions_to_txn_request_topic *topic = &adding->topics[index];
        struct fc_msg_add_partitions_to_txn_response_partition *results = fc_wire_array(
            &request->arena, &fc_msg_add_partitions_to_txn_response_partition_type,
            topic->partitions_count);
        fits = results != NULL;
        out[index].name = topic->name;
        out[index].results_by_partition = results;
        out[index].results_by_partition_count = fits ? topic->partitions_count : 0;
        for (int32_t which = 0; which < out[index].results_by_partition_count; which++) {
            fc_kafka_error error =
                may ? check_partition(spu, request, topic->name, topic->partitions[which])
                    : FC_KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
            results[which].partition_index = topic->partitions[which];
            results[which].partition_error_code = (int16_t)error;
            *out_fine = *out_fine && error == FC_KAFKA_NONE;
        }
        *out_count += out[index].results_by_partition_count;
    }
    return fits ? out : NULL;
}

/* False when they do not fit. */
static bool add_checked(struct fc_spu *spu, struct fc_request *request,
                        const struct adding *adding, int32_t count, fc_kafka_error *out_error)
{
    struct fc_txn_partition *partitions =
        fc_arena_alloc(&request->arena, sizeof(struct fc_txn_partition) * ((size_t)count + 1));
    int32_t at = 0;
    if (partitions == NULL) {
        return false;
    }
    for (int32_t index = 0; index < adding->topics_count; index++) {
        const struct fc_msg_add_partitions_to_txn_request_topic *topic = &adding->topics[index];
        for (int32_t which = 0; which < topic->partitions_count; which++) {
            partitions[at++] =
                (struct fc_txn_partition){ topic->name, topic->partitions[which] };
        }
    }
    *out_error = fc_txns_add_all(spu->txns, adding->id, &adding->producer, partitions, count);
    return true;
}

/* One transaction's partitions: all of them, or none when one may not be. */
static struct fc_msg_add_partitions_to_txn_response_topic *
add_topics(struct fc_spu *spu, struct fc_request *request, const struct adding *adding)
{
    fc_kafka_error whole = FC_KAFKA_OPERATION_NOT_ATTEMPTED;
    int32_t count = 0;
    bool fine = false;
    struct fc_msg_add_partitions_to_txn_response_topic *out =
        check_topics(spu, request, adding, &count, &fine);
    if (out == NULL ||
        (fine && !adding->verify && !add_checked(spu, request, adding, count, &whole))) {
        return NULL;
    }
    for (int32_t index = 0; index < adding->topics_count; index++) {
        for (int32_t which = 0; which < out[index].results_by_partition_count; which++) {
            struct fc_msg_add_partitions_to_txn_response_partition *result =
                &out[index].results_by_partition[which];
            fc_kafka_error error = whole;
            if (fine && adding->verify) {
                error = fc_txns_verify(spu->txns, adding->id, &adding->producer,
                                       out[index].name, result->partition_index);
            }
            if (result->partition_error_code == FC_KAFKA_NONE) {
                result->partition_error_code =
                    (int16_t)for_version(error, request->api_version >= ADD_FENCED);
            }
        }
    }
    return out;
}

static bool add_many(struct fc_spu *spu, struct fc_request *request,
                     const struct fc_msg_add_partitions_to_txn_request *ask,
                     struct fc_msg_add_partitions_to_txn_response *response)
{
    response->results_by_transaction =
        fc_wire_array(&request->arena, &fc_msg_add_partitions_to_txn_response_transaction_type,
                      ask->transactions_count);
    if (response->results_by_transaction == NULL) {
        return false;
    }
    response->results_by_transaction_count = ask->transactions_count;
    for (int32_t index = 0; index < ask->transactions_count; index++) {
        const struct fc_msg_add_partitions_to_txn_request_transaction *asked =
            &ask->transactions[index];
        struct adding adding = { asked->transactional_id,
                                 { asked->producer_id, asked->producer_epoch },
                                 asked->verify_only,
                                 asked->topics,
                                 asked->topics_count };
        struct fc_msg_add_partitions_to_txn_response_transaction *out =
            &response->results_by_transaction[index];
        out->transactional_id = asked->transactional_id;
        out->topic_results = add_topics(spu, request, &adding);
        out->topic_results_count = asked->topics_count;
        if (out->topic_results == NULL) {
            return false;
        }
    }
    return true;
}

void fc_handle_add_partitions_to_txn(struct fc_spu *spu, struct fc_request *request,
                                     const void *message)
{
    const struct fc_msg_add_partitions_to_txn_request *ask = message;
    struct fc_msg_add_partitions_to_txn_response response;
    struct adding adding = { ask->v3_and_below_transactional_id,
                             { ask->v3_and_below_producer_id,
                               ask->v3_and_below_producer_epoch },
                             false,
                             ask->v3_and_below_topics,
                             ask->v3_and_below_topics_count };
    bool fits;
    fc_wire_init(&fc_msg_add_partitions_to_txn_response_type, &response);
    if (request->api_version >= ADD_MANY &&
        !fc_access_may_cluster(spu, request, FC_OPERATION_CLUSTER_ACTION)) {
        response.error_code = FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED; /* brokers ask so */
        fits = true;
    } else if (request->api_version >= ADD_MANY) {
        fits = add_many(spu, request, ask, &response);
    } else {
        response.results_by_topic_v3_and_below = add_topics(spu, request, &adding);
        response.results_by_topic_v3_and_below_count = ask->v3_and_below_topics_count;
        fits = response.results_by_topic_v3_and_below != NULL;
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}

/* --- AddOffsetsToTxn: the group's partition of offsets becomes part of the transaction --- */

void fc_handle_add_offsets_to_txn(struct fc_spu *spu, struct fc_request *request,
                                  const void *message)
{
    const struct fc_msg_add_offsets_to_txn_request *ask = message;
    struct fc_txn_producer producer = { ask->producer_id, ask->producer_epoch };
    struct fc_msg_add_offsets_to_txn_response response;
    fc_kafka_error error;
    if (!may_write(spu, request, ask->transactional_id)) {
        error = FC_KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    } else if (!fc_access_may(spu, request, FC_OPERATION_READ, FC_RESOURCE_GROUP,
                              ask->group_id)) {
        error = FC_KAFKA_GROUP_AUTHORIZATION_FAILED;
    } else if (fc_coordinator_make_ready(spu->coordinator, NULL) != FC_OK) {
        error = FC_KAFKA_COORDINATOR_NOT_AVAILABLE;
    } else {
        error = fc_txns_add(spu->txns, ask->transactional_id, &producer,
                            fc_slice_text(FC_OFFSETS_TOPIC),
                            fc_coordinator_partition_of(spu->coordinator, ask->group_id));
    }
    fc_wire_init(&fc_msg_add_offsets_to_txn_response_type, &response);
    response.error_code = (int16_t)for_version(error, request->api_version >= ADD_FENCED);
    fc_answer(request, &response);
}

/* --- EndTxn --- */

struct end {
    struct fc_request *request;
    struct fc_txn_producer producer; /* for the answer */
};

static void answer_end(struct fc_request *request, fc_kafka_error error,
                       const struct fc_txn_producer *producer)
{
    struct fc_msg_end_txn_response response;
    fc_wire_init(&fc_msg_end_txn_response_type, &response);
    response.error_code = (int16_t)for_version(error, request->api_version >= END_FENCED);
    response.producer_id = error == FC_KAFKA_NONE ? producer->id : -1;
    response.producer_epoch = error == FC_KAFKA_NONE ? producer->epoch : -1;
    fc_answer(request, &response);
}

static void on_ended(void *ctx, bool done)
{
    struct end *end = ctx;
    answer_end(end->request, done ? FC_KAFKA_NONE : FC_KAFKA_COORDINATOR_NOT_AVAILABLE,
               &end->producer);
}

static fc_kafka_error end_locked(struct fc_spu *spu, struct end *end,
                                 const struct fc_msg_end_txn_request *ask, int64_t fresh_id,
                                 fc_txn_step *out_step)
{
    struct fc_txn_producer producer = { ask->producer_id, ask->producer_epoch };
    struct fc_txn *txn = fc_txns_find(spu->txns, ask->transactional_id);
    fc_kafka_error error;
    *out_step = FC_TXN_STEP_NONE;
    if (txn == NULL) {
        return FC_KAFKA_INVALID_PRODUCER_ID_MAPPING;
    }
    error = fc_txn_end(txn, &producer, ask->committed, end->request->api_version >= END_BUMPS,
                       fresh_id, fc_txns_now_ms(spu->txns), out_step);
    end->producer.id = txn->producer_id;
    end->producer.epoch = txn->epoch;
    if (*out_step == FC_TXN_STEP_END) {
        fc_txns_carry_out(spu->txns, txn, on_ended, end);
    }
    return error;
}

void fc_handle_end_txn(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    const struct fc_msg_end_txn_request *ask = message;
    struct end *end = fc_arena_alloc(&request->arena, sizeof(*end));
    fc_txn_step step = FC_TXN_STEP_NEW_ID;
    fc_kafka_error error = FC_KAFKA_NONE;
    int64_t fresh_id = -1;
    if (end == NULL) {
        fc_answer_too_large(request);
        return;
    }
    end->request = request;
    if (!may_write(spu, request, ask->transactional_id)) {
        answer_end(request, FC_KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, NULL);
        return;
    }
    for (int turn = 0; turn < 2 && step == FC_TXN_STEP_NEW_ID; turn++) {
        if (turn == 1 && fc_producer_ids_take(spu->producer_ids, &fresh_id, NULL) != FC_OK) {
            error = FC_KAFKA_COORDINATOR_NOT_AVAILABLE;
            break;
        }
        fc_txns_lock(spu->txns);
        error = end_locked(spu, end, ask, fresh_id, &step);
        fc_txns_unlock(spu->txns);
    }
    if (step != FC_TXN_STEP_END || error != FC_KAFKA_NONE) {
        answer_end(request, error, &end->producer);
    }
}
