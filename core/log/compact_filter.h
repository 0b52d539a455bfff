/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What compaction leaves of a batch; for the files of core/log and tests.
 *
 * Rules, as in Kafka's log cleaner:
 *  - a record goes when a later committed record has its key, when it was aborted, or when it has
 *    no key;
 *  - a batch with a tombstone gets a delete horizon, delete.retention.ms from now, in the place of
 *    its base timestamp when it is first looked at; behind that, its tombstones go;
 *  - a marker gets one once nothing of its transaction is left before it, and goes behind that;
 *  - a batch that loses records keeps its offsets and sequence numbers; one that loses all of
 *    them stays, empty, when it is among the last that a live producer is known by. So replaying
 *    the log gives the same producers as before, and a marker of a transaction with such a batch
 *    stays.
 *
 * Batches are given in the order of the log, from its first on: whether a marker's transaction
 * has left something is known from those before it.
 */
#ifndef FC_LOG_COMPACT_FILTER_H
#define FC_LOG_COMPACT_FILTER_H

#include "core/base/hashmap.h"
#include "core/log/compact_input.h"
#include "core/log/compact_map.h"

/* What is known before the first batch; borrowed. aborted is sorted by fc_compact_sort_aborted. */
struct fc_compact_knowledge {
    const struct fc_compact_map *map;
    int64_t mapped_end;         /* records below it are in the map, or were in an earlier one */
    struct fc_aborted *aborted; /* of all that is given */
    size_t aborted_count;
    struct fc_producer *producers; /* live ones, by id */
    size_t producers_count;
    int64_t now_ms;
    int64_t delete_retention_ms;
};

struct fc_compact_filter {
    struct fc_compact_knowledge known;
    struct fc_hashmap kept; /* ids of producers with something left since their last marker */
    struct fc_codec *codec;
    bool *keep; /* of each record */
    size_t keep_capacity;
    struct fc_buf plain;
    struct fc_buf made; /* the batch anew */
};

void fc_compact_filter_init(struct fc_compact_filter *filter,
                            const struct fc_compact_knowledge *known);
void fc_compact_filter_release(struct fc_compact_filter *filter);

/* For look-ups by producer and offset. */
void fc_compact_sort_aborted(struct fc_compact_knowledge *known);

/* The batch's transaction was aborted. */
bool fc_compact_is_aborted(const struct fc_compact_knowledge *known,
                           const struct fc_batch_header *header);

/* The transaction that the marker aborted, or NULL. */
const struct fc_aborted *fc_compact_aborted_by(const struct fc_compact_knowledge *known,
                                               const struct fc_batch_header *marker);

/* *out_bytes is what is left: empty for nothing, the batch's own bytes when that is all of it; it
 * borrows from the batch or the filter until the next call. FC_ERR_LIMIT, FC_ERR_NOMEM. */
FC_MUST_CHECK fc_code fc_compact_filter_run(struct fc_compact_filter *filter,
                                            const struct fc_compact_batch *batch,
                                            struct fc_slice *out_bytes, struct fc_error *err);

#endif
