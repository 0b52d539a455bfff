/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/consume_plan.h"

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

void fc_consume_plan(const struct fc_consume_range *range, int64_t first, int64_t next,
                     int64_t by_time, struct fc_consume_partition *partition)
{
    int64_t begin = next;
    switch (range->from) {
    case FC_CONSUME_END:
        begin = next;
        break;
    case FC_CONSUME_BEGINNING:
        begin = first;
        break;
    case FC_CONSUME_HEAD:
        begin = range->number > INT64_MAX - first ? INT64_MAX : first + range->number;
        break;
    case FC_CONSUME_TAIL:
        begin = next - range->number;
        break;
    case FC_CONSUME_START:
        begin = range->number;
        break;
    case FC_CONSUME_TIME:
        begin = by_time < 0 ? next : by_time;
        break;
    }
    partition->begin = begin < first ? first : begin;
    partition->next = clamp(begin, first, next);
    partition->stop = INT64_MAX;
    if (range->end >= 0 && range->end < INT64_MAX) {
        partition->stop = range->end + 1;
    }
    if (range->stop_at_end && next < partition->stop) {
        partition->stop = next;
    }
    partition->done = partition->begin >= partition->stop;
}

static fc_code look_up(struct fc_cluster *cluster, rd_kafka_topic_partition_list_t *list,
                       int64_t which, struct fc_error *err)
{
    for (int index = 0; index < list->cnt; index++) {
        list->elems[index].offset = which;
        list->elems[index].err = RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    if (fc_cluster_offsets(cluster, list, err) != FC_OK) {
        return err->code;
    }
    for (int index = 0; index < list->cnt; index++) {
        const rd_kafka_topic_partition_t *entry = &list->elems[index];
        if (entry->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            char what[64];
            (void)snprintf(what, sizeof(what), "partition %d", (int)entry->partition);
            return fc_cluster_fail(cluster, entry->err, NULL, what, err);
        }
    }
    return FC_OK;
}

fc_code fc_consume_plan_all(struct fc_cluster *cluster, const char *topic,
                            const struct fc_consume_range *range,
                            struct fc_consume_partition *partitions, size_t count,
                            struct fc_error *err)
{
    rd_kafka_topic_partition_list_t *first = rd_kafka_topic_partition_list_new((int)count);
    rd_kafka_topic_partition_list_t *next;
    rd_kafka_topic_partition_list_t *timed;
    fc_code code;
    for (size_t index = 0; index < count; index++) {
        (void)rd_kafka_topic_partition_list_add(first, topic, partitions[index].partition);
    }
    next = rd_kafka_topic_partition_list_copy(first);
    timed = rd_kafka_topic_partition_list_copy(first);
    code = look_up(cluster, first, RD_KAFKA_OFFSET_BEGINNING, err);
    if (code == FC_OK) {
        code = look_up(cluster, next, RD_KAFKA_OFFSET_END, err);
    }
    if (code == FC_OK && range->from == FC_CONSUME_TIME) {
        code = look_up(cluster, timed, range->number, err);
    }
    for (size_t index = 0; index < count && code == FC_OK; index++) {
        struct fc_consume_partition *partition = &partitions[index];
        const rd_kafka_topic_partition_t *low =
            rd_kafka_topic_partition_list_find(first, topic, partition->partition);
        const rd_kafka_topic_partition_t *high =
            rd_kafka_topic_partition_list_find(next, topic, partition->partition);
        const rd_kafka_topic_partition_t *by_time =
            rd_kafka_topic_partition_list_find(timed, topic, partition->partition);
        fc_consume_plan(range, low->offset, high->offset, by_time->offset, partition);
    }
    rd_kafka_topic_partition_list_destroy(first);
    rd_kafka_topic_partition_list_destroy(next);
    rd_kafka_topic_partition_list_destroy(timed);
    return code;
}
