/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cluster/cluster.h"

/* As times, where both the protocol and librdkafka take them. */
enum { NEWEST = -1, OLDEST = -2 };

static rd_kafka_resp_err_t ask(rd_kafka_t *handle, const char *topic, uint32_t partition,
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

rd_kafka_resp_err_t fc_cluster_watermarks(rd_kafka_t *handle, const char *topic,
                                          uint32_t partition, int wait_ms, int64_t *out_low,
                                          int64_t *out_high)
{
    rd_kafka_resp_err_t answer = ask(handle, topic, partition, OLDEST, wait_ms, out_low);
    return answer == RD_KAFKA_RESP_ERR_NO_ERROR
               ? ask(handle, topic, partition, NEWEST, wait_ms, out_high)
               : answer;
}
