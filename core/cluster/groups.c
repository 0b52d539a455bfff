/* SPDX-License-Identifier: Apache-2.0 */
/* Consumer groups of the cluster and the offsets that they have committed. */
#include "core/base/clock.h"
#include "core/cluster/call.h"

enum { AGAIN_MS = 100 };

/* Of who asks a broker that is about to be the group's coordinator, or was it just now. */
static bool is_moving(rd_kafka_resp_err_t answer)
{
    return answer == RD_KAFKA_RESP_ERR_NOT_COORDINATOR ||
           answer == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
           answer == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;
}

/* Wait a moment, unless it has lasted too long already. */
static bool may_ask_again(rd_kafka_t *handle, int64_t begun_ms)
{
    (void)rd_kafka_poll(handle, AGAIN_MS); /* only waits */
    return fc_clock_steady_ms(fc_clock_system()) - begun_ms < FC_CLUSTER_CALL_MS;
}

fc_code fc_cluster_groups(rd_kafka_t *handle, void (*on_group)(void *ctx, const char *group),
                          void *ctx, struct fc_error *err)
{
    const rd_kafka_ListConsumerGroups_result_t *result;
    struct fc_cluster_call call;
    size_t count = 0;
    fc_code code;
    fc_cluster_begin(&call, handle, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS);
    rd_kafka_ListConsumerGroups(handle, call.options, call.queue);
    code = fc_cluster_wait(&call, "list consumer groups", err);
    if (code == FC_OK) {
        const rd_kafka_ConsumerGroupListing_t **groups;
        result = rd_kafka_event_ListConsumerGroups_result(call.event);
        groups = rd_kafka_ListConsumerGroups_result_valid(result, &count);
        for (size_t index = 0; index < count; index++) {
            on_group(ctx, rd_kafka_ConsumerGroupListing_group_id(groups[index]));
        }
    }
    fc_cluster_end(&call);
    return code;
}

static fc_code read_committed(rd_kafka_t *handle, const char *group,
                              void (*on_offset)(void *ctx, const char *topic,
                                                uint32_t partition, int64_t offset),
                              void *ctx, bool *out_moving, struct fc_error *err)
{
    rd_kafka_ListConsumerGroupOffsets_t *asked =
        rd_kafka_ListConsumerGroupOffsets_new(group, NULL);
    struct fc_cluster_call call;
    const char *words = NULL;
    rd_kafka_resp_err_t answer;
    size_t count = 0;
    fc_code code = FC_OK;
    fc_cluster_begin(&call, handle, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    rd_kafka_ListConsumerGroupOffsets(handle, &asked, 1, call.options, call.queue);
    answer = fc_cluster_answer(&call, &words);
    if (answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = fc_cluster_fail(answer, words, "read a group's offsets", err);
    } else {
        const rd_kafka_group_result_t **groups =
            rd_kafka_ListConsumerGroupOffsets_result_groups(
                rd_kafka_event_ListConsumerGroupOffsets_result(call.event), &count);
        const rd_kafka_error_t *error =
            count == 1 ? rd_kafka_group_result_error(groups[0]) : NULL;
        const rd_kafka_topic_partition_list_t *list =
            count == 1 ? rd_kafka_group_result_partitions(groups[0]) : NULL;
        if (error != NULL || list == NULL) { /* without either, its coordinator is loading */
            answer = error == NULL ? RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS
                                   : rd_kafka_error_code(error);
            code = fc_cluster_fail(answer, error == NULL ? NULL : rd_kafka_error_string(error),
                                   "read a group's offsets", err);
        }
        for (int index = 0; list != NULL && code == FC_OK && index < list->cnt; index++) {
            const rd_kafka_topic_partition_t *entry = &list->elems[index];
            if (entry->err == RD_KAFKA_RESP_ERR_NO_ERROR && entry->offset >= 0) {
                on_offset(ctx, entry->topic, (uint32_t)entry->partition, entry->offset);
            }
        }
    }
    fc_cluster_end(&call);
    rd_kafka_ListConsumerGroupOffsets_destroy(asked);
    *out_moving = is_moving(answer);
    return code == FC_OK ? FC_OK : fc_wrap(err, "group %s", group);
}

fc_code fc_cluster_committed(rd_kafka_t *handle, const char *group,
                             void (*on_offset)(void *ctx, const char *topic, uint32_t partition,
                                               int64_t offset),
                             void *ctx, struct fc_error *err)
{
    int64_t begun_ms = fc_clock_steady_ms(fc_clock_system());
    bool moving = false;
    fc_code code;
    do {
        code = read_committed(handle, group, on_offset, ctx, &moving, err);
    } while (code != FC_OK && moving && may_ask_again(handle, begun_ms));
    return code;
}

static rd_kafka_resp_err_t first_error(const rd_kafka_topic_partition_list_t *list)
{
    for (int index = 0; list != NULL && index < list->cnt; index++) {
        if (list->elems[index].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return list->elems[index].err;
        }
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static fc_code commit(rd_kafka_t *handle, const char *group,
                      const rd_kafka_topic_partition_list_t *offsets, bool *out_moving,
                      struct fc_error *err)
{
    rd_kafka_AlterConsumerGroupOffsets_t *wanted =
        rd_kafka_AlterConsumerGroupOffsets_new(group, offsets);
    rd_kafka_resp_err_t answer = RD_KAFKA_RESP_ERR_NO_ERROR;
    struct fc_cluster_call call;
    const char *words = NULL;
    size_t count = 0;
    fc_code code = FC_OK;
    fc_cluster_begin(&call, handle, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS);
    rd_kafka_AlterConsumerGroupOffsets(handle, &wanted, 1, call.options, call.queue);
    answer = fc_cluster_answer(&call, &words);
    if (answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = fc_cluster_fail(answer, words, "commit a group's offsets", err);
    } else {
        const rd_kafka_group_result_t **groups =
            rd_kafka_AlterConsumerGroupOffsets_result_groups(
                rd_kafka_event_AlterConsumerGroupOffsets_result(call.event), &count);
        const rd_kafka_error_t *error =
            count == 1 ? rd_kafka_group_result_error(groups[0]) : NULL;
        answer = error != NULL ? rd_kafka_error_code(error)
                 : count == 1  ? first_error(rd_kafka_group_result_partitions(groups[0]))
                               : RD_KAFKA_RESP_ERR__FAIL;
    }
    fc_cluster_end(&call);
    rd_kafka_AlterConsumerGroupOffsets_destroy(wanted);
    if (answer == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
        answer == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS ||
        answer == RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP) {
        code = fc_fail(err, FC_ERR_REJECTED, "Kafka: group %s is in use there", group);
    } else if (code == FC_OK && answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = fc_cluster_fail(answer, NULL, "commit a group's offsets", err);
        (void)fc_wrap(err, "group %s", group); /* the code is the same */
    }
    *out_moving = is_moving(answer);
    return code;
}

fc_code fc_cluster_commit(rd_kafka_t *handle, const char *group,
                          const rd_kafka_topic_partition_list_t *offsets, struct fc_error *err)
{
    int64_t begun_ms = fc_clock_steady_ms(fc_clock_system());
    bool moving = false;
    fc_code code;
    do {
        code = commit(handle, group, offsets, &moving, err);
    } while (code != FC_OK && moving && may_ask_again(handle, begun_ms));
    return code;
}
