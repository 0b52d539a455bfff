/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups and offsets as records of __consumer_offsets, in Kafka's layouts (so that its tools read
 * them): keys OffsetCommitKey 1 and GroupMetadataKey 2, values OffsetCommitValue 3 and
 * GroupMetadataValue 3, each behind two bytes of version. A null value deletes.
 */
#ifndef FC_SPU_COORDINATOR_RECORDS_H
#define FC_SPU_COORDINATOR_RECORDS_H

#include "core/spu/coordinator.h"
#include "core/spu/journal.h"

FC_MUST_CHECK fc_code fc_coordinator_store_commits(struct fc_journal *journal,
                                                   struct fc_slice group_id,
                                                   const struct fc_commit *commits,
                                                   int32_t count,
                                                   const struct fc_journal_producer *producer,
                                                   int64_t *out_base, struct fc_error *err);

FC_MUST_CHECK fc_code fc_coordinator_store_forgotten(struct fc_journal *journal,
                                                     struct fc_slice group_id,
                                                     struct fc_slice topic, int32_t partition,
                                                     int64_t now_ms, struct fc_error *err);

FC_MUST_CHECK fc_code fc_coordinator_store_group(struct fc_journal *journal,
                                                 const struct fc_group *group, int64_t now_ms,
                                                 struct fc_error *err);

FC_MUST_CHECK fc_code fc_coordinator_store_deleted(struct fc_journal *journal,
                                                   struct fc_slice group_id, int64_t now_ms,
                                                   struct fc_error *err);

/* ctx of fc_coordinator_load_batch. */
struct fc_coordinator_load {
    struct fc_coordinator *coordinator;
    int64_t now_ms;    /* steady */
    int32_t partition; /* of __consumer_offsets, that is read */
};

/* For fc_journal_scan: take over what a batch says. Before the coordinator is used. */
FC_MUST_CHECK fc_code fc_coordinator_load_batch(void *ctx, const struct fc_batch_header *header,
                                                const struct fc_record *records, uint32_t count,
                                                struct fc_error *err);

#endif
