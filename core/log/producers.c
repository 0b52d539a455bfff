/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequence numbers follow Kafka's rules: within an epoch each batch begins where the last one
 * ended, a new epoch begins with 0, and a producer of which nothing is known (it is new, or
 * what it wrote is gone) may begin anywhere. One of the last batches again is a repetition.
 *
 * In one thing we are stricter: a batch of a transaction that has ended is none. Who ends a
 * transaction sends none of its batches again; but librdkafka (2.16) gives their numbers once
 * more when it aborts before they were acknowledged, and takes the answer to a repetition for
 * that of the new batch, which would be missing from the transaction that it then commits. Told
 * that the number is out of order, it aborts and takes a new epoch.
 */
#include "core/log/producers.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"

static struct fc_slice key_of(const int64_t *id)
{
    return fc_slice_of(id, sizeof(*id));
}

void fc_producers_init(struct fc_producers *producers)
{
    memset(producers, 0, sizeof(*producers));
    fc_hashmap_init(&producers->map);
}

void fc_producers_release(struct fc_producers *producers)
{
    fc_hashmap_release(&producers->map, free);
    free(producers->open);
    free(producers->ended);
    free(producers->aborted);
    free(producers->verifications);
    memset(producers, 0, sizeof(*producers));
}

bool fc_producers_is_empty(const struct fc_producers *producers)
{
    return producers->map.count == 0 && producers->aborted_count == 0;
}

const struct fc_producer *fc_producers_get(const struct fc_producers *producers, int64_t id)
{
    return producers->map.count == 0 ? NULL : fc_hashmap_get(&producers->map, key_of(&id));
}

int32_t fc_producer_last_sequence(const struct fc_batch_header *header)
{
    int64_t last = (int64_t)header->base_sequence + header->last_offset_delta;
    return (int32_t)(last > INT32_MAX ? last - INT32_MAX - 1 : last);
}

static bool follows(int32_t last, int32_t next)
{
    return last == INT32_MAX ? next == 0 : next == last + 1;
}

static const struct fc_producer_batch *find_repeated(const struct fc_producer *producer,
                                                     const struct fc_batch_header *header)
{
    int32_t last = fc_producer_last_sequence(header);
    bool transactional = (header->attributes & FC_BATCH_TRANSACTIONAL) != 0;
    int64_t from = transactional ? producer->transaction_offset : 0;
    if (header->producer_epoch != producer->epoch || from < 0) {
        return NULL;
    }
    for (uint32_t index = 0; index < producer->batches_count; index++) {
        const struct fc_producer_batch *batch = &producer->batches[index];
        if (batch->first_sequence == header->base_sequence && batch->last_sequence == last &&
            batch->base_offset >= from) {
            return batch;
        }
    }
    return NULL;
}

static fc_kafka_error fail(struct fc_error *err, fc_kafka_error error,
                           const struct fc_batch_header *header, const char *what,
                           int64_t number)
{
    (void)fc_fail(
        err, FC_ERR_REJECTED, "producer %" PRId64 " epoch %d sequence %" PRId32 ": %s %" PRId64,
        header->producer_id, header->producer_epoch, header->base_sequence, what, number);
    return error;
}

static fc_kafka_error check_sequence(const struct fc_producer *producer,
                                     const struct fc_batch_header *header, struct fc_error *err)
{
    if (header->producer_epoch < producer->epoch) {
        return fail(err, FC_KAFKA_INVALID_PRODUCER_EPOCH, header, "the epoch is now",
                    producer->epoch);
    }
    if (header->producer_epoch > producer->epoch) {
        return header->base_sequence <= 0 || producer->epoch < 0
                   ? FC_KAFKA_NONE
                   : fail(err, FC_KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER, header,
                          "a new epoch begins with", 0);
    }
    if (header->base_sequence >= 0 &&
        !follows(producer->last_sequence, header->base_sequence)) {
        return fail(err, FC_KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER, header,
                    "the last sequence here is", producer->last_sequence);
    }
    return FC_KAFKA_NONE;
}

static const struct fc_verification *find_verification(const struct fc_producers *producers,
                                                       int64_t id)
{
    for (size_t index = 0; index < producers->verifications_count; index++) {
        if (producers->verifications[index].producer_id == id) {
            return &producers->verifications[index];
        }
    }
    return NULL;
}

static fc_kafka_error check_transaction(const struct fc_producers *producers,
                                        const struct fc_producer *producer,
                                        const struct fc_batch_header *header, uint64_t guard,
                                        struct fc_error *err)
{
    bool transactional = (header->attributes & FC_BATCH_TRANSACTIONAL) != 0;
    bool open = producer != NULL && producer->transaction_offset >= 0;
    const struct fc_verification *verification;
    if (open && !transactional) {
        return fail(err, FC_KAFKA_INVALID_TXN_STATE, header,
                    "not transactional, but a transaction is open since offset",
                    producer->transaction_offset);
    }
    if (!transactional || (open && producer->epoch == header->producer_epoch) ||
        guard == FC_GUARD_VERIFIED) {
        return FC_KAFKA_NONE;
    }
    verification = find_verification(producers, header->producer_id);
    if (guard == 0 || verification == NULL || verification->guard != guard) {
        return fail(err, FC_KAFKA_INVALID_TXN_STATE, header,
                    "not part of an open transaction; guard", (int64_t)guard);
    }
    return FC_KAFKA_NONE;
}

fc_kafka_error fc_producers_check(const struct fc_producers *producers,
                                  const struct fc_batch_header *header, uint64_t guard,
                                  const struct fc_producer_batch **out_duplicate,
                                  struct fc_error *err)
{
    const struct fc_producer *producer = fc_producers_get(producers, header->producer_id);
    fc_kafka_error error = FC_KAFKA_NONE;
    *out_duplicate =
        producer == NULL || header->base_sequence < 0 ? NULL : find_repeated(producer, header);
    if (*out_duplicate != NULL) {
        return FC_KAFKA_NONE;
    }
    if (producer != NULL) {
        error = check_sequence(producer, header, err);
    }
    return error == FC_KAFKA_NONE ? check_transaction(producers, producer, header, guard, err)
                                  : error;
}

fc_kafka_error fc_producers_check_marker(const struct fc_producers *producers,
                                         const struct fc_batch_header *header,
                                         const struct fc_marker *marker, struct fc_error *err)
{
    const struct fc_producer *producer = fc_producers_get(producers, header->producer_id);
    if (producer == NULL) {
        return FC_KAFKA_NONE;
    }
    if (header->producer_epoch < producer->epoch) {
        return fail(err, FC_KAFKA_INVALID_PRODUCER_EPOCH, header, "the epoch is now",
                    producer->epoch);
    }
    if (marker->coordinator_epoch < producer->coordinator_epoch) {
        return fail(err, FC_KAFKA_TRANSACTION_COORDINATOR_FENCED, header,
                    "the coordinator epoch is now", producer->coordinator_epoch);
    }
    return FC_KAFKA_NONE;
}

static struct fc_producer *get_or_add(struct fc_producers *producers, int64_t id)
{
    struct fc_producer *producer = fc_hashmap_get(&producers->map, key_of(&id));
    if (producer == NULL) {
        producer = fc_new(struct fc_producer);
        producer->id = id;
        producer->epoch = -1;
        producer->coordinator_epoch = -1;
        producer->transaction_offset = -1;
        producer->last_sequence = -1;
        (void)fc_hashmap_put(&producers->map, key_of(&id), producer);
    }
    return producer;
}

static void take_epoch(struct fc_producer *producer, int16_t epoch)
{
    if (producer->epoch != epoch) {
        producer->epoch = epoch;
        producer->batches_count = 0;
        producer->last_sequence = -1;
    }
}

static void forget_verification(struct fc_producers *producers, int64_t id)
{
    size_t kept = 0;
    for (size_t index = 0; index < producers->verifications_count; index++) {
        if (producers->verifications[index].producer_id != id) {
            producers->verifications[kept++] = producers->verifications[index];
        }
    }
    producers->verifications_count = kept;
}

static void open_transaction(struct fc_producers *producers, struct fc_producer *producer,
                             int64_t offset)
{
    struct fc_open_transaction opened = { offset, producer->id };
    producer->transaction_offset = offset;
    if (producers->open_count == producers->open_capacity) {
        producers->open_capacity =
            producers->open_capacity == 0 ? 8 : producers->open_capacity * 2;
        producers->open =
            fc_realloc_array(producers->open, producers->open_capacity, sizeof(opened));
    }
    producers->open[producers->open_count++] = opened;
    forget_verification(producers, producer->id);
}

static void remove_open(struct fc_producers *producers, int64_t first_offset)
{
    size_t low = 0;
    size_t high = producers->open_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (producers->open[middle].first_offset < first_offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    fc_assert(low < producers->open_count && producers->open[low].first_offset == first_offset);
    producers->open_count--;
    memmove(producers->open + low, producers->open + low + 1,
            (producers->open_count - low) * sizeof(*producers->open));
}

static void push_ended(struct fc_producers *producers, int64_t first_offset, int64_t marker)
{
    struct fc_ended_transaction ended = { first_offset, marker };
    if (producers->ended_count == producers->ended_capacity) {
        producers->ended_capacity =
            producers->ended_capacity == 0 ? 8 : producers->ended_capacity * 2;
        producers->ended =
            fc_realloc_array(producers->ended, producers->ended_capacity, sizeof(ended));
    }
    producers->ended[producers->ended_count++] = ended;
}

static void push_aborted(struct fc_producers *producers, const struct fc_aborted *aborted)
{
    if (producers->aborted_count == producers->aborted_capacity) {
        producers->aborted_capacity =
            producers->aborted_capacity == 0 ? 8 : producers->aborted_capacity * 2;
        producers->aborted =
            fc_realloc_array(producers->aborted, producers->aborted_capacity, sizeof(*aborted));
    }
    producers->aborted[producers->aborted_count++] = *aborted;
}

static void end_transaction(struct fc_producers *producers, struct fc_producer *producer,
                            int64_t marker_offset, bool commit)
{
    int64_t first = producer->transaction_offset;
    producer->transaction_offset = -1;
    forget_verification(producers, producer->id);
    if (first < 0) {
        return;
    }
    remove_open(producers, first);
    push_ended(producers, first, marker_offset);
    if (!commit) {
        struct fc_aborted aborted = { producer->id, first, marker_offset,
                                      producers->open_count > 0
                                          ? producers->open[0].first_offset
                                          : marker_offset + 1 };
        push_aborted(producers, &aborted);
    }
}

static void push_batch(struct fc_producer *producer, const struct fc_batch_header *header)
{
    struct fc_producer_batch batch = { header->base_sequence, fc_producer_last_sequence(header),
                                       header->base_offset, fc_batch_last_offset(header),
                                       header->max_timestamp_ms };
    if (producer->batches_count == FC_PRODUCER_BATCHES) {
        producer->batches_count--;
        memmove(producer->batches, producer->batches + 1,
                producer->batches_count * sizeof(batch));
    }
    producer->batches[producer->batches_count++] = batch;
    producer->last_sequence = batch.last_sequence;
}

void fc_producers_note(struct fc_producers *producers, const struct fc_batch_header *header,
                       const struct fc_marker *marker, int64_t now_ms)
{
    struct fc_producer *producer = get_or_add(producers, header->producer_id);
    take_epoch(producer, header->producer_epoch);
    producer->last_seen_ms = now_ms;
    if (marker != NULL) {
        producer->coordinator_epoch = marker->coordinator_epoch;
        end_transaction(producers, producer, header->base_offset, marker->commit);
        return;
    }
    if (header->base_sequence >= 0) {
        push_batch(producer, header);
    }
    if ((header->attributes & FC_BATCH_TRANSACTIONAL) != 0 &&
        producer->transaction_offset < 0) {
        open_transaction(producers, producer, header->base_offset);
    }
}

int64_t fc_producers_unstable(const struct fc_producers *producers)
{
    int64_t first = producers->open_count > 0 ? producers->open[0].first_offset : INT64_MAX;
    for (size_t index = 0; index < producers->ended_count; index++) {
        if (producers->ended[index].first_offset < first) {
            first = producers->ended[index].first_offset;
        }
    }
    return first;
}

bool fc_producers_settle(struct fc_producers *producers, int64_t high_watermark)
{
    size_t settled = 0;
    while (settled < producers->ended_count &&
           producers->ended[settled].marker_offset < high_watermark) {
        settled++;
    }
    if (settled > 0) {
        producers->ended_count -= settled;
        memmove(producers->ended, producers->ended + settled,
                producers->ended_count * sizeof(*producers->ended));
    }
    return settled > 0;
}

void fc_producers_expire(struct fc_producers *producers, int64_t oldest_ms)
{
    size_t cursor = 0;
    size_t count = 0;
    struct fc_slice key;
    void *value = NULL;
    int64_t *ids;
    if (producers->map.count == 0) {
        return;
    }
    ids = fc_new_array(int64_t, producers->map.count);
    while (fc_hashmap_next(&producers->map, &cursor, &key, &value)) {
        const struct fc_producer *producer = value;
        if (producer->transaction_offset < 0 && producer->last_seen_ms < oldest_ms) {
            ids[count++] = producer->id;
        }
    }
    for (size_t index = 0; index < count; index++) {
        free(fc_hashmap_remove(&producers->map, key_of(&ids[index])));
    }
    free(ids);
}

void fc_producers_expire_guards(struct fc_producers *producers, int64_t oldest_ms)
{
    size_t kept = 0;
    for (size_t index = 0; index < producers->verifications_count; index++) {
        if (producers->verifications[index].begun_ms >= oldest_ms) {
            producers->verifications[kept++] = producers->verifications[index];
        }
    }
    producers->verifications_count = kept;
}

uint64_t fc_producers_verify(struct fc_producers *producers, int64_t id, int16_t epoch,
                             int64_t now_ms)
{
    const struct fc_producer *producer = fc_producers_get(producers, id);
    const struct fc_verification *known = find_verification(producers, id);
    struct fc_verification made = { id, epoch, 0, now_ms };
    if (producer != NULL && producer->transaction_offset >= 0 && producer->epoch == epoch) {
        return 0;
    }
    if (known != NULL && known->epoch >= epoch) {
        return known->epoch == epoch ? known->guard : 0;
    }
    forget_verification(producers, id);
    made.guard = ++producers->last_guard;
    producers->verifications =
        fc_realloc_array(producers->verifications, producers->verifications_count + 1,
                         sizeof(struct fc_verification));
    producers->verifications[producers->verifications_count++] = made;
    return made.guard;
}

void fc_producers_unverify(struct fc_producers *producers, int64_t id, uint64_t guard)
{
    const struct fc_verification *known = find_verification(producers, id);
    if (known != NULL && known->guard == guard) {
        forget_verification(producers, id);
    }
}

bool fc_producers_restore(struct fc_producers *producers, const struct fc_producer *producer)
{
    struct fc_producer *added;
    if (producer->id < 0 || fc_producers_get(producers, producer->id) != NULL) {
        return false;
    }
    added = get_or_add(producers, producer->id);
    *added = *producer;
    if (producer->transaction_offset >= 0) {
        open_transaction(producers, added, producer->transaction_offset);
    }
    return true;
}

void fc_producers_restore_aborted(struct fc_producers *producers,
                                  const struct fc_aborted *aborted)
{
    push_aborted(producers, aborted);
}

static int compare_open(const void *a, const void *b)
{
    const struct fc_open_transaction *left = a;
    const struct fc_open_transaction *right = b;
    return left->first_offset < right->first_offset ? -1
                                                    : left->first_offset > right->first_offset;
}

void fc_producers_restored(struct fc_producers *producers)
{
    if (producers->open_count > 0) {
        qsort(producers->open, producers->open_count, sizeof(*producers->open), compare_open);
    }
}
