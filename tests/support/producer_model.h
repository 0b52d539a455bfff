/* SPDX-License-Identifier: Apache-2.0 */
/* What a partition has to know of its producers, from a list of its batches alone. */
#ifndef FC_TESTS_PRODUCER_MODEL_H
#define FC_TESTS_PRODUCER_MODEL_H

#include "core/log/producers.h"

enum { PRODUCER_MODEL_TIME_MS = 1000000 }; /* of all batches */

/* A batch in the log. */
struct producer_entry {
    int64_t base;
    int64_t last;
    int64_t id; /* -1: none */
    int16_t epoch;
    int32_t sequence;
    bool transactional;
    bool marker;
    bool commit;
    int32_t coordinator_epoch;
};

struct producer_model {
    struct producer_entry *entries;
    size_t count;
    int64_t end;
};

void producer_model_push(struct producer_model *model, const struct producer_entry *entry);

/* What follows for one producer. False: it never wrote. */
bool producer_model_of(const struct producer_model *model, int64_t id, struct fc_producer *out);

/* The last stable offset when everything is durable; ids are 0 to producers - 1. */
int64_t producer_model_stable(const struct producer_model *model, int64_t producers);

/* First offset of the transaction that the entry aborts; -1: none. */
int64_t producer_model_aborted_by(const struct producer_model *model, size_t place);

#endif
