/* SPDX-License-Identifier: Apache-2.0 */
/* What the groups at the origin have committed. */
#include <stdlib.h>

#include "connectors/kafka/feed_state.h"
#include "core/base/alloc.h"
#include "core/cluster/cluster.h"

struct groups {
    struct fc_feed *feed;
    void (*on_offset)(void *ctx, const struct fc_group_offset *offset);
    void *ctx;
    const char *group; /* whose offsets are being read */
    char **names;
    size_t count;
};

static void on_group(void *ctx, const char *group)
{
    struct groups *groups = ctx;
    if (fc_patterns_match(&groups->feed->client.groups, group)) {
        groups->names = fc_realloc_array(groups->names, groups->count + 1, sizeof(char *));
        groups->names[groups->count++] = fc_strdup(group);
    }
}

static void on_committed(void *ctx, const char *topic, uint32_t partition, int64_t offset)
{
    const struct groups *groups = ctx;
    struct fc_group_offset committed = { groups->group, topic, partition, offset };
    if (fc_kafka_client_wants(&groups->feed->client, topic)) {
        groups->on_offset(groups->ctx, &committed);
    }
}

fc_code fc_feed_groups(struct fc_feed *feed,
                       void (*on_offset)(void *ctx, const struct fc_group_offset *offset),
                       void *ctx, struct fc_error *err)
{
    struct groups groups = { .feed = feed, .on_offset = on_offset, .ctx = ctx };
    fc_code code = FC_OK;
    if (feed->client.groups.count > 0) {
        code = fc_cluster_groups(feed->questions, on_group, &groups, err);
    }
    for (size_t index = 0; index < groups.count; index++) {
        groups.group = groups.names[index];
        if (code == FC_OK) {
            code =
                fc_cluster_committed(feed->questions, groups.group, on_committed, &groups, err);
        }
        free(groups.names[index]);
    }
    free(groups.names);
    return code;
}
