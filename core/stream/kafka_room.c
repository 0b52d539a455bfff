/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A broker refuses batches over a topic's max.message.bytes, although each record may fit. To a topic
 * for which that is less than a producer's batch, no more than that is on its way at a time, or one
 * record; so no batch is larger.
 */
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/stream/kafka_state.h"

enum { NUMBER_SIZE = 24, STALL_MS = 3000, POLL_MS = 100 };

bool fc_kafka_is_small(const struct fc_kafka *kafka, struct fc_topic *topic)
{
    char value[NUMBER_SIZE] = "";
    size_t size = sizeof(value);
    return rd_kafka_conf_get(rd_kafka_conf(kafka->producer), "batch.size", value, &size) ==
               RD_KAFKA_CONF_OK &&
           fc_kafka_topic_of(topic)->message_bytes_max < strtoull(value, NULL, 10);
}

fc_code fc_kafka_wait_for_room(struct fc_kafka *kafka, struct fc_topic *topic, size_t bytes,
                               struct fc_error *err)
{
    uint64_t limit = fc_kafka_topic_of(topic)->message_bytes_max;
    int64_t since_ms = fc_clock_boot_ms();
    int left = rd_kafka_outq_len(kafka->producer);
    fc_code code = FC_OK;
    while (code == FC_OK && left > 0 && kafka->small_bytes + bytes > limit) {
        int before = left;
        (void)rd_kafka_flush(kafka->producer, POLL_MS); /* the queue's length tells */
        left = rd_kafka_outq_len(kafka->producer);
        since_ms = left < before ? fc_clock_boot_ms() : since_ms;
        code = fc_kafka_failure(kafka, err);
        if (code == FC_OK && left > 0 && fc_clock_boot_ms() - since_ms >= STALL_MS) {
            code = fc_kafka_fail(kafka, RD_KAFKA_RESP_ERR__TIMED_OUT,
                                 "no answer to what was written", err);
        }
    }
    kafka->small_bytes = left == 0 ? 0 : kafka->small_bytes;
    return code;
}
