/* SPDX-License-Identifier: Apache-2.0 */
/* consumer list, describe, delete. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/cli/collect.h"
#include "core/cli/commands.h"
#include "core/cli/groups.h"

enum { NAMES_MAX = 100 };

/* --- list --------------------------------------------------------------------------------- */

static fc_code list_groups(struct fc_cluster *cluster, json_t *rows, struct fc_error *err)
{
    static const char *const same[] = { "group", "type", "state", "protocol", "coordinator" };
    json_t *groups = json_array();
    size_t index;
    json_t *group;
    fc_code code = fc_groups_describe(cluster, NULL, 0, groups, err);
    json_array_foreach(groups, index, group)
    {
        const json_t *members = json_object_get(group, "members");
        json_t *row = json_object();
        for (size_t at = 0; at < sizeof(same) / sizeof(*same); at++) {
            json_object_set(row, same[at], json_object_get(group, same[at]));
        }
        json_object_set_new(row, "members",
                            json_is_array(members)
                                ? json_integer((json_int_t)json_array_size(members))
                                : json_null());
        json_array_append_new(rows, row);
    }
    json_decref(groups);
    return code;
}

int fc_cmd_consumer_list(struct fc_cli *cli, int argc, char **argv)
{
    static const struct fc_column columns[] = {
        { "GROUP", "group", FC_COLUMN_TEXT },
        { "TYPE", "type", FC_COLUMN_TEXT },
        { "STATE", "state", FC_COLUMN_TEXT },
        { "MEMBERS", "members", FC_COLUMN_NUMBER },
        { "PROTOCOL", "protocol", FC_COLUMN_TEXT },
        { "COORDINATOR", "coordinator", FC_COLUMN_NUMBER },
        { .title = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "consumer list [FLAGS]",
                   "List the groups: of consumers, and of others that share work so, such "
                   "as\nKafka Connect.",
                   NULL, 0, 0 },
        .examples = "  fluvio consumer list",
    };
    struct fc_cluster *cluster = NULL;
    struct fc_error error = { 0 };
    json_t *rows;
    fc_code code;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    rows = json_array();
    code = fc_cluster_open_admin(cli, &cluster, &error);
    if (code == FC_OK) {
        code = list_groups(cluster, rows, &error);
    }
    if (code == FC_OK) {
        fc_output_rows(cli, rows, columns);
    }
    json_decref(rows);
    fc_cluster_close(cluster);
    return code == FC_OK ? FC_EXIT_DONE : fc_cli_fail(cli, &error);
}

/* --- describe ----------------------------------------------------------------------------- */

/* The member that has the partition, or NULL. */
static const json_t *owner_of(const json_t *group, const char *topic, int32_t partition)
{
    size_t at;
    json_t *member;
    json_array_foreach(json_object_get(group, "members"), at, member)
    {
        size_t index;
        json_t *owned;
        json_array_foreach(json_object_get(member, "partitions"), index, owned)
        {
            if (json_integer_value(json_object_get(owned, "partition")) == partition &&
                strcmp(json_string_value(json_object_get(owned, "topic")), topic) == 0) {
                return member;
            }
        }
    }
    return NULL;
}

static json_t *offset_or_null(int64_t offset)
{
    return offset < 0 ? json_null() : json_integer(offset);
}

static json_t *lag_row(const json_t *group, const rd_kafka_topic_partition_t *committed,
                       int64_t start, int64_t end)
{
    const json_t *member = owner_of(group, committed->topic, committed->partition);
    json_t *row = json_object();
    int64_t from = committed->offset < start ? start : committed->offset;
    json_object_set_new(row, "topic", fc_output_string(committed->topic));
    json_object_set_new(row, "partition", json_integer(committed->partition));
    json_object_set_new(row, "committed", offset_or_null(committed->offset));
    json_object_set_new(row, "start", offset_or_null(start));
    json_object_set_new(row, "end", offset_or_null(end));
    json_object_set_new(row, "lag",
                        committed->offset < 0 || end < 0
                            ? json_null()
                            : json_integer(end > from ? end - from : 0));
    json_object_set(row, "member", json_object_get(member, "member"));
    json_object_set(row, "client", json_object_get(member, "client"));
    json_object_set(row, "host", json_object_get(member, "host"));
    return row;
}

/* Partitions that a member has but that were never committed. */
static void add_assigned(const json_t *group, rd_kafka_topic_partition_list_t *list)
{
    size_t at;
    json_t *member;
    json_array_foreach(json_object_get(group, "members"), at, member)
    {
        size_t index;
        json_t *owned;
        json_array_foreach(json_object_get(member, "partitions"), index, owned)
        {
            const char *topic = json_string_value(json_object_get(owned, "topic"));
            int32_t partition =
                (int32_t)json_integer_value(json_object_get(owned, "partition"));
            if (rd_kafka_topic_partition_list_find(list, topic, partition) == NULL) {
                rd_kafka_topic_partition_list_add(list, topic, partition)->offset =
                    RD_KAFKA_OFFSET_INVALID;
            }
        }
    }
    rd_kafka_topic_partition_list_sort(list, NULL, NULL);
}

fc_code fc_collect_offsets(struct fc_cluster *cluster, json_t *group, struct fc_error *err)
{
    const char *name = json_string_value(json_object_get(group, "group"));
    const char *state = json_string_value(json_object_get(group, "state"));
    rd_kafka_topic_partition_list_t *committed = NULL;
    rd_kafka_topic_partition_list_t *first = NULL;
    rd_kafka_topic_partition_list_t *next = NULL;
    json_t *partitions;
    fc_code code = fc_groups_committed(cluster, name, &committed, err);
    if (code != FC_OK) {
        return code;
    }
    if (committed->cnt == 0 && state != NULL && strcmp(state, "Dead") == 0) {
        code = fc_cluster_fail(cluster, RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND, NULL, name, err);
    }
    if (code == FC_OK) {
        add_assigned(group, committed);
        code = fc_groups_bounds(cluster, committed, &first, &next, err);
    }
    if (code == FC_OK) {
        partitions = json_array();
        for (int index = 0; index < committed->cnt; index++) {
            const rd_kafka_topic_partition_t *entry = &committed->elems[index];
            const rd_kafka_topic_partition_t *low =
                rd_kafka_topic_partition_list_find(first, entry->topic, entry->partition);
            const rd_kafka_topic_partition_t *high =
                rd_kafka_topic_partition_list_find(next, entry->topic, entry->partition);
            json_array_append_new(partitions, lag_row(group, entry, low->offset, high->offset));
        }
        json_object_set_new(group, "partitions", partitions);
        rd_kafka_topic_partition_list_destroy(first);
        rd_kafka_topic_partition_list_destroy(next);
    }
    rd_kafka_topic_partition_list_destroy(committed);
    return code;
}

/* The group's partitions, and its members that have none. */
static json_t *rows_of(const json_t *group)
{
    json_t *rows = json_copy(json_object_get(group, "partitions"));
    size_t at;
    json_t *member;
    json_array_foreach(json_object_get(group, "members"), at, member)
    {
        if (json_array_size(json_object_get(member, "partitions")) == 0) {
            json_array_append(rows, member);
        }
    }
    return rows;
}

static void print_group(struct fc_cli *cli, const json_t *group)
{
    static const struct fc_column columns[] = {
        { "TOPIC", "topic", FC_COLUMN_TEXT },
        { "PARTITION", "partition", FC_COLUMN_NUMBER },
        { "COMMITTED", "committed", FC_COLUMN_NUMBER },
        { "END", "end", FC_COLUMN_NUMBER },
        { "LAG", "lag", FC_COLUMN_NUMBER },
        { "CLIENT", "client", FC_COLUMN_TEXT },
        { "HOST", "host", FC_COLUMN_TEXT },
        { "MEMBER", "member", FC_COLUMN_TEXT },
        { .title = NULL },
    };
    const json_t *members = json_object_get(group, "members");
    const char *type = json_string_value(json_object_get(group, "type"));
    size_t count = json_array_size(members);
    json_t *rows = rows_of(group);
    (void)fprintf(cli->out, "Group %s: %s", json_string_value(json_object_get(group, "group")),
                  json_string_value(json_object_get(group, "state")));
    if (json_is_array(members)) {
        (void)fprintf(cli->out, ", %zu member%s", count, count == 1 ? "" : "s");
    }
    if (type != NULL && strcmp(type, "consumer") != 0) {
        (void)fprintf(cli->out, " of type %s, which share no partitions", type);
    }
    (void)fputs("\n\n", cli->out);
    fc_output_table(cli->out, rows, columns);
    json_decref(rows);
}

int fc_cmd_consumer_describe(struct fc_cli *cli, int argc, char **argv)
{
    const struct fc_cli_usage usage = {
        .usage = { "consumer describe [FLAGS] GROUP...",
                   "Show a group's committed offsets, its lag (records not read yet) and who\n"
                   "reads which partition.",
                   NULL, 1, NAMES_MAX },
        .examples = "  fluvio consumer describe billing\n"
                    "  fluvio consumer describe billing -O json | jq '[.[].partitions[].lag] | "
                    "add'",
    };
    struct fc_cluster *cluster = NULL;
    struct fc_error error = { 0 };
    json_t *groups;
    fc_code code;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    groups = json_array();
    code = fc_cluster_open_groups(cli, &cluster, &error);
    if (code == FC_OK) {
        code = fc_groups_describe(cluster, (const char **)cli->operands, cli->operand_count,
                                  groups, &error);
    }
    for (size_t index = 0; index < json_array_size(groups) && code == FC_OK; index++) {
        code = fc_collect_offsets(cluster, json_array_get(groups, index), &error);
    }
    if (code == FC_OK && cli->format == FC_CLI_TABLE) {
        for (size_t index = 0; index < json_array_size(groups); index++) {
            (void)fputs(index > 0 ? "\n" : "", cli->out);
            print_group(cli, json_array_get(groups, index));
        }
    } else if (code == FC_OK) {
        fc_output_value(cli, groups);
    }
    json_decref(groups);
    fc_cluster_close(cluster);
    return code == FC_OK ? FC_EXIT_DONE : fc_cli_fail(cli, &error);
}

/* --- delete ------------------------------------------------------------------------------- */

static fc_code send_delete(struct fc_cluster *cluster, char **names, uint32_t count,
                           rd_kafka_event_t **out_event, struct fc_error *err)
{
    rd_kafka_DeleteGroup_t *groups[NAMES_MAX];
    rd_kafka_AdminOptions_t *options =
        fc_cluster_options(cluster, RD_KAFKA_ADMIN_OP_DELETEGROUPS);
    fc_code code;
    for (uint32_t index = 0; index < count; index++) {
        groups[index] = rd_kafka_DeleteGroup_new(names[index]);
    }
    rd_kafka_DeleteGroups(cluster->rk, groups, count, options, cluster->queue);
    code = fc_cluster_await(cluster, RD_KAFKA_EVENT_DELETEGROUPS_RESULT, "delete groups",
                            out_event, err);
    rd_kafka_DeleteGroup_destroy_array(groups, count);
    rd_kafka_AdminOptions_destroy(options);
    return code;
}

static int tell_deleted(struct fc_cli *cli, const struct fc_cluster *cluster,
                        rd_kafka_event_t *event)
{
    size_t count = 0;
    int exit_code = FC_EXIT_DONE;
    const rd_kafka_group_result_t **results =
        rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event), &count);
    for (size_t index = 0; index < count; index++) {
        const char *name = rd_kafka_group_result_name(results[index]);
        const rd_kafka_error_t *failed = rd_kafka_group_result_error(results[index]);
        struct fc_error error = { 0 };
        if (failed == NULL || rd_kafka_error_code(failed) == RD_KAFKA_RESP_ERR_NO_ERROR) {
            fc_cli_note(cli, "group %s deleted", name);
        } else {
            (void)fc_cluster_fail(cluster, rd_kafka_error_code(failed),
                                  rd_kafka_error_string(failed), name, &error);
            exit_code = fc_cli_fail(cli, &error);
        }
    }
    return exit_code;
}

int fc_cmd_consumer_delete(struct fc_cli *cli, int argc, char **argv)
{
    const struct fc_cli_usage usage = {
        .usage = { "consumer delete [FLAGS] GROUP...",
                   "Delete groups with their offsets. A group with members is refused.", NULL,
                   1, NAMES_MAX },
        .examples = "  fluvio consumer delete old-billing",
    };
    struct fc_cluster *cluster = NULL;
    rd_kafka_event_t *event = NULL;
    struct fc_error error = { 0 };
    fc_code code;
    int result;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    code = fc_cluster_open_admin(cli, &cluster, &error);
    if (code == FC_OK) {
        code = send_delete(cluster, cli->operands, cli->operand_count, &event, &error);
    }
    result = code == FC_OK ? tell_deleted(cli, cluster, event) : fc_cli_fail(cli, &error);
    if (event != NULL) {
        rd_kafka_event_destroy(event);
    }
    fc_cluster_close(cluster);
    return result;
}
