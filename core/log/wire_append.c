/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/wire_append.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/append.h"
#include "core/log/bytes.h"
#include "core/log/codec.h"
#include "core/log/wire_check.h"

void fc_append_rules_of(const struct fc_log_topic_config *config,
                        struct fc_append_rules *out_rules)
{
    struct fc_append_rules rules = {
        .message_bytes_max = config->message_bytes_max,
        .compacted = config->cleanup_compact,
        .compression = config->compression,
        .log_append_time = config->log_append_time,
        .timestamp_before_max_ms = config->timestamp_before_max_ms,
        .timestamp_after_max_ms = config->timestamp_after_max_ms,
    };
    *out_rules = rules;
}

static void clear_result(struct fc_append_result *result)
{
    const struct fc_append_result none = { .error = FC_KAFKA_NONE,
                                           .base_offset = -1,
                                           .last_offset = -1,
                                           .log_append_time_ms = -1,
                                           .log_start = -1,
                                           .bad_record = -1 };
    *result = none;
}

/* lock is held. */
static fc_code fail_if_failed(const struct fc_partition *partition, struct fc_error *err)
{
    if (partition->failed && err != NULL) {
        *err = partition->failure;
    }
    return partition->failed ? partition->failure.code : FC_OK;
}

/* lock is held. */
static fc_code append_locked(struct fc_partition *partition, const struct fc_append *append,
                             const struct fc_append_rules *rules,
                             struct fc_append_result *result, struct fc_error *err)
{
    const struct fc_producer_batch *repeated = NULL;
    struct fc_batch_header header;
    fc_code code = fail_if_failed(partition, err);
    result->log_start = partition->start;
    if (code != FC_OK) {
        return code;
    }
    fc_batch_header_decode(append->parts[0].iov_base, &header);
    if (header.producer_id >= 0) {
        result->error =
            fc_producers_check(&partition->producers, &header, rules->guard, &repeated, err);
        if (result->error != FC_KAFKA_NONE) {
            return FC_ERR_REJECTED;
        }
    }
    if (repeated != NULL) {
        result->duplicate = true;
        result->base_offset = repeated->base_offset;
        result->last_offset = repeated->last_offset;
        result->log_append_time_ms = rules->log_append_time ? repeated->timestamp_ms : -1;
        return FC_OK;
    }
    code = fc_append_locked(partition, append, &header, err);
    if (code == FC_OK) {
        fc_append_note_producer(partition, &header, NULL);
        result->base_offset = header.base_offset;
        result->last_offset = fc_batch_last_offset(&header);
        result->log_append_time_ms = rules->log_append_time ? header.max_timestamp_ms : -1;
    }
    return code;
}

fc_code fc_partition_append_wire(struct fc_partition *partition, uint8_t *batch, size_t size,
                                 const struct fc_append_rules *rules,
                                 struct fc_append_result *out_result, struct fc_error *err)
{
    struct fc_wire_check check = { .now_ms = fc_clock_wall_ms(partition->env->clock) };
    fc_code code;
    fc_assert(!partition->env->read_only);
    clear_result(out_result);
    check.decoder = atomic_exchange(&partition->decoder, NULL);
    fc_wire_check_init(&check, batch, size);
    code = fc_wire_check_run(&check, rules, out_result, err);
    if (code == FC_OK) {
        code = fc_partition_prepare(partition, err);
    }
    if (code == FC_OK) {
        (void)pthread_mutex_lock(&partition->lock);
        code = append_locked(partition, &check.append, rules, out_result, err);
        fc_append_unlock(partition);
    }
    fc_wire_check_release(&check);
    fc_append_free_decoder(atomic_exchange(&partition->decoder, check.decoder));
    if (code != FC_OK && out_result->error == FC_KAFKA_NONE) {
        out_result->error = fc_kafka_error_of(code);
    }
    return code;
}

/* lock is held. */
static struct fc_marker marker_of(const struct fc_partition *partition,
                                  const struct fc_marker_request *request)
{
    const struct fc_producer *producer =
        fc_producers_get(&partition->producers, request->producer_id);
    struct fc_marker marker = { request->commit, request->coordinator_epoch };
    if (request->own && producer != NULL &&
        producer->coordinator_epoch > marker.coordinator_epoch) {
        marker.coordinator_epoch = producer->coordinator_epoch;
    }
    return marker;
}

/* lock is held. */
static fc_code append_marker_locked(struct fc_partition *partition,
                                    const struct fc_marker_request *request,
                                    struct fc_append_result *result, struct fc_error *err)
{
    uint8_t bytes[FC_MARKER_BATCH_SIZE];
    struct fc_append append = { { { bytes, sizeof(bytes) } }, 1 };
    struct fc_marker marker = marker_of(partition, request);
    struct fc_batch_header header;
    fc_code code = fail_if_failed(partition, err);
    result->log_start = partition->start;
    if (code != FC_OK) {
        return code;
    }
    fc_marker_encode(&marker, request->producer_id, request->producer_epoch,
                     fc_clock_wall_ms(partition->env->clock), bytes);
    fc_batch_header_decode(bytes, &header);
    result->error = fc_producers_check_marker(&partition->producers, &header, &marker, err);
    if (result->error != FC_KAFKA_NONE) {
        return FC_ERR_REJECTED;
    }
    code = fc_append_locked(partition, &append, &header, err);
    if (code == FC_OK) {
        fc_append_note_producer(partition, &header, &marker);
        result->base_offset = header.base_offset;
        result->last_offset = header.base_offset;
    }
    return code;
}

fc_code fc_partition_append_marker(struct fc_partition *partition,
                                   const struct fc_marker_request *request,
                                   struct fc_append_result *out_result, struct fc_error *err)
{
    fc_code code;
    fc_assert(!partition->env->read_only);
    clear_result(out_result);
    code = fc_partition_prepare(partition, err);
    if (code == FC_OK) {
        (void)pthread_mutex_lock(&partition->lock);
        code = append_marker_locked(partition, request, out_result, err);
        fc_append_unlock(partition);
    }
    if (code != FC_OK && out_result->error == FC_KAFKA_NONE) {
        out_result->error = fc_kafka_error_of(code);
    }
    return code;
}

uint64_t fc_partition_verify(struct fc_partition *partition, int64_t producer_id, int16_t epoch)
{
    uint64_t guard;
    (void)pthread_mutex_lock(&partition->lock);
    guard = fc_producers_verify(&partition->producers, producer_id, epoch,
                                fc_clock_wall_ms(partition->env->clock));
    (void)pthread_mutex_unlock(&partition->lock);
    return guard;
}

void fc_partition_unverify(struct fc_partition *partition, int64_t producer_id, uint64_t guard)
{
    (void)pthread_mutex_lock(&partition->lock);
    fc_producers_unverify(&partition->producers, producer_id, guard);
    (void)pthread_mutex_unlock(&partition->lock);
}

static int compare_ids(const void *a, const void *b)
{
    const struct fc_producer *left = a;
    const struct fc_producer *right = b;
    return left->id < right->id ? -1 : left->id > right->id;
}

fc_code fc_partition_producers(struct fc_partition *partition,
                               struct fc_producer **out_producers, size_t *out_count,
                               struct fc_error *err)
{
    struct fc_producer *copies = NULL;
    size_t count = 0;
    size_t cursor = 0;
    struct fc_slice key;
    void *value = NULL;
    fc_code code;
    (void)pthread_mutex_lock(&partition->lock);
    code = partition->damaged ? fail_if_failed(partition, err) : FC_OK;
    if (code == FC_OK) {
        copies = fc_new_array(struct fc_producer, partition->producers.map.count + 1);
    }
    while (code == FC_OK && fc_hashmap_next(&partition->producers.map, &cursor, &key, &value)) {
        copies[count++] = *(const struct fc_producer *)value;
    }
    (void)pthread_mutex_unlock(&partition->lock);
    if (code == FC_OK) {
        qsort(copies, count, sizeof(*copies), compare_ids);
        *out_producers = copies;
        *out_count = count;
    }
    return code;
}
