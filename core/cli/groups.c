/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/groups.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/cli/group_wire.h"

enum { AGAIN_MS = 100 };

bool fc_group_is_active(const char *state)
{
    return strcmp(state, "Empty") != 0 && strcmp(state, "Dead") != 0;
}

/* --- describing, by librdkafka ---------------------------------------------------------------------------- */

static json_t *assigned(const rd_kafka_MemberDescription_t *member)
{
    const rd_kafka_MemberAssignment_t *assignment =
        rd_kafka_MemberDescription_assignment(member);
    const rd_kafka_topic_partition_list_t *list =
        assignment == NULL ? NULL : rd_kafka_MemberAssignment_partitions(assignment);
    json_t *partitions = json_array();
    for (int index = 0; list != NULL && index < list->cnt; index++) {
        json_t *partition = json_object();
        json_object_set_new(partition, "topic", fc_output_string(list->elems[index].topic));
        json_object_set_new(partition, "partition", json_integer(list->elems[index].partition));
        json_array_append_new(partitions, partition);
    }
    return partitions;
}

static json_t *member_of(const rd_kafka_MemberDescription_t *member)
{
    json_t *row = json_object();
    json_object_set_new(row, "member",
                        fc_output_string(rd_kafka_MemberDescription_consumer_id(member)));
    json_object_set_new(row, "instance",
                        fc_output_string(rd_kafka_MemberDescription_group_instance_id(member)));
    json_object_set_new(row, "client",
                        fc_output_string(rd_kafka_MemberDescription_client_id(member)));
    json_object_set_new(row, "host", fc_output_string(rd_kafka_MemberDescription_host(member)));
    json_object_set_new(row, "partitions", assigned(member));
    return row;
}

static json_t *group_of(const rd_kafka_ConsumerGroupDescription_t *group)
{
    const rd_kafka_Node_t *node = rd_kafka_ConsumerGroupDescription_coordinator(group);
    json_t *row = json_object();
    json_t *members = json_array();
    size_t count = rd_kafka_ConsumerGroupDescription_member_count(group);
    for (size_t index = 0; index < count; index++) {
        json_array_append_new(
            members, member_of(rd_kafka_ConsumerGroupDescription_member(group, index)));
    }
    json_object_set_new(row, "group",
                        fc_output_string(rd_kafka_ConsumerGroupDescription_group_id(group)));
    json_object_set_new(row, "type", json_string("consumer")); /* it knows no other */
    json_object_set_new(row, "state",
                        json_string(rd_kafka_consumer_group_state_name(
                            rd_kafka_ConsumerGroupDescription_state(group))));
    json_object_set_new(
        row, "protocol",
        fc_output_string(rd_kafka_ConsumerGroupDescription_partition_assignor(group)));
    json_object_set_new(row, "coordinator",
                        node == NULL ? json_null() : json_integer(rd_kafka_Node_id(node)));
    json_object_set_new(row, "members", members);
    return row;
}

static fc_code take_groups(struct fc_cluster *cluster, rd_kafka_event_t *event, json_t *groups,
                           struct fc_error *err)
{
    size_t count = 0;
    const rd_kafka_ConsumerGroupDescription_t **list =
        rd_kafka_DescribeConsumerGroups_result_groups(
            rd_kafka_event_DescribeConsumerGroups_result(event), &count);
    for (size_t index = 0; index < count; index++) {
        const char *name = rd_kafka_ConsumerGroupDescription_group_id(list[index]);
        const rd_kafka_error_t *failed = rd_kafka_ConsumerGroupDescription_error(list[index]);
        if (failed != NULL) {
            return fc_cluster_fail(cluster, rd_kafka_error_code(failed),
                                   rd_kafka_error_string(failed), name, err);
        }
        json_array_append_new(groups, group_of(list[index]));
    }
    return FC_OK;
}

static fc_code describe(struct fc_cluster *cluster, const char **names, size_t count,
                        json_t *groups, struct fc_error *err)
{
    rd_kafka_AdminOptions_t *options;
    rd_kafka_event_t *event = NULL;
    fc_code code;
    if (count == 0) {
        return FC_OK;
    }
    options = fc_cluster_options(cluster, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    rd_kafka_DescribeConsumerGroups(cluster->rk, names, count, options, cluster->queue);
    code = fc_cluster_await(cluster, RD_KAFKA_EVENT_DESCRIBECONSUMERGROUPS_RESULT,
                            "describe groups", &event, err);
    rd_kafka_AdminOptions_destroy(options);
    if (code == FC_OK) {
        code = take_groups(cluster, event, groups, err);
        rd_kafka_event_destroy(event);
    }
    return code;
}

/* --- listing ------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void take_names(const rd_kafka_ListConsumerGroups_result_t *result, json_t *names)
{
    size_t count = 0;
    const rd_kafka_ConsumerGroupListing_t **list =
        rd_kafka_ListConsumerGroups_result_valid(result, &count);
    const char **sorted = fc_new_array(const char *, count + 1);
    for (size_t index = 0; index < count; index++) {
        sorted[index] = rd_kafka_ConsumerGroupListing_group_id(list[index]);
    }
    qsort(sorted, count, sizeof(*sorted), by_name);
    for (size_t index = 0; index < count; index++) {
        json_array_append_new(names, fc_output_string(sorted[index]));
    }
    free(sorted);
}

static fc_code list_names(struct fc_cluster *cluster, json_t *names, struct fc_error *err)
{
    rd_kafka_AdminOptions_t *options =
        fc_cluster_options(cluster, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS);
    const rd_kafka_ListConsumerGroups_result_t *result;
    const rd_kafka_error_t **errors;
    rd_kafka_event_t *event = NULL;
    size_t count = 0;
    fc_code code;
    rd_kafka_ListConsumerGroups(cluster->rk, options, cluster->queue);
    code = fc_cluster_await(cluster, RD_KAFKA_EVENT_LISTCONSUMERGROUPS_RESULT, "list groups",
                            &event, err);
    rd_kafka_AdminOptions_destroy(options);
    if (code != FC_OK) {
        return code;
    }
    result = rd_kafka_event_ListConsumerGroups_result(event);
    errors = rd_kafka_ListConsumerGroups_result_errors(result, &count);
    if (count > 0) {
        code = fc_cluster_fail(cluster, rd_kafka_error_code(errors[0]),
                               rd_kafka_error_string(errors[0]), "list groups", err);
    } else {
        take_names(result, names);
    }
    rd_kafka_event_destroy(event);
    return code;
}

static fc_code describe_all(struct fc_cluster *cluster, json_t *groups, struct fc_error *err)
{
    json_t *names = json_array();
    const char **texts = NULL;
    fc_code code = list_names(cluster, names, err);
    if (code == FC_OK) {
        texts = fc_new_array(const char *, json_array_size(names) + 1);
        for (size_t at = 0; at < json_array_size(names); at++) {
            texts[at] = json_string_value(json_array_get(names, at));
        }
        code = describe(cluster, texts, json_array_size(names), groups, err);
    }
    free(texts);
    json_decref(names);
    return code;
}

/* Where a connection of our own cannot log in, groups of consumers are better than none. */
fc_code fc_groups_describe(struct fc_cluster *cluster, const char **names, size_t count,
                           json_t *groups, struct fc_error *err)
{
    fc_code code = fc_group_wire(cluster, names, count, groups, err);
    if (code == FC_ERR_CONFIG) {
        code = names == NULL ? describe_all(cluster, groups, err)
                             : describe(cluster, names, count, groups, err);
    }
    return code;
}

/* --- offsets ------------------------------------------------------------------------------ */

bool fc_groups_again(struct fc_cluster *cluster, const struct fc_error *err, int64_t until_ms)
{
    rd_kafka_event_t *late;
    if (!err->retriable || fc_clock_steady_ms(fc_clock_system()) >= until_ms) {
        return false;
    }
    late = rd_kafka_queue_poll(cluster->queue, AGAIN_MS); /* only waits */
    if (late != NULL) {
        rd_kafka_event_destroy(late);
    }
    return true;
}

static fc_code read_committed(struct fc_cluster *cluster, const char *group,
                              rd_kafka_topic_partition_list_t **out_list, struct fc_error *err)
{
    rd_kafka_ListConsumerGroupOffsets_t *request =
        rd_kafka_ListConsumerGroupOffsets_new(group, NULL);
    rd_kafka_AdminOptions_t *options =
        fc_cluster_options(cluster, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    const rd_kafka_group_result_t **results;
    const rd_kafka_topic_partition_list_t *found = NULL;
    const rd_kafka_error_t *failed = NULL;
    rd_kafka_event_t *event = NULL;
    size_t count = 0;
    fc_code code;
    rd_kafka_ListConsumerGroupOffsets(cluster->rk, &request, 1, options, cluster->queue);
    code = fc_cluster_await(cluster, RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT,
                            "read the group's offsets", &event, err);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
    if (code != FC_OK) {
        return code;
    }
    results = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
    if (count == 1) {
        failed = rd_kafka_group_result_error(results[0]);
        found = rd_kafka_group_result_partitions(results[0]);
    }
    if (failed == NULL && found != NULL) {
        *out_list = rd_kafka_topic_partition_list_copy(found);
        rd_kafka_topic_partition_list_sort(*out_list, NULL, NULL);
    } else { /* without an error, too: its coordinator is loading */
        code =
            fc_cluster_fail(cluster,
                            failed == NULL ? RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS
                                           : rd_kafka_error_code(failed),
                            failed == NULL ? NULL : rd_kafka_error_string(failed), group, err);
    }
    rd_kafka_event_destroy(event);
    return code;
}

fc_code fc_groups_committed(struct fc_cluster *cluster, const char *group,
                            rd_kafka_topic_partition_list_t **out_list, struct fc_error *err)
{
    int64_t until_ms = fc_clock_steady_ms(fc_clock_system()) + cluster->timeout_ms;
    fc_code code;
    do {
        code = read_committed(cluster, group, out_list, err);
    } while (code != FC_OK && fc_groups_again(cluster, err, until_ms));
    return code;
}

static void ask_for(rd_kafka_topic_partition_list_t *list, int64_t which)
{
    for (int index = 0; index < list->cnt; index++) {
        list->elems[index].offset = which;
        list->elems[index].err = RD_KAFKA_RESP_ERR_NO_ERROR;
    }
}

fc_code fc_groups_bounds(struct fc_cluster *cluster,
                         const rd_kafka_topic_partition_list_t *list,
                         rd_kafka_topic_partition_list_t **out_first,
                         rd_kafka_topic_partition_list_t **out_next, struct fc_error *err)
{
    rd_kafka_topic_partition_list_t *first = rd_kafka_topic_partition_list_copy(list);
    rd_kafka_topic_partition_list_t *next = rd_kafka_topic_partition_list_copy(list);
    fc_code code;
    ask_for(first, RD_KAFKA_OFFSET_BEGINNING);
    ask_for(next, RD_KAFKA_OFFSET_END);
    code = fc_cluster_offsets(cluster, first, err);
    if (code == FC_OK) {
        code = fc_cluster_offsets(cluster, next, err);
    }
    if (code != FC_OK) {
        rd_kafka_topic_partition_list_destroy(first);
        rd_kafka_topic_partition_list_destroy(next);
        return code;
    }
    *out_first = first;
    *out_next = next;
    return FC_OK;
}
