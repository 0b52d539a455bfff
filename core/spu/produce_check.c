/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/produce_check.h"

fc_kafka_error fc_produce_check(struct fc_spu *spu, struct fc_request *request,
                                const struct fc_msg_produce_request *ask,
                                struct fc_log_topic *topic, struct fc_partition *partition,
                                const struct fc_msg_produce_request_partition *asked,
                                struct fc_append_rules *rules)
{
    (void)spu;
    (void)request;
    (void)ask;
    (void)topic;
    (void)partition;
    (void)asked;
    rules->guard = 0;
    return FC_KAFKA_NONE;
}
