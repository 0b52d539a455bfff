/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/txn_records.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/hashmap.h"
#include "core/spu/txns_state.h"

enum { KEY_VERSION = 0, VALUE_VERSION = 1, RECORD_BYTES_MAX = 16 * 1024 * 1024 };

/* What a client's transaction version is called in the record. */
enum { CLIENT_BUMPS = 2 };

static fc_code encode(struct fc_buf *to, const struct fc_wire_type *type, int16_t version,
                      const void *message, struct fc_error *err)
{
    fc_buf_append_be16(to, (uint16_t)version);
    return fc_wire_encode(type, version, message, to, err);
}

static fc_code encode_key(struct fc_buf *to, struct fc_slice id, struct fc_error *err)
{
    struct fc_msg_transaction_log_key key;
    fc_wire_init(&fc_msg_transaction_log_key_type, &key);
    key.transactional_id = id;
    return encode(to, &fc_msg_transaction_log_key_type, KEY_VERSION, &key, err);
}

/* An entry a partition, which readers take as well as one a topic. */
static fc_code encode_value(struct fc_buf *to, const struct fc_txn *txn, struct fc_error *err)
{
    struct fc_msg_transaction_log_value_partition *partitions = fc_new_array(
        struct fc_msg_transaction_log_value_partition, (size_t)txn->partitions_count + 1);
    struct fc_msg_transaction_log_value value;
    fc_code code;
    fc_wire_init(&fc_msg_transaction_log_value_type, &value);
    value.producer_id = txn->producer_id;
    value.previous_producer_id = txn->previous_producer_id;
    value.producer_epoch = txn->epoch;
    value.transaction_timeout_ms = txn->timeout_ms;
    value.transaction_status = (int8_t)txn->state;
    value.transaction_partitions = partitions;
    value.transaction_partitions_count = txn->partitions_count;
    value.transaction_last_update_timestamp_ms = txn->update_ms;
    value.transaction_start_timestamp_ms = txn->start_ms;
    value.client_transaction_version = txn->bumps ? CLIENT_BUMPS : 0;
    for (int32_t index = 0; index < txn->partitions_count; index++) {
        partitions[index].topic = txn->partitions[index].topic;
        partitions[index].partition_ids = &txn->partitions[index].partition;
        partitions[index].partition_ids_count = 1;
    }
    code = encode(to, &fc_msg_transaction_log_value_type, VALUE_VERSION, &value, err);
    free(partitions);
    return code;
}

static fc_code write_record(struct fc_journal *journal, struct fc_slice id,
                            struct fc_slice value, int64_t now_ms, int64_t *out_offset,
                            struct fc_error *err)
{
    struct fc_record record = { .timestamp_ms = now_ms, .value = value };
    struct fc_buf key;
    fc_code code;
    fc_buf_init(&key, RECORD_BYTES_MAX);
    code = encode_key(&key, id, err);
    if (code == FC_OK) {
        record.key = fc_buf_slice(&key);
        code = fc_journal_write(journal, fc_journal_partition_of(journal, id), &record, 1, NULL,
                                out_offset, err);
    }
    fc_buf_release(&key);
    return code;
}

fc_code fc_txn_record_write(struct fc_journal *journal, struct fc_txn *txn,
                            struct fc_error *err)
{
    struct fc_buf value;
    fc_code code;
    fc_buf_init(&value, RECORD_BYTES_MAX);
    code = encode_value(&value, txn, err);
    if (code == FC_OK) {
        code = write_record(journal, txn->id, fc_buf_slice(&value), txn->update_ms,
                            &txn->log_offset, err);
    }
    fc_buf_release(&value);
    return code;
}

fc_code fc_txn_record_delete(struct fc_journal *journal, const struct fc_txn *txn,
                             int64_t now_ms, struct fc_error *err)
{
    int64_t offset = -1; /* nobody waits for it */
    return write_record(journal, txn->id, fc_slice_null(), now_ms, &offset, err);
}

static void take_partitions(struct fc_txn *txn,
                            const struct fc_msg_transaction_log_value *value)
{
    struct fc_txn_producer producer = { txn->producer_id, txn->epoch };
    fc_txn_state state = txn->state;
    txn->state = FC_TXN_ONGOING; /* partitions are added to one that goes on */
    for (int32_t index = 0; index < value->transaction_partitions_count; index++) {
        const struct fc_msg_transaction_log_value_partition *topic =
            &value->transaction_partitions[index];
        for (int32_t which = 0; which < topic->partition_ids_count; which++) {
            fc_txn_step step;
            (void)fc_txn_add(txn, &producer, topic->topic, topic->partition_ids[which], 0,
                             &step); /* cannot fail: it is ours and goes on */
        }
    }
    txn->state = state;
}

/*
 * The epoch before the last EndTxn, which the record does not hold: one less, or the last one of
 * the id before. A client whose EndTxn lost its answer asks under it again.
 */
static int16_t previous_epoch(const struct fc_txn *txn)
{
    if (!txn->bumps || txn->previous_producer_id < 0) {
        return -1;
    }
    if (txn->previous_producer_id == txn->producer_id) {
        return (int16_t)(txn->epoch - 1);
    }
    return txn->epoch == 0 ? FC_TXN_EPOCH_MAX : -1;
}

static struct fc_txn *restore(struct fc_txns *txns, struct fc_slice id,
                              const struct fc_msg_transaction_log_value *value)
{
    struct fc_txn *txn;
    fc_txn_free(fc_hashmap_remove(&txns->map, id));
    txn = fc_txns_ensure(txns, id, value->producer_id);
    txn->previous_producer_id = value->previous_producer_id;
    txn->epoch = value->producer_epoch;
    txn->timeout_ms = value->transaction_timeout_ms;
    txn->state = (fc_txn_state)value->transaction_status;
    txn->bumps = value->client_transaction_version >= CLIENT_BUMPS;
    txn->previous_epoch = previous_epoch(txn);
    take_partitions(txn, value);
    txn->start_ms = value->transaction_start_timestamp_ms;
    txn->update_ms = value->transaction_last_update_timestamp_ms;
    return txn;
}

/* log_offset: the record's own, or a later one of its batch. */
static fc_code load_record(struct fc_txns *txns, const struct fc_record *record,
                           int64_t log_offset, struct fc_arena *arena, struct fc_error *err)
{
    struct fc_msg_transaction_log_key key;
    struct fc_msg_transaction_log_value value;
    struct fc_reader reader;
    int16_t version;
    fc_code code;
    fc_arena_clear(arena);
    fc_reader_init(&reader, record->key);
    version = (int16_t)fc_reader_be(&reader, 2);
    code = fc_wire_decode_from(&fc_msg_transaction_log_key_type, version, &reader, arena, &key,
                               err);
    if (code != FC_OK) {
        return code;
    }
    if (record->value.data == NULL) {
        fc_txn_free(fc_hashmap_remove(&txns->map, key.transactional_id));
        return FC_OK;
    }
    fc_reader_init(&reader, record->value);
    version = (int16_t)fc_reader_be(&reader, 2);
    code = fc_wire_decode_from(&fc_msg_transaction_log_value_type, version, &reader, arena,
                               &value, err);
    if (code == FC_OK && (value.transaction_status < FC_TXN_EMPTY ||
                          value.transaction_status > FC_TXN_COMPLETE_ABORT)) {
        code =
            fc_fail(err, FC_ERR_CORRUPT, "a transaction in state %d", value.transaction_status);
    }
    if (code == FC_OK) {
        restore(txns, key.transactional_id, &value)->log_offset = log_offset;
    }
    return code;
}

fc_code fc_txn_record_load_batch(void *ctx, const struct fc_batch_header *header,
                                 const struct fc_record *records, uint32_t count,
                                 struct fc_error *err)
{
    struct fc_arena arena;
    fc_code code = FC_OK;
    fc_arena_init(&arena, RECORD_BYTES_MAX);
    for (uint32_t index = 0; code == FC_OK && index < count; index++) {
        code = load_record(ctx, &records[index], fc_batch_last_offset(header), &arena, err);
    }
    fc_arena_release(&arena);
    return code;
}
