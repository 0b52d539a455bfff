/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/produce_check.h"

#include "core/log/batch.h"
#include "core/spu/txns.h"

/* From this version on the batch itself makes its partition part of the transaction (KIP-890). */
enum { ADDS_ITSELF = 12, KNOWS_ABORTABLE = 11 };

static fc_kafka_error not_part(const struct fc_request *request, fc_kafka_error error)
{
    if (error == FC_KAFKA_PRODUCER_FENCED) {
        return FC_KAFKA_INVALID_PRODUCER_EPOCH; /* of a batch it always was that */
    }
    return error == FC_KAFKA_INVALID_TXN_STATE && request->api_version >= KNOWS_ABORTABLE
               ? FC_KAFKA_TRANSACTION_ABORTABLE
               : error;
}

/* The transaction is open here already; clients try both errors again. */
static fc_kafka_error go_on(struct fc_spu *spu, const struct fc_request *request,
                            const struct fc_txn_producer *producer, struct fc_slice topic,
                            int32_t partition)
{
    if (fc_txns_may_go_on(spu->txns, producer, topic, partition)) {
        return FC_KAFKA_NONE;
    }
    return request->api_version >= ADDS_ITSELF ? FC_KAFKA_CONCURRENT_TRANSACTIONS
                                               : FC_KAFKA_NOT_ENOUGH_REPLICAS;
}

fc_kafka_error fc_produce_check(struct fc_spu *spu, struct fc_request *request,
                                const struct fc_msg_produce_request *ask,
                                struct fc_log_topic *topic, struct fc_partition *partition,
                                const struct fc_msg_produce_request_partition *asked,
                                struct fc_append_rules *rules)
{
    struct fc_slice name = fc_slice_text(fc_log_topic_name(topic));
    struct fc_batch_header header;
    struct fc_txn_producer producer;
    fc_kafka_error error;
    rules->guard = 0;
    if (asked->records.len < FC_BATCH_HEADER_SIZE) {
        return FC_KAFKA_NONE; /* the log says what is wrong with it */
    }
    fc_batch_header_decode(asked->records.data, &header);
    if ((header.attributes & FC_BATCH_TRANSACTIONAL) == 0) {
        return FC_KAFKA_NONE;
    }
    if (ask->transactional_id.data == NULL) {
        return FC_KAFKA_INVALID_REQUEST;
    }
    producer.id = header.producer_id;
    producer.epoch = header.producer_epoch;
    rules->guard = fc_partition_verify(partition, producer.id, producer.epoch);
    if (rules->guard == 0) {
        return go_on(spu, request, &producer, name, asked->index);
    }
    error =
        request->api_version >= ADDS_ITSELF
            ? fc_txns_add(spu->txns, ask->transactional_id, &producer, name, asked->index)
            : fc_txns_verify(spu->txns, ask->transactional_id, &producer, name, asked->index);
    if (error != FC_KAFKA_NONE) {
        fc_partition_unverify(partition, producer.id, rules->guard);
    }
    return not_part(request, error);
}
