/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/clock.h"
#include "core/cluster/cluster.h"

enum {
    NEWEST = -1, /* as times, where both the protocol and librdkafka take them */
    OLDEST = -2,
    AGAIN_MS = 100
};

/* A broker that was asked too early, while a leader moves; librdkafka looks for the new one. */
static bool is_moving(rd_kafka_resp_err_t answer)
{
    return answer == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
           answer == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
           answer == RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE;
}

static rd_kafka_resp_err_t ask_once(rd_kafka_t *handle, const char *topic, uint32_t partition,
                                    int64_t which, int wait_ms, int64_t *out_offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *entry =
        rd_kafka_topic_partition_list_add(list, topic, (int32_t)partition);
    rd_kafka_resp_err_t answer;
    entry->offset = which;
    answer = rd_kafka_offsets_for_times(handle, list, wait_ms);
    answer = answer == RD_KAFKA_RESP_ERR_NO_ERROR ? entry->err : answer;
    *out_offset = entry->offset;
    rd_kafka_topic_partition_list_destroy(list);
    return answer == RD_KAFKA_RESP_ERR_NO_ERROR && *out_offset < 0
               ? RD_KAFKA_RESP_ERR__TIMED_OUT
               : answer;
}

static rd_kafka_resp_err_t ask(rd_kafka_t *handle, const char *topic, uint32_t partition,
                               int64_t which, int wait_ms, int64_t *out_offset)
{
    int64_t until_ms = fc_clock_steady_ms(fc_clock_system()) + wait_ms;
    int left_ms = wait_ms;
    rd_kafka_resp_err_t answer = ask_once(handle, topic, partition, which, left_ms, out_offset);
    while (is_moving(answer) && left_ms > AGAIN_MS) {
        (void)rd_kafka_poll(handle, AGAIN_MS); /* only waits */
        left_ms = (int)(until_ms - fc_clock_steady_ms(fc_clock_system()));
        if (left_ms > 0) {
            answer = ask_once(handle, topic, partition, which, left_ms, out_offset);
        }
    }
    return answer;
}

rd_kafka_resp_err_t fc_cluster_watermarks(rd_kafka_t *handle, const char *topic,
                                          uint32_t partition, int wait_ms, int64_t *out_low,
                                          int64_t *out_high)
{
    rd_kafka_resp_err_t answer = ask(handle, topic, partition, OLDEST, wait_ms, out_low);
    return answer == RD_KAFKA_RESP_ERR_NO_ERROR
               ? ask(handle, topic, partition, NEWEST, wait_ms, out_high)
               : answer;
}
