/* SPDX-License-Identifier: Apache-2.0 */
/* What administrators ask about transactions and producers: DescribeTransactions,
 * ListTransactions, DescribeProducers. */
#include <stdlib.h>

#include "core/log/wire_append.h"
#include "core/spu/access.h"
#include "core/spu/client_pattern.h"
#include "core/spu/handlers.h"
#include "core/spu/txns.h"

/* --- DescribeTransactions --- */

/* Under the lock. */
static bool
describe_partitions(struct fc_request *request, const struct fc_txn *txn,
                    struct fc_msg_describe_transactions_response_transaction_state *out)
{
    out->topics =
        fc_wire_array(&request->arena, &fc_msg_describe_transactions_response_topic_type,
                      txn->partitions_count);
    if (out->topics == NULL) {
        return false;
    }
    for (int32_t index = 0; index < txn->partitions_count; index++) {
        const struct fc_txn_partition *from = &txn->partitions[index];
        struct fc_msg_describe_transactions_response_topic *topic = NULL;
        for (int32_t which = 0; topic == NULL && which < out->topics_count; which++) {
            topic = fc_slice_equal(out->topics[which].topic, from->topic) ? &out->topics[which]
                                                                          : NULL;
        }
        if (topic == NULL) {
            topic = &out->topics[out->topics_count++];
            topic->topic = fc_arena_copy(&request->arena, from->topic);
            topic->partitions =
                fc_wire_array(&request->arena, &fc_wire_int32_type, txn->partitions_count);
            if (topic->topic.data == NULL || topic->partitions == NULL) {
                return false;
            }
        }
        topic->partitions[topic->partitions_count++] = from->partition;
    }
    return true;
}

static bool describe_txn(struct fc_spu *spu, struct fc_request *request, struct fc_slice id,
                         struct fc_msg_describe_transactions_response_transaction_state *out)
{
    const struct fc_txn *txn;
    bool fits = true;
    out->transactional_id = id;
    out->transaction_state = fc_slice_text("");
    if (!fc_access_may(spu, request, FC_OPERATION_DESCRIBE, FC_RESOURCE_TRANSACTIONAL_ID, id)) {
        out->error_code = FC_KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
        return true;
    }
    fc_txns_lock(spu->txns);
    txn = fc_txns_find(spu->txns, id);
    if (txn == NULL) {
        out->error_code = FC_KAFKA_TRANSACTIONAL_ID_NOT_FOUND;
    } else {
        out->transaction_state = fc_slice_text(fc_txn_state_name(txn->state));
        out->transaction_timeout_ms = txn->timeout_ms;
        out->transaction_start_time_ms = txn->start_ms;
        out->producer_id = txn->producer_id;
        out->producer_epoch = txn->epoch;
        fits = describe_partitions(request, txn, out);
    }
    fc_txns_unlock(spu->txns);
    return fits;
}

void fc_handle_describe_transactions(struct fc_spu *spu, struct fc_request *request,
                                     const void *message)
{
    const struct fc_msg_describe_transactions_request *ask = message;
    struct fc_msg_describe_transactions_response response;
    bool fits;
    fc_wire_init(&fc_msg_describe_transactions_response_type, &response);
    response.transaction_states = fc_wire_array(
        &request->arena, &fc_msg_describe_transactions_response_transaction_state_type,
        ask->transactional_ids_count);
    fits = response.transaction_states != NULL;
    for (int32_t index = 0; fits && index < ask->transactional_ids_count; index++) {
        fits = describe_txn(spu, request, ask->transactional_ids[index],
                            &response.transaction_states[response.transaction_states_count++]);
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}

/* --- ListTransactions --- */

static bool has_state(const struct fc_msg_list_transactions_request *ask, const char *state)
{
    bool found = ask->state_filters_count <= 0;
    for (int32_t index = 0; !found && index < ask->state_filters_count; index++) {
        found = fc_slice_equal_text(ask->state_filters[index], state);
    }
    return found;
}

/* The expression is last: only ids that the client may see have it at work. */
static bool is_listed(struct fc_spu *spu, struct fc_request *request,
                      const struct fc_msg_list_transactions_request *ask,
                      struct fc_client_pattern *pattern, const struct fc_txn *txn)
{
    bool found = ask->producer_id_filters_count <= 0;
    int64_t now_ms = fc_txns_now_ms(spu->txns);
    for (int32_t index = 0; !found && index < ask->producer_id_filters_count; index++) {
        found = ask->producer_id_filters[index] == txn->producer_id;
    }
    if (!found || !has_state(ask, fc_txn_state_name(txn->state)) ||
        (ask->duration_filter >= 0 &&
         (txn->start_ms < 0 || now_ms - txn->start_ms < ask->duration_filter))) {
        return false;
    }
    return fc_access_sees(spu, request, FC_OPERATION_DESCRIBE, FC_RESOURCE_TRANSACTIONAL_ID,
                          txn->id) &&
           (pattern == NULL || fc_client_pattern_matches(pattern, txn->id));
}

/* Under the lock. */
static bool list(struct fc_spu *spu, struct fc_request *request,
                 const struct fc_msg_list_transactions_request *ask,
                 struct fc_client_pattern *pattern,
                 struct fc_msg_list_transactions_response *response)
{
    struct fc_txn *txn = NULL;
    size_t cursor = 0;
    int32_t count = 0;
    bool fits;
    while (fc_txns_next(spu->txns, &cursor, &txn)) {
        count++;
    }
    response->transaction_states = fc_wire_array(
        &request->arena, &fc_msg_list_transactions_response_transaction_state_type, count);
    fits = response->transaction_states != NULL;
    cursor = 0;
    while (fits && fc_txns_next(spu->txns, &cursor, &txn)) {
        if (is_listed(spu, request, ask, pattern, txn)) {
            struct fc_msg_list_transactions_response_transaction_state *out =
                &response->transaction_states[response->transaction_states_count++];
            out->transactional_id = fc_arena_copy(&request->arena, txn->id);
            out->producer_id = txn->producer_id;
            out->transaction_state = fc_slice_text(fc_txn_state_name(txn->state));
            fits = out->transactional_id.data != NULL;
        }
    }
    return fits;
}

static bool is_state(struct fc_slice text)
{
    bool known = false;
    for (int state = FC_TXN_EMPTY; !known && state <= FC_TXN_COMPLETE_ABORT; state++) {
        known = fc_slice_equal_text(text, fc_txn_state_name((fc_txn_state)state));
    }
    return known;
}

void fc_handle_list_transactions(struct fc_spu *spu, struct fc_request *request,
                                 const void *message)
{
    const struct fc_msg_list_transactions_request *ask = message;
    struct fc_msg_list_transactions_response response;
    bool has_pattern = ask->transactional_id_pattern.len > 0;
    struct fc_client_pattern *pattern = NULL;
    bool fits;
    fc_wire_init(&fc_msg_list_transactions_response_type, &response);
    response.unknown_state_filters =
        fc_wire_array(&request->arena, &fc_wire_string_type, ask->state_filters_count);
    fits = response.unknown_state_filters != NULL;
    for (int32_t index = 0; fits && index < ask->state_filters_count; index++) {
        if (!is_state(ask->state_filters[index])) {
            response.unknown_state_filters[response.unknown_state_filters_count++] =
                ask->state_filters[index];
        }
    }
    if (has_pattern) {
        const char *text = fc_request_name(request, ask->transactional_id_pattern);
        pattern = text == NULL ? NULL : fc_client_pattern_new(text);
    }
    if (has_pattern && pattern == NULL) {
        response.error_code = FC_KAFKA_INVALID_REGULAR_EXPRESSION;
        fc_answer(request, &response);
        return;
    }
    fc_txns_lock(spu->txns);
    fits = fits && list(spu, request, ask, pattern, &response);
    fc_txns_unlock(spu->txns);
    fc_client_pattern_free(pattern);
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}

/* --- DescribeProducers --- */

static bool describe_producers(struct fc_request *request, struct fc_partition *partition,
                               struct fc_msg_describe_producers_response_partition *out)
{
    struct fc_producer *producers = NULL;
    size_t count = 0;
    if (fc_partition_producers(partition, &producers, &count, NULL) != FC_OK) {
        out->error_code = FC_KAFKA_KAFKA_STORAGE_ERROR;
        return true;
    }
    out->active_producers =
        fc_wire_array(&request->arena, &fc_msg_describe_producers_response_active_producer_type,
                      (int32_t)count);
    out->active_producers_count = out->active_producers == NULL ? 0 : (int32_t)count;
    for (int32_t index = 0; index < out->active_producers_count; index++) {
        struct fc_msg_describe_producers_response_active_producer *to =
            &out->active_producers[index];
        to->producer_id = producers[index].id;
        to->producer_epoch = producers[index].epoch;
        to->last_sequence = producers[index].last_sequence;
        to->last_timestamp = producers[index].last_seen_ms;
        to->coordinator_epoch = producers[index].coordinator_epoch;
        to->current_txn_start_offset = producers[index].transaction_offset;
    }
    free(producers);
    return out->active_producers != NULL;
}

static bool describe_partition(struct fc_spu *spu, struct fc_request *request,
                               struct fc_slice name, int32_t index,
                               struct fc_msg_describe_producers_response_partition *out)
{
    struct fc_log_topic *topic = NULL;
    struct fc_partition *partition = NULL;
    fc_kafka_error error = FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    bool fits = true;
    out->partition_index = index;
    if (fc_access_may(spu, request, FC_OPERATION_READ, FC_RESOURCE_TOPIC, name)) {
        error = fc_spu_topic(spu, request, name, (struct fc_uuid){ { 0 } }, &topic);
    }
    if (error == FC_KAFKA_NONE) {
        error = index < 0 ? FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION
                          : fc_kafka_error_of(fc_log_topic_partition(topic, (uint32_t)index,
                                                                     &partition, NULL));
    }
    out->error_code = (int16_t)error;
    if (error == FC_KAFKA_NONE) {
        fits = describe_producers(request, partition, out);
    }
    fc_log_topic_unref(topic);
    return fits;
}

void fc_handle_describe_producers(struct fc_spu *spu, struct fc_request *request,
                                  const void *message)
{
    const struct fc_msg_describe_producers_request *ask = message;
    struct fc_msg_describe_producers_response response;
    bool fits;
    fc_wire_init(&fc_msg_describe_producers_response_type, &response);
    response.topics_count = ask->topics_count;
    response.topics = fc_wire_array(
        &request->arena, &fc_msg_describe_producers_response_topic_type, ask->topics_count);
    fits = response.topics != NULL;
    for (int32_t index = 0; fits && index < ask->topics_count; index++) {
        const struct fc_msg_describe_producers_request_topic *topic = &ask->topics[index];
        struct fc_msg_describe_producers_response_topic *out = &response.topics[index];
        out->name = topic->name;
        out->partitions =
            fc_wire_array(&request->arena, &fc_msg_describe_producers_response_partition_type,
                          topic->partition_indexes_count);
        fits = out->partitions != NULL;
        out->partitions_count = fits ? topic->partition_indexes_count : 0;
        for (int32_t which = 0; fits && which < out->partitions_count; which++) {
            fits = describe_partition(spu, request, topic->name,
                                      topic->partition_indexes[which], &out->partitions[which]);
        }
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}
