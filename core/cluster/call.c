/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cluster/call.h"

bool fc_cluster_is_transient(rd_kafka_resp_err_t answer)
{
    switch ((int)answer) {
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__RETRY:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS:
    case RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
        return true;
    default:
        return false;
    }
}

fc_code fc_cluster_fail(rd_kafka_resp_err_t answer, const char *words, const char *doing,
                        struct fc_error *err)
{
    const char *text = words == NULL || *words == '\0' ? rd_kafka_err2str(answer) : words;
    if (fc_cluster_is_transient(answer)) {
        return fc_fail_retriable(err, FC_ERR_TIMEOUT, "Kafka: %s: %s", doing, text);
    }
    switch ((int)answer) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return fc_fail(err, FC_ERR_NOT_FOUND, "Kafka: %s: %s", doing, text);
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
        return fc_fail(err, FC_ERR_CORRUPT, "Kafka: %s: %s", doing, text);
    default:
        return fc_fail(err, FC_ERR_CONFIG, "Kafka: %s: %s", doing, text);
    }
}

void fc_cluster_begin(struct fc_cluster_call *call, rd_kafka_t *handle,
                      rd_kafka_admin_op_t kind)
{
    char ignored[FC_CLUSTER_TEXT_SIZE];
    call->event = NULL;
    call->queue = rd_kafka_queue_new(handle);
    call->options = rd_kafka_AdminOptions_new(handle, kind);
    /* only fails outside librdkafka's range */
    (void)rd_kafka_AdminOptions_set_request_timeout(call->options, FC_CLUSTER_CALL_MS, ignored,
                                                    sizeof(ignored));
}

rd_kafka_resp_err_t fc_cluster_answer(struct fc_cluster_call *call, const char **out_words)
{
    call->event = rd_kafka_queue_poll(call->queue, FC_CLUSTER_ADMIN_MS);
    if (call->event == NULL) {
        *out_words = NULL;
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    *out_words = rd_kafka_event_error_string(call->event);
    return rd_kafka_event_error(call->event);
}

fc_code fc_cluster_wait(struct fc_cluster_call *call, const char *doing, struct fc_error *err)
{
    const char *words = NULL;
    rd_kafka_resp_err_t answer = fc_cluster_answer(call, &words);
    return answer == RD_KAFKA_RESP_ERR_NO_ERROR ? FC_OK
                                                : fc_cluster_fail(answer, words, doing, err);
}

void fc_cluster_end(struct fc_cluster_call *call)
{
    if (call->event != NULL) {
        rd_kafka_event_destroy(call->event);
    }
    rd_kafka_AdminOptions_destroy(call->options);
    rd_kafka_queue_destroy(call->queue);
}
