/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a feed, for this folder only. */
#ifndef FC_KAFKA_FEED_STATE_H
#define FC_KAFKA_FEED_STATE_H

#include "connectors/kafka/client.h"
#include "core/base/hashmap.h"
#include "core/base/uuid.h"
#include "core/link/topic_ids.h"

struct fc_feed_part {
    char *topic;
    uint32_t partition;
    int64_t next; /* one past what was given, or the end that was met */
    bool assigned;
};

/* A topic that is wanted. */
struct fc_feed_topic {
    char *name;
    bool told;                  /* with its settings */
    char id[FC_UUID_TEXT_SIZE]; /* "": not known */
};

struct fc_feed {
    struct fc_kafka_client client;
    rd_kafka_t *consumer;
    rd_kafka_t
        *questions; /* on the consumer's connections they would wait behind its fetches */
    bool skips_gaps;
    bool starts_at_end;
    struct fc_hashmap parts; /* "<topic>/<partition>" -> struct fc_feed_part */
    struct fc_hashmap known; /* topic -> struct fc_feed_topic */
    struct fc_topic_ids *ids;
    bool knows_ids; /* they could be asked for; so from now on an error is one */
    char why_no_ids[FC_ERROR_MESSAGE_SIZE]; /* that was told */
    struct fc_feed_part *last;              /* of the message before; NULL: none */
    rd_kafka_message_t **taken;
    struct fc_message *messages;
    uint32_t count;
    bool has_failed; /* after what was given last */
    struct fc_error failure;
    struct fc_message_header *headers;
    size_t header_capacity;
};

/* The topic's entry; made when there is none. */
struct fc_feed_topic *fc_feed_topic_of(struct fc_feed *feed, const char *topic);

void fc_feed_topic_free(void *topic);

/* Ask for the ids of these topics anew. That they cannot be had is told, once. */
FC_MUST_CHECK fc_code fc_feed_identify(struct fc_feed *feed, const char *const *names,
                                       size_t count, struct fc_error *err);

/* The ops.identity and ops.verify slots. */
const char *fc_feed_identity(struct fc_feed *feed, const char *topic);
FC_MUST_CHECK fc_code fc_feed_verify(struct fc_feed *feed, const char **out_topic,
                                     struct fc_error *err);

/* The ops.groups slot. */
FC_MUST_CHECK fc_code fc_feed_groups(struct fc_feed *feed,
                                     void (*on_offset)(void *ctx,
                                                       const struct fc_group_offset *offset),
                                     void *ctx, struct fc_error *err);

#endif
