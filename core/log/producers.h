/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a partition remembers of its producers: the last batches of each, so that a batch that is
 * sent twice is stored once, and their open transactions. It follows from the batches in the
 * log alone, but for when the batches came, and so for what has expired.
 *
 * Not thread-safe: guarded by the partition's lock.
 */
#ifndef FC_LOG_PRODUCERS_H
#define FC_LOG_PRODUCERS_H

#include "core/base/buf.h"
#include "core/base/hashmap.h"
#include "core/base/kafka_error.h"
#include "core/log/batch.h"

enum { FC_PRODUCER_BATCHES = 5 };

/* In the place of a guard: that the batch belongs to a transaction is known otherwise. */
#define FC_GUARD_VERIFIED UINT64_MAX

struct fc_producer_batch {
    int32_t first_sequence;
    int32_t last_sequence;
    int64_t base_offset;
    int64_t last_offset;
    int64_t timestamp_ms; /* the largest in it */
};

struct fc_producer {
    int64_t id;
    int16_t epoch;
    int32_t coordinator_epoch;  /* of the last marker; -1: none */
    int64_t last_seen_ms;       /* wall clock when its last batch or marker came */
    int64_t transaction_offset; /* first offset of its open transaction; -1: none */
    int32_t last_sequence;      /* -1: none in this epoch */
    uint32_t batches_count;
    struct fc_producer_batch batches[FC_PRODUCER_BATCHES]; /* of this epoch; oldest first */
};

/* The end of a transaction: what a control batch says. */
struct fc_marker {
    bool commit;
    int32_t coordinator_epoch;
};

struct fc_aborted {
    int64_t producer_id;
    int64_t first_offset;
    int64_t last_offset;   /* of the marker */
    int64_t stable_offset; /* last stable offset once it was ended */
};

/* first_offset rises along the array. */
struct fc_open_transaction {
    int64_t first_offset;
    int64_t producer_id;
};

/* Ended, but the marker is not below the high watermark yet. */
struct fc_ended_transaction {
    int64_t first_offset;
    int64_t marker_offset;
};

struct fc_verification {
    int64_t producer_id;
    int16_t epoch;
    uint64_t guard;
    int64_t begun_ms;
};

struct fc_producers {
    struct fc_hashmap map; /* by id, 8 bytes, to struct fc_producer */
    struct fc_open_transaction *open;
    size_t open_count;
    size_t open_capacity;
    struct fc_ended_transaction *ended;
    size_t ended_count;
    size_t ended_capacity;
    struct fc_aborted *aborted; /* of the active segment, in order of markers */
    size_t aborted_count;
    size_t aborted_capacity;
    struct fc_verification *verifications;
    size_t verifications_count;
    uint64_t last_guard;
};

void fc_producers_init(struct fc_producers *producers);
void fc_producers_release(struct fc_producers *producers);

/* Nothing to remember, so nothing to save. */
bool fc_producers_is_empty(const struct fc_producers *producers);

/* NULL when it is not known. */
const struct fc_producer *fc_producers_get(const struct fc_producers *producers, int64_t id);

/* Whether a client's batch may be appended; *out_duplicate is set to the batch that it repeats,
 * or NULL. guard as in struct fc_append_rules. On an error *err says why. */
fc_kafka_error fc_producers_check(const struct fc_producers *producers,
                                  const struct fc_batch_header *header, uint64_t guard,
                                  const struct fc_producer_batch **out_duplicate,
                                  struct fc_error *err);

/* Whether a marker may be appended. */
fc_kafka_error fc_producers_check_marker(const struct fc_producers *producers,
                                         const struct fc_batch_header *header,
                                         const struct fc_marker *marker, struct fc_error *err);

/* Account for a batch that is in the log; marker is NULL unless it is a control batch. now_ms is
 * the wall clock: records say when something happened, which may be years before they are sent. */
void fc_producers_note(struct fc_producers *producers, const struct fc_batch_header *header,
                       const struct fc_marker *marker, int64_t now_ms);

/* First offset of a transaction that is open, or whose end may be lost; INT64_MAX: none. */
int64_t fc_producers_unstable(const struct fc_producers *producers);

/* Markers below high_watermark cannot be lost any more. True when that changed something. */
bool fc_producers_settle(struct fc_producers *producers, int64_t high_watermark);

/* Forget those without an open transaction that were last seen before oldest_ms. */
void fc_producers_expire(struct fc_producers *producers, int64_t oldest_ms);

/* Forget the guards that were given before oldest_ms: no batch came with them. */
void fc_producers_expire_guards(struct fc_producers *producers, int64_t oldest_ms);

/* A guard for a batch that would open a transaction, or 0 when that is open already. */
uint64_t fc_producers_verify(struct fc_producers *producers, int64_t id, int16_t epoch,
                             int64_t now_ms);

/* The guard is not wanted after all; nothing when another has taken its place. */
void fc_producers_unverify(struct fc_producers *producers, int64_t id, uint64_t guard);

/* --- from a snapshot: into an empty one, then fc_producers_restored once --- */

/* False when it is known already, or cannot be. */
bool fc_producers_restore(struct fc_producers *producers, const struct fc_producer *producer);
void fc_producers_restore_aborted(struct fc_producers *producers,
                                  const struct fc_aborted *aborted);
void fc_producers_restored(struct fc_producers *producers);

/* The batch's last sequence number; they wrap at INT32_MAX. */
int32_t fc_producer_last_sequence(const struct fc_batch_header *header);

/* What a marker's body says. FC_ERR_CORRUPT. */
FC_MUST_CHECK fc_code fc_marker_decode(struct fc_slice body, struct fc_marker *out_marker,
                                       struct fc_error *err);

/* A whole control batch with that marker; its base offset is set when it is appended. */
enum { FC_MARKER_BATCH_SIZE = FC_BATCH_HEADER_SIZE + 17 };
void fc_marker_encode(const struct fc_marker *marker, int64_t producer_id, int16_t epoch,
                      int64_t timestamp_ms, uint8_t to[FC_MARKER_BATCH_SIZE]);

#endif
