/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the plugin contract that is about records as they are: what a bridge moves from a
 * log to another, byte for byte (feed), and what takes records out of our log (sink).
 *
 * Topics are named here as they are called on the side where the connector is: what a topic is
 * called in our log is the runner's to say.
 */
#ifndef FC_MESSAGE_H
#define FC_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/slice.h"

struct fc_host;

struct fc_message_header {
    struct fc_slice key;
    struct fc_slice value; /* may be null */
};

/* A record with its place. Null and empty are different things everywhere. */
struct fc_message {
    const char *topic;
    uint32_t partition;
    int64_t offset; /* where it comes from; in a partition they grow, with gaps */
    int64_t timestamp_ms;
    struct fc_slice key;   /* may be null */
    struct fc_slice value; /* may be null */
    const struct fc_message_header *headers;
    uint32_t header_count;
};

/* A topic as it is on the side that it is copied from. */
struct fc_message_topic {
    const char *name;
    uint32_t partitions;
    /* Names and values in turn, by Kafka's names: what a copy of the topic should be like. */
    const char *const *settings;
    uint32_t setting_count; /* of pairs */
};

/* What a consumer group has committed. */
struct fc_group_offset {
    const char *group;
    const char *topic;
    uint32_t partition;
    int64_t offset; /* of the next record that it wants */
};

/* What a connector would read, as a pre-flight look finds it. */
typedef enum fc_found_kind { FC_FOUND_TABLE, FC_FOUND_TOPIC, FC_FOUND_GROUP } fc_found_kind;

struct fc_found {
    fc_found_kind kind;
    const char *db; /* of a table; otherwise "" */
    const char *name;
    uint32_t partitions; /* of a topic */
};

/* A topic or a group of our log. */
struct fc_copied {
    const char *name;
    const char *copy;    /* what it is called at the target */
    size_t prefix_len;   /* bytes of that which the copies' names share; 0: none */
    uint32_t partitions; /* of a topic */
    bool wanted;         /* set by the sink: its options ask for it */
};

struct fc_copies {
    struct fc_copied *topics;
    uint32_t topic_count;
    struct fc_copied *groups;
    uint32_t group_count;
};

/* What a pre-flight check calls, as fc_source_ops.check does. result: an fc_check_result. */
typedef void fc_message_check(void *ctx, int result, const char *what, const char *detail,
                              const char *fix);

enum {
    FC_FEED_START = -1,    /* where the connector's options say that a first run begins */
    FC_FEED_BEGINNING = -2 /* the oldest record that there is */
};

/*
 * A source of records. Thread: all of one feed come from one thread, but interrupt from any.
 * After a retriable error the runner closes the feed and opens it again.
 */
struct fc_feed;
struct fc_feed_ops {
    uint32_t size;

    /* May block for the connector's own time-outs. What may succeed later fails as retriable. */
    fc_code (*open)(const struct fc_host *host, struct fc_feed **out_feed,
                    struct fc_error *err);
    /*
     * Call on_topic for each topic that is wanted now; called again while running, so that new
     * topics and partitions are found. May block. Everything given is borrowed for the call.
     */
    fc_code (*topics)(struct fc_feed *feed,
                      fc_code (*on_topic)(void *ctx, const struct fc_message_topic *topic,
                                          struct fc_error *err),
                      void *ctx, struct fc_error *err);
    /*
     * Read a partition from `offset` on, which may be one of the two above. out_offset: where
     * that is. A place that is not there any more fails as FC_ERR_REFUSED, the gap named, or
     * the options say that it is to be skipped. May block.
     */
    fc_code (*assign)(struct fc_feed *feed, const char *topic, uint32_t partition,
                      int64_t offset, int64_t *out_offset, struct fc_error *err);
    /*
     * Records that came, at most `limit` bytes or so, those of a partition in order; the feed
     * owns them until its next call. Waits at most wait_ms for the first; count 0: nothing yet.
     * FC_ERR_CLOSED after interrupt.
     */
    fc_code (*read)(struct fc_feed *feed, int wait_ms, size_t limit,
                    const struct fc_message **out_messages, uint32_t *out_count,
                    struct fc_error *err);
    /* How far the partition was read, past what is not a record, too, and where it ends (-1: not
     * known yet). Does not block. */
    void (*place)(struct fc_feed *feed, const char *topic, uint32_t partition,
                  int64_t *out_next, int64_t *out_end);
    /* Call on_offset for what the groups that are wanted have committed. May block. Nothing is
     * called when no groups are wanted. */
    fc_code (*groups)(struct fc_feed *feed,
                      void (*on_offset)(void *ctx, const struct fc_group_offset *offset),
                      void *ctx, struct fc_error *err);
    /* Make a blocked or coming call end soon; returns at once. */
    void (*interrupt)(struct fc_feed *feed);
    void (*close)(struct fc_feed *feed); /* NULL is fine */
    fc_code (*check)(const struct fc_host *host, fc_message_check *on_result, void *ctx,
                     struct fc_error *err);
    /*
     * What tells the topic, as `topics` has found it last, from another one that is made under its
     * name later; text without quotes. NULL: that cannot be told. Borrowed until the next call of
     * topics. May be missing, with verify.
     */
    const char *(*identity)(struct fc_feed *feed, const char *topic);
    /*
     * Ask whether all topics are the ones that `topics` has found last: called after records were
     * read and before they are written. out_topic: one that is not, borrowed as above; NULL: all
     * are, or it cannot be told. May block.
     */
    fc_code (*verify)(struct fc_feed *feed, const char **out_topic, struct fc_error *err);
    /* Pre-flight without a feed: call on_found for each topic and group that is wanted now. May be
     * missing. May block. */
    fc_code (*look)(const struct fc_host *host,
                    void (*on_found)(void *ctx, const struct fc_found *found), void *ctx,
                    struct fc_error *err);
};

/*
 * What takes records out of our log. Thread: as for a feed. After a retriable error the runner
 * closes the sink, opens it again, asks for its positions and goes on from there, so a sink
 * must give up whatever it has not flushed.
 */
struct fc_sink;
struct fc_sink_ops {
    uint32_t size;

    /* Connect, and shut out an earlier sink of the same name that may still live. May block. */
    fc_code (*open)(const struct fc_host *host, struct fc_sink **out_sink,
                    struct fc_error *err);
    /* Whether records of this topic of our log are wanted. Does not block. */
    bool (*wants)(struct fc_sink *sink, const char *topic);
    /* Make the topic ready at the target: create it, give it more partitions. `topic` carries
     * the name that it has there. May block. */
    fc_code (*prepare)(struct fc_sink *sink, const struct fc_message_topic *topic,
                       struct fc_error *err);
    /* The offset in our log that the target wants next, -1 when it has nothing of this
     * partition. Does not block. */
    int64_t (*position)(struct fc_sink *sink, const char *topic, uint32_t partition);
    /*
     * Take records, those of a partition in order; borrowed for the call. Nothing is durable
     * before the next flush. May block while the target is slow.
     */
    fc_code (*write)(struct fc_sink *sink, const struct fc_message *messages, uint32_t count,
                     struct fc_error *err);
    /*
     * Our log was read up to `offset` in this partition (what is not a record there counts, too);
     * counts from the next flush on. Does not block.
     */
    void (*reached)(struct fc_sink *sink, const char *topic, uint32_t partition,
                    int64_t offset);
    /* All that was written is durable at the target, together with the positions reached, or
     * nothing is. Blocks until then. */
    fc_code (*flush)(struct fc_sink *sink, struct fc_error *err);
    /*
     * What a group has committed in our log; the target gets it, translated, once the records
     * before it are there. Never more than the group has read. May block.
     */
    fc_code (*group)(struct fc_sink *sink, const struct fc_group_offset *offset,
                     struct fc_error *err);
    /* Whether the options want this group. Does not block. */
    bool (*wants_group)(struct fc_sink *sink, const char *group);
    void (*interrupt)(struct fc_sink *sink);
    void (*close)(struct fc_sink *sink); /* NULL is fine; gives up what is not flushed */
    fc_code (*check)(const struct fc_host *host, fc_message_check *on_result, void *ctx,
                     struct fc_error *err);
    /*
     * What `identify` has said of the partition's topic when its position was kept; NULL: nothing.
     * Borrowed until then. Does not block. May be missing, with identify.
     */
    const char *(*identity)(struct fc_sink *sink, const char *topic, uint32_t partition);
    /*
     * What tells the topic of our log, which this is the copy of, from another of its name; kept
     * with the partition's position from now on. Another than before: what was known of offsets is
     * of another topic. Does not block.
     */
    void (*identify)(struct fc_sink *sink, const char *topic, uint32_t partition,
                     const char *id);
    /*
     * More of the pre-flight: say of each topic and group of our log whether it is wanted, and
     * look whether those could be copied. May be missing. May block.
     */
    fc_code (*check_copies)(const struct fc_host *host, struct fc_copies *copies,
                            fc_message_check *on_result, void *ctx, struct fc_error *err);
};

#endif
