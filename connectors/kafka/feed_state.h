/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a feed, for this folder only. */
#ifndef FC_KAFKA_FEED_STATE_H
#define FC_KAFKA_FEED_STATE_H

#include "connectors/kafka/client.h"
#include "core/base/hashmap.h"

struct fc_feed_part {
    char *topic;
    uint32_t partition;
    int64_t next; /* one past what was given, or the end that was met */
    bool assigned;
};

struct fc_feed {
    struct fc_kafka_client client;
    rd_kafka_t *consumer;
    bool skips_gaps;
    bool starts_at_end;
    struct fc_hashmap parts;   /* "<topic>/<partition>" -> struct fc_feed_part */
    struct fc_hashmap known;   /* topic -> feed: its settings were told */
    struct fc_feed_part *last; /* of the message before; NULL: none */
    rd_kafka_message_t **taken;
    struct fc_message *messages;
    uint32_t count;
    bool has_failed; /* after what was given last */
    struct fc_error failure;
    struct fc_message_header *headers;
    size_t header_capacity;
};

/* The ops.groups slot. */
FC_MUST_CHECK fc_code fc_feed_groups(struct fc_feed *feed,
                                     void (*on_offset)(void *ctx,
                                                       const struct fc_group_offset *offset),
                                     void *ctx, struct fc_error *err);

#endif
