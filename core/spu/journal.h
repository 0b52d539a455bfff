/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compacted topic of the SPU's own (__consumer_offsets, __transaction_state): keyed records that
 * a coordinator writes as its state changes, and reads back when it starts.
 *
 * Thread: any, once it is open.
 */
#ifndef FC_SPU_JOURNAL_H
#define FC_SPU_JOURNAL_H

#include "core/log/batch.h"
#include "core/log/record.h"
#include "core/spu/spu_state.h"

struct fc_journal;

/* partitions: when it is to be made; one that is there keeps its number. Nothing is read or made
 * yet. */
struct fc_journal *fc_journal_new(struct fc_spu *spu, const char *name, uint32_t partitions);
void fc_journal_free(struct fc_journal *journal); /* NULL is fine */

/* Whether the topic is there. Does not wait for the disk once it is. */
bool fc_journal_is_open(const struct fc_journal *journal);

/* Find the topic; make it when `make` and there is none (waits for the disk). FC_ERR_NOT_FOUND. */
FC_MUST_CHECK fc_code fc_journal_open(struct fc_journal *journal, bool make,
                                      struct fc_error *err);

/* Of an open one. */
struct fc_log_topic *fc_journal_topic(const struct fc_journal *journal);
uint32_t fc_journal_partitions(const struct fc_journal *journal);

/* Where the records of a key are, by Kafka's rule: Java's hash of the text. */
int32_t fc_journal_partition_of(const struct fc_journal *journal, struct fc_slice key);

/* Who writes within a transaction. */
struct fc_journal_producer {
    int64_t id;
    int16_t epoch;
};

/*
 * Append records as one batch; not durable yet. producer NULL: not in a transaction.
 * Errors: as fc_partition_append_wire; FC_ERR_LIMIT.
 */
FC_MUST_CHECK fc_code fc_journal_write(struct fc_journal *journal, int32_t partition,
                                       const struct fc_record *records, uint32_t count,
                                       const struct fc_journal_producer *producer,
                                       int64_t *out_base, struct fc_error *err);

/* Whether a record that was written there can no longer be lost. */
bool fc_journal_is_durable(struct fc_journal *journal, int32_t partition, int64_t offset);

/*
 * Call on_batch for each batch of a partition, control batches included (their records are the
 * markers'), from its start to its end. A non-OK return ends the scan and is returned.
 */
FC_MUST_CHECK fc_code fc_journal_scan(struct fc_journal *journal, int32_t partition,
                                      fc_code (*on_batch)(void *ctx,
                                                          const struct fc_batch_header *header,
                                                          const struct fc_record *records,
                                                          uint32_t count, struct fc_error *err),
                                      void *ctx, struct fc_error *err);

#endif
