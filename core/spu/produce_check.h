/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a batch may be appended as far as its transaction goes (KIP-890, part 1): a batch that
 * would open a transaction is taken only when the coordinator knows that the partition belongs
 * to it, so that a late batch of a transaction that has ended opens none. */
#ifndef FC_SPU_PRODUCE_CHECK_H
#define FC_SPU_PRODUCE_CHECK_H

#include "core/log/wire_append.h"
#include "core/spu/spu_state.h"

/* Sets rules->guard for a batch of a transaction. */
fc_kafka_error fc_produce_check(struct fc_spu *spu, struct fc_request *request,
                                const struct fc_msg_produce_request *ask,
                                struct fc_log_topic *topic, struct fc_partition *partition,
                                const struct fc_msg_produce_request_partition *asked,
                                struct fc_append_rules *rules);

#endif
