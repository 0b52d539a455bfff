/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/log/wire_append.h"
#include "core/spu/coordinator.h"
#include "core/spu/txn_end.h"
#include "core/spu/txns_state.h"

/* Whether some transaction that is not over has the producer's batches in this partition. */
static bool is_known(struct fc_txns *txns, const struct fc_producer *producer,
                     struct fc_slice topic, int32_t partition)
{
    struct fc_txn *txn = NULL;
    size_t cursor = 0;
    while (fc_txns_next(txns, &cursor, &txn)) {
        struct fc_txn_producer marker = fc_txn_marker_producer(txn);
        if ((txn->state == FC_TXN_ONGOING || fc_txn_is_ending(txn)) &&
            marker.id == producer->id && fc_txn_has(txn, topic, partition)) {
            return true;
        }
    }
    return false;
}

static void abort_one(struct fc_txns *txns, struct fc_log_topic *topic, uint32_t index,
                      struct fc_partition *partition, const struct fc_producer *producer)
{
    struct fc_marker_request request = { producer->id, producer->epoch, 0, false, true };
    struct fc_txn_producer whose = { producer->id, producer->epoch };
    struct fc_append_result result;
    struct fc_error err;
    fc_code code;
    fc_diag_report(txns->spu->config.net.diag, FC_DIAG_WARN,
                   "aborting a transaction that no coordinator knows topic=%s "
                   "partition=%" PRIu32 " producer=%" PRId64 " offset=%" PRId64,
                   fc_log_topic_name(topic), index, producer->id, producer->transaction_offset);
    code = strcmp(fc_log_topic_name(topic), FC_OFFSETS_TOPIC) == 0
               ? fc_coordinator_append_marker(txns->spu->coordinator, (int32_t)index, &request,
                                              &result, &err)
               : fc_partition_append_marker(partition, &request, &result, &err);
    if (code != FC_OK) {
        fc_diag_report(txns->spu->config.net.diag, FC_DIAG_WARN,
                       "it cannot be aborted yet, which is tried again: %s", err.message);
        fc_txn_end_stray(txns, topic, index, &whose);
    }
}

/* A partition that is damaged is told of elsewhere, and one that cannot be written has time: neither
 * stops the others. */
static void abort_unknown(struct fc_txns *txns, struct fc_log_topic *topic, uint32_t index)
{
    struct fc_slice name = fc_slice_text(fc_log_topic_name(topic));
    struct fc_partition *partition = NULL;
    struct fc_producer *producers = NULL;
    size_t count = 0;
    if (fc_log_topic_partition(topic, index, &partition, NULL) != FC_OK ||
        fc_partition_producers(partition, &producers, &count, NULL) != FC_OK) {
        return;
    }
    for (size_t which = 0; which < count; which++) {
        if (producers[which].transaction_offset >= 0 &&
            !is_known(txns, &producers[which], name, (int32_t)index)) {
            abort_one(txns, topic, index, partition, &producers[which]);
        }
    }
    free(producers);
}

fc_code fc_txns_recover(struct fc_txns *txns, struct fc_error *err)
{
    struct fc_log_topic **topics = NULL;
    struct fc_txn *txn = NULL;
    size_t count = 0;
    size_t cursor = 0;
    fc_code code = fc_data_dir_topics(txns->spu->data, &topics, &count, err);
    for (size_t index = 0; code == FC_OK && index < count; index++) {
        uint32_t partitions = fc_log_topic_partitions(topics[index]);
        for (uint32_t which = 0; which < partitions; which++) {
            abort_unknown(txns, topics[index], which);
        }
    }
    fc_log_topics_free(topics, count);
    fc_txns_lock(txns);
    while (code == FC_OK && fc_txns_next(txns, &cursor, &txn)) {
        if (fc_txn_is_ending(txn)) {
            fc_txn_end_begin(txns, txn, NULL, NULL);
        }
    }
    fc_txns_unlock(txns);
    return code;
}
