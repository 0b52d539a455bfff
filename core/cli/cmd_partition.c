/* SPDX-License-Identifier: Apache-2.0 */
/* partition list. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/cli/commands.h"
#include "core/cli/partitions.h"

enum { NAMES_MAX = 100 };

static int by_name(const void *a, const void *b)
{
    const struct rd_kafka_metadata_topic *const *first = a;
    const struct rd_kafka_metadata_topic *const *second = b;
    return strcmp((*first)->topic, (*second)->topic);
}

/* Of all topics but the servers' own; servers name them in any order. */
static fc_code collect_all(struct fc_cluster *cluster, const struct rd_kafka_metadata *metadata,
                           json_t *rows, struct fc_error *err)
{
    size_t count = (size_t)metadata->topic_cnt;
    const struct rd_kafka_metadata_topic **topics =
        fc_new_array(const struct rd_kafka_metadata_topic *, count + 1);
    fc_code code = FC_OK;
    for (size_t index = 0; index < count; index++) {
        topics[index] = &metadata->topics[index];
    }
    qsort(topics, count, sizeof(struct rd_kafka_metadata_topic *), by_name);
    for (size_t index = 0; index < count && code == FC_OK; index++) {
        if (strncmp(topics[index]->topic, "__", 2) != 0) {
            code = fc_partitions_rows(cluster, topics[index], rows, err);
        }
    }
    free(topics);
    return code;
}

static fc_code collect(struct fc_cluster *cluster, const struct rd_kafka_metadata *metadata,
                       char **names, uint32_t count, json_t *rows, struct fc_error *err)
{
    fc_code code = FC_OK;
    for (uint32_t index = 0; index < count && code == FC_OK; index++) {
        const struct rd_kafka_metadata_topic *topic = NULL;
        code = fc_cluster_find_topic(cluster, metadata, names[index], &topic, err);
        if (code == FC_OK) {
            code = fc_partitions_rows(cluster, topic, rows, err);
        }
    }
    return count == 0 ? collect_all(cluster, metadata, rows, err) : code;
}

int fc_cmd_partition_list(struct fc_cli *cli, int argc, char **argv)
{
    static const struct fc_column columns[] = {
        { "TOPIC", "topic", FC_COLUMN_TEXT },
        { "PARTITION", "partition", FC_COLUMN_NUMBER },
        { "LEADER", "leader", FC_COLUMN_NUMBER },
        { "REPLICAS", "replicas", FC_COLUMN_TEXT },
        { "IN SYNC", "in_sync", FC_COLUMN_TEXT },
        { "START", "start", FC_COLUMN_NUMBER },
        { "END", "end", FC_COLUMN_NUMBER },
        { "RECORDS", "records", FC_COLUMN_NUMBER },
        { "SIZE", "size", FC_COLUMN_BYTES },
        { .title = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "partition list [FLAGS] [TOPIC...]",
                   "List the partitions of these topics, or of all: leader, replicas, first "
                   "and\n"
                   "next offset, and the leader's size on disk when the server tells. RECORDS\n"
                   "counts offsets; a compacted topic holds fewer.",
                   NULL, 0, NAMES_MAX },
        .examples = "  fluvio partition list orders",
    };
    const struct rd_kafka_metadata *metadata = NULL;
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
        code = fc_cluster_metadata(cluster, &metadata, &error);
    }
    if (code == FC_OK) {
        code = collect(cluster, metadata, cli->operands, cli->operand_count, rows, &error);
        rd_kafka_metadata_destroy(metadata);
    }
    if (code == FC_OK) {
        fc_partitions_add_sizes(cli, cluster, rows);
        fc_output_rows(cli, rows, columns);
    }
    json_decref(rows);
    fc_cluster_close(cluster);
    return code == FC_OK ? FC_EXIT_DONE : fc_cli_fail(cli, &error);
}
