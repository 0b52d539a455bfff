/* SPDX-License-Identifier: Apache-2.0 */
#include "core/link/link_offsets.h"

#include <stdbool.h>

#include "core/base/clock.h"

enum { AGAIN_MS = 100, ONE_MS = 3000 /* for an answer; who is gone gives none */ };

/* A broker that was asked too early, or that is gone. */
static bool is_moving(rd_kafka_resp_err_t answer)
{
    switch ((int)answer) {
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
        return true;
    default:
        return false;
    }
}

/* The list again, with what was asked for in place of what was answered. */
static void ask_anew(rd_kafka_topic_partition_list_t *list,
                     const rd_kafka_topic_partition_list_t *asked)
{
    for (int index = 0; index < list->cnt; index++) {
        list->elems[index].offset = asked->elems[index].offset;
        list->elems[index].err = RD_KAFKA_RESP_ERR_NO_ERROR;
    }
}

static rd_kafka_resp_err_t answer_of(rd_kafka_resp_err_t answer,
                                     const rd_kafka_topic_partition_list_t *list)
{
    for (int index = 0; answer == RD_KAFKA_RESP_ERR_NO_ERROR && index < list->cnt; index++) {
        answer = list->elems[index].err;
    }
    return answer;
}

/* Who leads is known for minutes, also when that broker is gone. */
static void forget_leaders(rd_kafka_t *handle, int wait_ms)
{
    const struct rd_kafka_metadata *metadata = NULL;
    if (rd_kafka_metadata(handle, 1, NULL, &metadata, wait_ms) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(metadata);
    }
}

rd_kafka_resp_err_t fc_link_offsets(rd_kafka_t *handle, rd_kafka_topic_partition_list_t *list,
                                    int wait_ms)
{
    rd_kafka_topic_partition_list_t *asked = rd_kafka_topic_partition_list_copy(list);
    int64_t until_ms = fc_clock_steady_ms(fc_clock_system()) + wait_ms;
    int left_ms = wait_ms;
    rd_kafka_resp_err_t answer;
    for (;;) {
        answer = rd_kafka_offsets_for_times(handle, list, left_ms < ONE_MS ? left_ms : ONE_MS);
        left_ms = (int)(until_ms - fc_clock_steady_ms(fc_clock_system())) - AGAIN_MS;
        if (!is_moving(answer_of(answer, list)) || left_ms <= 0) {
            break;
        }
        (void)rd_kafka_poll(handle, AGAIN_MS); /* only waits */
        forget_leaders(handle, left_ms < ONE_MS ? left_ms : ONE_MS);
        ask_anew(list, asked);
    }
    rd_kafka_topic_partition_list_destroy(asked);
    return answer;
}
