/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sink asks of its producer: records handed over and waited for, in transactions where
 * that is promised. For this folder only, and for the sink's own thread.
 *
 * Whatever fails says why in `err`, FC_ERR_REFUSED when another sink of the name has taken over:
 * then nothing must be begun anew, since that would shut out the other one in turn.
 */
#ifndef FC_KAFKA_SINK_PRODUCER_H
#define FC_KAFKA_SINK_PRODUCER_H

#include "connectors/kafka/sink_state.h"

/* With transactions, an earlier sink of the name is out afterwards. */
FC_MUST_CHECK fc_code fc_sink_producer_open(struct fc_sink *sink, struct fc_error *err);

/* The largest batch that it sends, in bytes, but for one of a single record. */
size_t fc_sink_producer_batch_bytes(const struct fc_sink *sink);

/* Whether what was handed over so far can still be delivered. */
FC_MUST_CHECK fc_code fc_sink_producer_check(struct fc_sink *sink, struct fc_error *err);

/* Until everything that was handed over is acknowledged. */
FC_MUST_CHECK fc_code fc_sink_producer_drain(struct fc_sink *sink, struct fc_error *err);

/* Begin a transaction unless one is open, or none are used. */
FC_MUST_CHECK fc_code fc_sink_producer_begin(struct fc_sink *sink, struct fc_error *err);

/* A commit that gave no answer in time is asked for again: only then is known what became of
 * it. */
FC_MUST_CHECK fc_code fc_sink_producer_commit(struct fc_sink *sink, struct fc_error *err);

/* After a failure with `code` and `err`: give up the transaction, so that readers need not wait
 * for it. Returns `code`, or what the cluster says when that is that another sink has taken over;
 * `err` is set accordingly. */
FC_MUST_CHECK fc_code fc_sink_producer_give_up(struct fc_sink *sink, fc_code code,
                                               struct fc_error *err);

/* Before the producer is destroyed: give up what it has open, without waiting long. One that is
 * destroyed while it makes partitions known to its transaction may end the process (librdkafka
 * counts an answer before the question), and readers at the target would wait for the
 * transaction until it is too old. */
void fc_sink_producer_leave(struct fc_sink *sink);

#endif
