/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/producer_model.h"

#include <stdlib.h>

#include "core/base/alloc.h"

void producer_model_push(struct producer_model *model, const struct producer_entry *entry)
{
    model->entries = fc_realloc_array(model->entries, model->count + 1, sizeof(*entry));
    model->entries[model->count++] = *entry;
    model->end = entry->last + 1;
}

static int32_t last_sequence(const struct producer_entry *entry)
{
    return (int32_t)(((int64_t)entry->sequence + entry->last - entry->base) %
                     ((int64_t)INT32_MAX + 1));
}

/* What follows for one producer from all entries. False: it never wrote. */
bool producer_model_of(const struct producer_model *model, int64_t id, struct fc_producer *out)
{
    struct fc_producer made = { .id = id,
                                .epoch = -1,
                                .coordinator_epoch = -1,
                                .transaction_offset = -1,
                                .last_sequence = -1 };
    bool known = false;
    for (size_t index = 0; index < model->count; index++) {
        const struct producer_entry *entry = &model->entries[index];
        if (entry->id != id) {
            continue;
        }
        known = true;
        made.last_seen_ms = PRODUCER_MODEL_TIME_MS;
        if (entry->epoch != made.epoch) {
            made.epoch = entry->epoch;
            made.batches_count = 0;
            made.last_sequence = -1;
        }
        if (entry->marker) {
            made.coordinator_epoch = entry->coordinator_epoch;
            made.transaction_offset = -1;
            continue;
        }
        if (made.batches_count == FC_PRODUCER_BATCHES) {
            memmove(made.batches, made.batches + 1, 4 * sizeof(made.batches[0]));
            made.batches_count--;
        }
        made.batches[made.batches_count].first_sequence = entry->sequence;
        made.batches[made.batches_count].last_sequence = last_sequence(entry);
        made.batches[made.batches_count].base_offset = entry->base;
        made.batches[made.batches_count].last_offset = entry->last;
        made.batches[made.batches_count].timestamp_ms = PRODUCER_MODEL_TIME_MS;
        made.batches_count++;
        made.last_sequence = last_sequence(entry);
        if (entry->transactional && made.transaction_offset < 0) {
            made.transaction_offset = entry->base;
        }
    }
    *out = made;
    return known;
}

int64_t producer_model_stable(const struct producer_model *model, int64_t producers)
{
    int64_t stable = model->end;
    for (int64_t id = 0; id < producers; id++) {
        struct fc_producer producer;
        if (producer_model_of(model, id, &producer) && producer.transaction_offset >= 0 &&
            producer.transaction_offset < stable) {
            stable = producer.transaction_offset;
        }
    }
    return stable;
}

/* First offsets of the transactions that each marker aborts; -1: none. */
int64_t producer_model_aborted_by(const struct producer_model *model, size_t place)
{
    const struct producer_entry *marker = &model->entries[place];
    int64_t first = -1;
    for (size_t index = 0; index < place; index++) {
        const struct producer_entry *entry = &model->entries[index];
        if (entry->id != marker->id) {
            continue;
        }
        if (entry->marker) {
            first = -1;
        } else if (entry->transactional && first < 0) {
            first = entry->base;
        }
    }
    return marker->marker && !marker->commit ? first : -1;
}
