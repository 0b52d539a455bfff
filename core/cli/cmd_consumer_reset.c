/* SPDX-License-Identifier: Apache-2.0 */
/* consumer reset: move a group's offsets. */
#include <stdlib.h>
#include <string.h>

#include "core/cli/commands.h"
#include "core/cli/groups.h"
#include "core/cli/reset_target.h"

struct reset {
    const char *group;
    struct fc_flag_list topics;
    struct fc_reset_target target;
    bool dry_run;
};

/* An active group would go on from where it is, and write over what we set; one that is not of
 * consumers commits nothing. */
static fc_code refuse_others(struct fc_cluster *cluster, const char *name, struct fc_error *err)
{
    json_t *groups = json_array();
    const json_t *group;
    const char *state;
    const char *type;
    fc_code code = fc_groups_describe(cluster, &name, 1, groups, err);
    if (code == FC_OK) {
        group = json_array_get(groups, 0);
        state = json_string_value(json_object_get(group, "state"));
        type = json_string_value(json_object_get(group, "type"));
        if (type != NULL && strcmp(type, "consumer") != 0) {
            code = fc_fail(err, FC_ERR_REFUSED,
                           "group `%s` is of type %s, not of consumers: it has no offsets here",
                           name, type);
        }
    }
    if (code == FC_OK) {
        if (state != NULL && fc_group_is_active(state)) {
            code = fc_fail(err, FC_ERR_REFUSED,
                           "group `%s` is active (%s): stop its members first", name, state);
        }
    }
    json_decref(groups);
    return code;
}

static fc_code add_topic(struct fc_cluster *cluster, const struct rd_kafka_metadata *metadata,
                         const char *text, rd_kafka_topic_partition_list_t *list,
                         struct fc_error *err)
{
    int32_t partitions[FC_RESET_PARTITIONS_MAX];
    const struct rd_kafka_metadata_topic *topic = NULL;
    char *name = NULL;
    size_t count = 0;
    fc_code code = fc_reset_topic_parse(text, &name, partitions, &count, err);
    if (code == FC_OK) {
        code = fc_cluster_find_topic(cluster, metadata, name, &topic, err);
    }
    for (int index = 0; code == FC_OK && count == 0 && index < topic->partition_cnt; index++) {
        (void)rd_kafka_topic_partition_list_add(list, name, index);
    }
    for (size_t index = 0; code == FC_OK && index < count; index++) {
        if (partitions[index] >= topic->partition_cnt) {
            code =
                fc_fail(err, FC_ERR_NOT_FOUND, "topic `%s` has no partition %d, only 0 to %d",
                        name, (int)partitions[index], topic->partition_cnt - 1);
        } else if (rd_kafka_topic_partition_list_find(list, name, partitions[index]) == NULL) {
            (void)rd_kafka_topic_partition_list_add(list, name, partitions[index]);
        }
    }
    free(name);
    return code;
}

/* The partitions that are meant: those given, or all that have a committed offset. */
static fc_code choose(struct fc_cluster *cluster, const struct reset *reset,
                      rd_kafka_topic_partition_list_t *committed,
                      rd_kafka_topic_partition_list_t **out_list, struct fc_error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_partition_list_t *list;
    fc_code code = FC_OK;
    if (reset->topics.count == 0) {
        if (committed->cnt == 0) {
            return fc_fail(err, FC_ERR_NOT_FOUND,
                           "group `%s` has no offsets: name the topics with --topic",
                           reset->group);
        }
        *out_list = rd_kafka_topic_partition_list_copy(committed);
        return FC_OK;
    }
    if (fc_cluster_metadata(cluster, &metadata, err) != FC_OK) {
        return err->code;
    }
    list = rd_kafka_topic_partition_list_new(16);
    for (uint32_t index = 0; index < reset->topics.count && code == FC_OK; index++) {
        code = add_topic(cluster, metadata, reset->topics.items[index], list, err);
    }
    rd_kafka_metadata_destroy(metadata);
    if (code != FC_OK) {
        rd_kafka_topic_partition_list_destroy(list);
        return code;
    }
    *out_list = list;
    return FC_OK;
}

static int64_t offset_in(rd_kafka_topic_partition_list_t *list,
                         const rd_kafka_topic_partition_t *of)
{
    const rd_kafka_topic_partition_t *found =
        list == NULL ? NULL
                     : rd_kafka_topic_partition_list_find(list, of->topic, of->partition);
    return found == NULL ? -1 : found->offset;
}

/* Set the new offsets in list, and say what they are in rows. */
static fc_code plan(struct fc_cluster *cluster, const struct reset *reset,
                    rd_kafka_topic_partition_list_t *committed,
                    rd_kafka_topic_partition_list_t *list, json_t *rows, struct fc_error *err)
{
    rd_kafka_topic_partition_list_t *first = NULL;
    rd_kafka_topic_partition_list_t *next = NULL;
    rd_kafka_topic_partition_list_t *timed = NULL;
    fc_code code = fc_groups_bounds(cluster, list, &first, &next, err);
    if (code == FC_OK && reset->target.kind == FC_RESET_TIME) {
        timed = rd_kafka_topic_partition_list_copy(list);
        for (int index = 0; index < timed->cnt; index++) {
            timed->elems[index].offset = reset->target.number;
        }
        code = fc_cluster_offsets(cluster, timed, err);
    }
    for (int index = 0; index < list->cnt && code == FC_OK; index++) {
        rd_kafka_topic_partition_t *entry = &list->elems[index];
        int64_t before = offset_in(committed, entry);
        int64_t low = offset_in(first, entry);
        int64_t high = offset_in(next, entry);
        json_t *row = json_object();
        if (low < 0 || high < 0) {
            code =
                fc_fail(err, FC_ERR_IO, "the offsets of %s/%d cannot be had: has it a leader?",
                        entry->topic, (int)entry->partition);
        }
        entry->offset =
            fc_reset_target_offset(&reset->target, before, low, high, offset_in(timed, entry));
        entry->err = RD_KAFKA_RESP_ERR_NO_ERROR;
        json_object_set_new(row, "topic", fc_output_string(entry->topic));
        json_object_set_new(row, "partition", json_integer(entry->partition));
        json_object_set_new(row, "before", before < 0 ? json_null() : json_integer(before));
        json_object_set_new(row, "after", json_integer(entry->offset));
        json_object_set_new(row, "lag", json_integer(high - entry->offset));
        json_array_append_new(rows, row);
    }
    if (first != NULL) {
        rd_kafka_topic_partition_list_destroy(first);
        rd_kafka_topic_partition_list_destroy(next);
    }
    if (timed != NULL) {
        rd_kafka_topic_partition_list_destroy(timed);
    }
    return code;
}

static fc_code set_offsets(struct fc_cluster *cluster, const char *group,
                           const rd_kafka_topic_partition_list_t *list, struct fc_error *err)
{
    rd_kafka_AlterConsumerGroupOffsets_t *request =
        rd_kafka_AlterConsumerGroupOffsets_new(group, list);
    rd_kafka_AdminOptions_t *options =
        fc_cluster_options(cluster, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS);
    const rd_kafka_group_result_t **results;
    const rd_kafka_topic_partition_list_t *done;
    const rd_kafka_error_t *failed;
    rd_kafka_event_t *event = NULL;
    size_t count = 0;
    fc_code code;
    rd_kafka_AlterConsumerGroupOffsets(cluster->rk, &request, 1, options, cluster->queue);
    code = fc_cluster_await(cluster, RD_KAFKA_EVENT_ALTERCONSUMERGROUPOFFSETS_RESULT,
                            "set the offsets", &event, err);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_AlterConsumerGroupOffsets_destroy(request);
    if (code != FC_OK) {
        return code;
    }
    results = rd_kafka_AlterConsumerGroupOffsets_result_groups(
        rd_kafka_event_AlterConsumerGroupOffsets_result(event), &count);
    failed = count == 0 ? NULL : rd_kafka_group_result_error(results[0]);
    if (failed != NULL) {
        code = fc_cluster_fail(cluster, rd_kafka_error_code(failed),
                               rd_kafka_error_string(failed), "set the offsets", err);
    }
    done = count == 0 ? NULL : rd_kafka_group_result_partitions(results[0]);
    for (int index = 0; code == FC_OK && done != NULL && index < done->cnt; index++) {
        if (done->elems[index].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            code =
                fc_cluster_fail(cluster, done->elems[index].err, NULL, "set the offsets", err);
        }
    }
    rd_kafka_event_destroy(event);
    return code;
}

static fc_code apply(struct fc_cluster *cluster, const char *group,
                     const rd_kafka_topic_partition_list_t *list, struct fc_error *err)
{
    int64_t until_ms = fc_clock_steady_ms(fc_clock_system()) + cluster->timeout_ms;
    fc_code code;
    do {
        code = set_offsets(cluster, group, list, err);
    } while (code != FC_OK && fc_groups_again(cluster, err, until_ms));
    return code;
}

static fc_code run(struct fc_cli *cli, const struct reset *reset, struct fc_error *err)
{
    static const struct fc_column columns[] = {
        { "TOPIC", "topic", FC_COLUMN_TEXT },
        { "PARTITION", "partition", FC_COLUMN_NUMBER },
        { "BEFORE", "before", FC_COLUMN_NUMBER },
        { "AFTER", "after", FC_COLUMN_NUMBER },
        { "LAG", "lag", FC_COLUMN_NUMBER },
        { .title = NULL },
    };
    rd_kafka_topic_partition_list_t *committed = NULL;
    rd_kafka_topic_partition_list_t *list = NULL;
    struct fc_cluster *cluster = NULL;
    json_t *rows = json_array();
    fc_code code = fc_cluster_open_groups(cli, &cluster, err);
    if (code == FC_OK) {
        code = refuse_others(cluster, reset->group, err);
    }
    if (code == FC_OK) {
        code = fc_groups_committed(cluster, reset->group, &committed, err);
    }
    if (code == FC_OK) {
        code = choose(cluster, reset, committed, &list, err);
    }
    if (code == FC_OK) {
        code = plan(cluster, reset, committed, list, rows, err);
    }
    if (code == FC_OK && !reset->dry_run) {
        code = apply(cluster, reset->group, list, err);
    }
    if (code == FC_OK) {
        fc_output_rows(cli, rows, columns);
        fc_cli_note(cli,
                    reset->dry_run ? "nothing was changed (--dry-run)" : "offsets are set");
    }
    if (committed != NULL) {
        rd_kafka_topic_partition_list_destroy(committed);
    }
    if (list != NULL) {
        rd_kafka_topic_partition_list_destroy(list);
    }
    json_decref(rows);
    fc_cluster_close(cluster);
    return code;
}

int fc_cmd_consumer_reset(struct fc_cli *cli, int argc, char **argv)
{
    struct reset reset = { .dry_run = false };
    const char *to = NULL;
    const char *shift = NULL;
    const struct fc_flag flags[] = {
        { "to", 0, FC_FLAG_TEXT, &to, "WHERE",
          "earliest, latest, an offset, a time, or 15m (ago)" },
        { "shift", 0, FC_FLAG_TEXT, &shift, "N", "by N records: --shift=-10 reads ten again" },
        { "topic", 't', FC_FLAG_LIST, &reset.topics, "TOPIC[:N,...]",
          "only this one (all that the group has read)" },
        { "dry-run", 'd', FC_FLAG_BOOL, &reset.dry_run, NULL, "only show what would be set" },
        { .name = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "consumer reset [FLAGS] GROUP",
                   "Move a group's offsets. What is outside of a partition goes to its "
                   "nearest\n"
                   "end. A group with members is refused (exit code 3).",
                   flags, 1, 1 },
        .examples = "  fluvio consumer reset billing --to earliest --dry-run\n"
                    "  fluvio consumer reset billing --to 2026-11-23T14:00:00Z -t orders\n"
                    "  fluvio consumer reset billing --shift=-100 -t orders:0,2",
    };
    struct fc_error error = { 0 };
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    if ((to == NULL) == (shift == NULL)) {
        return fc_cli_wrong(cli, "give either --to or --shift");
    }
    reset.group = cli->operands[0];
    if (fc_reset_target_parse(to, shift, cli->clock, &reset.target, &error) != FC_OK ||
        run(cli, &reset, &error) != FC_OK) {
        return fc_cli_fail(cli, &error);
    }
    return FC_EXIT_DONE;
}
