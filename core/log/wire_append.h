/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Appending what a client sent, as it came: it is checked, its offsets are given in place, and
 * it is written from the request's own bytes. Records are taken apart only when a rule of the
 * topic needs to see them.
 *
 * Thread: any number at once.
 */
#ifndef FC_LOG_WIRE_APPEND_H
#define FC_LOG_WIRE_APPEND_H

#include "core/base/kafka_error.h"
#include "core/log/producers.h"
#include "core/log/topic_config.h"

/* What a topic demands of a batch. */
struct fc_append_rules {
    int64_t message_bytes_max;
    bool compacted;  /* each record has a key */
    int compression; /* an fc_compression, or FC_TOPIC_COMPRESSION_PRODUCER */
    bool log_append_time;
    int64_t timestamp_before_max_ms;
    int64_t timestamp_after_max_ms;
    /*
     * What a batch needs that would open a transaction: the guard that fc_partition_verify gave
     * before the coordinator said that the partition belongs to it, or FC_GUARD_VERIFIED. 0:
     * such a batch is refused with INVALID_TXN_STATE.
     */
    uint64_t guard;
    /* The batch is a coordinator's of this process: it carries its producer's id without sequence
     * numbers. */
    bool unsequenced;
};

/* Without a guard. */
void fc_append_rules_of(const struct fc_log_topic_config *config,
                        struct fc_append_rules *out_rules);

struct fc_append_result {
    fc_kafka_error error;
    int64_t base_offset; /* -1 unless appended, now or before */
    int64_t last_offset;
    int64_t log_append_time_ms; /* -1 unless the topic has log_append_time */
    int64_t log_start;
    bool duplicate;     /* the batch was appended before; base_offset is that one's */
    int32_t bad_record; /* whose fault it is, counted from 0; -1: none's */
};

/*
 * Append one batch, which has to be all of the bytes; its header is changed in place.
 *
 * out_result is always set. On an error out_result->error is what the client gets, and err says
 * why. FC_ERR_REJECTED: the batch breaks a rule. FC_ERR_FULL, FC_ERR_IO, FC_ERR_CORRUPT: as
 * fc_partition_append. FC_ERR_NOT_FOUND: the topic is deleted.
 */
FC_MUST_CHECK fc_code fc_partition_append_wire(struct fc_partition *partition, uint8_t *batch,
                                               size_t size, const struct fc_append_rules *rules,
                                               struct fc_append_result *out_result,
                                               struct fc_error *err);

/* The end of a producer's transaction; errors as above. A marker for a producer without an open
 * transaction is appended, too. */
struct fc_marker_request {
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t coordinator_epoch;
    bool commit;
    /* By the only coordinator there is, this process's: under the epoch of the producer's last
     * marker when that is higher, which an administrator may have written. */
    bool own;
};
FC_MUST_CHECK fc_code fc_partition_append_marker(struct fc_partition *partition,
                                                 const struct fc_marker_request *request,
                                                 struct fc_append_result *out_result,
                                                 struct fc_error *err);

/*
 * A guard for what the coordinator is asked next: whether the partition belongs to the
 * producer's transaction. It holds until that transaction ends. 0: the transaction is open here
 * already, and nobody need be asked.
 */
uint64_t fc_partition_verify(struct fc_partition *partition, int64_t producer_id,
                             int16_t epoch);

/* The coordinator said that it does not: forget the guard. Else each made-up id would stay. */
void fc_partition_unverify(struct fc_partition *partition, int64_t producer_id, uint64_t guard);

/* --- what is known of producers --- */

/* Copies, by id; the caller frees them. */
FC_MUST_CHECK fc_code fc_partition_producers(struct fc_partition *partition,
                                             struct fc_producer **out_producers,
                                             size_t *out_count, struct fc_error *err);

#endif
