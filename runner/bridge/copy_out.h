/* SPDX-License-Identifier: Apache-2.0 */
/* Our log copied out to a sink: its partitions and what is known of each, for this folder only. */
#ifndef FC_RUNNER_BRIDGE_COPY_OUT_H
#define FC_RUNNER_BRIDGE_COPY_OUT_H

#include <string.h>

#include "runner/bridge/bridge_state.h"
#include "runner/bridge/log_ids.h"

struct fc_out_part {
    char *name; /* in our log */
    char *copy;
    uint32_t partition;
    struct fc_topic *topic;
    struct fc_stream_reader *reader;
    int64_t next;    /* was written to the sink up to here */
    int64_t flushed; /* and is durable there */
    bool made_anew;  /* since the target's position was kept */
};

struct fc_out_topic {
    char *name;
    uint32_t partitions;
};

struct fc_copy_out {
    struct fc_bridge *bridge;
    struct fc_stream *stream;
    struct fc_log_ids *ids;
    const struct fc_sink_ops *ops;
    struct fc_sink *sink;
    struct fc_out_topic *topics;
    size_t topic_count;
    struct fc_out_part *parts;
    size_t part_count;
    bool grown; /* the log must be opened again */
    uint64_t pending_records;
    uint64_t pending_bytes;
    bool moved; /* since the last flush */
    int64_t pending_since_ms;
    int64_t newest_ms;
    struct fc_message *messages;
    size_t message_capacity;
    struct fc_message_header *headers;
    size_t header_capacity;
};

/* Of topics that are never copied. */
static inline bool fc_out_is_internal(const char *name)
{
    return strncmp(name, "_fluvio.", strlen("_fluvio.")) == 0 || strncmp(name, "__", 2) == 0;
}

/* Commit at the target, translated, what the groups that are wanted have committed in our log. */
FC_MUST_CHECK fc_code fc_out_groups(struct fc_copy_out *out, struct fc_error *err);

#endif
