/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the log already holds beyond the checkpoint: found by scanning from its ends, used to drop by
 * identity what the source sends again.
 *
 * Within a partition a transaction's records stand in row order, so per partition and transaction the
 * highest (row, part) tells which of its records are there. Transactions keep the sequence number
 * that they were first written with. One whose records were all lost, while other partitions hold
 * some of later transactions, finds its number still free: numbers are given out from the
 * checkpoint's on, leaving out those in use.
 *
 * Thread: built while no unit is under way; then fc_resume_take_seq belongs to the reader and
 * fc_resume_holds to any worker.
 */
#ifndef FC_RUNNER_RESUME_H
#define FC_RUNNER_RESUME_H

#include "core/base/hashmap.h"
#include "runner/checkpoint.h"
#include "runner/identity.h"

struct fc_resume {
    struct fc_hashmap transactions; /* tx id -> struct held_tx */
    struct fc_hashmap rows;         /* topic, partition, tx id -> struct held_row */
    struct fc_hashmap numbers;      /* in use beyond the checkpoint */
    uint64_t seq_max;               /* highest number seen, or the checkpoint's */
    uint64_t checkpoint_seq;        /* transactions up to it stand before the position */
    uint64_t records;               /* found beyond the checkpoint */
    size_t unseen; /* of those after the checkpoint, how many the source has not sent again */
};

void fc_resume_init(struct fc_resume *resume);
void fc_resume_release(struct fc_resume *resume);

/* Scan; replaces what resume held. */
FC_MUST_CHECK fc_code fc_resume_scan(struct fc_resume *resume, struct fc_stream *stream,
                                     const char *connector, struct fc_checkpoint *checkpoint,
                                     struct fc_error *err);

/* Number that the transaction was written with, or 0. Counts it as sent again. */
uint64_t fc_resume_take_seq(struct fc_resume *resume, struct fc_slice tx_id);

/* The first number after `seq` that is not in use. */
uint64_t fc_resume_free_seq(const struct fc_resume *resume, uint64_t seq);

/* Whether the log holds any record of the transaction. */
bool fc_resume_knows(const struct fc_resume *resume, struct fc_slice tx_id);

/* Whether the partition already holds this record. */
bool fc_resume_holds(const struct fc_resume *resume, const char *topic, uint32_t partition,
                     struct fc_slice tx_id, uint64_t row, uint32_t part);

#endif
