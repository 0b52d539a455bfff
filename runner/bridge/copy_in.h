/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A feed copied into our log: its partitions and what is known of each, for this folder only.
 *
 * Each record carries its origin in a header (origin.h). A checkpoint holds how far each
 * partition is copied and where its copy ended then; on start the copies are scanned from there,
 * and the newest origin found is where to go on. A partition is in the checkpoint before its
 * first record is written. So each record is copied once, on any log, without transactions.
 *
 * The checkpoint also holds what tells each topic from another that is made under its name later.
 * Nothing is written before it is known that what was read is of the topic that it seems to be.
 */
#ifndef FC_RUNNER_BRIDGE_COPY_IN_H
#define FC_RUNNER_BRIDGE_COPY_IN_H

#include "core/base/hashmap.h"
#include "core/base/offset_map.h"
#include "runner/bridge/bridge_state.h"
#include "runner/bridge/place.h"
#include "runner/checkpoint.h"

struct fc_in_topic;

struct fc_in_part {
    struct fc_in_topic *topic;
    const char *connector; /* the bridge's name */
    uint32_t partition;
    int64_t next;   /* offset at the origin that comes after what is in the log or in `batch` */
    int64_t placed; /* the same, past what is no record; durable once flushed */
    int64_t end;    /* of the origin; -1: not known */
    int64_t copy_end; /* one past the newest record of the copy, as of the last flush */
    int64_t pointed;  /* `from` of the newest point that is kept in the log; -1: none */
    struct fc_stream_batch *batch; /* NULL: nothing waits */
    bool touched;                  /* appended to since the last flush */
    struct fc_offset_map map;
    bool renewed; /* the points that are kept are to be forgotten */
};

struct fc_in_topic {
    char *name;     /* at the origin */
    char *id;       /* what tells it from another of its name; NULL: not known */
    bool made_anew; /* since an earlier run */
    struct fc_topic *copy;
    struct fc_in_part **parts;
    uint32_t count;
};

struct fc_copy_in {
    struct fc_bridge *bridge;
    struct fc_stream *stream;
    const struct fc_feed_ops *ops;
    struct fc_feed *feed;
    struct fc_checkpoint checkpoint; /* the one that was found at the start */
    struct fc_places *places;        /* its position */
    struct fc_in_topic **topics;
    size_t topic_count;
    struct fc_hashmap points; /* "<topic>/<partition>" -> struct fc_offset_map, as read */
    struct fc_hashmap groups; /* "<group>/<topic>/<partition>" -> what is known of it there */
    bool has_groups;          /* the log has */
    bool first;               /* nothing was ever copied: the options say where to begin */
    bool fresh;               /* partitions came that are in no checkpoint yet */
    bool unverified;          /* records were read since the topics were last looked at */
    struct fc_in_part *last;  /* of the message before */
    uint64_t pending_records; /* since the last flush */
    uint64_t pending_bytes;
    int64_t pending_since_ms;
    bool moved; /* since the last checkpoint */
    int64_t newest_ms;
    struct fc_buf text; /* scratch, for headers */
};

/* NULL when it is not copied. */
struct fc_in_part *fc_in_part_of(struct fc_copy_in *in, const char *topic, uint32_t partition);

/* Find topics and partitions that are new, make their copies ready, and begin with them. */
FC_MUST_CHECK fc_code fc_in_look(struct fc_copy_in *in, struct fc_error *err);

/* Whether what was read is of the topics that are copied; FC_ERR_REFUSED when one was made anew
 * meanwhile (retriable when such a gap is to be skipped). */
FC_MUST_CHECK fc_code fc_in_verify(struct fc_copy_in *in, struct fc_error *err);

/* Call on_record for all that stands from `from` to `end`, until it returns false. Offsets may be
 * missing, at either end, too; FC_ERR_TIMEOUT when the log does not give what it has. */
FC_MUST_CHECK fc_code fc_in_read(struct fc_topic *topic, uint32_t partition, int64_t from,
                                 int64_t end,
                                 bool (*on_record)(void *ctx, const struct fc_record *record),
                                 void *ctx, struct fc_error *err);

/* Do `step` until the log takes it, or the bridge is to stop (FC_ERR_CLOSED). */
FC_MUST_CHECK fc_code fc_in_insist(struct fc_copy_in *in,
                                   fc_code (*step)(void *ctx, struct fc_error *err), void *ctx,
                                   struct fc_error *err);

/* Read the points that earlier runs have kept, before fc_in_look. */
FC_MUST_CHECK fc_code fc_in_points_read(struct fc_copy_in *in, struct fc_error *err);
/* Append the newest point of each partition where it has moved. */
FC_MUST_CHECK fc_code fc_in_points_write(struct fc_copy_in *in, struct fc_error *err);

/* Commit in our log, translated, what the groups that are wanted have committed. ending: it is the
 * last time. */
FC_MUST_CHECK fc_code fc_in_groups(struct fc_copy_in *in, bool ending, struct fc_error *err);

#endif
