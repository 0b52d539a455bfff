/* SPDX-License-Identifier: Apache-2.0 */
/* What was appended to a partition of keyed records, and so what a reader has to find in it after
 * any compaction. Keys are "key <n>", values "value of <offset>"; every third has a header. */
#ifndef FC_TESTS_KEYED_MODEL_H
#define FC_TESTS_KEYED_MODEL_H

#include "core/base/buf.h"
#include "core/log/record.h"

enum { KEYED_RECORDS_MAX = 4096 };

struct keyed_entry {
    int32_t key; /* -1: not a record, but a marker */
    bool tombstone;
    bool transactional;
    bool commit; /* of a marker */
    int64_t producer_id;
};

struct keyed_model {
    struct keyed_entry log[KEYED_RECORDS_MAX];
    int64_t end;
};

/* What became of the record: 1 committed, -1 aborted, 0 open. */
int keyed_model_fate(const struct keyed_model *model, int64_t offset);

/* The last committed record of the key below `to`; -1: none. */
int64_t keyed_model_last(const struct keyed_model *model, int32_t key, int64_t to);

/* The last stable offset when all is durable: where the first open transaction begins, or end. */
int64_t keyed_model_stable(const struct keyed_model *model);

/* How many records the producer has appended: its next sequence number. */
int32_t keyed_model_records_of(const struct keyed_model *model, int64_t producer_id);

/* What is wrong with the record, or NULL. */
const char *keyed_model_differs(const struct keyed_model *model,
                                const struct fc_record *record);

struct keyed_batch {
    uint32_t count;
    fc_compression compression;
    int32_t base_sequence; /* counts with a producer's id only */
    int64_t timestamp_ms;
};

/* A batch, as a client sends it, of the entries from end on, whose producer the first names; the
 * caller releases it. */
void keyed_model_make(const struct keyed_model *model, const struct keyed_batch *batch,
                      struct fc_buf *out_bytes);

#endif
